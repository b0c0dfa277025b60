package authentik

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/transport"
)

// Operation is one operation of authentik's API. The context of each request has
// the one that it is for, see [OperationFrom].
type Operation struct {
	Method string // GET, POST, PUT, PATCH or DELETE; HEAD after a write that made the server fail
	// Path is below /api/v3/. That of a service's method has its parameters in
	// braces, as in core/users/{id}/set_password/. That of [Get], [Post] and their
	// like is the path that was asked for, with ids.
	Path string

	releases releases // that have it; none: not known
	needs    []need   // the permissions; nil: none, or not known
}

// need is what an operation needs in some releases.
type need struct {
	releases    releases
	permissions string // with spaces between
}

// permissions are those that the operation needs on a server of release r, or on any
// if that is not known.
func (op Operation) permissions(r Release) []string {
	var all []string
	for _, n := range op.needs {
		if n.releases&r.releasesLike() == 0 {
			continue
		}
		for permission := range strings.FieldsSeq(n.permissions) {
			if !slices.Contains(all, permission) {
				all = append(all, permission)
			}
		}
	}
	return all
}

// OperationFrom returns the operation that a request with the context is for. It
// serves an [net/http.RoundTripper] that names spans or counts requests by
// operation. It reports false if ctx is not that of a request of this SDK, or of one of
// [Client.WaitReady].
func OperationFrom(ctx context.Context) (Operation, bool) {
	op, ok := transport.OperationFrom(ctx).(*Operation)
	if !ok {
		return Operation{}, false
	}
	return *op, true
}

// String returns method and path: "GET core/users/{id}/".
func (op Operation) String() string { return op.Method + " " + op.Path }

// path returns the path with id, nil if it has none. Beside an error it is the
// path up to the id.
func (op Operation) path(id any) (string, error) {
	list, below, has := strings.Cut(op.Path, "{")
	if op.releases == 0 || !has { // a brace of a path that was given is no parameter
		return op.Path, nil
	}
	below = below[strings.LastIndexByte(below, '}')+len("}/"):]
	path, err := objectPath(list, id, below)
	if err != nil {
		return list, err
	}
	return path, nil
}

// whyMissing says why a server lacks the operation: its release is older or newer.
// It is "" if every recorded release has the operation, or the server's own.
func (op Operation) whyMissing(server Release) string {
	const all releases = 1<<len(recordedVersions) - 1
	has, age := op.releases, "older or newer"
	isKnown := server.isKnown()
	switch {
	case has == 0:
		return textOtherRelease
	case has == all, isKnown && !server.lacks(has):
		return ""
	case isKnown && server.releasesLike() > has, !isKnown && has&1 != 0:
		age = "newer"
	case isKnown, has > all/2:
		age = "older"
	}
	if isKnown {
		age = server.String() + ", " + age
	}
	return fmt.Sprintf("the server is %s than the endpoint, which %s have", age, has)
}
