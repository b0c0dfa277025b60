package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/authentik-go/authentik"
)

// LoginOptions are who logs in, and how.
type LoginOptions struct {
	secret

	Username string // or e-mail, or what else the flow takes
	Password string

	// Code returns a code of one of the devices that the challenge has. A device by SMS
	// or e-mail gets one before, if there is none of TOTP or with static codes. nil: a
	// login that asks for a code fails with a [StageError].
	Code func(ctx context.Context, challenge *AuthenticatorValidationChallenge) (string, error)

	Flow    string   // slug; "": the one that the brand of the server has
	Query   string   // see [Options]
	Session *Session // see [Options]

	Consent    bool // agree if the flow asks for it, else it is a [StageError]
	RememberMe bool // if the flow asks for it
}

// fallback is the slug of the flow that authentik comes with.
const fallback = "default-authentication-flow"

// maxStages is how many challenges a login answers at most.
const maxStages = 50

// Login logs a user in and returns the run, which is done. Its Client acts as the
// user, and its Session keeps the login.
//
// A wrong name, password or code is an [AnswerError], and Login tries none twice. A
// stage that it cannot answer, such as a captcha, WebAuthn, Duo or a form, is a
// [StageError], and the run comes with it, so that you can answer the stage yourself
// and go on by [Run.Answer]. A flow that ends well, and after which authentik says that
// nobody is logged in, is [ErrNotLoggedIn].
func Login(ctx context.Context, client *authentik.Client, opts *LoginOptions) (*Run, error) {
	if opts == nil || client == nil {
		return nil, errors.New("authentik: the client or the options of the login are nil")
	}
	session := opts.Session
	if session == nil {
		session = NewSession()
	}
	slug := opts.Flow
	if slug == "" {
		var err error
		if slug, err = brandsFlow(ctx, client, session); err != nil {
			return nil, err
		}
	}
	run, err := Start(ctx, client, slug, &Options{Query: opts.Query, Session: session})
	if err != nil {
		return nil, err
	}
	for range maxStages {
		if run.Done() {
			return run, run.checkLogin(ctx)
		}
		if run, err = run.loginStep(ctx, client, opts); err != nil {
			if errors.Is(err, ErrUnanswered) {
				return run, err
			}
			return nil, err
		}
	}
	return nil, fmt.Errorf("authentik: flow %s: the login has not ended after %d answers", run.slug, maxStages)
}

// brandsFlow returns the slug of the flow for logins that the server's pages use.
func brandsFlow(ctx context.Context, client *authentik.Client, session *Session) (string, error) {
	anonymous, err := session.Client(client)
	if err != nil {
		return "", err
	}
	brand, err := anonymous.CoreBrands.Current(ctx)
	var slug string
	switch {
	case err == nil:
		slug = brand.FlowAuthentication
	case errors.Is(err, authentik.ErrNoEndpoint): // 2023.10 calls it a tenant
		tenant, err := anonymous.CoreTenants.Current(ctx)
		if err != nil {
			return "", err
		}
		slug = tenant.FlowAuthentication
	default:
		return "", err
	}
	if slug == "" {
		slug = fallback
	}
	return slug, nil
}

// checkLogin asks who is logged in.
func (r *Run) checkLogin(ctx context.Context) error {
	_, err := r.client.CoreUsers.Me(ctx)
	if errors.Is(err, authentik.ErrForbidden) || errors.Is(err, authentik.ErrUnauthorized) {
		return fmt.Errorf("%w after the flow %s: %w", ErrNotLoggedIn, r.slug, err)
	}
	return err
}

// loginStep answers the pending challenge, and returns the run to go on with.
func (r *Run) loginStep(ctx context.Context, client *authentik.Client, opts *LoginOptions) (*Run, error) {
	switch c := r.challenge.(type) {
	case *IdentificationChallenge:
		answer := IdentificationAnswer{UIDField: opts.Username}
		switch {
		case c.CaptchaStage != nil:
			return r, &StageError{r.slug, c.CaptchaStage.Component, "it is in the identification, and needs a browser"}
		case c.PasswordFields:
			answer.Password = &opts.Password
		}
		return r, r.Answer(ctx, answer)
	case *PasswordChallenge:
		return r, r.Answer(ctx, PasswordAnswer{Password: opts.Password})
	case *AuthenticatorValidationChallenge:
		return r, r.loginCode(ctx, c, opts)
	case *ConsentChallenge:
		if !opts.Consent {
			return r, r.unanswered("the option Consent is false")
		}
		return r, r.Answer(ctx, ConsentAnswer{Token: c.Token})
	case *UserLoginChallenge:
		return r, r.Answer(ctx, UserLoginAnswer{RememberMe: opts.RememberMe})
	case *DummyChallenge:
		return r, r.Answer(ctx, DummyAnswer{})
	case *RedirectChallenge:
		if slug, query, ok := ParseLink(c.To); ok { // the plan of that flow is in the session already
			next, err := Start(ctx, client, slug, &Options{Query: query, Session: r.session})
			if err != nil {
				return r, err
			}
			return next, nil
		}
		return r, r.Answer(ctx, RedirectAnswer{To: c.To})
	}
	return r, r.unanswered("it needs a person, a browser or a device")
}

func (r *Run) unanswered(reason string) error {
	return &StageError{r.slug, r.challenge.Base().Component, reason}
}

// loginCode answers with a code, and has it sent before if it comes by SMS or e-mail.
func (r *Run) loginCode(ctx context.Context, c *AuthenticatorValidationChallenge, opts *LoginOptions) error {
	has := func(classes ...authentik.DeviceClass) *DeviceChallenge {
		for _, class := range classes {
			if device := c.Device(class); device != nil {
				return device
			}
		}
		return nil
	}
	sends := has(authentik.DeviceClassEmail, authentik.DeviceClassSMS)
	switch {
	case len(c.DeviceChallenges) == 0:
		return r.unanswered("the user has no device, and has to set one up")
	case has(authentik.DeviceClassTOTP, authentik.DeviceClassStatic) != nil:
		sends = nil
	case sends == nil:
		return r.unanswered(fmt.Sprintf("the user's device is one of %s, and has no codes", c.DeviceChallenges[0].DeviceClass))
	}
	if opts.Code == nil {
		return r.unanswered("it asks for a code, and the option Code is nil")
	}
	if sends != nil {
		if err := r.Answer(ctx, AuthenticatorValidationAnswer{SelectedChallenge: sends}); err != nil {
			return err
		}
	}
	code, err := opts.Code(ctx, c)
	if err != nil {
		return fmt.Errorf("authentik: flow %s: the code: %w", r.slug, err)
	}
	return r.Answer(ctx, AuthenticatorValidationAnswer{Code: code})
}
