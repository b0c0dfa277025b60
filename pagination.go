package authentik

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/transport"
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
	// leaves open how objects of equal fields are ordered. So Pages and All add
	// the objects' identity as the last field, "-name,pk"; List does not.
	Ordering string `url:"ordering,omitempty"`
	// Search keeps the objects that have all its words in what the list is
	// searched by: the name, of stages.
	Search string `url:"search,omitempty"`
	// Prefetch is how many pages Pages and All ask for at a time, while a page is
	// in use and while the next one is waited for; 0 means one after another, and
	// more than 32 is 32. Up to twice as many pages are held. It makes a walk
	// faster where the network is slow; a server's workers are few, and 4 is
	// plenty. List ignores it. It is never sent.
	Prefetch int `url:"-"`
	// Confirm makes All read the list until two readings in a row saw the same
	// objects, for a program that deletes what the list does not have. List and
	// Pages ignore it. It is never sent.
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
	if err := codec.Unmarshal(b, &numbers); err != nil {
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
// The errors are those of [Get]; an answer without pagination or results, or with
// an object that is null or lacks its identity, is a [DecodeError]. A page after
// the last one is an [APIError] that matches [ErrNotFound].
func List[T any](ctx context.Context, c *Client, path string, opts any) (*Page[T], error) {
	return list[*Page[T]](ctx, c, path, opts)
}

// list is [List] for P, which is *Page[T].
func list[P any](ctx context.Context, c *Client, path string, opts any) (P, error) {
	values, err := encodeOptions(opts)
	if err != nil {
		return *new(P), c.errorf(http.MethodGet, path, "%w", err)
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
	defer r.Release()
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
	if err := checkResults(r, p.Results); err != nil {
		return nil, err
	}
	p.Pagination = *sent.Pagination
	if next := p.Pagination.Next; next != 0 && next <= number {
		return nil, decodeError(r, bodyError(fmt.Sprintf("page %d names %d as the next one", number, next)))
	}
	return p, nil
}

// checkResults returns a DecodeError if one of results, which were decoded from
// r, is null or lacks its identity.
func checkResults(r *transport.Response, results reflect.Value) error {
	identity := codec.IdentityOf(results.Type().Elem())
	member := identity.Member
	for i := range results.Len() {
		item := results.Index(i)
		if !item.IsZero() && (member == "" || !identity.MayLack(item)) {
			continue
		}
		if i = codec.Lacking(r.Body, "results", member); i < 0 {
			return nil // all of them are zero in the document
		}
		if member == "" {
			return decodeError(r, bodyError(fmt.Sprintf("results.%d is null", i)))
		}
		return decodeError(r, bodyError(fmt.Sprintf("results.%d has no %s", i, member)))
	}
	return nil
}

// Pages walks the pages of the list at path, from the Page of opts on. path and
// opts are those of [List], but where they give no page size, 100 is asked for.
//
// Nothing is read before the loop, and ranging again starts again; changes to
// opts after the call have no effect. Leaving the loop stops all I/O. An error
// is yielded once, as (nil, err), and ends the loop. It is one of [List]; a page
// that names a next one not after it is a [DecodeError]. The walk ends at the
// page whose Next is 0: an empty or a short page is yielded like any other.
//
// Where opts have an ordering, the identity of T, see [Get], is added as its last
// field: without it the server orders objects of equal fields anew for each page,
// and pages repeat some and miss others. Where T has none, order by fields that
// are unique together. Where the server knows no field of the ordering but the
// added one, that alone decides.
//
// Pages are numbered, so an object created or deleted during the walk shifts
// those after it: a page may repeat an object, or miss one. [All] does not.
//
// The objects of a page are one piece of memory: while a pointer to one of them
// is kept, the whole page is. To keep few of many, copy them.
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
	values, err := encodeOptions(opts)
	prefetch := listOptions(opts).Prefetch
	start := 1
	if err == nil && values.Get("page") != "" {
		if start, err = strconv.Atoi(values.Get("page")); err != nil {
			err = errors.New("page must be a number to start from")
		}
		start = max(start, 1)
	}
	if err != nil {
		err = c.errorf(http.MethodGet, path, "%w", err)
	}
	if err == nil && ctx == nil {
		err = errNilContext
	}
	if err != nil {
		return func(yield func(*page, error) bool) { yield(nil, err) }
	}
	if size := values.Get("page_size"); size == "" || size == "0" {
		values.Set("page_size", strconv.Itoa(defaultPageSize))
	}
	if identity := codec.IdentityOf(results.Elem()); identity.Member != "" {
		orderLastBy(values, identity.Member)
	}
	return walk.Pages(ctx, start, prefetch, func(ctx context.Context, number int) (walk.Page[*page], error) {
		values := maps.Clone(values)
		values.Set("page", strconv.Itoa(number))
		p, err := c.page(ctx, path, values, results, number)
		if err != nil {
			return walk.Page[*page]{}, err
		}
		return walk.Page[*page]{Value: p, Next: p.Pagination.Next, Total: p.Pagination.TotalPages}, nil
	})
}

// orderLastBy adds field to the ordering in values, if there is one and lacks it:
// PostgreSQL orders rows of equal fields anew for each page.
func orderLastBy(values url.Values, field string) {
	orderings := values["ordering"]
	if len(orderings) == 0 {
		return
	}
	ordering := orderings[len(orderings)-1] // the one that counts for the server
	ordered := false
	for name := range strings.SplitSeq(ordering, ",") {
		name = strings.TrimPrefix(strings.TrimSpace(name), "-")
		if name == field {
			return
		}
		ordered = ordered || name != ""
	}
	if ordered {
		values.Set("ordering", ordering+","+field)
	}
}

// maxReadings is how often All reads a list whose readings are not consistent,
// and maxConfirmReadings how often it does to have two that are the same.
const (
	maxReadings        = 3
	maxConfirmReadings = 5
)

// All walks the objects of the list at path, each once, in the server's order.
// path, opts and the order are those of [Pages], and it is as lazy.
//
// An object deleted during the walk shifts those after it, and the next page
// would miss one. So where a reading is not consistent, because count differs
// between pages, an object comes twice, or a page that was announced is not
// there, All reads the list again and yields what it has not yielded yet, until
// one whole reading was consistent. A proxy's 404 ends it, see [ErrNoEndpoint]. After three that were not, it ends with
// [ErrListChanged], whose text says what was wrong with the last.
//
// One reading cannot tell a change that leaves count as it was and repeats no
// object: a deletion before the place reached and a creation after it, both
// between two pages, or an object whose new name moves it across that place. The
// object that slips from the next page to one read already is missed then. With
// Confirm in [ListOptions], All reads the list again until two consistent
// readings in a row saw the same objects. Objects are yielded when they are first
// found; that the loop ends without an error is the promise: every object that
// was in the list all the time, and not moved in it, was yielded. An object
// created or deleted meanwhile may be among those yielded, or not. After five
// readings without two such in a row, it ends with ErrListChanged; a quiet list
// is read twice.
//
// Objects are told apart by their identity, see [Get], which costs about 40 bytes
// for each if it is a UUID or an integer. If T has none, All cannot read again,
// and ends with ErrListChanged at once; with Confirm it is an error before any
// request.
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
	identity := codec.IdentityOf(t)
	confirm := listOptions(opts).Confirm
	most := maxReadings
	if confirm {
		most = maxConfirmReadings
	}
	return func(yield func(reflect.Value, error) bool) {
		fail := func(format string, args ...any) {
			yield(reflect.Value{}, c.errorf(http.MethodGet, path, format, args...))
		}
		if confirm && identity.Member == "" {
			fail("Confirm needs objects with an identity, and %v has none", t)
			return
		}
		readings := walk.Readings{Confirm: confirm}
		var last error // what was wrong with the last reading
		for range most {
			readings.Begin()
			var missing error
			for page, err := range pages {
				if errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoEndpoint) && readings.Missing() {
					missing = err
					break
				}
				if err != nil {
					yield(reflect.Value{}, err)
					return
				}
				readings.Page(page.Pagination.Count)
				for i := range page.Results.Len() {
					object := page.Results.Index(i).Addr()
					if readings.Object(identity.Of(object.Elem())) && !yield(object, nil) {
						return
					}
				}
			}
			last = errors.New(readings.Fault())
			if missing != nil {
				last = fmt.Errorf("%w: %w", last, missing)
			}
			switch {
			case readings.Fault() == "":
				return
			case readings.Unnamed():
				fail("%w: %w, and its objects have no identity to read it again by", ErrListChanged, last)
				return
			}
		}
		fail("%w in %d readings: of the last, %w", ErrListChanged, most, last)
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
