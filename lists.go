package authentik

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/codec"
)

// listFact is what running servers say of a list.
type listFact struct {
	path     string
	order    string   // what decides between any two objects; "" if the server's own order does
	pk       string   // the name by which it is ordered by its identity; "" if there is none
	untold   bool     // nothing that can be sent decides between any two objects
	repeats  []string // the filters and orderings by which an object may come several times
	fails    []string // the orderings that end in the server's 500
	sortable []string // the others, if some fail
	cached   bool     // without a search it is answered out of a cache, which knows no filter
	unsought bool     // the server ignores a search, or fails
}

// factsOf returns what is known of the list at path; its zero of one that is not
// known, or needs no care.
func factsOf(path string) listFact {
	path, _ = cleanPath(path)
	i, ok := slices.BinarySearchFunc(listFacts, path, func(list listFact, path string) int { return strings.Compare(list.path, path) })
	if !ok {
		return listFact{}
	}
	return listFacts[i]
}

// orderingOf returns the names that a list is ordered by: those of the last
// parameter, which counts for the server.
func orderingOf(values url.Values) (names []string) {
	if orderings := values["ordering"]; len(orderings) > 0 {
		for name := range strings.SplitSeq(orderings[len(orderings)-1], ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// orderTotally sets an ordering that decides between any two objects: PostgreSQL
// orders rows of equal fields anew for each page. identity is the member that tells
// objects apart.
func (l listFact) orderTotally(values url.Values, identity string) {
	names := orderingOf(values)
	switch {
	case len(names) == 0 && l.order != "":
		values.Set("ordering", l.order)
	case len(names) == 0:
		return
	default:
		if l.pk != "" {
			identity = l.pk
		}
		if identity != "" && !slices.Contains(names, identity) && !slices.Contains(names, "-"+identity) {
			orderings := values["ordering"]
			values.Set("ordering", orderings[len(orderings)-1]+","+identity)
		}
	}
}

// check returns an error for an ordering that ends in the server's 500.
func (l listFact) check(values url.Values) error {
	for _, name := range orderingOf(values) {
		if slices.Contains(l.fails, strings.TrimPrefix(name, "-")) {
			return fmt.Errorf("the list cannot be ordered by %s: the server would fail; it can be by %s", name, strings.Join(l.sortable, ", "))
		}
	}
	return nil
}

// mayRepeat reports whether an object may come several times though the list does
// not change: the server joins it with others.
func (l listFact) mayRepeat(values url.Values) bool {
	return l.cached || slices.ContainsFunc(l.repeats, func(option string) bool {
		if name, ok := strings.CutPrefix(option, "ordering="); ok {
			names := orderingOf(values)
			return slices.Contains(names, name) || slices.Contains(names, "-"+name)
		}
		return values.Get(option) != ""
	})
}

// passCache has the server look at the filters of a list that it would answer out of
// a cache: for a day, and for all filters, with what the first answer had. A search
// for nothing passes the cache by, as does for_user; superuser_full_list does so only
// for a superuser. Each page of 2023.10 then has all objects, and pages lack those
// that policies deny, though count has them.
func (l listFact) passCache(values url.Values) {
	if l.cached && values.Get("search") == "" && values.Get("for_user") == "" {
		values.Set("search", " ")
	}
}

// span is an option that not all releases with the operation have.
type span struct {
	operation, option string
	releases          releases
}

// checkOptions returns an error for an option that the server would ignore, as its
// release does not know it: a list would come unfiltered.
func (c *Client) checkOptions(ctx context.Context, op *Operation, values url.Values) error {
	if len(values) == 0 {
		return nil
	}
	if factsOf(op.Path).unsought && values.Get("search") != "" {
		return fmt.Errorf("the list has no search: %w", errors.ErrUnsupported)
	}
	if err := checkAttributes(values.Get("attributes")); err != nil {
		return err
	}
	operation := op.String()
	i, _ := slices.BinarySearchFunc(spans, operation, func(s span, operation string) int { return strings.Compare(s.operation, operation) })
	for ; i < len(spans) && spans[i].operation == operation; i++ {
		if values.Get(spans[i].option) == "" {
			continue
		}
		server, err := c.ServerVersion(ctx)
		if err != nil {
			return fmt.Errorf("the option %s is not of every release: %w", spans[i].option, err)
		}
		if server.lacks(spans[i].releases) {
			return fmt.Errorf("the option %s is of %s, and the server is %s, which would ignore it: %w",
				spans[i].option, spans[i].releases, server, errors.ErrUnsupported)
		}
	}
	return nil
}

// refuseNull are the look-ups of Django that take no null. exact does.
var refuseNull = []string{
	"contained_by", "contains", "endswith", "gt", "gte", "has_key", "icontains", "iendswith",
	"iexact", "iregex", "istartswith", "lt", "lte", "regex", "startswith",
}

// checkAttributes returns an error for a filter of users or groups that Django
// refuses. Every release answers with all objects then.
func checkAttributes(filter string) error {
	if filter == "" {
		return nil
	}
	lookups := map[string]json.RawMessage{}
	b, err := codec.MarshalRequest(json.RawMessage(filter)) // which refuses half a surrogate, as Django does
	if err == nil {
		err = codec.Unmarshal(b, &lookups)
	}
	if err != nil || lookups == nil {
		return errors.New("the option attributes is no JSON object")
	}
	for name, value := range lookups {
		lookup, text := name[strings.LastIndex("__"+name, "__"):], string(value)
		switch {
		case lookup == "isnull" && text != "true" && text != "false":
			return fmt.Errorf("the option attributes: %q takes true or false, and the server would ignore what else it is", name)
		case text == "null" && slices.Contains(refuseNull, lookup):
			return fmt.Errorf("the option attributes: %q takes no null, and the server would ignore it", name)
		}
	}
	return nil
}

// String names the releases: "2026.2 and later".
func (r releases) String() string {
	first, last := -1, 0
	for i := range recordedVersions {
		if r&(1<<i) != 0 {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	switch {
	case first < 0:
		return "no release"
	case last == len(recordedVersions)-1:
		return minorOf(first) + " and later"
	case first == 0:
		return minorOf(last) + " and earlier"
	}
	return minorOf(first) + " to " + minorOf(last)
}

// minorOf is the release of a recorded version: "2026.2" of 2026.2.1.
func minorOf(i int) string {
	version := recordedVersions[i]
	return version[:strings.LastIndexByte(version, '.')]
}
