package flowtest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/flow"
	"github.com/google/uuid"
)

const slug = "default-authentication-flow"

// client returns a client of the server to test, whose token may create users.
func client(t *testing.T) *authentik.Client {
	t.Helper()
	var c *authentik.Client
	var err error
	if url := os.Getenv("AUTHENTIK_TEST_URL"); url != "" {
		c, err = authentik.NewClient(url, os.Getenv("AUTHENTIK_TEST_TOKEN"))
	} else {
		server := authentiktest.NewServer()
		t.Cleanup(server.Close)
		addFlow(server)
		c, err = server.Client()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// addFlow adds the flow of the test to the fake: who, password, login.
func addFlow(server *authentiktest.Server) {
	login := server.FlowsInstances.Add(authentik.Flow{Slug: slug})
	stages := []uuid.UUID{
		server.StagesIdentification.Add(authentik.IdentificationStage{UserFields: []authentik.UserField{authentik.UserFieldUsername}, PretendUserExists: true}).PK,
		server.StagesPassword.Add(authentik.PasswordStage{FailedAttemptsBeforeCancel: 5}).PK,
		server.StagesUserLogin.Add(authentik.UserLoginStage{}).PK,
	}
	for i, stage := range stages {
		server.FlowsBindings.Add(authentik.FlowStageBinding{Target: login.PK, Stage: stage, Order: i})
	}
}

// TestLogin logs a new user in, and sees each stage.
func TestLogin(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := client(t)
	name, password := "flowtest-"+strings.ToLower(rand.Text()[:8]), rand.Text()
	user, err := c.CoreUsers.Create(ctx, &authentik.UserRequest{Username: name, Name: new("Flow test"), IsActive: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CoreUsers.Delete(context.Background(), user.PK) })
	if err := c.CoreUsers.SetPassword(ctx, user.PK, &authentik.UserPasswordSetRequest{Password: password}); err != nil {
		t.Fatal(err)
	}

	run, err := flow.Start(ctx, c, slug, &flow.Options{Query: "next=/wiki"})
	if err != nil {
		t.Fatal(err)
	}
	var stages []string
	passwords := []string{"wrong", password}
	for !run.Done() {
		stages = append(stages, run.Challenge().Base().Component)
		switch run.Challenge().(type) {
		case *flow.IdentificationChallenge:
			err = run.Answer(ctx, flow.IdentificationAnswer{UIDField: name})
		case *flow.PasswordChallenge:
			err = run.Answer(ctx, flow.PasswordAnswer{Password: passwords[0]})
			if passwords[0] == "wrong" && !errors.Is(err, flow.ErrInvalidAnswer) {
				t.Errorf("a wrong password: %v", err)
			} else if passwords[0] == "wrong" {
				err = nil
			}
			passwords = passwords[1:]
		default:
			t.Fatalf("unexpected: %v", run)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"ak-stage-identification", "ak-stage-password", "ak-stage-password"}; !slices.Equal(stages, want) {
		t.Errorf("the stages were %q, not %q", stages, want)
	}
	if run.To() != "/wiki" {
		t.Errorf("the login leads to %q", run.To())
	}
	me, err := run.Client().CoreUsers.Me(ctx)
	if err != nil || me.User.Username != name {
		t.Errorf("logged in as %v, %v", me, err)
	}
}

// TestStranger gets no further than the password, and no hint that there is no such
// user.
func TestStranger(t *testing.T) {
	t.Parallel()
	_, err := flow.Login(t.Context(), client(t), &flow.LoginOptions{Username: "nobody-at-all", Password: "wrong", Flow: slug})
	if refused, ok := errors.AsType[*flow.AnswerError](err); !ok || refused.Component != "ak-stage-password" {
		t.Error(err)
	}
}
