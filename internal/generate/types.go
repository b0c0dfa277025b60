package main

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
)

// place is where a type is named: a member, a parameter, an answer.
type place struct {
	name  string
	forms []form
}

type form struct {
	t     contract.Type
	spans contract.Spans
}

// places are all that the facts have, each with its forms in all releases.
func (p *planner) places() []place {
	var places []place
	byName := map[string]int{}
	add := func(name string, t contract.Type, spans contract.Spans) {
		for t.Elem != nil {
			name += "[]"
			t = *t.Elem
		}
		i, ok := byName[name]
		if !ok {
			i = len(places)
			byName[name] = i
			places = append(places, place{name: name})
		}
		places[i].forms = append(places[i].forms, form{t, spans})
	}
	for _, o := range p.facts.Objects {
		for _, m := range o.Members {
			add(o.Name+"."+m.Name, m.Type, m.Spans)
		}
	}
	for _, op := range p.facts.Operations {
		if _, out := leftOut[op.Method+" "+op.Path]; out {
			continue
		}
		for _, parameter := range op.Parameters {
			add(op.Method+" "+op.Path+" "+parameter.Name, parameter.Type, parameter.Spans)
		}
		for _, body := range op.Bodies {
			add(op.Method+" "+op.Path+" body", body.Type, body.Spans)
		}
		for _, answer := range op.Answers {
			if !strings.Contains(answer.Media, "xml") {
				add(op.Method+" "+op.Path+" answer", answer.Type, answer.Spans)
			}
		}
	}
	return places
}

// newestForm is the one that the newest release with the place has.
func newestForm(forms []form) form {
	return slices.MaxFunc(forms, func(a, b form) int { return cmp.Compare(a.spans.Last(), b.spans.Last()) })
}

// both are the versions that two facts share.
func (p *planner) both(a, b contract.Spans) contract.Spans {
	return p.where(func(i int) bool { return a.Has(i) && b.Has(i) })
}

// either are the versions that have one of two facts.
func (p *planner) either(a, b contract.Spans) contract.Spans {
	return p.where(func(i int) bool { return a.Has(i) || b.Has(i) })
}

func (p *planner) where(has func(version int) bool) contract.Spans {
	var spans contract.Spans
	for i := range p.facts.Versions {
		switch n := len(spans); {
		case !has(i):
		case n > 0 && spans[n-1].Last == i-1:
			spans[n-1].Last = i
		default:
			spans = append(spans, contract.Span{First: i, Last: i})
		}
	}
	return spans
}

// follow finds the names that objects and enums had in older releases: at a
// place, the newest name stands for the others. The values of enums are
// gathered on the way.
func (p *planner) follow() {
	p.aliases = map[string]string{}
	p.formerly = map[string][]string{}
	p.values = map[string]map[string]contract.Spans{}
	for _, place := range p.places() {
		newest := newestForm(place.forms).t
		for _, form := range place.forms {
			switch {
			case newest.Kind == "enum" && form.t.Kind == "enum":
				p.gather(p.sameEnum(newest.Name), form)
				p.formerly[newest.Name] = append(p.formerly[newest.Name], form.t.Name)
			case newest.Kind == "ref" && form.t.Kind == "ref" && newest.Name != form.t.Name:
				p.alias(place.name, form.t.Name, newest.Name)
			}
		}
	}
	for old := range p.aliases {
		p.aliases[old] = p.canonical(old)
		p.formerly[p.aliases[old]] = append(p.formerly[p.aliases[old]], old)
	}
	for _, names := range p.formerly {
		slices.Sort(names)
	}
}

// sameEnum is the enum that another has the values of, which is decided.
func (p *planner) sameEnum(name string) string {
	if same, ok := override(p, "sameEnums", sameEnums, name); ok {
		return same
	}
	return name
}

func (p *planner) gather(name string, form form) {
	if p.values[name] == nil {
		p.values[name] = map[string]contract.Spans{}
	}
	for _, value := range p.facts.Enum(form.t.Name).Values {
		spans := p.both(value.Spans, form.spans)
		if len(spans) > 0 {
			p.values[name][value.Value] = p.either(p.values[name][value.Value], spans)
		}
	}
}

func (p *planner) alias(place, old, name string) {
	o := p.facts.Object(old)
	if o.Spans.Last() == p.newest {
		return // it is another object to this day
	}
	if !p.resembles(old, name) {
		return // what it had goes into Extra
	}
	if other, ok := p.aliases[old]; ok && other != name {
		p.fail("%s: %s became %s, elsewhere %s: decide in alias", place, old, name, other)
	}
	p.aliases[old] = name
}

