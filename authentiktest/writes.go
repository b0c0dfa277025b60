package authentiktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// create answers to a POST on a list.
func (s *Server) create(c *call) reply {
	body, refusal := c.body()
	if refusal != nil {
		return *refusal
	}
	l := c.list
	w, refused := s.write(c, l, nil, body, false)
	if refused != nil {
		return *refused
	}
	o := s.insert(l, w.members, c.user)
	shown := s.written(o, l, body)
	if l.kind.created == "" {
		return reply{http.StatusCreated, shown}
	}
	answer := map[string]any{}
	for _, m := range s.members(l.kind.created) { // the object, and what is told but once
		if answer[m.name] = shown; m.typ != l.kind.object {
			answer[m.name] = s.zero(nil, m)
		}
	}
	return reply{http.StatusCreated, answer}
}

// insert makes an object of what a request held.
func (s *Server) insert(l *list, members map[string]any, caller *object) *object {
	s.fillMissing(l, l.kind.object, members)
	if l.path == "flows/instances/" {
		fillFlow(members)
	}
	o := s.newObject(l, members)
	s.put(o)
	s.created(o, caller)
	return o
}

// write reads a request, and holds it to the rules.
func (s *Server) write(c *call, l *list, current *object, body map[string]any, partial bool) (_ *write, refused *reply) {
	w := &write{server: s, list: l, current: current, body: body, caller: c.user}
	if m := s.member(l.kind.object, "flow_set"); m != nil && !m.is(readOnly) && body["flow_set"] != nil && strings.HasPrefix(l.path, "stages/") {
		defer func() {
			if refused == nil { // which authentik reads, and cannot write
				refused = &failure
			}
		}()
	}
	members, refusals := s.validate(l, l.kind.object, body, current, partial)
	w.members = members
	for name, value := range members {
		if _, sent := body[name]; !sent {
			continue
		}
		if refusal := w.checkMember(name, value); refusal != nil {
			refusals[name] = refusal
		}
	}
	for _, refusal := range refusals {
		if _, failed := refusal.(crash); failed {
			return nil, &failure
		}
	}
	if len(refusals) == 0 {
		s.validateSets(l, members, current, refusals)
	}
	if len(refusals) > 0 {
		return nil, &reply{http.StatusBadRequest, refusals}
	}
	switch refusal := w.checkAcross().(type) {
	case nil:
		return w, nil
	case crash:
		return nil, &failure
	default:
		return nil, &reply{http.StatusBadRequest, refusal}
	}
}

// failure is authentik's own error in a write: its page for errors knows GET only.
var failure = reply{http.StatusMethodNotAllowed, emptyPage{}}

// emptyPage is HTML without a word.
type emptyPage struct{}

// update answers to a PUT or PATCH of an object.
func (s *Server) update(c *call, o *object) reply {
	body, refusal := c.body()
	if refusal != nil {
		return *refusal
	}
	w, refused := s.write(c, o.list, o, body, c.Method == http.MethodPatch)
	if refused != nil {
		return *refused
	}
	provider := s.shownProvider(o)
	s.change(o, w.members)
	s.updated(o)
	s.saved(o, false)
	shown := s.written(o, c.list, body)
	if _, sent := body["provider"]; !sent && provider != nil { // it was read before the write
		shown["provider_obj"] = provider
	}
	if c.Method == http.MethodPatch && o.list.path == oauth2Providers {
		leaveOutTypes(shown["redirect_uris"], o.members["redirect_uris"])
	}
	return reply{http.StatusOK, shown}
}

// leaveOutTypes takes the types of redirect URIs, which came in 2026.5, out of an
// answer to a PATCH, if a PATCH left them out. All others show the default.
func leaveOutTypes(shown, kept any) {
	all := flat(kept)
	for i, uri := range flat(shown) {
		one, _ := all[i].(map[string]any)
		uri, _ := uri.(map[string]any) // nil before 2024.12: a text
		if _, ok := one["redirect_uri_type"]; !ok {
			delete(uri, "redirect_uri_type")
		}
	}
}

