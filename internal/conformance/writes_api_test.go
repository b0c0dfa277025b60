package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/google/go-cmp/cmp"
)

// writing is a method that writes, with what the newest release that has it says.
type writing struct {
	method

	facts   *contract.Facts
	request reflect.Type      // nil if the method takes none
	body    *contract.Content // nil if authentik takes none
	answer  contract.Type     // Kind is "" if there is none
}

// writings are the methods of all services that write.
var writings = sync.OnceValue(func() []writing {
	var all []writing
	for _, m := range methods() {
		if m.asks.Method == http.MethodGet {
			continue
		}
		last := m.asks.Spans[len(m.asks.Spans)-1].Last
		w := writing{method: m, facts: releases()[last]}
		o := w.facts.Operation(m.asks.Method, m.asks.Path)
		if len(o.Bodies) > 0 {
			w.body = o.Bodies[0]
		}
		for _, answer := range o.Answers {
			if !strings.Contains(answer.Media, "xml") {
				w.answer = answer.Type
			}
		}
		service, _ := reflect.TypeFor[authentik.Client]().FieldByName(m.Service)
		f, _ := service.Type.MethodByName(m.Name)
		for in := range f.Type.Ins() {
			if sdk.IsRequest(in) {
				w.request = in.Elem()
			}
		}
		if w.request == nil {
			w.body = nil // it came later: the method With has it
		}
		all = append(all, w)
	}
	return all
})

func (w writing) isUpload() bool { return w.body != nil && w.body.Media == "multipart/form-data" }

// document is a request with all members, except a file; nil if there is no
// body.
func (w writing) document() map[string]any {
	if w.body == nil {
		return nil
	}
	return bodies(w.facts).Object(w.body.Type.Name)
}

// call calls the method with the query that it needs, and a request that says
// what the document says.
func (w writing) call(t *testing.T, client *authentik.Client, document map[string]any) (reflect.Value, error) {
	t.Helper()
	f := w.Of(client)
	args := sdk.Arguments(t.Context(), f.Type())
	for _, p := range w.asks.Parameters {
		if options := sdk.OptionsOf(f.Type()); p.In == "query" && p.Required && options != nil {
			if last := &args[len(args)-1]; last.IsNil() {
				*last = reflect.New(options.Elem())
			}
			values, _ := filterValues(w.facts, p, p.Type)
			set(args[len(args)-1].Elem().FieldByIndex(sdk.FieldsByTag(options.Elem(), "url")[p.Name].Index), values[0])
		}
	}
	for i, arg := range args {
		if document == nil || arg.Type() != reflect.PointerTo(w.request) {
			continue
		}
		args[i] = filled(t, w.request, document)
		for _, field := range args[i].Elem().Fields() {
			if field.Type() == reflect.TypeFor[io.Reader]() {
				field.Set(reflect.ValueOf(strings.NewReader(fileContent)))
			}
		}
	}
	return sdk.Call(f, args)
}

const fileContent = "version: 1\nname: größe\n"

// path is that of the request which the method makes with the ids.
func (w writing) path() string {
	path := apiPath + w.asks.Path
	for _, p := range w.asks.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(sdk.IDs[goTypes[p.Type.Kind]]))
		}
	}
	return path
}