// resembles reports whether half of the members of old are in the other object.
func (p *planner) resembles(old, name string) bool {
	shared := 0
	members := p.facts.Object(old).Members
	for _, m := range members {
		if slices.ContainsFunc(p.facts.Object(name).Members, func(other *contract.Member) bool { return other.Name == m.Name }) {
			shared++
		}
	}
	return 2*shared >= len(members)
}

// canonical is the newest name of the object.
func (p *planner) canonical(name string) string {
	for range len(p.aliases) {
		newer, ok := p.aliases[name]
		if !ok || newer == name {
			break
		}
		name = newer
	}
	return name
}

// member is a member in all its forms.
type member struct {
	*contract.Member // the newest

	forms    []*contract.Member
	nullable bool // in any release
	spans    contract.Spans
}

// membersOf are those of the object of all releases, in the order of the newest,
// and where the object is there.
func (p *planner) membersOf(name string) ([]*member, contract.Spans) {
	objects := []*contract.Object{p.facts.Object(name)}
	for _, o := range p.facts.Objects {
		if o.Name != name && p.canonical(o.Name) == name {
			objects = append(objects, o)
		}
	}
	var members []*member
	byName := map[string]*member{}
	var spans contract.Spans
	for _, o := range objects {
		spans = p.either(spans, o.Spans)
		for _, m := range o.Members {
			known := byName[m.Name]
			if known == nil {
				known = &member{Member: m}
				byName[m.Name] = known
				members = append(members, known)
			}
			known.forms = append(known.forms, m)
			known.nullable = known.nullable || m.Type.Nullable
			known.spans = p.either(known.spans, m.Spans)
			if m.Spans.Last() > known.Spans.Last() {
				known.Member = m
			}
		}
	}
	for _, m := range members {
		place := name + "." + m.Name
		if _, ok := override(p, "nulls", nulls, place); !ok {
			continue
		}
		if m.nullable {
			p.fail("overrides.go: nulls has %q, of which the facts say that it may be null", place)
		}
		m.nullable = true
	}
	return members, spans
}

// model returns the struct of an object that answers have.
func (p *planner) model(schema string) *structType {
	schema = p.canonical(schema)
	if s := p.structs[schema]; s != nil {
		return s
	}
	members, spans := p.membersOf(schema)
	s := &structType{Schema: schema, Name: p.typeName(schema), Model: true}
	p.structs[schema] = s
	p.claim(s.Name, schema)
	for _, m := range members {
		place := schema + "." + m.Name
		goType := p.goType(m.Type, m.nullable, &s.deps)
		if lenient, ok := override(p, "lenientTypes", lenientTypes, place); ok {
			goType = lenient
		} else {
			p.compatible(place, m)
		}
		mark, facts := "", p.history(m.spans, spans)
		if p.isSecret(schema, m) {
			mark = "secret"
			facts = strings.TrimPrefix(facts+"; secret", "; ")
		}
		s.Fields = append(s.Fields, &field{
			Name:    p.fieldName(schema, m.Name),
			Type:    goType,
			Tag:     tagOf(m.Name, mark),
			Comment: p.remark(schema, m.Name, facts),
		})
	}
	p.checkFields(s)
	return s
}

// tagOf is the tag of a field: its name in JSON, and what the SDK has to know.
func tagOf(name, mark string) string {
	if mark == "" {
		return fmt.Sprintf("`json:%q`", name)
	}
	return fmt.Sprintf("`json:%q authentik:%q`", name, mark)
}

// compatible fails if the Go type of the newest form cannot read the others.
func (p *planner) compatible(place string, m *member) {
	for _, form := range m.forms {
		if !reads(m.Type, form.Type) {
			p.fail("%s is %s, and was %s until %s: write a type that reads both and name it in lenientTypes",
				place, m.Type, form.Type, p.facts.Release(form.Spans.Last()))
		}
	}
}

// reads reports whether what reads t reads other as well.
func reads(t, other contract.Type) bool {
	kinds := map[string]string{
		"uri": "string", "email": "string", "enum": "string", "int64": "integer", "number": "integer",
	}
	kind, otherKind := cmp.Or(kinds[t.Kind], t.Kind), cmp.Or(kinds[other.Kind], other.Kind)
	switch {
	case t.Kind == "any", kind == "object" && (otherKind == "ref" || otherKind == "map" || otherKind == "any"), kind == "ref" && otherKind == "object":
		return true
	case kind == "string":
		return otherKind == "string" || otherKind == "uuid" || otherKind == "date-time" || otherKind == "binary"
	case kind == "double":
		return otherKind == "double" || otherKind == "integer"
	case kind == "ref":
		return otherKind == "ref"
	case t.Elem != nil && other.Elem != nil:
		return kind == otherKind && reads(*t.Elem, *other.Elem)
	}
	return kind == otherKind
}

