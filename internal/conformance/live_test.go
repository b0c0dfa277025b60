package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// liveClient is a client of the server that the environment names, which the test is
// skipped without.
func liveClient(t *testing.T, opts ...authentik.Option) *authentik.Client {
	t.Helper()
	if os.Getenv("AUTHENTIK_TEST_URL") == "" {
		t.Skip("AUTHENTIK_TEST_URL names no server to ask")
	}
	return liveClientOf(t, os.Getenv("AUTHENTIK_TEST_TOKEN"), opts...)
}

// liveClientOf is the same with another token.
func liveClientOf(t *testing.T, token string, opts ...authentik.Option) *authentik.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	opts = append(opts, authentik.WithHTTPClient(&http.Client{Transport: transport}))
	client, err := authentik.NewClient(os.Getenv("AUTHENTIK_TEST_URL"), token, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestLiveLists walks every list of a running server in small pages.
func TestLiveLists(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	release, err := client.ServerVersion(t.Context())
	if err != nil || !release.AtLeast("2023.10") {
		t.Fatalf("the version is %v, %v", release, err)
	}
	objects := 0
	for field := range reflect.TypeFor[authentik.Client]().Fields() {
		all := reflect.Indirect(reflect.ValueOf(client)).FieldByIndex(field.Index)
		if !field.IsExported() || !all.MethodByName("All").IsValid() {
			continue
		}
		walk := all.MethodByName("All")
		opts := reflect.New(walk.Type().In(1).Elem())
		opts.Elem().FieldByName("ListOptions").FieldByName("PageSize").SetInt(11)
		for _, result := range walk.Call([]reflect.Value{reflect.ValueOf(t.Context()), opts})[0].Seq2() {
			if result.IsNil() {
				objects++
				continue
			}
			err := result.Interface().(error)
			var invalid *authentik.ValidationError // a filter that the list needs
			if !errors.Is(err, authentik.ErrNoEndpoint) && !errors.Is(err, authentik.ErrNotFound) && !errors.As(err, &invalid) {
				t.Errorf("%s: %v", field.Name, err)
			}
		}
	}
	t.Logf("%s: %d objects", release, objects)
	if objects < 500 {
		t.Errorf("only %d objects", objects)
	}
}

// TestLiveApplications finds applications by filters on a running server, which
// answers the list without a search out of a cache.
func TestLiveApplications(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	prefix := fmt.Sprintf("live-%d-", time.Now().UnixNano())
	for i := range 3 {
		slug := fmt.Sprint(prefix, i)
		if _, err := client.CoreApplications.Create(t.Context(), &authentik.ApplicationRequest{Name: slug, Slug: slug}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.CoreApplications.Delete(context.Background(), slug) })
	}
	for range 2 { // the second time the cache is warm
		for i := range 3 {
			slug := fmt.Sprint(prefix, i)
			application, err := authentik.One(client.CoreApplications.All(t.Context(), &authentik.CoreApplicationsListOptions{Slug: slug}))
			if err != nil || application.Slug != slug {
				t.Errorf("%s: %+v, %v", slug, application, err)
			}
		}
		if _, err := authentik.One(client.CoreApplications.All(t.Context(), &authentik.CoreApplicationsListOptions{Slug: prefix})); !errors.Is(err, authentik.ErrNotFound) {
			t.Errorf("a slug that nothing has: %v", err)
		}
		seen := map[string]int{}
		for application, err := range client.CoreApplications.All(t.Context(), &authentik.CoreApplicationsListOptions{ListOptions: authentik.ListOptions{PageSize: 2}}) {
			if err != nil {
				t.Fatal(err)
			}
			seen[application.Slug]++
		}
		for i := range 3 {
			if slug := fmt.Sprint(prefix, i); seen[slug] != 1 {
				t.Errorf("%s came %d times", slug, seen[slug])
			}
		}
		if _, err := authentik.List[authentik.Application](t.Context(), client, "core/applications/", url.Values{"page_size": {"1"}}); err != nil {
			t.Error(err)
		}
	}
}

