//go:build !go1.27

package authentik_test

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestModelsHaveTheMethodsOfGo126(t *testing.T) {
	t.Parallel()
	for object, model := range objectTypes {
		if object == "Pagination" {
			continue
		}
		if !model.Implements(reflect.TypeFor[json.Marshaler]()) || !reflect.PointerTo(model).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			t.Errorf("%s lacks its two methods in extra_go126.go", object)
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
