package authentik

import (
	"encoding/json"

	"github.com/google/uuid"
)

// FlowSet is a flow that a stage is bound to, as the stage's flow_set shows it.
// A flow to which a stage is bound twice is there twice, and the order of the
// flows is the server's, which promises none.
type FlowSet struct {
	PK                      uuid.UUID       `json:"pk"`
	PolicybindingmodelPtrID uuid.UUID       `json:"policybindingmodel_ptr_id"`
	Name                    string          `json:"name"`
	Slug                    string          `json:"slug"`  // visible in the flow's URL
	Title                   string          `json:"title"` // shown on the flow's pages
	Designation             FlowDesignation `json:"designation"`

	// Background is what servers before 2025.12 send, BackgroundURL what they
	// send since; [FlowSet.BackgroundImage] returns whichever came.
	Background    string `json:"background"`
	BackgroundURL string `json:"background_url"`

	PolicyEngineMode  PolicyEngineMode `json:"policy_engine_mode"`
	CompatibilityMode bool             `json:"compatibility_mode"`
	ExportURL         string           `json:"export_url"` // a path on the server
	Layout            FlowLayout       `json:"layout"`
	DeniedAction      DeniedAction     `json:"denied_action"`

	// Extra holds the members that this SDK does not know; nil where there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// BackgroundImage returns the URL of the flow's background image: BackgroundURL
// where the server sent it (since 2025.12), else Background. It is usually a
// path on the server, and may be a signed URL that expires.
func (f FlowSet) BackgroundImage() string {
	if f.BackgroundURL != "" {
		return f.BackgroundURL
	}
	return f.Background
}

// FlowDesignation is what a flow is used for. A newer server may send values
// that are not among the constants.
type FlowDesignation string

// The designations of flows.
const (
	FlowDesignationAuthentication     FlowDesignation = "authentication"
	FlowDesignationAuthorization      FlowDesignation = "authorization"
	FlowDesignationInvalidation       FlowDesignation = "invalidation"
	FlowDesignationEnrollment         FlowDesignation = "enrollment"
	FlowDesignationUnenrollment       FlowDesignation = "unenrollment"
	FlowDesignationRecovery           FlowDesignation = "recovery"
	FlowDesignationStageConfiguration FlowDesignation = "stage_configuration"
)

// FlowLayout is how a flow's pages are laid out. A newer server may send values
// that are not among the constants.
type FlowLayout string

// The layouts of flows. The two with a frame background came with 2026.2.
const (
	FlowLayoutStacked                     FlowLayout = "stacked"
	FlowLayoutContentLeft                 FlowLayout = "content_left"
	FlowLayoutContentRight                FlowLayout = "content_right"
	FlowLayoutSidebarLeft                 FlowLayout = "sidebar_left"
	FlowLayoutSidebarRight                FlowLayout = "sidebar_right"
	FlowLayoutSidebarLeftFrameBackground  FlowLayout = "sidebar_left_frame_background"
	FlowLayoutSidebarRightFrameBackground FlowLayout = "sidebar_right_frame_background"
)

// DeniedAction is what happens when a flow denies access to a user. A newer
// server may send values that are not among the constants.
type DeniedAction string

// The actions on denied access.
const (
	DeniedActionMessageContinue DeniedAction = "message_continue"
	DeniedActionMessage         DeniedAction = "message"
	DeniedActionContinue        DeniedAction = "continue"
)

// PolicyEngineMode says whether all of a flow's policies must pass or any one
// of them. A newer server may send values that are not among the constants.
type PolicyEngineMode string

// The modes of the policy engine.
const (
	PolicyEngineModeAll PolicyEngineMode = "all"
	PolicyEngineModeAny PolicyEngineMode = "any"
)
