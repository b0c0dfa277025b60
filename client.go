package authentik

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/authentik-go/authentik/internal/async"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/query"
	"github.com/authentik-go/authentik/internal/transport"
	"github.com/google/uuid"
)

// Version is the version of this SDK, as it stands in the User-Agent.
const Version = "0.1.0"

// connection is how a [Client] reaches its server.
type connection struct {
	base         *url.URL // its path ends in /api/v3/
	transport    *transport.Client
	logger       *slog.Logger
	strictWrites bool
}

// NewClient returns a client for the server at baseURL that sends token, an API
// token or an OAuth2 access token with the scope goauthentik.io/api. It does no
// I/O and reads no environment.
//
// baseURL is https://host, with a sub-path where authentik is served below one;
// a trailing slash or /api/v3 changes nothing. Userinfo, a query, a fragment,
// a path that goes on after /api/v3 or leads to the web interface, and a scheme
// other than http and https are errors. So is a token that is
// empty, unless there is [WithTokenSource] or [WithoutToken], or holds a character that no token
// has: a space, a control character, anything but ASCII.
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
		if err := opt(cfg); err != nil {
			return nil, err
		}
	}
	switch {
	case cfg.Authorize != nil && (token != "" || cfg.Token != nil):
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

	c := &Client{connection: connection{base, sender, cfg.Logger, cfg.strictWrites}}
	c.addServices()
	return c, nil
}

// NewClientFromEnv is [NewClient] with the base URL of AUTHENTIK_URL, or
// AUTHENTIK_HOST where that is not set, and the token of AUTHENTIK_TOKEN. Where
// AUTHENTIK_INSECURE is true, the server's certificate is not verified.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	return newClientFromEnv(os.Getenv, opts)
}

func newClientFromEnv(getenv func(string) string, opts []Option) (*Client, error) {
	baseURL := cmp.Or(getenv("AUTHENTIK_URL"), getenv("AUTHENTIK_HOST"))
	if baseURL == "" {
		return nil, errors.New("authentik: neither AUTHENTIK_URL nor AUTHENTIK_HOST is set")
	}
	if value := getenv("AUTHENTIK_INSECURE"); value != "" {
		insecure, err := strconv.ParseBool(value)
		if err != nil {
			return nil, fmt.Errorf("authentik: AUTHENTIK_INSECURE is %.100q, neither true nor false", value)
		}
		opts = append(slices.Clone(opts), func(cfg *config) error {
			cfg.Insecure = insecure
			return nil
		})
	}
	c, err := NewClient(baseURL, getenv("AUTHENTIK_TOKEN"), opts...)
	if errors.Is(err, transport.ErrNoToken) {
		err = errors.New("authentik: AUTHENTIK_TOKEN is not set")
	}
	return c, err
}

// CloseIdleConnections closes the connections that are open and not in use.
// Clients without a TLS configuration or [WithHTTPClient] share theirs.
func (c *Client) CloseIdleConnections() { c.transport.CloseIdleConnections() }

// Option changes a setting of a [Client] that is being made.
type Option func(*config) error

type config struct {
	transport.Config
	strictWrites bool
}

// WithHTTPClient sends requests through hc: its Transport, Jar and
// CheckRedirect are used, and its Timeout bounds each attempt where it is set.
// The client itself is never changed. Redirects that would give the token away
// are refused before its CheckRedirect is asked.
func WithHTTPClient(hc *http.Client) Option {
	return func(cfg *config) error {
		if hc == nil {
			return errors.New("authentik: WithHTTPClient: the client is nil")
		}
		cfg.HTTPClient = hc
		return nil
	}
}

// WithTLSConfig sets your own CA, or a client certificate. It does not go with
// [WithHTTPClient], whose transport has a TLS configuration of its own.
func WithTLSConfig(tlsConfig *tls.Config) Option {
	return func(cfg *config) error {
		if tlsConfig == nil {
			return errors.New("authentik: WithTLSConfig: the configuration is nil")
		}
		cfg.TLSConfig = tlsConfig.Clone()
		return nil
	}
}

