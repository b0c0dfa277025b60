package authentik

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
)

// ErrAmbiguous is more than one object for [One].
var ErrAmbiguous = errors.New("authentik: more than one object")

// One returns the only object that seq yields: [ErrNotFound] if there is none,
// [ErrAmbiguous] if there are more, and the error of seq if it fails. It reads no
// further than the second object. With a filter it finds an object by its name:
//
//	stage, err := authentik.One(client.StagesPassword.All(ctx,
//		&authentik.StagesPasswordListOptions{Name: "default-authentication-password"}))
func One[T any](seq iter.Seq2[*T, error]) (*T, error) {
	var only *T
	for object, err := range seq {
		if err != nil {
			return nil, err
		}
		if only != nil {
			return nil, fmt.Errorf("%w of type %s", ErrAmbiguous, reflect.TypeFor[T]())
		}
		only = object
	}
	if only == nil {
		return nil, fmt.Errorf("%w: no object of type %s", ErrNotFound, reflect.TypeFor[T]())
	}
	return only, nil
}
