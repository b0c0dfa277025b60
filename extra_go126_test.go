//go:build !go1.27

package authentik_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
)

func TestModelsHaveTheMethodsOfGo126(t *testing.T) {
	t.Parallel()
	for object, model := range contract.Objects {
		if object == "Pagination" {
			continue
		}
		if !model.Implements(reflect.TypeFor[json.Marshaler]()) || !reflect.PointerTo(model).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			t.Errorf("%s lacks its two methods in extra_go126.go", object)
		}
	}
}

// TestExtraIsACopy calls UnmarshalJSON itself, with the white space that
// encoding/json would not pass on.
func TestExtraIsACopy(t *testing.T) {
	t.Parallel()
	document := []byte("\n{\"new\":1}\n")
	var flow authentik.FlowSet
	if err := flow.UnmarshalJSON(document); err != nil {
		t.Fatal(err)
	}
	clear(document)
	if got := string(flow.Extra["new"]); got != "1" || len(flow.Extra) != 1 {
		t.Errorf("Extra has %q", flow.Extra)
	}
}
