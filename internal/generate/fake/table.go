// Package fake writes the table of what the fake authentik has to know of the API.
package fake

import (
	"bytes"
	"cmp"
	_ "embed" // the template
	"errors"
	"fmt"
	"go/format"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/authentik-go/authentik/internal/contract"
)

// table is what the fake authentik has to know of the API.
type table struct {
	facts      *contract.Facts
	lists      []*list
	objects    map[string]*contract.Object // by the name of what is read
	enums      map[string]bool             // those that are used
	identities map[string]string
	models     map[string]string // the names of models as in meta_model_name, by lower name
	unused     map[string]bool   // keys of filters that no list has asked for
	errs       []error
}

// The template writes these. Their fields are those of the fake's types.
type (
	data struct {
		Versions   []string
		Kinds      []kind
		Operations []operation
		Objects    []object
		Enums      []*contract.Enum
	}
	kind struct {
		Path, Object, Detail, Created, Model, Parameter, Identity, Key, Order, Search, Base string
		Parts, Sets                                                                         []string
		Methods, Methods1                                                                   string // of the list, and of one object
		Filters                                                                             []filter
		history
	}
	filter struct {
		Name, Type, Member, Lookup string
		Required                   bool
		history
	}
	operation struct {
		Method, Path, Answer, Body string
		Status                     int
		Form, NoToken              bool
		history
	}
	object struct {
		Name    string
		Members []member
	}
	member struct {
		Name, Type, Flags, Value, List, Follows string
		history
	}
	// history is the first and the last release that has something, "" if no release
	// before or after it lacks it.
	history struct{ Since, Until string }
)

//go:embed table.go.tmpl
var templateText string

var tableTemplate = template.Must(template.New("").Funcs(template.FuncMap{"quote": quote}).Parse(templateText))