// TestWritesSendWhatIsAsked has each method that writes send all that its request
// can hold, and read all that the server can answer.
func TestWritesSendWhatIsAsked(t *testing.T) {
	t.Parallel()
	for _, w := range writings() {
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			status, answered := http.StatusNoContent, ""
			var want any
			if w.answer.Kind != "" {
				want = bodies(w.facts).Value("answer", w.answer)
				b, _ := json.Marshal(want)
				status, answered = http.StatusOK, string(b)
			}
			client, sent := recorder(t, status, answered, authentik.WithStrictWrites())
			document := w.document()
			result, err := w.call(t, client, document)
			if err != nil {
				t.Fatal(err)
			}
			if path, _, _ := strings.Cut((*sent)[0].URL, "?"); len(*sent) != 1 || (*sent)[0].Method != w.asks.Method || path != w.path() {
				t.Fatalf("sent %v, want one %s %s", *sent, w.asks.Method, w.path())
			}
			switch got := (*sent)[0]; {
			case w.isUpload():
				checkForm(t, w, got, document)
			case document == nil:
				if got.Body != "" || got.ContentType != "" {
					t.Errorf("sent the body %q of type %q", got.Body, got.ContentType)
				}
			default:
				var body any
				if err := json.Unmarshal([]byte(got.Body), &body); err != nil || got.ContentType != "application/json" {
					t.Errorf("sent the body %s of type %q: %v", got.Body, got.ContentType, err)
				}
				if w.String() == "SourcesSAML.Create" && document["issuer"] == nil { // which older servers need
					document["issuer"] = ""
				}
				if diff := cmp.Diff(any(document), body); diff != "" {
					t.Errorf("body (-want +got):\n%s", diff)
				}
			}
			if (want != nil) != result.IsValid() {
				t.Fatalf("returned %v of the answer %s", result, answered)
			}
			if want == nil {
				return
			}
			b, err := codec.Marshal(result.Interface())
			var got any
			if err == nil {
				err = json.Unmarshal(b, &got)
			}
			if different := differences(want, got, "answer"); len(different) > 0 || err != nil {
				t.Errorf("returned %s: %q, error %v", b, different, err)
			}
			if object := reflect.Indirect(result); object.Kind() == reflect.Struct && object.FieldByName("Extra").Len() > 0 {
				t.Errorf("knows nothing of %v", object.FieldByName("Extra"))
			}
		})
	}
}

// checkForm looks for the document and the file in a form.
func checkForm(t *testing.T, w writing, got sentWrite, document map[string]any) {
	t.Helper()
	mediaType, params, err := mime.ParseMediaType(got.ContentType)
	if err != nil || mediaType != "multipart/form-data" {
		t.Fatalf("the body is of type %q: %v", got.ContentType, err)
	}
	form, err := multipart.NewReader(strings.NewReader(got.Body), params["boundary"]).ReadForm(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	for name, values := range form.Value {
		fields[name] = values[0]
	}
	want := map[string]any{}
	for name, value := range document {
		want[name] = fmt.Sprint(value)
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	for _, m := range w.facts.Object(w.body.Type.Name).Members {
		if m.Type.Kind != "binary" {
			continue
		}
		if len(form.File[m.Name]) != 1 {
			t.Fatalf("the form has the files %v, want %s", form.File, m.Name)
		}
		file, err := form.File[m.Name][0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(file); string(b) != fileContent || err != nil {
			t.Errorf("%s is %q, error %v", m.Name, b, err)
		}
		delete(form.File, m.Name)
	}
	if len(form.File) > 0 {
		t.Errorf("the form has the files %v as well", form.File)
	}
}

// TestNilRequests gives each method that takes a request none: an error, except if
// authentik requires no body.
func TestNilRequests(t *testing.T) {
	t.Parallel()
	client, sent := recorder(t, http.StatusOK, "{}")
	for _, w := range writings() {
		f := w.Of(client)
		args := sdk.Arguments(t.Context(), f.Type())
		if (w.request != nil) != (w.body != nil) {
			t.Errorf("%v takes the request %v, authentik %v", w, w.request, w.body)
		}
		if w.request == nil {
			continue
		}
		for i, arg := range args {
			if arg.Type() == reflect.PointerTo(w.request) {
				args[i] = reflect.Zero(arg.Type())
			}
		}
		*sent = nil
		_, err := sdk.Call(f, args)
		refused := err != nil && strings.Contains(err.Error(), "the request is nil") && len(*sent) == 0
		bare := len(*sent) == 1 && len((*sent)[0].Body) == 0
		if optional := !w.body.Required && w.asks.Method != http.MethodPatch; refused == optional || bare != optional {
			t.Errorf("%v of nil: error %v, sent %v", w, err, *sent)
		}
	}
}

// refusalOf has a message for each member of a request, at any depth, as
// authentik says it, and the names that the messages have in an error.
func refusalOf(typ reflect.Type, above string) (refusal map[string]any, names []string) {
	refusal = map[string]any{}
	for name, field := range sdk.FieldsByTag(typ, "json") {
		inner := field.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		isRequest := sdk.IsRequest(reflect.PointerTo(inner))
		switch {
		case isRequest && field.Type.Kind() == reflect.Slice:
			below, more := refusalOf(inner, above+name+".1.")
			refusal[name] = []any{map[string]any{}, below}
			names = append(names, more...)
		case isRequest:
			below, more := refusalOf(inner, above+name+".")
			refusal[name] = below
			names = append(names, more...)
		case field.Type.Kind() == reflect.Slice:
			refusal[name] = map[string]any{"0": []any{"Wrong."}}
			names = append(names, above+name+".0")
		default:
			refusal[name] = []any{"Wrong."}
			names = append(names, above+name)
		}
	}
	return refusal, names
}

// TestRefusalsNameTheMembers answers 400 for each member of each request: the
// error names the members as the request does.
func TestRefusalsNameTheMembers(t *testing.T) {
	t.Parallel()
	for _, w := range writings() {
		if w.body == nil {
			continue
		}
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			refusal, names := refusalOf(w.request, "")
			b, _ := json.Marshal(refusal)
			client, _ := recorder(t, http.StatusBadRequest, string(b))
			_, err := w.call(t, client, w.document())
			invalid, ok := errors.AsType[*authentik.ValidationError](err)
			if !ok || !errors.Is(err, authentik.ErrBadRequest) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(names)), slices.Sorted(maps.Keys(invalid.Fields))); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			for name, messages := range invalid.Fields {
				if !slices.Equal(messages, []string{"Wrong."}) {
					t.Errorf("%s: %q", name, messages)
				}
			}
		})
	}
}

