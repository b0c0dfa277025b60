package codec

import (
	stdjson "encoding/json"
	"math"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The mirror of encoding/json/v2 does not know the Number of Go 1.26.
var (
	numberMarshaler = json.MarshalToFunc(func(e *jsontext.Encoder, number stdjson.Number) error {
		if number == "" {
			number = "0" // as encoding/json has it
		}
		return e.WriteValue(jsontext.Value(number))
	})
	numberUnmarshalers = json.JoinUnmarshalers(
		json.UnmarshalFromFunc(func(d *jsontext.Decoder, number *stdjson.Number) error {
			if d.PeekKind() != '0' {
				return errSkip
			}
			literal, err := d.ReadValue()
			*number = stdjson.Number(literal)
			return err
		}),
		json.UnmarshalFromFunc(unmarshalAnyNumber),
	)
)

// exact is the least whole number that is not written with all its digits: 1e+21.
const exact = 1e21

// unmarshalAnyNumber decodes a number that nobody has a type for: into a float64,
// or into a Number if it is an integer that would change by that.
func unmarshalAnyNumber(d *jsontext.Decoder, v *any) error {
	if d.PeekKind() != '0' || *v != nil {
		return errSkip
	}
	literal, err := d.ReadValue()
	if err != nil {
		return err
	}
	float, err := strconv.ParseFloat(string(literal), 64)
	if err != nil || isInteger(literal) && (math.Abs(float) >= exact || strconv.FormatFloat(float, 'f', -1, 64) != string(literal)) {
		*v = stdjson.Number(literal)
		return nil //nolint:nilerr // a Number holds what is out of range
	}
	*v = float
	return nil
}

func isInteger(literal []byte) bool {
	for _, c := range literal {
		if c == '.' || c == 'e' || c == 'E' {
			return false
		}
	}
	return true
}
