package authentiktest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/flow"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// flowOf adds a flow with the stages, in their order.
func flowOf(s *authentiktest.Server, slug string, stages ...uuid.UUID) authentik.Flow {
	return flowFor(s, authentik.Flow{Slug: slug}, stages...)
}

func flowFor(s *authentiktest.Server, f authentik.Flow, stages ...uuid.UUID) authentik.Flow {
	f = s.FlowsInstances.Add(f)
	for i, stage := range stages {
		s.FlowsBindings.Add(authentik.FlowStageBinding{Target: f.PK, Stage: stage, Order: i})
	}
	return f
}

// recordedFlows adds the flows and users that the recordings were made with.
func recordedFlows(t *testing.T, s *authentiktest.Server) {
	t.Helper()
	fields := []authentik.UserField{authentik.UserFieldEmail, authentik.UserFieldUsername}
	user := func(name string, active bool) {
		u := s.CoreUsers.Add(authentik.User{Username: name, Email: name + "@example.com", IsActive: active})
		c, err := s.Client()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CoreUsers.SetPassword(t.Context(), u.PK, &authentik.UserPasswordSetRequest{Password: "right"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"frec-u-login", "frec-u-mfa0", "frec-u-mfa0b", "frec-u-mfa1", "frec-u-mfa2", "frec-u-mail", "frec-u-del1206", "akadmin"} {
		user(name, true)
	}
	user("frec-u-inactive", false)
	password := s.StagesPassword.Add(authentik.PasswordStage{FailedAttemptsBeforeCancel: 5})
	two := s.StagesPassword.Add(authentik.PasswordStage{FailedAttemptsBeforeCancel: 2})
	id := s.StagesIdentification.Add(authentik.IdentificationStage{UserFields: fields, PretendUserExists: true})
	combo := s.StagesIdentification.Add(authentik.IdentificationStage{UserFields: fields, PasswordStage: &password.PK, PretendUserExists: true})
	login := s.StagesUserLogin.Add(authentik.UserLoginStage{})
	logout := s.StagesUserLogout.Add(authentik.UserLogoutStage{})
	consent := s.StagesConsent.Add(authentik.ConsentStage{})
	one, other := s.StagesDummy.Add(authentik.DummyStage{}), s.StagesDummy.Add(authentik.DummyStage{})
	static := s.StagesAuthenticatorStatic.Add(authentik.AuthenticatorStaticStage{TokenCount: 3})
	totp := s.StagesAuthenticatorTOTP.Add(authentik.AuthenticatorTOTPStage{Digits: "6"})
	validate := func(action authentik.NotConfiguredAction, stages ...uuid.UUID) uuid.UUID {
		return s.StagesAuthenticatorValidate.Add(authentik.AuthenticatorValidateStage{NotConfiguredAction: action, ConfigurationStages: stages}).PK
	}
	flowOf(s, "frec-login", id.PK, password.PK, login.PK)
	flowOf(s, "default-authentication-flow", id.PK, password.PK, validate(authentik.NotConfiguredActionSkip), login.PK)
	flowOf(s, "frec-cancel", id.PK, two.PK, login.PK)
	flowOf(s, "frec-combo", combo.PK, login.PK)
	flowOf(s, "frec-logout", logout.PK)
	flowOf(s, "default-invalidation-flow", logout.PK)
	flowOf(s, "frec-dummy", one.PK, other.PK)
	flowOf(s, "frec-consent", consent.PK, one.PK)
	flowOf(s, "frec-empty")
	flowOf(s, "frec-delete", s.StagesUserDelete.Add(authentik.UserDeleteStage{}).PK)
	flowOf(s, "frec-setup-static", static.PK)
	flowOf(s, "frec-setup-totp", totp.PK)
	flowOf(s, "frec-mfa-deny", combo.PK, validate(authentik.NotConfiguredActionDeny), login.PK)
	flowOf(s, "frec-mfa-skip", combo.PK, validate(authentik.NotConfiguredActionSkip), login.PK)
	flowOf(s, "frec-mfa-conf1", combo.PK, validate(authentik.NotConfiguredActionConfigure, static.PK), login.PK)
	flowOf(s, "frec-mfa-conf2", combo.PK, validate(authentik.NotConfiguredActionConfigure, static.PK, totp.PK), login.PK)
	flowOf(s, "frec-captcha", s.StagesCaptcha.Add(authentik.CaptchaStage{}).PK)
	recovery := s.StagesIdentification.Add(authentik.IdentificationStage{UserFields: fields, PretendUserExists: true})
	flowFor(s, authentik.Flow{Slug: "frec-email", Designation: authentik.FlowDesignationRecovery}, recovery.PK, s.StagesEmail.Add(authentik.EmailStage{}).PK)
	flowOf(s, "frec-deny", s.StagesDeny.Add(authentik.DenyStage{DenyMessage: "Go away, please"}).PK)
	flowOf(s, "frec-redir-s", s.StagesRedirect.Add(authentik.RedirectStage{Mode: authentik.RedirectStageModeStatic, TargetStatic: "https://example.com/there"}).PK, one.PK)
	flowFor(s, authentik.Flow{Slug: "default-authenticator-totp-setup", Authentication: authentik.FlowAuthenticationRequireAuthenticated}, totp.PK)
	write := s.StagesUserWrite.Add(authentik.UserWriteStage{UserCreationMode: authentik.UserCreationModeAlwaysCreate})
	form := s.StagesPromptStages.Add(authentik.PromptStage{Fields: []uuid.UUID{
		s.StagesPromptPrompts.Add(authentik.Prompt{FieldKey: "username", Type: authentik.PromptTypeUsername, Required: true}).PK,
		s.StagesPromptPrompts.Add(authentik.Prompt{FieldKey: "email", Type: authentik.PromptTypeEmail, Required: true, Order: 1}).PK,
	}})
	s.StagesInvitationInvitations.Add(authentik.Invitation{PK: uuid.MustParse("00000000-0000-4000-8000-000000000002"), SingleUse: true})
	flowOf(s, "frec-invite", s.StagesInvitationStages.Add(authentik.InvitationStage{}).PK, form.PK, write.PK, login.PK)
	flowOf(s, "frec-invite-open", s.StagesInvitationStages.Add(authentik.InvitationStage{ContinueFlowWithoutInvitation: true}).PK, one.PK)
	flowOf(s, "frec-throw", s.StagesDummy.Add(authentik.DummyStage{ThrowError: true}).PK)
	flowFor(s, authentik.Flow{Slug: "frec-needauth", Authentication: authentik.FlowAuthenticationRequireAuthenticated}, one.PK)
}

// scenarios are the recorded ones that the fake runs, with their exchanges.
var scenarios = []string{
	"2023.10.7 errors/two-flows-one-session", "2023.10.7 login/identification-embedded-password", "2023.10.7 login/inactive-user",
	"2023.10.7 login/password-missing-member", "2023.10.7 login/password-wrong-until-cancelled", "2023.10.7 login/separate-stages",
	"2023.10.7 login/identification-unknown-user", "2023.10.7 mfa/not-configured", "2023.10.7 mfa/setup-static-in-flow", "2023.10.7 mfa/setup-totp-in-flow",
	"2023.10.7 stages/consent", "2023.10.7 stages/dummy-redirect", "2023.10.7 stages/logout-default", "2023.10.7 stages/user-delete",
	"2023.10.7 enrol/invitation", "2023.10.7 enrol/prompt", "2025.10.4 enrol/prompt", "2023.10.7 errors/stage-exception", "2023.10.7 errors/unknown-slug-empty-flow", "2023.10.7 stages/captcha-email",
	"2025.10.4 login/identification-embedded-password", "2025.10.4 login/pretend-user", "2025.10.4 stages/captcha-email",
	"2026.5.0-rc1 login/pretend-user", "2026.5.0-rc1 own/redirect-deny", "2026.5.0-rc1 stages/captcha-email", "2026.5.0-rc1 headers/default",
}

type exchange struct {
	Release     string            `json:"release"`
	Scenario    string            `json:"scenario"`
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
	Body        json.RawMessage   `json:"body"`
}

// outcome is what the fake and a server have to agree in.
type outcome struct {
	Status    int
	Location  string
	Component string
	Waits     bool // it has a flow_info
	To        string
	Errors    map[string][]string
}

func outcomeOf(status int, location string, b []byte) outcome {
	var body struct {
		Component string                         `json:"component"`
		FlowInfo  map[string]any                 `json:"flow_info"`
		To        string                         `json:"to"`
		Errors    map[string][]map[string]string `json:"response_errors"`
	}
	_ = json.Unmarshal(b, &body) // a list, or a page in HTML
	o := outcome{Status: status, Location: location, Component: body.Component, Waits: body.FlowInfo != nil, To: body.To}
	for member, errors := range body.Errors {
		if o.Errors == nil {
			o.Errors = map[string][]string{}
		}
		for _, e := range errors {
			o.Errors[member] = append(o.Errors[member], e["code"])
		}
	}
	return o
}

// TestRecordedFlows sends the fake what was sent to servers, and wants the same
// statuses, components, errors and ends.
func TestRecordedFlows(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../flow/testdata/exchanges.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string][]exchange{}
	name := ""
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.Scenario != "" {
			name = e.Release + " " + e.Scenario
		} else {
			recorded[name] = append(recorded[name], e)
		}
	}
	var mu sync.Mutex
	compared := 0
	t.Cleanup(func() { t.Logf("%d exchanges of %d scenarios compared", compared, len(scenarios)) })
	for _, name := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := authentiktest.NewServer()
			defer s.Close()
			recordedFlows(t, s)
			s.SetRelease(strings.Join(strings.Split(name, ".")[:2], "."))
			addForms(s, recorded[name])
			r := &replay{t: t, s: s, cookies: map[string]string{}}
			for i, e := range recorded[name] {
				r.send(i, e)
			}
			if r.compared < 2 {
				t.Errorf("%d exchanges were compared", r.compared)
			}
			mu.Lock()
			defer mu.Unlock()
			compared += r.compared
		})
	}
}

