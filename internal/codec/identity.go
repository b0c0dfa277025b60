package codec

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// Identity is the member that tells objects of one type apart.
type Identity struct {
	Member   string // in JSON; "" if the type has none
	Optional bool   // authentik's schema does not require it, though servers send it
	index    []int
}

var identities sync.Map // of Identity, by reflect.Type

// IdentityOf returns the identity of the objects of type t: the field with the
// tag authentik:"identity" or authentik:"identity,optional", else the one for the
// member pk.
func IdentityOf(t reflect.Type) Identity {
	if identity, ok := identities.Load(t); ok {
		return identity.(Identity)
	}
	var identity Identity
	fields := jsonFields(t)
	for _, f := range fields {
		if f.identity && identity.Member == "" {
			identity = Identity{f.name, f.optional, f.index}
		}
	}
	if f, ok := fieldFor(fields, "pk"); ok && identity.Member == "" {
		identity = Identity{"pk", false, f.index}
	}
	identities.Store(t, identity)
	return identity
}

// Of returns the identity of the object v, through a pointer: an invalid Value
// if the type has none, or the pointer or the embedded struct of the field is
// nil.
func (i Identity) Of(v reflect.Value) reflect.Value {
	if i.Member == "" {
		return reflect.Value{}
	}
	field, err := v.FieldByIndexErr(i.index)
	if err != nil {
		return reflect.Value{}
	}
	return reflect.Indirect(field)
}

// Type is the type of the identity of objects of type t.
func (i Identity) Type(t reflect.Type) reflect.Type {
	field := t.FieldByIndex(i.index).Type
	if field.Kind() == reflect.Pointer {
		return field.Elem()
	}
	return field
}

// MayLack reports whether v, which was decoded, may lack its identity: it does if
// the document has none, see [HasMember]. Where that is optional, only what has
// nothing else that is known may lack it.
func (i Identity) MayLack(v reflect.Value) bool {
	if i.Optional {
		return !hasKnown(v)
	}
	of := i.Of(v)
	return !of.IsValid() || of.IsZero()
}

// hasKnown reports whether a field of a model is not zero, its unknown members
// aside.
func hasKnown(v reflect.Value) bool {
	for field, value := range v.Fields() {
		if field.Name != "Extra" && !value.IsZero() {
			return true
		}
	}
	return false
}

// jsonField is a field that encoding/json sees.
type jsonField struct {
	name     string
	tagged   bool
	identity bool
	optional bool // and may lack
	index    []int
}

// jsonFields returns the fields of t and of what it embeds, those nearer to t
// first, whether others hide them or not. Only an embedded struct without a name
// in its tag is a part of t: with one it is a member like any other.
func jsonFields(t reflect.Type) []jsonField {
	type part struct {
		reflect.Type
		index []int
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var fields []jsonField
	seen := map[reflect.Type]bool{t: true}
	for parts := []part{{Type: t}}; len(parts) > 0; parts = parts[1:] {
		for field := range parts[0].Fields() {
			tag := field.Tag.Get("json")
			if tag == "-" {
				continue
			}
			name, _, _ := strings.Cut(tag, ",")
			index := append(slices.Clone(parts[0].index), field.Index...)
			embedded := field.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			switch {
			case field.Anonymous && name == "" && embedded.Kind() == reflect.Struct:
				if !seen[embedded] {
					seen[embedded] = true
					parts = append(parts, part{embedded, index})
				}
			case field.IsExported():
				mark, option, _ := strings.Cut(field.Tag.Get("authentik"), ",")
				fields = append(fields, jsonField{cmp.Or(name, field.Name), name != "", mark == "identity", option == "optional", index})
			}
		}
	}
	return fields
}

// fieldFor returns the field that the member is decoded into: the nearest one of
// that name, and of several that are as near, the one with a tag, if there is one.
// If no field has the name, it is one whose name differs in case alone.
func fieldFor(fields []jsonField, member string) (jsonField, bool) {
	var nearest []jsonField
	for _, f := range fields {
		if f.name == member && (nearest == nil || len(f.index) == len(nearest[0].index)) {
			nearest = append(nearest, f)
		}
	}
	if len(nearest) > 1 {
		nearest = slices.DeleteFunc(nearest, func(f jsonField) bool { return !f.tagged })
	}
	if nearest != nil {
		return append(nearest, jsonField{})[0], len(nearest) == 1
	}
	i := slices.IndexFunc(fields, func(f jsonField) bool { return strings.EqualFold(f.name, member) })
	if i < 0 {
		return jsonField{}, false
	}
	return fields[i], true
}

// HasField reports whether a member is decoded into a field of t.
func HasField(t reflect.Type, member string) bool {
	_, has := fieldFor(jsonFields(t), member)
	return has
}

// HasMember reports whether document, which is JSON, is an object with the member,
// and that is not null.
func HasMember(document []byte, member string) bool {
	d := newDecoder(document)
	return seek(d, member) && d.PeekKind() != 'n'
}

// Names calls yield with the name of each member of document, and reports whether
// that is an object. yield does not keep a name.
func Names(document []byte, yield func(name []byte)) bool {
	d := newDecoder(document)
	if d.PeekKind() != '{' {
		return false
	}
	_, _ = d.ReadToken()
	var buffer []byte
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			return false
		}
		buffer, _ = jsontext.AppendUnquote(buffer[:0], name) // invalid UTF-8 is replaced
		yield(buffer)
		if d.SkipValue() != nil {
			return false
		}
	}
	return true
}

// Lacking returns the index of the first object of the list at the member list
// of document, which is JSON, that is null, or has no member of the given name or
// null for it; -1 if there is none. A member "" asks for null alone.
func Lacking(document []byte, list, member string) int {
	d := newDecoder(document)
	if !seek(d, list) || d.PeekKind() != '[' {
		return -1
	}
	_, _ = d.ReadToken()
	for i := 0; d.PeekKind() != ']'; i++ {
		object, err := d.ReadValue()
		if err != nil {
			return -1
		}
		if object.Kind() == 'n' || member != "" && !HasMember(object, member) {
			return i
		}
	}
	return -1
}

func newDecoder(document []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(document), jsonv1.DefaultOptionsV1())
}

// seek reads an object up to the value of the member, in whatever case its name is.
func seek(d *jsontext.Decoder, member string) bool {
	if d.PeekKind() != '{' {
		return false
	}
	_, _ = d.ReadToken()
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return false
		}
		if strings.EqualFold(name.String(), member) {
			return true
		}
		if d.SkipValue() != nil {
			return false
		}
	}
	return false
}
