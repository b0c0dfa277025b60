package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/go-cmp/cmp"
)

// schema has every form that the official ones have for a type.
const schema = `
openapi: 3.0.3
info: {title: authentik, version: 2031.4.1}
paths:
  /stages/source/:
    get:
      parameters:
      - {in: query, name: source, schema: {type: string, format: uuid}}
      - {in: query, name: strict, schema: {type: boolean}}
      - $ref: '#/components/parameters/Page'
      responses:
        '200': {description: '', content: {application/json: {schema: {$ref: '#/components/schemas/PaginatedSourceStageList'}}}}
    post:
      responses:
        '201': {description: ''}
  /stages/source/{stage_uuid}/:
    get:
      parameters:
      - {in: path, name: stage_uuid, required: true, schema: {type: string, format: uuid}}
      responses:
        '200': {description: '', content: {application/json: {schema: {$ref: '#/components/schemas/SourceStage'}}}}
components:
  parameters:
    Page: {in: query, name: page, schema: {type: integer}}
  schemas:
    PaginatedSourceStageList:
      type: object
      properties:
        pagination: {$ref: '#/components/schemas/Pagination'}
        results: {type: array, items: {$ref: '#/components/schemas/SourceStage'}}
        autocomplete: {type: object}
    Pagination:
      type: object
      properties: {next: {type: number}}
    SourceStage:
      type: object
      properties:
        pk: {type: string, format: uuid}
        source: {type: string, format: uuid, nullable: true}
        flow_set: {type: array, items: {$ref: '#/components/schemas/FlowSet'}}
        resume_on_match_failures: {type: array, nullable: true, items: {$ref: '#/components/schemas/FailuresEnum'}}
      required: [pk, flow_set]
    FlowSet:
      type: object
      properties:
        layout: {$ref: '#/components/schemas/LayoutEnum'}
        denied_action: {allOf: [{$ref: '#/components/schemas/LayoutEnum'}], description: what happens, nullable: true}
        compatibility_mode: {type: boolean}
        share: {type: number, format: double}
      required: [share]
    FailuresEnum: {type: string, enum: [one]}
    LayoutEnum: {type: string, enum: [wide, narrow]}
`

const factsOfSchema = `{
	"schema": "2031.4.1",
	"filters": {"stages/source/": {"source": "uuid", "strict": "boolean", "page": "integer"}},
	"members": {
		"Pagination": {"next": "number"},
		"SourceStage": {"pk": "uuid!", "source": "uuid?", "flow_set": "[]FlowSet!", "resume_on_match_failures": "[]enum(one)?"},
		"FlowSet": {"layout": "enum(narrow|wide)", "denied_action": "enum(narrow|wide)?", "compatibility_mode": "boolean", "share": "double!"}
	}
}`

