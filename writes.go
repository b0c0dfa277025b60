package authentik

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/transport"
)

// Post sends body to path and returns what the server answers: a list at path
// gets a new object, an action is carried out. path is that of [Get], and may end
// in a query, encoded as in a URL: "x/?force=true".
//
// body is encoded as JSON: a struct whose tags say omitzero for what may be left
// out, a pointer to one, a map, a [encoding/json.RawMessage], or nil for no body.
// A pointer, map or slice that is nil is an error before any request.
//
// The errors are those of Get. If no answer is expected, T is struct{}; any other
// T takes an answer without a body for an error. An error that matches
// [ErrOutcomeUnknown] leaves open whether the server did it. [WithRetries] says
// when a write is repeated, [WithStrictWrites] what becomes of a member that the
// server ignores: one of a struct, that is, and not one with the tag
// authentik:"writeonly", which a member needs that no answer has, such as a password.
func Post[T any](ctx context.Context, c *Client, path string, body any) (*T, error) {
	return send[*T](ctx, c, write{method: http.MethodPost, path: path, body: body, object: ifAlike})
}

// Put replaces the object at path by body. Otherwise it is like [Post].
func Put[T any](ctx context.Context, c *Client, path string, body any) (*T, error) {
	return send[*T](ctx, c, write{method: http.MethodPut, path: path, body: body, object: always})
}

// Patch changes those members of the object at path that body has, and leaves the
// others as they are. Otherwise it is like [Post].
func Patch[T any](ctx context.Context, c *Client, path string, body any) (*T, error) {
	return send[*T](ctx, c, write{method: http.MethodPatch, path: path, body: body, object: always})
}

// Delete deletes the object at path, which is that of [Post]. The errors are those
// of [Post].
func Delete(ctx context.Context, c *Client, path string) error {
	return act(ctx, c, write{method: http.MethodDelete, path: path})
}

// The functions create, update, remove, send and act are what services call. P is
// a pointer, as in get.

// create posts req to the list at path.
func create[P any](ctx context.Context, c *Client, path string, req any) (P, error) {
	return send[P](ctx, c, write{method: http.MethodPost, path: path, body: req, object: always})
}

// update patches the object with the given id in the list at path.
func update[P any](ctx context.Context, c *Client, path string, id, req any) (P, error) {
	return send[P](ctx, c, write{method: http.MethodPatch, path: path, id: id, body: req, object: always})
}

// remove deletes the object with the given id in the list at path.
func remove(ctx context.Context, c *Client, path string, id any) error {
	return act(ctx, c, write{method: http.MethodDelete, path: path, id: id})
}

// send writes, and returns the answer.
func send[P any](ctx context.Context, c *Client, w write) (P, error) {
	v, err := c.write(ctx, w, reflect.TypeFor[P]().Elem())
	if !v.IsValid() {
		return *new(P), err
	}
	return v.Interface().(P), err // an IgnoredError comes with an object
}

// act writes where no answer is expected.
func act(ctx context.Context, c *Client, w write) error {
	_, err := c.write(ctx, w, reflect.TypeFor[struct{}]())
	return err
}

// write is a request that changes something.
type write struct {
	method string
	path   string // below /api/v3/, up to the id if there is one; else it may end in a query
	id     any    // as of objectPath; nil: none
	below  string // what follows the id
	query  any    // as the opts of Get
	body   any    // as that of Post, or an upload
	object comparison

	optional bool // a body that is nil is left out
	creates  bool // of a PUT that makes a new object each time, as a POST does
}

// comparison says whether the answer is the object that was sent, so that a
// member which it lacks was ignored.
type comparison int

const (
	never   comparison = iota
	always             // of a resource
	ifAlike            // if it has one of the members sent
)

