// Package walk reads the pages of a list in their order, some of them ahead of
// the one in use, and tells the objects of a list apart.
package walk

import (
	"context"
	"iter"
	"sync"

	"github.com/authentik-go/authentik/internal/async"
)

// MaxPrefetch is how many pages are asked for at a time at most.
const MaxPrefetch = 32

// Page is one page of a list.
type Page[P any] struct {
	Value P
	Next  int // the number of the next page; 0: there is none
	Total int // how many pages the list has
}

// Pages walks the pages of a list from start on, each as read returns it. While
// a page is in use, and while the next one is waited for, up to prefetch pages
// are being read, each in a goroutine; of those after the page in use, up to
// twice as many are being read or held. The walk ends at the first error. It
// ends after all calls of read, whose context has ended then.
func Pages[P any](ctx context.Context, start, prefetch int, read func(ctx context.Context, number int) (Page[P], error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		a := &ahead[P]{
			most:  min(prefetch, MaxPrefetch),
			read:  read,
			calls: map[int]*async.Call[Page[P]]{},
		}
		defer a.running.Wait()
		defer cancel()
		for number := start; number != 0; {
			page, err := a.page(ctx, number)
			if err != nil {
				yield(page.Value, err)
				return
			}
			if !yield(page.Value, nil) {
				return
			}
			number = page.Next
		}
	}
}

// ahead reads pages ahead of the one in use.
type ahead[P any] struct {
	most    int
	read    func(context.Context, int) (Page[P], error)
	running sync.WaitGroup

	mu       sync.Mutex
	inFlight int
	first    int                          // number of the page after the one in use
	next     int                          // number of the next page to start
	total    int                          // number of the last page
	failed   bool                         // a page ahead did, so the walk does not pass it
	calls    map[int]*async.Call[Page[P]] // by number, those that the walk has not come to
}

// page returns the page of that number, and starts those after it.
func (a *ahead[P]) page(ctx context.Context, number int) (Page[P], error) {
	a.mu.Lock()
	call := a.calls[number]
	for n := range a.calls { // a page may name a next one further on
		if n <= number {
			delete(a.calls, n)
		}
	}
	a.mu.Unlock()

	var page Page[P]
	var err error
	if call != nil && ctx.Err() == nil {
		page, err = call.Wait(context.WithoutCancel(ctx)) // read ends with its context, and says how
	} else {
		page, err = a.read(ctx, number)
	}
	if err == nil && page.Next != 0 {
		a.mu.Lock()
		a.total = page.Total
		a.first = page.Next
		a.next = max(a.next, page.Next)
		a.start(ctx)
		a.mu.Unlock()
	}
	return page, err
}

// start starts as many pages as may be in flight. The caller holds mu.
func (a *ahead[P]) start(ctx context.Context) {
	for a.inFlight < a.most && a.next < a.first+2*a.most && a.next <= a.total && !a.failed && ctx.Err() == nil {
		number := a.next
		a.next++
		a.inFlight++
		a.running.Add(1)
		a.calls[number] = async.Start(func() (page Page[P], err error) {
			failed := true // if read panics
			defer func() {
				a.mu.Lock()
				a.inFlight--
				a.failed = a.failed || failed
				a.start(ctx)
				a.mu.Unlock()
				a.running.Done()
			}()
			page, err = a.read(ctx, number)
			failed = err != nil
			return page, err
		})
	}
}
