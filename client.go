package authentik

import (
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

	"github.com/authentik-go/authentik/internal/query"
	"github.com/authentik-go/authentik/internal/transport"
	"github.com/google/uuid"
)

// Version is the version of this SDK, as it stands in the User-Agent.
const Version = "0.1.0"

// Client reads the API of one authentik server. Make it with [NewClient] or
// [NewClientFromEnv]. It is safe for concurrent use and never changes. No
// format verb shows its token.
type Client struct {
	StagesIdentification *StagesIdentificationService
	StagesPassword       *StagesPasswordService
	StagesSource         *StagesSourceService

	base      *url.URL // its path ends in /api/v3/
	transport *transport.Client
}

// NewClient returns a client for the server at baseURL that sends token, an API
// token or an OAuth2 access token with the scope goauthentik.io/api. It does no
// I/O and reads no environment.
//
// baseURL is https://host, with a sub-path where authentik is served below one;
// a trailing slash or /api/v3 changes nothing. Userinfo, a query, a fragment,
// and a scheme other than http and https are errors. So is a token that is
// empty, unless there is [WithTokenSource], or holds a character that no token
// has: a space, a control character, anything but ASCII.
func NewClient(baseURL, token string, opts ...Option) (*Client, error) {
	base, err := parseBaseURL(baseURL)
	if err != nil {
		return nil, err
	}
	cfg := &config{
		AddHeaders: func(http.Header) {},
		UserAgent:  "authentik-go/" + Version,
		Retries:    3,
		MinWait:    500 * time.Millisecond,
		MaxWait:    10 * time.Second,
		Logger:     slog.New(slog.DiscardHandler),
	}
	for _, opt := range opts {
		if err := opt(cfg); err != nil {
			return nil, err
		}
	}
	if token != "" || cfg.Token == nil {
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
	sender, err := transport.New(*cfg)
	if err != nil {
		return nil, fmt.Errorf("authentik: %w", err)
	}

	c := &Client{base: base, transport: sender}
	c.StagesIdentification = &StagesIdentificationService{client: c}
	c.StagesPassword = &StagesPasswordService{client: c}
	c.StagesSource = &StagesSourceService{client: c}
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

// Option changes a setting of a [Client] that is being made.
type Option func(*config) error

type config = transport.Config

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
// wrapped; source must be safe for concurrent use.
func WithTokenSource(source func(context.Context) (string, error)) Option {
	return func(cfg *config) error {
		if source == nil {
			return errors.New("authentik: WithTokenSource: the source is nil")
		}
		cfg.Token = source
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
// proxy or Accept-Language. Headers that the SDK needs for itself are refused.
func WithHeader(key, value string) Option {
	return func(cfg *config) error {
		key := http.CanonicalHeaderKey(key)
		switch key {
		case "Authorization", "Accept", "Accept-Encoding", "User-Agent", "Host", "Connection",
			"Content-Length", "Transfer-Encoding", "Trailer", "Te", "Upgrade":
			return fmt.Errorf("authentik: WithHeader: %s is set by the SDK", key)
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
// the longest wait before one: 3, 500ms and 10s by default. 0 retries turns
// them off. The wait doubles from attempt to attempt, less up to a quarter
// at random; if the server sends Retry-After, that is the wait, but never more
// than maxWait, so that 0 and 0 wait for nothing. A wait that cannot end before
// the context's deadline is not begun.
func WithRetries(retries int, minWait, maxWait time.Duration) Option {
	return func(cfg *config) error {
		if retries < 0 || minWait < 0 || maxWait < minWait {
			return fmt.Errorf("authentik: WithRetries(%d, %v, %v): negative, or the shortest wait is above the longest", retries, minWait, maxWait)
		}
		cfg.Retries, cfg.MinWait, cfg.MaxWait = retries, minWait, maxWait
		return nil
	}
}

// WithLogger logs each attempt at debug level: method, path, status (0 where no
// answer came), attempt, duration and request id, and nothing else.
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
	if strings.Contains(baseURL, "@") {
		return nil, errors.New("authentik: base URL: it has userinfo; give the token by itself")
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
	case u.RawPath != "":
		return nil, errors.New("authentik: base URL: its path has an escaped slash")
	}
	path := ""
	if strings.Trim(u.Path, "/") != "" {
		if path, err = cleanPath(u.Path); err != nil {
			return nil, fmt.Errorf("authentik: base URL: %w", err)
		}
	}
	path = "/" + path
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
		return errors.New("has a %, a backslash or a character that cannot be printed; it is escaped by the SDK")
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
// pk that T has a field for, is a [DecodeError]; without such a field any object
// will do. Where no whole response came, the error wraps what the context or the
// transport said, the latter as a [*net/url.Error].
//
// Members that T has no field for are dropped. On Go 1.27 and newer, a field of
// T like Extra, with the tag json:",embed", keeps them.
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

// objectPath returns the path of what is below the object with the given id in
// the list at path: "" is the object itself, "set_password/" an action. The id
// is a uuid.UUID, an int or a string, as the server's URL has it. One that no
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
	default:
		return "", fmt.Errorf("the id is of type %T", id)
	}
	return list + segment + "/" + below, nil
}

// read is Get without a type parameter. It returns a pointer to a T.
func (c *Client) read(ctx context.Context, path string, opts any, t reflect.Type) (reflect.Value, error) {
	values, _, err := encodeOptions(opts)
	if err != nil {
		return reflect.Value{}, err
	}
	r, err := c.do(ctx, request{method: http.MethodGet, path: path, query: values})
	if err != nil {
		return reflect.Value{}, err
	}
	v := reflect.New(t)
	if err := decode(r, v.Interface()); err != nil {
		return reflect.Value{}, err
	}
	if _, has := pkField(t); has && !pkReader(t)(v).IsValid() {
		return reflect.Value{}, decodeError(r, errNoPK)
	}
	return v, nil
}

// pkReader returns what reads the field of a *T for the JSON member pk, which
// tells the objects of a list apart: an invalid Value if there is no such field
// or it is zero.
func pkReader(t reflect.Type) func(reflect.Value) reflect.Value {
	index, has := pkField(t)
	return func(v reflect.Value) reflect.Value {
		if !has {
			return reflect.Value{}
		}
		field, err := v.Elem().FieldByIndexErr(index)
		if err != nil || field.IsZero() {
			return reflect.Value{} // err: it is within an embedded pointer that is nil
		}
		return reflect.Indirect(field)
	}
}

func pkField(t reflect.Type) (index []int, has bool) {
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if strings.EqualFold(cmp.Or(name, field.Name), "pk") && field.IsExported() {
			return field.Index, true
		}
	}
	return nil, false
}

// encodeOptions returns the query parameters of opts, and the Prefetch of the
// [ListOptions] in them.
func encodeOptions(opts any) (values url.Values, prefetch int, err error) {
	if values, err = query.Encode(opts); err != nil {
		return nil, 0, fmt.Errorf("authentik: %w", err)
	}
	v := reflect.ValueOf(opts)
	if v.Kind() == reflect.Struct { // the method is a pointer's
		v = reflect.New(v.Type())
		v.Elem().Set(reflect.ValueOf(opts))
	}
	for v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		if options, ok := v.Interface().(interface{ prefetch() int }); ok {
			prefetch = options.prefetch()
		}
	}
	if prefetch < 0 {
		return nil, 0, errors.New("authentik: Prefetch is negative")
	}
	return values, prefetch, nil
}

// errorf is for errors that no request tells of. The path is one that do takes.
func (c *Client) errorf(method, path, format string, args ...any) error {
	path, _ = cleanPath(path)
	return fmt.Errorf("authentik: "+method+" "+c.base.Path+path+": "+format, args...)
}

var errNilContext = errors.New("authentik: the context is nil")

// request is what to ask of the server.
type request struct {
	method      string
	path        string // below /api/v3/
	query       url.Values
	body        []byte // nil: none
	contentType string // of the body
}

// do is the one way to the server: it sends the request, as often as the retries
// allow, and returns the response if it is 2xx.
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
	response, err := c.transport.Do(ctx, transport.Request{Method: r.method, URL: &u, Body: r.body, ContentType: r.contentType})
	if err != nil {
		return nil, &requestError{r.method, &u, response.Attempts, err}
	}
	if response.Status < 200 || response.Status > 299 {
		return nil, newAPIError(response)
	}
	return response, nil
}
