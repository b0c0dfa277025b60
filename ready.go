package authentik

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/transport"
)

const readyInterval = time.Second

// WaitReady waits until the server is ready: until GET /-/health/ready/, which
// is beside /api/v3/ and takes no token, says so, and an answer shows that it is
// authentik. It asks once a second, whatever [WithRetries] says.
//
// It waits while no server is there, or one that answers with another
// status or is not authentik. It ends with the context, with an error that wraps
// the context's and what was last seen. A certificate that either side refuses ends
// it at once, and so does a forward proxy that refuses to connect, by 407 for example.
func (c *Client) WaitReady(ctx context.Context) error {
	switch {
	case !c.usable():
		return errNoClient
	case ctx == nil:
		return errNilContext
	}
	health := *c.base
	health.Path = strings.TrimSuffix(health.Path, "api/v3/") + "-/health/ready/"
	var last error
	for attempts := 1; ; attempts++ {
		final, err := c.isReady(ctx, &health)
		if err == nil || final {
			return err
		}
		if last == nil || ctx.Err() == nil { // else it is the error of the context
			last = err
		}
		select {
		case <-ctx.Done():
			ended := ctx.Err()
			if cause := context.Cause(ctx); cause != ended { //nolint:errorlint // there may be none
				ended = fmt.Errorf("%w: %w", ended, cause)
			}
			return fmt.Errorf("%w; last seen: %w", &requestError{http.MethodGet, &health, attempts, ended}, last)
		case <-time.After(readyInterval):
		}
	}
}

// isReady asks once. A final error is one that waiting does not fix.
func (c *Client) isReady(ctx context.Context, health *url.URL) (final bool, err error) {
	r, final, err := c.probe(ctx, health)
	defer r.Release()
	if err != nil || r.Header.Get(transport.RequestIDHeader) != "" || r.Header.Get("X-Powered-By") == "authentik" {
		return final, err
	}
	// A proxy has taken the headers away, or is all there is.
	config := c.base.JoinPath("root/config/")
	answer, final, err := c.probe(ctx, config)
	defer answer.Release()
	if err != nil {
		return final, err
	}
	var members struct {
		Capabilities []string `json:"capabilities"`
	}
	if err := codec.Unmarshal(answer.Body, &members); err != nil {
		return false, newDecodeError(answer, err)
	}
	if members.Capabilities == nil {
		return false, newDecodeError(answer, errNoAuthentik)
	}
	return false, nil
}

// probe asks once, without the token. Who calls it releases the response.
func (c *Client) probe(ctx context.Context, u *url.URL) (r *transport.Response, final bool, err error) {
	r, err = c.transport.Do(ctx, transport.Request{Method: http.MethodGet, URL: u, Probe: true})
	switch {
	case err != nil:
		return r, r.Refused, &requestError{http.MethodGet, u, 1, err}
	case r.Status < 200 || r.Status > 299:
		return r, false, newAPIError(r)
	}
	return r, false, nil
}
