package authentiktest_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// newestRelease is the one that the fake answers as.
func newestRelease(t *testing.T) *contract.Facts {
	t.Helper()
	return release(t, newestVersion(t))
}

// newestVersion is that release's.
func newestVersion(t *testing.T) string {
	t.Helper()
	versions := recorded(t).Versions
	return versions[len(versions)-1]
}

// release is what a version of authentik has.
func release(t *testing.T, version string) *contract.Facts {
	t.Helper()
	release := recorded(t).At(version)
	if release == nil {
		t.Fatalf("there are no facts of %s", version)
	}
	return release
}

// recorded is what all releases have.
func recorded(t *testing.T) *contract.Facts {
	t.Helper()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// checkObject checks that the object has exactly the model's members, and that
// each is of its type.
func checkObject(t *testing.T, r *contract.Facts, model string, object map[string]any) {
	t.Helper()
	members := map[string]bool{}
	for _, m := range r.Object(model).Members {
		members[m.Name] = true
		value, ok := object[m.Name]
		if !ok {
			t.Errorf("%s.%s is missing", model, m.Name)
			continue
		}
		if m.Required && value == "" {
			t.Errorf("%s.%s is empty", model, m.Name)
		}
		checkValue(t, r, model+"."+m.Name, m.Type, value)
	}
	for name := range object {
		if !members[name] {
			t.Errorf("%s.%s is no member", model, name)
		}
	}
}

func checkValue(t *testing.T, r *contract.Facts, name string, kind contract.Type, value any) {
	t.Helper()
	if kind.Nullable && value == nil {
		return
	}
	if kind.Kind == "array" {
		items, ok := value.([]any)
		if !ok {
			t.Errorf("%s is %v, no list", name, value)
		}
		for _, value := range items {
			checkValue(t, r, name, *kind.Elem, value)
		}
		return
	}
	text, isText := value.(string)
	var valid bool
	switch kind.Kind {
	case "string":
		valid = isText
	case "uuid":
		id, err := uuid.Parse(text)
		valid = err == nil && id != uuid.Nil && id.String() == text
	case "boolean":
		_, valid = value.(bool)
	case "integer":
		number, _ := value.(json.Number)
		_, err := number.Int64()
		valid = err == nil
	case "enum":
		valid = isText && slices.ContainsFunc(r.Enum(kind.Name).Values, func(v *contract.Value) bool { return v.Value == text })
	case "ref":
		var object map[string]any
		if object, valid = value.(map[string]any); valid {
			checkObject(t, r, kind.Name, object)
		}
	}
	if !valid {
		t.Errorf("%s is %#v, want %s", name, value, kind)
	}
}

func TestAddIdentification(t *testing.T) {
	t.Parallel()
	pk := uuid.New()
	testAdd(t, identificationPath, "IdentificationStage",
		func(s *authentiktest.Server) *authentiktest.Stages[authentik.IdentificationStage] {
			return s.StagesIdentification
		},
		map[string]authentik.IdentificationStage{
			"nothing":                   {},
			"pk":                        {PK: pk},
			"name":                      {Name: "name"},
			"component":                 {Component: "ak-stage-other"},
			"verbose_name":              {VerboseName: "Anmeldung"},
			"verbose_name_plural":       {VerboseNamePlural: "Anmeldungen"},
			"meta_model_name":           {MetaModelName: "app.model"},
			"flow_set":                  {FlowSet: []authentik.FlowSet{{}}},
			"user_fields":               {UserFields: []authentik.UserField{authentik.UserFieldUPN}},
			"password_stage":            {PasswordStage: &pk},
			"captcha_stage":             {CaptchaStage: &pk},
			"webauthn_stage":            {WebAuthnStage: &pk},
			"case_insensitive_matching": {CaseInsensitiveMatching: true},
			"show_matched_user":         {ShowMatchedUser: true},
			"enrollment_flow":           {EnrollmentFlow: &pk},
			"recovery_flow":             {RecoveryFlow: &pk},
			"passwordless_flow":         {PasswordlessFlow: &pk},
			"sources":                   {Sources: []uuid.UUID{pk}},
			"show_source_labels":        {ShowSourceLabels: true},
			"pretend_user_exists":       {PretendUserExists: true},
			"enable_remember_me":        {EnableRememberMe: true},
		})
}

func TestAddPassword(t *testing.T) {
	t.Parallel()
	pk := uuid.New()
	testAdd(t, passwordPath, "PasswordStage",
		func(s *authentiktest.Server) *authentiktest.Stages[authentik.PasswordStage] { return s.StagesPassword },
		map[string]authentik.PasswordStage{
			"nothing":                       {},
			"pk":                            {PK: pk},
			"name":                          {Name: "name"},
			"component":                     {Component: "ak-stage-other"},
			"verbose_name":                  {VerboseName: "Passwort"},
			"verbose_name_plural":           {VerboseNamePlural: "Passwörter"},
			"meta_model_name":               {MetaModelName: "app.model"},
			"flow_set":                      {FlowSet: []authentik.FlowSet{{}}},
			"backends":                      {Backends: []authentik.PasswordBackend{authentik.PasswordBackendLDAP}},
			"configure_flow":                {ConfigureFlow: &pk},
			"failed_attempts_before_cancel": {FailedAttemptsBeforeCancel: -1},
			"allow_show_password":           {AllowShowPassword: true},
		})
}

func TestAddSource(t *testing.T) {
	t.Parallel()
	pk := uuid.New()
	testAdd(t, sourcePath, "SourceStage",
		func(s *authentiktest.Server) *authentiktest.Stages[authentik.SourceStage] { return s.StagesSource },
		map[string]authentik.SourceStage{
			"nothing":             {},
			"pk":                  {PK: pk},
			"name":                {Name: "name"},
			"component":           {Component: "ak-stage-other"},
			"verbose_name":        {VerboseName: "Quelle"},
			"verbose_name_plural": {VerboseNamePlural: "Quellen"},
			"meta_model_name":     {MetaModelName: "app.model"},
			"flow_set":            {FlowSet: []authentik.FlowSet{{}}},
			"source":              {Source: pk},
			"resume_timeout":      {ResumeTimeout: "hours=1"},
			"resume_on_match_failures": {
				ResumeOnMatchFailures: []authentik.ResumeOnMatchFailure{authentik.ResumeOnMatchFailureMissingProperty},
			},
		})
}

// testAdd adds stages of which one member is set, and checks what the server
// sends. The stages are named by that member.
func testAdd[T any](t *testing.T, path, model string, stages func(*authentiktest.Server) *authentiktest.Stages[T], given map[string]T) {
	t.Helper()
	newest := newestRelease(t)
	for _, m := range newest.Object(model).Members {
		if _, ok := given[m.Name]; !ok {
			t.Errorf("no stage with %s", m.Name)
		}
	}
	for member, stage := range given {
		t.Run(member, func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			added := stages(server).Add(stage)
			sent := getList(t, server, path).Results[0]
			checkObject(t, newest, model, sent)
			if diff := cmp.Diff(toMembers(t, added), sent); diff != "" {
				t.Errorf("sent is not what Add returned (-returned +sent):\n%s", diff)
			}
			if want := toMembers(t, stage)[member]; member != "flow_set" && !cmp.Equal(want, sent[member]) {
				t.Errorf("%s is %v, want %v", member, sent[member], want)
			}
			if diff := cmp.Diff([]T{added}, stages(server).All()); diff != "" {
				t.Errorf("All is not what Add returned (-returned +all):\n%s", diff)
			}
		})
	}
}

