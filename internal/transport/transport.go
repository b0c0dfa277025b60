// Package transport sends requests: their attempts and the waits between them,
// the token, redirects, and bodies read up to a limit. It knows nothing of what
// the bodies say.
package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
	Scheme     string               // of the token; "": Bearer
	Authorize  func(*http.Request)  // in place of the token; nil: the token
	Answered   func(*http.Response) // sees each answer; nil: nothing does
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
	userAgent  []string // of all requests: nothing may write to it
}

// accept is that header of all requests: nothing may write to it.
var accept = []string{"application/json"}

// New returns a client. It fails if the configuration asks for a TLS
// configuration of a transport that cannot be copied.
func New(config Config) (*Client, error) {
	httpClient, err := newHTTPClient(config)
	if err != nil {
		return nil, err
	}
	return &Client{config, httpClient, []string{config.UserAgent}}, nil
}

// As returns a client that uses the same connections, and proves who asks by
// authorize, not by the token. It keeps no cookies but those that answered sees.
func (c *Client) As(authorize func(*http.Request), answered func(*http.Response)) *Client {
	config, httpClient := c.config, *c.httpClient
	config.Authorize, config.Answered, httpClient.Jar = authorize, answered, nil
	return &Client{config, &httpClient, c.userAgent}
}

// CloseIdleConnections closes the connections that are not in use.
func (c *Client) CloseIdleConnections() {
	unwrapped := *c.httpClient
	unwrapped.Transport = c.httpClient.Transport.(*attemptTransport).base
	unwrapped.CloseIdleConnections()
}

// Request is what to send.
type Request struct {
	Method  string
	URL     *url.URL
	Body    *Body // nil: none
	Creates bool  // done twice, it would make two: not repeated after an unknown outcome
	Probe   bool  // one attempt, without the token
	Stay    bool  // a redirect is the answer, and not followed
	Close   bool  // the connection is not used again

	Operation fmt.Stringer // for the log and OperationFrom; nil: none
}

// Body is what a request sends.
type Body struct {
	ContentType string
	Size        int64
	Open        func() (io.Reader, error) // from its beginning
	Once        bool                      // it can be read once only: there is one attempt
	Close       func()                    // nothing is read after it; nil: that does not matter
}

// Response is the answer to a request, whatever its status, or what is known
// where none came.
type Response struct {
	Method   string
	Path     string // of the URL asked for, without the query
	Attempts int
	Status   int
	Header   http.Header
	Body     []byte // until Release
	Starting bool   // a 200 that is in truth a 503: nothing was done
	NoTime   bool   // there would have been another attempt, were it not for the deadline
	Refused  bool   // by TLS or a proxy: a certificate, say
	Unknown  bool   // the server may have handled an attempt that got no answer
	Repeated bool   // the request may have been sent more than once

	buffer *bytes.Buffer
}

// Release gives the memory of the body to other requests. Nothing may use the
// Body after that.
func (r *Response) Release() {
	if r.buffer != nil && r.buffer.Cap() <= maxPooled {
		buffers.Put(r.buffer)
	}
	r.buffer, r.Body = nil, nil
}

// maxPooled bounds the memory that a buffer holds while no request needs it: a
// page of 100 stages is of 150 kB.
const maxPooled = 1 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// RequestIDHeader has the id of the request in the server's log. It is X-authentik-id,
// as net/http keeps it.
const RequestIDHeader = "X-Authentik-Id"

