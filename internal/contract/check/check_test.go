package main

import (
	"bytes"
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

// schema has every shape that the official ones have.
const schema = `
openapi: 3.0.3
info: {title: authentik, version: 2031.4.1}
paths:
  /stages/source/:
    get:
      operationId: stages_source_list
      parameters:
      - {in: query, name: source, schema: {type: string, format: uuid}}
      - {in: query, name: strict, required: true, schema: {type: boolean, default: false}}
      - {in: query, name: layout, schema: {type: string, enum: [narrow, wide]}}
      - {in: query, name: kinds, schema: {type: array, items: {type: string, enum: [one, two]}}}
      - {in: query, name: apart, explode: false, style: form, schema: {type: array, items: {type: integer}}}
      - $ref: '#/components/parameters/Page'
      security: [{authentik: []}]
      responses:
        '200': {description: '', content: {application/json: {schema: {$ref: '#/components/schemas/PaginatedSourceStageList'}}}}
        '400': {description: ''}
    post:
      operationId: stages_source_create
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/SourceStageRequest'}}}
      security: [{agent: []}]
      responses:
        '201': {description: '', content: {application/json: {schema: {$ref: '#/components/schemas/SourceStage'}}}}
  /stages/source/{stage_uuid}/:
    get:
      operationId: stages_source_retrieve
      parameters:
      - {in: path, name: stage_uuid, required: true, schema: {type: string, format: uuid}}
      security: [{authentik: []}, {}]
      responses:
        '200': {description: '', content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/SourceStage'}}}, application/xml: {schema: {type: string, format: binary}}}}
    patch:
      operationId: stages_source_partial_update
      requestBody:
        content: {multipart/form-data: {schema: {$ref: '#/components/schemas/PatchedSourceStageRequest'}}}
      responses:
        '204': {description: ''}
components:
  parameters:
    Page: {in: query, name: page, schema: {type: integer}}
  schemas:
    PaginatedSourceStageList:
      type: object
      properties:
        pagination: {$ref: '#/components/schemas/Pagination'}
        results: {type: array, items: {$ref: '#/components/schemas/SourceStage'}}
        autocomplete: {$ref: '#/components/schemas/Autocomplete'}
    Autocomplete: {type: object, additionalProperties: {}}
    Pagination:
      type: object
      properties: {next: {type: number}}
    SourceStage:
      type: object
      properties:
        pk: {type: string, format: uuid, readOnly: true}
        source: {type: string, format: uuid, nullable: true}
        flow_set: {type: array, items: {$ref: '#/components/schemas/FlowSet'}}
        resume_on_match_failures: {type: array, nullable: true, items: {$ref: '#/components/schemas/FailuresEnum'}}
      required: [pk, flow_set]
    SourceStageRequest:
      type: object
      properties:
        name: {type: string, minLength: 1}
        secret: {type: string, writeOnly: true, default: "a b"}
        anonymous: {type: object, properties: {inner: {type: boolean}}, required: [inner]}
      required: [name]
    PatchedSourceStageRequest:
      type: object
      properties:
        name: {type: string, minLength: 1}
        secret: {type: string, writeOnly: true, default: "a b"}
        anonymous: {type: object, properties: {inner: {type: boolean}}, required: [inner]}
    PatchedLonelyRequest:
      type: object
      properties: {name: {type: string}}
    FlowSet:
      type: object
      properties:
        layout: {$ref: '#/components/schemas/LayoutEnum'}
        denied_action: {allOf: [{$ref: '#/components/schemas/LayoutEnum'}], description: what happens, default: wide, nullable: true}
        compatibility_mode: {type: boolean}
        share: {type: number, format: double}
        size: {type: integer, format: int64}
        day: {type: string, format: date}
        moment: {type: string, format: date-time}
        link: {type: string, format: uri}
        mail: {type: string, format: email}
        anything: {}
        anythings: {type: array, items: {}}
        free: {type: object, additionalProperties: {}, nullable: true}
        frees: {type: array, items: {type: object, additionalProperties: {}}}
        texts: {type: object, additionalProperties: {type: string}}
        errors: {type: object, additionalProperties: {type: array, items: {$ref: '#/components/schemas/Open'}}}
        deep: {type: object, additionalProperties: {type: object, additionalProperties: {type: string}}, nullable: true}
        holes: {type: array, items: {type: string, nullable: true}}
        agent:
          type: object
          nullable: true
          properties: {os: {type: object, properties: {family: {type: string}}}}
        countries: {type: array, items: {type: object, properties: {code: {type: string, enum: [DE, FR]}}}}
        complete: {$ref: '#/components/schemas/Autocomplete'}
        union: {$ref: '#/components/schemas/modelRequest'}
        digits: {$ref: '#/components/schemas/NumberEnum'}
      required: [share]
    Open: {type: object, properties: {text: {type: string}}, additionalProperties: {}}
    modelRequest:
      oneOf: [{$ref: '#/components/schemas/FlowSet'}, {$ref: '#/components/schemas/Open'}]
    UserSelfRoles: {type: object, properties: {name: {type: string}, pk: {type: string}}}
    FailuresEnum: {type: string, enum: [one]}
    LayoutEnum: {type: string, enum: [wide, narrow]}
    NumberEnum: {type: integer, enum: [6, 8]}
`

const factsOfSchema = `version 2031.4.1

GET stages/source/ stages_source_list
  query apart []integer
  query kinds []stages_source_list.kinds explode
  query layout LayoutEnum
  query page integer
  query source uuid
  query strict boolean! default=false
  200 page SourceStage

POST stages/source/ stages_source_create auth=agent
  body SourceStageRequest!
  201 SourceStage

GET stages/source/{stage_uuid}/ stages_source_retrieve notoken
  path stage_uuid uuid!
  200 []SourceStage
  200 application/xml binary

PATCH stages/source/{stage_uuid}/ stages_source_partial_update auth=undeclared
  body multipart/form-data SourceStageRequest
  204

object FlowSet
  layout LayoutEnum
  denied_action LayoutEnum? default="wide"
  compatibility_mode boolean
  share double!
  size int64
  day date
  moment date-time
  link uri
  mail email
  anything any
  anythings []any
  free object?
  frees []object
  texts map[]string
  errors map[][]Open
  deep map[]map[]string?
  holes [](string?)
  agent FlowSet.agent?
  countries []FlowSet.countries
  complete object
  union any(modelRequest)
  digits NumberEnum

object FlowSet.agent
  os FlowSet.agent.os

object FlowSet.agent.os
  family string

object FlowSet.countries
  code FlowSet.countries.code

object Open open
  text string

object Pagination
  next number

object PatchedLonelyRequest
  name string

object SourceStage
  pk uuid! readonly
  source uuid?
  flow_set []FlowSet!
  resume_on_match_failures []FailuresEnum?

object SourceStageRequest
  name string! min=1
  secret string writeonly default="a b"
  anonymous SourceStageRequest.anonymous

object SourceStageRequest.anonymous
  inner boolean!

object UserSelfRoles
  name string
  pk uuid

enum FailuresEnum
  one

enum FlowSet.countries.code
  DE
  FR

enum LayoutEnum
  wide
  narrow

enum NumberEnum number
  6
  8

enum stages_source_list.kinds
  one
  two
`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse([]byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(got.String(), "\n\nversion ")
	if diff := cmp.Diff(factsOfSchema, "version "+text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// replaced is the schema with another text in it.
func replaced(t *testing.T, old, replacement string) string {
	t.Helper()
	if !strings.Contains(schema, old) {
		t.Fatalf("the schema has no %s", old)
	}
	return strings.ReplaceAll(schema, old, replacement)
}

func TestParseFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ schema, want string }{
		"no YAML":       {"{", ""},
		"no info":       {"{}", "there is no info"},
		"no paths":      {"info: {title: authentik, version: 2031.4.1}", "no operations"},
		"no version":    {replaced(t, "2031.4.1", "'1'"), `"1" is no version`},
		"another union": {replaced(t, "modelRequest", "otherRequest"), "otherRequest: it is one of several schemas: add it to unions"},
		"a union inside": {
			replaced(t, "denied_action: {allOf: [{", "denied_action: {oneOf: [{"),
			"FlowSet: denied_action: it is several schemas together, or one of several",
		},
		"two schemas together": {
			replaced(t, "LayoutEnum'}], desc", "LayoutEnum'}, {$ref: '#/components/schemas/Open'}], desc"),
			"FlowSet: denied_action: it is several schemas together",
		},
		"another format":            {replaced(t, "format: email", "format: phone"), `FlowSet: mail: the type &[string] with the format "phone" is new`},
		"another format of numbers": {replaced(t, "format: int64", "format: int16"), `with the format "int16" is new`},
		"a null in an enum":         {replaced(t, "enum: [one]", "enum: [one, null]"), "FailuresEnum: null among the values"},
		"an enum of booleans":       {replaced(t, "FailuresEnum: {type: string, enum: [one]}", "FailuresEnum: {type: boolean, enum: [true]}"), "FailuresEnum: an enum of type"},
		"a named string":            {replaced(t, "FailuresEnum: {type: string, enum: [one]}", "FailuresEnum: {type: string}"), "FailuresEnum: a schema of type"},
		"another page":              {replaced(t, "autocomplete:", "more:"), "PaginatedSourceStageList: a page of [more pagination results] is new"},
		"results that are one": {
			replaced(t, "results: {type: array, items: {$ref: '#/components/schemas/SourceStage'}}", "results: {$ref: '#/components/schemas/SourceStage'}"),
			"PaginatedSourceStageList: its results are no list",
		},
		"a page within": {
			replaced(t, "complete: {$ref: '#/components/schemas/Autocomplete'}\n        union", "complete: {$ref: '#/components/schemas/PaginatedSourceStageList'}\n        union"),
			"a page within something is new",
		},
		"a patch that requires": {
			replaced(t, "inner: {type: boolean}}, required: [inner]}\n    PatchedLonely", "inner: {type: boolean}}, required: [inner]}\n      required: [name]\n    PatchedLonely"),
			"PatchedSourceStageRequest: it requires [name]",
		},
		"another patch": {
			strings.Replace(schema, "    PatchedSourceStageRequest:\n      type: object\n      properties:\n        name: {type: string, minLength: 1}",
				"    PatchedSourceStageRequest:\n      type: object\n      properties:\n        name: {type: string}", 1),
			"PatchedSourceStageRequest: it is not SourceStageRequest with nothing required",
		},
		"a cookie":       {replaced(t, "{in: query, name: source,", "{in: cookie, name: source,"), `GET /stages/source/: source: a parameter in "cookie" is new`},
		"no schema":      {replaced(t, "schema: {type: boolean, default: false}", "description: x"), "strict: it has no schema"},
		"no body schema": {replaced(t, "schema: {type: string, format: binary}", "example: x"), "GET /stages/source/{stage_uuid}/: 200: application/xml: it has no schema"},
		"no answer":      {replaced(t, "'204'", "'404'"), "PATCH /stages/source/{stage_uuid}/: it has no answer"},
		"a vague status": {replaced(t, "'204'", "'2XX'"), `the status "2XX" is new`},
	} {
		facts, err := parse([]byte(test.schema))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if facts != nil {
			t.Errorf("%s: %v", name, facts)
		}
	}
}

func facts(t *testing.T, text string) *contract.Facts {
	t.Helper()
	facts, err := contract.ParseFacts(text)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func TestParseTellsReusedNamesApart(t *testing.T) {
	t.Parallel()
	old := strings.NewReplacer("2031.4.1", "2025.10.4", "SourceStage", "EndpointDevice", "NumberEnum", "DigitsEnum").Replace(schema)
	for version, name := range map[string]string{"2025.10.4": "GoogleEndpointDevice", "2025.12.0": "EndpointDevice"} {
		got, err := parse([]byte(strings.ReplaceAll(old, "2025.10.4", version)))
		if err != nil {
			t.Fatal(err)
		}
		list, patch := got.Operation("GET", "stages/source/"), got.Operation("PATCH", "stages/source/{stage_uuid}/")
		if list.Answers[0].Type.Name != name || patch.Bodies[0].Type.Name != name+"Request" || got.Object(name) == nil || got.Object(name+"Request") == nil {
			t.Errorf("%s: no %s in\n%s", version, name, got)
		}
	}
}

func TestCheckNames(t *testing.T) {
	t.Parallel()
	const operations = "version 2030.1.0\nversion 2030.2.0\nGET a/ a @2030.1.0\n  200 []A\nGET b/ b @2030.2.0\n  200 page A\n"
	for text, want := range map[string]string{
		operations + "object A\n  a string\n  b string @2030.1.0\n":                                                                                        "A of 2030.2.0 has little of that of 2030.1.0",
		operations + "object A\n  a string\n  b string\n":                                                                                                  "",
		"version 2030.1.0\nversion 2030.2.0\nobject A\n  a string\n  b string @2030.1.0\n":                                                                 "",
		"version 2030.1.0\nversion 2030.2.0\nobject A\n  a string\n  b string @2030.1.0\n  c string @2030.2.0\n":                                           "A of 2030.2.0",
		"version 2030.1.0\nversion 2030.2.0\nenum E\n  a @2030.1.0\n  b @2030.2.0\n":                                                                       "E of 2030.2.0",
		"version 2030.1.0\nversion 2030.2.0\nversion 2030.3.0\nenum E @2030.1.0,2030.3.0\n  a @2030.1.0\n  b @2030.3.0\n":                                  "E of 2030.3.0 has little of that of 2030.1.0",
		"version 2030.1.0\nversion 2030.2.0\nenum E number @2030.1.0\n  1\nenum E @2030.2.0\n  1\n":                                                        "E of 2030.2.0",
		"version 2025.6.4\nversion 2025.8.0\nobject SyncStatus\n  a string @2025.6.4\n  b string @2025.8.0\n":                                              "",
		"version 2025.8.0\nversion 2025.8.6\nobject SyncStatus\n  a string @2025.8.0\n  b string @2025.8.6\n":                                              "SyncStatus of 2025.8.6",
		operations + "object A\n  b B\nobject B\n  a string\n  b string @2030.1.0\n":                                                                       "B of 2030.2.0",
		operations + "GET c/ c\n  query x []A\n  200\nobject A\n  a string\n  b string @2030.1.0\n":                                                        "",
		"version 2030.1.0\nversion 2030.2.0\nGET a/ a @2030.1.0\n  query e E\n  200\nGET b/ b @2030.2.0\n  query e E\n  200\nenum E\n  a\n  b @2030.1.0\n": "E of 2030.2.0",
	} {
		err := checkNames(facts(t, text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\n%v, want %q", text, err, want)
		}
	}
}

// repository returns a folder with what run reads and writes of the SDK's, with no
// facts but those given.
func repository(t *testing.T, facts string) string {
	t.Helper()
	root := t.TempDir()
	for _, folder := range []string{"docs", "internal/contract"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := filepath.Glob("../../../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		write(t, filepath.Join(root, filepath.Base(source)), readFile(t, source))
	}
	write(t, filepath.Join(root, "internal/contract/facts.txt"), facts)
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
	root := repository(t, "version 2030.1.0\n\nGET a/ a_list\n  204\n")
	file := filepath.Join(t.TempDir(), "schema.yml")
	write(t, file, schema)
	check := func(wantErr error, args []string, want ...string) string {
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
		return out.String()
	}
	check(errDifferent, []string{file},
		"2031.4.1: no facts of it are recorded; compared with 2030.1.0",
		"2031.4.1: - GET a/ a_list",
		"2031.4.1: + GET stages/source/: query apart []integer",
		"2031.4.1: the SDK lacks the filter `strict` of `stages/source/`",
		"2031.4.1: the SDK lacks `SourceStage.source` as uuid?, not uuid",
		"2031.4.1: the SDK lacks the value `one` of `SourceStage.resume_on_match_failures`")
	if said := check(nil, []string{"-record", file}); said != "recorded; next: go run ./internal/generate\n" {
		t.Errorf("-record says %q", said)
	}
	recorded := check(errDifferent, []string{file}, "2031.4.1: the SDK lacks the filter `strict` of `stages/source/`")
	if strings.Contains(recorded, "2031.4.1: +") {
		t.Errorf("what is recorded differs:\n%s", recorded)
	}

	got := facts(t, readFile(t, filepath.Join(root, "internal/contract/facts.txt")))
	want := facts(t, factsOfSchema)
	if diff := cmp.Diff(want.String(), got.At("2031.4.1").String()); diff != "" || got.At("2030.1.0") == nil {
		t.Errorf("recorded %q (-want +got):\n%s", got.Versions, diff)
	}
	if page := readFile(t, filepath.Join(root, "docs/releases.md")); page != got.ReleasesPage() {
		t.Errorf("the page of releases is %s", page)
	}

	write(t, file, strings.ReplaceAll(schema, "compatibility_mode", "compatible"))
	check(errDifferent, []string{file}, "2031.4.1: the SDK lacks `FlowSet.compatible`",
		"2031.4.1: - object FlowSet: compatibility_mode boolean", "2031.4.1: + object FlowSet: compatible boolean")
}

// What the SDK has is no difference, whatever it has beyond it.
func TestRunWithoutDifference(t *testing.T) {
	t.Parallel()
	root := repository(t, "")
	file := filepath.Join(t.TempDir(), "schema.yml")
	write(t, file, `
openapi: 3.0.3
info: {title: authentik, version: 2031.4.1}
paths:
  /stages/source/:
    get:
      operationId: stages_source_list
      parameters:
      - {in: query, name: source, schema: {type: string, format: uuid}}
      responses:
        '200': {description: '', content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/SourceStage'}}}}}
components:
  schemas:
    SourceStage:
      type: object
      properties:
        pk: {type: string, format: uuid}
        resume_on_match_failures: {type: array, items: {type: string, enum: [missing_property]}}
    Unknown:
      type: object
      properties: {pk: {type: string}}
`)
	for _, args := range [][]string{{"-record", file}, {file}} {
		var out bytes.Buffer
		if err := run(t.Context(), append([]string{"-root", root}, args...), &out); err != nil || out.Len() > 0 && args[0] != "-record" {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	for version, want := range map[string]error{"2031.4.2": nil, "2031.4.0": nil, "2031.6.0": errDifferent, "2031.2.0": errDifferent} {
		write(t, file, strings.ReplaceAll(readFile(t, file), "info: {title: authentik, version: 2031.4.1}", "info: {title: authentik, version: "+version+"}"))
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-root", root, file}, &out); !errors.Is(err, want) || !strings.Contains(out.String(), version+": no facts of it are recorded") {
			t.Errorf("%s: %v\n%s", version, err, out.String())
		}
		write(t, file, strings.ReplaceAll(readFile(t, file), version, "2031.4.1"))
	}
}

// TestHeading finds what the error names in CONTRIBUTING.md.
func TestHeading(t *testing.T) {
	t.Parallel()
	if !strings.Contains(readFile(t, "../../../CONTRIBUTING.md"), "\n## "+heading+"\n") {
		t.Errorf("CONTRIBUTING.md has no heading %q", heading)
	}
}

func TestClosest(t *testing.T) {
	t.Parallel()
	versions := []string{"2024.10.5", "2024.12.5", "2025.2.0", "2025.2.4"}
	for version, want := range map[string]string{
		"2024.8.0": "", "2024.10.0": "2024.10.5", "2024.12.6": "2024.12.5", "2025.2.2": "2025.2.0", "2025.2.9": "2025.2.4", "2025.4.0": "2025.2.4",
	} {
		if got := closest(versions, version); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "schema.yml")
	write(t, file, "{}")
	root := repository(t, "")
	valid := filepath.Join(t.TempDir(), "schema.yml")
	write(t, valid, schema)
	noDocs := repository(t, "")
	if err := os.Remove(filepath.Join(noDocs, "docs")); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"unknown flag":        {"-x"},
		"no such file":        {"-root", root, "none.yml"},
		"no schema":           {"-root", root, file},
		"no such repository":  {"-root", t.TempDir(), file},
		"no folder docs":      {"-root", noDocs, "-record", valid},
		"one version twice":   {"-root", root, valid, valid},
		"facts that are none": {"-root", repository(t, "x"), valid},
		"another object":      {"-root", repository(t, "version 2030.1.0\nobject FlowSet\n  x uuid\n"), valid},
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
	err := run(t.Context(), []string{"-root", repository(t, "")}, new(bytes.Buffer))
	if err == nil || err.Error() != "the server's schema: the schema of 2031.4.1 has no operations" {
		t.Error(err)
	}
}
