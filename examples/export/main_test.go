package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// TestMain keeps the tests away from a server that the environment names.
func TestMain(m *testing.M) {
	connect.UseFake()
	m.Run()
}

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

var pk = uuid.UUID{15: 1}

// users exports the users of the server.
func users(client *authentik.Client) exporter {
	return exporter{client: client, path: "core/users", format: jsonLines}
}

func parse(t *testing.T, text string) (objects []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		objects = append(objects, object)
	}
	return objects
}

func TestJSONLinesAreWhatTheServerSent(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	sent := map[string]any{
		"pk": pk.String(), "name": "R&D <1>", "nothing": nil, "brand_new": map[string]any{"a": []any{1.5}},
	}
	server.AddObjects("brand/new/", sent) // a list that no release has yet
	var stdout strings.Builder
	count, err := exporter{client: client, path: "brand/new", format: jsonLines}.export(t.Context(), &stdout)
	if count != 1 || err != nil {
		t.Errorf("exported %d, %v", count, err)
	}
	if diff := cmp.Diff([]map[string]any{sent}, parse(t, stdout.String())); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// A member that the release does not have is no member of the line.
func TestOldServer(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.SetRelease("2024.6") // before allow_show_password
	server.AddDefaultStages()
	var stdout strings.Builder
	if _, err := (exporter{client: client, path: "stages/password", format: jsonLines}).export(t.Context(), &stdout); err != nil {
		t.Fatal(err)
	}
	lines := parse(t, stdout.String())
	if _, has := lines[0]["allow_show_password"]; len(lines) != 1 || has || lines[0]["name"] != "default-authentication-password" {
		t.Errorf("wrote %v", lines)
	}
}

// Pages are asked for ahead: a second one comes while the first is held.
func TestPagesComeAhead(t *testing.T) {
	t.Parallel()
	fake, _ := fakeServer(t)
	for range 400 {
		fake.CoreUsers.Add(authentik.User{})
	}
	held, both := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page := r.URL.Query().Get("page"); page == "2" || page == "3" {
			select {
			case held <- struct{}{}:
			default:
				close(both)
			}
			select {
			case <-both:
			case <-r.Context().Done():
			}
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := authentik.NewClient(server.URL, fake.Token, authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // where nothing comes ahead
	defer cancel()
	if count, err := users(client).export(ctx, io.Discard); count != 400 || err != nil {
		t.Errorf("%d: %v", count, err)
	}
}

func TestJSONLinesEscapeNothing(t *testing.T) {
	t.Parallel()
	var stdout strings.Builder
	err := jsonLines(&stdout)(json.RawMessage(`{"name":"R&D <1>","n":1e3}`))
	if want := `{"name":"R&D <1>","n":1e3}` + "\n"; stdout.String() != want || err != nil {
		t.Errorf("wrote %s, %v; want %s", stdout.String(), err, want)
	}
}

func TestAllPages(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	for i := range 250 {
		server.CoreUsers.Add(authentik.User{Username: fmt.Sprintf("%03d", i)})
	}
	var stdout strings.Builder
	if _, err := users(client).export(t.Context(), &stdout); err != nil {
		t.Fatal(err)
	}
	lines := parse(t, stdout.String())
	if len(lines) != 250 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		if line["username"] != fmt.Sprintf("%03d", i) {
			t.Errorf("line %d is %v", i, line["username"])
		}
	}
	if got := len(server.Requests()); got != 3 { // no bar, so no counting
		t.Errorf("%d requests", got)
	}
}

// Objects are told apart: one that is deleted during the walk shifts the others,
// and the list is read again.
func TestListThatChanges(t *testing.T) {
	t.Parallel()
	fake, _ := fakeServer(t)
	for i := range 200 {
		fake.CoreBrands.Add(authentik.Brand{Domain: fmt.Sprintf("%03d.example", i)}) // whose identity is brand_uuid
	}
	first := fake.CoreBrands.All()[0]
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			once.Do(func() { fake.CoreBrands.Remove(first.BrandUUID) })
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := authentik.NewClient(server.URL, fake.Token, authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	var stdout strings.Builder
	if _, err := (exporter{client: client, path: "core/brands", format: jsonLines}).export(t.Context(), &stdout); err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{}
	for _, line := range parse(t, stdout.String()) {
		seen[line["domain"]] = true
	}
	if seen[first.Domain] = true; len(seen) != 200 {
		t.Errorf("%d brands", len(seen))
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	var stdout strings.Builder
	write := csvLines([]string{"pk", "name", "list", "object", "flag", "number", "old"})(&stdout)
	err := write(json.RawMessage(`{"pk":1,"name":"a, \"b\"\u0026\nc","list":["x"],"object":{"y":null},"flag":false,"number":1000000,"old":null,"new":1}`))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(stdout.String())).ReadAll()
	want := [][]string{
		{"pk", "name", "list", "object", "flag", "number", "old"},
		{"1", "a, \"b\"&\nc", `["x"]`, `{"y":null}`, "false", "1000000", ""},
	}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Errorf("rows (-want +got):\n%s\nerror %v", diff, err)
	}
}

// TestDescribe finds the service of each list, and what tells its objects apart.
func TestDescribe(t *testing.T) {
	t.Parallel()
	_, client := fakeServer(t)
	lists := 0
	for operation, options := range sdk.Options {
		path, ok := strings.CutPrefix(operation, "GET ")
		if _, paged := options.FieldByName("ListOptions"); !ok || !paged {
			continue
		}
		lists++
		members, filters, ok := describe(client, strings.Trim(path, "/"))
		if !ok {
			t.Errorf("%s is not found", path)
			continue
		}
		if got, want := len(filters), options.NumField()-1; got != want { // but for ListOptions
			t.Errorf("%s has the filters %q, want %d", path, filters, want)
		}
		if i := slices.IndexFunc(identities, func(name string) bool { return slices.Contains(members, name) }); i < 0 {
			t.Errorf("%s has no identity: %q", path, members)
		} else if want := identity(client, strings.Trim(path, "/")); identities[i] != want {
			t.Errorf("objects of %s are told apart by %s, not %s", path, identities[i], want)
		}
	}
	if lists < 175 {
		t.Errorf("only %d lists", lists)
	}
	for _, path := range []string{"", "core", "core/nope", "core/users/1", "Core/Users", "base", "core/users/me", "core/transactional/applications"} {
		if _, _, ok := describe(client, path); ok {
			t.Errorf("%q is a list", path)
		}
	}
}

// identity is the member by which the SDK tells the objects of a list apart.
func identity(client *authentik.Client, path string) string {
	model, _, _ := typesOf(client, path)
	for _, field := range reflect.VisibleFields(model) {
		if strings.HasPrefix(field.Tag.Get("authentik"), "identity") {
			return tag(field, "json")
		}
	}
	return "pk"
}

func TestRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, args string
		first      string
		lines      int
	}{
		{"JSON Lines", "-fake core/users", `{"`, 4},
		{"slashes", "-fake /core/users/", `{"`, 4},
		{"CSV", "-fake -csv core/users", "pk,username,name,is_active,", 5},
		{"search", "-fake -search arendt core/users", `{"`, 1},
		{"filters", "-fake -filter is_active=true -filter type=internal core/users", `{"`, 3},
		{"a filter of two values", "-fake -filter type=internal -filter type=service_account core/users", `{"`, 4},
	} {
		for _, toFile := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to file %t", test.name, toFile), func(t *testing.T) {
				t.Parallel()
				args, to := strings.Fields(test.args), "stdout"
				if toFile {
					to = filepath.Join(t.TempDir(), "users")
					if err := os.WriteFile(to, []byte("old"), 0o600); err != nil {
						t.Fatal(err)
					}
					args = append([]string{"-o", to}, args...)
				}
				var stdout, stderr strings.Builder
				if err := run(t.Context(), args, &stdout, &stderr); err != nil {
					t.Fatal(err)
				}
				written := stdout.String()
				if toFile {
					if written != "" {
						t.Errorf("printed %q", written)
					}
					written = onlyFile(t, to)
				}
				if !strings.HasPrefix(written, test.first) || strings.Count(written, "\n") != test.lines {
					t.Errorf("wrote %s", written)
				}
				objects := test.lines - strings.Count(test.args, "-csv")
				want := fmt.Sprintf("exported %d objects of core/users of a fake server to %s\n", objects, to)
				if stderr.String() != want {
					t.Errorf("said %q, want %q", stderr.String(), want)
				}
			})
		}
	}
}

