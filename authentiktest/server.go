// Package authentiktest starts a fake authentik for tests: a server on the
// loopback interface that has every list of the API, and answers as authentik
// 2026.8 does, unless [Server.SetRelease] says otherwise.
//
//	server := authentiktest.NewServer()
//	defer server.Close()
//	server.CoreUsers.Add(authentik.User{Username: "anna"})
//	client, err := server.Client()
//
// What a test adds needs one field; the rest is filled in. Clients can list,
// retrieve, create, update and delete it, with authentik's pages (20 objects if no
// size is asked for, 100 at most), filters, search, ordering and error answers.
// What refers to another object shows it: the users_obj of a group are its users.
// A member that no answer of authentik shows, such as a password, is kept and not
// shown. The server can be told to fail with [Server.Fail] and [Server.FailOn], to
// be an older release with [Server.SetRelease], and remembers what it was asked:
// [Server.Requests].
//
// What servers of five releases said of themselves decides over the schema: defaults,
// lengths and patterns, messages, what is unique, orders, and what a DELETE takes
// along, empties or leaves. The rules across members that no schema shows are a
// table, rules.go: a PATCH is looked at alone, as authentik does, so that one of a
// token makes it the caller's, and one of a policy binding without its target fails.
// A server that fails does so as authentik's: a GET is a 500 and a write a 405 with
// an empty page, as for a path that does not exist. What needs an enterprise license
// is refused, unless [Server.License] grants one.
//
// The server's own token is a superuser's, akadmin. The key of a token in core/tokens
// is that of its user, who sees and may do what roles allow: rbac/permissions assigns.
// [Server.Permissions] tells which permissions the requests of a test needed. Another
// token gets a 403. A missing permission can be a [Failure] too:
//
//	server.Fail(1, authentiktest.Failure{
//		Status: http.StatusForbidden,
//		Body:   `{"detail":"You do not have permission to perform this action."}`,
//	})
//
// [Server.Bootstrap] adds what a fresh authentik has: akadmin, the default flows and
// their stages, scope mappings, a brand, the embedded outpost and a certificate. The
// command in cmd/authentiktest serves the fake to programs in any language.
//
// A boolean that is neither true nor false and a filter that does not exist are
// ignored, as by authentik; [Server.RefuseUnknownFilters] finds the second. A
// filter that the fake cannot answer is a 400 that says so, and what it cannot do a
// 501: answer it with [Server.FailOn].
//
// # Its words
//
// A kind is a list of the API, with its objects' type, filters and members; a member
// has flags and, where servers were asked, a fact. The kinds are in table.go, which
// is generated from the schemas, the facts in internal/contract. A rule checks a
// write, what follows a write is in follows.go, and computed.go has the members that
// are computed when the server answers. Actions are by subject: accounts.go,
// blueprints.go, certificates.go, exports.go, files.go, permissions.go and settings.go.
//
// # Simpler than authentik
//
// No Python is run: of expressions, only those that return a constant or compare a
// member of the user with a text can be tested. used_by names the references that
// lists show, and schedules. Schedules are listed, but nothing is run or queued: the
// tasks of applied blueprints are the only ones. Descriptions of kinds are empty. What
// an [Objects.Add] refers to need not be in the server. The facts of a release that
// was not asked are those of the closest one that was. The schema is missing.
//
// Flows are exported, and blueprints imported and applied, with all tags of authentik
// and the models that the API makes. A blueprint that is a file of the server is
// refused, !File finds nothing, and what is applied is done at once. The metadata of a
// SAML provider is not signed.
//
// Flows run out of the server's flows, bindings and stages, for package flow: a stage
// or a policy that the fake does not run is an ak-stage-flow-error that names it.
//
// for_user of applications judges users and groups that are bound, and dummy and
// short expression policies, and refuses if another policy is. Refused as well are
// name of requestable entitlements, user_is_reviewer of open iterations, and user of
// permissions.
package authentiktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/uuid"
)