// limitedClient is a client of a new user without any permission, and the user.
func limitedClient(t *testing.T, admin *authentik.Client, name string) (*authentik.Client, *authentik.User) {
	t.Helper()
	user, err := admin.CoreUsers.Create(t.Context(), &authentik.UserRequest{Username: name, Name: new(name)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.CoreUsers.Delete(context.Background(), user.PK) })
	token, err := admin.CoreTokens.Create(t.Context(), &authentik.TokenRequest{Identifier: name, User: user.PK, Intent: new(authentik.TokenIntentAPI), Expiring: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	key, err := admin.CoreTokens.ViewKey(t.Context(), token.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	return liveClientOf(t, key.Key), user
}

// TestLiveApplicationsOfAUser walks and finds applications as a user who may use half
// of them, with the server's cache cold, warm, and filled by a filter.
func TestLiveApplicationsOfAUser(t *testing.T) {
	t.Parallel()
	admin := liveClient(t)
	prefix := fmt.Sprintf("mine-%d-", time.Now().UnixNano())
	limited, user := limitedClient(t, admin, prefix+"user")
	_, other := limitedClient(t, admin, prefix+"other")
	var slugs []string
	for i := range 5 {
		slug := fmt.Sprint(prefix, i)
		slugs = append(slugs, slug)
		application, err := admin.CoreApplications.Create(t.Context(), &authentik.ApplicationRequest{Name: slug, Slug: slug})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = admin.CoreApplications.Delete(context.Background(), slug) })
		who := user.PK
		if i%2 == 1 {
			who = other.PK
		}
		if _, err := admin.PoliciesBindings.Create(t.Context(), &authentik.PolicyBindingRequest{
			Target: application.PolicyTarget(), User: authentik.Value(who), Order: new(0),
		}); err != nil {
			t.Fatal(err)
		}
	}
	cool := func() { // saving an application empties the cache
		if _, err := admin.CoreApplications.Update(t.Context(), slugs[0], &authentik.ApplicationRequest{MetaDescription: new(time.Now().String())}); err != nil {
			t.Fatal(err)
		}
	}
	get := func(query url.Values) {
		if _, err := authentik.Get[map[string]any](t.Context(), limited, "core/applications/", query); err != nil {
			t.Fatal(err)
		}
	}
	check := func(state string) {
		for _, opts := range []*authentik.CoreApplicationsListOptions{
			nil,
			{ListOptions: authentik.ListOptions{PageSize: 2, Ordering: "-slug", Prefetch: 2, Confirm: true, Search: prefix}}, // which no other test changes
			{SuperuserFullList: new(true)}, // which a server heeds for a superuser alone
		} {
			seen := map[string]int{}
			for application, err := range limited.CoreApplications.All(t.Context(), opts) {
				switch {
				case errors.Is(err, authentik.ErrListChanged): // by other tests, thrice: what was there all the time has come
				case err != nil:
					t.Errorf("%s, %+v: %v", state, opts, err)
				default:
					seen[application.Slug]++
				}
			}
			for i, slug := range slugs {
				if want := 1 - i%2; seen[slug] != want {
					t.Errorf("%s, %+v: application %d came %d times, want %d", state, opts, i, seen[slug], want)
				}
			}
		}
		for i, slug := range slugs {
			application, err := authentik.One(limited.CoreApplications.All(t.Context(), &authentik.CoreApplicationsListOptions{Slug: slug}))
			if denied := i%2 == 1; denied != errors.Is(err, authentik.ErrNotFound) || !denied && (err != nil || application.Slug != slug) {
				t.Errorf("%s: application %d: %+v, %v", state, i, application, err)
			}
			page, err := limited.CoreApplications.List(t.Context(), &authentik.CoreApplicationsListOptions{Slug: slug})
			if err != nil || len(page.Results) != 1-i%2 {
				t.Errorf("%s: a page of application %d: %+v, %v", state, i, page, err)
			}
		}
		if _, err := authentik.One(limited.CoreApplications.All(t.Context(), &authentik.CoreApplicationsListOptions{Slug: prefix})); !errors.Is(err, authentik.ErrNotFound) {
			t.Errorf("%s: a slug that nothing has: %v", state, err)
		}
	}
	cool()
	check("cold")
	get(nil)
	check("warm")
	cool()
	get(url.Values{"slug": {slugs[2]}, "page_size": {"1"}})
	check("filled by a filter")

	// What was asked above is not in the cache: the user's library has all.
	cool()
	if _, err := authentik.Collect(limited.CoreApplications.All(t.Context(), &authentik.CoreApplicationsListOptions{Slug: slugs[0]})); err != nil {
		t.Fatal(err)
	}
	list, err := authentik.Get[struct {
		Results []authentik.Application `json:"results"`
	}](t.Context(), limited, "core/applications/", url.Values{"page_size": {"100"}})
	if err != nil {
		t.Fatal(err)
	}
	mine := 0
	for _, application := range list.Results {
		if strings.HasPrefix(application.Slug, prefix) {
			mine++
		}
	}
	if mine != 3 {
		t.Errorf("the library has %d of the user's 3 applications", mine)
	}
}

// TestLiveStrictWrites writes to a running server what it keeps, if not as it was
// sent, and what it makes something else of.
func TestLiveStrictWrites(t *testing.T) {
	t.Parallel()
	admin := liveClient(t)
	release, err := admin.ServerVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := liveClient(t, authentik.WithStrictWrites())
	ctx, name := t.Context(), fmt.Sprintf("strict-%d", time.Now().UnixNano())
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	user, err := client.CoreUsers.Create(ctx, &authentik.UserRequest{Username: name + " ", Name: new("\n Ada\u00a0"), Path: new("users/strict"), Attributes: map[string]any{"floor": 3.0}})
	must("a user", err)
	t.Cleanup(func() { _ = admin.CoreUsers.Delete(context.Background(), user.PK) })
	_, err = client.CoreUsers.Update(ctx, user.PK, &authentik.UserRequest{LastLogin: authentik.Value(time.Date(2026, 1, 2, 3, 4, 5, 999_999_999, time.FixedZone("", 7200)))})
	must("an instant", err)
	group, err := client.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: name, Users: []int{user.PK, user.PK}})
	must("a group", err)
	t.Cleanup(func() { _ = admin.CoreGroups.Delete(context.Background(), group.PK) })
	policy, err := client.PoliciesExpression.Create(ctx, &authentik.ExpressionPolicyRequest{Name: name, Expression: "\nif True:\n  return True\n\n"})
	must("a policy", err)
	t.Cleanup(func() { _ = admin.PoliciesExpression.Delete(context.Background(), policy.PK) })
	flow, err := client.FlowsInstances.Create(ctx, &authentik.FlowRequest{Name: name, Slug: name, Title: name, Designation: authentik.FlowDesignationAuthorization})
	must("a flow", err)
	t.Cleanup(func() { _ = admin.FlowsInstances.Delete(context.Background(), flow.Slug) })
	binding, err := client.PoliciesBindings.Create(ctx, &authentik.PolicyBindingRequest{Target: flow.PolicyTarget(), Policy: authentik.Value(policy.PK), Order: new(3)})
	must("a binding by the other id", err)
	if binding.Target != flow.PK {
		t.Errorf("the binding's target is %s, want the pk %s", binding.Target, flow.PK)
	}
	bound, err := authentik.One(client.PoliciesBindings.All(ctx, &authentik.PoliciesBindingsListOptions{Target: new(flow.PolicyTarget())}))
	if err != nil || bound.PK != binding.PK {
		t.Errorf("the bindings of the flow: %+v, %v", bound, err)
	}
	mappings, err := authentik.Collect(client.PropertyMappingsProviderScope.All(ctx, nil))
	if errors.Is(err, authentik.ErrNoEndpoint) {
		mappings, err = authentik.Collect(client.PropertyMappingsScope.All(ctx, nil))
	}
	must("mappings", err)
	provider := &authentik.OAuth2ProviderRequest{Name: name, AuthorizationFlow: flow.PK, PropertyMappings: []uuid.UUID{mappings[2].PK, mappings[0].PK}}
	if release.AtLeast("2024.12") {
		provider.InvalidationFlow = flow.PK
		provider.RedirectURIs = []authentik.RedirectURIRequest{{MatchingMode: authentik.MatchingModeStrict, URL: "https://wiki.example.com/?a=1&b"}}
	}
	made, err := client.ProvidersOAuth2.Create(ctx, provider)
	must("a provider", err)
	t.Cleanup(func() { _ = admin.ProvidersOAuth2.Delete(context.Background(), made.PK) })

	changed := func(what string, err error, members ...string) {
		t.Helper()
		var names []string
		if ignored, ok := errors.AsType[*authentik.IgnoredError](err); ok {
			for _, member := range ignored.Members {
				names = append(names, member.Name)
			}
		} else if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if !slices.Equal(names, members) {
			t.Errorf("%s: the error names %q, want %q: %v", what, names, members, err)
		}
	}
	expires := authentik.Value(time.Now().Add(12*time.Hour + time.Nanosecond))
	token, err := client.CoreTokens.Create(ctx, &authentik.TokenRequest{Identifier: name, User: user.PK, Intent: new(authentik.TokenIntentAPI), Expires: expires})
	if release.AtLeast("2024.4") {
		changed("an API token", err, "expires")
	} else {
		changed("an API token", err)
	}
	t.Cleanup(func() { _ = admin.CoreTokens.Delete(context.Background(), name) })
	if token == nil || token.User != user.PK {
		t.Errorf("no token comes with the error: %+v", token)
	}
	if release.AtLeast("2024.4") {
		invitation, err := client.StagesInvitationInvitations.Create(ctx, &authentik.InvitationRequest{Name: name, Expires: authentik.Null[time.Time]()})
		changed("an invitation", err, "expires")
		t.Cleanup(func() { _ = admin.StagesInvitationInvitations.Delete(context.Background(), invitation.PK) })
	}
	if release.AtLeast("2024.12") {
		updated, err := client.ProvidersOAuth2.Update(ctx, made.PK, &authentik.OAuth2ProviderRequest{RedirectURIs: provider.RedirectURIs})
		changed("a URI of no type", err)
		if uri := updated.RedirectURIs[0]; release.AtLeast("2026.5") != (uri.RedirectURIType == authentik.RedirectURITypeAuthorization) {
			t.Errorf("a URI of no type is %+v", uri)
		}
		_, err = client.ProvidersOAuth2.Update(ctx, made.PK, &authentik.OAuth2ProviderRequest{RedirectURIs: []authentik.RedirectURIRequest{
			{MatchingMode: authentik.MatchingModeStrict, URL: "https://wiki.example.com/", RedirectURIType: new(authentik.RedirectURITypeLogout)},
		}})
		if release.AtLeast("2026.5") {
			changed("a logout URI", err)
		} else {
			changed("a logout URI", err, "redirect_uris.0.redirect_uri_type")
		}
	}
}

