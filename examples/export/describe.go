package main

import (
	"reflect"
	"strings"

	"github.com/authentik-go/authentik"
)

// describe returns what the SDK knows of the list at path: the members of its
// objects and its filters, by authentik's names. ok is false if there is no such
// list.
func describe(client *authentik.Client, path string) (members, filters []string, ok bool) {
	model, options, ok := typesOf(client, path)
	if !ok {
		return nil, nil, false
	}
	for _, field := range reflect.VisibleFields(options) {
		if len(field.Index) == 1 && !field.Anonymous { // not those of authentik.ListOptions, which every list has
			filters = append(filters, tag(field, "url"))
		}
	}
	for _, field := range reflect.VisibleFields(model) {
		if name := tag(field, "json"); name != "" { // that of Extra is empty
			members = append(members, name)
		}
	}
	return members, filters, true
}

// typesOf returns the types of the objects and of the options of the list at path.
// The service for core/users is the client's field CoreUsers.
func typesOf(client *authentik.Client, path string) (model, options reflect.Type, ok bool) {
	name := strings.NewReplacer("/", "", "_", "", "-", "").Replace(path)
	service := reflect.ValueOf(client).Elem().FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) })
	if strings.ToLower(path) != path || !service.IsValid() {
		return nil, nil, false
	}
	method, ok := service.Type().MethodByName("All")
	if !ok {
		return nil, nil, false
	}
	all := method.Type // a func(service, context, *options) iter.Seq2[*model, error]
	yield := all.Out(0).In(0)
	return yield.In(0).Elem(), all.In(2).Elem(), true
}

func tag(field reflect.StructField, key string) string {
	name, _, _ := strings.Cut(field.Tag.Get(key), ",")
	return name
}
