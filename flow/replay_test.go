package flow

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
)

// exchange is a request to a running server, and its answer. testdata/extract.go
// writes them.
type exchange struct {
	Method      string            `json:"method"`
	Path        string            `json:"path"`
	Note        string            `json:"note"`
	HeadersSent map[string]string `json:"headers_sent"`
	CookiesSent []string          `json:"cookies_sent"`
	CSRFHeader  bool              `json:"csrf_header"`
	Sent        map[string]any    `json:"sent"`
	SentRaw     *string           `json:"sent_raw"`
	Status      int               `json:"status"`
	Location    string            `json:"location"`
	SetCookies  []string          `json:"set_cookies"`
	Body        json.RawMessage   `json:"body"`
}

type scenario struct {
	Release   string `json:"release"`
	Name      string `json:"scenario"`
	exchanges []exchange
}

func readScenarios(tb testing.TB) []*scenario {
	tb.Helper()
	content, err := os.ReadFile("testdata/exchanges.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var scenarios []*scenario
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s scenario
		var e exchange
		if err := errors.Join(json.Unmarshal(lines.Bytes(), &s), json.Unmarshal(lines.Bytes(), &e)); err != nil {
			tb.Fatal(err)
		}
		if s.Name != "" {
			scenarios = append(scenarios, &s)
			continue
		}
		last := scenarios[len(scenarios)-1]
		last.exchanges = append(last.exchanges, e)
	}
	return scenarios
}

const executorPath = "/api/v3/flows/executor/"

// executor returns the slug and the query of a request to the executor that a run
// would send, too.
func (e exchange) executor() (slug, query string, ok bool) {
	path, rawQuery, _ := strings.Cut(e.Path, "?")
	slug, ok = strings.CutPrefix(path, executorPath)
	values, err := url.ParseQuery(rawQuery)
	slug, closed := strings.CutSuffix(slug, "/")
	if !ok || !closed || err != nil || len(values) != 1 || len(values["query"]) != 1 {
		return "", "", false
	}
	query = values.Get("query")
	// The recorder wrote names for secrets without encoding them.
	plain := strings.NewReplacer("%3C", "<", "%3E", ">")
	return slug, query, plain.Replace("query="+url.QueryEscape(query)) == plain.Replace(rawQuery)
}

func (e exchange) component() string {
	var body struct {
		Component string `json:"component"`
	}
	_ = json.Unmarshal(e.Body, &body) // a list, or a page in HTML
	return body.Component
}

// recorded is a server that answers as recorded, one exchange after the other, and
// checks what it is asked.
type recorded struct {
	t         *testing.T
	mu        sync.Mutex
	exchanges []exchange
	next      int
	loose     bool // cookies may be missing, of exchanges that were skipped
}

func (s *recorded) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == len(s.exchanges) {
		s.t.Errorf("%s %s after the last exchange", req.Method, req.URL)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	e := s.exchanges[s.next]
	s.next++
	s.check(e, req)
	for _, name := range e.SetCookies {
		http.SetCookie(w, &http.Cookie{Name: name, Value: fmt.Sprint(name, s.next), Path: "/", SameSite: http.SameSiteLaxMode})
	}
	if s.loggedOut() {
		http.SetCookie(w, &http.Cookie{Name: "authentik_session", Path: "/", MaxAge: -1})
	}
	if e.Location != "" {
		w.Header().Set("Location", e.Location)
	}
	w.Header().Set("X-Authentik-Id", "request-id")
	body := []byte(e.Body)
	w.Header().Set("Content-Type", "application/json")
	var text string
	if json.Unmarshal(body, &text) == nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		body = []byte(text)
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}

// loggedOut reports whether the answer before the next exchange ended the session.
func (s *recorded) loggedOut() bool {
	return s.next < len(s.exchanges) && slices.Contains(s.exchanges[s.next].CookiesSent, csrfCookie) &&
		!slices.Contains(s.exchanges[s.next].CookiesSent, "authentik_session")
}

