package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
)

// resources makes a resource of each list, and of each other path that stands
// by itself.
func (p *planner) resources() []*resource {
	var operations []*contract.Operation
	for _, op := range p.facts.Operations {
		key := op.Method + " " + op.Path
		if _, out := override(p, "leftOut", leftOut, key); out {
			continue
		}
		if _, gone := override(p, "moved", moved, key); gone {
			continue
		}
		operations = append(operations, op)
	}
	bases := basesOf(operations)
	byBase := map[string]*resource{}
	for _, op := range operations {
		base := baseOf(bases, op.Path)
		r := byBase[base]
		if r == nil {
			r = p.newResource(base)
			byBase[base] = r
		}
		r.spans = p.either(r.spans, op.Spans)
	}
	for _, op := range operations {
		if op.Method == http.MethodPut && slices.ContainsFunc(operations, func(other *contract.Operation) bool {
			return other.Method == http.MethodPatch && other.Path == op.Path
		}) {
			continue // PATCH does what it does
		}
		p.addOperation(byBase[baseOf(bases, op.Path)], op)
	}
	resources := slices.SortedFunc(maps.Values(byBase), func(a, b *resource) int { return strings.Compare(a.Path, b.Path) })
	for _, r := range resources {
		p.finish(r)
	}
	return resources
}

// basesOf are the paths of resources: those of lists, those with an object
// below, and what is below none of them.
func basesOf(operations []*contract.Operation) []string {
	bases := map[string]bool{}
	for _, op := range operations {
		list, object, _ := strings.Cut(op.Path, "{")
		switch {
		case op.Method != http.MethodGet:
		case object == "" && pageOf(op) != nil, strings.Index(object, "}/") == len(object)-2 && object != "":
			bases[list] = true
		}
	}
	byLength := slices.SortedStableFunc(slices.Values(operations), func(a, b *contract.Operation) int { return len(a.Path) - len(b.Path) })
	for _, op := range byLength {
		if path, _, _ := strings.Cut(op.Path, "{"); baseOf(slices.Collect(maps.Keys(bases)), op.Path) == "" {
			bases[path] = true
		}
	}
	return slices.Collect(maps.Keys(bases))
}

// baseOf is the longest base that path begins with.
func baseOf(bases []string, path string) string {
	longest := ""
	for _, base := range bases {
		if strings.HasPrefix(path, base) && len(base) > len(longest) {
			longest = base
		}
	}
	return longest
}

// answerOf is the newest answer of an operation that is read, nil if there is
// none.
func answerOf(op *contract.Operation) *contract.Content {
	var newest *contract.Content
	for _, answer := range op.Answers {
		if !strings.Contains(answer.Media, "xml") && (newest == nil || answer.Spans.Last() > newest.Spans.Last()) {
			newest = answer
		}
	}
	return newest
}

func pageOf(op *contract.Operation) *contract.Content {
	if answer := answerOf(op); answer != nil && answer.Page {
		return answer
	}
	return nil
}

func (p *planner) newResource(path string) *resource {
	group, _, _ := strings.Cut(path, "/")
	name, err := fileName(path)
	if err != nil {
		p.fail("%w", err)
	}
	noun, ok := override(p, "nouns", nouns, path)
	if !ok {
		p.lacks("nouns", path, "%s: what its objects are called is missing in nouns", path)
		noun = "object"
	}
	one, many := plural(noun)
	r := &resource{Path: path, Group: group, Name: camel(strings.ReplaceAll(path, "/", " ")), One: one, Many: many}
	p.claim(r.Name+"Service", path)
	r.File = &file{Name: name, Service: r}
	return r
}

