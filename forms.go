package authentik

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authentik-go/authentik/internal/codec"
)

// This file writes the members of requests that older servers take in another form
// than newer ones, as lenient.go reads those of answers.

// oldForm is a member of a request that older servers take in another form.
type oldForm struct {
	member string
	of     func(newest []byte) ([]byte, error) // the older form; an error if that cannot say it
	since  []string                            // the first version that takes the newest form, of each release in which it came
	fill   func(newest []byte) ([]byte, error) // writes out what newer servers need and older ones ignore; nil if there is nothing
}

// inServersForm returns document, which body was encoded to, in the form that the
// server takes. The version is asked for only if an older server would get another one.
func (c *Client) inServersForm(ctx context.Context, body reflect.Value, document []byte) ([]byte, error) {
	for _, place := range placesOf(body) {
		if place.fill != nil {
			filled, err := changeAt(document, place.path, place.fill)
			if err != nil {
				return nil, err
			}
			document = filled
		}
		if server := c.release.kept(); server.isKnown() && server.isSince(place.since) {
			continue
		}
		older, errOlder := changeAt(document, place.path, place.of)
		if errOlder == nil && bytes.Equal(older, document) {
			continue
		}
		server, err := c.ServerVersion(ctx)
		switch {
		case err != nil:
			return nil, fmt.Errorf("the form of %s depends on the release: %w", place.member, err)
		case server.isSince(place.since):
		case errOlder != nil:
			return nil, fmt.Errorf("the server is %s, and older ones than %s take %s in another form: %w",
				server, place.since[len(place.since)-1], place.member, errOlder)
		default:
			document = older
		}
	}
	return document, nil
}

// newMember is a member of a request that not every release takes, and that no answer
// shows.
type newMember struct {
	name     string
	releases releases
}

// checkMembers returns an error for a member that the server would ignore, as its
// release does not know it, if the answer would not show it.
func (c *Client) checkMembers(ctx context.Context, w write) error {
	for t, field := range membersOf(reflect.ValueOf(w.body), nil) {
		for _, m := range newMembers[t] {
			if m.name != field.name || w.object != never && field.tag != tagWriteOnly {
				continue
			}
			server, err := c.ServerVersion(ctx)
			if err != nil {
				return fmt.Errorf("the member %s is not of every release: %w", m.name, err)
			}
			if server.lacks(m.releases) && !server.lacks(w.op.releases) {
				return fmt.Errorf("the member %s is of %s, and the server is %s, which would ignore it: %w", m.name, m.releases, server, errors.ErrUnsupported)
			}
		}
	}
	return nil
}

// placed is an oldForm at its place in a document.
type placed struct {
	oldForm

	path []string
}

// placesOf finds the members of a request that have an older form.
func placesOf(v reflect.Value) (places []placed) {
	for t, member := range membersOf(v, nil) {
		for _, form := range oldForms[t] {
			if form.member == member.name {
				places = append(places, placed{form, append(slices.Clone(member.below), member.name)})
			}
		}
	}
	return places
}

// setMember is a member that a request has.
type setMember struct {
	below []string // the names that lead to the request which has it
	name  string
	tag   string
}

// membersOf are the members that a request sets, and those of requests within it, with
// the type of the request that has each.
func membersOf(v reflect.Value, below []string) iter.Seq2[reflect.Type, setMember] {
	return func(yield func(reflect.Type, setMember) bool) {
		for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			return
		}
		for field, value := range v.Fields() {
			if !field.IsExported() || value.IsZero() {
				continue
			}
			name := memberName(field)
			if !yield(v.Type(), setMember{below, name, field.Tag.Get(tagKey)}) {
				return
			}
			if !slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Interface, reflect.Struct}, value.Kind()) {
				continue
			}
			for t, member := range membersOf(value, append(slices.Clone(below), name)) {
				if !yield(t, member) {
					return
				}
			}
		}
	}
}

// changeAt returns document with the value at path changed.
func changeAt(document []byte, path []string, change func([]byte) ([]byte, error)) ([]byte, error) {
	if len(path) == 0 {
		return change(document)
	}
	var members map[string]json.RawMessage
	if err := codec.Unmarshal(document, &members); err != nil {
		return nil, err
	}
	value, err := changeAt(members[path[0]], path[1:], change)
	if err != nil || bytes.Equal(value, members[path[0]]) {
		return document, err
	}
	members[path[0]] = value
	return codec.Marshal(members)
}

// isSince reports whether the server has what came with versions, each the first of
// its release that has it. A server whose version is not known counts as new.
func (r Release) isSince(versions []string) bool {
	at, known := parseVersion(r.version)
	if !known {
		return true
	}
	var first [3]int
	for _, version := range versions {
		first, _ = parseVersion(version)
		if slices.Equal(first[:2], at[:2]) {
			break
		}
	}
	return slices.Compare(at[:], first[:]) >= 0
}

// linesOfURIs makes lines of redirect URIs. Each is a regular expression to the
// servers that take them, which read it as a URI if one of them is none.
func linesOfURIs(newest []byte) ([]byte, error) {
	var uris []RedirectURI
	if err := codec.Unmarshal(newest, &uris); err != nil {
		return nil, err
	}
	lines := make([]string, len(uris))
	for i, uri := range uris {
		switch {
		case uri.MatchingMode != MatchingModeStrict:
			return nil, fmt.Errorf("lines of text, which have no matching mode %s", uri.MatchingMode)
		case uri.RedirectURIType != "" && uri.RedirectURIType != RedirectURITypeAuthorization:
			return nil, fmt.Errorf("lines of text, which have no URIs for %s", uri.RedirectURIType)
		case strings.Join(strings.Fields(uri.URL), "") != uri.URL:
			return nil, errors.New("lines of text, and a URI has white space")
		}
		lines[i] = uri.URL
	}
	return codec.Marshal(strings.Join(lines, "\n"))
}

// withURITypes gives each redirect URI a type. 2026.5 keeps what a PATCH gives
// without one as it is, and takes no empty one.
func withURITypes(newest []byte) ([]byte, error) {
	var uris []map[string]json.RawMessage
	if err := codec.Unmarshal(newest, &uris); err != nil {
		return nil, err
	}
	for _, uri := range uris {
		if isEmptyAt(uri, "redirect_uri_type") {
			uri["redirect_uri_type"] = json.RawMessage(`"` + RedirectURITypeAuthorization + `"`)
		}
	}
	return codec.Marshal(uris)
}

// minutesOnly makes a number of minutes of a span of time.
func minutesOnly(newest []byte) ([]byte, error) {
	var text string
	if err := codec.Unmarshal(newest, &text); err != nil {
		return nil, err
	}
	d, err := parseDuration(text)
	switch {
	case err != nil:
		return nil, err
	case d%time.Minute != 0:
		return nil, fmt.Errorf("whole minutes, not %.50q", text)
	}
	return strconv.AppendInt(nil, int64(d/time.Minute), 10), nil
}

// nullIfEmpty makes null of an empty text.
func nullIfEmpty(newest []byte) ([]byte, error) {
	if string(newest) == `""` {
		return []byte("null"), nil
	}
	return newest, nil
}
