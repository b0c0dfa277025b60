package authentiktest

import (
	"slices"
	"strings"
)

// appPage is a page of the list of applications for a user, as authentik keeps it.
type appPage struct {
	user     string
	page     int
	launches bool // only those with a launch URL, which 2026.5 keeps apart
}

// usable are the applications of a page that authentik answers with: those that the
// user may open, out of a cache that knows the user and the number of the page, but
// neither filters nor sizes. count and numbers of pages know nothing of it. What a
// search or for_user asks for, and a superuser's full list, are not kept.
func (s *Server) usable(c *call, all pages, start, end, number int) (wanted []*object, refusal any) {
	if s.wantsAll(c) {
		return all.page(start, end), nil
	}
	if !s.atLeast("2024.2") { // whose pages have all that there is
		start, end = 0, all.count()
	}
	page := all.page(start, end)
	if c.query["for_user"] != nil && s.atLeast("2024.2") {
		user, refusal := s.forUser(c)
		if refusal != nil {
			return nil, refusal
		}
		return s.allowedApps(page, user, false)
	}
	key := appPage{page: number}
	if !s.atLeast("2024.4") {
		key.page = 0
	}
	if c.user != nil {
		key.user = c.user.key
	}
	launches := c.asks("only_with_launch_url")
	key.launches = launches && s.atLeast("2026.5")
	kept := s.appPages[key]
	if c.last("search") != "" || len(kept) == 0 {
		kept, _ = s.allowedApps(page, c.user, true)
		if !s.atLeast("2025.10") { // which keep what they are, not which
			for i, o := range kept {
				as := *o
				kept[i] = &as
			}
		}
		if c.last("search") == "" {
			s.appPages[key] = kept
		}
	}
	for _, o := range kept {
		switch {
		case s.atLeast("2025.10") && o.list.byKey[o.key] != o: // deleted
		case s.atLeast("2024.8") && launches && isBlank(s.launchURL(o.members)) && isEmpty(o.members["launch_url"]):
		default:
			wanted = append(wanted, o)
		}
	}
	return wanted, nil
}

// wantsAll reports whether the list is to be of all applications, for a superuser alone.
func (s *Server) wantsAll(c *call) bool { return c.asks("superuser_full_list") && !c.limited(s) }

// mayLaunch is a test for what may have a launch URL, of a list that asks for it. 2026.5
// looks for it before it counts.
func (s *Server) mayLaunch(l *list, c *call) test {
	if l.path != "core/applications/" || !s.atLeast("2026.5") || !c.asks("only_with_launch_url") || s.wantsAll(c) {
		return nil
	}
	return func(o *object) bool {
		own := canonical(o.members["meta_launch_url"])
		return own != "blank://blank" && (own != "" || !isEmpty(o.members["provider"]) || !isEmpty(o.members["launch_url"]))
	}
}

// saved has authentik forget pages of applications, as it does when an application is
// made, or a user, group or binding saved.
func (s *Server) saved(o *object, made bool) {
	switch o.list.path {
	case "core/applications/":
		if made {
			clear(s.appPages)
		}
	case "core/users/", "core/groups/", "policies/bindings/":
		clear(s.appPages)
	}
}

// forUser is the user that for_user names.
func (s *Server) forUser(c *call) (user *object, refusal any) {
	pk, ok := parseInteger(c.last("for_user"))
	if !ok {
		return nil, []string{"Invalid input."}
	}
	if user = s.referred("core/users/", pk); user == nil {
		return nil, map[string]any{"for_user": "User not found"}
	}
	return user, nil
}

// allowedApps are the applications that a user may open; all if the server has no such
// user. A policy that the fake does not run lets pass, or is refused.
func (s *Server) allowedApps(apps []*object, user *object, lets bool) (allowed []*object, refusal any) {
	if user == nil {
		return slices.Clone(apps), nil
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
	allowed = slices.DeleteFunc(slices.Clone(apps), func(app *object) bool {
		bound := bindings[app.key]
		fails := func(o *object) bool {
			is := canonical(o.members["user"]) == user.key || groups[canonical(o.members["group"])]
			if policy := s.referred("policies/all/", canonical(o.members["policy"])); !isEmpty(o.members["policy"]) {
				passing, runs := false, false
				if policy != nil {
					passing, runs = s.passes(policy, user)
				}
				if !runs && !lets {
					refusal = map[string]any{"for_user": []string{"authentiktest: the fake cannot run a policy that is bound to application " + app.id + "; answer with Server.FailOn"}}
				}
				if !runs {
					return false
				}
				is = passing
			}
			return is == (o.members["negate"] == true)
		}
		if app.members["policy_engine_mode"] == "all" {
			return slices.ContainsFunc(bound, fails)
		}
		return len(bound) > 0 && !slices.ContainsFunc(bound, func(o *object) bool { return !fails(o) })
	})
	return allowed, refusal
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