// addOperation adds what the operation is to its resource: the methods, and the
// types that they name.
func (p *planner) addOperation(r *resource, op *contract.Operation) {
	m := &method{
		Service: r.Name,
		HTTP:    op.Method,
		Path:    op.Path,
		Params:  p.pathParams(op),
	}
	m.Name = p.methodName(r, op)
	m.Operation = "op" + m.Service + m.Name
	p.addAnswer(r, m, op)
	p.addBody(r, m, op)
	if options := p.options(r, m, op); options != nil {
		m.Options = options.Name
		r.File.Types = append(r.File.Types, options)
		r.roots = append(r.roots, options.deps...)
	}
	m.Releases, m.Since, m.Until = releases(op.Spans), p.facts.Since(op.Spans), p.facts.Until(op.Spans)
	if came := p.grew(m, op); came > op.Spans.First() {
		with := *m
		with.Name += "With"
		with.Shares = true
		with.Came = p.facts.Release(came)
		p.addMethod(r, &with)
		m.Options, m.Request, m.Optional = "", "", false
	}
	p.addMethod(r, m)
}

// methodName is what the method of an operation is called.
func (p *planner) methodName(r *resource, op *contract.Operation) string {
	if name, named := override(p, "methodNames", methodNames, op.Method+" "+op.Path); named {
		return name
	}
	rest := strings.TrimPrefix(op.Path, r.Path)
	if rest == "" || pathParam.MatchString(rest) {
		answer := answerOf(op)
		switch {
		case op.Method == http.MethodGet && rest == "" && (answer.Page || answer.Type.Kind == "array"):
			return "List"
		case op.Method == http.MethodGet:
			return "Retrieve"
		case op.Method == http.MethodPost && rest == "":
			return "Create"
		case op.Method == http.MethodPatch, op.Method == http.MethodPut:
			return "Update"
		case op.Method == http.MethodDelete:
			return "Delete"
		}
	}
	var name strings.Builder
	for segment := range strings.SplitSeq(rest, "/") {
		if !strings.HasPrefix(segment, "{") {
			name.WriteString(camel(segment))
		}
	}
	return name.String()
}

// addAnswer decides what the method returns.
func (p *planner) addAnswer(r *resource, m *method, op *contract.Operation) {
	answer := answerOf(op)
	m.Kind = kindOf(answer)
	for _, form := range op.Answers {
		switch {
		case strings.Contains(form.Media, "xml"), form.Type.Kind == "", form.Page && answer.Page, form.Page == answer.Page && reads(answer.Type, form.Type):
			m.MayBeEmpty = m.MayBeEmpty || form.Type.Kind == "" && m.Kind != "nothing"
			p.checkObject(m, answer, form)
		case m.Kind == "slice" && form.Type.Kind == "ref" && !form.Page:
			m.Single = true
		default:
			p.fail("%s %s answers with %s, and did with %s: decide in addAnswer", op.Method, op.Path, answer, form)
		}
	}
	if m.Kind == "nothing" {
		return
	}
	if m.Kind == "raw" {
		m.Result = "[]byte"
		return
	}
	t := answer.Type
	if t.Kind == "array" {
		t = *t.Elem
	}
	m.Result = p.goType(t, false, &r.roots)
	if m.Name == "Retrieve" && pathParam.MatchString(strings.TrimPrefix(op.Path, r.Path)) {
		r.Retrieved = p.canonical(t.Name)
	}
	switch m.Kind {
	case "page":
		r.Item = p.canonical(t.Name)
		p.structs[r.Item].Path = cmp.Or(p.structs[r.Item].Path, r.Path)
	case "slice":
		m.Result = "[]" + m.Result
	}
}

// checkObject fails if an older answer was another object, which nothing reads.
func (p *planner) checkObject(m *method, answer, form *contract.Content) {
	t, old := answer.Type, form.Type
	if t.Kind == "array" && old.Kind == "array" {
		t, old = *t.Elem, *old.Elem
	}
	if t.Kind != "ref" || old.Kind != "ref" || p.canonical(t.Name) == p.canonical(old.Name) {
		return
	}
	lenient, ok := override(p, "lenientAnswers", lenientAnswers, m.HTTP+" "+m.Path)
	if !ok {
		p.fail("%s %s answers with %s, and did with %s: write a type that reads both and name it in lenientAnswers", m.HTTP, m.Path, answer, form)
	}
	m.Lenient = lenient
}

