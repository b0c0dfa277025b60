package walk

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// restless is a list that changes before each page that is read.
type restless struct {
	random  *rand.Rand
	ids     []uuid.UUID // in order
	ints    bool        // new ones come last, as numbers do that the server counts up
	next    uint32
	most    int // that a page has
	changes int // most of them before a page
	deleted map[uuid.UUID]bool
	reads   int
}

func (l *restless) id() uuid.UUID {
	l.next++
	number := l.next
	if !l.ints {
		number = l.random.Uint32()
	}
	return uuid.UUID{byte(number >> 24), byte(number >> 16), byte(number >> 8), byte(number), byte(l.next >> 8), byte(l.next)}
}

func (l *restless) create() {
	id := l.id()
	i, _ := slices.BinarySearchFunc(l.ids, id, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	l.ids = slices.Insert(l.ids, i, id)
}

func (l *restless) change() {
	for range l.random.IntN(l.changes + 1) {
		if l.random.IntN(2) == 0 || len(l.ids) == 0 {
			l.create()
			continue
		}
		i := l.random.IntN(len(l.ids))
		if l.random.IntN(2) == 0 {
			i = l.random.IntN(min(len(l.ids), 50)) // near the beginning, which shifts most
		}
		l.deleted[l.ids[i]] = true
		l.ids = slices.Delete(l.ids, i, i+1)
	}
}

// page returns the page, its place, and what the server says of another one.
func (l *restless) page(number, size int) (ids []uuid.UUID, start int, next, ok bool) {
	l.reads++
	size = min(size, l.most)
	count := len(l.ids) // counted before the page is read
	l.change()
	start = (number - 1) * size
	if start >= count && number > 1 {
		return nil, 0, false, false
	}
	end := min(start+size, len(l.ids))
	if start < end {
		ids = slices.Clone(l.ids[start:end])
	}
	return ids, start, start+size < count, true
}

func walkWindows(l *restless, size int) (got []uuid.UUID, err error) {
	windows := Windows{Most: size}
	for windows.Next() {
		ids, start, next, ok := l.page(windows.Number, windows.Size)
		if !ok {
			windows.Missing()
			continue
		}
		for _, id := range ids {
			if windows.Object(reflect.ValueOf(&id).Elem()) {
				got = append(got, id)
			}
		}
		windows.Done(start, next)
	}
	return got, windows.Err()
}

// TestWindowsMissNothing walks lists that change all the time: what is there all the
// time comes once.
func TestWindowsMissNothing(t *testing.T) {
	t.Parallel()
	failed := 0
	const walks = 3000
	for seed := range uint64(walks) {
		random := rand.New(rand.NewPCG(seed, 1))
		l := &restless{random: random, ints: seed%2 == 0, most: []int{100, 37, 20}[seed%3], changes: []int{0, 1, 5, 20}[seed%4], deleted: map[uuid.UUID]bool{}}
		for range random.IntN(1200) {
			l.create()
		}
		before := slices.Clone(l.ids)
		got, err := walkWindows(l, 100)
		seen := map[uuid.UUID]bool{}
		for _, id := range got {
			if seen[id] {
				t.Fatalf("seed %d: %v came twice", seed, id)
			}
			seen[id] = true
		}
		if err != nil {
			failed++
			continue
		}
		for _, id := range before {
			if !l.deleted[id] && !seen[id] {
				t.Fatalf("seed %d: %v was missed", seed, id)
			}
		}
	}
	if failed > walks/100 {
		t.Errorf("%d of %d walks did not end", failed, walks)
	}
}

// TestWindowsCostLittle counts the pages of a quiet list.
func TestWindowsCostLittle(t *testing.T) {
	t.Parallel()
	for _, objects := range []int{0, 1, 99, 100, 101, 200, 1000, 10_000} {
		l := &restless{random: rand.New(rand.NewPCG(1, 1)), ints: true, most: 100, deleted: map[uuid.UUID]bool{}}
		for range objects {
			l.create()
		}
		got, err := walkWindows(l, 100)
		if pages := objects/100 + 1; err != nil || !slices.Equal(got, l.ids) || l.reads > pages+pages/5+1 {
			t.Errorf("of %d objects, %d came in %d pages: %v", objects, len(got), l.reads, err)
		}
	}
}

func TestWindowsDescend(t *testing.T) {
	t.Parallel()
	windows := Windows{Most: 100, Descending: true}
	var got []int
	for windows.Next() {
		for _, id := range []int{3, 2, 1} {
			if windows.Object(reflect.ValueOf(id)) {
				got = append(got, id)
			}
		}
		windows.Done(0, false)
	}
	if want := []int{3, 2, 1}; !slices.Equal(got, want) || windows.Err() != nil {
		t.Errorf("got %v, %v", got, windows.Err())
	}
}

func TestWindowsGiveUp(t *testing.T) {
	t.Parallel()
	unordered := Windows{Most: 100}
	for unordered.Next() {
		for _, id := range []int{1, 3, 2} {
			unordered.Object(reflect.ValueOf(id))
		}
		unordered.Done(0, true)
	}
	if err := unordered.Err(); err != ErrUnordered { //nolint:errorlint // it is not wrapped
		t.Errorf("a list without order ends with %v", err)
	}

	gone := Windows{Most: 100}
	reads := 0
	for gone.Next() {
		if reads++; reads == 1 {
			for id := range 100 {
				gone.Object(reflect.ValueOf(id))
			}
			gone.Done(0, true)
			continue
		}
		gone.Missing()
	}
	if err := gone.Err(); err == nil && reads > 5 || reads > 2*maxMisses {
		t.Errorf("pages that are never there: %d reads, %v", reads, err)
	}

	small := Windows{Most: 2}
	for small.Next() {
		small.Object(reflect.ValueOf(2*small.Number - 1))
		small.Object(reflect.ValueOf(2 * small.Number))
		small.Done(2*small.Number-2, true)
	}
	if err := small.Err(); err == nil || !strings.Contains(err.Error(), "too small") {
		t.Errorf("pages of two end with %v", err)
	}
}

func TestCanCompare(t *testing.T) {
	t.Parallel()
	for typ, want := range map[reflect.Type]bool{
		reflect.TypeFor[int](): true, reflect.TypeFor[uuid.UUID](): true, reflect.TypeFor[string](): false, reflect.TypeFor[[16]byte](): false,
	} {
		if got := CanCompare(typ); got != want {
			t.Errorf("%v: %v", typ, got)
		}
	}
}
