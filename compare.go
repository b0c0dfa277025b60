package authentik

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/google/uuid"
)

// This file compares what a request says with what authentik has, for [Changes] and
// for [WithStrictWrites].

// difference is a value that authentik has otherwise than a request says.
type difference struct {
	name       string       // of the member; of one inside an object or a list a.b or a.0.b
	t          reflect.Type // in Go, of the value in the request
	tag        string       // of the field
	want, have any          // as of plainJSON
	lacks      bool         // there is no such member
}

// compareMembers appends the differences between the members of want, which a t was
// encoded to, and those of have.
func compareMembers(differences []difference, above string, t reflect.Type, want, have map[string]any) []difference {
	fields := fieldsByMember(t)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		field := fields[name]
		d := difference{name: above + name, t: valueType(field.Type), tag: field.Tag.Get(tagKey), want: want[name]}
		if value, ok := have[name]; ok {
			d.have = value
			differences = d.compare(differences)
			continue
		}
		d.lacks = true
		differences = append(differences, d)
	}
	return differences
}

// fieldsByMember are the fields of t by their names in JSON. What it encodes by a
// method of its own may have others, of no type.
func fieldsByMember(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	if t.Kind() == reflect.Struct {
		for _, field := range reflect.VisibleFields(t) {
			fields[memberName(field)] = field
		}
	}
	return fields
}

// compare appends what differs between d.want and d.have, nothing if they are the
// same to authentik.
func (d difference) compare(differences []difference) []difference {
	switch want := d.want.(type) {
	case map[string]any:
		if have, ok := d.have.(map[string]any); ok && d.t.Kind() == reflect.Struct {
			return compareMembers(differences, d.name+".", d.t, want, have)
		}
	case []any:
		if have, ok := d.have.([]any); ok && len(want) == len(have) && elemOf(d.t).Kind() == reflect.Struct {
			for i := range want {
				element := difference{name: d.name + "." + strconv.Itoa(i), t: elemOf(d.t), tag: d.tag, want: want[i], have: have[i]}
				differences = element.compare(differences)
			}
			return differences
		}
	}
	if !sameValue(d.t, d.want, d.have) {
		differences = append(differences, d)
	}
	return differences
}

// isFree reports whether values of type t are objects of free form, or may be.
func isFree(t reflect.Type) bool {
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Interface || t.Kind() == reflect.Map
}

// isInSets reports whether t is the type of pks, or of countries, which authentik
// sorts. A list of them is a set to authentik.
func isInSets(t reflect.Type) bool {
	return t == reflect.TypeFor[uuid.UUID]() || t.Kind() == reflect.Int || t == reflect.TypeFor[CountryCode]()
}

func memberName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// valueType is the type that a field of a request holds, without pointer or
// [Nullable]; any of no field.
func valueType(t reflect.Type) reflect.Type {
	if t == nil {
		return reflect.TypeFor[any]()
	}
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	if method, ok := t.MethodByName("Get"); ok && t.Kind() == reflect.Struct && t.Implements(reflect.TypeFor[interface{ IsNull() bool }]()) {
		return method.Type.Out(0)
	}
	return t
}

// plainJSON returns v as JSON has it, with numbers as they are written.
func plainJSON(v reflect.Value) (plain any, err error) {
	b, err := codec.Marshal(v.Interface())
	if err != nil {
		return nil, err
	}
	return plainValue(b)
}

// plainValue decodes document, with numbers as they are written.
func plainValue(document []byte) (plain any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	err = decoder.Decode(&plain)
	return plain, err
}

// sameValue reports whether authentik, told want, has have. t is the Go type of want,
// and no struct.
func sameValue(t reflect.Type, want, have any) bool {
	switch want := want.(type) {
	case string:
		if number, ok := have.(json.Number); ok { // TOTPDigits before 2024.2
			return want == string(number)
		}
		have, ok := have.(string)
		if t == reflect.TypeFor[RedirectURIType]() { // empty before 2026.5, and there after a PATCH without one
			want, have = cmp.Or(want, string(RedirectURITypeAuthorization)), cmp.Or(have, string(RedirectURITypeAuthorization))
		}
		return ok && (want == have || t.Kind() == reflect.String && strings.TrimSpace(want) == have || t == reflect.TypeFor[time.Time]() && sameTime(want, have))
	case json.Number:
		have, ok := have.(json.Number)
		return ok && sameNumber(want, have)
	case []any:
		have, ok := have.([]any)
		if elem := elemOf(t); !isInSets(elem) {
			return ok && slices.EqualFunc(want, have, func(a, b any) bool { return sameValue(elem, a, b) })
		}
		return ok && isSubset(want, have) && isSubset(have, want)
	case map[string]any: // of free form
		have, ok := have.(map[string]any)
		return ok && maps.EqualFunc(want, have, func(a, b any) bool { return sameValue(reflect.TypeFor[any](), a, b) })
	}
	return want == have // true, false, null
}

// elemOf is the type of the elements of a list; any of one of free form.
func elemOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return reflect.TypeFor[any]()
}

func isSubset(elements, of []any) bool {
	return !slices.ContainsFunc(elements, func(one any) bool { return !slices.Contains(of, one) })
}

// sameTime compares two times of RFC 3339 to PostgreSQL's microsecond.
func sameTime(want, have string) bool {
	a, errA := time.Parse(time.RFC3339Nano, want)
	b, errB := time.Parse(time.RFC3339Nano, have)
	return errA == nil && errB == nil && a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond))
}

// sameNumber compares integers by their digits, which a float would lose, and
// other numbers by value.
func sameNumber(want, have json.Number) bool {
	if want == have {
		return true
	}
	if !strings.ContainsAny(string(want+have), ".eE") {
		return false
	}
	a, errA := strconv.ParseFloat(string(want), 64)
	b, errB := strconv.ParseFloat(string(have), 64)
	return errA == nil && errB == nil && a == b
}
