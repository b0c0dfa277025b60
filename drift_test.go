package authentik_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"
)

// readings read one object and a page of them.
var readings = []struct {
	object string
	read   func(context.Context, *authentik.Client) (reading, reading)
}{
	{"IdentificationStage", func(ctx context.Context, c *authentik.Client) (one, page reading) {
		return readingOf(c.StagesIdentification.Retrieve(ctx, pk)), readingOfPage(c.StagesIdentification.List(ctx, nil))
	}},
	{"PasswordStage", func(ctx context.Context, c *authentik.Client) (one, page reading) {
		return readingOf(c.StagesPassword.Retrieve(ctx, pk)), readingOfPage(c.StagesPassword.List(ctx, nil))
	}},
	{"SourceStage", func(ctx context.Context, c *authentik.Client) (one, page reading) {
		return readingOf(c.StagesSource.Retrieve(ctx, pk)), readingOfPage(c.StagesSource.List(ctx, nil))
	}},
}

type reading struct {
	object     any
	pagination authentik.Pagination
	err        error
}

func readingOf[T any](object *T, err error) reading {
	if err != nil {
		return reading{err: err}
	}
	return reading{object: *object}
}

func readingOfPage[T any](page *authentik.Page[T], err error) reading {
	if err != nil {
		return reading{err: err}
	}
	return reading{object: page.Results[0], pagination: page.Pagination}
}

// document is what a server answers, as JSON holds it.
type document = map[string]any

// newObject returns an object with every member that it has in the release, none
// of them zero.
func newObject(release *contract.Facts, object string) document {
	members := document{}
	for _, m := range release.Object(object).Members {
		members[m.Name] = newValue(release, m.Name, m.Type)
	}
	return members
}

func newValue(release *contract.Facts, name string, t contract.Type) any {
	switch t.Kind {
	case "array":
		return []any{newValue(release, name, *t.Elem), newValue(release, name, *t.Elem)}
	case "uuid":
		return uuid.NewSHA1(uuid.Nil, []byte(name)).String()
	case "string":
		return "the " + name + " <&>\u2028"
	case "boolean":
		return true
	case "integer", "number":
		return -7.0
	case "double":
		return -0.5
	case "enum":
		return release.Enum(t.Name).Values[0].Value
	case "ref":
		return newObject(release, t.Name)
	}
	panic("no value of the type " + t.String())
}

// zeroValue is a value of the type that Go has for nothing, if there is one.
func zeroValue(t contract.Type) (value any, has bool) {
	value, has = map[string]any{"string": "", "boolean": false, "integer": 0, "double": 0, "array": []any{}}[t.Kind]
	return value, has
}

func newPage(objects ...any) document {
	return document{
		"autocomplete": document{},
		"pagination": document{
			"next": 1, "previous": 1, "count": 1, "current": 1, "total_pages": 1, "start_index": 1, "end_index": 1,
		},
		"results": objects,
	}
}

// firstFlow is the first flow of an object that has some.
func firstFlow(object document) document {
	return object["flow_set"].([]any)[0].(document)
}

