package authentik

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/authentik-go/authentik/internal/transport"
)

// authentik's page for its own exceptions knows GET alone. So a write that makes the
// server fail is answered as one of a path that does not exist: 405, in HTML, without
// a body (2023.10 to 2026.5). A HEAD of the path tells them apart.

// endpoint says if there is one at the path of such a write.
type endpoint int

const (
	undecided endpoint = iota // nothing said so
	missing                   // there is none
	failed                    // there is one, and it failed
)

// crashError is the error of such a write.
type crashError struct {
	endpointError
	endpoint endpoint
}

func (e *crashError) Is(target error) bool {
	return target == ErrServer && e.endpoint == failed || target == ErrNoEndpoint && e.endpoint == missing
}

// crash returns the error of such a write at u.
func (c *Client) crash(ctx context.Context, op *Operation, e *APIError, u *url.URL) *crashError {
	why := op.whyMissing(c.release.kept())
	if why != "" {
		why = ": " + why
	}
	switch state := c.endpointAt(ctx, op, u); state {
	case missing:
		return &crashError{endpointError{e, "no such endpoint" + why}, state}
	case failed:
		return &crashError{endpointError{e, "the server failed while it handled the write"}, state}
	default:
		return &crashError{endpointError{e, "the server failed, or has no such endpoint" + why}, state}
	}
}

// endpoints are those that were asked for, by path.
type endpoints struct{ known sync.Map }

// isCrash reports whether the answer to a write is that of a failure or of a path
// that does not exist.
func isCrash(r *transport.Response) bool {
	return r.Status == http.StatusMethodNotAllowed && r.Method != http.MethodGet && r.Header.Get("Allow") != "" &&
		len(bytes.TrimSpace(r.Body)) == 0 && strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")
}

// endpointAt asks, once for each path, whether there is an endpoint at u, which is op's.
func (c *Client) endpointAt(ctx context.Context, op *Operation, u *url.URL) endpoint {
	if known, ok := c.endpoints.known.Load(u.Path); ok {
		return known.(endpoint)
	}
	head := *u
	head.RawQuery = ""
	r, err := c.transport.Do(ctx, transport.Request{Method: http.MethodHead, URL: &head, Operation: &Operation{Method: http.MethodHead, Path: op.Path}})
	if err != nil {
		return undecided
	}
	defer r.Release()
	var state endpoint
	switch contentType := r.Header.Get("Content-Type"); {
	case strings.HasPrefix(contentType, "application/json") && r.Status < http.StatusInternalServerError:
		state = failed
	case strings.HasPrefix(contentType, "text/html") && r.Status == http.StatusNotFound:
		state = missing
	default:
		return undecided
	}
	c.endpoints.known.Store(u.Path, state)
	return state
}
