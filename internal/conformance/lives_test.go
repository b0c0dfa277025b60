package conformance_test

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/authentik-go/authentik/internal/testkit/sample"
	"github.com/google/go-cmp/cmp"
)

// TestLivesOfObjects creates, reads, changes and deletes an object of each
// service that can, on the fake.
func TestLivesOfObjects(t *testing.T) {
	t.Parallel()
	newest := releases()[len(releases())-1]
	services := map[string]map[string]writing{}
	for _, m := range methods() {
		if newest.Operation(m.asks.Method, m.asks.Path) == nil {
			continue
		}
		if services[m.Service] == nil {
			services[m.Service] = map[string]writing{}
		}
		services[m.Service][m.Name] = writing{method: m}
	}
	lives := map[string]int{}
	for _, w := range writings() {
		if _, ok := services[w.Service][w.Name]; ok {
			services[w.Service][w.Name] = w
		}
	}
	for service, can := range services {
		list, ok := can["All"]
		writes := 0
		for _, name := range []string{"Create", "Update", "Delete"} {
			if _, can := can[name]; can && ok {
				lives[name]++
				writes++
			}
		}
		if writes == 0 {
			continue
		}
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			server, client := fakeClient(t, authentik.WithStrictWrites())
			server.License()
			server.AddObjects(list.asks.Path, references(t, newest, list))
			life{t, client, can}.live()
		})
	}
	if lives["Create"] < 100 || lives["Update"] < 100 || lives["Delete"] < 100 {
		t.Errorf("tried %v", lives)
	}
}

// references is an object that refers to all that the objects of the list can
// refer to, so that the fake knows of it.
func references(t *testing.T, facts *contract.Facts, list writing) map[string]any {
	t.Helper()
	object := map[string]any{}
	for _, answer := range facts.Operation(http.MethodGet, list.asks.Path).Answers {
		for _, m := range facts.Object(answer.Type.Name).Members {
			kind := m.Type.Kind
			if kind == "array" {
				kind = m.Type.Elem.Kind
			}
			if (kind == "uuid" || kind == "integer") && !m.ReadOnly && m.Name != "order" {
				object[m.Name] = bodies(facts).Value(m.Name, m.Type)
			}
		}
	}
	return object
}

// companions are what the server wants beside what the schema requires, in a create.
// What it wants in a change is the SDK's business.
var companions = map[string]map[string]any{
	"lifecycle/rules/":                         {"content_type": "authentik_core.group"}, // one for all applications is there
	"crypto/certificatekeypairs/":              {"certificate_data": certificate},
	"endpoints/device_bindings/":               {"user": 7.0},
	"managed/blueprints/":                      {"content": "version: 1"},
	"outposts/service_connections/kubernetes/": {"local": true, "kubeconfig": map[string]any{}},
	"policies/bindings/":                       {"user": 7.0},
	"policies/event_matcher/":                  {"action": nil, "client_ip": nil, "app": nil, "model": nil, "query": nil},
	"policies/reputation/":                     {"check_ip": true, "check_username": true},
	"providers/proxy/":                         {"mode": "forward_single"},
	"sources/ldap/":                            {"server_uri": "ldaps://ldap.example.com"},
	"sources/oauth/":                           {"provider_type": "discord"},
	"stages/identification/":                   {"user_fields": []any{"email"}},
	"stages/redirect/":                         {"target_static": "https://example.com"},
}

// neededBy are the companions of a create in the list.
func neededBy(path string) map[string]any {
	document := map[string]any{}
	maps.Copy(document, companions[path])
	return document
}

// alongside is what the server wants for a change, or beside it: it looks at the request
// alone.
var alongside = map[string]map[string]any{
	"lifecycle/rules/interval":           {"grace_period": "minutes=5"},
	"events/transports/email_template":   {"email_template": "email/event_notification.html"},
	"policies/reputation/check_username": {"check_ip": true},
	"providers/proxy/basic_auth_enabled": {"basic_auth_user_attribute": "user", "basic_auth_password_attribute": "password"},
	"stages/email/template":              {"template": "email/account_confirmation.html"},
}

// certificate is in the form of one, and of nobody.
const certificate = "-----BEGIN CERTIFICATE-----\nMIIBAgYJKoZIhvcNAQcC\n-----END CERTIFICATE-----\n"

// following are members that change with others.
var following = []string{"avatar", "last_updated", "expires", "icon_url", "meta_icon_url", "launch_url", "callback_url", "type", "mode_verbose", "redirect_uris", "root_url", "token_obj"}

type life struct {
	*testing.T

	client *authentik.Client
	can    map[string]writing
}

// objects are all that the service lists.
func (l life) objects() []any {
	l.Helper()
	var objects []any
	for object, err := range l.can["All"].Of(l.client).Call(sdk.Arguments(l.Context(), l.can["All"].Of(l.client).Type()))[0].Seq2() {
		if !err.IsNil() {
			l.Fatal(err)
		}
		objects = append(objects, object.Interface())
	}
	return objects
}

// do calls the method for the object, with a request that says what document says.
func (l life) do(name string, object any, document map[string]any) (any, error) {
	l.Helper()
	w := l.can[name]
	f := w.Of(l.client)
	args := sdk.Arguments(l.Context(), f.Type())
	for i, arg := range args {
		switch {
		case w.request != nil && arg.Type() == reflect.PointerTo(w.request):
			args[i] = filled(l.T, w.request, document)
		case sdk.IDs[arg.Type()] != nil:
			args[i] = idOf(l.T, w, object)
		}
	}
	result, err := sdk.Call(f, args)
	if !result.IsValid() {
		return nil, err
	}
	return result.Interface(), err
}

