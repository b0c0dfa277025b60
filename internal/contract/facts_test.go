package contract_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/go-cmp/cmp"
)

// recorded are the facts that are recorded.
func recorded(t *testing.T) *contract.Facts {
	t.Helper()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Versions) < 24 || len(facts.Releases()) < 16 {
		t.Fatalf("only %q", facts.Versions)
	}
	return facts
}

// text is facts.txt.
func text(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("facts.txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFactsAreWrittenAsRead(t *testing.T) {
	t.Parallel()
	facts, want := recorded(t), text(t)
	if got := facts.String(); got != want {
		t.Errorf("(-read +written):\n%s", cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
	if len(want) > 500_000 {
		t.Errorf("%d bytes", len(want))
	}
}

// TestRecordAgain takes the facts apart by version, and puts them together in
// another order.
func TestRecordAgain(t *testing.T) {
	t.Parallel()
	facts := recorded(t)
	again := new(contract.Facts)
	for first := range 3 {
		var some []*contract.Facts
		for i := first; i < len(facts.Versions); i += 3 {
			some = append(some, facts.At(facts.Versions[i]))
		}
		again = again.Record(some...)
	}
	if got, want := again.String(), text(t); len(again.Versions) != len(facts.Versions) || got != want {
		t.Errorf("(-read +recorded again):\n%s", cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
}

// some has every kind of fact.
const some = `version 2030.2.1
version 2030.10.0
version 2030.10.4

GET a/ a_list
  query ids []uuid explode
  query order OrderEnum default="a b @" @2030.10.0..
  200 page A

PUT a/{id}/ a_update auth=other,third @2030.2.1,2030.10.4
  path id integer!
  body multipart/form-data A! @2030.2.1
  body A @2030.10.4
  200 []A?
  204

GET b b_retrieve notoken @..2030.10.0
  200 application/xml string

object A
  any any
  b A.b?! readonly
  deep map[]map[]string?
  free object writeonly @2030.2.1,2030.10.4
  list [](string?) min=3 default=[] @..2030.10.0
  list []string @2030.10.4
  union any(Union)!

object A.b open
  digits DigitsEnum default=6
  layout string

enum DigitsEnum number @2030.10.0..
  6
  8 @2030.10.4

enum OrderEnum
  b
  "" @2030.10.4
  "a b @"
`

// header are the comments that facts.txt begins with.
func header(t *testing.T) string {
	t.Helper()
	header, _, _ := strings.Cut(text(t), "version ")
	return header
}

func parse(t *testing.T, text string) *contract.Facts {
	t.Helper()
	facts, err := contract.ParseFacts(text)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func TestParseFacts(t *testing.T) {
	t.Parallel()
	facts := parse(t, some)
	if diff := cmp.Diff(header(t)+some, facts.String()); diff != "" {
		t.Errorf("(-read +written):\n%s", diff)
	}
	all, middle := contract.Spans{{First: 0, Last: 2}}, contract.Spans{{First: 0, Last: 0}, {First: 2, Last: 2}}
	str := &contract.Type{Kind: "string"}
	for _, test := range []struct{ got, want any }{
		{*facts.Operation("GET", "a/").Parameters[0], contract.Parameter{
			Name: "ids", In: "query", Type: contract.Type{Kind: "array", Elem: &contract.Type{Kind: "uuid"}}, Explode: true, Spans: all,
		}},
		{*facts.Operation("GET", "a/").Parameters[1], contract.Parameter{
			Name: "order", In: "query", Type: contract.Type{Kind: "enum", Name: "OrderEnum"}, Default: `"a b @"`, Spans: contract.Spans{{First: 1, Last: 2}},
		}},
		{*facts.Operation("GET", "a/").Answers[0], contract.Content{
			Status: 200, Media: "application/json", Page: true, Type: contract.Type{Kind: "ref", Name: "A"}, Spans: all,
		}},
		{facts.Operation("PUT", "a/{id}/").Auth, "other,third"},
		{*facts.Operation("PUT", "a/{id}/").Bodies[0], contract.Content{
			Media: "multipart/form-data", Type: contract.Type{Kind: "ref", Name: "A"}, Required: true, Spans: contract.Spans{{First: 0, Last: 0}},
		}},
		{*facts.Operation("PUT", "a/{id}/").Answers[1], contract.Content{Status: 204, Spans: middle}},
		{facts.Operation("GET", "b").NoToken, true},
		{*facts.Object("A").Members[1], contract.Member{
			Name: "b", Type: contract.Type{Kind: "ref", Name: "A.b", Nullable: true}, Required: true, ReadOnly: true, Spans: all,
		}},
		{facts.Object("A").Members[2].Type, contract.Type{
			Kind: "map", Elem: &contract.Type{Kind: "map", Elem: str}, Nullable: true,
		}},
		{*facts.Object("A").Members[3], contract.Member{Name: "free", Type: contract.Type{Kind: "object"}, WriteOnly: true, Spans: middle}},
		{*facts.Object("A").Members[4], contract.Member{
			Name: "list", Type: contract.Type{Kind: "array", Elem: &contract.Type{Kind: "string", Nullable: true}},
			MinLength: 3, Default: "[]", Spans: contract.Spans{{First: 0, Last: 1}},
		}},
		{facts.Object("A").Members[6].Type, contract.Type{Kind: "any", Name: "Union"}},
		{facts.Object("A.b").Open, true},
		{facts.Enum("DigitsEnum").Number, true},
		{*facts.Enum("OrderEnum").Values[2], contract.Value{Value: "a b @", Spans: all}},
		{facts.Object("B") == nil && facts.Enum("A") == nil && facts.Operation("POST", "a/") == nil && facts.At("2030.2") == nil, true},
		{facts.Releases(), []string{"2030.2", "2030.10"}},
		{facts.Since(middle) + facts.Until(middle) + facts.Since(all), ""},
		{facts.Since(contract.Spans{{First: 2, Last: 2}}), "2030.10"},
		{facts.Until(contract.Spans{{First: 0, Last: 0}}), "2030.2"},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestParseFactsFails(t *testing.T) {
	t.Parallel()
	for _, change := range [][2]string{
		{"GET a/", "FETCH a/"},
		{"  b\n", "  b more\n"},
		{"object A.b open", "object A.b closed"},
		{"b A.b?!", "b C"},
		{"b A.b?!", "b"},
		{"default=6", "default={"},
		{"@2030.10.4\n  200 []A", "@2030.11.0\n  200 []A"},
		{"@2030.10.0..\n  200", "@2030.10.4..2030.10.0\n  200"},
		{"min=3", "min=three"},
		{"  204", "  header"},
		{"\nGET a/ a_list\n", "\n"},
	} {
		changed := strings.Replace(some, change[0], change[1], 1)
		if changed == some {
			t.Fatalf("no %q", change[0])
		}
		if facts, err := contract.ParseFacts(changed); err == nil {
			t.Errorf("%q in place of %q was read: %v", change[1], change[0], facts)
		}
	}
}

func TestRecordReplacesAVersion(t *testing.T) {
	t.Parallel()
	facts := parse(t, some)
	newer := parse(t, "version 2030.10.0\nobject A\n  any any\nenum OrderEnum\n  b\n  c\n")
	got := facts.Record(newer)
	if diff := cmp.Diff(newer.String(), got.At("2030.10.0").String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(facts.At("2030.2.1").String()+facts.At("2030.10.4").String(), got.At("2030.2.1").String()+got.At("2030.10.4").String()); diff != "" {
		t.Errorf("the others (-want +got):\n%s", diff)
	}
	want := "enum OrderEnum\n  b\n  \"\" @2030.10.4\n  \"a b @\" @2030.2.1,2030.10.4\n  c @2030.10.0\n"
	if !strings.Contains(got.String(), want) {
		t.Errorf("no %s in\n%s", want, got)
	}
	if !reflect.DeepEqual(facts, parse(t, some)) {
		t.Error("Record changed what it was given")
	}
	added := facts.Record(parse(t, "version 2030.9.0\n"))
	if !strings.Contains(added.String(), "\nGET a/ a_list @2030.2.1,2030.10.0..\n") {
		t.Errorf("no gap:\n%s", added)
	}
}

// A parameter's enum has no name in old schemas.
func TestRecordNamesEnums(t *testing.T) {
	t.Parallel()
	old := "version 2030.1.0\n\nGET a/ a_list\n  query kind a_list.kind\n  query kinds []a_list.kinds\n  query other a_list.other\n  200\n" +
		"\nenum OldEnum\n  z\n\nenum a_list.kind\n  x\n\nenum a_list.kinds\n  y\n  x\n\nenum a_list.other\n  z\n"
	newest := "version 2030.2.0\n\nGET a/ a_list\n  query kind KindEnum\n  query kinds []KindEnum\n  200\n\nenum KindEnum\n  x\n  y\n"
	const want = `version 2030.1.0
version 2030.2.0

GET a/ a_list
  query kind KindEnum
  query kinds []a_list.kinds @2030.1.0
  query kinds []KindEnum @2030.2.0
  query other OldEnum @2030.1.0
  200

enum KindEnum
  x
  y @2030.2.0

enum OldEnum @2030.1.0
  z

enum a_list.kinds @2030.1.0
  y
  x
`
	for _, got := range []*contract.Facts{
		parse(t, old).Record(parse(t, newest)),
		new(contract.Facts).Record(parse(t, newest), parse(t, old)),
	} {
		if diff := cmp.Diff(header(t)+want, got.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"2024.2.4", "2024.10.0"}, {"2024.10.0", "2024.10.5"}, {"2024.12.5", "2025.2.4"}, {"2026.8.3", "2026.8.12"}} {
		if contract.CompareVersions(pair[0], pair[1]) >= 0 || contract.CompareVersions(pair[1], pair[0]) <= 0 {
			t.Errorf("%s is not before %s", pair[0], pair[1])
		}
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	facts := parse(t, some)
	got := contract.Differences(facts.At("2030.10.0"), facts.At("2030.10.4"))
	want := []string{
		"- GET b b_retrieve notoken",
		"- GET b: 200 application/xml string",
		"+ PUT a/{id}/ a_update auth=other,third",
		"+ PUT a/{id}/: 200 []A?",
		"+ PUT a/{id}/: 204",
		"+ PUT a/{id}/: body A",
		"+ PUT a/{id}/: path id integer!",
		"+ enum DigitsEnum: 8",
		"+ enum OrderEnum: \"\"",
		"+ object A: free object writeonly",
		"- object A: list [](string?) min=3 default=[]",
		"+ object A: list []string",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBeyond(t *testing.T) {
	t.Parallel()
	release := parse(t, "version 2030.2.1\nGET a/ x\n  query n int64\n  query only string\nGET b/ x\n  query z uuid\nobject A\n  e []OrderEnum!\n  m map[]uri\n"+
		"  n number\n  u uuid?\n  v uuid\nobject B\n  x uuid\nenum OrderEnum\n  a\n  b\n")
	sdk := parse(t, "version 1.1.1\nGET a/ x\n  query n integer\nobject A\n  e []Order\n  m map[]string\n  n double\n  u uuid\n  v uuid?\nenum Order\n  a\n")
	got := release.Of(sdk).Beyond(sdk)
	want := []string{
		"`A.n` as integer, not double",
		"`A.u` as uuid?, not uuid",
		"the filter `only` of `a/`",
		"the value `b` of `A.e`",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := sdk.Beyond(release); !cmp.Equal(got, []string{"`A.n` as double, not integer", "`A.v` as uuid?, not uuid"}) {
		t.Errorf("the SDK beyond the release: %q", got)
	}
	release = parse(t, "version 2030.2.1\nGET a/ x\n  query n integer\n  query b boolean\nobject A\n  any any\n  free []object\n  list []string?\n"+
		"  two integer\n  wrong object\n")
	sdk = parse(t, "version 1.1.1\nGET a/ x\n  query n string\n  query b string\nobject A\n  any object\n  free []A\n  list []string\n"+
		"  two integer\n  two string\n  wrong any\n")
	want = []string{"`A.wrong` as object, not any", "the filter `b` of `a/` as boolean, not string"}
	if diff := cmp.Diff(want, release.Beyond(sdk)); diff != "" {
		t.Errorf("other forms (-want +got):\n%s", diff)
	}
	release = parse(t, some)
	sdk = parse(t, "version 1.1.1\nobject B\n  x string\nobject A\n  any any\n")
	for _, fact := range []string{"`A.b`", "the filter `ids` of `a/`"} {
		if !strings.Contains(strings.Join(release.Beyond(sdk), "\n"), fact) {
			t.Errorf("no %s", fact)
		}
	}
}

func TestReleasesPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/releases.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(recorded(t).ReleasesPage(), string(page)); diff != "" {
		t.Errorf("docs/releases.md is not what internal/contract/check -record writes (-want +got):\n%s", diff)
	}
	const facts = `version 2030.2.1
version 2030.10.0
version 2030.10.4
GET a/ a
  query new string @2030.10.0..
  query type string @..2030.2.1
  query type uuid @2030.10.0..
  200 A
GET b/ b @..2030.2.1
  204
POST b/ b
  204
DELETE c/ c @2030.10.0..
  query x string
  204
object A
  gone string @..2030.2.1
  x string! @2030.2.1
  x string @2030.10.0..
object ARequest
  gone string @..2030.2.1
  secret string @2030.10.0..
object B @2030.10.0..
  x string
enum E
  a
  b @2030.10.0..
`
	_, got, _ := strings.Cut(parse(t, facts).ReleasesPage(), "\n\n## ")
	want := "2030.10.4\n\nNothing.\n\n## 2030.10.0\n\nNew endpoints:\n\n- `c/`: DELETE\n\nGone endpoints:\n\n- `b/`: GET\n\n" +
		"Filters:\n\n- `a/`: new `new`; `type` is `uuid`, was `string`\n\nMembers:\n\n- `A`: gone `gone`\n- `ARequest`: new `secret`\n\n" +
		"Values:\n\n- `E`: new `b`\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