// Server is a fake authentik. All its methods are safe for concurrent use, also
// while it answers.
type Server struct {
	URL   string // the base URL for authentik.NewClient
	Token string // the one token that it accepts

	Lists

	http   *httptest.Server
	closed chan struct{}
	close  func()

	mu        sync.Mutex
	lists     map[string]*list           // by path below /api/v3/
	named     map[string]map[string]bool // what tests refer to, by list and key
	forms     map[string][]*member       // of types, in the server's release
	numbers   map[string]int             // the last pk that was given, by list
	states    map[string]map[string]any  // of what has one object and no list, by path
	flows     flows
	changes   int // so far, of anything
	release   string
	strict    bool
	licensed  bool
	computed  computing
	grants    []grant
	files     map[string]file // by name
	appPages  map[appPage][]*object
	needed    []string // the permissions that requests have needed
	nextGrant int
	base      string  // the URL that the request being answered was sent to
	asking    *object // the user who sent it, nil if the server has no such user
	requests  []Request
	held      int // bytes of their bodies
	failures  []failures
}

// File returns the bytes of a file that a client uploaded, nil if there is none.
func (s *Server) File(name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.files[name].bytes)
}

// Request is a request that the server got.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte // of an upload, the whole form
}

// Failure is what the server does instead of answering a request.
type Failure struct {
	// Delay is waited for first, or until the client is gone or the server is
	// closed.
	Delay time.Duration
	// Status, Header and Body are the answer. If Status is 0, the request is
	// answered as if there were no failure. One below 500 has a request id, as
	// authentik's own have. A 500 without a Body is authentik's own, which is
	// final; a client repeats any other 500 that is not HTML.
	Status int
	Header http.Header
	Body   string
	// Cut closes the connection: in the middle of Body, or without an answer if
	// Status is 0. net/http itself sends a request again whose connection
	// was in use before and is closed without an answer.
	Cut bool
}

// NewServer starts a server that has no objects yet. Call Close to stop it.
func NewServer() *Server {
	s := &Server{
		Token:  "authentiktest",
		closed: make(chan struct{}),
		lists:  map[string]*list{},
		named:  map[string]map[string]bool{},
		forms:  map[string][]*member{},
		states: map[string]map[string]any{},
		files:  map[string]file{},

		appPages: map[appPage][]*object{},
		numbers:  map[string]int{},
		flows:    flows{map[string]*flowSession{}, nil, map[string]*flowMail{}, nil, map[string][]*flowDevice{}},
		computed: computed(),
		release:  contract.ReleaseOf(versions[len(versions)-1]),
	}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.Lists = newLists(s)
	s.http = httptest.NewUnstartedServer(s)
	s.URL = "http://" + s.http.Listener.Addr().String()
	s.base = s.URL
	s.http.Start() // last, as requests change s
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

// failures are n of one kind.
type failures struct {
	method, path string // "" is any
	n            int
	failure      Failure
}

// Fail makes the next n requests fail, whatever they ask for, after those of
// earlier calls. It panics if n is below 0, or the status is none.
func (s *Server) Fail(n int, failure Failure) { s.fail("Fail", "", "", n, failure) }

// FailOn makes the next n requests fail that ask for what: a method and a path
// below /api/v3/, such as "POST core/users/". A part of the path in braces, as in
// "GET core/users/{id}/", stands for any. It goes before [Server.Fail]. FailOn
// panics if n is below 0, the status is none, or what is no operation of any release.
// A Failure of status 200 with a body is an answer that the fake itself cannot give.
func (s *Server) FailOn(what string, n int, failure Failure) {
	method, path, ok := strings.Cut(what, " ")
	path = strings.TrimPrefix(path, "/")
	if !ok || method != strings.ToUpper(method) || path == "" || strings.HasPrefix(path, "api/v3/") || strings.ContainsAny(path, "? ") {
		panic(fmt.Sprintf("authentiktest: FailOn(%q): a method and a path below /api/v3/ are wanted, as POST core/users/", what))
	}
	if !s.knowsOperation(method, path) {
		panic(fmt.Sprintf("authentiktest: FailOn(%q): no release of authentik has it", what))
	}
	s.fail("FailOn", method, path, n, failure)
}

// knowsOperation reports whether any release, or a list that a test added, has the
// operation.
func (s *Server) knowsOperation(method, path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range kinds {
		k := &kinds[i]
		one := samePath(k.path+"{}/", "/api/v3/"+path)
		if path == k.path && strings.Contains(k.methods, method) || one && strings.Contains(k.methods1, method) {
			return true
		}
	}
	for i := range operations {
		o := &operations[i]
		if o.method == method && samePath(o.path, "/api/v3/"+path) {
			return true
		}
	}
	for added, l := range s.lists {
		if l.kind == nil && (path == added || samePath(added+"{}/", "/api/v3/"+path)) {
			return true
		}
	}
	return slices.ContainsFunc([]string{"schema/", "flows/executor/", "flows/inspector/"}, func(other string) bool { return strings.HasPrefix(path, other) })
}

func (s *Server) fail(caller, method, path string, n int, failure Failure) {
	switch {
	case n < 0:
		panic(fmt.Sprintf("authentiktest: %s: %d requests cannot fail", caller, n))
	case failure.Status != 0 && (failure.Status < 200 || failure.Status > 599):
		panic(fmt.Sprintf("authentiktest: %s: %d is no status of an answer", caller, failure.Status))
	case failure.Delay < 0:
		panic(fmt.Sprintf("authentiktest: %s: a delay of %v", caller, failure.Delay))
	}
	failure.Header = failure.Header.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = slices.DeleteFunc(s.failures, func(f failures) bool { return f.n == 0 })
	s.failures = append(s.failures, failures{method, path, n, failure})
}

// due returns the failure that is due for a request, if any.
func (s *Server) due(method, path string) Failure {
	for _, one := range []bool{true, false} {
		for i := range s.failures {
			f := &s.failures[i]
			if f.n > 0 && (f.method != "") == one && (!one || f.method == method && samePath(f.path, path)) {
				f.n--
				return f.failure
			}
		}
	}
	return Failure{}
}

// samePath reports whether the path is the wanted one, of which parts may be in braces.
func samePath(want, path string) bool {
	wanted, parts := strings.Split(want, "/"), strings.Split(strings.TrimPrefix(path, "/api/v3/"), "/")
	return slices.EqualFunc(wanted, parts, func(want, part string) bool {
		return want == part || strings.HasPrefix(want, "{") && strings.HasSuffix(want, "}") && part != ""
	})
}

// What a server that runs for long remembers of the past.
const (
	keptRequests = 10_000
	keptBodies   = 64 << 20 // bytes
	keptSessions = 1_000    // of browsers that run flows, and mails of flows
)

// Requests returns copies of the requests that the server got, the failed ones
// too, in the order in which they came: the last 10,000, and fewer if their bodies
// are more than 64 MiB.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests))
	for i, r := range s.requests {
		requests[i] = Request{r.Method, r.Path, url.Values(http.Header(r.Query).Clone()), r.Header.Clone(), bytes.Clone(r.Body)}
	}
	return requests
}

