package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

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

func TestTable(t *testing.T) {
	t.Parallel()
	const (
		anna   = `anna    "Anna Arendt"  internal         true    2025-03-03 09:30  staff, "wiki editors"`
		backup = `backup  backup         service_account  true    never`
		ben    = `ben     "Ben Berg"     internal         true    2025-01-12 09:30  staff`
		chris  = `chris   "Chris Cole"   internal         true    never`
	)
	for args, want := range map[string][]string{
		"":                       {anna, backup, ben, chris},
		"-group staff":           {anna, ben},
		"-type service_account":  {backup},
		"-inactive":              nil,
		"-search arendt":         {anna},
		"-idle 36500":            {backup, chris},
		"-group staff -idle 1":   {anna, ben},
		"-type internal -idle 9": {anna, ben, chris},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			if err := run(t.Context(), strings.Fields(args), &stdout, &stderr); err != nil {
				t.Fatal(err)
			}
			table, isFake := strings.CutPrefix(stdout.String(), connect.IsFake)
			if !isFake || stderr.Len() > 0 {
				t.Errorf("printed %q, said %q", stdout.String(), stderr.String())
			}
			lines := strings.Split(strings.TrimSpace(table), "\n")
			if !strings.HasPrefix(lines[0], "USERNAME") {
				t.Errorf("heading %q", lines[0])
			}
			var got, wanted []string // columns are as wide as what is in them
			for _, line := range lines[1:] {
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			for _, line := range want {
				wanted = append(wanted, strings.Join(strings.Fields(line), " "))
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("users (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTableQuotes(t *testing.T) {
	t.Parallel()
	var stdout strings.Builder
	err := printTable(&stdout, []user{{Username: "a\nb", Name: "\u202e", Type: "internal", Groups: []string{"c,\td", "e"}}})
	want := `USERNAME  NAME      TYPE      ACTIVE  LAST LOGIN  GROUPS
"a\nb"    "\u202e"  internal  false   never       "c,\td", e
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" || err != nil {
		t.Errorf("table (-want +got):\n%s\nerror %v", diff, err)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if err := run(t.Context(), []string{"-json", "-search", "anna"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	var got []user
	if err := json.Unmarshal([]byte(stdout.String()), &got); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
	want := []user{{
		1, "anna", "Anna Arendt", "anna@example.com", authentik.UserTypeInternal, true,
		new(time.Date(2025, time.March, 3, 9, 30, 0, 0, time.UTC)),
		[]string{"staff", "wiki editors"},
	}}
	if diff := cmp.Diff(want, got); diff != "" || stderr.String() != connect.IsFake {
		t.Errorf("users (-want +got):\n%s\nsaid %q", diff, stderr.String())
	}
}

func TestNoUserIsAnEmptyList(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if err := run(t.Context(), []string{"-json", "-search", "nobody"}, &stdout, &stderr); err != nil || stdout.String() != "[]\n" {
		t.Errorf("printed %q, %v", stdout.String(), err)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if err := run(t.Context(), []string{"-csv"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(stdout.String())).ReadAll()
	want := [][]string{
		{"pk", "username", "name", "email", "type", "is_active", "last_login", "groups"},
		{"1", "anna", "Anna Arendt", "anna@example.com", "internal", "true", "2025-03-03T09:30:00Z", "staff;wiki editors"},
		{"4", "backup", "backup", "", "service_account", "true", "", ""},
		{"2", "ben", "Ben Berg", "ben@example.com", "internal", "true", "2025-01-12T09:30:00Z", "staff"},
		{"3", "chris", "Chris Cole", "chris@example.com", "internal", "true", "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || stderr.String() != connect.IsFake {
		t.Errorf("rows (-want +got):\n%s\nerror %v, said %q", diff, err, stderr.String())
	}
}

// A server before 2026.2 ignores the filter for the last login.
func TestOldServer(t *testing.T) {
	t.Parallel()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	server.SetRelease("2023.10")
	last := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	for name, login := range map[string]*time.Time{"idle": new(last.Add(-time.Second)), "last": &last, "never": nil} {
		server.CoreUsers.Add(authentik.User{Username: name, LastLogin: login})
	}
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	users, err := list(t.Context(), client, nil, last)
	if err != nil || len(users) != 2 || users[0].Username != "idle" || users[1].Username != "never" {
		t.Errorf("got %+v, %v", users, err)
	}
}

func TestServerError(t *testing.T) {
	t.Parallel()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	server.Fail(1, authentiktest.Failure{Status: http.StatusForbidden, Body: `{"detail":"no"}`})
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	if users, err := list(t.Context(), client, nil, time.Time{}); !errors.Is(err, authentik.ErrForbidden) || users != nil {
		t.Errorf("got %+v, %v", users, err)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-h":         "flag: help requested",
		"-unknown":   "flag provided but not defined: -unknown",
		"anna":       `unexpected argument "anna"; see -h`,
		"-json -csv": "choose one of -json and -csv",
		"-idle -1":   "-idle is a number of days",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), strings.Fields(args), &stdout, &stderr)
			if err == nil || err.Error() != want || stdout.Len() > 0 {
				t.Errorf("error %v; printed %q", err, stdout.String())
			}
			if explained := strings.Contains(stderr.String(), "-idle days"); explained != (args == "-h") {
				t.Errorf("said %q", stderr.String())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	if err := run(ctx, nil, &stdout, &stderr); !errors.Is(err, context.Canceled) || stdout.String() != connect.IsFake {
		t.Errorf("error %v; printed %q", err, stdout.String())
	}
}
