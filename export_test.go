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
func operation(method, path string) *Operation { return &Operation{method, path, 1, nil} }

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

// CompanionRow is a [companion].
type CompanionRow struct {
	Update      string
	With, Needs []string
	Where       string
	Version     string // one that needs it
	Lacks       string // one that has the operation and does not; "" if there is none
	Everywhere  bool   // all that have the operation need it
}

// CompanionRows are all that a server needs.
func CompanionRows() (rows []CompanionRow) {
	for _, c := range companions {
		if c.told {
			continue
		}
		row := CompanionRow{Update: c.update.String(), With: c.with, Needs: c.needs, Where: c.where, Everywhere: c.releases == c.update.releases}
		for i, version := range recordedVersions {
			release := Release{version}
			if c.releases&(1<<i) != 0 {
				row.Version = version
			}
			if c.update.releases&(1<<i) != 0 && release.lacks(c.releases) {
				row.Lacks = version
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// CreationRow is a [creation].
type CreationRow struct {
	Create string
	Fills  map[string]string
	OneOf  []string
}

// CreationRows are all.
func CreationRows() (rows []CreationRow) {
	for _, c := range creations {
		row := CreationRow{c.create.String(), map[string]string{}, c.oneOf}
		for _, m := range c.fills {
			row.Fills[m.name] = m.value
		}
		rows = append(rows, row)
	}
	return rows
}
