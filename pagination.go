package authentik

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"sync"
)

// ListOptions are the options that every list has. Embed it in the options of
// your own lists. A negative Page, PageSize or Prefetch is an error before any
// request.
type ListOptions struct {
	// Page is the page to read, or to begin with; 0 and 1 are the first.
	Page int `url:"page,omitempty"`
	// PageSize is how many objects a page has. If it is 0, List leaves it to
	// the server (20 by default, 100 before 2025.12), Pages and All ask for 100.
	// A server of 2025.12 or newer gives no more than its maximum,
	// 100 by default, and does not say so.
	PageSize int `url:"page_size,omitempty"`
	// Ordering names the fields to order by, separated by commas; one with a
	// minus descends: "-name". A server ignores fields it cannot order by.
	Ordering string `url:"ordering,omitempty"`
	// Search keeps the objects that have all its words in what the list is
	// searched by: the name, of stages.
	Search string `url:"search,omitempty"`
	// Prefetch is how many pages Pages and All ask for ahead of the one being
	// read; 0 means one after another. It makes a walk faster where the network
	// is slow, and asks the server for as many pages at a time: its workers are
	// few, and 4 is plenty. It is never sent.
	Prefetch int `url:"-"`
}

func (o *ListOptions) prefetch() int {
	if o == nil { // embedded as a pointer
		return 0
	}
	return o.Prefetch
}

// Page is one page of a list, from the function [List] or a service's List.
type Page[T any] struct {
	Pagination Pagination `json:"pagination"`
	Results    []T        `json:"results"`
}

// Pagination says where in a list a page stands.
type Pagination struct {
	Next       int `json:"next"`        // number of the next page; 0: this is the last
	Previous   int `json:"previous"`    // number of the page before; 0: this is the first
	Count      int `json:"count"`       // objects in the whole list
	Current    int `json:"current"`     // number of this page
	TotalPages int `json:"total_pages"` // 1 for an empty list
	StartIndex int `json:"start_index"` // of the page's first object in the list, from 1; 0 for an empty list
	EndIndex   int `json:"end_index"`   // of the page's last object
}

// UnmarshalJSON reads the numbers in every form that JSON has for a whole
// number, since the API's schema calls them numbers, not integers: 1, 1.0, 1e0.
func (p *Pagination) UnmarshalJSON(b []byte) error {
	var numbers struct {
		Next       float64 `json:"next"`
		Previous   float64 `json:"previous"`
		Count      float64 `json:"count"`
		Current    float64 `json:"current"`
		TotalPages float64 `json:"total_pages"`
		StartIndex float64 `json:"start_index"`
		EndIndex   float64 `json:"end_index"`
	}
	if err := json.Unmarshal(b, &numbers); err != nil {
		return err
	}
	var err error
	toInt := func(f float64) int {
		if f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
			err = errNoPageNumber
		}
		return int(f)
	}
	*p = Pagination{
		Next:       toInt(numbers.Next),
		Previous:   toInt(numbers.Previous),
		Count:      toInt(numbers.Count),
		Current:    toInt(numbers.Current),
		TotalPages: toInt(numbers.TotalPages),
		StartIndex: toInt(numbers.StartIndex),
		EndIndex:   toInt(numbers.EndIndex),
	}
	return err
}

// defaultPageSize is what the iterators ask for: the most that a server of
// 2025.12 or newer gives by default.
const defaultPageSize = 100

// List asks for one page of the list at path, which is below /api/v3/: for
// example GET /core/users/ is List[User](ctx, c, "core/users/", nil). opts are
// the query parameters: a struct with url tags that may embed [ListOptions], a
// pointer to one, [url.Values] or nil.
//
// The errors are those of [Get]; an answer without pagination or results is a
// [DecodeError]. A page beyond the last one is an [APIError] that matches
// [ErrNotFound].
func List[T any](ctx context.Context, c *Client, path string, opts any) (*Page[T], error) {
	return list[*Page[T]](ctx, c, path, opts)
}

// list is [List] for P, which is *Page[T].
func list[P any](ctx context.Context, c *Client, path string, opts any) (P, error) {
	values, _, err := encodeOptions(opts)
	if err != nil {
		return *new(P), err
	}
	p, err := c.page(ctx, path, values, resultsType[P](), math.MinInt)
	if err != nil {
		return *new(P), err
	}
	return toPage[P](p), nil
}