// shownProvider is the provider of an application as it is shown, nil if there is none.
func (s *Server) shownProvider(o *object) any {
	if o.list.path != "core/applications/" {
		return nil
	}
	return s.shown(o, o.list, "Application", nil)["provider_obj"]
}

// written is the object as a write answers with it: what the request named is shown
// by its base class, as it was read.
func (s *Server) written(o *object, l *list, body map[string]any) map[string]any {
	shown := s.shown(o, l, l.kind.object, s.leftOut(l, nil))
	for _, m := range s.members(l.kind.object) {
		of := s.member(l.kind.object, m.follows)
		if _, sent := body[m.follows]; sent && of != nil && of.fact != nil && m.follows != "policy" && m.name != "provider_obj" {
			s.asBase(m, of.fact.Related, shown[m.name])
		}
	}
	return shown
}

// unasked are members that a list answers with only if they are asked for.
var unasked = []string{"include_children", "include_parents", "include_inherited_roles"}

// leftOut are the members that an answer without a query does not have.
func (s *Server) leftOut(l *list, c *call) map[string]bool {
	left := map[string]bool{}
	for i := range l.kind.filters {
		f := &l.kind.filters[i]
		if f.lookup != show || !s.has(f.since, f.until) {
			continue
		}
		wanted := !slices.Contains(unasked, f.name)
		if c != nil && c.last(f.name) != "" {
			if asked, ok := parseBoolean(c.last(f.name)); ok {
				wanted = asked
			}
		}
		for name := range strings.SplitSeq(f.member, ",") {
			left[name] = !wanted
		}
	}
	return left
}

// change gives the object some other members.
func (s *Server) change(o *object, changes map[string]any) {
	members := maps.Clone(o.members)
	maps.Copy(members, changes)
	if m := s.member(o.list.kind.object, "last_updated"); m != nil && m.is(readOnly) {
		members["last_updated"] = s.zero(nil, m)
	}
	s.expire(o.list.kind.object, members)
	s.replace(o, members)
}

// fillMissing gives the members that a create left out their defaults.
func (s *Server) fillMissing(l *list, typ string, members map[string]any) {
	l.added++
	for _, m := range s.members(typ) {
		if _, ok := members[m.name]; !ok && m.follows == "" {
			members[m.name] = s.zero(l, m)
		}
	}
	if l.path == oauth2Providers {
		fillProvider(members)
	}
	s.expire(typ, members)
}

// body is the JSON object of a request, or why authentik refuses it.
func (c *call) body() (map[string]any, *reply) {
	refuse := func(status int, body any) (map[string]any, *reply) { return nil, &reply{status, body} }
	text, _ := io.ReadAll(c.Body) // read already
	if mediaType, _, _ := strings.Cut(c.Header.Get("Content-Type"), ";"); len(text) > 0 && mediaType != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, map[string]string{"detail": fmt.Sprintf("Unsupported media type %q in request.", mediaType)})
	}
	if len(text) == 0 {
		return map[string]any{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err == nil && decoder.More() {
		err = errors.New("extra data after the first value")
	}
	if err != nil {
		return refuse(http.StatusBadRequest, map[string]string{"detail": "JSON parse error - " + err.Error()})
	}
	body, ok := value.(map[string]any)
	if !ok {
		return refuse(http.StatusBadRequest, notDictionary(value))
	}
	return body, nil
}

// form are the fields of a request that is a form, and the names of its files.
func (c *call) form() (map[string]any, *reply) {
	if mediaType, _, _ := strings.Cut(c.Header.Get("Content-Type"), ";"); mediaType != "multipart/form-data" {
		return nil, &reply{http.StatusUnsupportedMediaType, map[string]string{"detail": fmt.Sprintf("Unsupported media type %q in request.", mediaType)}}
	}
	if err := c.ParseMultipartForm(1 << 25); err != nil {
		return nil, &reply{http.StatusBadRequest, map[string]string{"detail": "Multipart form parse error - " + err.Error()}}
	}
	body := map[string]any{}
	for name, values := range c.MultipartForm.Value {
		body[name] = values[len(values)-1]
	}
	for name, files := range c.MultipartForm.File {
		body[name] = files[len(files)-1].Filename
	}
	return body, nil
}

func notDictionary(value any) map[string]any {
	return map[string]any{"non_field_errors": []string{fmt.Sprintf("Invalid data. Expected a dictionary, but got %s.", python(value))}}
}

// python is what Python calls the type of the value.
func python(value any) string {
	switch value := value.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case string:
		return "str"
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return "float"
		}
		return "int"
	case []any:
		return "list"
	}
	return "dict"
}

