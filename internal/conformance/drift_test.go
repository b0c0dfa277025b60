package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/authentik-go/authentik/internal/testkit/sample"
	"github.com/google/uuid"
)

// document is what a server answers, as JSON holds it.
type document = map[string]any

// answers makes the documents that a release sends, of the shape.
func answers(release *contract.Facts, shape shape) sample.Maker {
	return sample.Maker{Facts: release, Scalar: awkward, Elems: 2, Edit: shape.edit}
}

// shape says what there is in a document at every depth. What tells objects apart
// is always there: servers send it even where the schema does not require it.
type shape string

const (
	allMembers     shape = "all members"
	requiredAlone  shape = "the required members alone"
	nullMembers    shape = "null for all that is not an object"
	zeroMembers    shape = "zero for all that has it"
	unknownMembers shape = "unknown members"
)

var shapes = []shape{allMembers, requiredAlone, nullMembers, zeroMembers, unknownMembers}

// edit gives an object the shape.
func (s shape) edit(o *contract.Object, made document) {
	identity := sdk.IdentityOf(o.Name)
	for _, member := range o.Members {
		zero, hasZero := sample.Zero(member.Type)
		switch {
		case member.Name == identity:
		case s == requiredAlone && !member.Required:
			delete(made, member.Name)
		case s == nullMembers && leaf(member.Type).Kind != "ref":
			made[member.Name] = nil
		case s == zeroMembers && hasZero:
			made[member.Name] = zero
		}
	}
	if s == unknownMembers {
		maps.Copy(made, unknown)
	}
}

// leaf is what a list or a map has in it at last, and any other type itself.
func leaf(t contract.Type) contract.Type {
	for t.Elem != nil {
		t = *t.Elem
	}
	return t
}

// unknown are members that no release has.
var unknown = document{"unknown_member": document{"nested": []any{1.0, nil, "x\\\"}]"}}, "unknown \" \\ ü": nil}

// free is an object of free form.
var free = document{"free_list": []any{1.5, nil, "x"}, "free_object": document{"c": true}}

// awkward is a value that is not zero, and another for each member if it can be.
func awkward(member string, t contract.Type) any {
	switch t.Kind {
	case "uuid":
		return uuid.NewSHA1(uuid.Nil, []byte(member)).String()
	case "string", "uri", "email":
		if member == "redirect_uris" { // in older releases
			return "https://one.example/\nhttps://two.example/?a=b"
		}
		return "the " + member + " <&>\u2028"
	}
	return map[string]any{
		"date": "2026-02-03", "date-time": "2026-02-03T04:05:06.789012Z", "boolean": true,
		"integer": -7.0, "number": -7.0, "int64": float64(1 << 40), "double": -0.5, "object": free, "any": free,
	}[t.Kind]
}

// jsonFields are the types that read the members of a struct, pointers aside, by
// the members' names.
func jsonFields(t reflect.Type) map[string]reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	if fields, ok := fieldsOf.Load(t); ok {
		return fields.(map[string]reflect.Type)
	}
	fields := map[string]reflect.Type{}
	for name, field := range sdk.FieldsByTag(t, "json") {
		fields[name] = element(field.Type)
	}
	fieldsOf.Store(t, fields)
	return fields
}

var fieldsOf sync.Map // the results of jsonFields, by type

func element(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// onePage is what newPage says of its page.
var onePage = authentik.Pagination{Next: 0, Previous: 1, Count: 1, Current: 1, TotalPages: 1, StartIndex: 1, EndIndex: 1}

func newPage(objects ...any) document {
	return document{
		"autocomplete": document{},
		"pagination": document{
			"next": 0, "previous": 1, "count": 1, "current": 1, "total_pages": 1, "start_index": 1, "end_index": 1,
		},
		"results": objects,
	}
}

// converted are the values that types make of what was sent, where that is not what
// they write: those for members whose type changed, of the older form.
var converted = map[reflect.Type]func(sent any) any{
	reflect.TypeFor[authentik.DeviceID]():         number(""),
	reflect.TypeFor[authentik.TOTPDigits]():       number(""),
	reflect.TypeFor[authentik.EmailTokenExpiry](): number("minutes="),
	reflect.TypeFor[authentik.LogEvent]():         text("event"),
	reflect.TypeFor[authentik.PromptChoice]():     text("label", "value"),
	reflect.TypeFor[time.Time](): func(sent any) any {
		if at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(sent)); err == nil {
			return at.Format(time.RFC3339Nano) // without zeros at the end
		}
		return sent
	},
	reflect.TypeFor[authentik.ZonelessTime](): func(sent any) any {
		if text, isText := sent.(string); isText {
			return strings.TrimSuffix(text, "Z")
		}
		return sent
	},
	reflect.TypeFor[authentik.UnixTime](): func(sent any) any {
		if at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(sent)); err == nil {
			return float64(at.UnixMicro()) / 1e6
		}
		return sent
	},
	reflect.TypeFor[authentik.RedirectURIs](): func(older any) any {
		lines, isText := older.(string)
		if !isText {
			return older
		}
		list := []any{}
		for line := range strings.SplitSeq(lines, "\n") {
			if line == "" {
				continue
			}
			list = append(list, document{"matching_mode": "strict", "url": line})
		}
		return list
	},
}