// toMembers returns what JSON holds for the stage, except a flow's background,
// which no newer server sends.
func toMembers(t *testing.T, stage any) map[string]any {
	t.Helper()
	b, err := json.Marshal(stage)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(b)))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		t.Fatal(err)
	}
	flows, _ := members["flow_set"].([]any)
	for _, flow := range flows {
		delete(flow.(map[string]any), "background")
	}
	return members
}

func TestAddNames(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, want := range []string{"Source Stage 1", "Source Stage 2"} {
		stage := server.StagesSource.Add(authentik.SourceStage{})
		if stage.Name != want || stage.Component != "ak-stage-source-form" || stage.ResumeTimeout != "minutes=10" {
			t.Errorf("%+v, want the name %s", stage, want)
		}
	}
}

func TestAddKeepsFlows(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	given := authentik.FlowSet{
		PK:                      uuid.New(),
		PolicyBindingModelPtrID: uuid.New(),
		Name:                    "name",
		Slug:                    "slug",
		Title:                   "title",
		Designation:             authentik.FlowDesignationRecovery,
		BackgroundURL:           "/background.jpg",
		PolicyEngineMode:        authentik.PolicyEngineModeAll,
		CompatibilityMode:       true,
		ExportURL:               "/export/",
		Layout:                  authentik.FlowLayoutContentLeft,
		DeniedAction:            authentik.DeniedActionContinue,
	}
	stage := server.StagesPassword.Add(authentik.PasswordStage{FlowSet: []authentik.FlowSet{given, {}, {Slug: "third"}}})
	flows := stage.FlowSet
	stage.PK = uuid.Nil
	if diff := cmp.Diff(given, flows[0]); diff != "" {
		t.Errorf("flow 0 (-want +got):\n%s", diff)
	}
	if flows[1].Slug == "" || flows[1].Slug == server.StagesPassword.Add(stage).FlowSet[2].Slug || flows[1].PK == flows[2].PK {
		t.Errorf("not two flows: %+v", flows[1:])
	}
	if flows[2].Name != "third" || flows[2].ExportURL != "/api/v3/flows/instances/third/export/" {
		t.Errorf("flow 2: %+v", flows[2])
	}
}

