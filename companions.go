package authentik

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/codec"
)

// companion is what an update needs beside what it changes. authentik fills in or
// checks what a PATCH has, and does not look at the object for the rest.
type companion struct {
	update, retrieve *Operation

	with     []string // the members of a request that need it, any one; none: any request
	needs    []string // the members that have to be there
	where    string   // the member of the object without which they do not, or member=value; "": always
	told     bool     // the server does not need them, but its answer shows what became of them
	releases releases
}

// creation is what the server needs of a new object, though no schema says so.
type creation struct {
	create *Operation
	fills  []member // what goes along where the request lacks it
	oneOf  []string // what a request has one of: a member that is not empty, or member=value
}

// member is a member of an object in JSON.
type member struct{ name, value string }

// accompany returns the members that w needs beside those of the request. What an
// update needs is read first; if the request has it, nothing is read.
func (c *Client) accompany(ctx context.Context, w write, request []byte) ([]member, error) {
	if !slices.ContainsFunc(creations, func(row creation) bool { return row.create == w.op }) &&
		!slices.ContainsFunc(companions, func(row companion) bool { return row.update == w.op }) {
		return nil, nil
	}
	sent := map[string]json.RawMessage{}
	if err := codec.Unmarshal(request, &sent); err != nil {
		return nil, err
	}
	for _, row := range creations {
		if row.create == w.op {
			return row.accompany(sent)
		}
	}
	var needed []companion
	var lacking []string
	for _, row := range companions {
		if row.update != w.op || !row.concerns(sent) || row.told && !c.compares(ctx) {
			continue
		}
		names := slices.DeleteFunc(slices.Clone(row.needs), func(name string) bool { return sent[name] != nil || slices.Contains(lacking, name) })
		if len(names) == 0 {
			continue
		}
		if row.releases != w.op.releases {
			server, err := c.ServerVersion(ctx)
			if err != nil {
				return nil, err
			}
			if server.lacks(row.releases) {
				continue
			}
		}
		needed, lacking = append(needed, row), append(lacking, names...)
	}
	if len(needed) == 0 {
		return nil, nil
	}
	object, err := below[*map[string]json.RawMessage](ctx, c, needed[0].retrieve, w.id, nil)
	if err != nil {
		return nil, &unreadError{lacking, err}
	}
	var members []member
	for _, row := range needed {
		if !row.holds(*object, sent) {
			continue
		}
		for _, name := range row.needs {
			value, ok := (*object)[name]
			switch {
			case sent[name] != nil:
			case ok:
				sent[name] = value
				members = append(members, member{name, string(value)})
			case row.releases == w.op.releases: // else the server is of another release
				return nil, &unreadError{[]string{name}, errors.New("the server does not answer it")}
			}
		}
	}
	return members, nil
}

// concerns reports whether a request with the members needs the companion.
func (row companion) concerns(sent map[string]json.RawMessage) bool {
	return len(row.with) == 0 || slices.ContainsFunc(row.with, func(name string) bool { return sent[name] != nil })
}

// holds reports whether the object, once it is changed, is one that needs the companion.
func (row companion) holds(object, changes map[string]json.RawMessage) bool {
	name, value, is := strings.Cut(row.where, "=")
	if !is {
		return row.where == "" || !isEmptyAt(object, row.where)
	}
	got := object[name]
	if changes[name] != nil {
		got = changes[name]
	}
	return string(got) == `"`+value+`"`
}

// accompany returns what the server needs beside the members of a request, or says
// which of them is missing.
func (row creation) accompany(sent map[string]json.RawMessage) (members []member, err error) {
	if len(row.oneOf) > 0 && !slices.ContainsFunc(row.oneOf, func(term string) bool {
		name, value, is := strings.Cut(term, "=")
		return is && string(sent[name]) == `"`+value+`"` || !is && !isEmptyAt(sent, name)
	}) {
		return nil, fmt.Errorf("the request has none of %s, and the server needs one", strings.Join(row.oneOf, ", "))
	}
	for _, m := range row.fills {
		if sent[m.name] == nil {
			members = append(members, m)
		}
	}
	return members, nil
}

// isEmptyAt reports whether the object lacks the member at path, a.b for the b of a,
// or has null, "", [], {} or false there.
func isEmptyAt(object map[string]json.RawMessage, path string) bool {
	name, below, within := strings.Cut(path, ".")
	if within {
		inner := map[string]json.RawMessage{}
		return codec.Unmarshal(object[name], &inner) != nil || isEmptyAt(inner, below)
	}
	return slices.Contains([]string{"", "null", `""`, "[]", "{}", "false"}, string(object[name]))
}

// withMembers returns the object with members that it lacks.
func withMembers(object []byte, members []member) []byte {
	var b bytes.Buffer
	b.Write(object[:len(object)-len("}")])
	for _, m := range members {
		if b.Len() > len("{") {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", m.name, m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// unreadError is that of a write that did not come to be: the members that it needs
// beside the request could not be read.
type unreadError struct {
	members []string
	err     error
}

func (e *unreadError) Error() string {
	return fmt.Sprintf("nothing was written: the server needs %s beside what changes, which the request lacks, and could not be read: %s",
		strings.Join(e.members, ", "), strings.TrimPrefix(e.err.Error(), errorPrefix))
}

func (e *unreadError) Unwrap() error { return e.err }
