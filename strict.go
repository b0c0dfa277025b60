package authentik

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"

	"github.com/authentik-go/authentik/internal/transport"
)

// outcome is an answer that says whether the server did what was asked.
type outcome interface {
	// failed reports whether it did not, and what it wrote about it.
	failed() (log []string, failed bool)
}

func (r FlowImportResult) failed() ([]string, bool)      { return eventsOf(r.Logs), !r.Success }
func (r BlueprintImportResult) failed() ([]string, bool) { return eventsOf(r.Logs), !r.Success }

func (r TransactionApplicationResponse) failed() ([]string, bool) { return r.Logs, !r.Applied }

func eventsOf(log []LogEvent) (events []string) {
	for _, event := range log {
		events = append(events, event.Event)
	}
	return events
}

// checkOutcome returns an error if the answer v says that the server did not do
// what was sent, or did it otherwise. The latter is logged where nobody asks for
// the error.
func (c *Client) checkOutcome(ctx context.Context, w write, r *transport.Response, sent []byte, v reflect.Value) error {
	if !v.IsValid() { // the server answered nothing
		return nil
	}
	requestID := r.Header.Get(transport.RequestIDHeader)
	if result, ok := reflect.TypeAssert[outcome](v); ok {
		if log, failed := result.failed(); failed {
			return &FailedError{w.op.Method, r.Path, log, requestID}
		}
	}
	if !c.compares(ctx) {
		return nil
	}
	ignored := ignoredMembers(w, sent, r.Body)
	switch {
	case len(ignored) == 0:
		return nil
	case c.strictWrites:
		return &IgnoredError{w.op.Method, r.Path, ignored, requestID}
	}
	names := make([]string, len(ignored)) // and no values, which a log need not have
	for i, member := range ignored {
		names[i] = member.Name
	}
	c.logger.LogAttrs(ctx, slog.LevelWarn, "authentik ignored or changed members",
		slog.String("method", w.op.Method), slog.String("path", r.Path), slog.Any("members", names))
	return nil
}

// compares reports whether anybody learns what the server made of a write.
func (c *Client) compares(ctx context.Context) bool {
	return c.strictWrites || c.logger.Enabled(ctx, slog.LevelWarn)
}

// ignoredMembers returns the members sent of which the answer says something else.
// What no answer has is known of a struct, not of a map.
func ignoredMembers(w write, sent, answer []byte) (ignored []IgnoredMember) {
	t := reflect.TypeOf(w.body)
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if w.object == never || t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	want, isObject := plainObject(sent) // of its own MarshalJSON, it may be anything
	have, isAnswer := plainObject(answer)
	if !isObject || !isAnswer {
		return nil
	}
	lacking := 0
	for _, d := range compareMembers(nil, "", t, want, have) {
		if _, ok := want[d.name]; ok && d.lacks {
			lacking++
		}
		if d.lacks && d.t == reflect.TypeFor[RedirectURIType]() && d.want == string(RedirectURITypeAuthorization) {
			continue // servers before 2026.5 take every URI for that
		}
		if d.tag == tagWriteOnly || !d.lacks && (d.tag == tagSecret || d.tag == tagAlias || isFree(d.t)) {
			continue
		}
		member := IgnoredMember{Name: d.name, Sent: textOf(shown(d.t, d.tag, d.want))}
		if !d.lacks {
			member.Got = textOf(shown(d.t, d.tag, d.have))
		}
		ignored = append(ignored, member)
	}
	if w.object == ifAlike && lacking == len(want) {
		return nil
	}
	return ignored
}

// plainObject returns an object as JSON has it, with numbers as they are written.
func plainObject(document []byte) (object map[string]any, isObject bool) {
	plain, err := plainValue(document)
	object, isObject = plain.(map[string]any)
	return object, err == nil && isObject
}

// shown is a value without its secrets: those of tagged fields, and whatever has no
// field.
func shown(t reflect.Type, tag string, plain any) any {
	switch plain := plain.(type) {
	case nil:
		return nil
	case []any:
		elements := make([]any, len(plain))
		for i, element := range plain {
			elements[i] = shown(elemOf(t), tag, element)
		}
		return elements
	case map[string]any:
		if t.Kind() == reflect.Struct {
			fields, members := fieldsByMember(t), map[string]any{}
			for name, value := range plain {
				field := fields[name]
				members[name] = shown(valueType(field.Type), field.Tag.Get(tagKey), value)
			}
			return members
		}
	}
	if tag == tagSecret || tag == tagWriteOnly || isFree(t) {
		return "(hidden)"
	}
	return plain
}

func textOf(plain any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(plain) // it came from JSON
	return strings.TrimSpace(text.String())
}