func (s *recorded) check(e exchange, req *http.Request) {
	t := s.t
	path, _, _ := strings.Cut(e.Path, "?")
	if req.Method != e.Method || req.URL.Path != path {
		t.Errorf("exchange %d: asked for %s %s, not %s %s", s.next, req.Method, req.URL, e.Method, e.Path)
	}
	if slug, query, ok := e.executor(); ok {
		if want := "query=" + url.QueryEscape(query); req.URL.RawQuery != want {
			t.Errorf("exchange %d: the query of %s is %q, not %q", s.next, slug, req.URL.RawQuery, want)
		}
	}
	for _, header := range []string{"Authorization", "Origin"} {
		if req.Header.Get(header) != "" {
			t.Errorf("exchange %d: %s was sent", s.next, header)
		}
	}
	var cookies []string
	csrf := ""
	for _, c := range req.Cookies() {
		cookies = append(cookies, c.Name)
		if c.Name == csrfCookie {
			csrf = c.Value
		}
	}
	slices.Sort(cookies)
	want := slices.Sorted(slices.Values(e.CookiesSent))
	if !slices.Equal(cookies, want) && !s.loose {
		t.Errorf("exchange %d: %s %s with the cookies %q, not %q", s.next, e.Method, e.Path, cookies, want)
	}
	if req.Method == http.MethodPost && req.Header.Get(csrfHeader) != csrf {
		t.Errorf("exchange %d: the header against CSRF is %q, not %q", s.next, req.Header.Get(csrfHeader), csrf)
	}
	if e.Sent != nil {
		var sent map[string]any
		body, _ := io.ReadAll(req.Body)
		_ = json.Unmarshal(body, &sent)
		wanted := maps.Clone(e.Sent)
		if _, _, ok := e.executor(); ok {
			delete(wanted, "component") // the server does not look at it
			delete(sent, "component")
		}
		if diff := cmp.Diff(wanted, sent); diff != "" {
			t.Errorf("exchange %d: sent (- recorded):\n%s", s.next, diff)
		}
	}
}

// player does with a run what was recorded.
type player struct {
	t       *testing.T
	server  *recorded
	client  *authentik.Client
	session *Session
	runs    map[string]*Run // of the session, by slug and query
	played  int             // exchanges
	typed   int             // answers of the types for their components
	special []string        // outcomes that the recording alone does not show
}

// TestReplay plays the recorded exchanges with runs.
func TestReplay(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	played, of := map[string]int{}, map[string]int{}
	special := map[string][]string{}
	typed := 0
	t.Cleanup(func() { // when all have been played
		t.Logf("played %v of %v, with %d typed answers", played, of, typed)
		for outcome := range special {
			slices.Sort(special[outcome])
		}
		if diff := cmp.Diff(wantSpecial, special); diff != "" {
			t.Errorf("outcomes that the recording alone does not show (- wanted):\n%s", diff)
		}
		if diff := cmp.Diff(wantPlayed, played); diff != "" {
			t.Errorf("played (- wanted):\n%s", diff)
		}
	})
	for _, s := range readScenarios(t) {
		t.Run(s.Release+"/"+s.Name, func(t *testing.T) {
			t.Parallel()
			server := &recorded{t: t, exchanges: s.exchanges}
			ts := httptest.NewServer(server)
			t.Cleanup(ts.Close)
			client, err := authentik.NewClient(ts.URL, "token-of-the-client", authentik.WithRetries(0, 0, 0))
			if err != nil {
				t.Fatal(err)
			}
			p := &player{t: t, server: server, client: client}
			p.play()
			mu.Lock()
			defer mu.Unlock()
			played[s.Release] += p.played
			typed += p.typed
			of[s.Release] += len(s.exchanges)
			for _, outcome := range p.special {
				special[outcome] = append(special[outcome], s.Release+" "+s.Name)
			}
		})
	}
}

// wantPlayed are the exchanges that a run has, too. The others are requests that it
// never sends: junk, without CSRF, with a token or a strange Origin, after the end.
var wantPlayed = map[string]int{"2023.10.7": 279, "2025.10.4": 192, "2026.5.0-rc1": 103}

var wantSpecial = map[string][]string{
	"asked again without errors: ak-stage-consent": {"2023.10.7 stages/consent"},
	"restarted with ak-stage-identification after ak-stage-password": {
		"2023.10.7 errors/abandon-cancel", "2023.10.7 errors/two-flows-one-session", "2025.10.4 errors/default", "2026.5.0-rc1 errors/default",
	},
	"sent: ak-stage-email": {"2023.10.7 stages/captcha-email", "2025.10.4 stages/captcha-email", "2026.5.0-rc1 stages/captcha-email"},
}

func (p *player) play() {
	for p.server.next < len(p.server.exchanges) && !p.t.Failed() {
		at := p.server.next
		if p.step(p.server.exchanges[at:]) {
			p.played += p.server.next - at
			if p.server.next == at {
				p.t.Fatalf("nothing was asked for exchange %d", at)
			}
			continue
		}
		p.server.next = at + 1
		p.server.loose = true
		if len(p.server.exchanges[at].CookiesSent) == 0 && strings.HasPrefix(p.server.exchanges[at].Path, executorPath) {
			p.session = nil
		}
	}
}

