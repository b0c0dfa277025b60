package contract

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strconv"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// Options are the types of the options of the SDK's lists, by path.
var Options = map[string]reflect.Type{
	"stages/identification/": reflect.TypeFor[authentik.StagesIdentificationListOptions](),
	"stages/password/":       reflect.TypeFor[authentik.StagesPasswordListOptions](),
	"stages/source/":         reflect.TypeFor[authentik.StagesSourceListOptions](),
}

// Objects are the SDK's types of authentik's objects, by authentik's name.
var Objects = map[string]reflect.Type{
	"IdentificationStage": reflect.TypeFor[authentik.IdentificationStage](),
	"PasswordStage":       reflect.TypeFor[authentik.PasswordStage](),
	"SourceStage":         reflect.TypeFor[authentik.SourceStage](),
	"FlowSet":             reflect.TypeFor[authentik.FlowSet](),
	"Pagination":          reflect.TypeFor[authentik.Pagination](),
}

// SDK returns what the SDK's types have. root is the folder of the repository,
// in whose source the values of enums are read: reflection sees no constants.
func SDK(root fs.FS) (Release, error) {
	sdk := Release{Filters: map[string]map[string]Type{}, Members: map[string]map[string]Type{}}
	constants, err := Constants(root)
	if err != nil {
		return sdk, err
	}
	for path, options := range Options {
		sdk.Filters[path] = map[string]Type{}
		for name, field := range FieldsByTag(options, "url") {
			t := field.Type
			if t.Kind() == reflect.Pointer { // nil is no filter, not a filter for null
				t = t.Elem()
			}
			if sdk.Filters[path][name], err = typeOf(t, constants); err != nil {
				return sdk, fmt.Errorf("%v.%s: %w", options, field.Name, err)
			}
		}
	}
	for object, model := range Objects {
		sdk.Members[object] = map[string]Type{}
		for name, field := range FieldsByTag(model, "json") {
			if sdk.Members[object][name], err = typeOf(field.Type, constants); err != nil {
				return sdk, fmt.Errorf("%v.%s: %w", model, field.Name, err)
			}
		}
	}
	return sdk, nil
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

func typeOf(t reflect.Type, constants map[string]map[string]string) (Type, error) {
	var result Type
	if t.Kind() == reflect.Pointer {
		result.Nullable = true
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		result.List = true
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[uuid.UUID]():
		result.Kind = "uuid"
	case t == reflect.TypeFor[string]():
		result.Kind = "string"
	case t == reflect.TypeFor[bool]():
		result.Kind = "boolean"
	case t == reflect.TypeFor[int]():
		result.Kind = "integer"
	case t == reflect.TypeFor[float64]():
		result.Kind = "double"
	case constants[t.Name()] != nil:
		result.Kind = "enum"
		for value := range constants[t.Name()] {
			result.Values = append(result.Values, value)
		}
	default:
		for object, model := range Objects {
			if t == model {
				result.Kind = object
			}
		}
	}
	if result.Kind == "" {
		return result, fmt.Errorf("authentik has nothing like %v", t)
	}
	return result, nil
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