func (c *Client) write(ctx context.Context, w write, t reflect.Type) (reflect.Value, error) {
	if path, query, has := strings.Cut(w.path, "?"); has {
		values, err := url.ParseQuery(query)
		if err != nil || strings.Contains(query, "#") {
			return reflect.Value{}, c.errorf(w.method, path, "the query in the path is malformed") // it may have a secret
		}
		w.path, w.query = path, values
	}
	path, err := w.path, error(nil)
	if w.id != nil {
		if path, err = objectPath(w.path, w.id, w.below); err != nil {
			return reflect.Value{}, c.errorf(w.method, w.path, "%w", err)
		}
	}
	if w.optional && isNil(w.body) {
		w.body = nil
	}
	if err == nil && w.body == nil && !w.optional && (w.method == http.MethodPut || w.method == http.MethodPatch || w.object == always) {
		err = errNilRequest
	}
	var body *transport.Body
	var sent []byte
	if err == nil {
		body, sent, err = encodeBody(w.body)
	}
	if err != nil {
		return reflect.Value{}, c.errorf(w.method, path, "%w", err)
	}
	query, err := encodeOptions(w.query)
	if err != nil {
		return reflect.Value{}, c.errorf(w.method, path, "%w", err)
	}
	creates := w.creates || w.method == http.MethodPost
	r, err := c.do(ctx, request{method: w.method, path: path, query: query, body: body, creates: creates})
	if err != nil {
		return reflect.Value{}, err
	}
	defer r.Release()
	if r.Status == http.StatusNotFound { // of a DELETE that was done before
		return reflect.New(t), nil
	}
	nothing := t.Kind() == reflect.Interface || t.Kind() == reflect.Struct && t.NumField() == 0
	old := r.Status == http.StatusNoContent && t.Kind() == reflect.Slice // the answer of a release before the list came
	if (nothing || old) && len(bytes.TrimSpace(r.Body)) == 0 {
		return reflect.New(t), nil
	}
	v, err := decodeWritten(r, t, nothing)
	if err != nil {
		return reflect.Value{}, fmt.Errorf("%w: %w", err, ErrOutcomeUnknown)
	}
	if ignored := ignoredMembers(w, sent, r.Body); len(ignored) > 0 {
		if c.strictWrites {
			return v, &IgnoredError{w.method, r.Path, ignored, r.Header.Get(transport.RequestIDHeader)}
		}
		c.logger.LogAttrs(ctx, slog.LevelWarn, "authentik ignored members",
			slog.String("method", w.method), slog.String("path", r.Path), slog.Any("members", ignored))
	}
	return v, nil
}

// decodeWritten is decodeObject, but where nothing is expected any JSON will do.
func decodeWritten(r *transport.Response, t reflect.Type, nothing bool) (reflect.Value, error) {
	if !nothing || t.Kind() == reflect.Interface {
		return decodeObject(r, t)
	}
	return reflect.New(t), decode(r, new(json.RawMessage))
}

var errNilRequest = errors.New("the request is nil")

// encodeBody returns the body of a request, and what JSON there is in it.
func encodeBody(v any) (*transport.Body, []byte, error) {
	if v == nil {
		return nil, nil, nil
	}
	if isNil(v) {
		return nil, nil, errNilRequest
	}
	if file, ok := v.(upload); ok {
		body, err := file.body()
		return body, nil, err
	}
	b, err := codec.Marshal(v)
	if err != nil {
		return nil, nil, &encodeError{v, err}
	}
	open := func() (io.Reader, error) { return bytes.NewReader(b), nil }
	return &transport.Body{ContentType: "application/json", Size: int64(len(b)), Open: open}, b, nil
}

// isNil tells whether v is a nil pointer, map or slice.
func isNil(v any) bool {
	value := reflect.ValueOf(v)
	return slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Map, reflect.Slice}, value.Kind()) && value.IsNil()
}

// encodeError is a request that cannot be encoded. Its text has nothing of the
// request, which may hold a secret.
type encodeError struct {
	request any
	err     error
}

func (e *encodeError) Error() string {
	return fmt.Sprintf("a %T cannot be encoded as JSON", e.request)
}

func (e *encodeError) Unwrap() error { return e.err }

// ignoredMembers returns the members sent that the answer lacks, but for those
// that no answer has. Of a map nobody knows which those are.
func ignoredMembers(w write, sent, answer []byte) []string {
	var out, in map[string]json.RawMessage
	isStruct := reflect.Indirect(reflect.ValueOf(w.body)).Kind() == reflect.Struct
	if w.object == never || !isStruct || codec.Unmarshal(sent, &out) != nil || codec.Unmarshal(answer, &in) != nil {
		return nil // of no JSON, or no objects
	}
	shared := len(out)
	for name := range in {
		delete(out, name)
	}
	if w.object == ifAlike && len(out) == shared {
		return nil
	}
	for _, name := range writeOnly(reflect.TypeOf(w.body)) {
		delete(out, name)
	}
	return slices.Sorted(maps.Keys(out))
}
