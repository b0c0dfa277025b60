package authentiktest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/authentik-go/authentik/internal/contract"
)

// test reports whether an object is among those that a query asks for.
type test func(o *object) bool

// tests are what the query asks for, or why authentik refuses it.
func (s *Server) tests(l *list, c *call) (tests []test, leftOut map[string]bool, refusal any) {
	if s.atLeast("2024.2") && strings.ContainsRune(c.last("search"), 0) {
		return nil, nil, []string{"Null characters are not allowed."}
	}
	if c.last("search") != "" && l.path == "core/application_entitlements/" { // by a field that is none, in every release
		return nil, nil, crash{}
	}
	refusals := map[string]any{}
	if l.kind == nil {
		tests = s.membersIn(l, c)
	} else {
		leftOut = s.leftOut(l, c)
		for i := range l.kind.filters {
			f := &l.kind.filters[i]
			if !s.has(f.since, f.until) {
				continue
			}
			one, refusal := s.test(l, f, c)
			if _, failed := refusal.(crash); failed {
				return nil, nil, refusal
			}
			if alone, ok := refusal.(filterError); ok {
				return nil, nil, alone.words
			}
			switch {
			case refusal != nil:
				refusals[f.name] = refusal
			case one != nil:
				tests = append(tests, one)
			}
		}
		if may := s.mayLaunch(l, c); may != nil {
			tests = append(tests, may)
		}
		if s.strict {
			s.refuseUnknown(l, c, refusals)
		}
	}
	if len(refusals) > 0 {
		return nil, nil, refusals
	}
	for _, term := range searchTerms(c.last("search")) {
		tests = append(tests, s.found(l, strings.ToUpper(term)))
	}
	return tests, leftOut, nil
}

func (s *Server) refuseUnknown(l *list, c *call, refusals map[string]any) {
	for name := range c.query {
		known := slices.ContainsFunc(l.kind.filters, func(f filter) bool { return f.name == name })
		switch name {
		case "page", "page_size", "ordering", "search", "format":
			known = true
		}
		if !known {
			refusals[name] = []string{"authentiktest: no release of authentik has this filter of " + l.path}
		}
	}
}

// membersIn are the parameters that name a member of any object of the list.
func (s *Server) membersIn(l *list, c *call) (tests []test) {
	for name := range c.query {
		want := c.last(name)
		if want == "" {
			continue
		}
		if slices.ContainsFunc(l.objects, func(o *object) bool {
			switch o.members[name].(type) {
			case nil, []any, map[string]any:
				return false
			}
			return true
		}) {
			tests = append(tests, func(o *object) bool { return o.members[name] != nil && canonical(o.members[name]) == want })
		}
	}
	return tests
}

// test is what a filter of the query asks for, nil if nothing.
func (s *Server) test(l *list, f *filter, c *call) (test, any) {
	values := c.query[f.name]
	typ, separated := strings.CutPrefix(f.typ, ",")
	typ, many := strings.CutPrefix(typ, "[]")
	switch {
	case separated:
		values = strings.Split(c.last(f.name), ",")
	case !many && len(values) > 0:
		values = values[len(values)-1:]
	}
	m := s.looksAt(l.kind.object, f.member)
	if refusal, failed := s.refuseFilter(l, f, values); refusal != nil || failed {
		return nil, cmp.Or(refusal, any(crash{}))
	}
	if typ == "string" || typ == "uuid" && (m == nil || m.list == "") {
		values = slices.Clone(values)
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
	}
	values = slices.DeleteFunc(slices.Clone(values), func(value string) bool { return value == "" })
	switch {
	case len(values) == 0 && f.required:
		return nil, []string{"This field is required."}
	case len(values) == 0, f.lookup == together, f.lookup == show:
		return nil, nil
	case f.lookup == assigned:
		return s.assigned(l, values[0], c.last("object_pk")), nil
	case l.path == "rbac/roles/" && (f.name == "users" || f.name == "ak_groups" || f.name == "groups"):
		return s.rolesFilter(f, values[0], c.asks("inherited"))
	case l.path == "crypto/certificatekeypairs/" && f.name == "has_key" && !strings.EqualFold(values[0], "true"):
		return nil, nil // it asks for those with a key, or for nothing
	case l.path == "core/users/" && f.name == "is_superuser":
		return s.superusers(values[0]), nil
	case l.path == "rbac/permissions/" && f.name == "role":
		return func(o *object) bool {
			code := canonical(o.members["app_label"]) + "." + canonical(o.members["codename"])
			return slices.ContainsFunc(s.grants, func(g grant) bool { return g.holder == values[0] && g.code == code && g.object == "" })
		}, nil
	case f.lookup == unserved:
		return nil, []string{fmt.Sprintf("authentiktest: the fake does not know what this filter of %s does; answer it with Server.FailOn", l.path)}
	}
	return s.testValues(f, typ, m, values, many)
}