// idOf is what the method names the object by.
func idOf(t *testing.T, w writing, object any) reflect.Value {
	t.Helper()
	v := reflect.ValueOf(object).Elem()
	for _, p := range w.asks.Parameters {
		if p.In != "path" {
			continue
		}
		for field, value := range v.Fields() {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name == p.Name {
				return value
			}
		}
	}
	id := codec.IdentityOf(v.Type()).Of(v)
	if !id.IsValid() || id.IsZero() {
		t.Fatalf("%v has no identity", object)
	}
	return id
}

func (l life) has(name string) bool { _, ok := l.can[name]; return ok }

func (l life) live() {
	object := l.objects()[0]
	if l.has("Create") {
		w := l.can["Create"]
		document := sample.Required(w.facts.Object(w.body.Type.Name), w.document())
		maps.Copy(document, neededBy(w.asks.Path))
		if strings.HasPrefix(w.asks.Path, "authenticators/admin/") { // whose user no request can name
			if created, err := l.do("Create", nil, document); err == nil {
				l.Errorf("created %v", created)
			}
			return
		}
		created, err := l.do("Create", nil, document)
		if err != nil {
			l.Fatalf("Create of %v: %v", document, err)
		}
		objects := l.objects()
		if len(objects) != 2 {
			l.Fatalf("Create has left %d objects", len(objects))
		}
		if reflect.TypeOf(created) != reflect.TypeOf(object) { // it is told more, once
			created = objects[slices.IndexFunc(objects, func(o any) bool { return !reflect.DeepEqual(o, object) })]
		}
		object = created
		members := inJSON(l.T, object).(map[string]any)
		for _, m := range w.facts.Object(w.body.Type.Name).Members {
			got, answered := members[m.Name]
			if want, sent := document[m.Name]; sent && answered && !m.WriteOnly && !reflect.DeepEqual(got, want) {
				l.Errorf("%s was created as %v, not %v", m.Name, got, want)
			}
		}
	}
	if l.has("Retrieve") {
		got, err := l.do("Retrieve", object, nil)
		if err != nil {
			l.Fatalf("Retrieve: %v", err)
		}
		if reflect.TypeOf(got) == reflect.TypeOf(object) {
			if diff := cmp.Diff(object, got, ignoreShown); diff != "" {
				l.Errorf("Retrieve (-created +got):\n%s", diff)
			}
		}
	}
	if l.has("Update") {
		l.update(object)
	}
	if l.has("Delete") {
		before := len(l.objects())
		if _, err := l.do("Delete", object, nil); err != nil {
			l.Errorf("Delete: %v", err)
		}
		if after := len(l.objects()); after != before-1 {
			l.Errorf("Delete has left %d of %d objects", after, before)
		}
		for _, name := range []string{"Delete", "Retrieve", "Update"} {
			if !l.has(name) {
				continue
			}
			if _, err := l.do(name, object, map[string]any{}); !errors.Is(err, authentik.ErrNotFound) {
				l.Errorf("%s of what is gone: %v", name, err)
			}
		}
	}
}

// update changes each member that no other refers to, one at a time, and looks at
// what became of the others.
func (l life) update(object any) {
	w := l.can["Update"]
	if w.asks.Method != http.MethodPatch {
		return
	}
	same, err := l.do("Update", object, map[string]any{})
	if err != nil && !moved(w, err) {
		l.Fatalf("Update with nothing: %v", err)
	}
	before := inJSON(l.T, same).(map[string]any)
	if reflect.TypeOf(same) == reflect.TypeOf(object) {
		if diff := cmp.Diff(object, same, ignoreLastUpdated, ignoreShown); diff != "" {
			l.Errorf("Update with nothing (-before +after):\n%s", diff)
		}
	}
	for _, m := range w.facts.Object(w.body.Type.Name).Members {
		if m.WriteOnly || m.Name == "background" { // which gives background_url
			continue
		}
		document := map[string]any{}
		switch value := before[m.Name].(type) {
		case bool:
			document[m.Name] = !value
		case float64:
			if m.Type.Kind == "integer" {
				continue // it may refer to another object
			}
			document[m.Name] = value + 1
		case string:
			if m.Type.Kind != "string" || strings.Contains(w.asks.Path, "{"+m.Name+"}") {
				continue
			}
			document[m.Name] = "changed"
			if _, err := authentik.ParseDuration(value); err == nil {
				document[m.Name] = "minutes=7"
			}
		default:
			continue
		}
		list, _, _ := strings.Cut(w.asks.Path, "{")
		maps.Copy(document, alongside[list+m.Name])
		got, err := l.do("Update", object, document)
		if err != nil && !moved(w, err) {
			l.Errorf("Update with %v: %v", document, err)
			continue
		}
		after := inJSON(l.T, got).(map[string]any)
		for name, value := range after {
			want, changed := document[name]
			if !changed {
				want = before[name]
			}
			if !reflect.DeepEqual(value, want) && !slices.Contains(following, name) && !strings.HasSuffix(name, "_obj") {
				l.Errorf("Update with %v: %s is %v, want %v", document, name, value, want)
			}
		}
		before = after
	}
}

// moved reports whether err says that an update moved the expiry of a token, as each
// one does of an API token.
func moved(w writing, err error) bool {
	ignored, ok := errors.AsType[*authentik.IgnoredError](err)
	return ok && strings.HasPrefix(w.asks.Path, "core/tokens/") && len(ignored.Members) == 1 && ignored.Members[0].Name == "expires"
}

// ignoreShown ignores objects in others: the answer to a write shows them by their base.
var ignoreShown = cmp.FilterPath(func(p cmp.Path) bool { return strings.HasSuffix(p.Last().String(), "Obj") }, cmp.Ignore())

var ignoreLastUpdated = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".LastUpdated" || p.Last().String() == ".Expires" }, cmp.Ignore())
