package authentik

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// Operation is one operation of authentik's API: what a request asks for, without
// the ids in its path. It names a span, a metric or a line of a log.
type Operation struct {
	Method string
	// Path is below /api/v3/, with names in braces for ids: core/users/{id}/. Of
	// [Get], [Post] and their like it is the path that they were given.
	Path string

	in versions
}

// String returns method and path: GET core/users/{id}/.
func (o Operation) String() string { return o.Method + " " + o.Path }

type operationKey struct{}

// OperationFrom returns the operation that a request asks for. ctx is the context
// of the request, as an [net/http.RoundTripper] or a hook of the transport sees it;
// ok is false for any other.
func OperationFrom(ctx context.Context) (operation Operation, ok bool) {
	operation, ok = ctx.Value(operationKey{}).(Operation)
	return operation, ok
}

// operationOf returns the operation with the path, in which {} stands for each id.
func operationOf(method, path string) Operation {
	path, _ = cleanPath(path)
	i, ok := slices.BinarySearchFunc(operations, path, func(o Operation, path string) int {
		return cmp.Or(compareTemplates(o.Path, path), strings.Compare(o.Method, method))
	})
	if !ok {
		return Operation{Method: method, Path: path}
	}
	return operations[i]
}

// compareTemplates orders paths as strings without the names in their braces.
func compareTemplates(a, b string) int {
	for a != "" && b != "" {
		if a[0] != b[0] {
			break
		}
		if a[0] == '{' { // a path that the caller gave may lack the other brace
			a, b = a[max(strings.IndexByte(a, '}'), 0):], b[max(strings.IndexByte(b, '}'), 0):]
		}
		a, b = a[1:], b[1:]
	}
	return strings.Compare(a, b)
}

// templateOf is the path of what is below the object with the id, with {} for it.
func templateOf(list string, id any, below string) string {
	if _, two := id.([2]string); two {
		list += "{}/"
	}
	return list + "{}/" + below
}
