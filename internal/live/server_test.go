package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// server is the one that the environment names, and what is known of its release.
type server struct {
	client  *authentik.Client // with strict writes
	release authentik.Release
	facts   *contract.Facts  // of the release, those of the newest patch
	newest  *contract.Facts  // of all releases
	rules   *contract.Server // of the release or the closest one
}

// live returns the server, which the test is skipped without.
func live(t *testing.T) *server {
	t.Helper()
	if os.Getenv("AUTHENTIK_TEST_URL") == "" {
		t.Skip("AUTHENTIK_TEST_URL and AUTHENTIK_TEST_TOKEN name no server to ask")
	}
	s, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var connect = sync.OnceValues(func() (*server, error) {
	client, err := authentik.NewClient(os.Getenv("AUTHENTIK_TEST_URL"), os.Getenv("AUTHENTIK_TEST_TOKEN"), authentik.WithStrictWrites())
	if err != nil {
		return nil, err
	}
	release, err := client.ServerVersion(context.Background())
	if err != nil || !release.AtLeast("2023.10") {
		return nil, fmt.Errorf("the version of the server is %v: %w", release, err)
	}
	s := &server{client: client, release: release}
	if s.facts, s.newest, err = factsOf(release); err != nil {
		return nil, err
	}
	servers, err := contract.ReadServers()
	if err != nil {
		return nil, err
	}
	s.rules = servers.At(release.String())
	return s, nil
})

// factsOf returns the facts of the newest patch of the release, or of the newest
// one before it, and those of the newest release that has each.
func factsOf(release authentik.Release) (own, all *contract.Facts, err error) {
	if all, err = contract.ReadFacts(); err != nil {
		return nil, nil, err
	}
	for _, version := range all.Versions {
		if release.AtLeast(version[:strings.LastIndexByte(version, '.')]) {
			own = all.At(version)
		}
	}
	return own, all, nil
}

// resource is a service that lists objects.
type resource struct {
	*server

	service string
	path    string // core/users/
	methods map[string]sdk.Method
	request reflect.Type // nil if the service cannot write
	body    string       // what authentik calls it
}

// resources are those that the release has, by path.
func (s *server) resources() map[string]*resource {
	bodies := map[reflect.Type]string{}
	for schema, request := range sdk.Requests {
		bodies[request] = schema
	}
	services := map[string]map[string]sdk.Method{}
	for _, m := range sdk.Methods() {
		if services[m.Service] == nil {
			services[m.Service] = map[string]sdk.Method{}
		}
		services[m.Service][m.Name] = m
	}
	all := map[string]*resource{}
	for service, methods := range services {
		list, ok := methods["All"]
		if !ok || s.facts.Operation("GET", list.Path) == nil {
			continue
		}
		r := &resource{server: s, service: service, path: list.Path, methods: methods}
		for _, name := range []string{"Create", "Update"} {
			if m, ok := methods[name]; ok {
				for in := range m.Of(s.client).Type().Ins() {
					if sdk.IsRequest(in) {
						r.request = in.Elem()
						r.body = bodies[r.request]
					}
				}
			}
		}
		all[r.path] = r
	}
	return all
}

// has reports whether the release has the method.
func (r *resource) has(name string) bool {
	m, ok := r.methods[name]
	if !ok {
		return false
	}
	for _, o := range r.facts.Operations {
		if o.Method == m.HTTP && (o.Path == r.path || strings.HasPrefix(o.Path, r.path+"{") && strings.Count(o.Path, "/") == strings.Count(m.Path, "/")) {
			return true
		}
	}
	return false
}

// lookup is the member in the path of one object.
func (r *resource) lookup() string {
	if list := r.rules.Lists[r.path]; list != nil && list.Lookup != "pk" {
		return list.Lookup
	}
	return codec.IdentityOf(sdk.ModelOf(r.methods["All"].Of(r.client).Type())).Member
}

// serializer is what the server checks a write by, nil if that is not known.
func (r *resource) serializer() *contract.ServerSerializer {
	if list := r.rules.Lists[r.path]; list != nil {
		for _, name := range []string{"partial_update", "create"} {
			if action := list.Actions[name]; action != nil {
				return r.rules.Serializers[action.Request]
			}
		}
	}
	return nil
}

// inSet reports whether the member is unique together with others.
func (r *resource) inSet(name string) bool {
	s := r.serializer()
	return s != nil && slices.ContainsFunc(s.Sets, func(set contract.ServerSet) bool { return slices.Contains(set.Fields, name) })
}

// member is one of a request. Of its facts, those of the release come first.
type member struct {
	*contract.Member

	known bool                  // the release has it
	rule  *contract.ServerField // nil if nothing is known
	err   error                 // of the last update that was refused
}

// members are those that the type of the request has.
func (r *resource) members() []*member {
	var members []*member
	fields := map[string]*contract.ServerField{}
	if s := r.serializer(); s != nil {
		fields = s.Fields
	}
	own := map[string]*contract.Member{}
	if o := r.facts.Object(r.ownBody()); o != nil {
		for _, m := range o.Members {
			own[m.Name] = m
		}
	}
	for name := range sdk.FieldsByTag(r.request, "json") {
		m := &member{Member: own[name], known: own[name] != nil, rule: fields[name]}
		if m.known && m.rule != nil && m.rule.ReadOnly {
			m.known = false
		}
		for _, other := range r.newest.Object(r.body).Members {
			if m.Member == nil && other.Name == name {
				m.Member = other
			}
		}
		members = append(members, m)
	}
	return members
}

// ownBody is what the release calls the body.
func (r *resource) ownBody() string {
	for _, o := range r.facts.Operations {
		object, isBelow := strings.CutPrefix(o.Path, r.path+"{")
		if (o.Method == http.MethodPost && o.Path == r.path || o.Method == http.MethodPatch && isBelow && strings.Count(object, "/") == 1) && len(o.Bodies) > 0 {
			return o.Bodies[0].Type.Name
		}
	}
	return r.body
}

// call calls a method with the id, if it takes one, and a request that says what
// the document says. It returns what the object says, nil if there is none.
func (r *resource) call(ctx context.Context, name string, id any, document map[string]any) (reflect.Value, error) {
	f := r.methods[name].Of(r.client)
	args := sdk.Arguments(ctx, f.Type())
	for i, arg := range args {
		switch {
		case sdk.IsRequest(arg.Type()):
			args[i] = reflect.New(arg.Type().Elem())
			if err := convert(document, args[i].Interface()); err != nil {
				return reflect.Value{}, fmt.Errorf("%v cannot say %v: %w", arg.Type(), document, err)
			}
		case sdk.IDs[arg.Type()] != nil:
			args[i] = reflect.New(arg.Type()).Elem()
			if err := convert(id, args[i].Addr().Interface()); err != nil {
				return reflect.Value{}, fmt.Errorf("%v cannot be %v: %w", arg.Type(), id, err)
			}
		}
	}
	result, err := sdk.Call(f, args)
	if !result.IsValid() || result.Kind() == reflect.Pointer && result.IsNil() {
		return reflect.Value{}, err
	}
	return result, err
}

// merged has the entries of both.
func merged(a, b map[string]any) map[string]any {
	both := maps.Clone(a)
	if both == nil {
		return b
	}
	maps.Copy(both, b)
	return both
}

// walk reads the list with the options, nil for none. A list that others change
// meanwhile is read again, and if they always do, what was read counts.
func (r *resource) walk(ctx context.Context, options map[string]any) ([]map[string]any, error) {
	f := r.methods["All"].Of(r.client)
	opts := reflect.New(f.Type().In(1).Elem())
	for name, value := range merged(always[r.path], options) {
		field := sdk.FieldsByTag(opts.Type().Elem(), "url")[name]
		if err := convert(value, opts.Elem().FieldByIndex(field.Index).Addr().Interface()); err != nil {
			return nil, fmt.Errorf("%s cannot be %v: %w", name, value, err)
		}
	}
	for again := range 4 {
		var objects []map[string]any
		var failed error
		for object, err := range f.Call([]reflect.Value{reflect.ValueOf(ctx), opts})[0].Seq2() {
			if failed, _ = reflect.TypeAssert[error](err); failed != nil {
				break
			}
			objects = append(objects, document(object.Interface()))
		}
		switch {
		case !errors.Is(failed, authentik.ErrListChanged):
			return objects, failed
		case again == 3:
			return objects, nil
		}
	}
	panic("not reached")
}
