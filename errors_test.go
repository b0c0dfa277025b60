package authentik_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"
)

// listPath is what the errors of a password list name.
const listPath = "authentik: GET /sso/api/v3/stages/password/: "

func TestErrors(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	text := http.Header{"Content-Type": {"text/plain"}}
	const noEndpoint = "404 Not Found: no such endpoint, as the answer is not authentik's JSON: a proxy may have answered, or the base URL is another"
	django := http.Header{"Content-Type": {"application/json"}, "X-Authentik-Id": {requestID}}
	for _, tt := range []struct {
		name       string
		status     int
		header     http.Header
		body       string
		is, also   error
		detail     string
		code       string
		nonField   []string
		fields     map[string][]string
		errorText  string
		noSentinel bool
	}{
		{
			name: "field map", status: 400, header: django,
			body:      `{"configure_flow":["“abc” is not a valid UUID."],"failed_attempts_before_cancel":["Enter a number.","Really."]}`,
			is:        authentik.ErrBadRequest,
			fields:    map[string][]string{"configure_flow": {"“abc” is not a valid UUID."}, "failed_attempts_before_cancel": {"Enter a number.", "Really."}},
			errorText: "400 Bad Request: configure_flow: “abc” is not a valid UUID.; failed_attempts_before_cancel: Enter a number. Really. (request id " + requestID + ")",
		},
		{
			name: "text alone", status: 500, header: django, body: `"[Errno 111] Connection refused"`,
			is: authentik.ErrServer, detail: "[Errno 111] Connection refused",
			errorText: "500 Internal Server Error: [Errno 111] Connection refused (request id " + requestID + ")",
		},
		{
			name: "text alone of a 400", status: 400, header: django, body: `"no"`,
			is: authentik.ErrBadRequest, nonField: []string{"no"},
			errorText: "400 Bad Request: no (request id " + requestID + ")",
		},
		{
			name: "nested map", status: 400,
			body: `{"a":{"b":["x"],"c":{"d":"y"}},"user_fields":{"0":["bad"]},"items":[{},{"name":["z"]},"plain"],"n":[1,true,null],"o":7}`,
			is:   authentik.ErrBadRequest,
			fields: map[string][]string{
				"a.b": {"x"}, "a.c.d": {"y"}, "user_fields.0": {"bad"}, "items.1.name": {"z"}, "items": {"plain"}, "n": {"1", "true"}, "o": {"7"},
			},
			errorText: "400 Bad Request: a.b: x; a.c.d: y; items: plain; items.1.name: z; n: 1 true; o: 7; user_fields.0: bad",
		},
		{
			name: "non-field errors, detail and code", status: 400,
			body: `{"non_field_errors":["Enterprise is required."],"detail":"Request denied.","code":"denied_license"}`,
			is:   authentik.ErrBadRequest, detail: "Request denied.", code: "denied_license", nonField: []string{"Enterprise is required."},
			errorText: "400 Bad Request: Request denied.; Enterprise is required.",
		},
		{
			name: "detail and code that are no strings", status: 400, body: `{"non_field_errors":"one","detail":["two"],"code":3}`,
			is: authentik.ErrBadRequest, nonField: []string{"one"}, fields: map[string][]string{"detail": {"two"}, "code": {"3"}},
			errorText: "400 Bad Request: one; code: 3; detail: two",
		},
		{
			name: "list body", status: 400, body: `["Null characters are not allowed."]`,
			is: authentik.ErrBadRequest, nonField: []string{"Null characters are not allowed."},
			errorText: "400 Bad Request: Null characters are not allowed.",
		},
		{
			name: "list of objects", status: 400, body: `[{}, {"name": ["Too long."]}]`,
			is: authentik.ErrBadRequest, fields: map[string][]string{"1.name": {"Too long."}}, errorText: "400 Bad Request: 1.name: Too long.",
		},
		{name: "string body", status: 400, body: `"no"`, is: authentik.ErrBadRequest, nonField: []string{"no"}, errorText: "400 Bad Request: no"},
		{name: "400 HTML", status: 400, header: html, body: "<html>secret", is: authentik.ErrBadRequest, errorText: "400 Bad Request"},
		{name: "400 empty: an inactive user's session", status: 400, is: authentik.ErrBadRequest, errorText: "400 Bad Request"},
		{name: "400 cut off", status: 400, body: `{"name":["secre`, is: authentik.ErrBadRequest, errorText: "400 Bad Request"},
		{name: "400 null", status: 400, body: `null`, is: authentik.ErrBadRequest, errorText: "400 Bad Request"},
		{name: "401", status: 401, body: `{"detail":"Who?"}`, is: authentik.ErrUnauthorized, detail: "Who?", errorText: "401 Unauthorized: Who?"},
		{
			name: "403", status: 403, header: django, body: `{"detail":"Token invalid/expired"}`,
			is: authentik.ErrForbidden, also: authentik.ErrUnauthorized, detail: "Token invalid/expired",
			errorText: "403 Forbidden: Token invalid/expired (request id " + requestID + ")",
		},
		{name: "403 HTML of a firewall", status: 403, header: html, body: "<html>secret", is: authentik.ErrForbidden, errorText: "403 Forbidden"},
		{name: "404 JSON", status: 404, body: `{"detail":"Not found."}`, is: authentik.ErrNotFound, detail: "Not found.", errorText: "404 Not Found: Not found."},
		{name: "404 HTML", status: 404, header: html, body: "<html>secret", is: authentik.ErrNoEndpoint, errorText: noEndpoint},
		{name: "404 text of a proxy", status: 404, header: text, body: "404 page not found", is: authentik.ErrNoEndpoint, errorText: noEndpoint},
		{name: "404 JSON of a gateway", status: 404, body: `{"message":"no Route matched"}`, is: authentik.ErrNoEndpoint, errorText: noEndpoint},
		{name: "404 empty, of a proxy", status: 404, is: authentik.ErrNoEndpoint, errorText: noEndpoint},
		{name: "404 empty, of authentik", status: 404, header: django, is: authentik.ErrNotFound, errorText: "404 Not Found (request id " + requestID + ")"},
		{name: "404 JSON cut off", status: 404, body: ` {"deta`, is: authentik.ErrNotFound, errorText: "404 Not Found"},
		{
			name: "405", status: 405, body: `{"detail":"Method \"GET\" not allowed."}`, detail: `Method "GET" not allowed.`, noSentinel: true,
			errorText: `405 Method Not Allowed: Method "GET" not allowed.`,
		},
		{
			name: "406", status: 406, body: `{"detail":"Could not satisfy the request Accept header."}`, noSentinel: true,
			detail: "Could not satisfy the request Accept header.", errorText: "406 Not Acceptable: Could not satisfy the request Accept header.",
		},
		{name: "409", status: 409, body: `{"detail":"Taken."}`, is: authentik.ErrConflict, detail: "Taken.", errorText: "409 Conflict: Taken."},
		{name: "408 of the proxy", status: 408, noSentinel: true, errorText: "408 Request Timeout"},
		{
			name: "429", status: 429, body: `{"detail":"Request was throttled. Expected available in 60 seconds."}`, is: authentik.ErrRateLimited,
			detail: "Request was throttled. Expected available in 60 seconds.", errorText: "429 Too Many Requests: Request was throttled. Expected available in 60 seconds.",
		},
		{name: "500 HTML", status: 500, header: html, body: "<html>secret", is: authentik.ErrServer, errorText: "500 Internal Server Error"},
		{name: "500 text", status: 500, header: text, body: "secret", is: authentik.ErrServer, errorText: "500 Internal Server Error"},
		{name: "501", status: 501, is: authentik.ErrServer, errorText: "501 Not Implemented"},
		{
			name: "502 JSON", status: 502, body: `{"error":"failed to connect to authentik backend: authentik starting"}`, is: authentik.ErrServer,
			detail: "failed to connect to authentik backend: authentik starting", errorText: "502 Bad Gateway: failed to connect to authentik backend: authentik starting",
		},
		{name: "502 HTML", status: 502, header: html, body: "<html>secret", is: authentik.ErrServer, errorText: "502 Bad Gateway"},
		{name: "502 text", status: 502, header: text, body: "secret", is: authentik.ErrServer, errorText: "502 Bad Gateway"},
		{name: "503 JSON", status: 503, body: `{"error":"authentik starting"}`, is: authentik.ErrServer, detail: "authentik starting", errorText: "503 Service Unavailable: authentik starting"},
		{name: "503 HTML", status: 503, header: html, body: "<html>secret", is: authentik.ErrServer, errorText: "503 Service Unavailable"},
		{name: "503 text", status: 503, header: text, body: "secret", is: authentik.ErrServer, errorText: "503 Service Unavailable"},
		{name: "101", status: 101, noSentinel: true, errorText: "101 Switching Protocols"},
		{name: "300", status: 300, noSentinel: true, errorText: "300 Multiple Choices"},
		{name: "not followed", status: 304, noSentinel: true, errorText: "304 Not Modified"},
		{name: "no status of HTTP", status: 999, is: authentik.ErrServer, errorText: "999"},
		{
			name: "more than one line", status: 404, body: "{\"detail\":\"a\\nb\\u0000\\u202ec\\u2028d\"}", is: authentik.ErrNotFound,
			detail: "a\nb\x00\u202ec\u2028d", errorText: "404 Not Found: a b c d",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := answering(t, tt.status, tt.header, tt.body)
			page, err := client.StagesPassword.List(t.Context(), &authentik.StagesPasswordListOptions{Name: "secret"})
			if page != nil {
				t.Errorf("page %v beside an error", page)
			}
			var apiError *authentik.APIError
			if !errors.As(err, &apiError) {
				t.Fatalf("error %T %v, want an APIError", err, err)
			}
			if got := err.Error(); got != listPath+tt.errorText {
				t.Errorf("text\n got %s\nwant %s", got, listPath+tt.errorText)
			}
			wantID := tt.header.Get("X-Authentik-Id")
			if diff := cmp.Diff(&authentik.APIError{
				StatusCode: tt.status, Method: "GET", Path: apiPath + "stages/password/", Detail: tt.detail, Code: tt.code,
				RequestID: wantID, Attempts: 1, Header: apiError.Header, Body: []byte(tt.body),
			}, apiError, cmpEmpty); diff != "" {
				t.Errorf("APIError (-want +got):\n%s", diff)
			}
			if got := apiError.Header.Get("Content-Type"); got != tt.header.Get("Content-Type") {
				t.Errorf("Content-Type %q", got)
			}

			var invalid *authentik.ValidationError
			if got := errors.As(err, &invalid); got != (tt.status == 400) {
				t.Errorf("is a ValidationError: %t", got)
			} else if got {
				if diff := cmp.Diff(tt.nonField, invalid.NonFieldErrors); diff != "" {
					t.Errorf("NonFieldErrors (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.fields, invalid.Fields); diff != "" {
					t.Errorf("Fields (-want +got):\n%s", diff)
				}
			}
			var forbidden *authentik.ForbiddenError
			if got := errors.As(err, &forbidden); got != (tt.status == 403) {
				t.Errorf("is a ForbiddenError: %t", got)
			}
			for _, sentinel := range []error{
				authentik.ErrBadRequest, authentik.ErrUnauthorized, authentik.ErrForbidden, authentik.ErrNotFound,
				authentik.ErrRateLimited, authentik.ErrServer, authentik.ErrListChanged, authentik.ErrResponseTooLarge,
				authentik.ErrNoEndpoint, authentik.ErrConflict,
			} {
				if got, want := errors.Is(err, sentinel), !tt.noSentinel && (errors.Is(tt.is, sentinel) || errors.Is(tt.also, sentinel)); got != want {
					t.Errorf("errors.Is(err, %v) = %t", sentinel, got)
				}
			}
		})
	}
}