// addForms adds the flow frec-enrol, with the form that was recorded.
func addForms(s *authentiktest.Server, exchanges []exchange) {
	for _, e := range exchanges {
		var form flow.PromptChallenge
		if !strings.Contains(e.Path, "/frec-enrol/") || json.Unmarshal(e.Body, &form) != nil || len(form.Fields) == 0 {
			continue
		}
		var keys []uuid.UUID
		for _, field := range form.Fields {
			var lines []string
			for _, choice := range field.Choices {
				lines = append(lines, choice.Value)
			}
			keys = append(keys, s.StagesPromptPrompts.Add(authentik.Prompt{
				FieldKey: field.FieldKey, Type: field.Type, Required: field.Required, Order: field.Order, InitialValue: field.InitialValue,
				Placeholder: strings.Join(lines, "\n"),
			}).PK)
		}
		stage := s.StagesPromptStages.Add(authentik.PromptStage{Fields: keys})
		write := s.StagesUserWrite.Add(authentik.UserWriteStage{UserCreationMode: authentik.UserCreationModeAlwaysCreate})
		login := s.StagesUserLogin.Add(authentik.UserLoginStage{})
		flowOf(s, "frec-enrol", stage.PK, write.PK, login.PK)
		return
	}
}

type replay struct {
	t        *testing.T
	s        *authentiktest.Server
	cookies  map[string]string
	last     map[string]any // body
	compared int
}