// WithTokenSource asks source for the token, once for each attempt of a
// request: authentik rotates API tokens, daily by default. The token given to
// [NewClient] is not used then. An error of source ends the request and is
// wrapped; source must be safe for concurrent use. Where the context of a call
// ends before source returns, the call ends without it.
func WithTokenSource(source func(context.Context) (string, error)) Option {
	return func(cfg *config) error {
		if source == nil {
			return errors.New("authentik: WithTokenSource: the source is nil")
		}
		cfg.Token = func(ctx context.Context) (string, error) {
			return async.Start(func() (string, error) { return source(ctx) }).Wait(ctx)
		}
		return nil
	}
}

// WithoutToken sends no token, for package flow, whose logins need none, and for the
// few endpoints that everybody may read. The token given to [NewClient] has to be
// empty.
func WithoutToken() Option {
	return func(cfg *config) error {
		cfg.Authorize = func(*http.Request) {}
		return nil
	}
}

// WithDeviceToken sends the token as that of a device, which [EndpointsAgentsConnectorsService.Enroll]
// returned to an agent: authentik takes it for the endpoints of agents alone, and
// no other token for most of those.
func WithDeviceToken() Option {
	return func(cfg *config) error {
		cfg.Scheme = "Bearer+agent"
		return nil
	}
}

// WithUserAgent puts product, for example "my-operator/1.2", before the SDK's
// own authentik-go/<version> in the User-Agent.
func WithUserAgent(product string) Option {
	return func(cfg *config) error {
		if strings.TrimSpace(product) == "" || !isHeaderValue(product) {
			return fmt.Errorf("authentik: WithUserAgent: %.100q is not valid in a header", product)
		}
		cfg.UserAgent = product + " authentik-go/" + Version
		return nil
	}
}

// WithHeader adds a header to every request, such as the access headers of a
// proxy or Accept-Language. Headers that the SDK needs for itself are errors, and
// so are idempotency keys: authentik does not know them, and net/http takes them
// for leave to send a POST twice.
func WithHeader(key, value string) Option {
	return func(cfg *config) error {
		key := http.CanonicalHeaderKey(key)
		switch key {
		case "Authorization", "Accept", "Accept-Encoding", "User-Agent", "Host", "Connection",
			"Content-Length", "Content-Type", "Transfer-Encoding", "Trailer", "Te", "Upgrade":
			return fmt.Errorf("authentik: WithHeader: %s is set by the SDK", key)
		case "Idempotency-Key", "X-Idempotency-Key":
			return fmt.Errorf("authentik: WithHeader: net/http may send a POST with %s twice, and authentik takes that for two requests", key)
		}
		if !isHeaderName(key) || !isHeaderValue(value) {
			return fmt.Errorf("authentik: WithHeader: the name %.100q or its value is not valid in a header", key)
		}
		addOthers := cfg.AddHeaders
		cfg.AddHeaders = func(header http.Header) {
			addOthers(header)
			header.Add(key, value)
		}
		return nil
	}
}

// WithRetries sets how often a failed attempt is repeated, and the shortest and
// the longest wait before that: 3, 500ms and 10s by default. 0 retries turns
// them off.
//
// An attempt is repeated if it got no whole answer, or 429, 502, 503 or 504, or
// a 500 that is not authentik's own: one without a request id and not in HTML. So
// is the 200 with an error alone of a 2025.10.0 that starts; the error that is
// left is a [DecodeError].
// It is not repeated if the same would come again: a refused certificate or
// redirect, an unknown host, no TLS where some is expected, a broken gzip stream,
// a body over 32 MiB. Every other status is final.
//
// GET, PUT, PATCH and DELETE are repeated alike, and a DELETE to which authentik
// answers that there is nothing, after an attempt of unknown outcome, is done. A
// POST, or a Create by PUT, is repeated only if the server certainly did not handle
// it: after 429, or where no connection was made. A body that can be read only once
// is not sent again.
//
// The first wait is minWait, and each wait is twice the one before, less up to a
// quarter at random. If the server sends Retry-After, that is the wait. No wait
// is longer than maxWait: WithRetries(3, 0, 0) repeats at once, which suits tests.
//
// An attempt may take 30 seconds, or the Timeout of the client given to
// [WithHTTPClient]. The context bounds the call: its end ends a wait, and a wait
// that cannot end before its deadline is not begun. When the retries or the time
// are used up, the error is that of the last attempt, with its body; if it was
// the time, the error matches [context.DeadlineExceeded] as well.
//
// An authentik that starts refuses connections, then answers 502 or 503, for
// longer than the default waits, which are 3.5 seconds together. This outlasts a
// restart: it waits for 100 seconds if the server asks for 5 seconds each time, as
// it does since 2025.10, and up to three minutes if it says nothing:
//
//	authentik.WithRetries(20, time.Second, 10*time.Second)
func WithRetries(retries int, minWait, maxWait time.Duration) Option {
	return func(cfg *config) error {
		if retries < 0 || minWait < 0 || maxWait < minWait {
			return fmt.Errorf("authentik: WithRetries(%d, %v, %v): negative, or the shortest wait is above the longest", retries, minWait, maxWait)
		}
		cfg.Retries, cfg.MinWait, cfg.MaxWait = retries, minWait, maxWait
		return nil
	}
}

