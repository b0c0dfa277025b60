package authentiktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// action answers for an operation that the table does not describe in full. o is
// the object that the path names, nil if it names none.
type action func(s *Server, c *call, o *object, body map[string]any) reply

// actions are the operations that do something, or answer with what the server
// holds, by method and path. The others answer as their type has it: see
// [Server.act].
func actionOf(operation string) action { //nolint:funlen // it is a table
	switch operation {
	case "GET core/users/me/":
		return me
	case "GET root/config/":
		return config
	case "GET admin/version/":
		return version
	case "POST core/users/{}/set_password/":
		return setPassword
	case "POST core/groups/{}/add_user/", "POST rbac/roles/{}/add_user/":
		return addUser
	case "POST core/groups/{}/remove_user/", "POST rbac/roles/{}/remove_user/":
		return removeUser
	case "GET core/tokens/{}/view_key/", "GET endpoints/agents/enrollment_tokens/{}/view_key/":
		return viewKey
	case "POST core/tokens/{}/set_key/":
		return setKey
	case "POST rbac/permissions/assigned_by_roles/{}/assign/":
		return assignTo("rbac/roles/", true)
	case "PATCH rbac/permissions/assigned_by_roles/{}/unassign/":
		return assignTo("rbac/roles/", false)
	case "POST rbac/permissions/assigned_by_users/{}/assign/":
		return assignTo("core/users/", true)
	case "PATCH rbac/permissions/assigned_by_users/{}/unassign/":
		return assignTo("core/users/", false)
	case "POST core/users/service_account/":
		return serviceAccount
	case "POST core/users/{}/recovery/", "GET core/users/{}/recovery/":
		return recovery
	case "POST core/users/{}/recovery_email/", "GET core/users/{}/recovery_email/":
		return recoveryEmail
	case "GET core/users/paths/":
		return userPaths
	case "GET core/applications/{}/check_access/":
		return checkAccess
	case "POST policies/all/cache_clear/":
		return clearPolicies
	case "POST crypto/certificatekeypairs/generate/":
		return generateCertificate
	case "GET crypto/certificatekeypairs/{}/view_certificate/":
		return view("certificate_data")
	case "GET crypto/certificatekeypairs/{}/view_private_key/":
		return view("key_data")
	case "GET flows/instances/{}/diagram/":
		return diagram
	case "GET flows/instances/{}/execute/", "GET managed/blueprints/available/":
		return fails
	case "POST managed/blueprints/{}/apply/":
		return apply
	case "POST managed/blueprints/import/", "POST flows/instances/import/":
		return importBlueprint
	case "GET flows/instances/{}/export/":
		return exportFlow
	case "POST policies/all/{}/test/":
		return testPolicy
	case "POST propertymappings/all/{}/test/":
		return testMapping
	case "GET outposts/instances/default_settings/":
		return defaultSettings
	case "GET core/brands/current/", "GET core/tenants/current/":
		return currentBrand
	case "GET stages/email/templates/":
		return emailTemplates
	case "GET sources/oauth/source_types/":
		return oauthTypes
	case "GET sources/all/types/", "GET stages/all/types/", "GET providers/all/types/", "GET policies/all/types/",
		"GET propertymappings/all/types/", "GET outposts/service_connections/all/types/":
		return types
	case "GET providers/saml/{}/metadata/":
		return samlMetadata
	case "GET sources/saml/{}/metadata/":
		return sourceMetadata
	case "POST admin/file/":
		return uploadFile
	case "GET admin/file/":
		return listFiles
	case "DELETE admin/file/":
		return deleteFile
	case "POST core/applications/{}/set_icon/":
		return setPicture("meta_icon", "application-icons")
	case "POST core/applications/{}/set_icon_url/":
		return setPictureURL("meta_icon")
	case "POST sources/all/{}/set_icon/":
		return setPicture("icon", "source-icons")
	case "POST sources/all/{}/set_icon_url/":
		return setPictureURL("icon")
	case "POST flows/instances/{}/set_background/":
		return setPicture("background", "flow-backgrounds")
	case "POST flows/instances/{}/set_background_url/":
		return setPictureURL("background")
	case "GET policies/geoip_iso3166/":
		return func(*Server, *call, *object, map[string]any) reply { return reply{http.StatusOK, allCountries()} }
	case "GET admin/apps/":
		return apps
	case "GET admin/models/":
		return models
	case "GET stages/all/user_settings/":
		return userSettings
	case "GET events/events/actions/":
		return eventActions
	case "PUT core/transactional/applications/":
		return transactional
	case "GET providers/oauth2/{}/setup_urls/":
		return setupURLs
	}
	return nil
}

