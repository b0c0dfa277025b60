package authentik

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
)

// The tags of a field that is not shown: writeonly if no answer has it, such as the
// password of a stage, and secret if one does. An alias is shown: a member that may be
// sent as another value than answers have for the same.
const (
	tagKey       = "authentik"
	tagWriteOnly = "writeonly"
	tagSecret    = "secret"
	tagAlias     = "alias"
)

// formatHidden is the method Format of a request that has secrets.
func formatHidden(w io.Writer, request any) {
	_, _ = fmt.Fprint(w, hidden(request)) // fmt sees what fails
}

// hidden returns the request as fmt shows it, but with its secrets as "(hidden)";
// it is the method LogValue of a request that has secrets.
func hidden(request any) slog.Value {
	var text strings.Builder
	text.WriteByte('{')
	for field, v := range reflect.ValueOf(request).Fields() {
		if text.Len() > 1 {
			text.WriteByte(' ')
		}
		shown := any("(hidden)")
		if tag := field.Tag.Get(tagKey); tag != tagWriteOnly && tag != tagSecret || v.IsZero() {
			shown = v.Interface()
			if target := reflect.Indirect(v); target.IsValid() && target.Kind() != reflect.Struct {
				shown = target.Interface() // and not the address
			}
		}
		fmt.Fprintf(&text, "%s:%v", field.Name, shown)
	}
	text.WriteByte('}')
	return slog.StringValue(text.String())
}
