package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
)

// plan is what the templates write: every name, type and sentence is decided.
type plan struct {
	Facts     *contract.Facts
	Resources []*resource // by path
	Shared    []*file     // types of several resources
	Groups    []*group
	Models    []*structType
	Requests  []*structType
	Enums     []*enumType
	Names     map[string]string // of Go, by the schema's
	Lists     []*listFacts
	// Identities are the members that tell objects apart, by the schema's name.
	Identities map[string]string

	Companions []planned
	Creations  []plannedCreation

	drafts map[string][]string // the keys that overrides.go lacks, by map
}

// group is what the first part of a path holds.
type group struct {
	Name      string
	Resources []*resource
}

// file is one file of the root.
type file struct {
	Name    string
	Types   []any // *structType and *enumType
	Service *resource
}

// resource is what there is below a path: a service, and the types that it alone
// has.
type resource struct {
	Path, Group string
	Name        string // of the service, without Service
	One, Many   string // what its objects are called
	Doc         string // of the service, as comment
	History     string // since and until when servers have it, "" if all do
	Item        string // the schema's name of what the list has
	Retrieved   string // that of one object, by its id
	Options     *structType
	Methods     []*method
	File        *file

	spans contract.Spans
	roots []string // the types that its methods name
}

// method is one method of a service. Kind names how the template writes it:
// page, object, slice, raw, nothing.
type method struct {
	Kind         string
	Name, Doc    string
	Service      string
	HTTP, Path   string // POST, core/users/{id}/set_password/
	Params       []param
	Options      string // the type of the query's options, "" if there are none
	Request      string // the type of the body, "" if there is none
	Upload       bool   // the request is multipart/form-data
	Optional     bool   // the body may be left out
	Echo         bool   // the answer is the object that the request holds
	Single       bool   // older servers send one object in place of the list
	Result       string // what comes back, without pointer; "" if nothing does
	Since, Until string
	Operation    string // the variable with the operation
	Shares       bool   // another method has the same operation
	Came         string // the release since which servers take what that one lacks; "" if it does not share
	Releases     uint64 // a bit for each version that has it
	MayBeEmpty   bool   // servers before the answer came send 204 in its place
	Lenient      string // the type written by hand that reads the answer, "" if it reads itself
	Needs        []need // the permissions
	Said         string // the sentence on Needs; "" if nothing is known
}

type param struct{ Name, Type string }

// optionSpan is an option that some releases lack which have the operation.
type optionSpan struct {
	Operation, Option string
	Releases          uint64 // a bit for each version that has it
}

