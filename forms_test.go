package authentik_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// wrote is what a client of a server of the release sends, and how often it asked for
// the version. A version "" may not be read, and "down" cannot be.
func wrote(t *testing.T, version string, send func(*authentik.Client) error) (bodies []map[string]any, asked int, err error) {
	t.Helper()
	client, mock := mockClient(t, authentik.WithRetries(0, 0, 0))
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/admin/version/") {
			asked++
			switch version {
			case "":
				return answer(http.StatusForbidden, nil, `{"detail":"no"}`)(r)
			case "down":
				return answer(http.StatusInternalServerError, nil, `{"detail":"down"}`)(r)
			}
			return answer(http.StatusOK, nil, `{"version_current":"`+version+`"}`)(r)
		}
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		bodies = append(bodies, body)
		return answer(http.StatusCreated, nil, `{"pk":"765ed48b-9283-4461-987d-de42dba24533"}`)(r)
	})
	err = send(client)
	return bodies, asked, err
}

// TestOlderForms sends members as servers of each release take them.
func TestOlderForms(t *testing.T) {
	t.Parallel()
	uris := func(uris ...authentik.RedirectURIRequest) func(*authentik.Client) error {
		return func(client *authentik.Client) error {
			_, err := authentik.Patch[struct{}](t.Context(), client, "providers/oauth2/1/", &authentik.OAuth2ProviderRequest{Name: "wiki", RedirectURIs: uris})
			return err
		}
	}
	strict := func(url string) authentik.RedirectURIRequest {
		return authentik.RedirectURIRequest{MatchingMode: authentik.MatchingModeStrict, URL: url}
	}
	lines := map[string]any{"name": "wiki", "redirect_uris": "https://a/\nhttps://b/"}
	list := map[string]any{"name": "wiki", "redirect_uris": []any{
		map[string]any{"matching_mode": "strict", "url": "https://a/", "redirect_uri_type": "authorization"},
		map[string]any{"matching_mode": "strict", "url": "https://b/", "redirect_uri_type": "authorization"},
	}}
	expiry := func(text string) func(*authentik.Client) error {
		return func(client *authentik.Client) error {
			_, err := client.StagesEmail.Update(t.Context(), uuid.Max, &authentik.EmailStageRequest{TokenExpiry: &text})
			return err
		}
	}
	friendly := func(name string) func(*authentik.Client) error {
		return func(client *authentik.Client) error {
			_, err := client.StagesAuthenticatorTOTP.Update(t.Context(), uuid.Max, &authentik.AuthenticatorTOTPStageRequest{FriendlyName: &name})
			return err
		}
	}
	application := func(provider any) func(*authentik.Client) error {
		return func(client *authentik.Client) error {
			_, err := client.CoreTransactionalApplications.Create(t.Context(), &authentik.TransactionApplicationRequest{Provider: provider})
			return err
		}
	}
	two := authentik.OAuth2ProviderRequest{Name: "wiki", RedirectURIs: []authentik.RedirectURIRequest{strict("https://a/"), strict("https://b/")}}
	for name, test := range map[string]struct {
		versions string
		send     func(*authentik.Client) error
		asked    int
		want     map[string]any
		err      string // before the write
	}{
		"lines":              {"2023.10.7 2024.6.5 2024.8.0 2024.8.4 2024.10.2", uris(strict("https://a/"), strict("https://b/")), 1, lines, ""},
		"a list":             {"2024.8.5 2024.8.6 2024.10.3 2024.10.5 2024.12.0 2026.8.3 2027.2.0", uris(strict("https://a/"), strict("https://b/")), 1, list, ""},
		"an unknown version": {"main", uris(strict("https://a/"), strict("https://b/")), 1, list, ""},
		"no URIs":            {"2023.10.7", uris(), 0, map[string]any{"name": "wiki"}, ""},
		"an empty list of URIs": {"2023.10.7", func(c *authentik.Client) error {
			_, err := authentik.Patch[struct{}](t.Context(), c, "providers/oauth2/1/", authentik.OAuth2ProviderRequest{RedirectURIs: []authentik.RedirectURIRequest{}})
			return err
		}, 1, map[string]any{"redirect_uris": ""}, ""},
		"a regular expression":   {"2023.10.7 2024.10.2", uris(authentik.RedirectURIRequest{MatchingMode: authentik.MatchingModeRegex, URL: ".*"}), 1, nil, "redirect_uris in another form: lines of text, which have no matching mode regex"},
		"a URI for logouts":      {"2024.8.4", uris(authentik.RedirectURIRequest{MatchingMode: authentik.MatchingModeStrict, URL: "https://a/", RedirectURIType: new(authentik.RedirectURITypeLogout)}), 1, nil, "no URIs for logout"},
		"a URI with white space": {"2023.10.7", uris(strict("https://a/ b")), 1, nil, "white space"},
		"it cannot be asked":     {"down", uris(strict("https://a/")), 1, nil, "the form of redirect_uris depends on the release"},
		"minutes":                {"2023.10.7 2025.2.4", expiry("hours=1;minutes=30"), 1, map[string]any{"token_expiry": 90.0}, ""},
		"a span":                 {"2025.4.0 2026.5.6", expiry("hours=1"), 1, map[string]any{"token_expiry": "hours=1"}, ""},
		"seconds":                {"2025.2.4", expiry("seconds=90"), 1, nil, `token_expiry in another form: whole minutes, not "seconds=90"`},
		"seconds later":          {"2025.4.4", expiry("seconds=90"), 1, map[string]any{"token_expiry": "seconds=90"}, ""},
		"no span":                {"2023.10.7", expiry("soon"), 1, nil, "soon"},
		"null":                   {"2023.10.7 2025.8.6", friendly(""), 1, map[string]any{"friendly_name": nil}, ""},
		"an empty text":          {"2025.10.0", friendly(""), 1, map[string]any{"friendly_name": ""}, ""},
		"a text":                 {"2023.10.7", friendly("x"), 0, map[string]any{"friendly_name": "x"}, ""},
		"inside":                 {"2023.10.7", application(&two), 1, map[string]any{"provider": lines}, ""},
		"inside, by value":       {"2023.10.7", application(two), 1, map[string]any{"provider": lines}, ""},
		"inside, newer":          {"2026.5.6", application(two), 1, map[string]any{"provider": list}, ""},
		"inside, of another":     {"2023.10.7", application(&authentik.SAMLProviderRequest{Name: "x"}), 0, map[string]any{"provider": map[string]any{"name": "x"}}, ""},
	} {
		for version := range strings.SplitSeq(test.versions, " ") {
			t.Run(name+" "+version, func(t *testing.T) {
				t.Parallel()
				bodies, asked, err := wrote(t, version, test.send)
				if asked != test.asked {
					t.Errorf("the version was asked for %d times", asked)
				}
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), test.err) || !isLine(err.Error()) || len(bodies) != 0 || version != "down" && !errors.Is(err, errors.ErrUnsupported) {
						t.Errorf("error %v after %d writes", err, len(bodies))
					}
					return
				}
				if diff := cmp.Diff([]map[string]any{test.want}, bodies); diff != "" {
					t.Errorf("sent (-want +got):\n%s\nerror %v", diff, err)
				}
			})
		}
	}
	bodies, _, _ := wrote(t, "", uris(strict("https://a/"), strict("https://b/")))
	if diff := cmp.Diff([]map[string]any{list}, bodies); diff != "" {
		t.Errorf("to a server whose version may not be read (-want +got):\n%s", diff)
	}
}