// cmpEmpty takes a body that is nil for an empty one.
var cmpEmpty = cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Body" },
	cmp.Transformer("string", func(b []byte) string { return string(b) }))

// cmpErr takes the member Err as it is.
var cmpErr = cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Err" },
	cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) }))

func TestInvalidToken(t *testing.T) {
	t.Parallel()
	if (&authentik.ForbiddenError{}).InvalidToken() {
		t.Error("an error that a test made says that the token is invalid")
	}
	for body, want := range map[string]bool{
		`{"detail":"Token invalid/expired"}`:                              true,
		`{"detail":"Authentication credentials were not provided."}`:      true,
		`{"detail":"Unsupported authentication type"}`:                    true,
		`{"detail":"Malformed header"}`:                                   true,
		`{"detail":"You do not have permission to perform this action."}`: false,
		`<html>`: false,
		``:       false,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			_, err := answering(t, http.StatusForbidden, nil, body).StagesSource.Retrieve(t.Context(), pk)
			forbidden, ok := errors.AsType[*authentik.ForbiddenError](err)
			if !ok {
				t.Fatalf("error %v, want a ForbiddenError", err)
			}
			if got := forbidden.InvalidToken(); got != want {
				t.Errorf("InvalidToken() = %t", got)
			}
			if got := errors.Is(err, authentik.ErrUnauthorized); got != want || !errors.Is(err, authentik.ErrForbidden) {
				t.Errorf("is ErrUnauthorized: %t", got)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	type call struct {
		name string
		do   func(context.Context, *authentik.Client, resource) error
	}
	list := call{"list", func(ctx context.Context, c *authentik.Client, r resource) error { return r.listNil(ctx, c) }}
	pages := call{"pages", func(ctx context.Context, c *authentik.Client, r resource) error {
		return lastError(r.pages(ctx, c, authentik.ListOptions{}))
	}}
	all := call{"all", func(ctx context.Context, c *authentik.Client, r resource) error {
		return lastError(r.all(ctx, c, authentik.ListOptions{}))
	}}
	retrieve := call{"retrieve", func(ctx context.Context, c *authentik.Client, r resource) error {
		return second(r.retrieve(ctx, c, pk))
	}}
	html := http.Header{"Content-Type": {"text/html"}}
	lists, every := []call{list, pages, all}, []call{list, pages, all, retrieve}
	const pagination = `"pagination":{"next":0,"count":0,"current":1,"total_pages":1}`
	for _, tt := range []struct {
		name   string
		calls  []call
		status int
		header http.Header
		body   string
		want   string // in the text
	}{
		{"HTML", every, 200, html, "<html>secret</html>", "(200, text/html)"},
		{"empty", every, 200, nil, "", "(200, no content type)"},
		{"no content", every, 204, nil, "", "(204, no content type)"},
		{"null", every, 200, nil, " null\n", "null"},
		{"cut off", every, 200, nil, `{"pk":"765ed48b-9283`, "unexpected end"},
		{"authentik 2025.10.0 starting", every, 200, nil, `{"error":"authentik starting"}`, "no p"},
		{"something behind it", every, 200, nil, `{} {}`, "after top-level value"},
		{"a list", every, 200, nil, `[]`, "it is array, not "},
		{"a string", every, 200, nil, `"secret"`, "string"},
		{"byte-order mark", every, 200, nil, "\ufeff{}", "invalid character"},

		{"no pk", []call{retrieve}, 200, nil, `{"name":"x"}`, "no pk"},
		{"null pk", []call{retrieve}, 200, nil, `{"pk":null,"name":"x"}`, "no pk"},
		{"pk of another type", []call{retrieve}, 200, nil, `{"pk":5}`, "pk is number, not UUID"},
		{"pk with a prefix", []call{retrieve}, 200, nil, `{"pk":"s3cret-xx765ed48b-9283-4461-987d-de42dba24533"}`, "pk cannot be decoded as UUID"},
		{"pk that is no UUID", []call{retrieve}, 200, nil, `{"pk":"secret"}`, "pk cannot be decoded as UUID"},
		{"flow set of another type", []call{retrieve}, 200, nil, `{"pk":"765ed48b-9283-4461-987d-de42dba24533","flow_set":[5]}`, "number"},

		{"no pagination", lists, 200, nil, `{"results":[]}`, "no pagination"},
		{"null pagination", lists, 200, nil, `{"pagination":null,"results":[]}`, "no pagination"},
		{"no results", lists, 200, nil, `{` + pagination + `}`, "no results"},
		{"null results", lists, 200, nil, `{` + pagination + `,"results":null}`, "no results"},
		{"results no list", lists, 200, nil, `{` + pagination + `,"results":{}}`, "object"},
		{"pagination no object", lists, 200, nil, `{"pagination":[],"results":[]}`, "array"},
		{"null among the results", lists, 200, nil, `{` + pagination + `,"results":[{"pk":"765ed48b-9283-4461-987d-de42dba24533"},null]}`, "results.1 has no pk"},
		{"an empty object among the results", lists, 200, nil, `{` + pagination + `,"results":[{}]}`, "results.0 has no pk"},
		{"a null pk among the results", lists, 200, nil, `{` + pagination + `,"results":[{"pk":null,"name":"x"}]}`, "results.0 has no pk"},
		{"no UUID among the results", lists, 200, nil, `{` + pagination + `,"results":[{"pk":"secret"}]}`, "results.0.pk cannot be decoded as UUID"},
		{"another page", []call{pages, all}, 200, nil, `{"pagination":{"next":0,"current":2,"total_pages":2},"results":[]}`, "it is page 2, not 1"},
		{"a page that is skipped", []call{pages, all}, 200, nil, `{"pagination":{"next":3,"current":1,"total_pages":3},"results":[]}`, "page 1 names 3 as the next one"},
		{"a page before", []call{pages, all}, 200, nil, `{"pagination":{"next":1,"current":1,"total_pages":3},"results":[]}`, "page 1 names 1 as the next one"},
		{"no next page of three", []call{pages, all}, 200, nil, `{"pagination":{"next":0,"current":1,"total_pages":3},"results":[]}`, "page 1 of 3 names no next one"},
		{"a next page after the last", []call{pages, all}, 200, nil, `{"pagination":{"next":2,"current":1,"total_pages":1},"results":[]}`, "page 1 of 1 names 2 as the next one"},
		{"brotli", every, 200, http.Header{"Content-Encoding": {"br"}}, "\x0b\x02\x80{}\x03", `its Content-Encoding is "br", which nobody asked for`},
		{"half a page", lists, 200, nil, `{"pagination":{"next":1.5},"results":[]}`, "not whole"},
		{"a page before all", lists, 200, nil, `{"pagination":{"next":-1e99},"results":[]}`, "too large"},
		{"a page beyond all", lists, 200, nil, `{"pagination":{"next":1e99},"results":[]}`, "too large"},
	} {
		for _, r := range resources {
			for _, call := range tt.calls {
				t.Run(tt.name+"/"+call.name+"/"+r.name, func(t *testing.T) {
					t.Parallel()
					header := http.Header{"X-Authentik-Id": {"0a1b"}}
					maps.Copy(header, tt.header)
					err := call.do(t.Context(), answering(t, tt.status, header, tt.body), r)
					decodeError, ok := errors.AsType[*authentik.DecodeError](err)
					if !ok {
						t.Fatalf("error %T %v, want a DecodeError", err, err)
					}
					path := apiPath + r.path
					if call.name == "retrieve" {
						path += pk.String() + "/"
					}
					want := &authentik.DecodeError{
						StatusCode: tt.status, Method: "GET", Path: path, ContentType: tt.header.Get("Content-Type"),
						RequestID: "0a1b", Attempts: 1, Header: header, Body: []byte(tt.body), Err: decodeError.Err,
					}
					if diff := cmp.Diff(want, decodeError, cmpEmpty, cmpErr); diff != "" {
						t.Errorf("DecodeError (-want +got):\n%s", diff)
					}
					if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "s3cret") ||
						!strings.HasPrefix(err.Error(), "authentik: GET "+path+": ") || !strings.HasSuffix(err.Error(), " (request id 0a1b)") {
						t.Errorf("text %q, want one with %q", err, tt.want)
					}
					if errors.Unwrap(err) == nil {
						t.Error("wraps nothing")
					}
				})
			}
		}
	}
}

func TestMessagesOfOneFieldAreInOrder(t *testing.T) {
	t.Parallel()
	client := answering(t, 400, nil, `{"a":{"b":["1"]},"a.b":["2"],"c":{"d":{"e":"3"}},"c.d":{"e":"4"},"c.d.e":"5"}`)
	for range 20 { // since maps have no order
		_, err := client.StagesPassword.List(t.Context(), nil)
		invalid, _ := errors.AsType[*authentik.ValidationError](err)
		if diff := cmp.Diff(map[string][]string{"a.b": {"1", "2"}, "c.d.e": {"3", "4", "5"}}, invalid.Fields); diff != "" {
			t.Fatalf("Fields (-want +got):\n%s", diff)
		}
	}
}

func TestMessagesOfALongBody(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]bool{2 << 10: true, 63 << 10: true, 65 << 10: false} {
		_, err := answering(t, 400, nil, fmt.Sprintf(`{"name":[%q]}`, strings.Repeat("x", size))).StagesPassword.List(t.Context(), nil)
		invalid, ok := errors.AsType[*authentik.ValidationError](err)
		if !ok || (invalid.Fields["name"] != nil) != want {
			t.Errorf("%d bytes: %d fields", size, len(invalid.Fields))
		}
	}
}

