package authentik

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
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