// OptionSpans are those of the operations of the services. What only orders or cuts
// a list, or says what objects show, is left out: a server may ignore it.
func (p *plan) OptionSpans() []optionSpan {
	var all []optionSpan
	for _, r := range p.Resources {
		for _, m := range r.Methods {
			if m.Shares {
				continue
			}
			in := map[string]uint64{}
			for _, parameter := range p.Facts.Operation(m.HTTP, m.Path).Parameters {
				if parameter.In == "query" && !strings.HasPrefix(parameter.Name, "include_") && !slices.Contains([]string{"ordering", "page", "page_size"}, parameter.Name) {
					in[parameter.Name] |= releases(parameter.Spans)
				}
			}
			if first, ok := searchSince[m.Path]; ok && in["search"] != 0 {
				in["search"] = m.Releases &^ (1<<slices.Index(p.Facts.Versions, first) - 1)
			}
			for name, bits := range in {
				if bits != m.Releases {
					all = append(all, optionSpan{m.HTTP + " " + m.Path, name, bits})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b optionSpan) int {
		return cmp.Or(strings.Compare(a.Operation, b.Operation), strings.Compare(a.Option, b.Option))
	})
	return all
}

// NewMembers are the members of requests that a server may ignore without a trace, by
// the type of the request: no answer has them, or what was sent. Those of an application
// and a provider are, where both are made at once. Older servers do without what newer
// ones require.
func (p *plan) NewMembers() map[string][]takenMember {
	all := map[string][]takenMember{}
	for _, r := range p.Resources {
		for _, m := range r.Methods {
			for _, s := range p.Requests {
				isWithin := m.Path == "core/transactional/applications/" && (s.Name == "ApplicationRequest" || strings.HasSuffix(s.Name, "ProviderRequest"))
				if m.Upload || s.Name != m.Request && !isWithin {
					continue
				}
				for _, member := range s.members {
					if s.Name == m.Request {
						member.Releases |= p.takes(m, member.Name)
					}
					isNew := m.Releases&^member.Releases != 0 && !member.required && (!isWithin || member.Releases != s.releases)
					if isNew && (member.writeOnly || !m.Compares()) && !slices.Contains(all[s.Name], member) {
						all[s.Name] = append(all[s.Name], member)
					}
				}
			}
		}
	}
	return all
}

// takes are the releases that take the member in a body of the method, whatever they
// call the body.
func (p *plan) takes(m *method, member string) (bits uint64) {
	for _, body := range p.Facts.Operation(m.HTTP, m.Path).Bodies {
		if o := p.Facts.Object(body.Type.Name); o != nil {
			for _, own := range o.Members {
				if own.Name == member {
					bits |= releases(own.Spans)
				}
			}
		}
	}
	return bits
}

// Pairs are the methods whose request changes the model that they return: one for
// each model, Update before Create.
func (p *plan) Pairs() []*method {
	byModel := map[string]*method{}
	for _, name := range []string{"Create", "Update"} {
		for _, r := range p.Resources {
			for _, m := range r.Methods {
				if m.Name == name && m.Kind == "object" && m.Echo {
					byModel[m.Result] = m
				}
			}
		}
	}
	return slices.SortedFunc(maps.Values(byModel), func(a, b *method) int { return strings.Compare(a.Result, b.Result) })
}

// Listed is the type of what the resource lists in pages, "" if it does not.
func (r *resource) Listed() string {
	for _, m := range r.Methods {
		if m.Name == "List" && m.Kind == "page" {
			return m.Result
		}
	}
	return ""
}

// ID is the type of what one object is found by, a string if none can be had alone.
func (r *resource) ID() string {
	for _, m := range r.Methods {
		if slices.Contains([]string{"Retrieve", "Update", "Delete"}, m.Name) && len(m.Params) > 0 {
			return m.Params[0].Type
		}
	}
	return "string"
}

// structType is a struct to be written.
type structType struct {
	Schema string // authentik's name; "" for options
	Name   string
	Doc    string
	Embed  bool // it embeds ListOptions
	Model  bool // it has Extra
	Secret bool // it has a secret, or holds what has one: its formats hide it
	Fields []*field
	Path   string // of the list whose objects these are
	ID     string // the member that identifies one, "" if none does
	Old    []oldMember

	deps     []string // the types that its fields name
	releases uint64   // of a request: those that have it
	members  []takenMember
}

// takenMember is a member of a request, which some releases may lack.
type takenMember struct {
	Name                string
	Releases            uint64
	writeOnly, required bool
}

// oldMember is a member of a request that older servers take in another form.
type oldMember struct {
	Name string // in JSON
	oldForm
}

type field struct{ Name, Type, Tag, Comment string }

func (f *field) isSecret() bool {
	return strings.Contains(f.Tag, `authentik:"secret"`) || strings.Contains(f.Tag, `authentik:"writeonly"`)
}

// enumType is a string of which values are known.
type enumType struct {
	Schema, Name, Doc string
	Constants         []constant // none of an open enum
	Values            []string
}

type constant struct{ Name, Value, Comment string }

// planner turns facts into a plan. What it cannot decide is an error that says
// what to decide.
type planner struct {
	facts    *contract.Facts
	closest  map[string][]*contract.Server // by version, the closest server first
	newest   int
	recorded map[string]string   // the first Go name of each schema, as names.txt has it
	formerly map[string][]string // the names that a schema had in older releases
	aliases  map[string]string   // a schema's name of older releases to the one that took its place
	structs  map[string]*structType
	enums    map[string]*enumType
	values   map[string]map[string]contract.Spans // of enums, by value
	names    map[string]string                    // of Go, to what has it
	used     map[string]bool                      // the entries of overrides.go that matched
	drafts   map[string][]string                  // see plan
	errs     []error
}

// lacks fails for an entry of overrides.go that is missing, and that -draft writes.
func (p *planner) lacks(name, key, format string, args ...any) {
	if !slices.Contains(p.drafts[name], key) {
		p.drafts[name] = append(p.drafts[name], key)
	}
	p.fail(format, args...)
}

func (p *planner) fail(format string, args ...any) {
	if err := fmt.Errorf(format, args...); !slices.ContainsFunc(p.errs, func(other error) bool { return other.Error() == err.Error() }) {
		p.errs = append(p.errs, err)
	}
}

// override returns the entry of one of the maps in overrides.go.
func override[V any](p *planner, name string, entries map[string]V, key string) (v V, ok bool) {
	v, ok = entries[key]
	if text, isText := any(v).(string); isText && text == draft {
		p.fail("overrides.go: %s has a draft of %q: write it", name, key)
	}
	if ok {
		p.used[name+": "+key] = true
	}
	return v, ok
}

// newPlan decides everything. reserved are the names that code by hand has.
func newPlan(facts *contract.Facts, servers *contract.Servers, reserved []string, recorded map[string]string) (*plan, error) {
	p := &planner{
		recorded: recorded,
		facts:    facts,
		newest:   len(facts.Versions) - 1,
		structs:  map[string]*structType{},
		enums:    map[string]*enumType{},
		names:    map[string]string{},
		used:     map[string]bool{},
		drafts:   map[string][]string{},
		closest:  map[string][]*contract.Server{},
	}
	for _, name := range reserved {
		p.names[name] = "code by hand"
	}
	asked := map[string]*contract.Server{}
	for _, release := range servers.Releases {
		asked[release] = servers.At(release)
	}
	for _, version := range facts.Versions {
		for _, release := range servers.Closest(version) {
			p.closest[version] = append(p.closest[version], asked[release])
		}
	}
	p.follow()
	resources := p.resources()
	for _, s := range p.structs {
		p.describe(s)
	}
	p.spreadSecrets()
	result := p.assign(resources)
	p.checkNouns(resources)
	p.accompany(result, resources)
	result.Names = maps.Clone(recorded)
	result.Identities = map[string]string{}
	for schema, s := range p.structs {
		result.Names[schema] = s.Name
		result.Identities[schema] = s.ID
	}
	for schema, e := range p.enums {
		result.Names[schema] = e.Name
	}
	p.unused()
	result.drafts = p.drafts
	return result, errors.Join(p.errs...)
}

// spreadSecrets marks the structs that hold one with a secret: with a verb that is
// not its own, package fmt looks into a pointer without asking its method.
func (p *planner) spreadSecrets() {
	for _, s := range p.structs {
		s.Secret = slices.ContainsFunc(p.reachable([]string{s.Schema}), func(name string) bool {
			return p.structs[name] != nil && slices.ContainsFunc(p.structs[name].Fields, (*field).isSecret)
		})
	}
}

// checkNouns fails if a service is called by the name of one.
func (p *planner) checkNouns(resources []*resource) {
	for _, r := range resources {
		if slices.ContainsFunc(resources, func(other *resource) bool { return other.Name == r.One }) {
			p.fail("%s: the noun %s is the name of a service: say in nouns what its objects are called", r.Path, r.One)
		}
	}
}

// claim takes a name of the package for what has it.
func (p *planner) claim(name, owner string) {
	if other, taken := p.names[name]; taken && other != owner {
		p.fail("the Go name %s would be of %s and of %s: decide in typeNames", name, other, owner)
	}
	p.names[name] = owner
}

// unused fails for entries of overrides.go that matched nothing.
func (p *planner) unused() {
	for name, keys := range overrideKeys() {
		for _, key := range keys {
			if !p.used[name+": "+key] {
				p.fail("overrides.go: %s has %q, which matches nothing", name, key)
			}
		}
	}
}

// assign puts each type into the file of the resource that alone has it, else
// into that of its group, else into zz_shared.go.
func (p *planner) assign(resources []*resource) *plan {
	result := &plan{Facts: p.facts, Resources: resources}
	users := map[string][]*resource{} // by type
	for _, r := range resources {
		for _, name := range p.reachable(r.roots) {
			users[name] = append(users[name], r)
		}
	}
	homes := map[string]*resource{} // of the types that a list has
	for _, r := range resources {
		home := homes[r.Item]
		if r.Item != "" && (home == nil || len(r.Path) < len(home.Path)) {
			homes[r.Item] = r
		}
	}
	shared := map[string]*file{}
	for _, name := range slices.Sorted(maps.Keys(users)) {
		var owner *file
		groups := map[string]bool{}
		for _, user := range users[name] {
			groups[user.Group] = true
		}
		home := homes[name]
		if request, ok := strings.CutSuffix(name, "Request"); ok && home == nil && homes[request] != nil {
			home = homes[request]
		}
		switch {
		case home != nil:
			owner = home.File
		case len(users[name]) == 1:
			owner = users[name][0].File
		default:
			group := "zz_shared.go"
			if len(groups) == 1 {
				group = "zz_" + strings.ReplaceAll(users[name][0].Group, "-", "_") + ".go"
			}
			if shared[group] == nil {
				shared[group] = &file{Name: group}
				result.Shared = append(result.Shared, shared[group])
			}
			owner = shared[group]
		}
		switch s := p.structs[name]; {
		case s == nil:
			owner.Types = append(owner.Types, p.enums[name])
			result.Enums = append(result.Enums, p.enums[name])
		case s.Model:
			owner.Types = append(owner.Types, s)
			result.Models = append(result.Models, s)
		default:
			owner.Types = append(owner.Types, s)
			result.Requests = append(result.Requests, s)
		}
	}
	result.group()
	p.sort(result)
	return result
}

// group puts the resources into the groups of their paths.
func (p *plan) group() {
	for _, r := range p.Resources {
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Name != r.Group {
			p.Groups = append(p.Groups, &group{Name: r.Group})
		}
		last := p.Groups[len(p.Groups)-1]
		last.Resources = append(last.Resources, r)
	}
}

// sort sorts the files, and the types in each.
func (p *planner) sort(result *plan) {
	for _, r := range result.Resources {
		p.sortTypes(r.File, r.Item)
	}
	for _, f := range result.Shared {
		p.sortTypes(f, "")
	}
	slices.SortFunc(result.Requests, func(a, b *structType) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(result.Models, func(a, b *structType) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(result.Enums, func(a, b *enumType) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(result.Shared, func(a, b *file) int { return strings.Compare(a.Name, b.Name) })
}

// sortTypes puts the item of the list first, then what it names, then enums,
// options and requests.
func (p *planner) sortTypes(f *file, item string) {
	rank := func(t any) (int, string) {
		switch t := t.(type) {
		case *structType:
			switch {
			case t.Schema == item:
				return 0, t.Name
			case t.Model:
				return 1, t.Name
			case t.Schema == "":
				return 3, t.Name
			}
			return 4, t.Name
		case *enumType:
			return 2, t.Name
		}
		return 5, ""
	}
	slices.SortStableFunc(f.Types, func(a, b any) int {
		rankA, nameA := rank(a)
		rankB, nameB := rank(b)
		return cmp.Or(cmp.Compare(rankA, rankB), strings.Compare(nameA, nameB))
	})
}

// reachable are the types with those that their fields name.
func (p *planner) reachable(roots []string) []string {
	seen := map[string]bool{}
	var visit func(names []string)
	visit = func(names []string) {
		for _, name := range names {
			if seen[name] {
				continue
			}
			seen[name] = true
			if s := p.structs[name]; s != nil {
				visit(s.deps)
			}
		}
	}
	visit(roots)
	return slices.Sorted(maps.Keys(seen))
}

// overrideKeys are the keys of all maps in overrides.go.
func overrideKeys() map[string][]string {
	keys := map[string][]string{}
	add(keys, "nouns", nouns)
	add(keys, "objects", objects)
	add(keys, "enums", enums)
	add(keys, "members", members)
	add(keys, "durations", durations)
	add(keys, "filters", filters)
	add(keys, "operations", operations)
	add(keys, "permissions", permissions)
	add(keys, "models", models)
	add(keys, "typeNames", typeNames)
	add(keys, "fieldNames", fieldNames)
	add(keys, "constants", constants)
	add(keys, "lenientTypes", lenientTypes)
	add(keys, "lenientAnswers", lenientAnswers)
	add(keys, "nulls", nulls)
	add(keys, "oldForms", oldForms)
	add(keys, "secrets", secrets)
	add(keys, "leftOut", leftOut)
	add(keys, "moved", moved)
	add(keys, "methodNames", methodNames)
	add(keys, "identities", identities)
	add(keys, "successors", successors)
	add(keys, "sameEnums", sameEnums)
	add(keys, "filterTypes", filterTypes)
	add(keys, "aliasMembers", aliasMembers)
	return keys
}

func add[V any](keys map[string][]string, name string, entries map[string]V) {
	for key := range entries {
		keys[name] = append(keys[name], key)
	}
}
