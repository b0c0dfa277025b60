package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// liveClient is a client of the server that the environment names, which the test is
// skipped without.
func liveClient(t *testing.T) *authentik.Client {
	t.Helper()
	if os.Getenv("AUTHENTIK_TEST_URL") == "" {
		t.Skip("AUTHENTIK_TEST_URL names no server to ask")
	}
	client, err := authentik.NewClient(os.Getenv("AUTHENTIK_TEST_URL"), os.Getenv("AUTHENTIK_TEST_TOKEN"))
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