// volumeOf is a point of a diagram, as servers before 2025.8 send it, in the form of
// an EventVolume; anything else as it is.
func volumeOf(sent any) any {
	point, isObject := sent.(document)
	x, isPoint := point["x_cord"]
	if !isObject || !isPoint {
		return sent
	}
	members := maps.Clone(point)
	delete(members, "x_cord")
	delete(members, "y_cord")
	milliseconds, _ := x.(float64)
	members["time"], members["count"] = time.UnixMilli(int64(milliseconds)).UTC().Format("2006-01-02T15:04:05.999"), point["y_cord"]
	return members
}

// number converts numbers.
func number(prefix string) func(any) any {
	return func(older any) any {
		if n, isNumber := older.(float64); isNumber {
			return prefix + fmt.Sprint(n)
		}
		return older
	}
}

// text converts texts, which the members of an object have.
func text(members ...string) func(any) any {
	return func(older any) any {
		if _, isText := older.(string); !isText {
			return older
		}
		object := document{}
		for _, member := range members {
			object[member] = older
		}
		return object
	}
}

// newest returns what is written of v after a Go type has read it.
func newest(v any, t reflect.Type) any {
	t = element(t)
	if convert := converted[t]; convert != nil {
		v = convert(v)
	}
	if t == reflect.TypeFor[authentik.SourceReference]() {
		t = reflect.TypeFor[authentik.Source]() // where v is one
	}
	switch v := v.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return v
		}
		list := make([]any, len(v))
		for i := range v {
			list[i] = newest(v[i], t.Elem())
		}
		return list
	case document:
		members := maps.Clone(v)
		for name := range members {
			if t.Kind() == reflect.Map {
				members[name] = newest(members[name], t.Elem())
			} else if field, has := jsonFields(t)[name]; has {
				members[name] = newest(members[name], field)
			}
		}
		return members
	}
	return v
}

// differences are the members that differ. All that is in want must be in got,
// where null may have become zero; all else in got must be zero.
func differences(want, got any, path string) []string {
	if wantObject, ok := want.(document); ok {
		gotObject, _ := got.(document)
		all := document{} // wantObject may be nil, for null
		maps.Copy(all, wantObject)
		maps.Copy(all, gotObject)
		var different []string
		for _, name := range slices.Sorted(maps.Keys(all)) {
			value, has := gotObject[name]
			if !has {
				different = append(different, path+"."+name+" is lost")
				continue
			}
			different = append(different, differences(wantObject[name], value, path+"."+name)...)
		}
		return different
	}
	wantList, _ := want.([]any)
	gotList, _ := got.([]any)
	if len(wantList) > 0 && len(wantList) == len(gotList) {
		var different []string
		for i := range wantList {
			different = append(different, differences(wantList[i], gotList[i], fmt.Sprintf("%s[%d]", path, i))...)
		}
		return different
	}
	if want == nil && isZeroInJSON(got) || reflect.DeepEqual(want, got) {
		return nil
	}
	return []string{fmt.Sprintf("%s was %v and is %v", path, want, got)}
}

// isZeroInJSON reports whether v is what a zero value is encoded as: of a struct,
// the zero of each member.
func isZeroInJSON(v any) bool {
	if members, ok := v.(map[string]any); ok {
		for _, member := range members {
			if !isZeroInJSON(member) {
				return false
			}
		}
		return true
	}
	return v == nil || v == uuid.Nil.String() || v == json.Number("0") || v == "0001-01-01T00:00:00Z" || v == "0001-01-01T00:00:00" || reflect.ValueOf(v).IsZero()
}

