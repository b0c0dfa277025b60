package codec_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/authentik-go/authentik/internal/codec"
)

// TestNumbersKeepTheirValue decodes and encodes numbers that have no type.
func TestNumbersKeepTheirValue(t *testing.T) {
	t.Parallel()
	for literal, want := range map[string]any{
		"0":                          0.0,
		"-7":                         -7.0,
		"0.1":                        0.1,
		"1e3":                        1000.0,
		"9007199254740992":           9007199254740992.0,
		"9007199254740993":           json.Number("9007199254740993"),
		"132980000000000123":         json.Number("132980000000000123"),
		"-9223372036854775807":       json.Number("-9223372036854775807"),
		"1e999":                      json.Number("1e999"),
		"100000000000000000000":      100000000000000000000.0,
		"1000000000000000000000":     json.Number("1000000000000000000000"),
		"-1208925819614629174706176": json.Number("-1208925819614629174706176"),
	} {
		var got map[string]any
		document := `{"a":[` + literal + `],"b":{"c":` + literal + `}}`
		if err := codec.Unmarshal([]byte(document), &got); err != nil {
			t.Fatal(err)
		}
		if all := map[string]any{"a": []any{want}, "b": map[string]any{"c": want}}; !reflect.DeepEqual(got, all) {
			t.Errorf("%s: %#v", literal, got)
		}
		if literal == "1e3" {
			continue // it is written as 1000
		}
		if b, err := codec.Marshal(got); err != nil || string(b) != document {
			t.Errorf("%s: encoded as %s, error %v", literal, b, err)
		}
	}
}

func TestNumbersOfAType(t *testing.T) {
	t.Parallel()
	type object struct {
		N    json.Number
		List any
	}
	list := []int{}
	v := object{List: &list}
	if err := codec.Unmarshal([]byte(`{"N":5.50,"List":[1]}`), &v); err != nil || v.N != "5.50" || len(list) != 1 {
		t.Errorf("%+v, error %v", v, err)
	}
	if err := codec.Unmarshal([]byte(`{"List":1}`), &v); err == nil {
		t.Error("a number was decoded into a list")
	}
	for want, v := range map[string]any{
		`[7,0]`:   []json.Number{"7", ""},
		`{"n":7}`: map[string]any{"n": json.Number("7")},
	} {
		if b, err := codec.Marshal(v); err != nil || string(b) != want {
			t.Errorf("got %s, error %v, want %s", b, err, want)
		}
	}
	if b, err := codec.Marshal(json.Number("secret")); err == nil || err.Error() != "a value of type json.Number has no JSON form" {
		t.Errorf("got %s, error %v", b, err)
	}
}
