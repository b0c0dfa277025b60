package authentik_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/google/go-cmp/cmp"
)

func TestExtraIsWrittenBack(t *testing.T) {
	t.Parallel()
	stage := authentik.PasswordStage{
		FlowSet: []authentik.FlowSet{{Extra: map[string]json.RawMessage{"inner": json.RawMessage(`[1]`)}}},
		Extra:   map[string]json.RawMessage{"z": json.RawMessage(` {"a": 1} `), "a": json.RawMessage(`null`)},
	}
	for name, v := range map[string]any{"value": stage, "pointer": &stage, "in a list": []authentik.PasswordStage{stage}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), `,"a":null,"z":{"a":1}}`) || !strings.Contains(string(b), `,"inner":[1]}`) || strings.Contains(string(b), "Extra") {
			t.Errorf("%s: %s", name, b)
		}
	}
	stage.Extra["broken"] = json.RawMessage(`{`)
	if b, err := json.Marshal(stage); err == nil {
		t.Errorf("broken JSON was written: %s", b)
	}
}

// TestExtraHasAFieldsMember is no request: the server would see one of two values.
func TestExtraHasAFieldsMember(t *testing.T) {
	t.Parallel()
	client, sent := recorder(t, http.StatusOK, `{"pk":1}`)
	user := authentik.User{PK: 1, Username: "ada", Extra: map[string]json.RawMessage{"username": json.RawMessage(`"eve"`)}}
	for name, body := range map[string]any{"a model": &user, "one in a map": map[string]any{"user": user}} {
		_, err := authentik.Put[authentik.User](t.Context(), client, "core/users/1/", body)
		if err == nil || !strings.HasSuffix(err.Error(), "Extra has one with the name of a field") || len(*sent) != 0 {
			t.Errorf("%s: error %v after %d requests", name, err, len(*sent))
		}
	}
	user.Extra = map[string]json.RawMessage{"new": json.RawMessage(`1`)}
	if _, err := authentik.Put[authentik.User](t.Context(), client, "core/users/1/", &user); err != nil || !strings.Contains((*sent)[0].Body, `"new":1`) {
		t.Errorf("sent %v, error %v", *sent, err)
	}
}

func TestExtraIsKeptByEveryCall(t *testing.T) {
	t.Parallel()
	const object = ` { "pk" : "765ed48b-9283-4461-987d-de42dba24533" , "new" : [ "a,b" , { } ] , "n":-1.5e3
, "t" 	: true	} `
	page := `{"pagination":{"next":0},"results":[` + object + `],"autocomplete":{},"more":1}`
	want := map[string]json.RawMessage{"new": json.RawMessage(`[ "a,b" , { } ]`), "n": json.RawMessage(`-1.5e3`), "t": json.RawMessage(`true`)}

	one, err := answering(t, 200, nil, object).StagesIdentification.Retrieve(t.Context(), pk)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := answering(t, 200, nil, page).StagesIdentification.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	walked, err := authentik.Collect(answering(t, 200, nil, page).StagesIdentification.All(t.Context(), nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []any{listed, *listed} {
		b, err := json.Marshal(document)
		var again authentik.Page[authentik.IdentificationStage]
		if err := errors.Join(err, json.Unmarshal(b, &again)); err != nil || len(again.Results) != 1 {
			t.Fatalf("%s: %v", b, err)
		}
		if string(again.Extra["autocomplete"]) != "{}" || string(again.Extra["more"]) != "1" || len(again.Extra) != 2 {
			t.Errorf("the page has %s", again.Extra)
		}
	}
	for i, got := range []authentik.IdentificationStage{*one, listed.Results[0], *walked[0]} {
		if diff := cmp.Diff(want, got.Extra, cmp.Transformer("text", func(raw json.RawMessage) string { return string(raw) })); diff != "" {
			t.Errorf("call %d (-want +got):\n%s", i, diff)
		}
	}
}

// encoding/json does not mind a member's case, so neither is one that differs in
// case alone unknown.
func TestCaseOfMembers(t *testing.T) {
	t.Parallel()
	var flow authentik.FlowSet
	if err := json.Unmarshal([]byte(`{"PK":"765ed48b-9283-4461-987d-de42dba24533","Name":"x"}`), &flow); err != nil {
		t.Fatal(err)
	}
	if flow.PK != pk || flow.Name != "x" || flow.Extra != nil {
		t.Errorf("got %+v", flow)
	}
}

func TestModelsFromNull(t *testing.T) {
	t.Parallel()
	for object, model := range sdk.Objects {
		v := reflect.New(model)
		if err := json.Unmarshal([]byte("null"), v.Interface()); err != nil || !v.Elem().IsZero() {
			t.Errorf("%s from null: %v, %v", object, v.Elem(), err)
		}
	}
}

type embedded struct {
	A int    `json:"a"`
	B string `json:"b"`
}

// TestModelsInStructs reads structs of all shapes that hold a model.
func TestModelsInStructs(t *testing.T) {
	t.Parallel()
	type Embedded = embedded
	type exported struct {
		*Embedded
		hidden int
		Stage  authentik.FlowSet `json:"stage"`
	}
	const object = `{"a":1,"b":"one","name":"x","stage":{"name":"y","new":2}}`
	flow := authentik.FlowSet{Name: "y", Extra: map[string]json.RawMessage{"new": json.RawMessage("2")}}
	client := answering(t, 200, nil, `{"pagination":{"next":0},"results":[`+object+`,`+object+`]}`)

	unnamed, err := authentik.List[struct {
		embedded
		Flow  *int              `json:"-"`
		Stage authentik.FlowSet `json:"stage"`
	}](t.Context(), client, "x/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range unnamed.Results {
		if diff := cmp.Diff(flow, got.Stage); got.embedded != (embedded{1, "one"}) || got.Flow != nil || diff != "" {
			t.Errorf("unnamed: %+v (-want +got):\n%s", got, diff)
		}
	}
	named, err := authentik.List[exported](t.Context(), client, "x/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range named.Results {
		if diff := cmp.Diff(flow, got.Stage); got.Embedded != nil && *got.Embedded != (embedded{1, "one"}) || got.hidden != 0 || diff != "" {
			t.Errorf("named: %+v (-want +got):\n%s", got, diff)
		}
	}

	client = answering(t, 200, nil, object)
	one, err := authentik.Get[struct {
		embedded
		Name string
	}](t.Context(), client, "x/1/", nil)
	if err != nil || one.Name != "x" || one.A != 1 {
		t.Errorf("embedded: %+v, %v", one, err)
	}
	type nested struct{ Stage struct{ embedded } }
	if got, err := authentik.Get[nested](t.Context(), client, "x/1/", nil); err != nil {
		t.Errorf("nested: %+v, %v", got, err)
	}
	// time.Time has an UnmarshalJSON, which the struct has then as well.
	if got, err := authentik.Get[struct {
		N string
		time.Time
	}](t.Context(), client, "x/1/", nil); err == nil {
		t.Errorf("embedded time: %+v", got)
	}
	pages, err := authentik.Get[authentik.Page[authentik.FlowSet]](t.Context(),
		answering(t, 200, nil, `{"pagination":{"next":0},"results":[{"name":"y","new":2}]}`), "x/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]authentik.FlowSet{flow}, pages.Results); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}
