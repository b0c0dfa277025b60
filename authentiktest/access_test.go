package authentiktest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/uuid"
)

// found are the names, or the pks, of what a list answers with, in order.
func found(t *testing.T, server *authentiktest.Server, path string) string {
	t.Helper()
	got := get(t, server, "/api/v3/"+path)
	var answer struct{ Results []map[string]any }
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	var names []string
	for _, object := range answer.Results {
		name := object["name"]
		if name == nil {
			name = object["pk"]
		}
		names = append(names, fmt.Sprint(name))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestApplicationsOfUser(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	staff := server.CoreGroups.Add(authentik.Group{Name: "staff"})
	night := server.CoreGroups.Add(authentik.Group{Name: "night", Parents: []uuid.UUID{staff.PK}})
	anna := server.CoreUsers.Add(authentik.User{Username: "anna", Groups: []uuid.UUID{night.PK}})
	bob := server.CoreUsers.Add(authentik.User{Username: "bob"})
	app := func(name, mode string, bindings ...authentik.PolicyBinding) {
		a := server.CoreApplications.Add(authentik.Application{Name: name, Slug: name, PolicyEngineMode: authentik.PolicyEngineMode(mode)})
		for i, b := range bindings {
			b.Target, b.Order = a.PK, i
			server.PoliciesBindings.Add(b)
		}
	}
	toStaff := authentik.PolicyBinding{Enabled: true, Group: &staff.PK}
	toBob := authentik.PolicyBinding{Enabled: true, User: &bob.PK}
	notBob := authentik.PolicyBinding{Enabled: true, User: &bob.PK, Negate: true}
	off := authentik.PolicyBinding{User: &anna.PK}
	app("all", "all", toStaff, toBob)
	app("any", "any", toStaff, toBob)
	app("free", "any", off)
	app("not-bob", "any", notBob)
	app("staff", "any", toStaff)
	for query, want := range map[string]string{
		"":                                     "all any free not-bob staff",
		fmt.Sprintf("for_user=%d", anna.PK):    "any free not-bob staff",
		fmt.Sprintf("for_user=%d", bob.PK):     "any free",
		"for_user=99&superuser_full_list=true": "all any free not-bob staff",
	} {
		if got := found(t, server, "core/applications/?"+query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := getList(t, server, fmt.Sprintf("/api/v3/core/applications/?for_user=%d", bob.PK)).Pagination.Count; got != 5 {
		t.Errorf("count is %d, want 5: it knows nothing of the user", got)
	}
	policy := server.PoliciesPassword.Add(authentik.PasswordPolicy{})
	app("policy", "any", authentik.PolicyBinding{Enabled: true, Policy: &policy.PK})
	for query, want := range map[string]string{
		"for_user=99":                      `{"for_user":"User not found"}`,
		"for_user=x":                       `["Invalid input."]`,
		fmt.Sprintf("for_user=%d", bob.PK): "authentiktest: the fake cannot run a policy",
	} {
		if got := get(t, server, "/api/v3/core/applications/?"+query); got.status != http.StatusBadRequest || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s, want %s", query, got.status, got.body, want)
		}
	}
}

func TestApplicationsWithLaunchURL(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.CoreApplications.Add(authentik.Application{Name: "none", Slug: "none"})
	server.CoreApplications.Add(authentik.Application{Name: "own", Slug: "own", MetaLaunchURL: "https://own.example"})
	server.CoreApplications.Add(authentik.Application{Name: "provider", Slug: "provider", LaunchURL: new("https://p.example")})
	for query, want := range map[string]string{
		"only_with_launch_url=true":                          "own provider",
		"only_with_launch_url=false":                         "none own provider",
		"only_with_launch_url=true&superuser_full_list=true": "none own provider",
	} {
		if got := found(t, server, "core/applications/?"+query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestAssignedPermissions(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	users := map[string]any{"app_label": "authentik_core", "model": "user"}
	user7 := map[string]any{"app_label": "authentik_core", "model": "user", "object_pk": "7"}
	group7 := map[string]any{"app_label": "authentik_core", "model": "group", "object_pk": "7"}
	server.AddObjects(
		"rbac/permissions/assigned_by_roles/",
		map[string]any{"role_pk": "a", "name": "model", "model_permissions": []any{users}},
		map[string]any{"role_pk": "b", "name": "object", "object_permissions": []any{user7}, "permissions": []any{user7}},
		map[string]any{"role_pk": "c", "name": "other", "object_permissions": []any{group7}, "permissions": []any{group7}},
	)
	server.AddObjects(
		"rbac/permissions/assigned_by_users/",
		map[string]any{"pk": 1, "name": "admin", "is_superuser": true},
		map[string]any{"pk": 2, "name": "object", "permissions": []any{user7}},
		map[string]any{"pk": 3, "name": "nobody"},
	)
	check := func(path, want string) {
		t.Helper()
		if got := found(t, server, "rbac/permissions/assigned_by_"+path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	check("roles/?model=authentik_core.user", "model")
	check("roles/?model=authentik_core.user&object_pk=7", "model object")
	check("roles/?model=authentik_core.user&object_pk=8", "model")
	check("roles/?model=authentik_core.group&object_pk=7", "other")
	if got := get(t, server, "/api/v3/rbac/permissions/assigned_by_roles/?object_pk=7"); got.status != http.StatusBadRequest {
		t.Errorf("without a model: %d %s", got.status, got.body)
	}
	server.SetRelease("2025.10")
	check("roles/?model=authentik_core.user", "object")
	check("roles/?model=authentik_core.user&object_pk=8", "")
	check("users/?model=authentik_core.user", "admin object")
	check("users/?model=authentik_core.user&object_pk=8", "admin")
}

// TestRelatedFilters asks by what refers to an object, and by what no answer shows.
func TestRelatedFilters(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	admins := server.RBACRoles.Add(authentik.Role{Name: "admins", Extra: map[string]json.RawMessage{"managed": []byte(`"x"`)}})
	server.RBACRoles.Add(authentik.Role{Name: "readers"})
	anna := server.CoreUsers.Add(authentik.User{Username: "anna", Roles: []uuid.UUID{admins.PK}})
	staff := server.CoreGroups.Add(authentik.Group{Name: "staff", Roles: []uuid.UUID{admins.PK}})
	web := server.ProvidersOAuth2.Add(authentik.OAuth2Provider{Name: "web"})
	sync := server.ProvidersSCIM.Add(authentik.SCIMProvider{Name: "sync"})
	server.ProvidersSCIM.Add(authentik.SCIMProvider{Name: "idle"})
	server.ProvidersProxy.Add(authentik.ProxyProvider{Name: "proxy"})
	server.ProvidersSAML.Add(authentik.SAMLProvider{Name: "saml"})
	app := server.CoreApplications.Add(authentik.Application{Name: "app", Slug: "app", Provider: &web.PK, BackchannelProviders: []int{sync.PK}})
	flow := server.FlowsInstances.Add(authentik.Flow{Slug: "flow"})
	binding := server.FlowsBindings.Add(authentik.FlowStageBinding{Target: flow.PK})
	server.FlowsBindings.Add(authentik.FlowStageBinding{Target: flow.PK, Order: 1})
	bound := server.PoliciesDummy.Add(authentik.DummyPolicy{Name: "bound"})
	server.PoliciesDummy.Add(authentik.DummyPolicy{Name: "loose"})
	server.PoliciesBindings.Add(authentik.PolicyBinding{Target: binding.PolicyBindingModelPtrID, Policy: &bound.PK})
	server.AddObjects("policies/password/", map[string]any{"name": "old", "created": "2020-01-01T00:00:00Z"}, map[string]any{"name": "new"})
	server.StagesInvitationStages.Add(authentik.InvitationStage{Name: "lost"})
	server.StagesInvitationStages.Add(authentik.InvitationStage{Name: "used", FlowSet: []authentik.FlowSet{{Slug: "flow"}}})
	server.StagesInvitationInvitations.Add(authentik.Invitation{Name: "invited", Flow: &flow.PK})
	server.SourcesOAuth.Add(authentik.OAuthSource{Name: "keys", Slug: "keys", OIDCJWKS: map[string]any{"keys": 1}})
	source := server.SourcesOAuth.Add(authentik.OAuthSource{Name: "none", Slug: "none"})
	server.AddObjects("core/object_attributes/", map[string]any{"key": "a", "pk": "12345678-0000-0000-0000-000000000000", "object_type": "authentik_core.user"})
	server.CryptoCertificateKeyPairs.Add(authentik.CertificateKeyPair{Name: "pair"})

	for query, want := range map[string]string{
		"rbac/roles/?managed=x":                                          "admins",
		"rbac/roles/?managed__isnull=true":                               "readers",
		fmt.Sprintf("rbac/roles/?users=%d", anna.PK):                     "admins",
		"rbac/roles/?groups=" + staff.PK.String():                        "admins",
		"providers/all/?application__isnull=true":                        "idle proxy saml sync",
		"providers/all/?application__isnull=false":                       "sync web",
		"providers/all/?backchannel=true":                                "idle sync",
		"providers/all/?backchannel=false":                               "proxy saml web",
		"providers/proxy/?application__isnull=true":                      "proxy",
		"providers/proxy/?application__isnull=false":                     "",
		"providers/oauth2/?application=" + app.PK.String():               "web",
		"providers/saml/?backchannel_application=" + app.PK.String():     "",
		"policies/all/?bindings__isnull=true":                            "loose new old",
		"policies/all/?bindings__isnull=false":                           "bound",
		"policies/all/?promptstage__isnull=false":                        "",
		"policies/password/?created=2020-01-01T01:00:00%2B01:00":         "old",
		"flows/bindings/?policies=" + bound.PK.String():                  binding.PK.String(),
		"stages/invitation/stages/?no_flows=true":                        "lost",
		"stages/invitation/stages/?no_flows=false":                       "used",
		"stages/invitation/invitations/?flow__slug=flow":                 "invited",
		"stages/invitation/invitations/?flow__slug=other":                "",
		"sources/oauth/?has_jwks=true":                                   "keys",
		"sources/oauth/?pbm_uuid=" + source.PK.String():                  "none",
		"core/object_attributes/?object_type__model=user":                "12345678-0000-0000-0000-000000000000",
		"core/object_attributes/?object_type__app_label=authentik_core":  "12345678-0000-0000-0000-000000000000",
		"core/object_attributes/?object_type__model=authentik_core.user": "",
	} {
		if got := found(t, server, query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := get(t, server, "/api/v3/rbac/roles/?users=99"); got.status != http.StatusOK || !strings.Contains(got.body, `"results":[]`) {
		t.Errorf("a user that is not there: %d %s", got.status, got.body)
	}
	if got := get(t, server, "/api/v3/rbac/roles/"); strings.Contains(got.body, "managed") {
		t.Errorf("an answer shows what none shows: %s", got.body)
	}
	server.SetRelease("2025.10")
	pair := get(t, server, "/api/v3/crypto/certificatekeypairs/?include_details=false").body
	if !strings.Contains(pair, `"fingerprint_sha256":null`) || !strings.Contains(pair, `"private_key_type":null`) {
		t.Errorf("details: %s", pair)
	}
}

// TestOutpostReadsItsOwn has the user of an outpost see the outpost and its provider,
// and no others, by a role of their own, as a running 2026.5 gives it.
func TestOutpostReadsItsOwn(t *testing.T) {
	t.Parallel()
	for release, role := range map[string]string{"2025.10": "", "2026.5": "ak-managed-role--user-"} {
		server := newServer(t)
		server.SetRelease(release)
		client := newClient(t, server, 0)
		for _, name := range []string{"one", "two"} {
			provider := server.ProvidersLDAP.Add(authentik.LDAPProvider{Name: name})
			_, err := client.OutpostsInstances.Create(t.Context(), &authentik.OutpostRequest{
				Name: name, Type: authentik.OutpostTypeLDAP, Providers: []int{provider.PK}, Config: map[string]any{},
			})
			if err != nil {
				t.Fatal(release, err)
			}
		}
		outposts := server.OutpostsInstances.All()
		key, err := client.CoreTokens.ViewKey(t.Context(), outposts[1].TokenIdentifier)
		if err != nil {
			t.Fatal(release, err)
		}
		own, err := authentik.NewClient(server.URL, key.Key)
		if err != nil {
			t.Fatal(release, err)
		}
		seen, err := authentik.Collect(own.OutpostsInstances.All(t.Context(), nil))
		if err != nil || len(seen) != 1 || seen[0].Name != "two" {
			t.Errorf("%s: the outpost sees %d outposts, %v", release, len(seen), err)
		}
		providers, err := authentik.Collect(own.ProvidersLDAP.All(t.Context(), nil))
		if err != nil || len(providers) != 1 || providers[0].Name != "two" {
			t.Errorf("%s: the outpost sees %d providers, %v", release, len(providers), err)
		}
		roles := server.RBACRoles.All()
		if role == "" && len(roles) != 0 || role != "" && (len(roles) != 2 || !strings.HasPrefix(roles[1].Name, role)) {
			t.Errorf("%s: roles %+v", release, roles)
		}
	}
}

// inOrder are the names of what a list answers with, and how many it says there are.
// The SDK passes the cache by.
func inOrder(t *testing.T, server *authentiktest.Server, token, query string) string {
	t.Helper()
	got := send(t, server, http.MethodGet, "/api/v3/core/applications/?"+query, http.Header{"Authorization": {"Bearer " + token}})
	var page struct {
		Pagination struct{ Count int }
		Results    []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var names []string
	for _, app := range page.Results {
		names = append(names, app.Name)
	}
	return fmt.Sprintf("%s of %d", strings.Join(names, " "), page.Pagination.Count)
}

// TestApplicationsCache has the list of applications come out of authentik's cache: it
// knows the user and the number of the page, and nothing of sizes. A new application
// empties it, and a change of one does not.
func TestApplicationsCache(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"2025.2", "2026.5"} {
		server := newServer(t)
		server.SetRelease(release)
		client := newClient(t, server, 0)
		add := func(slug string) {
			if _, err := client.CoreApplications.Create(t.Context(), &authentik.ApplicationRequest{Name: slug, Slug: slug}); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what, query, want string) {
			t.Helper()
			if got := inOrder(t, server, server.Token, query); got != want {
				t.Errorf("%s, %s: %s, want %s", release, what, got, want)
			}
		}
		add("a")
		add("b")
		add("c")
		check("cold", "page_size=2", "a b of 3")
		check("warm, of another size", "", "a b of 3")
		check("full", "superuser_full_list=true", "a b c of 3")
		check("a search", "search=c", "c of 1")
		check("after the search", "", "a b of 3")
		if _, err := client.CoreApplications.Update(t.Context(), "a", &authentik.ApplicationRequest{Name: "renamed"}); err != nil {
			t.Fatal(err)
		}
		kept := map[string]string{"2025.2": "a b of 3", "2026.5": "renamed b of 3"}[release]
		check("after a change", "", kept)
		if err := client.CoreApplications.Delete(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		kept = map[string]string{"2025.2": "a b of 2", "2026.5": "renamed of 2"}[release]
		check("after a deletion", "", kept)
		add("d")
		check("after a creation", "", "c d renamed of 3")
	}
}

// TestApplicationsThatLaunch asks for those with a launch URL, which 2026.5 counts, and
// keeps apart.
func TestApplicationsThatLaunch(t *testing.T) {
	t.Parallel()
	for release, counted := range map[string]string{"2026.2": "of 3", "2026.5": "of 1"} {
		server := newServer(t)
		server.SetRelease(release)
		for name, url := range map[string]string{"none": "", "hidden": "blank://blank", "shown": "https://wiki.example.com"} {
			server.CoreApplications.Add(authentik.Application{Name: name, Slug: name, MetaLaunchURL: url})
		}
		if got := inOrder(t, server, server.Token, "only_with_launch_url=true"); !strings.Contains(got, "shown") || strings.Contains(got, "none") || !strings.HasSuffix(got, counted) {
			t.Errorf("%s: %s, want %s", release, got, counted)
		}
		if got := inOrder(t, server, server.Token, ""); got != "hidden none shown of 3" {
			t.Errorf("%s, of all: %s", release, got)
		}
	}
}

// TestApplicationsCacheOfUser has a page be kept for each user, until a binding is saved.
func TestApplicationsCacheOfUser(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.SetRelease("2026.5")
	admin := newClient(t, server, 0)
	anna := server.CoreUsers.Add(authentik.User{Username: "anna", IsActive: true})
	bob := server.CoreUsers.Add(authentik.User{Username: "bob", IsActive: true})
	for _, name := range []string{"free", "taken"} {
		server.CoreApplications.Add(authentik.Application{Name: name, Slug: name})
	}
	taken := server.CoreApplications.All()[1].PK
	server.PoliciesBindings.Add(authentik.PolicyBinding{Target: taken, Enabled: true, User: &bob.PK})
	token := server.CoreTokens.Add(authentik.Token{Identifier: "annas", User: anna.PK, Intent: authentik.TokenIntentAPI})
	key, err := admin.CoreTokens.ViewKey(t.Context(), token.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	if got := inOrder(t, server, key.Key, ""); got != "free of 2" {
		t.Errorf("anna, cold: %s", got)
	}
	if got := inOrder(t, server, server.Token, ""); got != "free taken of 2" {
		t.Errorf("akadmin: %s", got)
	}
	if got := inOrder(t, server, key.Key, "superuser_full_list=true"); got != "free of 2" {
		t.Errorf("anna is no superuser: %s", got)
	}
	binding, err := admin.PoliciesBindings.Create(t.Context(), &authentik.PolicyBindingRequest{Target: taken, User: authentik.Value(anna.PK), Order: new(1)})
	if err != nil {
		t.Fatal(err)
	}
	if got := inOrder(t, server, key.Key, ""); got != "free taken of 2" {
		t.Errorf("anna, after a binding: %s", got)
	}
	if err := admin.PoliciesBindings.Delete(t.Context(), binding.PK); err != nil {
		t.Fatal(err)
	}
	if got := inOrder(t, server, key.Key, ""); got != "free taken of 2" {
		t.Errorf("anna, after the binding is gone, of which the cache hears nothing: %s", got)
	}
	if err := admin.PoliciesAll.CacheClear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := inOrder(t, server, key.Key, ""); got != "free of 2" {
		t.Errorf("anna, after the cache was emptied: %s", got)
	}
}
