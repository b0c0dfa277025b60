package authentiktest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/authentik-go/authentik/internal/contract"
)

// grant is a permission that a role or a user has.
type grant struct {
	holder string // the pk of a role or of a user
	code   string // authentik_core.view_user
	model  string // authentik_core.user
	object string // the pk of the one object that it is for, "" if it is for all
	id     int
}

var forbidden = detail(http.StatusForbidden, "You do not have permission to perform this action.")

// signedIn finds the user whose token the request has. The server's own token is
// akadmin's, whether or not akadmin is in the list.
func (s *Server) signedIn(token string) (user *object, known bool) {
	if token == s.Token {
		return s.list("core/users/").taken["username"]["akadmin"], true
	}
	for _, o := range s.list("core/tokens/").objects {
		if o.members["intent"] == "api" && keyOf(o) == token {
			user := s.referred("core/users/", canonical(o.members["user"]))
			return user, user != nil && user.members["is_active"] != false
		}
	}
	return nil, false
}

// keyOf is the key of a token: the one that was set, or one that every server makes
// of its identifier.
func keyOf(token *object) string {
	if key := canonical(token.members[".key"]); key != "" {
		return key
	}
	return sha256Text(token.id)
}

// limited reports whether the user who asks is no superuser.
func (c *call) limited(s *Server) bool {
	return c.user != nil && c.token != s.Token && s.superuser(c.user.members) != true
}

// allowed reports whether the user who asks has the permission: on all objects, or on
// the one with the key.
func (s *Server) allowed(c *call, code, key string) bool {
	return slices.ContainsFunc(s.grantsOf(c.user), func(g grant) bool { return g.code == code && (g.object == "" || g.object == key && key != "") })
}

// grantsOf are the permissions of a user, of their roles and of the roles of their
// groups.
func (s *Server) grantsOf(user *object) []grant {
	holders := s.rolesOfUser(user)
	holders["user "+user.key] = true
	return slices.DeleteFunc(slices.Clone(s.grants), func(g grant) bool { return !holders[g.holder] })
}

// rolesOfUser are the keys of a user's roles, and of those of their groups.
func (s *Server) rolesOfUser(user *object) map[string]bool {
	roles := map[string]bool{}
	for _, key := range flat(user.members["roles"]) {
		roles[canonical(key)] = true
	}
	groups := map[string]bool{}
	s.addGroups(groups, user.members["groups"])
	for key := range groups {
		if group := s.referred("core/groups/", key); group != nil {
			for _, role := range flat(group.members["roles"]) {
				roles[canonical(role)] = true
			}
		}
	}
	return roles
}

var (
	actionsOf sync.Map // map[string]*contract.ServerAction by release
	inBraces  = regexp.MustCompile(`\{[^}]*\}`)
)

// actionAt is what the servers say of the operation that a request asks for, nil if
// nothing.
func (s *Server) actionAt(c *call) *contract.ServerAction {
	known, ok := actionsOf.Load(s.release)
	if !ok {
		actions := map[string]*contract.ServerAction{}
		for key, action := range s.facts().Actions {
			actions[inBraces.ReplaceAllString(key, "{}")] = action
		}
		known, _ = actionsOf.LoadOrStore(s.release, actions)
	}
	actions := known.(map[string]*contract.ServerAction) //nolint:forcetypeassert // it holds nothing else
	method := c.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if c.operations != nil {
		return actions[method+" "+c.operations[0].path]
	}
	path := c.path
	if c.one {
		path = c.list.path + "{}/"
	}
	return actions[method+" "+path]
}

// need remembers the permissions that a request needs.
func (s *Server) need(action *contract.ServerAction) {
	for _, code := range slices.Concat(action.Has, action.Model, action.Object, action.Global, []string{action.Rows, action.Required}) {
		if code != "" && !slices.Contains(s.needed, code) {
			s.needed = append(s.needed, code)
		}
	}
}

// Permissions returns the permissions that a role needs to send the requests that the
// server has got, sorted: authentik_core.view_user. Requests that no facts are known
// of, need none.
func (s *Server) Permissions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.needed))
}

