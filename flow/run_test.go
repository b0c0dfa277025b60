package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reply answers a request.
type reply func(w http.ResponseWriter, req *http.Request)

// challenge is a reply with a challenge; members are JSON.
func challenge(component, members string) reply {
	if members != "" {
		members = "," + members
	}
	return answer(http.StatusOK, fmt.Sprintf(`{"component":%q,"flow_info":{"title":"A flow","cancel_url":"/","layout":"stacked"}%s}`, component, members))
}

func answer(status int, body string) reply {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Authentik-Id", "id")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

var (
	identification = challenge("ak-stage-identification", `"password_fields":false`)
	passwordStage  = challenge("ak-stage-password", "")
	dummy          = challenge("ak-stage-dummy", "")
	atEnd          = answer(http.StatusOK, `{"component":"xak-flow-redirect","to":"/"}`)
	right          = redirect("/api/v3/flows/executor/login/?query=")
	unavailable    = answer(http.StatusServiceUnavailable, "")
	me             = answer(http.StatusOK, `{"user":{"pk":1,"username":"anna"}}`)
	nobody         = answer(http.StatusForbidden, `{"detail":"Authentication credentials were not provided."}`)
)

func redirect(location string) reply {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusFound)
	}
}

func refused(component, member, code string) reply {
	return challenge(component, fmt.Sprintf(`"response_errors":{%q:[{"string":"No.","code":%q}]}`, member, code))
}

// breaks closes the connection.
func breaks(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// loggedIn is next with the cookies of a login.
func loggedIn(next reply) reply {
	return func(w http.ResponseWriter, req *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "authentik_session", Value: "s3cr3t-session", Path: "/", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: csrfCookie, Value: "s3cr3t-csrf", Path: "/", MaxAge: 31449600})
		next(w, req)
	}
}

// server answers with the replies, one after the other.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	replies []reply
	seen    []string // "POST /path?query body"
	headers []http.Header
}

func serve(tb testing.TB, start func(http.Handler) *httptest.Server, replies ...reply) *server {
	tb.Helper()
	s := &server{replies: replies}
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		s.mu.Lock()
		s.seen = append(s.seen, strings.TrimSpace(fmt.Sprintf("%s %s %s", req.Method, strings.TrimPrefix(req.URL.RequestURI(), "/api/v3/"), body)))
		s.headers = append(s.headers, req.Header.Clone())
		next := answer(http.StatusTeapot, "")
		if len(s.replies) > 0 {
			next, s.replies = s.replies[0], s.replies[1:]
		}
		s.mu.Unlock()
		next(w, req)
	}))
	tb.Cleanup(s.Close)
	return s
}