// TestRequestStaysAsItWas sends requests to which the SDK adds something.
func TestRequestStaysAsItWas(t *testing.T) {
	t.Parallel()
	made := func() *authentik.TransactionApplicationRequest {
		return &authentik.TransactionApplicationRequest{Provider: &authentik.OAuth2ProviderRequest{
			RedirectURIs: []authentik.RedirectURIRequest{
				{MatchingMode: authentik.MatchingModeStrict, URL: "https://a/"},
				{MatchingMode: authentik.MatchingModeStrict, URL: "https://b/", RedirectURIType: new(authentik.RedirectURIType(""))},
			},
		}}
	}
	req := made()
	bodies, _, _ := wrote(t, "2026.5.6", func(client *authentik.Client) error { // the answer says nothing of it
		_, err := client.CoreTransactionalApplications.Create(t.Context(), req)
		return err
	})
	want := []map[string]any{{"provider": map[string]any{"redirect_uris": []any{
		map[string]any{"matching_mode": "strict", "url": "https://a/", "redirect_uri_type": "authorization"},
		map[string]any{"matching_mode": "strict", "url": "https://b/", "redirect_uri_type": "authorization"},
	}}}}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(made(), req); diff != "" {
		t.Errorf("the request (-before +after):\n%s", diff)
	}
}

