package authentiktest

import (
	"slices"
	"strings"
)

// usable are the applications of a page that the query wants. authentik leaves out
// of the page what the user may not open; count and numbers of pages know nothing
// of it. The user of the server's token may open all.
func (s *Server) usable(c *call, page []*object) (wanted []*object, refusal any) {
	if strings.EqualFold(c.last("superuser_full_list"), "true") {
		return page, nil
	}
	if c.query["for_user"] == nil {
		if !strings.EqualFold(c.last("only_with_launch_url"), "true") {
			return page, nil
		}
		return slices.DeleteFunc(page, func(o *object) bool {
			return isEmpty(o.members["meta_launch_url"]) && isEmpty(o.members["launch_url"])
		}), nil
	}
	pk, ok := parseInteger(c.last("for_user"))
	if !ok {
		return nil, []string{"Invalid input."}
	}
	user := s.referred("core/users/", pk)
	if user == nil {
		return nil, map[string]any{"for_user": "User not found"}
	}
	groups := map[string]bool{}
	s.addGroups(groups, user.members["groups"])
	bindings := map[string][]*object{} // by target
	for _, o := range s.list("policies/bindings/").objects {
		if o.members["enabled"] != false {
			target := canonical(o.members["target"])
			bindings[target] = append(bindings[target], o)
		}
	}
	page = slices.DeleteFunc(page, func(app *object) bool {
		bound := bindings[app.key]
		if slices.ContainsFunc(bound, func(o *object) bool { return !isEmpty(o.members["policy"]) }) {
			refusal = map[string]any{"for_user": []string{"authentiktest: the fake runs no policy, and one is bound to application " + app.id + "; answer with Server.FailOn"}}
		}
		fails := func(o *object) bool {
			is := canonical(o.members["user"]) == pk || groups[canonical(o.members["group"])]
			return is == (o.members["negate"] == true)
		}
		if app.members["policy_engine_mode"] == "all" {
			return slices.ContainsFunc(bound, fails)
		}
		return len(bound) > 0 && !slices.ContainsFunc(bound, func(o *object) bool { return !fails(o) })
	})
	return page, refusal
}

// addGroups adds groups to those that a user is in, and the groups above them.
func (s *Server) addGroups(all map[string]bool, keys any) {
	for _, key := range flat(keys) {
		if key := canonical(key); !all[key] {
			all[key] = true
			if group := s.referred("core/groups/", key); group != nil {
				s.addGroups(all, group.members["parents"])
				s.addGroups(all, group.members["parent"]) // before 2025.12
			}
		}
	}
}

// assigned asks for who has a permission on the model: since 2025.12 on all of its
// objects, or on the object that is named, before then on any.
func (s *Server) assigned(l *list, model, objectPK string) test {
	app, model, _ := strings.Cut(model, ".")
	has := func(permissions any, objectPK string) bool {
		return slices.ContainsFunc(flat(permissions), func(one any) bool {
			p, _ := one.(map[string]any)
			return p["app_label"] == app && p["model"] == model && (objectPK == "" || canonical(p["object_pk"]) == objectPK)
		})
	}
	return func(o *object) bool {
		if l.path == "rbac/permissions/assigned_by_users/" && o.members["is_superuser"] == true {
			return true
		}
		if s.atLeast("2025.12") {
			return has(o.members["model_permissions"], "") || objectPK != "" && has(o.members["object_permissions"], objectPK)
		}
		return has(o.members["permissions"], objectPK)
	}
}

// unassigned asks for providers that no application has, or, if not wanted, for
// those that one has: a backchannel provider counts by either of its applications.
func (s *Server) unassigned(wanted bool) test {
	apps := s.referrers("core/applications/ provider")
	backchannel := s.referrers("core/applications/ backchannel_providers")
	return func(o *object) bool {
		return (len(apps(o)) == 0) == wanted || o.members["is_backchannel"] == true && (len(backchannel(o)) == 0) == wanted
	}
}
