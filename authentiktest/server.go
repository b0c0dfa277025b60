// Package authentiktest starts a fake authentik for tests: a server on the
// loopback interface that holds stages, and answers for them as authentik
// 2026.8 does.
//
//	server := authentiktest.NewServer()
//	defer server.Close()
//	server.StagesPassword.Add(authentik.PasswordStage{Name: "lenient", AllowShowPassword: true})
//	client, err := server.Client()
//
// It has authentik's pages (20 objects if no size is asked for, 100 at most),
// filters, search, ordering, and error answers. It can be told to fail with
// [Server.Fail], and remembers what it was asked: [Server.Requests].
//
// A 403 comes of a client with another token than the server's. A 400 comes of a
// filter that is not valid, which the typed options cannot express:
//
//	authentik.List[T](ctx, client, "stages/password/", url.Values{"configure_flow": {"x"}})
//
// A boolean that is neither true nor false and a filter that does not exist are
// ignored, as by authentik. A missing permission is a [Failure] with what
// authentik answers then:
//
//	server.Fail(1, authentiktest.Failure{
//		Status: http.StatusForbidden,
//		Body:   `{"detail":"You do not have permission to perform this action."}`,
//	})
//
// To have one path fail alone, put a handler of your own before
// [Server.ServeHTTP].
package authentiktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// Server is a fake authentik. All its methods are safe for concurrent use, also
// while it answers.
type Server struct {
	URL   string // the base URL for authentik.NewClient
	Token string // the one token that it accepts

	StagesIdentification *Stages[authentik.IdentificationStage]
	StagesPassword       *Stages[authentik.PasswordStage]
	StagesSource         *Stages[authentik.SourceStage]

	http   *httptest.Server
	closed chan struct{}
	close  func()

	mu       sync.Mutex
	lists    map[string]*list // by path below /api/v3/
	requests []Request
	failures []Failure
}

// Request is a request that the server got.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
}

// Failure is what the server does instead of answering a request.
type Failure struct {
	// Delay is waited for first, or until the client is gone or the server is
	// closed.
	Delay time.Duration
	// Status, Header and Body are the answer. If Status is 0, the request is
	// answered as if there were no failure. 500 without a Body is authentik's own,
	// which has an id; a client repeats any other that is not HTML.
	Status int
	Header http.Header
	Body   string
	// Cut closes the connection: in the middle of Body, or without an answer if
	// Status is 0. net/http itself sends a request again whose connection
	// was in use before and is closed without an answer.
	Cut bool
}

// NewServer starts a server that has no stages yet. Call Close to stop it.
func NewServer() *Server {
	s := &Server{
		Token:  "authentiktest",
		closed: make(chan struct{}),
		lists:  map[string]*list{},
	}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.StagesIdentification = addStages[authentik.IdentificationStage](s, identificationStage)
	s.StagesPassword = addStages[authentik.PasswordStage](s, passwordStage)
	s.StagesSource = addStages[authentik.SourceStage](s, sourceStage)
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s
}

// Close stops the server and cuts what is still being answered.
func (s *Server) Close() {
	s.close()
	s.http.CloseClientConnections()
	s.http.Close()
}

// Client returns a client for the server.
func (s *Server) Client(opts ...authentik.Option) (*authentik.Client, error) {
	return authentik.NewClient(s.URL, s.Token, opts...)
}

// Fail makes the next n requests fail, whatever they ask for, after those of
// earlier calls.
func (s *Server) Fail(n int, failure Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, slices.Repeat([]Failure{failure}, n)...)
}

// Requests returns the requests that the server got, the failed ones too, in
// the order in which they came.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// AddObjects adds objects to the list at path, which is below /api/v3/: for
// example "core/users/". They are what encoding/json makes of objects; it panics
// if that is no JSON object. The list has pages, is ordered and searched by
// name, and each member that is neither list nor object is a filter. One object
// is found at its pk.
func (s *Server) AddObjects(path string, objects ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path = strings.Trim(path, "/") + "/"
	l := s.lists[path]
	if l == nil {
		l = &list{kind: kind{model: "object"}}
		s.lists[path] = l
	}
	for _, object := range objects {
		l.entries = append(l.entries, newEntry(toMembers(object)))
	}
}

