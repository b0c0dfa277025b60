package authentiktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// Stages are the stages of one kind that a [Server] holds.
type Stages[T any] struct {
	server *Server
	list   *list
}

// list is a list of the API: the stages of a kind, or other objects.
type list struct {
	kind    kind
	entries []entry
	added   int
}

// entry is an object as JSON, and what of it is asked for again and again.
type entry struct {
	pk      string
	members map[string]any
	json    json.RawMessage
}

// kind is what authentik says of a kind of objects.
type kind struct {
	path     string
	model    string // as a 404 names it
	defaults map[string]any
	filters  map[string]filter
}

var (
	identificationStage = kind{
		path:  "stages/identification/",
		model: "IdentificationStage",
		defaults: map[string]any{
			"component":           "ak-stage-identification-form",
			"verbose_name":        "Identification Stage",
			"verbose_name_plural": "Identification Stages",
			"meta_model_name":     "authentik_stages_identification.identificationstage",
			"flow_set":            []any{},
			"user_fields":         []any{},
			"sources":             []any{},
		},
		filters: map[string]filter{
			"name": textFilter, "password_stage": referenceFilter, "captcha_stage": referenceFilter,
			"webauthn_stage": referenceFilter, "case_insensitive_matching": boolFilter,
			"show_matched_user": boolFilter, "enrollment_flow": referenceFilter,
			"recovery_flow": referenceFilter, "passwordless_flow": referenceFilter,
			"show_source_labels": boolFilter,
		},
	}
	passwordStage = kind{
		path:  "stages/password/",
		model: "PasswordStage",
		defaults: map[string]any{
			"component":           "ak-stage-password-form",
			"verbose_name":        "Password Stage",
			"verbose_name_plural": "Password Stages",
			"meta_model_name":     "authentik_stages_password.passwordstage",
			"flow_set":            []any{},
			"backends":            []any{string(authentik.PasswordBackendInbuilt)},
		},
		filters: map[string]filter{
			"name": textFilter, "configure_flow": referenceFilter,
			"failed_attempts_before_cancel": numberFilter, "allow_show_password": boolFilter,
		},
	}
	sourceStage = kind{
		path:  "stages/source/",
		model: "SourceStage",
		defaults: map[string]any{
			"component":                "ak-stage-source-form",
			"verbose_name":             "Source Stage",
			"verbose_name_plural":      "Source Stages",
			"meta_model_name":          "authentik_stages_source.sourcestage",
			"flow_set":                 []any{},
			"resume_timeout":           "minutes=10",
			"resume_on_match_failures": []any{},
		},
		filters: map[string]filter{
			"name": textFilter, "source": referenceFilter, "resume_timeout": textFilter, "stage_uuid": pkFilter,
		},
	}
	flowDefaults = map[string]any{
		"title":              "Welcome to authentik!",
		"designation":        string(authentik.FlowDesignationAuthentication),
		"policy_engine_mode": string(authentik.PolicyEngineModeAny),
		"layout":             string(authentik.FlowLayoutStacked),
		"denied_action":      string(authentik.DeniedActionMessageContinue),
	}
)

func addStages[T any](s *Server, k kind) *Stages[T] {
	l := &list{kind: k}
	s.lists[k.path] = l
	return &Stages[T]{s, l}
}

// Add adds a stage and returns it as the server has it. What stage leaves zero
// is filled in: a new pk, a name, the names of its kind, empty lists, a source.
// Booleans and numbers stay as they are.
func (s *Stages[T]) Add(stage T) T {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	e := s.list.newStage(stage)
	s.list.entries = append(s.list.entries, e)
	return fromEntry[T](e)
}

// Update lets change alter the stage with the given pk, and reports whether
// there is one. change must not call the server.
func (s *Stages[T]) Update(pk uuid.UUID, change func(stage *T)) bool {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	i := s.index(pk)
	if i < 0 {
		return false
	}
	stage := fromEntry[T](s.list.entries[i])
	change(&stage)
	s.list.entries[i] = s.list.newStage(stage)
	return true
}

// Remove removes the stage with the given pk, and reports whether there was
// one.
func (s *Stages[T]) Remove(pk uuid.UUID) bool {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	i := s.index(pk)
	if i < 0 {
		return false
	}
	s.list.entries = slices.Delete(s.list.entries, i, i+1)
	return true
}

// All returns the stages in the order in which they were added.
func (s *Stages[T]) All() []T {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	stages := make([]T, len(s.list.entries))
	for i, e := range s.list.entries {
		stages[i] = fromEntry[T](e)
	}
	return stages
}

func (s *Stages[T]) index(pk uuid.UUID) int {
	return slices.IndexFunc(s.list.entries, func(e entry) bool { return e.pk == pk.String() })
}

// AddDefaultStages adds what authentik's default blueprints make: the
// identification and the password stage of default-authentication-flow. There
// is no default source stage. Each of them has the same pk in every server.
func (s *Server) AddDefaultStages() {
	pkOf := func(name string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(name)) }
	flow := authentik.FlowSet{
		PK:                      pkOf("default-authentication-flow"),
		PolicybindingmodelPtrID: pkOf("policies of default-authentication-flow"),
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

// newStage fills in what the stage leaves zero.
func (l *list) newStage(stage any) entry {
	members := toMembers(stage)
	l.added++
	fill(members, l.kind.defaults)
	fill(members, map[string]any{"name": fmt.Sprintf("%s %d", members["verbose_name"], l.added)})
	flows, _ := members["flow_set"].([]any)
	for _, flow := range flows {
		flow := flow.(map[string]any)
		fill(flow, flowDefaults)
		fill(flow, map[string]any{"slug": fmt.Sprintf("flow-%.8s", flow["pk"])})
		fill(flow, map[string]any{
			"name":       flow["slug"],
			"export_url": fmt.Sprintf("/api/v3/flows/instances/%s/export/", flow["slug"]),
		})
		// A server sends one of the two: background_url since 2025.12.
		if flow["background"] != "" {
			delete(flow, "background_url")
			continue
		}
		delete(flow, "background")
		fill(flow, map[string]any{"background_url": "/static/dist/assets/images/flow_background.jpg"})
	}
	return newEntry(members)
}

// fill sets the members that are zero to their defaults, and gives every id
// that is zero a new value.
func fill(members, defaults map[string]any) {
	for name, value := range members {
		if value == uuid.Nil.String() {
			members[name] = uuid.NewString()
		}
	}
	for name, value := range defaults {
		if members[name] == nil || members[name] == "" {
			members[name] = value
		}
	}
}

func newEntry(members map[string]any) entry {
	b, _ := json.Marshal(members) // came from JSON, so it goes back
	return entry{fmt.Sprint(members["pk"]), members, b}
}

func fromEntry[T any](e entry) T {
	var stage T
	if err := json.Unmarshal(e.json, &stage); err != nil {
		panic(fmt.Sprintf("authentiktest: %v", err)) // AddObjects added what is no T
	}
	return stage
}

// toMembers panics where object is no JSON object, which is a mistake in the
// test that gave it.
func toMembers(object any) map[string]any {
	b, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("authentiktest: %v", err))
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil || members == nil {
		panic(fmt.Sprintf("authentiktest: %T is no JSON object: %s", object, b))
	}
	return members
}