// page is a [Page] of objects of any type. The code that reads pages has no type
// parameter, so that it is compiled once.
type page struct {
	Pagination Pagination
	Results    reflect.Value // a []T that can be set
}

// resultsType returns the type []T for P, which is *Page[T].
func resultsType[P any]() reflect.Type { return reflect.TypeFor[P]().Elem().Field(1).Type }

// toPage makes a P, which is *Page[T], of p.
func toPage[P any](p *page) P {
	v := reflect.New(reflect.TypeFor[P]().Elem())
	v.Elem().Field(0).Set(reflect.ValueOf(p.Pagination))
	v.Elem().Field(1).Set(p.Results)
	return v.Interface().(P)
}

// sentPage is a [Page] as it is sent: perhaps without pagination or results.
type sentPage struct {
	Pagination *Pagination `json:"pagination"`
	Results    any         `json:"results"` // a *[]T: encoding/json decodes into what an interface points to
}

// page asks for one page, with results of the type []T. A next page that is not
// after number is a DecodeError.
func (c *Client) page(ctx context.Context, path string, values url.Values, results reflect.Type, number int) (*page, error) {
	r, err := c.do(ctx, request{method: http.MethodGet, path: path, query: values})
	if err != nil {
		return nil, err
	}
	p := &page{Results: reflect.New(results).Elem()}
	sent := sentPage{Results: p.Results.Addr().Interface()}
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	if sent.Pagination == nil {
		return nil, decodeError(r, errNoPagination)
	}
	if sent.Results == nil || p.Results.IsNil() {
		return nil, decodeError(r, errNoResults)
	}
	p.Pagination = *sent.Pagination
	if next := p.Pagination.Next; next != 0 && next <= number {
		return nil, decodeError(r, bodyError(fmt.Sprintf("page %d names %d as the next one", number, next)))
	}
	return p, nil
}

// Pages walks the pages of the list at path, from the Page of opts on. path and
// opts are those of [List], but where they give no page size, 100 is asked for.
//
// Nothing is read before the loop, and ranging again starts again; changes to
// opts after the call have no effect. Leaving the loop stops all I/O. An error
// is yielded once, as (nil, err), and ends the loop. It is one of [List]; a page
// that names a next one not behind it is a [DecodeError]. The walk ends at the
// page whose Next is 0: an empty or a short page is yielded like any other.
//
// Pages are numbered, so an object created or deleted during the walk shifts
// those behind it: a page may repeat an object, or miss one. [All] does not.
func Pages[T any](ctx context.Context, c *Client, path string, opts any) iter.Seq2[*Page[T], error] {
	return pages[*Page[T]](ctx, c, path, opts)
}

// pages is [Pages] for P, which is *Page[T].
func pages[P any](ctx context.Context, c *Client, path string, opts any) iter.Seq2[P, error] {
	walk := c.walk(ctx, path, opts, resultsType[P]())
	return func(yield func(P, error) bool) {
		for p, err := range walk {
			if err != nil {
				yield(*new(P), err)
				return
			}
			if !yield(toPage[P](p), nil) {
				return
			}
		}
	}
}

// walk is [Pages] without a type parameter, with results of the type []T.
func (c *Client) walk(ctx context.Context, path string, opts any, results reflect.Type) iter.Seq2[*page, error] {
	values, prefetch, err := encodeOptions(opts)
	start := 1
	if err == nil && values.Get("page") != "" {
		if start, err = strconv.Atoi(values.Get("page")); err != nil {
			err = errors.New("authentik: page must be a number to start from")
		}
		start = max(start, 1)
	}
	if err == nil && ctx == nil {
		err = errNilContext
	}
	if size := values.Get("page_size"); err == nil && (size == "" || size == "0") {
		values.Set("page_size", strconv.Itoa(defaultPageSize))
	}
	return func(yield func(*page, error) bool) {
		if err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()

		read := func(number int) (*page, error) {
			values := maps.Clone(values)
			values.Set("page", strconv.Itoa(number))
			return c.page(ctx, path, values, results, number)
		}
		ahead := map[int]func() (*page, error){} // by number, what waits for a page asked for ahead
		for number := start; number != 0; {
			wait, asked := ahead[number]
			if !asked {
				wait = func() (*page, error) { return read(number) }
			}
			delete(ahead, number)
			p, err := wait()
			if err != nil {
				yield(nil, err)
				return
			}
			next := p.Pagination.Next
			for n := next; n != 0 && n-next < prefetch && n <= p.Pagination.TotalPages; n++ {
				if ahead[n] == nil {
					ahead[n] = async(&running, func() (*page, error) { return read(n) })
				}
			}
			if !yield(p, nil) {
				return
			}
			number = next
		}
	}
}

