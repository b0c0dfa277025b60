package authentiktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Objects are the objects of one list that a [Server] holds. ID is what the API
// finds one by: a uuid.UUID, an int, or a string for a slug or an identifier.
type Objects[T, ID any] struct {
	server *Server
	path   string
}

// Stages are the stages of one kind that a [Server] holds.
type Stages[T any] = Objects[T, uuid.UUID]

func objectsAt[T, ID any](s *Server, path string) *Objects[T, ID] { return &Objects[T, ID]{s, path} }

// Add adds an object and returns it as the server has it. What object leaves
// zero is filled in: an identity that no other has, a name, the names of its
// kind, the server's defaults, an id of its own for each that may not be null. Booleans and numbers stay as they are. What it refers to need
// not be in the server. Add panics if the list has an object of that identity.
func (o *Objects[T, ID]) Add(object T) T {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	return decode[T](o.server, o.server.add(o.server.list(o.path), toMembers(object)))
}

// Update lets change alter the object with the given identity, and reports
// whether there is one. change must not call the server.
func (o *Objects[T, ID]) Update(id ID, change func(object *T)) bool {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	old := o.server.list(o.path).byID[fmt.Sprint(id)]
	if old == nil {
		return false
	}
	object := decode[T](o.server, old)
	change(&object)
	members := toMembers(object)
	for name, value := range old.members { // what is never answered stays
		if _, ok := members[name]; !ok {
			members[name] = value
		}
	}
	o.server.replace(old, o.server.given(old.list, members))
	o.server.saved(old, false)
	return true
}

// Remove removes the object with the given identity, and reports whether there
// was one.
func (o *Objects[T, ID]) Remove(id ID) bool {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	old := o.server.list(o.path).byID[fmt.Sprint(id)]
	if old == nil {
		return false
	}
	o.server.remove(old)
	return true
}

// All returns the objects in the order in which they were added, those that
// clients created too.
func (o *Objects[T, ID]) All() []T {
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	l := o.server.list(o.path)
	objects := make([]T, len(l.objects))
	for i, object := range l.objects {
		objects[i] = decode[T](o.server, object)
	}
	return objects
}

// AddObjects adds objects to the list at path, which is below /api/v3/: for
// example "core/users/". They are what encoding/json makes of objects; it panics
// if that is no JSON object, or one that is there already. A list of authentik
// fills in what they lack, as [Objects.Add] does. Any other list has pages, is
// ordered and searched by name, each member that is neither list nor object is a
// filter, and one object is found at its pk.
func (s *Server) AddObjects(path string, objects ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	trimmed := strings.Trim(path, "/") + "/"
	if strings.HasPrefix(trimmed, "api/v3/") || strings.ContainsAny(path, "?#{}") || strings.Contains(trimmed, "//") || trimmed == "/" {
		panic(fmt.Sprintf("authentiktest: AddObjects at %q: the path is below /api/v3/, as core/users/", path))
	}
	l := s.list(trimmed)
	for _, object := range objects {
		s.add(l, toMembers(object))
	}
}

// list is a list of the API and its objects.
type list struct {
	path    string
	kind    *kind     // nil of a list that authentik does not have
	objects []*object // in the order in which they were added
	ordered ordered
	byID    map[string]*object
	byKey   map[string]*object
	taken   map[string]map[string]*object // by unique member, then value
	added   int
	columns map[string][]any    // a member of all objects, for each that a query has looked at
	texts   map[string][]string // what a search looks at, of all objects, by its members
	answers map[string]pages    // to queries, since the changes of the server were so many
	changes int
}

// object is an object of a list.
type object struct {
	list    *list
	place   int // in the list
	id, key string
	members map[string]any // as encoding/json decodes them, with json.Number
}

