package authentik

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
}

// newMember is a member of a request that not every release takes, and that no answer
// shows.
type newMember struct {
	name     string
	releases releases
}

// forServer returns document, which the body of w was encoded to, in the form that the
// server takes. A member that the server would ignore is an error if no answer shows
// that. The version is asked for only if it matters.
func (c *Client) forServer(ctx context.Context, w write, document []byte) ([]byte, error) {
	err := eachMember(reflect.ValueOf(w.body), nil, func(t reflect.Type, member setMember) error {
		for _, m := range newMembers[t] {
			if m.name != member.name || w.object != never && member.tag != tagWriteOnly {
				continue
			}
			if err := c.checkMember(ctx, w.op, m); err != nil {
				return err
			}
		}
		for _, form := range oldForms[t] {
			if form.member != member.name {
				continue
			}
			var err error
			if document, err = c.inServersForm(ctx, form, append(slices.Clone(member.below), member.name), document); err != nil {
				return err
			}
		}
		return nil
	})
	return document, err
}

// checkMember returns an error if the server would ignore a member that is set.
func (c *Client) checkMember(ctx context.Context, op *Operation, m newMember) error {
	server, err := c.ServerVersion(ctx)
	if err != nil {
		return fmt.Errorf("the member %s is not of every release: %w", m.name, err)
	}
	if server.lacks(m.releases) && !server.lacks(op.releases) {
		return fmt.Errorf("the member %s is of %s, and the server is %s, which would ignore it: %w", m.name, m.releases, server, errors.ErrUnsupported)
	}
	return nil
}

// inServersForm returns document with the member at path in the form that the server
// takes. The version is asked for only if an older server would get another one.
func (c *Client) inServersForm(ctx context.Context, form oldForm, path []string, document []byte) ([]byte, error) {
	if server := c.release.kept(); server.isKnown() && server.isSince(form.since) {
		return document, nil
	}
	older, errOlder := changeAt(document, path, form.of)
	if errOlder == nil && bytes.Equal(older, document) {
		return document, nil
	}
	server, err := c.ServerVersion(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the form of %s depends on the release: %w", form.member, err)
	case server.isSince(form.since):
		return document, nil
	case errOlder != nil:
		return nil, fmt.Errorf("the server is %s, and older ones than %s take %s in another form: %w",
			server, form.since[len(form.since)-1], form.member, &joinedError{errOlder, errors.ErrUnsupported})
	}
	return older, nil
}

// setMember is a member that a request has.
type setMember struct {
	below []string // the names that lead to the request which has it
	name  string
	tag   string
}

// eachMember calls visit with the members that a request sets and that may depend on
// the release, and with those of requests within it. t is the type of the request that
// has the member.
func eachMember(v reflect.Value, below []string, visit func(t reflect.Type, member setMember) error) error {
	v, ok := structAt(v)
	if !ok {
		return nil
	}
	t := v.Type()
	depends := len(oldForms[t])+len(newMembers[t]) > 0
	for i := range v.NumField() {
		value := v.Field(i)
		_, isStruct := structAt(value)
		if !value.CanInterface() || value.IsZero() || !depends && !isStruct {
			continue
		}
		field := t.Field(i)
		name := memberName(field)
		if depends {
			if err := visit(t, setMember{below, name, field.Tag.Get(tagKey)}); err != nil {
				return err
			}
		}
		if isStruct {
			if err := eachMember(value, append(slices.Clone(below), name), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// structAt returns the struct that v is or points to.
func structAt(v reflect.Value) (reflect.Value, bool) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v, v.Kind() == reflect.Struct
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

// withURITypes returns a request of this SDK with a type in each redirect URI. 2026.5
// keeps what a PATCH gives without one as it is, and takes no empty one.
func withURITypes(request any) any {
	if application := requestAs[TransactionApplicationRequest](request); application != nil {
		application.Provider = providerWithURITypes(application.Provider)
		return application
	}
	return providerWithURITypes(request)
}

func providerWithURITypes(request any) any {
	provider := requestAs[OAuth2ProviderRequest](request)
	if provider == nil {
		return request
	}
	provider.RedirectURIs = slices.Clone(provider.RedirectURIs)
	for i := range provider.RedirectURIs {
		if uri := &provider.RedirectURIs[i]; uri.RedirectURIType == nil || *uri.RedirectURIType == "" {
			uri.RedirectURIType = new(RedirectURITypeAuthorization)
		}
	}
	return provider
}

// requestAs returns a copy of the R that a request is or points to; nil if it is no R.
func requestAs[R any](request any) *R {
	v, ok := structAt(reflect.ValueOf(request))
	if !ok || v.Type() != reflect.TypeFor[R]() {
		return nil
	}
	r, _ := reflect.TypeAssert[R](v)
	return &r
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
