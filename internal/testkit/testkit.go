// Package testkit is what the tests of the root, of conformance and of replay share:
// clients of a mock transport or of the fake server, and answers for them.
package testkit

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"iter"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"
)

// The client of the tests.
const (
	BaseURL = "https://authentik.example.com/sso"
	APIPath = "/sso/api/v3/"
	Token   = "s3cr3t-t0k3n"
)

// PK is the pk of what the tests ask for.
var PK = uuid.MustParse("765ed48b-9283-4461-987d-de42dba24533")

// MockClient returns a client whose requests go to a transport of its own.
func MockClient(t *testing.T, opts ...authentik.Option) (*authentik.Client, *httpmock.MockTransport) {
	t.Helper()
	mock := httpmock.NewMockTransport()
	client, err := authentik.NewClient(BaseURL, Token, append([]authentik.Option{
		authentik.WithHTTPClient(&http.Client{Transport: mock}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client, mock
}

// Answering returns a client that gets the same Answer to whatever it asks.
func Answering(t *testing.T, status int, header http.Header, body string) *authentik.Client {
	t.Helper()
	client, mock := MockClient(t, authentik.WithRetries(0, 0, 0))
	mock.RegisterNoResponder(Answer(status, header, body))
	return client
}

// Answer returns a responder with the answer.
func Answer(status int, header http.Header, body string) httpmock.Responder {
	return func(*http.Request) (*http.Response, error) {
		response := httpmock.NewStringResponse(status, body)
		maps.Copy(response.Header, header)
		return response, nil
	}
}

// AnswerWith returns the response with the body.
func AnswerWith(body []byte) *http.Response { return httpmock.NewBytesResponse(http.StatusOK, body) }

// FakeClient returns a fake server and a client that leaves no connection.
func FakeClient(t *testing.T, opts ...authentik.Option) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	client, err := server.Client(append([]authentik.Option{authentik.WithHTTPClient(HTTPClient(t))}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

// HTTPClient returns a client that leaves no connection open.
func HTTPClient(t *testing.T) *http.Client {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// LastError walks seq to its end.
func LastError[T any](seq iter.Seq2[T, error]) error {
	_, err := authentik.Collect(seq)
	return err
}

// DiscardLog is for servers whose complaints are expected.
var DiscardLog = log.New(io.Discard, "", 0)

// Lines yields the JSON values of a file that is packed with gzip.
func Lines[T any](t *testing.T, name string) iter.Seq[T] {
	t.Helper()
	return func(yield func(T) bool) {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		lines, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		for decoder := json.NewDecoder(bufio.NewReader(lines)); decoder.More(); {
			var value T
			if err := decoder.Decode(&value); err != nil {
				t.Fatal(err)
			}
			if !yield(value) {
				return
			}
		}
	}
}

// IsLine reports whether the text is one line of UTF-8 that a terminal can show.
func IsLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Failing returns a responder that gives the error alone.
func Failing(err error) httpmock.Responder { return httpmock.NewErrorResponder(err) }

// AnswerEmpty answers each list with an empty page, which is the one that was asked
// for. It does not tell the server's version.
func AnswerEmpty(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/admin/version/") {
		return httpmock.NewStringResponse(http.StatusForbidden, `{"detail":"No."}`), nil
	}
	page := cmp.Or(r.URL.Query().Get("page"), "1")
	return httpmock.NewStringResponse(http.StatusOK, strings.Replace(EmptyPage, `"current":1`, `"current":`+page, 1)), nil
}

// EmptyPage is the answer of a list without objects.
const EmptyPage = `{"pagination":{"next":0,"previous":0,"count":0,"current":1,"total_pages":1,"start_index":0,"end_index":0},"results":[]}`

// Attempts runs a list in a bubble, whose clock stands still except for the waits,
// and returns when each attempt came.
func Attempts(ctx context.Context, t *testing.T, responder httpmock.Responder, opts ...authentik.Option) (times []time.Duration, elapsed time.Duration, err error) {
	t.Helper()
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(responder)
	start := time.Now()
	transport := RoundTripper(func(r *http.Request) (*http.Response, error) {
		times = append(times, time.Since(start))
		return mock.RoundTrip(r) // whose responders may outlive it
	})
	client, err := authentik.NewClient(BaseURL, Token, append(opts, authentik.WithHTTPClient(&http.Client{Transport: transport}))...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.StagesPassword.List(ctx, nil)
	return times, time.Since(start), err
}

// RoundTripper is a transport that is a function.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Numbered is a pk for the tests' objects.
func Numbered(n int) uuid.UUID { return uuid.UUID{15: byte(n), 14: byte(n >> 8), 0: 1} }

// PageOf is the JSON of a page whose objects are Numbered.
func PageOf(pagination authentik.Pagination, objects ...int) string {
	page := authentik.Page[map[string]any]{Pagination: pagination, Results: []map[string]any{}}
	for _, n := range objects {
		page.Results = append(page.Results, map[string]any{"pk": Numbered(n), "name": strconv.Itoa(n)})
	}
	b, _ := json.Marshal(page)
	return string(b)
}

// SentWrite is a request as the server gets it.
type SentWrite = struct{ Method, URL, ContentType, Body string }

// Recorder returns a client that gets the Answer, and what it sends.
func Recorder(t *testing.T, status int, body string, opts ...authentik.Option) (*authentik.Client, *[]SentWrite) {
	t.Helper()
	client, mock := MockClient(t, append([]authentik.Option{authentik.WithRetries(2, 0, 0)}, opts...)...)
	var sent []SentWrite
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/admin/version/") {
			return AnswerEmpty(r)
		}
		var b []byte
		if r.Body != nil {
			b, _ = io.ReadAll(r.Body)
		}
		if r.ContentLength != int64(len(b)) {
			t.Errorf("Content-Length %d of a body of %d bytes", r.ContentLength, len(b))
		}
		sent = append(sent, SentWrite{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), string(b)})
		return Answer(status, http.Header{"X-Authentik-Id": {"0a1b"}}, body)(r)
	})
	return client, &sent
}

// Written is what WriteMethods expect.
type Written = struct {
	PK   int    `json:"pk"`
	Name string `json:"name"`
}

// WriteMethods write to a path, each in its way.
var WriteMethods = map[string]func(ctx context.Context, c *authentik.Client, path string) error{
	http.MethodPost: func(ctx context.Context, c *authentik.Client, path string) error {
		_, err := authentik.Post[Written](ctx, c, path, WrittenRequest)
		return err
	},
	http.MethodPut: func(ctx context.Context, c *authentik.Client, path string) error {
		_, err := authentik.Put[Written](ctx, c, path, WrittenRequest)
		return err
	},
	http.MethodPatch: func(ctx context.Context, c *authentik.Client, path string) error {
		_, err := authentik.Patch[Written](ctx, c, path, WrittenRequest)
		return err
	},
	http.MethodDelete: func(ctx context.Context, c *authentik.Client, path string) error {
		return authentik.Delete(ctx, c, path)
	},
}

// WrittenRequest is the body of each of them.
var WrittenRequest = map[string]string{"name": "x", "pk": strings.Repeat("7", 200)}

// WrittenBody is the Answer.
const WrittenBody = `{"pk":7,"name":"x"}`

// DebugLogger writes all that the client logs as JSON.
func DebugLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// RequestID is what authentik sends in X-Authentik-Id.
const RequestID = "0123456789abcdef0123456789abcdef"

// PKText is PK.
const PKText = "765ed48b-9283-4461-987d-de42dba24533"
