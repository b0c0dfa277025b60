package walk

import (
	"reflect"

	"github.com/google/uuid"
)

// Readings compares what several readings of a list see.
type Readings struct {
	// Confirm asks for two readings in a row that see the same objects.
	Confirm bool

	number  uint8 // of this reading, from 1
	count   int   // as the last page of it said; -1 before the first
	objects int   // that this reading saw
	others  int   // of them, those that the reading before did not see
	before  int   // objects that the reading before saw; -1 where it was not consistent
	unnamed bool
	fault   string
	seen    seen
}

// Begin begins a reading.
func (r *Readings) Begin() {
	r.before = r.objects
	if r.fault != "" || r.number == 0 {
		r.before = -1
	}
	r.number++
	r.count, r.objects, r.others, r.fault = -1, 0, 0, ""
}

// Page takes count, which each page says, of the next page.
func (r *Readings) Page(count int) {
	if r.count >= 0 && r.count != count {
		r.fault = "its pages differ in count"
	}
	r.count = count
}

// Missing tells whether a page that the server says is not there had to be
// there, because it was announced, or was there in an earlier reading.
func (r *Readings) Missing() bool {
	if r.count < 0 && r.number == 1 {
		return false
	}
	r.fault = "a page that was announced was not there"
	return true
}

// Object takes the value that names the next object, and tells whether no
// reading saw that before. It is invalid where the object has no name.
func (r *Readings) Object(name reflect.Value) bool {
	if !name.IsValid() || !name.Comparable() {
		r.unnamed = true
		return true
	}
	last := r.seen.mark(name, r.number)
	switch last {
	case r.number:
		r.fault = "an object came twice"
		return false
	case r.number - 1:
	default:
		r.others++
	}
	r.objects++
	return last == 0
}

// Unnamed tells whether an object had no name, so that another reading could
// not tell it from the others.
func (r *Readings) Unnamed() bool { return r.unnamed }

// Fault tells, at the end of a reading, what was wrong with it; "" if nothing
// was.
func (r *Readings) Fault() string {
	switch {
	case r.fault != "" || !r.Confirm:
		return r.fault
	case r.unnamed:
		return "it cannot be confirmed"
	case r.before < 0:
		return "the one before it was not consistent"
	case r.others > 0 || r.objects != r.before:
		return "it saw other objects than the one before"
	}
	return ""
}

// seen holds the last reading that saw each object. It has maps for the types
// that most names are of, which take half the memory of a map of any.
type seen struct {
	uuids  map[uuid.UUID]uint8
	ints   map[int64]uint8
	texts  map[string]uint8
	others map[any]uint8
}

// mark marks the object as seen by the reading, and returns the last reading
// that saw it; 0 if none did.
func (s *seen) mark(name reflect.Value, reading uint8) (last uint8) {
	switch {
	case name.Type() == reflect.TypeFor[uuid.UUID]():
		return swap(&s.uuids, *name.Addr().Interface().(*uuid.UUID), reading) // the address costs no allocation
	case name.CanInt():
		return swap(&s.ints, name.Int(), reading)
	case name.Kind() == reflect.String:
		return swap(&s.texts, name.String(), reading)
	}
	return swap(&s.others, name.Interface(), reading)
}

func swap[K comparable](m *map[K]uint8, key K, reading uint8) (last uint8) {
	if *m == nil {
		*m = map[K]uint8{}
	}
	last = (*m)[key]
	(*m)[key] = reading
	return last
}
