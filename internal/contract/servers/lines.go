package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
)

// lines are the facts of one server as lines of servers.txt.
func (s *server) lines() []*contract.Line {
	var lines []*contract.Line
	for path, l := range sorted(s.Lists) {
		lines = append(lines, contract.NewLine("list", path).With(s.list(l)...))
	}
	for path, v := range sorted(s.Views) {
		head := contract.NewLine("view", path)
		for _, a := range sorted(v.Operations) {
			head.With(a.line(strings.ToLower(a.Method), ""))
		}
		lines = append(lines, head)
	}
	for name, ser := range sorted(s.Serializers) {
		head := contract.NewLine("serializer", name)
		if ser.Model != "" {
			head.With(contract.NewLine("model", ser.Model))
		}
		if ser.DefinesValidate == "EnterpriseRequiredMixin" {
			head.With(contract.NewLine("enterprise"))
		}
		for field, f := range sorted(ser.Fields) {
			head.With(s.field(field, f, s.Models[ser.Model]))
		}
		head.With(ser.validators()...)
		lines = append(lines, head)
	}
	for name, m := range sorted(s.Models) {
		if own := slices.Concat(m.Permissions, m.DefaultPermissions); len(own) > 0 {
			lines = append(lines, contract.NewLine("model", name).With(
				contract.NewLine("name").Set("verbose", m.VerboseName).Set("parents", slices.Sorted(maps.Keys(m.Parents))),
				contract.NewLine("permissions", own...)).With(s.managers(name)...))
		}
	}
	for name, texts := range sorted(s.Messages) {
		if strings.HasSuffix(name, "Serializer") {
			continue // each says the same as the others
		}
		head := contract.NewLine("messages", name)
		for code, text := range sorted(texts) {
			head.With(contract.NewLine("text", code).Set("is", text))
		}
		lines = append(lines, head)
	}
	return lines
}

// managers are what used_by looks at: references to a model, and lists of them, its own
// and those that others have of it.
func (s *server) managers(model string) (lines []*contract.Line) {
	managers := map[string]*contract.Line{}
	for other, m := range s.Models {
		for name, f := range m.Fields {
			if f.Kind != "M2M" || f.From != "" {
				continue
			}
			if other == model {
				managers[name] = contract.NewLine("manager", name, f.To).Flag("many", true).Flag("own", true)
			}
			if f.To == model && f.RelatedName != "" && !strings.HasSuffix(f.RelatedName, "+") {
				managers[f.RelatedName] = contract.NewLine("manager", f.RelatedName, other).Set("by", name).Flag("many", true)
			}
		}
	}
	for name, r := range s.Models[model].Reverse {
		if !strings.HasSuffix(name, "+") && r.Kind == "FK" {
			line := contract.NewLine("manager", name, r.From).Set("by", r.Field)
			if r.OnDelete != "CASCADE" {
				line.Set("on", strings.ToLower(r.OnDelete))
			}
			managers[name] = line
		}
	}
	for _, line := range sorted(managers) {
		lines = append(lines, line)
	}
	return lines
}

// list are the facts of a list.
func (s *server) list(l *list) []*contract.Line {
	app, _, _ := strings.Cut(l.Model, ".")
	lines := []*contract.Line{
		contract.NewLine("is").Set("model", l.Model).Set("lookup", l.LookupField).
			Set("page", l.Pagination.PageSize).Set("max", l.Pagination.Max).Set("owner", l.OwnerField).
			Flag("createanyhow", l.CreateAnyhow).Flag("shared", !slices.Contains(l.Backends, "ObjectFilter")),
	}
	if o := l.Ordering; o != nil {
		if len(o.Default) > 0 {
			lines = append(lines, contract.NewLine("order", o.Default...))
		}
		if o.Total {
			lines = append(lines, contract.NewLine("total").Set("by", o.TotalBy))
		}
		for name, kind := range sorted(o.Orderable) {
			kind, by, _ := strings.Cut(kind, " (by ")
			by = strings.TrimSuffix(by, ")")
			kind, joins := strings.CutSuffix(kind, " (joins: duplicates)")
			lines = append(lines, contract.NewLine("orderable", name, kind).Set("by", by).
				Flag("pk", slices.Contains(o.PK, name)).Flag("joins", joins))
		}
	}
	if len(l.Search) > 0 {
		lines = append(lines, contract.NewLine("search", l.Search...))
	}
	if len(l.SearchJoins) > 0 {
		lines = append(lines, contract.NewLine("searchjoins", l.SearchJoins...))
	}
	for _, f := range l.QL {
		lines = append(lines, contract.NewLine("ql", f.Name, f.Type))
	}
	for name, f := range sorted(l.Filters) {
		field := f.Field
		if field == name {
			field = ""
		}
		lookup := f.Lookup
		if lookup == "exact" {
			lookup = ""
		}
		lines = append(lines, contract.NewLine("filter", name, f.Class).Set("field", field).Set("lookup", lookup).
			Set("model", f.Model).Set("to", f.ToField).Set("choices", f.Choices).Set("method", f.Method).
			Flag("required", f.Required).Flag("distinct", f.Distinct).Flag("joins", f.Joins))
	}
	for _, name := range l.Unique {
		lines = append(lines, contract.NewLine("unique", name).Flag("unchecked", slices.Contains(l.Unchecked, name)))
	}
	for name, a := range sorted(l.Actions) {
		lines = append(lines, a.line(name, app))
	}
	for path, how := range sorted(l.Deletes) {
		lines = append(lines, contract.NewLine("deletes", path).Set("by", how))
	}
	lines = append(lines, cascades("nulls", l.Nulls)...)
	lines = append(lines, cascades("unlinks", l.Unlinks)...)
	return append(lines, cascades("protectedby", l.ProtectedBy)...)
}

