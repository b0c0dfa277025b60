package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik/internal/codec"
)

type (
	base   struct{ PK int }
	Other  struct{ PK int }
	Tagged struct {
		ID int `json:"pk"`
	}
	deep struct{ Other }
	Node struct {
		*Node
		ID int `json:"pk"`
	}
	defined Tagged
)

// TestIdentityOfPK compares with what encoding/json decodes the member into.
func TestIdentityOfPK(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		new(base), new(Tagged), new(deep), new(Node), new(defined),
		new(struct{ base }),
		new(struct{ *Other }),
		new(struct {
			Other `json:"other"`
		}),
		new(struct {
			Other `json:",omitzero"`
		}),
		new(struct {
			Other
			Tagged
		}),
		new(struct {
			Tagged
			deep
		}),
		new(struct {
			base
			deep
		}),
		new(struct {
			base
			Other
		}),
		new(struct {
			PK int `json:"other"`
			Tagged
		}),
		new(struct {
			PK int
			Tagged
		}),
		new(struct {
			PK int `json:"-"`
			Tagged
		}),
		new(struct {
			PK int `json:"-,"` //nolint:staticcheck // named "-"
		}),
		new(struct {
			Pk int
			ID int `json:"pk"`
		}),
		new(struct {
			Name string
			pk   int
		}),
		new(struct{ Name string }),
		new(map[string]int),
	} {
		decoded := reflect.ValueOf(v)
		if decoded.Elem().Kind() != reflect.Struct {
			if identity := codec.IdentityOf(decoded.Type().Elem()); identity.Member != "" {
				t.Errorf("%T has the identity %q", v, identity.Member)
			}
			continue
		}
		if err := json.Unmarshal([]byte(`{"pk":7}`), v); err != nil {
			t.Fatal(err)
		}
		want := !decoded.Elem().IsZero()
		identity := codec.IdentityOf(decoded.Type().Elem())
		of := identity.Of(decoded.Elem())
		if got := of.IsValid() && of.Int() == 7; got != want || want && identity.Member != "pk" {
			t.Errorf("%T: the identity is %q, %v; encoding/json made %+v", v, identity.Member, of, decoded.Elem())
		}
	}
}

func TestIdentityByTag(t *testing.T) {
	t.Parallel()
	type tagged struct {
		PK   int    `json:"pk"`
		UUID string `json:"brand_uuid" authentik:"identity"`
	}
	v := tagged{1, "a"}
	identity := codec.IdentityOf(reflect.TypeFor[tagged]())
	if of := identity.Of(reflect.ValueOf(v)); identity.Member != "brand_uuid" || of.String() != "a" {
		t.Errorf("%q, %v", identity.Member, of)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]bool{
		`{"pk":0}`:                     true,
		` { "a" : {"pk":1} , "PK":""}`: true,
		`{"pk":null}`:                  false,
		`{"a":{"pk":1}}`:               false,
		`{}`:                           false,
		`[{"pk":1}]`:                   false,
		`"pk"`:                         false,
		``:                             false,
		`{"a":1,"a":2,"p\u006b":3}`:    true,
		"{\"\xff\":1,\"pk\":1}":        true,
	} {
		if got := codec.HasMember([]byte(document), "pk"); got != want {
			t.Errorf("%s: %t", document, got)
		}
	}
	for document, want := range map[string]int{
		`{"list":[{"pk":0},{"pk":1}]}`:       -1,
		`{"list":[{"pk":0},{"pk":null}]}`:    1,
		`{"list":[null,{"pk":1}]}`:           0,
		`{"list":[{"pk":0},{},{"pk":1}]}`:    1,
		`{"other":[{}],"LIST":[{"pk":0},5]}`: 1,
		`{"list":[]}`:                        -1,
		`{"list":null}`:                      -1,
		`{"more":{"list":[{}]}}`:             -1,
	} {
		if got := codec.Lacking([]byte(document), "list", "pk"); got != want {
			t.Errorf("%s: %d, want %d", document, got, want)
		}
	}
	if got := codec.Lacking([]byte(`{"list":[{},null]}`), "list", ""); got != 1 {
		t.Errorf("null is the object %d", got)
	}
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	type request struct {
		Name  string          `json:"name,omitzero"`
		Flag  *bool           `json:"flag,omitzero"`
		List  []string        `json:"list,omitzero"`
		Map   map[string]int  `json:"map,omitzero"`
		Inner struct{ A int } `json:"inner,omitzero"`
		Raw   json.RawMessage `json:"raw,omitzero"`
	}
	for want, v := range map[string]any{
		`{}`: request{},
		`{"flag":false,"list":[],"map":{"a":1,"b":2,"c":3},"raw":{"z":1,"a":2}}`: &request{
			Flag: new(false), List: []string{}, Map: map[string]int{"c": 3, "a": 1, "b": 2}, Raw: json.RawMessage(`{"z":1,"a":2}`),
		},
		`{"a":[1],"b":null}`: map[string]any{"b": nil, "a": []int{1}},
		`"ä"`:                "ä",
	} {
		for range 10 {
			if got, err := codec.Marshal(v); err != nil || string(got) != want {
				t.Fatalf("got %s, error %v, want %s", got, err, want)
			}
		}
	}
	for want, v := range map[string]any{
		"a value of type chan int has no JSON form":           make(chan int),
		"a json.RawMessage is not JSON":                       json.RawMessage(`{"secret":`),
		"a value has no JSON form":                            map[string]float64{"secret": math.NaN()},
		"a value of type codec_test.refused has no JSON form": refused{},
	} {
		if got, err := codec.Marshal(v); err == nil || err.Error() != want {
			t.Errorf("got %s, error %v, want %s", got, err, want)
		}
	}
}

type refused struct{}

func (refused) MarshalJSON() ([]byte, error) { return nil, errors.New("secret") }

// TestMemory decodes as long a body as there is. It is not parallel, since it
// looks at the memory of the whole process.
//
//nolint:paralleltest // see above
func TestMemory(t *testing.T) {
	const size = 32 << 20
	type object struct {
		Name  string                     `json:"name"`
		Extra map[string]json.RawMessage `json:",embed,inline"`
	}
	for name, body := range map[string]string{
		"a string":       `{"name":"` + strings.Repeat("x", size) + `"}`,
		"unknown":        `{"new":"` + strings.Repeat("x", size) + `"}`,
		"white space":    `{` + strings.Repeat(" ", size) + `}`,
		"no JSON":        strings.Repeat("[", size),
		"another type":   `{"name":[` + strings.Repeat("1,", size/2) + `1]}`,
		"a cut off list": `{"name":[` + strings.Repeat("1,", size/2),
	} {
		var before, after runtime.MemStats
		document := []byte(body)
		runtime.GC()
		runtime.ReadMemStats(&before)
		_ = codec.Unmarshal(document, new(object))
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2*size {
			t.Errorf("%s: %d bytes for a body of %d", name, allocated, len(document))
		}
	}
}

// TestRoomIsBounded decodes a page whose first object is much smaller than the second.
func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	var page struct {
		Results []struct {
			Name  string    `json:"name"`
			Since time.Time `json:"since"`
			Until time.Time `json:"until"`
			Other any       `json:"other"`
		} `json:"results"`
	}
	if !codec.UnmarshalPlanned([]byte(`{"results":[{},{"name":"`+strings.Repeat("x", 1<<20)+`"}]}`), &page) {
		t.Fatal("the page was left to the library")
	}
	if len(page.Results) != 2 || cap(page.Results) > 2000 {
		t.Errorf("%d results have room for %d", len(page.Results), cap(page.Results))
	}
}