// act answers for an operation that is neither on a list nor on one of its
// objects. What the server does not know how to do changes nothing, and answers
// with the defaults of its type, or with no content.
func (s *Server) act(c *call) reply {
	i := slices.IndexFunc(c.operations, func(o operation) bool { return o.method == c.Method })
	if c.Method == http.MethodHead {
		i = slices.IndexFunc(c.operations, func(o operation) bool { return o.method == http.MethodGet })
	}
	operation := c.operations[i]
	var o *object
	if c.list != nil && !strings.HasPrefix(c.list.path, "rbac/permissions/assigned_by_") { // whose actions are those of roles
		found, missing := s.find(c.list, c.id, nil)
		if found == nil {
			return missing
		}
		o = found
	}
	body, refusal := s.actionBody(c, operation)
	if refusal != nil {
		return *refusal
	}
	if c.action == "used_by" {
		return s.usedBy(c, o)
	}
	if act := actionOf(operation.method + " " + operation.path); act != nil {
		return act(s, c, o, body)
	}
	if !idle(operation.method + " " + operation.path) {
		return unable("do " + operation.method + " " + operation.path)
	}
	if operation.path == "core/users/{}/impersonate/" && !s.atLeast("2024.2") {
		return reply{http.StatusCreated, nil}
	}
	if operation.answer == "" {
		return reply{operation.status, nil}
	}
	if !isObject(operation.answer) {
		return reply{operation.status, s.zero(nil, &member{typ: operation.answer})}
	}
	state := s.states[operation.path]
	if state == nil {
		state = map[string]any{}
		s.fill(nil, operation.answer, state)
	}
	if operation.path == "admin/settings/" && s.states[operation.path] == nil {
		state["default_token_duration"] = "minutes=30"
	}
	if c.Method == http.MethodPut || c.Method == http.MethodPatch {
		maps.Copy(state, body)
		s.states[operation.path] = state
	}
	shown := s.show(state, operation.answer)
	if _, ok := shown["flags"]; ok && s.states[operation.path] == nil {
		shown["flags"] = map[string]any{} // until they are set
	}
	return reply{operation.status, shown}
}

// clearPolicies forgets the pages of applications too.
func clearPolicies(s *Server, _ *call, _ *object, _ map[string]any) reply {
	clear(s.appPages)
	return noContent
}

// actionBody returns what the server keeps of the body of an action, or why it
// refuses it.
func (s *Server) actionBody(c *call, o operation) (map[string]any, *reply) {
	if o.body == "" {
		return nil, nil
	}
	read := c.body
	if o.form {
		read = c.form
	}
	sent, refusal := read()
	if refusal != nil {
		return nil, refusal
	}
	kept, errors := s.validate(nil, o.body, sent, nil, c.Method == http.MethodPatch)
	older := s.olderRefusal(o)
	if len(errors) > 0 && older != nil && older.status != 0 {
		return nil, older
	}
	if len(errors) > 0 && older == nil && (o.path != "core/users/{}/set_password/" || s.atLeast("2024.2")) {
		return nil, &reply{http.StatusBadRequest, errors}
	}
	return kept, nil
}

// olderRefusal is how older releases refuse a body that lacks something, nil if they
// name it as newer ones do. They take it if the status is 0.
func (s *Server) olderRefusal(o operation) *reply {
	switch {
	case o.path == "core/users/{}/recovery_email/" && !s.atLeast("2026.2"): // whose stage is in the query
		return &reply{}
	case s.atLeast("2025.12"):
		return nil
	case o.path == "core/tokens/{}/set_key/":
		return &reply{http.StatusBadRequest, nil}
	case strings.HasPrefix(o.path, "core/groups/{}/") && strings.HasSuffix(o.path, "_user/"):
		return &notFound
	}
	return nil
}

