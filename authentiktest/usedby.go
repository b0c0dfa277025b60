package authentiktest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/uuid"
)

// schedules is the manager of the schedules of an object, which the facts leave out.
const schedules = "schedules"

// usedBy answers with the objects that o and others refer to each other by, in the
// order of the fields.
func (s *Server) usedBy(c *call, o *object) reply {
	if c.limited(s) && s.atLeast("2025.12") && (o.list.path == "core/users/" || o.list.path == "core/groups/") {
		return reply{http.StatusInternalServerError, nil}
	}
	if keyless(s, o) {
		return reply{http.StatusInternalServerError, nil}
	}
	users := []any{}
	facts := s.facts().Lists[o.list.path]
	if facts == nil {
		return reply{http.StatusOK, users}
	}
	managers := s.managers(facts.Model)
	managers[schedules] = contract.ServerManager{Name: schedules, Model: "authentik_tasks_schedules.schedule", Own: true}
	for _, name := range slices.Sorted(maps.Keys(managers)) {
		m := managers[name]
		app, model, _ := strings.Cut(m.Model, ".")
		action := "cascade"
		switch {
		case m.OnDelete == "set_null", m.OnDelete == "set_default":
			action = m.OnDelete
		case m.Many:
			action = "cascade_many"
		}
		if !s.atLeast("2024.2") {
			action = strings.ToUpper(action)
		}
		if m.Model == "authentik_core.groupancestrynode" || m.Model == "authentik_core.groupparentagenode" {
			users = append(users, s.nodes(o, m, action)...)
			continue
		}
		for _, other := range s.managed(o, m) {
			if c.limited(s) && !s.allowed(c, app+".view_"+model, other.key) {
				continue
			}
			pk, name := other.key, s.textAs(m.Model, other)
			if m.Model == "auth.group" { // a role's, which has its name
				pk, name = numberOf(other.place+1).String(), canonical(other.members["name"])
			}
			users = append(users, map[string]any{"app": app, "model_name": model, "pk": pk, "name": name, "action": action})
		}
	}
	return reply{http.StatusOK, users}
}

// nodes are what lies between a group and those above or below it.
func (s *Server) nodes(o *object, m contract.ServerManager, action string) []any {
	nodes := []any{}
	add := func(child, parent string) {
		node := map[string]any{
			"app": "authentik_core", "model_name": "groupparentagenode", "action": action,
			"pk": uuid.NewSHA1(uuid.Nil, []byte(child+parent)).String(), "name": "Group Parentage Node from #" + child + " to " + parent,
		}
		if m.Model == "authentik_core.groupancestrynode" {
			node["model_name"], node["pk"] = "groupancestrynode", child+"-"+parent
			node["name"] = "Group Ancestry Node from " + child + " to " + parent
		}
		nodes = append(nodes, node)
	}
	above := map[string]bool{}
	if m.Model == "authentik_core.groupancestrynode" {
		s.addGroups(above, o.members["parents"])
	} else {
		for _, key := range flat(o.members["parents"]) {
			above[canonical(key)] = true
		}
	}
	if m.By == "child" || m.By == "descendant" {
		for _, parent := range slices.Sorted(maps.Keys(above)) {
			add(o.key, parent)
		}
		return nodes
	}
	for _, other := range s.list("core/groups/").objects {
		below := map[string]bool{}
		for _, key := range flat(other.members["parents"]) {
			below[canonical(key)] = true
		}
		if m.Model == "authentik_core.groupancestrynode" {
			s.addGroups(below, other.members["parents"])
		}
		if below[o.key] {
			add(other.key, o.key)
		}
	}
	return nodes
}

// keyless reports whether o is signed with a certificate that has no key, on which
// used_by fails in every release.
func keyless(s *Server, o *object) bool {
	if o.list.path != oauth2Providers && o.list.path != "providers/proxy/" || isEmpty(o.members["signing_key"]) {
		return false
	}
	certificate := s.referred("crypto/certificatekeypairs/", canonical(o.members["signing_key"]))
	return certificate != nil && isBlank(certificate.members["key_data"])
}

// managers are those of a model and of its parents, by name.
func (s *Server) managers(model string) map[string]contract.ServerManager {
	managers := map[string]contract.ServerManager{}
	facts := s.facts().Models[model]
	if facts == nil {
		return managers
	}
	for _, parent := range facts.Parents {
		maps.Copy(managers, s.managers(parent))
	}
	for _, m := range facts.Managers {
		managers[m.Name] = m
	}
	return managers
}