// addBody decides what the method sends.
func (p *planner) addBody(r *resource, m *method, op *contract.Operation) {
	body := contract.Newest(op.Bodies)
	if body == nil {
		return
	}
	if body.Type.Kind != "ref" {
		p.fail("%s %s: its body is %s: decide in addBody", op.Method, op.Path, body.Type)
		return
	}
	s := p.request(body.Type.Name)
	r.roots = append(r.roots, s.Schema)
	m.Request = s.Name
	m.Optional = !body.Required && op.Method != http.MethodPatch
	m.Upload = body.Media == "multipart/form-data"
	answer := answerOf(op)
	m.Echo = answer != nil && answer.Type.Kind == "ref" && p.echoes(body.Type.Name, answer.Type.Name)
}

func (p *planner) addMethod(r *resource, m *method) {
	if slices.ContainsFunc(r.Methods, func(other *method) bool { return other.Name == m.Name }) {
		p.fail("%s would have two methods %s, one for %s %s: decide in methodNames", r.Name, m.Name, m.HTTP, m.Path)
	}
	r.Methods = append(r.Methods, m)
}

// grew returns the version in which a query, or a body that may be left out, came to
// the operation; that of the operation or an earlier one if it did not come later. A
// method of its own takes what came later, as the signature of a method never changes.
func (p *planner) grew(m *method, op *contract.Operation) int {
	came := len(p.facts.Versions)
	switch {
	case m.Kind == "page":
		return 0
	case m.Options != "":
		for _, parameter := range op.Parameters {
			if parameter.In == "query" {
				came = min(came, parameter.Spans.First())
			}
		}
	case m.Optional:
		for _, body := range op.Bodies {
			came = min(came, body.Spans.First())
		}
	default:
		return 0
	}
	return came
}

// echoes reports whether the answer has what the request has, so that a member
// which it lacks was ignored.
func (p *planner) echoes(request, answer string) bool {
	members, _ := p.membersOf(p.canonical(answer))
	for _, m := range p.facts.Object(request).Members {
		if !m.WriteOnly && !slices.ContainsFunc(members, func(other *member) bool { return other.Name == m.Name }) {
			return false
		}
	}
	return true
}

// PagesDoc is the comment of Pages.
func (m *method) PagesDoc() string {
	return comment(fmt.Sprintf("Pages walks the pages of GET /%s, as the function [Pages] does. %s", m.Path, m.Said))
}

// AllDoc is the comment of All.
func (m *method) AllDoc() string {
	return comment(fmt.Sprintf("All walks the objects of GET /%s, as the function [All] does. %s", m.Path, m.Said))
}

// The methods below are what the template "call" asks for.

// Takes are the parameters of the method.
func (m *method) Takes() string {
	takes := []string{"ctx context.Context"}
	for _, param := range m.Params {
		takes = append(takes, param.Name+" "+param.Type)
	}
	if m.Request != "" {
		takes = append(takes, "req *"+m.Request)
	}
	if m.Options != "" {
		takes = append(takes, "opts *"+m.Options)
	}
	return strings.Join(takes, ", ")
}

// ID is what the path has for its parameters, "" if it has none.
func (m *method) ID() string {
	var names []string
	for _, param := range m.Params {
		names = append(names, param.Name)
	}
	if len(names) > 1 {
		return fmt.Sprintf("[%d]string{%s}", len(names), strings.Join(names, ", "))
	}
	return strings.Join(names, "")
}

// Reads reports whether the method returns what a GET answers.
func (m *method) Reads() bool { return m.HTTP == http.MethodGet && m.Kind != "nothing" }

// Items reports whether the method returns a slice.
func (m *method) Items() bool { return m.Kind == "slice" || m.Kind == "raw" }

// Creates reports whether each PUT makes a new object.
func (m *method) Creates() bool { return m.HTTP == http.MethodPut && m.Name == "Create" }

// Answer is the type that is read, which a pointer is to.
func (m *method) Answer() string {
	if m.Lenient != "" {
		return m.Lenient
	}
	if m.Single {
		return "oneOrMore[" + strings.TrimPrefix(m.Result, "[]") + "]"
	}
	return m.Result
}

