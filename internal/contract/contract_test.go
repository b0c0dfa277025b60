package contract_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/go-cmp/cmp"
)

var root = os.DirFS("../..")

// facts are what testdata says of the releases, and what the SDK's types have.
func facts(t *testing.T) (contract.Releases, contract.Release) {
	t.Helper()
	releases, err := contract.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(releases) < 16 {
		t.Fatalf("only %d releases", len(releases))
	}
	sdk, err := contract.SDK(root)
	if err != nil {
		t.Fatal(err)
	}
	return releases, sdk
}

func TestTypesHaveAllOfEachRelease(t *testing.T) {
	t.Parallel()
	releases, sdk := facts(t)
	for _, name := range releases.Names() {
		for _, fact := range releases[name].Beyond(sdk) {
			t.Errorf("%s: the SDK lacks %s", name, fact)
		}
	}
}

func TestTypesHaveNothingThatNoReleaseHas(t *testing.T) {
	t.Parallel()
	releases, sdk := facts(t)
	all := contract.Release{Filters: map[string]map[string]contract.Type{}, Members: map[string]map[string]contract.Type{}}
	merge := func(all, release map[string]map[string]contract.Type) {
		for owner, types := range release {
			if all[owner] == nil {
				all[owner] = map[string]contract.Type{}
			}
			for name, kind := range types {
				kind.Values = append(slices.Clone(kind.Values), all[owner][name].Values...)
				kind.Nullable = kind.Nullable || all[owner][name].Nullable
				all[owner][name] = kind
			}
		}
	}
	for _, release := range releases {
		merge(all.Filters, release.Filters)
		merge(all.Members, release.Members)
	}
	for _, fact := range sdk.Beyond(all) {
		t.Errorf("no release has %s", fact)
	}
}

// TestNoListComesBack finds a release whose facts were recorded before the SDK
// had the list or the object: record them again.
func TestNoListComesBack(t *testing.T) {
	t.Parallel()
	releases, _ := facts(t)
	gone := map[string]string{}
	had := map[string]bool{}
	for _, name := range releases.Names() {
		release := releases[name]
		if !strings.HasPrefix(release.Schema, name+".") {
			t.Errorf("%s: recorded of the schema of %q", name, release.Schema)
		}
		owners := release.Owners()
		for _, owner := range owners {
			if gone[owner] != "" {
				t.Errorf("%s has %s again, which %s lacked", name, owner, gone[owner])
			}
			had[owner] = true
		}
		for owner := range had {
			if !slices.Contains(owners, owner) {
				gone[owner] = name
			}
		}
	}
}

func TestFiltersAreOptional(t *testing.T) {
	t.Parallel()
	for _, options := range contract.Options {
		for _, field := range contract.FieldsByTag(options, "url") {
			if !strings.HasSuffix(field.Tag.Get("url"), ",omitempty") {
				t.Errorf("%s of %v is sent when it is not set", field.Name, options)
			}
			if kind := field.Type.Kind(); kind != reflect.Pointer && kind != reflect.String && field.Name != "Page" && field.Name != "PageSize" {
				t.Errorf("%s of %v is %v, whose zero value would be a filter too: make it a pointer", field.Name, options, kind)
			}
		}
	}
}

func TestModelsKeepUnknownMembers(t *testing.T) {
	t.Parallel()
	for object, model := range contract.Objects {
		extra, has := model.FieldByName("Extra")
		if object != "Pagination" && (!has || extra.Type != reflect.TypeFor[map[string]json.RawMessage]() || extra.Tag.Get("json") != ",embed,inline") {
			t.Errorf("%v keeps no unknown members", model)
		}
	}
}

func TestConstantsAreNamedByTypeAndValue(t *testing.T) {
	t.Parallel()
	constants, err := contract.Constants(root)
	if err != nil {
		t.Fatal(err)
	}
	for typeName, names := range constants {
		for value, name := range names {
			if want := constantName(typeName, value); name != want {
				t.Errorf("the constant for %q is %s, want %s", value, name, want)
			}
		}
	}
}

// constantName is the type's name followed by the value's words: of a backend,
// by the kind of it.
func constantName(typeName, value string) string {
	name := typeName
	if kind, isBackend := strings.CutSuffix(value[strings.LastIndex(value, ".")+1:], "Backend"); isBackend {
		return name + kind
	}
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("_-/.", r) }) {
		if slices.Contains([]string{"html", "http", "json", "upn", "url", "xml"}, word) { // as the linter wants initials
			word = strings.ToUpper(word)
		}
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}