// testValues looks for the values, which the query has as they are.
func (s *Server) testValues(f *filter, typ string, m *member, values []string, many bool) (test, any) {
	var wants []string
	for _, value := range values {
		want, refusal := s.want(typ, m, value, many)
		if refusal != "" {
			return nil, []string{refusal}
		}
		if want != "" {
			wants = append(wants, want)
		}
	}
	if len(wants) == 0 {
		return nil, nil
	}
	matches := f.lookup.matches
	if strings.HasPrefix(typ, "date") && f.lookup != isNull {
		matches = f.lookup.matchesTimes
	}
	if f.lookup == unassigned {
		return s.unassigned(wants[0] == "true"), nil
	}
	return s.testOf(f.member, func(values []any) bool { return matches(values, wants) }), nil
}

// testOf has matches look at the values of a member, of what the member refers to,
// or of what refers to the object.
func (s *Server) testOf(member string, matches func([]any) bool) test {
	if path, ok := strings.CutPrefix(member, "<"); ok {
		values := s.referrers(path)
		return func(o *object) bool { return matches(values(o)) }
	}
	name, rest, deeper := strings.Cut(member, ".")
	look := s.look(name)
	if deeper {
		path := strings.Split(rest, ".")
		return func(o *object) bool {
			value, m := look(o)
			return matches(s.within(value, m, path))
		}
	}
	one := make([]any, 1)
	return func(o *object) bool {
		value, _ := look(o)
		switch list, ok := value.([]any); {
		case ok:
			return matches(list)
		case value == nil:
			return matches(nil)
		}
		one[0] = value
		return matches(one)
	}
}

// rolesFilter asks for the roles of a user or a group, with what they inherit if asked
// for.
func (s *Server) rolesFilter(f *filter, value string, inherited bool) (test, any) {
	none := func(*object) bool { return false }
	if f.name == "users" {
		if !isNumber(value) {
			return nil, []string{"Enter a number."}
		}
		user := s.referred("core/users/", value)
		if user == nil {
			return none, nil
		}
		roles := map[string]bool{}
		for _, key := range flat(user.members["roles"]) {
			roles[canonical(key)] = true
		}
		if inherited {
			roles = s.rolesOfUser(user)
		}
		return func(o *object) bool { return roles[o.key] }, nil
	}
	id, ok := parseUUID(value)
	if !ok {
		return nil, crash{}
	}
	group := s.referred("core/groups/", id)
	if group == nil {
		return none, nil
	}
	groups := map[string]bool{group.key: true}
	if inherited {
		clear(groups)
		s.addGroups(groups, group.key)
	}
	return func(o *object) bool {
		return slices.ContainsFunc(s.referring("core/groups/", "roles", o), func(group *object) bool { return groups[group.key] })
	}, nil
}

// superusers asks for users with a group of superusers, not counting those above it,
// or for the others; before 2025.2 for users with a group of the one or the other kind.
func (s *Server) superusers(value string) test {
	wanted, ok := parseBoolean(value)
	if !ok {
		return nil
	}
	hasGroup := func(o *object, superuser bool) bool {
		return slices.ContainsFunc(flat(o.members["groups"]), func(key any) bool {
			group := s.referred("core/groups/", canonical(key))
			return group != nil && group.members["is_superuser"] == superuser
		})
	}
	if !s.atLeast("2025.2") {
		return func(o *object) bool { return hasGroup(o, wanted) }
	}
	return func(o *object) bool { return wanted == (o.members["is_superuser"] == true || hasGroup(o, true)) }
}

