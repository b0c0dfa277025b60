package walk

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/google/uuid"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted reads the pages of a list that has so many, and counts the calls.
type counted struct {
	pages                  int
	calls, inFlight, worst atomic.Int32
	before                 func(ctx context.Context, number int) error
}

func (c *counted) read(ctx context.Context, number int) (Page[int], error) {
	c.calls.Add(1)
	inFlight := c.inFlight.Add(1)
	defer c.inFlight.Add(-1)
	for worst := c.worst.Load(); inFlight > worst && !c.worst.CompareAndSwap(worst, inFlight); {
		worst = c.worst.Load()
	}
	if c.before != nil {
		if err := c.before(ctx, number); err != nil {
			return Page[int]{}, err
		}
	}
	return Page[int]{number, (number + 1) % (c.pages + 1), c.pages}, nil
}

// sleep takes a while of the bubble's time.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestWalkTakesNoLongerThanItsRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const latency = time.Second
		c := &counted{pages: 81, before: func(ctx context.Context, number int) error {
			if number%8 == 2 { // one of eight takes twice as long
				return sleep(ctx, 2*latency)
			}
			return sleep(ctx, latency)
		}}
		start := time.Now()
		want := 1
		for number, err := range Pages(t.Context(), 1, 8, c.read) {
			if err != nil || number != want {
				t.Fatalf("got %d, %v; want %d", number, err, want)
			}
			want++
		}
		// The first page takes one latency, the others 90 of one reader, 12 of eight.
		if took := time.Since(start); took > 13*latency {
			t.Errorf("it took %v", took)
		}
		if want != 82 || c.worst.Load() != 8 {
			t.Errorf("%d pages, %d requests in flight", want-1, c.worst.Load())
		}
	})
}

func TestPagesHeldAreBounded(t *testing.T) {
	t.Parallel()
	for _, prefetch := range []int{0, 1, 4, 1 << 30} {
		t.Run(fmt.Sprint(prefetch), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const pages = 2_000_000
				c := &counted{pages: pages, before: func(ctx context.Context, _ int) error { return sleep(ctx, time.Second) }}
				most := min(prefetch, MaxPrefetch)
				for number := range Pages(t.Context(), 1, prefetch, c.read) {
					if got := int(c.calls.Load()); got > 1+max(0, number-1)+2*most {
						t.Errorf("%d pages asked for at page %d", got, number)
					}
					<-time.After(time.Minute) // the bubble's
					if got, want := int(c.calls.Load()), number+2*most; got != want {
						t.Errorf("%d pages asked for while page %d is in use, want %d", got, number, want)
					}
					if number == 100 {
						break
					}
				}
				if got, want := int(c.worst.Load()), max(1, most); got != want {
					t.Errorf("%d requests in flight, want %d", got, want)
				}
			})
		})
	}
}

// The first page of many comes before more than the cap is started.
func TestFirstPageIsNotHeldUp(t *testing.T) {
	t.Parallel()
	c := &counted{pages: 2_000_000}
	c.before = func(ctx context.Context, number int) error {
		if number > 1 {
			<-ctx.Done()
		}
		return ctx.Err()
	}
	for range Pages(t.Context(), 1, 200_000, c.read) {
		break
	}
	if got := c.calls.Load(); got > 1+MaxPrefetch {
		t.Errorf("%d calls for the first page", got)
	}
}

func TestNothingStartsAfterTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := &counted{pages: 100}
		ended := errors.New("ended")
		c.before = func(ctx context.Context, number int) error {
			if ctx.Err() != nil {
				return ended
			}
			if number == 4 { // by itself: those after it are not started
				cancel()
			}
			return nil
		}
		var got []int
		for number, err := range Pages(ctx, 1, 1, c.read) {
			synctest.Wait()
			if got = append(got, number); err != nil && !errors.Is(err, ended) {
				t.Errorf("error %v", err)
			}
		}
		// Page 4 was read ahead of page 2, page 3 is held then and not yielded.
		if !slices.Equal(got, []int{1, 2, 0}) || c.calls.Load() != 5 {
			t.Errorf("got the pages %v with %d calls", got, c.calls.Load())
		}
	})
}

func TestNothingStartsAfterAFailure(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("failed") },
		"panic": func() error { panic("failed") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &counted{pages: 100, before: func(_ context.Context, number int) error {
					if number == 3 {
						return fail()
					}
					return nil
				}}
				defer func() {
					if got := recover(); (got != nil) != (name == "panic") {
						t.Errorf("panic %v", got)
					}
					if n := c.calls.Load(); n != 3 {
						t.Errorf("%d calls", n)
					}
				}()
				for number, err := range Pages(t.Context(), 1, 1, c.read) {
					if synctest.Wait(); (err != nil) != (number == 0) {
						t.Errorf("got %d, %v", number, err)
					}
				}
			})
		})
	}
}

