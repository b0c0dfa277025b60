//go:build !go1.27

package authentik

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// This file is what Go 1.26 alone needs. Since 1.27 encoding/json itself keeps
// unknown members in a field with the tag option "embed"; for 1.26 each model
// has two methods here. Delete the file when 1.26 is no longer supported.

func (f *FlowSet) UnmarshalJSON(b []byte) error { return unmarshalExtra(b, f, &f.Extra) }
func (f FlowSet) MarshalJSON() ([]byte, error)  { return marshalExtra(f, f.Extra) }

func (s *IdentificationStage) UnmarshalJSON(b []byte) error { return unmarshalExtra(b, s, &s.Extra) }
func (s IdentificationStage) MarshalJSON() ([]byte, error)  { return marshalExtra(s, s.Extra) }

func (s *PasswordStage) UnmarshalJSON(b []byte) error { return unmarshalExtra(b, s, &s.Extra) }
func (s PasswordStage) MarshalJSON() ([]byte, error)  { return marshalExtra(s, s.Extra) }

func (s *SourceStage) UnmarshalJSON(b []byte) error { return unmarshalExtra(b, s, &s.Extra) }
func (s SourceStage) MarshalJSON() ([]byte, error)  { return marshalExtra(s, s.Extra) }

// plainType is a model's struct without methods, and with Extra hidden from
// encoding/json. A model converts to it and back.
type plainType struct {
	reflect.Type
	members map[string]bool // by JSON name
}

var plainTypes sync.Map // of plainType, by the model's reflect.Type

func plainTypeOf(model reflect.Type) plainType {
	if plain, ok := plainTypes.Load(model); ok {
		return plain.(plainType)
	}
	plain := plainType{members: map[string]bool{}}
	fields := reflect.VisibleFields(model)
	for i, field := range fields {
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		if option == "embed" {
			fields[i].Tag = `json:"-"`
			continue
		}
		plain.members[name] = true
	}
	plain.Type = reflect.StructOf(fields)
	plainTypes.Store(model, plain)
	return plain
}

// known tells whether encoding/json has a field for the member; its case does
// not matter to encoding/json.
func (p plainType) known(member []byte) bool {
	if p.members[string(member)] {
		return true
	}
	for name := range p.members {
		if strings.EqualFold(name, string(member)) {
			return true
		}
	}
	return false
}

// unmarshalExtra decodes b into the model, and the members that it has no field
// for into extra.
func unmarshalExtra(b []byte, model any, extra *map[string]json.RawMessage) error {
	v := reflect.ValueOf(model)
	plain := plainTypeOf(v.Type().Elem())
	if err := json.Unmarshal(b, v.Convert(reflect.PointerTo(plain.Type)).Interface()); err != nil {
		return err
	}
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		return nil
	}
	return eachMember(b, func(name, value []byte) {
		if plain.known(name) {
			return
		}
		if *extra == nil {
			*extra = map[string]json.RawMessage{}
		}
		(*extra)[string(name)] = bytes.Clone(value)
	})
}

// eachMember calls f for each member of an object that is valid JSON. A second
// json.Unmarshal, into a map, would take twice the time of all the rest.
func eachMember(object []byte, f func(name, value []byte)) error {
	rest := bytes.TrimSpace(object)[1:] // behind the brace
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == '}' {
			return nil
		}
		end := valueLen(rest)
		name := rest[1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			var unescaped string
			if err := json.Unmarshal(rest[:end], &unescaped); err != nil {
				return err
			}
			name = []byte(unescaped)
		}
		rest = bytes.TrimLeft(rest[end:], " \t\r\n:")
		end = valueLen(rest)
		f(name, rest[:end])
		rest = rest[end:]
	}
}

// valueLen is the length of the JSON value that b begins with.
func valueLen(b []byte) int {
	depth := 0
	for i := 0; ; i++ {
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
}

// marshalExtra encodes the model with extra as further members.
func marshalExtra(model any, extra map[string]json.RawMessage) ([]byte, error) {
	v := reflect.ValueOf(model)
	b, err := json.Marshal(v.Convert(plainTypeOf(v.Type()).Type).Interface())
	if err != nil || len(extra) == 0 {
		return b, err
	}
	more, err := json.Marshal(extra)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{b[:len(b)-1], more[1:]}, []byte(",")), nil
}
