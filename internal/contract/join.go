package contract

import (
	stdcmp "cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fact is what all facts are.
type fact[T any] interface {
	*T
	key() string // what tells it from others of its owner
	versions() *Spans
}

func (o *Operation) key() string { return o.Method + " " + o.Path }
func (p *Parameter) key() string { return p.String() }
func (c *Content) key() string   { return c.String() }
func (o *Object) key() string    { return o.Name }
func (m *Member) key() string    { return m.String() }
func (e *Enum) key() string      { return e.String() }
func (v *Value) key() string     { return v.Value }

func (o *Operation) versions() *Spans { return &o.Spans }
func (p *Parameter) versions() *Spans { return &p.Spans }
func (c *Content) versions() *Spans   { return &c.Spans }
func (o *Object) versions() *Spans    { return &o.Spans }
func (m *Member) versions() *Spans    { return &m.Spans }
func (e *Enum) versions() *Spans      { return &e.Spans }
func (v *Value) versions() *Spans     { return &v.Spans }

// At returns the facts of one version alone, nil if there are none.
func (f *Facts) At(version string) *Facts {
	i := slices.Index(f.Versions, version)
	if i < 0 {
		return nil
	}
	one := f.at(i, Spans{{0, 0}})
	one.Versions = []string{version}
	return one
}

// at returns copies of the facts that version i has, with other spans.
func (f *Facts) at(i int, spans Spans) *Facts {
	return &Facts{
		Operations: at(f.Operations, i, spans, func(o *Operation) {
			o.Parameters = at(o.Parameters, i, spans, nil)
			o.Bodies = at(o.Bodies, i, spans, nil)
			o.Answers = at(o.Answers, i, spans, nil)
		}),
		Objects: at(f.Objects, i, spans, func(o *Object) { o.Members = at(o.Members, i, spans, nil) }),
		Enums:   at(f.Enums, i, spans, func(e *Enum) { e.Values = at(e.Values, i, spans, nil) }),
	}
}

func at[T any, P fact[T]](facts []P, i int, spans Spans, deeper func(P)) []P {
	var result []P
	for _, f := range facts {
		if !f.versions().Has(i) {
			continue
		}
		one := *f
		*P(&one).versions() = slices.Clone(spans)
		if deeper != nil {
			deeper(&one)
		}
		result = append(result, &one)
	}
	return result
}

// Record returns the facts of f and of others, which replace what f has of their
// versions.
func (f *Facts) Record(others ...*Facts) *Facts {
	result := &Facts{}
	sources := map[string]*Facts{}
	for _, facts := range append([]*Facts{f}, others...) {
		for _, version := range facts.Versions {
			sources[version] = facts
		}
	}
	result.Versions = slices.SortedFunc(maps.Keys(sources), CompareVersions)
	names := enumNames{}
	for i, version := range slices.Backward(result.Versions) { // the newest says the order of values
		source := sources[version]
		one := source.at(slices.Index(source.Versions, version), Spans{{i, i}})
		names.give(one)
		result.join(one)
	}
	result.sort()
	return result
}

// join adds the facts of the version before those that f has.
func (f *Facts) join(older *Facts) {
	f.Operations = join(f.Operations, older.Operations, func(into, older *Operation) {
		into.Parameters = join(into.Parameters, older.Parameters, nil)
		into.Bodies = join(into.Bodies, older.Bodies, nil)
		into.Answers = join(into.Answers, older.Answers, nil)
	})
	f.Objects = join(f.Objects, older.Objects, func(into, older *Object) {
		into.Members = join(into.Members, older.Members, nil)
	})
	f.Enums = join(f.Enums, older.Enums, func(into, older *Enum) {
		into.Values = join(into.Values, older.Values, nil)
	})
}

func join[T any, P fact[T]](facts, older []P, deeper func(into, older P)) []P {
	known := make(map[string]P, len(facts))
	for _, f := range facts {
		known[f.key()] = f
	}
	for _, f := range older {
		into := known[f.key()]
		if into == nil {
			facts = append(facts, f)
			continue
		}
		if deeper != nil {
			deeper(into, f)
		}
		spans, version := into.versions(), *f.versions()
		if (*spans)[0].First == version[0].Last+1 {
			(*spans)[0].First = version[0].First
		} else {
			*spans = append(version, *spans...)
		}
	}
	return facts
}

// enumNames are the enums of parameters by operation and parameter. Schemas
// before 2026.5 do not name them.
type enumNames map[string]*Enum

// give gives the enums of parameters the names that they have in later versions,
// or, if these have none, that of the one enum with the same values.
func (names enumNames) give(one *Facts) {
	for _, o := range one.Operations {
		for _, p := range o.Parameters {
			t := &p.Type
			if t.Kind == "array" {
				elem := *t.Elem // which other versions share
				t.Elem = &elem
				t = t.Elem
			}
			if t.Kind != "enum" {
				continue
			}
			place := o.key() + " " + p.Name
			if t.Name == o.ID+"."+p.Name {
				t.Name = one.name(one.Enum(t.Name), names[place])
			}
			names[place] = one.Enum(t.Name)
		}
	}
}

// name names an enum, later if there is one, and returns the name.
func (f *Facts) name(inline, later *Enum) string {
	if later != nil && f.Enum(later.Name) == nil && later.Number == inline.Number {
		inline.Name = later.Name
		return inline.Name
	}
	var named []*Enum
	for _, e := range f.Enums {
		if !strings.Contains(e.Name, ".") && e.same(inline) {
			if later != nil && e.Name == later.Name {
				named = []*Enum{e}
				break
			}
			named = append(named, e)
		}
	}
	if len(named) != 1 {
		return inline.Name
	}
	f.Enums = slices.DeleteFunc(f.Enums, func(e *Enum) bool { return e == inline })
	return named[0].Name
}

// same reports whether the enums have the same values.
func (e *Enum) same(other *Enum) bool {
	if e.Number != other.Number || len(e.Values) != len(other.Values) {
		return false
	}
	for _, v := range e.Values {
		if !slices.ContainsFunc(other.Values, func(o *Value) bool { return o.Value == v.Value }) {
			return false
		}
	}
	return true
}

// sort puts the facts in the order of the file. Values and members keep theirs,
// and the forms of a member stand together.
func (f *Facts) sort() {
	slices.SortFunc(f.Operations, func(a, b *Operation) int {
		return stdcmp.Or(strings.Compare(a.Path, b.Path), CompareMethods(a.Method, b.Method))
	})
	for _, o := range f.Operations {
		slices.SortFunc(o.Parameters, func(a, b *Parameter) int {
			return stdcmp.Or(strings.Compare(a.In, b.In), strings.Compare(a.Name, b.Name), a.Spans.compare(b.Spans))
		})
		contents := func(a, b *Content) int {
			return stdcmp.Or(a.Status-b.Status, strings.Compare(a.Media, b.Media), a.Spans.compare(b.Spans))
		}
		slices.SortFunc(o.Bodies, contents)
		slices.SortFunc(o.Answers, contents)
	}
	slices.SortFunc(f.Objects, func(a, b *Object) int { return strings.Compare(a.Name, b.Name) })
	for _, o := range f.Objects {
		place := map[string]int{}
		for i, m := range slices.Backward(o.Members) {
			place[m.Name] = i
		}
		slices.SortFunc(o.Members, func(a, b *Member) int {
			return stdcmp.Or(place[a.Name]-place[b.Name], a.Spans.compare(b.Spans))
		})
	}
	slices.SortFunc(f.Enums, func(a, b *Enum) int { return strings.Compare(a.Name, b.Name) })
}

// CompareMethods orders the methods of HTTP: what reads comes first.
func CompareMethods(a, b string) int {
	order := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	return slices.Index(order, a) - slices.Index(order, b)
}

// First is the index of the first version that has the fact.
func (s Spans) First() int { return s[0].First }

// Last is the index of the last version that has the fact.
func (s Spans) Last() int { return s[len(s)-1].Last }

// Newest returns the content that the newest version has, nil if there is none.
func Newest(contents []*Content) *Content {
	if len(contents) == 0 {
		return nil
	}
	return slices.MaxFunc(contents, func(a, b *Content) int { return a.Spans.Last() - b.Spans.Last() })
}

// compare orders forms of one thing, which no version has both of, by age.
func (s Spans) compare(other Spans) int { return s[0].First - other[0].First }

// Has reports whether the version with the index has the fact.
func (s Spans) Has(i int) bool {
	return slices.ContainsFunc(s, func(span Span) bool { return span.First <= i && i <= span.Last })
}

// Release is the name of the release that the version is of: 2026.8 of 2026.8.3.
func (f *Facts) Release(i int) string { return ReleaseOf(f.Versions[i]) }

// ReleaseOf is the name of the release that the version is of: 2026.8 of 2026.8.3.
func ReleaseOf(version string) string { return version[:max(0, strings.LastIndex(version, "."))] }

// Releases are the names of the releases, the oldest first.
func (f *Facts) Releases() []string {
	var names []string
	for i := range f.Versions {
		names = append(names, f.Release(i))
	}
	return slices.Compact(names)
}

// Since is the release that brought the fact, "" if the first had it.
func (f *Facts) Since(s Spans) string {
	if s[0].First == 0 {
		return ""
	}
	return f.Release(s[0].First)
}

// Until is the last release that has the fact, "" if it is the newest.
func (f *Facts) Until(s Spans) string {
	last := s[len(s)-1].Last
	if last == len(f.Versions)-1 {
		return ""
	}
	return f.Release(last)
}

// Object returns the object, nil if there is none.
func (f *Facts) Object(name string) *Object {
	return first(f.Objects, func(o *Object) bool { return o.Name == name })
}

// Enum returns the enum, nil if there is none.
func (f *Facts) Enum(name string) *Enum {
	return first(f.Enums, func(e *Enum) bool { return e.Name == name })
}

// Operation returns the operation, nil if there is none.
func (f *Facts) Operation(method, path string) *Operation {
	return first(f.Operations, func(o *Operation) bool { return o.Method == method && o.Path == path })
}

func first[P any](all []*P, is func(*P) bool) *P {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	return nil
}

// CompareVersions compares two versions by their numbers.
func CompareVersions(a, b string) int {
	var x, y [3]int
	_, _ = fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2]) // what is no number is the oldest
	_, _ = fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	return slices.Compare(x[:], y[:])
}
