package authentik

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/authentik-go/authentik/internal/session"
	"github.com/authentik-go/authentik/internal/transport"
)

// Package flow runs flows with the transport, the options and the errors of a
// [Client]; no method shows them.
func init() {
	session.As = func(client any, authorize func(*http.Request), answered func(*http.Response)) any {
		c := &Client{connection: client.(*Client).connection}
		c.transport = c.transport.As(authorize, answered)
		c.addServices()
		return c
	}
	session.Base = func(client any) *url.URL { return client.(*Client).base }
	session.Do = func(ctx context.Context, client any, r session.Request) (*transport.Response, error) {
		toSend := request{op: &Operation{Method: r.Method, Path: r.Path}, path: r.Path, query: r.Query, creates: true, stay: true}
		if r.Body != nil {
			toSend.body = &transport.Body{
				ContentType: "application/json",
				Size:        int64(len(r.Body)),
				Open:        func() (io.Reader, error) { return bytes.NewReader(r.Body), nil },
				Once:        true,
			}
		}
		return client.(*Client).do(ctx, toSend)
	}
	session.DecodeError = newDecodeError
	session.ErrorText = errorText
}