// step plays the first of the exchanges with what follows from it. It is false for
// what a run would not send.
func (p *player) step(rest []exchange) bool {
	e := rest[0]
	odd := len(e.HeadersSent) > 0 || e.SentRaw != nil || strings.Contains(e.Note, "never made") ||
		e.Method == http.MethodPost && e.CSRFHeader != slices.Contains(e.CookiesSent, csrfCookie) || strings.Contains(e.Note, "wrong CSRF")
	if odd {
		return false
	}
	if len(e.CookiesSent) == 0 {
		if e.Method == http.MethodPost {
			return false
		}
		p.session, p.runs = NewSession(), map[string]*Run{}
		p.server.loose = false
	}
	if p.session == nil {
		return false
	}
	slug, query, isExecutor := e.executor()
	if !isExecutor {
		path, isAPI := strings.CutPrefix(e.Path, "/api/v3/")
		if !isAPI || strings.HasPrefix(path, "flows/executor/") {
			return false
		}
		p.call(e, path)
		return true
	}
	final := slices.IndexFunc(rest, func(e exchange) bool { return e.Status != http.StatusFound })
	for _, followed := range rest[1:max(final+1, 1)] {
		if followed.Method != http.MethodGet || followed.Path != e.Path {
			return false // the recorder did not follow
		}
	}
	if final < 0 {
		return false
	}
	run := p.runs[slug+"?"+query]
	ctx := p.t.Context()
	switch {
	case e.Method == http.MethodPost && (run == nil || run.Done() || e.Sent == nil):
		return false
	case e.Method == http.MethodPost:
		pending := run.Challenge().Base().Component
		p.check(run, run.Answer(ctx, p.answer(e.Sent, pending)), rest[final], final == 0)
	case e.Method != http.MethodGet:
		return false
	case run == nil || run.Done():
		run, err := Start(ctx, p.client, slug, &Options{Query: query, Session: p.session})
		p.check(run, err, rest[final], false)
		p.runs[slug+"?"+query] = run
	default:
		p.check(run, run.Refresh(ctx), rest[final], false)
	}
	return true
}

// answer returns what was sent as the type for the pending component, where that has
// all of it, else as a raw one.
func (p *player) answer(sent map[string]any, pending string) Answer {
	sent = maps.Clone(sent)
	if sent["component"] != nil {
		sent["component"] = pending
	}
	for _, a := range answers {
		if a.component() != pending {
			continue
		}
		members, _ := json.Marshal(sent)
		typed := reflect.New(reflect.TypeOf(a))
		if json.Unmarshal(members, typed.Interface()) != nil {
			break
		}
		answer := typed.Elem().Interface().(Answer)
		if prompt, ok := answer.(PromptAnswer); ok {
			delete(prompt, "component")
		}
		var again map[string]any
		encoded, err := encode(answer, pending)
		if err != nil || json.Unmarshal(encoded, &again) != nil {
			p.t.Errorf("%v: %v", sent, err)
		}
		if reflect.DeepEqual(again, sent) {
			p.typed++
			return answer
		}
	}
	return RawAnswer(sent)
}

// answers are the types of answers, one of each.
var answers = []Answer{
	AppleAnswer{},
	AuthenticatorDuoAnswer{},
	AuthenticatorEmailAnswer{},
	AuthenticatorSMSAnswer{},
	AuthenticatorStaticAnswer{},
	AuthenticatorTOTPAnswer{},
	AuthenticatorValidationAnswer{},
	AuthenticatorWebAuthnAnswer{},
	AutosubmitAnswer{},
	CaptchaAnswer{},
	ConsentAnswer{},
	DummyAnswer{},
	EmailAnswer{},
	EndpointAgentAnswer{},
	FrameAnswer{},
	IdentificationAnswer{},
	IframeLogoutAnswer{},
	NativeLogoutAnswer{},
	OAuthDeviceCodeAnswer{},
	OAuthDeviceCodeFinishAnswer{},
	PasswordAnswer{},
	PlexAuthenticationAnswer{},
	PromptAnswer{},
	RedirectAnswer{},
	TelegramAnswer{},
	UserLoginAnswer{},
}

// call asks for what is no flow, as the user of the session.
func (p *player) call(e exchange, path string) {
	c, err := p.session.Client(p.client)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx := context.Background()
	switch {
	case e.Method == http.MethodPost:
		_, err = authentik.Post[map[string]any](ctx, c, path, e.Sent)
	case strings.HasPrefix(path, "flows/inspector/"):
		run := &Run{client: c, slug: strings.TrimSuffix(strings.TrimPrefix(path, "flows/inspector/"), "/")}
		var seen *Inspection
		if seen, err = run.Inspect(ctx); err == nil {
			p.noExtra(reflect.ValueOf(seen), "Inspection")
		}
	default:
		_, err = authentik.Get[json.RawMessage](ctx, c, path, nil)
	}
	status := http.StatusOK
	if api, ok := errors.AsType[*authentik.APIError](err); ok {
		status = api.StatusCode
	} else if err != nil {
		p.t.Errorf("%s %s: %v", e.Method, e.Path, err)
	}
	if status != e.Status && (status != http.StatusOK || e.Status > 299) {
		p.t.Errorf("%s %s: the status is %d, not %d", e.Method, e.Path, status, e.Status)
	}
}

