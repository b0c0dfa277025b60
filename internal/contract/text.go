package contract

import (
	_ "embed" // the facts
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed facts.txt
var recorded string

// ReadFacts returns the facts that are recorded in facts.txt.
func ReadFacts() (*Facts, error) { return ParseFacts(recorded) }

const header = `# What the releases of authentik have, by their official OpenAPI schemas: written by
# internal/contract/check -record, and read by the generator and the tests.
#
# Each fact is a line. @ and versions say which have it; where there is none, those
# do that have the line above it with less indentation. A type reads []uuid?!: a
# list, null allowed, required. A body is JSON where no other media type is named,
# and there is none where no type is.

`

// String returns the facts as text, which [ParseFacts] reads.
func (f *Facts) String() string {
	w := &writer{versions: f.Versions}
	w.text.WriteString(header)
	for _, version := range f.Versions {
		fmt.Fprintf(&w.text, "version %s\n", version)
	}
	all := Spans{{0, len(f.Versions) - 1}}
	for _, o := range f.Operations {
		w.text.WriteString("\n")
		w.line("", o.String(), o.Spans, all)
		for _, p := range o.Parameters {
			w.line("  ", p.String(), p.Spans, o.Spans)
		}
		for _, body := range o.Bodies {
			w.line("  ", body.String(), body.Spans, o.Spans)
		}
		for _, answer := range o.Answers {
			w.line("  ", answer.String(), answer.Spans, o.Spans)
		}
	}
	for _, o := range f.Objects {
		w.text.WriteString("\n")
		w.line("", o.String(), o.Spans, all)
		for _, m := range o.Members {
			w.line("  ", m.String(), m.Spans, o.Spans)
		}
	}
	for _, e := range f.Enums {
		w.text.WriteString("\n")
		w.line("", e.String(), e.Spans, all)
		for _, v := range e.Values {
			w.line("  ", v.String(), v.Spans, e.Spans)
		}
	}
	return w.text.String()
}

// mediaJSON is the media type that the text leaves out.
const mediaJSON = "application/json"

type writer struct {
	versions []string
	text     strings.Builder
}

// line writes a fact, with its versions if they are not those of its owner.
func (w *writer) line(indent, text string, spans, owner Spans) {
	w.text.WriteString(indent + text)
	if !slices.Equal(spans, owner) {
		w.text.WriteString(" @" + spans.text(w.versions))
	}
	w.text.WriteString("\n")
}

func (s Spans) text(versions []string) string {
	var runs []string
	for _, span := range s {
		if span.First == span.Last {
			runs = append(runs, versions[span.First])
			continue
		}
		first, last := versions[span.First], versions[span.Last]
		if span.First == 0 {
			first = ""
		}
		if span.Last == len(versions)-1 {
			last = ""
		}
		runs = append(runs, first+".."+last)
	}
	return strings.Join(runs, ",")
}

// String returns the line of the facts, without its versions.
func (o *Operation) String() string {
	text := o.Method + " " + o.Path + " " + o.ID
	if o.NoToken {
		text += " notoken"
	}
	if o.Auth != "" {
		text += " auth=" + o.Auth
	}
	return text
}

// String returns the line of the facts, without its versions.
func (p *Parameter) String() string {
	text := p.In + " " + p.Name + " " + p.Type.String() + required(p.Required)
	if p.Explode {
		text += " explode"
	}
	return text + defaults(p.Default)
}

// String returns the line of the facts, without its versions.
func (c *Content) String() string {
	text := "body"
	if c.Status > 0 {
		text = strconv.Itoa(c.Status)
	}
	if c.Media == "" {
		return text
	}
	if c.Media != mediaJSON {
		text += " " + c.Media
	}
	if c.Page {
		text += " page"
	}
	return text + " " + c.Type.String() + required(c.Required)
}

// String returns the line of the facts, without its versions.
func (o *Object) String() string {
	text := "object " + o.Name
	if o.Open {
		text += " open"
	}
	return text
}

// String returns the line of the facts, without its versions.
func (m *Member) String() string {
	text := m.Name + " " + m.Type.String() + required(m.Required)
	if m.ReadOnly {
		text += " readonly"
	}
	if m.WriteOnly {
		text += " writeonly"
	}
	if m.MinLength > 0 {
		text += " min=" + strconv.Itoa(m.MinLength)
	}
	return text + defaults(m.Default)
}

// String returns the line of the facts, without its versions.
func (e *Enum) String() string {
	if e.Number {
		return "enum " + e.Name + " number"
	}
	return "enum " + e.Name
}

// String returns the line of the facts, without its versions.
func (v *Value) String() string {
	if v.Value == "" || strings.ContainsAny(v.Value, " @\"\\\n") {
		return strconv.Quote(v.Value)
	}
	return v.Value
}

func required(required bool) string {
	if required {
		return "!"
	}
	return ""
}

func defaults(value string) string {
	if value == "" {
		return ""
	}
	return " default=" + value
}

// String returns the text of the type.
func (t Type) String() string {
	var text string
	switch {
	case t.Kind == "array":
		text = "[]" + t.Elem.element()
	case t.Kind == "map":
		text = "map[]" + t.Elem.element()
	case t.Kind == "any" && t.Name != "":
		text = "any(" + t.Name + ")"
	case t.Name != "":
		text = t.Name
	default:
		text = t.Kind
	}
	if t.Nullable {
		text += "?"
	}
	return text
}

// element is the text of a type that follows [].
func (t Type) element() string {
	if t.Nullable {
		return "(" + t.String() + ")"
	}
	return t.String()
}

// ParseFacts reads what [Facts.String] wrote.
func ParseFacts(text string) (*Facts, error) {
	p := &textReader{facts: new(Facts), names: map[string]string{}}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) > 1 && (words[0] == "object" || words[0] == "enum") && !strings.HasPrefix(line, " ") {
			p.names[words[1]] = map[string]string{"object": "ref", "enum": "enum"}[words[0]]
		}
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d of the facts: %w: %s", number, err, line)
		}
	}
	return p.facts, nil
}

