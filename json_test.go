package authentik_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// The tests of this file say what each version of Go, with and without
// GOEXPERIMENT=jsonv2, has to do the same way.

func TestTextsOfDecodeErrors(t *testing.T) {
	t.Parallel()
	type inner struct {
		N    int8      `json:"n"`
		ID   uuid.UUID `json:"id"`
		Time time.Time `json:"time"`
	}
	type object struct {
		Name  string            `json:"name"`
		Inner inner             `json:"inner"`
		List  []inner           `json:"list"`
		Map   map[string]int    `json:"map"`
		Flow  authentik.FlowSet `json:"flow"`
		Flag  *bool             `json:"flag"`
		Bytes [2]int            `json:"bytes"`
	}
	for body, want := range map[string]string{
		"":                                 "unexpected end of JSON input",
		" ":                                "unexpected end of JSON input",
		"null":                             "it is null",
		"\ufeff{}":                         `invalid character '\ufeff' at start of value`,
		"<html>":                           "invalid character '<' at start of value",
		"nul":                              "unexpected end of JSON input",
		"{} {}":                            "invalid character '{' after top-level value",
		`{"name":"x"`:                      "unexpected end of JSON input",
		`{"name":"x",}`:                    "invalid character ',' at start of value",
		`{"name" "x"}`:                     "invalid character '\"' after object name (expecting ':')",
		`{"list":[{} {}]}`:                 "invalid character '{' after array element (expecting ',' or ']')",
		`{"flow":{"slug":<}}`:              "invalid character '<' at start of value",
		`{"name":"` + "\n" + `"}`:          "invalid character '\\n' in string (expecting non-control character)",
		`{"inner":{"n":01}}`:               "invalid character '1' after object value (expecting ',' or '}')",
		`[]`:                               "it is array, not object",
		`"x"`:                              "it is string, not object",
		`5`:                                "it is number, not object",
		`true`:                             "it is bool, not object",
		`{"name":5}`:                       "name is number, not string",
		`{"name":[]}`:                      "name is array, not string",
		`{"inner":{"n":"1"}}`:              "inner.n is string, not int8",
		`{"inner":{"n":300}}`:              "inner.n is number, not int8",
		`{"inner":{"n":1.5}}`:              "inner.n is number, not int8",
		`{"inner":{"id":5}}`:               "inner.id is number, not UUID",
		`{"inner":{"id":"x"}}`:             "inner.id cannot be decoded as UUID",
		`{"inner":{"time":"x"}}`:           "inner.time cannot be decoded as Time",
		`{"list":[{},{"n":{}}]}`:           "list.1.n is object, not int8",
		`{"list":{}}`:                      "list is object, not slice",
		`{"map":{"a":"x"}}`:                "map.a is string, not int",
		`{"flow":5}`:                       "flow is number, not FlowSet",
		`{"flow":{"slug":5}}`:              "flow.slug is number, not string",
		`{"flow":{"designation":[]}}`:      "flow.designation is array, not FlowDesignation",
		`{"flag":"x"}`:                     "flag is string, not bool",
		`{"bytes":[1,"x"]}`:                "bytes.1 is string, not int",
		`{"name":"x","NAME":5}`:            "NAME is number, not string",
		`{"a":{"pagination":{}},"name":5}`: "name is number, not string",
	} {
		_, err := authentik.Get[object](t.Context(), answering(t, 200, nil, body), "x/", nil)
		want := "authentik: GET " + apiPath + "x/: unexpected response (200, no content type): " + want
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", body, err, want)
		}
	}
	for results, want := range map[string]string{
		`[5]`:                   "results.0 is number, not FlowSet",
		`[{"pk":5}]`:            "results.0.pk is number, not UUID",
		`5`:                     "results is number, not slice",
		`[` + fullFlow + `,{}]`: "results.1 has no pk",
	} {
		_, err := authentik.List[authentik.FlowSet](t.Context(), answering(t, 200, nil, `{"pagination":{"next":0},"results":`+results+`}`), "x/", nil)
		if err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%s:\n got %v\nwant %s", results, err, want)
		}
	}
}

