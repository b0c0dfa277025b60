package flow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/session"
	"github.com/authentik-go/authentik/internal/transport"
)

// Options are those of a run. The zero value is fine.
type Options struct {
	// Query is the query of the page that a browser would open the flow with, such as
	// next=/wiki or itoken=…, encoded. The run sends it with each request.
	Query string

	// Session keeps the cookies. nil is a new one: nobody is logged in, and no device
	// is known.
	Session *Session
}

// Run is a flow that runs. It is not safe for concurrent use.
type Run struct {
	client  *authentik.Client // acts by the session
	session *Session
	slug    string
	query   string

	challenge Challenge
	over      bool
	passed    []string // imprints of the challenges that were answered
	anonymous bool     // nobody was logged in when the run began
	unsure    bool     // the server may have handled a request that got no answer
}

// Start starts the flow with the given slug in the place of a browser, and returns
// the run with its first challenge: GET /flows/executor/{flow_slug}/. A flow that has
// nothing to ask is done then. client gives the server and the settings; its token is
// never sent to a flow, which runs for the user of the session alone.
//
// Start and the methods of [Run] return what the server says with a status of 200 as a
// [DeniedError], a [FlowError], an [AnswerError] or a [RestartedError], an unknown slug
// as one that is [authentik.ErrNotFound], and the rest as [authentik.Get] does. They
// repeat a GET as [authentik.WithRetries] says, and a POST never. A run with which
// Start failed is gone: start another.
func Start(ctx context.Context, client *authentik.Client, slug string, opts *Options) (*Run, error) {
	if opts == nil {
		opts = &Options{}
	}
	r := &Run{session: opts.Session, slug: slug, query: strings.TrimPrefix(opts.Query, "?")}
	if r.session == nil {
		r.session = NewSession()
	}
	if slug == "" || strings.Contains(slug, "/") {
		return nil, fmt.Errorf("authentik: %.100q is not the slug of a flow", slug)
	}
	var err error
	if r.client, err = r.session.Client(client); err != nil {
		return nil, err
	}
	r.anonymous = !r.session.hasLogin()
	if err := r.Refresh(ctx); err != nil {
		return nil, noFlow(slug, err)
	}
	return r, nil
}

// Slug returns the slug of the flow.
func (r *Run) Slug() string { return r.slug }

// Session returns the session that the flow runs in.
func (r *Run) Session() *Session { return r.session }

// Client returns the client that acts as the user of the run's session, see
// [Session.Client].
func (r *Run) Client() *authentik.Client { return r.client }

// Challenge returns the challenge that is pending, or the one that ended the run.
func (r *Run) Challenge() Challenge { return r.challenge }

// Done reports whether the run has ended: by a [RedirectChallenge] without FlowInfo,
// by what a browser shows at the end, an [AutosubmitChallenge], a
// [SessionEndChallenge] or a [ShellChallenge], or because it was denied.
func (r *Run) Done() bool { return r.over }

// To returns where a browser would go at the end of the run: a path on the server or
// a URL, which may have secrets, such as a code of OAuth2. It is "" before, and if
// the end is no redirect. The run never asks for it.
func (r *Run) To() string {
	if end, ok := r.challenge.(*RedirectChallenge); ok && r.over {
		return end.To
	}
	return ""
}

// Format shows the slug and the component, and no secret.
func (r *Run) Format(f fmt.State, _ rune) {
	component := "none"
	if r.challenge != nil {
		component = r.challenge.Base().Component
	}
	_, _ = fmt.Fprintf(f, "{%s: %s}", r.slug, component)
}

