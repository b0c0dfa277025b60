// Package contract holds what the releases of authentik have, the facts in
// testdata/releases.json, and compares the SDK's types with them.
package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Releases are by name: 2023.10.
type Releases map[string]Release

// Release holds the parameters of the lists of a release, by path below /api/v3/
// and name, and the members of its objects, by object and name.
type Release struct {
	Schema  string                     `json:"schema"` // the version that the facts are of: 2026.8.3
	Filters map[string]map[string]Type `json:"filters"`
	Members map[string]map[string]Type `json:"members"`
}

// Type is that of a parameter or a member. As text, it is its kind or
// enum(value|value); [] before it makes a list of it, ? behind it says that it
// may be null, ! that it is required.
type Type struct {
	Kind     string   // uuid, string, boolean, integer, number, double, enum or the name of an object
	Values   []string // of an enum
	List     bool
	Nullable bool
	Required bool
}

// String returns the text of the type, which is what JSON holds.
func (t Type) String() string {
	text := t.Kind
	if len(t.Values) > 0 {
		text = "enum(" + strings.Join(t.Values, "|") + ")"
	}
	if t.List {
		text = "[]" + text
	}
	if t.Nullable {
		text += "?"
	}
	if t.Required {
		text += "!"
	}
	return text
}

// MarshalText implements [encoding.TextMarshaler].
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Type) UnmarshalText(text []byte) error {
	*t = Type{Kind: string(text)}
	t.Kind, t.Required = strings.CutSuffix(t.Kind, "!")
	t.Kind, t.Nullable = strings.CutSuffix(t.Kind, "?")
	t.Kind, t.List = strings.CutPrefix(t.Kind, "[]")
	if values, ok := strings.CutPrefix(t.Kind, "enum("); ok {
		t.Kind, t.Values = "enum", strings.Split(strings.TrimSuffix(values, ")"), "|")
	}
	return nil
}

// Read reads the facts in testdata below root, the folder of the repository.
func Read(root fs.FS) (Releases, error) {
	b, err := fs.ReadFile(root, "testdata/releases.json")
	if err != nil {
		return nil, err
	}
	var releases Releases
	if err := json.Unmarshal(b, &releases); err != nil {
		return nil, fmt.Errorf("testdata/releases.json: %w", err)
	}
	return releases, nil
}

// Names returns the names of the releases, the oldest first.
func (r Releases) Names() []string {
	return slices.SortedFunc(maps.Keys(r), func(a, b string) int {
		var yearA, monthA, yearB, monthB int
		_, _ = fmt.Sscanf(a, "%d.%d", &yearA, &monthA)
		_, _ = fmt.Sscanf(b, "%d.%d", &yearB, &monthB)
		return (yearA-yearB)*100 + monthA - monthB
	})
}

// Owners returns the paths of the lists and the names of the objects.
func (r Release) Owners() []string {
	return slices.Concat(slices.Collect(maps.Keys(r.Filters)), slices.Collect(maps.Keys(r.Members)))
}

// facts are the facts of a release one by one, by their names in words.
func (r Release) facts() map[string]Type {
	facts := map[string]Type{}
	for path, filters := range r.Filters {
		for name, t := range filters {
			facts[fmt.Sprintf("the filter `%s` of `%s`", name, path)] = t
		}
	}
	for object, members := range r.Members {
		for name, t := range members {
			facts[fmt.Sprintf("`%s.%s`", object, name)] = t
		}
	}
	return facts
}

// Beyond returns what r has and other lacks, or has of another type: filters,
// members and values of enums, sorted. Whether something is required does not
// matter, nor does number for integer: those of authentik are whole, and a double
// is what may have a fraction.
func (r Release) Beyond(other Release) []string {
	var beyond []string
	others := other.facts()
	for fact, t := range r.facts() {
		otherType, has := others[fact]
		if !has {
			beyond = append(beyond, fact)
			continue
		}
		if otherType.Nullable { // which holds what is never null as well
			t.Nullable = true
		}
		if text, otherText := t.essence(), otherType.essence(); text != otherText {
			beyond = append(beyond, fmt.Sprintf("%s as %s, not %s", fact, text, otherText))
		}
		for _, value := range t.Values {
			if !slices.Contains(otherType.Values, value) {
				beyond = append(beyond, fmt.Sprintf("the value `%s` of %s", value, fact))
			}
		}
	}
	slices.Sort(beyond)
	return beyond
}

// essence is the text of what has to agree in two types as a whole.
func (t Type) essence() string {
	t.Required, t.Values = false, nil
	if t.Kind == "number" {
		t.Kind = "integer"
	}
	return t.String()
}

// Summary is Beyond in one line, where a list or an object that other lacks
// stands for all that it has.
func (r Release) Summary(other Release) string {
	var whole []string
	known := Release{Filters: map[string]map[string]Type{}, Members: map[string]map[string]Type{}}
	maps.Copy(known.Filters, other.Filters)
	maps.Copy(known.Members, other.Members)
	for path, filters := range r.Filters {
		if known.Filters[path] == nil {
			known.Filters[path] = filters
			whole = append(whole, fmt.Sprintf("the list `%s`", path))
		}
	}
	for object, members := range r.Members {
		if known.Members[object] == nil {
			known.Members[object] = members
			whole = append(whole, fmt.Sprintf("the object `%s`", object))
		}
	}
	slices.Sort(whole)
	return strings.Join(append(whole, r.Beyond(known)...), ", ")
}

// SetHistory puts the table of what each release brought and dropped between
// its marks in the README.
func (r Releases) SetHistory(readme string) (string, error) {
	const begin, end = "<!-- releases -->\n", "<!-- end of releases -->\n"
	before, rest, hasBegin := strings.Cut(readme, begin)
	_, after, hasEnd := strings.Cut(rest, end)
	if !hasBegin || !hasEnd {
		return "", errors.New("the README lacks the marks around the table of releases")
	}
	var table strings.Builder
	table.WriteString("| release | new | gone |\n|---|---|---|\n")
	names := r.Names()
	for i, name := range names[1:] {
		older, release := r[names[i]], r[name]
		brought, dropped := release.Summary(older), older.Summary(release)
		if brought+dropped != "" {
			fmt.Fprintf(&table, "| %s | %s | %s |\n", name, brought, dropped)
		}
	}
	return before + begin + table.String() + end + after, nil
}
