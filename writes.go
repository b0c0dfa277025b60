package authentik

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/query"
	"github.com/authentik-go/authentik/internal/transport"
)

// Post sends body to path and returns what the server answers: a list at path
// gets a new object, an action is carried out. path is that of [Get], and may end
// in a query, encoded as in a URL: "x/?force=true".
//
// body is encoded as JSON: a struct whose tags say omitzero for what may be left
// out, a pointer to one, a map, a [encoding/json.RawMessage], or nil for no body.
// A pointer, map or slice that is nil is an error before any request, and so are a text
// that is not UTF-8 and a member that is there twice, as a field and in Extra.
//
// The errors are those of Get. If no answer is expected, T is struct{}; for any
// other T an answer without a body is an error. After an error that matches
// [ErrOutcomeUnknown] the server may have done it. [WithRetries] says when a write
// is repeated.
//
// If body is a struct, a member that the answer lacks is taken for ignored by the
// server, see [WithStrictWrites]. Give one that no answer has, such as a password,
// the tag authentik:"writeonly".
func Post[T any](ctx context.Context, c *Client, path string, body any) (*T, error) {
	return sendTo[*T](ctx, c, &Operation{Method: http.MethodPost, Path: path}, write{body: body, object: ifAlike})
}

// Put replaces the object at path by body. Otherwise it is like [Post].
func Put[T any](ctx context.Context, c *Client, path string, body any) (*T, error) {
	return sendTo[*T](ctx, c, &Operation{Method: http.MethodPut, Path: path}, write{body: body, object: always})
}

// Patch changes the members of the object at path that body has; the others stay
// as they are. Otherwise it is like [Post].
func Patch[T any](ctx context.Context, c *Client, path string, body any) (*T, error) {
	return sendTo[*T](ctx, c, &Operation{Method: http.MethodPatch, Path: path}, write{body: body, object: always})
}

// Delete deletes the object at path, which is that of [Post]. The errors are those
// of [Post].
func Delete(ctx context.Context, c *Client, path string) error {
	_, err := sendTo[*struct{}](ctx, c, &Operation{Method: http.MethodDelete, Path: path}, write{})
	return err
}

// sendTo sends w to a path that may end in a query.
func sendTo[P any](ctx context.Context, c *Client, op *Operation, w write) (P, error) {
	path, parameters, has := strings.Cut(op.Path, "?")
	op.Path = path
	if has {
		values, err := url.ParseQuery(parameters)
		if err != nil || strings.Contains(parameters, "#") { // which may have a secret
			return *new(P), c.wrap(op.Method, path, errors.New("the query in the path is malformed"))
		}
		w.query = values
	}
	return send[P](ctx, c, op, w)
}

// The functions send and act are what services call. P is a pointer, see reads.go.

// send writes, and returns the answer.
func send[P any](ctx context.Context, c *Client, op *Operation, w write) (P, error) {
	w.op = op
	v, err := c.write(ctx, w, reflect.TypeFor[P]().Elem())
	if !v.IsValid() {
		return *new(P), err
	}
	return v.Interface().(P), err // an IgnoredError comes with an object
}

// act writes if no answer is expected.
func act(ctx context.Context, c *Client, op *Operation, w write) error {
	w.op = op
	_, err := c.write(ctx, w, reflect.TypeFor[struct{}]())
	return err
}

// write is a request that changes something.
type write struct {
	op     *Operation
	id     any // as of objectPath; nil: none
	query  any // as the opts of Get
	body   any // as that of Post, or an upload
	object comparison

	optional bool // a body that is nil is left out
	creates  bool // of a PUT that makes a new object each time, as a POST does
}

// comparison says if the answer is the object that was sent, so that a
// member which it lacks was ignored.
type comparison int

const (
	never   comparison = iota
	always             // of a resource
	ifAlike            // if it has one of the members sent
)

// write carries w out, and returns a pointer to the t that the server answers.
func (c *Client) write(ctx context.Context, w write, t reflect.Type) (reflect.Value, error) {
	r, sent, err := c.sendWrite(ctx, w)
	if err != nil {
		return reflect.Value{}, err
	}
	defer r.Release()
	v, err := decodeWritten(r, w.op, t)
	if err != nil {
		return reflect.Value{}, &joinedError{err, ErrOutcomeUnknown}
	}
	return v, c.checkOutcome(ctx, w, r, sent, v)
}

// sendWrite returns the answer, which the caller releases, and what JSON was sent.
func (c *Client) sendWrite(ctx context.Context, w write) (*transport.Response, []byte, error) {
	path, err := w.op.path(w.id)
	if err != nil {
		return nil, nil, c.wrap(w.op.Method, path, err)
	}
	values, err := query.Encode(w.query)
	if err != nil {
		return nil, nil, c.wrap(w.op.Method, path, err)
	}
	body, sent, err := c.encode(ctx, w)
	if err != nil {
		return nil, nil, c.wrap(w.op.Method, path, err)
	}
	if sent != nil {
		members, err := c.accompany(ctx, w, sent)
		if err != nil {
			return nil, nil, c.wrap(w.op.Method, path, err)
		}
		if len(members) > 0 {
			b := withMembers(sent, members)
			body = jsonBody(b)
			if w.op.Method == http.MethodPatch { // what a POST is filled with, an older server may ignore
				sent = b
			}
		}
	}
	creates := w.creates || w.op.Method == http.MethodPost
	r, err := c.do(ctx, request{op: w.op, path: path, query: values, body: body, creates: creates})
	return r, sent, err
}

var errNilRequest = errors.New("the request is nil")

// encode returns the body, and what JSON there is in it.
func (c *Client) encode(ctx context.Context, w write) (*transport.Body, []byte, error) {
	needed := w.op.Method == http.MethodPut || w.op.Method == http.MethodPatch || w.object == always
	switch {
	case w.optional && isNil(w.body), w.body == nil && !needed:
		return nil, nil, nil
	case isNil(w.body):
		return nil, nil, errNilRequest
	}
	if file, ok := w.body.(upload); ok {
		body, err := file.body()
		return body, nil, err
	}
	b, err := codec.MarshalRequest(withURITypes(w.body))
	if err != nil {
		return nil, nil, &encodeError{w.body, err}
	}
	if b, err = c.forServer(ctx, w, b); err != nil {
		return nil, nil, err
	}
	return jsonBody(b), b, nil
}

func jsonBody(b []byte) *transport.Body {
	open := func() (io.Reader, error) { return bytes.NewReader(b), nil }
	return &transport.Body{ContentType: "application/json", Size: int64(len(b)), Open: open}
}

// isNil reports whether v is nil, or a nil pointer, map or slice.
func isNil(v any) bool {
	value := reflect.ValueOf(v)
	return v == nil || slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Map, reflect.Slice}, value.Kind()) && value.IsNil()
}

// encodeError is a request that cannot be encoded. Its text has nothing of the
// request, which may hold a secret.
type encodeError struct {
	request any
	err     error
}

func (e *encodeError) Error() string {
	text := fmt.Sprintf("a %T cannot be encoded as JSON", e.request)
	switch {
	case errors.Is(e.err, codec.ErrNotUTF8):
		return text + ": " + codec.ErrNotUTF8.Error()
	case errors.Is(e.err, codec.ErrTwice):
		return text + ": " + codec.ErrTwice.Error()
	}
	return text
}

func (e *encodeError) Unwrap() error { return e.err }
