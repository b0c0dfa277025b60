package authentik

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The kinds of failure, for [errors.Is]. An [APIError], and whatever wraps one,
// matches by its status.
var (
	ErrBadRequest   = errors.New("authentik: bad request")       // 400, a [ValidationError]
	ErrUnauthorized = errors.New("authentik: unauthorized")      // 401; authentik answers a bad token with 403
	ErrForbidden    = errors.New("authentik: forbidden")         // 403, a [ForbiddenError]
	ErrNotFound     = errors.New("authentik: not found")         // 404
	ErrRateLimited  = errors.New("authentik: too many requests") // 429
	ErrServer       = errors.New("authentik: server error")      // 500 and above

	// ErrListChanged ends [All] where the list changed during each of three readings.
	ErrListChanged = errors.New("authentik: the list kept changing while it was read")

	// ErrResponseTooLarge is a body of more than 32 MiB, after decompression.
	ErrResponseTooLarge = errors.New("authentik: the response is larger than 32 MiB")
)

// APIError is an answer other than 2xx. Find it with [errors.As], its kind with
// [errors.Is] and a sentinel such as [ErrNotFound].
type APIError struct {
	StatusCode int
	Method     string
	Path       string      // of the URL, without the query
	Detail     string      // the server's own words, "" where it gave none; in the server's language
	Code       string      // the member code, "" where it gave none
	RequestID  string      // the header X-authentik-id, as in the server's log; "" where a proxy answered
	Attempts   int         // how often the request was tried
	Header     http.Header // of the answer
	Body       []byte      // as it came, and cut where it broke off: JSON, HTML, text or nothing
}

// Error says method, path, status, the server's words, and the attempts and
// request id where there are any, in one line of bounded length.
func (e *APIError) Error() string { return e.text(e.Detail) }

// Is tells whether target is the sentinel for the status.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrBadRequest:
		return e.StatusCode == http.StatusBadRequest
	case ErrUnauthorized:
		return e.StatusCode == http.StatusUnauthorized
	case ErrForbidden:
		return e.StatusCode == http.StatusForbidden
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case ErrServer:
		return e.StatusCode >= http.StatusInternalServerError
	}
	return false
}

func (e *APIError) text(words string) string {
	text := fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	if words != "" {
		text += ": " + words
	}
	return errorText(e.Method, e.Path, text, e.Attempts, e.RequestID)
}

// ValidationError is a 400: the server refused a filter or a field.
type ValidationError struct {
	*APIError

	// NonFieldErrors are the messages that belong to no field, those of a body
	// that is a list among them.
	NonFieldErrors []string
	// Fields are the messages by field. A nested field is named a.b, one in a
	// list a.0.b.
	Fields map[string][]string
}

// Error is that of the [APIError], with all messages, the fields sorted.
func (e *ValidationError) Error() string {
	var words []string
	if e.Detail != "" {
		words = append(words, e.Detail)
	}
	words = append(words, e.NonFieldErrors...)
	for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
		words = append(words, field+": "+strings.Join(e.Fields[field], " "))
	}
	return e.text(strings.Join(words, "; "))
}

// Unwrap returns the APIError.
func (e *ValidationError) Unwrap() error { return e.APIError }

// ForbiddenError is a 403: the token was refused, or the token's user lacks a
// permission. [ForbiddenError.InvalidToken] tells which.
type ForbiddenError struct {
	*APIError
}

// Unwrap returns the APIError.
func (e *ForbiddenError) Unwrap() error { return e.APIError }

// InvalidToken reports whether the server refused the token, or saw none,
// rather than missed a permission. A retrieve whose token was lost on the way,
// in a proxy, cannot be told from a missing permission.
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

// DecodeError is an answer of 2xx that is not what was asked for: HTML of a web
// page or a proxy, broken or empty JSON, a list without results, an object
// without pk.
type DecodeError struct {
	StatusCode  int
	Method      string
	Path        string // of the URL, without the query
	ContentType string // of the answer, "" where it gave none
	Body        []byte
	Err         error
}

// Error says method, path, status, content type and what is wrong, in one line
// of bounded length.
func (e *DecodeError) Error() string {
	contentType := e.ContentType
	if contentType == "" {
		contentType = "no content type"
	}
	text := fmt.Sprintf("the answer (%d, %s) is not what was asked for: %v", e.StatusCode, contentType, e.Err)
	return errorText(e.Method, e.Path, text, 1, "")
}

// Unwrap returns what is wrong with the body.
func (e *DecodeError) Unwrap() error { return e.Err }