// variants are documents that a server of the release may send: an object, and
// a page with it.
func variants(release *contract.Facts, object string) iter.Seq2[string, func() (document, document)] {
	return func(yield func(string, func() (document, document)) bool) {
		done := false
		variant := func(name string, change func(object, page document)) {
			done = done || !yield(name, func() (document, document) {
				o := newObject(release, object)
				page := newPage(o)
				change(o, page)
				return o, page
			})
		}
		variant("all members", func(document, document) {})
		for _, owner := range []string{object, "FlowSet"} {
			of := func(object document) document {
				if owner == "FlowSet" {
					return firstFlow(object)
				}
				return object
			}
			members := release.Object(owner).Members
			variant("only the required of "+owner, func(object, _ document) {
				for _, m := range members {
					if !m.Required {
						delete(of(object), m.Name)
					}
				}
			})
			variant("zero in "+owner, func(object, _ document) {
				for _, m := range members {
					if value, has := zeroValue(m.Type); has {
						of(object)[m.Name] = value
					}
				}
			})
			variant("null in "+owner, func(object, _ document) {
				for _, m := range members {
					if m.Type.Nullable {
						of(object)[m.Name] = nil
					}
				}
			})
			for _, m := range members {
				member := owner + "." + m.Name
				if !m.Required {
					variant("no "+member, func(object, _ document) { delete(of(object), m.Name) })
				}
				if m.Name != "pk" {
					variant(member+" null", func(object, _ document) { of(object)[m.Name] = nil })
				}
				t, isList := m.Type, m.Type.Kind == "array"
				if isList {
					t = *t.Elem
				}
				if t.Kind != "enum" {
					continue
				}
				for _, value := range append([]*contract.Value{{Value: "nobody.knows_it"}}, release.Enum(t.Name).Values...) {
					variant(fmt.Sprintf("%s %q", member, value.Value), func(object, _ document) {
						of(object)[m.Name] = value.Value
						if isList {
							of(object)[m.Name] = []any{value.Value}
						}
					})
				}
			}
		}
		variant("unknown members", func(object, _ document) {
			object["unknown_member"] = document{"nested": []any{1.0, nil, "x\\\"}]"}}
			firstFlow(object)["unknown \" \\ ü"] = nil
		})
		variant("no autocomplete", func(_, page document) { delete(page, "autocomplete") })
		variant("autocomplete null", func(_, page document) { page["autocomplete"] = nil })
		variant("an unknown member of the page", func(_, page document) { page["unknown_member"] = 1 })
		for _, one := range []string{"1.0", "1e0"} {
			variant("pagination with "+one, func(_, page document) {
				pagination := page["pagination"].(document)
				for name := range pagination {
					pagination[name] = json.RawMessage(one)
				}
			})
		}
	}
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

// isZeroInJSON tells whether v is what a zero value is encoded as: of a struct,
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
	return v == nil || v == uuid.Nil.String() || v == json.Number("0") || v == "0001-01-01T00:00:00Z" || reflect.ValueOf(v).IsZero()
}

// unknownIn are the names in Extra of a model and of its flows, which none of
// their fields has.
func unknownIn(t *testing.T, model any) []string {
	t.Helper()
	extra := reflect.ValueOf(model).FieldByName("Extra").Interface().(map[string]json.RawMessage)
	if extra != nil && len(extra) == 0 {
		t.Error("Extra is not nil where there is nothing unknown")
	}
	unknown := slices.Sorted(maps.Keys(extra))
	if _, isFlow := model.(authentik.FlowSet); !isFlow {
		for _, flow := range flowsOf(model) {
			unknown = append(unknown, unknownIn(t, flow)...)
		}
	}
	return unknown
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

// serving returns a client that gets the object where it asks for one, and the
// page where it asks for a list.
func serving(t *testing.T, object, page any) *authentik.Client {
	t.Helper()
	client, mock := mockClient(t)
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, pk.String()+"/") {
			return httpmock.NewJsonResponse(http.StatusOK, object)
		}
		return httpmock.NewJsonResponse(http.StatusOK, page)
	})
	return client
}

// TestDrift reads what the servers of each release may send with the types of
// this SDK. With -v it prints how many documents it read.
func TestDrift(t *testing.T) {
	t.Parallel()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Versions) < 24 {
		t.Fatalf("only %d versions", len(facts.Versions))
	}
	counts := map[string]*[2]int{} // of those that are read, and that are refused
	t.Cleanup(func() { t.Log(driftMatrix(facts.Versions, counts)) })
	for _, name := range facts.Versions {
		release := facts.At(name)
		for _, r := range readings {
			if release.Object(r.object) == nil {
				continue // there were no source stages before 2024.4
			}
			count := new([2]int)
			counts[name+r.object] = count
			t.Run(name+"/"+r.object, func(t *testing.T) {
				t.Parallel()
				for variant, documents := range variants(release, r.object) {
					object, page := documents()
					one, listed := r.read(t.Context(), serving(t, object, page))
					for by, reading := range map[string]reading{"Retrieve": one, "List": listed} {
						count[0]++
						if reading.err != nil {
							t.Errorf("%s: %s, %s: %v", name, variant, by, reading.err)
							continue
						}
						for _, difference := range differences(inJSON(t, object), inJSON(t, reading.object), r.object) {
							t.Errorf("%s: %s, %s: %s", name, variant, by, difference)
						}
						unknown := unknownIn(t, reading.object)
						want := []string(nil)
						if variant == "unknown members" {
							want = []string{"unknown_member", "unknown \" \\ ü"}
						}
						if !slices.Equal(unknown, want) {
							t.Errorf("%s: %s, %s: Extra has %q, want %q", name, variant, by, unknown, want)
						}
					}
					if want := (authentik.Pagination{1, 1, 1, 1, 1, 1, 1}); listed.pagination != want {
						t.Errorf("%s: %s: the pagination is %v", name, variant, listed.pagination)
					}
				}
				for refused, documents := range foreign(release, r.object) {
					one, listed := r.read(t.Context(), serving(t, documents.object, documents.page))
					for by, reading := range map[string]reading{"Retrieve": one, "List": listed} {
						if by == "Retrieve" && documents.object == nil || by == "List" && documents.page == nil {
							continue
						}
						count[1]++
						if _, ok := errors.AsType[*authentik.DecodeError](reading.err); !ok {
							t.Errorf("%s: %s, %s: %v, want a DecodeError", name, refused, by, reading.err)
						}
					}
				}
			})
		}
	}
}

