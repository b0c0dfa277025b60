// Package sdk has the SDK's types of what the facts name.
package sdk

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/uuid"
)

// Read returns what the SDK's types have, as the facts of one version. root is the
// folder of the repository, in whose source the values of enums are read:
// reflection sees no constants.
func Read(root fs.FS) (*contract.Facts, error) {
	constants, err := Constants(root)
	if err != nil {
		return nil, err
	}
	have := &contract.Facts{Versions: []string{"SDK"}}
	all := contract.Spans{{First: 0, Last: 0}}
	for operation, options := range Options {
		method, path, _ := strings.Cut(operation, " ")
		o := &contract.Operation{Method: method, Path: path, Spans: all}
		for name, field := range FieldsByTag(options, "url") {
			t := field.Type
			if t.Kind() == reflect.Pointer { // nil is no filter, not a filter for null
				t = t.Elem()
			}
			p := &contract.Parameter{Name: name, In: "query", Spans: all}
			if p.Type, err = typeOf(t, constants); err != nil {
				return nil, fmt.Errorf("%v.%s: %w", options, field.Name, err)
			}
			o.Parameters = append(o.Parameters, p)
		}
		have.Operations = append(have.Operations, o)
	}
	for name, model := range Objects {
		o := &contract.Object{Name: name, Spans: all}
		for member, field := range FieldsByTag(model, "json") {
			forms := lenient[field.Type]
			if forms == nil {
				form, err := typeOf(field.Type, constants)
				if err != nil {
					return nil, fmt.Errorf("%v.%s: %w", model, field.Name, err)
				}
				forms = []contract.Type{form}
			}
			for _, form := range forms {
				o.Members = append(o.Members, &contract.Member{Name: member, Type: form, Spans: all})
			}
		}
		have.Objects = append(have.Objects, o)
	}
	for name, values := range constants {
		e := &contract.Enum{Name: name, Spans: all}
		for _, value := range slices.Sorted(maps.Keys(values)) {
			e.Values = append(e.Values, &contract.Value{Value: value, Spans: all})
		}
		have.Enums = append(have.Enums, e)
	}
	return have.Record(), nil
}

// IdentityOf is the member that tells objects of that name apart. Servers send it even
// where the schema does not require it.
func IdentityOf(object string) string {
	if model := Objects[object]; model != nil {
		return codec.IdentityOf(model).Member
	}
	return "pk" // of an object that is called otherwise now
}

// FieldsByTag are the visible fields of a struct by the name in the tag.
func FieldsByTag(t reflect.Type, tag string) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get(tag), ",")
		if name != "" && name != "-" {
			fields[name] = field
		}
	}
	return fields
}

// goTypes are the kinds that have one type in Go.
var goTypes = map[reflect.Type]string{
	reflect.TypeFor[uuid.UUID]():       "uuid",
	reflect.TypeFor[string]():          "string",
	reflect.TypeFor[bool]():            "boolean",
	reflect.TypeFor[int]():             "integer",
	reflect.TypeFor[int64]():           "int64",
	reflect.TypeFor[float64]():         "double",
	reflect.TypeFor[time.Time]():       "date-time",
	reflect.TypeFor[map[string]any]():  "object",
	reflect.TypeFor[any]():             "any",
	reflect.TypeFor[json.RawMessage](): "any",
}

// open are the enums that have no constants, because they have many values.
var open = []reflect.Type{
	reflect.TypeFor[authentik.AppLabel](),
	reflect.TypeFor[authentik.CountryCode](),
	reflect.TypeFor[authentik.ModelName](),
}

// lenient are the types that read several forms of a member.
var lenient = map[reflect.Type][]contract.Type{
	reflect.TypeFor[authentik.DeviceID]():         {{Kind: "string"}, {Kind: "integer"}},
	reflect.TypeFor[authentik.EmailTokenExpiry](): {{Kind: "string"}, {Kind: "integer"}},
	reflect.TypeFor[authentik.LogEvents]():        {list("ref", "LogEvent"), list("string", "")},
	reflect.TypeFor[authentik.PromptChoices]():    {list("ref", "PromptChoice"), list("string", "")},
	reflect.TypeFor[authentik.RedirectURIs]():     {list("ref", "RedirectURI"), {Kind: "string"}},
	reflect.TypeFor[authentik.SourceReference]():  {{Kind: "uuid"}, {Kind: "ref", Name: "Source"}},
	reflect.TypeFor[authentik.UnixMilli]():        {{Kind: "integer"}},
	reflect.TypeFor[authentik.UnixTime]():         {{Kind: "date-time"}},
	reflect.TypeFor[authentik.ZonelessTime]():     {{Kind: "date-time"}},
}

// Reads are the forms that a type reads which is written by hand for them, nil for
// other types.
func Reads(t reflect.Type) []contract.Type { return lenient[t] }

func list(kind, name string) contract.Type {
	return contract.Type{Kind: "array", Elem: &contract.Type{Kind: kind, Name: name}}
}

func typeOf(t reflect.Type, constants map[string]map[string]string) (contract.Type, error) {
	var result contract.Type
	if t.Kind() == reflect.Pointer {
		result.Nullable = true
		t = t.Elem()
	}
	if kind, ok := goTypes[t]; ok {
		result.Kind = kind
		return result, nil
	}
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		elem, err := typeOf(t.Elem(), constants)
		result.Kind, result.Elem = map[reflect.Kind]string{reflect.Slice: "array", reflect.Map: "map"}[t.Kind()], &elem
		return result, err
	}
	if constants[t.Name()] != nil || slices.Contains(open, t) {
		result.Kind, result.Name = "enum", t.Name()
		return result, nil
	}
	for object, model := range Objects {
		if t == model {
			result.Kind, result.Name = "ref", object
			return result, nil
		}
	}
	return result, fmt.Errorf("authentik has nothing like %v", t)
}

// Constants are the names of the SDK's constants by type and value.
func Constants(root fs.FS) (map[string]map[string]string, error) {
	files, err := fs.Glob(root, "*.go")
	if err != nil {
		return nil, err
	}
	constants := map[string]map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
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
			value, _ := strconv.Unquote(literal.Value) // the parser has read it
			if constants[typeName.Name] == nil {
				constants[typeName.Name] = map[string]string{}
			}
			constants[typeName.Name][value] = spec.Names[0].Name
			return true
		})
	}
	return constants, nil
}
