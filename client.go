package authentik

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authentik-go/authentik/internal/transport"
)

// Version is the version of this SDK, as it stands in the User-Agent.
const Version = "0.2.0"

// connection is how a [Client] reaches its server.
type connection struct {
	base         *url.URL // its path ends in /api/v3/
	transport    *transport.Client
	logger       *slog.Logger
	strictWrites bool
	release      *releaseCache
	endpoints    *endpoints
}

// NewClient returns a client for the server at baseURL that sends token, an API
// token or an OAuth2 access token with the scope goauthentik.io/api. It does no
// I/O and reads no environment.
//
// baseURL is https://host, with a sub-path if authentik is served below one; a
// trailing slash or /api/v3 changes nothing. Userinfo, a query, a fragment, a path
// that goes on after /api/v3 or leads to the web interface, and a scheme other than
// http and https are errors. So is a token that is empty, unless there is
// [WithTokenSource] or [WithoutToken], or that has a space, a control character or one that is not
// ASCII.
func NewClient(baseURL, token string, opts ...Option) (*Client, error) {
	base, err := parseBaseURL(baseURL)
	if err != nil {
		return nil, err
	}
	cfg := &config{Config: transport.Config{
		AddHeaders: func(http.Header) {},
		UserAgent:  "authentik-go/" + Version,
		Retries:    3,
		MinWait:    500 * time.Millisecond,
		MaxWait:    10 * time.Second,
		Logger:     slog.New(slog.DiscardHandler),
	}}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("authentik: an Option is nil")
		}
		if err := opt(cfg); err != nil {
			return nil, err
		}
	}
	switch {
	case cfg.Authorize != nil && (token != "" && !cfg.fromEnv || cfg.Token != nil):
		return nil, errors.New("authentik: WithoutToken cannot be combined with a token")
	case cfg.Authorize == nil && (token != "" || cfg.Token == nil):
		if err := transport.CheckToken(token); err != nil {
			return nil, fmt.Errorf("authentik: %w", err)
		}
	}
	if cfg.Token == nil {
		cfg.Token = func(context.Context) (string, error) { return token, nil }
	}
	if cfg.HTTPClient != nil && (cfg.TLSConfig != nil || cfg.Insecure) {
		return nil, errors.New("authentik: WithHTTPClient cannot be combined with WithTLSConfig or AUTHENTIK_INSECURE; set TLS up in its transport")
	}
	sender, err := transport.New(cfg.Config)
	if err != nil {
		return nil, fmt.Errorf("authentik: %w", err)
	}

	c := &Client{connection: connection{base, sender, cfg.Logger, cfg.strictWrites, newReleaseCache(), new(endpoints)}}
	c.addServices()
	return c, nil
}

// NewClientFromEnv is [NewClient] with the base URL of AUTHENTIK_URL, or of
// AUTHENTIK_HOST if that is not set, and the token of AUTHENTIK_TOKEN, which
// [WithoutToken] leaves aside. If AUTHENTIK_INSECURE is true, the server's
// certificate is not verified.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	return newClientFromEnv(os.Getenv, opts)
}

func newClientFromEnv(getenv func(string) string, opts []Option) (*Client, error) {
	baseURL := cmp.Or(getenv("AUTHENTIK_URL"), getenv("AUTHENTIK_HOST"))
	if baseURL == "" {
		return nil, errors.New("authentik: neither AUTHENTIK_URL nor AUTHENTIK_HOST is set")
	}
	insecure := false
	if value := getenv("AUTHENTIK_INSECURE"); value != "" {
		var err error
		if insecure, err = strconv.ParseBool(value); err != nil {
			return nil, fmt.Errorf("authentik: AUTHENTIK_INSECURE is %.100q, neither true nor false", value)
		}
	}
	opts = append(slices.Clone(opts), func(cfg *config) error {
		cfg.fromEnv, cfg.Insecure = true, insecure
		return nil
	})
	c, err := NewClient(baseURL, getenv("AUTHENTIK_TOKEN"), opts...)
	if errors.Is(err, transport.ErrNoToken) {
		err = errors.New("authentik: AUTHENTIK_TOKEN is not set")
	}
	return c, err
}

