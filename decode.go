package authentik

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"sync"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/transport"
)

// This file makes of a response of 2xx what was asked for, or a DecodeError. What
// is said here of a type t is in place of a type parameter.

// decodeObject returns a pointer to the t that the response is.
func decodeObject(r *transport.Response, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t)
	if raw, ok := reflect.TypeAssert[*[]byte](v); ok { // of an answer that is no JSON
		*raw = bytes.Clone(r.Body)
		return v, nil
	}
	if err := decode(r, v.Interface()); err != nil {
		return reflect.Value{}, err
	}
	identity := codec.IdentityOf(t)
	switch {
	case identity.Member != "":
		if identity.MayLack(v.Elem()) && !codec.HasMember(r.Body, identity.Member) {
			return reflect.Value{}, newDecodeError(r, bodyError("no "+identity.Member))
		}
	case t.Kind() == reflect.Struct && isList(r.Body) && !codec.HasField(t, "results") && !codec.HasField(t, "pagination"):
		return reflect.Value{}, newDecodeError(r, errList)
	}
	return v, nil
}

// isList reports whether the body is a page of a list.
func isList(body []byte) bool {
	return bytes.Contains(body, []byte(`"pagination"`)) && codec.HasMember(body, "pagination") && codec.HasMember(body, "results")
}

// decodeWritten returns a pointer to the t that answers a write, or an invalid Value
// if the server's release does not answer with one yet. The answer may be empty if a
// struct{} or an any is expected.
func decodeWritten(r *transport.Response, op *Operation, t reflect.Type) (reflect.Value, error) {
	if r.Status == http.StatusNotFound { // of a DELETE that was done before
		return reflect.New(t), nil
	}
	nothing := t.Kind() == reflect.Struct && t.NumField() == 0
	switch {
	case r.Status == http.StatusNoContent && slices.Contains(emptyAnswers, op):
		return reflect.Value{}, nil
	case (nothing || t.Kind() == reflect.Interface) && len(bytes.TrimSpace(r.Body)) == 0:
		return reflect.New(t), nil
	case nothing: // any JSON will do
		return reflect.New(t), decode(r, new(json.RawMessage))
	}
	return decodeObject(r, t)
}

// sentPage returns the type of a [Page] as it is sent, perhaps without pagination
// or results, with results of the type t. Its fields are those of page.
func sentPage(t reflect.Type) reflect.Type {
	sent, has := sentPages.Load(t)
	if !has {
		sent, _ = sentPages.LoadOrStore(t, reflect.StructOf([]reflect.StructField{
			{Name: "Pagination", Type: reflect.TypeFor[*Pagination](), Tag: `json:"pagination"`},
			{Name: "Results", Type: t, Tag: `json:"results"`},
			{Name: "Extra", Type: reflect.TypeFor[map[string]json.RawMessage](), Tag: `json:",embed,inline"`},
		}))
	}
	return sent.(reflect.Type)
}

var sentPages sync.Map // of results of sentPage, by the type of the page's results

// decodePage returns the page of that number, with results of the type t, which is
// a slice. A number of 0 stands for any, whose pagination is not looked at.
func decodePage(r *transport.Response, t reflect.Type, number int) (*page, error) {
	sent := reflect.New(sentPage(t))
	if err := decode(r, sent.Interface()); err != nil {
		return nil, err
	}
	pagination, _ := reflect.TypeAssert[*Pagination](sent.Elem().Field(0))
	if pagination == nil {
		return nil, newDecodeError(r, errNoPagination)
	}
	p := &page{*pagination, sent.Elem().Field(1), sent.Elem().Field(2)}
	if p.Results.IsNil() {
		return nil, newDecodeError(r, errNoResults)
	}
	if err := checkResults(r, p.Results); err != nil {
		return nil, err
	}
	return p, checkPagination(r, p.Pagination, number)
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
			return newDecodeError(r, bodyError(fmt.Sprintf("results.%d is null", i)))
		}
		return newDecodeError(r, bodyError(fmt.Sprintf("results.%d has no %s", i, member)))
	}
	return nil
}

// checkPagination returns a DecodeError if the page contradicts itself or is not
// the one of that number, so that a walk would miss pages. Numbers of 0 were not
// sent.
func checkPagination(r *transport.Response, p Pagination, number int) error {
	text := ""
	switch {
	case number == 0:
	case p.Current != 0 && p.Current != number:
		text = fmt.Sprintf("it is page %d, not %d", p.Current, number)
	case p.Next != 0 && p.Next != number+1:
		text = fmt.Sprintf("page %d names %d as the next one", number, p.Next)
	case p.Next == 0 && number < p.TotalPages:
		text = fmt.Sprintf("page %d of %d names no next one", number, p.TotalPages)
	case p.TotalPages != 0 && p.Next > p.TotalPages:
		text = fmt.Sprintf("page %d of %d names %d as the next one", number, p.TotalPages, p.Next)
	}
	if text == "" {
		return nil
	}
	return newDecodeError(r, bodyError(text))
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

// decode reads the body into v.
func decode(r *transport.Response, v any) error {
	if bytes.Equal(bytes.TrimSpace(r.Body), []byte("null")) {
		return newDecodeError(r, errNull)
	}
	if err := codec.Unmarshal(r.Body, v); err != nil {
		if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
			err = bodyError(fmt.Sprintf("its Content-Encoding is %.50q, which nobody asked for", encoding))
		}
		return newDecodeError(r, err)
	}
	return nil
}

func newDecodeError(r *transport.Response, err error) error {
	return &DecodeError{
		StatusCode:  r.Status,
		Method:      r.Method,
		Path:        r.Path,
		ContentType: r.Header.Get("Content-Type"),
		RequestID:   r.Header.Get(transport.RequestIDHeader),
		Attempts:    r.Attempts,
		Header:      r.Header,
		Body:        bytes.Clone(r.Body),
		Err:         err,
	}
}

// bodyError is what this package itself finds wrong with a body, in words that
// have nothing of it.
type bodyError string

func (e bodyError) Error() string { return string(e) }

const (
	errStarting     = bodyError("it is no page or object: authentik is starting")
	errNull         = bodyError("it is null")
	errNoAuthentik  = bodyError("it is not authentik's")
	errList         = bodyError("it is a page of a list, not an object")
	errNoPagination = bodyError("no pagination")
	errNoResults    = bodyError("no results")
	errNoPageNumber = bodyError("a number in pagination is not whole, or too large")
)