// goType is the type of a field that reads t, and of those in it. What it names
// is added to deps.
func (p *planner) goType(t contract.Type, nullable bool, deps *[]string) string {
	var goType string
	switch t.Kind {
	case "string", "uri", "email", "date":
		goType = "string"
	case "uuid":
		goType = "uuid.UUID"
	case "date-time":
		goType = "time.Time"
	case "boolean":
		goType = "bool"
	case "integer", "number":
		goType = "int"
	case "int64":
		goType = "int64"
	case "double":
		goType = "float64"
	case "object":
		return "map[string]any"
	case "any":
		return "any"
	case "array":
		return "[]" + p.goType(*t.Elem, t.Elem.Nullable, deps)
	case "map":
		return "map[string]" + p.goType(*t.Elem, t.Elem.Nullable, deps)
	case "ref":
		s := p.model(t.Name)
		*deps = append(*deps, s.Schema)
		goType = s.Name
	case "enum":
		e := p.enum(t.Name)
		goType = e.Name
		*deps = append(*deps, e.Schema)
	default:
		p.fail("no Go type is known for %s: decide in goType", t)
	}
	if nullable {
		return "*" + goType
	}
	return goType
}

// secretName finds the members whose name speaks of a secret.
var secretName = regexp.MustCompile(`passw|secret|token|key|credential|passphrase|ccache|private|cert|cookie|kubeconfig|otp`)

// isSecret reports whether a member of a request or an answer holds a secret, which
// is decided for all that might.
func (p *planner) isSecret(schema string, m *member) bool {
	model := strings.TrimSuffix(schema, "Request")
	for _, key := range []string{schema + "." + m.Name, model + "." + m.Name, m.Name} {
		if secret, ok := override(p, "secrets", secrets, key); ok {
			return secret
		}
	}
	text := isText(m.Type) || slices.Contains([]string{"object", "any", "map", "binary"}, m.Type.Kind)
	if text && secretName.MatchString(m.Name) || p.isWriteOnly(schema, m.Name) || p.isWriteOnly(model+"Request", m.Name) {
		p.fail("%s.%s: is it a secret? Decide in secrets", schema, m.Name)
	}
	return false
}

// isWriteOnly reports whether no answer has the member, in any release.
func (p *planner) isWriteOnly(request, name string) bool {
	for _, o := range p.facts.Objects {
		if p.canonical(o.Name) == p.canonical(request) && slices.ContainsFunc(o.Members, func(m *contract.Member) bool { return m.Name == name && m.WriteOnly }) {
			return true
		}
	}
	return false
}

// request returns the struct of an object that requests have.
func (p *planner) request(schema string) *structType {
	schema = p.canonical(schema)
	if s := p.structs[schema]; s != nil {
		if s.Model {
			p.fail("%s is in answers and in requests: decide in request", schema)
		}
		return s
	}
	members, spans := p.membersOf(schema)
	s := &structType{Schema: schema, Name: p.typeName(schema), releases: releases(spans)}
	p.structs[schema] = s
	p.claim(s.Name, schema)
	model := strings.TrimSuffix(schema, "Request")
	for _, m := range members {
		var facts []string
		if m.Required && m.Spans.Last() == spans.Last() {
			facts = append(facts, "required")
		}
		if m.Default != "" && m.Default != "null" && m.Default != `""` && m.Default != "[]" && m.Default != "{}" {
			facts = append(facts, "default "+strings.Trim(m.Default, `"`))
		}
		mark := ""
		switch {
		case m.WriteOnly:
			mark = "writeonly"
			facts = append(facts, "secret, never answered")
		case p.isSecret(schema, m):
			mark = "secret"
			facts = append(facts, "secret")
		case p.isAlias(model, m.Name):
			mark = "alias"
		}
		if h := p.history(m.spans, spans); h != "" {
			facts = append(facts, h)
		}
		p.addOldForm(s, m)
		s.members = append(s.members, takenMember{m.Name, releases(m.spans), m.WriteOnly, m.Required})
		comment := p.remark(schema, m.Name, strings.Join(facts, "; "))
		if slices.Contains([]string{"object", "map", "any"}, m.Type.Kind) && p.isPatched(schema) {
			comment = strings.TrimPrefix(comment+"; an update replaces it whole", "; ")
		}
		s.Fields = append(s.Fields, &field{
			Name:    p.fieldName(model, m.Name),
			Type:    p.requestType(m, &s.deps),
			Tag:     tagOf(m.Name+",omitzero", mark),
			Comment: strings.Replace(comment, "nil:", "null:", 1),
		})
	}
	if slices.Contains(filenames, schema) {
		s.Fields = append(s.Fields, &field{
			Name: "Filename", Type: "string", Tag: "`json:\"-\"`",
			Comment: `with its extension, by which authentik knows the type; "": the name that File has itself`,
		})
	}
	p.checkFields(s)
	return s
}