// idles are operations that change nothing that the API shows, or that a server
// answers with nothing while it has done no work.
var idles = []string{
	"DELETE core/authenticated_sessions/bulk_delete/",
	"GET admin/settings/", "GET admin/system/", "GET admin/version/history/", "GET authenticators/admin/all/", "GET authenticators/all/",
	"GET enterprise/license/forecast/", "GET enterprise/license/install_id/", "GET enterprise/license/summary/",
	"GET events/events/top_per_user/", "GET events/events/volume/",
	"GET flows/instances/cache_info/", "GET outposts/instances/{}/health/", "GET outposts/service_connections/all/{}/state/",
	"GET policies/all/cache_info/", "GET policies/reputation/scores/", "GET sources/all/user_settings/",
	"GET tasks/tasks/status/", "GET tasks/workers/", "PATCH admin/settings/", "PUT admin/settings/",
	"GET core/users/impersonate_end/", "POST core/users/{}/impersonate/",
	"POST events/notifications/mark_all_seen/", "POST flows/instances/cache_clear/",
}

func idle(operation string) bool {
	return slices.Contains(idles, operation) || strings.HasSuffix(operation, "/preview_user/") || strings.HasSuffix(operation, "/sync/status/") ||
		strings.HasSuffix(operation, "/sync_status/")
}

// me answers with the user whose token the server takes: akadmin, or one that is
// made up.
func me(s *Server, c *call, _ *object, _ map[string]any) reply {
	user := map[string]any{"username": "akadmin", "name": "authentik Default Admin", "is_active": true, "is_superuser": true, "pk": json.Number("0")}
	if _, session := s.sessionOf(c.Request); session != nil && session.user != nil && c.Header["Authorization"] == nil {
		c.user = session.user
	}
	if c.user != nil {
		user = s.show(c.user.members, "User")
		user["groups"] = s.groupsOf(c.user)
		user["roles"] = []any{}
		for _, key := range slices.Sorted(maps.Keys(s.rolesOfUser(c.user))) {
			if role := s.referred("rbac/roles/", key); role != nil {
				user["roles"] = append(flat(user["roles"]), map[string]any{"name": role.members["name"], "pk": key})
			}
		}
	}
	user["system_permissions"] = s.systemPermissions(c)
	for _, m := range s.members("UserSelf") {
		if _, ok := user[m.name]; !ok {
			user[m.name] = s.zero(nil, m)
		}
	}
	return reply{http.StatusOK, map[string]any{"user": s.show(user, "UserSelf")}}
}

// systemPermissions are the permissions of the user that are for no model.
func (s *Server) systemPermissions(c *call) []any {
	permissions := []any{}
	for model, facts := range s.facts().Models {
		if !strings.HasPrefix(model, "authentik_rbac.") {
			continue
		}
		for _, name := range facts.Permissions {
			if !c.limited(s) || s.allowed(c, "authentik_rbac."+name, "") {
				permissions = append(permissions, name)
			}
		}
	}
	slices.SortFunc(permissions, compare)
	return permissions
}

func (s *Server) groupsOf(user *object) any {
	groups := []any{}
	for _, key := range flat(user.members["groups"]) {
		if group := s.referred("core/groups/", canonical(key)); group != nil {
			groups = append(groups, map[string]any{"name": group.members["name"], "pk": key})
		}
	}
	return groups
}

func config(s *Server, _ *call, _ *object, _ map[string]any) reply {
	body := map[string]any{}
	s.fill(nil, "Config", body)
	for _, name := range []string{"cache_timeout", "cache_timeout_flows", "cache_timeout_policies", "cache_timeout_reputation"} {
		body[name] = 300
	}
	body["error_reporting"] = map[string]any{
		"enabled": false, "sentry_dsn": "https://00000000000040008000000000000000@sentry.invalid/4504163677503489", "environment": "customer",
		"send_pii": false, "traces_sample_rate": json.Number("0.1"),
	}
	body["capabilities"] = []any{"can_impersonate", "is_enterprise"}
	return reply{http.StatusOK, s.show(body, "Config")}
}

