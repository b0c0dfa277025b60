package authentiktest

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// This file is the flow executor: sessions, plans, and what happens between the
// stages. flows_stages.go has the stages.

const (
	executorPath  = "/api/v3/flows/executor/"
	sessionCookie = "authentik_session"
	csrfCookie    = "authentik_csrf"
	csrfHeader    = "X-authentik-CSRF"
)

// flows are the sessions of browsers and of what runs flows, and what users have set
// up in them.
type flows struct {
	sessions map[string]*flowSession // by cookie
	cookies  []string                // of sessions, the oldest first
	mails    map[string]*flowMail    // by flow_token
	sent     []FlowMail
	devices  map[string][]*flowDevice // by the key of the user
}

// flowSession is what a session cookie stands for.
type flowSession struct {
	user *object // nil: nobody is logged in
	csrf string
	plan *flowPlan // nil: no flow runs
}

// flowPlan is a flow that runs.
type flowPlan struct {
	flow   *object
	stages []*object // those that are left; the first one waits
	user   *object   // pending
	claims string    // the name of a user who is not there, if the flow pretends
	data   map[string]any

	failures int         // wrong passwords
	token    string      // of the consent
	device   *flowDevice // that is being set up
	mailed   bool
}

// FlowMail is an e-mail with a link that a flow would have sent.
type FlowMail struct {
	To   string // address
	Link string // path and query of the page that goes on with the flow
}

type flowMail struct{ plan flowPlan }

// FlowMails returns the e-mails that flows would have sent, the oldest first, and the
// last 1,000 at most. The fake sends none.
func (s *Server) FlowMails() []FlowMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.flows.sent)
}

// flowStep is what came of a stage.
type flowStep struct {
	challenge map[string]any // it waits
	errors    map[string]any // what is wrong with the answer
	done      bool
	denied    *string
	failed    string // an exception, in words
}

func flowDenied(message string) flowStep { return flowStep{denied: &message} }

// flowExecution is a request to the executor.
type flowExecution struct {
	*Server
	request *http.Request
	session *flowSession
	plan    *flowPlan
	query   url.Values // of the page, as the parameter query has it
}

// runFlow answers a request to the executor, and reports whether it is one.
func (s *Server) runFlow(w http.ResponseWriter, r *http.Request) bool {
	slug, below := strings.CutPrefix(r.URL.Path, executorPath)
	slug, closed := strings.CutSuffix(slug, "/")
	if !below || !closed || slug == "" || strings.Contains(slug, "/") {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	header := w.Header()
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	for name, value := range map[string]string{
		"X-authentik-id": id, "X-Powered-By": "authentik", "X-Frame-Options": "SAMEORIGIN", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Vary": "Accept-Language, Cookie", "Content-Type": "text/html; charset=utf-8",
	} {
		header.Set(name, value)
	}
	flow := s.list("flows/instances/").byID[slug]
	switch {
	case flow == nil && r.Method == http.MethodGet:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<!DOCTYPE html>\n<title>Not Found - authentik</title>\n"))
		return true
	case flow == nil, r.Method == http.MethodHead, r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return true
	}
	header.Set("Allow", "GET, POST, HEAD, OPTIONS")
	key, session := s.sessionOf(r)
	if session == nil {
		key, session = rand.Text(), &flowSession{}
		s.flows.begin(key, session)
	}
	query, _ := url.ParseQuery(r.URL.Query().Get("query"))
	x := &flowExecution{s, r, session, nil, query}
	before := session.csrf
	body, goesOn := x.execute(flow, id)
	const plain = http.SameSiteLaxMode // as authentik without TLS
	if s.flows.sessions[key] == nil {  // logged out
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, SameSite: plain}) //nolint:gosec // there is no TLS
	} else {
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: key, Path: "/", HttpOnly: true, SameSite: plain}) //nolint:gosec // there is no TLS
	}
	if session.csrf != before {
		http.SetCookie(w, &http.Cookie{Name: csrfCookie, Value: session.csrf, Path: "/", MaxAge: 31449600, SameSite: plain}) //nolint:gosec // there is no TLS
	}
	own := r.URL.Path
	if given := r.URL.Query(); given.Has("query") {
		own += "?query=" + url.QueryEscape(given.Get("query"))
	}
	switch {
	case goesOn && own == r.URL.RequestURI():
		header.Set("Location", own)
		w.WriteHeader(http.StatusFound)
		return true
	case goesOn: // authentik compares it with its own form, byte by byte
		body = map[string]any{"component": "xak-flow-redirect", "to": own}
	}
	header.Set("Content-Type", "application/json")
	b, _ := json.Marshal(body) // of what was JSON, and strings
	_, _ = w.Write(b)
	return true
}

