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

// params are a call's options, encoded once.
type params struct {
	values   url.Values
	prefetch int
}

func encodeOptions(opts any) (params, error) {
	p := params{values: url.Values{}}
	if values, ok := opts.(url.Values); ok {
		for name, list := range values {
			p.values[name] = slices.Clone(list)
		}
	} else if v := reflect.ValueOf(opts); v.IsValid() && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		values, err := query.Values(opts)
		if err != nil {
			return p, fmt.Errorf("authentik: options of type %T: %w", opts, err)
		}
		encodeUUIDs(values, v)
		p.values = values
		if list, ok := opts.(interface{ prefetch() int }); ok {
			p.prefetch = list.prefetch()
		}
	}
	for _, name := range []string{"page", "page_size"} {
		if n, err := strconv.Atoi(p.values.Get(name)); err == nil && n < 0 {
			return p, fmt.Errorf("authentik: %s is negative", name)
		}
	}
	if p.prefetch < 0 {
		return p, errors.New("authentik: Prefetch is negative")
	}
	return p, nil
}

// encodeUUIDs writes the UUIDs among the fields of options: go-querystring
// v1.2.0 takes one for an array of sixteen numbers.
func encodeUUIDs(values url.Values, options reflect.Value) {
	for options.Kind() == reflect.Pointer {
		options = options.Elem()
	}
	if !options.IsValid() {
		return
	}
	for _, field := range reflect.VisibleFields(options.Type()) {
		name, flags, _ := strings.Cut(field.Tag.Get("url"), ",")
		name = cmp.Or(name, field.Name)
		f, err := options.FieldByIndexErr(field.Index)
		if err != nil || !field.IsExported() || !values.Has(name) || !reflect.Indirect(f).IsValid() {
			continue
		}
		id, ok := reflect.TypeAssert[uuid.UUID](reflect.Indirect(f))
		if !ok {
			continue
		}
		values.Set(name, id.String())
		if f.IsZero() && strings.Contains(flags, "omitempty") {
			values.Del(name)
		}
	}
}