// SetRelease has the server answer as a release does, 2024.12 for example: with
// the lists, members, filters, defaults and page sizes that it has. Without it the
// server is the newest release. It comes first in a test: objects that were added before
// are not made anew. SetRelease panics if the release is not known.
func (s *Server) SetRelease(release string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if versionOf(release) == "" {
		panic(fmt.Sprintf("authentiktest: there is no release %q, or this module is older", release))
	}
	s.release = release
	clear(s.forms)
	s.changes++
}

// versionOf is the newest version of a release, "" if there is none.
func versionOf(release string) string {
	for _, version := range versions {
		if release != "" && strings.HasPrefix(version, release+".") {
			return version
		}
	}
	return ""
}

// has reports whether the server has what came and went with those releases.
func (s *Server) has(since, until string) bool {
	return compareReleases(since, s.release) <= 0 && (until == "" || compareReleases(s.release, until) <= 0)
}

// atLeast reports whether the server is of the release or newer.
func (s *Server) atLeast(release string) bool {
	return compareReleases(release, s.release) <= 0
}

// License has the server answer as with a valid license: it takes what needs one.
func (s *Server) License() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.licensed = true
}

// RefuseUnknownFilters has the server answer 400 to a parameter of a list's query
// that no release has, so that a test finds a misspelt one. authentik ignores it.
func (s *Server) RefuseUnknownFilters() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strict = true
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
	case s.runFlow(w, r):
	default:
		s.answer(w, r)
	}
}

// record remembers the request and returns the failure that is due, if any.
func (s *Server) record(r *http.Request) Failure {
	var body []byte
	if r.Body != nil { // as a request that no server has read may have it
		body, _ = io.ReadAll(r.Body) // what a client does not send, is not there
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{r.Method, r.URL.Path, r.URL.Query(), r.Header.Clone(), body})
	s.held += len(body)
	for len(s.requests) > keptRequests || s.held > keptBodies && len(s.requests) > 1 {
		s.held -= len(s.requests[0].Body)
		s.requests[0] = Request{} // the array still has it
		s.requests = s.requests[1:]
	}
	return s.due(r.Method, r.URL.Path)
}

