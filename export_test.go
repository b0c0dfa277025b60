package authentik

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"

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

func Operations() []Operation { return operations }

func OperationOf(method, path string) Operation { return operationOf(method, path) }

func ServerRelease(ctx context.Context, c *Client) (Release, error) { return c.serverRelease(ctx) }

// Lacks reports whether a server lacks what the versions have.
func Lacks(has []string, server Release) bool {
	var set versions
	for i, version := range knownVersions {
		if slices.Contains(has, version) {
			set |= 1 << i
		}
	}
	return set.lacks(server)
}
