package authentik

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/query"
	"github.com/authentik-go/authentik/internal/walk"
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
	// minus descends: "-name". A server ignores fields it cannot order by, and
	// does not say how objects of equal fields are ordered. So Pages and All add
	// the objects' identity as the last field, "-name,pk"; List does not.
	Ordering string `url:"ordering,omitempty"`
	// Search keeps the objects that have all its words in the fields that the list
	// is searched by, such as the name of a stage. Since 2025.8 those of users, groups
	// and events take a query of DjangoQL as well, such as `attributes.floor > 3`. If
	// the server has no search of the list, it is an error before any request.
	Search string `url:"search,omitempty"`

	// What follows is for Pages and All. List ignores it, and it is never sent.

	// Prefetch is how many pages Pages and All ask for at a time, while a page is
	// in use and while the next one is waited for; 0 means one after another, and
	// more than 32 is 32. Up to twice as many pages are held. Set it for a walk of
	// many pages to its end: it takes about a third of the time with 4, if the
	// server has as many workers to spare. A larger number gains nothing, and
	// keeps other clients waiting. Leave it at 0 for a loop that may end early: the
	// pages that it does not reach are wasted work for the server.
	Prefetch int `url:"-"`
	// Confirm makes All read the list until two readings in a row saw the same
	// objects, for a program that deletes what the list does not have. Pages
	// ignores it.
	Confirm bool `url:"-"`
}

func (o *ListOptions) listOptions() *ListOptions { return o }

// listOptions returns the ListOptions that opts are, or embed.
func listOptions(opts any) ListOptions {
	v := reflect.ValueOf(opts)
	if v.Kind() == reflect.Struct { // the method is a pointer's
		v = reflect.New(v.Type())
		v.Elem().Set(reflect.ValueOf(opts))
	}
	for v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		if embeds, ok := reflect.TypeAssert[interface{ listOptions() *ListOptions }](v); ok {
			if options := embeds.listOptions(); options != nil { // it may be embedded as a pointer
				return *options
			}
		}
	}
	return ListOptions{}
}

// encodeList returns the query parameters of a list's options, which may be added to.
func encodeList(opts any) (url.Values, error) {
	values, err := query.Encode(opts)
	if values == nil {
		values = url.Values{}
	}
	if err == nil && listOptions(opts).Prefetch < 0 {
		err = errors.New("the option Prefetch is negative")
	}
	return values, err
}

// Page is one page of a list, from the function [List] or a service's List.
type Page[T any] struct {
	Pagination Pagination `json:"pagination"`
	Results    []T        `json:"results"`

	// Extra holds the members that this SDK does not know, such as the autocomplete of
	// a search since 2025.10; nil if there are none.
	Extra map[string]json.RawMessage `json:",embed,inline"`
}

// Pagination is the place of a page in its list.
type Pagination struct {
	Next       int `json:"next"`        // number of the next page; 0: this is the last
	Previous   int `json:"previous"`    // number of the page before; 0: this is the first
	Count      int `json:"count"`       // objects in the whole list
	Current    int `json:"current"`     // number of this page
	TotalPages int `json:"total_pages"` // 1 for an empty list
	StartIndex int `json:"start_index"` // of the page's first object in the list, from 1; 0 for an empty list
	EndIndex   int `json:"end_index"`   // of the page's last object
}

// defaultPageSize is what the iterators ask for: the most that a server of
// 2025.12 or newer gives by default.
const defaultPageSize = 100

// List asks for one page of the list at path, which is below /api/v3/: for
// example GET /core/users/ is List[User](ctx, c, "core/users/", nil). opts are
// the query parameters: a struct with url tags that may embed [ListOptions], a
// pointer to one, [url.Values] or nil.
//
// The errors are those of [Get]. An answer without pagination or results, or with an
// object that is null or lacks its identity, is a [DecodeError]. A page after the
// last one is an [APIError] that matches [ErrNotFound].
func List[T any](ctx context.Context, c *Client, path string, opts any) (*Page[T], error) {
	return list[*Page[T]](ctx, c, &Operation{Method: http.MethodGet, Path: path}, opts)
}

