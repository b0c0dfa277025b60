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
	case strings.HasPrefix(path, "stages/") && path != "stages/invitation/invitations/" && path != "stages/prompt/prompts/":
		return verbose + " " + name
	case name == "":
		return verbose + " " + o.key
	case strings.HasPrefix(path, "policies/"):
		return name
	}
	return verbose + " " + name
}
