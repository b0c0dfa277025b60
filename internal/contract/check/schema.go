package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/getkin/kin-openapi/openapi3"
)

// unions are the schemas that are one of several objects: any, in the facts.
// They belong to the flow executor, and to transactional applications.
var unions = []string{"ChallengeTypes", "FlowChallengeResponseRequest", "LoginChallengeTypes", "modelRequest"}

// parse returns the facts of an OpenAPI schema.
func parse(schema []byte) (*contract.Facts, error) {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true // for the order of members
	document, err := loader.LoadFromData(schema)
	if err != nil {
		return nil, err
	}
	markUUIDs(document)
	if document.Info == nil {
		return nil, errors.New("it is no OpenAPI schema: there is no info")
	}
	version := document.Info.Version
	if numbers := strings.Split(version, "."); len(numbers) != 3 {
		return nil, fmt.Errorf("%q is no version of authentik", version)
	}
	r := &reader{document: document, names: map[string]string{}, facts: &contract.Facts{Versions: []string{version}}}
	for _, name := range reused {
		if contract.CompareVersions(version, name.until) <= 0 {
			r.names[name.name] = name.object
		}
	}
	if err := r.components(); err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(document.Paths.Map())) {
		for method, operation := range document.Paths.Value(path).Operations() {
			if err := r.operation(method, strings.TrimPrefix(path, "/"), operation); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
	}
	if len(r.facts.Operations) == 0 {
		return nil, fmt.Errorf("the schema of %s has no operations", version)
	}
	return new(contract.Facts).Record(r.facts), nil // in order
}

// reader gathers the facts of a version from its schema.
type reader struct {
	document *openapi3.T
	names    map[string]string // of objects whose name is another's in other versions
	facts    *contract.Facts
}

// spans are those of a fact that the one version has.
func spans() contract.Spans { return contract.Spans{{First: 0, Last: 0}} }

func (r *reader) name(schema string) string {
	if name, ok := r.names[schema]; ok {
		return name
	}
	return schema
}