func TestAddTellsFlowsApart(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	flows := server.StagesPassword.Add(authentik.PasswordStage{FlowSet: make([]authentik.FlowSet, 2)}).FlowSet
	flows = append(flows, server.StagesSource.Add(authentik.SourceStage{FlowSet: make([]authentik.FlowSet, 1)}).FlowSet...)
	pks, slugs := map[uuid.UUID]bool{}, map[string]bool{}
	for _, flow := range flows {
		pks[flow.PK], pks[flow.PolicyBindingModelPtrID], slugs[flow.Slug] = true, true, true
	}
	if len(pks) != 6 || len(slugs) != 3 {
		t.Errorf("flows share pk or slug: %+v", flows)
	}
}

// Servers before 2025.12 send background in place of background_url.
func TestAddOldFlow(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.SetRelease("2025.8")
	server.StagesPassword.Add(authentik.PasswordStage{FlowSet: []authentik.FlowSet{{Background: "/old.jpg"}}})
	flow := getList(t, server, passwordPath).Results[0]["flow_set"].([]any)[0].(map[string]any)
	checkObject(t, release(t, "2025.8.6"), "FlowSet", flow)
	if flow["background"] != "/old.jpg" {
		t.Errorf("background is %v", flow["background"])
	}
}

func TestAddExtra(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	extra := map[string]json.RawMessage{"last_attempt_warning_message": json.RawMessage(`"careful"`)}
	added := server.StagesPassword.Add(authentik.PasswordStage{Extra: extra})
	got, err := newClient(t, server, 0).StagesPassword.Retrieve(t.Context(), added.PK)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(extra, got.Extra); diff != "" {
		t.Errorf("Extra (-want +got):\n%s", diff)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client := newClient(t, server, 0)
	kept := server.StagesPassword.Add(authentik.PasswordStage{Name: "kept"})
	stage := server.StagesPassword.Add(authentik.PasswordStage{Name: "old", AllowShowPassword: true})

	updated := server.StagesPassword.Update(stage.PK, func(s *authentik.PasswordStage) {
		if diff := cmp.Diff(stage, *s); diff != "" {
			t.Errorf("the stage to change (-want +got):\n%s", diff)
		}
		s.Name = "new"
		s.Backends = nil
		s.FlowSet = []authentik.FlowSet{{Slug: "added"}}
	})
	if !updated {
		t.Fatal("not updated")
	}
	got, err := client.StagesPassword.Retrieve(t.Context(), stage.PK)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "new" || !got.AllowShowPassword || len(got.Backends) == 0 || got.FlowSet[0].Name != "added" {
		t.Errorf("the server has %+v", got)
	}
	if diff := cmp.Diff([]authentik.PasswordStage{kept, *got}, server.StagesPassword.All()); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}
	for name, count := range map[string]int{"old": 0, "new": 1} {
		page, err := client.StagesPassword.List(t.Context(), &authentik.StagesPasswordListOptions{Name: name})
		if err != nil || len(page.Results) != count {
			t.Errorf("%s: %+v, %v", name, page, err)
		}
	}
}

