package live

import (
	"errors"
	"net/url"
	"os"
	"slices"
	"testing"

	"github.com/authentik-go/authentik"
)

// TestLiveApplications has a user read applications who may use some alone: out of a
// cache that nobody has filled, and out of one that a filter has.
func TestLiveApplications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(path string, request map[string]any) *object {
		t.Helper()
		o, err := w.create(t, w.all[path], request)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	var users, applications [3]*object // the third user is nobody, so that the third application is for all
	for i := range applications {
		name := w.name()
		applications[i] = create("core/applications/", map[string]any{"name": name, "slug": name})
		if i < 2 {
			users[i] = create("core/users/", map[string]any{"username": name, "name": name})
			create("policies/bindings/", map[string]any{"target": applications[i].shown["pk"], "user": users[i].id, "order": 0})
		}
	}
	token := create("core/tokens/", map[string]any{"identifier": w.name(), "user": users[0].id, "intent": "api"})
	key, err := w.client.CoreTokens.ViewKey(w.ctx, token.id.(string))
	if err != nil {
		t.Fatal(err)
	}
	client, err := authentik.NewClient(os.Getenv("AUTHENTIK_TEST_URL"), key.Key)
	if err != nil {
		t.Fatal(err)
	}
	slug := func(i int) string { return applications[i].id.(string) }
	for _, filled := range []string{"nobody", "a filter"} {
		if filled == "a filter" {
			if _, err := authentik.Get[map[string]any](w.ctx, client, "core/applications/", url.Values{"slug": {slug(0)}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, size := range []int{0, 1} {
			found := map[string]int{}
			opts := &authentik.CoreApplicationsListOptions{ListOptions: authentik.ListOptions{PageSize: size}}
			for application, err := range client.CoreApplications.All(w.ctx, opts) {
				if err != nil {
					t.Fatal(err)
				}
				found[application.Slug]++
			}
			if got := []int{found[slug(0)], found[slug(1)], found[slug(2)]}; !slices.Equal(got, []int{1, 0, 1}) {
				t.Errorf("a cache that %s has filled, pages of %d: the applications came %v times", filled, size, got)
			}
		}
		for i := range applications {
			application, err := authentik.One(client.CoreApplications.All(w.ctx, &authentik.CoreApplicationsListOptions{Slug: slug(i)}))
			switch {
			case i == 1 && !errors.Is(err, authentik.ErrNotFound):
				t.Errorf("a cache that %s has filled: the application of another user: %v, %v", filled, application, err)
			case i != 1 && (err != nil || application.Slug != slug(i)):
				t.Errorf("a cache that %s has filled: application %d: %v, %v", filled, i, application, err)
			}
		}
	}
}