// list returns the list at the path. It begins with the first use.
func (s *Server) list(path string) *list {
	l := s.lists[path]
	if l == nil {
		l = &list{
			path: path, kind: kindOf(path),
			byID: map[string]*object{}, byKey: map[string]*object{}, taken: map[string]map[string]*object{},
			columns: map[string][]any{}, texts: map[string][]string{},
		}
		l.ordered.fields = []string{"name"}
		if l.kind != nil {
			l.ordered.fields = strings.Split(l.kind.order, ",")
			for _, m := range s.members(l.kind.object) {
				if m.is(unique) {
					l.taken[m.name] = map[string]*object{}
				}
			}
		}
		s.lists[path] = l
	}
	return l
}

// family are the lists that show the same objects: the list itself, and its parts.
func (s *Server) family(l *list) []*list {
	lists := []*list{l}
	if l.kind != nil {
		for _, path := range l.kind.parts {
			lists = append(lists, s.list(path))
		}
	}
	for _, path := range moreParts[l.path] {
		if k := kindOf(path); s.has(k.since, k.until) {
			lists = append(lists, s.list(path))
		}
	}
	return lists
}

// targets stands for the lists whose objects policies are bound to.
const targets = "policies/targets/"

// moreParts are parts whose objects have another form than those of the whole.
var moreParts = map[string][]string{
	"propertymappings/all/": {"propertymappings/notification/"},
	"sources/all/":          {"sources/scim/"},
	oauth2Providers:         {"providers/proxy/"}, // which are of both kinds
	"providers/saml/":       {"providers/wsfed/"},
	targets: {
		"core/applications/", "core/application_entitlements/", "endpoints/device_access_groups/", "endpoints/devices/",
		"events/rules/", "flows/bindings/", "flows/instances/", "rac/endpoints/", "sources/kerberos/", "sources/ldap/",
		"sources/oauth/", "sources/plex/", "sources/saml/", "sources/scim/", "sources/telegram/",
	},
}

// relatives are the lists whose objects share names and numbers with those of l.
func (s *Server) relatives(l *list) []*list {
	if l.kind != nil && l.kind.base != "" {
		return s.family(s.list(l.kind.base))
	}
	return s.family(l)
}

// one returns the object of the list with the identity, nil if there is none.
func (s *Server) one(l *list, id string) *object {
	for _, part := range s.family(l) {
		if o := part.byID[id]; o != nil {
			return o
		}
	}
	return nil
}

// referred returns what a reference to the list at path refers to, nil if it is
// not in the server.
func (s *Server) referred(path, key string) *object {
	for _, part := range s.family(s.list(path)) {
		if o := part.byKey[key]; o != nil {
			return o
		}
	}
	return nil
}

// referredBy is referred, also by the uuid of a user.
func (s *Server) referredBy(path, key string) *object {
	o := s.referred(path, key)
	if o == nil && path == "core/users/" && strings.Contains(key, "-") {
		i := slices.IndexFunc(s.list(path).objects, func(o *object) bool { return o.members["uuid"] == key })
		if i >= 0 {
			o = s.list(path).objects[i]
		}
	}
	return o
}

// exists reports whether there is something to refer to: it is in the server, or
// named by what a test added.
func (s *Server) exists(path, key string) bool {
	return s.named[path][key] || s.referred(path, key) != nil
}

// add adds what a test gave.
func (s *Server) add(l *list, members map[string]any) *object {
	o := s.newObject(l, s.given(l, members))
	if o.id != "" && s.one(l, o.id) != nil {
		panic(fmt.Sprintf("authentiktest: %s has an object %q already", l.path, o.id))
	}
	s.put(o)
	s.saved(o, true)
	return o
}

// given fills in what a test left out, and remembers what it names.
func (s *Server) given(l *list, members map[string]any) map[string]any {
	if l.kind == nil {
		return members
	}
	for _, m := range s.members(l.kind.object) {
		if shown := members[m.name]; m.follows != "" && isEmpty(members[m.follows]) && !isEmpty(shown) {
			members[m.follows] = s.keysOf(m.list, shown)
		}
	}
	if l.path == "core/users/" && members["username"] == "akadmin" {
		s.fillAkadmin(members)
	}
	s.fill(l, l.kind.object, members)
	if l.path == "flows/instances/" {
		fillFlow(members)
	}
	if l.path == oauth2Providers {
		fillProvider(members)
	}
	s.name(l.kind.object, members)
	return members
}