// CloseIdleConnections closes the connections that are open and not in use.
// Clients without a TLS configuration or [WithHTTPClient] share theirs.
func (c *Client) CloseIdleConnections() {
	if c.usable() {
		c.transport.CloseIdleConnections()
	}
}

// usable reports whether the client was made by NewClient. That of a service which
// no client has is nil.
func (c *Client) usable() bool { return c != nil && c.transport != nil }

var (
	errNilContext = errors.New("authentik: the context is nil")
	errNoClient   = errors.New("authentik: the client is nil or was not made by NewClient")
)

// request is what to ask of the server.
type request struct {
	op    *Operation
	path  string // below /api/v3/, with ids
	query url.Values
	body  *transport.Body // nil: none

	creates bool // see transport.Request
	stay    bool // see transport.Request; a 302 is an answer then
}

// markAllSeen is answered 204 with a body (seen of 2025.10 and 2026.5). net/http would find it
// on the connection when that is idle, and print it to the program's stderr.
const markAllSeen = "events/notifications/mark_all_seen/"

// do is the one way to the server: it sends the request, as often as the retries
// allow, and returns the response if it is 2xx. The caller releases it.
func (c *Client) do(ctx context.Context, r request) (*transport.Response, error) {
	switch {
	case !c.usable():
		return nil, errNoClient
	case ctx == nil:
		return nil, errNilContext
	}
	path, err := cleanPath(r.path)
	if err == nil && strings.HasPrefix(path, "api/v3/") {
		err = fmt.Errorf("the path %.100q is below /api/v3/ already", path)
	}
	if err != nil {
		return nil, fmt.Errorf("authentik: %w", err)
	}
	if err := c.checkOptions(ctx, r.op, r.query); err != nil {
		return nil, c.wrap(r.op.Method, r.path, err)
	}
	u := *c.base
	u.Path += path
	u.RawQuery = r.query.Encode()
	response, err := c.transport.Do(ctx, transport.Request{
		Method:    r.op.Method,
		URL:       &u,
		Operation: r.op,
		Body:      r.body,
		Creates:   r.creates,
		Stay:      r.stay,
		Close:     path == markAllSeen,
	})
	if err == nil {
		r.op.tell(ctx, response)
	}
	switch {
	case err != nil:
		err = &requestError{r.op.Method, &u, response.Attempts, err}
	case response.Starting:
		err = newDecodeError(response, errStarting)
		response.Release()
	case response.Status >= 200 && response.Status <= 299, r.stay && response.Status == http.StatusFound:
		return response, nil
	case r.op.Method == http.MethodDelete && response.Unknown && isGone(response):
		return response, nil // an earlier attempt has done it
	default:
		err = newAPIError(response)
		if forbidden, ok := err.(*ForbiddenError); ok && forbidden.Detail != "" && !forbidden.InvalidToken() { //nolint:errorlint // it was just made
			forbidden.Permissions = r.op.permissions(c.release.known())
		}
		switch apiError, ok := err.(*APIError); { //nolint:errorlint // it was just made
		case ok && isCrash(response):
			crash := c.crash(ctx, r.op, apiError, &u)
			response.Unknown = response.Unknown || crash.endpoint != missing
			err = crash
		case ok:
			err = c.explain(r.op, apiError)
		}
		response.Release()
	}
	if response.NoTime {
		err = &joinedError{err, errNoTime}
	}
	if response.Unknown {
		err = &joinedError{err, ErrOutcomeUnknown}
	}
	return nil, err
}

// wrap adds method and path to an error that is not that of one request. The path
// is one that do takes.
func (c *Client) wrap(method, path string, err error) error {
	if !c.usable() {
		return errNoClient
	}
	path, _ = cleanPath(path)
	return &callError{method, c.base.Path + path, err}
}
