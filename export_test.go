package authentik

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/transport"
)

// NewClientFrom is NewClientFromEnv with the environment as a function: a test
// that sets variables could not run beside others.
func NewClientFrom(getenv func(string) string, opts ...Option) (*Client, error) {
	return newClientFromEnv(getenv, opts)
}

const MaxBody = transport.MaxBody

// ObjectPath is objectPath: not every kind of id has a service yet.
func ObjectPath(list string, id any, below string) (string, error) {
	return objectPath(list, id, below)
}

// The functions that services write with.

func CreateObject[T any](ctx context.Context, c *Client, path string, req any) (*T, error) {
	return send[*T](ctx, c, operation(http.MethodPost, path), write{body: req, object: always})
}

func UpdateObject[T any](ctx context.Context, c *Client, path string, id, req any) (*T, error) {
	return send[*T](ctx, c, operation(http.MethodPatch, path+"{id}/"), write{id: id, body: req, object: always})
}

func RemoveObject(ctx context.Context, c *Client, path string, id any) error {
	return act(ctx, c, operation(http.MethodDelete, path+"{id}/"), write{id: id})
}

func Action(ctx context.Context, c *Client, path string, id any, below string, query, req any) error {
	return act(ctx, c, operation(http.MethodPost, path+"{id}/"+below), write{id: id, query: query, body: req})
}

func Upload(ctx context.Context, c *Client, path string, fields map[string]string, filename string, content io.Reader) error {
	return act(ctx, c, operation(http.MethodPost, path), write{body: upload{fields, "file", filename, content}})
}

// operation is one that all releases have.
func operation(method, path string) *Operation { return &Operation{method, path, 1} }

// OperationAt is the operation of the service that lists the objects at path.
func OperationAt(method, path string) *Operation {
	for _, op := range []*Operation{opAdminFileList, opCoreTenantsList} {
		if op.Method == method && op.Path == path {
			return op
		}
	}
	return nil
}

func NewRelease(version string) Release    { return Release{version} }
func (r Release) Lacks(op *Operation) bool { return r.lacks(op.releases) }

func FormatHidden(w io.Writer, request any) { formatHidden(w, request) }
func Hidden(request any) slog.Value         { return hidden(request) }

// What Changes and RequestOf do with any pair.
var (
	ChangesOf   = changesOf
	FillRequest = fillRequest
)

// IgnoredIn are the members that a request of type t sent and that the answer has
// otherwise.
func IgnoredIn(t reflect.Type, sent, answer any) []IgnoredMember {
	a, _ := codec.Marshal(sent)
	b, _ := codec.Marshal(answer)
	return ignoredMembers(write{body: reflect.New(t).Interface(), object: always}, a, b)
}
