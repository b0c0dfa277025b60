package authentiktest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// ask sends a request to the server and returns the answer.
func ask(t *testing.T, s *Server, method, path string, body any) (status int, answer string) {
	t.Helper()
	var sent io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(b)
	}
	request := httptest.NewRequestWithContext(t.Context(), method, "/api/v3/"+path, sent)
	request.Header.Set("Authorization", "Bearer "+s.Token)
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

// askFor is ask, where the answer must have the status. It decodes the answer.
func askFor(t *testing.T, s *Server, status int, method, path string, body any) map[string]any {
	t.Helper()
	got, answer := ask(t, s, method, path, body)
	if got != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, got, answer, status)
	}
	if answer == "" {
		return nil
	}
	object, _ := fromJSON(answer).(map[string]any)
	return object
}

func readFacts(t *testing.T) *contract.Facts {
	t.Helper()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// checkType checks that the value is of the type of the facts.
func checkType(t *testing.T, facts *contract.Facts, name string, typ contract.Type, value any) {
	t.Helper()
	if value == nil && (typ.Nullable || typ.Kind == "any" || typ.Kind == "ref") { // which servers send where there is no such object
		return
	}
	text, isText := value.(string)
	var valid bool
	switch typ.Kind {
	case "string", "binary":
		valid = isText
	case "uri", "email":
		valid = isText
	case "uuid":
		id, err := uuid.Parse(text)
		valid = err == nil && id.String() == text
	case "date-time":
		_, err := time.Parse(time.RFC3339Nano, text)
		valid = err == nil
	case "date":
		_, err := time.Parse(time.DateOnly, text)
		valid = err == nil
	case "boolean":
		_, valid = value.(bool)
	case "integer", "int64", "number", "double":
		_, valid = value.(json.Number)
	case "object", "map":
		_, valid = value.(map[string]any)
	case "any":
		valid = true
	case "array":
		items, ok := value.([]any)
		for i, item := range items {
			checkType(t, facts, fmt.Sprintf("%s.%d", name, i), *typ.Elem, item)
		}
		valid = ok
	case "enum":
		valid = slices.ContainsFunc(facts.Enum(typ.Name).Values, func(v *contract.Value) bool { return v.Value == canonical(value) })
	case "ref":
		if object, ok := value.(map[string]any); ok {
			valid = true
			checkMembers(t, facts, name, typ.Name, object)
		}
	}
	if !valid {
		t.Errorf("%s is %#v, want %s", name, value, typ)
	}
}

// checkMembers checks that the object has what the facts require, and nothing that
// they do not know.
func checkMembers(t *testing.T, facts *contract.Facts, name, typ string, object map[string]any) {
	t.Helper()
	o := facts.Object(typ)
	known := map[string]bool{}
	for _, m := range o.Members {
		known[m.Name] = true
		value, ok := object[m.Name]
		if ok {
			checkType(t, facts, name+"."+m.Name, m.Type, value)
		} else if m.Required && !slices.Contains(absent[typ], m.Name) {
			t.Errorf("%s.%s is missing", name, m.Name)
		}
	}
	for member := range object {
		if !known[member] {
			t.Errorf("%s.%s is not of %s", name, member, typ)
		}
	}
}

// results are the objects on the first page of a list.
func results(t *testing.T, s *Server, path string) []any {
	t.Helper()
	return askFor(t, s, http.StatusOK, http.MethodGet, path, nil)["results"].([]any)
}

// query is the required part of the list's query.
func (k *kind) query() string {
	query := url.Values{}
	for _, f := range k.filters {
		if f.required {
			query.Set(f.name, "authentik_core.user")
		}
	}
	return "?" + query.Encode()
}

// TestLists goes through each list: what is added, listed, found by each filter,
// retrieved, created, updated and deleted is what the facts say.
func TestLists(t *testing.T) {
	t.Parallel()
	all := readFacts(t)
	facts := map[string]*contract.Facts{}
	for _, version := range versions {
		facts[contract.ReleaseOf(version)] = all.At(version)
	}
	fields := reflect.TypeFor[Lists]()
	if len(kinds) != fields.NumField() {
		t.Errorf("%d lists in the table, %d fields", len(kinds), fields.NumField())
	}
	for i := range fields.NumField() {
		t.Run(fields.Field(i).Name, func(t *testing.T) {
			t.Parallel()
			s := NewServer()
			t.Cleanup(s.Close)
			objects := reflect.ValueOf(s.Lists).Field(i)
			path := objects.Elem().FieldByName("path").String()
			k := kindOf(path)
			release := cmp.Or(k.until, contract.ReleaseOf(versions[len(versions)-1]))
			s.SetRelease(release)
			s.License()
			facts := facts[release]
			zero := reflect.New(objects.MethodByName("Add").Type().In(0))
			if strings.HasPrefix(path, "rbac/permissions/assigned_by_") { // which list who has a permission
				permission := `[{"app_label":"authentik_core","model":"user"}]`
				name := "permissions"
				if strings.HasSuffix(path, "roles/") {
					name = "model_permissions"
				}
				if err := json.Unmarshal([]byte(`{"`+name+`":`+permission+`}`), zero.Interface()); err != nil {
					t.Fatal(err)
				}
			}
			added := objects.MethodByName("Add").Call([]reflect.Value{zero.Elem()})[0]

			listed := results(t, s, path+k.query())
			if len(listed) != 1 {
				t.Fatalf("%d objects in the list, want 1", len(listed))
			}
			object := listed[0].(map[string]any)
			checkMembers(t, facts, path, k.object, object)
			testFilters(t, s, k, facts, object)
			testService(t, s, fields.Field(i).Name, k, added, object)
			if strings.Contains(k.methods, "POST") {
				testWrites(t, s, k, facts)
			} else if status, answer := ask(t, s, http.MethodPost, path, map[string]any{}); status != http.StatusMethodNotAllowed {
				t.Errorf("POST: %d %s", status, answer)
			}
		})
	}
}

// testService reads through the SDK's service what the server has.
func testService(t *testing.T, s *Server, name string, k *kind, added reflect.Value, object map[string]any) {
	t.Helper()
	client, err := s.Client(authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	service := reflect.ValueOf(client).Elem().FieldByName(name)
	if list := service.MethodByName("List"); list.Type().NumIn() == 2 && k.query() == "?" {
		out := list.Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.Zero(list.Type().In(1))})
		if err, _ := reflect.TypeAssert[error](out[1]); err != nil {
			t.Fatal(err)
		}
		listed := out[0].Elem().FieldByName("Results").Index(0)
		if diff := gocmp.Diff(added.Interface(), listed.Interface()); diff != "" {
			t.Errorf("List (-added +listed):\n%s", diff)
		}
	}
	retrieve := service.MethodByName("Retrieve")
	if !retrieve.IsValid() {
		return
	}
	id := reflect.New(retrieve.Type().In(1))
	b, err := json.Marshal(object[k.identity])
	if err == nil {
		err = json.Unmarshal(b, id.Interface())
	}
	if err != nil {
		t.Fatal(err)
	}
	in := []reflect.Value{reflect.ValueOf(t.Context()), id.Elem()}
	for i := len(in); i < retrieve.Type().NumIn(); i++ {
		in = append(in, reflect.Zero(retrieve.Type().In(i)))
	}
	out := retrieve.Call(in)
	if err, _ := reflect.TypeAssert[error](out[1]); err != nil {
		t.Fatal(err)
	}
	if got := out[0].Elem(); got.Type() == added.Type() {
		if diff := gocmp.Diff(added.Interface(), got.Interface()); diff != "" {
			t.Errorf("Retrieve (-added +retrieved):\n%s", diff)
		}
	}
}

