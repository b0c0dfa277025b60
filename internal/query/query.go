// Package query encodes the options of a call as the parameters of a URL.
package query

import (
	"cmp"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-querystring/query"
	"github.com/google/uuid"
)

// Encode returns the parameters that opts stand for: a struct with the url tags
// of go-querystring, pointers to one, or [url.Values], which are copied. nil
// stands for none, as does a nil pointer.
func Encode(opts any) (url.Values, error) {
	values := url.Values{}
	v := reflect.ValueOf(opts)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if given, ok := opts.(url.Values); ok {
		for name, list := range given {
			values[name] = slices.Clone(list)
		}
	} else if v.IsValid() && v.Kind() != reflect.Pointer {
		var err error
		if values, err = query.Values(opts); err == nil {
			err = mend(values, v, "", map[string]bool{})
		}
		if err != nil {
			return nil, fmt.Errorf("options of type %T: %w", opts, err)
		}
	}
	for _, name := range []string{"page", "page_size"} {
		if n, err := strconv.Atoi(values.Get(name)); err == nil && n < 0 {
			return nil, fmt.Errorf("%s is negative", name)
		}
	}
	return values, nil
}

// mend goes through the fields of options as go-querystring does, for what that
// does not: the UUIDs, which v1.2.0 takes for arrays of sixteen numbers. scope
// is the name of the field that options is.
func mend(values url.Values, options reflect.Value, scope string, mended map[string]bool) error {
	for field, v := range options.Fields() {
		tag := field.Tag.Get("url")
		name, flags, _ := strings.Cut(tag, ",")
		omitted := v.IsZero() && strings.Contains(flags, "omitempty")
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if tag == "-" || !field.IsExported() && !field.Anonymous || field.Type.Implements(reflect.TypeFor[query.Encoder]()) {
			continue
		}
		embedded := field.Anonymous && name == "" && v.Kind() == reflect.Struct
		name = cmp.Or(name, field.Name)
		if scope != "" {
			name = scope + "[" + name + "]"
		}
		if embedded {
			name = scope
		}
		switch {
		case v.Kind() == reflect.Struct:
			if err := mend(values, v, name, mended); err != nil {
				return err
			}
		case v.Kind() == reflect.Array && v.CanConvert(uuidType):
			if !values.Has(name) || mended[name] {
				return fmt.Errorf("the UUID %s cannot be encoded: its tag has options, or another field its name", name)
			}
			mended[name] = true
			values.Set(name, v.Convert(uuidType).Interface().(uuid.UUID).String())
			if omitted {
				values.Del(name)
			}
		}
	}
	return nil
}

var uuidType = reflect.TypeFor[uuid.UUID]()
