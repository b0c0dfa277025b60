//go:build prism

package conformance_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/testkit/sample"
)

// TestPrismAcceptsEveryWrite has each method that writes send all members of its
// request, and the required ones alone.
func TestPrismAcceptsEveryWrite(t *testing.T) {
	t.Parallel()
	newest := releases()[len(releases())-1]
	special := map[string]any{ // where the schema asks for more than a type
		"reputation_lower_limit": -7.0,
		"provider":               map[string]any{"name": "text", "url": "https://example.com"}, // of SCIM; most others fit several kinds, which Prism refuses
	}
	calls := 0
	for _, w := range writings() {
		if o := newest.Operation(w.asks.Method, w.asks.Path); o == nil || o.NoToken {
			continue // Prism answers 401 to what needs no token
		} else if w.body == nil && len(o.Bodies) > 0 {
			continue // Prism wants the body that came later
		}
		calls++
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			client := prismClient(t, t.Error)
			if w.body == nil {
				if _, err := w.call(t, client, nil); err != nil {
					t.Error(err)
				}
				return
			}
			request := newest.Object(w.body.Type.Name)
			required := sample.Required(request, w.document())
			maps.Copy(required, neededBy(w.asks.Path))
			if w.String() == "PoliciesEventMatcher.Create" {
				required = w.document() // servers need null, which the schema does not allow
			}
			for name, document := range map[string]map[string]any{
				"all members":       w.document(),
				"the required ones": required,
			} {
				for member, value := range special {
					if _, ok := document[member]; ok && (member != "provider" || w.asks.Path == "core/transactional/applications/") {
						document[member] = value
					}
				}
				if _, err := w.call(t, client, document); err != nil {
					t.Errorf("%s, %v: %v", name, document, err)
				}
			}
		})
	}
	if calls < 450 {
		t.Errorf("%d methods were called", calls)
	}
}

// TestPrismLooksAtBodies shows that the test above can fail.
func TestPrismLooksAtBodies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]map[string]any{
		"type":    {"name": "x", "backends": "none"},
		"missing": {"backends": []string{}},
		"enum":    {"name": "x", "backends": []string{"none"}},
		"null":    {"name": nil, "backends": []string{}},
	} {
		violations := 0
		client := prismClient(t, func(...any) { violations++ })
		_, err := authentik.Post[struct{}](t.Context(), client, "stages/password/", body)
		if !errors.Is(err, authentik.ErrBadRequest) || violations != 1 {
			t.Errorf("%s: %v, %d violations", name, err, violations)
		}
	}
}
