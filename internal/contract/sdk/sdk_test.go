package sdk_test

import (
	"encoding/json"
	"go/ast"
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

var root = os.DirFS("../../..")

// recorded are the facts that are recorded.
func recorded(t *testing.T) *contract.Facts {
	t.Helper()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// have is what the SDK's types have.
func have(t *testing.T) *contract.Facts {
	t.Helper()
	have, err := sdk.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return have
}

func TestTypesHaveAllOfEachRelease(t *testing.T) {
	t.Parallel()
	facts, have := recorded(t), have(t)
	for _, version := range facts.Versions {
		for _, fact := range facts.At(version).Of(have).Beyond(have) {
			t.Errorf("%s: the SDK lacks %s", version, fact)
		}
	}
}

// surplus is what older releases have in an object or enum of another name, which
// is one type with the newer one in the SDK.
var surplus = []string{
	"`AdminSystemTask.task_duration` as double, not integer", // as servers send it
	"`PartialUser.uuid`",                    // of ReviewerUser
	"`SystemInfo.tenant`",                   // of System
	"`UserPlexSourceConnection.plex_token`", // of PlexSourceConnection
	"the value `urn:oasis:names:tc:SAML:2.0:nameid-format:X509SubjectName` of `SAMLProvider.default_name_id_policy`",
	"the value `urn:oasis:names:tc:SAML:2.0:nameid-format:X509SubjectName` of `WSFederationProvider.default_name_id_policy`",
	"the value `urn:oasis:names:tc:SAML:2.0:nameid-format:X509SubjectName` of the filter `default_name_id_policy` of `providers/saml/`",
	"the value `urn:oasis:names:tc:SAML:2.0:nameid-format:X509SubjectName` of the filter `default_name_id_policy` of `providers/wsfed/`",
}

func TestTypesHaveNothingThatNoReleaseHas(t *testing.T) {
	t.Parallel()
	beyond := have(t).Beyond(recorded(t))
	for _, fact := range beyond {
		name, _, isType := strings.Cut(strings.TrimPrefix(fact, "`"), "` as ")
		if contract.Nulls[name] != "" && isType {
			continue
		}
		if !slices.Contains(surplus, fact) {
			t.Errorf("no release has %s", fact)
		}
	}
	for _, fact := range surplus {
		if !slices.Contains(beyond, fact) {
			t.Errorf("%s is no longer surplus", fact)
		}
	}
}

// TestTablesAreOfTheAPI finds a path or an object that authentik does not have, of
// which nothing would be compared.
func TestTablesAreOfTheAPI(t *testing.T) {
	t.Parallel()
	facts := recorded(t)
	for operation := range sdk.Options {
		method, path, _ := strings.Cut(operation, " ")
		if facts.Operation(method, path) == nil {
			t.Errorf("there is no %s", operation)
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
			if kind := field.Type.Kind(); kind != reflect.Pointer && kind != reflect.String && kind != reflect.Slice && field.Name != "Page" && field.Name != "PageSize" {
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

func TestConstantsAreNamedByType(t *testing.T) {
	t.Parallel()
	constants, err := sdk.Constants(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(constants) < 50 {
		t.Errorf("constants of %d types alone", len(constants))
	}
	for typeName, names := range constants {
		for value, name := range names {
			if ast.IsExported(name) && (!strings.HasPrefix(name, typeName) || name == typeName) {
				t.Errorf("the constant for %q of %s is %s", value, typeName, name)
			}
		}
	}
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
	if have, err := sdk.Read(fstest.MapFS{"stages.go": {Data: []byte("no Go")}}); err == nil {
		t.Errorf("read %v", have)
	}
	if have, err := sdk.Read(fstest.MapFS{}); err == nil { // an enum without constants
		t.Errorf("read %v", have)
	}
}