// list is [List] for P, which is *Page[T].
func list[P any](ctx context.Context, c *Client, op *Operation, opts any) (P, error) {
	values, err := encodeList(opts)
	if err != nil {
		return *new(P), c.wrap(op.Method, op.Path, err)
	}
	p, err := c.page(ctx, op, values, resultsType[P](), 0)
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
	Extra      reflect.Value
}

// resultsType returns the type []T for P, which is *Page[T].
func resultsType[P any]() reflect.Type {
	field, _ := reflect.TypeFor[P]().Elem().FieldByName("Results")
	return field.Type
}

// toPage makes a P, which is *Page[T], of p.
func toPage[P any](p *page) P {
	v := reflect.New(reflect.TypeFor[P]().Elem())
	v.Elem().FieldByName("Pagination").Set(reflect.ValueOf(p.Pagination))
	v.Elem().FieldByName("Results").Set(p.Results)
	v.Elem().FieldByName("Extra").Set(p.Extra)
	return v.Interface().(P)
}

// page asks for one page, with results of the type []T. See [decodePage].
func (c *Client) page(ctx context.Context, op *Operation, values url.Values, results reflect.Type, number int) (*page, error) {
	factsOf(op.Path).passCache(values)
	r, err := c.do(ctx, request{op: op, path: op.Path, query: values})
	if err != nil {
		return nil, err
	}
	defer r.Release()
	return decodePage(r, results, number)
}

// Pages walks the pages of the list at path, from the Page of opts on. path and
// opts are those of [List], except that 100 objects a page are asked for if opts
// name no page size.
//
// Nothing is read before the loop, and ranging again starts again; changes to
// opts after the call have no effect. Leaving the loop stops all I/O. An error
// is yielded once, as (nil, err), and ends the loop. It is one of [List]; a page that
// contradicts itself, or is not the one asked for, is a [DecodeError]. The walk ends
// at the page whose Next is 0: an empty or a short page is yielded like any other.
//
// If opts have an ordering, the identity of T, see [Get], is added as its last
// field: without it the server orders objects of equal fields anew for each page,
// and pages repeat some and miss others. If T has no identity, order by fields that
// no two objects share. If the server knows no field of the ordering except the
// added one, that alone decides.
//
// Pages are numbered, so an object created or deleted during the walk shifts
// those after it: a page may repeat an object, or miss one. [All] does not.
//
// The objects of a page are one piece of memory: while a pointer to one of them
// is kept, the whole page is. To keep few of many, copy them.
func Pages[T any](ctx context.Context, c *Client, path string, opts any) iter.Seq2[*Page[T], error] {
	return pages[*Page[T]](ctx, c, &Operation{Method: http.MethodGet, Path: path}, opts)
}