// fillAkadmin gives akadmin what every server gives it.
func (s *Server) fillAkadmin(user map[string]any) {
	user["is_active"] = true
	if admins := s.list("core/groups/").taken["name"]["authentik Admins"]; admins != nil && isEmpty(user["groups"]) {
		user["groups"] = []any{admins.members["pk"]}
	}
}

// keysOf are the keys of objects that are shown in full.
func (s *Server) keysOf(path string, shown any) any {
	key := "pk"
	if k := kindOf(path); k != nil {
		key = k.key
	}
	switch shown := shown.(type) {
	case map[string]any:
		return shown[key]
	case []any:
		keys := []any{}
		for _, one := range shown {
			if one, ok := one.(map[string]any); ok {
				keys = append(keys, one[key])
			}
		}
		return keys
	}
	return nil
}

// name remembers what the members refer to, so that it can be referred to again.
func (s *Server) name(typ string, members map[string]any) {
	for _, m := range s.members(typ) {
		if m.list == "" {
			continue
		}
		value := members[m.name]
		path := m.list
		if m.fact != nil && m.fact.Slug != "" {
			path += " " + m.fact.Slug
		}
		element := strings.TrimLeft(m.typ, "[]")
		if isObject(element) {
			value = s.keysOf(m.list, value)
		}
		for _, key := range flat(value) {
			s.named[path] = named(s.named[path], canonical(key))
		}
	}
}

func (s *Server) newObject(l *list, members map[string]any) *object {
	o := &object{list: l, members: members}
	if l.kind == nil {
		o.id = canonical(members["pk"])
		o.key = o.id
		return o
	}
	if l.kind.identity != "" {
		o.id = canonical(members[l.kind.identity])
	}
	if l.kind.key != "" {
		o.key = canonical(members[l.kind.key])
	}
	return o
}

// put adds the object to its list.
func (s *Server) put(o *object) {
	l := o.list
	o.place = len(l.objects)
	l.objects = append(l.objects, o)
	for name, column := range l.columns {
		l.columns[name] = append(column, nil)
	}
	for fields, texts := range l.texts {
		l.texts[fields] = append(texts, "")
	}
	s.index(o)
	l.ordered.insert(o)
}

// alias is the other id of what policies are bound to.
func (o *object) alias() string { return canonical(o.members["policybindingmodel_ptr_id"]) }

// column is a member of all objects of the list. A query looks at it faster than
// at the members of each.
func (l *list) column(name string) []any {
	column, ok := l.columns[name]
	if !ok {
		column = make([]any, len(l.objects))
		for i, o := range l.objects {
			column[i] = o.members[name]
		}
		l.columns[name] = column
	}
	return column
}

// changed renews what the list knows of the members of o.
func (o *object) changed() {
	for name, column := range o.list.columns {
		column[o.place] = o.members[name]
	}
	for fields, texts := range o.list.texts {
		texts[o.place] = o.text(fields)
	}
}

func (s *Server) index(o *object) {
	l := o.list
	l.byID[o.id] = o
	if o.key != "" {
		l.byKey[o.key] = o
	}
	if alias := o.alias(); alias != "" {
		l.byKey[alias] = o
	}
	for name, taken := range l.taken {
		if value := canonical(o.members[name]); value != "" {
			taken[value] = o
		}
	}
	o.changed()
	s.mirror(o, true)
	s.changes++
}

func (s *Server) forget(o *object) {
	l := o.list
	for _, objects := range []map[string]*object{l.byID, l.byKey} {
		for _, id := range []string{o.id, o.key, o.alias()} {
			if objects[id] == o {
				delete(objects, id)
			}
		}
	}
	for name, taken := range l.taken {
		if value := canonical(o.members[name]); taken[value] == o {
			delete(taken, value)
		}
	}
	s.changes++
}