// isAlias reports whether authentik takes another value than it answers for the
// same.
func (p *planner) isAlias(model, name string) bool {
	_, ok := override(p, "aliasMembers", aliasMembers, model+"."+name)
	return ok
}

// isPatched reports whether an update sends the request.
func (p *planner) isPatched(request string) bool {
	return slices.ContainsFunc(p.facts.Operations, func(op *contract.Operation) bool {
		body := contract.Newest(op.Bodies)
		return op.Method == http.MethodPatch && body != nil && p.canonical(body.Type.Name) == request
	})
}

// addOldForm adds the member if older servers take it in another form, which is
// decided.
func (p *planner) addOldForm(s *structType, m *member) {
	var old *contract.Member
	for _, form := range m.forms {
		if !p.takes(form.Type, m.Type) {
			old = form
		}
	}
	if old == nil {
		return
	}
	decided, ok := override(p, "oldForms", oldForms, s.Schema+"."+m.Name)
	if !ok {
		decided, ok = override(p, "oldForms", oldForms, m.Name)
	}
	switch {
	case !ok:
		p.fail("%s.%s is %s, and was %s until %s: decide in oldForms what older servers get", s.Schema, m.Name, m.Type, old.Type, p.facts.Release(old.Spans.Last()))
	case decided.Function != "":
		for _, form := range m.forms {
			for i, version := range p.facts.Versions {
				if form.Spans.Has(i) && p.takes(form.Type, m.Type) != isSince(version, decided.Since) {
					p.fail("overrides.go: oldForms has %s.%s since %v, and %s takes %s", s.Schema, m.Name, decided.Since, version, form.Type)
				}
			}
		}
		s.Old = append(s.Old, oldMember{m.Name, decided})
	}
}

// isSince reports whether the version has what came with the versions since, each of
// another release.
func isSince(version string, since []string) bool {
	first := since[len(since)-1]
	for _, other := range since {
		if contract.ReleaseOf(other) == contract.ReleaseOf(version) {
			first = other
		}
	}
	return contract.CompareVersions(version, first) >= 0
}

// takes reports whether a server that takes t in a request takes all that newest can
// say.
func (p *planner) takes(t, newest contract.Type) bool {
	switch {
	case t.Nullable && !newest.Nullable: // whose null became another value
		return false
	case t.Kind == "enum" && newest.Kind == "enum":
		return p.facts.Enum(t.Name).Number == p.facts.Enum(newest.Name).Number
	case t.Elem != nil && newest.Elem != nil:
		return t.Kind == newest.Kind && p.takes(*t.Elem, *newest.Elem)
	}
	return reads(newest, t) || newest.Kind == "object" && t.Kind == "any"
}

// requestType is the type of a request's field: its zero is left out, and each
// value that authentik takes can be said.
func (p *planner) requestType(m *member, deps *[]string) string {
	t := m.Type
	var goType string
	switch {
	case t.Kind == "ref":
		s := p.request(t.Name)
		*deps = append(*deps, s.Schema)
		goType = s.Name
	case t.Kind == "binary":
		return "io.Reader"
	case t.Elem != nil && t.Elem.Kind == "ref":
		s := p.request(t.Elem.Name)
		*deps = append(*deps, s.Schema)
		goType = map[string]string{"array": "[]", "map": "map[string]"}[t.Kind] + s.Name
	default:
		goType = p.goType(t, false, deps)
	}
	switch {
	case t.Nullable:
		return "Nullable[" + goType + "]"
	case t.Elem != nil, t.Kind == "object", t.Kind == "any":
		return goType // nil is left out
	case t.Kind == "integer" && slices.Contains(idMembers, m.Name), m.Required && (t.Kind == "uuid" || t.Kind == "enum" || isText(t) && m.MinLength > 0):
		return goType // its zero is no value that authentik takes
	}
	return "*" + goType
}

