package authentiktest

import (
	"crypto/sha256"
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
func actionOf(operation string) action {
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
	if c.list != nil {
		found, missing := s.find(c.list, c.id, nil)
		if found == nil {
			return missing
		}
		o = found
	}
	var body map[string]any
	if operation.body != "" {
		read := c.body
		if operation.form {
			read = c.form
		}
		sent, refusal := read()
		if refusal != nil {
			return *refusal
		}
		kept, errors := s.validate(nil, operation.body, sent, nil, c.Method == http.MethodPatch)
		if len(errors) > 0 {
			return reply{http.StatusBadRequest, errors}
		}
		body = kept
	}
	if c.action == "used_by" {
		return s.usedBy(o)
	}
	if act := actionOf(operation.method + " " + operation.path); act != nil {
		return act(s, c, o, body)
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
	if c.Method == http.MethodPut || c.Method == http.MethodPatch {
		maps.Copy(state, body)
		s.states[operation.path] = state
	}
	return reply{operation.status, s.show(state, operation.answer)}
}

// usedBy answers with the objects that refer to o.
func (s *Server) usedBy(o *object) reply {
	users := []any{}
	for _, path := range slices.Sorted(maps.Keys(s.lists)) {
		l := s.lists[path]
		if l.kind == nil {
			continue
		}
		for _, m := range s.members(l.kind.object) {
			if m.list == "" || m.follows != "" || !slices.Contains(s.family(s.list(m.list)), o.list) {
				continue
			}
			for _, user := range l.objects {
				if slices.ContainsFunc(flat(user.members[m.name]), func(key any) bool { return canonical(key) == o.key }) {
					users = append(users, s.user(user, m))
				}
			}
		}
	}
	return reply{http.StatusOK, users}
}

// user is an object as used_by names it.
func (s *Server) user(o *object, m *member) map[string]any {
	app, model, _ := strings.Cut(canonical(o.members["meta_model_name"]), ".")
	if model == "" {
		group, _, _ := strings.Cut(o.list.path, "/")
		app, model = "authentik_"+group, strings.ToLower(o.list.kind.model)
	}
	action := "cascade"
	switch {
	case strings.HasPrefix(m.typ, "[]"):
		action = "cascade_many"
	case m.is(nullable) && o.list.path != "policies/bindings/": // which binds one of several, and goes with it
		action = "set_null"
	}
	if !s.atLeast("2024.2") {
		action = strings.ToUpper(action)
	}
	name := canonical(o.members["name"])
	if name == "" {
		name = o.list.kind.model + " " + o.key
	}
	return map[string]any{"app": app, "model_name": model, "pk": o.key, "name": name, "action": action}
}

// me answers with the user whose token the server takes: akadmin, or one that is
// made up.
func me(s *Server, c *call, _ *object, _ map[string]any) reply {
	user := map[string]any{"username": "akadmin", "name": "authentik Default Admin", "is_active": true, "is_superuser": true, "pk": json.Number("0")}
	asks := s.list("core/users/").taken["username"]["akadmin"]
	if _, session := s.sessionOf(c.Request); session != nil && session.user != nil && c.Header["Authorization"] == nil {
		asks = session.user
	}
	if asks != nil {
		user = s.show(asks.members, "User")
		user["groups"] = s.groupsOf(asks)
	}
	for _, m := range s.members("UserSelf") {
		if _, ok := user[m.name]; !ok {
			user[m.name] = s.zero(nil, m)
		}
	}
	return reply{http.StatusOK, map[string]any{"user": s.show(user, "UserSelf")}}
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
	for _, name := range []string{"cache_timeout", "cache_timeout_flows", "cache_timeout_policies"} {
		body[name] = 300
	}
	body["capabilities"] = []any{"can_impersonate", "is_enterprise"}
	return reply{http.StatusOK, s.show(body, "Config")}
}

func version(s *Server, _ *call, _ *object, _ map[string]any) reply {
	current := versionOf(s.release)
	if current == "" {
		current = versions[len(versions)-1]
	}
	body := map[string]any{
		"version_current": current, "version_latest": current, "version_latest_valid": true,
		"build_hash": "", "outdated": false, "outpost_outdated": false,
	}
	return reply{http.StatusOK, s.show(body, "Version")}
}

// setPassword keeps the password where no answer shows it.
func setPassword(s *Server, _ *call, o *object, body map[string]any) reply {
	changes := map[string]any{"password": body["password"]}
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
	key, ok := o.members["key"]
	if !ok {
		key = fmt.Sprintf("%x", sha256.Sum256([]byte(o.id)))
	}
	return reply{http.StatusOK, map[string]any{"key": key}}
}

func setKey(s *Server, _ *call, o *object, body map[string]any) reply {
	s.change(o, map[string]any{"key": body["key"]})
	return noContent
}

// transactional makes an application and its provider, or neither.
func transactional(s *Server, _ *call, _ *object, body map[string]any) reply {
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
	provider, wrong := s.validate(providers, kinds[i].object, sent, nil, false)
	application, wrongApp := s.validate(apps, "Application", app, nil, false)
	errors := map[string]any{}
	if len(wrong) > 0 {
		errors["provider"] = wrong
	}
	if len(wrongApp) > 0 {
		errors["app"] = wrongApp
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