// replace gives the object other members.
func (s *Server) replace(o *object, members map[string]any) {
	o.list.ordered.remove(o)
	s.forget(o)
	s.mirror(o, false)
	place := o.place
	*o = *s.newObject(o.list, members)
	o.place = place
	s.index(o)
	o.list.ordered.insert(o)
}

func (s *Server) remove(o *object) {
	o.list.ordered.remove(o)
	s.forget(o)
	s.mirror(o, false)
	l, i := o.list, o.place
	l.objects = slices.Delete(l.objects, i, i+1)
	for name, column := range l.columns {
		l.columns[name] = slices.Delete(column, i, i+1)
	}
	for fields, texts := range l.texts {
		l.texts[fields] = slices.Delete(texts, i, i+1)
	}
	for _, after := range l.objects[i:] {
		after.place--
	}
}

// mirrors are members that say the same of two objects: the groups of a user are
// those that have it among their users.
var mirrors = []struct{ path, member, otherPath, other string }{
	{"core/users/", "groups", "core/groups/", "users"},
	{"core/groups/", "users", "core/users/", "groups"},
	{"core/groups/", "parents", "core/groups/", "children"},
	{"core/groups/", "children", "core/groups/", "parents"},
}

// mirror has what o refers to refer to o, or no longer.
func (s *Server) mirror(o *object, on bool) {
	s.assign(o, on)
	for _, m := range mirrors {
		if o.list.path != m.path {
			continue
		}
		for _, key := range flat(o.members[m.member]) {
			other := s.referred(m.otherPath, canonical(key))
			if other == nil {
				continue
			}
			self := o.members[o.list.kind.key]
			keys := slices.DeleteFunc(slices.Clone(flat(other.members[m.other])), func(key any) bool { return key == self })
			if on {
				keys = append(keys, self)
			}
			other.members[m.other] = keys
			other.changed()
		}
	}
}

// members are the members of a type, in the form of the server's release.
func (s *Server) members(typ string) []*member {
	if members, ok := s.forms[typ]; ok {
		return members
	}
	var members []*member
	all := membersOf(typ)
	for i := range all {
		m := &all[i]
		if s.has(m.since, m.until) && (len(members) == 0 || members[len(members)-1].name != m.name) {
			members = append(members, m)
		}
	}
	members = s.informed(typ, members)
	s.forms[typ] = members
	return members
}

func (s *Server) member(typ, name string) *member {
	for _, m := range s.members(typ) {
		if m.name == name {
			return m
		}
	}
	return nil
}

// fill gives the members of an object that are missing or zero their defaults.
// l is nil for an object in another.
func (s *Server) fill(l *list, typ string, members map[string]any) {
	if l != nil {
		l.added++
	}
	for _, m := range s.members(typ) {
		value, given := members[m.name]
		switch {
		case isObject(strings.TrimLeft(m.typ, "[]")) && m.follows == "":
			for _, one := range flat(value) {
				if one, ok := one.(map[string]any); ok {
					s.fill(nil, strings.TrimLeft(m.typ, "[]"), one)
					if strings.TrimLeft(m.typ, "[]") == "FlowSet" {
						fillFlow(one)
					}
				}
			}
			fallthrough
		default:
			if !given || isZero(m, value) {
				members[m.name] = s.zero(l, m)
			}
		}
		if m.follows != "" && m.until != "" && isEmpty(value) {
			delete(members, m.name)
		}
	}
}

// isZero reports whether a test left the member out: Go has no other word for it.
func isZero(m *member, value any) bool {
	switch value {
	case nil:
		return !m.is(nullable)
	case "":
		return !m.is(nullable) || m.value != ""
	case uuid.Nil.String():
		return true
	case json.Number("0"):
		return m.typ == "integer" && m.is(readOnly) && (m.name == "pk" || m.name == "id" || m.name == "num_pk")
	}
	text, _ := value.(string)
	return strings.HasPrefix(text, "0001-01-01")
}