func flowsOf(model any) []authentik.FlowSet {
	return reflect.ValueOf(model).FieldByName("FlowSet").Interface().([]authentik.FlowSet)
}

// foreignDocuments are answers to Retrieve and to List, nil where there is none.
type foreignDocuments struct{ object, page any }

// foreign are documents that are neither an object of the release nor a page.
func foreign(release *contract.Facts, object string) map[string]foreignDocuments {
	object1 := newObject(release, object)
	documents := map[string]foreignDocuments{}
	for name, other := range map[string]any{
		"a list":      []any{object1},
		"a string":    "authentik starting",
		"a number":    1,
		"a boolean":   true,
		"null":        json.RawMessage("null"),
		"an error":    document{"error": "authentik starting"}, // what 2025.10.0 answers while it starts
		"a detail":    document{"detail": "Not found."},
		"nothing":     document{},
		"one in pk":   document{"pk": object1},
		"a wrong pk":  document{"pk": 1, "pagination": 1},
		"an empty pk": document{"pk": "", "pagination": ""},
	} {
		documents[name] = foreignDocuments{other, other}
	}
	without := func(members document, name string, value any) document {
		changed := maps.Clone(members)
		if delete(changed, name); value != nil {
			changed[name] = value
		}
		return changed
	}
	null := json.RawMessage("null")
	documents["no pk"] = foreignDocuments{object: without(object1, "pk", nil)}
	documents["pk null"] = foreignDocuments{object: without(object1, "pk", null)}
	for _, member := range []string{"pagination", "results"} {
		documents["no "+member] = foreignDocuments{page: without(newPage(object1), member, nil)}
		documents[member+" null"] = foreignDocuments{page: without(newPage(object1), member, null)}
		documents[member+" a string"] = foreignDocuments{page: without(newPage(object1), member, "x")}
	}
	for _, m := range release.Object(object).Members {
		wrong := any("1") // is no value of a member but for a string and an enum
		if m.Type.Kind == "string" || m.Type.Kind == "enum" {
			wrong = 1
		}
		changed := without(object1, m.Name, wrong)
		documents[m.Name+" of a wrong type"] = foreignDocuments{changed, newPage(changed)}
	}
	return documents
}

func driftMatrix(versions []string, counts map[string]*[2]int) string {
	var matrix strings.Builder
	sum := [2]int{}
	matrix.WriteString("documents read and refused\n          ")
	for _, r := range readings {
		fmt.Fprintf(&matrix, "%22s", r.object)
	}
	for _, version := range versions {
		fmt.Fprintf(&matrix, "\n%-10s", version)
		for _, r := range readings {
			count := counts[version+r.object]
			if count == nil {
				count = new([2]int)
			}
			fmt.Fprintf(&matrix, "%22s", fmt.Sprintf("%d + %d", count[0], count[1]))
			sum[0] += count[0]
			sum[1] += count[1]
		}
	}
	fmt.Fprintf(&matrix, "\n%d read, %d refused", sum[0], sum[1])
	return matrix.String()
}