// refuseFilter holds the values of a filter to what the servers say of it. failed
// reports that the server fails on it.
func (s *Server) refuseFilter(l *list, f *filter, values []string) (refusal any, failed bool) {
	facts := s.facts().Lists[l.path]
	if facts == nil || facts.Filters[f.name] == nil {
		return nil, false
	}
	fact := facts.Filters[f.name]
	for _, value := range values {
		switch {
		case value == "":
			continue
		case fact.Lookup == "iexact" && (fact.Class == "BooleanFilter" || fact.Class == "NumberFilter" && isNumber(value) || fact.Class == "UUIDFilter" && isUUID(value)),
			fact.Lookup == "iexact" && strings.HasPrefix(fact.Class, "ModelMultiple") && s.exists(s.listOf(fact.Model), value),
			l.path == "events/events/" && fact.Field == "client_ip" && !isAddress(value):
			return nil, true
		case fact.Class == "AllValuesMultipleFilter" && !slices.Contains(l.column(f.member), any(value)),
			strings.HasPrefix(fact.Class, "ModelMultiple") && fact.To == "name" && s.lacks(fact.Model, fact.To, value),
			strings.HasPrefix(fact.Class, "ModelMultiple") && fact.To == "username" && s.lacks(fact.Model, fact.To, value):
			return []string{fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", value)}, false
		case fact.Method == "filter_attributes" && !json.Valid([]byte(value)):
			return filterError{[]string{"filter: failed to parse JSON"}}, false
		}
	}
	return nil, false
}

// filterError is the refusal of a filter that does not name it.
type filterError struct{ words []string }

// lacks reports whether no object of the model has the value.
func (s *Server) lacks(model, member, value string) bool {
	path := s.listOf(model)
	return path != "" && !slices.Contains(s.list(path).column(member), any(value))
}

func isNumber(text string) bool {
	_, ok := parseNumber(text)
	return ok
}

func isUUID(text string) bool {
	_, ok := parseUUID(text)
	return ok
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// look returns what finds a member of one object after another, and what is known
// of the member.
func (s *Server) look(name string) func(o *object) (any, *member) {
	var (
		l      *list
		column []any
		m      *member
	)
	return func(o *object) (any, *member) {
		if o.list != l {
			l, column, m = o.list, o.list.column(name), s.member(o.list.kind.object, name)
		}
		return column[o.place], m
	}
}

// referrers returns what finds the objects of a list that refer to o, or a member
// of each: "core/users/ roles" are those with o among their roles.
func (s *Server) referrers(path string) func(o *object) []any {
	path, name, _ := strings.Cut(path, " ")
	name, rest, deeper := strings.Cut(name, ".")
	found := map[string][]any{} // by the key that is referred to
	for _, part := range s.family(s.list(path)) {
		for _, o := range part.objects {
			values := []any{o.members[o.list.kind.key]}
			if deeper {
				values = s.values(o.members, o.list.kind.object, strings.Split(rest, "."))
			}
			for _, key := range flat(o.members[name]) {
				found[canonical(key)] = append(found[canonical(key)], values...)
			}
		}
	}
	return func(o *object) []any {
		if values := found[o.key]; values != nil {
			return values
		}
		return found[canonical(o.members["policybindingmodel_ptr_id"])] // as which a flow or a binding is the target of bindings
	}
}

// looksAt is the member that a path leads to, nil if the table has none.
func (s *Server) looksAt(typ, path string) *member {
	if path, ok := strings.CutPrefix(path, "<"); ok {
		path, name, _ := strings.Cut(path, " ")
		if _, rest, deeper := strings.Cut(name, "."); deeper {
			return s.looksAt(kindOf(path).object, rest)
		}
		return &member{list: path}
	}
	name, rest, deeper := strings.Cut(path, ".")
	m := s.member(typ, name)
	if m == nil || !deeper {
		return m
	}
	if k := kindOf(m.list); k != nil {
		return s.looksAt(k.object, rest)
	}
	return s.looksAt(strings.TrimLeft(m.typ, "[]"), rest)
}

const noChoice = "Select a valid choice. That choice is not one of the available choices."

// want reads a value of a filter: what the member has to be, "" if authentik
// ignores it, or why it refuses it.
func (s *Server) want(typ string, m *member, value string, many bool) (want, refusal string) {
	refers := m != nil && m.list != ""
	switch typ {
	case "boolean":
		b, ok := parseBoolean(value)
		if !ok {
			return "", ""
		}
		return strconv.FormatBool(b), ""
	case "uuid":
		return s.wantUUID(m, value, many)
	case "integer", "int64", "number", "double":
		number, ok := parseNumber(value)
		switch {
		case !ok && refers && many:
			return "", fmt.Sprintf("“%s” is not a valid value.", value)
		case refers && many && !s.exists(m.list, value):
			return "", fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", value)
		case !ok && refers:
			return "", noChoice
		case !ok:
			return "", "Enter a number."
		case number.Cmp(big.NewFloat(1e50)) > 0:
			return "", "Ensure this value is less than or equal to 1e+50."
		}
		whole, _ := number.Int(nil) // 1.5 is 1 to authentik
		if refers && !s.exists(m.list, whole.String()) {
			return "", noChoice
		}
		return whole.String(), ""
	case "date-time", "date":
		if _, ok := parseTime(value); !ok {
			return "", "Enter a valid date/time."
		}
		return value, ""
	}
	if e := enumOf(typ); e != nil && !slices.Contains(e.values, value) {
		return "", fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", value)
	}
	if strings.ContainsRune(value, 0) {
		return "", "Null characters are not allowed."
	}
	return value, ""
}

// wantUUID is want for a UUID.
func (s *Server) wantUUID(m *member, value string, many bool) (want, refusal string) {
	refers := m != nil && m.list != ""
	id, ok := parseUUID(value)
	switch {
	case !ok && refers:
		return "", fmt.Sprintf("“%s” is not a valid UUID.", value)
	case !ok:
		return "", "Enter a valid UUID."
	case m != nil && m.list == targets:
		o := s.referred(targets, id)
		switch {
		case o != nil && (o.alias() == "" || o.alias() == id):
			return o.key, ""
		case o == nil && s.named[targets][id]: // which a test bound a policy to
			return id, ""
		case many:
			return "", fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", value)
		}
		return "", noChoice
	case refers && !s.exists(m.list, id) && many:
		return "", fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", value)
	case refers && !s.exists(m.list, id):
		return "", noChoice
	}
	return id, ""
}

// parseNumber reads a number as Python's Decimal does.
func parseNumber(text string) (*big.Float, bool) {
	text = strings.ReplaceAll(digits(strings.TrimSpace(text)), "_", "")
	if !numberText.MatchString(text) {
		return nil, false
	}
	number, _, err := big.ParseFloat(text, 10, 200, big.ToZero)
	return number, err == nil
}

// values are what the path leads to, through what members refer to.
func (s *Server) values(members map[string]any, typ string, path []string) []any {
	if len(path) == 1 {
		return flat(members[path[0]])
	}
	return s.within(members[path[0]], s.member(typ, path[0]), path[1:])
}

// within are the values that a path leads to from the value of a member.
func (s *Server) within(value any, m *member, path []string) []any {
	var all []any
	for _, one := range flat(value) {
		if model, ok := one.(string); ok && path[0] == "app_label" {
			app, _, _ := strings.Cut(model, ".")
			all = append(all, app)
		} else if ok && path[0] == "model" {
			_, model, _ = strings.Cut(model, ".")
			all = append(all, model)
		} else if nested, ok := one.(map[string]any); ok {
			object := ""
			if m != nil {
				object = strings.TrimLeft(m.typ, "[]")
			}
			all = append(all, s.values(nested, object, path)...)
		} else if m != nil && m.list != "" {
			if o := s.referredBy(m.list, canonical(one)); o != nil {
				if path[0] == "id" || path[0] == o.list.kind.key || !knows(o.list.kind.object, path[0]) {
					all = append(all, o.members[o.list.kind.key])
				} else {
					all = append(all, s.values(o.members, o.list.kind.object, path)...)
				}
			}
		}
	}
	return all
}

// matches reports whether a member's values are what is wanted.
func (l lookup) matches(values []any, wants []string) bool {
	if l == isNull {
		return (len(values) == 0) == (wants[0] == "true")
	}
	if l == hasAny {
		return slices.ContainsFunc(values, func(value any) bool { members, ok := value.(map[string]any); return !ok || len(members) > 0 })
	}
	return slices.ContainsFunc(values, func(value any) bool {
		text := canonical(value)
		return slices.ContainsFunc(wants, func(want string) bool { return l.matchesOne(text, want) })
	})
}

func (l lookup) matchesOne(text, want string) bool {
	switch l {
	case iexact:
		return strings.EqualFold(text, want)
	case icontains:
		return strings.Contains(strings.ToUpper(text), strings.ToUpper(want))
	case startsWith:
		return strings.HasPrefix(text, want)
	case less, more, lessOrSame, moreOrSame:
		return l.holds(compare(json.Number(text), json.Number(want)))
	default:
		return text == want
	}
}

// matchesTimes is matches for times, which are the same in any zone.
func (l lookup) matchesTimes(values []any, wants []string) bool {
	want, _ := parseTime(wants[0])
	return slices.ContainsFunc(values, func(value any) bool {
		t, ok := parseTime(canonical(value))
		return ok && l.holds(t.Compare(want))
	})
}

// holds reports whether the order of a member and what is wanted is the wanted one.
func (l lookup) holds(order int) bool {
	switch l {
	case less:
		return order < 0
	case more:
		return order > 0
	case lessOrSame:
		return order <= 0
	case moreOrSame:
		return order >= 0
	default:
		return order == 0
	}
}

// searchOf are the members that a list is searched in.
func (s *Server) searchOf(l *list) string {
	facts := s.facts().Lists[l.path]
	if facts == nil {
		return l.kind.search
	}
	fields := make([]string, len(facts.Search))
	for i, field := range facts.Search {
		fields[i] = strings.ReplaceAll(strings.TrimLeft(field, "^=@$"), "__", ".")
	}
	if l.path == "rbac/roles/" { // whose name is that of a hidden group at first
		return "name"
	}
	return strings.Join(fields, ",")
}

// found asks for a term in one of the members that the list is searched in, in
// any case. term is in capitals, as PostgreSQL compares.
func (s *Server) found(l *list, term string) test {
	search := "name"
	if l.kind != nil {
		search = s.searchOf(l)
		if search == "" { // which searches nowhere, and finds all
			return func(*object) bool { return true }
		}
	}
	if !strings.Contains(search, ".") {
		var part *list
		var texts []string
		return func(o *object) bool {
			if o.list != part {
				part, texts = o.list, o.list.textsOf(search)
			}
			return strings.Contains(texts[o.place], term)
		}
	}
	fields := strings.Split(search, ",")
	paths := make([][]string, len(fields))
	for i, field := range fields {
		paths[i] = strings.Split(field, ".")
	}
	return func(o *object) bool {
		return slices.ContainsFunc(paths, func(path []string) bool {
			return slices.ContainsFunc(s.values(o.members, o.list.kind.object, path), func(value any) bool {
				return strings.Contains(capitals(value), term)
			})
		})
	}
}

// textsOf are what a search looks at, of all objects of the list.
func (l *list) textsOf(fields string) []string {
	if l.texts[fields] == nil {
		l.texts[fields] = make([]string, len(l.objects))
		for i, o := range l.objects {
			l.texts[fields][i] = o.text(fields)
		}
	}
	return l.texts[fields]
}

// text is what a search looks at, in capitals.
func (o *object) text(fields string) string {
	var text []string
	for field := range strings.SplitSeq(fields, ",") {
		for _, value := range flat(o.members[field]) {
			text = append(text, capitals(value))
		}
	}
	return strings.Join(text, "\x00") // which no name has
}

func capitals(value any) string {
	text, ok := value.(string)
	if !ok {
		b, _ := json.Marshal(value)
		text = string(b)
	}
	return strings.ToUpper(text)
}

// searchWord is a word with the quoted text in it; a quote that is not closed
// is a character like any other.
var searchWord = regexp.MustCompile(`[^\pZ\s'"]*(?:(?:"[^"]*"|'[^']*')[^\pZ\s'"]*)+|[^\pZ\s]+`)

// searchTerms splits at white space and commas, but keeps a word together that
// is quoted as a whole.
func searchTerms(search string) []string {
	var terms []string
	search = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) && r > 0x7f {
			return ' '
		}
		return r
	}, search)
	for _, word := range searchWord.FindAllString(search, -1) {
		word = strings.Trim(word, ",")
		n := len(word)
		if n > 0 && (word[0] == '"' || word[0] == '\'') && word[0] == word[n-1] {
			terms = append(terms, word[1:max(1, n-1)])
		} else {
			terms = append(terms, strings.Split(word, ",")...) // an empty one is in every name
		}
	}
	return terms
}

