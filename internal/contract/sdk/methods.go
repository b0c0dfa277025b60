package sdk

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/google/uuid"
)

// Method is a method of a service. What it asks for is seen, not read anywhere.
type Method struct {
	Service, Name string
	HTTP, Path    string // POST, core/users/42/set_password/: with IDs in the place of parameters
}

func (m Method) String() string { return m.Service + "." + m.Name }

// Of is the method of a client.
func (m Method) Of(client *authentik.Client) reflect.Value {
	return reflect.ValueOf(client).Elem().FieldByName(m.Service).MethodByName(m.Name)
}

// IDs are what objects are named by in calls, by the type of the parameter. Where
// a method takes two texts, both are the same.
var IDs = map[reflect.Type]any{
	reflect.TypeFor[uuid.UUID](): uuid.MustParse("765ed48b-9283-4461-987d-de42dba24533"),
	reflect.TypeFor[int]():       42,
	reflect.TypeFor[string]():    "one-of_them",
}

// Services are the fields of a client that are services.
func Services(client *authentik.Client) iter.Seq2[reflect.StructField, reflect.Value] {
	return func(yield func(reflect.StructField, reflect.Value) bool) {
		for field, service := range reflect.ValueOf(client).Elem().Fields() {
			if field.IsExported() && !yield(field, service) {
				return
			}
		}
	}
}

// Methods are those of all services.
var Methods = sync.OnceValue(func() []Method {
	var all []Method
	asked := &asker{}
	client, err := authentik.NewClient("http://authentik", "x", authentik.WithRetries(0, 0, 0), authentik.WithHTTPClient(&http.Client{Transport: asked}))
	if err != nil {
		panic(err)
	}
	for field, service := range Services(client) {
		for method := range service.Type().Methods() {
			m := Method{Service: field.Name, Name: method.Name}
			*asked = asker{}
			f := m.Of(client)
			_, err := Call(f, Arguments(context.Background(), f.Type()))
			if asked.requests != 1 {
				panic(fmt.Sprintf("%v made %d requests: %v", m, asked.requests, err))
			}
			m.HTTP, m.Path = asked.method, strings.TrimPrefix(asked.path, "/api/v3/")
			all = append(all, m)
		}
	}
	return all
})

// asker answers with an empty page, and keeps what it was asked for.
type asker struct {
	method, path string
	requests     int
}

func (a *asker) RoundTrip(r *http.Request) (*http.Response, error) {
	a.method, a.path = r.Method, r.URL.Path
	a.requests++
	body := io.NopCloser(strings.NewReader(`{"pagination":{"next":0},"results":[]}`))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: r}, nil
}

// IsRequest reports whether t is a pointer to the type of a body.
func IsRequest(t reflect.Type) bool { return t.Kind() == reflect.Pointer && isRequest[t.Elem()] }

var isRequest = func() map[reflect.Type]bool {
	set := map[reflect.Type]bool{}
	for _, t := range Requests {
		set[t] = true
	}
	return set
}()

// ofReleases are the fields of requests that make a call ask for the server's release.
var ofReleases = []string{
	"CertificateGenerationRequest.Alg",
	"EmailStageRequest.TokenExpiry",
	"OAuth2ProviderRequest.RedirectURIs",
	"PromptRequest.PromptStageSet",
	"PropertyMappingTestRequest.Group",
	"SyncObjectRequest.OverrideDryRun",
	"TransactionApplicationRequest.PolicyBindings",
	"UserRecoveryEmailRequest.TokenDuration",
	"UserRecoveryLinkRequest.TokenDuration",
}

// Arguments are what a method can be called with: IDs, a request that has all, so that
// it lacks nothing that would be read first, and no options. It has nothing for which
// the server's release would be asked.
func Arguments(ctx context.Context, t reflect.Type) []reflect.Value {
	var args []reflect.Value
	for in := range t.Ins() {
		arg := reflect.Zero(in)
		switch id, isID := IDs[in]; {
		case in == reflect.TypeFor[context.Context]():
			arg = reflect.ValueOf(ctx)
		case isID:
			arg = reflect.ValueOf(id)
		case IsRequest(in):
			arg = reflect.New(in.Elem())
			for field, value := range arg.Elem().Fields() {
				if !slices.Contains(ofReleases, in.Elem().Name()+"."+field.Name) {
					fill(value)
				}
			}
		}
		args = append(args, arg)
	}
	return args
}

// fill sets a field to the first of some values that it can hold.
func fill(field reflect.Value) {
	if field.Type() == reflect.TypeFor[io.Reader]() {
		field.Set(reflect.ValueOf(strings.NewReader("x")))
		return
	}
	id := `"` + IDs[reflect.TypeFor[uuid.UUID]()].(uuid.UUID).String() + `"`
	for _, value := range []string{id, "42", "true", "[" + id + "]", "[42]", "[{}]", "{}", `"2026-01-02T03:04:05Z"`} {
		if v := reflect.New(field.Type()); codec.Unmarshal([]byte(value), v.Interface()) == nil {
			field.Set(v.Elem())
			return
		}
	}
	panic(fmt.Sprintf("no value is a %v", field.Type()))
}

// Call calls f, walks what it returns to its end, and returns the last object of
// that, or the first result, with the error.
func Call(f reflect.Value, args []reflect.Value) (result reflect.Value, err error) {
	out := f.Call(args)
	if out[0].Kind() == reflect.Func {
		for object, e := range out[0].Seq2() {
			if err, _ = reflect.TypeAssert[error](e); err == nil {
				result = object
			}
		}
		return result, err
	}
	err, _ = reflect.TypeAssert[error](out[len(out)-1])
	if len(out) > 1 {
		result = out[0]
	}
	return result, err
}

// OptionsOf is the type of the options that a method takes, nil if it takes none.
func OptionsOf(t reflect.Type) reflect.Type {
	if last := t.In(t.NumIn() - 1); strings.HasSuffix(last.String(), "Options") {
		return last
	}
	return nil
}

// ModelOf is the type of the objects that a method returns, nil if it returns
// none.
func ModelOf(t reflect.Type) reflect.Type {
	out := t.Out(0)
	if out.Kind() == reflect.Func { // of Pages and All
		out = out.In(0).In(0)
	}
	if out.Kind() == reflect.Pointer {
		out = out.Elem()
	}
	if out.Kind() == reflect.Struct && strings.HasPrefix(out.Name(), "Page[") {
		out = out.Field(1).Type
	}
	if out.Kind() == reflect.Slice {
		out = out.Elem()
	}
	if out.Kind() != reflect.Struct {
		return nil
	}
	return out
}
