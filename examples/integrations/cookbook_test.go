package integrations_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/flow"
	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

// The functions down to the tests are the recipes of docs/cookbook.md.

func usersToCSV(ctx context.Context, client *authentik.Client, w io.Writer) error {
	table := csv.NewWriter(w)
	for user, err := range client.CoreUsers.All(ctx, nil) {
		if err != nil {
			return err
		}
		var groups []string
		for _, group := range user.GroupsObj {
			groups = append(groups, group.Name)
		}
		if err := table.Write([]string{user.Username, user.Email, strings.Join(groups, ";")}); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

// limited waits before each request, so that no more than the limiter allows are sent.
type limited struct {
	http.RoundTripper
	limiter *rate.Limiter
}

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l.limiter.Wait(r.Context()); err != nil {
		return nil, err
	}
	return l.RoundTripper.RoundTrip(r)
}

func newLimited(baseURL, token string, perSecond rate.Limit) (*authentik.Client, error) {
	transport := limited{http.DefaultTransport, rate.NewLimiter(perSecond, 1)}
	return authentik.NewClient(baseURL, token, authentik.WithHTTPClient(&http.Client{Transport: transport}))
}

func usersFromCSV(ctx context.Context, client *authentik.Client, r io.Reader) error {
	rows, err := csv.NewReader(r).ReadAll() // username, name, e-mail
	if err != nil {
		return err
	}
	known := map[string]*authentik.User{}
	for user, err := range client.CoreUsers.All(ctx, nil) {
		if err != nil {
			return err
		}
		known[user.Username] = user
	}
	for _, row := range rows {
		want := &authentik.UserRequest{Username: row[0], Name: &row[1], Email: &row[2]}
		if user := known[row[0]]; user == nil {
			_, err = client.CoreUsers.Create(ctx, want)
		} else if want, err = authentik.Changes(want, user); err == nil && want != nil {
			_, err = client.CoreUsers.Update(ctx, user.PK, want)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", row[0], err)
		}
	}
	return nil
}

func deactivateIdle(ctx context.Context, client *authentik.Client, since time.Time, apply bool) ([]string, error) {
	users, err := authentik.Collect(client.CoreUsers.All(ctx, &authentik.CoreUsersListOptions{
		IsActive: new(true), Type: []authentik.UserType{authentik.UserTypeInternal},
	}))
	if err != nil {
		return nil, err
	}
	var idle []string
	for _, user := range users { // the filter LastLoginLT needs 2026.2, and knows no user who never signed in
		if user.IsSuperuser || user.LastLogin == nil || !user.LastLogin.Before(since) {
			continue
		}
		idle = append(idle, user.Username)
		if !apply {
			continue
		}
		if _, err := client.CoreUsers.Update(ctx, user.PK, &authentik.UserRequest{IsActive: new(false)}); err != nil {
			return idle, err
		}
	}
	return idle, nil
}

func ensureMapping(ctx context.Context, client *authentik.Client, want *authentik.ScopeMappingRequest) (*authentik.ScopeMapping, error) {
	have, err := authentik.One(client.PropertyMappingsProviderScope.All(ctx, &authentik.PropertyMappingsProviderScopeListOptions{Name: want.Name}))
	if errors.Is(err, authentik.ErrNotFound) {
		return client.PropertyMappingsProviderScope.Create(ctx, want)
	}
	if err != nil {
		return nil, err
	}
	change, err := authentik.Changes(want, have)
	if err != nil || change == nil {
		return have, err
	}
	return client.PropertyMappingsProviderScope.Update(ctx, have.PK, change)
}

func ensureProvider(ctx context.Context, client *authentik.Client, want *authentik.OAuth2ProviderRequest) (*authentik.OAuth2Provider, error) {
	have, err := authentik.One(client.ProvidersOAuth2.All(ctx, &authentik.ProvidersOAuth2ListOptions{Name: want.Name}))
	if errors.Is(err, authentik.ErrNotFound) {
		return client.ProvidersOAuth2.Create(ctx, want)
	}
	if err != nil {
		return nil, err
	}
	change, err := authentik.Changes(want, have)
	if err != nil || change == nil {
		return have, err
	}
	return client.ProvidersOAuth2.Update(ctx, have.PK, change)
}

func ensureApplication(ctx context.Context, client *authentik.Client, want *authentik.ApplicationRequest, group uuid.UUID) error {
	app, err := client.CoreApplications.Retrieve(ctx, want.Slug)
	if errors.Is(err, authentik.ErrNotFound) {
		app, err = client.CoreApplications.Create(ctx, want)
	} else if err == nil {
		if want, err = authentik.Changes(want, app); err == nil && want != nil {
			app, err = client.CoreApplications.Update(ctx, app.Slug, want)
		}
	}
	if err != nil {
		return err
	}
	bindings := client.PoliciesBindings.All(ctx, &authentik.PoliciesBindingsListOptions{Target: new(app.PK)})
	for binding, err := range bindings {
		if err != nil || binding.Group != nil && *binding.Group == group {
			return err
		}
	}
	_, err = client.PoliciesBindings.Create(ctx, &authentik.PolicyBindingRequest{
		Target: app.PK, Group: authentik.Value(group), Order: new(0),
	})
	return err
}

func rotateSecrets(ctx context.Context, client *authentik.Client, names []string, keep func(name, secret string) error) error {
	for _, name := range names {
		provider, err := authentik.One(client.ProvidersOAuth2.All(ctx, &authentik.ProvidersOAuth2ListOptions{Name: name}))
		if err != nil {
			return err
		}
		secret := rand.Text() + rand.Text()
		if err := keep(name, secret); err != nil { // before the old one is gone
			return err
		}
		if _, err := client.ProvidersOAuth2.Update(ctx, provider.PK, &authentik.OAuth2ProviderRequest{ClientSecret: &secret}); err != nil {
			return err
		}
	}
	return nil
}

func forwardAuth(ctx context.Context, client *authentik.Client, flow uuid.UUID, invalidation uuid.UUID, hosts []string) error {
	var pks []int
	for _, host := range hosts {
		provider, err := client.ProvidersProxy.Create(ctx, &authentik.ProxyProviderRequest{
			Name: host, ExternalHost: "https://" + host, Mode: new(authentik.ProxyModeForwardSingle),
			AuthorizationFlow: flow, InvalidationFlow: invalidation,
		})
		if err != nil {
			return err
		}
		pks = append(pks, provider.PK)
	}
	embedded := &authentik.OutpostsInstancesListOptions{ManagedIExact: "goauthentik.io/outposts/embedded"}
	outpost, err := authentik.One(client.OutpostsInstances.All(ctx, embedded))
	if err != nil {
		return err
	}
	return addProviders(ctx, client, outpost.PK, pks)
}

func addProviders(ctx context.Context, client *authentik.Client, outpost uuid.UUID, pks []int) error {
	read := func(ctx context.Context) ([]int, error) {
		outpost, err := client.OutpostsInstances.Retrieve(ctx, outpost)
		if err != nil {
			return nil, err
		}
		return outpost.Providers, nil
	}
	write := func(ctx context.Context, providers []int) error {
		_, err := client.OutpostsInstances.Update(ctx, outpost, &authentik.OutpostRequest{Providers: providers})
		return err
	}
	return authentik.AddMembers(ctx, read, write, pks...)
}

func bindStages(ctx context.Context, client *authentik.Client, flow uuid.UUID, stages ...uuid.UUID) error {
	for i, stage := range stages {
		_, err := client.FlowsBindings.Create(ctx, &authentik.FlowStageBindingRequest{Target: flow, Stage: stage, Order: new(10 * i)})
		if err != nil {
			return err
		}
	}
	return nil
}

func moveToEnd(ctx context.Context, client *authentik.Client, flow, stage uuid.UUID) error {
	opts := &authentik.FlowsBindingsListOptions{Target: &flow, ListOptions: authentik.ListOptions{Ordering: "order"}}
	bindings, err := authentik.Collect(client.FlowsBindings.All(ctx, opts))
	if err != nil || len(bindings) == 0 {
		return err
	}
	last := bindings[len(bindings)-1].Order
	for _, binding := range bindings {
		if binding.Stage == stage && binding.Order != last {
			_, err = client.FlowsBindings.Update(ctx, binding.PK, &authentik.FlowStageBindingRequest{Order: new(last + 10)})
		}
	}
	return err
}

func testPolicy(ctx context.Context, client *authentik.Client, expression string, user int) (*authentik.PolicyTestResult, error) {
	policy, err := client.PoliciesExpression.Create(ctx, &authentik.ExpressionPolicyRequest{Name: "may enter", Expression: expression})
	if err != nil {
		return nil, err
	}
	return client.PoliciesAll.Test(ctx, policy.PK, &authentik.PolicyTestRequest{User: user}) // the test is that of all kinds
}

func invite(ctx context.Context, client *authentik.Client, baseURL string, enrolment *authentik.Flow, email string) (string, error) {
	invitation, err := client.StagesInvitationInvitations.Create(ctx, &authentik.InvitationRequest{
		Name:      "for-ada", // a slug
		Flow:      authentik.Value(enrolment.PK),
		SingleUse: new(true),
		Expires:   authentik.Value(time.Now().Add(48 * time.Hour)),
		FixedData: map[string]any{"email": email},
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s/if/flow/%s/?itoken=%s", baseURL, enrolment.Slug, invitation.PK), nil
}

func serviceAccount(ctx context.Context, client *authentik.Client, name string) (key string, err error) {
	account, err := client.CoreUsers.ServiceAccount(ctx, &authentik.UserServiceAccountRequest{Name: name, Expiring: new(false)})
	if err != nil {
		return "", err // account.Token is an app password, to sign in with; the API wants a token of its own
	}
	token, err := client.CoreTokens.Create(ctx, &authentik.TokenRequest{
		Identifier: name + "-api", User: account.UserPK, Intent: new(authentik.TokenIntentAPI), Expiring: new(false),
	})
	if err != nil {
		return "", err
	}
	view, err := client.CoreTokens.ViewKey(ctx, token.Identifier)
	if err != nil {
		return "", err
	}
	return view.Key, nil
}

//nolint:staticcheck // SetIcon is what older servers have
func setIcon(ctx context.Context, client *authentik.Client, slug string, icon *os.File) error {
	release, err := client.ServerVersion(ctx)
	if err != nil {
		return err
	}
	if !release.AtLeast("2025.12") {
		return client.CoreApplications.SetIcon(ctx, slug, &authentik.FlowUploadRequest{File: icon})
	}
	name := filepath.Base(icon.Name())
	if err := client.AdminFile.Create(ctx, &authentik.FileUploadRequest{File: icon, Name: &name}); err != nil {
		return err
	}
	_, err = client.CoreApplications.Update(ctx, slug, &authentik.ApplicationRequest{MetaIcon: &name})
	return err
}

func eventsSince(ctx context.Context, client *authentik.Client, since time.Time) ([]*authentik.Event, error) {
	var events []*authentik.Event
	newest := &authentik.EventsEventsListOptions{ListOptions: authentik.ListOptions{Ordering: "-created"}}
	for event, err := range client.EventsEvents.All(ctx, newest) { // authentik has no filter for the time
		if err != nil {
			return nil, err
		}
		if event.Created.Before(since) {
			break
		}
		events = append(events, event)
	}
	return events, nil
}

func expiring(ctx context.Context, client *authentik.Client, before time.Time) ([]string, error) {
	var names []string
	for pair, err := range client.CryptoCertificateKeyPairs.All(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if pair.CertExpiry != nil && pair.CertExpiry.Before(before) {
			names = append(names, pair.Name)
		}
	}
	return names, nil
}

func applyBlueprint(ctx context.Context, client *authentik.Client, pk uuid.UUID) (*authentik.BlueprintInstance, error) {
	before, err := client.ManagedBlueprints.Apply(ctx, pk)
	if err != nil {
		return nil, err
	}
	reason := "the server keeps no tasks that say why" // before 2025.8
	if task, err := waitForTask(ctx, client, pk.String()); err == nil {
		reason = task.Reason()
	} else if !errors.Is(err, authentik.ErrNoEndpoint) {
		return before, err
	}
	read := func(ctx context.Context) (*authentik.BlueprintInstance, error) {
		return client.ManagedBlueprints.Retrieve(ctx, pk)
	}
	blueprint, err := authentik.WaitFor(ctx, read, func(b *authentik.BlueprintInstance) (bool, error) {
		return b.LastApplied.After(before.LastApplied), nil
	})
	if err == nil && blueprint.Status != authentik.BlueprintInstanceStatusSuccessful {
		err = fmt.Errorf("the blueprint ended with %s: %s", blueprint.Status, reason)
	}
	return blueprint, err
}

// waitForTask waits for the newest task of an object, and returns why it failed.
func waitForTask(ctx context.Context, client *authentik.Client, object string) (*authentik.Task, error) {
	newest := &authentik.TasksTasksListOptions{RelObjID: object, ListOptions: authentik.ListOptions{Ordering: "-mtime", PageSize: 1}}
	read := func(ctx context.Context) (*authentik.Task, error) {
		page, err := client.TasksTasks.List(ctx, newest)
		if err != nil || len(page.Results) == 0 {
			return &authentik.Task{}, err
		}
		return &page.Results[0], nil
	}
	return authentik.WaitFor(ctx, read, (*authentik.Task).Done)
}

//nolint:staticcheck // Import of flows is what older servers have
func copyFlow(ctx context.Context, from, to *authentik.Client, slug string) error {
	yaml, err := from.FlowsInstances.Export(ctx, slug)
	if err != nil {
		return err
	}
	release, err := to.ServerVersion(ctx)
	if err != nil {
		return err
	}
	file := bytes.NewReader(yaml)
	if release.AtLeast("2026.5") {
		_, err = to.ManagedBlueprints.Import(ctx, &authentik.BlueprintUploadRequest{File: file})
	} else {
		_, err = to.FlowsInstances.Import(ctx, &authentik.FlowUploadRequest{File: file})
	}
	return err // a FailedError has the server's log
}

func myPermissions(ctx context.Context, client *authentik.Client) (superuser bool, system []string, err error) {
	me, err := client.CoreUsers.Me(ctx)
	if err != nil {
		return false, nil, err
	}
	return me.User.IsSuperuser, me.User.SystemPermissions, nil
}

func rolesOf(ctx context.Context, client *authentik.Client, user *authentik.User) ([]*authentik.Role, error) {
	release, err := client.ServerVersion(ctx)
	if err != nil {
		return nil, err
	}
	if release.AtLeast("2025.12") {
		return authentik.Collect(client.RBACRoles.All(ctx, &authentik.RBACRolesListOptions{Users: &user.PK, Inherited: new(true)}))
	}
	var roles []*authentik.Role
	for _, pk := range user.Groups { // and those above them, if somebody uses that
		group, err := client.CoreGroups.Retrieve(ctx, pk)
		if err != nil {
			return nil, err
		}
		for _, role := range group.RolesObj {
			roles = append(roles, &role)
		}
	}
	return roles, nil
}

func permissionsOf(ctx context.Context, client *authentik.Client, role uuid.UUID) ([]string, error) {
	var names []string
	for p, err := range client.RBACPermissions.All(ctx, &authentik.RBACPermissionsListOptions{Role: role.String()}) {
		if err != nil {
			return nil, err
		}
		names = append(names, p.AppLabel+"."+p.Codename)
	}
	for p, err := range client.RBACPermissionsRoles.All(ctx, &authentik.RBACPermissionsRolesListOptions{UUID: &role}) {
		if err != nil {
			return nil, err
		}
		names = append(names, p.AppLabel+"."+p.Codename+" of "+p.ObjectPK)
	}
	return names, nil
}

func setAttribute(ctx context.Context, client *authentik.Client, pk int, name string, value any) error {
	user, err := client.CoreUsers.Retrieve(ctx, pk)
	if err != nil {
		return err
	}
	attributes := maps.Clone(user.Attributes) // an update replaces them as a whole
	if attributes == nil {
		attributes = map[string]any{}
	}
	attributes[name] = value
	_, err = client.CoreUsers.Update(ctx, pk, &authentik.UserRequest{Attributes: attributes})
	return err
}

func enrol(ctx context.Context, client *authentik.Client, link, username, password string) (*authentik.Client, error) {
	slug, query, ok := flow.ParseLink(link)
	if !ok {
		return nil, errors.New("no link of a flow: " + link)
	}
	run, err := flow.Start(ctx, client, slug, &flow.Options{Query: query})
	for err == nil && !run.Done() {
		switch c := run.Challenge().(type) {
		case *flow.PromptChallenge:
			err = run.Answer(ctx, flow.PromptAnswer{"username": username, "password": password})
		default:
			err = fmt.Errorf("unexpected: %s", c.Base().Component)
		}
	}
	if err != nil {
		return nil, err
	}
	return run.Client(), nil
}

func logIn(ctx context.Context, baseURL, username, password string) (*authentik.SessionUser, error) {
	client, err := authentik.NewClient(baseURL, "", authentik.WithoutToken())
	if err != nil {
		return nil, err
	}
	run, err := flow.Login(ctx, client, &flow.LoginOptions{Username: username, Password: password})
	if err != nil {
		return nil, err
	}
	return run.Client().CoreUsers.Me(ctx)
}

// The tests.

func cook(t *testing.T) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	server.Bootstrap()
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestUsersRecipes(t *testing.T) {
	t.Parallel()
	server, _ := cook(t)
	ctx := t.Context()
	client, err := newLimited(server.URL, server.Token, 1000)
	if err != nil {
		t.Fatal(err)
	}
	const file = "ada,Ada,ada@example.com\nbob,Bob,bob@example.com\n"
	for run, want := range []int{2, 0} {
		before := writes(server)
		if err := usersFromCSV(ctx, client, strings.NewReader(file)); err != nil || writes(server)-before != want {
			t.Errorf("run %d: %d writes, %v", run, writes(server)-before, err)
		}
	}
	var b strings.Builder
	if err := usersToCSV(ctx, client, &b); err != nil || !strings.Contains(b.String(), "ada,ada@example.com,\n") {
		t.Errorf("%s, %v", b.String(), err)
	}
	ada, err := authentik.One(client.CoreUsers.All(ctx, &authentik.CoreUsersListOptions{Username: "ada"}))
	if err != nil {
		t.Fatal(err)
	}
	server.CoreUsers.Update(ada.PK, func(u *authentik.User) { u.LastLogin = new(time.Now().Add(-1000 * time.Hour)) })
	for _, apply := range []bool{false, true} {
		idle, err := deactivateIdle(ctx, client, time.Now().Add(-time.Hour), apply)
		if err != nil || !slices.Equal(idle, []string{"ada"}) {
			t.Errorf("idle are %q, %v", idle, err)
		}
		if user, err := client.CoreUsers.Retrieve(ctx, ada.PK); err != nil || user.IsActive == apply {
			t.Errorf("active: %t, %v", user.IsActive, err)
		}
	}
	for _, name := range []string{"a", "b"} {
		if err := setAttribute(ctx, client, ada.PK, name, 1); err != nil {
			t.Fatal(err)
		}
	}
	if user, err := client.CoreUsers.Retrieve(ctx, ada.PK); err != nil || len(user.Attributes) != 2 {
		t.Errorf("attributes: %v, %v", user.Attributes, err)
	}
	key, err := serviceAccount(ctx, client, "robot")
	if err != nil {
		t.Fatal(err)
	}
	robot, err := authentik.NewClient(server.URL, key)
	if err != nil {
		t.Fatal(err)
	}
	if superuser, _, err := myPermissions(ctx, robot); err != nil || superuser {
		t.Errorf("superuser: %t, %v", superuser, err)
	}
}

// writes are how many requests the server got that were none to read.
func writes(server *authentiktest.Server) int {
	n := 0
	for _, r := range server.Requests() {
		if r.Method != http.MethodGet {
			n++
		}
	}
	return n
}

func TestApplicationRecipes(t *testing.T) {
	t.Parallel()
	server, client := cook(t)
	ctx := t.Context()
	authorization, err := client.FlowsInstances.Retrieve(ctx, "default-provider-authorization-implicit-consent")
	if err != nil {
		t.Fatal(err)
	}
	invalidation, err := client.FlowsInstances.Retrieve(ctx, "default-provider-invalidation-flow")
	if err != nil {
		t.Fatal(err)
	}
	group, err := client.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: "staff"})
	if err != nil {
		t.Fatal(err)
	}
	for run := range 2 {
		before := writes(server)
		mapping, err := ensureMapping(ctx, client, &authentik.ScopeMappingRequest{Name: "wiki", ScopeName: "wiki", Expression: "return {}"})
		if err != nil {
			t.Fatal(err)
		}
		provider, err := ensureProvider(ctx, client, &authentik.OAuth2ProviderRequest{
			Name: "wiki", AuthorizationFlow: authorization.PK, InvalidationFlow: invalidation.PK, PropertyMappings: []uuid.UUID{mapping.PK},
			RedirectURIs: []authentik.RedirectURIRequest{{MatchingMode: authentik.MatchingModeStrict, URL: "https://wiki.example.com"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		app := &authentik.ApplicationRequest{Name: "Wiki", Slug: "wiki", Provider: authentik.Value(provider.PK)}
		if err := ensureApplication(ctx, client, app, group.PK); err != nil {
			t.Fatal(err)
		}
		if n := writes(server) - before; n != []int{4, 0}[run] {
			t.Errorf("run %d: %d writes", run, n)
		}
	}
	var kept string
	keep := func(_, secret string) error { kept = secret; return nil }
	if err := rotateSecrets(ctx, client, []string{"wiki"}, keep); err != nil {
		t.Fatal(err)
	}
	if p, err := authentik.One(client.ProvidersOAuth2.All(ctx, nil)); err != nil || p.ClientSecret != kept || kept == "" {
		t.Errorf("the secret was not rotated, %v", err)
	}
	icon := filepath.Join(t.TempDir(), "wiki.png")
	if err := os.WriteFile(icon, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(icon)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := setIcon(ctx, client, "wiki", f); err != nil {
		t.Errorf("setIcon: %v", err)
	}
	hosts := []string{"a.example.com", "b.example.com"}
	if err := forwardAuth(ctx, client, authorization.PK, invalidation.PK, hosts); err != nil {
		t.Fatal(err)
	}
	embedded := &authentik.OutpostsInstancesListOptions{ManagedIExact: "goauthentik.io/outposts/embedded"}
	if outpost, err := authentik.One(client.OutpostsInstances.All(ctx, embedded)); err != nil || len(outpost.Providers) != 2 {
		t.Errorf("the outpost has %v, %v", outpost, err)
	}
}

func TestFlowRecipes(t *testing.T) {
	t.Parallel()
	server, client := cook(t)
	ctx := t.Context()
	login, err := client.FlowsInstances.Create(ctx, &authentik.FlowRequest{
		Name: "Login", Slug: "login", Title: "Login", Designation: authentik.FlowDesignationAuthentication,
	})
	if err != nil {
		t.Fatal(err)
	}
	var stages []uuid.UUID
	for i := range 4 {
		stage, err := client.StagesDummy.Create(ctx, &authentik.DummyStageRequest{Name: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		stages = append(stages, stage.PK)
	}
	if err := bindStages(ctx, client, login.PK, stages...); err != nil {
		t.Fatal(err)
	}
	if err := moveToEnd(ctx, client, login.PK, stages[0]); err != nil {
		t.Fatal(err)
	}
	opts := &authentik.FlowsBindingsListOptions{Target: &login.PK, ListOptions: authentik.ListOptions{Ordering: "order"}}
	bindings, err := authentik.Collect(client.FlowsBindings.All(ctx, opts))
	if err != nil || len(bindings) != 4 || bindings[3].Stage != stages[0] {
		t.Errorf("%d bindings, %v", len(bindings), err)
	}
	link, err := invite(ctx, client, server.URL, login, "ada@example.com")
	if slug, query, ok := flow.ParseLink(link); err != nil || !ok || slug != "login" || !strings.HasPrefix(query, "itoken=") {
		t.Errorf("the link is %s, %v", link, err)
	}
	server.FailOn("POST policies/all/{policy_uuid}/test/", 1, authentiktest.Failure{Status: http.StatusOK, Body: `{"passing":true,"messages":[],"log_messages":[]}`})
	if result, err := testPolicy(ctx, client, "return True", 1); err != nil || !result.Passing {
		t.Errorf("the policy: %v, %v", result, err)
	}
}

func TestRestOfTheRecipes(t *testing.T) {
	t.Parallel()
	server, client := cook(t)
	ctx := t.Context()
	now := time.Now()
	for _, age := range []time.Duration{0, time.Hour, 3 * time.Hour} {
		server.EventsEvents.Add(authentik.Event{Created: now.Add(-age)})
	}
	if events, err := eventsSince(ctx, client, now.Add(-2*time.Hour)); err != nil || len(events) != 2 {
		t.Errorf("%d events, %v", len(events), err)
	}
	server.CryptoCertificateKeyPairs.Add(authentik.CertificateKeyPair{Name: "old", CertExpiry: new(now.Add(time.Hour))})
	if names, err := expiring(ctx, client, now.Add(24*time.Hour)); err != nil || !slices.Equal(names, []string{"old"}) {
		t.Errorf("%q expire, %v", names, err)
	}
	for _, release := range []string{"2026.8", "2025.6"} { // with tasks that say why, and without
		server, client := cook(t)
		server.SetRelease(release)
		content := "version: 1\nentries:\n- {model: authentik_core.group, identifiers: {name: !Context [name, staff]}}\n"
		blueprint, err := client.ManagedBlueprints.Create(ctx, &authentik.BlueprintInstanceRequest{Name: "b", Content: &content})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := applyBlueprint(ctx, client, blueprint.PK); err != nil || b.Status != authentik.BlueprintInstanceStatusSuccessful {
			t.Errorf("%s: %+v, %v", release, b, err)
		}
		bad := &authentik.BlueprintInstanceRequest{Context: map[string]any{"name": []int{1}}}
		if _, err := client.ManagedBlueprints.Update(ctx, blueprint.PK, bad); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"2026.8": "error: Entry invalid", "2025.6": "error: the server keeps no tasks"}[release]
		if _, err := applyBlueprint(ctx, client, blueprint.PK); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", release, err, want)
		}
	}
}

func TestCopyFlow(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"2026.8", "2023.10"} {
		_, from := cook(t)
		server, to := cook(t)
		server.SetRelease(release)
		login, err := from.FlowsInstances.Create(t.Context(), &authentik.FlowRequest{
			Name: "Login", Slug: "login", Title: "Login", Designation: authentik.FlowDesignationAuthentication,
		})
		if err != nil {
			t.Fatal(err)
		}
		stage, err := from.StagesDummy.Create(t.Context(), &authentik.DummyStageRequest{Name: "dummy"})
		if err != nil {
			t.Fatal(err)
		}
		if err := bindStages(t.Context(), from, login.PK, stage.PK); err != nil {
			t.Fatal(err)
		}
		if err := copyFlow(t.Context(), from, to, "login"); err != nil {
			t.Fatalf("%s: %v", release, err)
		}
		if copied, err := to.FlowsInstances.Retrieve(t.Context(), "login"); err != nil || len(copied.Stages) != 1 {
			t.Errorf("%s: %+v, %v", release, copied, err)
		}
	}
}

func TestPermissionsRecipes(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"2026.8", "2025.10"} {
		server, client := cook(t)
		server.SetRelease(release)
		ctx := t.Context()
		role, err := client.RBACRoles.Create(ctx, &authentik.RoleRequest{Name: "viewers"})
		if err != nil {
			t.Fatal(err)
		}
		assign := &authentik.PermissionAssignRequest{Permissions: []string{"authentik_core.view_user"}}
		if _, err := client.RBACPermissionsAssignedByRoles.Assign(ctx, role.PK, assign); err != nil {
			t.Fatal(err)
		}
		user, err := client.CoreUsers.Create(ctx, &authentik.UserRequest{Username: "ada", Name: new("Ada")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: "staff", Users: []int{user.PK}, Roles: []uuid.UUID{role.PK}}); err != nil {
			t.Fatal(err)
		}
		if user, err = client.CoreUsers.Retrieve(ctx, user.PK); err != nil {
			t.Fatal(err)
		}
		roles, err := rolesOf(ctx, client, user)
		if err != nil || len(roles) != 1 || roles[0].Name != "viewers" {
			t.Fatalf("%s: %+v, %v", release, roles, err)
		}
		if names, err := permissionsOf(ctx, client, roles[0].PK); err != nil || !slices.Equal(names, assign.Permissions) {
			t.Errorf("%s: %q, %v", release, names, err)
		}
	}
}

func TestLogInRecipes(t *testing.T) {
	t.Parallel()
	server, client := cook(t)
	ctx := t.Context()
	ada, err := client.CoreUsers.Create(ctx, &authentik.UserRequest{Username: "ada", Name: new("Ada")})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.CoreUsers.SetPassword(ctx, ada.PK, &authentik.UserPasswordSetRequest{Password: "s3cr3t-Ada"}); err != nil {
		t.Fatal(err)
	}
	if me, err := logIn(ctx, server.URL, "ada", "s3cr3t-Ada"); err != nil || me.User.Username != "ada" {
		t.Errorf("logged in as %+v, %v", me, err)
	}
	if _, err := logIn(ctx, server.URL, "ada", "wrong"); err == nil {
		t.Error("a wrong password was taken")
	}
	anonymous, err := authentik.NewClient(server.URL, "", authentik.WithoutToken())
	if err != nil {
		t.Fatal(err)
	}
	form := server.StagesPromptStages.Add(authentik.PromptStage{Fields: []uuid.UUID{
		server.StagesPromptPrompts.Add(authentik.Prompt{FieldKey: "username", Type: authentik.PromptTypeUsername, Required: true}).PK,
		server.StagesPromptPrompts.Add(authentik.Prompt{FieldKey: "password", Type: authentik.PromptTypePassword, Required: true}).PK,
	}})
	join := server.FlowsInstances.Add(authentik.Flow{Slug: "join", Designation: authentik.FlowDesignationEnrollment})
	if err := bindStages(ctx, client, join.PK,
		server.StagesInvitationStages.Add(authentik.InvitationStage{}).PK, form.PK,
		server.StagesUserWrite.Add(authentik.UserWriteStage{UserCreationMode: authentik.UserCreationModeAlwaysCreate}).PK,
		server.StagesUserLogin.Add(authentik.UserLoginStage{}).PK,
	); err != nil {
		t.Fatal(err)
	}
	link, err := invite(ctx, client, server.URL, &join, "bob@example.com")
	if err != nil {
		t.Fatal(err)
	}
	bob, err := enrol(ctx, anonymous, link, "bob", "s3cr3t-Bob")
	if err != nil {
		t.Fatal(err)
	}
	if me, err := bob.CoreUsers.Me(ctx); err != nil || me.User.Username != "bob" || me.User.Email != "bob@example.com" {
		t.Errorf("enrolled as %+v, %v", me, err)
	}
	if me, err := logIn(ctx, server.URL, "bob", "s3cr3t-Bob"); err != nil || me.User.Username != "bob" {
		t.Errorf("logged in as %+v, %v", me, err)
	}
	for _, link := range []string{link, "https://authentik.example.com/"} { // used, or of no flow
		if _, err := enrol(ctx, anonymous, link, "eve", "s3cr3t-Eve"); err == nil {
			t.Errorf("%s was taken", link)
		}
	}
}