func (f Failure) answer(w http.ResponseWriter) {
	if f.Status < http.StatusInternalServerError || f.Status == http.StatusInternalServerError && f.Body == "" { // authentik's own, not a proxy's
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
	body   any // encoded as JSON; nil is the error page, which is HTML, or nothing
}

// document is an answer that is not JSON.
type document struct{ name, contentType, text string }

func detail(status int, words string) reply {
	return reply{status, map[string]string{"detail": words}}
}

var (
	notFound  = detail(http.StatusNotFound, "Not found.")
	noContent = reply{http.StatusNoContent, nil}
	noPage    = reply{http.StatusNotFound, nil} // no such path
)

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Powered-By", "authentik")
	header.Set("X-authentik-id", strings.ReplaceAll(uuid.NewString(), "-", ""))
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Vary", "Accept-Language, Cookie")
	header.Set("Content-Language", "en")
	call, reply, contentType, body := s.answerTo(r)
	if call.methods != nil {
		header.Set("Allow", strings.Join(call.methods, ", "))
	}
	if d, ok := reply.body.(document); ok {
		header.Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
		body, contentType = []byte(d.text), d.contentType
	}
	switch {
	case reply.body == emptyPage{}:
		body, contentType = nil, "text/html; charset=utf-8"
	case reply.body != nil:
	case reply.status == http.StatusNoContent, reply.status == http.StatusOK, reply.status == http.StatusCreated:
		body, contentType = nil, ""
	default:
		contentType = "text/html; charset=utf-8"
		body = fmt.Appendf(nil, "<!DOCTYPE html>\n<title>%s - authentik</title>\n", http.StatusText(reply.status))
	}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	if reply.status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(reply.status)
	_, _ = w.Write(body) // net/http leaves it out of the answer to HEAD
}

// answerTo finds the answer, as JSON.
func (s *Server) answerTo(r *http.Request) (c *call, reply reply, contentType string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c = s.call(r)
	s.base = "http://" + r.Host
	reply = s.reply(c)
	contentType = "application/json"
	if s.atLeast("2026.8") || s.release == "2025.10" {
		contentType += "; charset=utf-8"
	}
	body, _ = json.Marshal(reply.body) // of what was JSON, and strings
	return c, reply, contentType, body
}

// call is a request and what it asks for.
type call struct {
	*http.Request
	path       string // below /api/v3/
	list       *list
	id         string // of an object of the list
	one        bool   // asks for an object, not for the list
	action     string // what comes after the object
	operations []operation
	token      string
	user       *object  // who asks, nil if the server has no such user
	methods    []string // that are allowed; nil if there is no such path
	query      map[string][]string
}

