package flow

import (
	"context"
	"encoding/json"

	"github.com/authentik-go/authentik"
)

// Inspection is what a session's run looks like from inside.
type Inspection struct {
	secret
	Plans       []InspectedPlan `json:"plans"`        // of the stages before, the oldest first
	CurrentPlan *InspectedPlan  `json:"current_plan"` // nil if there is none
	IsCompleted bool            `json:"is_completed"`

	// Extra holds the members that this SDK does not know; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// InspectedPlan is a flow's plan at one stage.
type InspectedPlan struct {
	secret
	CurrentStage     authentik.FlowStageBinding  `json:"current_stage"`
	NextPlannedStage *authentik.FlowStageBinding `json:"next_planned_stage"` // nil at the last stage
	PlanContext      map[string]any              `json:"plan_context"`       // may have secrets
	SessionID        string                      `json:"session_id"`         // secret

	// Extra holds the members that this SDK does not know; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// Inspect shows what the server has planned in the run's session, of whatever flow:
// GET /flows/inspector/{flow_slug}/. The user of the session has to be a superuser or
// have the permission authentik_flows.inspect_flow. For others it is an
// [authentik.ErrNotFound], and in 2023.10 an [authentik.ErrServer].
func (r *Run) Inspect(ctx context.Context) (*Inspection, error) {
	return authentik.Get[Inspection](ctx, r.client, "flows/inspector/"+r.slug+"/", nil)
}
