package authentiktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const (
	identificationPath = "/api/v3/stages/identification/"
	passwordPath       = "/api/v3/stages/password/"
	sourcePath         = "/api/v3/stages/source/"

	jsonType = "application/json; charset=utf-8"
	htmlType = "text/html; charset=utf-8"
)

func newServer(t *testing.T) *authentiktest.Server {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	return server
}

// newClient returns a client of the server that repeats what fails, at once.
func newClient(t *testing.T, server *authentiktest.Server, retries int) *authentik.Client {
	t.Helper()
	client, err := server.Client(authentik.WithRetries(retries, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// answer is what a request came to.
type answer struct {
	status      int
	contentType string
	header      http.Header
	body        string
}

// send sends the request with the server's token, unless header has an
// Authorization: nil sends none.
func send(t *testing.T, server *authentiktest.Server, method, path string, header http.Header) answer {
	t.Helper()
	a, err := trySend(t, server, method, path, header)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trySend is send for a request that may fail.
func trySend(t *testing.T, server *authentiktest.Server, method, path string, header http.Header) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+server.Token)
	maps.Copy(request.Header, header)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	contentType := strings.Join(response.Header.Values("Content-Type"), ", ")
	return answer{response.StatusCode, contentType, response.Header, string(body)}, err
}

func get(t *testing.T, server *authentiktest.Server, path string) answer {
	t.Helper()
	return send(t, server, http.MethodGet, path, nil)
}

// check compares the answer, whose body is JSON, or HTML where body is "".
func (a answer) check(t *testing.T, status int, body string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d", a.status, status)
	}
	if body == "" {
		if a.contentType != htmlType || !strings.HasPrefix(a.body, "<!DOCTYPE html>") {
			t.Errorf("%s %q, want an HTML page", a.contentType, a.body)
		}
		return
	}
	if a.contentType != jsonType || a.body != body {
		t.Errorf("%s %s, want %s %s", a.contentType, a.body, jsonType, body)
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	const (
		notProvided  = `{"detail":"Authentication credentials were not provided."}`
		noPermission = `{"detail":"You do not have permission to perform this action."}`
		invalid      = `{"detail":"Token invalid/expired"}`
	)
	server := newServer(t)
	stage := server.StagesPassword.Add(authentik.PasswordStage{})
	for _, test := range []struct {
		name          string
		authorization []string
		list          string // "" if the token is accepted
		retrieve      string
	}{
		{"no token", nil, notProvided, noPermission},
		{"scheme alone", []string{"Bearer"}, notProvided, noPermission},
		{"scheme Token", []string{"Token " + server.Token}, notProvided, noPermission},
		{"scheme Basic", []string{"Basic " + server.Token}, notProvided, noPermission},
		{"wrong token", []string{"Bearer wrong"}, invalid, invalid},
		{"two spaces", []string{"Bearer  " + server.Token}, invalid, invalid},
		{"right token", []string{"Bearer " + server.Token}, "", ""},
		{"scheme in lower case", []string{"bearer " + server.Token}, "", ""},
	} {
		for path, want := range map[string]string{
			passwordPath:                           test.list,
			passwordPath + stage.PK.String() + "/": test.retrieve,
		} {
			t.Run(test.name+path, func(t *testing.T) {
				t.Parallel()
				got := send(t, server, http.MethodGet, path, http.Header{"Authorization": test.authorization})
				if want != "" {
					got.check(t, http.StatusForbidden, want)
				} else if got.status != http.StatusOK {
					t.Errorf("status %d, want 200", got.status)
				}
			})
		}
	}
}

func TestForbiddenByClient(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client, err := authentik.NewClient(server.URL, "wrong", authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.StagesSource.List(t.Context(), nil)
	forbidden, ok := errors.AsType[*authentik.ForbiddenError](err)
	if !ok || !forbidden.InvalidToken() || forbidden.RequestID == "" {
		t.Errorf("got %v, want a refused token with a request id", err)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	const (
		html     = ""
		notFound = `{"detail":"Not found."}`
	)
	server := newServer(t)
	password := server.StagesPassword.Add(authentik.PasswordStage{}).PK.String()
	for path, want := range map[string]string{
		passwordPath + uuid.NewString() + "/":       `{"detail":"No PasswordStage matches the given query."}`,
		identificationPath + uuid.NewString() + "/": `{"detail":"No IdentificationStage matches the given query."}`,
		sourcePath + uuid.NewString() + "/":         `{"detail":"No SourceStage matches the given query."}`,
		sourcePath + password + "/":                 `{"detail":"No SourceStage matches the given query."}`,

		passwordPath + "no-uuid/":     notFound,
		passwordPath + "?format=xml":  notFound,
		passwordPath + "?format=html": notFound,

		passwordPath + password:                    html,
		passwordPath + "/" + password + "/":        html,
		passwordPath + password + "//":             html,
		passwordPath + password + "/more/":         html,
		passwordPath + password + "./":             html,
		passwordPath + "no.uuid/":                  html,
		passwordPath + "/":                         html,
		strings.TrimSuffix(passwordPath, "/"):      html,
		"/api/v3//stages/password/":                html,
		"/api/v3/stages/":                          html,
		"/api/v3/stages/none/":                     html,
		"/api/v3/core/nothing/1/":                  html,
		"/api/v3/":                                 html,
		"/api/v3//":                                html,
		"/sub" + passwordPath:                      html,
		"/":                                        html,
		"/api/v3/stages/none/?format=xml&search=a": html,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			get(t, server, path).check(t, http.StatusNotFound, want)
		})
	}
}

func TestNotFoundByClient(t *testing.T) {
	t.Parallel()
	client := newClient(t, newServer(t), 0)
	_, err := client.StagesIdentification.Retrieve(t.Context(), uuid.New())
	if !errors.Is(err, authentik.ErrNotFound) || !strings.Contains(fmt.Sprint(err), "No IdentificationStage matches the given query.") {
		t.Errorf("an unknown pk: %v", err)
	}
	_, err = authentik.List[struct{}](t.Context(), client, "core/nothing/", nil)
	if apiError, ok := errors.AsType[*authentik.APIError](err); !ok || apiError.StatusCode != http.StatusNotFound || apiError.Detail != "" {
		t.Errorf("an unknown list: %v", err)
	}
}

func TestPKSpellings(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	pk := server.StagesPassword.Add(authentik.PasswordStage{}).PK.String()
	for _, spelling := range []string{pk, strings.ToUpper(pk), strings.ReplaceAll(pk, "-", "")} {
		if got := get(t, server, passwordPath+spelling+"/"); got.status != http.StatusOK || !strings.Contains(got.body, pk) {
			t.Errorf("%s: %d %s", spelling, got.status, got.body)
		}
	}
}

func TestMethodNotAllowed(t *testing.T) {
	t.Parallel()
	const onLists, onOne = "GET, POST, HEAD, OPTIONS", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
	server := newServer(t)
	for _, test := range []struct {
		method, path, allow string
		withoutToken        int
	}{
		{http.MethodPut, passwordPath, onLists, http.StatusForbidden},
		{http.MethodPatch, passwordPath, onLists, http.StatusForbidden},
		{http.MethodDelete, passwordPath, onLists, http.StatusForbidden},
		{http.MethodTrace, passwordPath, onLists, http.StatusForbidden},
		{http.MethodPost, passwordPath + uuid.NewString() + "/", onOne, http.StatusMethodNotAllowed},
		{http.MethodTrace, passwordPath + uuid.NewString() + "/", onOne, http.StatusMethodNotAllowed},
		{http.MethodPost, "/api/v3/core/users/me/", "GET, HEAD, OPTIONS", http.StatusForbidden},
	} {
		t.Run(test.method+test.path, func(t *testing.T) {
			t.Parallel()
			got := send(t, server, test.method, test.path, nil)
			got.check(t, http.StatusMethodNotAllowed, fmt.Sprintf(`{"detail":"Method \"%s\" not allowed."}`, test.method))
			if allow := got.header.Get("Allow"); allow != test.allow {
				t.Errorf("Allow: %q", allow)
			}
			got = send(t, server, test.method, test.path, http.Header{"Authorization": nil})
			if got.status != test.withoutToken || got.header.Get("Allow") != test.allow {
				t.Errorf("without a token: %d, Allow: %q", got.status, got.header.Get("Allow"))
			}
			got = send(t, server, test.method, test.path, http.Header{"Authorization": {"Bearer wrong"}})
			if got.status != http.StatusForbidden {
				t.Errorf("with a wrong token: %d", got.status)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for path, withoutToken := range map[string]int{passwordPath: http.StatusForbidden, passwordPath + uuid.NewString() + "/": http.StatusOK} {
		if got := send(t, server, http.MethodOptions, path, nil); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		if got := send(t, server, http.MethodOptions, path, http.Header{"Authorization": nil}); got.status != withoutToken {
			t.Errorf("%s without a token: %d, want %d", path, got.status, withoutToken)
		}
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, test := range []struct {
		name     string
		accept   []string
		accepted bool
	}{
		{"none", nil, true},
		{"JSON", []string{"application/json"}, true},
		{"JSON with a parameter", []string{"text/html, application/json;q=0.9"}, true},
		{"JSON in a second header", []string{"text/html", "application/json"}, true},
		{"application", []string{"application/*"}, true},
		{"anything", []string{"*/*"}, true},
		{"empty", []string{""}, false},
		{"HTML", []string{"text/html"}, false},
		{"problem", []string{"application/problem+json"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := send(t, server, http.MethodGet, passwordPath, http.Header{"Accept": test.accept})
			if !test.accepted {
				got.check(t, http.StatusNotAcceptable, `{"detail":"Could not satisfy the request Accept header."}`)
			} else if got.status != http.StatusOK {
				t.Errorf("status %d, want 200", got.status)
			}
		})
	}
}

func TestNotAcceptableBeforeForbidden(t *testing.T) {
	t.Parallel()
	got := send(t, newServer(t), http.MethodGet, passwordPath, http.Header{"Authorization": nil, "Accept": {"text/html"}})
	if got.status != http.StatusNotAcceptable {
		t.Errorf("status %d, want 406", got.status)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, query := range []string{"?format=json", "?format="} {
		if got := get(t, server, passwordPath+query); got.status != http.StatusOK {
			t.Errorf("%s: status %d, want 200", query, got.status)
		}
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	stage := server.StagesPassword.Add(authentik.PasswordStage{})
	for path, status := range map[string]int{
		passwordPath:                           http.StatusOK,
		passwordPath + stage.PK.String() + "/": http.StatusOK,
		passwordPath + "?page=2":               http.StatusNotFound,
		"/api/v3/unknown/":                     http.StatusNotFound,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			head := send(t, server, http.MethodHead, path, nil)
			want := get(t, server, path)
			if head.status != status || head.body != "" {
				t.Errorf("%d %q, want %d and no body", head.status, head.body, status)
			}
			if length := fmt.Sprint(len(want.body)); head.contentType != want.contentType || head.header.Get("Content-Length") != length {
				t.Errorf("%s of length %s, want those of GET: %s of length %s",
					head.contentType, head.header.Get("Content-Length"), want.contentType, length)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	seen := map[string]bool{}
	requestID := regexp.MustCompile(`^[0-9a-f]{32}$`)
	for path, contentType := range map[string]string{
		passwordPath:                        jsonType,
		passwordPath + "?page=2":            jsonType,
		"/api/v3/unknown/":                  htmlType,
		passwordPath + "?ordering=flow_set": htmlType,
	} {
		got := get(t, server, path)
		if got.contentType != contentType || got.header.Get("X-Powered-By") != "authentik" {
			t.Errorf("%s: %v", path, got.header)
		}
		if id := got.header.Get("X-authentik-id"); !requestID.MatchString(id) || seen[id] {
			t.Errorf("%s: X-authentik-id: %q", path, id)
		} else {
			seen[id] = true
		}
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	if got := server.Requests(); len(got) != 0 {
		t.Fatalf("%d requests before the first", len(got))
	}
	server.Fail(1, authentiktest.Failure{Status: http.StatusTeapot})
	for _, request := range []struct {
		method, path string
		header       http.Header
	}{
		{http.MethodGet, passwordPath + "?name=a&name=b&search=c+d", http.Header{"X-Test": {"one"}}},
		{http.MethodDelete, sourcePath, http.Header{"Authorization": {"Bearer wrong"}}},
		{http.MethodGet, "/elsewhere", nil},
	} {
		send(t, server, request.method, request.path, request.header)
	}
	got := server.Requests()
	for _, request := range got {
		request.Header.Del("Accept-Encoding")
		request.Header.Del("User-Agent")
	}
	right := "Bearer " + server.Token
	want := []authentiktest.Request{
		{
			http.MethodGet, passwordPath,
			url.Values{"name": {"a", "b"}, "search": {"c d"}},
			http.Header{"Authorization": {right}, "X-Test": {"one"}},
			[]byte{},
		},
		{http.MethodDelete, sourcePath, url.Values{}, http.Header{"Authorization": {"Bearer wrong"}}, []byte{}},
		{http.MethodGet, "/elsewhere", url.Values{}, http.Header{"Authorization": {right}}, []byte{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// quietly sends a request without a connection.
func quietly(t *testing.T, server *authentiktest.Server, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	recorder := httptest.NewRecorder()
	server.ServeHTTP(recorder, request)
	return recorder
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for i := range 10_005 {
		quietly(t, server, http.MethodGet, fmt.Sprintf("/%d", i), "")
	}
	if got := server.Requests(); len(got) != 10_000 || got[0].Path != "/5" || got[9_999].Path != "/10004" {
		t.Errorf("%d requests from %s", len(got), got[0].Path)
	}
	large := strings.Repeat("x", 20<<20)
	for i := range 5 {
		quietly(t, server, http.MethodPost, fmt.Sprintf("/large/%d", i), large)
	}
	if got := server.Requests(); len(got) != 3 || got[0].Path != "/large/2" {
		t.Errorf("%d requests from %s: the bodies are more than 64 MiB", len(got), got[0].Path)
	}
}

// TestSessionsAreBounded begins a flow in more sessions than are kept, and goes on in
// the first and the last.
func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.Bootstrap()
	const path = "/api/v3/flows/executor/default-authentication-flow/"
	var cookies []*http.Cookie
	for range 1_005 {
		for _, cookie := range quietly(t, server, http.MethodGet, path, "").Result().Cookies() {
			if cookie.Name == "authentik_session" {
				cookies = append(cookies, cookie)
			}
		}
	}
	for _, i := range []int{5, 1_004, 4, 0} { // one that is not known begins another
		known := i >= 5
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		request.AddCookie(cookies[i])
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, request)
		if got := strings.Contains(recorder.Header().Get("Set-Cookie"), cookies[i].Value); got != known {
			t.Errorf("session %d is known: %t, want %t", i, got, known)
		}
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.Fail(2, authentiktest.Failure{
		Status: http.StatusServiceUnavailable,
		Header: http.Header{"Retry-After": {"5"}, "content-type": {"application/json"}},
		Body:   `{"error":"authentik starting"}`,
	})
	server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
	for i, want := range []answer{
		{status: http.StatusServiceUnavailable, contentType: "application/json", body: `{"error":"authentik starting"}`},
		{status: http.StatusServiceUnavailable, contentType: "application/json", body: `{"error":"authentik starting"}`},
		{status: http.StatusInternalServerError},
		{status: http.StatusNotFound, contentType: jsonType, body: `{"detail":"Invalid page."}`},
	} {
		got := get(t, server, passwordPath+"?page=2")
		if got.status != want.status || got.contentType != want.contentType || got.body != want.body {
			t.Errorf("request %d: %d %s %s", i+1, got.status, got.contentType, got.body)
		}
		failed := want.status == http.StatusServiceUnavailable
		if retryAfter := got.header.Get("Retry-After"); failed != (retryAfter == "5") {
			t.Errorf("request %d: Retry-After: %q", i+1, retryAfter)
		}
	}
}

func TestFailRetried(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]authentiktest.Failure{
		"status":             {Status: http.StatusBadGateway},
		"cut":                {Cut: true},
		"cut within body":    {Status: http.StatusOK, Body: `{"pagination":{}}`, Cut: true},
		"delayed status":     {Delay: time.Millisecond, Status: http.StatusBadGateway},
		"status and no body": {Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"0"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			server.Fail(2, failure)
			if _, err := newClient(t, server, 2).StagesPassword.List(t.Context(), nil); err != nil {
				t.Error(err)
			}
			if got := len(server.Requests()); got != 3 {
				t.Errorf("%d requests, want 3", got)
			}
		})
	}
}

func TestFailCutBeforeAnswer(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.Fail(1, authentiktest.Failure{Cut: true})
	if got, err := trySend(t, server, http.MethodGet, passwordPath, nil); !errors.Is(err, io.EOF) {
		t.Errorf("got %+v, %v; want EOF", got, err)
	}
	if got := get(t, server, passwordPath); got.status != http.StatusOK {
		t.Errorf("then status %d, want 200", got.status)
	}
}

func TestFailCutWithinBody(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.Fail(1, authentiktest.Failure{Status: http.StatusOK, Body: "0123456789", Cut: true})
	got, err := trySend(t, server, http.MethodGet, passwordPath, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || got.body != "01234" || got.header.Get("Content-Length") != "10" {
		t.Errorf("got %+v, %v; want half of the body and an unexpected EOF", got, err)
	}
}

func TestFailDelayThenAnswer(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.Fail(1, authentiktest.Failure{Delay: time.Millisecond})
	if got := get(t, server, passwordPath); got.status != http.StatusOK {
		t.Errorf("status %d, want 200", got.status)
	}
}

// delayedServer returns a server whose first request is delayed for longer than
// any test runs, and the client to send it; arrived and done tell where the
// request is.
func delayedServer(t *testing.T) (server *authentiktest.Server, client *authentik.Client, arrived, done chan struct{}) {
	t.Helper()
	server = newServer(t)
	server.Fail(1, authentiktest.Failure{Delay: 24 * time.Hour})
	arrived, done = make(chan struct{}), make(chan struct{})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		defer close(done)
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	client, err := authentik.NewClient(front.URL, server.Token, authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return server, client, arrived, done
}

func TestFailDelayEndsWithClient(t *testing.T) {
	t.Parallel()
	_, client, arrived, done := delayedServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := client.StagesPassword.List(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	<-done
}

func TestFailDelayEndsWithClose(t *testing.T) {
	t.Parallel()
	server, client, arrived, done := delayedServer(t)
	go func() {
		<-arrived
		server.Close()
	}()
	if _, err := client.StagesPassword.List(t.Context(), nil); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	<-done
}

func TestClose(t *testing.T) {
	t.Parallel()
	server := authentiktest.NewServer()
	server.StagesPassword.Add(authentik.PasswordStage{Name: "of a closed server"})
	get(t, server, passwordPath)
	server.Close()
	server.Close()
	got, err := trySend(t, server, http.MethodGet, passwordPath, nil)
	if err == nil && strings.Contains(got.body, "of a closed server") { // the port may be that of another test by now
		t.Errorf("a closed server answered %d", got.status)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	const workers, stages = 8, 5
	server := newServer(t)
	client := newClient(t, server, 0)
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			for i := range stages {
				stage := server.StagesPassword.Add(authentik.PasswordStage{Name: fmt.Sprintf("%d-%d", worker, i)})
				removed := server.StagesPassword.Add(authentik.PasswordStage{})
				server.StagesPassword.Update(stage.PK, func(stage *authentik.PasswordStage) { stage.AllowShowPassword = true })
				server.AddObjects("core/users/", map[string]int{"pk": worker*stages + i + 1})
				server.Fail(1, authentiktest.Failure{})
				got, err := client.StagesPassword.Retrieve(t.Context(), stage.PK)
				if err != nil || !got.AllowShowPassword {
					t.Errorf("%+v, %v", got, err)
				}
				// It may see the list change, which is an error of its own.
				_, err = authentik.Collect(client.StagesPassword.All(t.Context(), nil))
				if err != nil && !errors.Is(err, authentik.ErrListChanged) {
					t.Error(err)
				}
				if !server.StagesPassword.Remove(removed.PK) {
					t.Error("not removed")
				}
				server.StagesPassword.All()
				server.Requests()
			}
		})
	}
	running.Wait()
	if got := len(server.StagesPassword.All()); got != workers*stages {
		t.Errorf("%d stages, want %d", got, workers*stages)
	}
	if got := len(server.Requests()); got < 2*workers*stages {
		t.Errorf("%d requests, want %d or more", got, 2*workers*stages)
	}
}

type user struct {
	PK       int     `json:"pk"`
	Username string  `json:"username"`
	Name     string  `json:"name"`
	Email    *string `json:"email"`
}

func TestAddObjects(t *testing.T) {
	t.Parallel()
	ann := user{10, "ann", "Ann Lee", nil}
	bob := user{9, "bob", "Bob Lee", new("bob@example.com")}
	for _, path := range []string{"example/people/", "example/people", "/example/people/"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			client := newClient(t, server, 0)
			server.AddObjects(path, bob)
			server.AddObjects(path, ann)

			for options, want := range map[authentik.ListOptions][]user{
				{}:                   {ann, bob},
				{Search: "lee"}:      {ann, bob},
				{Search: "bob,lee"}:  {bob},
				{Search: "example"}:  {},
				{Ordering: "pk"}:     {bob, ann},
				{Ordering: "-pk"}:    {ann, bob},
				{Ordering: "email"}:  {bob, ann},
				{Ordering: "-email"}: {ann, bob},
				{PageSize: 1}:        {ann},
			} {
				page, err := authentik.List[user](t.Context(), client, "example/people/", options)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, page.Results); diff != "" {
					t.Errorf("%+v (-want +got):\n%s", options, diff)
				}
			}
			got, err := authentik.Get[user](t.Context(), client, "example/people/9/", nil)
			if err != nil || !cmp.Equal(*got, bob) {
				t.Errorf("user 9 is %+v, %v", got, err)
			}
			get(t, server, "/api/v3/example/people/11/").check(t, http.StatusNotFound, `{"detail":"No object matches the given query."}`)
		})
	}
}

func TestAddObjectsOfAnyShape(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.AddObjects("things/",
		map[string]any{"pk": "c", "rank": "first"},
		map[string]any{"pk": "b", "rank": 2},
		map[string]any{"pk": "a"},
		json.RawMessage(`{"pk": "d", "rank": 10, "name": 5, "tags": ["x"]}`))
	for query, want := range map[string]string{
		"?ordering=pk":   "abcd",
		"?ordering=rank": "bdca", // a number before a text, and what has none at the end
		"?search=nil":    "",
		"?name=other":    "",
		"?rank=2":        "b",
		"?rank=":         "dcba", // its order is that of the names
		"?colour=red":    "dcba", // no member, so no filter
		"?tags=x":        "dcba", // a list, so no filter
	} {
		var page struct{ Results []struct{ PK string } }
		got := get(t, server, "/api/v3/things/"+query)
		if err := json.Unmarshal([]byte(got.body), &page); err != nil {
			t.Fatal(err)
		}
		pks := ""
		for _, thing := range page.Results {
			pks += thing.PK
		}
		if pks != want {
			t.Errorf("%s: %q, want %q", query, pks, want)
		}
	}
}

func TestAddObjectsAmongStages(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	pk := uuid.New()
	server.AddObjects("stages/password/", map[string]any{"pk": pk, "name": "raw"})
	stage, err := newClient(t, server, 0).StagesPassword.Retrieve(t.Context(), pk)
	if err != nil || stage.Name != "raw" || len(server.StagesPassword.All()) != 1 {
		t.Errorf("%+v, %v", stage, err)
	}
	server.AddObjects("stages/password/", map[string]any{"pk": "no uuid"})
	defer func() {
		if message := fmt.Sprint(recover()); !strings.HasPrefix(message, "authentiktest: ") {
			t.Errorf("panicked with %q", message)
		}
	}()
	server.StagesPassword.All()
}

func TestAddObjectsPanics(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for name, object := range map[string]any{
		"nothing":       nil,
		"list":          []int{1},
		"text":          "text",
		"not encodable": make(chan int),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if message := fmt.Sprint(recover()); !strings.HasPrefix(message, "authentiktest: ") {
					t.Errorf("panicked with %q", message)
				}
			}()
			server.AddObjects("example/people/", object)
		})
	}
}

// TestReady has a client wait for the server, which is ready at once, whatever
// the token.
func TestReady(t *testing.T) {
	t.Parallel()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	client, err := authentik.NewClient(server.URL, "another-token")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.WaitReady(t.Context()); err != nil {
		t.Error(err)
	}
	if requests := server.Requests(); len(requests) != 1 || requests[0].Path != "/-/health/ready/" {
		t.Errorf("asked for %v", requests)
	}
}
