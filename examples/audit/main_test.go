package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// TestMain keeps the tests away from a server that the environment names, and is
// the example itself where TestExitStatus starts it.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_OF_EXIT_STATUS") != "" {
		main()
		return
	}
	connect.UseFake()
	m.Run()
}

const (
	unknownRefused = "it refuses unknown users at once, as pretend_user_exists is off"
	matchedShown   = "name and avatar are shown of users who exist, as show_matched_user is on"
	shown          = "the password can be shown on the screen"
	notOffered     = "it is enabled, but no stage offers it"
)

func fakeServer(t *testing.T) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	client, err := server.Client(authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestChecks(t *testing.T) {
	t.Parallel()
	var (
		pk         = uuid.New()
		email      = []authentik.UserField{authentik.UserFieldEmail}
		flows      = []authentik.FlowSet{{Slug: "b"}, {Slug: "a"}, {Slug: "b"}}
		embeddings = func(s *authentiktest.Server) {
			for _, name := range []string{"one", "two"} {
				s.StagesIdentification.Add(authentik.IdentificationStage{
					Name: name, UserFields: email, ShowMatchedUser: true, PasswordStage: &pk, FlowSet: []authentik.FlowSet{{Slug: name}},
				})
			}
		}
	)
	for _, test := range []struct {
		name string
		add  func(*authentiktest.Server)
		want [][3]string // check, flows, why
	}{
		{"nothing there", func(*authentiktest.Server) {}, nil},
		{"defaults", func(s *authentiktest.Server) { s.AddDefaultStages() }, [][3]string{{"reveals-users", "default-authentication-flow", matchedShown}}},
		{"attempts at the limit", func(s *authentiktest.Server) {
			s.StagesPassword.Add(authentik.PasswordStage{FailedAttemptsBeforeCancel: 10})
		}, nil},
		{"attempts above the limit", func(s *authentiktest.Server) {
			s.StagesPassword.Add(authentik.PasswordStage{FailedAttemptsBeforeCancel: 11, FlowSet: flows})
		}, [][3]string{{"never-cancels", "a,b", "only 11 failed attempts cancel the flow"}}},
		{"the first failure cancels", func(s *authentiktest.Server) {
			s.StagesPassword.Add(authentik.PasswordStage{FailedAttemptsBeforeCancel: 0})
			s.StagesPassword.Add(authentik.PasswordStage{FailedAttemptsBeforeCancel: -1})
		}, nil},
		{"embedded", func(s *authentiktest.Server) {
			s.StagesPassword.Add(authentik.PasswordStage{PK: pk, FailedAttemptsBeforeCancel: 5, AllowShowPassword: true})
			embeddings(s)
		}, [][3]string{
			{
				"never-cancels", "one,two", "failed attempts do not count in identification stage \"one\"; " +
					"failed attempts do not count in identification stage \"two\"",
			},
			{"show-password", "one,two", shown},
		}},
		{"show password", func(s *authentiktest.Server) {
			s.StagesPassword.Add(authentik.PasswordStage{AllowShowPassword: true})
		}, [][3]string{{"show-password", "", shown}}},
		{"pretends, shows the matched user", func(s *authentiktest.Server) {
			s.StagesIdentification.Add(authentik.IdentificationStage{UserFields: email, PretendUserExists: true, ShowMatchedUser: true})
		}, [][3]string{{"reveals-users", "", matchedShown}}},
		{"pretends, shows nobody", func(s *authentiktest.Server) {
			s.StagesIdentification.Add(authentik.IdentificationStage{UserFields: email, PretendUserExists: true})
		}, nil},
		{"does not pretend, shows the matched user", func(s *authentiktest.Server) {
			s.StagesIdentification.Add(authentik.IdentificationStage{UserFields: email, ShowMatchedUser: true, FlowSet: flows})
		}, [][3]string{{"reveals-users", "a,b", unknownRefused + "; " + matchedShown}}},
		{"does not pretend, shows nobody", func(s *authentiktest.Server) {
			s.StagesIdentification.Add(authentik.IdentificationStage{UserFields: email})
		}, [][3]string{{"reveals-users", "", unknownRefused}}},
		{"asks for no user", func(s *authentiktest.Server) {
			s.StagesIdentification.Add(authentik.IdentificationStage{ShowMatchedUser: true})
		}, nil},
		{"source without a stage", func(s *authentiktest.Server) {
			s.SourcesOAuth.Add(authentik.OAuthSource{PK: pk, Enabled: true})
		}, [][3]string{{"source-without-stage", "", notOffered}}},
		{"source of a kind that is not known", func(s *authentiktest.Server) {
			s.SourcesAll.Add(authentik.Source{PK: pk, Enabled: true, Component: "ak-source-new-form"})
		}, [][3]string{{"source-without-stage", "", notOffered}}},
		{"source that is off", func(s *authentiktest.Server) {
			s.SourcesOAuth.Add(authentik.OAuthSource{PK: pk})
		}, nil},
		{"source that an identification stage offers", func(s *authentiktest.Server) {
			s.SourcesOAuth.Add(authentik.OAuthSource{PK: pk, Enabled: true})
			s.StagesIdentification.Add(authentik.IdentificationStage{Sources: []uuid.UUID{pk}})
		}, nil},
		{"source that a source stage uses", func(s *authentiktest.Server) {
			s.SourcesOAuth.Add(authentik.OAuthSource{PK: pk, Enabled: true})
			s.StagesSource.Add(authentik.SourceStage{Source: pk})
		}, nil},
		{"sources that need no stage", func(s *authentiktest.Server) {
			for _, component := range componentsWithoutStage {
				s.SourcesAll.Add(authentik.Source{Enabled: true, Component: component})
			}
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			test.add(server)
			found, err := read(t.Context(), client)
			if err != nil {
				t.Fatal(err)
			}
			var stderr strings.Builder
			var got [][3]string
			for _, f := range found.audit(10, &stderr) {
				got = append(got, [3]string{f.Check, strings.Join(f.Flows, ","), f.Why})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if stderr.Len() > 0 {
				t.Errorf("said %q", stderr.String())
			}
		})
	}
}

func TestServerBefore2024(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.SetRelease("2023.10") // without pretend_user_exists and source stages
	server.StagesIdentification.Add(authentik.IdentificationStage{UserFields: []authentik.UserField{authentik.UserFieldEmail}})
	found, err := read(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	if findings := found.audit(10, &stderr); len(findings) > 0 {
		t.Errorf("found %+v", findings)
	}
	if !strings.Contains(stderr.String(), "pretend_user_exists") {
		t.Errorf("said %q", stderr.String())
	}
}

func TestServerError(t *testing.T) {
	t.Parallel()
	for failing, path := range []string{"stages/identification/", "stages/password/", "stages/source/", "sources/all/"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			server.Fail(failing, authentiktest.Failure{})
			server.Fail(1, authentiktest.Failure{Status: http.StatusForbidden, Body: `{"detail":"no"}`})
			if _, err := read(t.Context(), client); !errors.Is(err, authentik.ErrForbidden) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// what the fake server of the example has.
var fakeFindings = [][3]string{
	{"reveals-users", "identification stage", "default-authentication-identification"},
	{"never-cancels", "password stage", "partner-password"},
	{"show-password", "password stage", "partner-password"},
	{"never-cancels", "password stage", "patient-password"},
	{"source-without-stage", "source", "Pilot"},
}

func TestTable(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	err := run(t.Context(), nil, &stdout, &stderr)
	if status, ok := errors.AsType[*connect.StatusError](err); !ok || status.Status != 2 || status.Message != "findings: 5" {
		t.Errorf("error %v", err)
	}
	table, isFake := strings.CutPrefix(stdout.String(), connect.IsFake)
	if !isFake || stderr.Len() > 0 {
		t.Errorf("printed %q, said %q", stdout.String(), stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if got := strings.Fields(lines[0]); !cmp.Equal(got, []string{"CHECK", "KIND", "NAME", "FLOWS", "WHY"}) {
		t.Errorf("heading %q", got)
	}
	if len(lines) != len(fakeFindings)+1 {
		t.Fatalf("printed:\n%s", stdout.String())
	}
	for i, finding := range fakeFindings {
		for _, word := range []string{finding[0], finding[1], finding[2]} {
			if !strings.Contains(lines[i+1], word+" ") {
				t.Errorf("%q is not in %q", word, lines[i+1])
			}
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	err := run(t.Context(), []string{"-json", "-max-attempts", "1000000"}, &stdout, &stderr)
	if status, ok := errors.AsType[*connect.StatusError](err); !ok || status.Status != 2 || status.Message != "findings: 4" {
		t.Errorf("error %v", err)
	}
	if stderr.String() != connect.IsFake {
		t.Errorf("said %q", stderr.String())
	}
	var findings []finding
	if err := json.Unmarshal([]byte(stdout.String()), &findings); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
	var got [][3]string
	for _, f := range findings {
		got = append(got, [3]string{f.Check, f.Kind, f.Name})
		if f.PK == uuid.Nil || f.Flows == nil || f.Why == "" {
			t.Errorf("incomplete: %+v", f)
		}
	}
	want := append(append([][3]string{}, fakeFindings[:3]...), fakeFindings[4])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestNoFindings(t *testing.T) {
	t.Parallel()
	for asJSON, want := range map[bool]string{true: "[]\n", false: "CHECK  KIND  NAME  FLOWS  WHY\n"} {
		var stdout strings.Builder
		if err := report(inventory{}.audit(10, &stdout), asJSON, &stdout); err != nil || stdout.String() != want {
			t.Errorf("printed %q, %v; want %q", stdout.String(), err, want)
		}
	}
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	server, _ := fakeServer(t)
	for _, test := range []struct {
		name, url, arg string
		want           int
		stderr         string
	}{
		{"nothing found", server.URL, "-json", 0, ""},
		{"help", "", "-h", 0, "2 if it found something"},
		{"findings", "", "-json", 2, "findings: 5"},
		{"no such flag", "", "-unknown", 1, "not defined: -unknown\n"},
		{"error", "not-a-url", "-json", 1, "base URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stderr strings.Builder
			audit := exec.CommandContext(t.Context(), os.Args[0], test.arg)
			audit.Env = append(os.Environ(), "TEST_OF_EXIT_STATUS=1")
			if test.url != "" {
				audit.Env = append(audit.Env, "AUTHENTIK_URL="+test.url, "AUTHENTIK_TOKEN="+server.Token)
			}
			audit.Stderr = &stderr
			err := audit.Run()
			got := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				got = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if got != test.want || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("exited with %d, want %d; said %q", got, test.want, stderr.String())
			}
		})
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signal that one process sends another")
	}
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	audit := exec.CommandContext(t.Context(), os.Args[0])
	audit.Env = append(os.Environ(), "TEST_OF_EXIT_STATUS=1", "AUTHENTIK_URL="+server.URL, "AUTHENTIK_TOKEN=token")
	if err := audit.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := audit.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	exit, ok := errors.AsType[*exec.ExitError](audit.Wait())
	if !ok || exit.ExitCode() != 130 {
		t.Errorf("exited with %v, want 130", exit)
	}
}
