package flow

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
)

// Challenge is what a flow waits for: a pointer to one of this package's types whose
// names end in Challenge. What a server sends that is none of them is a
// [RawChallenge].
type Challenge interface {
	// Base returns what all challenges have.
	Base() *ChallengeBase
}

// ChallengeBase is what all challenges have.
type ChallengeBase struct {
	Component      string                             `json:"component"`       // which challenge it is
	FlowInfo       *authentik.ContextualFlowInfo      `json:"flow_info"`       // nil at the end of a flow
	ResponseErrors map[string][]authentik.ErrorDetail `json:"response_errors"` // of the answer before
	Type           authentik.ChallengeChoices         `json:"type"`            // until 2024.6

	// Extra holds the members that this SDK does not know; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// Base returns c.
func (c *ChallengeBase) Base() *ChallengeBase { return c }

// secret hides what it is embedded in from fmt and log/slog.
type secret struct{}

// Format hides the secrets.
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue hides the secrets.
func (secret) LogValue() slog.Value { return slog.StringValue(hidden) }

const hidden = "(hidden)"

// newChallenge makes a challenge of each component.
var newChallenge = map[string]func() Challenge{
	"ak-provider-iframe-logout":             func() Challenge { return new(IframeLogoutChallenge) },
	"ak-provider-oauth2-device-code":        func() Challenge { return new(OAuthDeviceCodeChallenge) },
	"ak-provider-oauth2-device-code-finish": func() Challenge { return new(OAuthDeviceCodeFinishChallenge) },
	"ak-provider-saml-native-logout":        func() Challenge { return new(NativeLogoutChallenge) },
	"ak-source-oauth-apple":                 func() Challenge { return new(AppleLoginChallenge) },
	"ak-source-plex":                        func() Challenge { return new(PlexAuthenticationChallenge) },
	"ak-source-telegram":                    func() Challenge { return new(TelegramLoginChallenge) },
	"ak-stage-access-denied":                func() Challenge { return new(AccessDeniedChallenge) },
	"ak-stage-authenticator-duo":            func() Challenge { return new(AuthenticatorDuoChallenge) },
	"ak-stage-authenticator-email":          func() Challenge { return new(AuthenticatorEmailChallenge) },
	"ak-stage-authenticator-sms":            func() Challenge { return new(AuthenticatorSMSChallenge) },
	"ak-stage-authenticator-static":         func() Challenge { return new(AuthenticatorStaticChallenge) },
	"ak-stage-authenticator-totp":           func() Challenge { return new(AuthenticatorTOTPChallenge) },
	"ak-stage-authenticator-validate":       func() Challenge { return new(AuthenticatorValidationChallenge) },
	"ak-stage-authenticator-webauthn":       func() Challenge { return new(AuthenticatorWebAuthnChallenge) },
	"ak-stage-autosubmit":                   func() Challenge { return new(AutosubmitChallenge) },
	"ak-stage-captcha":                      func() Challenge { return new(CaptchaChallenge) },
	"ak-stage-consent":                      func() Challenge { return new(ConsentChallenge) },
	"ak-stage-dummy":                        func() Challenge { return new(DummyChallenge) },
	"ak-stage-email":                        func() Challenge { return new(EmailChallenge) },
	"ak-stage-endpoint-agent":               func() Challenge { return new(EndpointAgentChallenge) },
	"ak-stage-flow-error":                   func() Challenge { return new(FlowErrorChallenge) },
	"ak-stage-identification":               func() Challenge { return new(IdentificationChallenge) },
	"ak-stage-password":                     func() Challenge { return new(PasswordChallenge) },
	"ak-stage-prompt":                       func() Challenge { return new(PromptChallenge) },
	"ak-stage-session-end":                  func() Challenge { return new(SessionEndChallenge) },
	"ak-stage-user-login":                   func() Challenge { return new(UserLoginChallenge) },
	"xak-flow-frame":                        func() Challenge { return new(FrameChallenge) },
	"xak-flow-redirect":                     func() Challenge { return new(RedirectChallenge) },
	"xak-flow-shell":                        func() Challenge { return new(ShellChallenge) },
}

// decodeChallenge reads a challenge into the type for its component.
func decodeChallenge(body []byte) (Challenge, error) {
	var head struct {
		Component string `json:"component"`
	}
	if err := codec.Unmarshal(body, &head); err != nil {
		return nil, err
	}
	if head.Component == "" {
		return nil, errNoChallenge
	}
	newOne, known := newChallenge[head.Component]
	if !known {
		raw := &RawChallenge{Body: append(json.RawMessage(nil), body...)}
		return raw, codec.Unmarshal(body, &raw.ChallengeBase)
	}
	c := newOne()
	return c, codec.Unmarshal(body, c)
}

// RawChallenge is one of a component that this SDK does not know. A [RawAnswer]
// answers it.
type RawChallenge struct {
	secret
	ChallengeBase

	Body json.RawMessage `json:"-"` // the whole challenge, as it came
}

// AccessDeniedChallenge ends a flow; the error is a [DeniedError].
type AccessDeniedChallenge struct {
	ChallengeBase
	PendingUser       string `json:"pending_user"`
	PendingUserAvatar string `json:"pending_user_avatar"`
	ErrorMessage      string `json:"error_message"` // in the server's language
}

// AppleLoginChallenge starts a login with Apple, in a browser.
type AppleLoginChallenge struct {
	ChallengeBase
	ClientID    string `json:"client_id"`
	Scope       string `json:"scope"`
	RedirectURI string `json:"redirect_uri"`
	State       string `json:"state"`
}

// AuthenticatorDuoChallenge sets up Duo: the user scans the barcode.
type AuthenticatorDuoChallenge struct {
	secret
	ChallengeBase
	PendingUser       string `json:"pending_user"`
	PendingUserAvatar string `json:"pending_user_avatar"`
	ActivationBarcode string `json:"activation_barcode"` // URL of an image
	ActivationCode    string `json:"activation_code"`    // secret
	StageUUID         string `json:"stage_uuid"`
}

// AuthenticatorEmailChallenge sets up codes by e-mail: it asks for the address if
// that is required, else for the code that it has sent there. Since 2025.2.
type AuthenticatorEmailChallenge struct {
	ChallengeBase
	PendingUser       string  `json:"pending_user"`
	PendingUserAvatar string  `json:"pending_user_avatar"`
	Email             *string `json:"email"` // masked
	EmailRequired     bool    `json:"email_required"`
}

// AuthenticatorSMSChallenge sets up codes by SMS: it asks for the number if that is
// required, else for the code that it has sent there.
type AuthenticatorSMSChallenge struct {
	ChallengeBase
	PendingUser         string `json:"pending_user"`
	PendingUserAvatar   string `json:"pending_user_avatar"`
	PhoneNumberRequired bool   `json:"phone_number_required"`
}

// AuthenticatorStaticChallenge sets up static codes, each of which counts once.
type AuthenticatorStaticChallenge struct {
	secret
	ChallengeBase
	PendingUser       string   `json:"pending_user"`
	PendingUserAvatar string   `json:"pending_user_avatar"`
	Codes             []string `json:"codes"` // secret
}

// AuthenticatorTOTPChallenge sets up TOTP: [TOTPCode] computes the code to answer.
type AuthenticatorTOTPChallenge struct {
	secret
	ChallengeBase
	PendingUser       string `json:"pending_user"`
	PendingUserAvatar string `json:"pending_user_avatar"`
	ConfigURL         string `json:"config_url"` // otpauth://totp/…; secret
}

// AuthenticatorValidationChallenge asks for one of the user's devices. A code is
// tried on all that have codes. For one by SMS or e-mail, select the device first,
// so that the code is sent. A user without devices selects the stage that sets one up.
type AuthenticatorValidationChallenge struct {
	ChallengeBase
	PendingUser         string            `json:"pending_user"`
	PendingUserAvatar   string            `json:"pending_user_avatar"`
	DeviceChallenges    []DeviceChallenge `json:"device_challenges"`
	ConfigurationStages []SelectableStage `json:"configuration_stages"`
}

// Device returns the first device of the class, nil if there is none.
func (c *AuthenticatorValidationChallenge) Device(class authentik.DeviceClass) *DeviceChallenge {
	for i := range c.DeviceChallenges {
		if c.DeviceChallenges[i].DeviceClass == class {
			return &c.DeviceChallenges[i]
		}
	}
	return nil
}

// DeviceChallenge is a device that the user may use. An answer that selects it has
// it as it came.
type DeviceChallenge struct {
	DeviceClass authentik.DeviceClass `json:"device_class"`
	DeviceUID   string                `json:"device_uid"`
	Challenge   json.RawMessage       `json:"challenge"` // an object: of WebAuthn, what the browser takes
	LastUsed    *time.Time            `json:"last_used"` // since 2024.10

	// Extra holds the members that this SDK does not know; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// SelectableStage is a stage that sets up a device.
type SelectableStage struct {
	PK            string `json:"pk"` // a uuid; what an answer selects
	Name          string `json:"name"`
	VerboseName   string `json:"verbose_name"` // in the server's language
	MetaModelName string `json:"meta_model_name"`

	// Extra holds the members that this SDK does not know; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// AuthenticatorWebAuthnChallenge sets up a device of WebAuthn, in a browser.
type AuthenticatorWebAuthnChallenge struct {
	ChallengeBase
	PendingUser       string          `json:"pending_user"`
	PendingUserAvatar string          `json:"pending_user_avatar"`
	Registration      json.RawMessage `json:"registration"` // an object: what the browser takes
}

// AutosubmitChallenge is a form that a browser would send, by POST, to another
// server: an answer of OAuth2 or SAML. It ends the run, see [Run.Done].
type AutosubmitChallenge struct {
	secret
	ChallengeBase
	URL   string            `json:"url"`
	Attrs map[string]string `json:"attrs"` // fields of the form; secret
	Title string            `json:"title"`
}

// CaptchaChallenge asks for the token of a captcha that the user has solved.
type CaptchaChallenge struct {
	ChallengeBase
	PendingUser       string `json:"pending_user"`
	PendingUserAvatar string `json:"pending_user_avatar"`
	SiteKey           string `json:"site_key"`
	JSURL             string `json:"js_url"`
	Interactive       bool   `json:"interactive"` // since 2024.10
}

// ConsentChallenge asks whether an application may have the permissions.
type ConsentChallenge struct {
	secret
	ChallengeBase
	PendingUser           string              `json:"pending_user"`
	PendingUserAvatar     string              `json:"pending_user_avatar"`
	HeaderText            string              `json:"header_text"`
	Permissions           []ConsentPermission `json:"permissions"`
	AdditionalPermissions []ConsentPermission `json:"additional_permissions"` // beside those that the user agreed to before
	Token                 string              `json:"token"`                  // what an answer that agrees has; new in each challenge
}

// ConsentPermission is what an application may do or know.
type ConsentPermission struct {
	Name string `json:"name"` // may be empty
	ID   string `json:"id"`

	// Extra holds the members that this SDK does not know; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// DummyChallenge asks for nothing.
type DummyChallenge struct {
	ChallengeBase
	Name string `json:"name"` // since 2024.4
}

// EmailChallenge waits for the link in an e-mail: [Start] its flow with the query
// that the link has. An answer sends the e-mail again.
type EmailChallenge struct{ ChallengeBase }

// EndpointAgentChallenge asks authentik's agent on the device. Since 2025.12.
type EndpointAgentChallenge struct {
	ChallengeBase
	Challenge            string `json:"challenge"`
	ChallengeIdleTimeout int    `json:"challenge_idle_timeout"` // in seconds
}

// FlowErrorChallenge is an exception in the server; the error is a [FlowError].
type FlowErrorChallenge struct { //nolint:revive // authentik's own name
	ChallengeBase
	RequestID string `json:"request_id"`
	Error     string `json:"error"`     // for superusers
	Traceback string `json:"traceback"` // for superusers
}

// FrameChallenge shows a page in a frame. Since 2024.10.
type FrameChallenge struct {
	secret
	ChallengeBase
	URL            string `json:"url"`
	LoadingOverlay bool   `json:"loading_overlay"`
	LoadingText    string `json:"loading_text"`
}

// IdentificationChallenge asks who the user is, and may ask for the password or a
// captcha, too.
type IdentificationChallenge struct {
	ChallengeBase
	UserFields            []string                  `json:"user_fields"`             // email, username, upn; empty: by a source alone
	PendingUserIdentifier *string                   `json:"pending_user_identifier"` // since 2026.2
	PasswordFields        bool                      `json:"password_fields"`         // the answer has the password
	AllowShowPassword     bool                      `json:"allow_show_password"`     // since 2024.8
	ApplicationPre        string                    `json:"application_pre"`         // the application that the user came from
	ApplicationPreLaunch  string                    `json:"application_pre_launch"`  // since 2026.2
	FlowDesignation       authentik.FlowDesignation `json:"flow_designation"`        // since 2024.4
	CaptchaStage          *CaptchaChallenge         `json:"captcha_stage"`           // since 2024.10; the answer has its token
	EnrollURL             string                    `json:"enroll_url"`              // see [ParseLink]
	RecoveryURL           string                    `json:"recovery_url"`            // see [ParseLink]
	PasswordlessURL       string                    `json:"passwordless_url"`        // see [ParseLink]
	PrimaryAction         string                    `json:"primary_action"`
	Sources               []LoginSource             `json:"sources"`
	ShowSourceLabels      bool                      `json:"show_source_labels"`
	EnableRememberMe      bool                      `json:"enable_remember_me"` // since 2025.4; the page may keep the name
	PasskeyChallenge      json.RawMessage           `json:"passkey_challenge"`  // since 2025.12; an object or null
}

// LoginSource is a source that the user may log in by.
type LoginSource struct {
	Name      string         `json:"name"`
	IconURL   *string        `json:"icon_url"`
	Promoted  bool           `json:"promoted"` // since 2025.12
	Challenge LoginChallenge `json:"challenge"`

	// Extra holds the members that this SDK does not know; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// LoginChallenge is how a login by a source begins: most often a
// [RedirectChallenge]. It is nil if the server sent none.
type LoginChallenge struct{ Challenge }

// UnmarshalJSON reads the challenge into the type for its component.
func (c *LoginChallenge) UnmarshalJSON(b []byte) (err error) {
	if string(b) != "null" {
		c.Challenge, err = decodeChallenge(b)
	}
	return err
}

// MarshalJSON writes the challenge.
func (c LoginChallenge) MarshalJSON() ([]byte, error) { return codec.Marshal(c.Challenge) }

// IframeLogoutChallenge logs the user out of applications, in frames of a browser.
// Since 2025.10.
type IframeLogoutChallenge struct {
	secret
	ChallengeBase
	LogoutURLs []LogoutURL `json:"logout_urls"`
}

// LogoutURL is where an application logs the user out. Since 2026.5; before, the
// members were free.
type LogoutURL struct {
	URL            string  `json:"url"`
	ProviderName   *string `json:"provider_name"`
	Binding        *string `json:"binding"`
	SAMLRequest    *string `json:"saml_request"`
	SAMLResponse   *string `json:"saml_response"`
	SAMLRelayState *string `json:"saml_relay_state"`

	// Extra holds the members that this SDK does not know; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// NativeLogoutChallenge logs the user out of an application by SAML, in a browser.
// Since 2025.10.
type NativeLogoutChallenge struct {
	secret
	ChallengeBase
	ProviderName   string                `json:"provider_name"`
	IsComplete     bool                  `json:"is_complete"`
	PostURL        string                `json:"post_url"`
	RedirectURL    string                `json:"redirect_url"`
	SAMLBinding    authentik.SAMLBinding `json:"saml_binding"` // since 2026.5
	SAMLRequest    string                `json:"saml_request"`
	SAMLResponse   string                `json:"saml_response"`    // since 2026.5
	SAMLRelayState string                `json:"saml_relay_state"` // since 2026.5
	RelayState     string                `json:"relay_state"`      // until 2026.2
	Binding        string                `json:"binding"`          // until 2026.2
}

// OAuthDeviceCodeChallenge asks for the code that a device shows.
type OAuthDeviceCodeChallenge struct{ ChallengeBase }

// OAuthDeviceCodeFinishChallenge says that the device may go on.
type OAuthDeviceCodeFinishChallenge struct{ ChallengeBase }

// PasswordChallenge asks for the password.
type PasswordChallenge struct {
	ChallengeBase
	PendingUser       string `json:"pending_user"`
	PendingUserAvatar string `json:"pending_user_avatar"`
	RecoveryURL       string `json:"recovery_url"`        // see [ParseLink]
	AllowShowPassword bool   `json:"allow_show_password"` // since 2024.8
}

// PlexAuthenticationChallenge starts a login with Plex, in a browser.
type PlexAuthenticationChallenge struct {
	ChallengeBase
	ClientID string `json:"client_id"`
	Slug     string `json:"slug"`
}

// PromptChallenge is a form.
type PromptChallenge struct {
	ChallengeBase
	Fields []authentik.StagePrompt `json:"fields"` // in their order
}

// RedirectChallenge ends a flow, or, with a FlowInfo, waits on the way: with To on
// another server, until an answer says that the user was there; with To the link of
// another flow, which runs on in the same session, until that is started.
type RedirectChallenge struct {
	secret
	ChallengeBase
	To            string `json:"to"`             // path on the server, or a URL, which may have secrets
	FinalRedirect bool   `json:"final_redirect"` // since 2026.5
}

// SessionEndChallenge ends a flow that logged the user out of an application. Since
// 2024.10.
type SessionEndChallenge struct {
	ChallengeBase
	PendingUser          string `json:"pending_user"`
	PendingUserAvatar    string `json:"pending_user_avatar"`
	ApplicationName      string `json:"application_name"`
	ApplicationLaunchURL string `json:"application_launch_url"`
	InvalidationFlowURL  string `json:"invalidation_flow_url"` // see [ParseLink]
	OverviewURL          string `json:"overview_url"`          // since 2026.5
	BrandName            string `json:"brand_name"`
}

// ShellChallenge is a page.
type ShellChallenge struct {
	ChallengeBase
	Body string `json:"body"` // HTML
}

// TelegramLoginChallenge starts a login with Telegram, in a browser. Since 2025.10.
type TelegramLoginChallenge struct {
	ChallengeBase
	BotUsername          string `json:"bot_username"`
	RequestMessageAccess bool   `json:"request_message_access"`
}

// UserLoginChallenge asks whether the login is to last.
type UserLoginChallenge struct {
	ChallengeBase
	PendingUser       string `json:"pending_user"`
	PendingUserAvatar string `json:"pending_user_avatar"`
}
