package flow_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/flow"
	"github.com/google/uuid"
)

// live returns a client of the server that the environment names, for tests that
// need a real one, with a name for what the test creates.
func live(t *testing.T) (c *authentik.Client, name string) {
	t.Helper()
	url := os.Getenv("AUTHENTIK_TEST_URL")
	if url == "" {
		t.Skip("AUTHENTIK_TEST_URL and AUTHENTIK_TEST_TOKEN name no server")
	}
	c, err := authentik.NewClient(url, os.Getenv("AUTHENTIK_TEST_TOKEN"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c, fmt.Sprintf("go-flow-%d", time.Now().UnixNano()%1e9)
}

// must takes the value out of what a call returns.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

const password = "Correct-horse-7-battery"

func liveUser(t *testing.T, c *authentik.Client, name string) *authentik.User {
	t.Helper()
	ctx := t.Context()
	user := must[*authentik.User](t)(c.CoreUsers.Create(ctx, &authentik.UserRequest{Username: name, Name: new("Flow"), IsActive: new(true)}))
	t.Cleanup(func() { _ = c.CoreUsers.Delete(context.Background(), user.PK) })
	if err := c.CoreUsers.SetPassword(ctx, user.PK, &authentik.UserPasswordSetRequest{Password: password}); err != nil {
		t.Fatal(err)
	}
	return user
}

// TestLiveLogin logs in with and without a code, makes a token, and looks into the
// session.
func TestLiveLogin(t *testing.T) {
	t.Parallel()
	c, name := live(t)
	ctx := t.Context()
	user := liveUser(t, c, name)

	wrong := &flow.LoginOptions{Username: name, Password: "wrong"}
	if _, err := flow.Login(ctx, c, wrong); !errors.Is(err, flow.ErrInvalidAnswer) {
		t.Errorf("a login with a wrong password: %v", err)
	}
	run := must[*flow.Run](t)(flow.Login(ctx, c, &flow.LoginOptions{Username: name, Password: password}))
	me := must[*authentik.SessionUser](t)(run.Client().CoreUsers.Me(ctx))
	if me.User.PK != user.PK || run.To() != "/" {
		t.Errorf("logged in as %s, and sent to %q", me.User.Username, run.To())
	}
	token := must[*authentik.Token](t)(run.Client().CoreTokens.Create(ctx, &authentik.TokenRequest{
		Identifier: name, Intent: new(authentik.TokenIntentAPI), Description: new("made by a login"),
	}))
	key := must[*authentik.TokenView](t)(run.Client().CoreTokens.ViewKey(ctx, token.Identifier)).Key
	withKey := must[*authentik.Client](t)(authentik.NewClient(os.Getenv("AUTHENTIK_TEST_URL"), key))
	if me := must[*authentik.SessionUser](t)(withKey.CoreUsers.Me(ctx)); me.User.PK != user.PK {
		t.Errorf("the token is %s's", me.User.Username)
	}

	// The session outlives the program.
	saved := must[[]byte](t)(run.Session().Save())
	again := must[*flow.Session](t)(flow.LoadSession(saved))
	if me := must[*authentik.SessionUser](t)(must[*authentik.Client](t)(again.Client(c)).CoreUsers.Me(ctx)); me.User.PK != user.PK {
		t.Errorf("the saved session is %s's", me.User.Username)
	}
	if _, err := run.Inspect(ctx); !errors.Is(err, authentik.ErrNotFound) && !errors.Is(err, authentik.ErrServer) {
		t.Errorf("a user inspects: %v", err)
	}

	// A device of TOTP, and one with static codes.
	setup := must[*flow.Run](t)(flow.Start(ctx, c, "default-authenticator-totp-setup", &flow.Options{Session: run.Session()}))
	totp := setup.Challenge().(*flow.AuthenticatorTOTPChallenge)
	code := must[string](t)(flow.TOTPCode(totp.ConfigURL, time.Now().Add(-30*time.Second))) // so that the next one is new
	if err := setup.Answer(ctx, flow.AuthenticatorTOTPAnswer{Code: code}); err != nil || !setup.Done() {
		t.Fatal(err)
	}
	setup = must[*flow.Run](t)(flow.Start(ctx, c, "default-authenticator-static-setup", &flow.Options{Session: run.Session()}))
	codes := setup.Challenge().(*flow.AuthenticatorStaticChallenge).Codes
	if err := setup.Answer(ctx, flow.AuthenticatorStaticAnswer{}); err != nil || !setup.Done() {
		t.Fatal(err)
	}
	if run, err := flow.Login(ctx, c, &flow.LoginOptions{Username: name, Password: password}); !errors.Is(err, flow.ErrUnanswered) || run == nil {
		t.Errorf("a login without a code: %v", err)
	}
	for _, code := range []string{codes[0], must[string](t)(flow.TOTPCode(totp.ConfigURL, time.Now()))} {
		run := must[*flow.Run](t)(flow.Login(ctx, c, &flow.LoginOptions{
			Username: name, Password: password,
			Code: func(_ context.Context, challenge *flow.AuthenticatorValidationChallenge) (string, error) {
				if challenge.Device(authentik.DeviceClassTOTP) == nil || challenge.Device(authentik.DeviceClassStatic) == nil {
					t.Errorf("the devices are %v", challenge.DeviceChallenges)
				}
				return code, nil
			},
		}))
		if me := must[*authentik.SessionUser](t)(run.Client().CoreUsers.Me(ctx)); me.User.PK != user.PK {
			t.Errorf("logged in as %s", me.User.Username)
		}
	}
	reused := &flow.LoginOptions{Username: name, Password: password, Code: func(context.Context, *flow.AuthenticatorValidationChallenge) (string, error) {
		return codes[0], nil
	}}
	if _, err := flow.Login(ctx, c, reused); !errors.Is(err, flow.ErrInvalidAnswer) {
		t.Errorf("a static code twice: %v", err)
	}

	logout := must[*flow.Run](t)(flow.Start(ctx, c, "default-invalidation-flow", &flow.Options{Session: run.Session()}))
	if _, err := logout.Client().CoreUsers.Me(ctx); !logout.Done() || !errors.Is(err, authentik.ErrForbidden) {
		t.Errorf("after the logout: %v", err)
	}
}

// TestLiveInspect looks into the session of a superuser.
func TestLiveInspect(t *testing.T) {
	t.Parallel()
	c, name := live(t)
	ctx := t.Context()
	user := liveUser(t, c, name)
	group := must[*authentik.Group](t)(c.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: name, IsSuperuser: new(true), Users: []int{user.PK}}))
	t.Cleanup(func() { _ = c.CoreGroups.Delete(context.Background(), group.PK) })
	run := must[*flow.Run](t)(flow.Login(ctx, c, &flow.LoginOptions{Username: name, Password: password}))
	consent := must[*flow.Run](t)(flow.Start(ctx, c, "default-provider-authorization-explicit-consent", &flow.Options{Session: run.Session()}))
	seen := must[*flow.Inspection](t)(consent.Inspect(ctx))
	if seen.CurrentPlan == nil || seen.CurrentPlan.CurrentStage.StageObj.Name == "" || seen.IsCompleted {
		t.Errorf("the plan is %+v", seen)
	}
	if err := consent.Answer(ctx, flow.ConsentAnswer{Token: "wrong"}); !errors.Is(err, flow.ErrInvalidAnswer) {
		t.Errorf("a wrong token: %v", err)
	}
	challenge := consent.Challenge().(*flow.ConsentChallenge) // with another token
	if err := consent.Answer(ctx, flow.ConsentAnswer{Token: challenge.Token}); err != nil || !consent.Done() {
		t.Errorf("consent: %v, %v", err, consent)
	}
}

