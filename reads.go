package authentik

import (
	"context"
	"net/http"
	"reflect"

	"github.com/authentik-go/authentik/internal/query"
)

// Get asks for the object at path, which is below /api/v3/: for example
// GET /core/users/1/ is Get[User](ctx, c, "core/users/1/", nil). A leading slash
// does not matter, a trailing one is added. A path with an empty, "." or ".."
// segment, a query or a fragment is an error before any request.
//
// opts are the query parameters: a struct with the url tags of go-querystring, a
// pointer to one, [url.Values] or nil.
//
// A response other than 2xx is an [APIError], a 400 within a [ValidationError],
// a 403 within a [ForbiddenError]. One that is not JSON, is null, or lacks the
// identity that T has a field for, is a [DecodeError]; a T without such a field
// takes any object except a page of a list. The identity is the field of T for the
// JSON member pk, or the one with the tag authentik:"identity". If no whole
// response came, the error wraps what the context or the transport said, the
// latter as a [*net/url.Error].
//
// Members that T has no field for are dropped, unless T has a field like the Extra
// of models: a map with the tag json:",embed,inline". Go 1.26 with
// GOEXPERIMENT=jsonv2 reads the word inline, all others the word embed.
func Get[T any](ctx context.Context, c *Client, path string, opts any) (*T, error) {
	return get[*T](ctx, c, &Operation{Method: http.MethodGet, Path: path}, opts)
}

// The functions get, below, list, pages and all are what services call,
// and what the exported ones call. Their type argument is a pointer, of which Go
// compiles one copy for all types together; the type behind it is handled by
// package reflect. Plain generics compile a copy for each of the types: on Go
// 1.26.8 the package then takes 13.2 s of CPU time and 494 MB to compile instead of
// 6.5 s and 315 MB.

// get is [Get] for P, which is *T.
func get[P any](ctx context.Context, c *Client, op *Operation, opts any) (P, error) {
	return below[P](ctx, c, op, nil, opts)
}

// below is get of an operation whose path has the given id, see [objectPath].
func below[P any](ctx context.Context, c *Client, op *Operation, id, opts any) (P, error) {
	v, err := c.read(ctx, op, id, opts, reflect.TypeFor[P]().Elem())
	if err != nil {
		return *new(P), err
	}
	return v.Interface().(P), nil
}

// items takes the list out of what get, below and send return.
func items[S ~[]T, T any](list *S, err error) ([]T, error) {
	if err != nil || list == nil {
		return nil, err
	}
	return *list, nil
}

// read is [Get] without a type parameter. It returns a pointer to a T.
func (c *Client) read(ctx context.Context, op *Operation, id, opts any, t reflect.Type) (reflect.Value, error) {
	path, err := op.path(id)
	if err != nil {
		return reflect.Value{}, c.wrap(op.Method, path, err)
	}
	values, err := query.Encode(opts)
	if err != nil {
		return reflect.Value{}, c.wrap(op.Method, path, err)
	}
	r, err := c.do(ctx, request{op: op, path: path, query: values})
	if err != nil {
		return reflect.Value{}, err
	}
	defer r.Release()
	return decodeObject(r, t)
}