// begin adds a session. The oldest one ends if there are too many.
func (f *flows) begin(key string, session *flowSession) {
	f.sessions[key] = session
	if f.cookies = append(f.cookies, key); len(f.cookies) > keptSessions {
		delete(f.sessions, f.cookies[0])
		f.cookies = f.cookies[1:]
	}
}

// send adds a mail, whose link has the token. The oldest one is forgotten if there
// are too many.
func (f *flows) send(address, token string, plan flowPlan) {
	f.mails[token] = &flowMail{plan}
	f.sent = append(f.sent, FlowMail{address, "/if/flow/" + plan.flow.id + "/?flow_token=" + token})
	if len(f.sent) > keptSessions {
		_, oldest, _ := strings.Cut(f.sent[0].Link, "?flow_token=")
		delete(f.mails, oldest)
		f.sent = f.sent[1:]
	}
}

// sessionOf returns the session of a request, nil if there is none.
func (s *Server) sessionOf(r *http.Request) (key string, session *flowSession) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return "", nil
	}
	return c.Value, s.flows.sessions[c.Value]
}

// bySession says why authentik refuses a request that comes with a session and no
// token; ok is false if nobody is logged in there.
func (s *Server) bySession(r *http.Request) (refusal *reply, ok bool) {
	_, session := s.sessionOf(r)
	if session == nil || session.user == nil {
		return nil, false
	}
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	if words := "CSRF Failed: CSRF token missing."; !safe && r.Header.Get(csrfHeader) != session.csrf {
		if r.Header.Get(csrfHeader) != "" {
			words = "CSRF Failed: CSRF token from the 'X-Authentik-Csrf' HTTP header incorrect."
		}
		refused := detail(http.StatusForbidden, words)
		return &refused, true
	}
	return nil, true
}

// execute runs the flow's stage, and returns a challenge, or that the client is to
// go on.
func (x *flowExecution) execute(flow *object, id string) (body map[string]any, goesOn bool) {
	isPost := x.request.Method == http.MethodPost
	failed := func(words string) map[string]any {
		body := map[string]any{"component": "ak-stage-flow-error", "request_id": id}
		if x.session.user != nil && x.superuser(x.session.user.members) == true {
			body["error"], body["traceback"] = words, words
		}
		if strings.HasPrefix(words, "authentiktest: ") { // for the author of the test
			body["error"] = words
		}
		return x.base(body)
	}
	if x.request.Method != http.MethodGet && !isPost {
		return failed("method not allowed"), false
	}
	var sent any = map[string]any{}
	if isPost {
		if x.session.csrf != "" && x.request.Header.Get(csrfHeader) != x.session.csrf {
			return failed(""), false
		}
		d := json.NewDecoder(x.request.Body)
		d.UseNumber()
		if !strings.HasPrefix(x.request.Header.Get("Content-Type"), "application/json") {
			return failed("unsupported media type"), false
		}
		if err := d.Decode(&sent); err != nil && x.request.ContentLength != 0 {
			return failed("JSON parse error"), false
		}
	}
	if refusal := x.resume(flow); refusal != nil {
		return x.end(*refusal)
	}
	if len(x.plan.stages) == 0 {
		return x.finish(), false
	}
	stage := x.plan.stages[0]
	run := flowStages[stage.list.path]
	if run == nil {
		return failed("authentiktest: the fake runs no stage of " + stage.list.path), false
	}
	if refused := x.unserved("policies/bindings/", "target", x.bindingOf(flow, stage), "policy"); refused != "" {
		return failed(refused), false
	}
	var step flowStep
	switch sent := sent.(type) {
	case map[string]any:
		if !isPost {
			sent = nil
		}
		step = run(x, stage, sent)
	case nil:
		step = run(x, stage, nil)
		step.errors = flowNonField("No data provided", "null")
	default:
		step = run(x, stage, nil)
		step.errors = flowNonField("Invalid data. Expected a dictionary.", "invalid")
	}
	if step.failed != "" {
		return failed(step.failed), false
	}
	return x.end(step)
}

// end answers with what came of a stage.
func (x *flowExecution) end(step flowStep) (body map[string]any, goesOn bool) {
	switch {
	case step.denied != nil:
		x.session.plan = nil
		body := map[string]any{"component": "ak-stage-access-denied", "error_message": *step.denied}
		return x.base(x.withUser(body)), false
	case !step.done:
		body := x.base(step.challenge)
		if len(step.errors) > 0 {
			body["response_errors"] = step.errors
		}
		return body, false
	}
	x.plan.stages = x.plan.stages[1:]
	if len(x.plan.stages) > 0 {
		return nil, true
	}
	return x.finish(), false
}