// isOf reports whether objects of the model are such of the other one too.
func (s *Server) isOf(model, other string) bool {
	facts := s.facts().Models[model]
	return model == other || facts != nil && slices.ContainsFunc(facts.Parents, func(parent string) bool { return s.isOf(parent, other) })
}

// listsOf are the lists whose objects are of the model.
func (s *Server) listsOf(model string) []*list {
	var lists []*list
	for i := range kinds {
		k := &kinds[i]
		facts := s.facts().Lists[k.path]
		if facts != nil && len(k.parts) == 0 && s.has(k.since, k.until) && s.isOf(facts.Model, model) {
			lists = append(lists, s.list(k.path))
		}
	}
	return lists
}

// managed are the objects that a manager of o leads to.
func (s *Server) managed(o *object, m contract.ServerManager) []*object {
	if m.Name == schedules {
		return s.schedules(o)
	}
	if m.Own && m.Name == "sources" && o.list.path == "core/users/" { // by the user's connections
		var sources []*object
		for _, l := range s.listsOf("authentik_core.usersourceconnection") {
			for _, connection := range s.referring(l.path, "user", o) {
				if source := s.referred("sources/all/", canonical(connection.members["source"])); source != nil {
					sources = append(sources, source)
				}
			}
		}
		return sources
	}
	if m.Own && m.Name == "policies" { // by what is bound
		var policies []*object
		for _, binding := range s.referring("policies/bindings/", "target", o) {
			if policy := s.referred("policies/all/", canonical(binding.members["policy"])); policy != nil {
				policies = append(policies, policy)
			}
		}
		return policies
	}
	if m.Model == "auth.group" {
		if s.atLeast("2025.12") {
			return nil
		}
		return s.rolesOf(o)
	}
	lists := s.listsOf(m.Model)
	var found []*object
	if !m.Own {
		for _, l := range lists {
			found = append(found, s.referring(l.path, m.By, o)...)
		}
		return found
	}
	shown := s.show(o.members, o.list.kind.object)
	for _, member := range s.members(o.list.kind.object) {
		if member.follows != "" || member.name != m.Name && (member.fact == nil || member.fact.Source != m.Name) {
			continue
		}
		for _, key := range flat(shown[member.name]) {
			for _, l := range lists {
				if other := l.byKey[canonical(key)]; other != nil {
					found = append(found, other)
				}
			}
		}
	}
	return found
}

// rolesOf are the roles of the groups of a user, who was in a hidden group of each.
func (s *Server) rolesOf(user *object) []*object {
	var roles []*object
	groups := map[string]bool{}
	s.addGroups(groups, user.members["groups"])
	for _, role := range s.list("rbac/roles/").objects {
		if slices.ContainsFunc(s.referring("core/groups/", "roles", role), func(group *object) bool { return groups[group.key] }) {
			roles = append(roles, role)
		}
	}
	return roles
}

// textAs is an object in words, as one of the model: of a kind, or of what it is
// based on.
func (s *Server) textAs(model string, o *object) string {
	name := canonical(o.members["name"])
	switch model {
	case "authentik_core.propertymapping":
		return "Property Mapping " + name
	case "authentik_core.provider":
		return name
	case "authentik_tasks_schedules.schedule":
		return "Schedule " + canonical(o.members["actor_name"]) + ":" + canonical(o.members["uid"])
	case "authentik_core.usersourceconnection":
		return "User-source connection (user=" + canonical(o.members["user"]) + ", source=" + canonical(o.members["source"]) + ")"
	case "authentik_core.groupsourceconnection":
		return "Group-source connection (group=" + canonical(o.members["group"]) + ", source=" + canonical(o.members["source"]) + ")"
	case "authentik_stages_invitation.invitation":
		by, _ := o.members["created_by"].(map[string]any)
		creator := by["pk"]
		if !s.atLeast("2024.2") {
			creator = by["username"]
		}
		return "Invitation " + o.key + " created by " + canonical(creator)
	}
	verbose := ""
	if facts := s.facts().Models[model]; facts != nil {
		verbose = facts.Verbose
	}
	switch {
	case o.list.path == oauth2Providers:
		return "OAuth2 Provider " + name
	case s.isOf(model, "authentik_core.provider"),
		s.isOf(model, "authentik_core.source") && slices.Contains([]string{"OAuth Source", "SAML Source", "SCIM Source", "Kerberos Source"}, verbose):
		return verbose + " " + name
	}
	return s.textOf(o)
}
