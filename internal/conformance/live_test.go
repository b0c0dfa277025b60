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