const fullFlow = `{"pk":"765ed48b-9283-4461-987d-de42dba24533","name":"a"}`

func TestCausesOfDecodeErrors(t *testing.T) {
	t.Parallel()
	type object struct {
		Name string    `json:"name"`
		Time time.Time `json:"time"`
	}
	get := func(body string) error {
		_, err := authentik.Get[object](t.Context(), answering(t, 200, nil, body), "x/", nil)
		return err
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](get(`{"name":<`)); !ok || syntax.Offset != 8 {
		t.Errorf("no syntax error at 8: %+v", syntax)
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](get(`{"name":5}`)); !ok || mismatch.Field != "name" || mismatch.Value != "number" || mismatch.Type != reflect.TypeFor[string]() {
		t.Errorf("no mismatch of name: %+v", mismatch)
	}
	if _, ok := errors.AsType[*time.ParseError](get(`{"time":"x"}`)); !ok {
		t.Error("no time.ParseError")
	}
}

type tree []tree

type ownSlice []string

func (s *ownSlice) UnmarshalJSON(b []byte) error {
	*s = append(*s, "own "+string(b))
	return nil
}

type counting struct{}

var (
	errOwn        = errors.New("own")
	countingCalls atomic.Int32
)

func (*counting) UnmarshalJSON([]byte) error {
	countingCalls.Add(1)
	return errOwn
}

