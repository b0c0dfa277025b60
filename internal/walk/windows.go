package walk

import (
	"bytes"
	"cmp"
	"errors"
	"reflect"

	"github.com/google/uuid"
)

// Windows decides which pages to read of a list that is ordered by its identity,
// so that nothing slips however the list changes meanwhile. Each page is of another
// size than the one before, and begins at or before the last object that was seen:
// one answer then has that object, or those before it, and all that follow. An
// object that was created, deleted or renamed moves none past another.
//
//	for windows.Next() {
//		// read page windows.Number of windows.Size objects
//		for … {
//			isNew, err := windows.Object(name)
//		}
//		windows.Done(…)
//	}
//	return windows.Err()
type Windows struct {
	Most       int  // objects of a page; less if the server gives less
	Descending bool // from the last identity to the first

	Number, Size int // the page to read now

	position int           // objects up to the last one seen, when it was seen
	margin   int           // how far before that the window begins at the latest
	misses   int           // windows in a row that began after the last object
	last     reflect.Value // the identity of the last object seen
	page     int           // objects of this page so far
	before   reflect.Value // the identity of the last of them
	missed   bool          // this page begins after the last object
	ended    bool
	err      error
}

// MinWindow is the smallest page of which windows can overlap all the way.
const MinWindow = 10

const maxMisses = 20

// ErrUnordered is a list that is not ordered by its identity.
var ErrUnordered = errors.New("it is not ordered by its identity")

var (
	errShrinks  = errors.New("objects are deleted faster than pages are read")
	errNoWindow = errors.New("its pages are too small to overlap")
)

// CanCompare reports whether the server orders identities of the type as Windows
// does: integers and UUIDs, not texts.
func CanCompare(t reflect.Type) bool {
	return t == reflect.TypeFor[uuid.UUID]() || t.Kind() == reflect.Int
}

// Next decides on the next page, and reports whether there is one to read.
func (w *Windows) Next() bool {
	if w.ended || w.err != nil {
		return false
	}
	w.margin = max(w.margin, 1)
	w.page, w.missed = 0, false
	w.Number, w.Size = 1, w.Most
	most := 0 // new objects of the best window
	for size := w.Most; size > 1 && w.position > w.margin; size-- {
		number := (w.position-w.margin)/size + 1
		if gain := number*size - w.position; gain > most {
			w.Number, w.Size, most = number, size, gain
		}
	}
	if w.position > w.margin && most == 0 {
		w.err = errNoWindow
	}
	return w.err == nil
}

// Object takes the identity of the next object of the page, and reports whether it
// was not seen before.
func (w *Windows) Object(name reflect.Value) (isNew bool) {
	w.page++
	if w.page > 1 && w.compare(name, w.before) < 0 {
		w.err = ErrUnordered
	}
	w.before = name
	order := 1
	if w.last.IsValid() {
		order = w.compare(name, w.last)
	}
	if w.page == 1 && w.Number > 1 && order > 0 {
		w.missed = true
	}
	if w.missed || order <= 0 || w.err != nil {
		return false
	}
	w.last = reflect.ValueOf(name.Interface()) // the page is not kept for it
	return true
}

func (w *Windows) compare(a, b reflect.Value) (order int) {
	if a.CanInt() {
		order = cmp.Compare(a.Int(), b.Int())
	} else {
		x, y := a.Interface().(uuid.UUID), b.Interface().(uuid.UUID)
		order = bytes.Compare(x[:], y[:])
	}
	if w.Descending {
		return -order
	}
	return order
}

// Done ends a page: start is the place of its first object in the list, from 0, and
// next whether the server names another page.
func (w *Windows) Done(start int, next bool) {
	if w.position == 0 && next {
		w.Most = min(w.Most, w.page) // the server gives no more
	}
	if w.missed || w.page == 0 && w.Number > 1 {
		w.Missing()
		return
	}
	w.position = start + w.page
	w.margin /= 2
	w.misses = 0
	w.ended = !next && w.page < w.Size
}

// Missing says that the page begins after the last object, or is not there: objects
// before it were deleted.
func (w *Windows) Missing() {
	w.misses++
	if w.misses == maxMisses {
		w.err = errShrinks
	}
	w.position = min(w.position, (w.Number-1)*w.Size)
	w.margin = min(2*w.margin, w.Most/2)
}

// Err says why there is no next page though the list has not ended.
func (w *Windows) Err() error { return w.err }