func (s *server) client(tb testing.TB, opts ...authentik.Option) *authentik.Client {
	tb.Helper()
	opts = append([]authentik.Option{authentik.WithHTTPClient(s.Client()), authentik.WithRetries(1, 0, 0)}, opts...)
	c, err := authentik.NewClient(s.URL, "s3cr3t-token", opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func (s *server) count(prefix string) int {
	n := 0
	for _, request := range s.requests() {
		if strings.HasPrefix(request, prefix) {
			n++
		}
	}
	return n
}

// run starts the flow login on a server with the replies.
func run(t *testing.T, replies ...reply) (*Run, *server) {
	t.Helper()
	s := serve(t, httptest.NewServer, replies...)
	r, err := Start(t.Context(), s.client(t), "login", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

var (
	name = IdentificationAnswer{UIDField: "anna"}
	pass = PasswordAnswer{Password: "s3cr3t-password"}
)

// steps answers one challenge after the other, and returns the last error.
func steps(t *testing.T, r *Run, answers ...Answer) error {
	t.Helper()
	for i, a := range answers {
		err := r.Answer(t.Context(), a)
		if i == len(answers)-1 {
			return err
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return nil
}

// TestRestarted notices a flow that began again, and goes on with it.
func TestRestarted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		replies []reply
		answers []Answer
		came    string // "": it did not begin again
	}{
		{"errors of stage one", []reply{identification, right, passwordStage, refused("ak-stage-identification", "uid_field", "required")}, []Answer{name, pass}, "ak-stage-identification"},
		{"stage one after a right answer", []reply{identification, right, passwordStage, right, identification}, []Answer{name, pass}, "ak-stage-identification"},
		{"stage one after a wrong answer to it", []reply{identification, right, identification}, []Answer{name}, "ak-stage-identification"},
		{"stage two, as stage one took the answer", []reply{dummy, right, passwordStage, right, passwordStage}, []Answer{DummyAnswer{}, pass}, "ak-stage-password"},
		{"stage two after stage three", []reply{dummy, right, passwordStage, right, challenge("ak-stage-captcha", ""), right, passwordStage}, []Answer{DummyAnswer{}, pass, CaptchaAnswer{Token: "t"}}, "ak-stage-password"},
		{"dummies", []reply{dummy, right, dummy, right, dummy, atEnd}, []Answer{DummyAnswer{}, DummyAnswer{}, DummyAnswer{}}, ""},
		{"two forms", []reply{
			challenge("ak-stage-prompt", `"fields":[{"field_key":"a","choices":null}]`), right,
			challenge("ak-stage-prompt", `"fields":[{"field_key":"b","choices":["x",{"value":"y","label":"Y"}]}]`), atEnd,
		}, []Answer{PromptAnswer{"a": "1"}, PromptAnswer{"b": "x"}}, ""},
		{"a right answer without a redirect", []reply{identification, passwordStage, atEnd}, []Answer{name, pass}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, s := run(t, test.replies...)
			err := steps(t, r, test.answers...)
			restarted, ok := errors.AsType[*RestartedError](err)
			switch {
			case test.came == "" && (err != nil || !r.Done()):
				t.Errorf("%v, %v", err, r)
			case test.came != "" && (!ok || !errors.Is(err, ErrRestarted) || restarted.Came != test.came || r.Challenge().Base().Component != test.came || r.Done()):
				t.Errorf("%v, %v, not a restart with %s", err, r, test.came)
			}
			if len(s.requests()) != len(test.replies) {
				t.Errorf("the requests were %q", s.requests())
			}
		})
	}
}

// TestLostAnswers has requests of which nobody knows whether they counted.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	lost := func(s *server, r *Run) func(*testing.T, Answer) {
		return func(t *testing.T, a Answer) {
			t.Helper()
			before := s.count("POST")
			if err := r.Answer(t.Context(), a); !errors.Is(err, authentik.ErrOutcomeUnknown) {
				t.Fatalf("a lost answer: %v", err)
			}
			if n := s.count("POST") - before; n != 1 {
				t.Fatalf("%d answers were sent", n)
			}
		}
	}
	t.Run("it counted", func(t *testing.T) {
		t.Parallel()
		r, s := run(t, identification, breaks, passwordStage, atEnd)
		lost(s, r)(t, name)
		if err := errors.Join(r.Refresh(t.Context()), r.Answer(t.Context(), pass)); err != nil || !r.Done() {
			t.Error(err)
		}
	})
	t.Run("it did not count", func(t *testing.T) {
		t.Parallel()
		r, s := run(t, identification, right, passwordStage, unavailable, passwordStage, atEnd)
		if err := r.Answer(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		lost(s, r)(t, pass)
		if err := errors.Join(r.Refresh(t.Context()), r.Answer(t.Context(), pass)); err != nil || !r.Done() {
			t.Error(err)
		}
	})
	for _, test := range []struct {
		name string
		lost reply
		came reply
		who  reply
		me   int // how often users/me is asked
		want error
	}{
		{"the login ended and began again", breaks, loggedIn(identification), me, 1, nil},
		{"after a 503", unavailable, loggedIn(identification), me, 1, nil},
		{"nobody is logged in", breaks, loggedIn(identification), nobody, 1, authentik.ErrOutcomeUnknown},
		{"no cookie of a login", breaks, identification, me, 0, authentik.ErrOutcomeUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// A GET runs the last stage, and another one starts the flow again.
			r, s := run(t, identification, right, passwordStage, right, test.lost, test.came, test.who)
			err := steps(t, r, name, pass)
			if !errors.Is(err, test.want) || errors.Is(err, ErrRestarted) {
				t.Errorf("%v, not %v", err, test.want)
			}
			if test.want == nil && (!r.Done() || r.To() != "") {
				t.Errorf("the run is %v", r)
			}
			if n := s.count("GET core/users/me/"); n != test.me {
				t.Errorf("users/me was asked %d times", n)
			}
			if n := s.count("POST"); n != 2 {
				t.Errorf("%d answers were sent", n)
			}
		})
	}
	t.Run("the first stage logs in", func(t *testing.T) {
		t.Parallel()
		r, s := run(t, identification, breaks, loggedIn(identification), me)
		lost(s, r)(t, name)
		if err := r.Refresh(t.Context()); err != nil || !r.Done() {
			t.Errorf("%v, %v", err, r)
		}
		r, s = run(t, identification, breaks, identification)
		lost(s, r)(t, name)
		if err := r.Refresh(t.Context()); !errors.Is(err, authentik.ErrOutcomeUnknown) {
			t.Error(err)
		}
	})
}

// TestRedirects follows the executor's own redirects, and no others.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, location := range []string{
		"/api/v3/flows/executor/other/?query=s3cr3t", "/if/flow/login/?s3cr3t", "https://example.com/api/v3/flows/executor/login/?query=s3cr3t",
		"//example.com/api/v3/flows/executor/login/", "", "%zz", "/api/v3/flows/executor/login",
	} {
		r, s := run(t, identification, redirect(location))
		err := r.Answer(t.Context(), name)
		if err == nil || strings.Contains(err.Error(), "s3cr3t") || len(s.requests()) != 2 {
			t.Errorf("%s: %v, %q", location, err, s.requests())
		}
	}
	forever := slices.Repeat([]reply{right}, 100)
	r, s := run(t, append([]reply{identification}, forever...)...)
	if err := r.Answer(t.Context(), name); err == nil || len(s.requests()) > 30 {
		t.Errorf("%v after %d requests", err, len(s.requests()))
	}
	to := `{"component":"xak-flow-redirect","to":%q}`
	r, _ = run(t, identification, answer(http.StatusOK, fmt.Sprintf(to, "/api/v3/flows/executor/login/?query=")), passwordStage, answer(http.StatusOK, fmt.Sprintf(to, "https://app.example/cb?code=1")))
	if err := steps(t, r, name, pass); err != nil || !r.Done() || r.To() != "https://app.example/cb?code=1" {
		t.Errorf("%v, %v", err, r)
	}
}