// last is the last value of a parameter, which is the one that Django reads.
func (c *call) last(name string) string {
	values := c.query[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// asks reports whether a parameter is true.
func (c *call) asks(name string) bool { return strings.EqualFold(c.last(name), "true") }

// call finds out what the path names. One without a trailing slash names nothing,
// except the few that authentik has so.
func (s *Server) call(r *http.Request) *call {
	c := &call{Request: r, query: r.URL.Query()}
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v3/")
	if !ok {
		return c
	}
	c.path = path
	if s.operationsOf(c, path) {
		return c
	}
	if l := s.listAt(path); l != nil {
		c.list = l
		c.methods = []string{"GET", "HEAD", "OPTIONS"}
		if l.kind != nil {
			c.allow(l.kind.methods)
		}
		return c
	}
	object, ok := strings.CutSuffix(path, "/")
	if !ok {
		return c
	}
	slash := strings.LastIndexByte(object, '/')
	above, name := object[:slash+1], object[slash+1:]
	if name == "" || strings.Contains(name, ".") {
		return c
	}
	if l := s.listAt(above); l != nil && (l.kind == nil || l.kind.parameter != "") {
		c.list, c.id, c.one = l, name, true
		c.methods = []string{"GET", "HEAD", "OPTIONS"}
		if l.kind != nil {
			c.allow(l.kind.methods1)
		}
		return c
	}
	// An action on an object: core/users/{}/set_password/.
	object, _ = strings.CutSuffix(above, "/")
	slash = strings.LastIndexByte(object, '/')
	if l := s.listAt(object[:slash+1]); l != nil && object[slash+1:] != "" {
		if s.operationsOf(c, object[:slash+1]+"{}/"+name+"/") {
			c.list, c.id, c.one, c.action = l, object[slash+1:], true, name
		}
		return c
	}
	for i := range operations { // the few that are longer
		if o := &operations[i]; strings.Contains(o.path, "{}") && samePath(strings.ReplaceAll(o.path, "{}", "{x}"), path) {
			s.operationsOf(c, o.path)
			break
		}
	}
	return c
}

// operationsOf finds the operations at a path of the table.
func (s *Server) operationsOf(c *call, path string) bool {
	for _, o := range operationsAt(path) {
		if s.has(o.since, o.until) {
			c.operations = append(c.operations, o)
			c.methods = append(c.methods, o.method)
		}
	}
	if c.methods != nil {
		c.allow(strings.Join(c.methods, ", "))
	}
	return c.methods != nil
}

func (c *call) allow(methods string) {
	c.methods = strings.Split(methods, ", ")
	if c.methods[0] == http.MethodGet {
		c.methods = append(c.methods, http.MethodHead)
	}
	c.methods = append(c.methods, http.MethodOptions)
}

// listAt returns the list at the path, nil if there is none.
func (s *Server) listAt(path string) *list {
	if l := s.lists[path]; l != nil && (l.kind == nil || s.has(l.kind.since, l.kind.until)) {
		return l
	}
	if k := kindOf(path); k != nil && s.has(k.since, k.until) {
		return s.list(path)
	}
	return nil
}

// reply checks in the order in which authentik does: path, format, token,
// method, object.
func (s *Server) reply(c *call) reply {
	switch {
	case c.URL.Path == "/-/health/ready/": // which takes no token
		return reply{http.StatusOK, nil}
	case c.methods == nil && c.Method != http.MethodGet && c.Method != http.MethodHead && c.Method != http.MethodOptions:
		return failure
	case c.methods == nil:
		return noPage
	case c.last("format") != "" && c.last("format") != "json":
		return notFound
	case !acceptsJSON(c.Header):
		return detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.")
	}
	refusal := s.unauthorized(c)
	s.asking = c.user
	switch allowed := slices.Contains(c.methods, c.Method); {
	case refusal != nil && c.Header["Authorization"] == nil && c.one && c.action == "" && !allowed: // the method is looked at first
	case refusal != nil && c.Header["Authorization"] == nil && c.one && c.Method == http.MethodOptions:
	case refusal != nil:
		return *refusal
	}
	switch {
	case !slices.Contains(c.methods, c.Method):
		return detail(http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", c.Method))
	case c.Method == http.MethodOptions:
		return reply{http.StatusOK, map[string]any{
			"name": "authentik", "description": "", "renders": []string{"application/json"}, "parses": []string{"application/json"},
		}}
	}
	if refusal := s.authorize(c); refusal != nil {
		return *refusal
	}
	switch {
	case c.operations != nil:
		return s.act(c)
	case c.one:
		return s.object(c)
	case c.Method == http.MethodPost:
		return s.create(c)
	}
	return s.page(c)
}

// unauthorized says why authentik refuses the token, nil if it does not.
func (s *Server) unauthorized(c *call) *reply {
	header := c.Header["Authorization"]
	for _, o := range c.operations {
		if o.method == c.Method && o.noToken && header == nil {
			return nil
		}
	}
	if refusal, ok := s.bySession(c.Request); ok && header == nil {
		return refusal
	}
	refusal := detail(http.StatusForbidden, "Authentication credentials were not provided.")
	if c.one && s.atLeast("2024.2") {
		refusal = detail(http.StatusForbidden, "You do not have permission to perform this action.")
	}
	if len(header) == 0 {
		return &refusal
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	switch {
	case len(header) == 1 && strings.EqualFold(scheme, "Bearer") && token != "":
		user, known := s.signedIn(token)
		if known {
			c.user, c.token = user, token
			return nil
		}
		refusal = detail(http.StatusForbidden, "Token invalid/expired")
	case strings.EqualFold(scheme, "Bearer") && token != "":
		refusal = detail(http.StatusForbidden, "Token invalid/expired")
	case !s.atLeast("2025.12"):
		refusal = detail(http.StatusForbidden, "Unsupported authentication type")
	}
	return &refusal
}

func acceptsJSON(header http.Header) bool {
	accept, sent := header["Accept"]
	if !sent {
		return true
	}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		mediaType, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(mediaType)) {
		case "application/json", "application/*", "*/*", "*/json":
			return true
		}
	}
	return false
}