// zero is the value of a member that nobody gave.
func (s *Server) zero(l *list, m *member) any {
	if value, known := m.initial(); known && (!m.is(required) || !isEmpty(value)) {
		return value
	}
	if m.value != "" {
		return fromJSON(m.value)
	}
	if m.is(nullable) {
		return nil
	}
	switch m.typ {
	case "string":
		if strings.HasSuffix(m.name, "uuid") || m.name == "id" {
			return uuid.NewString()
		}
		if l != nil && l.kind != nil && (m.is(unique) || m.name == l.kind.identity || m.is(required) && !m.is(blank)) {
			if verbose := s.member(l.kind.object, "verbose_name"); verbose != nil && verbose.value != "" {
				return fmt.Sprintf("%s %d", fromJSON(verbose.value), l.added)
			}
			if m.name == "name" {
				return fmt.Sprintf("%s %d", l.kind.model, l.added)
			}
			return fmt.Sprintf("%s-%d", strings.ToLower(l.kind.model), l.added)
		}
		return ""
	case "uri", "email", "binary":
		return ""
	case "uuid":
		return uuid.NewString()
	case "boolean":
		return false
	case "integer", "int64", "number", "double":
		if l != nil && l.kind != nil && (m.name == l.kind.identity || m.name == l.kind.key) {
			return json.Number(strconv.Itoa(s.next(l)))
		}
		return json.Number("0")
	case "date-time":
		return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	case "date":
		return time.Now().UTC().Format(time.DateOnly)
	case "object":
		return map[string]any{}
	case "any":
		return nil
	}
	if strings.HasPrefix(m.typ, "[]") {
		return []any{}
	}
	if strings.HasPrefix(m.typ, "{}") {
		return map[string]any{}
	}
	if e := enumOf(m.typ); e != nil {
		if e.number {
			return json.Number(e.values[0])
		}
		return e.values[0]
	}
	one := map[string]any{}
	s.fill(nil, m.typ, one)
	return one
}

// next is a number that no object has.
func (s *Server) next(l *list) int {
	first := s.relatives(l)[0].path
	for {
		s.numbers[first]++
		n := s.numbers[first]
		if !slices.ContainsFunc(s.relatives(l), func(l *list) bool { return l.byKey[strconv.Itoa(n)] != nil }) {
			return n
		}
	}
}

// shown is the object as the list l answers with it. typ is the type that the
// answer has, and left out are the members that the query does not want.
func (s *Server) shown(o *object, l *list, typ string, leftOut map[string]bool) map[string]any {
	if l.kind == nil {
		return o.members
	}
	if l.kind.base != "" && o.list != l { // it is of the kind of l too
		as := *o
		as.list, as.members = l, maps.Clone(o.members)
		for _, name := range []string{"component", "verbose_name", "verbose_name_plural", "meta_model_name"} {
			delete(as.members, name)
		}
		o = &as
	}
	if l.path == "policies/all/" { // which shows each by its own kind
		typ = o.list.kind.object
	}
	members := s.show(o.members, typ)
	for _, name := range []string{"icon", "icon_url"} { // which each kind of source computes
		if _, ok := members[name]; ok && l != o.list {
			members[name] = s.compute(o.list.kind.object, name, o.members, members[name])
		}
	}
	s.constants(o, members)
	if o.list == l {
		for name, value := range o.members { // what the SDK does not know
			if _, ok := members[name]; !ok && s.unknown(typ, name, value) {
				members[name] = value
			}
		}
	}
	for name, left := range leftOut {
		if _, ok := members[name]; ok && left {
			members[name] = nil
		}
	}
	return members
}