// TestRequests checks what a run sends.
func TestRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, httptest.NewTLSServer, loggedIn(identification), unavailable, right, unavailable, passwordStage, atEnd)
	c := s.client(t, authentik.WithUserAgent("test/1"), authentik.WithHeader("X-Proxy", "yes"), authentik.WithHeader("Cookie", "proxy=1"))
	r, err := Start(t.Context(), c, "login", &Options{Query: "?next=/foo&a=b c"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Answer(t.Context(), name); !errors.Is(err, authentik.ErrServer) || !errors.Is(err, authentik.ErrOutcomeUnknown) {
		t.Errorf("after a 503: %v", err)
	}
	if err := steps(t, r, name, pass); err != nil {
		t.Fatal(err)
	}
	const path = "flows/executor/login/?query=next%3D%2Ffoo%26a%3Db+c"
	want := []string{
		"GET " + path,
		"POST " + path + ` {"component":"ak-stage-identification","uid_field":"anna"}`,
		"POST " + path + ` {"component":"ak-stage-identification","uid_field":"anna"}`,
		"GET " + path, "GET " + path,
		"POST " + path + ` {"component":"ak-stage-password","password":"s3cr3t-password"}`,
	}
	if got := s.requests(); !slices.Equal(got, want) {
		t.Errorf("sent %q, not %q", got, want)
	}
	for i, header := range s.headers {
		isPost := strings.HasPrefix(want[i], "POST")
		cookies := "proxy=1"
		if i > 0 {
			cookies += "; authentik_session=s3cr3t-session; authentik_csrf=s3cr3t-csrf"
		}
		wanted := map[string]string{"Authorization": "", "Origin": "", "Cookie": cookies, "X-Proxy": "yes", "X-Authentik-Csrf": "", "Referer": ""}
		if isPost {
			wanted["X-Authentik-Csrf"], wanted["Referer"] = "s3cr3t-csrf", s.URL+"/"
		}
		for name, value := range wanted {
			if header.Get(name) != value {
				t.Errorf("request %d: %s is %q, not %q", i, name, header.Get(name), value)
			}
		}
		if !strings.HasPrefix(header.Get("User-Agent"), "test/1 authentik-go/") {
			t.Errorf("request %d: the user agent is %q", i, header.Get("User-Agent"))
		}
	}
}

// TestEnds refuses what no server needs to be asked for.
func TestEnds(t *testing.T) {
	t.Parallel()
	r, s := run(t, identification, atEnd)
	for _, a := range []Answer{nil, (*PasswordAnswer)(nil), pass, &pass, PromptAnswer{}, IdentificationAnswer{Passkey: json.RawMessage("{")}} {
		if err := r.Answer(t.Context(), a); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%v: %v", a, err)
		}
	}
	if len(s.requests()) != 1 {
		t.Errorf("the requests were %q", s.requests())
	}
	if err := r.Answer(t.Context(), RawAnswer(nil)); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{r.Answer(t.Context(), name), r.Answer(t.Context(), RawAnswer{}), r.Refresh(t.Context())} {
		if !errors.Is(err, ErrEnded) {
			t.Errorf("after the end: %v", err)
		}
	}
	for _, slug := range []string{"", "a/b", "..", "a?b", "a#b"} {
		if _, err := Start(t.Context(), s.client(t), slug, nil); err == nil {
			t.Errorf("%q is a slug", slug)
		}
	}
	if _, err := Start(t.Context(), nil, "login", nil); err == nil {
		t.Error("no client is needed")
	}
	if len(s.requests()) != 2 {
		t.Errorf("the requests were %q", s.requests())
	}
	for _, body := range []string{"", "null", "[]", "{}", `{"component":""}`, `{"component":1}`, `{"component":"ak-stage-prompt","fields":1}`, "<html>"} {
		s := serve(t, httptest.NewServer, answer(http.StatusOK, body))
		if _, err := Start(t.Context(), s.client(t), "login", nil); err == nil {
			t.Errorf("%s is a challenge", body)
		} else if _, ok := errors.AsType[*authentik.DecodeError](err); !ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestUnknownComponent answers a challenge that the SDK does not know.
func TestUnknownComponent(t *testing.T) {
	t.Parallel()
	r, s := run(t, challenge("ak-stage-new", `"colour":"blue"`), refused("ak-stage-new", "shade", "required"), atEnd)
	raw, ok := r.Challenge().(*RawChallenge)
	if !ok || raw.Component != "ak-stage-new" || string(raw.Extra["colour"]) != `"blue"` || !strings.Contains(string(raw.Body), `"layout":"stacked"`) {
		t.Fatalf("the challenge is %#v", r.Challenge())
	}
	if err := r.Answer(t.Context(), RawAnswer{}); !errors.Is(err, ErrInvalidAnswer) {
		t.Error(err)
	}
	if err := r.Answer(t.Context(), RawAnswer{"shade": 3}); err != nil || !r.Done() {
		t.Error(err)
	}
	if last := s.requests()[2]; !strings.HasSuffix(last, `{"component":"ak-stage-new","shade":3}`) {
		t.Error(last)
	}
}

// TestOutcomes reads what errors say.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	r, _ := run(
		t, identification,
		challenge("ak-stage-identification", `"response_errors":{"uid_field":[{"string":"Needed.","code":"required"}],"non_field_errors":[{"string":"Never.\nEver."}]}`),
		answer(http.StatusOK, `{"component":"ak-stage-flow-error","request_id":"abc","error":"division by zero","traceback":"line 1"}`),
		identification,
		challenge("ak-stage-access-denied", `"error_message":"Go away"`),
	)
	err := r.Answer(t.Context(), name)
	refusal, ok := errors.AsType[*AnswerError](err)
	if !ok || !refusal.Has("required") || refusal.Has("invalid") ||
		err.Error() != "authentik: flow login: ak-stage-identification refused the answer: Never. Ever.; uid_field: Needed. (required)" {
		t.Error(err)
	}
	err = r.Answer(t.Context(), name)
	failed, ok := errors.AsType[*FlowError](err)
	if !ok || failed.Traceback != "line 1" || err.Error() != "authentik: flow login: the server failed: division by zero (request id abc)" {
		t.Error(err)
	}
	if r.Challenge().Base().Component != "ak-stage-identification" || r.Done() {
		t.Errorf("after a flow error: %v", r)
	}
	if err := r.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
	err = r.Answer(t.Context(), name)
	if denied, ok := errors.AsType[*DeniedError](err); !ok || denied.Message != "Go away" || !r.Done() || err.Error() != "authentik: flow login: access denied: Go away" {
		t.Error(err)
	}
	for _, err := range []error{refusal, failed, err} {
		if _, ok := errors.AsType[*authentik.APIError](err); ok || errors.Is(err, authentik.ErrBadRequest) || errors.Is(err, authentik.ErrForbidden) || errors.Is(err, authentik.ErrServer) {
			t.Errorf("%v is an error of HTTP", err)
		}
	}
	s := serve(t, httptest.NewServer, answer(http.StatusNotFound, "<!DOCTYPE html>"))
	if _, err := Start(t.Context(), s.client(t), "login", nil); !errors.Is(err, authentik.ErrNotFound) || !strings.Contains(err.Error(), `no flow "login"`) {
		t.Error(err)
	}
}