// Compares reports whether the answer is the object that was sent, so that a member
// which it lacks was ignored.
func (m *method) Compares() bool {
	if m.Kind != "object" || m.Upload {
		return false
	}
	switch m.HTTP {
	case http.MethodPost:
		return m.Name == "Create" && m.Echo && !m.Optional
	case http.MethodPatch:
		return m.Name == "Update" && m.Options == "" && len(m.Params) < 2
	}
	return false
}

// releases has a bit for each version of the spans.
func releases(spans contract.Spans) uint64 {
	var bits uint64
	for _, span := range spans {
		for i := span.First; i <= span.Last; i++ {
			bits |= 1 << i
		}
	}
	return bits
}

var pathParam = regexp.MustCompile(`^\{[^/]+\}/$`)

// kindOf is how the template writes a method with the answer.
func kindOf(answer *contract.Content) string {
	switch {
	case answer != nil && answer.Page:
		return "page"
	case answer == nil || answer.Type.Kind == "":
		return "nothing"
	case answer.Type.Kind == "array":
		return "slice"
	case answer.Type.Kind == "binary":
		return "raw"
	}
	return "object"
}

func (p *planner) pathParams(op *contract.Operation) []param {
	var params []param
	for _, parameter := range op.Parameters {
		if parameter.In != "path" || slices.ContainsFunc(params, func(other param) bool { return other.Name == parameter.Name }) {
			continue
		}
		switch parameter.Type.Kind {
		case "uuid":
			params = append(params, param{"pk", "uuid.UUID"})
		case "integer":
			params = append(params, param{"pk", "int"})
		case "string":
			name := camel(parameter.Name)
			params = append(params, param{strings.ToLower(name[:1]) + name[1:], "string"})
		default:
			p.fail("%s %s: the parameter %s is %s: decide in pathParams", op.Method, op.Path, parameter.Name, parameter.Type)
		}
	}
	return params
}

// options returns the struct of an operation's query, nil if it has none.
func (p *planner) options(r *resource, m *method, op *contract.Operation) *structType {
	s := &structType{Name: r.Name + m.Name + "Options", Embed: m.Kind == "page"}
	var names []string
	forms := map[string][]*contract.Parameter{}
	for _, parameter := range op.Parameters {
		common := []string{"page", "page_size", "ordering", "search"}
		if parameter.In != "query" || s.Embed && slices.Contains(common, parameter.Name) || slices.Contains(contract.LeftOutOptions, parameter.Name) {
			continue
		}
		if forms[parameter.Name] == nil {
			names = append(names, parameter.Name)
		}
		forms[parameter.Name] = append(forms[parameter.Name], parameter)
	}
	if len(names) == 0 && !s.Embed {
		return nil
	}
	p.claim(s.Name, op.Method+" "+op.Path)
	for _, name := range names {
		newest := slices.MaxFunc(forms[name], func(a, b *contract.Parameter) int { return a.Spans.Last() - b.Spans.Last() })
		var spans contract.Spans
		for _, form := range forms[name] {
			spans = p.either(spans, form.Spans)
			if !isText(newest.Type) && !reads(newest.Type, form.Type) { // a text says any of them
				p.fail("%s %s: the parameter %s is %s, and was %s: decide in options", op.Method, op.Path, name, newest.Type, form.Type)
			}
		}
		var facts []string
		if newest.Required {
			facts = append(facts, "required")
		}
		if newest.Default != "" && newest.Default != `""` && newest.Default != "null" {
			facts = append(facts, "default "+strings.Trim(newest.Default, `"`))
		}
		if h := p.history(spans, op.Spans); h != "" {
			facts = append(facts, h)
		}
		text, ok := override(p, "filters", filters, op.Path+" "+name)
		if !ok {
			text, ok = override(p, "filters", filters, name)
		}
		if ok {
			facts = append(facts, text)
		}
		s.Fields = append(s.Fields, p.filter(r, newest, strings.Join(facts, "; "), &s.deps))
	}
	verb := "filters"
	if m.Kind != "page" {
		verb = "are the query of"
		if m.HTTP == http.MethodGet && m.Kind == "slice" {
			verb = "filters"
		}
	}
	s.Doc = comment(fmt.Sprintf("%s %s %s %s.", s.Name, verb, op.Method, "/"+op.Path))
	p.checkFields(s)
	return s
}

