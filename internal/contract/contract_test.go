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
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

var root = os.DirFS("../..")

// sdk is what the SDK's types have.
func sdk(t *testing.T) *contract.Facts {
	t.Helper()
	sdk, err := sdk.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return sdk
}

func TestTypesHaveAllOfEachRelease(t *testing.T) {
	t.Parallel()
	facts, sdk := recorded(t), sdk(t)
	for _, version := range facts.Versions {
		for _, fact := range facts.At(version).Of(sdk).Beyond(sdk) {
			t.Errorf("%s: the SDK lacks %s", version, fact)
		}
	}
}

func TestTypesHaveNothingThatNoReleaseHas(t *testing.T) {
	t.Parallel()
	for _, fact := range sdk(t).Beyond(recorded(t)) {
		t.Errorf("no release has %s", fact)
	}
}

// TestTablesAreOfTheAPI finds a path or an object that authentik does not have, of
// which nothing would be compared.
func TestTablesAreOfTheAPI(t *testing.T) {
	t.Parallel()
	facts := recorded(t)
	for path := range sdk.Options {
		if facts.Operation("GET", path) == nil {
			t.Errorf("there is no GET %s", path)
		}
	}
	for name := range sdk.Objects {
		if facts.Object(name) == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestFiltersAreOptional(t *testing.T) {
	t.Parallel()
	for _, options := range sdk.Options {
		for _, field := range sdk.FieldsByTag(options, "url") {
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
	for object, model := range sdk.Objects {
		extra, has := model.FieldByName("Extra")
		if object != "Pagination" && (!has || extra.Type != reflect.TypeFor[map[string]json.RawMessage]() || extra.Tag.Get("json") != ",embed,inline") {
			t.Errorf("%v keeps no unknown members", model)
		}
	}
}

func TestConstantsAreNamedByTypeAndValue(t *testing.T) {
	t.Parallel()
	constants, err := sdk.Constants(root)
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

// TestNewestReleaseIsNamed finds docs that name an older release as the newest.
func TestNewestReleaseIsNamed(t *testing.T) {
	t.Parallel()
	names := recorded(t).Releases()
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

func TestSDKFails(t *testing.T) {
	t.Parallel()
	if sdk, err := sdk.Read(fstest.MapFS{"stages.go": {Data: []byte("no Go")}}); err == nil {
		t.Errorf("read %v", sdk)
	}
	if sdk, err := sdk.Read(fstest.MapFS{}); err == nil { // an enum without constants
		t.Errorf("read %v", sdk)
	}
}