func version(s *Server, _ *call, _ *object, _ map[string]any) reply {
	current := versionOf(s.release)
	body := map[string]any{
		"version_current": current, "version_latest": current, "version_latest_valid": true,
		"build_hash": "", "outdated": false, "outpost_outdated": false,
	}
	return reply{http.StatusOK, s.show(body, "Version")}
}

// setPassword keeps the password where no answer shows it.
func setPassword(s *Server, _ *call, o *object, body map[string]any) reply {
	changes := map[string]any{".password": body["password"]}
	if m := s.member("User", "password_change_date"); m != nil {
		changes[m.name] = s.zero(nil, m)
	}
	s.change(o, changes)
	return noContent
}

// member adds a user to a group or role, or takes it away.
func (s *Server) setMember(o *object, body map[string]any, on bool) reply {
	user := s.referred("core/users/", canonical(body["pk"]))
	if user == nil {
		return detail(http.StatusNotFound, "Not found.")
	}
	member, holder, key := "users", o, user.members["pk"]
	if o.list.path == "rbac/roles/" { // a role does not say who has it
		member, holder, key = "roles", user, o.members["pk"]
	}
	keys := slices.DeleteFunc(slices.Clone(flat(holder.members[member])), func(one any) bool { return one == key })
	if on {
		keys = append(keys, key)
	}
	s.change(holder, map[string]any{member: keys})
	return noContent
}

func addUser(s *Server, _ *call, o *object, body map[string]any) reply {
	return s.setMember(o, body, true)
}

func removeUser(s *Server, _ *call, o *object, body map[string]any) reply {
	return s.setMember(o, body, false)
}

// viewKey answers with the key that was set, or one that every server makes of
// the identity.
func viewKey(_ *Server, _ *call, o *object, _ map[string]any) reply {
	return reply{http.StatusOK, map[string]any{"key": keyOf(o)}}
}

func setKey(s *Server, _ *call, o *object, body map[string]any) reply {
	s.change(o, map[string]any{".key": body["key"]})
	return noContent
}

// transactional makes an application and its provider, or neither.
func transactional(s *Server, c *call, _ *object, body map[string]any) reply {
	app, _ := body["app"].(map[string]any)
	sent, _ := body["provider"].(map[string]any)
	model := canonical(body["provider_model"])
	i := slices.IndexFunc(kinds, func(k kind) bool {
		if k.base != "providers/all/" {
			return false
		}
		m := s.member(k.object, "meta_model_name")
		return m != nil && m.value == fmt.Sprintf("%q", model)
	})
	if i < 0 {
		return reply{http.StatusBadRequest, map[string]any{"provider_model": []string{fmt.Sprintf("\"%s\" is not a valid choice.", model)}}}
	}
	providers, apps := s.list(kinds[i].path), s.list("core/applications/")
	errors := map[string]any{}
	provider, application := map[string]any{}, map[string]any{}
	if w, refused := s.write(c, providers, nil, sent, false); refused != nil {
		errors["provider"] = refused.body
	} else {
		provider = w.members
	}
	if w, refused := s.write(c, apps, nil, app, false); refused != nil {
		errors["app"] = refused.body
	} else {
		application = w.members
	}
	if len(errors) > 0 {
		return reply{http.StatusBadRequest, errors}
	}
	s.fillMissing(providers, kinds[i].object, provider)
	p := s.newObject(providers, provider)
	s.put(p)
	application["provider"] = provider["pk"]
	s.fillMissing(apps, "Application", application)
	a := s.newObject(apps, application)
	s.put(a)
	for _, binding := range flat(body["policy_bindings"]) {
		if binding, ok := binding.(map[string]any); ok {
			binding["target"] = a.members["pk"]
			bindings := s.list("policies/bindings/")
			s.fillMissing(bindings, "PolicyBinding", binding)
			s.put(s.newObject(bindings, binding))
		}
	}
	return reply{http.StatusOK, map[string]any{"applied": true, "logs": []any{}}}
}