// filter is the field of a parameter: its zero is left out.
func (p *planner) filter(r *resource, parameter *contract.Parameter, remark string, deps *[]string) *field {
	name := parameter.Name
	t := parameter.Type
	if enum, ok := override(p, "filterTypes", filterTypes, r.Path+" "+name); ok {
		t = contract.Type{Kind: "enum", Name: enum}
	}
	goType := p.goType(t, false, deps)
	tag := name + ",omitempty"
	switch {
	case t.Kind == "array" && !parameter.Explode:
		tag = name + ",comma,omitempty"
	case t.Kind == "array", isText(t), t.Kind == "enum":
	default:
		goType = "*" + goType
	}
	return &field{
		Name:    p.fieldName(r.Path, name),
		Type:    goType,
		Tag:     fmt.Sprintf("`url:%q`", tag),
		Comment: remark,
	}
}

// methodDoc is the comment of a method, the resource's own word for it if
// every resource has one.
func (p *planner) methodDoc(r *resource, m *method) string {
	if without, ok := strings.CutSuffix(m.Name, "With"); ok && m.Shares {
		return comment(fmt.Sprintf("%s is [%sService.%s] with what servers take since %s: %s /%s. %s", m.Name, r.Name, without, m.Came, m.HTTP, m.Path, m.Said))
	}
	op := p.facts.Operation(m.HTTP, m.Path)
	text, own := override(p, "operations", operations, op.Method+" "+op.Path)
	with := ""
	if len(m.Params) == 1 {
		with = " with the given " + m.Params[0].Name
	}
	switch {
	case own:
	case m.Name == "List" && m.Kind == "page":
		text = "returns one page of the " + r.Many
	case m.Name == "List":
		text = "returns the " + r.Many
	case m.Name == "Retrieve":
		text = "returns the " + r.One + with
	case m.Name == "Create":
		text = "makes " + article(r.One)
	case m.Name == "Update":
		text = "changes the " + r.One + with + ". Fields that req leaves out are unchanged"
	case m.Name == "Delete":
		text = "deletes the " + r.One + with
	case m.Name == "UsedBy":
		text = "returns what refers to the " + r.One + with
	default:
		p.lacks("operations", op.Method+" "+op.Path, "%s %s: a sentence is missing in operations", op.Method, op.Path)
	}
	first, rest, more := strings.Cut(text, ". ")
	text = m.Name + " " + first + ": " + op.Method + " /" + op.Path + "."
	if more {
		text += " " + rest + "."
	}
	if m.Optional {
		text += " req may be nil."
	}
	if m.MayBeEmpty {
		text += fmt.Sprintf(" Until %s the server answers nothing: what is returned is nil.", p.facts.Release(emptyUntil(op)))
	}
	if !strings.Contains(text, "It needs no token") { // nor a permission then
		text += " " + m.Said
	}
	if h := p.history(op.Spans, r.spans); h != "" {
		text += " " + strings.ToUpper(h[:1]) + h[1:] + "."
	}
	if op.Spans.Last() < r.spans.Last() {
		text += p.deprecation(op.Method+" "+op.Path, op.Spans)
	}
	return comment(text)
}

// emptyUntil is the last version that answers the operation without a body.
func emptyUntil(op *contract.Operation) int {
	last := 0
	for _, answer := range op.Answers {
		if answer.Type.Kind == "" {
			last = max(last, answer.Spans.Last())
		}
	}
	return last
}

// deprecation is the paragraph of what newer servers lack; "" if the newest has it.
func (p *planner) deprecation(key string, spans contract.Spans) string {
	if spans.Last() == p.newest {
		return ""
	}
	successor, ok := override(p, "successors", successors, key)
	switch {
	case !ok:
		p.fail("%s: what newer servers have in its place is missing in successors", key)
	case successor == "":
		successor = "nothing"
	}
	return "\n\nDeprecated: newer servers have " + successor + " in its place."
}

