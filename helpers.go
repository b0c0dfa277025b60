package authentik

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ResumeTimeoutDuration parses ResumeTimeout, the time that a user has to come
// back from the source, as [ParseDuration] does. It may be negative.
func (s SourceStage) ResumeTimeoutDuration() (time.Duration, error) {
	d, err := parseDuration(s.ResumeTimeout)
	if err != nil {
		return 0, fmt.Errorf("authentik: resume_timeout %w", err)
	}
	return d, nil
}

// BackgroundImage returns the URL of the flow's background image: BackgroundURL
// if the server sent it (since 2025.12), else Background. It is usually a
// path on the server, and may be a signed URL that expires.
func (f FlowSet) BackgroundImage() string {
	if f.BackgroundURL != "" {
		return f.BackgroundURL
	}
	return f.Background
}

// PolicyTarget returns what bindings of the application take as Target, in a
// [PolicyBindingRequest] and in [PoliciesBindingsListOptions], on every release.
func (a Application) PolicyTarget() uuid.UUID { return a.PK }

// PolicyTarget returns what bindings of the flow take as Target, in a
// [PolicyBindingRequest] and in [PoliciesBindingsListOptions]. The answers have the
// flow's pk there, which the filters refuse.
func (f Flow) PolicyTarget() uuid.UUID { return f.PolicyBindingModelPtrID }

// PolicyTarget returns what bindings of the device take as Target, in a
// [DeviceUserBindingRequest] and in [EndpointsDeviceBindingsListOptions]. The answers
// have the device's pk there, which the filters refuse.
func (d EndpointDevice) PolicyTarget() uuid.UUID { return d.PBMUUID }

// PolicyTarget returns what bindings of the stage in its flow take as Target, in a
// [PolicyBindingRequest] and in [PoliciesBindingsListOptions]. The answers have the
// pk of the flow-stage binding there, which the filters refuse.
func (b FlowStageBinding) PolicyTarget() uuid.UUID { return b.PolicyBindingModelPtrID }