// authorize says why the user may not do what the request asks for, nil if they may.
func (s *Server) authorize(c *call) *reply {
	action := s.actionAt(c)
	if action == nil {
		return nil
	}
	s.need(action)
	if !c.limited(s) {
		return nil
	}
	all := func(codes []string, key string) bool {
		return !slices.ContainsFunc(codes, func(code string) bool { return code != "" && !s.allowed(c, code, key) })
	}
	anyhow := c.Method == http.MethodPost && !c.one && c.list != nil && s.facts().Lists[c.list.path] != nil && s.facts().Lists[c.list.path].CreateAnyhow
	switch {
	case action.Class == "AllowAny", anyhow:
		return nil
	case action.Class == "IsAdminUser":
		return &forbidden
	case !all(action.Has, ""), !all(action.Global, ""):
		return &forbidden
	case (!c.one || !s.atLeast("2024.2")) && !all(action.Model, ""):
		return &forbidden
	}
	if !c.one {
		return nil
	}
	o := s.one(c.list, c.id)
	if o == nil {
		return nil // which is answered with 404
	}
	if action.Rows != "" && !s.allowed(c, action.Rows, o.key) && !s.owns(c, o) {
		if !slices.ContainsFunc(s.grantsOf(c.user), func(g grant) bool { return g.code == action.Rows }) {
			return &forbidden
		}
		_, missing := s.find(c.list, c.id, []test{func(*object) bool { return false }})
		return &missing
	}
	if !all(append([]string{action.Required}, action.Object...), o.key) && !s.owns(c, o) {
		return &forbidden
	}
	return nil
}

// owns reports whether the object is the user's own, which needs no permission.
func (s *Server) owns(c *call, o *object) bool {
	facts := s.facts().Lists[c.list.path]
	return facts != nil && facts.Owner != "" && !strings.Contains(facts.Owner, "__") && canonical(o.members[facts.Owner]) == c.user.key
}

// judged are lists that show what the policies of each object allow, whatever the
// permissions.
var judged = []string{"core/applications/", "rac/endpoints/"}

// visible is a test for what the user may see of a list, nil if they may see all.
func (s *Server) visible(c *call) test {
	action := s.actionAt(c)
	if !c.limited(s) || action == nil || action.Rows == "" || slices.Contains(judged, c.list.path) || s.allowed(c, action.Rows, "") {
		return nil
	}
	return func(o *object) bool { return s.allowed(c, action.Rows, o.key) || s.owns(c, o) }
}

// assign gives a role or a user permissions, or takes them away.
func (s *Server) grant(holder *object, body map[string]any, on bool) reply {
	model, object := canonical(body["model"]), canonical(body["object_pk"])
	if (model == "") != (object == "") {
		return reply{http.StatusBadRequest, map[string]any{"non_field_errors": []string{"The fields model, object_pk must be used together."}}}
	}
	key := holder.key
	if holder.list.path == "core/users/" {
		key = "user " + key
	}
	ids := []any{}
	for _, one := range flat(body["permissions"]) {
		code := canonical(one)
		permission := s.permission(code)
		if permission == nil {
			return failure
		}
		g := grant{
			holder: key, code: code, object: object, id: len(s.grants) + 1,
			model: canonical(permission.members["app_label"]) + "." + canonical(permission.members["model"]),
		}
		same := func(other grant) bool { return other.holder == key && other.code == code && other.object == object }
		if s.grants = slices.DeleteFunc(s.grants, same); on {
			s.nextGrant++
			g.id = s.nextGrant
			s.grants = append(s.grants, g)
			ids = append(ids, map[string]any{"id": strconv.Itoa(g.id)})
		}
	}
	s.showGrants(holder, key)
	s.changes++
	if !on || !s.atLeast("2024.2") {
		return noContent
	}
	return reply{http.StatusOK, ids}
}

// permission is a permission as rbac/permissions/ lists it, nil if there is none.
func (s *Server) permission(code string) *object {
	app, name, _ := strings.Cut(code, ".")
	for _, o := range s.list("rbac/permissions/").objects {
		if o.members["app_label"] == app && o.members["codename"] == name {
			return o
		}
	}
	for model, facts := range s.facts().Models {
		if modelApp, _, _ := strings.Cut(model, "."); modelApp == app && slices.Contains(facts.Permissions, name) {
			return s.addPermission(model, name)
		}
	}
	return nil
}

// addPermission lists a permission of a model.
func (s *Server) addPermission(model, codename string) *object {
	l := s.list("rbac/permissions/")
	app, modelName, _ := strings.Cut(model, ".")
	verbose := s.facts().Models[model].Verbose
	verb, _, _ := strings.Cut(codename, "_")
	o := s.newObject(l, map[string]any{
		"id": json.Number(strconv.Itoa(s.next(l))), "name": cmp.Or(permissionNames[codename], "Can "+verb+" "+verbose), "codename": codename, "model": modelName,
		"app_label": app, "app_label_verbose": s.appName(app), "model_verbose": verbose,
	})
	s.put(o)
	return o
}

