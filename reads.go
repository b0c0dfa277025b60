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
	return get[*T](ctx, c, path, opts)
}

// The functions get, retrieve, below, list, pages and all are what services call,
// and what the exported ones call. Their type argument is a pointer, of which Go
// compiles one copy for all types together; the type behind it is handled by
// package reflect. Plain generics compile a copy for each of the types: on Go
// 1.26.8 the package then takes 13.2 s of CPU time and 494 MB to compile instead of
// 6.5 s and 315 MB.

// get is [Get] for P, which is *T.
func get[P any](ctx context.Context, c *Client, path string, opts any) (P, error) {
	v, err := c.read(ctx, path, opts, reflect.TypeFor[P]().Elem())
	if err != nil {
		return *new(P), err
	}
	return v.Interface().(P), nil
}

// retrieve is get of the object with the given id in the list at path; see
// [objectPath].
func retrieve[P any](ctx context.Context, c *Client, path string, id any) (P, error) {
	object, err := objectPath(path, id, "")
	if err != nil {
		return *new(P), c.wrap(http.MethodGet, path, err)
	}
	return get[P](ctx, c, object, nil)
}

// below is get of what is below the object with the given id in the list at path.
func below[P any](ctx context.Context, c *Client, path string, id any, rest string, opts any) (P, error) {
	object, err := objectPath(path, id, rest)
	if err != nil {
		return *new(P), c.wrap(http.MethodGet, path, err)
	}
	return get[P](ctx, c, object, opts)
}

// items takes the list out of what get, below and send return.
func items[S ~[]T, T any](list *S, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// read is [Get] without a type parameter. It returns a pointer to a T.
func (c *Client) read(ctx context.Context, path string, opts any, t reflect.Type) (reflect.Value, error) {
	values, err := query.Encode(opts)
	if err != nil {
		return reflect.Value{}, c.wrap(http.MethodGet, path, err)
	}
	r, err := c.do(ctx, request{method: http.MethodGet, path: path, query: values})
	if err != nil {
		return reflect.Value{}, err
	}
	defer r.Release()
	return decodeObject(r, t)
}
