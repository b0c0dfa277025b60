package authentik

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/transport"
)

// The kinds of failure, for [errors.Is]. An [APIError], and whatever wraps one,
// matches by its status.
var (
	ErrBadRequest   = errors.New("authentik: bad request")       // 400, a [ValidationError]
	ErrUnauthorized = errors.New("authentik: unauthorized")      // 401 of a proxy, and 403 if authentik refused the token
	ErrForbidden    = errors.New("authentik: forbidden")         // 403, a [ForbiddenError]
	ErrConflict     = errors.New("authentik: conflict")          // 409
	ErrRateLimited  = errors.New("authentik: too many requests") // 429
	ErrServer       = errors.New("authentik: server error")      // 500 and above

	// ErrNotFound is a 404 by which authentik says that there is no such object or
	// page, or that the token's user may not see it.
	ErrNotFound = errors.New("authentik: not found")

	// ErrNoEndpoint is any other 404: a proxy answered, or an authentik of a release
	// that does not have the endpoint. It never comes with ErrNotFound, so "create it
	// if it is not found" creates nothing after it.
	ErrNoEndpoint = errors.New("authentik: no such endpoint")

	// ErrListChanged ends [All] if no reading of the list was consistent: objects
	// are created and deleted all the time, perhaps by the loop itself, or the
	// ordering is by a field that repeats objects.
	ErrListChanged = errors.New("authentik: no consistent reading of the list")

	// ErrOutcomeUnknown is a write that the server may have done, though no answer
	// said so: the connection broke, the time was up, or a proxy answered for
	// authentik. Look before you try again.
	ErrOutcomeUnknown = errors.New("authentik: it may have been done")

	// ErrResponseTooLarge is a body of more than 32 MiB, after decompression.
	ErrResponseTooLarge = transport.ErrResponseTooLarge
)

// APIError is a response other than 2xx. Find it with [errors.As], its kind with
// [errors.Is] and a sentinel such as [ErrNotFound].
type APIError struct {
	StatusCode int
	Method     string
	Path       string      // of the URL, without the query
	Detail     string      // the server's own words, "" if it gave none; in the server's language
	Code       string      // the member code, "" if it gave none
	RequestID  string      // the header X-authentik-id, as in the server's log; "" if a proxy answered
	Attempts   int         // how often the request was tried
	Header     http.Header // of the response
	Body       []byte      // as it came, and cut where it broke off: JSON, HTML, text or nothing
}

// Error says method, path, status, the server's words, and the attempts and
// request id if there are any, in one line of bounded length.
func (e *APIError) Error() string {
	switch {
	case e.Is(ErrNoEndpoint):
		return e.text(e.Detail, textNoEndpoint+": "+textOtherRelease+", or the base URL is another")
	case e.isNoMethod():
		return e.text(e.Detail, textNoMethod)
	}
	return e.text(e.Detail)
}

const (
	textNoEndpoint   = "no such endpoint, as the answer is not authentik's JSON"
	textNoMethod     = "this release of the server has no such method here"
	textOtherRelease = "the server is older or newer than the endpoint"
)

// isNoMethod reports whether the server has another method at the path of a write.
func (e *APIError) isNoMethod() bool {
	return e.StatusCode == http.StatusMethodNotAllowed && e.Method != http.MethodGet
}

// isNotFound reports whether a 404 is authentik's own: one with a detail, cut off,
// or without a body, which authentik sends with its request id.
func (e *APIError) isNotFound() bool {
	body := bytes.TrimSpace(e.Body)
	switch {
	case e.StatusCode != http.StatusNotFound:
		return false
	case len(body) == 0:
		return e.Detail != "" || e.RequestID != ""
	}
	return body[0] == '{' && (codec.HasMember(body, "detail") || !json.Valid(body))
}

// Is reports whether target is the sentinel for the status.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrBadRequest:
		return e.StatusCode == http.StatusBadRequest
	case ErrUnauthorized:
		return e.StatusCode == http.StatusUnauthorized
	case ErrForbidden:
		return e.StatusCode == http.StatusForbidden
	case ErrNotFound:
		return e.isNotFound()
	case ErrNoEndpoint:
		return e.StatusCode == http.StatusNotFound && !e.isNotFound()
	case ErrConflict:
		return e.StatusCode == http.StatusConflict
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case ErrServer:
		return e.StatusCode >= http.StatusInternalServerError
	}
	return false
}

func (e *APIError) text(words ...string) string {
	text := fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
	if len(words) > 0 {
		text += ": " + strings.Join(words, "; ")
	}
	return errorText(e.Method, e.Path, text, e.Attempts, e.RequestID)
}

// endpointError is an APIError that says why the server may lack the endpoint.
type endpointError struct {
	*APIError
	words string
}