// article returns the noun, which may be a link, with its indefinite article.
func article(noun string) string {
	name := strings.TrimPrefix(noun, "[")
	switch {
	case strings.ContainsAny(name[:1], "aeioAEIO"), slices.ContainsFunc([]string{"LDAP", "SMS", "SSF", "MTLS"}, func(word string) bool { return strings.HasPrefix(name, word) }):
		return "an " + noun
	}
	return "a " + noun
}

// finish writes what the whole resource is known by.
func (p *planner) finish(r *resource) {
	slices.SortStableFunc(r.Methods, func(a, b *method) int { return methodRank(a) - methodRank(b) })
	reads, writes := false, false
	for _, m := range r.Methods {
		p.addNeeds(r, m)
		m.Doc = p.methodDoc(r, m)
		reads = reads || m.HTTP == http.MethodGet
		writes = writes || m.HTTP != http.MethodGet
	}
	what := map[[2]bool]string{{true, false}: "reads", {true, true}: "reads and writes", {false, true}: "writes"}[[2]bool{reads, writes}]
	all := p.where(func(int) bool { return true })
	history := p.history(r.spans, all)
	text := fmt.Sprintf("%sService %s %s.", r.Name, what, r.Many)
	if history != "" {
		text += " Servers have them " + history + "."
	}
	r.History = history
	text += p.deprecation(r.Path, r.spans)
	r.Doc = comment(text)
	for _, schema := range []string{r.Item, r.Retrieved} {
		if s := p.structs[schema]; s != nil && s.ID == "" {
			s.ID = p.identity(schema)
			for _, f := range s.Fields {
				optional := !p.requires(schema, s.ID)
				switch {
				case f.Tag != tagOf(s.ID, ""):
				case optional:
					f.Tag = tagOf(s.ID, "identity,optional")
				case s.ID != "pk":
					f.Tag = tagOf(s.ID, "identity")
				}
			}
		}
	}
}

// requires reports whether every release's schema says that the member is always
// there.
func (p *planner) requires(schema, name string) bool {
	members, _ := p.membersOf(schema)
	for _, m := range members {
		if m.Name == name {
			return !slices.ContainsFunc(m.forms, func(form *contract.Member) bool { return !form.Required })
		}
	}
	return false
}

func methodRank(m *method) int {
	if i := slices.Index([]string{"List", "Retrieve", "Create", "Update", "Delete", "UsedBy"}, m.Name); i >= 0 {
		return i
	}
	if m.HTTP == http.MethodGet {
		return 10
	}
	return 20
}

// identity is the member that tells one object of a list from another.
func (p *planner) identity(schema string) string {
	if id, ok := override(p, "identities", identities, schema); ok {
		return id
	}
	members, _ := p.membersOf(schema)
	for _, name := range []string{"pk", "uuid", "id"} {
		if slices.ContainsFunc(members, func(m *member) bool { return m.Name == name }) {
			return name
		}
	}
	p.lacks("identities", schema, "%s: which member tells its objects apart? Decide in identities", schema)
	return ""
}

// describe writes the sentences of structs, once it is known which list has them.
func (p *planner) describe(s *structType) {
	switch {
	case s.Model:
		text, ok := override(p, "objects", objects, s.Schema)
		if !ok {
			p.lacks("objects", s.Schema, "%s: a sentence is missing in objects", s.Schema)
		}
		first, rest, more := strings.Cut(s.Name+" "+text, ". ")
		if s.Path != "" {
			first += " (" + s.Path + ")"
		}
		if more {
			first += ". " + rest
		}
		s.Doc = comment(first + ".")
	case s.Schema != "":
		model, ok := strings.CutSuffix(s.Schema, "Request")
		text, own := override(p, "objects", objects, s.Schema)
		switch {
		case own:
			text = s.Name + " " + text + "."
		case ok && p.structs[model] != nil && p.structs[model].Path != "":
			text = fmt.Sprintf("%s makes or changes %s.", s.Name, article("["+p.structs[model].Name+"]"))
		case ok && p.structs[model] != nil:
			text = fmt.Sprintf("%s is %s in a request.", s.Name, article("["+p.structs[model].Name+"]"))
		default:
			p.lacks("objects", s.Schema, "%s: a sentence is missing in objects", s.Schema)
		}
		s.Doc = comment(text)
	}
}
