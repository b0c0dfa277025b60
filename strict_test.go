package authentik_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// TestStrictValues compares what was sent with what came: the error names what the
// server made something else of.
func TestStrictValues(t *testing.T) {
	t.Parallel()
	one, two := uuid.UUID{1}, uuid.UUID{2}
	at := time.Date(2027, 1, 2, 3, 4, 5, 6_000_000, time.FixedZone("", 3600))
	for name, tt := range map[string]struct {
		req    any
		answer string
		want   []authentik.IgnoredMember
	}{
		"another owner":         {&authentik.TokenRequest{User: 42, Expiring: new(false)}, `{"user":1,"expiring":true}`, []authentik.IgnoredMember{{"expiring", "false", "true"}, {"user", "42", "1"}}},
		"null":                  {&authentik.InvitationRequest{Expires: authentik.Null[time.Time]()}, `{"expires":"2026-11-27T04:00:00Z"}`, []authentik.IgnoredMember{{"expires", "null", `"2026-11-27T04:00:00Z"`}}},
		"null, and it is":       {&authentik.InvitationRequest{Expires: authentik.Null[time.Time]()}, `{"expires":null}`, nil},
		"an instant":            {&authentik.TokenRequest{Expires: authentik.Value(at)}, `{"expires":"2027-01-02T02:04:05.006Z"}`, nil},
		"to the microsecond":    {&authentik.TokenRequest{Expires: authentik.Value(at.Add(999))}, `{"expires":"2027-01-02T02:04:05.006000Z"}`, nil},
		"another instant":       {&authentik.TokenRequest{Expires: authentik.Value(at)}, `{"expires":"2027-01-02T02:04:05.006001Z"}`, []authentik.IgnoredMember{{"expires", `"2027-01-02T03:04:05.006+01:00"`, `"2027-01-02T02:04:05.006001Z"`}}},
		"white space":           {&authentik.ExpressionPolicyRequest{Name: "\u00a0a ", Expression: "return True\n"}, `{"name":"a","expression":"return True"}`, nil},
		"no white space":        {&authentik.ExpressionPolicyRequest{Expression: "a"}, `{"expression":"a\n"}`, []authentik.IgnoredMember{{"expression", `"a"`, `"a\n"`}}},
		"pks":                   {&authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{one, two, one}}, fmt.Sprintf(`{"property_mappings":[%q,%q]}`, two, one), nil},
		"a pk less":             {&authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{one, two}}, fmt.Sprintf(`{"property_mappings":[%q]}`, two), []authentik.IgnoredMember{{"property_mappings", fmt.Sprintf(`[%q,%q]`, one, two), fmt.Sprintf(`[%q]`, two)}}},
		"pks that are numbers":  {&authentik.OutpostRequest{Providers: []int{1, 2}}, `{"providers":[2,1]}`, nil},
		"a pk more":             {&authentik.OutpostRequest{Providers: []int{1, 2}}, `{"providers":[2,1,3]}`, []authentik.IgnoredMember{{"providers", "[1,2]", "[2,1,3]"}}},
		"an order":              {&authentik.IdentificationStageRequest{UserFields: []authentik.UserField{"email", "username"}}, `{"user_fields":["username","email"]}`, []authentik.IgnoredMember{{"user_fields", `["email","username"]`, `["username","email"]`}}},
		"a number":              {&authentik.GeoIPPolicyRequest{DistanceToleranceKm: new(7)}, `{"distance_tolerance_km":7.0}`, nil},
		"a text as a number":    {&authentik.AuthenticatorTOTPStageRequest{Digits: "6"}, `{"digits":6}`, nil},
		"another number":        {&authentik.AuthenticatorTOTPStageRequest{Digits: "6"}, `{"digits":8}`, []authentik.IgnoredMember{{"digits", `"6"`, "8"}}},
		"countries are a set":   {&authentik.GeoIPPolicyRequest{Countries: []authentik.CountryCode{"FR", "AT"}}, `{"countries":["AT","FR"]}`, nil},
		"another country":       {&authentik.GeoIPPolicyRequest{Countries: []authentik.CountryCode{"FR", "AT"}}, `{"countries":["AT","DE"]}`, []authentik.IgnoredMember{{"countries", `["FR","AT"]`, `["AT","DE"]`}}},
		"ignored further in":    {&authentik.OAuth2ProviderRequest{RedirectURIs: redirects()}, `{"redirect_uris":[{"matching_mode":"strict","url":"https://a/x?a=1&b"}]}`, []authentik.IgnoredMember{{"redirect_uris.0.redirect_uri_type", `"logout"`, ""}}},
		"nothing else to be":    {&authentik.OAuth2ProviderRequest{RedirectURIs: authorizations()}, `{"redirect_uris":[{"matching_mode":"strict","url":"https://a"}]}`, nil},
		"not said":              {&authentik.OAuth2ProviderRequest{RedirectURIs: authorizations()}, `{"redirect_uris":[{"matching_mode":"strict","url":"https://a","redirect_uri_type":""}]}`, nil},
		"changed further in":    {&authentik.OAuth2ProviderRequest{RedirectURIs: redirects()}, `{"redirect_uris":[{"matching_mode":"regex","url":"https://a/x?a=1&b","redirect_uri_type":"logout"}]}`, []authentik.IgnoredMember{{"redirect_uris.0.matching_mode", `"strict"`, `"regex"`}}},
		"less of a list":        {&authentik.OAuth2ProviderRequest{RedirectURIs: redirects()}, `{"redirect_uris":[]}`, []authentik.IgnoredMember{{"redirect_uris", `[{"matching_mode":"strict","redirect_uri_type":"logout","url":"https://a/x?a=1&b"}]`, "[]"}}},
		"more is filled in":     {&authentik.OAuth2ProviderRequest{RedirectURIs: redirects()[:1]}, `{"redirect_uris":[{"matching_mode":"strict","url":"https://a/x?a=1&b","redirect_uri_type":"logout","new":1}],"name":"x"}`, nil},
		"a secret of the model": {&authentik.OAuth2ProviderRequest{ClientSecret: new("hunter2")}, `{"client_secret":"hunter3"}`, nil},
		"a secret ignored":      {&authentik.OAuth2ProviderRequest{ClientSecret: new("hunter2")}, `{}`, []authentik.IgnoredMember{{"client_secret", `"(hidden)"`, ""}}},
		"a secret not answered": {&authentik.LDAPSourceRequest{BindPassword: new("hunter2")}, `{}`, nil},
		"free form":             {&authentik.OutpostRequest{Config: map[string]any{"log_level": "hunter2"}}, `{"config":{"log_level":"info","more":1}}`, nil},
		"free form, ignored":    {&authentik.OutpostRequest{Config: map[string]any{"log_level": "hunter2"}}, `{}`, []authentik.IgnoredMember{{"config", `"(hidden)"`, ""}}},
		"the other id":          {&authentik.PolicyBindingRequest{Target: one}, fmt.Sprintf(`{"target":%q}`, two), nil},
		"a secret further in": {struct {
			Of []nested `json:"of"`
		}{[]nested{{"x", "hunter2", map[string]any{"a": "hunter2"}}}}, `{"of":[]}`, []authentik.IgnoredMember{{"of", `[{"any":"(hidden)","key":"(hidden)","name":"x"}]`, "[]"}}},
		"an encoding of its own": {&own{"hunter2"}, `{"pk":7,"x":"y"}`, []authentik.IgnoredMember{{"y", `"(hidden)"`, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := recorder(t, http.StatusOK, tt.answer, authentik.WithStrictWrites())
			_, err := authentik.UpdateObject[map[string]any](t.Context(), client, "x/", 7, tt.req)
			ignored, ok := errors.AsType[*authentik.IgnoredError](err)
			if ok != (tt.want != nil) || !ok && err != nil {
				t.Fatalf("error %v", err)
			}
			if !ok {
				return
			}
			if diff := cmp.Diff(tt.want, ignored.Members); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, member := range ignored.Members {
				if !strings.Contains(err.Error(), member.Name+" (sent "+member.Sent+", got ") {
					t.Errorf("the text %v", err)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the text shows a secret: %v", err)
			}
		})
	}
}

