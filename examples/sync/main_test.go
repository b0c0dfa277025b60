package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/go-cmp/cmp"
)

// TestMain keeps the tests away from a server that the environment names.
func TestMain(m *testing.M) {
	connect.UseFake()
	m.Run()
}

// company is a server with the users anna, ben and chris, of whom anna and ben are
// in the group staff.
func company(t *testing.T) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	var pks []int
	for _, name := range []string{"anna", "ben", "chris"} {
		pks = append(pks, server.CoreUsers.Add(authentik.User{Username: name}).PK)
	}
	server.CoreGroups.Add(authentik.Group{Name: "staff", Users: pks[:2]})
	client, err := server.Client(authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

// state is the server's groups with their members, sorted.
func state(server *authentiktest.Server) map[string][]string {
	names := map[int]string{}
	for _, user := range server.CoreUsers.All() {
		names[user.PK] = user.Username
	}
	groups := map[string][]string{}
	for _, group := range server.CoreGroups.All() {
		groups[group.Name] = []string{}
		for _, pk := range group.Users {
			groups[group.Name] = append(groups[group.Name], names[pk])
		}
		slices.Sort(groups[group.Name])
	}
	return groups
}

func planned(t *testing.T, client *authentik.Client, file string) ([]change, string) {
	t.Helper()
	wanted, err := read(strings.NewReader("group,username\n" + file))
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	changes, err := plan(t.Context(), client, wanted, true, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	return changes, stderr.String()
}

func texts(changes []change) (texts []string) {
	for _, change := range changes {
		texts = append(texts, change.text)
	}
	return texts
}

// writes counts the requests that may have changed something.
func writes(server *authentiktest.Server) (count int) {
	for _, request := range server.Requests() {
		if request.Method != http.MethodGet {
			count++
		}
	}
	return count
}

func TestSync(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file string
		plan       []string
		want       map[string][]string
	}{
		{"no line", "", nil, map[string][]string{"staff": {"anna", "ben"}}},
		{"as it is", "staff,ben\nstaff,anna\n", nil, map[string][]string{"staff": {"anna", "ben"}}},
		{"a line twice", "staff,ben\nstaff,anna\n staff , ben \n", nil, map[string][]string{"staff": {"anna", "ben"}}},
		{"another member", "staff,anna\nstaff,ben\nstaff,chris\n", []string{`add "chris" to "staff"`}, map[string][]string{"staff": {"anna", "ben", "chris"}}},
		{"a member less", "staff,anna\n", []string{`remove "ben" from "staff"`}, map[string][]string{"staff": {"anna"}}},
		{"no member", "staff,\n", []string{`remove "anna" from "staff"`, `remove "ben" from "staff"`}, map[string][]string{"staff": {}}},
		{"a new group", "guests,anna\nguests,chris\n", []string{
			`create "guests"`, `add "anna" to "guests"`, `add "chris" to "guests"`,
		}, map[string][]string{"staff": {"anna", "ben"}, "guests": {"anna", "chris"}}},
		{"a new group without members", "guests,\n", []string{`create "guests"`}, map[string][]string{"staff": {"anna", "ben"}, "guests": {}}},
		{"names that need quotes", "\"a\nb\",anna\n", []string{`create "a\nb"`, `add "anna" to "a\nb"`}, map[string][]string{"staff": {"anna", "ben"}, "a\nb": {"anna"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, client := company(t)
			changes, _ := planned(t, client, test.file)
			if diff := cmp.Diff(test.plan, texts(changes)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			if got := writes(server); got > 0 {
				t.Errorf("the plan made %d changes", got)
			}
			if err := do(t.Context(), changes, newBar(io.Discard, len(changes))); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, state(server)); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if again, _ := planned(t, client, test.file); len(again) > 0 {
				t.Errorf("a second run would %q", texts(again))
			}
		})
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	_, client := company(t)
	changes, _ := planned(t, client, "guests,anna\nstaff,\n")
	var bar strings.Builder
	if err := do(t.Context(), changes, newBar(&bar, len(changes))); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(bar.String(), "changes  25%") || !strings.Contains(bar.String(), "(4/4)") {
		t.Errorf("the bar was %q", bar.String())
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	server, client := company(t)
	changes, _ := planned(t, client, "guests,anna\nused,\n")
	if err := do(t.Context(), changes, newBar(io.Discard, len(changes))); err != nil {
		t.Fatal(err)
	}
	for _, group := range server.CoreGroups.All() {
		if group.Name == "used" {
			server.PoliciesBindings.Add(authentik.PolicyBinding{Group: &group.PK})
		}
	}
	changes, said := planned(t, client, "")
	if diff := cmp.Diff([]string{`delete "guests"`}, texts(changes)); diff != "" { // not staff, which was there before
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(said, `"used" is not deleted, since it is in use: policybinding "`) || strings.Count(said, "\n") != 1 {
		t.Errorf("said %q", said)
	}
	if err := do(t.Context(), changes, newBar(io.Discard, len(changes))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"staff": {"anna", "ben"}, "used": {}}, state(server)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestNothingIsDeletedUnasked(t *testing.T) {
	t.Parallel()
	server, client := company(t)
	server.CoreGroups.Add(authentik.Group{Name: "old", Attributes: map[string]any{markKey: markValue}})
	changes, err := plan(t.Context(), client, members{}, false, io.Discard)
	if len(changes) > 0 || err != nil {
		t.Errorf("would %q, %v", texts(changes), err)
	}
}

func TestUnknownUsers(t *testing.T) {
	t.Parallel()
	server, client := company(t)
	wanted := members{"staff": {"anna": true, "dora": true}, "new": {"emil": true, "dora": true}}
	changes, err := plan(t.Context(), client, wanted, false, io.Discard)
	want := `nothing is changed, since there are no users dora, emil`
	if changes != nil || err == nil || err.Error() != want {
		t.Errorf("got %q, %v", texts(changes), err)
	}
	if writes(server) > 0 {
		t.Error("something was written")
	}
}

// A server that fails in the middle leaves something to do for the next run.
func TestFailureInTheMiddle(t *testing.T) {
	t.Parallel()
	server, client := company(t)
	const file = "guests,anna\nguests,ben\n"
	server.FailOn("POST core/groups/{}/add_user/", 1, authentiktest.Failure{Status: http.StatusServiceUnavailable, Body: `{"error":"authentik starting"}`})
	changes, _ := planned(t, client, file)
	err := do(t.Context(), changes, newBar(io.Discard, len(changes)))
	if want := `1 of 3 changes are made, then this failed: add "anna" to "guests"; a second run goes on`; !errors.Is(err, authentik.ErrServer) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	changes, _ = planned(t, client, file)
	if diff := cmp.Diff([]string{`add "anna" to "guests"`, `add "ben" to "guests"`}, texts(changes)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if err := do(t.Context(), changes, newBar(io.Discard, len(changes))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"anna", "ben"}, state(server)["guests"]); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

func TestServerError(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"GET core/groups/", "GET core/users/", "GET core/groups/{}/used_by/"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			server, client := company(t)
			server.CoreGroups.Add(authentik.Group{Name: "old", Attributes: map[string]any{markKey: markValue}})
			server.FailOn(operation, 1, authentiktest.Failure{Status: http.StatusForbidden, Body: `{"detail":"no"}`})
			if _, err := plan(t.Context(), client, members{"staff": {"chris": true}}, true, io.Discard); !errors.Is(err, authentik.ErrForbidden) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOldServer(t *testing.T) {
	t.Parallel()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	server.SetRelease("2023.10")
	anna := server.CoreUsers.Add(authentik.User{Username: "anna"})
	server.CoreGroups.Add(authentik.Group{Name: "staff", Users: []int{anna.PK}})
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	changes, _ := planned(t, client, "staff,\nnew,anna\n")
	if err := do(t.Context(), changes, newBar(io.Discard, len(changes))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"staff": {}, "new": {"anna"}}, state(server)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ file, err string }{
		"empty":           {"", "the file is empty"},
		"no header":       {"staff,anna\n", `the first line is "staff,anna", not group,username`},
		"three columns":   {"group,username,x\n", "record on line 1: wrong number of fields"},
		"no group":        {"group,username\nstaff,anna\n ,ben\n", "line 3 names no group"},
		"a broken quote":  {"group,username\n\"a,b\n", "parse error on line 2, column 6: "},
		"one column less": {"group,username\nstaff\n", "record on line 2: wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if wanted, err := read(strings.NewReader(test.file)); err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("got %v, %v", wanted, err)
			}
		})
	}
	got, err := read(strings.NewReader("\ufeffgroup,username\r\nstaff,anna\r\n"))
	if diff := cmp.Diff(members{"staff": {"anna": true}}, got); diff != "" || err != nil {
		t.Errorf("what Excel writes (-want +got):\n%s\nerror %v", diff, err)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "members.csv")
	if err := os.WriteFile(file, []byte("group,username\nstaff,anna\nguests,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	same := filepath.Join(t.TempDir(), "same.csv")
	if err := os.WriteFile(same, []byte("group,username\nstaff,anna\nstaff,ben\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const plan = connect.IsFake + "create \"guests\"\nremove \"ben\" from \"staff\"\n"
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"plan", []string{file}, plan + "2 changes; -apply makes them\n"},
		{"apply", []string{"-apply", file}, plan + "2 changes made\n"},
		{"nothing to do", []string{"-apply", same}, connect.IsFake + "nothing to change\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			if err := run(t.Context(), test.args, &stdout, &stderr); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, stdout.String()); diff != "" || stderr.Len() > 0 {
				t.Errorf("printed (-want +got):\n%s\nsaid %q", diff, stderr.String())
			}
		})
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-h":         "flag: help requested",
		"-unknown":   "flag provided but not defined: -unknown",
		"":           "name the CSV file; see -h",
		"a b":        `unexpected argument "b"; see -h`,
		"/not/there": "open /not/there: ",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), strings.Fields(args), &stdout, &stderr)
			if err == nil || !strings.HasPrefix(err.Error(), want) || stdout.Len() > 0 {
				t.Errorf("error %v; printed %q", err, stdout.String())
			}
			if explained := strings.Contains(stderr.String(), "-apply"); explained != (args == "-h") {
				t.Errorf("said %q", stderr.String())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	server, client := company(t)
	changes, _ := planned(t, client, "guests,\nstaff,anna\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := do(ctx, changes, newBar(io.Discard, len(changes))); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "0 of 2 changes") {
		t.Errorf("got %v", err)
	}
	if writes(server) > 0 {
		t.Error("something was written")
	}
}
