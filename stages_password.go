package authentik

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/google/uuid"
)

// PasswordStage asks a user for the password: authentik's stages/password/.
// What a server is too old to send is left zero.
type PasswordStage struct {
	PK                uuid.UUID `json:"pk"`
	Name              string    `json:"name"`
	Component         string    `json:"component"`
	VerboseName       string    `json:"verbose_name"`        // in the server's language
	VerboseNamePlural string    `json:"verbose_name_plural"` // in the server's language
	MetaModelName     string    `json:"meta_model_name"`
	FlowSet           []FlowSet `json:"flow_set"`

	Backends                   []PasswordBackend `json:"backends"`                      // asked in this order
	ConfigureFlow              *uuid.UUID        `json:"configure_flow"`                // nil: users cannot change their password through this stage
	FailedAttemptsBeforeCancel int               `json:"failed_attempts_before_cancel"` // 0 and less: the first failure cancels
	AllowShowPassword          bool              `json:"allow_show_password"`           // since 2024.8

	// Extra holds the members that this SDK does not know; nil where there are none.
	Extra map[string]json.RawMessage `json:",embed"`
}

// PasswordBackend is what a [PasswordStage] tests a password against. A newer
// server may send values that are not among the constants.
type PasswordBackend string

// The backends. Kerberos came with 2024.10.
const (
	PasswordBackendInbuilt  PasswordBackend = "authentik.core.auth.InbuiltBackend" //nolint:gosec // the name of a class
	PasswordBackendToken    PasswordBackend = "authentik.core.auth.TokenBackend"   //nolint:gosec // the name of a class
	PasswordBackendLDAP     PasswordBackend = "authentik.sources.ldap.auth.LDAPBackend"
	PasswordBackendKerberos PasswordBackend = "authentik.sources.kerberos.auth.KerberosBackend"
)

// StagesPasswordListOptions filters stages/password/. Each filter is exact; nil
// and zero mean no filter. A server that does not know a filter ignores it.
type StagesPasswordListOptions struct {
	ListOptions

	Name                       string     `url:"name,omitempty"`
	ConfigureFlow              *uuid.UUID `url:"configure_flow,omitempty"`
	FailedAttemptsBeforeCancel *int       `url:"failed_attempts_before_cancel,omitempty"`
	AllowShowPassword          *bool      `url:"allow_show_password,omitempty"` // since 2024.8
}

// StagesPasswordService reads password stages. Reading needs the permission
// authentik_stages_password.view_passwordstage.
type StagesPasswordService struct{ client *Client }

// List returns one page of the password stages, by name if no Ordering is
// given: GET /stages/password/. A nil opts is page 1 without filters. The errors
// are those of the function [List].
func (s *StagesPasswordService) List(ctx context.Context, opts *StagesPasswordListOptions) (*Page[PasswordStage], error) {
	return list[*Page[PasswordStage]](ctx, s.client, "stages/password/", opts)
}

// Pages walks the pages of GET /stages/password/, as the function
// [Pages] does.
func (s *StagesPasswordService) Pages(ctx context.Context, opts *StagesPasswordListOptions) iter.Seq2[*Page[PasswordStage], error] {
	return pages[*Page[PasswordStage]](ctx, s.client, "stages/password/", opts)
}

// All walks the password stages of GET /stages/password/, each once,
// as the function [All] does.
func (s *StagesPasswordService) All(ctx context.Context, opts *StagesPasswordListOptions) iter.Seq2[*PasswordStage, error] {
	return all[*PasswordStage](ctx, s.client, "stages/password/", opts)
}

// Retrieve returns the password stage with the given pk:
// GET /stages/password/{stage_uuid}/. A stage that does not exist, is of another
// kind or not visible to the token's user is an [APIError] that matches
// [ErrNotFound]; uuid.Nil is an error without a request. Other errors are those
// of the function [Get].
func (s *StagesPasswordService) Retrieve(ctx context.Context, pk uuid.UUID) (*PasswordStage, error) {
	return retrieve[*PasswordStage](ctx, s.client, "stages/password/", pk)
}
