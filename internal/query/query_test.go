package query_test

import (
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/authentik-go/authentik/internal/query"
	"github.com/google/uuid"
)

var id = uuid.MustParse("765ed48b-9283-4461-987d-de42dba24533")

type page struct {
	Page     int `url:"page,omitempty"`
	PageSize int `url:"page_size,omitempty"`
}

type options struct {
	page
	Name    *string    `url:"name,omitempty"`
	Groups  []string   `url:"group,omitempty"`
	ID      *uuid.UUID `url:"id,omitempty"`
	Since   time.Time  `url:"since,omitempty"`
	Ignored string     `url:"-"`
}

func TestEncode(t *testing.T) {
	t.Parallel()
	empty := ""
	at := time.Date(2026, 5, 1, 2, 3, 4, 500_000_000, time.UTC)
	for name, test := range map[string]struct {
		opts any
		want string
	}{
		"nothing":           {nil, ""},
		"a nil pointer":     {(*options)(nil), ""},
		"no field":          {&options{}, ""},
		"a page":            {options{page: page{2, 50}}, "page=2&page_size=50"},
		"a pointer to zero": {&options{Name: &empty}, "name="},
		"several values":    {&options{Groups: []string{"a", "b&c"}}, "group=a&group=b%26c"},
		"a UUID":            {&options{ID: &id}, "id=" + id.String()},
		"a fraction of seconds": {struct {
			At time.Time `url:"at"`
		}{at}, "at=2026-05-01T02%3A03%3A04.5Z"},
		"a time in another form": {struct {
			At time.Time `url:"at,unix"`
		}{at}, "at=1777600984"},
		"a field left out": {&options{Ignored: "x"}, ""},
		"values":           {url.Values{"x": {"1", "2"}}, "x=1&x=2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := query.Encode(test.opts)
			if err != nil || got.Encode() != test.want {
				t.Errorf("%q, %v, want %q", got.Encode(), err, test.want)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	type noTag struct{ Name string }
	for name, test := range map[string]struct {
		opts any
		want string
	}{
		"a negative page":      {url.Values{"page": {"-1"}}, "page is negative"},
		"a negative page size": {options{page: page{PageSize: -5}}, "page_size is negative"},
		"no tag":               {noTag{"x"}, "options of type query_test.noTag: the field Name has no url tag with a name"},
		"the same name twice": {struct {
			A string `url:"a"`
			B string `url:"a"`
		}{}, "options of type struct { A string \"url:\\\"a\\\"\"; B string \"url:\\\"a\\\"\" }: two fields are named a"},
		"no struct": {7, "options of type int: query: Values() expects struct input. Got int"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := query.Encode(test.opts); err == nil || err.Error() != test.want {
				t.Errorf("%v, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestValuesAreCopied(t *testing.T) {
	t.Parallel()
	given := url.Values{"x": {"1"}}
	got, err := query.Encode(given)
	if err != nil {
		t.Fatal(err)
	}
	got["x"][0], got["y"] = "2", []string{"3"}
	if want := (url.Values{"x": {"1"}}); !reflect.DeepEqual(given, want) {
		t.Errorf("the caller's values became %v", given)
	}
}
