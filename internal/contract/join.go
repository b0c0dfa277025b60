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
func (e *Enum) key() string      { return e.Name }
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
	for i, version := range slices.Backward(result.Versions) { // the newest says the order of values
		source := sources[version]
		result.join(source.at(slices.Index(source.Versions, version), Spans{{i, i}}))
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

// sort puts the facts in the order of the file. Values keep theirs.
func (f *Facts) sort() {
	slices.SortFunc(f.Operations, func(a, b *Operation) int {
		return stdcmp.Or(strings.Compare(a.Path, b.Path), methodOrder(a.Method)-methodOrder(b.Method))
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
		slices.SortFunc(o.Members, func(a, b *Member) int {
			return stdcmp.Or(strings.Compare(a.Name, b.Name), a.Spans.compare(b.Spans))
		})
	}
	slices.SortFunc(f.Enums, func(a, b *Enum) int { return strings.Compare(a.Name, b.Name) })
}

func methodOrder(method string) int {
	return slices.Index([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method)
}

// compare orders forms of one thing, which no version has both of, by age.
func (s Spans) compare(other Spans) int { return s[0].First - other[0].First }

// Has says whether the version with the index has the fact.
func (s Spans) Has(i int) bool {
	return slices.ContainsFunc(s, func(span Span) bool { return span.First <= i && i <= span.Last })
}

// Release is the name of the release that the version is of: 2026.8 of 2026.8.3.
func (f *Facts) Release(i int) string { return ReleaseOf(f.Versions[i]) }

// ReleaseOf is the name of the release that the version is of: 2026.8 of 2026.8.3.
func ReleaseOf(version string) string { return version[:strings.LastIndex(version, ".")] }

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
func (f *Facts) Object(name string) *Object { return find(f.Objects, name) }

// Enum returns the enum, nil if there is none.
func (f *Facts) Enum(name string) *Enum { return find(f.Enums, name) }

// Operation returns the operation, nil if there is none.
func (f *Facts) Operation(method, path string) *Operation { return find(f.Operations, method+" "+path) }

func find[T any, P fact[T]](facts []P, key string) P {
	for _, f := range facts {
		if f.key() == key {
			return f
		}
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