// TestLiveEnrolment has somebody enrol by an invitation.
func TestLiveEnrolment(t *testing.T) {
	t.Parallel()
	c, name := live(t)
	ctx := t.Context()
	enrolment := must[*authentik.Flow](t)(c.FlowsInstances.Create(ctx, &authentik.FlowRequest{
		Name: name, Slug: name, Title: "Welcome", Designation: authentik.FlowDesignationEnrollment,
	}))
	t.Cleanup(func() { _ = c.FlowsInstances.Delete(context.Background(), name) })
	var fields []uuid.UUID
	for i, key := range []string{"username", "email", "attributes.team"} {
		kind := map[string]authentik.PromptType{"username": authentik.PromptTypeUsername, "email": authentik.PromptTypeEmail, "attributes.team": authentik.PromptTypeText}[key]
		prompt := must[*authentik.Prompt](t)(c.StagesPromptPrompts.Create(ctx, &authentik.PromptRequest{
			Name: name + key, FieldKey: key, Label: key, Type: kind, Required: new(true), Order: new(i),
		}))
		t.Cleanup(func() { _ = c.StagesPromptPrompts.Delete(context.Background(), prompt.PK) })
		fields = append(fields, prompt.PK)
	}
	invite := must[*authentik.InvitationStage](t)(c.StagesInvitationStages.Create(ctx, &authentik.InvitationStageRequest{Name: name + "-invitation"}))
	form := must[*authentik.PromptStage](t)(c.StagesPromptStages.Create(ctx, &authentik.PromptStageRequest{Name: name + "-prompt", Fields: fields}))
	write := must[*authentik.UserWriteStage](t)(c.StagesUserWrite.Create(ctx, &authentik.UserWriteStageRequest{Name: name + "-write", UserCreationMode: new(authentik.UserCreationModeAlwaysCreate)}))
	login := must[*authentik.UserLoginStage](t)(c.StagesUserLogin.Create(ctx, &authentik.UserLoginStageRequest{Name: name + "-login"}))
	for i, stage := range []uuid.UUID{invite.PK, form.PK, write.PK, login.PK} {
		must[*authentik.FlowStageBinding](t)(c.FlowsBindings.Create(ctx, &authentik.FlowStageBindingRequest{Target: enrolment.PK, Stage: stage, Order: new(i)}))
		t.Cleanup(func() { _ = authentik.Delete(context.Background(), c, "stages/all/"+stage.String()+"/") })
	}
	invitation := must[*authentik.Invitation](t)(c.StagesInvitationInvitations.Create(ctx, &authentik.InvitationRequest{
		Name: name, SingleUse: new(true), FixedData: map[string]any{"attributes.team": "wiki"},
	}))

	if _, err := flow.Start(ctx, c, name, nil); !errors.Is(err, flow.ErrDenied) {
		t.Errorf("without the invitation: %v", err)
	}
	if _, err := flow.Start(ctx, c, name+"x", nil); !errors.Is(err, authentik.ErrNotFound) {
		t.Errorf("an unknown flow: %v", err)
	}
	withInvitation := &flow.Options{Query: "itoken=" + invitation.PK.String()}
	run := must[*flow.Run](t)(flow.Start(ctx, c, name, withInvitation))
	prompt, ok := run.Challenge().(*flow.PromptChallenge)
	if !ok || len(prompt.Fields) != 3 || prompt.Fields[0].FieldKey != "username" {
		t.Fatalf("the challenge is %v", run)
	}
	answer := flow.PromptAnswer{"username": name + "-new", "email": "no address", "attributes.team": "wiki"}
	err := run.Answer(ctx, answer)
	if refused, ok := errors.AsType[*flow.AnswerError](err); !ok || len(refused.Errors["email"]) != 1 {
		t.Errorf("a wrong address: %v", err)
	}
	answer["email"] = name + "@example.com"
	if err := run.Answer(ctx, answer); err != nil || !run.Done() {
		t.Fatalf("%v, %v", run, err)
	}
	me := must[*authentik.SessionUser](t)(run.Client().CoreUsers.Me(ctx))
	t.Cleanup(func() { _ = c.CoreUsers.Delete(context.Background(), me.User.PK) })
	if me.User.Username != name+"-new" {
		t.Errorf("logged in as %s", me.User.Username)
	}
	if _, err := flow.Start(ctx, c, name, withInvitation); !errors.Is(err, flow.ErrDenied) {
		t.Errorf("the invitation twice: %v", err)
	}
}
