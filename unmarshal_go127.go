//go:build go1.27

package authentik

import (
	"encoding/json"
	jsonv2 "encoding/json/v2"
)

// What encoding/json does, but in one pass, without the check of the whole that
// it makes first. Of an error, that one's own is returned, as on Go 1.26.
func init() {
	unmarshal = func(b []byte, v any) error {
		if jsonv2.Unmarshal(b, v, json.DefaultOptionsV1(), json.ReportErrorsWithLegacySemantics(false)) == nil {
			return nil
		}
		return json.Unmarshal(b, v)
	}
}
