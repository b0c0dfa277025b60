package authentik

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-querystring/query"
	"github.com/google/uuid"
)

// encodedOptions are a call's options, encoded once.
type encodedOptions struct {
	values   url.Values
	prefetch int
}

func encodeOptions(opts any) (encodedOptions, error) {
	encoded := encodedOptions{values: url.Values{}}
	v := reflect.ValueOf(opts)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if values, ok := opts.(url.Values); ok {
		for name, list := range values {
			encoded.values[name] = slices.Clone(list)
		}
	} else if v.IsValid() && v.Kind() != reflect.Pointer {
		var err error
		if encoded.values, err = query.Values(opts); err == nil {
			err = encoded.mend(v, "", map[string]bool{})
		}
		if err != nil {
			return encoded, fmt.Errorf("authentik: options of type %T: %w", opts, err)
		}
	}
	for _, name := range []string{"page", "page_size"} {
		if n, err := strconv.Atoi(encoded.values.Get(name)); err == nil && n < 0 {
			return encoded, fmt.Errorf("authentik: %s is negative", name)
		}
	}
	if encoded.prefetch < 0 {
		return encoded, errors.New("authentik: Prefetch is negative")
	}
	return encoded, nil
}

// mend goes through the fields of options as go-querystring does, for what that
// does not: Prefetch, and the UUIDs, which v1.2.0 takes for arrays of sixteen
// numbers. scope is the name of the field that options is.
func (e *encodedOptions) mend(options reflect.Value, scope string, mended map[string]bool) error {
	if options.Type() == reflect.TypeFor[ListOptions]() {
		e.prefetch = int(options.FieldByName("Prefetch").Int())
	}
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
			if err := e.mend(v, name, mended); err != nil {
				return err
			}
		case v.Kind() == reflect.Array && v.CanConvert(uuidType):
			if !e.values.Has(name) || mended[name] {
				return fmt.Errorf("the UUID %s cannot be encoded: its tag has options, or another field its name", name)
			}
			mended[name] = true
			e.values.Set(name, v.Convert(uuidType).Interface().(uuid.UUID).String())
			if omitted {
				e.values.Del(name)
			}
		}
	}
	return nil
}

var uuidType = reflect.TypeFor[uuid.UUID]()
