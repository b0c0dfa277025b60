package live

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// filters sets each option of the list alone.
func (l *life) filters() {
	l.Helper()
	r := l.resource
	options := sdk.Options["GET "+r.path]
	if reason, ok := untried["GET "+r.path]; ok {
		l.skip("GET "+r.path, reason)
		return
	}
	all, err := r.walk(l.ctx, nil)
	if err != nil {
		l.Errorf("All: %v", err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(sdk.FieldsByTag(options, "url"))) {
		switch reason, ok := untried["GET "+r.path+" "+name]; {
		case ok:
			l.skip("GET "+r.path+" "+name, reason)
		case strings.HasPrefix(name, "include_") || slices.Contains([]string{"superuser_full_list", "page", "page_size", "ordering"}, name):
			// It chooses no objects.
		case parameter(r.facts, r.path, name) == nil:
			l.filterTooNew(name)
		default:
			l.filter(name, all)
		}
	}
}

// parameter is an option of a list, nil if no release of the facts has it.
func parameter(facts *contract.Facts, path, name string) *contract.Parameter {
	if o := facts.Operation("GET", path); o != nil {
		for _, p := range o.Parameters {
			if p.Name == name {
				return p
			}
		}
	}
	return nil
}

// filterTooNew sets an option that the server would ignore.
func (l *life) filterTooNew(name string) {
	l.Helper()
	p := parameter(l.newest, l.resource.path, name)
	value := l.nothing(p.Type, &contract.ServerFilter{})
	switch p.Type.Kind {
	case "boolean":
		value = true
	case "enum":
		value = l.enum(p.Type.Name).Values[0].Value
	case "array":
		if p.Type.Elem.Kind == "enum" {
			value = []any{l.enum(p.Type.Elem.Name).Values[0].Value}
		}
	}
	found, err := l.resource.walk(l.ctx, map[string]any{name: value})
	if !errors.Is(err, errors.ErrUnsupported) {
		l.Errorf("SILENT %s filter %s=%s, which the release lacks: %d objects, %v", l.resource.path, name, text(value), len(found), err)
	}
	l.countFilter("too new or gone")
}

// filter sets the option to what nothing has, and to what objects have.
func (l *life) filter(name string, all []map[string]any) {
	l.Helper()
	l.inTime(l.T)
	p, rule := parameter(l.facts, l.resource.path, name), &contract.ServerFilter{Method: "unknown"}
	if list := l.rules.Lists[l.resource.path]; list != nil && list.Filters[name] != nil {
		rule = list.Filters[name]
	}
	var values []any
	nothing := l.nothing(p.Type, rule)
	if nothing != nil {
		values = append(values, nothing)
	}
	if value := l.some(rule); value != nil {
		if p.Type.Kind == "array" {
			value = []any{value}
		}
		values = append(values, value)
	}
	switch p.Type.Kind {
	case "boolean":
		values = []any{true, false}
	case "enum":
		for _, value := range l.enum(p.Type.Name).Values {
			if len(values) < 3 && !slices.Contains(values, any(value.Value)) {
				values = append(values, value.Value)
			}
		}
	}
	found, failed := map[int]bool{}, 0
	for _, value := range values {
		objects, err := l.resource.walk(l.ctx, map[string]any{name: value})
		if err != nil {
			failed++
			continue
		}
		found[len(objects)] = true
		if nothing != nil && text(value) == text(nothing) && len(objects) > 0 {
			if l.candidateLacks(rule) {
				l.countFilter("not of the release candidate")
				return
			}
			l.Errorf("SILENT %s filter %s=%s, which nothing has, gives %d of %d objects", l.resource.path, name, text(value), len(objects), len(all))
		}
		l.judge(name, rule, value, objects)
	}
	switch {
	case failed == len(values):
		l.countFilter("error")
	case len(all) == 0:
		l.countFilter("nothing to filter")
	case len(values) > 1 && failed == 0 && len(found) == 1 && found[len(all)]:
		l.Errorf("SILENT %s filter %s gives all %d objects for each of %s", l.resource.path, name, len(all), text(values))
	default:
		l.countFilter("filters")
	}
}

// candidateLacks reports whether nothing is known of a filter that the release has,
// and the server is a candidate for it.
func (l *life) candidateLacks(rule *contract.ServerFilter) bool {
	return rule.Method == "unknown" && strings.Contains(l.release.String(), "-rc")
}

// some is a value that the object has which the suite made, nil if it has none.
func (l *life) some(rule *contract.ServerFilter) any {
	if len(l.objects) == 0 || rule.Method != "" || slices.Contains([]string{"isnull", "lt", "gt"}, rule.Lookup) {
		return nil
	}
	switch value := l.objects[0].shown[rule.Field].(type) {
	case []any:
		if len(value) > 0 {
			return value[0]
		}
	case string, float64, bool:
		if value != "" {
			return value
		}
	}
	return nil
}

// judge looks for what should not have been found, and for own objects that should.
func (l *life) judge(name string, rule *contract.ServerFilter, value any, found []map[string]any) {
	l.Helper()
	for _, o := range found {
		if fits, judged := fits(rule, value, o); judged && !fits {
			l.Errorf("SILENT %s filter %s=%s gives an object whose %s is %s", l.resource.path, name, text(value), rule.Field, text(o[rule.Field]))
			break
		}
	}
	for _, o := range l.objects {
		is := func(other map[string]any) bool { return other[o.lookup()] == o.shown[o.lookup()] }
		if fits, judged := fits(rule, value, o.shown); judged && fits && !slices.ContainsFunc(found, is) {
			l.Errorf("SILENT %s filter %s=%s lacks an object whose %s is %s", l.resource.path, name, text(value), rule.Field, text(o.shown[rule.Field]))
		}
	}
}

// fits reports whether the object has what a filter asks for, and if that can be seen.
func fits(rule *contract.ServerFilter, value any, o map[string]any) (fits, judged bool) {
	is, ok := o[rule.Field]
	if rule.Method != "" || !ok {
		return false, false
	}
	if given, many := value.([]any); many {
		for _, one := range given {
			f, j := fitsOne(rule.Lookup, one, is)
			fits, judged = fits || f, j
		}
		return fits, judged
	}
	return fitsOne(rule.Lookup, value, is)
}

func fitsOne(lookup string, value, is any) (fits, judged bool) {
	if many, ok := is.([]any); ok && lookup != "isnull" {
		return slices.ContainsFunc(many, func(one any) bool { return same(value, one) }), true
	}
	a, b := strings.ToLower(fmt.Sprint(value)), strings.ToLower(fmt.Sprint(is))
	switch lookup {
	case "exact":
		return same(value, is), true
	case "iexact":
		return a == b, true
	case "icontains":
		return strings.Contains(b, a), true
	case "startswith":
		return strings.HasPrefix(b, a), true
	}
	return false, false
}

// nothing is a value that no object has, nil if there is none.
func (l *life) nothing(t contract.Type, rule *contract.ServerFilter) any {
	switch t.Kind {
	case "array":
		if elem := l.nothing(*t.Elem, rule); elem != nil {
			return []any{elem}
		}
	case "uuid":
		return "765ed48b-9283-4461-987d-de42dba24533"
	case "integer", "int64", "number":
		return 2147480000.0
	case "double":
		return 12345.678
	case "date-time":
		if rule.Lookup == "gt" {
			return time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC)
	case "string", "uri", "email":
		return "live-nothing"
	}
	return nil
}