// components reads the schemas that have a name.
func (r *reader) components() error {
	if r.document.Components == nil {
		return nil
	}
	schemas := r.document.Components.Schemas
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		schema := schemas[name].Value
		var err error
		switch base := patched(name); {
		case isPage(name):
			_, err = r.page(schema)
		case base != "" && schemas[base] != nil:
			err = r.patch(base, schema, schemas[base].Value)
		case len(schema.Enum) > 0:
			err = r.enum(r.name(name), schema)
		case len(schema.OneOf) > 0:
			if !slices.Contains(unions, name) {
				err = errors.New("it is one of several schemas: add it to unions if the SDK need not know which")
			}
		case len(schema.Properties) > 0:
			err = r.object(r.name(name), schema)
		case schema.Type.Is("object") && schema.AdditionalProperties.Schema != nil: // free, where it is used
		default:
			err = fmt.Errorf("a schema of type %v and with a name is new: say in components what it is", schema.Type)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func isPage(name string) bool {
	return strings.HasPrefix(name, "Paginated") && strings.HasSuffix(name, "List")
}

// patched is the name of the request that a patched one is, "" for others.
func patched(name string) string {
	base, ok := strings.CutPrefix(name, "Patched")
	if !ok {
		return ""
	}
	return base
}

// patch checks that a patched request is the request itself with nothing
// required.
func (r *reader) patch(name string, patched, request *openapi3.Schema) error {
	if len(patched.Required) > 0 {
		return fmt.Errorf("it requires %v: record it for itself", patched.Required)
	}
	want, err := r.members(name, request)
	if err != nil {
		return err
	}
	got, err := r.members(name, patched)
	if err == nil && !slices.Equal(got, want) {
		err = fmt.Errorf("it is not %s with nothing required: record it for itself", name)
	}
	return err
}

// members are the members of an object as text, except what is required, and
// those of the objects in it that have no name.
func (r *reader) members(name string, schema *openapi3.Schema) ([]string, error) {
	beside := &reader{document: r.document, names: r.names, facts: new(contract.Facts)}
	if err := beside.object(name, schema); err != nil {
		return nil, err
	}
	var members []string
	for _, o := range beside.facts.Objects {
		for _, m := range o.Members {
			m.Required = m.Required && o.Name != name
			members = append(members, o.Name+" "+m.String())
		}
	}
	slices.Sort(members)
	return members, nil
}

func (r *reader) enum(name string, schema *openapi3.Schema) error {
	e := &contract.Enum{Name: name, Spans: spans()}
	switch {
	case schema.Type.Is("integer"):
		e.Number = true
	case !schema.Type.Is("string"):
		return fmt.Errorf("an enum of type %v is new", schema.Type)
	}
	for _, value := range schema.Enum {
		if value == nil {
			return errors.New("null among the values of an enum is new")
		}
		e.Values = append(e.Values, &contract.Value{Value: fmt.Sprint(value), Spans: spans()})
	}
	r.facts.Enums = append(r.facts.Enums, e)
	return nil
}

func (r *reader) object(name string, schema *openapi3.Schema) error {
	o := &contract.Object{Name: name, Open: schema.AdditionalProperties.Schema != nil, Spans: spans()}
	for _, member := range inOrder(schema.Properties) {
		m, err := r.member(name, member, schema.Properties[member])
		if err != nil {
			return fmt.Errorf("%s: %w", member, err)
		}
		m.Required = slices.Contains(schema.Required, member)
		o.Members = append(o.Members, m)
	}
	r.facts.Objects = append(r.facts.Objects, o)
	return nil
}

// inOrder are the names of members in the order of the document.
func inOrder(members openapi3.Schemas) []string {
	place := func(name string) (line, column int) {
		origin := members[name].Origin // of a reference
		if origin == nil {
			origin = members[name].Value.Origin
		}
		if origin == nil || origin.Key == nil {
			return 0, 0
		}
		return origin.Key.Line, origin.Key.Column
	}
	return slices.SortedFunc(maps.Keys(members), func(a, b string) int {
		lineA, columnA := place(a)
		lineB, columnB := place(b)
		return cmp.Or(cmp.Compare(lineA, lineB), cmp.Compare(columnA, columnB), strings.Compare(a, b))
	})
}

// markUUIDs gives the members their format.
func markUUIDs(document *openapi3.T) {
	if document.Components == nil {
		return
	}
	for _, name := range uuids {
		object, member, _ := strings.Cut(name, ".")
		if schema := document.Components.Schemas[object]; schema != nil && schema.Value.Properties[member] != nil {
			schema.Value.Properties[member].Value.Format = "uuid"
		}
	}
}

// uuids are members that the schemas call texts and that are the UUID of a group or
// a role in the answers of all releases.
var uuids = []string{
	"RoleAssignedObjectPermission.role_pk",
	"UserSelfGroups.pk",
	"UserSelfRoles.pk",
	"UserServiceAccountResponse.group_pk",
}

func (r *reader) member(owner, name string, schema *openapi3.SchemaRef) (*contract.Member, error) {
	t, err := r.typeOf(owner+"."+name, schema)
	if err != nil {
		return nil, err
	}
	m := &contract.Member{
		Name: name, Type: t, ReadOnly: schema.Value.ReadOnly, WriteOnly: schema.Value.WriteOnly,
		MinLength: int(schema.Value.MinLength), Spans: spans(),
	}
	m.Default, err = defaultOf(schema)
	return m, err
}

// defaultOf is the default as JSON. That of a schema with a name is not its
// members'.
func defaultOf(schema *openapi3.SchemaRef) (string, error) {
	if schema.Ref != "" || schema.Value.Default == nil {
		return "", nil
	}
	text, err := json.Marshal(schema.Value.Default)
	return string(text), err
}

// typeOf returns the type of a parameter, a member or a body. What has members
// or values but no name gets the one given.
func (r *reader) typeOf(name string, schema *openapi3.SchemaRef) (contract.Type, error) {
	if schema == nil || schema.Value == nil {
		return contract.Type{}, errors.New("it has no schema")
	}
	s := schema.Value
	t := contract.Type{Nullable: s.Nullable}
	var err error
	switch {
	case schema.Ref != "":
		t, err = r.reference(path.Base(schema.Ref), s)
	case len(s.AllOf) == 1: // beside a description, a default, or null
		t, err = r.typeOf(name, s.AllOf[0])
		t.Nullable = t.Nullable || s.Nullable
	case len(s.AllOf) > 0, len(s.OneOf) > 0, len(s.AnyOf) > 0:
		err = errors.New("it is several schemas together, or one of several: say in typeOf what it is")
	case len(s.Enum) > 0:
		t.Kind, t.Name = "enum", name
		err = r.enum(name, s)
	case s.Type.Is("array"):
		t.Kind, t.Elem = "array", new(contract.Type)
		*t.Elem, err = r.typeOf(name, s.Items)
	case s.Type.Is("object") && len(s.Properties) > 0:
		t.Kind, t.Name = "ref", name
		err = r.object(name, s)
	case s.Type.Is("object") && s.AdditionalProperties.Schema != nil && !isAny(s.AdditionalProperties.Schema.Value):
		t.Kind, t.Elem = "map", new(contract.Type)
		*t.Elem, err = r.typeOf(name, s.AdditionalProperties.Schema)
	case s.Type.Is("object"):
		t.Kind = "object"
	case isAny(s):
		t.Kind = "any"
	case s.Type.Is("string") && slices.Contains([]string{"uuid", "date-time", "date", "uri", "email", "binary"}, s.Format),
		s.Type.Is("integer") && s.Format == "int64", s.Type.Is("number") && s.Format == "double":
		t.Kind = s.Format
	case s.Format == "" && (s.Type.Is("string") || s.Type.Is("boolean") || s.Type.Is("integer") || s.Type.Is("number")):
		t.Kind = s.Type.Slice()[0]
	default:
		err = fmt.Errorf("the type %v with the format %q is new: say in typeOf what it is", s.Type, s.Format)
	}
	return t, err
}

// isAny reports whether the schema allows everything.
func isAny(s *openapi3.Schema) bool {
	return s.Type == nil && s.Format == "" && len(s.Properties) == 0 && s.AdditionalProperties.Schema == nil && s.Items == nil && s.Not == nil &&
		len(s.AllOf)+len(s.OneOf)+len(s.AnyOf)+len(s.Enum) == 0
}

func (r *reader) reference(name string, schema *openapi3.Schema) (contract.Type, error) {
	t := contract.Type{Kind: "ref", Name: r.name(name), Nullable: schema.Nullable}
	switch base := patched(name); {
	case isPage(name):
		return t, errors.New("a page within something is new")
	case base != "" && r.document.Components.Schemas[base] != nil:
		t.Name = r.name(base)
	case len(schema.Enum) > 0:
		t.Kind = "enum"
	case len(schema.OneOf) > 0:
		t.Kind = "any"
	case len(schema.Properties) == 0:
		t.Kind, t.Name = "object", ""
	}
	return t, nil
}

// page returns the type of the results of a page.
func (r *reader) page(schema *openapi3.Schema) (contract.Type, error) {
	names := slices.Sorted(maps.Keys(schema.Properties))
	if !slices.Equal(names, []string{"autocomplete", "pagination", "results"}) && !slices.Equal(names, []string{"pagination", "results"}) {
		return contract.Type{}, fmt.Errorf("a page of %v is new", names)
	}
	results := schema.Properties["results"].Value
	if !results.Type.Is("array") || results.Items == nil || results.Items.Ref == "" {
		return contract.Type{}, errors.New("its results are no list of objects with a name")
	}
	return r.typeOf("", results.Items)
}

func (r *reader) operation(method, path string, operation *openapi3.Operation) error {
	o := &contract.Operation{Method: method, Path: path, ID: operation.OperationID, Spans: spans()}
	o.NoToken, o.Auth = r.security(operation)
	for _, parameter := range operation.Parameters {
		p, err := r.parameter(o, parameter.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", parameter.Value.Name, err)
		}
		o.Parameters = append(o.Parameters, p)
	}
	var err error
	if body := operation.RequestBody; body != nil {
		if o.Bodies, err = r.contents(o, 0, body.Value.Content); err != nil {
			return fmt.Errorf("its body: %w", err)
		}
		for _, b := range o.Bodies {
			b.Required = body.Value.Required
		}
	}
	for code, response := range operation.Responses.Map() {
		status, err := strconv.Atoi(code)
		if err != nil {
			return fmt.Errorf("the status %q is new", code)
		}
		if status/100 != 2 {
			continue
		}
		contents, err := r.contents(o, status, response.Value.Content)
		if err != nil {
			return fmt.Errorf("%s: %w", code, err)
		}
		o.Answers = append(o.Answers, contents...)
	}
	if len(o.Answers) == 0 {
		return errors.New("it has no answer")
	}
	r.facts.Operations = append(r.facts.Operations, o)
	return nil
}

// apiToken is the scheme of the API's token in the schemas.
const apiToken = "authentik"

func (r *reader) security(operation *openapi3.Operation) (noToken bool, auth string) {
	requirements := r.document.Security
	if operation.Security != nil {
		requirements = *operation.Security
	}
	schemes := map[string]bool{}
	for _, requirement := range requirements {
		noToken = noToken || len(requirement) == 0
		for scheme := range requirement {
			schemes[scheme] = true
		}
	}
	switch {
	case len(requirements) == 0:
		auth = "undeclared"
	case !noToken && !schemes[apiToken]:
		auth = strings.Join(slices.Sorted(maps.Keys(schemes)), ",")
	}
	return noToken, auth
}

func (r *reader) parameter(o *contract.Operation, parameter *openapi3.Parameter) (*contract.Parameter, error) {
	if parameter.In != "path" && parameter.In != "query" {
		return nil, fmt.Errorf("a parameter in %q is new", parameter.In)
	}
	t, err := r.typeOf(o.ID+"."+parameter.Name, parameter.Schema)
	if err != nil {
		return nil, err
	}
	p := &contract.Parameter{Name: parameter.Name, In: parameter.In, Type: t, Required: parameter.Required, Spans: spans()}
	p.Explode = t.Kind == "array" && (parameter.Explode == nil || *parameter.Explode)
	p.Default, err = defaultOf(parameter.Schema)
	return p, err
}

func (r *reader) contents(o *contract.Operation, status int, content openapi3.Content) ([]*contract.Content, error) {
	if len(content) == 0 {
		return []*contract.Content{{Status: status, Spans: spans()}}, nil
	}
	var contents []*contract.Content
	for media, value := range content {
		c := &contract.Content{Status: status, Media: media, Spans: spans()}
		var err error
		if schema := value.Schema; schema != nil && isPage(path.Base(schema.Ref)) {
			c.Page = true
			c.Type, err = r.page(schema.Value)
		} else {
			c.Type, err = r.typeOf(o.ID, schema)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", media, err)
		}
		contents = append(contents, c)
	}
	return contents, nil
}
