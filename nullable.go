package authentik

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/authentik-go/authentik/internal/codec"
)

// Nullable is a member of a request that may be null. The zero Nullable is left out
// of the request. [Null] sends null, [Value] a value, and [ValueOrNull] what a pointer
// of a model points to. The tag of the field needs omitzero.
type Nullable[T any] struct {
	value T
	state nullableState
}

type nullableState uint8

const (
	stateOmitted nullableState = iota
	stateNull
	stateValue
)

// Value returns a Nullable that sends v. A nil slice, map or pointer is encoded
// as null.
func Value[T any](v T) Nullable[T] { return Nullable[T]{v, stateValue} }

// Null returns a Nullable that sends null. T has to be named:
// Null[uuid.UUID]().
func Null[T any]() Nullable[T] { return Nullable[T]{state: stateNull} }

// ValueOrNull returns a Nullable that sends what p points to, or null if p is
// nil: it copies a member of a model into a request.
func ValueOrNull[T any](p *T) Nullable[T] {
	if p == nil {
		return Null[T]()
	}
	return Value(*p)
}

// Get returns the value; ok is false if n is null or left out.
func (n Nullable[T]) Get() (v T, ok bool) { return n.value, n.state == stateValue }

// IsNull reports whether n sends null.
func (n Nullable[T]) IsNull() bool { return n.state == stateNull }

// IsZero reports whether n is left out. The tag omitzero calls it.
func (n Nullable[T]) IsZero() bool { return n.state == stateOmitted }

// Equal reports whether n and other send the same. Values are compared by their
// own method Equal if they have one, as [time.Time] does, else by
// [reflect.DeepEqual].
func (n Nullable[T]) Equal(other Nullable[T]) bool {
	if n.state != other.state || n.state != stateValue {
		return n.state == other.state
	}
	if v, ok := any(n.value).(interface{ Equal(T) bool }); ok {
		return v.Equal(other.value)
	}
	return reflect.DeepEqual(n.value, other.value)
}

// String returns the value as package fmt prints it, or "null" or "omitted".
func (n Nullable[T]) String() string {
	switch n.state {
	case stateNull:
		return "null"
	case stateValue:
		return fmt.Sprint(n.value)
	default:
		return "omitted"
	}
}

// MarshalJSON returns the JSON of the value, or null if there is none.
func (n Nullable[T]) MarshalJSON() ([]byte, error) {
	if n.state != stateValue {
		return []byte("null"), nil
	}
	return codec.MarshalRequest(n.value)
}

// UnmarshalJSON reads null or a value. n stays as it is if that fails.
func (n *Nullable[T]) UnmarshalJSON(b []byte) error {
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		*n = Null[T]()
		return nil
	}
	var v T
	if err := codec.Unmarshal(b, &v); err != nil {
		return err
	}
	*n = Value(v)
	return nil
}