func redirects() []authentik.RedirectURIRequest {
	return []authentik.RedirectURIRequest{{MatchingMode: authentik.MatchingModeStrict, URL: "https://a/x?a=1&b", RedirectURIType: new(authentik.RedirectURITypeLogout)}}
}

// authorizations are what an older server takes every redirect URI for.
func authorizations() []authentik.RedirectURIRequest {
	return []authentik.RedirectURIRequest{{MatchingMode: authentik.MatchingModeStrict, URL: "https://a", RedirectURIType: new(authentik.RedirectURITypeAuthorization)}}
}

type nested struct {
	Name string         `json:"name"`
	Key  string         `json:"key" authentik:"secret"`
	Any  map[string]any `json:"any"`
}

type own struct{ secret string }

func (o *own) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"x": o.secret, "y": o.secret})
}

// TestStrictTextIsBounded has a long value in the error, of which its text has the
// beginning.
func TestStrictTextIsBounded(t *testing.T) {
	t.Parallel()
	client, _ := recorder(t, http.StatusOK, `{"pk":7,"name":"x","username":"y"}`, authentik.WithStrictWrites())
	_, err := client.CoreUsers.Update(t.Context(), 7, &authentik.UserRequest{Name: new(strings.Repeat("long", 100)), Username: "ada"})
	if text := fmt.Sprint(err); len(text) > 500 || !strings.Contains(text, `longlong`) || !strings.Contains(text, `username (sent "ada", got "y")`) {
		t.Errorf("error %v", err)
	}
}