// check compares the outcome with the answer that was recorded last.
func (p *player) check(run *Run, err error, final exchange, direct bool) {
	t := p.t
	t.Helper()
	if final.Status != http.StatusOK {
		if api, ok := errors.AsType[*authentik.APIError](err); !ok || api.StatusCode != final.Status {
			t.Errorf("%s %s: %v, not the status %d", final.Method, final.Path, err, final.Status)
		}
		return
	}
	var want struct {
		FlowInfo  any                                `json:"flow_info"`
		Errors    map[string][]authentik.ErrorDetail `json:"response_errors"`
		To        string                             `json:"to"`
		Message   string                             `json:"error_message"`
		RequestID string                             `json:"request_id"`
	}
	if err := json.Unmarshal(final.Body, &want); err != nil {
		t.Fatal(err)
	}
	component := final.component()
	restarted, isRestarted := errors.AsType[*RestartedError](err)
	refused, isRefused := errors.AsType[*AnswerError](err)
	switch {
	case component == "ak-stage-access-denied":
		if denied, ok := errors.AsType[*DeniedError](err); !ok || denied.Message != want.Message || !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v, and not denied: %s", final.Path, err, want.Message)
		}
		return
	case component == "ak-stage-flow-error":
		if failed, ok := errors.AsType[*FlowError](err); !ok || failed.RequestID != want.RequestID || !errors.Is(err, ErrFlow) {
			t.Errorf("%s: %v, and not a flow error %s", final.Path, err, want.RequestID)
		}
		return
	case isRestarted:
		p.special = append(p.special, "restarted with "+restarted.Came+" after "+restarted.Answered)
	case isRefused && len(refused.Errors) == 0:
		p.special = append(p.special, "asked again without errors: "+refused.Component)
	case direct && len(want.Errors) > 0 && err == nil:
		p.special = append(p.special, "sent: "+component)
	case direct && len(want.Errors) > 0:
		if !isRefused || !errors.Is(err, ErrInvalidAnswer) || refused.Component != component || !reflect.DeepEqual(refused.Errors, want.Errors) {
			t.Errorf("%s %v: %v, not the errors %v", final.Path, final.Sent, err, want.Errors)
		}
	case err != nil:
		t.Errorf("%s %v: %v", final.Path, final.Sent, err)
	}
	if run == nil {
		return
	}
	got := run.Challenge()
	if got.Base().Component != component {
		t.Errorf("%s: %s is pending, not %s", final.Path, got.Base().Component, component)
	}
	if end := component == "xak-flow-redirect" && want.FlowInfo == nil; end && (!run.Done() || run.To() != want.To) {
		t.Errorf("%s: done is %v, to %q", final.Path, run.Done(), run.To())
	}
}

// noExtra finds no member that the SDK does not know, and a type of its own for each
// challenge.
func (p *player) noExtra(v reflect.Value, path string) { checkNoExtra(p.t, v, path) }

func checkNoExtra(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch v.Kind() { //nolint:exhaustive // nothing else has members
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			checkNoExtra(t, v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkNoExtra(t, v.Index(i), path)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[RawChallenge]() {
			t.Errorf("%s has no type", path)
		}
		for field, value := range v.Fields() {
			if !field.IsExported() {
				continue
			}
			if extra, ok := reflect.TypeAssert[map[string]json.RawMessage](value); ok && len(extra) > 0 {
				t.Errorf("%s.%s has %q in Extra", path, field.Name, slices.Sorted(maps.Keys(extra)))
			}
			checkNoExtra(t, value, path+"."+field.Name)
		}
	}
}

// TestRecordedChallenges decodes each recorded challenge into its own type, with
// nothing that is left over.
func TestRecordedChallenges(t *testing.T) {
	t.Parallel()
	types := map[string]bool{}
	for _, s := range readScenarios(t) {
		for _, e := range s.exchanges {
			if !strings.HasPrefix(e.Path, executorPath) || e.component() == "" {
				continue
			}
			c, err := decodeChallenge(e.Body)
			if err != nil {
				t.Errorf("%s: %s: %v", s.Name, e.Body, err)
				continue
			}
			types[e.component()] = true
			checkNoExtra(t, reflect.ValueOf(c), s.Release+" "+s.Name+" "+e.component())
		}
	}
	if len(types) != 18 {
		t.Errorf("%d types of challenges were recorded, not 18", len(types))
	}
}