// onlyFile reads the file, and sees that there is no other beside it.
func onlyFile(t *testing.T, path string) string {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("the directory has %v, %v", files, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFailedExport(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	for range 150 {
		server.CoreUsers.Add(authentik.User{})
	}
	server.Fail(1, authentiktest.Failure{}) // the first page is answered
	server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
	path := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	err := replaceFile(path, func(file io.Writer) error {
		var copied strings.Builder
		_, err := users(client).export(t.Context(), io.MultiWriter(file, &copied))
		lines = parse(t, copied.String())
		return err
	})
	if !errors.Is(err, authentik.ErrServer) || len(lines) != 100 {
		t.Errorf("%d lines, error %v", len(lines), err)
	}
	if got := onlyFile(t, path); got != "old" {
		t.Errorf("the file is %q", got)
	}
}

func TestFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"a directory": t.TempDir(), "in no directory": filepath.Join(t.TempDir(), "none", "users")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), []string{"-fake", "-o", path, "core/users"}, &stdout, &stderr)
			if err == nil || !strings.HasPrefix(err.Error(), "the export is not complete: ") || strings.Contains(stderr.String(), "exported") {
				t.Errorf("said %q, error %v", stderr.String(), err)
			}
		})
	}
}

// A link, a pipe or a device is not replaced by a file.
func TestOnlyFilesAreReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "stages"), link); err != nil {
		t.Skip(err) // Windows lets few make links
	}
	if err := replaceFile(link, func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("got %v", err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
}

// full is a disk that is.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, format := range map[string]func(io.Writer) writeLine{"JSON Lines": jsonLines, "CSV": csvLines([]string{"pk"})} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			server.CoreUsers.Add(authentik.User{})
			e := users(client)
			e.format = format
			if _, err := e.export(t.Context(), full{}); !errors.Is(err, errFull) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	for range 3 {
		server.CoreUsers.Add(authentik.User{})
	}
	var stdout, bar strings.Builder
	e := users(client)
	e.progress = &bar
	if _, err := e.export(t.Context(), &stdout); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(bar.String(), "core/users 100%") || !strings.Contains(bar.String(), "(3/3)") {
		t.Errorf("the bar was %q", bar.String())
	}
	if len(parse(t, stdout.String())) != 3 {
		t.Errorf("wrote %s", stdout.String())
	}
}

func TestNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(file) || isTerminal(io.Discard) {
		t.Error("taken for a terminal")
	}
}

func TestServerError(t *testing.T) {
	t.Parallel()
	for failing := range 2 { // a request for the bar, one for the objects
		t.Run(fmt.Sprint(failing), func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			server.Fail(failing, authentiktest.Failure{})
			server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
			e := users(client)
			e.progress = io.Discard
			if _, err := e.export(t.Context(), io.Discard); !errors.Is(err, authentik.ErrServer) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-h":                                "flag: help requested",
		"-unknown":                          "flag provided but not defined: -unknown",
		"core/users file":                   `unexpected argument "file"; see -h`,
		"core/users":                        "authentik: neither AUTHENTIK_URL nor AUTHENTIK_HOST is set; -fake asks a fake server",
		"-fake":                             `"" is no list of authentik that the SDK knows; one is core/users`,
		"-fake core/nope":                   `"core/nope" is no list of authentik that the SDK knows; one is core/users`,
		"-fake -filter a core/users":        `invalid value "a" for flag -filter: it is no name=value`,
		"-fake -filter page=2 core/tenants": `core/tenants has no filter "page"; it has: `,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			if err := run(t.Context(), strings.Fields(args), &stdout, &stderr); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error %v", err)
			}
			explained := strings.Contains(stderr.String(), "-csv") && strings.Contains(stderr.String(), "-o file")
			if stdout.Len() > 0 || explained != (args == "-h") {
				t.Errorf("printed %q, said %q", stdout.String(), stderr.String())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "users")
	var stdout, stderr strings.Builder
	if err := run(ctx, []string{"-fake", "-o", path, "core/users"}, &stdout, &stderr); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file, or %v", err)
	}
}
