package main

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// fixture is a page of 100 stages as authentik 2026.2 sends it.
//
//go:embed identification-page-100.json
var fixture []byte

const perPage = 100

// list is a list of so many pages, each the fixture's with pks of its own.
type list struct {
	pages   int
	tails   [][]byte // of the fixture's objects, behind the pk
	latency time.Duration
	workers chan struct{} // has room for one of each; nil: any number
}

func newList(pages int) *list {
	var page struct {
		Results []json.RawMessage `json:"results"`
	}
	check(json.Unmarshal(fixture, &page))
	l := &list{pages: pages, latency: 10 * time.Millisecond}
	for _, object := range page.Results {
		l.tails = append(l.tails, object[len(`{"pk":"765ed48b-9283-4461-987d-de42dba24533`):])
	}
	return l
}

func (l *list) page(number int) []byte {
	next := number + 1
	if number == l.pages {
		next = 0
	}
	b := make([]byte, 0, len(fixture)+100)
	b = fmt.Appendf(b, `{"pagination":{"next":%d,"previous":%d,"count":%d,"current":%d,"total_pages":%d,"start_index":%d,"end_index":%d},"results":[`,
		next, number-1, l.pages*perPage, number, l.pages, (number-1)*perPage+1, number*perPage)
	for i, tail := range l.tails {
		if i > 0 {
			b = append(b, ',')
		}
		var id [16]byte
		binary.BigEndian.PutUint64(id[8:], uint64(number*perPage+i))
		text := hex.EncodeToString(id[:])
		b = fmt.Appendf(b, `{"pk":"%s-%s-%s-%s-%s`, text[:8], text[8:12], text[12:16], text[16:20], text[20:])
		b = append(b, tail...)
	}
	return append(b, `],"autocomplete":{}}`...)
}

// ServeHTTP answers after the latency, with as many workers as there are.
func (l *list) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.workers != nil {
		l.workers <- struct{}{}
		defer func() { <-l.workers }()
	}
	timer := time.NewTimer(l.latency)
	select {
	case <-timer.C:
	case <-r.Context().Done():
		timer.Stop()
		return
	}
	number, _ := strconv.Atoi(r.URL.Query().Get("page"))
	b := l.page(number)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}

// transport answers from memory.
type transport func(*http.Request) []byte

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	b := t(r)
	return &http.Response{
		Status:        "200 OK",
		StatusCode:    http.StatusOK,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(b)),
		ContentLength: int64(len(b)),
		Request:       r,
	}, nil
}
