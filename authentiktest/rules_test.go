package authentiktest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
)

// TestRules has writes that the schema allows and a server does not.
func TestRules(t *testing.T) {
	t.Parallel()
	s := NewServer()
	t.Cleanup(s.Close)
	s.SetRelease("2026.5")
	s.Bootstrap()
	application := askFor(t, s, http.StatusCreated, http.MethodPost, "core/applications/", map[string]any{"name": "wiki", "slug": "wiki"})
	group := askFor(t, s, http.StatusCreated, http.MethodPost, "core/groups/", map[string]any{"name": "staff"})
	binding := map[string]any{"target": application["pk"], "group": group["pk"], "order": 1}
	bound := askFor(t, s, http.StatusCreated, http.MethodPost, "policies/bindings/", binding)
	one := "policies/bindings/" + canonical(bound["pk"]) + "/"
	for _, test := range []struct {
		method, path string
		body         map[string]any
		status       int
		want         string
	}{
		{"POST", "core/applications/", map[string]any{"name": "token", "slug": "token"}, 400, "reserved"},
		{"POST", "core/users/", map[string]any{"username": "a", "name": "a", "path": "/a"}, 400, "No leading or trailing slashes allowed."},
		{"POST", "policies/bindings/", map[string]any{"target": application["pk"], "order": 2}, 400, "One of 'group', 'policy', 'user' must be set."},
		{"POST", "policies/bindings/", map[string]any{"target": group["pk"], "group": group["pk"], "order": 2}, 400, "object does not exist"},
		{"PATCH", one, map[string]any{"enabled": false}, 405, ""},
		{"POST", "policies/event_matcher/", map[string]any{"name": "a"}, 405, ""},
		{"POST", "stages/mtls/", map[string]any{"name": "a", "mode": "optional", "cert_attribute": "subject", "user_attribute": "username"}, 400, "Enterprise is required"},
		{"POST", "stages/user_login/", map[string]any{"name": "a", "session_duration": "an hour"}, 400, "is not in the correct format"},
		{"POST", "stages/dummy/", map[string]any{"name": strings.Repeat("a", 3)}, 201, ""},
		{"POST", "core/none/", map[string]any{}, 405, ""},
	} {
		status, answer := ask(t, s, test.method, test.path, test.body)
		if status != test.status || !strings.Contains(answer, test.want) {
			t.Errorf("%s %s %v: %d %s, want %d %s", test.method, test.path, test.body, status, answer, test.status, test.want)
		}
	}
}

// TestPatchOfTokenFillsIn has a PATCH of a description give a token to the caller.
func TestPatchOfTokenFillsIn(t *testing.T) {
	t.Parallel()
	s := NewServer()
	t.Cleanup(s.Close)
	s.Bootstrap()
	anna := s.CoreUsers.Add(authentik.User{Username: "anna"})
	body := map[string]any{"identifier": "annas", "intent": "app_password", "user": anna.PK}
	askFor(t, s, http.StatusCreated, http.MethodPost, "core/tokens/", body)
	token := askFor(t, s, http.StatusOK, http.MethodPatch, "core/tokens/annas/", map[string]any{"description": "mine"})
	if token["intent"] != "api" || canonical(token["user"]) == canonical(anna.PK) {
		t.Errorf("%v", token)
	}
}

