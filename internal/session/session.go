// Package session is how package flow reaches into a client of the root, which
// sets these functions: a client that acts by cookies, and requests whose
// redirects are answers. Neither is for programs, and the root has no method for it.
package session

import (
	"context"
	"net/http"
	"net/url"

	"github.com/authentik-go/authentik/internal/transport"
)

// Request is one to the flow executor.
type Request struct {
	Method string
	Path   string // below /api/v3/
	Query  url.Values
	Body   []byte // JSON, sent once
}

// The clients are of the type *authentik.Client, which this package cannot name.
var (
	// As returns a client like the given one that proves who asks by authorize in
	// place of its token, and shows each answer to answered.
	As func(client any, authorize func(*http.Request), answered func(*http.Response)) any
	// Base returns the URL of the client's API, whose path ends in /api/v3/.
	Base func(client any) *url.URL
	// Do sends a request, and returns the answer if it is 2xx or 302, which the
	// caller releases.
	Do func(ctx context.Context, client any, r Request) (*transport.Response, error)
	// DecodeError is the error of an answer that is not what was asked for.
	DecodeError func(r *transport.Response, err error) error
	// ErrorText is the text of an error, in one line of bounded length.
	ErrorText func(method, path, text string, attempts int, requestID string) string
)