func TestTypesOfUsers(t *testing.T) {
	t.Parallel()
	got, err := authentik.Get[tree](t.Context(), answering(t, 200, nil, `[[],[[]]]`), "x/", nil)
	if want := (&tree{{}, {{}}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("tree: %v, error %v", got, err)
	}
	slice, err := authentik.Get[ownSlice](t.Context(), answering(t, 200, nil, `[ 1 ]`), "x/", nil)
	if err != nil || len(*slice) != 1 || (*slice)[0] != "own [ 1 ]" {
		t.Errorf("slice with UnmarshalJSON: %q, error %v", slice, err)
	}
	type holder struct{ List ownSlice }
	held, err := authentik.Get[holder](t.Context(), answering(t, 200, nil, `{"list":[1]}`), "x/", nil)
	if err != nil || len(held.List) != 1 || held.List[0] != "own [1]" {
		t.Errorf("slice with UnmarshalJSON in a struct: %q, error %v", held, err)
	}

	type mine authentik.PasswordStage
	const stage = `{"pk":"765ed48b-9283-4461-987d-de42dba24533","new":1,"flow_set":[{"more":2}]}`
	own, err := authentik.Get[mine](t.Context(), answering(t, 200, nil, stage), "x/", nil)
	if err != nil || string(own.Extra["new"]) != "1" || len(own.Extra) != 1 || string(own.FlowSet[0].Extra["more"]) != "2" {
		t.Errorf("a type defined from a model: %+v, error %v", own, err)
	}

	type embedding struct {
		*authentik.FlowSet
		More int `json:"more"`
	}
	inherits := reflect.TypeFor[*authentik.FlowSet]().Implements(reflect.TypeFor[json.Unmarshaler]())
	embedded, err := authentik.Get[embedding](t.Context(), answering(t, 200, nil, `{"pk":"765ed48b-9283-4461-987d-de42dba24533","more":2}`), "x/", nil)
	if _, isDecode := errors.AsType[*authentik.DecodeError](err); inherits != isDecode || !inherits && (embedded.PK != pk || embedded.More != 2) {
		t.Errorf("embedded pointer to a model: %+v, error %v", embedded, err)
	}

	_, err = authentik.Get[counting](t.Context(), answering(t, 200, nil, `{"value":1}`), "x/", nil)
	if n := countingCalls.Load(); n != 1 || !errors.Is(err, errOwn) {
		t.Errorf("UnmarshalJSON was called %d times, error %v", n, err)
	}
}

// A tag that encoding/json/v2 refuses does no harm in encoding/json.
func TestWrongTagsAreNoError(t *testing.T) {
	t.Parallel()
	type wrong struct {
		A    int    `json:"a,OMITZERO"` //nolint:staticcheck // what is tested
		Name string `json:"name"`
	}
	got, err := authentik.Get[wrong](t.Context(), answering(t, 200, nil, `{"a":1,"name":"x"}`), "x/", nil)
	if err != nil || got.Name != "x" || got.A != 1 {
		t.Errorf("%+v, error %v", got, err)
	}
	_, err = authentik.List[wrong](t.Context(), answering(t, 200, nil, `{"pagination":{"next":0},"results":[{"a":1,"name":"x"}]}`), "x/", nil)
	if err != nil {
		t.Error(err)
	}
}

// TestIdentities asks for objects whose identity is not a plain field.
func TestIdentities(t *testing.T) {
	t.Parallel()
	type Policy struct {
		PK int `json:"pk"`
	}
	type binding struct {
		Policy `json:"policy_obj"`
		Order  int `json:"order"`
	}
	type brand struct {
		ID   uuid.UUID `json:"brand_uuid" authentik:"identity"`
		PK   *int      `json:"pk"`
		Name string    `json:"name"`
	}
	if got, err := authentik.Get[binding](t.Context(), answering(t, 200, nil, `{"policy_obj":{},"order":1}`), "x/", nil); err != nil || got.Order != 1 {
		t.Errorf("a pk within a member: %+v, error %v", got, err)
	}
	bindings, err := authentik.Collect(authentik.All[binding](t.Context(), answering(t, 200, nil,
		`{"pagination":{"next":0},"results":[{"policy_obj":{"pk":1},"order":1},{"policy_obj":{"pk":1},"order":2}]}`), "x/", nil))
	if err != nil || len(bindings) != 2 {
		t.Errorf("All of a pk within a member: %d objects, error %v", len(bindings), err)
	}
	for body, want := range map[string]string{
		fmt.Sprintf(`{"brand_uuid":%q}`, pk):       "",
		fmt.Sprintf(`{"BRAND_UUID":%q}`, uuid.Nil): "",
		`{"pk":1,"name":"x"}`:                      "no brand_uuid",
		`{"brand_uuid":null}`:                      "no brand_uuid",
	} {
		_, err := authentik.Get[brand](t.Context(), answering(t, 200, nil, body), "x/", nil)
		if err == nil != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", body, err, want)
		}
	}
}

