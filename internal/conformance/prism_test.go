//go:build prism

package conformance_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// prismClient returns a client for the server at PRISM_URL: Prism, which checks
// requests against authentik's official schema, hands what is wrong with one to
// violation, and makes its answers from the schema. The answers are static,
// Prism's default: dynamic ones would have random fractions for the numbers in
// pagination.
func prismClient(t *testing.T, violation func(...any), opts ...authentik.Option) *authentik.Client {
	t.Helper()
	transport := httpClient(t).Transport
	client, err := authentik.NewClient(os.Getenv("PRISM_URL"), apiToken, append([]authentik.Option{
		authentik.WithRetries(0, 0, 0),
		authentik.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.URL.Path = strings.TrimPrefix(r.URL.Path, "/api/v3") // Prism serves the schema's paths
			resp, err := transport.RoundTrip(r)
			if err == nil && resp.Header.Get("sl-violations") != "" && !strings.Contains(resp.Header.Get("sl-violations"), "not support this type of security scheme") {
				violation(r.URL, resp.Header.Get("sl-violations"))
			}
			if err != nil {
				return nil, err
			}
			return identified(resp, r.URL.Path)
		})}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// identified has Prism's answer name groups and roles by UUIDs, which the schema
// calls texts.
func identified(resp *http.Response, path string) (*http.Response, error) {
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	names := []string{"role_pk", "group_pk"}
	if path == "/core/users/me/" || path == "/endpoints/agents/psso/register/user/" {
		names = append(names, "pk")
	}
	for _, name := range names {
		b = bytes.ReplaceAll(b, []byte(`"`+name+`":"string"`), []byte(`"`+name+`":"`+pkText+`"`))
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// prismReads are the reading methods of the newest release, each with the options
// that the server requires, nil if the method takes none. List stands for Pages
// and All.
func prismReads() iter.Seq2[method, reflect.Value] {
	return func(yield func(method, reflect.Value) bool) {
		newest := newestFacts()
		for _, m := range methods() {
			o := newest.Operation(m.asks.Method, m.asks.Path)
			if o == nil || o.Method != http.MethodGet || m.Name == "Pages" || m.Name == "All" {
				continue
			}
			m.asks = o
			var opts reflect.Value
			if options := sdk.OptionsOf(m.Of(&authentik.Client{}).Type()); options != nil {
				opts = reflect.New(options.Elem())
				for _, p := range o.Parameters {
					if p.In == "query" && p.Required {
						setFilter(opts, p, 0)
					}
				}
			}
			if !yield(m, opts) {
				return
			}
		}
	}
}

// newestFacts are those of the newest release alone.
func newestFacts() *contract.Facts {
	facts := recordedFacts()
	return facts.At(facts.Versions[len(facts.Versions)-1])
}

// setFilter sets the filter to one of its values, and reports whether there is one.
func setFilter(opts reflect.Value, p *contract.Parameter, i int) bool {
	values, _ := filterValues(newestFacts(), p, p.Type)
	if p.Name == "page" || p.Name == "page_size" {
		values = []any{7}
	}
	if i >= len(values) {
		return false
	}
	field, ok := sdk.FieldsByTag(opts.Type().Elem(), "url")[p.Name]
	if !ok {
		return false // it is left out
	}
	set(opts.Elem().FieldByIndex(field.Index), values[i])
	return true
}

// read calls the method, with opts if they are valid.
func (m method) read(t *testing.T, client *authentik.Client, opts reflect.Value) (reflect.Value, error) {
	f := m.Of(client)
	args := sdk.Arguments(t.Context(), f.Type())
	if opts.IsValid() {
		args[len(args)-1] = opts
	}
	return sdk.Call(f, args)
}

func TestPrismAcceptsEveryOption(t *testing.T) {
	t.Parallel()
	for m, required := range prismReads() {
		if !required.IsValid() {
			continue
		}
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			client := prismClient(t, t.Error)
			together := reflect.New(required.Type().Elem())
		parameters:
			for _, p := range m.asks.Parameters {
				if p.In != "query" {
					continue
				}
				for i := 0; ; i++ {
					opts := reflect.New(required.Type().Elem())
					opts.Elem().Set(required.Elem())
					set := setFilter(opts, p, i)
					if !set {
						break
					}
					_, err := m.read(t, client, opts)
					if p.Name == "search" && errors.Is(err, errors.ErrUnsupported) {
						continue parameters // servers have no search of the list
					}
					if err != nil {
						t.Errorf("%s: %v", p.Name, err)
					}
				}
				setFilter(together, p, 0)
			}
			if _, err := m.read(t, client, together); err != nil {
				t.Errorf("together: %v", err)
			}
		})
	}
}

// TestPrismLooks shows that the tests above can fail.
func TestPrismLooks(t *testing.T) {
	t.Parallel()
	for query, opts := range map[string]url.Values{
		"page_size": {"page_size": {"many"}},
		"flow":      {"passwordless_flow": {"default-flow"}},
		"boolean":   {"show_matched_user": {"yes"}},
	} {
		violations := 0
		client := prismClient(t, func(...any) { violations++ })
		_, err := authentik.List[authentik.IdentificationStage](t.Context(), client, "stages/identification/", opts)
		if !errors.Is(err, authentik.ErrBadRequest) || violations != 1 {
			t.Errorf("%s: %v, %d violations", query, err, violations)
		}
	}
}

func TestPrismAnswers(t *testing.T) {
	t.Parallel()
	for m, opts := range prismReads() {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			result, err := m.read(t, prismClient(t, t.Error), opts)
			if err != nil {
				t.Fatal(err)
			}
			names := map[string]bool{}
			if result.IsValid() {
				unknownIn(result, names)
			}
			maps.DeleteFunc(names, func(name string, _ bool) bool { return strings.HasSuffix(name, "].autocomplete") }) // of a Page
			if len(names) > 0 {
				t.Errorf("the members %q are not known", slices.Sorted(maps.Keys(names)))
			}
		})
	}
}

// noBody are the operations whose 400 has no body in the schema.
var noBody = []string{
	"FlowsInstances.Execute", "ProvidersOAuth2.PreviewUser", "ProvidersOAuth2.PreviewUserWith", "ProvidersSAML.PreviewUser", "ProvidersSAML.PreviewUserWith", "ProvidersWSFed.PreviewUser", "RACEndpoints.List",
}

func TestPrismRefuses(t *testing.T) {
	t.Parallel()
	for m, opts := range prismReads() {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			_, err := m.read(t, prismClient(t, t.Error, authentik.WithHeader("Prefer", "code=400")), opts)
			invalid, ok := errors.AsType[*authentik.ValidationError](err)
			switch {
			case slices.Contains(noBody, m.String()):
				if !errors.Is(err, authentik.ErrBadRequest) {
					t.Errorf("%v, want ErrBadRequest", err)
				}
			case !ok, !slices.Equal(invalid.NonFieldErrors, []string{"string"}), invalid.Code != "string":
				t.Errorf("%v, want a ValidationError with Prism's words", err)
			}
			_, err = m.read(t, prismClient(t, t.Error, authentik.WithHeader("Prefer", "code=403")), opts)
			forbidden, ok := errors.AsType[*authentik.ForbiddenError](err)
			if !ok || forbidden.Detail != "string" || forbidden.Code != "string" {
				t.Errorf("%v, want a ForbiddenError with Prism's words", err)
			}
		})
	}
}
