package conformance_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/authentik-go/authentik/internal/testkit"
	"github.com/google/uuid"
)

// tiedList is a list of a release in which all objects have equal members, except for
// those that are unique. As PostgreSQL does, it orders equal ones anew for each page.
type tiedList struct {
	facts    *contract.ServerList
	identity string
	objects  []string // as JSON, ordered by their identity

	mu     sync.Mutex
	random *rand.Rand
}

// isUnique reports whether no two objects have an equal member of the name.
func (l *tiedList) isUnique(name string) bool {
	for _, order := range l.facts.Orderable {
		if order.Name == name && !order.Fails() {
			return order.PK || name == l.identity && slices.Contains(l.facts.Unique, name)
		}
	}
	return false
}

// decides returns what decides between any two objects: 1, or -1 if it descends; 0 if
// nothing does.
func (l *tiedList) decides(ordering string) int {
	known := 0
	for name := range strings.SplitSeq(ordering, ",") {
		plain := strings.TrimPrefix(name, "-")
		switch {
		case !slices.ContainsFunc(l.facts.Orderable, func(o *contract.ServerOrder) bool { return o.Name == plain }):
			continue // a server ignores it
		case l.isUnique(plain) && name == plain:
			return 1
		case l.isUnique(plain):
			return -1
		}
		known++
	}
	if known == 0 && l.facts.Total {
		return 1
	}
	return 0
}

// RoundTrip answers with a page.
func (l *tiedList) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	query := r.URL.Query()
	page, _ := strconv.Atoi(query.Get("page"))
	size, _ := strconv.Atoi(query.Get("page_size"))
	objects := slices.Clone(l.objects)
	switch l.decides(query.Get("ordering")) {
	case -1:
		slices.Reverse(objects)
	case 0:
		l.random.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
	}
	first, last := min((page-1)*size, len(objects)), min(page*size, len(objects))
	pages := max(1, (len(objects)+size-1)/size)
	next := page + 1
	if next > pages {
		next = 0
	}
	body := fmt.Sprintf(`{"pagination":{"next":%d,"previous":%d,"count":%d,"current":%d,"total_pages":%d,"start_index":%d,"end_index":%d},"results":[%s]}`,
		next, page-1, len(objects), page, pages, first+1, last, strings.Join(objects[first:last], ","))
	return testkit.Answer(http.StatusOK, nil, body)(r)
}

// objectsWith are objects with the identity of the model, in its order.
func objectsWith(identity codec.Identity, model reflect.Type, n int) []string {
	var objects []string
	for i := range n {
		value := fmt.Sprintf("%q", fmt.Sprintf("object-%03d", i))
		switch t := identity.Type(model); {
		case t == reflect.TypeFor[uuid.UUID]():
			value = fmt.Sprintf("%q", testkit.Numbered(i))
		case t.Kind() == reflect.Int:
			value = strconv.Itoa(i + 1)
		}
		objects = append(objects, fmt.Sprintf(`{%q:%s}`, identity.Member, value))
	}
	return objects
}

// undecided are the lists that no ordering decides: their walk may say so.
var undecided = []string{"lifecycle/rules/", "rbac/permissions/assigned_by_roles/", "reports/exports/"}

// TestTiesHideNothing walks every list of every release that was asked, all of whose
// objects are equal to what orders them.
func TestTiesHideNothing(t *testing.T) {
	t.Parallel()
	servers, err := contract.ReadServers()
	if err != nil {
		t.Fatal(err)
	}
	lists, tied, unsure := map[string]bool{}, 0, map[string]int{}
	for _, release := range servers.Releases {
		known := servers.At(release).Lists
		for _, m := range methods() {
			facts := known[m.asks.Path]
			if m.Name != "All" || facts == nil {
				continue
			}
			lists[m.asks.Path] = true
			model := sdk.ModelOf(m.Of(&authentik.Client{}).Type())
			identity := codec.IdentityOf(model)
			if identity.Member == "" {
				t.Errorf("%s: its objects have no identity", m.asks.Path)
				continue
			}
			orderings := []string{""}
			for _, order := range facts.Orderable {
				if !order.Fails() && !order.PK {
					orderings = append(orderings, "-"+order.Name)
					break
				}
			}
			for _, ordering := range orderings {
				for _, prefetch := range []int{0, 3} {
					list := &tiedList{facts: facts, identity: identity.Member, objects: objectsWith(identity, model, 30), random: rand.New(rand.NewPCG(1, 2))}
					if list.decides("") == 0 {
						tied++
					}
					name := fmt.Sprintf("%s %s by %q, %d ahead", release, m.asks.Path, ordering, prefetch)
					seen, err := list.walk(t, m, authentik.ListOptions{PageSize: 7, Ordering: ordering, Prefetch: prefetch})
					if slices.Contains(undecided, m.asks.Path) && errors.Is(err, authentik.ErrListChanged) {
						unsure[m.asks.Path]++
						continue
					}
					if err != nil || seen != len(list.objects) {
						t.Errorf("%s: %d of %d objects, error %v", name, seen, len(list.objects), err)
					}
				}
			}
		}
	}
	t.Logf("%d lists, %d walks of which the server's order has ties; not decided: %v", len(lists), tied, unsure)
	isRead := func(path string) bool { // some are for writing alone
		return recordedFacts().Operation(http.MethodGet, path) != nil
	}
	for _, release := range servers.Releases {
		for path, list := range servers.At(release).Lists {
			if list.PageSize > 0 && isRead(path) && !lists[path] {
				t.Errorf("%s of %s was not walked", path, release)
			}
		}
	}
	if len(unsure) != len(undecided) {
		t.Errorf("not decided were %v", unsure)
	}
	if len(lists) < 160 || tied < 1000 {
		t.Errorf("only %d lists, %d walks with ties", len(lists), tied)
	}
}

// walk counts the different objects that All yields.
func (l *tiedList) walk(t *testing.T, m method, options authentik.ListOptions) (n int, last error) {
	t.Helper()
	client, err := authentik.NewClient("https://authentik.example", "token", authentik.WithHTTPClient(&http.Client{Transport: l}), authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	all := m.Of(client)
	opts := reflect.New(all.Type().In(1).Elem())
	opts.Elem().FieldByName("ListOptions").Set(reflect.ValueOf(options))
	seen := map[any]bool{}
	for object, e := range all.Call([]reflect.Value{reflect.ValueOf(t.Context()), opts})[0].Seq2() {
		if last, _ = reflect.TypeAssert[error](e); last != nil {
			return len(seen), last
		}
		id := codec.IdentityOf(object.Type().Elem()).Of(object.Elem()).Interface()
		if seen[id] {
			t.Errorf("%s: %v came twice", m.asks.Path, id)
		}
		seen[id] = true
	}
	return len(seen), nil
}