func TestUpdatePK(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client := newClient(t, server, 0)
	old := server.StagesSource.Add(authentik.SourceStage{}).PK
	pk := uuid.New()
	server.StagesSource.Update(old, func(stage *authentik.SourceStage) { stage.PK = pk })
	if _, err := client.StagesSource.Retrieve(t.Context(), pk); err != nil {
		t.Error(err)
	}
	if _, err := client.StagesSource.Retrieve(t.Context(), old); !errors.Is(err, authentik.ErrNotFound) {
		t.Errorf("the old pk: %v", err)
	}
}

func TestUnknownPK(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.StagesPassword.Add(authentik.PasswordStage{})
	other := server.StagesSource.Add(authentik.SourceStage{}).PK
	for _, pk := range []uuid.UUID{uuid.New(), other, uuid.Nil} {
		if server.StagesPassword.Update(pk, func(*authentik.PasswordStage) { t.Error("changed") }) {
			t.Errorf("%s: updated", pk)
		}
		if server.StagesPassword.Remove(pk) {
			t.Errorf("%s: removed", pk)
		}
	}
	if got := len(server.StagesPassword.All()); got != 1 {
		t.Errorf("%d stages, want 1", got)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client := newClient(t, server, 0)
	var stages []authentik.IdentificationStage
	for _, name := range []string{"c", "b", "a"} {
		stages = append(stages, server.StagesIdentification.Add(authentik.IdentificationStage{Name: name}))
	}
	if !server.StagesIdentification.Remove(stages[1].PK) || server.StagesIdentification.Remove(stages[1].PK) {
		t.Error("Remove must say true once")
	}
	if _, err := client.StagesIdentification.Retrieve(t.Context(), stages[1].PK); !errors.Is(err, authentik.ErrNotFound) {
		t.Errorf("the removed stage: %v", err)
	}
	page, err := client.StagesIdentification.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]authentik.IdentificationStage{stages[2], stages[0]}, page.Results); diff != "" {
		t.Errorf("the server has, by name (-want +got):\n%s", diff)
	}
	want := []authentik.IdentificationStage{stages[0], stages[2]}
	if diff := cmp.Diff(want, server.StagesIdentification.All()); diff != "" {
		t.Errorf("All, as added (-want +got):\n%s", diff)
	}
}

func TestChangeBetweenPages(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	addNames(server, numbered(3)...)
	options := &authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{PageSize: 1}}
	var got []string
	for stage, err := range newClient(t, server, 0).StagesPassword.All(t.Context(), options) {
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			server.StagesPassword.Remove(stage.PK)
			addNames(server, "stage 009", "stage 010")
		}
		got = append(got, stage.Name)
	}
	slices.Sort(got)
	want := []string{"stage 001", "stage 002", "stage 003", "stage 009", "stage 010"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// TestDefaultStagesWithBootstrap adds both, in either order: neither takes the other's away.
func TestDefaultStagesWithBootstrap(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"stages", "bootstrap"} {
		server := newServer(t)
		if first == "stages" {
			server.AddDefaultStages()
			server.Bootstrap()
		} else {
			server.Bootstrap()
			server.AddDefaultStages()
		}
		server.AddDefaultStages()
		if got := getList(t, server, passwordPath).Pagination.Count + getList(t, server, identificationPath).Pagination.Count; got != 2 {
			t.Errorf("%s first: %d stages", first, got)
		}
		flow, err := newClient(t, server, 0).FlowsInstances.Retrieve(t.Context(), "default-authentication-flow")
		if err != nil || len(flow.Stages) != 4 || !slices.Contains(flow.Stages, server.StagesPassword.All()[0].PK) {
			t.Errorf("%s first: %+v, %v", first, flow, err)
		}
	}
}