// testFilters asks for the object by each filter, and by a value that it has not.
func testFilters(t *testing.T, s *Server, k *kind, facts *contract.Facts, object map[string]any) {
	t.Helper()
	for _, p := range facts.Operation("GET", k.path).Parameters {
		if slices.Contains([]string{"page", "page_size", "ordering", "search"}, p.Name) || p.Required {
			continue
		}
		ask := func(value string) (int, string) {
			return ask(t, s, http.MethodGet, k.path+k.query()+"&"+url.Values{p.Name: {value}}.Encode(), nil)
		}
		i := slices.IndexFunc(k.filters, func(f filter) bool { return f.name == p.Name })
		if i < 0 {
			t.Errorf("the table has no filter %s", p.Name)
			continue
		}
		f := k.filters[i]
		typ := p.Type
		if typ.Kind == "array" {
			typ = *typ.Elem
		}
		value, other := sample(facts, typ)
		if f.name == "client_ip" && k.path == "events/events/" || f.name == "property_mappings__iexact" {
			continue // the first fails on what is no address, the second takes its own kind alone
		}
		if fact := s.facts().Lists[k.path]; fact != nil && fact.Filters[p.Name] != nil && fact.Filters[p.Name].Lookup == "iexact" && fact.Filters[p.Name].Class != "CharFilter" {
			if status, answer := ask(value); status != http.StatusInternalServerError {
				t.Errorf("%s=%s: %d %s, want a failure", p.Name, value, status, answer)
			}
			continue
		}
		if f.lookup == unserved && k.path+f.name != "rbac/permissions/role" {
			if status, answer := ask(value); status != http.StatusBadRequest || !strings.Contains(answer, "authentiktest: ") {
				t.Errorf("%s: %d %s, want a refusal", p.Name, status, answer)
			}
			continue
		}
		has, ok := object[f.member]
		if m := s.member(k.object, f.member); m != nil && m.is(writeOnly) {
			has, ok = s.lists[k.path].objects[0].members[f.member]
		}
		if !ok || f.lookup != exact && f.lookup != oneOf || len(flat(has)) == 0 || canonical(flat(has)[0]) == "" {
			if status, answer := ask(value); status != http.StatusOK && (status != http.StatusBadRequest || !strings.Contains(answer, "Select a valid choice") && !strings.Contains(answer, "User not found")) {
				t.Errorf("%s=%s: %d %s", p.Name, value, status, answer)
			}
			continue
		}
		if _, ok := has.(map[string]any); ok {
			continue
		}
		own := canonical(flat(has)[0])
		if own != strings.TrimSpace(own) {
			continue // authentik strips what it looks for
		}
		if status, answer := ask(own); status != http.StatusOK || !strings.Contains(answer, `"count":1,`) {
			t.Errorf("%s=%s: %d %s, want one object", p.Name, own, status, answer)
		}
		if own == other {
			other = value
		}
		status, answer := ask(other)
		if typ.Kind == "enum" && own == other {
			continue // there is no other
		}
		none := status == http.StatusOK && strings.Contains(answer, `"count":0,`)
		if !none && (status != http.StatusBadRequest || !strings.Contains(answer, "Select a valid choice")) {
			t.Errorf("%s=%s: %d %s, want none", p.Name, other, status, answer)
		}
	}
}

