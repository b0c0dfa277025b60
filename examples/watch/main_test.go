package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// TestMain keeps the tests away from a server that the environment names.
func TestMain(m *testing.M) {
	connect.UseFake()
	m.Run()
}

// inMemory hands requests to the server without a network, which synctest could
// not wait for.
type inMemory struct{ server http.Handler }

func (t inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	t.server.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

func fakeServer(t *testing.T) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	client, err := server.Client(authentik.WithHTTPClient(&http.Client{Transport: inMemory{server}}), authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

var (
	pk      = uuid.UUID{15: 1}
	pkText  = "(" + pk.String() + ")"
	flowOne = authentik.FlowSet{PK: uuid.UUID{15: 2}, PolicyBindingModelPtrID: pk, Slug: "one", BackgroundURL: "/one.jpg?token=1"}
	flowTwo = authentik.FlowSet{PK: uuid.UUID{15: 3}, PolicyBindingModelPtrID: pk, Slug: "two", Background: "/two.jpg?token=1"}
)

// watched makes a poll, calls change, and makes a second one.
func watched(t *testing.T, client *authentik.Client, change func()) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs strings.Builder
	err = watch(t.Context(), client, time.Nanosecond, 2, func(poll int) {
		if poll == 1 {
			change()
		}
	}, &out, &errs)
	return regexp.MustCompile(`(?m)^\S+ `).ReplaceAllString(out.String(), ""), errs.String(), err
}

func TestChanges(t *testing.T) {
	t.Parallel()
	identification := authentik.IdentificationStage{
		PK: pk, Name: "R&D \n", Sources: []uuid.UUID{flowOne.PK, flowTwo.PK}, FlowSet: []authentik.FlowSet{flowOne, flowTwo},
	}
	for _, test := range []struct {
		name   string
		change func(*authentik.IdentificationStage)
		want   string // what is behind the name; "" for no line
	}{
		{"nothing", func(*authentik.IdentificationStage) {}, ""},
		{"two members", func(s *authentik.IdentificationStage) {
			s.ShowMatchedUser, s.UserFields = true, []authentik.UserField{authentik.UserFieldUPN}
		}, `show_matched_user: false → true, user_fields: [] → ["upn"]`},
		{"name", func(s *authentik.IdentificationStage) { s.Name = "<new>" }, `name: "R&D \n" → "<new>"`},
		{"null", func(s *authentik.IdentificationStage) { s.PasswordStage = &pk }, `password_stage: null → "` + pk.String() + `"`},
		{"order", func(s *authentik.IdentificationStage) {
			s.FlowSet = []authentik.FlowSet{flowTwo, flowOne}
			s.Sources = []uuid.UUID{flowTwo.PK, flowOne.PK}
		}, ""},
		{
			"sources", func(s *authentik.IdentificationStage) { s.Sources = s.Sources[:1] },
			"sources: [" + flowOne.PK.String() + " " + flowTwo.PK.String() + "] → [" + flowOne.PK.String() + "]",
		},
		{"signatures", func(s *authentik.IdentificationStage) {
			s.FlowSet[0].BackgroundURL, s.FlowSet[1].Background = "/one.jpg?token=2", "/two.jpg"
		}, ""},
		{
			"background", func(s *authentik.IdentificationStage) { s.FlowSet[0].BackgroundURL = "/new.jpg?token=1" },
			"flow_set.one.background_url: /one.jpg → /new.jpg",
		},
		{
			"old background", func(s *authentik.IdentificationStage) { s.FlowSet[1].Background = "/new.jpg?token=1" },
			"flow_set.two.background: /two.jpg → /new.jpg",
		},
		{
			"flow's title", func(s *authentik.IdentificationStage) { s.FlowSet[1].Title = "Hi" },
			`flow_set.two.title: "Welcome to authentik!" → "Hi"`,
		},
		{"bound no longer", func(s *authentik.IdentificationStage) { s.FlowSet = s.FlowSet[:1] }, "flow_set: [one two] → [one]"},
		{"bound twice", func(s *authentik.IdentificationStage) { s.FlowSet = append(s.FlowSet, flowOne) }, "flow_set: [one two] → [one one two]"},
		{"member that is not known", func(s *authentik.IdentificationStage) {
			s.Extra = map[string]json.RawMessage{"new": json.RawMessage("true")}
		}, "new: none → true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			if test.name == "old background" { // which releases before 2025.12 answer with
				server.SetRelease("2025.8")
			}
			server.StagesIdentification.Add(identification)
			got, stderr, err := watched(t, client, func() { server.StagesIdentification.Update(pk, test.change) })
			want := test.want
			if want != "" {
				want = `changed identification stage "R&D \n" ` + pkText + ": " + want + "\n"
			}
			if got != want || stderr != "" || err != nil {
				t.Errorf("printed %q, want %q; said %q; error %v", got, want, stderr, err)
			}
		})
	}
}

