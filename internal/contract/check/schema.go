package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/getkin/kin-openapi/openapi3"
)

// parse returns the release that an OpenAPI schema is of, such as 2026.8, and
// what it says of the SDK's lists.
func parse(schema []byte) (name string, release contract.Release, err error) {
	document, err := openapi3.NewLoader().LoadFromData(schema)
	if err != nil {
		return "", release, err
	}
	if document.Info == nil {
		return "", release, errors.New("it is no OpenAPI schema: there is no info")
	}
	version := strings.SplitN(document.Info.Version, ".", 3)
	if len(version) != 3 {
		return "", release, fmt.Errorf("%q is no version of authentik", document.Info.Version)
	}
	name = version[0] + "." + version[1]
	release = contract.Release{
		Schema:  document.Info.Version,
		Filters: map[string]map[string]contract.Type{},
		Members: map[string]map[string]contract.Type{},
	}
	r := reader{document, release}
	for list := range contract.Options {
		if document.Paths.Value("/"+list) == nil {
			continue // the release has no such stages
		}
		if err := r.list(list); err != nil {
			return "", release, fmt.Errorf("GET /%s: %w", list, err)
		}
	}
	if len(release.Filters) == 0 {
		return "", release, fmt.Errorf("the schema of %s has none of the SDK's lists", document.Info.Version)
	}
	return name, release, nil
}

// reader gathers the facts of a release from its schema.
type reader struct {
	document *openapi3.T
	release  contract.Release
}

func (r reader) list(list string) error {
	operation := r.document.Paths.Value("/" + list).Get
	if operation == nil {
		return errors.New("there is none")
	}
	filters := map[string]contract.Type{}
	for _, parameter := range operation.Parameters {
		t, err := r.typeOf(parameter.Value.Schema)
		if err != nil {
			return fmt.Errorf("%s: %w", parameter.Value.Name, err)
		}
		filters[parameter.Value.Name] = t
	}
	r.release.Filters[list] = filters

	page, err := answer(operation)
	if err != nil {
		return err
	}
	var results contract.Type
	for _, member := range []string{"pagination", "results"} {
		if results, err = r.typeOf(page.Value.Properties[member]); err != nil {
			return fmt.Errorf("%s: %w", member, err)
		}
	}

	retrieve := r.retrieve(list)
	if retrieve == nil {
		return errors.New("one object of it cannot be asked for")
	}
	one, err := answer(retrieve)
	if err != nil {
		return err
	}
	object, err := r.typeOf(one)
	if err == nil && (!results.List || object.Kind != results.Kind) {
		err = fmt.Errorf("the list has %s, one of them is %s", results, object)
	}
	return err
}

// retrieve is the operation for one object of the list.
func (r reader) retrieve(list string) *openapi3.Operation {
	for path, operations := range r.document.Paths.Map() {
		pk, below := strings.CutPrefix(path, "/"+list+"{")
		if below && strings.Index(pk, "}/") == len(pk)-2 {
			return operations.Get
		}
	}
	return nil
}

// answer is the schema of an operation's 200.
func answer(operation *openapi3.Operation) (*openapi3.SchemaRef, error) {
	ok := operation.Responses.Status(200)
	if ok == nil || ok.Value.Content.Get("application/json") == nil || ok.Value.Content.Get("application/json").Schema == nil {
		return nil, errors.New("no 200 with JSON")
	}
	return ok.Value.Content.Get("application/json").Schema, nil
}

// typeOf returns the type of a parameter or a member, and gathers the members of
// the objects that it meets.
func (r reader) typeOf(schema *openapi3.SchemaRef) (contract.Type, error) {
	if schema == nil || schema.Value == nil {
		return contract.Type{}, errors.New("it has no schema")
	}
	nullable := schema.Value.Nullable
	for _, wrapped := range []openapi3.SchemaRefs{schema.Value.AllOf, schema.Value.OneOf} {
		if len(wrapped) == 1 { // a description, or a default, of an enum
			schema = wrapped[0]
		}
	}
	t := contract.Type{Nullable: nullable || schema.Value.Nullable}
	var err error
	switch {
	case schema.Value.Type.Is("array"):
		t, err = r.typeOf(schema.Value.Items)
		t.List, t.Nullable = true, nullable || schema.Value.Nullable
	case schema.Value.Type.Is("object") && schema.Ref != "":
		t.Kind = path.Base(schema.Ref)
		err = r.object(t.Kind, schema.Value)
	case schema.Value.Type.Is("string") && len(schema.Value.Enum) > 0:
		t.Kind = "enum"
		for _, value := range schema.Value.Enum {
			t.Values = append(t.Values, fmt.Sprint(value))
		}
		slices.Sort(t.Values)
	case schema.Value.Type.Is("string") && schema.Value.Format == "uuid":
		t.Kind = "uuid"
	case schema.Value.Type.Is("number") && schema.Value.Format == "double":
		t.Kind = "double"
	case schema.Value.Type.Is("string"), schema.Value.Type.Is("boolean"), schema.Value.Type.Is("integer"), schema.Value.Type.Is("number"):
		t.Kind = schema.Value.Type.Slice()[0]
	default:
		err = fmt.Errorf("its type %v is new to this command", schema.Value.Type)
	}
	return t, err
}

func (r reader) object(name string, schema *openapi3.Schema) error {
	if r.release.Members[name] != nil {
		return nil
	}
	members := map[string]contract.Type{}
	r.release.Members[name] = members
	for member, memberSchema := range schema.Properties {
		t, err := r.typeOf(memberSchema)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", name, member, err)
		}
		t.Required = slices.Contains(schema.Required, member)
		members[member] = t
	}
	return nil
}
