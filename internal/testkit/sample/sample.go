// Package sample makes values for tests: JSON of the types that the facts name, and
// models that are filled.
//
// Others make values of their own. The filters of lists are Go values beside the
// text that is sent. The witness of internal/contract/check reads the schemas
// themselves, so that it shares nothing with the facts. The fake server fills what
// nobody gave, as authentik does, and not with samples.
package sample

import (
	"reflect"
	"strconv"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/uuid"
)

// Maker makes values as encoding/json decodes them. Each has all that its type can
// have, except files.
type Maker struct {
	Facts *contract.Facts // of one release
	// Scalar returns a value of a type that is no list, map, enum or object, for the
	// member of that name.
	Scalar func(member string, t contract.Type) any
	// Elems is how many elements a list has.
	Elems int
	// Edit changes what was made of an object, if it is not nil.
	Edit func(o *contract.Object, made map[string]any)
}

// maxDepth is more than any value has.
const maxDepth = 10

// Value returns a value for the member of that name.
func (m Maker) Value(member string, t contract.Type) any { return m.value(member, t, 0) }

// Object returns the object of that name.
func (m Maker) Object(name string) map[string]any { return m.object(name, 0) }

func (m Maker) value(member string, t contract.Type, depth int) any {
	switch t.Kind {
	case "array":
		list := make([]any, m.Elems)
		for i := range list {
			list[i] = m.value(member, *t.Elem, depth)
		}
		return list
	case "map":
		return map[string]any{"one key": m.value(member, *t.Elem, depth)}
	case "enum":
		values := EnumValues(m.Facts.Enum(t.Name))
		if values[0] == "" && len(values) > 1 {
			return values[1]
		}
		return values[0]
	case "ref":
		return m.object(t.Name, depth+1)
	}
	value := m.Scalar(member, t)
	if value == nil {
		panic("no value of the type " + t.String())
	}
	return value
}

func (m Maker) object(name string, depth int) map[string]any {
	if depth > maxDepth {
		panic(name + " has itself in it")
	}
	o := m.Facts.Object(name)
	made := map[string]any{}
	for _, member := range o.Members {
		if member.Type.Kind != "binary" {
			made[member.Name] = m.value(member.Name, member.Type, depth)
		}
	}
	if m.Edit != nil {
		m.Edit(o, made)
	}
	return made
}

// Required leaves of what was made of an object the members that it requires.
func Required(o *contract.Object, made map[string]any) map[string]any {
	for _, member := range o.Members {
		if !member.Required {
			delete(made, member.Name)
		}
	}
	return made
}

// EnumValues returns the values of an enum.
func EnumValues(e *contract.Enum) []any {
	var all []any
	for _, v := range e.Values {
		if !e.Number {
			all = append(all, v.Value)
			continue
		}
		number, err := strconv.ParseFloat(v.Value, 64)
		if err != nil {
			panic(err)
		}
		all = append(all, number)
	}
	return all
}

// Zero returns the value that Go has for nothing, if the type has one.
func Zero(t contract.Type) (value any, has bool) {
	value, has = map[string]any{
		"string": "", "uri": "", "email": "", "date": "", "boolean": false, "integer": 0.0, "number": 0.0, "int64": 0.0, "double": 0.0,
		"array": []any{}, "map": map[string]any{}, "object": map[string]any{},
	}[t.Kind]
	return value, has
}

// Wrong returns values that the type does not have. Of lists they are none with
// wrong elements.
func Wrong(t contract.Type) []any {
	object := map[string]any{}
	switch t.Kind {
	case "any":
		return nil
	case "object", "map", "ref":
		return []any{"x", 1.0, []any{1.0}}
	case "string", "uri", "email", "date", "enum":
		return []any{1.0, true, object, []any{"x"}}
	case "uuid", "date-time":
		return []any{"x", 1.0, true, object, []any{}}
	case "array":
		return []any{"x", 1.0, object}
	case "integer", "number", "int64":
		return []any{"1", 1.5, true, object, []any{}}
	}
	return []any{"1", object, []any{}}
}

// Fill sets all of v to values that differ by n.
func Fill(v reflect.Value, n int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(int64(n), 0).UTC()))
		return
	case uuid.UUID:
		v.Set(reflect.ValueOf(uuid.UUID{byte(n)}))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		Fill(v.Elem(), n)
	case reflect.Struct:
		for field, value := range v.Fields() {
			switch {
			case field.Name == "Extra", field.Type.AssignableTo(v.Addr().Type()):
			case v.Type() == reflect.TypeFor[authentik.SourceReference]() && field.Name != "PK": // which older servers send alone
			default:
				Fill(value, n)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		Fill(v.Index(0), n)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		Fill(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("name"), value)
	case reflect.Interface:
		v.Set(reflect.ValueOf("text" + string(rune('0'+n))))
	case reflect.String:
		v.SetString("text" + string(rune('0'+n)))
	case reflect.Bool:
		v.SetBool(n == 1)
	case reflect.Float64:
		v.SetFloat(float64(n))
	default:
		v.SetInt(int64(n))
	}
}
