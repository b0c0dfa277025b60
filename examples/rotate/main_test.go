package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
)

// TestMain keeps the tests away from a server that the environment names.
func TestMain(m *testing.M) {
	connect.UseFake()
	m.Run()
}

// fakeServer has the token ci of a service account.
func fakeServer(t *testing.T) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	account := server.CoreUsers.Add(authentik.User{Username: "builder", Type: authentik.UserTypeServiceAccount})
	server.CoreTokens.Add(authentik.Token{Identifier: "ci", Intent: authentik.TokenIntentAPI, User: account.PK})
	client, err := server.Client(authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

// oldFile is a file that anybody can read.
func oldFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// files are the contents of the files in the folder of path, by name.
func files(t *testing.T, path string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(b)
	}
	return files
}

func keyOf(t *testing.T, client *authentik.Client) string {
	t.Helper()
	view, err := client.CoreTokens.ViewKey(t.Context(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	return view.Key
}

func TestRotate(t *testing.T) {
	t.Parallel()
	_, client := fakeServer(t)
	path := oldFile(t)
	keys := map[string]bool{keyOf(t, client): true}
	for n := 2; n < 4; n++ {
		if err := rotate(t.Context(), client, "ci", path); err != nil {
			t.Fatal(err)
		}
		key := keyOf(t, client)
		if keys[key] = true; len(keys) != n || len(key) != 52 {
			t.Errorf("the key is %q", key)
		}
		if got := files(t, path); len(got) != 1 || got["key"] != key+"\n" {
			t.Errorf("the files are %q, want one with %q", got, key)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("the file has the mode %o", got)
		}
	}
}

func TestServerRefuses(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	path, key := oldFile(t), keyOf(t, client)
	server.FailOn("POST core/tokens/{}/set_key/", 1, authentiktest.Failure{Status: http.StatusForbidden, Body: `{"detail":"no"}`})
	if err := rotate(t.Context(), client, "ci", path); !errors.Is(err, authentik.ErrForbidden) {
		t.Errorf("got %v", err)
	}
	if got := files(t, path); len(got) != 1 || got["key"] != "old\n" || keyOf(t, client) != key {
		t.Errorf("the files are %q", got)
	}
}

// An attempt whose outcome is not known is followed by another; where that fails as
// well, both keys are kept.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	for failures := 1; failures < 3; failures++ {
		server, client := fakeServer(t)
		path := oldFile(t)
		server.FailOn("POST core/tokens/{}/set_key/", failures, authentiktest.Failure{Cut: true})
		err := rotate(t.Context(), client, "ci", path)
		got := files(t, path)
		if failures == 1 {
			if err != nil || len(got) != 1 || got["key"] != keyOf(t, client)+"\n" {
				t.Errorf("the files are %q, error %v", got, err)
			}
			continue
		}
		if !errors.Is(err, authentik.ErrOutcomeUnknown) || len(got) != 2 || got["key"] != "old\n" {
			t.Errorf("the files are %q, error %v", got, err)
		}
		for name := range got {
			if name != "key" && !strings.Contains(err.Error(), name) {
				t.Errorf("%s is not in %v", name, err)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	account := authentik.User{Username: "builder", Type: authentik.UserTypeServiceAccount}
	for name, test := range map[string]struct {
		token authentik.Token
		want  string // "" for none
	}{
		"API":          {authentik.Token{UserObj: account, Intent: authentik.TokenIntentAPI}, ""},
		"app password": {authentik.Token{UserObj: account, Intent: authentik.TokenIntentAppPassword}, ""},
		"recovery":     {authentik.Token{Identifier: "r", UserObj: account, Intent: authentik.TokenIntentRecovery}, `the token "r" is neither for the API nor an app password, but for recovery`},
		"managed":      {authentik.Token{Identifier: "m", UserObj: account, Intent: authentik.TokenIntentAPI, Managed: new("goauthentik.io/outpost/1")}, `the token "m" is managed by "goauthentik.io/outpost/1"`},
		"a person": {
			authentik.Token{Identifier: "p\n", UserObj: authentik.User{Username: "anna", Type: authentik.UserTypeInternal}, Intent: authentik.TokenIntentAPI},
			`the token "p\n" is of "anna", who is no service account`,
		},
		"an outpost": {
			authentik.Token{Identifier: "o", UserObj: authentik.User{Username: "ak", Type: authentik.UserTypeInternalServiceAccount}, Intent: authentik.TokenIntentAPI},
			`the token "o" is of "ak", who is no service account`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := check(&test.token); (err == nil) != (test.want == "") || err != nil && err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want string // before the path
		file bool
	}{
		"dry run": {[]string{"-fake"}, `would give the token "backup-api" of "backup" a new key in `, false},
		"apply":   {[]string{"-fake", "-apply"}, `the token "backup-api" of "backup" has a new key, which is in `, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "key")
			var stdout, stderr strings.Builder
			if err := run(t.Context(), append(test.args, "-o", path, "backup-api"), &stdout, &stderr); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(stdout.String(), test.want+path) || stderr.Len() > 0 {
				t.Errorf("printed %q, said %q", stdout.String(), stderr.String())
			}
			got := files(t, path)
			if key, written := got["key"]; written != test.file || written && strings.Contains(stdout.String(), strings.TrimSpace(key)) {
				t.Errorf("the files are %q", got)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for args, want := range map[string]string{
		"-h":                     "flag: help requested",
		"-unknown":               "flag provided but not defined: -unknown",
		"-o key":                 "-o and the token's identifier are needed; see -h",
		"backup-api":             "-o and the token's identifier are needed; see -h",
		"-o key a b":             `unexpected argument "b"; see -h`,
		"-o key a":               "authentik: neither AUTHENTIK_URL nor AUTHENTIK_HOST is set; -fake asks a fake server",
		"-fake -o " + dir + " a": dir + " is not a file",
		"-fake -apply -o key a":  `authentik: GET /api/v3/core/tokens/a/: 404 Not Found: No Token matches the given query. `,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), strings.Fields(args), &stdout, &stderr)
			if err == nil || !strings.HasPrefix(err.Error(), want) || stdout.Len() > 0 {
				t.Errorf("error %v; printed %q", err, stdout.String())
			}
			if explained := strings.Contains(stderr.String(), "-o file"); explained != (args == "-h") {
				t.Errorf("said %q", stderr.String())
			}
		})
	}
}

func TestFolderThatIsNotThere(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	key := keyOf(t, client)
	if err := rotate(t.Context(), client, "ci", filepath.Join(t.TempDir(), "no", "key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if keyOf(t, client) != key || len(server.Requests()) != 2 { // both of them keyOf
		t.Errorf("%d requests", len(server.Requests()))
	}
}
