package flow

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/authentik-go/authentik/internal/codec"
)

// Answer is what [Run.Answer] sends: one of this package's types whose names end in
// Answer, each of which goes with the challenge of that name. A [RawAnswer] goes with
// all. No answer has a member for the component: the run sends that.
type Answer interface {
	component() string // of the challenge it goes with; "": of all
}

// AppleAnswer answers an [AppleLoginChallenge].
type AppleAnswer struct{}

// AuthenticatorDuoAnswer says that the user has set up Duo.
type AuthenticatorDuoAnswer struct{}

// AuthenticatorEmailAnswer has the address, or the code that was sent to it. Since
// 2025.2.
type AuthenticatorEmailAnswer struct {
	secret
	Email string `json:"email,omitzero"`
	Code  string `json:"code,omitzero"`
}

// AuthenticatorSMSAnswer has the number, or the code that was sent to it.
type AuthenticatorSMSAnswer struct {
	secret
	PhoneNumber string `json:"phone_number,omitzero"`
	Code        string `json:"code,omitzero"`
}

// AuthenticatorStaticAnswer says that the user has seen the codes, which count from
// then on.
type AuthenticatorStaticAnswer struct{}

// AuthenticatorTOTPAnswer has a code of the new device.
type AuthenticatorTOTPAnswer struct {
	secret
	Code string `json:"code"` // required
}

// AuthenticatorValidationAnswer has a code, what a device answered, or a choice: of a
// device, to which authentik then sends a code if it is one by SMS or e-mail, or of a
// stage that sets one up. A static code counts once, and after wrong codes the server
// takes none for a while.
type AuthenticatorValidationAnswer struct {
	secret
	Code              string           `json:"code,omitzero"`
	SelectedChallenge *DeviceChallenge `json:"selected_challenge,omitzero"` // as it came
	SelectedStage     string           `json:"selected_stage,omitzero"`     // pk of a [SelectableStage]
	WebAuthn          json.RawMessage  `json:"webauthn,omitzero"`           // an object: what the browser gave
	Duo               *int             `json:"duo,omitzero"`                // id of the device
}

// AuthenticatorWebAuthnAnswer has what the browser gave.
type AuthenticatorWebAuthnAnswer struct {
	secret
	Response json.RawMessage `json:"response,omitzero"` // required; an object
}

// AutosubmitAnswer answers an [AutosubmitChallenge]; the releases recorded take none.
type AutosubmitAnswer struct{}

// CaptchaAnswer has the token that the captcha's service gave.
type CaptchaAnswer struct {
	secret
	Token string `json:"token"` // required
}

// ConsentAnswer agrees.
type ConsentAnswer struct {
	secret
	Token string `json:"token"` // required; that of the challenge
}

// DummyAnswer goes on.
type DummyAnswer struct{}

// EmailAnswer has the e-mail sent again.
type EmailAnswer struct{}

// EndpointAgentAnswer has what the agent answered. Since 2025.12.
type EndpointAgentAnswer struct {
	secret
	Response *string `json:"response,omitzero"` // nil: there is no agent
}

// FrameAnswer goes on. Since 2024.10.
type FrameAnswer struct{}

// IdentificationAnswer says who the user is.
type IdentificationAnswer struct {
	secret
	UIDField     string          `json:"uid_field,omitzero"`     // required until 2025.10; username, e-mail or upn
	Password     *string         `json:"password,omitzero"`      // if the challenge has PasswordFields
	CaptchaToken *string         `json:"captcha_token,omitzero"` // since 2024.10; if the challenge has a CaptchaStage
	Passkey      json.RawMessage `json:"passkey,omitzero"`       // since 2025.12; an object: what the browser gave
}

// IframeLogoutAnswer goes on. Since 2025.10.
type IframeLogoutAnswer struct{}

// NativeLogoutAnswer goes on. Since 2025.10.
type NativeLogoutAnswer struct{}

// OAuthDeviceCodeAnswer has the code that the device shows.
type OAuthDeviceCodeAnswer struct {
	secret
	Code string `json:"code"` // required
}

// OAuthDeviceCodeFinishAnswer goes on.
type OAuthDeviceCodeFinishAnswer struct{}

// PasswordAnswer has the password.
type PasswordAnswer struct {
	secret
	Password string `json:"password"` // required
}

// PlexAuthenticationAnswer answers a [PlexAuthenticationChallenge].
type PlexAuthenticationAnswer struct{}

// PromptAnswer has the values by the FieldKey of the fields, whose dots are part of
// the name: a bool for a checkbox, a whole number for a number, a data: URL for a
// file, and text for the rest. What the server itself sets, as for hidden fields, need
// not be there.
type PromptAnswer map[string]any