// TestLiveFailedImport has a running server import what it answers with 200 and does
// not take.
func TestLiveFailedImport(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	release, err := client.ServerVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	blueprint := func(designation, state string) *strings.Reader {
		return strings.NewReader("version: 1\nmetadata:\n  name: failed-import\nentries:\n" +
			"  - model: authentik_flows.flow\n    state: " + state + "\n    identifiers: {slug: failed-import}\n" +
			"    attrs: {name: failed-import, title: x, designation: " + designation + "}\n")
	}
	importing := func(file *strings.Reader) (any, error) {
		if release.AtLeast("2026.5") {
			return client.ManagedBlueprints.Import(t.Context(), &authentik.BlueprintUploadRequest{File: file})
		}
		return client.FlowsInstances.Import(t.Context(), &authentik.FlowUploadRequest{File: file}) //nolint:staticcheck // what older servers have
	}
	result, err := importing(blueprint("nonsense", "present"))
	failed, ok := errors.AsType[*authentik.FailedError](err)
	if !ok || len(failed.Log) == 0 || !strings.Contains(err.Error(), "nonsense") || reflect.ValueOf(result).IsNil() {
		t.Errorf("got %+v, error %v", result, err)
	}
	t.Logf("the error: %v", err)
	for _, state := range []string{"present", "absent"} {
		if result, err := importing(blueprint("authentication", state)); err != nil {
			t.Errorf("%s: got %+v, error %v", state, result, err)
		}
	}
}

