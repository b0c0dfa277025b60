package authentik_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// release holds what testdata/releases.json says of a release of authentik: the
// parameters of its lists, and the members of its objects. A type is uuid,
// string, boolean, integer, number, the name of an object, or the values of an
// enum with a | between them; [] before it makes a list of it, a ? behind it
// says that it may be null, a ! that it is required.
type release struct {
	Filters map[string]map[string]string
	Members map[string]map[string]string
}

func releases(t *testing.T) map[string]release {
	t.Helper()
	b, err := os.ReadFile("testdata/releases.json")
	if err != nil {
		t.Fatal(err)
	}
	var releases map[string]release
	if err := json.Unmarshal(b, &releases); err != nil {
		t.Fatal(err)
	}
	if len(releases) < 9 {
		t.Fatalf("only %d releases", len(releases))
	}
	return releases
}

var (
	optionTypes = map[string]reflect.Type{
		"stages/identification/": reflect.TypeFor[authentik.StagesIdentificationListOptions](),
		"stages/password/":       reflect.TypeFor[authentik.StagesPasswordListOptions](),
		"stages/source/":         reflect.TypeFor[authentik.StagesSourceListOptions](),
	}
	objectTypes = map[string]reflect.Type{
		"IdentificationStage": reflect.TypeFor[authentik.IdentificationStage](),
		"PasswordStage":       reflect.TypeFor[authentik.PasswordStage](),
		"SourceStage":         reflect.TypeFor[authentik.SourceStage](),
		"FlowSet":             reflect.TypeFor[authentik.FlowSet](),
		"Pagination":          reflect.TypeFor[authentik.Pagination](),
	}
)

// fieldsByTag are the visible fields by the name in the tag.
func fieldsByTag(t reflect.Type, tag string) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get(tag), ",")
		if name != "" && name != "-" {
			fields[name] = field
		}
	}
	return fields
}

func TestOptionsHaveEveryFilter(t *testing.T) {
	t.Parallel()
	goTypes := map[string][]reflect.Type{
		"uuid":    {reflect.TypeFor[*uuid.UUID]()},
		"boolean": {reflect.TypeFor[*bool]()},
		"integer": {reflect.TypeFor[*int](), reflect.TypeFor[int]()}, // the latter for page and page_size
		"string":  {reflect.TypeFor[string]()},
	}
	known := map[string]map[string]bool{}
	for version, release := range releases(t) {
		for path, filters := range release.Filters {
			fields := fieldsByTag(optionTypes[path], "url")
			for name, kind := range filters {
				field, has := fields[name]
				switch {
				case !has:
					t.Errorf("%s: %s has the filter %s, %v does not", version, path, name, optionTypes[path])
				case !slices.Contains(goTypes[kind], field.Type):
					t.Errorf("%s: the filter %s of %s is %s, the field %v", version, name, path, kind, field.Type)
				case !strings.HasSuffix(field.Tag.Get("url"), ",omitempty"):
					t.Errorf("%s of %v is sent when it is not set", field.Name, optionTypes[path])
				}
				if known[path] == nil {
					known[path] = map[string]bool{}
				}
				known[path][name] = true
			}
		}
	}
	for path, options := range optionTypes {
		for name := range fieldsByTag(options, "url") {
			if !known[path][name] {
				t.Errorf("%v has the filter %s, which no release has", options, name)
			}
		}
	}
}

// TestEveryFilterIsTested keeps the table of TestFilters complete.
func TestEveryFilterIsTested(t *testing.T) {
	t.Parallel()
	for path, options := range optionTypes {
		for name := range fieldsByTag(options, "url") {
			if _, common := listOptions[name]; common {
				continue
			}
			tested := slices.ContainsFunc(slices.Collect(maps.Keys(filters[path])), func(query string) bool {
				return strings.HasPrefix(query, name+"=")
			})
			if !tested {
				t.Errorf("TestFilters lacks %s of %s", name, path)
			}
		}
	}
}