// finish ends the flow.
func (x *flowExecution) finish() map[string]any {
	x.session.plan = nil
	next := x.query.Get("next")
	if next == "" {
		next = "/"
	}
	if u, err := url.Parse(next); err != nil || u.Host != "" || u.Scheme != "" {
		return x.base(x.withUser(map[string]any{"component": "ak-stage-access-denied", "error_message": "Invalid next URL"}))
	}
	return x.base(map[string]any{"component": "xak-flow-redirect", "to": next})
}

// resume takes the session's plan for the flow, or makes one.
func (x *flowExecution) resume(flow *object) *flowStep {
	if mail := x.flows.mails[x.query.Get("flow_token")]; mail != nil && mail.plan.flow == flow {
		delete(x.flows.mails, x.query.Get("flow_token"))
		plan := mail.plan
		x.session.plan = &plan
	}
	if x.plan = x.session.plan; x.plan != nil && x.plan.flow == flow {
		return nil
	}
	x.plan = &flowPlan{flow: flow, user: x.session.user, data: map[string]any{}}
	user := x.session.user
	applies := true
	switch flow.members["authentication"] {
	case "require_authenticated":
		applies = user != nil
	case "require_unauthenticated":
		applies = user == nil
	case "require_superuser":
		applies = user != nil && x.superuser(user.members) == true
	}
	if !applies {
		step := flowDenied("Flow does not apply to current user.")
		return &step
	}
	if refused := x.unserved("policies/bindings/", "target", canonical(flow.members["policybindingmodel_ptr_id"]), "policy"); refused != "" {
		return &flowStep{challenge: map[string]any{"component": "ak-stage-flow-error", "request_id": "", "error": refused}}
	}
	bindings := slices.Clone(x.list("flows/bindings/").objects)
	slices.SortStableFunc(bindings, func(a, b *object) int {
		return compareNumbers(a.members["order"], b.members["order"])
	})
	for _, binding := range bindings {
		if canonical(binding.members["target"]) == flow.key {
			if stage := x.referred("stages/all/", canonical(binding.members["stage"])); stage != nil {
				x.plan.stages = append(x.plan.stages, stage)
			}
		}
	}
	x.session.plan = x.plan
	return nil
}

func compareNumbers(a, b any) int {
	x, _ := json.Number(canonical(a)).Float64()
	y, _ := json.Number(canonical(b)).Float64()
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// bindingOf is the key of the binding of a stage to a flow, as policies name it.
func (x *flowExecution) bindingOf(flow, stage *object) string {
	for _, binding := range x.list("flows/bindings/").objects {
		if canonical(binding.members["target"]) == flow.key && canonical(binding.members["stage"]) == stage.key {
			return canonical(binding.members["policybindingmodel_ptr_id"])
		}
	}
	return ""
}

// unserved names what is bound and what the fake does not run.
func (x *flowExecution) unserved(path, member, key, what string) string {
	for _, o := range x.list(path).objects {
		if key != "" && canonical(o.members[member]) == key && o.members["enabled"] != false && !isEmpty(o.members[what]) {
			return "authentiktest: the fake runs no policy, and one is bound by " + path + o.id + "/"
		}
	}
	return ""
}

// base adds what challenges have in common.
func (x *flowExecution) base(body map[string]any) map[string]any {
	body = maps.Clone(body)
	component, _ := body["component"].(string)
	isRedirect := component == "xak-flow-redirect"
	waits := isRedirect && x.session.plan != nil
	if component != "ak-stage-flow-error" && (!isRedirect || waits) && x.plan != nil {
		flow := x.plan.flow.members
		info := map[string]any{"title": flow["title"], "background": flow["background_url"], "cancel_url": "/flows/-/cancel/", "layout": "stacked"}
		if isEmpty(info["background"]) {
			info["background"] = flow["background"]
		}
		if !isEmpty(flow["layout"]) {
			info["layout"] = flow["layout"]
		}
		if x.atLeast("2025.12") {
			info["background_themed_urls"] = nil
		}
		body["flow_info"] = info
	}
	if !x.atLeast("2024.8") {
		body["type"] = "native"
		if isRedirect {
			body["type"] = "redirect"
		}
	}
	return body
}

// withUser adds the pending user to a challenge.
func (x *flowExecution) withUser(body map[string]any) map[string]any {
	body["pending_user"], body["pending_user_avatar"] = "", "/static/dist/assets/images/user_default.png"
	if x.plan == nil {
		return body
	}
	if x.plan.user != nil {
		body["pending_user"] = x.plan.user.members["username"]
	} else if x.plan.claims != "" {
		body["pending_user"] = x.plan.claims
	}
	return body
}

// fieldErrors are the errors of one member of an answer.
func fieldErrors(member, words, code string) map[string]any {
	return map[string]any{member: []any{map[string]any{"string": words, "code": code}}}
}

func flowNonField(words, code string) map[string]any {
	return fieldErrors("non_field_errors", words, code)
}