// pages are the objects that a list answers to a query.
type pages interface {
	count() int
	page(start, end int) []*object
}

// ask answers a query, in its order. The same query is answered from memory while
// nothing changes, so that a walk sorts once.
func (s *Server) ask(l *list, c *call, tests []test) (pages, bool) {
	fields, stable, ok := s.orderFields(l, c.last("ordering"))
	if !ok {
		return nil, false
	}
	full := slices.DeleteFunc(s.family(l), func(part *list) bool { return len(part.objects) == 0 })
	inOrder := stable && len(full) == 1 && slices.Equal(full[0].ordered.fields, fields)
	if inOrder && len(tests) == 0 {
		return &full[0].ordered, true
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(c.query)), func(name string) bool { return name == "page" || name == "page_size" })
	var key strings.Builder
	for _, name := range names {
		fmt.Fprintf(&key, "%q%q", name, c.query[name])
	}
	if l.answers == nil || l.changes != s.changes || len(l.answers) > 16 {
		l.changes, l.answers = s.changes, map[string]pages{}
	}
	if known := l.answers[key.String()]; known != nil {
		return known, true
	}
	var found pages
	if inOrder {
		var objects []*object
		for _, part := range full[0].ordered.parts {
			objects = passing(objects, part, tests)
		}
		found = &ordered{parts: [][]*object{objects}}
	} else {
		a := &answer{fields: fields, stable: stable, runs: []run{{}}}
		for _, part := range full {
			a.add(part, tests)
		}
		found = a
	}
	l.answers[key.String()] = found
	return found, true
}

