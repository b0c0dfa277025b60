package authentik

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/google/uuid"
)

// IdentificationStage asks a user who they are: authentik's
// stages/identification/. What a server is too old to send is left zero.
type IdentificationStage struct {
	PK                uuid.UUID `json:"pk"`
	Name              string    `json:"name"`
	Component         string    `json:"component"`
	VerboseName       string    `json:"verbose_name"`        // in the server's language
	VerboseNamePlural string    `json:"verbose_name_plural"` // in the server's language
	MetaModelName     string    `json:"meta_model_name"`
	FlowSet           []FlowSet `json:"flow_set"`

	UserFields              []UserField `json:"user_fields"`               // may be empty where there are Sources
	PasswordStage           *uuid.UUID  `json:"password_stage"`            // nil: the password is asked for by a stage of its own
	CaptchaStage            *uuid.UUID  `json:"captcha_stage"`             // since 2024.10
	WebauthnStage           *uuid.UUID  `json:"webauthn_stage"`            // since 2025.12
	CaseInsensitiveMatching bool        `json:"case_insensitive_matching"` // of UserFields
	ShowMatchedUser         bool        `json:"show_matched_user"`         // show name and avatar of the user found
	EnrollmentFlow          *uuid.UUID  `json:"enrollment_flow"`
	RecoveryFlow            *uuid.UUID  `json:"recovery_flow"`
	PasswordlessFlow        *uuid.UUID  `json:"passwordless_flow"`
	Sources                 []uuid.UUID `json:"sources"`
	ShowSourceLabels        bool        `json:"show_source_labels"`
	PretendUserExists       bool        `json:"pretend_user_exists"` // since 2024.2; go on even where no user was found
	EnableRememberMe        bool        `json:"enable_remember_me"`  // since 2025.4

	// Extra holds the members that this SDK does not know; nil where there are none.
	Extra map[string]json.RawMessage `json:",embed"`
}

// UserField is a field of the user that an [IdentificationStage] matches. A
// newer server may send values that are not among the constants.
type UserField string

// The fields of a user.
const (
	UserFieldEmail    UserField = "email"
	UserFieldUsername UserField = "username"
	UserFieldUPN      UserField = "upn"
)

// StagesIdentificationListOptions filters stages/identification/. Each filter
// is exact; nil and zero mean no filter. A server that does not know a filter
// ignores it.
type StagesIdentificationListOptions struct {
	ListOptions

	Name                    string     `url:"name,omitempty"`
	PasswordStage           *uuid.UUID `url:"password_stage,omitempty"`
	CaptchaStage            *uuid.UUID `url:"captcha_stage,omitempty"`  // since 2024.10
	WebauthnStage           *uuid.UUID `url:"webauthn_stage,omitempty"` // since 2025.12
	CaseInsensitiveMatching *bool      `url:"case_insensitive_matching,omitempty"`
	ShowMatchedUser         *bool      `url:"show_matched_user,omitempty"`
	EnrollmentFlow          *uuid.UUID `url:"enrollment_flow,omitempty"`
	RecoveryFlow            *uuid.UUID `url:"recovery_flow,omitempty"`
	PasswordlessFlow        *uuid.UUID `url:"passwordless_flow,omitempty"`
	ShowSourceLabels        *bool      `url:"show_source_labels,omitempty"`
}

// StagesIdentificationService reads identification stages. Reading needs the
// permission authentik_stages_identification.view_identificationstage.
type StagesIdentificationService struct{ client *Client }

// List returns one page of the identification stages, by name if no Ordering is
// given: GET /stages/identification/. A nil opts is page 1 without filters. The errors
// are those of the function [List].
func (s *StagesIdentificationService) List(ctx context.Context, opts *StagesIdentificationListOptions) (*Page[IdentificationStage], error) {
	return list[*Page[IdentificationStage]](ctx, s.client, "stages/identification/", opts)
}

// Pages walks the pages of GET /stages/identification/, as the function
// [Pages] does.
func (s *StagesIdentificationService) Pages(ctx context.Context, opts *StagesIdentificationListOptions) iter.Seq2[*Page[IdentificationStage], error] {
	return pages[*Page[IdentificationStage]](ctx, s.client, "stages/identification/", opts)
}

// All walks the identification stages of GET /stages/identification/, each once,
// as the function [All] does.
func (s *StagesIdentificationService) All(ctx context.Context, opts *StagesIdentificationListOptions) iter.Seq2[*IdentificationStage, error] {
	return all[*IdentificationStage](ctx, s.client, "stages/identification/", opts)
}

// Retrieve returns the identification stage with the given pk:
// GET /stages/identification/{stage_uuid}/. A stage that does not exist, is of another
// kind or not visible to the token's user is an [APIError] that matches
// [ErrNotFound]; uuid.Nil is an error without a request. Other errors are those
// of the function [Get].
func (s *StagesIdentificationService) Retrieve(ctx context.Context, pk uuid.UUID) (*IdentificationStage, error) {
	return retrieve[*IdentificationStage](ctx, s.client, "stages/identification/", pk)
}
