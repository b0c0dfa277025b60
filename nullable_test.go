package authentik_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

type nullableRequest struct {
	ID    authentik.Nullable[uuid.UUID]                  `json:"id,omitzero"`
	Text  authentik.Nullable[string]                     `json:"text,omitzero"`
	Time  authentik.Nullable[time.Time]                  `json:"time,omitzero"`
	Count authentik.Nullable[int]                        `json:"count,omitzero"`
	List  authentik.Nullable[[]string]                   `json:"list,omitzero"`
	Kind  authentik.Nullable[authentik.PolicyEngineMode] `json:"kind,omitzero"`
}

func TestNullableJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600))
	for want, request := range map[string]nullableRequest{
		`{}`: {},
		`{"id":null,"text":null,"time":null,"count":null,"list":null,"kind":null}`: {
			authentik.Null[uuid.UUID](), authentik.Null[string](), authentik.Null[time.Time](),
			authentik.Null[int](), authentik.Null[[]string](), authentik.Null[authentik.PolicyEngineMode](),
		},
		`{"id":"00000000-0000-0000-0000-000000000000","text":"","time":"0001-01-01T00:00:00Z","count":0,"list":[],"kind":""}`: {
			authentik.Value(uuid.Nil), authentik.Value(""), authentik.Value(time.Time{}),
			authentik.Value(0), authentik.Value([]string{}), authentik.Value(authentik.PolicyEngineMode("")),
		},
		`{"id":"765ed48b-9283-4461-987d-de42dba24533","text":"a\"ä","time":"2026-01-02T03:04:05.000006+01:00","count":-7,"list":["x"],"kind":"any"}`: {
			authentik.Value(pk), authentik.Value(`a"ä`), authentik.Value(at),
			authentik.Value(-7), authentik.Value([]string{"x"}), authentik.Value(authentik.PolicyEngineModeAny),
		},
	} {
		for _, v := range []any{request, &request} {
			if got, err := json.Marshal(v); err != nil || string(got) != want {
				t.Errorf("%T is %s, error %v; want %s", v, got, err, want)
			}
		}
		var back nullableRequest
		if err := json.Unmarshal([]byte(want), &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(request, back); diff != "" { // which asks Equal
			t.Errorf("%s comes back as another:\n%s", want, diff)
		}
	}
}

func TestNullableStates(t *testing.T) {
	t.Parallel()
	var nilString *string
	for _, tt := range []struct {
		name           string
		n              authentik.Nullable[string]
		value          string
		set, null, out bool
		text           string
	}{
		{"zero", authentik.Nullable[string]{}, "", false, false, true, "omitted"},
		{"null", authentik.Null[string](), "", false, true, false, "null"},
		{"nil", authentik.ValueOrNull(nilString), "", false, true, false, "null"},
		{"value", authentik.Value("a"), "a", true, false, false, "a"},
		{"pointer", authentik.ValueOrNull(new("a")), "a", true, false, false, "a"},
		{"empty value", authentik.Value(""), "", true, false, false, ""},
	} {
		value, set := tt.n.Get()
		if value != tt.value || set != tt.set || tt.n.IsNull() != tt.null || tt.n.IsZero() != tt.out {
			t.Errorf("%s: Get %q, %v; IsNull %v; IsZero %v", tt.name, value, set, tt.n.IsNull(), tt.n.IsZero())
		}
		if got := tt.n.String(); got != tt.text {
			t.Errorf("%s: text %q, want %q", tt.name, got, tt.text)
		}
	}
	request := nullableRequest{Text: authentik.Value("a"), Count: authentik.Null[int]()}
	if got, want := fmt.Sprintf("%v", request), "{omitted a omitted null omitted omitted}"; got != want {
		t.Errorf("a request prints as %q, want %q", got, want)
	}
	n := authentik.Value(1)
	if err := n.UnmarshalJSON([]byte(`"x"`)); err == nil || !n.Equal(authentik.Value(1)) {
		t.Errorf("a string read as a number gives %v, error %v", n, err)
	}
	var list authentik.Nullable[[]string]
	if got, err := json.Marshal(authentik.Value([]string(nil))); err != nil || string(got) != "null" {
		t.Errorf("a nil slice is %s, error %v", got, err)
	}
	if err := json.Unmarshal([]byte(" null "), &list); err != nil || !list.IsNull() {
		t.Errorf("null is read as %v, error %v", list, err)
	}
}

func TestNullableEqual(t *testing.T) {
	t.Parallel()
	at := time.Now()
	for _, tt := range []struct {
		name string
		got  bool
		want bool
	}{
		{"zeros", authentik.Nullable[string]{}.Equal(authentik.Nullable[string]{}), true},
		{"zero and null", authentik.Nullable[string]{}.Equal(authentik.Null[string]()), false},
		{"zero and empty", authentik.Nullable[string]{}.Equal(authentik.Value("")), false},
		{"null and empty", authentik.Null[string]().Equal(authentik.Value("")), false},
		{"nulls", authentik.Null[string]().Equal(authentik.Null[string]()), true},
		{"values", authentik.Value("a").Equal(authentik.Value("a")), true},
		{"other values", authentik.Value("a").Equal(authentik.Value("b")), false},
		{"slices", authentik.Value([]string{"a"}).Equal(authentik.Value([]string{"a"})), true},
		{"other slices", authentik.Value([]string{"a"}).Equal(authentik.Value([]string{})), false},
		{"one time in two zones", authentik.Value(at).Equal(authentik.Value(at.UTC().Round(0))), true},
		{"two times", authentik.Value(at).Equal(authentik.Value(at.Add(1))), false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: equal is %v", tt.name, tt.got)
		}
	}
}