// RawAnswer answers a challenge of any component with the members that it has.
type RawAnswer map[string]any

// RedirectAnswer says that the user was there. Since 2024.12.
type RedirectAnswer struct {
	secret
	To string `json:"to"` // required; that of the challenge
}

// TelegramAnswer has what Telegram gave. Since 2025.10.
type TelegramAnswer struct {
	secret
	ID        int    `json:"id"`        // required
	AuthDate  int    `json:"auth_date"` // required; in seconds since 1970
	Hash      string `json:"hash"`      // required
	FirstName string `json:"first_name,omitzero"`
	LastName  string `json:"last_name,omitzero"`
	Username  string `json:"username,omitzero"`
	PhotoURL  string `json:"photo_url,omitzero"`
}

// UserLoginAnswer says whether the login is to last.
type UserLoginAnswer struct {
	RememberMe bool `json:"remember_me"` // required
}

func (AppleAnswer) component() string                   { return "ak-source-oauth-apple" }
func (AuthenticatorDuoAnswer) component() string        { return "ak-stage-authenticator-duo" }
func (AuthenticatorEmailAnswer) component() string      { return "ak-stage-authenticator-email" }
func (AuthenticatorSMSAnswer) component() string        { return "ak-stage-authenticator-sms" }
func (AuthenticatorStaticAnswer) component() string     { return "ak-stage-authenticator-static" }
func (AuthenticatorTOTPAnswer) component() string       { return "ak-stage-authenticator-totp" }
func (AuthenticatorValidationAnswer) component() string { return "ak-stage-authenticator-validate" }
func (AuthenticatorWebAuthnAnswer) component() string   { return "ak-stage-authenticator-webauthn" }
func (AutosubmitAnswer) component() string              { return "ak-stage-autosubmit" }
func (CaptchaAnswer) component() string                 { return "ak-stage-captcha" }
func (ConsentAnswer) component() string                 { return "ak-stage-consent" }
func (DummyAnswer) component() string                   { return "ak-stage-dummy" }
func (EmailAnswer) component() string                   { return "ak-stage-email" }
func (EndpointAgentAnswer) component() string           { return "ak-stage-endpoint-agent" }
func (FrameAnswer) component() string                   { return "xak-flow-frame" }
func (IdentificationAnswer) component() string          { return "ak-stage-identification" }
func (IframeLogoutAnswer) component() string            { return "ak-provider-iframe-logout" }
func (NativeLogoutAnswer) component() string            { return "ak-provider-saml-native-logout" }
func (OAuthDeviceCodeAnswer) component() string         { return "ak-provider-oauth2-device-code" }
func (OAuthDeviceCodeFinishAnswer) component() string {
	return "ak-provider-oauth2-device-code-finish"
}
func (PasswordAnswer) component() string           { return "ak-stage-password" }
func (PlexAuthenticationAnswer) component() string { return "ak-source-plex" }
func (PromptAnswer) component() string             { return "ak-stage-prompt" }
func (RawAnswer) component() string                { return "" }
func (RedirectAnswer) component() string           { return "xak-flow-redirect" }
func (TelegramAnswer) component() string           { return "ak-source-telegram" }
func (UserLoginAnswer) component() string          { return "ak-stage-user-login" }

// Format hides the values.
func (PromptAnswer) Format(f fmt.State, verb rune) { secret{}.Format(f, verb) }

// LogValue hides the values.
func (PromptAnswer) LogValue() slog.Value { return secret{}.LogValue() }

// Format hides the values.
func (RawAnswer) Format(f fmt.State, verb rune) { secret{}.Format(f, verb) }

// LogValue hides the values.
func (RawAnswer) LogValue() slog.Value { return secret{}.LogValue() }

// encode returns the answer to a challenge of the component as JSON.
func encode(a Answer, component string) ([]byte, error) {
	if v := reflect.ValueOf(a); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, errors.New("the answer is nil")
	}
	if want := a.component(); want != "" && want != component {
		return nil, fmt.Errorf("the answer is for %s, and %s is pending", want, component)
	}
	members := map[string]json.RawMessage{}
	b, err := codec.Marshal(a)
	if err != nil {
		return nil, err
	}
	if err := codec.Unmarshal(b, &members); err != nil {
		return nil, err
	}
	if members == nil { // a nil map
		members = map[string]json.RawMessage{}
	}
	members["component"], _ = codec.Marshal(component) // a string
	return codec.Marshal(members)
}