// constants sets what an object says of its kind, in the words of the release.
func (s *Server) constants(o *object, shown map[string]any) {
	facts := s.facts().Lists[o.list.path]
	if _, ok := shown["meta_model_name"]; !ok || facts == nil || s.facts().Models[facts.Model] == nil {
		return
	}
	verbose := s.facts().Models[facts.Model].Verbose
	names := map[string]any{"meta_model_name": facts.Model, "verbose_name": verbose, "verbose_name_plural": verbose + "s"}
	if y, ok := strings.CutSuffix(verbose, "y"); ok && !strings.HasSuffix(verbose, "Key") {
		names["verbose_name_plural"] = y + "ies"
	}
	for name, value := range names {
		m := s.member(o.list.kind.object, name)
		if given := o.members[name]; m == nil || isEmpty(given) || m.value != "" && given == fromJSON(m.value) { // else a test gave it
			shown[name] = value
		}
	}
	if kind, ok := strings.CutPrefix(o.list.path, "propertymappings/"); ok && (!strings.Contains(kind, "/") || strings.Count(kind, "/") == 1) {
		shown["component"] = "ak-property-mapping-" + strings.TrimSuffix(kind, "/") + "-form"
	}
}

// unknown reports whether the member is of no release: a test gave it as Extra. The
// SDK's models have some that the type has not; they are zero.
func (s *Server) unknown(typ, name string, value any) bool {
	return !isEmpty(value) && value != false && name[0] != '.' && !knows(typ, name)
}

// knows reports whether any release has the member.
func knows(typ, name string) bool {
	return slices.ContainsFunc(membersOf(typ), func(m member) bool { return m.name == name })
}

// absent are members of the schema that no server answers with.
var absent = map[string][]string{
	"GroupKerberosSourceConnection": {"source_obj"},
	"GroupLDAPSourceConnection":     {"source_obj"},
	"GroupOAuthSourceConnection":    {"source_obj"},
	"GroupPlexSourceConnection":     {"source_obj"},
	"GroupSAMLSourceConnection":     {"source_obj"},
	"GroupTelegramSourceConnection": {"source_obj"},
	"GroupSourceConnection":         {"source_obj"},
}

// asBase has objects that a member shows say no more of their kind than what they
// are based on: a provider, a source.
func (s *Server) asBase(m *member, model string, shown any) {
	base := s.facts().Models[model]
	if k := kindOf(m.list); base == nil || k == nil || len(k.parts) == 0 {
		return
	}
	for _, one := range flat(shown) {
		one, _ := one.(map[string]any)
		if _, ok := one["component"]; !ok {
			continue
		}
		one["component"], one["meta_model_name"] = "", base.Name
		one["verbose_name"], one["verbose_name_plural"] = base.Verbose, base.Verbose+"s"
		for _, name := range []string{"icon", "icon_url"} {
			if _, ok := one[name]; ok && (name == "icon_url" || !s.atLeast("2025.12")) {
				one[name] = nil
			}
		}
	}
}

// show is what an object answers, as a type.
func (s *Server) show(members map[string]any, typ string) map[string]any {
	shown := make(map[string]any, len(members))
	for _, m := range s.members(typ) {
		value, given := members[m.name]
		switch {
		case m.is(writeOnly):
			continue
		case m.follows != "":
			if slices.Contains(absent[typ], m.name) {
				continue
			}
			value = s.follow(m, members[m.follows], value)
			if of := s.member(typ, m.follows); of != nil && of.fact != nil && !of.fact.Inherits && m.name != "provider_obj" {
				s.asBase(m, of.fact.Related, value)
			}
		case !given && m.list != "" && m.typ == "uuid": // another kind of object has it: a SCIM provider no authorization_flow
			value = nil
		case !given:
			value = s.zero(nil, m)
		default:
			value = s.showAs(strings.TrimPrefix(m.typ, "[]"), value)
		}
		if value = s.compute(typ, m.name, members, value); m.name == "icon" && !s.atLeast("2024.2") && isEmpty(members["icon"]) {
			continue // which it fails to find
		}
		if m.skips && (value == nil || value == "") && !s.atLeast("2024.2") {
			if !strings.HasPrefix(m.name, "assigned_application") { // of which it knows that there is none
				continue
			}
			value = nil
		}
		shown[m.name] = value
	}
	return shown
}