// TestSent has a code and an e-mail sent.
func TestSent(t *testing.T) {
	t.Parallel()
	const devices = `"device_challenges":[{"device_class":"sms","device_uid":"7","challenge":{"a":[1]},"last_used":null,"new":1}]`
	empty := challenge("ak-stage-authenticator-validate", devices+`,"response_errors":{"non_field_errors":[{"string":"Empty response","code":"invalid"}]}`)
	r, s := run(t, challenge("ak-stage-authenticator-validate", devices), empty, empty, empty, atEnd)
	sms := r.Challenge().(*AuthenticatorValidationChallenge).Device(authentik.DeviceClassSMS)
	if err := r.Answer(t.Context(), AuthenticatorValidationAnswer{SelectedChallenge: sms}); err != nil {
		t.Error(err)
	}
	if err := r.Answer(t.Context(), &AuthenticatorValidationAnswer{SelectedChallenge: sms}); err != nil {
		t.Error(err)
	}
	if err := r.Answer(t.Context(), AuthenticatorValidationAnswer{SelectedChallenge: sms, Code: "123456"}); !errors.Is(err, ErrInvalidAnswer) {
		t.Error(err)
	}
	const want = `"selected_challenge":{"device_class":"sms","device_uid":"7","challenge":{"a":[1]},"last_used":null,"new":1}}`
	if sent := s.requests()[1]; !strings.HasSuffix(sent, want) {
		t.Error(sent)
	}
	r, _ = run(t, challenge("ak-stage-email", ""), refused("ak-stage-email", nonFieldErrors, "email-sent"), refused("ak-stage-email", nonFieldErrors, "invalid"))
	if err := r.Answer(t.Context(), EmailAnswer{}); err != nil || r.Done() {
		t.Error(err)
	}
	if err := r.Answer(t.Context(), EmailAnswer{}); !errors.Is(err, ErrInvalidAnswer) {
		t.Error(err)
	}
}