func TestCreatedAndDeleted(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.StagesIdentification.Add(authentik.IdentificationStage{PK: pk, Name: "a"})
	server.StagesPassword.Add(authentik.PasswordStage{PK: pk, Name: "b"})
	server.StagesSource.Add(authentik.SourceStage{PK: pk, Name: "c"})
	got, stderr, err := watched(t, client, func() {
		server.StagesIdentification.Remove(pk)
		server.StagesPassword.Remove(pk)
		server.StagesPassword.Add(authentik.PasswordStage{PK: flowOne.PK, Name: "d"})
		server.StagesSource.Add(authentik.SourceStage{PK: flowOne.PK, Name: "e"})
	})
	want := `deleted identification stage "a" ` + pkText + `
created password stage "d" (` + flowOne.PK.String() + `)
deleted password stage "b" ` + pkText + `
created source stage "e" (` + flowOne.PK.String() + `)
`
	if diff := cmp.Diff(want, got); diff != "" || stderr != "" || err != nil {
		t.Errorf("printed (-want +got):\n%s\nsaid %q; error %v", diff, stderr, err)
	}
}

// An answer that is not the whole list tells nothing about what was deleted.
func TestNothingIsDeletedByAnError(t *testing.T) {
	t.Parallel()
	const empty = `{"pagination":{"next":0,"count":0},"results":[]}`
	for _, test := range []struct {
		name     string
		failures []authentiktest.Failure
		stderr   string // "" where the poll is not to fail
	}{
		{"no server", []authentiktest.Failure{{Status: 502}}, "502"},
		{"no permission", []authentiktest.Failure{{Status: 403}}, "403"},
		{"no list", []authentiktest.Failure{{Status: 404}}, "404"},
		{"a web page", []authentiktest.Failure{{Status: 200, Body: "<html>"}}, "unexpected response"},
		{"the list lacks it, the server has it", []authentiktest.Failure{{Status: 200, Body: empty}}, ""},
		{"the list lacks it, the server fails", []authentiktest.Failure{{Status: 200, Body: empty}, {Status: 500}}, "500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			server.StagesIdentification.Add(authentik.IdentificationStage{PK: pk, Name: "a"})
			stdout, stderr, err := watched(t, client, func() {
				for _, failure := range test.failures {
					server.Fail(1, failure)
				}
			})
			if stdout != "" || !strings.Contains(stderr, test.stderr) || (err != nil) != (test.stderr != "") {
				t.Errorf("printed %q; said %q; error %v", stdout, stderr, err)
			}
			if err != nil && err.Error() != "1 of 2 polls failed" {
				t.Errorf("error %v", err)
			}
		})
	}
}

// What happened during polls that failed is reported by the next that does not.
func TestGoesOnAfterErrors(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.StagesIdentification.Add(authentik.IdentificationStage{PK: pk, Name: "a"})
	var stdout, stderr strings.Builder
	err := watch(t.Context(), client, time.Nanosecond, 4, func(poll int) {
		switch poll {
		case 1:
			server.Fail(6, authentiktest.Failure{Status: 503})
		case 2:
			server.StagesIdentification.Remove(pk)
		}
	}, &stdout, &stderr)
	if err == nil || err.Error() != "2 of 4 polls failed" {
		t.Errorf("error %v", err)
	}
	if got := strings.Count(stdout.String(), "\n"); got != 1 || !strings.Contains(stdout.String(), `deleted identification stage "a"`) {
		t.Errorf("printed %q", stdout.String())
	}
	if got := strings.Count(stderr.String(), "503"); got != 6 {
		t.Errorf("%d errors, want 6: %q", got, stderr.String())
	}
}