// Do sends the request, as often as the retries allow. After reading the body, the
// caller calls Release. If no whole answer came, there is an error, and the
// response has what is known without it.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if r.Body != nil && r.Body.Close != nil {
		defer r.Body.Close()
	}
	response := &Response{Method: r.Method, Path: r.URL.Path}
	response.buffer = buffers.Get().(*bytes.Buffer)
	attempts := &attempts{config: &c.config, request: r, body: response.buffer}
	req, err := attempts.newRequest(ctx)
	if err != nil {
		response.Release()
		return response, err
	}
	req.Close = r.Close
	c.config.AddHeaders(req.Header)
	req.Header["Accept"], req.Header["User-Agent"] = accept, c.userAgent
	if err := attempts.prepare(req.Request); err != nil {
		response.Release()
		return response, err
	}
	attempts.client = retryablehttp.Client{
		HTTPClient:   c.httpClient,
		RetryMax:     c.config.Retries,
		PrepareRetry: attempts.prepare,
		CheckRetry:   attempts.check,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return attempts.wait },
		ErrorHandler: retryablehttp.PassthroughErrorHandler, // else the last response is thrown away
	}
	resp, err := attempts.client.Do(req) //nolint:bodyclose // attempts.check has closed it
	response.Attempts, response.NoTime, response.Unknown = attempts.count, attempts.noTime, attempts.unknown
	connections := attempts.connections.Load()
	response.Repeated = connections > 1 || connections == 0 && attempts.count > 1
	if err == nil && attempts.bodyErr != nil { // as where no answer came
		err = &url.Error{Op: r.Method[:1] + strings.ToLower(r.Method[1:]), URL: r.URL.String(), Err: attempts.bodyErr}
	}
	if err != nil {
		response.Refused = attempts.sent.refused(err)
		response.Release()
		return response, withoutQuery(r.URL, withCause(ctx, err))
	}
	response.Status, response.Header, response.Body = resp.StatusCode, resp.Header, attempts.body.Bytes()
	response.Starting = isStarting(resp, response.Body)
	return response, nil
}

// newRequest returns the request, which knows its attempts by its context.
func (a *attempts) newRequest(ctx context.Context) (*retryablehttp.Request, error) {
	ctx = context.WithValue(ctx, attemptsKey{}, a)
	httpRequest := http.Request{
		Method: a.request.Method, URL: a.request.URL, Host: a.request.URL.Host, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req := &retryablehttp.Request{Request: httpRequest.WithContext(ctx)}
	body := a.request.Body
	if body == nil {
		return req, nil
	}
	if err := req.SetBody(retryablehttp.ReaderFunc(body.Open)); err != nil {
		return nil, err
	}
	req.ContentLength = body.Size
	if body.Once {
		req.GetBody = nil
	}
	req.Header.Set("Content-Type", body.ContentType)
	return req, nil
}

// withCause adds the error of the context and its cause to err, if the context
// has ended and err lacks them: net/http gives only one of them.
func withCause(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	for _, reason := range []error{ctx.Err(), context.Cause(ctx)} {
		if errors.Is(err, reason) {
			continue
		}
		if urlError, ok := err.(*url.Error); ok { //nolint:errorlint // see withoutQuery
			err = &url.Error{Op: urlError.Op, URL: urlError.URL, Err: ended{urlError.Err, reason}}
		} else {
			err = ended{err, reason}
		}
	}
	return err
}

// ended is an error with the reason why the request ended.
type ended struct{ err, reason error }

func (e ended) Error() string   { return e.err.Error() + ": " + e.reason.Error() }
func (e ended) Unwrap() []error { return []error{e.err, e.reason} }
func (e ended) Timeout() bool   { return errors.Is(e, context.DeadlineExceeded) }

// badLocation is in the text of an error of net/http that has no type.
const badLocation = "failed to parse Location header"

func isBadLocation(err error) bool { return err != nil && strings.Contains(err.Error(), badLocation) }

// causeText is what an error of an http.Client says of its cause.
func causeText(u *url.URL, err error) string {
	err = withoutQuery(u, err)
	if urlError, ok := err.(*url.Error); ok { //nolint:errorlint // see withoutQuery
		err = urlError.Err
	}
	if u.RawQuery == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), "?"+u.RawQuery, "")
}

// withoutQuery takes the query out of the error of an http.Client.
func withoutQuery(u *url.URL, err error) error {
	urlError, ok := err.(*url.Error) //nolint:errorlint // not one that a token source or a transport wrapped
	if !ok {
		return err
	}
	shown := *u
	shown.RawQuery = ""
	cause := urlError.Err
	if isBadLocation(cause) { // what it quotes may have the query
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
	if strings.HasSuffix(token, "\n") || strings.HasSuffix(token, "\r") {
		return errors.New("the token ends in a newline, a control character: trim what was read from a file")
	}
	if scheme, _, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return errors.New("the token begins with Bearer: leave that off")
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the token has a space, a control character or one that is not ASCII")
	}
	return nil
}