// sample returns two values of a type as a query has them.
func sample(facts *contract.Facts, typ contract.Type) (value, other string) {
	switch typ.Kind {
	case "uuid":
		return uuid.NewString(), uuid.NewString()
	case "boolean":
		return "true", "false"
	case "integer", "int64", "number", "double":
		return "7", "8"
	case "date-time", "date":
		return "2001-02-03T04:05:06Z", "2002-02-03T04:05:06Z"
	case "enum":
		values := facts.Enum(typ.Name).Values
		return values[0].Value, values[len(values)-1].Value
	}
	return "some", "other"
}

// newBody makes what a create of the kind asks for, with what it refers to.
func newBody(t *testing.T, s *Server, facts *contract.Facts, object, request, name string) map[string]any {
	t.Helper()
	body := map[string]any{}
	for _, m := range facts.Object(request).Members {
		if m.Required {
			body[m.Name] = newValue(t, s, facts, object, m, m.Type, name)
		}
	}
	return body
}

func newValue(t *testing.T, s *Server, facts *contract.Facts, object string, m *contract.Member, typ contract.Type, name string) any {
	t.Helper()
	known := s.member(object, m.Name)
	if known != nil && known.fact != nil && known.fact.Slug != "" {
		user := s.referred(known.list, canonical(s.newReference(known.list)))
		if typ.Kind == "array" {
			return []any{user.members[known.fact.Slug]}
		}
		return user.members[known.fact.Slug]
	}
	if known != nil && known.list != "" && (typ.Kind == "uuid" || typ.Kind == "integer") {
		return s.newReference(known.list)
	}
	switch typ.Kind {
	case "array":
		return []any{newValue(t, s, facts, object, m, *typ.Elem, name)}
	case "ref":
		return newBody(t, s, facts, cmp.Or(strings.TrimSuffix(typ.Name, "Request"), object), typ.Name, name)
	case "uri":
		return "https://" + name + ".example.com"
	case "email":
		return name + "@example.com"
	case "boolean":
		return true
	case "integer", "int64", "number", "double":
		return json.Number("3")
	case "object", "map":
		return map[string]any{"a": "b"}
	case "any":
		return "any"
	case "string", "binary":
		return name
	}
	value, _ := sample(facts, typ)
	return value
}

