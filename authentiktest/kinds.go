package authentiktest

import (
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
)

// kind is a list of authentik's API: what its objects are and what can be done
// with them. The kinds are in table.go, which is generated.
type kind struct {
	path      string   // below /api/v3/: core/users/
	object    string   // what it lists: User
	detail    string   // what one of them is, if that is more than object
	created   string   // what a POST answers with, if that is something else
	model     string   // as a 404 names it
	parameter string   // what identity is in a path: uuid, integer or string; "" if none can be had alone
	identity  string   // the member that is in the path
	key       string   // the member that others refer to it by
	order     string   // the members that it is ordered by if nothing else is asked
	search    string   // the members that it is searched in
	base      string   // the list of all kinds of such objects: stages/all/
	parts     []string // the lists whose objects are in this one as well
	methods   string   // of the list: GET, POST
	methods1  string   // of one object: GET, PUT, PATCH, DELETE
	sets      []string // members that together are unique, with commas
	since     string   // the release that brought it, "" if the first had it
	until     string   // the last release that has it, "" if it is the newest
	filters   []filter
}

// filter is a parameter of a list's query.
type filter struct {
	name     string
	typ      string // as a member's
	member   string // what it looks at: user.username is the username of what user refers to, "<core/users/ roles" who has this one among its roles
	lookup   lookup
	required bool
	since    string
	until    string
}

// lookup is how a filter looks at a member.
type lookup byte

const (
	unserved   lookup = iota // the fake cannot answer it
	exact                    // of a list: holds it
	iexact                   // in any case
	icontains                // holds the text, in any case
	startsWith               // begins with the text
	isNull                   // is null, or an empty list
	less                     // is before or below
	more                     // is after or above
	lessOrSame
	moreOrSame
	oneOf      // is one of the values
	hasAny     // any value finds what is not empty
	show       // false leaves the members out of the answer
	assigned   // is the model of a permission of it
	unassigned // is a provider of no application
	together   // is read together with another filter, or when the page is made
)

// member is a member of an object.
type member struct {
	name    string
	typ     string // uuid, []uuid, {}string, the name of an enum or an object, …
	flags   flags
	value   string // the default as JSON, "" if there is none
	list    string // where the objects are that it refers to
	follows string // the member whose objects it shows
	since   string
	until   string
	skips   bool                  // it is left out of answers if it has no value
	fact    *contract.ServerField // what the servers say of it, nil if nothing
}

// flags say what a member may be.
type flags byte

const (
	required  flags = 1 << iota // for a create
	nullable                    // may be null
	readOnly                    // ignored in a request
	writeOnly                   // never answered
	unique                      // no two objects have the same
	blank                       // may be ""
)

func (m *member) is(f flags) bool { return m.flags&f != 0 }

// objectType is a type of objects.
type objectType struct {
	name    string
	members []member // by name; the newest first, if it changed
}

// enum is a type whose values are known.
type enum struct {
	name   string
	number bool
	values []string
}

// operation is what the API can do beside its lists.
type operation struct {
	method  string
	path    string
	status  int
	answer  string // the type of the answer, "" if there is none
	body    string // the type of the request, "" if there is none
	form    bool   // the request is a form, as a file is sent
	noToken bool
	since   string
	until   string
}

func kindOf(path string) *kind {
	i, ok := slices.BinarySearchFunc(kinds, path, func(k kind, path string) int { return strings.Compare(k.path, path) })
	if !ok {
		return nil
	}
	return &kinds[i]
}

func membersOf(object string) []member {
	i, ok := slices.BinarySearchFunc(objectTypes, object, func(t objectType, name string) int { return strings.Compare(t.name, name) })
	if !ok {
		return nil
	}
	return objectTypes[i].members
}

func enumOf(name string) *enum {
	i, ok := slices.BinarySearchFunc(enums, name, func(e enum, name string) int { return strings.Compare(e.name, name) })
	if !ok {
		return nil
	}
	return &enums[i]
}

// isObject reports whether the type is one of objects with known members.
func isObject(typ string) bool { return membersOf(typ) != nil }

// operationsAt are the operations at a path of the table.
func operationsAt(path string) []operation {
	i, _ := slices.BinarySearchFunc(operations, path, func(o operation, path string) int { return strings.Compare(o.path, path) })
	j := i
	for j < len(operations) && operations[j].path == path {
		j++
	}
	return operations[i:j]
}

// compareReleases compares 2024.10 and 2024.8 by their numbers.
func compareReleases(a, b string) int {
	if n := len(a) - len(b); a != "" && b != "" && a[:4] == b[:4] && n != 0 {
		return n
	}
	return strings.Compare(a, b)
}