func cascades(kind string, paths map[string]map[string]string) []*contract.Line {
	var lines []*contract.Line
	for path, members := range sorted(paths) {
		for member, how := range sorted(members) {
			if member, hidden := strings.CutSuffix(member, " (no member)"); !hidden {
				lines = append(lines, contract.NewLine(kind, path, member).Set("by", how))
			}
		}
	}
	return lines
}

// line is the line of an action. The permissions of app have its name left out.
func (a *action) line(name, app string) *contract.Line {
	short := func(rights ...string) []string {
		var all []string
		for _, right := range rights {
			all = append(all, strings.TrimPrefix(right, app+"."))
		}
		return all
	}
	p := a.Permissions
	classes, has := "", []string(nil)
	for _, class := range p.Classes {
		var one string
		if json.Unmarshal(class, &one) == nil {
			classes = one
			continue
		}
		var rights struct{ Has []string }
		if json.Unmarshal(class, &rights) == nil {
			has = rights.Has
		}
	}
	if classes == "ObjectPermissions" {
		classes = ""
	}
	request, _ := a.Request.(string)
	if request == a.Serializer {
		request = ""
	}
	return contract.NewLine("action", name, a.Method, a.Path).
		Set("class", classes).Set("has", has).Set("model", short(p.Model...)).Set("object", short(p.Object...)).
		Set("rows", short(p.Rows)[0]).Set("required", short(p.Required.Object)[0]).Set("global", short(p.Required.Global...)).
		Set("serializer", a.Serializer).Set("request", request)
}

func (ser *serializer) validators() []*contract.Line {
	var lines []*contract.Line
	for _, raw := range ser.Validators {
		var v struct {
			Validator, Message string
			Fields             []string
		}
		if json.Unmarshal(raw, &v) == nil && len(v.Fields) > 0 {
			lines = append(lines, contract.NewLine(map[string]string{
				"UniqueTogetherValidator": "set", "RequiredTogetherValidator": "together",
			}[v.Validator], v.Fields...).Set("message", v.Message))
		}
	}
	return lines
}

// plain are the validators that every text has.
var plain = []string{"ProhibitNullCharactersValidator", "ProhibitSurrogateCharactersValidator"}

// field is the line of a member of a serializer of the model.
func (s *server) field(name string, f *field, m *model) *contract.Line {
	source := f.Source
	line := contract.NewLine("field", name, f.Type).
		Flag("readonly", f.ReadOnly).Flag("writeonly", f.WriteOnly).Flag("required", f.Required).
		Flag("null", f.AllowNull).Flag("blank", f.AllowBlank).Flag("many", f.Many).
		Flag("full", f.AllowEmpty != nil && !*f.AllowEmpty).Flag("untrimmed", f.Trim != nil && !*f.Trim)
	if strings.Contains(source, ".") || source == "*" || source != "" && !f.ReadOnly {
		line.Set("source", source)
	}
	if string(f.Default) == `"class:list"` {
		f.Default = json.RawMessage("[]")
	}
	line.Raw("default", f.Default)
	if m != nil {
		if source == "" {
			source = name
		}
		column := m.Fields[source]
		line.Flag("inherits", column != nil && column.Type == "InheritanceForeignKey")
		if column != nil && !f.ReadOnly {
			line.Raw("initial", column.Default)
			line.Flag("nullable", column.Null && len(column.Default) == 0)
		}
	}
	line.Set("serializer", f.Serializer).Set("related", f.Related).Set("slug", f.SlugField)
	if !f.ReadOnly {
		line.Raw("min", f.MinValue).Raw("max", f.MaxValue).Raw("minlength", f.MinLength).Raw("maxlength", f.MaxLength)
	}
	if f.Unique {
		line.Set("unique", f.UniqueMessage).Set("uniquein", f.UniqueIn)
		if f.UniqueLookup != "" && f.UniqueLookup != "exact" {
			line.Set("uniqueby", f.UniqueLookup)
		}
	}
	if f.ReadOnly {
		return line
	}
	f.addValidators(line)
	if f.Child != nil {
		line.Set("child", strings.TrimPrefix(s.field("", f.Child, nil).Text(), `field "" `))
	}
	return line
}

// addValidators adds to the line of a field what its validators are called, and
// what they say.
func (f *field) addValidators(line *contract.Line) {
	var named []string
	for _, raw := range f.Validators {
		var one string
		if json.Unmarshal(raw, &one) == nil {
			if !slices.Contains(plain, one) {
				named = append(named, one)
			}
			continue
		}
		var v struct{ Validator, Message, Regex string }
		if json.Unmarshal(raw, &v) != nil {
			continue
		}
		if v.Regex != "" {
			line.Set("pattern", v.Regex)
		} else {
			named = append(named, v.Validator)
		}
		line.Set("invalid", v.Message)
	}
	line.Set("validators", named)
}

// sorted are the entries of a map by their keys.
func sorted[V any](m map[string]V) func(func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
