//go:build !go1.27

package authentik

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// This file is what Go 1.26 alone needs. Since 1.27 encoding/json itself keeps
// unknown members in a field with the tag option "embed"; for 1.26 each model
// has two methods here. Delete the file when 1.26 is no longer supported.

func init() { unmarshal = unmarshalModels }

// UnmarshalJSON keeps unknown members in Extra. A struct that embeds a model
// inherits it on Go 1.26, and is not decoded itself: use a named field.
func (f *FlowSet) UnmarshalJSON(b []byte) error             { return unmarshalModels(b, f) }
func (s *IdentificationStage) UnmarshalJSON(b []byte) error { return unmarshalModels(b, s) }
func (s *PasswordStage) UnmarshalJSON(b []byte) error       { return unmarshalModels(b, s) }
func (s *SourceStage) UnmarshalJSON(b []byte) error         { return unmarshalModels(b, s) }

// MarshalJSON writes Extra as members. A struct that embeds a model inherits it
// on Go 1.26, and is not encoded itself: use a named field.
func (f FlowSet) MarshalJSON() ([]byte, error)             { return marshalModel(f, f.Extra) }
func (s IdentificationStage) MarshalJSON() ([]byte, error) { return marshalModel(s, s.Extra) }
func (s PasswordStage) MarshalJSON() ([]byte, error)       { return marshalModel(s, s.Extra) }
func (s SourceStage) MarshalJSON() ([]byte, error)         { return marshalModel(s, s.Extra) }

// plainType is what encoding/json decodes a type as: a model as a struct of the
// same layout without Extra and without methods, and so the models in it, since
// each method would cost two more passes over its bytes.
type plainType struct {
	reflect.Type
	fields  map[string]plainField // of a struct, by JSON name
	extra   int                   // the field Extra, -1 where there is none
	models  bool                  // whether it is a model or holds some
	encoded reflect.Type          // what a model is encoded as: those in it keep their methods
}

type plainField struct {
	index  int
	models bool // whether it holds some
}

var plainTypes sync.Map // of plainType, by reflect.Type

func plainTypeOf(t reflect.Type) plainType {
	if plain, ok := plainTypes.Load(t); ok {
		return plain.(plainType)
	}
	plain := plainType{Type: t, extra: -1}
	switch {
	case t.Kind() == reflect.Slice:
		if elem := plainTypeOf(t.Elem()); elem.models {
			plain.Type, plain.models = reflect.SliceOf(elem.Type), true
		}
	// A model, or a page. What else there is, is for encoding/json.
	case t.Kind() == reflect.Struct && t.PkgPath() == modelPackage:
		fields := reflect.VisibleFields(t)
		if slices.ContainsFunc(fields, func(f reflect.StructField) bool { return f.Anonymous || !f.IsExported() }) {
			break // StructOf would make another layout of it
		}
		plain.fields = map[string]plainField{}
		for i, field := range fields {
			name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			if option == "embed" {
				plain.extra, plain.models = i, true
				fields[i].Tag = `json:"-"`
				continue
			}
			plain.fields[name] = plainField{i, plainTypeOf(field.Type).models}
		}
		plain.encoded = reflect.StructOf(fields)
		for _, field := range plain.fields {
			if field.models {
				fields[field.index].Type = plainTypeOf(fields[field.index].Type).Type
				plain.models = true
			}
		}
		if plain.models {
			plain.Type = reflect.StructOf(fields)
		}
	}
	plainTypes.Store(t, plain)
	return plain
}

var modelPackage = reflect.TypeFor[FlowSet]().PkgPath()

// field returns the field that encoding/json decodes the member of the quoted
// name into: for it, the name's case does not matter.
func (p plainType) field(quoted []byte) (plainField, bool) {
	if field, ok := p.fields[string(quoted[1:len(quoted)-1])]; ok {
		return field, true
	}
	var member string
	_ = json.Unmarshal(quoted, &member) // it is valid
	for name, field := range p.fields {
		if strings.EqualFold(name, member) {
			return field, true
		}
	}
	return plainField{}, false
}

// unmarshalModels is json.Unmarshal that keeps what the models in v, which is a
// pointer, do not know.
func unmarshalModels(b []byte, v any) error {
	p := reflect.ValueOf(v)
	plain := plainTypeOf(p.Type().Elem())
	if !plain.models {
		return json.Unmarshal(b, v)
	}
	if err := json.Unmarshal(b, reflect.NewAt(plain.Type, p.UnsafePointer()).Interface()); err != nil {
		return err
	}
	keepUnknown(bytes.TrimSpace(b), p.Elem())
	return nil
}

// keepUnknown fills Extra of the models in v, which the value at the start of b
// was decoded into, and returns what is behind that value. b is valid JSON.
func keepUnknown(b []byte, v reflect.Value) []byte {
	switch plain := plainTypeOf(v.Type()); {
	case b[0] == '[' && v.Kind() == reflect.Slice:
		b = skipBetween(b[1:])
		for i := 0; b[0] != ']'; i++ {
			if i < v.Len() { // not so where the member comes again with fewer
				b = keepUnknown(b, v.Index(i))
			} else {
				b = b[valueLen(b):]
			}
			b = skipBetween(b)
		}
		return b[1:]
	case b[0] == '{' && plain.models:
		for b = skipBetween(b[1:]); b[0] != '}'; b = skipBetween(b) {
			end := valueLen(b)
			field, known := plain.field(b[:end])
			name := b[:end]
			b = skipBetween(b[end:])
			if field.models {
				b = keepUnknown(b, v.Field(field.index))
				continue
			}
			end = valueLen(b)
			if !known && plain.extra >= 0 {
				addExtra(v.Field(plain.extra), name, b[:end])
			}
			b = b[end:]
		}
		return b[1:]
	}
	return b[valueLen(b):]
}

func addExtra(extra reflect.Value, quoted, value []byte) {
	var name string
	_ = json.Unmarshal(quoted, &name) // it is valid
	if extra.IsNil() {
		extra.Set(reflect.MakeMap(extra.Type()))
	}
	extra.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(json.RawMessage(bytes.Clone(value))))
}

// skipBetween skips what stands between two values.
func skipBetween(b []byte) []byte {
	for {
		switch b[0] {
		case ' ', '\t', '\r', '\n', ',', ':':
			b = b[1:]
		default:
			return b
		}
	}
}

// valueLen is the length of the JSON value that b begins with.
func valueLen(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // of what holds the value, a number or a word
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// marshalModel encodes the model with extra as further members.
func marshalModel(model any, extra map[string]json.RawMessage) ([]byte, error) {
	v := reflect.ValueOf(model)
	b, err := json.Marshal(v.Convert(plainTypeOf(v.Type()).encoded).Interface())
	if err != nil || len(extra) == 0 {
		return b, err
	}
	more, err := json.Marshal(extra)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{b[:len(b)-1], more[1:]}, []byte(",")), nil
}