// validate reads what a request holds as the members of a type: those that are
// to be set, and what authentik has against them. l is nil for an object in
// another, current is what is changed, and partial does not ask for what is required.
func (s *Server) validate(l *list, typ string, body map[string]any, current *object, partial bool) (members, refusals map[string]any) {
	members, refusals = map[string]any{}, map[string]any{}
	for _, m := range s.members(typ) {
		value, given := body[m.name]
		switch {
		case m.is(readOnly):
		case !given && m.is(required) && m.typ == "binary" && !partial:
			refusals[m.name] = []string{"No file was submitted."}
		case !given && m.is(required) && !partial:
			refusals[m.name] = []string{"This field is required."}
		case !given:
			if m.fact != nil && m.fact.Default != "" && !partial {
				members[m.name] = fromJSON(m.fact.Default)
			}
		case value == nil && m.is(nullable), value == "" && m.list != "" && m.is(nullable):
			members[m.name] = nil
		case value == nil, value == "" && m.list != "":
			refusals[m.name] = []string{"This field may not be null."}
		default:
			value, refusal := s.read(m, m.typ, value, partial)
			if refusal == nil {
				refusal = s.check(m.fact, value)
			}
			if m.is(unique) && l != nil && (refusal == nil || m.list == "") && s.isTaken(l, m, canonical(value), current) {
				words := "This field must be unique."
				if m.fact != nil {
					words = m.fact.Unique
				}
				already, _ := refusal.([]string)
				refusal = append(already, words)
			}
			if refusal != nil {
				refusals[m.name] = refusal
			} else {
				members[m.name] = value
			}
		}
	}
	return members, refusals
}

// isTaken reports whether another object has the value.
func (s *Server) isTaken(l *list, m *member, value string, current *object) bool {
	if value == "" {
		return false
	}
	lists := s.relatives(l)
	if facts := s.facts().Lists[l.path]; m.fact != nil && facts != nil && m.fact.UniqueIn == facts.Model {
		lists = s.family(l)
	}
	return slices.ContainsFunc(lists, func(l *list) bool {
		other := l.taken[m.name][value]
		return other != nil && other != current
	})
}

// validateSets looks for an object that has the same members where they have to
// be unique together.
func (s *Server) validateSets(l *list, members map[string]any, current *object, refusals map[string]any) {
	sets := l.kind.sets
	if serializer := s.serializer(l.kind.object); serializer != nil {
		sets = nil
		for _, set := range serializer.Sets {
			sets = append(sets, strings.Join(set.Fields, ","))
		}
	}
	for _, set := range sets {
		names := strings.Split(set, ",")
		value := func(name string) any {
			if value, ok := members[name]; ok || current == nil {
				return value
			}
			return current.members[name]
		}
		if slices.ContainsFunc(names, func(name string) bool {
			m := s.member(l.kind.object, name)
			return value(name) == nil || m != nil && m.list != "" && isEmpty(value(name))
		}) {
			continue // nulls differ
		}
		for _, o := range l.objects {
			if o != current && !slices.ContainsFunc(names, func(name string) bool { return compare(value(name), o.members[name]) != 0 }) {
				refusals["non_field_errors"] = []string{fmt.Sprintf("The fields %s must make a unique set.", strings.Join(names, ", "))}
				return
			}
		}
	}
}

var (
	slugText = regexp.MustCompile(`^[-a-zA-Z0-9_]+$`)
	floating = regexp.MustCompile(`\.0*$`)
)

