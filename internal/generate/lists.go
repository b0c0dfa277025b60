package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
)

// listFacts is what running servers say of a list's order.
type listFacts struct {
	Path     string
	Order    string   // what decides between any two objects; "" if the server's own order does
	PK       string   // the name by which the list is ordered by its identity; "" if there is none
	Cached   bool     // without a search it is answered out of a cache
	Unsought bool     // the server has no search of it, or fails
	Untold   bool     // nothing that can be sent decides between any two objects
	Repeats  []string // the filters and orderings that repeat objects, search among them
	Fails    []string // the orderings that end in the server's 500
	Sortable []string // the names of all other orderings
}

// lists are those of which something has to be known, by path.
func lists(servers *contract.Servers) []*listFacts {
	forms := map[string][]*contract.ServerList{} // the newest last
	for _, release := range servers.Releases {
		for path, list := range servers.At(release).Lists {
			forms[path] = append(forms[path], list)
		}
	}
	var all []*listFacts
	for _, path := range slices.Sorted(maps.Keys(forms)) {
		if forms[path][0].PageSize == 0 {
			continue
		}
		list := listOf(path, forms[path])
		if list.Order != "" || list.Untold || list.Unsought || len(list.Repeats)+len(list.Fails) > 0 {
			all = append(all, list)
		}
	}
	return all
}

// listOf says what holds in all releases.
func listOf(path string, forms []*contract.ServerList) *listFacts {
	list := &listFacts{Path: path, Cached: slices.Contains(cachedLists, path)}
	list.Unsought = slices.Contains(failingSearches, path) ||
		!slices.ContainsFunc(forms, func(form *contract.ServerList) bool { return len(form.Search)+len(form.Queries) > 0 })
	newest := forms[len(forms)-1]
	sortable, fails, repeats := map[string]int{}, map[string]int{}, map[string]bool{}
	total := true
	for _, form := range forms {
		total = total && form.Total
		for _, order := range form.Orderable {
			switch {
			case order.Fails():
				fails[order.Name]++
			default:
				sortable[order.Name]++
			}
			if order.Joins {
				repeats["ordering="+order.Name] = true
			}
		}
		for _, filter := range form.Filters {
			if filter.Repeats() {
				repeats[filter.Name] = true
			}
		}
		if len(form.SearchJoins) > 0 {
			repeats["search"] = true
		}
	}
	everywhere := func(name string) bool { return sortable[name] == len(forms) }
	for name, n := range fails {
		if n == len(forms) {
			list.Fails = append(list.Fails, name)
		}
	}
	slices.Sort(list.Fails)
	if len(list.Fails) > 0 {
		list.Sortable = slices.Sorted(maps.Keys(sortable))
	}
	list.Repeats = slices.Sorted(maps.Keys(repeats))
	for _, name := range []string{newest.PK(), "uuid"} {
		if name != "" && everywhere(name) && list.PK == "" {
			list.PK = name
		}
	}
	if total {
		return list
	}
	var order []string
	for _, name := range newest.Order {
		if everywhere(strings.TrimPrefix(name, "-")) && strings.TrimPrefix(name, "-") != list.PK {
			order = append(order, name)
		}
	}
	if list.PK != "" {
		order = append(order, list.PK)
	}
	list.Untold = list.PK == ""
	list.Order = strings.Join(order, ",")
	return list
}