// newReference adds an object to a list, or to one of its parts, and returns its key.
func (s *Server) newReference(path string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	path = cmp.Or(map[string]string{
		targets: "core/applications/", "stages/all/": "stages/dummy/", "endpoints/connectors/": "endpoints/agents/connectors/", "providers/all/": "providers/proxy/",
	}[path], path)
	o := s.add(s.list(path), map[string]any{})
	return o.members[o.list.kind.key]
}

// companions are what a create needs beside what the schema requires.
var companions = map[string]map[string]any{
	"lifecycle/rules/":                         {"content_type": "authentik_core.group"}, // one for all applications is there
	"crypto/certificatekeypairs/":              {"certificate_data": testCertificate},
	"managed/blueprints/":                      {"content": "version: 1"},
	"outposts/service_connections/kubernetes/": {"local": true, "kubeconfig": map[string]any{}},
	"policies/event_matcher/":                  {"action": nil, "client_ip": nil, "app": nil, "model": nil, "query": nil},
	"policies/reputation/":                     {"check_ip": true},
	"providers/proxy/":                         {"mode": "forward_single"},
	"sources/ldap/":                            {"server_uri": "ldaps://ldap.example.com"},
	"sources/oauth/":                           {"provider_type": "discord"},
	"sources/saml/":                            {"issuer": "issuer"},
	"stages/identification/":                   {"user_fields": []any{"email"}},
	"stages/redirect/":                         {"target_static": "https://example.com"},
}

// ownReferences are references that a create needs beside what the schema requires.
var ownReferences = map[string][]string{
	"endpoints/device_bindings/": {"policy"},
	"policies/bindings/":         {"policy"},
}

// unmakable are lists that no request of the API can add to: authentik fails.
var unmakable = []string{
	"authenticators/admin/duo/", "authenticators/admin/email/", "authenticators/admin/endpoint/", "authenticators/admin/sms/",
	"authenticators/admin/static/", "authenticators/admin/totp/", "authenticators/admin/webauthn/",
}

func testWrites(t *testing.T, s *Server, k *kind, facts *contract.Facts) {
	t.Helper()
	operation := facts.Operation("POST", k.path)
	request := operation.Bodies[len(operation.Bodies)-1].Type.Name
	refused := map[string]any{}
	for _, m := range facts.Object(request).Members {
		if m.Required {
			refused[m.Name] = []any{"This field is required."}
		}
	}
	if len(refused) > 0 {
		got := askFor(t, s, http.StatusBadRequest, http.MethodPost, k.path, map[string]any{})
		if diff := gocmp.Diff(refused, got); diff != "" {
			t.Errorf("POST {} (-want +got):\n%s", diff)
		}
	}
	body := newBody(t, s, facts, k.object, request, "created")
	if slices.Contains(unmakable, k.path) {
		askFor(t, s, http.StatusMethodNotAllowed, http.MethodPost, k.path, body)
		return
	}
	body["not_a_member"] = "ignored"
	maps.Copy(body, companions[k.path])
	for _, name := range ownReferences[k.path] {
		body[name] = s.newReference(s.member(k.object, name).list)
	}
	created := askFor(t, s, http.StatusCreated, http.MethodPost, k.path, body)
	checkMembers(t, facts, k.path, operation.Answers[len(operation.Answers)-1].Type.Name, created)
	if k.created != "" {
		created = results(t, s, k.path)[1].(map[string]any)
	}
	for name, sent := range body {
		m := s.member(k.object, name)
		if m == nil || m.is(writeOnly) || m.is(readOnly) || isObject(strings.TrimLeft(m.typ, "[]")) {
			continue
		}
		if got := created[name]; m.typ != "date-time" && gocmp.Diff(fmt.Sprint(sent), fmt.Sprint(got)) != "" {
			t.Errorf("created %s is %v, want %v", name, got, sent)
		}
	}
	one := k.path + url.PathEscape(canonical(created[k.identity])) + "/"
	if k.parameter == "" {
		return
	}
	got := askFor(t, s, http.StatusOK, http.MethodGet, one, nil)
	if diff := gocmp.Diff(created, got, ignoreShown); diff != "" && k.detail == "" {
		t.Errorf("GET (-created +got):\n%s", diff)
	}
	testWritesOfOne(t, s, k, one, body, created, len(refused) > 0)
}

