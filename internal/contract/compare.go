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

// typed is a filter or a member, and the values that it may have.
type typed struct {
	Type
	values []string
}

// types are the filters of the lists and the members, by their names in words.
func (f *Facts) types() map[string]typed {
	types := map[string]typed{}
	add := func(name string, t Type) {
		t.Nullable = t.Nullable || types[name].Nullable // in another form of it
		one := typed{Type: t}
		for t.Elem != nil {
			t = *t.Elem
		}
		if e := f.Enum(t.Name); e != nil {
			for _, v := range e.Values {
				one.values = append(one.values, v.Value)
			}
		}
		types[name] = one
	}
	for _, o := range f.Operations {
		for _, p := range o.Parameters {
			if p.In == "query" && o.Method == http.MethodGet {
				add(fmt.Sprintf("the filter `%s` of `%s`", p.Name, o.Path), p.Type)
			}
		}
	}
	for _, o := range f.Objects {
		for _, m := range o.Members {
			add(fmt.Sprintf("`%s.%s`", o.Name, m.Name), m.Type)
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
	for name, t := range f.types() {
		otherType, has := others[name]
		if !has {
			beyond = append(beyond, name)
			continue
		}
		text, otherText := t.essence(), otherType.essence()
		if text+"?" == otherText { // which holds what is never null as well
			text = otherText
		}
		if text != otherText {
			beyond = append(beyond, fmt.Sprintf("%s as %s, not %s", name, text, otherText))
		}
		for _, value := range t.values {
			if !slices.Contains(otherType.values, value) {
				beyond = append(beyond, fmt.Sprintf("the value `%s` of %s", value, name))
			}
		}
	}
	slices.Sort(beyond)
	return beyond
}

// essence is the text of what has to agree in two types.
func (t Type) essence() string {
	switch t.Kind {
	case "array", "map":
		elem := *t.Elem
		elem.Name, elem.Kind, elem.Nullable = elem.essence(), "", false
		t.Elem = &elem
	case "enum", "ref":
		t.Name = t.Kind // some had other names
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