func (e *endpointError) Error() string { return e.text(e.Detail, e.words) }

func (e *endpointError) Unwrap() error { return e.APIError }

// explain returns e, with the releases that have the operation if one that the
// server lacks may be the cause.
func (c *Client) explain(op *Operation, e *APIError) error {
	server := c.release.kept()
	why := op.whyMissing(server)
	switch {
	case e.Is(ErrNoEndpoint):
		why = cmp.Or(why, "a proxy may have answered")
		if !server.isKnown() {
			why += ", or the base URL is another"
		}
		return &endpointError{e, textNoEndpoint + ": " + why}
	case e.isNoMethod() && why != "":
		return &endpointError{e, textNoMethod + ": " + why}
	}
	return e
}

// ValidationError is a 400: the server refused a filter or a field.
type ValidationError struct {
	APIError

	// NonFieldErrors are the messages that belong to no field, those of a body
	// that is a list among them.
	NonFieldErrors []string
	// Fields are the messages by field. A nested field is named a.b, one in a
	// list a.0.b.
	Fields map[string][]string
}

// Error is that of the [APIError], with all messages, the fields sorted.
func (e *ValidationError) Error() string {
	words := append([]string{e.Detail}, e.NonFieldErrors...)
	for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
		words = append(words, field+": "+strings.Join(e.Fields[field], " "))
	}
	if slices.ContainsFunc(saysTLS, func(words string) bool { return bytes.Contains(e.Body, []byte(words)) }) {
		words = append(words, textTLS)
	}
	return e.text(words...)
}

const textTLS = "this port speaks TLS: write https://"

// saysTLS are what servers answer with 400 if they expect TLS: those of Go, nginx and
// Apache.
var saysTLS = []string{"HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port", "plain HTTP to an SSL-enabled server port"}

// Unwrap returns the APIError.
func (e *ValidationError) Unwrap() error { return &e.APIError }

// ForbiddenError is a 403: the token was refused, which matches [ErrUnauthorized]
// as well, or the token's user lacks a permission.
type ForbiddenError struct {
	APIError

	// Permissions are those that the operation needs, such as
	// authentik_core.view_user: the user lacks at least one. They are those of the
	// server's release if [Client.ServerVersion] has read it, else those of all
	// releases; five were asked, and the others are taken for the nearest of them.
	// It is nil if the token was refused, only superusers may, or nothing is known, as of
	// the path of a [Get].
	Permissions []string
}

// Error is that of the [APIError], with the permissions.
func (e *ForbiddenError) Error() string {
	if len(e.Permissions) == 0 {
		return e.text(e.Detail)
	}
	return e.text(strings.TrimSuffix(e.Detail, "."), "it needs "+strings.Join(e.Permissions, ", "))
}

// Unwrap returns the APIError.
func (e *ForbiddenError) Unwrap() error { return &e.APIError }

// Is reports whether target is [ErrForbidden], or [ErrUnauthorized] for a token that
// was refused.
func (e *ForbiddenError) Is(target error) bool {
	return e.APIError.Is(target) || target == ErrUnauthorized && e.InvalidToken()
}

// InvalidToken reports whether the server refused the token or received none;
// false means a missing permission. On a retrieve, a token that a proxy dropped
// also looks like a missing permission.
func (e *ForbiddenError) InvalidToken() bool {
	switch e.Detail {
	case "Token invalid/expired", // never translated
		"Authentication credentials were not provided.", // of lists; in English
		"Unsupported authentication type",               // before 2025.12
		"Malformed header":
		return true
	}
	return false
}

// DecodeError is a response of 2xx that is not what was asked for: HTML of a web
// page or a proxy, broken or empty JSON, a list without results, an object
// without its identity, a page that contradicts itself or is not the one asked for.
type DecodeError struct {
	StatusCode  int
	Method      string
	Path        string      // of the URL, without the query
	ContentType string      // of the response, "" if it gave none
	RequestID   string      // the header X-authentik-id; "" if a proxy answered
	Attempts    int         // how often the request was tried
	Header      http.Header // of the response
	Body        []byte
	Err         error
}

// Error says method, path, status, content type and what is wrong, and the
// attempts and request id if there are any, in one line of bounded length.
func (e *DecodeError) Error() string {
	contentType := e.ContentType
	if contentType == "" {
		contentType = "no content type"
	}
	text := fmt.Sprintf("unexpected response (%d, %s): %s", e.StatusCode, contentType, describe(e.Err))
	if media, _, _ := mime.ParseMediaType(contentType); media == "text/html" {
		text += "; it is a web page, perhaps a proxy's login"
	}
	return errorText(e.Method, e.Path, text, e.Attempts, e.RequestID)
}