func TestErrorsThatATestMakes(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"authentik: : 0 : name: taken": &authentik.ValidationError{Fields: map[string][]string{"name": {"taken"}}},
		"authentik: DELETE : 405 Method Not Allowed: this release of the server has no such method here": &authentik.APIError{Method: "DELETE", StatusCode: 405},
		"authentik: : 0": &authentik.ForbiddenError{},
		"authentik: : unexpected response (0, no content type): a value cannot be decoded": &authentik.DecodeError{Err: &json.UnmarshalTypeError{Value: "number"}},
	} {
		if got := err.Error(); got != want {
			t.Errorf("text %q, want %q", got, want)
		}
		if errors.Is(err, authentik.ErrForbidden) || errors.Is(err, authentik.ErrBadRequest) {
			t.Errorf("%T without an APIError has a status", err)
		}
	}
}

// TestSentinels says that each begins alike, and that no text says so twice.
func TestSentinels(t *testing.T) {
	t.Parallel()
	for _, sentinel := range []error{
		authentik.ErrBadRequest, authentik.ErrUnauthorized, authentik.ErrForbidden, authentik.ErrNotFound, authentik.ErrNoEndpoint,
		authentik.ErrConflict, authentik.ErrRateLimited, authentik.ErrServer, authentik.ErrListChanged, authentik.ErrOutcomeUnknown,
		authentik.ErrResponseTooLarge, authentik.ErrAmbiguous,
	} {
		if !strings.HasPrefix(sentinel.Error(), "authentik: ") {
			t.Errorf("%q", sentinel)
		}
	}
	client, mock := mockClient(t, authentik.WithRetries(0, 0, 0))
	mock.RegisterNoResponder(answer(502, nil, "").Then(answer(200, nil, strings.Repeat(" ", authentik.MaxBody+1))))
	for _, want := range []error{authentik.ErrOutcomeUnknown, authentik.ErrResponseTooLarge} {
		_, err := authentik.Post[struct{}](t.Context(), client, "x/", nil)
		if !errors.Is(err, want) || strings.Count(err.Error(), "authentik: ") != 1 {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

// TestNoEndpointIsNotNotFound has what a program makes if an object is not found.
func TestNoEndpointIsNotNotFound(t *testing.T) {
	t.Parallel()
	for err, want := range map[*authentik.APIError]error{
		{StatusCode: 404, Detail: "Not found."}:                             authentik.ErrNotFound,
		{StatusCode: 404, Body: []byte(`{"detail":"Not found."}`)}:          authentik.ErrNotFound,
		{StatusCode: 404, Body: []byte(` {"deta`)}:                          authentik.ErrNotFound,
		{StatusCode: 404, RequestID: "0a1b"}:                                authentik.ErrNotFound,
		{StatusCode: 404}:                                                   authentik.ErrNoEndpoint,
		{StatusCode: 404, RequestID: "0a1b", Body: []byte(`<html>`)}:        authentik.ErrNoEndpoint,
		{StatusCode: 404, Body: []byte(`{"message":"no Route matched"}`)}:   authentik.ErrNoEndpoint,
		{StatusCode: 405, Body: []byte(`{"detail":"Method not allowed."}`)}: nil,
	} {
		for _, sentinel := range []error{authentik.ErrNotFound, authentik.ErrNoEndpoint} {
			if got := errors.Is(err, sentinel); got != (want != nil && errors.Is(want, sentinel)) {
				t.Errorf("%v %s: is %v: %t", err, err.Body, sentinel, got)
			}
		}
	}
}

// TestMissingEndpointSaysWhichRelease asks for endpoints that all releases have, that
// came, that ended, and that did both, of servers with a known version and without.
func TestMissingEndpointSaysWhichRelease(t *testing.T) {
	t.Parallel()
	type call = func(context.Context, *authentik.Client) error
	all := func(ctx context.Context, c *authentik.Client) (err error) {
		_, err = c.CoreUsers.List(ctx, nil)
		return
	}
	came := func(ctx context.Context, c *authentik.Client) (err error) {
		_, err = c.StagesSource.List(ctx, nil)
		return
	}
	ended := func(ctx context.Context, c *authentik.Client) (err error) {
		_, err = c.CoreTenants.List(ctx, nil)
		return
	}
	both := func(ctx context.Context, c *authentik.Client) (err error) {
		_, err = c.EventsSystemTasks.List(ctx, nil)
		return
	}
	write := func(ctx context.Context, c *authentik.Client) error { return c.CoreTenants.Delete(ctx, uuid.New()) }
	own := func(ctx context.Context, c *authentik.Client) (err error) {
		_, err = authentik.Get[map[string]any](ctx, c, "x/", nil)
		return
	}
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	crash := http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Allow": {"GET, HEAD, OPTIONS"}}
	noEndpoint, noMethod := answer(404, html, "<html>"), answer(405, nil, `{"detail":"No."}`)
	noPath := func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodHead {
			return answer(404, html, "")(r)
		}
		return answer(405, crash, "")(r)
	}
	for _, tt := range []struct {
		server string // "": the version was not read
		call   call
		answer httpmock.Responder
		want   string
	}{
		{"", own, noEndpoint, "authentik's JSON: the server is older or newer than the endpoint, or the base URL is another"},
		{"", all, noEndpoint, "authentik's JSON: a proxy may have answered, or the base URL is another"},
		{"", came, noEndpoint, "authentik's JSON: the server is older than the endpoint, which 2024.4 and later have, or the base URL is another"},
		{"", ended, noEndpoint, "authentik's JSON: the server is newer than the endpoint, which 2023.10 and earlier have, or the base URL is another"},
		{"", both, noEndpoint, "authentik's JSON: the server is older or newer than the endpoint, which 2024.2 to 2025.6 have, or the base URL is another"},
		{"main", came, noEndpoint, "authentik's JSON: the server is older than the endpoint, which 2024.4 and later have, or the base URL is another"},
		{"2026.8.3", all, noEndpoint, "authentik's JSON: a proxy may have answered"},
		{"2026.8.3", came, noEndpoint, "authentik's JSON: a proxy may have answered"},
		{"2023.10.7", came, noEndpoint, "authentik's JSON: the server is 2023.10.7, older than the endpoint, which 2024.4 and later have"},
		{"2023.10.7", both, noEndpoint, "authentik's JSON: the server is 2023.10.7, older than the endpoint, which 2024.2 to 2025.6 have"},
		{"2026.8.3", both, noEndpoint, "authentik's JSON: the server is 2026.8.3, newer than the endpoint, which 2024.2 to 2025.6 have"},
		{"", write, noMethod, "No.; this release of the server has no such method here: the server is newer than the endpoint, which 2023.10 and earlier have"},
		{"", write, noPath, "405 Method Not Allowed: no such endpoint: the server is newer than the endpoint, which 2023.10 and earlier have"},
		{"2025.10.4", write, noPath, "405 Method Not Allowed: no such endpoint: the server is 2025.10.4, newer than the endpoint, which 2023.10 and earlier have"},
	} {
		client, mock, answerVersion := versions(t)
		if tt.server != "" {
			answerVersion(http.StatusOK, tt.server)
			if _, err := client.ServerVersion(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		mock.RegisterNoResponder(tt.answer)
		if err := tt.call(t.Context(), client); err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.server, err, tt.want)
		}
		if _, asked := mock.GetCallCountInfo()["GET https://authentik.example/api/v3/admin/version/"]; asked != (tt.server != "") {
			t.Errorf("%s: the version was asked for: %t", tt.want, asked)
		}
	}
}

func TestDecodeErrorOfAnOwnType(t *testing.T) {
	t.Parallel()
	type object struct {
		Created time.Time
		Maybe   authentik.Nullable[time.Time]
	}
	_, err := authentik.Get[object](t.Context(), answering(t, 200, nil, `{"created":"secret"}`), "x/", nil)
	if _, ok := errors.AsType[*time.ParseError](err); !ok || strings.Contains(err.Error(), "secret") ||
		!strings.HasSuffix(err.Error(), ": created cannot be decoded as Time") {
		t.Errorf("error %v, want one that names the field, wraps a time.ParseError and does not show the value", err)
	}
}

func TestDecodeErrorWrapsItsCause(t *testing.T) {
	t.Parallel()
	_, err := answering(t, http.StatusOK, nil, `{"pk":`).StagesPassword.Retrieve(t.Context(), pk)
	if _, ok := errors.AsType[*json.SyntaxError](err); !ok {
		t.Errorf("error %v does not wrap a json.SyntaxError", err)
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 100_000)
	nested := strings.Repeat(`{"k":`, 5000) + `"x"` + strings.Repeat(`}`, 5000)
	list := strings.Repeat(`[`, 5000) + `"x"` + strings.Repeat(`]`, 5000)
	many := `{"` + strings.Repeat("k", 150) + `":{` + strings.Repeat(`"":"",`, 10_000) + `"0":""}}`
	leaves := `{"` + strings.Repeat("k", 400) + `":[` + strings.Repeat(`[0],`, 15_000) + `[0]]}`
	for name, body := range map[string]string{
		"many names":    many,
		"many lists":    leaves,
		"long detail":   fmt.Sprintf(`{"detail":%q}`, long),
		"long message":  fmt.Sprintf(`{"name":[%q]}`, long),
		"long name":     fmt.Sprintf(`{%q:["x"]}`, long),
		"many fields":   `{"a":{"` + strings.Repeat(`x":["y"],"`, 10_000) + `z":[]}}`,
		"deep objects":  nested,
		"deep lists":    list,
		"wide objects":  strings.Repeat(`{"a":"x","k":`, 3500) + `"x"` + strings.Repeat(`}`, 3500),
		"wide lists":    strings.Repeat(`["x",`, 5000) + `"x"` + strings.Repeat(`]`, 5000),
		"long and deep": fmt.Sprintf(`{%q:{%q:[{"a":"b"},[[{"a":"b"}]]]}}`, long, long),
		"invalid UTF-8": "{\"detail\":\"\xff\xfe" + long + "\"}",
		"over a megabyte": fmt.Sprintf(`{"detail":%q}`,
			strings.Repeat("x", 1<<20)),
	} {
		for _, status := range []int{400, 403, 404} {
			t.Run(fmt.Sprint(name, status), func(t *testing.T) {
				t.Parallel()
				_, err := answering(t, status, http.Header{"X-Authentik-Id": {"\xff" + long}}, body).StagesPassword.List(t.Context(), nil)
				text := err.Error()
				if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
					t.Errorf("not one line of UTF-8: %q", text)
				}
				if len(text) > 1300 {
					t.Errorf("%d bytes long", len(text))
				}
				if len(text) > 1050 && !strings.Contains(text, "…") {
					t.Errorf("does not show that it is cut: %q", text)
				}
				if !strings.HasPrefix(text, listPath+fmt.Sprint(status)) {
					t.Errorf("text %q", text)
				}
				if apiError, ok := errors.AsType[*authentik.APIError](err); !ok || string(apiError.Body) != body {
					t.Error("the body is not the one that came")
				}
				if invalid, ok := errors.AsType[*authentik.ValidationError](err); ok {
					size := 0
					for field, messages := range invalid.Fields {
						size += len(field) + len(strings.Join(messages, ""))
					}
					if size > 3<<20 {
						t.Errorf("the fields of %d bytes take %d", len(body), size)
					}
				}
			})
		}
	}
}

// TestSchemes speaks TLS to a port without, and the other way round.
func TestSchemes(t *testing.T) {
	t.Parallel()
	quiet := httptest.NewUnstartedServer(http.NotFoundHandler())
	quiet.Config.ErrorLog = log.New(io.Discard, "", 0)
	quiet.StartTLS()
	t.Cleanup(quiet.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	answering := func(text string) string {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, text)
				conn.Close()
			}
		}()
		return "http://" + listener.Addr().String()
	}
	page := "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"
	const write = "this port speaks TLS: write https://"
	for _, tt := range []struct{ name, url, want string }{
		{"http to Go", "http" + strings.TrimPrefix(quiet.URL, "https"), write},
		{"http to nginx", answering("HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + page), write},
		{"http to OpenSSL", answering("\x15\x03\x01\x00\x02\x02\x46"), write},
		{"https to http", "https" + strings.TrimPrefix(plain.URL, "http"), "write http:// if there is no TLS"},
	} {
		client, err := authentik.NewClient(tt.url, apiToken, authentik.WithRetries(0, 0, 0), authentik.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreUsers.List(t.Context(), nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, without %q", tt.name, err, tt.want)
		}
	}
}