// unknownIn adds the names in Extra of a value and of all in it, each after the
// type that has it.
func unknownIn(v reflect.Value, names map[string]bool) {
	kind := v.Kind()
	isPointer, isList := kind == reflect.Pointer || kind == reflect.Interface, kind == reflect.Slice || kind == reflect.Map
	switch {
	case isPointer:
		if !v.IsNil() {
			unknownIn(v.Elem(), names)
		}
	case isList:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for _, elem := range v.Seq2() {
			unknownIn(elem, names)
		}
	case kind == reflect.Struct:
		for field, member := range v.Fields() {
			if !field.IsExported() {
				continue
			}
			if field.Name != "Extra" {
				unknownIn(member, names)
				continue
			}
			if !member.IsNil() && member.Len() == 0 {
				names[v.Type().Name()+" has an empty Extra"] = true
			}
			for _, name := range member.MapKeys() {
				names[v.Type().Name()+"."+name.String()] = true
			}
		}
	}
}

// inJSON returns v as encoding/json has it after encoding and decoding.
func inJSON(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var decoded any
	if err := json.Unmarshal(b, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// driftCounts are how many documents were read and refused.
type driftCounts struct{ read, refused int }

// drift is the test of one release.
type drift struct {
	*testing.T
	release *contract.Facts
	counts  *driftCounts
	done    map[string]bool // what was read of this release or a newer one
}

// isNew reports whether nothing like this was read before.
func (d *drift) isNew(what ...any) bool {
	key := fmt.Sprint(what...)
	isNew := !d.done[key]
	d.done[key] = true
	return isNew
}

// inExtra are the ends of the names of objects that others read: what these have
// no field for is in Extra.
var inExtra = map[string]string{
	"EventVolume":  "Coordinate", // of events over time, until 2025.4
	"PartialGroup": "Group",      // of users and bindings, until 2025.10
	"PartialUser":  "User",       // of bindings and consents, until 2025.10
	"Policy":       "Policy",     // of each kind, in the list of all
	"Provider":     "Provider",   // of each kind, in the list of all, and of tokens and codes, until 2026.2
}

// isInExtra reports whether a model has a member in Extra since it is one of
// another object.
func isInExtra(model, member string) bool {
	return inExtra[model] != "" && slices.ContainsFunc(recordedFacts().Objects, func(o *contract.Object) bool {
		return strings.HasSuffix(o.Name, inExtra[model]) && slices.ContainsFunc(o.Members, func(m *contract.Member) bool { return m.Name == member })
	})
}

// check compares a document with what was read of it.
func (d *drift) check(name string, want any, v reflect.Value, wantsUnknown bool) {
	d.counts.read++
	for _, difference := range differences(newest(inJSON(d.T, want), v.Type()), inJSON(d.T, v.Interface()), v.Type().String()) {
		d.Errorf("%s: %s", name, difference)
	}
	names := map[string]bool{}
	unknownIn(v, names)
	found := false
	for place := range names {
		model, member, _ := strings.Cut(place, ".")
		_, isUnknown := unknown[member]
		_, isFree := free[member]
		switch {
		case isUnknown:
			found = true
		case !isFree && !isInExtra(model, member):
			d.Errorf("%s: %s is not known", name, place)
		}
	}
	if found != wantsUnknown {
		d.Errorf("%s: unknown members are in Extra: %t, want %t", name, found, wantsUnknown)
	}
}

// TestDrift reads what the servers of each release may send with the types of
// this SDK. What several releases send alike is read once, as the newest of them
// sends it, so the releases take turns. With -v it prints how many documents it
// read.
func TestDrift(t *testing.T) {
	t.Parallel()
	facts := recordedFacts()
	if len(facts.Versions) < 24 {
		t.Fatalf("only %d versions", len(facts.Versions))
	}
	counts := map[string]*driftCounts{}
	t.Cleanup(func() {
		sum := [2]int{}
		for _, version := range facts.Versions {
			read, refused := counts[version].read, counts[version].refused
			t.Logf("%-10s %6d documents read, %6d refused", version, read, refused)
			sum[0], sum[1] = sum[0]+read, sum[1]+refused
		}
		t.Logf("%-10s %6d documents read, %6d refused", "all", sum[0], sum[1])
		if sum[0] < 20000 || sum[1] < 5000 {
			t.Error("that is too few")
		}
	})
	done := map[string]bool{}
	for _, version := range slices.Backward(facts.Versions) { //nolint:paralleltest // the order decides which release reads what
		counts[version] = &driftCounts{}
		t.Run(version, func(t *testing.T) {
			d := &drift{t, facts.At(version), counts[version], done}
			for _, m := range methods() {
				if o := d.release.Operation(m.asks.Method, m.asks.Path); o != nil && o.Method == http.MethodGet {
					d.method(m, o)
				}
			}
		})
	}
}

// method reads the answers to one method.
func (d *drift) method(m method, o *contract.Operation) {
	i := slices.IndexFunc(o.Answers, func(c *contract.Content) bool { return c.Media == "application/json" })
	if i < 0 {
		return // it answers with nothing, or with a file
	}
	answer := o.Answers[i]
	client, mock := mockClient(d.T, authentik.WithRetries(0, 0, 0))
	f := m.Of(client)
	if answer.Type.Kind == "binary" {
		const file = "version: 1\nentries: []\n"
		mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) { return answerWith([]byte(file)), nil })
		result, err := sdk.Call(f, sdk.Arguments(d.Context(), f.Type()))
		if d.counts.read++; err != nil || string(result.Bytes()) != file {
			d.Errorf("%v: %v, %v", m, result, err)
		}
		return
	}
	model := sdk.ModelOf(f.Type()) // nil for a map, and for lists of what is no object
	d.objects(answer.Type, model)
	for _, shape := range shapes {
		if shape != allMembers && (m.Name == "Pages" || m.Name == "All") {
			continue // List has read it
		}
		object := answers(d.release, shape).Value("value", answer.Type)
		sent := object
		if answer.Page {
			sent = newPage(object)
		}
		b, err := json.Marshal(sent)
		if err != nil {
			d.Fatal(err)
		}
		if !d.isNew(m, string(b)) {
			continue
		}
		mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) {
			return answerWith(b), nil
		})
		result, err := sdk.Call(f, sdk.Arguments(d.Context(), f.Type()))
		name := fmt.Sprintf("%v, %s", m, shape)
		if err != nil {
			d.Errorf("%s: %v", name, err)
			continue
		}
		got := reflect.Indirect(result)
		if page := got; page.Kind() == reflect.Struct && strings.HasPrefix(page.Type().Name(), "Page[") {
			if shape == allMembers && m.Name == "List" && page.Field(0).Interface() != onePage {
				d.Errorf("%s: the pagination is %v", name, page.Field(0))
			}
			got = page.Field(1).Index(0)
		}
		if answer.Type.Kind == "ref" && got.Kind() == reflect.Slice {
			got = got.Index(0) // newer servers send several
		}
		if list, isList := object.([]any); isList && model == reflect.TypeFor[authentik.EventVolume]() {
			object = []any{volumeOf(list[0]), volumeOf(list[1])}
		}
		d.check(name, object, got, shape == unknownMembers && model != nil)
	}
	d.foreign(m, answer, f.Type(), client, func(body string) {
		mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) { return answerWith([]byte(body)), nil })
	})
}

