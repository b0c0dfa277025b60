package authentiktest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// serviceAccount makes a user, its token and, if asked for, its group.
func serviceAccount(s *Server, _ *call, _ *object, body map[string]any) reply {
	name := canonical(body["name"])
	users, groups := s.list("core/users/"), s.list("core/groups/")
	if users.taken["username"][name] != nil {
		if !s.atLeast("2024.2") {
			return reply{http.StatusBadRequest, map[string]any{"non_field_errors": []string{
				"duplicate key value violates unique constraint \"authentik_core_user_username_key\"\nDETAIL:  Key (username)=(" + name + ") already exists.",
			}}}
		}
		return reply{http.StatusBadRequest, map[string]any{"name": []string{"This field must be unique."}}}
	}
	expiring := body["expiring"] != false
	user := map[string]any{
		"username": name, "name": name, "type": "service_account", "path": "goauthentik.io/service-accounts", "is_active": true,
		"attributes": map[string]any{"goauthentik.io/user/token-expires": expiring},
	}
	s.fillMissing(users, "User", user)
	o := s.newObject(users, user)
	s.put(o)
	token := map[string]any{
		"identifier": "service-account-" + name + "-password", "intent": "app_password", "user": user["pk"], "expiring": expiring,
		"expires": body["expires"],
	}
	if token["expires"] == nil {
		token["expires"] = timeText(time.Now().AddDate(0, 0, 360))
	}
	tokens := s.list("core/tokens/")
	s.fillMissing(tokens, "Token", token)
	made := s.newObject(tokens, token)
	s.put(made)
	answer := map[string]any{"username": name, "user_uid": uid(s, user), "user_pk": user["pk"], "token": keyOf(made)}
	if body["create_group"] == true {
		group := map[string]any{"name": name, "users": []any{user["pk"]}}
		s.fillMissing(groups, "Group", group)
		s.put(s.newObject(groups, group))
		answer["group_pk"] = group["pk"]
	}
	return reply{http.StatusOK, answer}
}

// recovery makes a link, if the brand has a flow for it.
func recovery(s *Server, c *call, _ *object, _ map[string]any) reply {
	for _, path := range []string{"core/brands/", "core/tenants/"} {
		if s.listAt(path) == nil {
			continue
		}
		for _, brand := range s.list(path).objects {
			if flow := s.referred("flows/instances/", canonical(brand.members["flow_recovery"])); flow != nil && brand.members["default"] == true {
				return reply{http.StatusOK, map[string]any{"link": "http://" + c.Host + "/if/flow/" + flow.id + "/?flow_token=" + randomText(40)}}
			}
		}
	}
	if !s.atLeast("2024.2") {
		return reply{http.StatusNotFound, map[string]any{"link": ""}}
	}
	return reply{http.StatusBadRequest, map[string]any{"non_field_errors": "No recovery flow set."}}
}

// recoveryEmail refuses what keeps authentik from sending a link. Nothing is sent.
func recoveryEmail(s *Server, c *call, o *object, body map[string]any) reply {
	refuse := func(words string) reply {
		if !s.atLeast("2024.2") {
			return reply{http.StatusNotFound, nil}
		}
		return reply{http.StatusBadRequest, map[string]any{"non_field_errors": words}}
	}
	if isBlank(o.members["email"]) {
		return refuse("User does not have an email address set.")
	}
	if link := recovery(s, c, o, nil); link.status != http.StatusOK {
		return refuse("No recovery flow set.")
	}
	stage := canonical(body["email_stage"])
	if !s.atLeast("2026.2") {
		stage = c.last("email_stage")
	}
	if s.referred("stages/email/", stage) == nil {
		return refuse("Email stage does not exist.")
	}
	return noContent
}

// userPaths are the paths of all users that the query asks for.
func userPaths(s *Server, c *call, _ *object, _ map[string]any) reply {
	l := s.list("core/users/")
	tests, _, refusal := s.tests(l, c)
	if refusal != nil {
		return refused(refusal)
	}
	paths := []any{}
	for _, o := range l.objects {
		if !slices.Contains(paths, o.members["path"]) && !slices.ContainsFunc(tests, func(t test) bool { return !t(o) }) {
			paths = append(paths, o.members["path"])
		}
	}
	slices.SortFunc(paths, compare)
	return reply{http.StatusOK, map[string]any{"paths": paths}}
}