// send sends what was recorded, with the secrets of the fake.
func (r *replay) send(i int, e exchange) {
	t := r.t
	t.Helper()
	if strings.Contains(string(e.Body), "<!DOCTYPE") && e.Status != http.StatusNotFound || strings.Contains(e.Note, "never made") || !strings.HasPrefix(e.Path, "/api/v3/") ||
		e.HeadersSent["Authorization"] != "" || e.HeadersSent["Accept"] != "" || strings.HasPrefix(e.Path, "/api/v3/authenticators/") {
		return
	}
	if len(e.CookiesSent) == 0 {
		r.cookies = map[string]string{}
	}
	hc := http.Client{Transport: http.DefaultTransport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := hc.Do(r.request(i, e))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		r.cookies[c.Name] = c.Value
	}
	var got map[string]any
	if json.Unmarshal(b, &got) == nil && got["component"] != nil {
		r.last = got
	}
	if strings.Contains(e.Note, "foreign Origin") || e.HeadersSent["Origin"] != "" { // the fake looks at none
		return
	}
	r.compared++
	want, have := outcomeOf(e.Status, e.Location, e.Body), outcomeOf(resp.StatusCode, resp.Header.Get("Location"), b)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("exchange %d, %s %s %v (- recorded):\n%s\n%s", i, e.Method, e.Path, e.Sent, diff, b)
	}
}