// foreign gives a method what is no answer to it.
func (d *drift) foreign(m method, answer *contract.Content, f reflect.Type, client *authentik.Client, serve func(body string)) {
	model := sdk.ModelOf(f)
	if answer.Type.Kind == "any" || answer.Type.Kind == "object" || !d.isNew("foreign", m) {
		return
	}
	bodies := []string{`"authentik starting"`, `1`, `true`, `{`, ``, `<html>`}
	isList := answer.Page || answer.Type.Kind == "array"
	if model != nil && !isList {
		bodies = append(bodies, `[]`, `[{}]`)
	}
	identified := model != nil && codec.IdentityOf(model).Member != ""
	if isList || identified {
		bodies = append(bodies, `{"error":"authentik starting"}`, `{"detail":"Not found."}`, `{}`)
	}
	if identified && !isList {
		bodies = append(bodies, `null`)
	}
	if answer.Page {
		page := newPage()
		for _, member := range []string{"pagination", "results"} {
			for _, value := range []any{nil, "x", json.RawMessage("null")} {
				changed := maps.Clone(page)
				if changed[member] = value; value == nil {
					delete(changed, member)
				}
				bodies = append(bodies, asJSON(d.T, changed))
			}
		}
		bodies = append(bodies, `[]`, `null`, asJSON(d.T, newPage(nil)), asJSON(d.T, newPage("x")))
		if identified {
			bodies = append(bodies, asJSON(d.T, newPage(document{})))
		}
	}
	for _, body := range bodies {
		serve(body)
		result, err := sdk.Call(m.Of(client), sdk.Arguments(d.Context(), f))
		d.counts.refused++
		if _, ok := errors.AsType[*authentik.DecodeError](err); !ok {
			d.Errorf("%v answered with %s: %v, %v, want a DecodeError", m, body, result, err)
		}
	}
	if !answer.Page || model == nil {
		return
	}
	object := asJSON(d.T, answers(d.release, allMembers).Value("value", answer.Type))
	for _, body := range []string{
		`{"pagination":{"next":0},"results":[` + object + `]}`,
		`{"autocomplete":null,"pagination":{"next":0.0},"unknown_member":1,"results":[` + object + `]}`,
		`{"results":[` + object + `],"pagination":{"next":0e0,"count":1.0,"total_pages":1e0}}`,
	} {
		serve(body)
		d.counts.read++
		if _, err := sdk.Call(m.Of(client), sdk.Arguments(d.Context(), f)); err != nil {
			d.Errorf("%v answered with %s: %v", m, body, err)
		}
	}
}

