package authentiktest

import (
	"fmt"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// AddDefaultStages adds what authentik's default blueprints make: the
// identification and the password stage of default-authentication-flow. There
// is no default source stage. Each of them has the same pk in every server. One that
// is there already stays as it is: [Server.Bootstrap] adds both, too.
func (s *Server) AddDefaultStages() {
	flow := authentik.FlowSet{
		PK:                      pkOf("default-authentication-flow"),
		PolicyBindingModelPtrID: pkOf("policies of default-authentication-flow"),
		Slug:                    "default-authentication-flow",
		Name:                    "Welcome to authentik!",
	}
	configure := pkOf("default-password-change") // a flow
	addMissing(s.StagesPassword, pkOf("default-authentication-password"), authentik.PasswordStage{
		PK:      pkOf("default-authentication-password"),
		Name:    "default-authentication-password",
		FlowSet: []authentik.FlowSet{flow},
		Backends: []authentik.PasswordBackend{
			authentik.PasswordBackendInbuilt, authentik.PasswordBackendKerberos,
			authentik.PasswordBackendLDAP, authentik.PasswordBackendToken,
		},
		ConfigureFlow:              &configure,
		FailedAttemptsBeforeCancel: 5,
	})
	addMissing(s.StagesIdentification, pkOf("default-authentication-identification"), authentik.IdentificationStage{
		PK:                      pkOf("default-authentication-identification"),
		Name:                    "default-authentication-identification",
		FlowSet:                 []authentik.FlowSet{flow},
		UserFields:              []authentik.UserField{authentik.UserFieldEmail, authentik.UserFieldUsername},
		CaseInsensitiveMatching: true,
		ShowMatchedUser:         true,
		PretendUserExists:       true,
	})
}

func addMissing[T any](stages *Stages[T], pk uuid.UUID, stage T) {
	stages.server.mu.Lock()
	there := stages.server.list(stages.path).byID[pk.String()] != nil
	stages.server.mu.Unlock()
	if !there {
		stages.Add(stage)
	}
}

// fillFlow fills in what a flow says that follows from its other members.
func fillFlow(flow map[string]any) {
	for _, member := range []struct{ name, value string }{
		{"title", "Welcome to authentik!"},
		{"slug", fmt.Sprintf("flow-%.8s", flow["pk"])},
	} {
		if isEmpty(flow[member.name]) {
			flow[member.name] = member.value
		}
	}
	if isEmpty(flow["name"]) {
		flow["name"] = flow["slug"]
	}
}
