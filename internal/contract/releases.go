package contract

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

const releasesBegin = `# What each release of authentik changed

What came with each version, what went, and what became something else, by the official OpenAPI schemas: each is compared with the one
before it. Whether something is required or has a default is left out, as is what came or went with its endpoint. Members of a request
stand here where the object itself has none with that name. ` + "`internal/contract/check -record`" + ` writes this page.
`

// ReleasesPage is docs/releases.md: what each version changed, the newest first.
func (f *Facts) ReleasesPage() string {
	var page strings.Builder
	page.WriteString(releasesBegin)
	for i := len(f.Versions) - 1; i > 0; i-- {
		older, newer := f.At(f.Versions[i-1]), f.At(f.Versions[i])
		fmt.Fprintf(&page, "\n## %s\n", f.Versions[i])
		before := page.Len()
		for _, list := range []struct {
			title string
			items []string
		}{
			{"New endpoints", endpoints(newer, older)},
			{"Gone endpoints", endpoints(older, newer)},
			{"Filters", changes(older.filters(), newer.filters())},
			{"Members", changes(older.members(), newer.members())},
			{"Values", changes(older.values(), newer.values())},
		} {
			if len(list.items) > 0 {
				fmt.Fprintf(&page, "\n%s:\n\n- %s\n", list.title, strings.Join(list.items, "\n- "))
			}
		}
		if page.Len() == before {
			page.WriteString("\nNothing.\n")
		}
	}
	return page.String()
}

// endpoints are the operations that f has and other lacks, by path.
func endpoints(f, other *Facts) []string {
	methods := map[string][]string{}
	for _, o := range f.Operations {
		if other.Operation(o.Method, o.Path) == nil {
			methods[o.Path] = append(methods[o.Path], o.Method)
		}
	}
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(methods)) {
		lines = append(lines, fmt.Sprintf("`%s`: %s", path, strings.Join(methods[path], ", ")))
	}
	return lines
}

// filters are the parameters by path and method, then by name, as text.
func (f *Facts) filters() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, o := range f.Operations {
		name := o.Path
		if o.Method != http.MethodGet {
			name = o.Method + " " + o.Path
		}
		all[name] = map[string]string{}
		for _, p := range o.Parameters {
			all[name][p.Name] = p.Type.essence(true)
		}
	}
	return all
}

// members are those of the objects, but of requests that say the same as the
// object itself.
func (f *Facts) members() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, o := range f.Objects {
		all[o.Name] = map[string]string{}
		for _, m := range o.Members {
			all[o.Name][m.Name] = m.Type.essence(true)
		}
	}
	for name, members := range all {
		answer := all[strings.TrimSuffix(name, "Request")]
		maps.DeleteFunc(members, func(member, _ string) bool {
			_, has := answer[member]
			return has && strings.HasSuffix(name, "Request")
		})
	}
	return all
}

func (f *Facts) values() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, e := range f.Enums {
		all[e.Name] = map[string]string{}
		for _, v := range e.Values {
			all[e.Name][v.Value] = ""
		}
	}
	return all
}

// changes are the differences of what both have, a line for each.
func changes(older, newer map[string]map[string]string) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(newer)) {
		before, has := older[name]
		if !has {
			continue
		}
		after := newer[name]
		var came, went, changed []string
		for _, item := range slices.Sorted(maps.Keys(after)) {
			if was, had := before[item]; !had {
				came = append(came, "`"+item+"`")
			} else if was != after[item] {
				changed = append(changed, fmt.Sprintf("`%s` is `%s`, was `%s`", item, after[item], was))
			}
		}
		for _, item := range slices.Sorted(maps.Keys(before)) {
			if _, still := after[item]; !still {
				went = append(went, "`"+item+"`")
			}
		}
		var parts []string
		if len(came) > 0 {
			parts = append(parts, "new "+some(came))
		}
		if len(went) > 0 {
			parts = append(parts, "gone "+some(went))
		}
		if parts = append(parts, changed...); len(parts) > 0 {
			lines = append(lines, "`"+name+"`: "+strings.Join(parts, "; "))
		}
	}
	return lines
}

// some are the items, counted if they are too many to read.
func some(items []string) string {
	const most = 20
	if len(items) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(items[:most], ", "), len(items)-most)
	}
	return strings.Join(items, ", ")
}