func TestListWhereAnObjectWasAskedFor(t *testing.T) {
	t.Parallel()
	type nameOnly struct {
		Name  string                     `json:"name"`
		Extra map[string]json.RawMessage `json:",embed,inline"`
	}
	type partial struct {
		Results []nameOnly `json:"results"`
	}
	const page = `{"pagination":{"next":0},"results":[{"name":"x"}]}`
	_, err := authentik.Get[nameOnly](t.Context(), answering(t, 200, nil, page), "x/", nil)
	if _, ok := errors.AsType[*authentik.DecodeError](err); !ok || !strings.Contains(err.Error(), "a page of a list") {
		t.Errorf("error %v, want a DecodeError", err)
	}
	for name, err := range map[string]error{
		"page":       second(authentik.Get[authentik.Page[nameOnly]](t.Context(), answering(t, 200, nil, page), "x/", nil)),
		"results":    second(authentik.Get[partial](t.Context(), answering(t, 200, nil, page), "x/", nil)),
		"map":        second(authentik.Get[map[string]any](t.Context(), answering(t, 200, nil, page), "x/", nil)),
		"raw":        second(authentik.Get[json.RawMessage](t.Context(), answering(t, 200, nil, page), "x/", nil)),
		"an object":  second(authentik.Get[nameOnly](t.Context(), answering(t, 200, nil, `{"name":"\"pagination\""}`), "x/", nil)),
		"pagination": second(authentik.Get[nameOnly](t.Context(), answering(t, 200, nil, `{"pagination":{}}`), "x/", nil)),
	} {
		if err != nil {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestNullInLists(t *testing.T) {
	t.Parallel()
	type nameOnly struct{ Name string }
	const page = `{"pagination":{"next":0},"results":[%s]}`
	list := func(results string) map[string]error {
		client := answering(t, 200, nil, fmt.Sprintf(page, results))
		return map[string]error{
			"struct":  second(authentik.List[nameOnly](t.Context(), client, "x/", nil)),
			"map":     second(authentik.List[map[string]any](t.Context(), client, "x/", nil)),
			"any":     second(authentik.List[any](t.Context(), client, "x/", nil)),
			"pointer": second(authentik.List[*nameOnly](t.Context(), client, "x/", nil)),
		}
	}
	for name, err := range list(`{},null`) {
		if err == nil || !strings.HasSuffix(err.Error(), "results.1 is null") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for name, err := range list(`{},{"name":""}`) {
		if err != nil {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestNothingKeepsABody makes calls one after another, whose bodies are in the
// same memory, and looks whether the results of the first ones changed.
func TestNothingKeepsABody(t *testing.T) {
	t.Parallel()
	type raw struct {
		Text  string                     `json:"text"`
		Raw   json.RawMessage            `json:"raw"`
		Any   any                        `json:"any"`
		Extra map[string]json.RawMessage `json:",embed,inline"`
	}
	type result struct {
		Get     *raw
		List    *authentik.Page[raw]
		Model   *authentik.FlowSet
		Bytes   *json.RawMessage
		Body    []byte
		Decode  []byte
		Message map[string][]string
		Text    string
	}
	call := func(letter string) result {
		long := strings.Repeat(letter, 100)
		body := strings.NewReplacer("long", long).Replace(
			`{"pk":"765ed48b-9283-4461-987d-de42dba24533","name":"long","text":"long","raw":"long","any":["long",{"long":"long"}],"long":"long"}`)
		var r result
		var err error
		if r.Get, err = authentik.Get[raw](t.Context(), answering(t, 200, nil, body), "x/", nil); err != nil {
			t.Fatal(err)
		}
		page := answering(t, 200, nil, `{"pagination":{"next":0},"results":[`+body+`,`+body+`]}`)
		if r.List, err = authentik.List[raw](t.Context(), page, "x/", nil); err != nil {
			t.Fatal(err)
		}
		if r.Model, err = authentik.Get[authentik.FlowSet](t.Context(), answering(t, 200, nil, body), "x/", nil); err != nil {
			t.Fatal(err)
		}
		if r.Bytes, err = authentik.Get[json.RawMessage](t.Context(), answering(t, 200, nil, body), "x/", nil); err != nil {
			t.Fatal(err)
		}
		_, err = authentik.Get[raw](t.Context(), answering(t, 400, nil, `{"name":["`+long+`"]}`), "x/", nil)
		invalid, _ := errors.AsType[*authentik.ValidationError](err)
		r.Body, r.Message = invalid.Body, invalid.Fields
		_, err = authentik.Get[int](t.Context(), answering(t, 200, nil, body), "x/", nil)
		decodeError, _ := errors.AsType[*authentik.DecodeError](err)
		r.Decode, r.Text = decodeError.Body, err.Error()
		return r
	}
	first := call("a")
	text := func(r result) string {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	want := text(first)
	for range 10 {
		call("z")
	}
	if diff := cmp.Diff(want, text(first)); diff != "" {
		t.Errorf("results changed after the call (-want +got):\n%s", diff)
	}
}
