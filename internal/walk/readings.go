package walk

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/google/uuid"
)

// A list is read until one reading is consistent, or with Confirm two in a row are
// and saw the same, but no more often than this.
const (
	maxReadings        = 3
	maxConfirmReadings = 5
)

// Readings compares what several readings of a list see:
//
//	for readings.Next() {
//		// tell it the pages and objects of the list
//		if readings.Done() {
//			return nil
//		}
//	}
//	return readings.Err()
type Readings struct {
	// Confirm asks for two readings in a row that see the same objects.
	Confirm bool

	number  uint8 // of this reading, from 1
	count   int   // as the last page of it said; -1 before the first
	objects int   // that this reading saw
	others  int   // of them, those that the reading before did not see
	before  int   // objects that the reading before saw; -1 if it was not consistent
	unnamed bool  // an object had no name, so that another reading could not recognize it
	fault   string
	missing error // what the server said of a page that had to be there
	seen    seen
}

// Next begins another reading, and reports whether there is to be one.
func (r *Readings) Next() bool {
	if r.unnamed || r.number == r.most() {
		return false
	}
	r.before = r.objects
	if r.fault != "" || r.number == 0 {
		r.before = -1
	}
	r.number++
	r.count, r.objects, r.others, r.fault, r.missing = -1, 0, 0, "", nil
	return true
}

func (r *Readings) most() uint8 {
	if r.Confirm {
		return maxConfirmReadings
	}
	return maxReadings
}

// Page takes count, which each page says, of the next page.
func (r *Readings) Page(count int) {
	if r.count >= 0 && r.count != count {
		r.fault = "its pages differ in count"
	}
	r.count = count
}

// Missing takes err, by which the server says that the next page is not there. It
// reports whether the page had to be there, because it was announced or was there
// in an earlier reading.
func (r *Readings) Missing(err error) bool {
	if r.count < 0 && r.number == 1 {
		return false
	}
	r.fault, r.missing = "a page that was announced was not there", err
	return true
}

// Object takes the value that names the next object, and reports whether no
// reading saw that before. It is invalid if the object has no name.
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

// Done reports, at the end of a reading, whether the list is read.
func (r *Readings) Done() bool { return r.faultOf() == "" }

// Err says what was wrong with the last reading, and why there is no other.
func (r *Readings) Err() error {
	err := errors.New(r.faultOf())
	if r.missing != nil {
		err = fmt.Errorf("%w: %w", err, r.missing)
	}
	if r.unnamed {
		return fmt.Errorf("%w, and its objects have no identity to read it again by", err)
	}
	return fmt.Errorf("the last of %d: %w", r.number, err)
}

// faultOf returns what is wrong with the reading, "" if nothing is.
func (r *Readings) faultOf() string {
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