// Answer answers the pending challenge, and returns nil if the flow went on: the next
// challenge is pending, or the run is done. It returns nil as well if the answer
// had a code or an e-mail sent, and the same challenge is pending.
//
// After an [AnswerError] or a [FlowError] the challenge waits for another answer. An
// answer of which nobody knows whether it counted is an error that is
// [authentik.ErrOutcomeUnknown]; [Run.Refresh] shows what is pending then. The answer to
// another component than the pending one is an error before any request.
func (r *Run) Answer(ctx context.Context, answer Answer) error {
	if _, submit := r.challenge.(*AutosubmitChallenge); r.over && !submit {
		return ErrEnded
	}
	body, err := encode(answer, r.challenge.Base().Component)
	if err != nil {
		return fmt.Errorf("authentik: flow %s: %w", r.slug, err)
	}
	c, redirected, err := r.ask(ctx, http.MethodPost, body)
	if err != nil {
		return err
	}
	pending := r.challenge
	switch {
	case ends(c) || redirected:
		return r.arrive(ctx, c, pending)
	case imprint(c) != imprint(pending):
		if len(c.Base().ResponseErrors) > 0 { // those of a stage that was not answered
			return r.restarted(ctx, c, pending)
		}
		return r.arrive(ctx, c, pending)
	}
	r.challenge, r.unsure = c, false
	if isSent(c, answer) {
		return nil
	}
	return &AnswerError{r.slug, c.Base().Component, c.Base().ResponseErrors}
}

// Refresh asks for the pending challenge, which changes nothing except the token of a
// [ConsentChallenge]. It is for a run of which a request failed.
func (r *Run) Refresh(ctx context.Context) error {
	if r.over {
		return ErrEnded
	}
	c, _, err := r.ask(ctx, http.MethodGet, nil)
	if err != nil {
		return err
	}
	if pending := r.challenge; pending != nil && imprint(pending) == imprint(c) && (!r.unsure || !r.isFirst(c)) {
		r.challenge, r.unsure = c, false
		return nil
	}
	return r.arrive(ctx, c, r.challenge)
}

// maxRedirects is how many stages without a challenge run at once at most; two were
// seen.
const maxRedirects = 20

// ask sends a request to the executor, and follows its redirects to itself, as stages
// without a challenge run by GET, and each answer that was right is a redirect.
func (r *Run) ask(ctx context.Context, method string, body []byte) (c Challenge, redirected bool, err error) {
	request := session.Request{
		Method: method,
		Path:   "flows/executor/" + r.slug + "/",
		Query:  url.Values{"query": {r.query}}, // without it, the server would forget what the first request said
		Body:   body,
	}
	for range maxRedirects {
		response, err := session.Do(ctx, r.client, request)
		if err != nil {
			r.unsure = r.unsure || request.Method == http.MethodGet || errors.Is(err, authentik.ErrOutcomeUnknown)
			return nil, false, err
		}
		r.unsure = r.unsure || response.Repeated
		c, err = r.read(response)
		response.Release()
		if c != nil || err != nil {
			return c, redirected, err
		}
		request.Method, request.Body, redirected = http.MethodGet, nil, true
	}
	return nil, false, fmt.Errorf("authentik: flow %s: the executor redirected %d times in a row", r.slug, maxRedirects)
}

// read returns the challenge of an answer, nil if it is a redirect to the executor.
func (r *Run) read(response *transport.Response) (Challenge, error) {
	if response.Status == http.StatusFound {
		if to := response.Header.Get("Location"); !r.isExecutor(to) {
			return nil, fmt.Errorf("authentik: flow %s: the answer is a redirect to %s, and not to the executor", r.slug, withoutQuery(to))
		}
		return nil, nil //nolint:nilnil // neither a challenge nor an error
	}
	c, err := decodeChallenge(response.Body)
	if err != nil {
		return nil, session.DecodeError(response, err)
	}
	if redirect, ok := c.(*RedirectChallenge); ok && redirect.FlowInfo == nil && r.isExecutor(redirect.To) {
		return nil, nil //nolint:nilnil // the server encodes the query in another way
	}
	return c, nil
}

// isExecutor reports whether the link leads to the executor of this flow. A proxy may
// serve authentik below another path than it knows.
func (r *Run) isExecutor(link string) bool {
	base := session.Base(r.client)
	u, err := base.Parse(link)
	return err == nil && originOf(u) == originOf(base) && strings.HasSuffix(u.Path, "/api/v3/flows/executor/"+r.slug+"/")
}

func withoutQuery(link string) string {
	link, _, _ = strings.Cut(link, "?")
	return fmt.Sprintf("%.200q", link)
}

