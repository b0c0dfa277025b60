package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/authentik-go/authentik/internal/contract"
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

type line struct {
	Kind  string
	Stage map[string]any
}

func parse(t *testing.T, text string) (lines []line) {
	t.Helper()
	for one := range strings.Lines(text) {
		var l line
		if err := json.Unmarshal([]byte(one), &l); err != nil {
			t.Fatalf("%v in %q", err, one)
		}
		lines = append(lines, l)
	}
	return lines
}

func TestJSONLinesAreWhatTheServerSent(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	sent := map[string]any{
		"pk": pk.String(), "name": "R&D <1>", "password_stage": nil, "brand_new": map[string]any{"a": []any{1.5}},
		"flow_set": []any{map[string]any{"slug": "x", "also_new": "y"}},
	}
	server.AddObjects("stages/identification/", sent)
	var stdout strings.Builder
	counts, err := exporter{client: client, format: jsonLines}.export(t.Context(), &stdout)
	if diff := cmp.Diff([]string{"1 identification", "0 password", "0 source"}, counts); diff != "" || err != nil {
		t.Errorf("counts (-want +got):\n%s\nerror %v", diff, err)
	}
	if diff := cmp.Diff([]line{{"identification", sent}}, parse(t, stdout.String())); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// Pages are asked for ahead: a second one comes while the first is held.
func TestPagesComeAhead(t *testing.T) {
	t.Parallel()
	stages, _ := fakeServer(t)
	for range 400 {
		stages.StagesPassword.Add(authentik.PasswordStage{})
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
		stages.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := authentik.NewClient(server.URL, stages.Token, authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // where nothing comes ahead
	defer cancel()
	if counts, err := (exporter{client: client, format: jsonLines}).export(ctx, io.Discard); err != nil {
		t.Errorf("%v: %v", counts, err)
	}
}

func TestJSONLinesEscapeNothing(t *testing.T) {
	t.Parallel()
	var stdout strings.Builder
	err := jsonLines(&stdout)("password", json.RawMessage(`{"name":"R&D <1>","n":1e3}`))
	if want := `{"kind":"password","stage":{"name":"R&D <1>","n":1e3}}` + "\n"; stdout.String() != want || err != nil {
		t.Errorf("wrote %s, %v; want %s", stdout.String(), err, want)
	}
}

func TestAllPages(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	for i := range 250 {
		server.StagesPassword.Add(authentik.PasswordStage{Name: fmt.Sprintf("%03d", i)})
	}
	var stdout strings.Builder
	if _, err := (exporter{client: client, format: jsonLines}).export(t.Context(), &stdout); err != nil {
		t.Fatal(err)
	}
	lines := parse(t, stdout.String())
	if len(lines) != 250 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, l := range lines {
		if l.Kind != "password" || l.Stage["name"] != fmt.Sprintf("%03d", i) {
			t.Errorf("line %d is %v %v", i, l.Kind, l.Stage["name"])
		}
	}
	if got := len(server.Requests()); got != 5 { // one each for the other kinds; no bar, so no counting
		t.Errorf("%d requests", got)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	flow := authentik.FlowSet{Slug: "b"}
	server.StagesIdentification.Add(authentik.IdentificationStage{
		PK: pk, Name: `a, "quoted"`, PasswordStage: &pk, FlowSet: []authentik.FlowSet{flow, {Slug: "a"}, flow},
	})
	server.StagesPassword.Add(authentik.PasswordStage{PK: pk, Name: "p", FailedAttemptsBeforeCancel: 1_000_000, AllowShowPassword: true})
	server.AddObjects("stages/password/", map[string]any{"pk": pk.String()[:35] + "2", "name": "q"}) // too old for allow_show_password
	server.StagesSource.Add(authentik.SourceStage{PK: pk, Name: "s", Source: pk, ResumeTimeout: "hours=1;minutes=-2"})
	var stdout strings.Builder
	if _, err := (exporter{client: client, format: csvLines}).export(t.Context(), &stdout); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(stdout.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := make([]map[string]string, len(rows)-1)
	for i, row := range rows[1:] {
		got[i] = map[string]string{}
		for column, value := range row {
			if value != "" {
				got[i][rows[0][column]] = value
			}
		}
	}
	want := []map[string]string{
		{
			"kind": "identification", "pk": pk.String(), "name": `a, "quoted"`, "flows": "a b", "password_stage": pk.String(),
			"case_insensitive_matching": "false", "show_matched_user": "false", "show_source_labels": "false",
		},
		{
			"kind": "password", "pk": pk.String(), "name": "p",
			"failed_attempts_before_cancel": "1000000", "allow_show_password": "true",
		},
		{"kind": "password", "pk": pk.String()[:35] + "2", "name": "q"},
		{"kind": "source", "pk": pk.String(), "name": "s", "source": pk.String(), "resume_timeout": "hours=1;minutes=-2"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows without what is empty (-want +got):\n%s", diff)
	}
}

// TestCSVHasEveryFilter compares the columns with what authentik's releases have.
func TestCSVHasEveryFilter(t *testing.T) {
	t.Parallel()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	filters := map[string]bool{}
	for _, kind := range kinds {
		for _, filter := range facts.Operation("GET", "stages/"+kind+"/").Parameters {
			filters[filter.Name] = true
		}
	}
	for _, notSetting := range []string{"name", "stage_uuid", "ordering", "page", "page_size", "search"} {
		delete(filters, notSetting)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(filters)), slices.Sorted(slices.Values(settings))); diff != "" {
		t.Errorf("columns (-filters +settings):\n%s", diff)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, arg string
		first     string
		lines     int
	}{
		{"JSON Lines", "", `{"kind":"identification","stage":{`, 3},
		{"CSV", "-csv", "kind,pk,name,flows,password_stage,", 4},
	} {
		for _, toFile := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to file %t", test.name, toFile), func(t *testing.T) {
				t.Parallel()
				args, to := strings.Fields(test.arg), "stdout"
				if toFile {
					to = filepath.Join(t.TempDir(), "stages")
					if err := os.WriteFile(to, []byte("old"), 0o600); err != nil {
						t.Fatal(err)
					}
					args = append(args, "-o", to)
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
				want := "exported stages: 1 identification, 1 password, 1 source to " + to + "\n"
				if _, said, _ := strings.Cut(stderr.String(), "\n"); said != want { // the first line says that it is a fake
					t.Errorf("said %q, want %q", said, want)
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
		server.StagesIdentification.Add(authentik.IdentificationStage{})
	}
	server.Fail(1, authentiktest.Failure{}) // the first page is answered
	server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
	path := filepath.Join(t.TempDir(), "stages")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []line
	err := replaceFile(path, func(file io.Writer) error {
		var copied strings.Builder
		_, err := exporter{client: client, format: jsonLines}.export(t.Context(), io.MultiWriter(file, &copied))
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
	for name, path := range map[string]string{"a directory": t.TempDir(), "in no directory": filepath.Join(t.TempDir(), "none", "stages")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), []string{"-o", path}, &stdout, &stderr)
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
	for name, format := range map[string]func(io.Writer) writeLine{"JSON Lines": jsonLines, "CSV": csvLines} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			server.AddDefaultStages()
			if _, err := (exporter{client: client, format: format}).export(t.Context(), full{}); !errors.Is(err, errFull) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	for range 3 {
		server.StagesPassword.Add(authentik.PasswordStage{})
	}
	var stdout, bar strings.Builder
	if _, err := (exporter{client: client, format: jsonLines, progress: &bar}).export(t.Context(), &stdout); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(bar.String(), "stages 100%") || !strings.Contains(bar.String(), "(3/3)") {
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

func TestServerWithoutSourceStages(t *testing.T) {
	t.Parallel()
	for name, progress := range map[string]io.Writer{"no bar": nil, "bar": io.Discard} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			for range 2 { // the second time, if there is one, for the stages themselves
				server.Fail(2, authentiktest.Failure{}) // the other kinds are answered
				server.Fail(1, authentiktest.Failure{Status: http.StatusNotFound, Body: "<!DOCTYPE html>"})
			}
			counts, err := exporter{client: client, format: jsonLines, progress: progress}.export(t.Context(), io.Discard)
			if err != nil || len(counts) != 3 || counts[2] != "0 source" {
				t.Errorf("got %v, %v", counts, err)
			}
		})
	}
}

func TestServerError(t *testing.T) {
	t.Parallel()
	for failing := range 6 { // three requests for the bar, three for the stages
		t.Run(fmt.Sprint(failing), func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			server.Fail(failing, authentiktest.Failure{})
			server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
			_, err := exporter{client: client, format: jsonLines, progress: io.Discard}.export(t.Context(), io.Discard)
			if !errors.Is(err, authentik.ErrServer) || !strings.Contains(err.Error(), kinds[failing%3]) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"-h":       "flag: help requested",
		"-unknown": "flag provided but not defined: -unknown",
		"file":     `unexpected argument "file"; see -h`,
	} {
		t.Run(arg, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			if err := run(t.Context(), []string{arg}, &stdout, &stderr); err == nil || err.Error() != want {
				t.Errorf("error %v", err)
			}
			explained := strings.Contains(stderr.String(), "-csv") && strings.Contains(stderr.String(), "-o file")
			if stdout.Len() > 0 || explained != (arg == "-h") || strings.Contains(stderr.String(), "fake") {
				t.Errorf("printed %q, said %q", stdout.String(), stderr.String())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "stages")
	var stdout, stderr strings.Builder
	if err := run(ctx, []string{"-o", path}, &stdout, &stderr); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file, or %v", err)
	}
}