// request is the recorded one, with the secrets and cookies of the fake.
func (r *replay) request(i int, e exchange) *http.Request {
	t := r.t
	t.Helper()
	var body io.Reader
	switch {
	case e.SentRaw != nil:
		body = strings.NewReader(*e.SentRaw)
	case e.Sent != nil:
		sent := maps.Clone(e.Sent)
		for member, value := range sent {
			text, _ := value.(string)
			switch {
			case text == "<right password>":
				sent[member] = "right"
			case strings.HasPrefix(text, "<consent-token"):
				sent[member] = r.last["token"]
			case member == "code" && len(text) == 6 && text != "000000":
				sent[member], _ = flow.TOTPCode(fmt.Sprint(r.last["config_url"]), time.Now())
			case member == "selected_stage" && i > 0 && text != "00000000-0000-4000-8000-000000000001":
				for _, stage := range r.last["configuration_stages"].([]any) {
					if stage := stage.(map[string]any); strings.Contains(fmt.Sprint(stage["meta_model_name"]), "static") {
						sent[member] = stage["pk"]
					}
				}
			}
		}
		b, _ := json.Marshal(sent)
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), e.Method, r.s.URL+e.Path, body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range e.HeadersSent {
		req.Header.Set(name, value)
	}
	for _, name := range e.CookiesSent {
		req.AddCookie(&http.Cookie{Name: name, Value: r.cookies[name]})
	}
	if e.CSRFHeader {
		req.Header.Set("X-authentik-CSRF", r.cookies["authentik_csrf"])
		if strings.Contains(e.Note, "wrong CSRF") {
			req.Header.Set("X-authentik-CSRF", "wrong")
		}
	}
	return req
}