// refused is the answer to a query that authentik refuses, or fails on.
func refused(refusal any) reply {
	if _, failed := refusal.(crash); failed {
		return reply{http.StatusInternalServerError, nil}
	}
	return reply{http.StatusBadRequest, refusal}
}

// object answers for one object of a list.
func (s *Server) object(c *call) reply {
	tests, leftOut, refusal := s.tests(c.list, c)
	if refusal != nil {
		return refused(refusal)
	}
	if _, _, ok := s.orderFields(c.list, c.last("ordering")); !ok {
		return reply{http.StatusInternalServerError, nil}
	}
	o, missing := s.find(c.list, c.id, tests)
	if o == nil {
		return missing
	}
	switch c.Method {
	case http.MethodPut, http.MethodPatch:
		return s.update(c, o)
	case http.MethodDelete:
		return s.delete(o)
	}
	return reply{http.StatusOK, s.shown(o, c.list, c.list.detail(), leftOut)}
}

// detail is the type of one object of the list.
func (l *list) detail() string {
	if l.kind == nil {
		return ""
	}
	return cmp.Or(l.kind.detail, l.kind.object)
}

// find returns the object that a path names, or the answer if there is none.
func (s *Server) find(l *list, id string, tests []test) (*object, reply) {
	model := "object"
	if l.kind != nil {
		model = l.kind.model
		ok := true
		switch l.kind.parameter {
		case "uuid":
			id, ok = parseUUID(id)
		case "integer":
			id, ok = parseInteger(id)
		}
		if !ok {
			return nil, notFound
		}
	}
	o := s.one(l, id)
	if o == nil || slices.ContainsFunc(tests, func(t test) bool { return !t(o) }) {
		if !s.atLeast("2025.4") {
			return nil, notFound
		}
		return nil, detail(http.StatusNotFound, fmt.Sprintf("No %s matches the given query.", model))
	}
	return o, reply{}
}

