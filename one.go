package authentik

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
)

// ErrAmbiguous is more than one object for [One].
var ErrAmbiguous = errors.New("authentik: more than one object")

// One returns the only object that seq yields: [ErrNotFound] if there is none,
// [ErrAmbiguous] if there are more, and the error of seq if it fails. It reads no
// further than the second object. With a filter it finds an object by its name:
//
//	stage, err := authentik.One(client.StagesPassword.All(ctx,
//		&authentik.StagesPasswordListOptions{Name: "default-authentication-password"}))
//
// Where the server has no filter, or one that is not exact, such as Search, match
// says which objects count: those for which all of the functions return true.
//
//	mapping, err := authentik.One(client.PropertyMappingsProviderScope.All(ctx, nil),
//		func(mapping *authentik.ScopeMapping) bool { return mapping.ScopeName == "groups" })
func One[T any](seq iter.Seq2[*T, error], match ...func(*T) bool) (*T, error) {
	var only *T
	for object, err := range seq {
		switch {
		case err != nil:
			return nil, err
		case slices.ContainsFunc(match, func(matches func(*T) bool) bool { return !matches(object) }):
		case only != nil:
			return nil, fmt.Errorf("%w of type %s", ErrAmbiguous, reflect.TypeFor[T]())
		default:
			only = object
		}
	}
	if only == nil {
		return nil, fmt.Errorf("%w: no object of type %s", ErrNotFound, reflect.TypeFor[T]())
	}
	return only, nil
}