var errNoEnd = errors.New("authentik: runtime.Goexit ended the request")

// async starts f and returns what waits for its results. A panic of f, such as
// of a token source, goes to who waits, who can recover it; nobody else could.
func async[T any](running *sync.WaitGroup, f func() (T, error)) func() (T, error) {
	var v T
	err := errNoEnd
	var panicked any
	done := make(chan struct{})
	running.Go(func() {
		defer close(done)
		defer func() { panicked = recover() }()
		v, err = f()
	})
	return func() (T, error) {
		<-done
		if panicked != nil {
			panic(panicked)
		}
		return v, err
	}
}

// maxReadings is how often All reads a list that changes meanwhile.
const maxReadings = 3

// All walks the objects of the list at path, each once, in the server's order.
// path and opts are those of [Pages], and it is as lazy.
//
// An object deleted during the walk shifts those behind it, and the next page
// would miss one. So where the reading shows that the list changed, because
// count differs between pages, an object comes twice, or a page that was
// announced is not there, All reads the list again and yields what it has not
// yielded yet, until one whole reading saw no change. After three that did, it
// ends with [ErrListChanged].
//
// All cannot see a change that leaves count as it was and repeats no object: a
// deletion before the place reached and a creation behind it, both between two
// pages, or an object whose new name moves it across that place. The object that
// slips from the next page to one read already is missed then. A list that must
// be complete against such changes is read twice and compared.
//
// Objects are told apart by the field of T for the JSON member pk, which costs
// about 70 bytes for each. If T has none, All cannot read again, and ends with
// ErrListChanged at once.
//
// An error is yielded once, as (nil, err), and ends the loop.
func All[T any](ctx context.Context, c *Client, path string, opts any) iter.Seq2[*T, error] {
	return all[*T](ctx, c, path, opts)
}

// all is [All] for P, which is *T.
func all[P any](ctx context.Context, c *Client, path string, opts any) iter.Seq2[P, error] {
	objects := c.objects(ctx, path, opts, reflect.TypeFor[P]().Elem())
	return func(yield func(P, error) bool) {
		for object, err := range objects {
			if err != nil {
				yield(*new(P), err)
				return
			}
			if !yield(object.Interface().(P), nil) {
				return
			}
		}
	}
}

// objects is [All] without a type parameter: it yields pointers to objects of
// the type t.
func (c *Client) objects(ctx context.Context, path string, opts any, t reflect.Type) iter.Seq2[reflect.Value, error] {
	pages := c.walk(ctx, path, opts, reflect.SliceOf(t))
	pkOf := pkReader(t)
	return func(yield func(reflect.Value, error) bool) {
		lastSeen := map[any]int{} // the reading that saw the object of that pk last
		for reading := range maxReadings {
			changed, rereadable := false, true
			count := -1
			for page, err := range pages {
				if (count >= 0 || reading > 0) && errors.Is(err, ErrNotFound) {
					changed = true // the page was announced, or there before
					break
				}
				if err != nil {
					yield(reflect.Value{}, err)
					return
				}
				changed = changed || count >= 0 && count != page.Pagination.Count
				count = page.Pagination.Count
				for i := range page.Results.Len() {
					item := page.Results.Index(i).Addr()
					var pk any
					if v := pkOf(item); v.IsValid() && v.Comparable() {
						pk = v.Interface()
					}
					last, seen := lastSeen[pk]
					switch {
					case pk == nil:
						rereadable = false
					case seen && last == reading:
						changed = true
					default:
						lastSeen[pk] = reading
					}
					if !seen && !yield(item, nil) {
						return
					}
				}
			}
			if !changed {
				return
			}
			if !rereadable {
				yield(reflect.Value{}, c.errorf(http.MethodGet, path, "%w, and its objects have no pk to read it again by", ErrListChanged))
				return
			}
		}
		yield(reflect.Value{}, c.errorf(http.MethodGet, path, "%w, three times", ErrListChanged))
	}
}

// Collect returns what seq yields, as a slice that is never nil, or the first
// error alone:
//
//	stages, err := authentik.Collect(client.StagesPassword.All(ctx, nil))
func Collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	items := []T{}
	for item, err := range seq {
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}