// TestMembersThatNoAnswerShows are errors before the request, if the server would
// ignore them.
func TestMembersThatNoAnswerShows(t *testing.T) {
	t.Parallel()
	application := func(req authentik.TransactionApplicationRequest) func(*authentik.Client) error {
		return func(client *authentik.Client) error {
			_, err := client.CoreTransactionalApplications.Create(t.Context(), &req)
			return err
		}
	}
	recovery := func(client *authentik.Client) error {
		_, err := client.CoreUsers.RecoveryWith(t.Context(), 7, &authentik.UserRecoveryLinkRequest{TokenDuration: new("hours=1")})
		return err
	}
	bound := application(authentik.TransactionApplicationRequest{PolicyBindings: []authentik.TransactionPolicyBindingRequest{{}}})
	hidden := application(authentik.TransactionApplicationRequest{App: &authentik.ApplicationRequest{MetaHide: new(true)}})
	logout := application(authentik.TransactionApplicationRequest{Provider: &authentik.OAuth2ProviderRequest{LogoutURI: new("https://a")}})
	for name, test := range map[string]struct {
		versions string
		send     func(*authentik.Client) error
		asked    int
		err      string
	}{
		"bindings":            {"2024.10.5", bound, 1, "the member policy_bindings is of 2024.12 and later, and the server is 2024.10.5"},
		"bindings later":      {"2024.12.5 2026.8.3 main", bound, 1, ""},
		"it cannot be asked":  {"down", bound, 1, "the member policy_bindings is not of every release"},
		"inside":              {"2025.10.4", hidden, 1, "the member meta_hide is of 2026.5 and later"},
		"inside another":      {"2025.8.6", logout, 1, "the member logout_uri is of 2025.10 and later"},
		"a link":              {"2025.12.4", recovery, 1, "the member token_duration is of 2026.2 and later"},
		"a link later":        {"2026.2.0-rc1", recovery, 1, ""},
		"what newer required": {"2023.10.7", application(authentik.TransactionApplicationRequest{Provider: &authentik.OAuth2ProviderRequest{InvalidationFlow: uuid.Max}}), 0, ""},
		"what an answer has": {"2025.10.4", func(client *authentik.Client) error {
			_, err := client.CoreApplications.Update(t.Context(), "wiki", &authentik.ApplicationRequest{MetaHide: new(true)})
			return err
		}, 0, ""},
	} {
		for version := range strings.SplitSeq(test.versions, " ") {
			t.Run(name+" "+version, func(t *testing.T) {
				t.Parallel()
				bodies, asked, err := wrote(t, version, test.send)
				if asked != test.asked || (len(bodies) == 0) != (test.err != "") {
					t.Errorf("the version was asked for %d times, and %d bodies were sent", asked, len(bodies))
				}
				if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || version != "down" && !errors.Is(err, errors.ErrUnsupported)) {
					t.Errorf("error %v", err)
				}
			})
		}
	}
}

// TestVersionIsAskedForOnce writes twice.
func TestVersionIsAskedForOnce(t *testing.T) {
	t.Parallel()
	bodies, asked, err := wrote(t, "2023.10.7", func(client *authentik.Client) error {
		for range 2 {
			if _, err := client.StagesEmail.Update(t.Context(), uuid.Max, &authentik.EmailStageRequest{TokenExpiry: new("hours=1")}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || asked != 1 || len(bodies) != 2 || bodies[1]["token_expiry"] != 60.0 {
		t.Errorf("sent %v, asked %d times, error %v", bodies, asked, err)
	}
}