// textReader reads the facts line by line.
type textReader struct {
	facts  *Facts
	names  map[string]string // the kind of what has a name: ref or enum
	owner  Spans             // the versions of the last line that is not indented
	member func(*fields) error
}

var errLine = errors.New("it is no fact")

func (p *textReader) line(line string) error {
	f, err := newFields(line)
	if err != nil {
		return err
	}
	if version, ok := strings.CutPrefix(line, "version "); ok {
		p.facts.Versions = append(p.facts.Versions, version)
		return nil
	}
	indented := strings.HasPrefix(line, "  ")
	if !indented {
		p.owner = Spans{{0, len(p.facts.Versions) - 1}}
	}
	spans, err := parseSpans(f.spans, p.facts.Versions, p.owner)
	if err != nil {
		return err
	}
	f.owned = spans
	if indented {
		if p.member == nil {
			return errLine
		}
		err = p.member(f)
	} else {
		p.owner = spans
		err = p.head(f)
	}
	if err == nil && len(f.words) > 0 {
		err = fmt.Errorf("%q is unknown", f.words)
	}
	return err
}

// head reads a line that is not indented, and says how the next ones are read.
func (p *textReader) head(f *fields) error {
	switch word := f.next(); word {
	case "object":
		o := &Object{Name: f.next(), Open: f.flag("open"), Spans: f.owned}
		p.facts.Objects = append(p.facts.Objects, o)
		p.member = func(f *fields) error { return p.objectLine(o, f) }
	case "enum":
		e := &Enum{Name: f.next(), Number: f.flag("number"), Spans: f.owned}
		p.facts.Enums = append(p.facts.Enums, e)
		p.member = func(f *fields) error {
			e.Values = append(e.Values, &Value{Value: f.next(), Spans: f.owned})
			return nil
		}
	case "GET", "POST", "PUT", "PATCH", "DELETE":
		o := &Operation{Method: word, Path: f.next(), ID: f.next(), NoToken: f.flag("notoken"), Auth: f.value("auth="), Spans: f.owned}
		p.facts.Operations = append(p.facts.Operations, o)
		p.member = func(f *fields) error { return p.operationLine(o, f) }
	default:
		return errLine
	}
	return nil
}

func (p *textReader) operationLine(o *Operation, f *fields) error {
	var err error
	switch word := f.next(); word {
	case "path", "query":
		parameter := &Parameter{In: word, Name: f.next(), Spans: f.owned}
		parameter.Type, parameter.Required, err = p.typeOf(f.next())
		parameter.Explode, parameter.Default = f.flag("explode"), f.defaults
		o.Parameters = append(o.Parameters, parameter)
	default:
		content := &Content{Spans: f.owned}
		if len(f.words) > 0 {
			content.Media = mediaJSON
			if strings.Contains(f.words[0], "/") {
				content.Media = f.next()
			}
			content.Page = f.flag("page")
			content.Type, content.Required, err = p.typeOf(f.next())
		}
		if word == "body" {
			o.Bodies = append(o.Bodies, content)
			return err
		}
		o.Answers = append(o.Answers, content)
		if err == nil {
			content.Status, err = strconv.Atoi(word)
		}
	}
	return err
}