// pages is [Pages] for P, which is *Page[T].
func pages[P any](ctx context.Context, c *Client, op *Operation, opts any) iter.Seq2[P, error] {
	w, err := c.walk(ctx, op, opts, resultsType[P]().Elem())
	return func(yield func(P, error) bool) {
		if err != nil {
			yield(*new(P), err)
			return
		}
		for p, err := range w.pages(ctx) {
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

// walked is a list that is to be walked.
type walked struct {
	client   *Client
	op       *Operation
	values   url.Values // without the number of the page
	start    int        // the page to begin with
	options  ListOptions
	facts    listFact
	identity codec.Identity
	results  reflect.Type // []T
}

// walk prepares the walk of a list whose objects are of the type t.
func (c *Client) walk(ctx context.Context, op *Operation, opts any, t reflect.Type) (*walked, error) {
	w := &walked{client: c, op: op, options: listOptions(opts), facts: factsOf(op.Path), identity: codec.IdentityOf(t), results: reflect.SliceOf(t)}
	var err error
	w.values, w.start, err = encodeWalk(opts)
	if err == nil {
		err = w.facts.check(w.values)
	}
	switch {
	case err != nil:
		return nil, c.wrap(op.Method, op.Path, err)
	case ctx == nil:
		return nil, errNilContext
	}
	w.facts.orderTotally(w.values, w.identity.Member)
	return w, nil
}

// page reads one page of so many objects.
func (w *walked) page(ctx context.Context, number, size int) (*page, error) {
	values := maps.Clone(w.values)
	values.Set("page", strconv.Itoa(number))
	values.Set("page_size", strconv.Itoa(size))
	return w.client.page(ctx, w.op, values, w.results, number)
}

// pages are those from the first to the last.
func (w *walked) pages(ctx context.Context) iter.Seq2[*page, error] {
	return walk.Pages(ctx, w.start, w.options.Prefetch, func(ctx context.Context, number int) (walk.Page[*page], error) {
		p, err := w.page(ctx, number, w.pageSize())
		if err != nil {
			return walk.Page[*page]{}, err
		}
		return walk.Page[*page]{Value: p, Next: p.Pagination.Next, Total: p.Pagination.TotalPages}, nil
	})
}

func (w *walked) pageSize() int {
	size, _ := strconv.Atoi(w.values.Get("page_size")) // encodeWalk has looked at it
	return size
}

// encodeWalk returns the query parameters of a walk, and the page to start from.
func encodeWalk(opts any) (values url.Values, start int, err error) {
	if values, err = encodeList(opts); err != nil {
		return nil, 0, err
	}
	if page := values.Get("page"); page != "" {
		if start, err = strconv.Atoi(page); err != nil {
			return nil, 0, errors.New("page must be a number to start from")
		}
	}
	if size := values.Get("page_size"); size == "" || size == "0" {
		values.Set("page_size", strconv.Itoa(defaultPageSize))
	}
	return values, max(start, 1), nil
}

// All walks the objects of the list at path, each once, in the server's order.
// path, opts and the order are those of [Pages], and it is as lazy.
//
// An object deleted during the walk shifts those after it, and the next page would
// miss one. All notices that if count differs between pages, an object comes twice,
// or an announced page is not there. It then reads the list again, and yields what
// it has not yielded yet. After three readings with such a fault it ends with
// [ErrListChanged], whose text says what was wrong with the last. [ErrNoEndpoint], a
// proxy's 404, ends it at once.
//
// A loop that changes what it lists is such a change too: an Update that takes the
// object out of the filter shifts the pages. Collect first, then change:
//
//	users, err := authentik.Collect(client.CoreUsers.All(ctx, opts))
//
// One reading cannot notice a change that keeps count and repeats no object: a
// deletion before the place reached and a creation after it, both between two
// pages, or an object whose new name moves it across that place. An object may
// slip from the next page to one read already, and is missed. With Confirm in
// [ListOptions], All reads the list again until two consistent readings in a row
// saw the same objects. Objects are yielded when they are first found. If the loop
// ends without an error, every object that was in the list all the time, and was
// not moved in it, was yielded. An object created or deleted meanwhile may be among
// those yielded, or not. After five readings without two such in a row, All ends
// with ErrListChanged; a quiet list is read twice.
//
// All remembers the identity of each object, see [Get]: about 40 bytes if it is a
// UUID or an integer. If T has none, All cannot read again, and ends with
// ErrListChanged at once; with Confirm it is an error before any request.
//
// An error is yielded once, as (nil, err), and ends the loop.
func All[T any](ctx context.Context, c *Client, path string, opts any) iter.Seq2[*T, error] {
	return all[*T](ctx, c, &Operation{Method: http.MethodGet, Path: path}, opts)
}

// all is [All] for P, which is *T.
func all[P any](ctx context.Context, c *Client, op *Operation, opts any) iter.Seq2[P, error] {
	objects := c.objects(ctx, op, opts, reflect.TypeFor[P]().Elem())
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
func (c *Client) objects(ctx context.Context, op *Operation, opts any, t reflect.Type) iter.Seq2[reflect.Value, error] {
	w, err := c.walk(ctx, op, opts, t)
	return func(yield func(reflect.Value, error) bool) {
		if err == nil && w.options.Confirm && w.identity.Member == "" {
			err = c.wrap(op.Method, op.Path, fmt.Errorf("the option Confirm needs objects with an identity, and %v has none", t))
		}
		switch {
		case err != nil:
			yield(reflect.Value{}, err)
		case w.overlaps(t):
			w.windows(ctx, yield)
		default:
			w.readings(ctx, yield)
		}
	}
}

// readings yields the objects of the list, which is read until what it has is
// certain.
func (w *walked) readings(ctx context.Context, yield func(reflect.Value, error) bool) {
	readings := walk.Readings{Confirm: w.options.Confirm, Repeats: w.facts.mayRepeat(w.values)}
	for readings.Next() {
		for page, err := range w.pages(ctx) {
			if isMissing(err) && readings.Missing(err) {
				break
			}
			if err != nil {
				yield(reflect.Value{}, err)
				return
			}
			readings.Page(page.Pagination.Count)
			readings.Confirm = readings.Confirm || w.facts.untold && page.Pagination.TotalPages > 1 && w.identity.Member != ""
			for i := range page.Results.Len() {
				object := page.Results.Index(i).Addr()
				if readings.Object(w.identity.Of(object.Elem())) && !yield(object, nil) {
					return
				}
			}
		}
		if readings.Done() {
			return
		}
	}
	w.changed(yield, readings.Err())
}

// overlaps reports whether the list is ordered by its identity alone, so that its
// pages can overlap. Those that are asked for ahead cannot.
func (w *walked) overlaps(t reflect.Type) bool {
	names := orderingOf(w.values)
	if len(names) == 0 || w.identity.Member == "" || w.start > 1 || w.options.Prefetch > 0 || w.pageSize() < walk.MinWindow || w.facts.cached {
		return false
	}
	name := strings.TrimPrefix(names[0], "-")
	return (name == w.identity.Member || name == w.facts.pk) && walk.CanCompare(w.identity.Type(t))
}

// windows yields the objects of a list that is ordered by their identity, of which
// no change hides one. See [walk.Windows].
func (w *walked) windows(ctx context.Context, yield func(reflect.Value, error) bool) {
	windows := walk.Windows{Most: w.pageSize(), Descending: strings.HasPrefix(orderingOf(w.values)[0], "-")}
	for windows.Next() {
		page, err := w.page(ctx, windows.Number, windows.Size)
		if isMissing(err) && windows.Number > 1 {
			windows.Missing()
			continue
		}
		if err != nil {
			yield(reflect.Value{}, err)
			return
		}
		if windows.Number == 1 && !w.isOrdered(page) {
			w.readings(ctx, yield) // the server orders it in another way
			return
		}
		for i := range page.Results.Len() {
			object := page.Results.Index(i).Addr()
			if windows.Object(w.identity.Of(object.Elem())) && !yield(object, nil) {
				return
			}
		}
		windows.Done(max(page.Pagination.StartIndex-1, 0), page.Pagination.Next != 0)
	}
	if err := windows.Err(); err != nil {
		w.changed(yield, err)
	}
}

// isOrdered reports whether the objects of the page are ordered by their identity.
func (w *walked) isOrdered(page *page) bool {
	probe := walk.Windows{Descending: strings.HasPrefix(orderingOf(w.values)[0], "-")}
	for i := range page.Results.Len() {
		probe.Object(w.identity.Of(page.Results.Index(i)))
	}
	return probe.Err() == nil
}

func (w *walked) changed(yield func(reflect.Value, error) bool, err error) {
	yield(reflect.Value{}, w.client.wrap(w.op.Method, w.op.Path, fmt.Errorf("%w: %w", ErrListChanged, err)))
}

// isMissing reports whether err is authentik's answer that there is no such page,
// and not an error that a token source or a transport made.
func isMissing(err error) bool {
	apiError, ok := err.(*APIError) //nolint:errorlint // see above
	return ok && apiError.Is(ErrNotFound)
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
