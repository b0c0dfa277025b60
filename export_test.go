package authentik

import (
	"context"
	"io"
	"log/slog"
	"net/http"

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
	return create[*T](ctx, c, path, req)
}

func UpdateObject[T any](ctx context.Context, c *Client, path string, id, req any) (*T, error) {
	return update[*T](ctx, c, path, id, req)
}

func RemoveObject(ctx context.Context, c *Client, path string, id any) error {
	return remove(ctx, c, path, id)
}

func Action(ctx context.Context, c *Client, path string, id any, below string, query, req any) error {
	return act(ctx, c, write{method: http.MethodPost, path: path, id: id, below: below, query: query, body: req})
}

func Upload(ctx context.Context, c *Client, path string, fields map[string]string, filename string, content io.Reader) error {
	return act(ctx, c, write{method: http.MethodPost, path: path, body: upload{fields, "file", filename, content}})
}

func FormatHidden(w io.Writer, request any) { formatHidden(w, request) }
func Hidden(request any) slog.Value         { return hidden(request) }

// What Changes and RequestOf do with any pair.
var (
	ChangesOf   = changesOf
	FillRequest = fillRequest
)
