package authentiktest

import "strings"

// textOf is an object in words, as used_by and permissions name it.
func (s *Server) textOf(o *object) string {
	name := canonical(o.members["name"])
	verbose := o.list.kind.model
	if facts := s.facts().Lists[o.list.path]; facts != nil && s.facts().Models[facts.Model] != nil {
		verbose = s.facts().Models[facts.Model].Verbose
	}
	switch path := o.list.path; {
	case path == "core/groups/":
		return "Group " + name
	case path == "core/users/":
		return canonical(o.members["username"])
	case path == "core/tokens/":
		return "Token " + canonical(o.members["identifier"])
	case path == "core/brands/", path == "core/tenants/":
		return verbose + " " + canonical(o.members["domain"])
	case path == "core/applications/", strings.HasPrefix(path, "providers/"), strings.HasPrefix(path, "sources/") && !strings.Contains(path, "connections"):
		return name
	case path == "flows/instances/":
		return "Flow " + name
	case path == "flows/bindings/":
		return "Flow-stage binding #" + canonical(o.members["order"]) + " to " + canonical(o.members["target"])
	case strings.HasSuffix(path, "bindings/") && path != "flows/bindings/":
		return s.textOfBinding(o)
	case path == "core/application_entitlements/":
		return verbose + " " + name + " for app " + canonical(o.members["app"])
	case strings.HasPrefix(path, "stages/authenticator/") && path != "stages/authenticator/validate/":
		return verbose + " " + name
	case path == "stages/prompt/prompts/":
		return "Prompt field '" + canonical(o.members["field_key"]) + "' type " + canonical(o.members["type"])
	case strings.HasPrefix(path, "stages/") && path != "stages/invitation/invitations/" && path != "stages/prompt/prompts/":
		return "Stage " + name
	case name == "":
		return verbose + " " + o.key
	case strings.HasPrefix(path, "policies/"):
		return name
	}
	return verbose + " " + name
}

func (s *Server) textOfBinding(o *object) string {
	from, to := canonical(o.members["target"]), ""
	if target := s.referred(targets, from); target != nil {
		from = s.textOf(target)
	}
	for _, bound := range []struct{ member, list, name string }{
		{"policy", "policies/all/", "Policy"}, {"group", "core/groups/", ""}, {"user", "core/users/", "User"},
	} {
		if other := s.referred(bound.list, canonical(o.members[bound.member])); other != nil && !isEmpty(o.members[bound.member]) {
			to = s.textOf(other)
			if bound.name != "" {
				to = bound.name + " " + canonical(other.members["name"])
			}
			break
		}
	}
	return "Binding from " + from + " #" + canonical(o.members["order"]) + " to " + to
}