// page answers with the page of the list that the query asks for.
func (s *Server) page(c *call) reply {
	l := c.list
	tests, leftOut, refusal := s.tests(l, c)
	if refusal != nil {
		return refused(refusal)
	}
	if visible := s.visible(c); visible != nil {
		tests = append(tests, visible)
		c.query["\x00user"] = []string{c.user.key} // what they ask has an answer of its own
	}
	a, ok := s.ask(l, c, tests)
	if !ok {
		return reply{http.StatusInternalServerError, nil}
	}
	if visible := s.visible(c); visible != nil && a.count() == 0 && (s.atLeast("2024.2") || !slices.ContainsFunc(l.objects, visible)) {
		return forbidden
	}
	start, end, pagination, ok := s.pagination(c, a.count())
	if !ok {
		return detail(http.StatusNotFound, "Invalid page.")
	}
	results := make([]map[string]any, 0, end-start)
	typ := ""
	if l.kind != nil {
		typ = l.kind.object
	}
	var objects []*object
	if l.path == "core/applications/" {
		objects, refusal = s.usable(c, a, start, end, pagination["current"])
		if refusal != nil {
			return reply{http.StatusBadRequest, refusal}
		}
	} else {
		objects = a.page(start, end)
	}
	for _, o := range objects {
		results = append(results, s.shown(o, l, typ, leftOut))
	}
	body := map[string]any{"pagination": pagination, "results": results}
	if s.atLeast("2025.8") && (l.path != "rbac/permissions/roles/" || s.atLeast("2026.5")) {
		body["autocomplete"] = map[string]any{}
	}
	return reply{http.StatusOK, body}
}

