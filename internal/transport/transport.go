// Package transport sends requests: their attempts and the waits between them,
// the token, redirects, and bodies read up to a limit. It knows nothing of what
// the bodies say.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Config is how a [Client] sends. It holds secrets in closures alone, which no
// format verb looks into.
type Config struct {
	HTTPClient *http.Client // nil: one with a transport of its own
	TLSConfig  *tls.Config  // of that transport
	Insecure   bool         // of that transport
	Token      func(context.Context) (string, error)
	AddHeaders func(http.Header)
	UserAgent  string
	Retries    int
	MinWait    time.Duration
	MaxWait    time.Duration
	Logger     *slog.Logger
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	config     Config
	httpClient *http.Client
}

// New returns a client. It fails if the configuration asks for a TLS
// configuration of a transport that cannot be copied.
func New(config Config) (*Client, error) {
	httpClient, err := newHTTPClient(config)
	if err != nil {
		return nil, err
	}
	return &Client{config, httpClient}, nil
}

// Request is what to send.
type Request struct {
	Method      string
	URL         *url.URL
	Body        []byte // nil: none
	ContentType string // of the body
}

// Response is what a request came to, whatever its status.
type Response struct {
	Method   string
	Path     string // of the URL asked for, without the query
	Attempts int
	Status   int
	Header   http.Header
	Body     []byte
}

// RequestIDHeader has the id of the request in the server's log.
const RequestIDHeader = "X-authentik-id"

// Do sends the request, as often as the retries allow. Where no whole response
// came, there is an error, and the response has what is known without one.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	response := &Response{Method: r.Method, Path: r.URL.Path}
	var rawBody any
	if r.Body != nil {
		rawBody = r.Body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.Method, r.URL.String(), rawBody)
	if err != nil {
		return response, err
	}
	c.config.AddHeaders(req.Header)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.config.UserAgent)
	if r.Body != nil {
		req.Header.Set("Content-Type", r.ContentType)
	}

	attempts := &attempts{config: &c.config}
	if err := attempts.prepare(req.Request); err != nil {
		return response, err
	}
	client := retryablehttp.Client{
		HTTPClient:   c.httpClient,
		RetryMax:     c.config.Retries,
		PrepareRetry: attempts.prepare,
		CheckRetry:   attempts.check,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return attempts.wait },
		ErrorHandler: retryablehttp.PassthroughErrorHandler, // else the last response is thrown away
	}
	resp, err := client.Do(req) //nolint:bodyclose // attempts.check has closed it
	response.Attempts = attempts.count
	if err == nil && attempts.bodyErr != nil { // as where no answer came
		err = &url.Error{Op: r.Method[:1] + strings.ToLower(r.Method[1:]), URL: r.URL.String(), Err: attempts.bodyErr}
	}
	if err != nil {
		return response, withoutQuery(r.URL, err)
	}
	response.Status, response.Header, response.Body = resp.StatusCode, resp.Header, attempts.body
	return response, nil
}

// badLocation is in the text of an error of net/http that has no type.
const badLocation = "failed to parse Location header"

// withoutQuery takes the query out of the error of a http.Client.
func withoutQuery(u *url.URL, err error) error {
	urlError, ok := err.(*url.Error) //nolint:errorlint // not one that a token source or a transport wrapped
	if !ok {
		return err
	}
	shown := *u
	shown.RawQuery = ""
	cause := urlError.Err
	if strings.Contains(cause.Error(), badLocation) { // what it quotes may have the query
		cause = errors.New(badLocation)
	}
	return &url.Error{Op: urlError.Op, URL: shown.String(), Err: cause}
}

// ErrNoToken is the error of [CheckToken] for an empty one.
var ErrNoToken = errors.New("the token is empty")

// CheckToken returns an error if token cannot be one.
func CheckToken(token string) error {
	if token == "" {
		return ErrNoToken
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the token has a space, a control character or one that is not ASCII")
	}
	return nil
}