// testWritesOfOne writes the object that was created by the body, at its path.
func testWritesOfOne(t *testing.T, s *Server, k *kind, one string, body, created map[string]any, requires bool) {
	t.Helper()
	for name := range s.list(k.path).taken {
		if _, ok := body[name]; ok {
			got := askFor(t, s, http.StatusBadRequest, http.MethodPost, k.path, body)
			if words := fmt.Sprint(got[name]); words != "[This field must be unique.]" && !strings.HasSuffix(words, " already exists.]") {
				t.Errorf("the second POST: %v", got)
			}
			break
		}
	}
	if strings.Contains(k.methods1, "PATCH") {
		needed := map[string]any{}
		for name := range companions[k.path] {
			needed[name] = body[name]
		}
		for _, name := range ownReferences[k.path] {
			needed[name], needed["target"] = body[name], body["target"]
		}
		if diff := gocmp.Diff(created, askFor(t, s, http.StatusOK, http.MethodPatch, one, needed), ignoreUpdated, ignoreShown); diff != "" {
			t.Errorf("PATCH {} (-created +got):\n%s", diff)
		}
		if diff := gocmp.Diff(created, askFor(t, s, http.StatusOK, http.MethodPut, one, body), ignoreUpdated, ignoreShown); diff != "" {
			t.Errorf("PUT (-created +got):\n%s", diff)
		}
		if requires {
			askFor(t, s, http.StatusBadRequest, http.MethodPut, one, map[string]any{})
		}
	}
	if strings.Contains(k.methods1, "DELETE") {
		if got := askFor(t, s, http.StatusNoContent, http.MethodDelete, one, nil); got != nil {
			t.Errorf("DELETE answered %v", got)
		}
		askFor(t, s, http.StatusNotFound, http.MethodGet, one, nil)
		askFor(t, s, http.StatusNotFound, http.MethodDelete, one, nil)
	}
}

var (
	ignoreUpdated = gocmp.FilterPath(func(p gocmp.Path) bool {
		return strings.Contains(p.GoString(), `"last_updated"`) || strings.Contains(p.GoString(), `"expires"`) // that of a token, set at each write
	}, gocmp.Ignore())
	// ignoreShown ignores objects in others: the answer to a write shows them by their base.
	ignoreShown = gocmp.FilterPath(func(p gocmp.Path) bool { return strings.Contains(p.GoString(), `_obj"`) }, gocmp.Ignore())
)

// TestUnserved keeps the filters that the fake refuses to those that the package's
// documentation names.
func TestUnserved(t *testing.T) {
	t.Parallel()
	var got []string
	for _, k := range kinds {
		for _, f := range k.filters {
			if f.lookup == unserved && k.path+f.name != "rbac/permissions/role" { // of which the server's grants tell
				got = append(got, k.path+"?"+f.name)
			}
		}
	}
	want := []string{
		"core/application_entitlements/requestable/?name", "lifecycle/iterations/open/?user_is_reviewer",
		"rbac/permissions/?user",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