// TestLimitedUser signs in as a user whose role sees groups.
func TestLimitedUser(t *testing.T) {
	t.Parallel()
	s := NewServer()
	t.Cleanup(s.Close)
	s.Bootstrap()
	anna := s.CoreUsers.Add(authentik.User{Username: "anna", IsActive: true})
	role := askFor(t, s, http.StatusCreated, http.MethodPost, "rbac/roles/", map[string]any{"name": "readers"})
	askFor(t, s, http.StatusCreated, http.MethodPost, "core/groups/", map[string]any{"name": "staff", "users": []any{anna.PK}, "roles": []any{role["pk"]}})
	ask(t, s, http.MethodPost, "rbac/permissions/assigned_by_roles/"+canonical(role["pk"])+"/assign/",
		map[string]any{"permissions": []any{"authentik_core.view_group"}})
	askFor(t, s, http.StatusCreated, http.MethodPost, "core/tokens/", map[string]any{"identifier": "annas", "intent": "api", "user": anna.PK})
	key := askFor(t, s, http.StatusOK, http.MethodGet, "core/tokens/annas/view_key/", nil)["key"]
	client, err := authentik.NewClient(s.URL, canonical(key), authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if me, err := client.CoreUsers.Me(t.Context()); err != nil || me.User.Username != "anna" {
		t.Errorf("%+v, %v", me, err)
	}
	if groups, err := client.CoreGroups.List(t.Context(), nil); err != nil || len(groups.Results) != 2 {
		t.Errorf("%+v, %v", groups, err)
	}
	if _, err := client.CoreUsers.List(t.Context(), nil); err == nil {
		t.Error("users are listed")
	}
	if _, err := client.CoreGroups.Create(t.Context(), &authentik.GroupRequest{Name: "more"}); err == nil {
		t.Error("a group is created")
	}
	if needed := s.Permissions(); !slices.Contains(needed, "authentik_core.view_group") || !slices.Contains(needed, "authentik_core.add_group") {
		t.Errorf("needed %q", needed)
	}
}

// TestDeletesTakeAlong deletes an application with what refers to it.
func TestDeletesTakeAlong(t *testing.T) {
	t.Parallel()
	s := NewServer()
	t.Cleanup(s.Close)
	s.Bootstrap()
	application := askFor(t, s, http.StatusCreated, http.MethodPost, "core/applications/", map[string]any{"name": "wiki", "slug": "wiki"})
	group := askFor(t, s, http.StatusCreated, http.MethodPost, "core/groups/", map[string]any{"name": "staff"})
	body := map[string]any{"target": application["pk"], "group": group["pk"], "order": 1}
	askFor(t, s, http.StatusCreated, http.MethodPost, "policies/bindings/", body)
	askFor(t, s, http.StatusNoContent, http.MethodDelete, "core/applications/wiki/", nil)
	if left := s.PoliciesBindings.All(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

// TestReviewRules holds lifecycle rules to what a running 2026.5 says.
func TestReviewRules(t *testing.T) {
	t.Parallel()
	server := NewServer()
	t.Cleanup(server.Close)
	server.License()
	ada := server.CoreUsers.Add(authentik.User{Username: "ada", Name: "Ada"})
	reviewer := `"reviewers":["` + ada.UUID.String() + `"]`
	group := server.CoreGroups.Add(authentik.Group{Name: "staff"})
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "", `{"name":"a","content_type":"authentik_core.group","reviewers":[]}`, 400, "Either a reviewer group or a reviewer must be set."},
		{"POST", "", `{"name":"a","content_type":"nothing","reviewers":"none"}`, 405, ""},
		{"POST", "", `{"name":"a","content_type":"authentik_core.group","interval":"days=1",` + reviewer + `}`, 400, "Grace period must be shorter than the interval."},
		{"POST", "", `{"name":"a","content_type":"authentik_core.group","object_id":"` + ada.UUID.String() + `",` + reviewer + `}`, 400, "Object does not exist"},
		{"POST", "", `{"name":"a","content_type":"authentik_core.group",` + reviewer + `}`, 201, `"target_verbose":"Groups"`},
		{"POST", "", `{"name":"b","content_type":"authentik_core.group",` + reviewer + `}`, 400, "Only one type-wide rule for each object type is allowed."},
		{"POST", "", `{"name":"b","content_type":"authentik_core.group","object_id":"` + group.PK.String() + `",` + reviewer + `}`, 201, `"username":"ada"`},
		{"POST", "", `{"name":"c","content_type":"authentik_core.group","object_id":"` + group.PK.String() + `",` + reviewer + `}`, 400, "must make a unique set"},
		{"GET", "?search=ada", "", 200, `"count":2`},
		{"GET", "?search=staff", "", 200, `"count":0`},
	} {
		var body any
		if test.body != "" {
			body = json.RawMessage(test.body)
		}
		status, answer := ask(t, server, test.method, "lifecycle/rules/"+test.path, body)
		if status != test.status || !strings.Contains(answer, test.says) {
			t.Errorf("%s %s: %d %s", test.method, test.body, status, answer)
		}
	}
}
