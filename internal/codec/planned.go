package codec

import (
	"encoding"
	"encoding/binary"
	stdjson "encoding/json"
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

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
	target := pointer.Elem()
	p, ok := plans.Load(target.Type())
	if !ok {
		p, _ = plans.LoadOrStore(target.Type(), newPlan(target.Type(), map[reflect.Type]*plan{}))
	}
	d := decoder{b: b}
	if p := p.(*plan); p == nil || p.kind == byLibrary || !d.value(p, target) || d.peek() != 0 || d.i < len(b) {
		target.SetZero()
		return false
	}
	return true
}

// plan says how to decode values of a type.
type plan struct {
	kind   reflect.Kind // of t, or byLibrary, or byText
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

const (
	byLibrary = reflect.Invalid // value by value
	byText    = reflect.Array   // an encoding.TextUnmarshaler
	maxFields = 128             // of a struct
	maxDepth  = 100             // of lists and objects in each other; the library takes 10,000
)

var (
	kinds = map[reflect.Type]reflect.Kind{
		reflect.TypeFor[uuid.UUID](): byText, reflect.TypeFor[time.Time](): byText,
		reflect.TypeFor[any](): reflect.Interface, reflect.TypeFor[map[string]any](): reflect.Map,
		reflect.TypeFor[stdjson.Number](): byLibrary, reflect.TypeFor[time.Duration](): byLibrary, reflect.TypeFor[stdjson.RawMessage](): byLibrary,
	}
	anyItems    = &plan{t: reflect.TypeFor[[]any](), elem: &plan{t: reflect.TypeFor[any](), kind: reflect.Interface}}
	plans       sync.Map // of *plan, by reflect.Type; nil if the library decodes the type
	rootPackage = strings.TrimSuffix(reflect.TypeFor[plan]().PkgPath(), "/internal/codec")
)

// newPlan returns the plan for t, or nil if the library has to decode t and all that
// has a t in it. begun has the plans of the types that have t in them.
func newPlan(t reflect.Type, begun map[reflect.Type]*plan) *plan {
	if p := begun[t]; p != nil {
		return p
	}
	kind, special := kinds[t]
	if !special {
		kind = t.Kind()
	}
	p := &plan{t: t, kind: kind, extra: -1, byName: map[string]int{}}
	begun[t] = p
	ok := kind != reflect.Struct || p.addFields(begun)
	switch {
	case special, ok && p.extra >= 0 && t.PkgPath() == rootPackage: // the methods of models, which Go 1.26 needs, do what is done here
	case hasMethods(t):
		p.kind = byLibrary
		ok = t.PkgPath() == rootPackage // one of a user might notice that it is called twice
	case kind == reflect.Map:
		p.kind = byLibrary
		ok = t.Key() == reflect.TypeFor[string]() && newPlan(t.Elem(), begun) != nil
	case kind == reflect.Pointer, kind == reflect.Slice:
		p.elem = newPlan(t.Elem(), begun)
		ok = p.elem != nil
	default:
		ok = ok && slices.Contains([]reflect.Kind{reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64, reflect.Struct}, kind)
	}
	if !ok {
		return nil
	}
	return p
}

// addFields plans the fields of a struct whose tags are as simple as those of models.
func (p *plan) addFields(begun map[reflect.Type]*plan) bool {
	for field := range p.t.Fields() {
		tag := field.Tag.Get("json")
		if tag == ",embed,inline" && field.Type == reflect.TypeFor[map[string]stdjson.RawMessage]() {
			p.extra = field.Index[0]
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		_, twice := p.byName[name]
		elem := newPlan(field.Type, begun)
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" || twice ||
			options != "" && options != "omitzero" || field.Anonymous || !field.IsExported() || elem == nil || len(p.fields) == maxFields {
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

// skip passes over white space, and over text if that comes next.
func (d *decoder) skip(text string) bool {
	d.peek()
	if len(d.b)-d.i < len(text) || string(d.b[d.i:d.i+len(text)]) != text {
		return false
	}
	d.i += len(text)
	return true
}

// value decodes what comes next into v, which is zero.
func (d *decoder) value(p *plan, v reflect.Value) bool {
	c := d.peek()
	if c == 'n' && p.kind != byLibrary {
		return d.skip("null")
	}
	switch p.kind { //nolint:exhaustive // the rest is the library's
	case byText:
		text, ok := d.text()
		return ok && v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text) == nil
	case reflect.String:
		text, ok := d.text()
		v.SetString(d.share(text))
		return ok
	case reflect.Bool:
		v.SetBool(c == 't')
		return d.skip("true") || d.skip("false")
	case reflect.Int, reflect.Int64:
		if n, ok := d.natural(); ok {
			v.SetInt(n)
			return v.Int() == n
		}
	case reflect.Pointer:
		v.Set(reflect.New(p.elem.t))
		return d.value(p.elem, v.Elem())
	case reflect.Slice:
		return d.list(p, v)
	case reflect.Struct:
		return d.object(p, v)
	case reflect.Map, reflect.Interface:
		value, ok := d.any()
		if ok = ok && (c == '{' || p.kind == reflect.Interface); ok {
			v.Set(reflect.ValueOf(value))
		}
		return ok
	}
	return d.byLibrary(v.Addr().Interface())
}

// byLibrary decodes what comes next into what v points to.
func (d *decoder) byLibrary(v any) bool {
	start := d.i
	return d.pass() && json.Unmarshal(d.b[start:d.i], v, onePass) == nil
}

// each calls decode where each item of a list begins, or each member of an object.
func (d *decoder) each(brackets string, decode func() bool) bool {
	d.depth++
	if d.depth > maxDepth || !d.skip(brackets[:1]) {
		return false
	}
	for more := d.peek() != brackets[1]; more; more = d.skip(",") {
		if !decode() {
			return false
		}
	}
	d.depth--
	return d.skip(brackets[1:])
}

func (d *decoder) list(p *plan, v reflect.Value) bool {
	start, room := d.i, max(2, 64/max(1, int(p.elem.t.Size())))
	ok := d.each("[]", func() bool {
		n := v.Len()
		if n == 1 && d.depth == 2 { // of a page, whose objects are of about one size
			room = min(1000, 1+(len(d.b)-d.i)/(d.i-start))
		}
		if n == v.Cap() {
			v.Grow(room)
		}
		v.SetLen(n + 1)
		return d.value(p.elem, v.Index(n))
	})
	if v.Len() == 0 {
		v.Set(reflect.MakeSlice(p.t, 0, 0))
	}
	return ok
}

func (d *decoder) object(p *plan, v reflect.Value) bool {
	var seen [maxFields]bool
	next := 0
	return d.each("{}", func() bool {
		// Servers have the order of the schema, as models do.
		i, known := next, next < len(p.fields) && d.skip(p.fields[next].name)
		if !known {
			name, ok := d.name()
			if i, known = p.byName[string(name)]; !ok || !known {
				return ok && d.unknown(p, v, string(name))
			}
		}
		if seen[i] {
			return false
		}
		seen[i], next = true, i+1
		return d.value(p.fields[i].plan, v.Field(p.fields[i].index))
	})
}

// unknown keeps the value of a member in the field Extra of v, if that has one.
func (d *decoder) unknown(p *plan, v reflect.Value, name string) bool {
	var value stdjson.RawMessage
	isName := func(f plannedField) bool { return strings.EqualFold(f.name, `"`+name+`":`) }
	if slices.ContainsFunc(p.fields, isName) || !d.byLibrary(&value) {
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
	(*members)[name] = value
	return !twice
}

// any decodes what comes next as the library does where no type is given.
func (d *decoder) any() (value any, ok bool) {
	switch c := d.peek(); c {
	case '{':
		members := map[string]any{}
		ok = d.each("{}", func() bool {
			text, ok := d.name()
			if !ok {
				return false
			}
			n := len(members)
			members[d.share(text)], ok = d.any()
			return ok && len(members) > n
		})
		return members, ok
	case '[':
		var items []any
		ok = d.list(anyItems, reflect.ValueOf(&items).Elem())
		return items, ok
	case '"':
		text, ok := d.text()
		return d.share(text), ok
	case 't', 'f':
		return c == 't', d.skip("true") || d.skip("false")
	case 'n':
		return nil, d.skip("null")
	}
	if n, ok := d.natural(); ok {
		return float64(n), true
	}
	var number any
	ok = d.byLibrary(&number)
	return number, ok
}

// pass passes over what is a value if it is JSON.
func (d *decoder) pass() bool {
	switch d.peek() {
	case '{':
		return d.each("{}", func() bool {
			_, ok := d.name()
			return ok && d.pass()
		})
	case '[':
		return d.each("[]", d.pass)
	case '"':
		_, ok := d.text()
		return ok
	}
	for d.i < len(d.b) && strings.IndexByte(",]} \n\t\r", d.b[d.i]) < 0 {
		d.i++
	}
	return true
}

// name reads the name of a member and the colon.
func (d *decoder) name() (name []byte, ok bool) {
	name, ok = d.text()
	return name, ok && d.skip(":")
}

// natural reads a number of digits alone that a float64 holds, or else nothing.
func (d *decoder) natural() (n int64, ok bool) {
	i := d.i
	for ; i < len(d.b) && d.b[i]-'0' <= 9 && i < d.i+16; i++ {
		n = n*10 + int64(d.b[i]-'0')
	}
	if i == d.i || i > d.i+15 || d.b[d.i] == '0' && i > d.i+1 || i == len(d.b) || strings.IndexByte(",]} \n\t\r", d.b[i]) < 0 {
		return 0, false
	}
	d.i = i
	return n, true
}

// text reads a string and returns what it says.
func (d *decoder) text() (text []byte, ok bool) {
	if d.peek() != '"' {
		return nil, false
	}
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	start, plain := d.i+1, true
	for i := start; ; i++ {
		for ; i+8 <= len(d.b); i += 8 {
			// special has the highest bit of the first byte that is a quote, a backslash, a
			// control character or not ASCII, and of none before it.
			word := binary.LittleEndian.Uint64(d.b[i:])
			quotes, backslashes := word^ones*'"', word^ones*'\\'
			if special := ((quotes - ones) | (backslashes - ones) | (word - ones*' ') | word) & highest; special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
		}
		if i >= len(d.b) || d.b[i] < ' ' {
			return nil, false
		}
		switch c := d.b[i]; {
		case c == '"' && plain:
			d.i = i + 1
			return d.b[start:i], true
		case c == '"':
			d.i = i + 1
			text, err := jsontext.AppendUnquote(nil, d.b[start-1:d.i])
			return text, err == nil
		case c == '\\':
			plain = false
			i++ // what is escaped may be a quote
		case c > '~':
			plain = false
		}
	}
}

// share returns text as a string: the one that was made of it before, if it was of late.
func (d *decoder) share(text []byte) string {
	hash := uint64(len(text))
	for _, c := range text[max(0, len(text)-8):] {
		hash = hash*31 + uint64(c)
	}
	last := &d.shared[hash*0x9e3779b97f4a7c15>>56%uint64(len(d.shared))]
	if *last != string(text) {
		*last = string(text)
	}
	return *last
}
