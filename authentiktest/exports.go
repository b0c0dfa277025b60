package authentiktest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// exportFlow writes a flow, its stages, prompts and policies, and what binds them, as
// a blueprint.
func exportFlow(s *Server, _ *call, flow *object, _ map[string]any) reply {
	x := &export{s, []any{}}
	x.add(flow, "slug")
	var stages, policies []*object
	bindings := s.referring("flows/bindings/", "target", flow)
	for _, binding := range bindings {
		if stage := s.referred("stages/all/", canonical(binding.members["stage"])); stage != nil {
			stages = append(stages, stage)
		}
	}
	bound := s.referring("policies/bindings/", "target", flow)
	for _, binding := range bindings {
		bound = append(bound, s.referring("policies/bindings/", "target", binding)...)
	}
	for _, binding := range bound {
		policies = x.with(policies, "policies/all/", binding.members["policy"])
	}
	for _, stage := range stages {
		if stage.list.path != "stages/prompt/stages/" {
			continue
		}
		for _, prompt := range x.with(nil, "stages/prompt/prompts/", stage.members["fields"]) {
			x.add(prompt)
		}
		policies = x.with(policies, "policies/all/", stage.members["validation_policies"])
	}
	for _, policy := range policies {
		x.add(policy)
	}
	for _, stage := range stages {
		x.add(stage, "name")
	}
	for _, binding := range bindings {
		x.add(binding, "target", "stage", "order")
	}
	for _, binding := range bound {
		x.add(binding, "policy", "target", "order")
	}
	return reply{http.StatusOK, document{flow.id + ".yaml", "text/html; charset=utf-8", formatYAML(map[string]any{
		"version": 1, "context": map[string]any{}, "entries": x.entries,
		"metadata": map[string]any{
			"name":   "authentik Export - " + time.Now().UTC().Format("2006-01-02 15:04:05.000000+00:00"),
			"labels": map[string]any{"blueprints.goauthentik.io/generated": "true"},
		},
	})}}
}

type export struct {
	*Server
	entries []any
}

// with are the objects, and those that the keys refer to.
func (x *export) with(objects []*object, path string, keys any) []*object {
	for _, key := range flat(keys) {
		if o := x.referred(path, canonical(key)); o != nil && !slices.Contains(objects, o) {
			objects = append(objects, o)
		}
	}
	return objects
}

// add describes an object, which these members and its pk identify: the members that
// a request can set, as authentik answers them.
func (x *export) add(o *object, identifiers ...string) {
	attrs, by := map[string]any{}, map[string]any{"pk": primaryKey(o)}
	shown := x.shown(o, o.list, o.list.kind.object, nil)
	for _, m := range x.members(o.list.kind.object) {
		value, answered := shown[m.name]
		if !answered || m.is(readOnly) || m.follows != "" || strings.HasSuffix(m.name, "_set") {
			continue
		}
		list, isList := value.([]any)
		switch {
		case slices.Contains(identifiers, m.name):
			by[m.name] = value
		case !x.atLeast("2026.2") && (value == nil || value == "" || value == false || isList && len(list) == 0): // what a form begins with
		default:
			attrs[m.name] = value
		}
	}
	x.entries = append(x.entries, map[string]any{
		"model": x.facts().Lists[o.list.path].Model, "state": "present", "conditions": []any{}, "permissions": []any{},
		"identifiers": by, "attrs": attrs,
	})
}