// TestSecrets finds no secret in what fmt and loggers show.
func TestSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	secretTo := answer(http.StatusOK, `{"component":"xak-flow-redirect","to":"/cb?code=s3cr3t-code"}`)
	s := serve(t, httptest.NewServer, loggedIn(identification), right, loggedIn(passwordStage), answer(http.StatusBadRequest, `{"detail":"no"}`), secretTo)
	r, err := Start(t.Context(), s.client(t, authentik.WithLogger(logger)), "login", &Options{Query: "itoken=s3cr3t-invitation"})
	if err != nil {
		t.Fatal(err)
	}
	failed := steps(t, r, name, pass)
	if !errors.Is(failed, authentik.ErrBadRequest) {
		t.Fatal(failed)
	}
	if err := r.Answer(t.Context(), pass); err != nil {
		t.Fatal(err)
	}
	api, _ := errors.AsType[*authentik.APIError](failed)
	totp := &AuthenticatorTOTPChallenge{ConfigURL: "otpauth://totp/a?secret=s3cr3t"}
	words := "s3cr3t"
	shown := []any{
		r, r.Session(), failed, api.Header, r.Challenge(), pass, &pass,
		PromptAnswer{"password": "s3cr3t"},
		RawAnswer{"x": "s3cr3t"},
		totp, *totp,
		IdentificationAnswer{Password: &words},
		AuthenticatorValidationAnswer{Code: "s3cr3t"},
		&LoginOptions{Password: "s3cr3t"},
		&AuthenticatorStaticChallenge{Codes: []string{"s3cr3t"}},
		ConsentAnswer{Token: "s3cr3t"},
		&AutosubmitChallenge{Attrs: map[string]string{"code": "s3cr3t"}},
		&InspectedPlan{SessionID: "s3cr3t"}, &Inspection{Plans: []InspectedPlan{{SessionID: "s3cr3t"}}}, &RawChallenge{Body: []byte("s3cr3t")},
		Inspection{CurrentPlan: &InspectedPlan{SessionID: "s3cr3t"}},
	}
	for _, v := range shown {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "s3cr3t") {
				t.Errorf("%s of %T is %s", verb, v, text)
			}
		}
		logger.Info("shown", "value", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("shown", "value", v)
	}
	if _, found, ok := strings.Cut(log.String(), "s3cr3t"); ok {
		t.Errorf("the log has a secret, before %.200q", found)
	}
}

