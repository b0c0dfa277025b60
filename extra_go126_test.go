//go:build !go1.27

package authentik_test

import (
	"encoding/json"
	"reflect"
	"testing"

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