// quote writes a text as Go does, in backquotes if it has quotes.
func quote(text string) string {
	if strings.Contains(text, `"`) && strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// list is a path whose GET answers with a page.
type list struct {
	path, object, detail, created, parameter, placeholder, identity, key, base string
	parts                                                                      []string
	list, one                                                                  []*contract.Operation
	request                                                                    string
}

// Table returns the table as Go source without its first line, the mark of what is generated.
// identities are the members that tell the objects of lists apart, by object.
func Table(facts *contract.Facts, identities map[string]string) ([]byte, error) {
	t := newTable(facts, identities)
	content := t.data()
	for _, key := range slices.Sorted(maps.Keys(t.unused)) {
		t.errs = append(t.errs, fmt.Errorf("no list has the filter %q", key))
	}
	if len(t.errs) > 0 {
		return nil, errors.Join(t.errs...)
	}
	return content.source()
}

func (d data) source() ([]byte, error) {
	var code bytes.Buffer
	if err := tableTemplate.Execute(&code, d); err != nil {
		return nil, err
	}
	return format.Source(code.Bytes())
}

func newTable(facts *contract.Facts, identities map[string]string) *table {
	t := &table{
		facts: facts, identities: identities, objects: map[string]*contract.Object{}, enums: map[string]bool{},
		models: map[string]string{}, unused: map[string]bool{},
	}
	for key := range filters {
		t.unused[key] = true
	}
	for _, o := range facts.Objects {
		t.objects[o.Name] = o
	}
	for _, e := range facts.Enums {
		for _, v := range e.Values {
			if app, model, ok := strings.Cut(v.Value, "."); ok && strings.HasPrefix(app, "authentik_") {
				t.models[model] = v.Value
			}
		}
	}
	t.findLists()
	t.addHidden()
	t.findFamilies()
	return t
}

// data decides all that there is in the table.
func (t *table) data() data {
	d := data{Versions: t.versions(), Operations: t.operations(), Objects: t.objectTypes()}
	for _, l := range t.lists {
		d.Kinds = append(d.Kinds, t.kind(l))
	}
	for _, e := range t.facts.Enums {
		if t.enums[e.Name] { // what came before has named it
			d.Enums = append(d.Enums, e)
		}
	}
	return d
}

func page(o *contract.Operation) *contract.Content {
	if o.Method != http.MethodGet {
		return nil
	}
	for _, answer := range slices.Backward(o.Answers) {
		if answer.Page {
			return answer
		}
	}
	return nil
}

func (t *table) findLists() {
	byPath := map[string][]*contract.Operation{}
	for _, o := range t.facts.Operations {
		byPath[o.Path] = append(byPath[o.Path], o)
	}
	for _, o := range t.facts.Operations {
		answer := page(o)
		if answer == nil {
			continue
		}
		l := &list{path: o.Path, object: answer.Type.Name, list: byPath[o.Path]}
		for path, operations := range byPath {
			placeholder, ok := strings.CutPrefix(path, o.Path+"{")
			if ok && strings.Count(placeholder, "/") == 1 {
				// The newest, if the parameter's name changed.
				if l.one == nil || last(operations) > last(l.one) {
					l.placeholder, _, _ = strings.Cut(placeholder, "}")
					l.one = operations
				}
			}
		}
		t.describe(l)
		t.lists = append(t.lists, l)
	}
	slices.SortFunc(t.lists, func(a, b *list) int { return cmp.Compare(a.path, b.path) })
}

func last(operations []*contract.Operation) int {
	n := -1
	for _, o := range operations {
		n = max(n, o.Spans.Last())
	}
	return n
}

// describe finds out how one object of the list is had and made.
func (t *table) describe(l *list) {
	for _, o := range slices.Concat(l.one, l.list) {
		if o.Method == http.MethodPost || l.request == "" && (o.Method == http.MethodPut || o.Method == http.MethodPatch) {
			if body := contract.Newest(o.Bodies); body != nil {
				l.request = body.Type.Name
			}
			if answer := contract.Newest(o.Answers); o.Method == http.MethodPost && answer != nil && answer.Type.Name != l.object {
				l.created = answer.Type.Name
			}
		}
	}
	for _, o := range l.one {
		if o.Method == http.MethodGet {
			if answer := contract.Newest(o.Answers); answer != nil && answer.Type.Name != l.object {
				l.detail = answer.Type.Name
			}
		}
		if len(o.Parameters) > 0 {
			l.parameter = o.Parameters[0].Type.Kind
		}
	}
	switch l.parameter {
	case "", "uuid", "integer":
	default:
		l.parameter = "string"
	}
	has := func(name string) bool { return t.member(l.object, name) != nil }
	for _, name := range []string{"pk", l.placeholder, "uuid", "id", "pbm_uuid"} {
		if name != "" && has(name) {
			l.key = name
			break
		}
	}
	l.identity = t.identities[l.object]
	if l.parameter == "string" && has(l.placeholder) { // such as a slug
		l.identity = l.placeholder
	}
	l.key = cmp.Or(l.key, l.identity)
}

// member is the newest form of the member of an object, nil if there is none.
func (t *table) member(object, name string) *contract.Member {
	o := t.objects[object]
	if o == nil {
		return nil
	}
	var found *contract.Member
	for _, m := range o.Members {
		if m.Name == name {
			found = m
		}
	}
	return found
}

// addHidden adds to the objects what no answer shows of them.
func (t *table) addHidden() {
	for _, l := range t.lists {
		o := *t.objects[l.object]
		o.Members = slices.Clone(o.Members)
		for _, name := range hidden[l.path] {
			typ := contract.Type{Kind: "boolean"} // of is_backchannel, which has filters of other names
			for _, p := range l.get().Parameters {
				if p.Name == name {
					typ = p.Type
				}
			}
			if typ.Elem != nil {
				typ = *typ.Elem
				typ.Nullable = true
			}
			typ.Nullable = typ.Nullable || typ.Kind == "uuid" || typ.Kind == "integer"
			all := contract.Spans{{First: 0, Last: len(t.facts.Versions) - 1}}
			o.Members = append(o.Members, &contract.Member{Name: name, Type: typ, ReadOnly: true, WriteOnly: true, Spans: all})
		}
		t.objects[l.object] = &o
	}
}

// get is the operation that lists.
func (l *list) get() *contract.Operation {
	return l.list[slices.IndexFunc(l.list, func(o *contract.Operation) bool { return o.Method == http.MethodGet })]
}

// findFamilies finds the lists that hold the objects of others: stages/all/
// those of stages/password/, and the two lists of the same devices each other's.
func (t *table) findFamilies() {
	for _, base := range t.lists {
		above, all := strings.CutSuffix(base.path, "all/")
		if base.path == "endpoints/connectors/" {
			above, all = "endpoints/", true
		}
		for _, part := range t.lists {
			switch {
			case part == base:
			case all && strings.HasPrefix(part.path, above) && part.placeholder == base.placeholder && t.holds(part.object, base.object):
				part.base = base.path
				base.parts = append(base.parts, part.path)
			case part.object == base.object && slices.ContainsFunc(views, func(view [2]string) bool {
				return view == [2]string{base.path, part.path} || view == [2]string{part.path, base.path}
			}) || strings.Replace(part.path, "admin/", "", 1) == base.path || strings.Replace(base.path, "admin/", "", 1) == part.path:
				base.parts = append(base.parts, part.path)
			}
		}
	}
}

// holds reports whether an object is of a kind of another: it has what tells kinds
// apart, if the other has it. A SCIM provider has no more of a provider.
func (t *table) holds(object, other string) bool {
	for _, name := range []string{"pk", "component", "meta_model_name", "policy_engine_mode", "identifier"} {
		if t.member(other, name) != nil && t.member(object, name) == nil {
			return false
		}
	}
	return true
}

// versions are the newest of each release.
func (t *table) versions() []string {
	var newest []string
	for i, version := range t.facts.Versions {
		if i+1 == len(t.facts.Versions) || t.facts.Release(i) != t.facts.Release(i+1) {
			newest = append(newest, version)
		}
	}
	return newest
}

func (t *table) history(spans contract.Spans) history {
	return history{t.facts.Since(spans), t.facts.Until(spans)}
}

func methods(operations []*contract.Operation) string {
	var names []string
	for _, o := range operations {
		names = append(names, o.Method)
	}
	slices.SortFunc(names, contract.CompareMethods)
	return strings.Join(slices.Compact(names), ", ")
}

func (t *table) kind(l *list) kind {
	return kind{
		Path: l.path, Object: l.object, Detail: l.detail, Created: l.created, Model: cmp.Or(modelNames[l.path], l.object),
		Parameter: l.parameter, Identity: l.identity, Key: l.key, Order: t.order(l), Search: t.search(l), Base: l.base, Parts: l.parts,
		Sets: uniqueSets[l.path], Methods: methods(l.list), Methods1: methods(l.one), Filters: t.filters(l), history: t.history(l.get().Spans),
	}
}

// order is what the list is ordered by.
func (t *table) order(l *list) string {
	if order, ok := orders[l.path]; ok {
		return order
	}
	for _, name := range []string{"name", "username", "identifier", "domain"} {
		if t.member(l.object, name) != nil {
			return name
		}
	}
	return l.key
}

func (t *table) search(l *list) string {
	if search, ok := searches[l.path]; ok {
		return search
	}
	var names []string
	for _, name := range searched {
		if m := t.member(l.object, name); m != nil && m.Type.Kind == "string" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

func (t *table) filters(l *list) []filter {
	var parameters []*contract.Parameter
	spans := map[string]contract.Spans{}
	for _, p := range slices.Backward(l.get().Parameters) { // the newest form of each
		if p.In == "query" && !slices.Contains([]string{"page", "page_size", "ordering", "search"}, p.Name) {
			if spans[p.Name] == nil {
				parameters = append(parameters, p)
			}
			spans[p.Name] = append(slices.Clone(p.Spans), spans[p.Name]...)
		}
	}
	slices.SortFunc(parameters, func(a, b *contract.Parameter) int { return cmp.Compare(a.Name, b.Name) })
	var all []filter
	for _, p := range parameters {
		f := filter{Name: p.Name, Type: t.typeName(p.Type), Required: p.Required, history: t.history(spans[p.Name])}
		f.Member, f.Lookup = t.lookup(l, p)
		if strings.HasPrefix(f.Type, "[]") && !p.Explode {
			f.Type = "," + f.Type
		}
		all = append(all, f)
	}
	return all
}

var suffixes = []struct{ suffix, lookup string }{
	{"__icontains", "icontains"},
	{"__iexact", "iexact"},
	{"__isnull", "isNull"},
	{"__gte", "moreOrSame"},
	{"__lte", "lessOrSame"},
	{"__gt", "more"},
	{"__lt", "less"},
	{"__in", "oneOf"},
	{"_in", "oneOf"},
	{"_startswith", "startsWith"},
}

// lookup finds out what a filter looks at, and how. Without a lookup it is one
// that the fake cannot serve.
func (t *table) lookup(l *list, p *contract.Parameter) (path, lookup string) {
	for _, key := range []string{l.path + " " + p.Name, p.Name} {
		if known, ok := filters[key]; ok && (key != p.Name || t.member(l.object, p.Name) == nil) {
			delete(t.unused, key)
			for member := range strings.SplitSeq(known.member, ",") {
				if member != "" && !t.resolves(l.object, member) {
					t.errs = append(t.errs, fmt.Errorf("filter %q of %s looks at %q, which is not there", p.Name, l.path, member))
				}
			}
			return known.member, known.lookup
		}
	}
	if name, ok := strings.CutPrefix(p.Name, "include_"); ok {
		for _, m := range []string{name + "_obj", name} {
			if t.member(l.object, m) != nil {
				return m, "show"
			}
		}
	}
	exact := "exact"
	if p.Type.Kind == "array" {
		exact = "oneOf"
	}
	if t.member(l.object, p.Name) != nil {
		return p.Name, exact
	}
	for _, s := range suffixes {
		if name, ok := strings.CutSuffix(p.Name, s.suffix); ok {
			if path := strings.ReplaceAll(name, "__", "."); t.resolves(l.object, path) {
				return path, s.lookup
			}
		}
	}
	for _, s := range []struct{ suffix, after string }{{"_by_name", ".name"}, {"_by_username", ".username"}, {"_by_pk", ""}} {
		if name, ok := strings.CutSuffix(p.Name, s.suffix); ok {
			name = cmp.Or(aliases[name], name)
			if t.resolves(l.object, name+s.after) {
				return name + s.after, "oneOf"
			}
		}
	}
	if p.Name == l.placeholder {
		return l.identity, exact
	}
	if path := strings.ReplaceAll(p.Name, "__", "."); path != p.Name && t.resolves(l.object, path) {
		return path, exact
	}
	return "", ""
}

// resolves reports whether the path names a member of the object, or one of what a
// member refers to.
func (t *table) resolves(object, path string) bool {
	if path, ok := strings.CutPrefix(path, "<"); ok {
		path, member, _ := strings.Cut(path, " ")
		i := slices.IndexFunc(t.lists, func(l *list) bool { return l.path == path })
		member, rest, deeper := strings.Cut(member, ".")
		return i >= 0 && t.member(t.lists[i].object, member) != nil && (!deeper || t.resolves(t.lists[i].object, rest))
	}
	name, rest, deeper := strings.Cut(path, ".")
	m := t.member(object, name)
	if m == nil || !deeper {
		return m != nil
	}
	if m.Type.Kind == "object" || m.Type.Kind == "any" || rest == "app_label" || rest == "model" {
		return true
	}
	typ := m.Type
	if typ.Elem != nil {
		typ = *typ.Elem
	}
	if typ.Kind == "ref" {
		return t.resolves(typ.Name, rest)
	}
	for _, l := range t.lists {
		if l.path == t.reference(object, m) {
			return rest == "id" || rest == l.placeholder || t.resolves(l.object, rest)
		}
	}
	return false
}

// reference is the list of what a member refers to, "" if it is not known.
func (t *table) reference(object string, m *contract.Member) string {
	typ := m.Type
	if typ.Elem != nil {
		typ = *typ.Elem
	}
	if typ.Kind == "ref" {
		if path, ok := strings.CutPrefix(typ.Name, "Partial"); ok {
			typ.Name = path
		}
		return partials[typ.Name]
	}
	if typ.Kind != "uuid" && typ.Kind != "integer" {
		return ""
	}
	if path, ok := references[object+"."+m.Name]; ok {
		return path
	}
	if path, ok := references[m.Name]; ok && (typ.Kind == "integer") == numbered[path] {
		return path
	}
	for _, s := range referenceSuffixes {
		if strings.HasSuffix(m.Name, s[0]) && (typ.Kind == "integer") == numbered[s[1]] {
			return s[1]
		}
	}
	return ""
}

// typeName is a type as the table has it.
func (t *table) typeName(typ contract.Type) string {
	switch typ.Kind {
	case "array":
		return "[]" + t.typeName(*typ.Elem)
	case "map":
		return "{}" + t.typeName(*typ.Elem)
	case "ref":
		return typ.Name
	case "enum":
		t.enums[typ.Name] = true
		return typ.Name
	}
	return typ.Kind
}

// others are the operations beside those of lists and of their objects.
func (t *table) others() []*contract.Operation {
	var operations []*contract.Operation
	for _, o := range t.facts.Operations {
		if !slices.ContainsFunc(t.lists, func(l *list) bool {
			return slices.Contains(l.list, o) || strings.HasPrefix(o.Path, l.path+"{") && strings.Count(o.Path, "/") == strings.Count(l.path, "/")+1
		}) && o.Path != "schema/" && !strings.HasPrefix(o.Path, "flows/executor/") && !strings.HasPrefix(o.Path, "flows/inspector/") {
			operations = append(operations, o)
		}
	}
	return operations
}

func (t *table) operations() []operation {
	var all []operation
	for _, o := range t.others() {
		one := operation{Method: o.Method, Path: placeholders(o.Path), NoToken: o.NoToken, history: t.history(o.Spans)}
		if answer := contract.Newest(o.Answers); answer != nil {
			one.Status = answer.Status
			if answer.Type.Kind != "" {
				one.Answer = t.typeName(answer.Type)
			}
		}
		if body := contract.Newest(o.Bodies); body != nil {
			one.Body = t.typeName(body.Type)
			one.Form = body.Media == "multipart/form-data"
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b operation) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// placeholders leaves out the names of parameters: core/users/{}/set_password/.
func placeholders(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

func (t *table) objectTypes() []object {
	listed := map[string][]*list{} // by the object
	for _, l := range t.lists {
		listed[l.object] = append(listed[l.object], l)
		if l.detail != "" {
			listed[l.detail] = append(listed[l.detail], l)
		}
	}
	reached := map[string][]merged{}
	var reach func(typ string)
	reach = func(typ string) {
		name := strings.TrimLeft(typ, "[]{}")
		o := t.objects[name]
		if o == nil || reached[name] != nil {
			return
		}
		read := func(int) *contract.Object { return o }
		sent := func(int) *contract.Object { return t.objects[name+"Request"] }
		if lists := listed[name]; lists != nil {
			if name == lists[0].object {
				read = func(v int) *contract.Object { return t.listedAt(lists, v) }
			}
			sent = func(v int) *contract.Object { return t.sentAt(lists, v) }
		}
		reached[name] = t.merge(read, sent)
		for _, m := range reached[name] {
			reach(t.typeName(m.Type))
		}
	}
	for _, l := range t.lists {
		reach(l.object)
		reach(l.detail)
		reach(l.created)
	}
	for _, o := range t.others() {
		for _, content := range slices.Concat(o.Answers, o.Bodies) {
			reach(t.typeName(content.Type))
		}
	}
	var all []object
	for _, name := range slices.Sorted(maps.Keys(reached)) {
		if len(reached[name]) == 0 {
			continue
		}
		one := object{Name: name}
		for _, m := range reached[name] {
			one.Members = append(one.Members, t.memberOf(t.objects[name], m, listed[name] != nil))
		}
		all = append(all, one)
	}
	return all
}

// listedAt is what the lists had in a version.
func (t *table) listedAt(lists []*list, version int) *contract.Object {
	for _, l := range lists {
		for _, o := range l.list {
			for _, answer := range o.Answers {
				if o.Method == http.MethodGet && answer.Spans.Has(version) {
					return t.objects[answer.Type.Name]
				}
			}
		}
	}
	return t.objects[lists[0].object]
}

// sentAt is what a create, or a change if there is none, took in a version.
func (t *table) sentAt(lists []*list, version int) *contract.Object {
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		for _, l := range lists {
			for _, o := range slices.Concat(l.list, l.one) {
				for _, body := range o.Bodies {
					if o.Method == method && body.Spans.Has(version) {
						return t.objects[body.Type.Name]
					}
				}
			}
		}
	}
	return nil
}

// merged is a form of a member: of what is read, of what is sent, or of both, and
// the versions that have it so.
type merged struct {
	*contract.Member
	read, sent   *contract.Member
	since, until int // -1 is all there are
}

// merge joins the members of what is read and of what is sent to make it, the
// newest form first. Either may have another name in another version.
func (t *table) merge(read, sent func(version int) *contract.Object) []merged {
	newest := len(t.facts.Versions) - 1
	names := map[string]bool{}
	first, last := newest, 0
	for v := range t.facts.Versions {
		for _, o := range []*contract.Object{read(v), sent(v)} {
			if o == nil {
				continue
			}
			for _, m := range o.Members {
				if m.Spans.Has(v) {
					names[m.Name] = true
					first, last = min(first, v), max(last, v)
				}
			}
		}
	}
	var members []merged
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var run *merged
		for v := last; v >= first; v-- {
			r, s := formAt(read(v), name, v), formAt(sent(v), name, v)
			switch {
			case r == nil && s == nil:
				run = nil
			case run != nil && same(run.read, r) && same(run.sent, s):
				run.since = v
			default:
				members = append(members, merged{Member: cmp.Or(r, s), read: r, sent: s, since: v, until: v})
				run = &members[len(members)-1]
			}
		}
	}
	for i := range members {
		if members[i].since == first {
			members[i].since = -1
		}
		if members[i].until == last {
			members[i].until = -1
		}
	}
	return members
}

func formAt(o *contract.Object, name string, version int) *contract.Member {
	if o == nil {
		return nil
	}
	for _, m := range o.Members {
		if m.Name == name && m.Spans.Has(version) {
			return m
		}
	}
	return nil
}

func same(a, b *contract.Member) bool {
	return a == b || a != nil && b != nil && a.String() == b.String()
}

// changes reports whether a PATCH of the object takes the member.
func (t *table) changes(o *contract.Object, m *contract.Member) bool {
	request := o.Name + "Request"
	takes := func(body *contract.Content) bool { return body.Type.Name == request }
	return slices.ContainsFunc(t.facts.Operations, func(op *contract.Operation) bool {
		return op.Method == http.MethodPatch && slices.ContainsFunc(op.Bodies, takes)
	}) && slices.ContainsFunc(t.objects[request].Members, func(other *contract.Member) bool { return other.Name == m.Name })
}

func (t *table) memberOf(o *contract.Object, m merged, listed bool) member {
	typ := m.Type
	if m.sent != nil && m.sent.Type.Kind == "enum" {
		typ = m.sent.Type
	}
	isRequest := strings.HasSuffix(o.Name, "Request")
	var flags []string
	value := m.Default
	if m.sent != nil {
		value = cmp.Or(m.sent.Default, value)
	}
	switch {
	case m.ReadOnly:
		flags = append(flags, "readOnly")
	case m.sent == nil && !isRequest && (listed || t.objects[o.Name+"Request"] != nil):
		if !t.changes(o, m.Member) {
			flags = append(flags, "readOnly")
		}
	case m.sent != nil && m.sent.Required, m.sent == nil && m.Required:
		flags = append(flags, "required")
	}
	if m.Type.Nullable || m.sent != nil && m.sent.Type.Nullable {
		flags = append(flags, "nullable")
	}
	if m.read == nil || m.WriteOnly {
		flags = append(flags, "writeOnly")
	}
	if t.isUnique(o, m) {
		flags = append(flags, "unique")
	}
	if sent := cmp.Or(m.sent, m.Member); slices.Contains([]string{"string", "uri", "email"}, typ.Kind) && sent.MinLength == 0 {
		flags = append(flags, "blank")
	}
	one := member{
		Name: m.Name, Type: t.typeName(typ), Flags: strings.Join(flags, "|"),
		Value: cmp.Or(defaults[o.Name+"."+m.Name], t.constant(o.Name, m.Name), value),
		List:  t.reference(o.Name, m.Member), Follows: t.follows(o, m),
	}
	if m.since >= 0 {
		one.Since = t.facts.Release(m.since)
	}
	if m.until >= 0 {
		one.Until = t.facts.Release(m.until)
	}
	return one
}

func (t *table) isUnique(o *contract.Object, m merged) bool {
	for _, l := range t.lists {
		if l.object == o.Name && m.sent != nil && m.Type.Kind == "string" {
			if names, ok := uniques[cmp.Or(l.base, l.path)]; ok {
				return slices.Contains(strings.Split(names, ","), m.Name)
			}
			return l.parameter == "string" && l.identity == m.Name
		}
	}
	return false
}

// follows is the member whose objects this one shows: users of users_obj.
func (t *table) follows(o *contract.Object, m merged) string {
	name, ok := strings.CutSuffix(m.Name, "_obj")
	if !ok {
		return ""
	}
	if base := t.member(o.Name, name); base != nil && t.reference(o.Name, base) != "" {
		return name
	}
	return ""
}

// constant is what each object of a kind says of itself.
func (t *table) constant(object, member string) string {
	model := t.models[strings.ToLower(object)]
	for _, l := range t.lists {
		if l.object != object || l.list[0].Spans.Last() < len(t.facts.Versions)-1 || len(l.parts) > 0 && strings.HasSuffix(l.path, "/all/") {
			continue
		}
		names := cmp.Or(verboseNames[l.path], acronyms.Replace(words(object)))
		switch member {
		case "component":
			return strconv.Quote(cmp.Or(components[l.path], component(l.path)))
		case "meta_model_name":
			return strconv.Quote(model)
		case "verbose_name":
			return strconv.Quote(names)
		case "verbose_name_plural":
			return strconv.Quote(plural(names))
		}
	}
	return ""
}

func plural(names string) string {
	if y, ok := strings.CutSuffix(names, "y"); ok && !strings.HasSuffix(names, "Key") {
		return y + "ies"
	}
	return names + "s"
}

// words parts the name of a type: Password Stage.
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		upper := r >= 'A' && r <= 'Z'
		if i > 0 && upper && (name[i-1] >= 'a' && name[i-1] <= 'z' || name[i-1] >= '0' && name[i-1] <= '9' ||
			i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z') {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// component is the name of the form in authentik's interface.
func component(path string) string {
	path = strings.TrimSuffix(path, "/")
	path = strings.TrimSuffix(path, "/stages")
	group, rest, _ := strings.Cut(path, "/")
	rest = strings.NewReplacer("/", "-", "_", "-").Replace(rest)
	switch group {
	case "stages", "sources", "providers":
		group = strings.TrimSuffix(group, "s")
	case "policies":
		group = "policy"
	case "propertymappings":
		group = "property-mapping"
	}
	return "ak-" + group + "-" + rest + "-form"
}
