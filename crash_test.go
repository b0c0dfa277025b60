package authentik_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/jarcoal/httpmock"
)

// TestWriteThatMakesTheServerFail has the answer that authentik gives to such a write,
// and to one of a path that does not exist: a HEAD of the path tells them apart.
func TestWriteThatMakesTheServerFail(t *testing.T) {
	t.Parallel()
	html, json := http.Header{"Content-Type": {"text/html; charset=utf-8"}}, http.Header{"Content-Type": {"application/json"}}
	crash := html.Clone()
	crash.Set("Allow", "GET, HEAD, OPTIONS")
	crash.Set("X-Authentik-Id", "0a1b")
	for name, test := range map[string]struct {
		head             httpmock.Responder
		server, endpoint bool
		unknown          bool
		says             string
		heads            int // for two writes
	}{
		"an existing endpoint":      {answer(200, json, ""), true, false, true, "the server failed", 1},
		"of an object that is gone": {answer(404, json, ""), true, false, true, "the server failed", 1},
		"one that takes no GET":     {answer(405, json, ""), true, false, true, "the server failed", 1},
		"a missing endpoint":        {answer(404, html, ""), false, true, false, "no such endpoint", 1},
		"a proxy's page":            {answer(200, html, ""), false, false, true, "or has no such endpoint", 2},
		"no answer":                 {httpmock.NewErrorResponder(errors.New("broken")), false, false, true, "or has no such endpoint", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, mock := mockClient(t, authentik.WithRetries(0, 0, 0))
			heads := 0
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				if r.Method != http.MethodHead {
					return answer(http.StatusMethodNotAllowed, crash, "")(r)
				}
				heads++
				if r.URL.RawQuery != "" || r.Body != nil && r.Body != http.NoBody {
					t.Errorf("the HEAD has the query %q, or a body", r.URL.RawQuery)
				}
				return test.head(r)
			})
			for range 2 {
				_, err := client.CoreUsers.Update(t.Context(), 7, &authentik.UserRequest{Name: new("x")})
				if errors.Is(err, authentik.ErrServer) != test.server || errors.Is(err, authentik.ErrNoEndpoint) != test.endpoint ||
					errors.Is(err, authentik.ErrOutcomeUnknown) != test.unknown || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "0a1b") {
					t.Errorf("error %v", err)
				}
			}
			if heads != test.heads {
				t.Errorf("%d HEADs, want %d", heads, test.heads)
			}
		})
	}
}

// TestMethodThatAnEndpointLacks is told by authentik's JSON, and nothing is asked.
func TestMethodThatAnEndpointLacks(t *testing.T) {
	t.Parallel()
	client, sent := recorder(t, http.StatusMethodNotAllowed, `{"detail":"Method \"POST\" not allowed."}`)
	_, err := client.CoreUsers.Create(t.Context(), &authentik.UserRequest{Username: "ada"})
	if err == nil || errors.Is(err, authentik.ErrServer) || errors.Is(err, authentik.ErrNoEndpoint) || errors.Is(err, authentik.ErrOutcomeUnknown) || len(*sent) != 1 {
		t.Errorf("error %v after %d requests", err, len(*sent))
	}
}