// describe says what is wrong with a body, and quotes nothing of it, as an error
// of a type's own UnmarshalJSON may.
func describe(err error) string {
	if own, ok := errors.AsType[bodyError](err); ok {
		return string(own)
	}
	if syntaxError, ok := errors.AsType[*codec.SyntaxError](err); ok {
		return syntaxError.Error()
	}
	field := ""
	valueError, isValue := errors.AsType[*codec.ValueError](err)
	if isValue {
		field = valueError.Field
	}
	typeError, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case ok && typeError.Type != nil:
		got, _, _ := strings.Cut(typeError.Value, " ")
		field = cmp.Or(strings.Trim(field+"."+typeError.Field, "."), "it")
		return fmt.Sprintf("%s is %s, not %s", field, got, typeName(typeError.Type))
	case isValue && field != "":
		return fmt.Sprintf("%s cannot be decoded as %s", field, typeName(valueError.Type))
	}
	return "a value cannot be decoded"
}

func typeName(t reflect.Type) string { return cmp.Or(t.Name(), t.Kind().String()) }

// Unwrap returns what is wrong with the body.
func (e *DecodeError) Unwrap() error { return e.Err }

// requestError is a request that got no whole response.
type requestError struct {
	method   string
	url      *url.URL
	attempts int
	err      error
}

func (e *requestError) Error() string {
	err := e.err
	if urlError, ok := err.(*url.Error); ok { //nolint:errorlint // not one that a token source or a transport wrapped
		err = urlError.Err // method and URL are said already
	}
	text := strings.TrimPrefix(err.Error(), errorPrefix)
	if e.url.RawQuery != "" {
		text = strings.ReplaceAll(text, "?"+e.url.RawQuery, "")
	}
	switch { // net/http has no types for them
	case strings.Contains(text, "server gave HTTP response to HTTPS client"):
		text += "; write http:// if there is no TLS"
	case strings.Contains(text, `malformed HTTP response "\x15\x03`): // an alert
		text += "; " + textTLS
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](e.err); ok {
		text += "; WithTLSConfig sets the CA to trust, AUTHENTIK_INSECURE=true accepts any certificate"
	}
	return errorText(e.method, e.url.Path, text, e.attempts, "")
}

func (e *requestError) Unwrap() error { return e.err }

// Is makes every kind of time limit an os.ErrDeadlineExceeded: those of a
// context and of an http.Client are none by themselves.
func (e *requestError) Is(target error) bool {
	netError, ok := errors.AsType[net.Error](e.err)
	return target == os.ErrDeadlineExceeded && (ok && netError.Timeout() || errors.Is(e.err, context.DeadlineExceeded))
}

// callError is an error that is not that of one request.
type callError struct {
	method string
	path   string // of the URL, without the query
	err    error
}

func (e *callError) Error() string {
	return fmt.Sprintf("%s%s %s: %s", errorPrefix, e.method, e.path, strings.TrimPrefix(e.err.Error(), errorPrefix))
}

func (e *callError) Unwrap() error { return e.err }

// joinedError is an error that is of another kind as well.
type joinedError struct{ err, kind error }

func (e *joinedError) Error() string {
	return e.err.Error() + ": " + strings.TrimPrefix(e.kind.Error(), errorPrefix)
}

func (e *joinedError) Unwrap() []error { return []error{e.err, e.kind} }

// noTimeError ends the attempts before the deadline.
type noTimeError struct{}

var errNoTime = noTimeError{}

func (noTimeError) Error() string { return "the next wait would not fit before the deadline" }

// Is makes it the time limit that it comes before.
func (noTimeError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}

// IgnoredError is a write that was done, but not as it was sent: the server is too
// old to know a member, or made something else of it. See [WithStrictWrites].
type IgnoredError struct {
	Method    string
	Path      string // of the URL, without the query
	Members   []IgnoredMember
	RequestID string // the header X-authentik-id; "" if a proxy took it away
}

// IgnoredMember is a member of a request of which the server made something else.
type IgnoredMember struct {
	Name string // in JSON; of one inside an object or a list a.b or a.0.b
	Sent string // as JSON; "(hidden)" of a secret
	Got  string // as JSON; "" if the answer has no such member
}

// Error says method, path, the members with what was sent and what came, and the
// request id if there is one, in one line of bounded length.
func (e *IgnoredError) Error() string {
	members := make([]string, len(e.Members))
	for i, member := range e.Members {
		members[i] = fmt.Sprintf("%s (sent %s, got %s)", member.Name, cut(member.Sent), cmp.Or(cut(member.Got), "nothing"))
	}
	return errorText(e.Method, e.Path, "the server ignored or changed: "+strings.Join(members, ", "), 1, e.RequestID)
}