func (p *textReader) objectLine(o *Object, f *fields) error {
	member := &Member{Name: f.next(), Spans: f.owned}
	var err error
	member.Type, member.Required, err = p.typeOf(f.next())
	member.ReadOnly, member.WriteOnly = f.flag("readonly"), f.flag("writeonly")
	if minimum := f.value("min="); minimum != "" && err == nil {
		member.MinLength, err = strconv.Atoi(minimum)
	}
	member.Default = f.defaults
	o.Members = append(o.Members, member)
	return err
}

var kinds = []string{
	"uuid", "string", "date-time", "date", "uri", "email", "binary", "boolean", "integer", "int64", "number", "double", "object", "any",
}

func (p *textReader) typeOf(text string) (t Type, required bool, err error) {
	text, required = strings.CutSuffix(text, "!")
	text, t.Nullable = strings.CutSuffix(text, "?")
	for prefix, kind := range map[string]string{"[]": "array", "map[]": "map"} {
		elem, ok := strings.CutPrefix(text, prefix)
		if !ok {
			continue
		}
		if inner, ok := strings.CutPrefix(elem, "("); ok {
			elem = strings.TrimSuffix(inner, ")")
		}
		t.Kind, t.Elem = kind, new(Type)
		*t.Elem, _, err = p.typeOf(elem)
		return t, required, err
	}
	if name, ok := strings.CutPrefix(text, "any("); ok {
		t.Kind, t.Name = "any", strings.TrimSuffix(name, ")")
	} else if slices.Contains(kinds, text) {
		t.Kind = text
	} else if t.Kind = p.names[text]; t.Kind != "" {
		t.Name = text
	} else {
		err = fmt.Errorf("there is no type %q", text)
	}
	return t, required, err
}

// parseSpans reads the versions of a line, those of its owner if it names none.
func parseSpans(text string, versions []string, owner Spans) (Spans, error) {
	if text == "" {
		return owner, nil
	}
	var spans Spans
	for run := range strings.SplitSeq(text, ",") {
		first, last, isRun := strings.Cut(run, "..")
		if !isRun {
			last = first
		}
		span := Span{0, len(versions) - 1}
		if first != "" {
			span.First = slices.Index(versions, first)
		}
		if last != "" {
			span.Last = slices.Index(versions, last)
		}
		if span.First < 0 || span.Last < span.First {
			return nil, fmt.Errorf("there are no versions %s", run)
		}
		spans = append(spans, span)
	}
	return spans, nil
}

// fields are the words of a line.
type fields struct {
	words    []string
	defaults string
	spans    string // as text
	owned    Spans  // the versions, those of the owner if the line names none
}

func newFields(line string) (*fields, error) {
	f := &fields{}
	line = strings.TrimLeft(line, " ")
	if quoted, err := strconv.QuotedPrefix(line); err == nil {
		value, _ := strconv.Unquote(quoted) // it is one
		f.words = append(f.words, value)
		line = line[len(quoted):]
	}
	if before, after, ok := strings.Cut(line, " default="); ok {
		decoder := json.NewDecoder(strings.NewReader(after))
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("default: %w", err)
		}
		f.defaults, line = string(value), before+after[decoder.InputOffset():]
	}
	words := strings.Fields(line)
	if last := len(words) - 1; last >= 0 && strings.HasPrefix(words[last], "@") {
		f.spans, words = words[last][1:], words[:last]
	}
	f.words = append(f.words, words...)
	return f, nil
}

// next takes the next word, "" if there is none.
func (f *fields) next() string {
	if len(f.words) == 0 {
		return ""
	}
	word := f.words[0]
	f.words = f.words[1:]
	return word
}

// flag takes the next word if it is the one given.
func (f *fields) flag(word string) bool {
	if len(f.words) == 0 || f.words[0] != word {
		return false
	}
	f.next()
	return true
}

// value takes what follows the prefix in the next word.
func (f *fields) value(prefix string) string {
	if len(f.words) == 0 || !strings.HasPrefix(f.words[0], prefix) {
		return ""
	}
	return strings.TrimPrefix(f.next(), prefix)
}