// checkAccess judges whether a user may open an application.
func checkAccess(s *Server, c *call, o *object, _ map[string]any) reply {
	user := c.user
	if c.query["for_user"] != nil {
		named, refusal := s.forUser(c)
		if refusal != nil {
			return refused(refusal)
		}
		user = named
	}
	allowed, refusal := s.allowedApps([]*object{o}, user, false)
	if refusal != nil {
		return unable("run a policy that is bound to application " + o.id)
	}
	return reply{http.StatusOK, map[string]any{"passing": len(allowed) > 0, "messages": []any{}, "log_messages": []any{}}}
}

func testPolicy(s *Server, _ *call, o *object, body map[string]any) reply {
	user := s.referred("core/users/", canonical(body["user"]))
	if user == nil {
		return reply{http.StatusBadRequest, nil}
	}
	passing, ok := s.passes(o, user)
	if !ok {
		return unable("run this policy")
	}
	return reply{http.StatusOK, map[string]any{"passing": passing, "messages": []any{}, "log_messages": []any{}}}
}

// passes judges a user by a policy that the fake can judge by: one of a fixed result,
// or one that compares a member of the user with a text. ok is false for any other.
func (s *Server) passes(policy, user *object) (passing, ok bool) {
	switch policy.list.path {
	case "policies/dummy/":
		return policy.members["result"] == true, true
	case "policies/expression/":
		expression := strings.TrimSpace(canonical(policy.members["expression"]))
		if compared := comparison.FindStringSubmatch(expression); compared != nil {
			return canonical(user.members[compared[1]]) == compared[2], true
		}
		value, ok := returned(expression)
		return !isBlank(value), ok
	}
	return false, false
}

// comparison is an expression that compares a member of the user with a text.
var comparison = regexp.MustCompile(`^return request\.user\.(\w+) == ['"]([^'"]*)['"]$`)

// testMapping runs a property mapping whose expression returns a constant.
func testMapping(s *Server, _ *call, o *object, body map[string]any) reply {
	if !s.atLeast("2024.8") && body["user"] == nil {
		return reply{http.StatusBadRequest, map[string]any{"user": []string{"This field is required."}}}
	}
	value, ok := returned(canonical(o.members["expression"]))
	if !ok {
		return unable("run the expression of a property mapping")
	}
	var text strings.Builder
	encodePython(&text, value)
	return reply{http.StatusOK, map[string]any{"result": text.String(), "successful": true}}
}

// returned is the constant that an expression returns.
func returned(expression string) (value any, ok bool) {
	text, ok := strings.CutPrefix(strings.TrimSpace(expression), "return ")
	if !ok || strings.Contains(text, "\n") {
		return nil, false
	}
	text = strings.NewReplacer("'", `"`, "True", "true", "False", "false", "None", "null").Replace(text)
	err := json.Unmarshal([]byte(text), &value)
	return value, err == nil
}

// encodePython writes JSON as Python's json does.
func encodePython(w *strings.Builder, value any) {
	b, _ := json.Marshal(value) // came from JSON
	quoted := false
	for i, c := range string(b) {
		if c == '"' && (i == 0 || b[i-1] != '\\') {
			quoted = !quoted
		}
		w.WriteRune(c)
		if !quoted && (c == ':' || c == ',') {
			w.WriteByte(' ')
		}
	}
}

// unable is the answer to what a server does and the fake cannot.
func unable(what string) reply {
	return detail(http.StatusNotImplemented, "authentiktest: the fake cannot "+what+"; answer it with Server.FailOn")
}

// diagram draws a flow that has no stages.
func diagram(s *Server, _ *call, o *object, _ map[string]any) reply {
	if len(flat(s.stagesOf(o.members))) > 0 {
		return unable("draw a flow with stages")
	}
	return reply{http.StatusOK, map[string]any{
		"diagram": "graph TD\nflow_start[[\"Flow\n" + canonical(o.members["name"]) + "\"]]\nflow_start --> done[[\"End of the flow\"]]",
	}}
}

// fails is an action that needs what no server of the API alone has.
func fails(*Server, *call, *object, map[string]any) reply {
	return reply{http.StatusInternalServerError, nil}
}

func oauthTypes(s *Server, c *call, _ *object, _ map[string]any) reply {
	all := []any{}
	for _, t := range oauthSourceTypes {
		if s.has(t.since, "") && (c.last("name") == "" || c.last("name") == t.name) {
			all = append(all, typeOfSource(s, map[string]any{"provider_type": t.name}))
		}
	}
	return reply{http.StatusOK, all}
}
