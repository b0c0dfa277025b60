// Package query encodes the options of a call as the parameters of a URL.
package query

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-querystring/query"
	"github.com/google/uuid"
)

// Encode returns the parameters that opts stand for: a struct with the url tags of
// go-querystring, pointers to one, or [url.Values], which are copied. nil and nil
// pointers stand for none; the result is nil then. A field without a tag, two of one
// name and an embedded pointer that is nil are errors: a server ignores a parameter
// that it does not know, and a list comes unfiltered.
func Encode(opts any) (url.Values, error) {
	var values url.Values
	v := reflect.ValueOf(opts)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if given, ok := opts.(url.Values); ok {
		values = url.Values{}
		for name, list := range given {
			values[name] = slices.Clone(list)
		}
	} else if v.IsValid() && v.Kind() != reflect.Pointer {
		var err error
		if values, err = query.Values(opts); err == nil {
			err = complete(values, v, "", make(map[string]bool, 32))
		}
		if err != nil {
			return nil, fmt.Errorf("options of type %T: %w", opts, err)
		}
	}
	for _, name := range []string{"page", "page_size"} {
		if value := values.Get(name); value != "" { // Atoi of "" makes an error
			if n, err := strconv.Atoi(value); err == nil && n < 0 {
				return nil, fmt.Errorf("%s is negative", name)
			}
		}
	}
	return values, nil
}

// complete goes through the fields of options as go-querystring does, for what that
// does not: the UUIDs, which v1.2.0 takes for arrays of sixteen numbers, the
// fractions of seconds, which it leaves out, and the names, which seen holds.
// scope is the name of the field that options is.
func complete(values url.Values, options reflect.Value, scope string, seen map[string]bool) error {
	for field, v := range options.Fields() {
		tag := field.Tag.Get("url")
		name, flags, _ := strings.Cut(tag, ",")
		omitted := v.IsZero() && strings.Contains(flags, "omitempty")
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if tag == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		embedded := field.Anonymous && name == "" && v.Kind() == reflect.Struct
		switch {
		case embedded:
			name = scope
		case field.Anonymous && name == "" && v.Kind() == reflect.Pointer:
			return fmt.Errorf("the embedded %s is nil", field.Name)
		case name == "":
			return fmt.Errorf("the field %s has no url tag with a name", field.Name)
		case scope != "":
			name = scope + "[" + name + "]"
		}
		if !embedded && seen[name] {
			return fmt.Errorf("two fields are named %s", name)
		}
		seen[name] = true
		switch {
		case v.Kind() != reflect.Struct && v.Kind() != reflect.Array, field.Type.Implements(encoderType):
		case v.Type() == reflect.TypeFor[time.Time]():
			at := v.Interface().(time.Time)
			if values.Get(name) == at.Format(time.RFC3339) { // no other form was asked for
				values.Set(name, at.Format(time.RFC3339Nano))
			}
		case v.Kind() == reflect.Struct:
			if err := complete(values, v, name, seen); err != nil {
				return err
			}
		case v.Kind() == reflect.Array && v.CanConvert(uuidType):
			if !values.Has(name) && !omitted {
				return fmt.Errorf("the UUID %s cannot be encoded: its tag has options", name)
			}
			values.Set(name, v.Convert(uuidType).Interface().(uuid.UUID).String())
			if omitted {
				values.Del(name)
			}
		}
	}
	return nil
}

var (
	uuidType    = reflect.TypeFor[uuid.UUID]()
	encoderType = reflect.TypeFor[query.Encoder]()
)
