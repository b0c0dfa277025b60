package authentiktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// errTag is a tag that is not as it has to be. authentik fails on it.
var errTag = errors.New("a tag cannot be resolved")

// resolve has values instead of tags.
func (a *applying) resolve(value any) (any, error) {
	switch value := value.(type) {
	case *tag:
		return a.resolveTag(value)
	case []any:
		list := make([]any, len(value))
		for i, one := range value {
			var err error
			if list[i], err = a.resolve(one); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		object := make(map[string]any, len(value))
		for name, one := range value {
			var err error
			if object[name], err = a.resolve(one); err != nil {
				return nil, err
			}
		}
		return object, nil
	}
	return value, nil
}

func (a *applying) resolveTag(t *tag) (any, error) {
	switch t.name { // whose arguments are looked at one by one
	case "!If":
		return a.choose(t)
	case "!Enumerate":
		return a.enumerate(t)
	case "!Value", "!Index":
		return a.item(t)
	}
	resolved, err := a.resolve(t.args)
	if err != nil {
		return nil, err
	}
	args := flat(resolved)
	if len(args) == 0 {
		return nil, errTag
	}
	first := canonical(args[0])
	var fallback any
	if t.list && len(args) > 1 {
		fallback = args[1]
	}
	switch t.name {
	case "!KeyOf":
		return a.keyOf(first)
	case "!Find", "!FindObject":
		return a.findTag(t.name, first, args[1:])
	case "!Context":
		if value, ok := a.blueprint.context[first]; ok {
			return a.resolve(value)
		}
		return fallback, nil
	case "!Env":
		if value := os.Getenv(first); value != "" {
			return value, nil
		}
		return fallback, nil
	case "!File": // of which the fake has none
		return fallback, nil
	case "!Format":
		return format(first, args[1:])
	case "!Condition":
		return condition(first, args[1:])
	case "!AtIndex":
		return atIndex(args)
	}
	decoder := json.NewDecoder(strings.NewReader(first)) // !ParseJSON
	decoder.UseNumber()
	var value any
	err = decoder.Decode(&value)
	return value, err
}

func (a *applying) keyOf(id string) (any, error) {
	for _, e := range a.blueprint.entries {
		if e.id != id || e.made == nil {
			continue
		}
		if alias := e.made.alias(); alias != "" && strings.EqualFold(canonical(a.entry.model), "authentik_policies.policybinding") {
			return alias, nil
		}
		return primaryKey(e.made), nil
	}
	return nil, errTag
}

func (a *applying) findTag(name, model string, conditions []any) (any, error) {
	path := a.listOf(model)
	if path == "" {
		return nil, errTag
	}
	wanted := map[string]any{}
	for _, one := range conditions {
		pair := flat(one)
		if len(pair) < 2 {
			return nil, errTag
		}
		wanted[canonical(pair[0])] = pair[1]
	}
	o, err := a.lookUp(a.family(a.list(path)), wanted)
	switch {
	case err != nil || o == nil:
		return nil, err
	case name == "!FindObject":
		return a.shown(o, o.list, o.list.kind.object, nil), nil
	}
	return primaryKey(o), nil
}

func (a *applying) choose(t *tag) (any, error) {
	if len(t.args) == 0 || len(t.args) == 2 {
		return nil, errTag
	}
	wanted, err := a.resolve(t.args[0])
	switch {
	case err != nil:
		return nil, err
	case len(t.args) == 1:
		return truthy(wanted), nil
	case truthy(wanted):
		return a.resolve(t.args[1])
	}
	return a.resolve(t.args[2])
}

// enumerate makes a list, or a map, with an item for each of another.
func (a *applying) enumerate(t *tag) (any, error) {
	if len(t.args) < 3 {
		return nil, errTag
	}
	over, err := a.resolve(t.args[0])
	if err != nil {
		return nil, err
	}
	var items [][2]any
	switch over := over.(type) {
	case []any:
		for i, one := range over {
			items = append(items, [2]any{json.Number(strconv.Itoa(i)), one})
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(over)) {
			items = append(items, [2]any{name, over[name]})
		}
	default:
		return nil, errTag
	}
	list, object := []any{}, map[string]any{}
	for _, item := range items {
		a.items = append(a.items, item)
		body, err := a.resolve(t.args[2])
		if a.items = a.items[:len(a.items)-1]; err != nil {
			return nil, err
		}
		list = append(list, body)
		switch body := body.(type) {
		case map[string]any:
			maps.Copy(object, body)
		case []any:
			if len(body) == 2 {
				object[canonical(body[0])] = body[1]
			}
		}
	}
	switch strings.ToUpper(canonical(t.args[1])) {
	case "SEQ":
		return list, nil
	case "MAP":
		return object, nil
	}
	return nil, errTag
}

// item is the index or the value of an !Enumerate around a tag, which says how many
// lie between.
func (a *applying) item(t *tag) (any, error) {
	depth, err := strconv.Atoi(canonical(t.args[0]))
	if err != nil || depth < 0 || depth >= len(a.items) {
		return nil, errTag
	}
	item := a.items[len(a.items)-1-depth]
	if t.name == "!Index" {
		return item[0], nil
	}
	return item[1], nil
}

// format is Python's %.
func format(text string, args []any) (any, error) {
	parts := strings.Split(strings.ReplaceAll(text, "%%", "\x00"), "%")
	if len(parts) != len(args)+1 {
		return nil, errTag
	}
	var formatted strings.Builder
	formatted.WriteString(parts[0])
	for i, part := range parts[1:] {
		if part == "" || !strings.ContainsRune("sdr", rune(part[0])) {
			return nil, errTag
		}
		value, isText := args[i].(string)
		if !isText || part[0] == 'r' {
			value = repr(args[i])
		}
		formatted.WriteString(value + part[1:])
	}
	return strings.ReplaceAll(formatted.String(), "\x00", "%"), nil
}

func condition(mode string, args []any) (any, error) {
	count := 0
	for _, arg := range args {
		if truthy(arg) {
			count++
		}
	}
	mode, negated := strings.CutPrefix(strings.ToUpper(mode), "N")
	if mode == "XNOR" {
		mode, negated = "XOR", true
	}
	var holds bool
	switch {
	case len(args) == 0:
		return nil, errTag
	case mode == "AND":
		holds = count == len(args)
	case mode == "OR":
		holds = count > 0
	case mode == "XOR":
		holds = count%2 == 1
	default:
		return nil, errTag
	}
	return holds != negated, nil
}

// atIndex is an element of a list or a map, or a third value if there is none.
func atIndex(args []any) (any, error) {
	if len(args) < 2 {
		return nil, errTag
	}
	switch of := args[0].(type) {
	case []any:
		i, err := strconv.Atoi(canonical(args[1]))
		if err == nil && i < 0 {
			i += len(of)
		}
		if err == nil && i >= 0 && i < len(of) {
			return of[i], nil
		}
	case map[string]any:
		if value, ok := of[canonical(args[1])]; ok {
			return value, nil
		}
	}
	if len(args) < 3 {
		return nil, errTag
	}
	return args[2], nil
}

// truthy is Python's bool.
func truthy(value any) bool {
	switch value := value.(type) {
	case bool:
		return value
	case map[string]any:
		return len(value) > 0
	case string:
		return value != ""
	}
	return !isEmpty(value)
}

// repr is a value as Python shows it.
func repr(value any) string {
	switch value := value.(type) {
	case nil:
		return "None"
	case bool:
		return title(strconv.FormatBool(value))
	case string:
		quote := "'"
		if strings.Contains(value, quote) && !strings.Contains(value, `"`) {
			quote = `"`
		}
		return quote + strings.NewReplacer(`\`, `\\`, "\n", `\n`, quote, `\`+quote).Replace(value) + quote
	case []any:
		parts := make([]string, len(value))
		for i, one := range value {
			parts[i] = repr(one)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			parts = append(parts, repr(name)+": "+repr(value[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return canonical(value)
}

// lookUp is the first object of the lists that meets all conditions, by lookups of
// Django: name, stage__name__icontains.
func (s *Server) lookUp(lists []*list, conditions map[string]any) (*object, error) {
	for _, l := range lists {
		if l.kind == nil {
			continue
		}
		for name := range conditions { // also if there are no objects
			if err := s.knowsLookup(l.kind.object, name); err != nil && len(lists) == 1 {
				return nil, err
			}
		}
		for _, o := range l.objects {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(conditions)), func(name string) bool { return !s.meets(o, name, conditions[name]) }) {
				return o, nil
			}
		}
	}
	return nil, nil
}

// field is the member that is stored in a field of the model, nil if there is none.
func (s *Server) field(typ, name string) *member {
	for _, m := range s.members(typ) {
		if m.name == name || m.fact != nil && m.fact.Source == name {
			return m
		}
	}
	return nil
}

var lookups = map[string]func(have, want string) bool{
	"exact":       func(have, want string) bool { return have == want },
	"iexact":      strings.EqualFold,
	"contains":    strings.Contains,
	"icontains":   func(have, want string) bool { return strings.Contains(strings.ToLower(have), strings.ToLower(want)) },
	"startswith":  strings.HasPrefix,
	"istartswith": func(have, want string) bool { return strings.HasPrefix(strings.ToLower(have), strings.ToLower(want)) },
}

func (s *Server) knowsLookup(typ, lookup string) error {
	name, rest, deeper := strings.Cut(lookup, "__")
	m := s.field(typ, name)
	switch {
	case name == "pk":
	case m == nil:
		return fmt.Errorf("Invalid identifier field: Cannot resolve keyword '%s' into field.", name) //nolint:staticcheck,revive // authentik's words
	case deeper && lookups[rest] != nil, !deeper:
	case m.list == "":
		return fmt.Errorf("Invalid identifier field: Unsupported lookup '%s' for field %s", rest, name) //nolint:staticcheck // authentik's words
	}
	return nil
}

// meets reports whether an object, or what it refers to, has the value.
func (s *Server) meets(o *object, lookup string, want any) bool {
	name, rest, deeper := strings.Cut(lookup, "__")
	if name == "pk" {
		return canonical(primaryKey(o)) == canonical(want)
	}
	m := s.field(o.list.kind.object, name)
	if m == nil {
		return false
	}
	have := o.members[m.name]
	if part, ok := want.(map[string]any); ok {
		whole, _ := have.(map[string]any)
		return contains(whole, part)
	}
	if want == nil {
		return have == nil
	}
	matches := lookups["exact"]
	if deeper {
		matches = lookups[rest]
	}
	for _, value := range flat(have) {
		if matches != nil && matches(canonical(value), canonical(want)) {
			return true
		}
		if m.list == "" {
			continue
		}
		other := s.referred(m.list, canonical(value))
		if other != nil && (matches == nil && s.meets(other, rest, want) || !deeper && other == s.referred(m.list, canonical(want))) {
			return true
		}
	}
	return false
}

// contains reports whether the whole has all of the part.
func contains(whole, part map[string]any) bool {
	for name, want := range part {
		have, ok := whole[name]
		inner, isObject := want.(map[string]any)
		if isObject {
			outer, _ := have.(map[string]any)
			if !contains(outer, inner) {
				return false
			}
			continue
		}
		if !ok || repr(have) != repr(want) {
			return false
		}
	}
	return true
}