// objects reads variants of each object that there is in what t reads.
func (d *drift) objects(kind contract.Type, t reflect.Type) {
	for kind.Elem != nil {
		if kind = *kind.Elem; t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
			t = element(t.Elem())
		}
	}
	if t == reflect.TypeFor[authentik.SourceReference]() {
		t = reflect.TypeFor[authentik.Source]()
	}
	if kind.Kind != "ref" || t == nil || t.Kind() != reflect.Struct {
		return
	}
	o := d.release.Object(kind.Name)
	var signature strings.Builder
	for _, member := range o.Members {
		signature.WriteString(member.String() + "\n")
		if leaf := leaf(member.Type); leaf.Kind == "enum" {
			for _, value := range d.release.Enum(leaf.Name).Values {
				signature.WriteString(value.Value + " ")
			}
		}
	}
	if d.isNew(t, o.Name, signature.String()) {
		d.variants(o, t)
	}
	for _, member := range o.Members {
		if field := jsonFields(t)[member.Name]; field != nil && d.isNew(d.Name(), t, o.Name, member.Name) {
			d.objects(member.Type, field)
		}
	}
}

// variants reads an object as each of its members may be, and as it may not.
func (d *drift) variants(o *contract.Object, t reflect.Type) {
	required := answers(d.release, requiredAlone)
	all := document{}
	for _, member := range o.Members { // those of nested objects that are required
		all[member.Name] = required.Value(member.Name, member.Type)
	}
	read := func(object document) (reflect.Value, error) {
		v := reflect.New(t)
		b, err := json.Marshal(object)
		if err == nil {
			err = codec.Unmarshal(b, v.Interface())
		}
		return v.Elem(), err
	}
	with := func(member string, value any) document {
		changed := maps.Clone(all)
		changed[member] = value
		return changed
	}
	readable := func(name string, object document) {
		v, err := read(object)
		if err != nil {
			d.Errorf("%s, %s: %v", o.Name, name, err)
			return
		}
		d.check(o.Name+", "+name, object, v, false)
	}
	readable("all", all)
	for _, member := range o.Members {
		changed := maps.Clone(all)
		delete(changed, member.Name)
		readable("no "+member.Name, changed)
		readable(member.Name+" null", with(member.Name, nil))
		if zero, has := sample.Zero(member.Type); has {
			readable(member.Name+" zero", with(member.Name, zero))
		}
		if leaf := leaf(member.Type); leaf.Kind == "enum" {
			values := []any{"nobody.knows_it"}
			for i, value := range sample.EnumValues(d.release.Enum(leaf.Name)) {
				if i < 3 || d.isNew("value", t, leaf.Name, value) {
					values = append(values, value)
				}
			}
			for _, value := range values {
				if member.Type.Elem != nil {
					value = []any{value, value}
				}
				readable(fmt.Sprint(member.Name, " ", value), with(member.Name, value))
			}
		}
		field := jsonFields(t)[member.Name]
		for _, wrong := range wrongValues(member.Type, field) {
			d.counts.refused++
			if v, err := read(with(member.Name, wrong)); err == nil {
				d.Errorf("%s, %s of a wrong type, %v: %v", o.Name, member.Name, wrong, v)
			}
		}
	}
}

// wrongValues are values of another type than the member's, whose field is given.
func wrongValues(kind contract.Type, field reflect.Type) []any {
	if field == nil || sdk.Reads(field) != nil || field == reflect.TypeFor[authentik.TOTPDigits]() {
		return nil // more than one form is right
	}
	if kind.Kind == "object" && field.Kind() == reflect.Interface {
		return nil
	}
	wrong := sample.Wrong(kind)
	if field.Kind() == reflect.Float64 {
		wrong = slices.DeleteFunc(wrong, func(value any) bool { return value == 1.5 })
	}
	if kind.Kind == "array" && field.Kind() == reflect.Slice {
		for _, elem := range wrongValues(*kind.Elem, element(field.Elem())) {
			wrong = append(wrong, []any{elem})
		}
	}
	return wrong
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