// ServeHTTP answers a request to the API. NewServer has it listen already; it
// is exported for handlers that wrap it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	failure := s.record(r)
	if failure.Delay > 0 {
		timer := time.NewTimer(failure.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		case <-s.closed:
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case failure.Status != 0:
		failure.answer(w)
	case failure.Cut:
		panic(http.ErrAbortHandler)
	default:
		s.answer(w, r)
	}
}

// record remembers the request and returns the failure that is due, if any.
func (s *Server) record(r *http.Request) Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{r.Method, r.URL.Path, r.URL.Query(), r.Header.Clone()})
	if len(s.failures) == 0 {
		return Failure{}
	}
	failure := s.failures[0]
	s.failures = s.failures[1:]
	return failure
}

func (f Failure) answer(w http.ResponseWriter) {
	if f.Status == http.StatusInternalServerError && f.Body == "" { // authentik's own, which no client repeats
		w.Header().Set("X-authentik-id", strings.ReplaceAll(uuid.NewString(), "-", ""))
	}
	for key, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(key)] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(f.Body)))
	w.WriteHeader(f.Status)
	if f.Cut {
		_, _ = w.Write([]byte(f.Body[:len(f.Body)/2]))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write([]byte(f.Body))
}

// reply is an answer of the API.
type reply struct {
	status int
	body   any // encoded as JSON; nil is the error page, which is HTML
}

func detail(status int, words string) reply {
	return reply{status, map[string]string{"detail": words}}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Powered-By", "authentik")
	w.Header().Set("X-authentik-id", strings.ReplaceAll(uuid.NewString(), "-", ""))
	reply := s.reply(r)
	if reply.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, HEAD")
	}
	contentType := "text/html; charset=utf-8"
	body := fmt.Appendf(nil, "<!DOCTYPE html>\n<title>%s - authentik</title>\n", http.StatusText(reply.status))
	if reply.body != nil {
		contentType = "application/json; charset=utf-8" // without the charset before 2026.8
		body, _ = json.Marshal(reply.body)              // of maps, strings and what was JSON before
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(reply.status)
	_, _ = w.Write(body) // net/http leaves it out of the answer to HEAD
}

// reply checks in the order in which authentik does: path, format, token,
// method, object.
func (s *Server) reply(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, pk := s.find(r.URL.Path)
	query := lastOf(r.URL.Query())
	switch {
	case l == nil:
		return reply{http.StatusNotFound, nil}
	case query["format"] != "" && query["format"] != "json":
		return detail(http.StatusNotFound, "Not found.")
	case !acceptsJSON(r.Header):
		return detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.")
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer") && token == s.Token:
	case strings.EqualFold(scheme, "Bearer") && token != "":
		return detail(http.StatusForbidden, "Token invalid/expired")
	case pk != "":
		return detail(http.StatusForbidden, "You do not have permission to perform this action.")
	default:
		return detail(http.StatusForbidden, "Authentication credentials were not provided.")
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return detail(http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method))
	}
	entries, refusal := s.filter(l, query)
	if refusal != nil {
		return reply{http.StatusBadRequest, refusal}
	}
	if pk != "" {
		return l.object(entries, pk)
	}
	return page(entries, query)
}

// find returns the list that the path names, and the pk where it names an
// object of it. A path without a trailing slash names nothing.
func (s *Server) find(path string) (*list, string) {
	path, ok := strings.CutPrefix(path, "/api/v3/")
	if !ok {
		return nil, ""
	}
	if l := s.lists[path]; l != nil {
		return l, ""
	}
	object, ok := strings.CutSuffix(path, "/")
	slash := strings.LastIndexByte(object, '/')
	if !ok || strings.Contains(object[slash+1:], ".") || slash == len(object)-1 {
		return nil, ""
	}
	return s.lists[object[:slash+1]], object[slash+1:]
}

func acceptsJSON(header http.Header) bool {
	accept, sent := header["Accept"]
	if !sent {
		return true
	}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		mediaType, _, _ := strings.Cut(part, ";")
		switch strings.TrimSpace(mediaType) {
		case "application/json", "application/*", "*/*":
			return true
		}
	}
	return false
}

// lastOf keeps the last value of each parameter, as Django does.
func lastOf(query url.Values) map[string]string {
	last := map[string]string{}
	for name, values := range query {
		last[name] = values[len(values)-1]
	}
	return last
}
