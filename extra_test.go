package authentik_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
)

// document is a JSON object with every member that the release knows.
func document(release release, object string) map[string]any {
	members := map[string]any{}
	for name, kind := range release.Members[object] {
		kind, list := strings.CutPrefix(strings.Trim(kind, "?!"), "[]")
		var value any
		switch kind {
		case "uuid":
			value = numbered(len(name)).String()
		case "string":
			value = "the " + name + " <&>\u2028"
		case "boolean":
			value = true
		case "integer", "number":
			value = -7.0
		case "FlowSet":
			value = document(release, kind)
		default:
			values := strings.Split(kind, "|")
			value = values[len(values)-1]
		}
		if list {
			value = []any{value, value}
		}
		members[name] = value
	}
	return members
}

func decodeAndEncode(t *testing.T, model reflect.Type, document string) (decoded any, encoded map[string]any) {
	t.Helper()
	v := reflect.New(model)
	if err := json.Unmarshal([]byte(document), v.Interface()); err != nil {
		t.Fatalf("%s\n%v", document, err)
	}
	b, err := json.Marshal(v.Elem().Interface())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &encoded); err != nil {
		t.Fatalf("%s\n%v", b, err)
	}
	return v.Elem().Interface(), encoded
}

// lost are the members of want that got lacks or has otherwise, through all
// objects and lists.
func lost(want, got any, path string) []string {
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		var all []string
		for _, name := range slices.Sorted(maps.Keys(want)) {
			value, has := object[name]
			if !has {
				all = append(all, path+"."+name)
				continue
			}
			all = append(all, lost(want[name], value, path+"."+name)...)
		}
		return all
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			return []string{path}
		}
		var all []string
		for i := range want {
			all = append(all, lost(want[i], list[i], fmt.Sprintf("%s[%d]", path, i))...)
		}
		return all
	}
	if !reflect.DeepEqual(want, got) {
		return []string{fmt.Sprintf("%s: %v became %v", path, want, got)}
	}
	return nil
}

func extraOf(model any) map[string]json.RawMessage {
	return reflect.ValueOf(model).FieldByName("Extra").Interface().(map[string]json.RawMessage)
}

func TestModelsLoseNothing(t *testing.T) {
	t.Parallel()
	for version, release := range releases(t) {
		for object := range release.Members {
			if object == "Pagination" {
				continue
			}
			t.Run(version+"/"+object, func(t *testing.T) {
				t.Parallel()
				members := document(release, object)
				check := func(extra ...string) {
					t.Helper()
					text, err := json.Marshal(members)
					if err != nil {
						t.Fatal(err)
					}
					decoded, encoded := decodeAndEncode(t, objectTypes[object], string(text))
					if lost := lost(members, encoded, object); len(lost) > 0 {
						t.Errorf("lost %v", lost)
					}
					got := slices.Sorted(maps.Keys(extraOf(decoded)))
					if !slices.Equal(got, extra) {
						t.Errorf("Extra has %v, want %v", got, extra)
					}
					if len(extra) == 0 && extraOf(decoded) != nil {
						t.Error("Extra is not nil")
					}
				}
				check()
				members["a_new_member"] = map[string]any{"nested": []any{1.0, nil, "x\\\"}]"}}
				members["another"] = nil
				members["escaped \" \\ ü"] = "y"
				members["extra"] = "no member of ours"
				check("a_new_member", "another", "escaped \" \\ ü", "extra")
				if flows, ok := members["flow_set"].([]any); ok {
					flows[0].(map[string]any)["a_new_member"] = 5.0
					check("a_new_member", "another", "escaped \" \\ ü", "extra")
				}
				for name, kind := range release.Members[object] {
					if strings.Contains(kind, "?") {
						members[name] = nil
						check("a_new_member", "another", "escaped \" \\ ü", "extra")
					}
				}
			})
		}
	}
}

func TestMembersMayBeMissingOrNull(t *testing.T) {
	t.Parallel()
	for object, model := range objectTypes {
		for name := range fieldsByTag(model, "json") {
			decodeAndEncode(t, model, `{}`)
			decodeAndEncode(t, model, fmt.Sprintf(`{%q: null}`, name))
		}
		v := reflect.New(model)
		if err := json.Unmarshal([]byte("null"), v.Interface()); err != nil || !v.Elem().IsZero() {
			t.Errorf("%s from null: %v, %v", object, v.Elem(), err)
		}
	}
}

func TestUnknownEnumValuesAreKept(t *testing.T) {
	t.Parallel()
	for text, got := range map[string]func() any{
		`{"user_fields":["email","badge"]}`:                   func() any { return new(authentik.IdentificationStage) },
		`{"backends":["acme.Backend"]}`:                       func() any { return new(authentik.PasswordStage) },
		`{"resume_on_match_failures":["moon_phase"]}`:         func() any { return new(authentik.SourceStage) },
		`{"flow_set":[{"layout":"x","denied_action":"y"}]}`:   func() any { return new(authentik.SourceStage) },
		`{"designation":"dance","policy_engine_mode":"most"}`: func() any { return new(authentik.FlowSet) },
	} {
		_, encoded := decodeAndEncode(t, reflect.TypeOf(got()).Elem(), text)
		var want map[string]any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if lost := lost(want, encoded, ""); len(lost) > 0 {
			t.Errorf("%s: lost %v", text, lost)
		}
	}
}

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
	decoded, _ := decodeAndEncode(t, objectTypes["FlowSet"], `{"PK":"765ed48b-9283-4461-987d-de42dba24533","Name":"x"}`)
	if extra := extraOf(decoded); extra != nil {
		t.Errorf("Extra has %v", extra)
	}
}
