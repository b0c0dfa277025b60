package contract

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Differences are the lines of the facts that one of two versions has alone:
// those of newer after a +, the others after a -.
func Differences(older, newer *Facts) []string {
	before, after := older.lines(), newer.lines()
	var different []string
	for _, line := range slices.Sorted(maps.Keys(before)) {
		if !after[line] {
			different = append(different, "- "+line)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(after)) {
		if !before[line] {
			different = append(different, "+ "+line)
		}
	}
	slices.SortStableFunc(different, func(a, b string) int { return strings.Compare(a[2:], b[2:]) })
	return different
}

// lines are the facts as text, each with its owner before it.
func (f *Facts) lines() map[string]bool {
	lines := map[string]bool{}
	for _, o := range f.Operations {
		owner := o.Method + " " + o.Path
		lines[owner+" "+strings.TrimPrefix(o.String(), owner+" ")] = true
		for _, p := range o.Parameters {
			lines[owner+": "+p.String()] = true
		}
		for _, body := range o.Bodies {
			lines[owner+": "+body.String()] = true
		}
		for _, answer := range o.Answers {
			lines[owner+": "+answer.String()] = true
		}
	}
	for _, o := range f.Objects {
		lines[o.String()] = true
		for _, m := range o.Members {
			lines["object "+o.Name+": "+m.String()] = true
		}
	}
	for _, e := range f.Enums {
		lines[e.String()] = true
		for _, v := range e.Values {
			lines["enum "+e.Name+": "+v.String()] = true
		}
	}
	return lines
}

// typed is a form of a filter or a member, and the values that it may have.
type typed struct {
	Type
	filter bool
	values []string
}

// accepts reports whether all that other may be is something that t may be, whatever
// the values.
func (t typed) accepts(other typed) bool {
	nilable := slices.Contains([]string{"array", "map", "object", "any"}, t.Kind) // null is nil
	if other.Nullable && !t.Nullable && !nilable && !t.filter {                   // a query has no null
		return false
	}
	mine, its := t.Type, other.Type
	for mine.Kind == "array" && its.Kind == "array" {
		mine, its = *mine.Elem, *its.Elem
	}
	switch {
	case mine.Kind == "object" && its.Kind == "any": // schemas before 2025.8 say so of an object
		return true
	case mine.Kind == "ref" && its.Kind == "object": // the same in 2024.2
		return true
	case mine.Kind == "double" && its.Kind == "integer": // 2023.10 sends a fraction where its schema says that there is none
		return true
	case t.filter && t.Kind == "string" && (other.Kind == "enum" || other.Kind == "integer"), t.filter && t.Kind == "enum" && other.Kind == "string": // a query is text
		return true
	}
	return t.plain() == other.plain()
}

// plain is the text of what has to agree, whether or not it may be null.
func (t typed) plain() string {
	t.Nullable = false
	return t.essence(false)
}

// types are the filters of the lists and the members, by their names in words,
// each in all forms.
func (f *Facts) types() map[string][]typed {
	types := map[string][]typed{}
	add := func(name string, t Type, filter bool) {
		one := typed{Type: t, filter: filter}
		for t.Elem != nil {
			t = *t.Elem
		}
		if e := f.Enum(t.Name); e != nil {
			for _, v := range e.Values {
				one.values = append(one.values, v.Value)
			}
		}
		for i, other := range types[name] {
			if one.plain() == other.plain() {
				one.Nullable = one.Nullable || other.Nullable
				one.values = append(one.values, other.values...)
				types[name][i] = one
				return
			}
		}
		types[name] = append(types[name], one)
	}
	for _, o := range f.Operations {
		for _, p := range o.Parameters {
			if p.In == "query" && o.Method == http.MethodGet && !slices.Contains(LeftOutOptions, p.Name) {
				add(fmt.Sprintf("the filter `%s` of `%s`", p.Name, o.Path), p.Type, true)
			}
		}
	}
	for _, o := range f.Objects {
		for _, m := range o.Members {
			add(fmt.Sprintf("`%s.%s`", o.Name, m.Name), m.Type, false)
		}
	}
	return types
}

// Beyond returns what f has and other lacks, or has of another type: filters,
// members and values of enums, sorted. Whether something is required does not
// matter, nor what an enum or an object is called, nor how a string or a whole number is
// written: number is integer, since those of authentik are whole, and a double is
// what may have a fraction.
func (f *Facts) Beyond(other *Facts) []string {
	var beyond []string
	others := other.types()
	for name, forms := range f.types() {
		otherForms, has := others[name]
		if !has {
			beyond = append(beyond, name)
			continue
		}
		var values, texts []string
		for _, form := range otherForms {
			values, texts = append(values, form.values...), append(texts, form.essence(false))
		}
		for _, form := range forms {
			if !slices.ContainsFunc(otherForms, func(other typed) bool { return other.accepts(form) }) {
				beyond = append(beyond, fmt.Sprintf("%s as %s, not %s", name, form.essence(false), strings.Join(texts, " or ")))
			}
			for _, value := range form.values {
				if len(values) > 0 && !slices.Contains(values, value) { // some enums are open
					beyond = append(beyond, fmt.Sprintf("the value `%s` of %s", value, name))
				}
			}
		}
	}
	slices.Sort(beyond)
	return beyond
}

// essence is the text of what has to agree in two types, with the names of objects
// if named is true: in old releases, some have another.
func (t Type) essence(named bool) string {
	switch t.Kind {
	case "array", "map":
		elem := *t.Elem
		elem.Name, elem.Kind, elem.Nullable = elem.essence(named), "", false
		t.Elem = &elem
	case "enum":
		t.Name = t.Kind
	case "ref":
		if !named {
			t.Name = t.Kind
		}
	case "number", "int64":
		t.Kind = "integer"
	case "uri", "email":
		t.Kind = "string"
	}
	return t.String()
}

// Of returns what f has of the owners that other has: of its operations and objects.
func (f *Facts) Of(other *Facts) *Facts {
	some := &Facts{Versions: f.Versions, Enums: f.Enums}
	for _, o := range f.Operations {
		if other.Operation(o.Method, o.Path) != nil {
			some.Operations = append(some.Operations, o)
		}
	}
	for _, o := range f.Objects {
		if other.Object(o.Name) != nil {
			some.Objects = append(some.Objects, o)
		}
	}
	return some
}