func TestParse(t *testing.T) {
	t.Parallel()
	name, got, err := parse([]byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	var want contract.Release
	if err := json.Unmarshal([]byte(factsOfSchema), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || name != "2031.4" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestParseFails(t *testing.T) {
	t.Parallel()
	replaced := func(old, replacement string) string {
		if !strings.Contains(schema, old) {
			t.Fatalf("the schema has no %s", old)
		}
		return strings.ReplaceAll(schema, old, replacement)
	}
	for name, schema := range map[string]string{
		"no YAML":                "{",
		"no info":                "{}",
		"no paths":               "info: {title: authentik, version: 2031.4.1}",
		"no version":             replaced("2031.4.1", "1"),
		"none of the lists":      replaced("/stages/source/:", "/stages/others/:"),
		"no retrieve":            replaced("/stages/source/{stage_uuid}/", "/stages/source/{stage_uuid}/used_by/"),
		"no get":                 replaced("    get:", "    head:"),
		"no schema of a filter":  replaced("{in: query, name: strict, schema: {type: boolean}}", "{in: query, name: strict}"),
		"no schema of the page":  replaced("{schema: {$ref: '#/components/schemas/PaginatedSourceStageList'}}", "{}"),
		"results that are one":   replaced("{type: array, items: {$ref: '#/components/schemas/SourceStage'}}", "{$ref: '#/components/schemas/SourceStage'}"),
		"a list of nothing":      replaced("{type: array, items: {$ref: '#/components/schemas/SourceStage'}}", "{type: array}"),
		"no 200":                 replaced("'200'", "'201'"),
		"no results":             replaced("results:", "objects:"),
		"no pagination":          replaced("pagination:", "pages:"),
		"an unknown type":        replaced("compatibility_mode: {type: boolean}", "compatibility_mode: {type: object}"),
		"an unknown filter type": replaced("schema: {type: boolean}", "schema: {}"),
		"another object":         replaced("schema: {$ref: '#/components/schemas/SourceStage'}", "schema: {$ref: '#/components/schemas/FlowSet'}"),
	} {
		if _, release, err := parse([]byte(schema)); err == nil {
			t.Errorf("%s: %v", name, release)
		}
	}
}

// repository returns a folder with what run reads and writes of the SDK's.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "testdata"), 0o755); err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("../../../stages*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		write(t, filepath.Join(root, filepath.Base(source)), readFile(t, source))
	}
	write(t, filepath.Join(root, "README.md"), readFile(t, "../../../README.md"))
	write(t, filepath.Join(root, "testdata", "releases.json"), `{"2030.1":{"filters":{"stages/source/":{}},"members":{"SourceStage":{},"FlowSet":{},"Pagination":{}}}}`)
	return root
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRun(t *testing.T) {
	t.Parallel()
	root := repository(t)
	file := filepath.Join(t.TempDir(), "schema.yml")
	write(t, file, schema)
	check := func(wantErr error, args []string, want ...string) {
		t.Helper()
		var out bytes.Buffer
		if err := run(t.Context(), append([]string{"-root", root}, args...), &out); !errors.Is(err, wantErr) {
			t.Errorf("%v: %v, want %v", args, err, wantErr)
		}
		for _, line := range want {
			if !strings.Contains(out.String(), line+"\n") {
				t.Errorf("%v: no %q in:\n%s", args, line, out.String())
			}
		}
	}
	check(errDifferent, []string{file},
		"2031.4: the SDK lacks the filter `strict` of `stages/source/`",
		"2031.4: the SDK lacks `SourceStage.source` as uuid?, not uuid",
		"2031.4: the SDK lacks the value `one` of `SourceStage.resume_on_match_failures`",
		"2031.4: no facts of it are recorded")
	check(errDifferent, []string{"-record", file}, "2031.4: the SDK lacks the filter `strict` of `stages/source/`")

	releases, err := contract.Read(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if _, has := releases["2030.1"]; !has || releases["2031.4"].Filters["stages/source/"]["strict"].Kind != "boolean" {
		t.Errorf("recorded %v", releases)
	}
	if readme := readFile(t, filepath.Join(root, "README.md")); !strings.Contains(readme, "| 2031.4 | `FlowSet.compatibility_mode`, ") {
		t.Error("the README has no history of 2031.4")
	}

	write(t, file, strings.ReplaceAll(schema, "compatibility_mode", "compatible"))
	check(errDifferent, []string{file}, "2031.4: the SDK lacks `FlowSet.compatible`",
		"2031.4: the facts recorded are others (-recorded +schema):")
}

// What the SDK has is no difference, whatever it has beyond it.
func TestRunWithoutDifference(t *testing.T) {
	t.Parallel()
	root := repository(t)
	file := filepath.Join(t.TempDir(), "schema.yml")
	same := strings.NewReplacer(
		"      - {in: query, name: strict, schema: {type: boolean}}\n", "",
		"source: {type: string, format: uuid, nullable: true}", "source: {type: string, format: uuid}",
		"type: array, nullable: true", "type: array",
		"enum: [one]", "enum: [missing_property]",
		"enum: [wide, narrow]", "enum: [stacked]",
		"        share: {type: number, format: double}\n      required: [share]\n", "",
		"        denied_action: {allOf: [{$ref: '#/components/schemas/LayoutEnum'}], description: what happens, nullable: true}\n", "",
	).Replace(schema)
	write(t, file, same)
	for _, args := range [][]string{{"-record", file}, {file}} {
		var out bytes.Buffer
		if err := run(t.Context(), append([]string{"-root", root}, args...), &out); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
		if !strings.Contains(out.String(), "2031.4: beyond it, the SDK has the list `") {
			t.Error(out.String())
		}
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "schema.yml")
	write(t, file, "{}")
	root := repository(t)
	noMarks := repository(t)
	write(t, filepath.Join(noMarks, "README.md"), "")
	empty := repository(t)
	write(t, filepath.Join(empty, "testdata", "releases.json"), `{"2030.1":{}}`)
	valid := filepath.Join(t.TempDir(), "schema.yml")
	write(t, valid, schema)
	for name, args := range map[string][]string{
		"unknown flag":               {"-x"},
		"no such file":               {"-root", root, "none.yml"},
		"no schema":                  {"-root", root, file},
		"no such repository":         {"-root", t.TempDir(), file},
		"a README as before":         {"-root", noMarks, "-record", valid},
		"one release twice":          {"-root", root, valid, valid},
		"a list that no release had": {"-root", empty, "-record", valid},
	} {
		if err := run(t.Context(), args, new(bytes.Buffer)); err == nil || errors.Is(err, errDifferent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRunOnAServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v3/schema/" || r.Header.Get("Accept") != "application/json" || r.Header.Get("Authorization") != "Bearer abc" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"openapi":"3.0.3","info":{"title":"authentik","version":"2031.4.1"},"paths":{}}`))
	}))
	t.Cleanup(server.Close)
	t.Setenv("AUTHENTIK_URL", server.URL)
	t.Setenv("AUTHENTIK_TOKEN", "abc")
	err := run(t.Context(), []string{"-root", repository(t)}, new(bytes.Buffer))
	if err == nil || err.Error() != "the server's schema: the schema of 2031.4.1 has none of the SDK's lists" {
		t.Error(err)
	}
}