// requestError is a request that got no whole answer.
type requestError struct {
	method, path string
	attempts     int
	err          error
}

func newRequestError(req *http.Request, attempts int, err error) error {
	if urlError, ok := errors.AsType[*url.Error](err); ok {
		withoutQuery := *req.URL
		withoutQuery.RawQuery = ""
		err = &url.Error{Op: urlError.Op, URL: withoutQuery.String(), Err: urlError.Err}
	}
	return &requestError{req.Method, req.URL.Path, attempts, err}
}

func (e *requestError) Error() string {
	err := e.err
	if urlError, ok := errors.AsType[*url.Error](err); ok {
		err = urlError.Err // method and URL are said already
	}
	return errorText(e.method, e.path, err.Error(), e.attempts, "")
}

func (e *requestError) Unwrap() error { return e.err }

// Is makes every kind of time limit an os.ErrDeadlineExceeded: those of a
// context and of an http.Client are none by themselves.
func (e *requestError) Is(target error) bool {
	netError, ok := errors.AsType[net.Error](e.err)
	return target == os.ErrDeadlineExceeded && ok && netError.Timeout()
}

// maxErrorText bounds the text of an error in bytes: what a server says in a
// line of its log, not what it could say.
const maxErrorText = 1000

func errorText(method, path, text string, attempts int, requestID string) string {
	text = fmt.Sprintf("authentik: %s %s: %s", method, path, text)
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

// newAPIError makes the error of an answer other than 2xx.
func newAPIError(a *answer) error {
	e := &APIError{
		StatusCode: a.status,
		Method:     a.method,
		Path:       a.path,
		RequestID:  a.header.Get(requestIDHeader),
		Attempts:   a.attempts,
		Header:     a.header,
		Body:       a.body,
	}
	var body any
	if len(a.body) <= maxParsedError && json.Unmarshal(a.body, &body) != nil {
		body = nil
	}
	members, _ := body.(map[string]any)
	e.Detail, _ = members["detail"].(string)
	e.Code, _ = members["code"].(string)
	switch a.status {
	case http.StatusBadRequest:
		invalid := &ValidationError{APIError: e}
		if e.Detail != "" {
			delete(members, "detail")
		}
		if e.Code != "" {
			delete(members, "code")
		}
		if messages, ok := members["non_field_errors"]; ok {
			invalid.add("", messages)
			delete(members, "non_field_errors")
		}
		invalid.add("", body)
		return invalid
	case http.StatusForbidden:
		return &ForbiddenError{APIError: e}
	}
	if e.Detail == "" { // the front proxy's word for it
		e.Detail, _ = members["error"].(string)
	}
	return e
}

// A body is parsed for messages up to maxParsedError bytes, and its fields
// named up to about maxFieldName bytes, so that no answer makes the error many
// times its own size.
const (
	maxParsedError = 1 << 20
	maxFieldName   = 500
)

// add files the messages in v, which is what JSON holds at the field.
func (e *ValidationError) add(field string, v any) {
	switch v := v.(type) {
	case nil:
		return
	case string:
		e.addMessage(field, v)
		return
	case []any:
		if len(field) > maxFieldName {
			break
		}
		for i, item := range v {
			switch item.(type) {
			case []any, map[string]any:
				e.add(joinField(field, strconv.Itoa(i)), item)
			default:
				e.add(field, item)
			}
		}
		return
	case map[string]any:
		if len(field) > maxFieldName {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			e.add(joinField(field, key), v[key])
		}
		return
	}
	text, _ := json.Marshal(v) // came from JSON, so it goes back
	e.addMessage(field, string(text))
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

// unmarshal is replaced on Go 1.26, see extra_go126.go.
var unmarshal = json.Unmarshal

// decode reads the body of a 2xx into v.
func (a *answer) decode(v any) error {
	if bytes.Equal(bytes.TrimSpace(a.body), []byte("null")) {
		return a.decodeError(errNull)
	}
	if err := unmarshal(a.body, v); err != nil {
		return a.decodeError(err)
	}
	return nil
}

func (a *answer) decodeError(err error) error {
	return &DecodeError{
		StatusCode:  a.status,
		Method:      a.method,
		Path:        a.path,
		ContentType: a.header.Get("Content-Type"),
		Body:        a.body,
		Err:         err,
	}
}

var (
	errNull         = errors.New("null")
	errNoPK         = errors.New("no pk")
	errNoPagination = errors.New("no pagination")
	errNoResults    = errors.New("no results")
)