func TestHistoryInREADME(t *testing.T) {
	t.Parallel()
	releases, _ := facts(t)
	readme, err := fs.ReadFile(root, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := releases.SetHistory(string(readme))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(readme)); diff != "" {
		t.Errorf("the table is not what internal/contract/check -record writes (-want +got):\n%s", diff)
	}
}

// TestNewestReleaseIsNamed finds docs that name an older release as the newest.
func TestNewestReleaseIsNamed(t *testing.T) {
	t.Parallel()
	releases, _ := facts(t)
	names := releases.Names()
	want := names[0] + " to " + names[len(names)-1]
	for _, name := range []string{"README.md", "doc.go", "docs/migrating.md"} {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %s", name, want)
		}
	}
}

func TestSetHistory(t *testing.T) {
	t.Parallel()
	releases := contract.Releases{}
	if err := json.Unmarshal([]byte(`{
		"2023.10": {"filters": {"a/": {"x": "uuid"}}, "members": {"A": {"old": "string", "kind": "[]enum(b|a)?", "n": "number!"}}},
		"2023.12": {"filters": {"a/": {"x": "uuid"}}, "members": {"A": {"old": "string!", "kind": "[]enum(b|a)?", "n": "integer"}}},
		"2024.2": {"filters": {"a/": {"x": "string", "y": "boolean"}, "b/": {"z": "uuid"}}, "members": {"A": {"kind": "[]enum(a|c)"}, "B": {"m": "uuid?"}}}
	}`), &releases); err != nil {
		t.Fatal(err)
	}
	const readme = "# About\n<!-- releases -->\nold\n<!-- end of releases -->\nmore\n"
	got, err := releases.SetHistory(readme)
	const want = "# About\n<!-- releases -->\n| release | new | gone |\n|---|---|---|\n" +
		"| 2024.2 | the list `b/`, the object `B`, the filter `x` of `a/` as string, not uuid, " +
		"the filter `y` of `a/`, the value `c` of `A.kind` " +
		"| `A.kind` as []enum?, not []enum, `A.n`, `A.old`, the filter `x` of `a/` as uuid, not string, the value `b` of `A.kind` |\n" +
		"<!-- end of releases -->\nmore\n"
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, readme := range []string{"", "<!-- releases -->\n", "<!-- end of releases -->\n<!-- releases -->\n"} {
		if got, err := releases.SetHistory(readme); err == nil {
			t.Errorf("%q became %q", readme, got)
		}
	}
}

func TestTypeAsText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]contract.Type{
		"uuid":            {Kind: "uuid"},
		"[]FlowSet!":      {Kind: "FlowSet", List: true, Required: true},
		"[]enum(a_b|c)?!": {Kind: "enum", Values: []string{"a_b", "c"}, List: true, Nullable: true, Required: true},
		"enum(one)":       {Kind: "enum", Values: []string{"one"}},
	} {
		var got contract.Type
		if err := got.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" || got.String() != text {
			t.Errorf("%s became %s (-want +got):\n%s", text, got, diff)
		}
	}
}

func TestNamesAreInOrder(t *testing.T) {
	t.Parallel()
	releases := contract.Releases{"2024.10": {}, "2023.10": {}, "2024.2": {}, "2026.8": {}, "2025.12": {}}
	if got := releases.Names(); !slices.Equal(got, []string{"2023.10", "2024.2", "2024.10", "2025.12", "2026.8"}) {
		t.Error(got)
	}
}

func TestReadFails(t *testing.T) {
	t.Parallel()
	for _, root := range []fstest.MapFS{{}, {"testdata/releases.json": {Data: []byte("[]")}}} {
		if releases, err := contract.Read(root); err == nil {
			t.Errorf("read %v", releases)
		}
	}
	if sdk, err := contract.SDK(fstest.MapFS{"stages.go": {Data: []byte("no Go")}}); err == nil {
		t.Errorf("read %v", sdk)
	}
	if sdk, err := contract.SDK(fstest.MapFS{}); err == nil { // an enum without constants
		t.Errorf("read %v", sdk)
	}
}