// must returns a function that fails the test if there is an error.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestLivePermissions has a user refused by a running server, gives them the
// permissions that the error names, and expects that they are enough.
func TestLivePermissions(t *testing.T) {
	t.Parallel()
	admin := liveClient(t)
	ctx := t.Context()
	name := fmt.Sprintf("live-%d", time.Now().UnixNano())
	role := must[*authentik.Role](t)(admin.RBACRoles.Create(ctx, &authentik.RoleRequest{Name: name}))
	user := must[*authentik.User](t)(admin.CoreUsers.Create(ctx, &authentik.UserRequest{Username: name, Name: new("Live")}))
	group := must[*authentik.Group](t)(admin.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: name, Users: []int{user.PK}, Roles: []uuid.UUID{role.PK}}))
	token := must[*authentik.Token](t)(admin.CoreTokens.Create(ctx, &authentik.TokenRequest{Identifier: name, User: user.PK, Intent: new(authentik.TokenIntentAPI)}))
	key := must[*authentik.TokenView](t)(admin.CoreTokens.ViewKey(ctx, name))
	made := must[*authentik.Group](t)(admin.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: name + "-other"}))
	t.Cleanup(func() {
		ctx := context.Background()
		_ = admin.CoreTokens.Delete(ctx, token.Identifier)
		_ = admin.CoreGroups.Delete(ctx, group.PK)
		_ = admin.CoreGroups.Delete(ctx, made.PK)
		_ = admin.RBACRoles.Delete(ctx, role.PK)
		_ = admin.CoreUsers.Delete(ctx, user.PK)
	})
	client := must[*authentik.Client](t)(authentik.NewClient(os.Getenv("AUTHENTIK_TEST_URL"), key.Key))
	t.Cleanup(client.CloseIdleConnections)
	release := must[authentik.Release](t)(client.ServerVersion(ctx))
	for what, do := range map[string]func() error{
		"StagesDummy.List": func() error { _, err := client.StagesDummy.List(ctx, nil); return err },
		"CoreGroups.Update": func() error {
			_, err := client.CoreGroups.Update(ctx, made.PK, &authentik.GroupRequest{Name: name + "-2"})
			return err
		},
		"CoreUsers.SetPassword": func() error {
			return client.CoreUsers.SetPassword(ctx, user.PK, &authentik.UserPasswordSetRequest{Password: name + "X!"})
		},
		"CoreUsers.ServiceAccount": func() error {
			_, err := client.CoreUsers.ServiceAccount(ctx, &authentik.UserServiceAccountRequest{})
			return err
		},
		"FlowsInstances.Export":    func() error { _, err := client.FlowsInstances.Export(ctx, "default-authentication-flow"); return err },
		"FlowsInstances.CacheInfo": func() error { _, err := client.FlowsInstances.CacheInfo(ctx); return err },
		"AdminSystem.Retrieve":     func() error { _, err := client.AdminSystem.Retrieve(ctx); return err },
		"PoliciesDummy.Create":     func() error { _, err := client.PoliciesDummy.Create(ctx, &authentik.DummyPolicyRequest{}); return err },
	} {
		forbidden, ok := errors.AsType[*authentik.ForbiddenError](do())
		if !ok || len(forbidden.Permissions) == 0 {
			t.Errorf("%s, %s: %v", release, what, forbidden)
			continue
		}
		t.Logf("%s, %s: %v", release, what, forbidden)
		assign := &authentik.PermissionAssignRequest{Permissions: forbidden.Permissions}
		if _, err := admin.RBACPermissionsAssignedByRoles.Assign(ctx, role.PK, assign); err != nil {
			t.Errorf("%s, %s: %v", release, what, err)
			continue
		}
		// 2023.10 asks for the first permission of an action on the object alone.
		onOne := !release.AtLeast("2024.2") && (what == "CoreUsers.SetPassword" || what == "FlowsInstances.Export")
		if err := do(); !onOne && (errors.Is(err, authentik.ErrForbidden) || errors.Is(err, authentik.ErrNotFound)) {
			t.Errorf("%s, %s: %q were not enough: %v", release, what, forbidden.Permissions, err)
		}
		if err := admin.RBACPermissionsAssignedByRoles.Unassign(ctx, role.PK, assign); err != nil {
			t.Errorf("%s, %s: %v", release, what, err)
		}
	}
}

