package codec

import (
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// UnmarshalModel decodes what comes next in d into model. plain is the same
// pointer, to a type without methods.
func UnmarshalModel(d *jsontext.Decoder, model, plain any) error {
	if reflect.ValueOf(plain).IsNil() { // a struct that embeds a pointer has its methods
		return fmt.Errorf("a nil %T is embedded", model)
	}
	err := json.UnmarshalDecode(d, plain)
	if semantic, ok := err.(*json.SemanticError); ok && semantic.GoType == reflect.TypeOf(plain).Elem() { //nolint:errorlint // it is changed
		semantic.GoType = reflect.TypeOf(model).Elem()
	}
	return err
}
