package conformance_test

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// TestLiveTies walks lists of a running server, in small pages, that have objects which
// the list's own order does not tell apart: each comes once.
func TestLiveTies(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	release, err := client.ServerVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := live{t, client, release, fmt.Sprintf("live-ties-%d-", time.Now().UnixNano())}
	made := func(kind, path, id string, i int, document object) object {
		document["name"], document["slug"] = l.name(fmt.Sprint(kind, i)), l.name(fmt.Sprint(kind, i))
		return l.made(path, id, document)
	}
	target := made("flow", "flows/instances/", "slug", 0, object{"title": "x", "designation": "authorization"})["pk"]
	const objects, size = 15, 4
	for _, list := range []struct {
		path, id, by string // by is what all have in common
		since        string
		create       func(i int) object
		walk         func(authentik.ListOptions) iter.Seq2[string, error]
	}{
		{
			"stages/prompt/prompts/", "pk", "field_key", "",
			func(i int) object {
				return object{"name": l.name(fmt.Sprint("prompt", i)), "field_key": l.prefix, "label": "x", "type": "text"}
			},
			func(opts authentik.ListOptions) iter.Seq2[string, error] {
				return idsOf(client.StagesPromptPrompts.All(t.Context(), &authentik.StagesPromptPromptsListOptions{ListOptions: opts}), func(p *authentik.Prompt) uuid.UUID { return p.PK })
			},
		},
		{
			"policies/bindings/", "pk", "order", "",
			func(i int) object {
				return object{"target": target, "order": 7, "policy": made("policy", "policies/dummy/", "pk", i, object{})["pk"]}
			},
			func(opts authentik.ListOptions) iter.Seq2[string, error] {
				return idsOf(client.PoliciesBindings.All(t.Context(), &authentik.PoliciesBindingsListOptions{ListOptions: opts}), func(b *authentik.PolicyBinding) uuid.UUID { return b.PK })
			},
		},
		{
			"core/application_entitlements/", "pbm_uuid", "name", "2025.4",
			func(i int) object {
				return object{"name": l.name("entitlement"), "app": made("application", "core/applications/", "slug", i, object{})["pk"]}
			},
			func(opts authentik.ListOptions) iter.Seq2[string, error] {
				return idsOf(client.CoreApplicationEntitlements.All(t.Context(), &authentik.CoreApplicationEntitlementsListOptions{ListOptions: opts}), func(e *authentik.ApplicationEntitlement) uuid.UUID { return e.PBMUUID })
			},
		},
	} {
		if list.since != "" && !release.AtLeast(list.since) {
			continue
		}
		own := map[string]int{}
		for i := range objects {
			own[l.made(list.path, list.id, list.create(i))[list.id].(string)] = 0
		}
		for _, ordering := range []string{"", list.by, "-" + list.by} {
			came := maps.Clone(own)
			for id, err := range list.walk(authentik.ListOptions{PageSize: size, Ordering: ordering}) {
				if err != nil {
					t.Fatalf("%s: %v", list.path, err)
				}
				if _, isOwn := came[id]; isOwn {
					came[id]++
				}
			}
			if times := slices.Sorted(maps.Values(came)); times[0] != 1 || times[objects-1] != 1 {
				t.Errorf("%s by %q: the objects came %v times", list.path, ordering, times)
			}
		}
	}
}

// idsOf are the ids of what a walk yields.
func idsOf[T any](objects iter.Seq2[*T, error], id func(*T) uuid.UUID) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for o, err := range objects {
			if err != nil {
				yield("", err)
				return
			}
			if !yield(id(o).String(), nil) {
				return
			}
		}
	}
}