// TestLiveSameApplication has a running server make an application several times at
// once. It answers with 200 to those that come too late, and says that they were not
// applied.
func TestLiveSameApplication(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	slug := fmt.Sprintf("live-same-%d", time.Now().UnixNano())
	flows, err := authentik.Collect(client.FlowsInstances.All(t.Context(), &authentik.FlowsInstancesListOptions{Designation: authentik.FlowDesignationAuthorization}))
	if err != nil || len(flows) == 0 {
		t.Fatalf("the flows are %v, %v", flows, err)
	}
	t.Cleanup(func() {
		if application, err := client.CoreApplications.Retrieve(context.Background(), slug); err == nil {
			_ = client.CoreApplications.Delete(context.Background(), slug)
			_ = client.ProvidersSAML.Delete(context.Background(), *application.Provider)
		}
	})
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = client.CoreTransactionalApplications.Create(t.Context(), &authentik.TransactionApplicationRequest{
				App: &authentik.ApplicationRequest{Name: slug, Slug: slug}, ProviderModel: authentik.ProviderModelSAML,
				Provider: &authentik.SAMLProviderRequest{Name: slug, AuthorizationFlow: flows[0].PK, InvalidationFlow: flows[0].PK, ACSURL: "https://a.example.com"},
			})
		})
	}
	wg.Wait()
	made, failed := 0, 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if _, ok := errors.AsType[*authentik.FailedError](err); ok {
			failed++
		}
	}
	t.Logf("%d of %d were not applied: %v", failed, len(errs), errs)
	if made != 1 {
		t.Errorf("%d calls made the application", made)
	}
}
