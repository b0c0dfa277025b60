package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

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

func TestTable(t *testing.T) {
	t.Parallel()
	var (
		identification = []string{"identification", "default-authentication-identification", "default-authentication-flow"}
		password       = []string{"password", "default-authentication-password", "default-authentication-flow"}
		source         = []string{"source", "company-login", "company-login-flow"}
	)
	for _, test := range []struct {
		name string
		args []string
		want [][]string
	}{
		{"all", nil, [][]string{identification, password, source}},
		{"search", []string{"-search", "login"}, [][]string{source}},
		{"search for words", []string{"-search", "password default"}, [][]string{password}},
		{"search without a hit", []string{"-search", "captcha"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			if err := run(t.Context(), test.args, &stdout, &stderr); err != nil {
				t.Fatal(err)
			}
			table, isFake := strings.CutPrefix(stdout.String(), connect.IsFake)
			if !isFake || stderr.Len() > 0 {
				t.Errorf("printed %q, said %q", stdout.String(), stderr.String())
			}
			lines := strings.Split(strings.TrimSpace(table), "\n")
			if got := strings.Fields(lines[0]); !cmp.Equal(got, []string{"KIND", "NAME", "FLOWS", "PK"}) {
				t.Errorf("heading %q", got)
			}
			var rows [][]string
			for _, line := range lines[1:] {
				row := strings.Fields(line)
				if _, err := uuid.Parse(row[len(row)-1]); err != nil {
					t.Errorf("%q: %v", line, err)
				}
				rows = append(rows, row[:len(row)-1])
			}
			if diff := cmp.Diff(test.want, rows); diff != "" {
				t.Errorf("rows without the pk (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTableOfManyFlows(t *testing.T) {
	t.Parallel()
	pk := uuid.UUID{15: 1}
	found := stages{Password: []*authentik.PasswordStage{
		{PK: pk, Name: "two flows", FlowSet: []authentik.FlowSet{{Slug: "one"}, {Slug: "two"}}},
		{PK: pk, Name: "a\nb\tc\u202e"}, // which a server takes
	}}
	var stdout strings.Builder
	if err := found.print(&stdout); err != nil {
		t.Fatal(err)
	}
	want := `KIND      NAME             FLOWS     PK
password  "two flows"      one, two  00000000-0000-0000-0000-000000000001
password  "a\nb\tc\u202e"            00000000-0000-0000-0000-000000000001
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
		want map[string][]string
	}{
		{"all", []string{"-json"}, map[string][]string{
			"identification": {"default-authentication-identification"},
			"password":       {"default-authentication-password"},
			"source":         {"company-login"},
		}},
		{"search", []string{"-json", "-search", "company"}, map[string][]string{
			"identification": {},
			"password":       {},
			"source":         {"company-login"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			if err := run(t.Context(), test.args, &stdout, &stderr); err != nil {
				t.Fatal(err)
			}
			if stderr.String() != connect.IsFake {
				t.Errorf("said %q", stderr.String())
			}
			var kinds map[string][]authentik.PasswordStage // for what the kinds have in common
			if err := json.Unmarshal([]byte(stdout.String()), &kinds); err != nil {
				t.Fatalf("%v in %s", err, stdout.String())
			}
			got := map[string][]string{}
			for kind, stages := range kinds {
				if stages == nil {
					t.Errorf("%s is null", kind)
				}
				got[kind] = []string{}
				for _, stage := range stages {
					got[kind] = append(got[kind], stage.Name)
					if stage.PK == uuid.Nil || len(stage.FlowSet) != 1 {
						t.Errorf("%s: %+v", kind, stage)
					}
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServerWithoutSourceStages(t *testing.T) {
	t.Parallel()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	server.AddDefaultStages()
	server.StagesSource.Add(authentik.SourceStage{})
	server.Fail(2, authentiktest.Failure{}) // the other kinds are answered
	server.Fail(1, authentiktest.Failure{Status: http.StatusNotFound, Body: "<!DOCTYPE html>"})
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	found, err := list(t.Context(), client, authentik.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Identification) != 1 || len(found.Password) != 1 || found.Source == nil || len(found.Source) != 0 {
		t.Errorf("found %+v", found)
	}
}

func TestServerError(t *testing.T) {
	t.Parallel()
	for failing, kind := range []string{"identification", "password", "source"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			server := authentiktest.NewServer()
			t.Cleanup(server.Close)
			server.Fail(failing, authentiktest.Failure{})
			server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
			client, err := server.Client(authentik.WithRetries(0, 0, 0))
			if err != nil {
				t.Fatal(err)
			}
			_, err = list(t.Context(), client, authentik.ListOptions{})
			if !errors.Is(err, authentik.ErrServer) || !strings.Contains(err.Error(), kind) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]struct{ err, said string }{
		"-h": {"flag: help requested", "usage: list [flags]\n" +
			"Prints the identification, password and source stages with the flows that use them.\n" +
			"  -json\n    \tprint the stages as JSON\n" +
			"  -search words\n    \tlist only stages whose name holds these words\n"},
		"-unknown": {"flag provided but not defined: -unknown", ""},
		"words":    {`unexpected argument "words"; see -h`, ""},
	} {
		t.Run(arg, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), []string{arg}, &stdout, &stderr)
			if err == nil || err.Error() != want.err || stdout.Len() > 0 || stderr.String() != want.said {
				t.Errorf("error %v; printed %q, said %q", err, stdout.String(), stderr.String())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	if err := run(ctx, nil, &stdout, &stderr); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if stdout.String() != connect.IsFake {
		t.Errorf("printed %q", stdout.String())
	}
}