// showAs is what objects in others answer: the value, or the elements of a list,
// as a type.
func (s *Server) showAs(typ string, value any) any {
	if !isObject(typ) {
		return value
	}
	switch value := value.(type) {
	case map[string]any:
		shown := s.show(value, typ)
		for name, member := range value {
			if s.unknown(typ, name, member) {
				shown[name] = member
			}
		}
		return shown
	case []any:
		shown := make([]any, len(value))
		for i, one := range value {
			shown[i] = s.showAs(typ, one)
		}
		return shown
	}
	return value
}

// follow shows what the reference refers to. What is not in the server is shown
// as it was given, or by its key and defaults.
func (s *Server) follow(m *member, reference, given any) any {
	typ, many := strings.CutPrefix(m.typ, "[]")
	if !many {
		if reference == nil {
			return nil
		}
		return s.target(m.list, typ, reference, given)
	}
	shown := []any{}
	for _, key := range flat(reference) {
		shown = append(shown, s.target(m.list, typ, key, given))
	}
	return shown
}

func (s *Server) target(path, typ string, key, given any) any {
	if o := s.referredBy(path, canonical(key)); o != nil {
		if typ == "Policy" { // which is shown by its own kind
			typ = o.list.kind.object
		}
		shown := s.show(o.members, typ)
		for _, name := range []string{"children_obj", "parents_obj", "inherited_roles_obj"} {
			if _, ok := shown[name]; ok { // which only the list of groups can be asked for
				shown[name] = nil
			}
		}
		return shown
	}
	name := "pk"
	if k := kindOf(path); k != nil && k.key != "" {
		name = k.key
	}
	if path == "core/users/" && strings.Contains(canonical(key), "-") {
		name = "uuid"
	}
	for _, one := range flat(given) {
		if one, ok := one.(map[string]any); ok && key != nil && one[name] == key {
			s.fill(nil, typ, one)
			return s.show(one, typ)
		}
	}
	return s.stranger(typ, name, key)
}

// stranger is an object that is not in the server, of which but the key is known.
func (s *Server) stranger(typ, name string, key any) any {
	id := typ + " " + canonical(key)
	if s.states[id] == nil {
		s.states[id] = map[string]any{}
		if key != nil {
			s.states[id][name] = key
		}
		s.fill(nil, typ, s.states[id])
	}
	return s.show(s.states[id], typ)
}

// flat are the elements of a list, or the value itself; none for null.
func flat(value any) []any {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		return value
	}
	return []any{value}
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case []any:
		return len(value) == 0
	case string:
		return value == "" || value == uuid.Nil.String()
	case json.Number:
		return value == "0"
	}
	return false
}

// canonical is the value as a query or a path names it.
func canonical(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	return fmt.Sprint(value)
}

func decode[T any](s *Server, o *object) T {
	members := o.members
	if o.list.kind != nil {
		members = s.shown(o, o.list, o.list.kind.object, s.leftOut(o.list, nil))
	}
	var object T
	b, _ := json.Marshal(members) // came from JSON, so it goes back
	if err := json.Unmarshal(b, &object); err != nil {
		panic(fmt.Sprintf("authentiktest: %s holds what is no %T: %v", o.list.path, object, err)) // AddObjects added it
	}
	return object
}

// toMembers panics if object is no JSON object, which is a mistake in the
// test that gave it.
func toMembers(object any) map[string]any {
	b, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("authentiktest: %v", err))
	}
	members, ok := fromJSON(string(b)).(map[string]any)
	if !ok {
		panic(fmt.Sprintf("authentiktest: %T is no JSON object: %s", object, b))
	}
	return members
}

// fromJSON decodes what is known to be JSON.
func fromJSON(text string) any {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(fmt.Sprintf("authentiktest: %v", err))
	}
	return value
}
