package contract

import (
	stdcmp "cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Line is a line of servers.txt: words, values with a name, flags, and the lines
// below it.
type Line struct {
	words  []string
	keys   []string // of values and flags, in their order
	values []string // of the keys, as JSON, "" of a flag
	lines  []*Line
	spans  Spans
}

// NewLine is a line of words.
func NewLine(kind string, words ...string) *Line {
	return &Line{words: append([]string{kind}, words...)}
}

// With adds lines below it.
func (l *Line) With(lines ...*Line) *Line {
	l.lines = append(l.lines, lines...)
	return l
}

// Set gives a value a name, unless it is empty.
func (l *Line) Set(key string, value any) *Line {
	v := reflect.ValueOf(value)
	if v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 {
		return l
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // plain values
	return l.Raw(key, json.RawMessage(strings.TrimSpace(text.String())))
}

// Raw gives a JSON value a name, unless there is none.
func (l *Line) Raw(key string, value json.RawMessage) *Line {
	if len(value) > 0 {
		l.put(key, string(value))
	}
	return l
}

// Flag adds the name if set is true.
func (l *Line) Flag(key string, set bool) *Line {
	if set {
		l.put(key, "")
	}
	return l
}

func (l *Line) put(key, value string) {
	l.keys, l.values = append(l.keys, key), append(l.values, value)
}

// Text is the line itself, without its versions and the lines below it.
func (l *Line) Text() string {
	parts := make([]string, 0, len(l.words)+len(l.keys))
	for _, word := range l.words {
		if word == "" || strings.ContainsAny(word, " =\"") {
			word = strconv.Quote(word)
		}
		parts = append(parts, word)
	}
	for i, key := range l.keys {
		switch value := l.values[i]; {
		case value == "":
			parts = append(parts, "+"+key)
		case simple(value):
			parts = append(parts, key+"="+value[1:len(value)-1])
		default:
			parts = append(parts, key+"="+value)
		}
	}
	return strings.Join(parts, " ")
}

// simple reports whether a JSON value is a text that needs no quotes to be read
// again as one.
func simple(value string) bool {
	inner, ok := strings.CutPrefix(value, `"`)
	inner, isText := strings.CutSuffix(inner, `"`)
	return ok && isText && inner != "" && !strings.ContainsAny(inner, " @\"\\[{") && !json.Valid([]byte(inner))
}

// parseLine reads [Line.Text].
func parseLine(text string) (*Line, error) {
	l := &Line{words: make([]string, 0, 3)}
	for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
		if text[0] == '"' {
			quoted, err := strconv.QuotedPrefix(text)
			if err != nil {
				return nil, err
			}
			word, _ := strconv.Unquote(quoted) // it is one
			l.words, text = append(l.words, word), text[len(quoted):]
			continue
		}
		word, _, _ := strings.Cut(text, " ")
		key, value, isValue := strings.Cut(word, "=")
		switch {
		case !isValue && word[0] == '+':
			l.Flag(word[1:], true)
			text = text[len(word):]
		case !isValue:
			l.words, text = append(l.words, word), text[len(word):]
		case value != "" && value[0] == '"' && plain(value):
			l.put(key, value)
			text = text[len(word):]
		case value != "" && strings.ContainsRune(`"[{`, rune(value[0])):
			text = text[len(key)+1:]
			decoder := json.NewDecoder(strings.NewReader(text))
			var raw json.RawMessage
			if err := decoder.Decode(&raw); err != nil {
				return nil, err
			}
			l.Raw(key, raw)
			text = text[decoder.InputOffset():]
		case !letter(value) && json.Valid([]byte(value)), value == "true", value == "false", value == "null":
			l.Raw(key, json.RawMessage(value))
			text = text[len(word):]
		default:
			l.Raw(key, json.RawMessage(`"`+value+`"`))
			text = text[len(word):]
		}
	}
	if len(l.words) == 0 {
		return nil, errors.New("it has no words")
	}
	return l, nil
}

// letter reports whether the text begins with one.
func letter(text string) bool { return text != "" && (text[0]|' ') >= 'a' && (text[0]|' ') <= 'z' }

func (l *Line) word(i int) string {
	if i < len(l.words) {
		return l.words[i]
	}
	return ""
}

func (l *Line) has(key string) bool {
	return slices.Contains(l.keys, key)
}

// value is the JSON value of the name, "" if there is none.
func (l *Line) value(key string) string {
	if i := slices.Index(l.keys, key); i >= 0 {
		return l.values[i]
	}
	return ""
}

func (l *Line) text(key string) string {
	value := l.value(key)
	switch {
	case value == "":
		return ""
	case plain(value): // which most are: a program starts sooner
		return value[1 : len(value)-1]
	}
	var text string
	_ = json.Unmarshal([]byte(value), &text) // "" if it is no text
	return text
}

// plain reports whether a JSON value is a text that stands as it is.
func plain(value string) bool {
	return len(value) > 1 && value[0] == '"' && strings.IndexAny(value[1:], "\"\\") == len(value)-2
}

func (l *Line) number(key string) int {
	value := l.value(key)
	if value == "" {
		return 0
	}
	number, _ := strconv.Atoi(value) // 0 if it is none
	return number
}

// list are values as text.
func (l *Line) list(key string) []string {
	listed := l.value(key)
	if listed == "" {
		return nil
	}
	var values []any
	_ = json.Unmarshal([]byte(listed), &values) // nil if it is no list
	var texts []string
	for _, value := range values {
		texts = append(texts, fmt.Sprint(value))
	}
	return texts
}

const serversHeader = `# What running servers of authentik said of themselves when they were asked: written by
# internal/contract/servers, and read by the generators and the tests. Package
# contract says what each value means, at the types that hold them.
#
# Each fact is a line. @ and releases say which have it; where there is none, those
# do that have the line above it with less indentation. +name is a flag.

`

// ServersText is servers.txt: the lines of each release, joined.
func ServersText(releases []string, trees [][]*Line) string {
	var all []*Line
	known := map[string]*Line{}
	for i, lines := range trees {
		for _, head := range lines {
			into := known[head.Text()]
			if into == nil {
				into = &Line{words: head.words, keys: head.keys, values: head.values}
				known[head.Text()], all = into, append(all, into)
			}
			into.spans = into.spans.with(i)
			into.join(head.lines, i)
		}
	}
	kinds := []string{"list", "view", "serializer", "model", "messages"}
	slices.SortStableFunc(all, func(a, b *Line) int {
		return stdcmp.Or(slices.Index(kinds, a.words[0])-slices.Index(kinds, b.words[0]), strings.Compare(a.words[1], b.words[1]))
	})
	w := &writer{versions: releases}
	w.text.WriteString(serversHeader)
	for _, release := range releases {
		fmt.Fprintf(&w.text, "release %s\n", release)
	}
	for _, head := range all {
		w.text.WriteString("\n")
		w.line("", head.Text(), head.spans, Spans{{0, len(releases) - 1}})
		for _, line := range head.lines {
			w.line("  ", line.Text(), line.spans, head.spans)
		}
	}
	return w.text.String()
}

// Lines are those of one release, as [ServersText] takes them.
func (s *Servers) Lines(release string) []*Line {
	i := slices.Index(s.Releases, release)
	var lines []*Line
	for _, head := range s.lines {
		if head.spans.Has(i) {
			below := slices.DeleteFunc(slices.Clone(head.lines), func(line *Line) bool { return !line.spans.Has(i) })
			lines = append(lines, &Line{words: head.words, keys: head.keys, values: head.values, lines: below})
		}
	}
	return lines
}

// join adds the lines of a release. Those that say the same thing of several
// releases stand together.
func (l *Line) join(lines []*Line, release int) {
	for _, line := range lines {
		i := slices.IndexFunc(l.lines, func(other *Line) bool { return other.Text() == line.Text() })
		if i < 0 {
			same := func(other *Line) bool { return slices.Equal(line.subject(), other.subject()) }
			i = len(l.lines)
			for j, other := range slices.Backward(l.lines) {
				if same(other) || other.words[0] == line.words[0] && strings.Compare(other.word(1), line.word(1)) <= 0 {
					i = j + 1
					break
				}
			}
			l.lines = slices.Insert(l.lines, i, &Line{words: line.words, keys: line.keys, values: line.values})
		}
		l.lines[i].spans = l.lines[i].spans.with(release)
	}
}

// subject is what a line is about.
func (l *Line) subject() []string { return l.words[:min(2, len(l.words))] }

// with adds a version that is newer than the others.
func (s Spans) with(version int) Spans {
	if last := len(s) - 1; last >= 0 && s[last].Last >= version-1 {
		s[last].Last = version
		return s
	}
	return append(s, Span{version, version})
}
