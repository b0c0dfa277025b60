package authentiktest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// sendJSON sends a body to a path below /api/v3/.
func sendJSON(t *testing.T, server *authentiktest.Server, method, path, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/api/v3/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+server.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var value any
	if err := json.NewDecoder(response.Body).Decode(&value); err == nil {
		b, _ := json.Marshal(value)
		answer = string(b)
	}
	return response.StatusCode, answer
}

func TestRefusedWrites(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.CoreUsers.Add(authentik.User{Username: "anna", PK: 7})
	group := server.CoreGroups.Add(authentik.Group{Name: "staff"})
	stage := server.StagesPassword.Add(authentik.PasswordStage{Name: "taken"})
	missing := uuid.NewString()
	for _, test := range []struct{ path, body, want string }{
		{"core/users/", `{"username":null,"name":"x"}`, `{"username":["This field may not be null."]}`},
		{"core/users/", `{"username":"","name":"x"}`, `{"username":["This field may not be blank."]}`},
		{"core/users/", `{"username":["x"],"name":"x"}`, `{"username":["Not a valid string."]}`},
		{"core/users/", `{"username":"anna","name":"x"}`, `{"username":["This field must be unique."]}`},
		{"core/users/", `{"username":"x","name":"x","is_active":"perhaps"}`, `{"is_active":["Must be a valid boolean."]}`},
		{"core/users/", `{"username":"x","name":"x","email":"x"}`, `{"email":["Enter a valid email address."]}`},
		{"core/users/", `{"username":"x","name":"x","type":"robot"}`, `{"type":["\"robot\" is not a valid choice."]}`},
		{"core/users/", `{"username":"x","name":"x","groups":["zz"]}`, `{"groups":["“zz” is not a valid UUID."]}`},
		{"core/users/", `{"username":"x","name":"x","groups":"zz"}`, `{"groups":["Expected a list of items but got type \"str\"."]}`},
		{"core/users/", `{"username":"x","name":"x","groups":["` + missing + `"]}`, `{"groups":["Invalid pk \"` + missing + `\" - object does not exist."]}`},
		{"core/users/", `{"username":"x","name":"x","attributes":[]}`, `{"attributes":["Value must be a dictionary, and not have any duplicate keys."]}`},
		{"core/groups/", `{"name":"x","users":[8]}`, `{"users":["Invalid pk \"8\" - object does not exist."]}`},
		{"core/groups/", `{"name":"x","users":["eight"]}`, `{"users":["Incorrect type. Expected pk value, received str."]}`},
		{"stages/password/", `{"name":"taken","backends":["authentik.core.auth.InbuiltBackend"]}`, `{"name":["stage with this name already exists."]}`},
		{"stages/dummy/", `{"name":"taken"}`, `{"name":["stage with this name already exists."]}`},
		{"stages/password/", `{"name":"x","backends":["x"]}`, `{"backends":{"0":["\"x\" is not a valid choice."]}}`},
		{"stages/password/", `{"name":"x","backends":["authentik.core.auth.InbuiltBackend"],"failed_attempts_before_cancel":"many"}`, `{"failed_attempts_before_cancel":["A valid integer is required."]}`},
		{"stages/password/", `{"name":"x","backends":["authentik.core.auth.InbuiltBackend"],"configure_flow":"` + stage.PK.String() + `"}`, `{"configure_flow":["Invalid pk \"` + stage.PK.String() + `\" - object does not exist."]}`},
		{"flows/instances/", `{"name":"x","title":"x","designation":"recovery","slug":"a b"}`, `{"slug":["Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."]}`},
		{"core/groups/", `[]`, `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
		{"core/groups/", `{`, `{"detail":"JSON parse error - unexpected EOF"}`},
		{"core/groups/" + group.PK.String() + "/add_user/", `{}`, `{"pk":["This field is required."]}`},
	} {
		t.Run(test.path+test.body, func(t *testing.T) {
			t.Parallel()
			status, answer := sendJSON(t, server, http.MethodPost, test.path, test.body)
			if status != http.StatusBadRequest {
				t.Errorf("%d, want 400", status)
			}
			if diff := cmp.Diff(test.want, answer); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUniqueSet(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	stage := server.StagesDummy.Add(authentik.DummyStage{})
	flow := server.FlowsInstances.Add(authentik.Flow{Slug: "login"})
	body := fmt.Sprintf(`{"target":%q,"stage":%q,"order":5}`, flow.PK, stage.PK)
	if status, answer := sendJSON(t, server, http.MethodPost, "flows/bindings/", body); status != http.StatusCreated {
		t.Fatalf("%d %s", status, answer)
	}
	status, answer := sendJSON(t, server, http.MethodPost, "flows/bindings/", body)
	if want := `{"non_field_errors":["The fields target, stage, order must make a unique set."]}`; status != http.StatusBadRequest || answer != want {
		t.Errorf("%d %s, want %s", status, answer, want)
	}
}

// TestSecretsAreKept sends a secret, which no answer shows.
func TestSecretsAreKept(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	status, answer := sendJSON(t, server, http.MethodPost, "sources/oauth/",
		`{"name":"x","slug":"x","provider_type":"github","consumer_key":"key","consumer_secret":"hidden","pk":"ignored"}`)
	if status != http.StatusCreated || strings.Contains(answer, "hidden") || strings.Contains(answer, "consumer_secret") {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer := sendJSON(t, server, http.MethodPatch, "sources/oauth/x/", `{"name":"y"}`); status != http.StatusOK || strings.Contains(answer, "hidden") {
		t.Errorf("%d %s", status, answer)
	}
	if got := string(server.Requests()[0].Body); !strings.Contains(got, "hidden") {
		t.Errorf("the request's body is %s", got)
	}
}

func TestReferencesFollow(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	group := server.CoreGroups.Add(authentik.Group{Name: "staff"})
	anna := server.CoreUsers.Add(authentik.User{Username: "anna", Groups: []uuid.UUID{group.PK}})
	policy := server.PoliciesDummy.Add(authentik.DummyPolicy{Name: "no"})
	provider := server.ProvidersOAuth2.Add(authentik.OAuth2Provider{Name: "oidc"})
	app := server.CoreApplications.Add(authentik.Application{Name: "app", Slug: "app", Provider: &provider.PK})
	binding := server.PoliciesBindings.Add(authentik.PolicyBinding{Policy: &policy.PK, Target: app.PK})
	client := newClient(t, server, 0)

	got, err := client.CoreGroups.Retrieve(t.Context(), group.PK)
	if err != nil || !slices.Equal(got.Users, []int{anna.PK}) || len(got.UsersObj) != 1 || got.UsersObj[0].Username != "anna" {
		t.Errorf("the group is %+v, %v", got, err)
	}
	if anna.GroupsObj[0].Name != "staff" {
		t.Errorf("the user's groups are %+v", anna.GroupsObj)
	}
	if binding.PolicyObj.Name != "no" {
		t.Errorf("the binding's policy is %+v", binding.PolicyObj)
	}
	if app.ProviderObj.Name != "oidc" {
		t.Errorf("the application's provider is %+v", app.ProviderObj)
	}
	policies, err := client.PoliciesAll.List(t.Context(), nil)
	if err != nil || len(policies.Results) != 1 || policies.Results[0].PK != policy.PK {
		t.Errorf("policies/all/ has %+v, %v", policies, err)
	}
	users, err := client.CoreUsers.List(t.Context(), &authentik.CoreUsersListOptions{GroupsByName: []string{"staff"}})
	if err != nil || len(users.Results) != 1 {
		t.Errorf("groups_by_name: %+v, %v", users, err)
	}
	used, err := client.CoreApplications.UsedBy(t.Context(), app.Slug)
	if err != nil || len(used) != 2 || used[0].PK != binding.PK.String() || used[0].Action != authentik.UsedByActionCascade || used[1].PK != policy.PK.String() {
		t.Errorf("used_by: %+v, %v", used, err)
	}
	if err := client.CoreGroups.Delete(t.Context(), group.PK); err != nil {
		t.Fatal(err)
	}
	if left, err := client.CoreUsers.Retrieve(t.Context(), anna.PK); err != nil || len(left.Groups) != 0 {
		t.Errorf("the user after its group: %+v, %v", left, err)
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	anna := server.CoreUsers.Add(authentik.User{Username: "anna"})
	group := server.CoreGroups.Add(authentik.Group{Name: "staff"})
	server.CoreTokens.Add(authentik.Token{Identifier: "ci"})
	flow := server.FlowsInstances.Add(authentik.Flow{Slug: "login"})
	user := fmt.Sprintf("core/users/%d/", anna.PK)
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string // a part of the answer
	}{
		{"POST", user + "set_password/", `{"password":"secret"}`, 204, ""},
		{"POST", user + "set_password/", `{}`, 400, `{"password":["This field is required."]}`},
		{"POST", "core/users/99/set_password/", `{"password":"secret"}`, 404, `No User matches the given query.`},
		{"GET", user, "", 200, `"username":"anna"`},
		{"POST", "core/groups/" + group.PK.String() + "/add_user/", fmt.Sprintf(`{"pk":%d}`, anna.PK), 204, ""},
		{"GET", user, "", 200, `"groups":["` + group.PK.String() + `"]`},
		{"POST", "core/groups/" + group.PK.String() + "/remove_user/", fmt.Sprintf(`{"pk":%d}`, anna.PK), 204, ""},
		{"GET", user, "", 200, `"groups":[]`},
		{"POST", "core/groups/" + group.PK.String() + "/add_user/", `{"pk":99}`, 404, ""},
		{"POST", "core/tokens/ci/set_key/", `{"key":"the-key"}`, 204, ""},
		{"GET", "core/tokens/ci/view_key/", "", 200, `{"key":"the-key"}`},
		{"GET", "core/users/me/", "", 200, `"username":"akadmin"`},
		{"GET", "root/config/", "", 200, `"cache_timeout":300`},
		{"GET", "admin/version/", "", 200, `"version_current":"` + newestVersion(t) + `"`},
		{"PATCH", "admin/settings/", `{"avatars":"none"}`, 200, `"avatars":"none"`},
		{"GET", "admin/settings/", "", 200, `"avatars":"none"`},
		{"POST", "policies/all/cache_clear/", "", 204, ""},
		{
			"PUT", "core/transactional/applications/",
			fmt.Sprintf(`{"app":{"name":"wiki","slug":"wiki"},"provider_model":"authentik_providers_saml.samlprovider",`+
				`"provider":{"name":"saml","acs_url":"https://wiki.example.com/","authorization_flow":%[1]q,"invalidation_flow":%[1]q}}`, flow.PK),
			200, `"applied":true`,
		},
		{"GET", "core/applications/wiki/", "", 200, `"name":"saml"`},
		{
			"PUT", "core/transactional/applications/",
			`{"app":{"name":"wiki","slug":"wiki"},"provider_model":"authentik_providers_saml.samlprovider","provider":{}}`,
			400, `"slug":["Application with this slug already exists."]`,
		},
	} {
		status, answer := sendJSON(t, server, test.method, test.path, test.body)
		if status != test.status || !strings.Contains(answer, test.want) {
			t.Errorf("%s %s %s: %d %s, want %d %s", test.method, test.path, test.body, status, answer, test.status, test.want)
		}
	}
	if got := len(server.ProvidersSAML.All()); got != 1 {
		t.Errorf("%d providers, want 1", got)
	}
}

func TestOAuth2Provider(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client := newClient(t, server, 0)
	flow := server.FlowsInstances.Add(authentik.Flow{})
	provider, err := client.ProvidersOAuth2.Create(t.Context(), &authentik.OAuth2ProviderRequest{
		Name: "wiki", AuthorizationFlow: flow.PK, InvalidationFlow: flow.PK, RedirectURIs: []authentik.RedirectURIRequest{},
	})
	if err != nil || provider.ClientID == "" || provider.ClientSecret == "" {
		t.Fatalf("created %+v, %v", provider, err)
	}
	if urls, err := client.ProvidersOAuth2.SetupURLs(t.Context(), provider.PK); err != nil || urls.Issuer != nil || urls.Token == "" {
		t.Errorf("URLs without an application: %+v, %v", urls, err)
	}
	server.CoreApplications.Add(authentik.Application{Slug: "wiki", Provider: &provider.PK})
	for issuer, mode := range map[string]authentik.IssuerMode{"/application/o/wiki/": authentik.IssuerModePerProvider, "/": authentik.IssuerModeGlobal} {
		server.ProvidersOAuth2.Update(provider.PK, func(p *authentik.OAuth2Provider) { p.IssuerMode = mode })
		if urls, err := client.ProvidersOAuth2.SetupURLs(t.Context(), provider.PK); err != nil || urls.Issuer == nil || *urls.Issuer != server.URL+issuer {
			t.Errorf("URLs of mode %s: %+v, %v", mode, urls, err)
		}
	}
	assigned, err := client.ProvidersOAuth2.Retrieve(t.Context(), provider.PK)
	if err != nil || assigned.AssignedApplicationSlug == nil || *assigned.AssignedApplicationSlug != "wiki" {
		t.Errorf("assigned: %+v, %v", assigned, err)
	}
	server.CoreApplications.Remove("wiki")
	left, err := client.ProvidersOAuth2.Retrieve(t.Context(), provider.PK)
	if err != nil || left.AssignedApplicationSlug != nil {
		t.Errorf("without its application: %+v, %v", left, err)
	}
}

func TestSetRelease(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.StagesPassword.Add(authentik.PasswordStage{Name: "old", AllowShowPassword: true})
	server.SetRelease("2024.6")
	client := newClient(t, server, 0)
	page, err := client.StagesPassword.List(t.Context(), &authentik.StagesPasswordListOptions{AllowShowPassword: new(false)})
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a filter that the release does not know: %v, %v", page, err)
	}
	page, err = client.StagesPassword.List(t.Context(), nil)
	if err != nil || len(page.Results) != 1 || page.Results[0].AllowShowPassword {
		t.Errorf("a release without allow_show_password: %+v, %v", page, err)
	}
	got := get(t, server, passwordPath)
	if strings.Contains(got.body, "allow_show_password") || strings.Contains(got.body, "autocomplete") {
		t.Errorf("the answer is %s", got.body)
	}
	if got := get(t, server, passwordPath+uuid.NewString()+"/"); got.body != `{"detail":"Not found."}` {
		t.Errorf("a missing stage: %s", got.body)
	}
	if got := get(t, server, "/api/v3/stages/redirect/"); got.status != http.StatusNotFound {
		t.Errorf("a list of a later release: %d", got.status)
	}
	if status, answer := sendJSON(t, server, http.MethodGet, "admin/version/", ""); !strings.Contains(answer, `"version_current":"2024.6.5"`) {
		t.Errorf("the version: %d %s", status, answer)
	}
	staff := server.CoreGroups.Add(authentik.Group{Name: "staff"})
	server.CoreUsers.Add(authentik.User{Groups: []uuid.UUID{staff.PK}})
	server.SetRelease("2023.10")
	if used, err := client.CoreGroups.UsedBy(t.Context(), staff.PK); err != nil || len(used) != 1 || used[0].Action != "CASCADE_MANY" {
		t.Errorf("used_by of the first release: %+v, %v", used, err)
	}
	server.SetRelease("2024.6")
	addNames(server, numbered(150)...)
	if got := get(t, server, passwordPath+"?page_size=120"); !strings.Contains(got.body, `"end_index":120,`) {
		t.Errorf("a page of 120: %s", got.body)
	}
	mustPanic(t, "2019.1", func() { server.SetRelease("2019.1") })
}

func TestRefuseUnknownFilters(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	path := "/api/v3/core/users/?usrename=anna"
	if got := get(t, server, path); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	server.RefuseUnknownFilters()
	if got := get(t, server, path); got.status != http.StatusBadRequest || !strings.Contains(got.body, "usrename") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := get(t, server, "/api/v3/core/users/?username=anna&page=1&search=x&ordering=name&page_size=5"); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestUnservedFilters(t *testing.T) {
	t.Parallel()
	got := get(t, newServer(t), "/api/v3/core/application_entitlements/requestable/?name=x")
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "authentiktest: ") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestFilterLookups(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	mapping := server.PropertyMappingsProviderScope.Add(authentik.ScopeMapping{Name: "mine"})
	server.PropertyMappingsProviderScope.Add(authentik.ScopeMapping{Name: "theirs", Managed: new("goauthentik.io/x")})
	server.OutpostsInstances.Add(authentik.Outpost{Name: "Embedded Outpost"})
	server.AddObjects("core/users/",
		map[string]any{"username": "ann", "date_joined": "2024-01-02T00:00:00Z", "path": "users/staff", "type": "internal"},
		map[string]any{"username": "bob", "date_joined": "2025-01-02T00:00:00Z", "path": "other", "type": "external"},
		map[string]any{"username": "cy", "date_joined": "2026-01-02T00:00:00Z", "path": "other", "type": "service_account"},
	)
	for query, want := range map[string]int{
		"propertymappings/provider/scope/?managed__isnull=true":  1,
		"propertymappings/provider/scope/?managed__isnull=false": 1,
		"propertymappings/all/?name=" + mapping.Name:             1,
		"outposts/instances/?name__icontains=EMBEDDED":           1,
		"outposts/instances/?name__iexact=embedded+outpost":      1,
		"outposts/instances/?name__iexact=embedded":              0,
		"core/users/?date_joined__gt=2025-01-02T00:00:00Z":       1,
		"core/users/?date_joined__lt=2025-01-02T00:00:00Z":       1,
		"core/users/?date_joined=2025-01-02T01:00:00%2B01:00":    1,
		"core/users/?path_startswith=users":                      1,
		"core/users/?type=internal&type=external":                2,
		"core/users/?last_login__isnull=true":                    3,
		"core/users/?search=an":                                  1,
		"core/users/?search=ann%C2%A0x":                          0,
	} {
		if got := getList(t, server, "/api/v3/"+query).Pagination.Count; got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

// TestTies orders by what all stages have in common: no page knows of another.
func TestTies(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	addNames(server, numbered(100)...)
	seen := map[string]bool{}
	for page := 1; page <= 5; page++ {
		for _, name := range names(getList(t, server, fmt.Sprintf("%s?ordering=allow_show_password&page=%d", passwordPath, page))) {
			seen[name] = true
		}
	}
	if len(seen) == 100 {
		t.Error("all stages came, though the ordering ties them")
	}
	clear(seen)
	for page := 1; page <= 5; page++ {
		for _, name := range names(getList(t, server, fmt.Sprintf("%s?ordering=allow_show_password,pk&page=%d", passwordPath, page))) {
			seen[name] = true
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d stages came with pk as the last key", len(seen))
	}
}

func TestFailOn(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client := newClient(t, server, 0)
	server.FailOn("POST core/users/", 1, authentiktest.Failure{Status: http.StatusServiceUnavailable})
	server.FailOn("GET core/users/{id}/", 1, authentiktest.Failure{Status: http.StatusBadGateway})
	if _, err := client.CoreUsers.List(t.Context(), nil); err != nil {
		t.Errorf("another method: %v", err)
	}
	create := func() error {
		_, err := client.CoreUsers.Create(t.Context(), &authentik.UserRequest{Username: "anna", Name: new("Anna")})
		return err
	}
	if err := create(); !errors.Is(err, authentik.ErrServer) {
		t.Errorf("the first POST: %v", err)
	}
	if err := create(); err != nil {
		t.Errorf("the second POST: %v", err)
	}
	if got := get(t, server, "/api/v3/core/users/1/").status; got != http.StatusBadGateway {
		t.Errorf("GET of one: %d", got)
	}
	if got := get(t, server, "/api/v3/core/users/1/").status; got != http.StatusOK {
		t.Errorf("the second GET of one: %d", got)
	}
}

// mustPanic checks that f panics with words of this package that name what was wrong.
func mustPanic(t *testing.T, names string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if message := fmt.Sprint(recover()); !strings.HasPrefix(message, "authentiktest: ") || !strings.Contains(message, names) {
			t.Errorf("panicked with %q, want authentiktest: … %s", message, names)
		}
	}()
	f()
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	user := server.CoreUsers.Add(authentik.User{Username: "anna"})
	mustPanic(t, "core/users/", func() { server.CoreUsers.Add(user) })
	mustPanic(t, "api/v3", func() { server.AddObjects("/api/v3/core/users/", map[string]any{}) })
	mustPanic(t, "42", func() { server.Fail(1, authentiktest.Failure{Status: 42}) })
	mustPanic(t, "-1", func() { server.Fail(-1, authentiktest.Failure{}) })
	mustPanic(t, "-2", func() { server.FailOn("GET core/users/", -2, authentiktest.Failure{}) })
	for _, what := range []string{"core/users/", "get core/users/", "GET /api/v3/core/users/", "GET core/users/?name=x"} {
		mustPanic(t, what, func() { server.FailOn(what, 1, authentiktest.Failure{}) })
	}
}

func TestRequestsAreCopies(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	sendJSON(t, server, http.MethodPost, "core/groups/?a=b", `{"name":"x"}`)
	request := server.Requests()[0]
	request.Query["a"][0], request.Body[0] = "changed", '!'
	request.Header.Set("Authorization", "changed")
	again := server.Requests()[0]
	if diff := cmp.Diff(url.Values{"a": {"b"}}, again.Query); diff != "" || string(again.Body) != `{"name":"x"}` || again.Header.Get("Authorization") == "changed" {
		t.Errorf("the server's own is %+v", again)
	}
}

// TestSpellings reads values as Python does.
func TestSpellings(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	flow := uuid.New()
	server.StagesPassword.Add(authentik.PasswordStage{Name: "one", ConfigureFlow: &flow, FailedAttemptsBeforeCancel: 10, AllowShowPassword: true})
	server.StagesPassword.Add(authentik.PasswordStage{Name: "two"})
	id := flow.String()
	for query, want := range map[string]int{
		"allow_show_password=tRuE":                1,
		"allow_show_password=+true":               2,
		"failed_attempts_before_cancel=+10":       1,
		"failed_attempts_before_cancel=%2B10":     1,
		"failed_attempts_before_cancel=1_0":       1,
		"failed_attempts_before_cancel=١٠":        1,
		"configure_flow=urn:uuid:" + id:           1,
		"configure_flow={" + id + "}":             1,
		"configure_flow={{" + id + "}}":           1,
		"page_size=1e20":                          2,
		"page=1_0&page_size=1":                    -1,
		"configure_flow=URN:UUID:" + id:           -1,
		"configure_flow=(" + id + ")":             -1,
		"configure_flow=+" + id:                   -1,
		"failed_attempts_before_cancel=0x1p2":     -1,
		"name=%00":                                -1,
		"ordering=flow_set":                       -1,
		"search=one%E3%80%80on":                   1,
		"configure_flow=" + uuid.NewString():      -1,
		"failed_attempts_before_cancel=10.0":      1,
		"failed_attempts_before_cancel=1e1":       1,
		"ordering=-failed_attempts_before_cancel": 2,
	} {
		got := get(t, server, passwordPath+"?"+query)
		switch {
		case want < 0 && got.status < 400:
			t.Errorf("%s: %d %s, want a refusal", query, got.status, got.body)
		case want >= 0 && !strings.Contains(got.body, fmt.Sprintf(`"count":%d,`, want)):
			t.Errorf("%s: %d %s, want %d", query, got.status, got.body, want)
		}
	}
	if got := send(t, server, http.MethodGet, passwordPath, http.Header{"Accept": {"APPLICATION/JSON"}}); got.status != http.StatusOK {
		t.Errorf("Accept in capitals: %d", got.status)
	}
	if got := send(t, server, http.MethodGet, passwordPath, http.Header{"Authorization": {"Bearer " + server.Token, "Bearer " + server.Token}}); got.status != http.StatusForbidden {
		t.Errorf("two Authorization headers: %d", got.status)
	}
}