// read reads a value of a request as a type: what the server keeps of it, or what
// authentik has against it.
func (s *Server) read(m *member, typ string, value any, partial bool) (kept, refusal any) {
	if element, ok := strings.CutPrefix(typ, "[]"); ok {
		return s.readList(m, element, value, partial)
	}
	if element, ok := strings.CutPrefix(typ, "{}"); ok {
		return s.readMap(m, element, value, partial)
	}
	if m.list != "" && (typ == "uuid" || typ == "integer") {
		return s.readReference(m, typ, value)
	}
	switch typ {
	case "string", "uri", "email":
		return readText(m, typ, value)
	case "integer", "int64":
		return readInteger(m, value)
	case "number", "double":
		parsed, ok := parseNumber(number(value))
		if !ok {
			return nil, []string{"A valid number is required."}
		}
		return json.Number(parsed.Text('g', -1)), nil
	case "boolean":
		b, ok := readBoolean(value)
		return b, refuseUnless(ok, "Must be a valid boolean.")
	case "uuid":
		text, _ := value.(string)
		id, ok := parseUUID(text)
		return id, refuseUnless(ok, "Must be a valid UUID.")
	case "date-time":
		text, ok := readTime(value)
		return text, refuseUnless(ok, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
	case "date":
		text, _ := value.(string)
		_, err := time.Parse(time.DateOnly, text)
		return text, refuseUnless(err == nil, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
	case "object":
		if m.fact != nil { // whose validators say whether it has to be one
			return value, nil
		}
		_, ok := value.(map[string]any)
		return value, refuseUnless(ok, "Value must be a dictionary, and not have any duplicate keys.")
	case "any", "binary":
		return value, nil
	}
	if e := enumOf(typ); e != nil {
		if kept, refusal = e.read(value); refusal != nil && typ == "ContentTypeEnum" {
			return nil, crash{} // it is looked up, not chosen
		}
		return kept, refusal
	}
	one, ok := value.(map[string]any)
	if !ok {
		return nil, notDictionary(value)
	}
	kept, refusals := s.validate(nil, typ, one, nil, partial)
	if len(refusals) > 0 {
		return nil, refusals
	}
	if !partial {
		s.fill(nil, typ, kept.(map[string]any)) //nolint:forcetypeassert // validate returns it
	}
	return kept, nil
}

func (s *Server) readMap(m *member, element string, value any, partial bool) (kept, refusal any) {
	items, ok := value.(map[string]any)
	if !ok {
		return nil, []string{fmt.Sprintf("Expected a dictionary of items but got type %q.", python(value))}
	}
	refusals := map[string]any{}
	for key, item := range items {
		one, refusal := s.read(m, element, item, partial)
		if items[key] = one; refusal != nil {
			refusals[key] = refusal
		}
	}
	if len(refusals) > 0 {
		return nil, refusals
	}
	return items, nil
}

func readInteger(m *member, value any) (kept, refusal any) {
	text, ok := parseInteger(floating.ReplaceAllString(number(value), ""))
	kind := "integer"
	if m.fact != nil && m.fact.Type == "BigIntegerField" {
		kind = "biginteger"
	}
	return json.Number(text), refuseUnless(ok, "A valid "+kind+" is required.")
}

// readTime returns a time as the server writes it, and whether it is one.
func readTime(value any) (string, bool) {
	text, _ := value.(string)
	t, ok := parseTime(text)
	layout := "2006-01-02T15:04:05Z"
	if t.Nanosecond() != 0 {
		layout = "2006-01-02T15:04:05.000000Z"
	}
	return t.UTC().Format(layout), ok
}

func (e *enum) read(value any) (kept, refusal any) {
	text := canonical(value)
	_, isText := value.(string)
	if !slices.Contains(e.values, text) || !isText && !e.number {
		return nil, []string{fmt.Sprintf("\"%s\" is not a valid choice.", text)}
	}
	if e.number {
		return json.Number(text), nil
	}
	return text, nil
}

func refuseUnless(ok bool, words string) any {
	if ok {
		return nil
	}
	return []string{words}
}

// readList reads a list. authentik names the place of what it refuses, but not in
// a list of references.
func (s *Server) readList(m *member, element string, value any, partial bool) (kept, refusal any) {
	items, ok := value.([]any)
	if !ok {
		words := []string{fmt.Sprintf("Expected a list of items but got type %q.", python(value))}
		if isObject(element) {
			return nil, map[string]any{"non_field_errors": words}
		}
		return nil, words
	}
	if len(items) == 0 && m.fact != nil && m.fact.Full {
		return nil, []string{"This list may not be empty."}
	}
	list := make([]any, 0, len(items))
	refusals := map[string]any{}
	nested := make([]any, len(items))
	for i, item := range items {
		one, refusal := s.read(m, element, item, partial)
		if item == nil {
			refusal = []string{"This field may not be null."}
		}
		if refusal != nil && m.list != "" && !isObject(element) {
			return nil, refusal
		}
		nested[i] = map[string]any{}
		if refusal != nil {
			refusals[strconv.Itoa(i)], nested[i] = refusal, refusal
		}
		list = append(list, one)
	}
	switch {
	case len(refusals) == 0:
		return list, nil
	case isObject(element):
		return nil, nested
	}
	return nil, refusals
}

// readReference reads the pk of another object, which has to exist.
func (s *Server) readReference(m *member, typ string, value any) (kept, refusal any) {
	wrong := []string{fmt.Sprintf("Incorrect type. Expected pk value, received %s.", python(value))}
	text := canonical(value)
	switch value.(type) {
	case string, json.Number:
	default:
		return nil, wrong
	}
	key, ok := parseInteger(text)
	if typ == "uuid" {
		key, ok = parseUUID(text)
		wrong = []string{fmt.Sprintf("“%s” is not a valid UUID.", text)}
	}
	if m.fact != nil && m.fact.Slug != "" && text != "" {
		if s.named[m.list+" "+m.fact.Slug][text] {
			return text, nil
		}
		for _, o := range s.list(m.list).objects {
			if canonical(o.members[m.fact.Slug]) == text {
				return text, nil
			}
		}
		if _, ok := parseUUID(text); m.fact.Slug == "uuid" && !ok {
			return nil, []string{fmt.Sprintf("“%s” is not a valid UUID.", text)}
		}
		return nil, []string{fmt.Sprintf("Object with %s=%s does not exist.", m.fact.Slug, text)}
	}
	switch {
	case !ok:
		return nil, wrong
	case !s.exists(m.list, key):
		return nil, []string{fmt.Sprintf("Invalid pk \"%s\" - object does not exist.", text)}
	case m.list == targets && s.referred(targets, key) != nil:
		return s.referred(targets, key).key, nil
	case typ == "uuid":
		return key, nil
	}
	return json.Number(key), nil
}

// number is the text of what may be a number.
func number(value any) string {
	switch value.(type) {
	case string, json.Number:
		return canonical(value)
	}
	return ""
}

// readBoolean reads what Django REST framework takes for a boolean.
func readBoolean(value any) (b, ok bool) {
	if b, ok := value.(bool); ok {
		return b, true
	}
	switch strings.ToLower(number(value)) {
	case "t", "y", "yes", "true", "on", "1":
		return true, true
	case "f", "n", "no", "false", "off", "0":
		return false, true
	}
	return false, false
}

func readText(m *member, typ string, value any) (kept, refusal any) {
	switch value.(type) {
	case string, json.Number:
	default:
		if m.fact != nil && m.fact.Type == "SlugField" {
			return nil, []string{m.fact.Invalid}
		}
		return nil, []string{"Not a valid string."}
	}
	text := strings.TrimSpace(canonical(value))
	switch {
	case text == "" && m.is(blank):
		return text, nil
	case text == "":
		return nil, []string{"This field may not be blank."}
	case strings.ContainsRune(text, 0):
		return nil, []string{"Null characters are not allowed."}
	case m.fact == nil && m.name == "slug" && !slugText.MatchString(text):
		return nil, []string{"Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."}
	}
	switch typ {
	case "uri":
		u, err := url.Parse(text)
		return text, refuseUnless(m.fact != nil || err == nil && u.Scheme != "" && u.Host != "", "Enter a valid URL.")
	case "email":
		if m.fact != nil {
			return text, nil
		}
		_, err := mail.ParseAddress(text)
		return text, refuseUnless(err == nil, "Enter a valid email address.")
	}
	return text, nil
}