// permissionNames are the names that do not follow from the codename.
var permissionNames = map[string]string{ //nolint:gosec // names of permissions are no credentials
	"access_admin_interface":              "Can access admin interface",
	"add_stream":                          "Add stream to SSF provider",
	"add_user_to_group":                   "Add user to group",
	"assign_role_permissions":             "Can assign permissions to roles",
	"clear_flow_cache":                    "Clear Flow's cache metrics",
	"clear_policy_cache":                  "Clear Policy's cache metrics",
	"disable_group_superuser":             "Disable superuser status",
	"edit_system_settings":                "Can edit system settings",
	"enable_group_superuser":              "Enable superuser status",
	"export_flow":                         "Can export a Flow",
	"impersonate":                         "Can impersonate other users",
	"inspect_flow":                        "Can inspect a Flow's execution",
	"manage_media_files":                  "Can manage media files",
	"pass_outpost_certificate":            "Permissions to pass Certificates for outposts.",
	"preview_user":                        "Can preview user data sent to providers",
	"remove_user_from_group":              "Remove user from group",
	"reset_user_password":                 "Reset Password",
	"retry_task":                          "Retry failed task",
	"search_full_directory":               "Search full LDAP directory",
	"send_schedule":                       "Manually trigger a schedule",
	"set_token_key":                       "Set a token's key",
	"unassign_role_permissions":           "Can unassign permissions from roles",
	"view_certificatekeypair_certificate": "View Certificate-Key pair's certificate",
	"view_certificatekeypair_key":         "View Certificate-Key pair's private key",
	"view_enrollment_token_key":           "View token's key",
	"view_flow_cache":                     "View Flow's cache metrics",
	"view_media_files":                    "Can view media files",
	"view_policy_cache":                   "View Policy's cache metrics",
	"view_system_info":                    "Can view system info",
	"view_system_settings":                "Can view system settings",
	"view_token_key":                      "View token's key",
	"view_user_applications":              "View applications the user has access to",
}

func title(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, " ")
}

// showGrants renews the lists that say what a role has.
func (s *Server) showGrants(holder *object, key string) {
	if holder.list.path != "rbac/roles/" {
		return
	}
	assigned, extra := s.list("rbac/permissions/assigned_by_roles/"), s.list("rbac/permissions/roles/")
	for _, o := range slices.Clone(extra.objects) {
		if o.members[".role"] == holder.key {
			s.remove(o)
		}
	}
	objects, models := []any{}, []any{}
	for _, g := range s.grants {
		if g.holder != key {
			continue
		}
		shown := map[string]any{"id": json.Number(strconv.Itoa(g.id))}
		for _, name := range []string{"codename", "model", "app_label", "name"} {
			shown[name] = s.permission(g.code).members[name]
		}
		if g.object == "" {
			models = append(models, shown)
			continue
		}
		shown["object_pk"] = g.object
		objects = append(objects, shown)
		one := map[string]any{"uuid": holder.key, ".role": holder.key, "object_description": s.describe(g)}
		for _, name := range []string{"app_label_verbose", "model_verbose"} {
			one[name] = s.permission(g.code).members[name]
		}
		maps.Copy(one, shown)
		s.put(s.newObject(extra, one))
	}
	if old := assigned.byID[holder.key]; old != nil {
		s.remove(old)
	}
	if len(objects)+len(models) > 0 {
		s.put(s.newObject(assigned, map[string]any{
			"role_pk": holder.key, "name": holder.members["name"], "object_permissions": objects, "model_permissions": models, "permissions": objects,
		}))
	}
}

// describe is the text of the object that a grant is for.
func (s *Server) describe(g grant) any {
	path := s.listOf(g.model)
	if path == "" {
		return nil
	}
	o := s.referred(path, g.object)
	if o == nil {
		return nil
	}
	return s.textOf(o)
}

func assignTo(path string, on bool) action {
	return func(s *Server, c *call, _ *object, body map[string]any) reply {
		parts := strings.Split(c.path, "/")
		holder := s.referred(path, parts[len(parts)-3])
		if holder == nil {
			return notFound
		}
		return s.grant(holder, body, on)
	}
}
