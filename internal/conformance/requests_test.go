package conformance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/authentik-go/authentik/internal/testkit/sample"
	"github.com/google/go-cmp/cmp"
)

// releases are the facts of each version alone, the oldest first.
var releases = sync.OnceValue(func() []*contract.Facts {
	var all []*contract.Facts
	for _, version := range recordedFacts().Versions {
		all = append(all, recordedFacts().At(version))
	}
	return all
})

// bodies makes what the facts of one release name, as requests send it.
func bodies(release *contract.Facts) sample.Maker {
	return sample.Maker{Facts: release, Scalar: plain, Elems: 1}
}

// plain is a value that a server takes.
func plain(_ string, t contract.Type) any {
	return map[string]any{
		"uuid":      pk.String(),
		"string":    "text",
		"uri":       "https://example.com/path",
		"email":     "user@example.com",
		"date":      "2026-11-24",
		"date-time": "2026-11-24T12:00:00.5Z",
		"boolean":   true,
		"integer":   7.0,
		"int64":     7.0,
		"number":    7.0,
		"double":    0.5,
		"object":    map[string]any{"a": []any{1.0, nil}},
		"any":       map[string]any{"b": "c"},
	}[t.Kind]
}

// states are all that a request may say of the member, besides saying nothing.
func states(s sample.Maker, m *contract.Member) []any {
	states := []any{s.Value(m.Name, m.Type)}
	if m.Type.Nullable {
		states = append(states, nil)
	}
	if zero, has := sample.Zero(m.Type); has && m.MinLength == 0 {
		states = append(states, zero)
	}
	switch {
	case m.Type.Kind == "ref":
		states = append(states, map[string]any{})
	case m.Type.Kind == "array" && m.Type.Elem.Nullable:
		states = append(states, []any{nil})
	case m.Type.Kind == "enum":
		states = append(states, sample.EnumValues(s.Facts.Enum(m.Type.Name))...)
	}
	return states
}

// requestFacts are what the newest release that has the request says of it.
func requestFacts(t *testing.T, schema string) (sample.Maker, *contract.Object) {
	t.Helper()
	for _, facts := range slices.Backward(releases()) {
		if o := facts.Object(schema); o != nil {
			return bodies(facts), o
		}
	}
	t.Fatalf("no release has %s", schema)
	return sample.Maker{}, nil
}

// sentBy is what the client sends for the request, which encoding/json has to
// write alike.
func sentBy(t *testing.T, request any) map[string]any {
	t.Helper()
	var sent, standard map[string]any
	b, err := codec.Marshal(request)
	if err == nil {
		err = json.Unmarshal(b, &sent)
	}
	if err != nil {
		t.Fatal(err)
	}
	if b, err = json.Marshal(request); err == nil {
		err = json.Unmarshal(b, &standard)
	}
	if err != nil || !reflect.DeepEqual(sent, standard) {
		t.Errorf("encoding/json writes %s (error %v), and the SDK %v", b, err, sent)
	}
	return sent
}

// filled returns a request, through a pointer, that says what document says: it
// is set to what the document is decoded to.
func filled(t *testing.T, request reflect.Type, document map[string]any) reflect.Value {
	t.Helper()
	v := reflect.New(request)
	b, err := json.Marshal(document)
	if err == nil {
		err = codec.Unmarshal(b, v.Interface())
	}
	if err != nil {
		t.Fatalf("%v cannot say %s: %v", request, b, err)
	}
	return v
}