// WithStrictWrites makes a write return an [IgnoredError] beside the object if
// the server ignored members that were sent, because it is too old to know them.
// Without it, the logger gets a warning.
func WithStrictWrites() Option {
	return func(cfg *config) error {
		cfg.strictWrites = true
		return nil
	}
}

// WithLogger logs each attempt at debug level: method, path, status (0 where no
// answer came), attempt, duration and request id; after a failure the error, and
// the wait if there is another attempt. A write of which the server ignored
// members is logged at warning level, with their names.
func WithLogger(logger *slog.Logger) Option {
	return func(cfg *config) error {
		if logger == nil {
			return errors.New("authentik: WithLogger: the logger is nil")
		}
		cfg.Logger = logger
		return nil
	}
}

func parseBaseURL(baseURL string) (*url.URL, error) {
	// If a password has a slash, what comes before it looks like a port.
	_, rest, _ := strings.Cut(baseURL, "://")
	authority := rest[:max(strings.IndexAny(rest+"/", "/?#"), 0)]
	hasPort := strings.LastIndexByte(authority, ':') > strings.LastIndexByte(authority, ']')
	if strings.Contains(authority, "@") || hasPort && strings.Contains(rest, "@") {
		return nil, errors.New("authentik: base URL: what stands before its @ may be userinfo; give the token by itself")
	}
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("authentik: base URL: %.100w", errors.Unwrap(err)) // the whole has the URL
	}
	switch port, portErr := strconv.Atoi(cmp.Or(u.Port(), "443")); {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("authentik: base URL: its scheme is %.100q; write https://host", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("authentik: base URL: it has no host; write https://host")
	case portErr != nil || port < 1 || port > 65535:
		return nil, fmt.Errorf("authentik: base URL: %.100s is not a port", u.Port())
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("authentik: base URL: it has a query")
	case strings.Contains(baseURL, "#"):
		return nil, errors.New("authentik: base URL: it has a fragment")
	case strings.Contains(strings.ToLower(u.RawPath), "%2f"):
		return nil, errors.New("authentik: base URL: its path has an escaped slash")
	}
	path := ""
	if strings.Trim(u.Path, "/") != "" {
		if path, err = cleanPath(u.Path); err != nil {
			return nil, fmt.Errorf("authentik: base URL: %w", err)
		}
	}
	path = "/" + path
	if _, below, has := strings.Cut(path, "/api/v3/"); has && below != "" {
		return nil, fmt.Errorf("authentik: base URL: its path goes on after /api/v3/ with %.100q; leave that off", below)
	}
	for _, page := range []string{"/if/admin/", "/if/user/", "/if/flow/"} {
		if strings.Contains(path, page) {
			return nil, fmt.Errorf("authentik: base URL: %s is a page of the web interface; leave that off", page)
		}
	}
	if !strings.HasSuffix(path, "/api/v3/") {
		path += "api/v3/"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

// cleanPath returns path without a leading slash and with a trailing one: to
// authentik, a path without that does not exist.
func cleanPath(path string) (string, error) {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		// What stands after it may be a secret.
		return "", fmt.Errorf("the path %.100q goes on with a query or a fragment; parameters belong in opts", path[:i])
	}
	for segment := range strings.SplitSeq(path, "/") {
		if err := checkSegment(segment); err != nil {
			return "", fmt.Errorf("the path %.100q %w", path, err)
		}
	}
	return path + "/", nil
}

// checkSegment returns an error if segment cannot be one of a path.
func checkSegment(segment string) error {
	switch {
	case segment == "":
		return errors.New("has an empty segment")
	case segment == "." || segment == "..":
		return fmt.Errorf("has the segment %q", segment)
	case strings.ContainsAny(segment, `?#%\`) || strings.ContainsFunc(segment, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("has a ?, #, %, backslash or a character that cannot be printed; the SDK escapes the rest")
	}
	return nil
}

func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func isHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' })
}

// Get asks for the object at path, which is below /api/v3/: for example
// GET /core/users/1/ is Get[User](ctx, c, "core/users/1/", nil). A leading slash
// does not matter, a trailing one is added. A path with an empty, "." or ".."
// segment, a query or a fragment is an error before any request.
//
// opts are the query parameters: a struct with the url tags of go-querystring, a
// pointer to one, [url.Values] or nil.
//
// A response other than 2xx is an [APIError], a 400 within a [ValidationError],
// a 403 within a [ForbiddenError]. One that is not JSON, is null, or lacks the
// identity that T has a field for, is a [DecodeError]; a T without such a field
// takes any object but a page of a list. The identity is the field of T for the
// JSON member pk, or the one with the tag authentik:"identity". If no whole
// response came, the error wraps what the context or the transport said, the
// latter as a [*net/url.Error].
//
// Members that T has no field for are dropped, unless T has a field like Extra,
// with the tag json:",embed,inline"; inline is what GOEXPERIMENT=jsonv2 of Go 1.26
// calls it.
func Get[T any](ctx context.Context, c *Client, path string, opts any) (*T, error) {
	return get[*T](ctx, c, path, opts)
}

// The functions get, retrieve, list, pages and all are what services call, and
// what the exported ones call: their type argument is a pointer, of which Go
// compiles one copy for all types together.

// get is [Get] for P, which is *T.
func get[P any](ctx context.Context, c *Client, path string, opts any) (P, error) {
	v, err := c.read(ctx, path, opts, reflect.TypeFor[P]().Elem())
	if err != nil {
		return *new(P), err
	}
	return v.Interface().(P), nil
}

// retrieve is get of the object with the given id in the list at path; see
// [objectPath].
func retrieve[P any](ctx context.Context, c *Client, path string, id any) (P, error) {
	object, err := objectPath(path, id, "")
	if err != nil {
		return *new(P), c.errorf(http.MethodGet, path, "%w", err)
	}
	return get[P](ctx, c, object, nil)
}

// below is get of what is below the object with the given id in the list at path.
func below[P any](ctx context.Context, c *Client, path string, id any, rest string, opts any) (P, error) {
	object, err := objectPath(path, id, rest)
	if err != nil {
		return *new(P), c.errorf(http.MethodGet, path, "%w", err)
	}
	return get[P](ctx, c, object, opts)
}

// items takes the list out of what get, below and send return.
func items[S ~[]T, T any](list *S, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// objectPath returns the path of what is below the object with the given id in
// the list at path: "" is the object itself, "set_password/" an action. The id
// is a uuid.UUID, an int, a string or two, as the server's URL has it. One that no
// object can have, such as uuid.Nil, 0 or "", is an error.
func objectPath(list string, id any, below string) (string, error) {
	var segment string
	switch id := id.(type) {
	case uuid.UUID:
		if id == uuid.Nil {
			return "", errors.New("the id is uuid.Nil")
		}
		segment = id.String()
	case int:
		if id <= 0 {
			return "", fmt.Errorf("the id is %d", id)
		}
		segment = strconv.Itoa(id)
	case string:
		if id == "" {
			return "", errors.New("the id is empty")
		}
		if strings.Contains(id, "/") {
			return "", fmt.Errorf("the id %.100q has a slash", id)
		}
		if err := checkSegment(id); err != nil {
			return "", fmt.Errorf("the id %.100q %w", id, err)
		}
		segment = id
	case [2]string: // one after the other
		path, err := objectPath(list, id[0], "")
		if err != nil {
			return "", err
		}
		return objectPath(path, id[1], below)
	default:
		return "", fmt.Errorf("the id is of type %T", id)
	}
	return list + segment + "/" + below, nil
}

// read is Get without a type parameter. It returns a pointer to a T.
func (c *Client) read(ctx context.Context, path string, opts any, t reflect.Type) (reflect.Value, error) {
	values, err := encodeOptions(opts)
	if err != nil {
		return reflect.Value{}, c.errorf(http.MethodGet, path, "%w", err)
	}
	r, err := c.do(ctx, request{method: http.MethodGet, path: path, query: values})
	if err != nil {
		return reflect.Value{}, err
	}
	defer r.Release()
	return decodeObject(r, t)
}

// decodeObject returns a pointer to the T that the response is.
func decodeObject(r *transport.Response, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t)
	if raw, ok := reflect.TypeAssert[*[]byte](v); ok { // of an answer that is no JSON
		*raw = bytes.Clone(r.Body)
		return v, nil
	}
	if err := decode(r, v.Interface()); err != nil {
		return reflect.Value{}, err
	}
	identity := codec.IdentityOf(t)
	switch {
	case identity.Member != "":
		if identity.MayLack(v.Elem()) && !codec.HasMember(r.Body, identity.Member) {
			return reflect.Value{}, decodeError(r, bodyError("no "+identity.Member))
		}
	case t.Kind() == reflect.Struct && isList(r.Body) && !codec.HasField(t, "results") && !codec.HasField(t, "pagination"):
		return reflect.Value{}, decodeError(r, errList)
	}
	return v, nil
}

// isList tells whether the body is a page of a list.
func isList(body []byte) bool {
	return bytes.Contains(body, []byte(`"pagination"`)) && codec.HasMember(body, "pagination") && codec.HasMember(body, "results")
}

// encodeOptions returns the query parameters of opts.
func encodeOptions(opts any) (url.Values, error) {
	values, err := query.Encode(opts)
	if err != nil {
		return nil, err
	}
	if listOptions(opts).Prefetch < 0 {
		return nil, errors.New("the option Prefetch is negative")
	}
	return values, nil
}

// errorf returns an error with method and path, of a failure that is not that of
// one request. The path is one that do takes.
func (c *Client) errorf(method, path, format string, args ...any) error {
	path, _ = cleanPath(path)
	return fmt.Errorf("authentik: "+method+" "+c.base.Path+path+": "+format, args...)
}

var errNilContext = errors.New("authentik: the context is nil")

// request is what to ask of the server.
type request struct {
	method string
	path   string // below /api/v3/
	query  url.Values
	body   *transport.Body // nil: none

	creates bool // see transport.Request
	stay    bool // see transport.Request; a 302 is an answer then
}

// do is the one way to the server: it sends the request, as often as the retries
// allow, and returns the response if it is 2xx. The caller releases it.
func (c *Client) do(ctx context.Context, r request) (*transport.Response, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	path, err := cleanPath(r.path)
	if err == nil && strings.HasPrefix(path, "api/v3/") {
		err = fmt.Errorf("the path %.100q is below /api/v3/ already", path)
	}
	if err != nil {
		return nil, fmt.Errorf("authentik: %w", err)
	}
	u := *c.base
	u.Path += path
	u.RawQuery = r.query.Encode()
	response, err := c.transport.Do(ctx, transport.Request{Method: r.method, URL: &u, Body: r.body, Creates: r.creates, Stay: r.stay})
	switch {
	case err != nil:
		err = &requestError{r.method, &u, response.Attempts, err}
	case response.Starting:
		err = decodeError(response, errStarting)
		response.Release()
	case response.Status >= 200 && response.Status <= 299, r.stay && response.Status == http.StatusFound:
		return response, nil
	case r.method == http.MethodDelete && response.Unknown && isGone(response):
		return response, nil // an earlier attempt has done it
	default:
		err = newAPIError(response)
		response.Release()
	}
	if response.NoTime {
		err = fmt.Errorf("%w: %w", err, errNoTime)
	}
	if response.Unknown {
		err = fmt.Errorf("%w: %w", err, ErrOutcomeUnknown)
	}
	return nil, err
}