// pagination finds the page that the query asks for, of so many objects.
func (s *Server) pagination(c *call, count int) (start, end int, pagination map[string]int, ok bool) {
	standard, most := 20, 100 // since 2025.12
	if !s.atLeast("2025.12") {
		standard, most = 100, max(count, 1)
	}
	size := standard
	if text, ok := parseInteger(c.last("page_size")); ok && text != "0" && text[0] != '-' {
		asked, err := strconv.Atoi(text)
		if err != nil {
			asked = most
		}
		size = min(asked, most)
	}
	total := max(1, (count+size-1)/size)
	text, ok := parseInteger(cmp.Or(c.last("page"), "1"))
	number, err := strconv.Atoi(text)
	if c.last("page") == "last" {
		number, ok, err = total, true, nil
	}
	if !ok || err != nil || number < 1 || number > total {
		return 0, 0, nil, false
	}
	start, end = (number-1)*size, min(number*size, count)
	next := number + 1
	if number == total {
		next = 0
	}
	return start, end, map[string]int{
		"next": next, "previous": number - 1, "count": count, "current": number, "total_pages": total,
		"start_index": min(start+1, count), "end_index": end,
	}, true
}

// orderFields returns the members to order by: those that authentik can order by
// and, if there are none, those of the list. Only these are stable. ok is
// false if authentik fails.
func (s *Server) orderFields(l *list, ordering string) (fields []string, stable, ok bool) {
	for field := range strings.SplitSeq(ordering, ",") {
		field = strings.TrimSpace(field)
		name := strings.TrimPrefix(field, "-")
		if facts := s.facts().Lists[l.path]; facts != nil {
			i := slices.IndexFunc(facts.Orderable, func(o *contract.ServerOrder) bool { return o.Name == name })
			switch {
			case i < 0:
				continue
			case facts.Orderable[i].Fails():
				return nil, false, false
			}
		}
		switch name {
		case "", "component", "verbose_name", "verbose_name_plural", "meta_model_name":
			continue
		}
		known := slices.ContainsFunc(l.objects, func(o *object) bool { _, ok := o.members[name]; return ok })
		if l.kind != nil {
			m := s.member(l.kind.object, name)
			if m != nil && m.follows != "" { // by the object that it shows
				field = strings.TrimSuffix(field, name) + m.follows
			}
			known = m != nil && !m.is(writeOnly)
		}
		if known {
			fields = append(fields, field)
		}
	}
	if len(fields) > 0 {
		return fields, false, true
	}
	if l.kind == nil || l.kind.order == "" {
		return []string{"name"}, true, true
	}
	own := strings.Split(l.kind.order, ",")
	facts := s.facts().Lists[l.path]
	if facts == nil || len(facts.Order) == 0 || facts.Order[0] == own[0] || slices.ContainsFunc(facts.Order, func(name string) bool {
		return s.member(l.kind.object, strings.TrimPrefix(name, "-")) == nil // of something else
	}) {
		return own, true, true
	}
	return facts.Order, true, true
}