// cut shortens the text of a value.
func cut(value string) string {
	if len(value) > maxValueText {
		return value[:maxValueText] + "…"
	}
	return value
}

// FailedError is an answer of 2xx by which the server says that it did not do what
// was asked. What it answered comes with the error.
type FailedError struct {
	Method    string
	Path      string   // of the URL, without the query
	Log       []string // what the server wrote about it; it may be nothing
	RequestID string   // the header X-authentik-id; "" if a proxy took it away
}

// Error says method, path, the server's log, and the request id if there is one, in
// one line of bounded length.
func (e *FailedError) Error() string {
	text := "the server could not do it"
	if len(e.Log) > 0 {
		text += ": " + strings.Join(e.Log, "; ")
	}
	return errorText(e.Method, e.Path, text, 1, e.RequestID)
}

// maxErrorText bounds the text of an error in bytes: what a server says in a
// line of its log, not what it could say.
const maxErrorText = 1000

// maxValueText is the same for one value in it.
const maxValueText = 200

// errorPrefix begins the text of every error, and stands in none twice.
const errorPrefix = "authentik: "

func errorText(method, path, text string, attempts int, requestID string) string {
	text = fmt.Sprintf("%s%s %s: %s", errorPrefix, method, path, text)
	if len(text) > maxErrorText {
		text = text[:maxErrorText] + "…"
	}
	if attempts > 1 {
		text += fmt.Sprintf(" (%d attempts)", attempts)
	}
	if requestID != "" {
		text += fmt.Sprintf(" (request id %.100s)", requestID)
	}
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// isGone reports whether authentik itself says that there is no such object: its
// 404 has a detail, that of a proxy or of an unknown path has none.
func isGone(r *transport.Response) bool {
	return r.Status == http.StatusNotFound && codec.HasMember(r.Body, "detail")
}

// newAPIError makes the error of a response other than 2xx.
func newAPIError(r *transport.Response) error {
	e := APIError{
		StatusCode: r.Status,
		Method:     r.Method,
		Path:       r.Path,
		RequestID:  r.Header.Get(transport.RequestIDHeader),
		Attempts:   r.Attempts,
		Header:     r.Header,
		Body:       bytes.Clone(r.Body),
	}
	var body any
	if len(r.Body) > maxParsedError || codec.Unmarshal(r.Body, &body) != nil {
		body = nil
	}
	members, isObject := body.(map[string]any)
	e.Detail, _ = members["detail"].(string)
	e.Code, _ = members["code"].(string)
	switch r.Status {
	case http.StatusBadRequest:
		invalid := &ValidationError{APIError: e}
		if !isObject {
			invalid.add("", body)
			return invalid
		}
		invalid.add("", members["non_field_errors"])
		for _, field := range slices.Sorted(maps.Keys(members)) {
			switch {
			case field == "non_field_errors", field == "detail" && e.Detail != "", field == "code" && e.Code != "":
			default:
				invalid.add(field, members[field])
			}
		}
		return invalid
	case http.StatusForbidden:
		return &ForbiddenError{APIError: e}
	}
	if e.Detail == "" { // the front proxy's word for it
		e.Detail, _ = members["error"].(string)
	}
	if text, isText := body.(string); isText { // of a notification that could not be sent
		e.Detail = text
	}
	return &e
}

// A body is parsed for messages up to maxParsedError bytes, and its fields
// named up to about maxFieldName bytes, so that the names of all fields take
// 3 MB at most, whatever the body.
const (
	maxParsedError = 64 << 10
	maxFieldName   = 200
)

// add files the messages in v, which is what JSON holds at the field.
func (e *ValidationError) add(field string, v any) {
	list, isList := v.([]any)
	object, isObject := v.(map[string]any)
	switch text, isText := v.(string); {
	case v == nil:
	case isText:
		e.addMessage(field, text)
	case isList && len(field) <= maxFieldName:
		for i, item := range list {
			switch item.(type) {
			case []any, map[string]any:
				e.add(joinField(field, strconv.Itoa(i)), item)
			default:
				e.add(field, item)
			}
		}
	case isObject && len(field) <= maxFieldName:
		for _, key := range slices.Sorted(maps.Keys(object)) {
			e.add(joinField(field, key), object[key])
		}
	default:
		b, _ := codec.Marshal(v) // it came from JSON
		e.addMessage(field, string(b))
	}
}

func (e *ValidationError) addMessage(field, message string) {
	if field == "" {
		e.NonFieldErrors = append(e.NonFieldErrors, message)
		return
	}
	if e.Fields == nil {
		e.Fields = map[string][]string{}
	}
	e.Fields[field] = append(e.Fields[field], message)
}

func joinField(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}
