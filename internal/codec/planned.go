package codec

import (
	"bytes"
	"encoding"
	"encoding/binary"
	stdjson "encoding/json"
	"math/bits"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// UnmarshalPlanned is the fast way of [Unmarshal], for a v that points to a zero
// value: it decodes by a plan, made once for each type. It reports whether it did.
// If not, because of the type or anything unusual in b, v is as it was, and the
// library has to decode b: nothing here has results or errors of its own.
func UnmarshalPlanned(b []byte, v any) bool {
	pointer := reflect.ValueOf(v)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() || !pointer.Elem().IsZero() {
		return false
	}
	d, p, target := decoder{b: b}, planFor(pointer.Type().Elem()), pointer.Elem()
	if p == nil || p.kind == byLibrary || !d.value(p, target) || d.peek() != 0 || d.i < len(b) {
		target.SetZero()
		return false
	}
	return true
}

// plan says how to decode values of a type.
type plan struct {
	kind   planKind
	t      reflect.Type
	elem   *plan // of a pointer or a slice
	fields []plannedField
	byName map[string]int // indices of fields
	extra  int            // in a struct, of the field Extra; -1 if it has none
}

type plannedField struct {
	*plan
	name  string // with quotes and a colon
	index int    // in the struct
}

type planKind uint8

const (
	byLibrary planKind = iota // value by value
	byText                    // an encoding.TextUnmarshaler
	aString
	aBool
	anInt
	aFloat
	aPointer
	aSlice
	aStruct
)

const (
	maxFields = 128 // of a struct
	maxDepth  = 100 // of lists and objects in each other; the library takes 10,000
)

var (
	simpleKinds = map[reflect.Kind]planKind{reflect.String: aString, reflect.Bool: aBool, reflect.Int: anInt, reflect.Int64: anInt, reflect.Float64: aFloat}
	special     = []reflect.Type{reflect.TypeFor[stdjson.Number](), reflect.TypeFor[time.Duration](), reflect.TypeFor[stdjson.RawMessage](), reflect.TypeFor[any]()}
	plans       sync.Map // of *plan, by reflect.Type; nil if the library decodes the type
	rootPackage = strings.TrimSuffix(reflect.TypeFor[plan]().PkgPath(), "/internal/codec")
)

func planFor(t reflect.Type) *plan {
	p, ok := plans.Load(t)
	if !ok {
		p, _ = plans.LoadOrStore(t, newPlan(t, map[reflect.Type]*plan{}))
	}
	return p.(*plan)
}

// newPlan returns the plan for t, or nil if the library has to decode t and all that
// has a t in it. begun has the plans of the types that have t in them.
func newPlan(t reflect.Type, begun map[reflect.Type]*plan) *plan {
	if p := begun[t]; p != nil {
		return p
	}
	p := &plan{t: t, extra: -1, byName: map[string]int{}}
	begun[t] = p
	ok := true
	switch kind := t.Kind(); {
	case t == reflect.TypeFor[uuid.UUID](), t == reflect.TypeFor[time.Time]():
		p.kind = byText
	case slices.Contains(special, t):
	case hasMethods(t) && !isModel(t):
		ok = t.PkgPath() == rootPackage // one of a user might notice that it is called twice
	case simpleKinds[kind] != byLibrary:
		p.kind = simpleKinds[kind]
	case kind == reflect.Map:
		ok = t.Key() == reflect.TypeFor[string]() && newPlan(t.Elem(), begun) != nil
	case kind == reflect.Pointer:
		p.kind, p.elem = aPointer, newPlan(t.Elem(), begun)
		ok = p.elem != nil
	case kind == reflect.Slice && t.Elem().Kind() != reflect.Uint8: // which is base64
		p.kind, p.elem = aSlice, newPlan(t.Elem(), begun)
		ok = p.elem != nil
	case kind == reflect.Struct:
		p.kind = aStruct
		ok = p.addFields(begun)
	default:
		ok = false
	}
	if !ok {
		return nil
	}
	return p
}

// isModel reports whether t is a model. Its methods, which Go 1.26 needs, do what
// is done here.
func isModel(t reflect.Type) bool {
	return t.PkgPath() == rootPackage && t.Kind() == reflect.Struct && t.NumField() > 0 && isExtra(t.Field(t.NumField()-1))
}

func isExtra(field reflect.StructField) bool {
	return field.Tag.Get("json") == ",embed,inline" && field.Type == reflect.TypeFor[map[string]stdjson.RawMessage]()
}

// addFields plans the fields of a struct whose tags are as simple as those of models.
func (p *plan) addFields(begun map[reflect.Type]*plan) bool {
	for field := range p.t.Fields() {
		if isExtra(field) {
			p.extra = field.Index[0]
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		_, twice := p.byName[name]
		isPlain := strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
		elem := newPlan(field.Type, begun)
		if name == "" || twice || !isPlain || options != "" && options != "omitzero" || field.Anonymous || !field.IsExported() ||
			elem == nil || len(p.fields) == maxFields {
			return false
		}
		p.byName[name] = len(p.fields)
		p.fields = append(p.fields, plannedField{elem, `"` + name + `":`, field.Index[0]})
	}
	return true
}

// decoder reads b from i on. Its methods report whether nothing was unusual; else
// the decoder is of no more use.
type decoder struct {
	b      []byte
	i      int
	depth  int
	shared [256]string // texts of late, by a hash
}

// peek returns the first byte after white space; 0 at the end.
func (d *decoder) peek() byte {
	for ; d.i < len(d.b); d.i++ {
		if c := d.b[d.i]; c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// skip passes over c and white space before it.
func (d *decoder) skip(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.i++
	return true
}

func (d *decoder) literal(text string) bool {
	if len(d.b)-d.i < len(text) || string(d.b[d.i:d.i+len(text)]) != text {
		return false
	}
	d.i += len(text)
	return true
}

// value decodes what comes next into v, which is zero.
func (d *decoder) value(p *plan, v reflect.Value) bool {
	c, start := d.peek(), d.i
	if c == 'n' && p.kind != byLibrary {
		return d.literal("null")
	}
	switch p.kind {
	case aString, byText:
		text, plain, ok := d.text()
		switch {
		case !ok || !plain:
			d.i = start
		case p.kind == byText:
			return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text) == nil
		default:
			v.SetString(d.share(text))
			return true
		}
	case aBool:
		v.SetBool(c == 't')
		return d.literal("true") || d.literal("false")
	case anInt, aFloat:
		n, ok := d.integer()
		if ok && p.kind == anInt {
			v.SetInt(n)
			return v.Int() == n
		}
		if ok {
			v.SetFloat(float64(n))
			return true
		}
		d.i = start
	case aPointer:
		v.Set(reflect.New(p.elem.t))
		return d.value(p.elem, v.Elem())
	case aSlice, aStruct:
		d.depth++
		ok := d.depth <= maxDepth && (p.kind == aSlice && d.list(p, v) || p.kind == aStruct && d.object(p, v))
		d.depth--
		return ok
	case byLibrary:
	}
	return d.pass() && json.Unmarshal(d.b[start:d.i], v.Addr().Interface(), onePass) == nil
}

func (d *decoder) list(p *plan, v reflect.Value) bool {
	if !d.skip('[') {
		return false
	}
	if d.skip(']') {
		v.Set(reflect.MakeSlice(p.t, 0, 0))
		return true
	}
	for n := 0; ; n++ {
		if n == v.Cap() {
			v.Grow(max(1, 64/max(1, int(p.elem.t.Size()))))
		}
		v.SetLen(n + 1)
		if !d.value(p.elem, v.Index(n)) {
			return false
		}
		if !d.skip(',') {
			return d.skip(']')
		}
	}
}

func (d *decoder) object(p *plan, v reflect.Value) bool {
	if !d.skip('{') {
		return false
	}
	if d.skip('}') {
		return true
	}
	var seen [maxFields]bool
	for next := 0; ; {
		// Servers have the order of the schema, as models do.
		i, known := next, d.peek() != 0 && next < len(p.fields) && d.literal(p.fields[next].name)
		if !known {
			name, plain, ok := d.text()
			if !ok || !plain || !d.skip(':') {
				return false
			}
			if i, known = p.byName[string(name)]; !known && !d.unknown(p, v, string(name)) {
				return false
			}
		}
		if known {
			if seen[i] || !d.value(p.fields[i].plan, v.Field(p.fields[i].index)) {
				return false
			}
			seen[i], next = true, i+1
		}
		if !d.skip(',') {
			return d.skip('}')
		}
	}
}

// unknown keeps the value of a member in the field Extra of v, if that has one.
func (d *decoder) unknown(p *plan, v reflect.Value, name string) bool {
	d.peek()
	start, isName := d.i, func(f plannedField) bool { return strings.EqualFold(f.name, `"`+name+`":`) }
	if slices.ContainsFunc(p.fields, isName) || !d.pass() || !jsontext.Value(d.b[start:d.i]).IsValid(onePass) {
		return false
	}
	if p.extra < 0 {
		return true
	}
	members := v.Field(p.extra).Addr().Interface().(*map[string]stdjson.RawMessage)
	if *members == nil {
		*members = map[string]stdjson.RawMessage{}
	}
	_, twice := (*members)[name]
	(*members)[name] = slices.Clone(d.b[start:d.i])
	return !twice
}

// pass passes over what is a value if it is JSON.
func (d *decoder) pass() bool {
	for depth := 0; d.i < len(d.b); d.i++ {
		switch c := d.b[d.i]; {
		case c == '{', c == '[':
			depth++
		case depth > 0 && (c == '}' || c == ']'):
			depth--
		case c == '"':
			if _, _, ok := d.text(); !ok {
				return false
			}
			d.i--
		case depth == 0 && strings.IndexByte(",]} \n\t\r", c) >= 0: // after a number or a literal
			return true
		case depth == 0:
			continue
		}
		if depth == 0 || depth > maxDepth {
			d.i++
			return depth == 0
		}
	}
	return false
}

// integer reads a whole number that a float64 holds, written as Go writes it.
func (d *decoder) integer() (n int64, ok bool) {
	start := d.i
	if !d.pass() {
		return 0, false
	}
	n, err := strconv.ParseInt(string(d.b[start:d.i]), 10, 64)
	digits := bytes.TrimPrefix(d.b[start:d.i], []byte("-"))
	return n, err == nil && len(digits) <= 15 && (digits[0] >= '1' || d.i == start+1)
}

// text reads a string, and returns what is between its quotes. plain is false if
// that has escapes.
func (d *decoder) text() (text []byte, plain, ok bool) {
	if d.i == len(d.b) || d.b[d.i] != '"' {
		return nil, false, false
	}
	start, plain, ascii := d.i+1, true, true
	for i := start; ; i++ {
		for ; i+8 <= len(d.b); i += 8 {
			if special := specials(binary.LittleEndian.Uint64(d.b[i:])); special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
		}
		if i >= len(d.b) || d.b[i] < ' ' {
			return nil, false, false
		}
		switch c := d.b[i]; {
		case c == '"':
			d.i = i + 1
			return d.b[start:i], plain, ascii || utf8.Valid(d.b[start:i])
		case c == '\\':
			plain = false
			i++ // what is escaped may be a quote
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
}

// specials has the highest bit of the first of eight bytes that is a quote, a
// backslash, a control character or not ASCII, and of none before it.
func specials(word uint64) uint64 {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	quotes, backslashes := word^ones*'"', word^ones*'\\'
	return ((quotes - ones) | (backslashes - ones) | (word - ones*' ') | word) & highest
}

// share returns text as a string: if it is short and came before, the same.
func (d *decoder) share(text []byte) string {
	if len(text) > 64 {
		return string(text)
	}
	hash := uint32(0)
	for _, c := range text {
		hash = hash*31 + uint32(c)
	}
	last := &d.shared[hash%uint32(len(d.shared))]
	if *last != string(text) {
		*last = string(text)
	}
	return *last
}
