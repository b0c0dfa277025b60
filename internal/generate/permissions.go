package main

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
)

// need is what an operation needs in some releases.
type need struct {
	Releases    uint64 // a bit for each version
	Permissions string // with spaces between
}

// addNeeds decides which permissions the method needs: in each version what the
// server said whose release is the closest one of those that have the operation.
// The sentence is on the newest version.
func (p *planner) addNeeds(r *resource, m *method) {
	key := m.HTTP + " " + m.Path
	own, ok := override(p, "permissions", permissions, key)
	for i, version := range p.facts.Versions {
		if m.Releases&(1<<i) == 0 {
			continue
		}
		closest := slices.IndexFunc(p.closest[version], func(s *contract.Server) bool { return s.Actions[key] != nil })
		var needed []string
		switch {
		case ok:
			needed = strings.Fields(own)
			m.Said = cmp.Or(needsText(needed, nil), "It needs no permission.")
		case closest >= 0:
			server := p.closest[version][closest]
			needed = permissionsOf(server.Lists[r.Path], server.Actions[key])
			m.Said = saidOf(server.Lists[r.Path], server.Actions[key])
		default:
			needed = p.standard(r, m)
			m.Said = needsText(needed, nil)
		}
		m.need(i, strings.Join(needed, " "))
	}
}

// need adds what the method needs in a version.
func (m *method) need(version int, permissions string) {
	if permissions == "" {
		return
	}
	i := slices.IndexFunc(m.Needs, func(n need) bool { return n.Permissions == permissions })
	if i < 0 {
		i = len(m.Needs)
		m.Needs = append(m.Needs, need{Permissions: permissions})
	}
	m.Needs[i].Releases |= 1 << version
}

// permissionsOf are all that an action of the list needs, what it is about first. The
// list is nil if the action is of none.
func permissionsOf(list *contract.ServerList, action *contract.ServerAction) []string {
	if action.Class == "IsAdminUser" || list != nil && list.CreateAnyhow && action.Name == "create" {
		return nil // none is enough, or none is needed
	}
	var all []string
	for _, permission := range slices.Concat([]string{action.Required}, action.Has, action.Global, action.Object, action.Model, []string{action.Rows}) {
		if permission != "" && !slices.Contains(all, permission) {
			all = append(all, permission)
		}
	}
	return all
}

// saidOf is the sentence on an action of the list.
func saidOf(list *contract.ServerList, action *contract.ServerAction) string {
	needed := permissionsOf(list, action)
	switch {
	case action.Class == "IsAdminUser":
		return "Only superusers may."
	case len(needed) == 0:
		return "It needs no permission."
	}
	var onAll []string
	if strings.Contains(action.Path, "{") {
		onAll = slices.Concat(action.Has, action.Global)
	}
	text := needsText(needed, onAll)
	if list != nil && list.Owner != "" && len(action.Global) == 0 && action.Required == "" && action.Name != "create" {
		text = strings.TrimSuffix(text, ".") + ", except for what is the user's own."
	}
	return text
}

// needsText is the sentence on permissions, of which some are needed on all objects.
func needsText(needed, onAll []string) string {
	isOnAll := func(permission string) bool { return slices.Contains(onAll, permission) }
	onOne := slices.DeleteFunc(slices.Clone(needed), isOnAll)
	switch {
	case len(needed) == 0:
		return ""
	case len(onAll) == 0:
		return "It needs " + and(needed) + "."
	case len(onOne) == 0:
		return "It needs " + and(onAll) + " on all objects."
	}
	return "It needs " + and(onOne) + ", and on all objects " + and(onAll) + "."
}

// and joins words.
func and(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// standard are the permissions of an operation that no server was asked about: those
// that authentik asks for everywhere else, by the verb. What else it has is not known.
func (p *planner) standard(r *resource, m *method) []string {
	model := p.modelName(r)
	app, name, ok := strings.Cut(model, ".")
	if !ok {
		return nil
	}
	view := app + ".view_" + name
	switch m.Name {
	case "List", "Retrieve", "UsedBy":
		return []string{view}
	case "Create":
		return []string{app + ".add_" + name}
	case "Update":
		return []string{app + ".change_" + name, view}
	case "Delete":
		return []string{app + ".delete_" + name, view}
	}
	return nil
}

// modelName is authentik's name of what an unasked list has, "" if its objects are seen
// without a permission.
func (p *planner) modelName(r *resource) string {
	if model, ok := override(p, "models", models, r.Path); ok || r.Item == "" {
		return model
	}
	for _, value := range p.facts.Enum(modelEnum).Values {
		if _, model, _ := strings.Cut(value.Value, "."); model == strings.ToLower(r.Item) {
			return value.Value
		}
	}
	p.lacks("models", r.Path, "%s: authentik's models have no %s: say in models what the list has", r.Path, r.Item)
	return ""
}

// Permissions are what the newest server asks for, for docs/services.md.
func (m *method) Permissions() string {
	for _, n := range m.Needs {
		if n.Releases&highest(m.Releases) != 0 {
			return "`" + strings.ReplaceAll(n.Permissions, " ", "`, `") + "`"
		}
	}
	return ""
}

// highest is the highest bit that is set.
func highest(releases uint64) uint64 { return 1 << (bits.Len64(releases) - 1) }
