// Package codec decodes and encodes JSON the same way on every version of Go: by
// encoding/json/v2, or its mirror if the standard library has none, with the
// options of encoding/json.
package codec

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

var (
	// lenient is what encoding/json does, in two passes: the first checks that
	// the whole is JSON.
	lenient = json.JoinOptions(jsonv1.DefaultOptionsV1(), json.WithMarshalers(numberMarshaler), json.WithUnmarshalers(numberUnmarshalers))
	// onePass differs in a struct whose tags are wrong, which it does not take.
	onePass = json.JoinOptions(lenient, jsonv1.ReportErrorsWithLegacySemantics(false))
	// strict takes no text that is not UTF-8: what is put in its place is another
	// text, of a password, say. Nor does it take a member twice.
	strict = json.JoinOptions(lenient, jsontext.AllowInvalidUTF8(false), jsontext.AllowDuplicateNames(false))
)

// Unmarshal decodes b, which it does not keep, into what v points to. Its errors
// are a [*SyntaxError], a [*stdjson.UnmarshalTypeError] or a [*ValueError].
func Unmarshal(b []byte, v any) error {
	if UnmarshalPlanned(b, v) {
		return nil
	}
	return UnmarshalGeneral(b, v)
}

// UnmarshalGeneral is [Unmarshal] by the library alone.
func UnmarshalGeneral(b []byte, v any) error {
	err := json.Unmarshal(b, v, onePass)
	if hasWrongTags(err) {
		err = json.Unmarshal(b, v, lenient)
	}
	return standardError(err)
}

// hasWrongTags reports whether err is about a type rather than about JSON.
func hasWrongTags(err error) bool {
	semantic, ok := err.(*json.SemanticError) //nolint:errorlint // not one that a type's own method wraps
	return ok && semantic.Err != nil && semantic.GoType != nil && !isMismatch(semantic) && !hasMethods(semantic.GoType)
}

func hasMethods(t reflect.Type) bool {
	return slices.ContainsFunc([]reflect.Type{
		reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[json.UnmarshalerFrom](), textUnmarshaler,
	}, reflect.PointerTo(t).Implements)
}

var textUnmarshaler = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()

// standardError turns err into one whose text does not depend on the version of
// Go.
func standardError(err error) error {
	switch err := err.(type) { //nolint:errorlint // not one that a type's own method wraps
	case *jsontext.SyntacticError:
		return &SyntaxError{err.Err, err.ByteOffset}
	case *json.SemanticError:
		if !isMismatch(err) {
			return &ValueError{fieldOf(err), err.GoType, err.Err}
		}
		return &stdjson.UnmarshalTypeError{
			Value:  kindNames[err.JSONKind],
			Type:   err.GoType,
			Offset: err.ByteOffset,
			Field:  fieldOf(err),
		}
	}
	return err
}

func fieldOf(err *json.SemanticError) string {
	return strings.Join(slices.Collect(err.JSONPointer.Tokens()), ".")
}

// ValueError is a value that the own method of its type refused.
type ValueError struct {
	Field string // "" for the whole document
	Type  reflect.Type
	Err   error
}

func (e *ValueError) Error() string { return e.Err.Error() }

// Unwrap returns what the method said.
func (e *ValueError) Unwrap() error { return e.Err }

// isMismatch reports whether JSON has a value of another type than Go.
func isMismatch(err *json.SemanticError) bool {
	if err.Err == nil || err.Err == strconv.ErrRange || err.Err == strconv.ErrSyntax { //nolint:errorlint // not one that a type's own method wraps
		return true
	}
	// Text was wanted.
	p := reflect.PointerTo(err.GoType)
	return err.JSONKind != '"' && p.Implements(textUnmarshaler) && !p.Implements(reflect.TypeFor[json.Unmarshaler]())
}

var kindNames = map[jsontext.Kind]string{
	'n': "null", 't': "bool", 'f': "bool", '"': "string", '0': "number", '[': "array", '{': "object",
}

// SyntaxError is a text that is not JSON.
type SyntaxError struct {
	err    error
	offset int64
}

func (e *SyntaxError) Error() string {
	if errors.Is(e.err, io.ErrUnexpectedEOF) {
		return "unexpected end of JSON input"
	}
	return e.err.Error()
}

// Unwrap returns a [*stdjson.SyntaxError], which has the offset alone.
func (e *SyntaxError) Unwrap() error { return &stdjson.SyntaxError{Offset: e.offset} }

// The errors of [MarshalRequest].
var (
	ErrNotUTF8 = errors.New("a text in it is not UTF-8")
	ErrTwice   = errors.New("a member is in it twice: Extra has one with the name of a field")
)

// MarshalRequest is [Marshal], but a text that is not UTF-8 is an error, and so is a
// member that an object has twice.
func MarshalRequest(v any) ([]byte, error) {
	if b, err := json.Marshal(v, strict); err == nil {
		return b, nil
	}
	if _, err := Marshal(v); err != nil {
		return nil, err
	}
	if _, err := json.Marshal(v, lenient, jsontext.AllowDuplicateNames(false)); err != nil {
		return nil, ErrTwice
	}
	return nil, ErrNotUTF8
}

// Marshal encodes v: members in the order of the fields, those of maps sorted. An
// error says nothing of the values, which may be secrets.
func Marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v, lenient)
	if err == nil {
		return b, nil
	}
	if unsupported, ok := errors.AsType[*jsonv1.UnsupportedTypeError](err); ok {
		return nil, notJSON(unsupported.Type)
	}
	if marshaler, ok := errors.AsType[*jsonv1.MarshalerError](err); ok {
		return nil, notJSON(marshaler.Type)
	}
	return nil, errors.New("a value has no JSON form") // NaN, an infinity or a cycle
}

func notJSON(t reflect.Type) error {
	if t.Kind() == reflect.Pointer { // that it was reached by depends on the version of Go
		t = t.Elem()
	}
	if t == reflect.TypeFor[stdjson.RawMessage]() { // jsontext.Value, for some of them
		return errors.New("a json.RawMessage is not JSON")
	}
	return fmt.Errorf("a value of type %s has no JSON form", t)
}