func TestModelsHaveEveryMember(t *testing.T) {
	t.Parallel()
	constants := stringConstants(t)
	known := map[string]map[string]bool{}
	values := map[string]map[string]bool{}
	for version, release := range releases(t) {
		for object, members := range release.Members {
			fields := fieldsByTag(objectTypes[object], "json")
			for name, kind := range members {
				if known[object] == nil {
					known[object] = map[string]bool{}
				}
				known[object][name] = true
				field, has := fields[name]
				if !has {
					t.Errorf("%s: %s has the member %s, %v does not", version, object, name, objectTypes[object])
					continue
				}
				enum := checkType(t, version+": "+object+"."+name, kind, field.Type)
				for value := range strings.SplitSeq(enum, "|") {
					if enum == "" {
						continue
					}
					typeName := baseType(field.Type).Name()
					if !constants[typeName][value] {
						t.Errorf("%s: %s.%s may be %q, for which %s has no constant", version, object, name, value, typeName)
					}
					if values[typeName] == nil {
						values[typeName] = map[string]bool{}
					}
					values[typeName][value] = true
				}
			}
		}
	}
	for object, model := range objectTypes {
		for name := range fieldsByTag(model, "json") {
			if !known[object][name] {
				t.Errorf("%v has the member %s, which no release has", model, name)
			}
		}
		extra, has := model.FieldByName("Extra")
		if object != "Pagination" && (!has || extra.Type != reflect.TypeFor[map[string]json.RawMessage]() || extra.Tag.Get("json") != ",embed") {
			t.Errorf("%v keeps no unknown members", model)
		}
	}
	for typeName, constants := range constants {
		for value := range constants {
			if !values[typeName][value] {
				t.Errorf("%s has the value %q, which no release has", typeName, value)
			}
		}
	}
}

// checkType compares the type of a member with the field's, and returns the
// values of an enum.
func checkType(t *testing.T, member, kind string, field reflect.Type) (enum string) {
	t.Helper()
	kind = strings.TrimSuffix(kind, "!")
	kind, nullable := strings.CutSuffix(kind, "?")
	if got := field.Kind() == reflect.Pointer; got != nullable {
		t.Errorf("%s is nullable: %t, the field is %v", member, nullable, field)
	}
	kind, list := strings.CutPrefix(kind, "[]")
	if got := field.Kind() == reflect.Slice; got != list {
		t.Errorf("%s is a list: %t, the field is %v", member, list, field)
	}
	base := baseType(field)
	want, plain := map[string]reflect.Type{
		"uuid":    reflect.TypeFor[uuid.UUID](),
		"string":  reflect.TypeFor[string](),
		"boolean": reflect.TypeFor[bool](),
		"integer": reflect.TypeFor[int](),
		"number":  reflect.TypeFor[int](),
		"FlowSet": reflect.TypeFor[authentik.FlowSet](),
	}[kind]
	if plain {
		if base != want {
			t.Errorf("%s is %s, the field is %v", member, kind, field)
		}
		return ""
	}
	if base.Kind() != reflect.String || base.PkgPath() == "" {
		t.Errorf("%s is an enum, the field is %v", member, field)
	}
	return kind
}

func baseType(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return t
}

// stringConstants are the values of the package's constants by their named
// type, read from the source since reflection does not see constants.
func stringConstants(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "stages*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source: %v", err)
	}
	constants := map[string]map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || spec.Type == nil || len(spec.Values) != 1 {
				return true
			}
			typeName, named := spec.Type.(*ast.Ident)
			literal, isLiteral := spec.Values[0].(*ast.BasicLit)
			if !named || !isLiteral || literal.Kind != token.STRING {
				return true
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			if want := constantName(typeName.Name, value); spec.Names[0].Name != want {
				t.Errorf("the constant for %q is %s, want %s", value, spec.Names[0].Name, want)
			}
			if constants[typeName.Name] == nil {
				constants[typeName.Name] = map[string]bool{}
			}
			constants[typeName.Name][value] = true
			return true
		})
	}
	return constants
}

// constantName is the type's name followed by the value's words: of a backend,
// by the kind of it.
func constantName(typeName, value string) string {
	name := typeName
	if kind, isBackend := strings.CutSuffix(value[strings.LastIndex(value, ".")+1:], "Backend"); isBackend {
		return name + kind
	}
	for word := range strings.SplitSeq(value, "_") {
		if word == "upn" {
			word = "UPN"
		}
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}
