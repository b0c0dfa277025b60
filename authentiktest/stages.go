package authentiktest

import (
	"fmt"

	"github.com/authentik-go/authentik"
)

// AddDefaultStages adds what authentik's default blueprints make: the
// identification and the password stage of default-authentication-flow. There
// is no default source stage. Each of them has the same pk in every server.
func (s *Server) AddDefaultStages() {
	flow := authentik.FlowSet{
		PK:                      pkOf("default-authentication-flow"),
		PolicyBindingModelPtrID: pkOf("policies of default-authentication-flow"),
		Slug:                    "default-authentication-flow",
		Name:                    "Welcome to authentik!",
	}
	configure := pkOf("default-password-change") // a flow
	s.StagesPassword.Add(authentik.PasswordStage{
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
	s.StagesIdentification.Add(authentik.IdentificationStage{
		PK:                      pkOf("default-authentication-identification"),
		Name:                    "default-authentication-identification",
		FlowSet:                 []authentik.FlowSet{flow},
		UserFields:              []authentik.UserField{authentik.UserFieldEmail, authentik.UserFieldUsername},
		CaseInsensitiveMatching: true,
		ShowMatchedUser:         true,
		PretendUserExists:       true,
	})
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