// TestUserSettings names the stages that a user sets up, as a fresh 2026.5 does.
func TestUserSettings(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.SetRelease("2026.5")
	server.Bootstrap()
	server.StagesAuthenticatorTOTP.Add(authentik.AuthenticatorTOTPStage{Name: "another"})
	settings, err := newClient(t, server, 0).StagesAll.UserSettings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, setting := range settings {
		titles = append(titles, setting.Title)
		if own := setting.ConfigureURL == "/flows/-/configure/"+setting.ObjectUID+"/"; own != (setting.Title != "TOTP Authenticator Setup Stage") {
			t.Errorf("%s is set up at %q", setting.Title, setting.ConfigureURL)
		}
	}
	want := []string{"Static tokens", "TOTP Authenticator Setup Stage", "TOTP Device", "WebAuthn device", "Password Stage"}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("titles (-want +got):\n%s", diff)
	}
}

// TestModels has models in the order of authentik's code.
func TestModels(t *testing.T) {
	t.Parallel()
	for release, last := range map[string]string{"2025.2": "authentik_stages_consent.userconsent", "2026.5": "authentik_stages_source.sourcestage"} {
		server := newServer(t)
		server.SetRelease(release)
		models, err := newClient(t, server, 0).AdminModels.List(t.Context())
		if err != nil || models[0].Name != "authentik_tenants.domain" || !slices.ContainsFunc(models, func(m authentik.InstalledApp) bool { return m.Name == last }) {
			t.Errorf("%s: %+v, %v", release, models, err)
		}
	}
}

func TestAddDefaultStages(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.AddDefaultStages()
	newest := newestRelease(t)
	checkObject(t, newest, "IdentificationStage", getList(t, server, identificationPath).Results[0])
	checkObject(t, newest, "PasswordStage", getList(t, server, passwordPath).Results[0])
	if got := getList(t, server, sourcePath).Pagination.Count; got != 0 {
		t.Errorf("%d source stages, want none", got)
	}

	identification, password := server.StagesIdentification.All()[0], server.StagesPassword.All()[0]
	if identification.Name != "default-authentication-identification" ||
		!slices.Equal(identification.UserFields, []authentik.UserField{"email", "username"}) ||
		!identification.CaseInsensitiveMatching || !identification.ShowMatchedUser || !identification.PretendUserExists ||
		identification.PasswordStage != nil {
		t.Errorf("%+v", identification)
	}
	backends := []authentik.PasswordBackend{
		"authentik.core.auth.InbuiltBackend",
		"authentik.sources.kerberos.auth.KerberosBackend",
		"authentik.sources.ldap.auth.LDAPBackend",
		"authentik.core.auth.TokenBackend",
	}
	if password.Name != "default-authentication-password" || !slices.Equal(password.Backends, backends) ||
		password.ConfigureFlow == nil || password.FailedAttemptsBeforeCancel != 5 || password.AllowShowPassword {
		t.Errorf("%+v", password)
	}
	flow := password.FlowSet[0]
	if flow.Slug != "default-authentication-flow" || flow.Name != "Welcome to authentik!" || flow.Title != flow.Name ||
		flow.Designation != authentik.FlowDesignationAuthentication {
		t.Errorf("%+v", flow)
	}
	if diff := cmp.Diff(password.FlowSet, identification.FlowSet); diff != "" {
		t.Errorf("the stages are not in one flow (-password +identification):\n%s", diff)
	}
}