// TestFlows runs a login with a code, an enrolment by an invitation, and a recovery by
// e-mail, on the newest release.
func TestFlows(t *testing.T) {
	t.Parallel()
	s := authentiktest.NewServer()
	defer s.Close()
	recordedFlows(t, s)
	ctx := t.Context()
	c, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	anna := &flow.LoginOptions{Username: "frec-u-mfa0b", Password: "right", Flow: "frec-mfa-conf1"}
	run, err := flow.Login(ctx, c, anna)
	if _, ok := run.Challenge().(*flow.AuthenticatorStaticChallenge); !ok {
		t.Fatalf("%v, %v", run, err)
	}
	codes := run.Challenge().(*flow.AuthenticatorStaticChallenge).Codes
	if err := run.Answer(ctx, flow.AuthenticatorStaticAnswer{}); err != nil || !run.Done() {
		t.Fatal(err)
	}
	me, err := run.Client().CoreUsers.Me(ctx)
	if err != nil || me.User.Username != "frec-u-mfa0b" {
		t.Fatalf("%v, %v", me, err)
	}
	token, err := run.Client().CoreTokens.Create(ctx, &authentik.TokenRequest{Identifier: "ci", Intent: new(authentik.TokenIntentAPI)})
	if err != nil || token.Identifier != "ci" {
		t.Fatal(err)
	}
	anna.Code = func(_ context.Context, _ *flow.AuthenticatorValidationChallenge) (string, error) {
		return codes[0], nil
	}
	if _, err := flow.Login(ctx, c, anna); err != nil {
		t.Error(err)
	}
	if _, err := flow.Login(ctx, c, anna); err == nil {
		t.Error("a static code counts twice")
	}

	fields := []uuid.UUID{
		s.StagesPromptPrompts.Add(authentik.Prompt{FieldKey: "username", Type: authentik.PromptTypeUsername, Required: true, Order: 1}).PK,
		s.StagesPromptPrompts.Add(authentik.Prompt{FieldKey: "attributes.team", Type: authentik.PromptTypeText, Order: 0}).PK,
		s.StagesPromptPrompts.Add(authentik.Prompt{FieldKey: "email", Type: authentik.PromptTypeEmail, Required: true, Order: 2}).PK,
	}
	form := s.StagesPromptStages.Add(authentik.PromptStage{Fields: fields})
	invite := s.StagesInvitationStages.Add(authentik.InvitationStage{})
	write := s.StagesUserWrite.Add(authentik.UserWriteStage{UserCreationMode: authentik.UserCreationModeAlwaysCreate})
	mail := s.StagesEmail.Add(authentik.EmailStage{})
	login := s.StagesUserLogin.Add(authentik.UserLoginStage{})
	flowOf(s, "enrolment", invite.PK, form.PK, mail.PK, write.PK, login.PK)
	invitation := s.StagesInvitationInvitations.Add(authentik.Invitation{SingleUse: true, FixedData: map[string]any{"attributes.team": "wiki"}})
	options := &flow.Options{Query: "itoken=" + invitation.PK.String()}
	if run, err = flow.Start(ctx, c, "enrolment", options); err != nil {
		t.Fatal(err)
	}
	prompt := run.Challenge().(*flow.PromptChallenge)
	if keys := []string{prompt.Fields[0].FieldKey, prompt.Fields[1].FieldKey, prompt.Fields[0].InitialValue}; !slices.Equal(keys, []string{"attributes.team", "username", "wiki"}) {
		t.Errorf("the form is %v", keys)
	}
	if err := run.Answer(ctx, flow.PromptAnswer{"username": "ben", "email": "ben@example.com", "attributes.team": "wiki"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := run.Challenge().(*flow.EmailChallenge); !ok {
		t.Fatalf("the run is %v", run)
	}
	mails := s.FlowMails()
	slug, query, _ := flow.ParseLink(mails[len(mails)-1].Link)
	if run, err = flow.Start(ctx, c, slug, &flow.Options{Query: query}); err != nil || !run.Done() {
		t.Fatalf("%v, %v", run, err)
	}
	if me, err := run.Client().CoreUsers.Me(ctx); err != nil || me.User.Username != "ben" || mails[len(mails)-1].To != "ben@example.com" {
		t.Errorf("%v, %v", me, err)
	}
	if _, err := flow.Start(ctx, c, "enrolment", options); err == nil {
		t.Error("an invitation counts twice")
	}

	policy := s.PoliciesDummy.Add(authentik.DummyPolicy{})
	refused := flowOf(s, "refused", login.PK)
	s.PoliciesBindings.Add(authentik.PolicyBinding{Target: refused.PolicyBindingModelPtrID, Policy: &policy.PK, Enabled: true})
	if _, err := flow.Start(ctx, c, "refused", nil); err == nil || !strings.Contains(err.Error(), "runs no policy") {
		t.Errorf("a policy: %v", err)
	}
	flowOf(s, "unknown", s.StagesSource.Add(authentik.SourceStage{}).PK)
	if _, err := flow.Start(ctx, c, "unknown", nil); err == nil || !strings.Contains(err.Error(), "stages/source/") {
		t.Errorf("a stage: %v", err)
	}
}

// TestSuperusersOfGroups runs a flow for superusers as one who is of a group of them.
func TestSuperusersOfGroups(t *testing.T) {
	t.Parallel()
	s := authentiktest.NewServer()
	defer s.Close()
	s.Bootstrap()
	c, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	s.FlowsInstances.Add(authentik.Flow{Slug: "admins", Authentication: authentik.FlowAuthenticationRequireSuperuser})
	ada := s.CoreUsers.Add(authentik.User{Username: "ada", IsActive: true})
	for _, user := range []authentik.User{s.CoreUsers.All()[0], ada} {
		if err := c.CoreUsers.SetPassword(t.Context(), user.PK, &authentik.UserPasswordSetRequest{Password: "right"}); err != nil {
			t.Fatal(err)
		}
		run, err := flow.Login(t.Context(), c, &flow.LoginOptions{Username: user.Username, Password: "right"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = flow.Start(t.Context(), c, "admins", &flow.Options{Session: run.Session()})
		if does, is := err == nil, user.Username == "akadmin"; does != is {
			t.Errorf("%s: the flow applies: %t, %v", user.Username, does, err)
		}
	}
}

func TestSessionsAndMailsAreBounded(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	flowOf(s, "mailed", s.StagesEmail.Add(authentik.EmailStage{}).PK, s.StagesUserLogout.Add(authentik.UserLogoutStage{}).PK)
	const path = "/api/v3/flows/executor/mailed/"
	session := func(cookie *http.Cookie) *http.Cookie {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		if cookie != nil {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Result().Cookies()[0]
	}
	first := session(nil)
	oldest := s.FlowMails()[0]
	for range 998 {
		quietly(t, s, http.MethodGet, path, "")
	}
	if got := s.FlowMails(); len(got) != 999 || got[0] != oldest {
		t.Errorf("%d mails, from %v", len(got), got[0])
	}
	if session(first).Value != first.Value {
		t.Error("a session is forgotten too soon")
	}
	quietly(t, s, http.MethodGet, path, "")
	last := session(nil)
	if got := s.FlowMails(); len(got) != 1_000 || got[0] == oldest {
		t.Errorf("%d mails, from %v", len(got), got[0])
	}
	if session(first).Value == first.Value {
		t.Error("the oldest of 1,001 sessions is kept")
	}
	if session(last).Value != last.Value {
		t.Error("the newest session is forgotten")
	}
}