// arrive goes on with the challenge that came after the pending one.
func (r *Run) arrive(ctx context.Context, c, pending Challenge) error {
	switch c := c.(type) {
	case *FlowErrorChallenge:
		return &FlowError{r.slug, c.RequestID, c.Error, c.Traceback}
	case *AccessDeniedChallenge:
		r.challenge, r.over = c, true
		return &DeniedError{r.slug, c.ErrorMessage}
	}
	if ends(c) {
		r.challenge, r.over = c, true
		return nil
	}
	if pending != nil {
		if r.begins(c, pending) {
			return r.restarted(ctx, c, pending)
		}
		r.passed = append(r.passed, imprint(pending))
	}
	r.challenge, r.unsure = c, false
	return nil
}

// begins reports whether the challenge that came shows that the flow is at its
// beginning: that it is the first one again, or the second, as the first stage may
// have taken the answer to another. A flow may have one dummy after another.
func (r *Run) begins(c, pending Challenge) bool {
	came, before := imprint(c), imprint(pending)
	if came == before {
		_, isDummy := c.(*DummyChallenge)
		return !isDummy
	}
	return slices.Contains(r.passed[:min(len(r.passed), 2)], came)
}

func (r *Run) isFirst(c Challenge) bool {
	return len(r.passed) == 0 || r.passed[0] == imprint(c)
}

// restarted says that the flow began again, and goes on from there. If a request was
// lost or repeated, the flow may have ended before that.
func (r *Run) restarted(ctx context.Context, c, pending Challenge) error {
	unsure := r.unsure
	r.challenge, r.passed, r.unsure = c, nil, false
	if !unsure {
		return &RestartedError{r.slug, pending.Base().Component, c.Base().Component}
	}
	if r.anonymous && r.session.hasLogin() {
		if _, err := r.client.CoreUsers.Me(ctx); err == nil {
			r.challenge, r.over = &RedirectChallenge{ChallengeBase: ChallengeBase{Component: "xak-flow-redirect"}}, true
			return nil
		}
	}
	return outcomeUnknown(r.slug)
}

// ends reports whether no answer leads on from the challenge.
func ends(c Challenge) bool {
	switch c := c.(type) {
	case *RedirectChallenge:
		return c.FlowInfo == nil
	case *AccessDeniedChallenge, *FlowErrorChallenge, *AutosubmitChallenge, *SessionEndChallenge, *ShellChallenge:
		return true
	}
	return false
}

// imprint is what tells the challenges of a flow's stages apart.
func imprint(c Challenge) string {
	parts := []string{c.Base().Component}
	switch c := c.(type) {
	case *DummyChallenge:
		parts = append(parts, c.Name)
	case *PromptChallenge:
		for _, field := range c.Fields {
			parts = append(parts, field.FieldKey)
		}
	case *RedirectChallenge:
		parts = append(parts, c.To)
	}
	return strings.Join(parts, "\n")
}

// isSent reports whether the errors are in truth the news that something was sent: an
// e-mail again, or a code to the device that the answer selects.
func isSent(c Challenge, answer Answer) bool {
	errs := c.Base().ResponseErrors
	if len(errs) != 1 || len(errs[nonFieldErrors]) != 1 {
		return false
	}
	code := errs[nonFieldErrors][0].Code
	if v, ok := answer.(*AuthenticatorValidationAnswer); ok {
		answer = *v
	}
	switch a := answer.(type) {
	case AuthenticatorValidationAnswer:
		selected := a.SelectedChallenge
		return selected != nil && a.Code == "" && a.WebAuthn == nil && a.Duo == nil && code == "invalid" &&
			(selected.DeviceClass == authentik.DeviceClassSMS || selected.DeviceClass == authentik.DeviceClassEmail)
	default:
		_, isEmail := c.(*EmailChallenge)
		return isEmail && code == "email-sent"
	}
}

// ParseLink returns the slug and the query of a flow from the link of its page, as
// challenges and e-mails have it: https://host/if/flow/{slug}/?query, or the path of
// it alone. It is false if the link is another one.
func ParseLink(link string) (slug, query string, ok bool) {
	u, err := url.Parse(link)
	if err != nil {
		return "", "", false
	}
	_, rest, ok := strings.Cut(u.Path, "/if/flow/")
	slug = strings.TrimSuffix(rest, "/")
	if !ok || slug == "" || strings.Contains(slug, "/") {
		return "", "", false
	}
	return slug, u.RawQuery, true
}