// The first list that succeeds is what later ones are compared with.
func TestFirstPollFails(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.StagesIdentification.Add(authentik.IdentificationStage{})
	server.Fail(1, authentiktest.Failure{Status: 502})
	stdout, stderr, err := watched(t, client, func() {})
	if stdout != "" || strings.Count(stderr, "502") != 1 || err == nil {
		t.Errorf("printed %q; said %q; error %v", stdout, stderr, err)
	}
}

func TestServerWithoutSourceStages(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	notFound := func() {
		server.Fail(2, authentiktest.Failure{}) // the other kinds are answered
		server.Fail(1, authentiktest.Failure{Status: http.StatusNotFound, Body: "<!DOCTYPE html>"})
	}
	notFound()
	stdout, stderr, err := watched(t, client, notFound)
	if stdout != "" || stderr != "" || err != nil {
		t.Errorf("printed %q; said %q; error %v", stdout, stderr, err)
	}
}

func TestInterval(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		var stdout, stderr strings.Builder
		err := watch(t.Context(), client, 30*time.Second, 3, func(int) {
			at = append(at, time.Since(start))
			server.StagesPassword.Add(authentik.PasswordStage{})
		}, &stdout, &stderr)
		if diff := cmp.Diff([]time.Duration{0, 30 * time.Second, time.Minute}, at); diff != "" || err != nil {
			t.Errorf("polls (-want +got):\n%s\nerror %v", diff, err)
		}
		lines := strings.Split(stdout.String(), "\n")
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "2000-01-01T00:00:30Z created ") ||
			!strings.HasPrefix(lines[1], "2000-01-01T00:01:00Z created ") {
			t.Errorf("printed %q", stdout.String())
		}
	})
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	_, client := fakeServer(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
		defer cancel()
		polls := 0
		var stdout, stderr strings.Builder
		err := watch(ctx, client, 30*time.Second, 0, func(int) { polls++ }, &stdout, &stderr)
		if !errors.Is(err, context.DeadlineExceeded) || polls != 4 || stdout.Len()+stderr.Len() > 0 {
			t.Errorf("error %v after %d polls; printed %q, said %q", err, polls, stdout.String(), stderr.String())
		}
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if err := run(ctx, nil, &stdout, &stderr); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if stdout.String() != connect.IsFake || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("printed %q, said %q", stdout.String(), stderr.String())
	}
}

func TestFake(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if err := run(t.Context(), []string{"-interval", "1ns", "-n", "4"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"changed password stage \"default-authentication-password\": failed_attempts_before_cancel: 5 → 6",
		"created source stage \"partner-login\"",
		"deleted source stage \"partner-login\"",
		"",
	}
	got := regexp.MustCompile(`(?m)^\S+ | \(.{36}\)`).ReplaceAllString(strings.TrimPrefix(stdout.String(), connect.IsFake), "")
	if diff := cmp.Diff(want, strings.Split(got, "\n")); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args   string
		failed bool
	}{
		{"-h", false},
		{"-unknown", true},
		{"more", true},
		{"-interval 0s", true},
		{"-n -1", true},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), strings.Fields(test.args), &stdout, &stderr)
			if failed := err != nil && !errors.Is(err, flag.ErrHelp); failed != test.failed {
				t.Errorf("error %v", err)
			}
			if stdout.Len() > 0 || strings.Contains(stderr.String(), "fake") {
				t.Errorf("printed %q, said %q", stdout.String(), stderr.String())
			}
			if test.args == "-h" && (!strings.Contains(stderr.String(), "-interval duration") || !strings.Contains(stderr.String(), "-n polls")) {
				t.Errorf("%q does not explain the flags", stderr.String())
			}
		})
	}
}
