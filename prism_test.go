//go:build prism

package authentik_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
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
			if err == nil && resp.Header.Get("sl-violations") != "" {
				violation(r.URL, resp.Header.Get("sl-violations"))
			}
			return resp, err
		})}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestPrismAcceptsEveryOption(t *testing.T) {
	t.Parallel()
	for path, queries := range filters {
		together := reflect.New(sdk.Options[path]).Elem()
		for query, opts := range queries {
			t.Run(path+query, func(t *testing.T) {
				t.Parallel()
				if _, err := authentik.List[stage](t.Context(), prismClient(t, t.Error), path, opts); err != nil {
					t.Error(err)
				}
			})
			merge(together, reflect.ValueOf(opts))
		}
		for name, common := range listOptions {
			t.Run(path+name, func(t *testing.T) {
				t.Parallel()
				if _, err := authentik.List[stage](t.Context(), prismClient(t, t.Error), path, common.options); err != nil {
					t.Error(err)
				}
			})
			merge(together.FieldByName("ListOptions"), reflect.ValueOf(common.options))
		}
		t.Run(path+"together", func(t *testing.T) {
			t.Parallel()
			for i, field := range together.Fields() {
				if field.IsZero() {
					t.Errorf("%s is not set", i.Name)
				}
			}
			if _, err := authentik.List[stage](t.Context(), prismClient(t, t.Error), path, together.Interface()); err != nil {
				t.Error(err)
			}
		})
	}
}

// merge sets the fields of options that are set in others.
func merge(options, others reflect.Value) {
	for i := range others.NumField() {
		if !others.Field(i).IsZero() {
			options.Field(i).Set(others.Field(i))
		}
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
		_, err := authentik.List[stage](t.Context(), client, "stages/identification/", opts)
		if !errors.Is(err, authentik.ErrBadRequest) || violations != 1 {
			t.Errorf("%s: %v, %d violations", query, err, violations)
		}
	}
}

func TestPrismAnswers(t *testing.T) {
	t.Parallel()
	for _, r := range readings {
		t.Run(r.object, func(t *testing.T) {
			t.Parallel()
			one, page := r.read(t.Context(), prismClient(t, t.Error))
			for by, reading := range map[string]reading{"Retrieve": one, "List": page} {
				if reading.err != nil {
					t.Errorf("%s: %v", by, reading.err)
					continue
				}
				unknown := unknownIn(t, reading.object)
				flows := flowsOf(reading.object)
				if len(unknown) > 0 || len(flows) == 0 {
					t.Errorf("%s: %d flows, the members %q are not known", by, len(flows), unknown)
				}
			}
			one, page = r.read(t.Context(), prismClient(t, t.Error, authentik.WithHeader("Prefer", "code=400")))
			for by, err := range map[string]error{"Retrieve": one.err, "List": page.err} {
				invalid, ok := errors.AsType[*authentik.ValidationError](err)
				if !ok || !slices.Equal(invalid.NonFieldErrors, []string{"string"}) || invalid.Code != "string" {
					t.Errorf("%s: %v, want a ValidationError with Prism's words", by, err)
				}
			}
			one, page = r.read(t.Context(), prismClient(t, t.Error, authentik.WithHeader("Prefer", "code=403")))
			for by, err := range map[string]error{"Retrieve": one.err, "List": page.err} {
				forbidden, ok := errors.AsType[*authentik.ForbiddenError](err)
				if !ok || forbidden.Detail != "string" || forbidden.Code != "string" {
					t.Errorf("%s: %v, want a ForbiddenError with Prism's words", by, err)
				}
			}
		})
	}
}
