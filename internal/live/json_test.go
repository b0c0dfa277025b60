package live

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authentik-go/authentik/internal/codec"
)

// convert sets to, through a pointer, to what v says in JSON.
func convert(v, to any) error {
	b, err := codec.Marshal(v)
	if err != nil {
		return err
	}
	return codec.Unmarshal(b, to)
}

// document is what a model or a request says in JSON.
func document(v any) map[string]any {
	members := map[string]any{}
	b, err := codec.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &members)
	}
	if err != nil {
		panic(fmt.Sprintf("%T is no object: %v", v, err))
	}
	return members
}

// text is v as JSON, for messages and as a key.
func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// same reports whether a server that was sent want keeps it as got: texts without
// white space at both ends, times by instant, lists of scalars in any order, and of
// objects within lists the members that want has.
func same(want, got any) bool {
	switch want := want.(type) {
	case string:
		got, ok := got.(string)
		if !ok {
			return false
		}
		a, errA := time.Parse(time.RFC3339Nano, want)
		b, errB := time.Parse(time.RFC3339Nano, got)
		if errA == nil && errB == nil {
			return a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond))
		}
		return strings.TrimSpace(want) == strings.TrimSpace(got)
	case []any:
		got, ok := got.([]any)
		if !ok || len(want) != len(got) {
			return false
		}
		if len(want) > 0 {
			if _, isObject := want[0].(map[string]any); isObject {
				for i := range want {
					if !within(want[i], got[i]) {
						return false
					}
				}
				return true
			}
		}
		return slices.Equal(sorted(want), sorted(got))
	}
	return text(want) == text(got)
}

func within(want, got any) bool {
	members, ok := got.(map[string]any)
	if !ok {
		return same(want, got)
	}
	for name, value := range want.(map[string]any) {
		if !same(value, members[name]) {
			return false
		}
	}
	return true
}

func sorted(values []any) []string {
	var texts []string
	for _, v := range values {
		texts = append(texts, text(v))
	}
	slices.Sort(texts)
	return texts
}
