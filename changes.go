package authentik

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/google/uuid"
)

// modelOf is a pointer to the model M that a service's Update returns for a
// request R, as [*User] is for [UserRequest].
type modelOf[M, R any] interface {
	*M
	changedBy(*R)
}

// Changes returns a request with the fields of desired that differ from observed,
// or nil if none does: then nothing has to be written. R is the request and M the
// model of one service, such as [ApplicationRequest] and [Application]; any other
// pair does not compile. desired and observed are not changed.
//
// Fields that desired leaves out are not compared. The others are compared as
// authentik keeps them: texts without white space at either end, times to the
// microsecond, lists of pks in any order, and objects inside by the fields that
// desired sets. An object of free form, such as attributes, has to be equal as a
// whole, because an update replaces it as a whole.
//
// A field that no answer has, such as a password, cannot be compared and is left
// out. Send it by itself if it has to be set.
//
// With [One] it creates or updates, and a second run writes nothing:
//
//	group, err := authentik.One(client.CoreGroups.All(ctx, &authentik.CoreGroupsListOptions{Name: "staff"}))
//	switch {
//	case errors.Is(err, authentik.ErrNotFound):
//		group, err = client.CoreGroups.Create(ctx, desired)
//	case err == nil:
//		var changes *authentik.GroupRequest
//		if changes, err = authentik.Changes(desired, group); err == nil && changes != nil {
//			group, err = client.CoreGroups.Update(ctx, group.PK, changes)
//		}
//	}
func Changes[R, M any, P modelOf[M, R]](desired *R, observed P) (*R, error) {
	if desired == nil || observed == nil {
		return nil, errors.New("authentik: Changes: the request or the model is nil")
	}
	changed, err := changesOf(reflect.ValueOf(desired).Elem(), reflect.ValueOf(observed).Elem())
	if err != nil || !changed.IsValid() {
		return nil, err
	}
	return changed.Interface().(*R), nil
}

// RequestOf returns a request that makes or keeps an object as model is: for
// copying it to another server, or for an update of fields that depend on what
// they were. It has all that the request type can say and the model has, which
// leaves out secrets that no answer has, and what Extra holds.
//
// The members that the server's release lacks are zero in the model, and so in the
// request. The server ignores them, see [WithStrictWrites].
func RequestOf[R, M any, P modelOf[M, R]](model P) *R {
	req := new(R)
	if model != nil {
		fillRequest(reflect.ValueOf(req).Elem(), reflect.ValueOf(model).Elem())
	}
	return req
}

// changesOf returns a pointer to a request with the fields of desired that differ
// from observed; an invalid Value if none does.
func changesOf(desired, observed reflect.Value) (changed reflect.Value, err error) {
	members := membersByName(observed)
	for field, value := range desired.Fields() {
		if value.IsZero() || field.Tag.Get(tagKey) == tagWriteOnly || isReader(field.Type) {
			continue
		}
		member, ok := members[memberName(field)]
		if !ok {
			return reflect.Value{}, fmt.Errorf("authentik: Changes: %v has no %s to compare with that of %v",
				observed.Type(), memberName(field), desired.Type())
		}
		want, err := plainJSON(value)
		if err != nil {
			return reflect.Value{}, fmt.Errorf("authentik: Changes: %s: %w", memberName(field), err)
		}
		have, err := plainJSON(member)
		if err != nil {
			return reflect.Value{}, fmt.Errorf("authentik: Changes: %s: %w", memberName(field), err)
		}
		d := difference{t: valueType(field.Type), want: want, have: have}
		if want == nil && member.Kind() != reflect.Pointer && member.IsZero() || len(d.compare(nil)) == 0 {
			continue
		}
		if !changed.IsValid() {
			changed = reflect.New(desired.Type())
		}
		changed.Elem().FieldByIndex(field.Index).Set(value)
	}
	return changed, nil
}

// fillRequest sets the fields of req that model has.
func fillRequest(req, model reflect.Value) {
	members := membersByName(model)
	for field, value := range req.Fields() {
		member, ok := members[memberName(field)]
		if !ok || isReader(field.Type) || isUnset(member) || member.IsZero() && field.Tag.Get(tagKey) == tagWriteOnly {
			continue // an empty secret would be set
		}
		// What cannot be converted stays left out: null, if the request cannot say it.
		if b, err := codec.Marshal(member.Interface()); err == nil {
			_ = codec.Unmarshal(b, value.Addr().Interface())
		}
	}
}

// isUnset reports whether a member of a model is a zero that no server sends, so
// that the server's release lacks it.
func isUnset(member reflect.Value) bool {
	return member.IsZero() && (member.Type() == reflect.TypeFor[time.Time]() || member.Type() == reflect.TypeFor[uuid.UUID]())
}

// membersByName are the fields of a model by their names in JSON. A source is
// compared and sent by its pk, however the server sent it.
func membersByName(model reflect.Value) map[string]reflect.Value {
	members := map[string]reflect.Value{}
	for field, value := range model.Fields() {
		if source, ok := reflect.TypeAssert[SourceReference](value); ok {
			value = reflect.ValueOf(source.PK)
		}
		members[memberName(field)] = value
	}
	delete(members, "")
	return members
}

func isReader(t reflect.Type) bool { return t.Kind() == reflect.Interface && t.NumMethod() > 0 }