// TestRequestsSayEveryState has each request leave out and send each member, as
// each value that the schema allows for it.
func TestRequestsSayEveryState(t *testing.T) {
	t.Parallel()
	for schema, request := range sdk.Requests {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			if got := sentBy(t, reflect.New(request).Interface()); len(got) > 0 {
				t.Errorf("the zero sends %v", got)
			}
			s, o := requestFacts(t, schema)
			for _, m := range o.Members {
				if m.Type.Kind == "binary" {
					continue // of an upload, which is no JSON
				}
				for _, value := range states(s, m) {
					if value == float64(0) && isID(m) {
						continue
					}
					want := map[string]any{m.Name: value}
					if diff := cmp.Diff(want, sentBy(t, filled(t, request, want).Interface())); diff != "" {
						t.Errorf("%s: cannot be sent as %v (-want +got):\n%s", m.Name, value, diff)
					}
				}
				for _, wrong := range wrongValues(m.Type, jsonFields(request)[m.Name]) {
					b, _ := json.Marshal(map[string]any{m.Name: wrong})
					if err := codec.Unmarshal(b, reflect.New(request).Interface()); err == nil {
						t.Errorf("%s: can be sent as %v, which is no %s", m.Name, wrong, m.Type)
					}
				}
			}
			want := s.Object(o.Name)
			if diff := cmp.Diff(want, sentBy(t, filled(t, request, want).Interface())); diff != "" {
				t.Errorf("all members at once (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRequestsHaveTheSchemasMembers compares the members of each request with
// those of the newest release, and what is beyond with all others.
func TestRequestsHaveTheSchemasMembers(t *testing.T) {
	t.Parallel()
	facts := recordedFacts()
	for schema, request := range sdk.Requests {
		_, o := requestFacts(t, schema)
		fields := sdk.FieldsByTag(request, "json")
		for _, m := range o.Members {
			if _, ok := fields[m.Name]; !ok {
				t.Errorf("%v has no %s", request, m.Name)
			}
			if m.ReadOnly {
				t.Errorf("%s.%s is read only, yet a member of a request", schema, m.Name)
			}
			delete(fields, m.Name)
		}
		for name := range fields {
			if !slices.ContainsFunc(facts.Object(schema).Members, func(m *contract.Member) bool { return m.Name == name }) {
				t.Errorf("%v has %s, which no release has", request, name)
			}
		}
	}
}

// TestRequestsOfEveryOperation looks for the type of each body of the newest
// release, and of each object in one.
func TestRequestsOfEveryOperation(t *testing.T) {
	t.Parallel()
	facts := releases()[len(releases())-1]
	seen := map[string]bool{}
	var look func(contract.Type)
	look = func(typ contract.Type) {
		if typ.Elem != nil {
			look(*typ.Elem)
		}
		if typ.Kind != "ref" || seen[typ.Name] {
			return
		}
		seen[typ.Name] = true
		if sdk.Requests[typ.Name] == nil {
			t.Errorf("there is no type of %s", typ.Name)
		}
		for _, m := range facts.Object(typ.Name).Members {
			look(m.Type)
		}
	}
	for _, op := range facts.Operations {
		for _, body := range op.Bodies {
			if contract.LeftOut[op.Method+" "+op.Path] == "" {
				look(body.Type)
			}
		}
	}
	for schema := range sdk.Requests {
		if !seen[schema] && facts.Object(schema) != nil {
			t.Errorf("nothing takes %s", schema)
		}
	}
}

// isID reports whether a member is the number of an object, which is never 0.
func isID(m *contract.Member) bool {
	return m.Type.Kind == "integer" && !m.Type.Nullable && slices.Contains([]string{"pk", "provider", "user", "user_pk"}, m.Name)
}

// TestPlainMembersHaveNoZero finds each field whose zero cannot be sent: only a
// member may be one whose zero authentik does not take, and that a create needs.
func TestPlainMembersHaveNoZero(t *testing.T) {
	t.Parallel()
	nullable := reflect.TypeFor[authentik.Nullable[int]]()
	for schema, request := range sdk.Requests {
		_, o := requestFacts(t, schema)
		fields := sdk.FieldsByTag(request, "json")
		for _, m := range o.Members {
			field := fields[m.Name]
			if tag := field.Tag.Get("json"); tag != m.Name+",omitzero" {
				t.Errorf("%v.%s has the tag %q", request, field.Name, tag)
			}
			isNullable := strings.HasPrefix(field.Type.Name(), "Nullable[") && field.Type.PkgPath() == nullable.PkgPath()
			if isNullable != m.Type.Nullable {
				t.Errorf("%v.%s is a %v, but null is allowed: %v", request, field.Name, field.Type, m.Type.Nullable)
			}
			switch field.Type.Kind() {
			case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			default:
				if !isNullable && !m.Required && !isID(m) {
					t.Errorf("%v.%s is a plain %v, and not required", request, field.Name, field.Type)
				}
			}
		}
	}
}

// TestSecretsAreMarked looks for what some release never answers in all types: a
// request says so, and a model hides what older releases answered.
func TestSecretsAreMarked(t *testing.T) {
	t.Parallel()
	found := 0
	for schema := range sdk.Requests {
		_, o := requestFacts(t, schema)
		for _, m := range o.Members {
			if !m.WriteOnly {
				continue
			}
			found++
			if field := sdk.FieldsByTag(sdk.Requests[schema], "json")[m.Name]; field.Tag.Get("authentik") == "" {
				t.Errorf("%s.%s is never answered, and not marked", schema, m.Name)
			}
			model := sdk.Objects[strings.TrimSuffix(schema, "Request")]
			if model == nil {
				continue
			}
			if field, ok := sdk.FieldsByTag(model, "json")[m.Name]; ok && field.Tag.Get("authentik") == "" {
				t.Errorf("%v.%s is never answered by newer servers, and not marked", model, m.Name)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d members are never answered", found)
	}
}

func isSecret(field reflect.StructField) bool {
	return slices.Contains([]string{"writeonly", "secret"}, field.Tag.Get("authentik"))
}

// withSecrets puts the secret into the members of the document that have a tag,
// at any depth, and counts them.
func withSecrets(document map[string]any, typ reflect.Type) (n int) {
	for name, field := range sdk.FieldsByTag(typ, "json") {
		tagged := isSecret(field)
		if strings.HasPrefix(field.Type.Name(), "Nullable[") {
			field.Type = field.Type.Field(0).Type
		}
		if tagged && document[name] == nil && field.Type.Kind() == reflect.String {
			document[name] = "" // of an older release
		}
		switch value := document[name].(type) {
		case string:
			if tagged {
				document[name] = secret
				n++
			}
		case map[string]any:
			if tagged {
				document[name] = map[string]any{"key": secret}
				n++
			} else if field.Type.Kind() == reflect.Pointer {
				n += withSecrets(value, field.Type.Elem())
			} else if field.Type.Kind() == reflect.Struct {
				n += withSecrets(value, field.Type)
			}
		case []any:
			if object, ok := value[0].(map[string]any); ok && field.Type.Elem().Kind() == reflect.Struct {
				n += withSecrets(object, field.Type.Elem())
			}
		}
	}
	return n
}

// TestSecretsAreHidden formats every request and every model that has a secret, by
// themselves and in other values.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	types := maps.Clone(sdk.Requests)
	maps.Copy(types, sdk.Objects)
	for schema, typ := range types {
		s, o := requestFacts(t, schema)
		document := s.Object(o.Name)
		if withSecrets(document, typ) == 0 {
			for field := range typ.Fields() {
				if isSecret(field) {
					t.Errorf("the test sets no %v.%s", typ, field.Name)
				}
			}
			continue
		}
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			pointer := filled(t, typ, document)
			if b, _ := json.Marshal(pointer.Interface()); !strings.Contains(string(b), secret) {
				t.Fatalf("%s has no secret", b)
			}
			value := pointer.Elem().Interface()
			slice := reflect.Append(reflect.MakeSlice(reflect.SliceOf(typ), 0, 1), pointer.Elem()).Interface()
			var shown []string
			for _, v := range []any{value, pointer.Interface(), slice, struct{ Request any }{value}, struct{ Request any }{pointer.Interface()}, map[string]any{"request": value}} {
				shown = append(shown, fmt.Sprintf("%v %+v %#v %s %q %d", v, v, v, v, v, v))
			}
			var logged bytes.Buffer
			for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
				logger := slog.New(handler)
				logger.Info("by value", "request", value)
				logger.Info("by pointer", "request", pointer.Interface())
				logger.With("request", value).WithGroup("group").Info("with", "request", pointer.Interface())
			}
			checkShown(t, append(shown, logged.String()))
			for _, text := range append(shown, logged.String()) {
				if !strings.Contains(text, "(hidden)") {
					t.Errorf("does not say that something is hidden: %s", text)
				}
			}
		})
	}
}
