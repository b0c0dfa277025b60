package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
)

// TestRun logs in to a fake server, and makes a token. It sets the environment, so it
// is not parallel.
func TestRun(t *testing.T) {
	connect.UseFake()
	server := authentiktest.NewServer()
	defer server.Close()
	t.Setenv("AUTHENTIK_URL", server.URL)
	anna := server.CoreUsers.Add(authentik.User{Username: "anna", IsActive: true})
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	if err := client.CoreUsers.SetPassword(t.Context(), anna.PK, &authentik.UserPasswordSetRequest{Password: "s3cr3t"}); err != nil {
		t.Fatal(err)
	}
	login := server.FlowsInstances.Add(authentik.Flow{Slug: "login"})
	password := server.StagesPassword.Add(authentik.PasswordStage{})
	fields := []authentik.UserField{authentik.UserFieldUsername}
	for i, stage := range []uuid.UUID{
		server.StagesIdentification.Add(authentik.IdentificationStage{UserFields: fields, PasswordStage: &password.PK}).PK,
		server.StagesUserLogin.Add(authentik.UserLoginStage{}).PK,
	} {
		server.FlowsBindings.Add(authentik.FlowStageBinding{Target: login.PK, Stage: stage, Order: i})
	}

	call := func(stdin string, args ...string) (stdout, stderr string, err error) {
		var out, notes bytes.Buffer
		err = run(context.Background(), append([]string{"-flow", "login"}, args...), strings.NewReader(stdin), &out, &notes)
		return out.String(), notes.String(), err
	}
	if stdout, stderr, err := call("s3cr3t\n", "-user", "anna"); err != nil || stdout != "" || stderr != "logged in as anna\n" {
		t.Errorf("%q, %q, %v", stdout, stderr, err)
	}
	if len(server.CoreTokens.All()) != 0 {
		t.Error("it made a token without -apply")
	}
	stdout, _, err := call("s3cr3t", "-user", "anna", "-token", "ci", "-apply")
	if err != nil || len(strings.TrimSpace(stdout)) < 20 || strings.Count(stdout, "\n") != 1 {
		t.Errorf("%q, %v", stdout, err)
	}
	if tokens := server.CoreTokens.All(); len(tokens) != 1 || tokens[0].Identifier != "ci" || tokens[0].Intent != authentik.TokenIntentAPI {
		t.Errorf("the tokens are %v", tokens)
	}
	for _, args := range [][]string{{"-user", "anna"}, {}, {"-user", "anna", "-apply"}} {
		if _, _, err := call("wrong", args...); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