func isText(t contract.Type) bool {
	return t.Kind == "string" || t.Kind == "uri" || t.Kind == "email"
}

// enum returns the type of an enum.
func (p *planner) enum(schema string) *enumType {
	schema = p.sameEnum(schema)
	if e := p.enums[schema]; e != nil {
		return e
	}
	e := &enumType{Schema: schema, Name: p.typeName(schema)}
	p.enums[schema] = e
	p.claim(e.Name, schema)
	var spans contract.Spans
	for _, s := range p.values[schema] {
		spans = p.either(spans, s)
	}
	doc, _ := override(p, "enums", enums, schema)
	if doc == "" {
		p.lacks("enums", schema, "%s: a sentence is missing in enums", schema)
	}
	e.Doc = comment(e.Name + " " + doc + ".")
	for _, value := range p.valuesOf(schema) {
		if value == "" {
			continue // it is the zero of the type
		}
		e.Values = append(e.Values, value)
		if slices.Contains(openEnums, schema) {
			continue
		}
		name, ok := override(p, "constants", constants, schema+" "+value)
		if !ok {
			name = constantName(value)
		}
		name = e.Name + name
		p.claim(name, schema+" "+value)
		e.Constants = append(e.Constants, constant{name, value, p.history(p.values[schema][value], spans)})
	}
	return e
}

// valuesOf are the values of an enum in the order of the newest release, then
// those that are gone.
func (p *planner) valuesOf(schema string) []string {
	var values []string
	for _, value := range p.facts.Enum(schema).Values {
		if _, ok := p.values[schema][value.Value]; ok {
			values = append(values, value.Value)
		}
	}
	var gone []string
	for value := range p.values[schema] {
		if !slices.Contains(values, value) {
			gone = append(gone, value)
		}
	}
	slices.Sort(gone)
	return append(values, gone...)
}

// typeName is the Go name of an object or an enum.
func (p *planner) typeName(schema string) string {
	if name, ok := override(p, "typeNames", typeNames, schema); ok {
		return name
	}
	for _, name := range append([]string{schema}, p.formerly[schema]...) {
		if first, ok := p.recorded[name]; ok {
			return first
		}
	}
	if owner, place, ok := strings.Cut(schema, "."); ok {
		if model, request := strings.CutSuffix(p.typeName(owner), "Request"); request {
			return model + camel(place) + "Request"
		}
		return p.typeName(owner) + camel(place)
	}
	return camel(wordStart.ReplaceAllString(strings.TrimSuffix(schema, "Enum"), "$1 $2"))
}

// wordStart is between the words of a schema's name.
var wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)

func (p *planner) fieldName(owner, member string) string {
	if name, ok := override(p, "fieldNames", fieldNames, owner+"."+member); ok {
		return name
	}
	return camel(member)
}

func (p *planner) checkFields(s *structType) {
	seen := map[string]bool{"Extra": s.Model}
	for _, f := range s.Fields {
		if seen[f.Name] {
			p.fail("%s: two fields would be called %s: decide in fieldNames", cmp.Or(s.Schema, s.Name), f.Name)
		}
		seen[f.Name] = true
	}
}

// history says since and until when a part is there of a whole; "" if it
// always is.
func (p *planner) history(part, whole contract.Spans) string {
	var words []string
	if from, to := p.facts.Release(part.First()), p.facts.Release(part.Last()); from == to && part.Last() < whole.Last() && part.First() > whole.First() {
		return "only in " + from
	}
	if part.First() > whole.First() && p.facts.Release(part.First()) != p.facts.Release(whole.First()) {
		words = append(words, "since "+p.facts.Release(part.First()))
	}
	if part.Last() < whole.Last() {
		words = append(words, "until "+p.facts.Release(part.Last()))
	}
	return strings.Join(words, ", ")
}

// remark is the comment at the end of a member's line.
func (p *planner) remark(schema, name, facts string) string {
	words := []string{facts, "", p.wordOn(schema, name)}
	if _, ok := override(p, "durations", durations, strings.TrimSuffix(schema, "Request")+"."+name); ok {
		words[1] = "such as hours=1;minutes=2"
	}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), "; ")
}

// wordOn is what overrides.go says of a member, by itself or in all objects.
func (p *planner) wordOn(schema, name string) string {
	for _, key := range []string{schema + "." + name, strings.TrimSuffix(schema, "Request") + "." + name, name} {
		if text, ok := override(p, "members", members, key); ok {
			return text
		}
	}
	return ""
}