// TestSession saves a session and loads it.
func TestSession(t *testing.T) {
	t.Parallel()
	set := func(cookies ...*http.Cookie) reply {
		return func(w http.ResponseWriter, req *http.Request) {
			for _, c := range cookies {
				http.SetCookie(w, c)
			}
			me(w, req)
		}
	}
	s := serve(t, httptest.NewServer,
		set(&http.Cookie{Name: "authentik_device", Value: "d", Path: "/", MaxAge: 2592000}, &http.Cookie{Name: "short", Value: "x", MaxAge: 1, Path: "/"},
			&http.Cookie{Name: "old", Value: "x", Expires: time.Now().Add(-time.Hour), Path: "/"}, &http.Cookie{Name: "elsewhere", Value: "x", Path: "/other/"}),
		set(&http.Cookie{Name: "authentik_session", Value: "one", Path: "/"}), set(&http.Cookie{Name: "authentik_session", Value: "two", Path: "/"}), me,
		set(&http.Cookie{Name: "authentik_session", Path: "/", MaxAge: -1}), me, me,
	)
	sess := NewSession()
	c, err := sess.Client(s.client(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		if _, err := c.CoreUsers.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sess.mu.Lock()
	sess.cookies = append(sess.cookies, cookie{Name: "gone", Value: "x", Path: "/", Expires: time.Now().Add(-time.Second)})
	sess.mu.Unlock()
	saved, err := sess.Save()
	if err != nil || !bytes.Contains(saved, []byte("authentik_device")) || bytes.Contains(saved, []byte("gone")) {
		t.Fatalf("%s, %v", saved, err)
	}
	loaded, err := LoadSession(saved)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = loaded.Client(s.client(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CoreUsers.Me(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"", "d", "d,one", "d,two", "d,two", "d", "d"}
	for i, header := range s.headers {
		var values []string
		req := http.Request{Header: header}
		for _, c := range req.Cookies() {
			if c.Name != "short" { // it may have expired, or not
				values = append(values, c.Value)
			}
		}
		if got := strings.Join(values, ","); got != want[i] {
			t.Errorf("request %d had %q, not %q", i, got, want[i])
		}
		if header.Get("Authorization") != "" {
			t.Errorf("request %d had a token", i)
		}
	}
	other, err := authentik.NewClient("https://other.example.com", "token")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loaded.Client(other); err == nil {
		t.Error("the session is one of two servers")
	}
	for _, junk := range []string{"", "null1", "[]", `{"origin":1}`, `"s3cr3t"`} {
		if _, err := LoadSession([]byte(junk)); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", junk, err)
		}
	}
}

// TestParseLink reads links of pages.
func TestParseLink(t *testing.T) {
	t.Parallel()
	for link, want := range map[string][2]string{
		"/if/flow/recovery/": {"recovery", ""},
		"https://host/authentik/if/flow/enrol/?itoken=1&next=%2Ffoo": {"enrol", "itoken=1&next=%2Ffoo"},
		"/if/flow/a":    {"a", ""},
		"/if/flow/":     {},
		"/if/flow/a/b/": {},
		"/if/user/":     {},
		"":              {},
		"%zz":           {},
	} {
		slug, query, ok := ParseLink(link)
		if slug != want[0] || query != want[1] || ok != (want[0] != "") {
			t.Errorf("%s: %q, %q, %v", link, slug, query, ok)
		}
	}
}

// TestLogin answers what a login may ask for.
func TestLogin(t *testing.T) {
	t.Parallel()
	validate := func(devices ...string) reply {
		for i, class := range devices {
			devices[i] = fmt.Sprintf(`{"device_class":%q,"device_uid":"1","challenge":{},"last_used":null}`, class)
		}
		return challenge("ak-stage-authenticator-validate", `"device_challenges":[`+strings.Join(devices, ",")+`]`)
	}
	sent := challenge("ak-stage-authenticator-validate", `"device_challenges":[],"response_errors":{"non_field_errors":[{"string":"Empty response","code":"invalid"}]}`)
	brand := answer(http.StatusOK, `{"flow_authentication":"login"}`)
	embedded := challenge("ak-stage-identification", `"password_fields":true`)
	options := LoginOptions{
		Username: "anna", Password: "s3cr3t-password", Consent: true, RememberMe: true, Flow: "login",
		Code: func(context.Context, *AuthenticatorValidationChallenge) (string, error) { return "123456", nil },
	}
	for _, test := range []struct {
		name    string
		change  func(*LoginOptions)
		replies []reply
		sent    []string // bodies
		want    error
		stage   string // that is not answered
	}{
		{"password", nil, []reply{identification, right, passwordStage, right, atEnd, me}, []string{`"uid_field":"anna"`, `"password":"s3cr3t-password"`}, nil, ""},
		{"embedded", nil, []reply{embedded, right, atEnd, me}, []string{`"password":"s3cr3t-password","uid_field":"anna"`}, nil, ""},
		{"brand", func(o *LoginOptions) { o.Flow = "" }, []reply{brand, embedded, atEnd, me}, []string{`"uid_field":"anna"`}, nil, ""},
		{"tenant", func(o *LoginOptions) { o.Flow = "" }, []reply{answer(404, "<html>"), brand, embedded, atEnd, me}, []string{`"uid_field":"anna"`}, nil, ""},
		{"all", nil, []reply{
			embedded, right, challenge("ak-stage-consent", `"token":"t"`), right, challenge("ak-stage-user-login", ""), right, dummy, right,
			challenge("xak-flow-redirect", `"to":"https://example.com/"`), right, validate("webauthn", "totp"), right, atEnd, me,
		}, []string{`"uid_field":"anna"`, `"token":"t"`, `"remember_me":true`, `"component":"ak-stage-dummy"}`, `"to":"https://example.com/"`, `"code":"123456"`}, nil, ""},
		{"sms", nil, []reply{embedded, right, validate("duo", "sms"), sent, atEnd, me}, []string{"", `"selected_challenge":{`, `"code":"123456"`}, nil, ""},
		{"another flow", nil, []reply{
			embedded, right, challenge("xak-flow-redirect", `"to":"/if/flow/second/?next=%2Fa"`), passwordStage, atEnd, me,
		}, []string{`"uid_field":"anna"`, `"password"`}, nil, ""},
		{"wrong password", nil, []reply{identification, right, passwordStage, refused("ak-stage-password", "password", "invalid")}, []string{"", ""}, ErrInvalidAnswer, ""},
		{"denied", nil, []reply{challenge("ak-stage-access-denied", "")}, nil, ErrDenied, ""},
		{"nobody", nil, []reply{embedded, atEnd, nobody}, []string{""}, ErrNotLoggedIn, ""},
		{"no consent", func(o *LoginOptions) { o.Consent = false }, []reply{embedded, right, challenge("ak-stage-consent", `"token":"t"`)}, []string{""}, ErrUnanswered, "ak-stage-consent"},
		{"no code", func(o *LoginOptions) { o.Code = nil }, []reply{embedded, right, validate("totp")}, []string{""}, ErrUnanswered, "ak-stage-authenticator-validate"},
		{"webauthn", nil, []reply{embedded, right, validate("webauthn", "duo")}, []string{""}, ErrUnanswered, "ak-stage-authenticator-validate"},
		{"no device", nil, []reply{embedded, right, validate()}, []string{""}, ErrUnanswered, "ak-stage-authenticator-validate"},
		{"captcha", nil, []reply{embedded, right, challenge("ak-stage-captcha", "")}, []string{""}, ErrUnanswered, "ak-stage-captcha"},
		{"captcha within", nil, []reply{challenge("ak-stage-identification", `"captcha_stage":{"component":"ak-stage-captcha"}`)}, nil, ErrUnanswered, "ak-stage-captcha"},
		{"unknown", nil, []reply{embedded, right, challenge("ak-stage-new", "")}, []string{""}, ErrUnanswered, "ak-stage-new"},
		{"restarted", nil, []reply{identification, right, passwordStage, right, identification}, []string{"", ""}, ErrRestarted, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, httptest.NewServer, test.replies...)
			opts := options
			if test.change != nil {
				test.change(&opts)
			}
			r, err := Login(t.Context(), s.client(t), &opts)
			if !errors.Is(err, test.want) || (test.want == nil) != (err == nil) {
				t.Errorf("%v, not %v", err, test.want)
			}
			if stage, ok := errors.AsType[*StageError](err); test.stage != "" && (!ok || stage.Component != test.stage || !strings.Contains(err.Error(), test.stage) || r == nil || r.Done()) {
				t.Errorf("%v with %v, not the stage %s", err, r, test.stage)
			}
			if err == nil && !r.Done() {
				t.Errorf("the run is %v", r)
			}
			var posts []string
			for _, request := range s.requests() {
				if body, ok := strings.CutPrefix(request, "POST"); ok {
					posts = append(posts, body)
				}
			}
			if len(posts) != len(test.sent) || len(s.requests()) != len(test.replies) {
				t.Fatalf("sent %q", s.requests())
			}
			for i, part := range test.sent {
				if !strings.Contains(posts[i], part) {
					t.Errorf("answer %d is %s, without %s", i, posts[i], part)
				}
			}
			for _, header := range s.headers {
				if header.Get("Authorization") != "" {
					t.Error("the token was sent")
				}
			}
		})
	}
	s := serve(t, httptest.NewServer, slices.Repeat([]reply{dummy, right}, 200)...)
	if _, err := Login(t.Context(), s.client(t), &options); err == nil || len(s.requests()) > 2*maxStages+1 {
		t.Errorf("%v after %d requests", err, len(s.requests()))
	}
	for _, opts := range []*LoginOptions{nil, {}} {
		if _, err := Login(t.Context(), nil, opts); err == nil {
			t.Error("no client is needed")
		}
	}
}