// Neither a page that was used is kept, nor one that was read ahead and skipped.
func TestUsedPagesAreNotKept(t *testing.T) {
	t.Parallel()
	type large [1 << 10]int
	var pages [30]weak.Pointer[large]
	read := func(ctx context.Context, number int) (Page[*large], error) {
		v := &large{number}
		pages[number] = weak.Make(v)
		next := number + 1
		if number%5 == 0 {
			next++
		}
		return Page[*large]{v, next % 30, 29}, ctx.Err()
	}
	synctest.Test(t, func(t *testing.T) {
		used := 0
		for page, err := range Pages(t.Context(), 1, 4, read) {
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			runtime.GC()
			for number := 1; number < used; number++ {
				if pages[number].Value() != nil {
					t.Errorf("page %d is kept at page %d", number, page[0])
				}
			}
			used = page[0]
		}
		if used != 29 {
			t.Errorf("the walk ended at page %d", used)
		}
	})
}

// asked walks pages of the given next pages and totals, and returns those that
// were read.
func asked(t *testing.T, prefetch int, next, total map[int]int) (numbers []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		for range Pages(t.Context(), 1, prefetch, func(_ context.Context, number int) (Page[int], error) {
			mu.Lock()
			defer mu.Unlock()
			numbers = append(numbers, number)
			return Page[int]{number, next[number], total[number]}, nil
		}) {
			synctest.Wait()
		}
	})
	slices.Sort(numbers)
	return numbers
}

// A list that grows has more pages than the first one says, one that shrinks less.
func TestTotalIsWhatThePageInUseSays(t *testing.T) {
	t.Parallel()
	next := map[int]int{1: 2, 2: 3, 3: 4, 4: 5}
	if got := asked(t, 1, next, map[int]int{1: 2, 2: 3, 3: 5, 4: 5, 5: 5}); !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
		t.Errorf("of a list that grows, asked for %v", got)
	}
	next[3] = 0
	if got := asked(t, 1, next, map[int]int{1: 9, 2: 3, 3: 3}); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("of a list that shrinks, asked for %v", got)
	}
}

func TestPagesThatAreSkippedAreNotAskedFor(t *testing.T) {
	t.Parallel()
	got := asked(t, 1, map[int]int{1: 10, 10: 20, 20: 0}, map[int]int{1: 20, 10: 20, 20: 20})
	if !slices.Equal(got, []int{1, 10, 11, 20}) {
		t.Errorf("asked for %v", got)
	}
}

func nameOf[T any](v T) reflect.Value { return reflect.ValueOf(&v).Elem() }

func TestSeenByType(t *testing.T) {
	t.Parallel()
	type number int32
	type array [16]byte
	var s seen
	names := []reflect.Value{
		nameOf(uuid.UUID{1}), nameOf(uuid.UUID{2}), nameOf(7), nameOf(number(-8)), nameOf("a"), nameOf(""),
		nameOf[any](7), nameOf[any]("a"), nameOf(array{1}), nameOf(uint64(7)), nameOf(true), nameOf(1.5),
	}
	for reading := uint8(1); reading < 4; reading++ {
		for i, name := range names {
			if last := s.mark(name, reading); last != reading-1 {
				t.Errorf("reading %d, name %d: last seen by %d", reading, i, last)
			}
		}
	}
	if len(s.uuids) != 2 || len(s.ints) != 2 || len(s.texts) != 2 {
		t.Errorf("%d UUIDs, %d integers, %d texts, %d others", len(s.uuids), len(s.ints), len(s.texts), len(s.others))
	}
}

func BenchmarkSeen(b *testing.B) {
	b.ReportAllocs()
	var s seen
	name := nameOf(uuid.UUID{})
	for n := range b.N {
		name.Set(reflect.ValueOf(uuid.UUID{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}))
		s.mark(name, 1)
	}
}

func TestReadingsEnd(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	for _, tt := range []struct {
		name     string
		confirm  bool
		object   reflect.Value
		read     func(*Readings)
		readings int
		err      string // "" if the list is read
	}{
		{"consistent", false, nameOf(1), func(*Readings) {}, 1, ""},
		{"confirmed", true, nameOf(1), func(*Readings) {}, 2, ""},
		{"count", false, nameOf(1), func(r *Readings) { r.Page(2) }, 3, "the last of 3: its pages differ in count"},
		{"count, to be confirmed", true, nameOf(1), func(r *Readings) { r.Page(2) }, 5, "the last of 5: its pages differ in count"},
		{"missing", false, nameOf(1), func(r *Readings) { r.Missing(gone) }, 3, "the last of 3: a page that was announced was not there: gone"},
		{
			"no name", false,
			reflect.Value{},
			func(r *Readings) { r.Page(2) }, 1,
			"its pages differ in count, and its objects have no identity to read it again by",
		},
	} {
		r, readings, done := Readings{Confirm: tt.confirm}, 0, false
		for !done && r.Next() {
			readings++
			r.Page(1)
			r.Object(tt.object)
			tt.read(&r)
			done = r.Done()
		}
		if done != (tt.err == "") || readings != tt.readings {
			t.Errorf("%s: done %t after %d readings", tt.name, done, readings)
		}
		if !done && (r.Err().Error() != tt.err || errors.Is(r.Err(), gone) != (tt.name == "missing")) {
			t.Errorf("%s: error %v", tt.name, r.Err())
		}
	}
	first := Readings{}
	if first.Next(); first.Missing(gone) {
		t.Error("the page to begin with had to be there")
	}
}