// TestErrorsOfWrites answers each method with the other statuses that mean
// something of their own.
func TestErrorsOfWrites(t *testing.T) {
	t.Parallel()
	for status, tt := range map[int]struct {
		body string
		is   error
		says string
	}{
		http.StatusForbidden:        {`{"detail":"You do not have permission to perform this action."}`, authentik.ErrForbidden, "You do not have permission"},
		http.StatusNotFound:         {`{"detail":"Not found."}`, authentik.ErrNotFound, "Not found."},
		http.StatusMethodNotAllowed: {`{"detail":"Method not allowed."}`, nil, "this release of the server has no such method here"},
		http.StatusConflict:         {`{"detail":"Taken."}`, authentik.ErrConflict, "Taken."},
	} {
		client, sent := recorder(t, status, tt.body)
		calls := 0
		for _, w := range writings() {
			result, err := w.call(t, client, w.document())
			calls++
			apiError, ok := errors.AsType[*authentik.APIError](err)
			if !ok || apiError.StatusCode != status || apiError.Method != w.asks.Method || apiError.Path != w.path() {
				t.Errorf("%v: error %v", w, err)
				continue
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) || errors.Is(err, authentik.ErrOutcomeUnknown) {
				t.Errorf("%v: error %v", w, err)
			}
			if result.IsValid() && !result.IsZero() {
				t.Errorf("%v: returned %v with an error", w, result)
			}
		}
		if len(*sent) != calls || calls < 500 {
			t.Errorf("%d: %d requests of %d calls", status, len(*sent), calls)
		}
	}
}

// TestErrorsShowNoSecret has each request with secrets fail in every way.
func TestErrorsShowNoSecret(t *testing.T) {
	t.Parallel()
	for _, w := range writings() {
		document := w.document()
		if document == nil || withSecrets(document, w.request) == 0 {
			continue
		}
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			for _, status := range []int{200, 400, 403, 404, 405, 409, 429, 500, 503} {
				for _, body := range []string{"", "{}", "[]", "<html>", `{"detail":"No."}`, `{"name":["No."]}`} {
					var logged syncBuffer
					client, _ := recorder(t, status, body, authentik.WithStrictWrites(), authentik.WithLogger(debugLogger(&logged)))
					_, err := w.call(t, client, document)
					checkShown(t, append(shownBy(err), logged.String()))
				}
			}
			var logged syncBuffer
			client, err := authentik.NewClient(baseURL, apiToken, authentik.WithRetries(1, 0, 0), authentik.WithLogger(debugLogger(&logged)),
				authentik.WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
					return nil, context.DeadlineExceeded
				})}))
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.call(t, client, document)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			checkShown(t, append(shownBy(err), logged.String()))
		})
	}
}