// TestChangedMembersAreLogged logs the names of members, and no values.
func TestChangedMembersAreLogged(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	client, _ := recorder(t, http.StatusOK, `{"pk":7,"name":"y"}`, authentik.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	if _, err := client.CoreUsers.Update(t.Context(), 7, &authentik.UserRequest{Name: new("hunter2")}); err != nil {
		t.Fatal(err)
	}
	if text := logged.String(); !strings.Contains(text, "members=[name]") || strings.Contains(text, "hunter2") {
		t.Errorf("logged %q", text)
	}
}

// TestFailedResults has the server answer 200 and say that it failed.
func TestFailedResults(t *testing.T) {
	t.Parallel()
	log := `[{"event":"Entry invalid: name taken","log_level":"warning","attributes":{}},{"event":"stopped","log_level":"info"}]`
	for name, tt := range map[string]struct {
		call         func(*authentik.Client) (any, error)
		failed, done string
	}{
		"FlowsInstances.Import": {
			func(client *authentik.Client) (any, error) {
				return client.FlowsInstances.Import(t.Context(), &authentik.FlowUploadRequest{File: strings.NewReader("a: b")})
			}, `{"success":false,"logs":` + log + `}`, `{"success":true,"logs":` + log + `}`,
		},
		"ManagedBlueprints.Import": {
			func(client *authentik.Client) (any, error) {
				return client.ManagedBlueprints.Import(t.Context(), &authentik.BlueprintUploadRequest{File: strings.NewReader("a: b")})
			}, `{"success":false,"logs":` + log + `}`, `{"success":true,"logs":` + log + `}`,
		},
		"CoreTransactionalApplications.Create": {
			func(client *authentik.Client) (any, error) {
				return client.CoreTransactionalApplications.Create(t.Context(), &authentik.TransactionApplicationRequest{})
			}, `{"applied":false,"logs":["Entry invalid: name taken","stopped"]}`, `{"applied":true,"logs":["stopped"]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := recorder(t, http.StatusOK, tt.failed)
			result, err := tt.call(client)
			failed, ok := errors.AsType[*authentik.FailedError](err)
			if !ok || result == nil || !strings.Contains(err.Error(), "Entry invalid: name taken; stopped (request id 0a1b)") || errors.Is(err, authentik.ErrOutcomeUnknown) {
				t.Fatalf("got %+v, error %v", result, err)
			}
			if want := []string{"Entry invalid: name taken", "stopped"}; !cmp.Equal(failed.Log, want) || failed.Path == "" || failed.Method == "" {
				t.Errorf("error %+v", failed)
			}
			client, _ = recorder(t, http.StatusOK, tt.done)
			if result, err := tt.call(client); err != nil || result == nil {
				t.Errorf("got %+v, error %v", result, err)
			}
		})
	}
}
