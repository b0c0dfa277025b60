package conformance_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// comparePlanned decodes text both ways into a model, or a list of them, and
// reports whether the planned way did it.
func comparePlanned(t *testing.T, model reflect.Type, text []byte) bool {
	t.Helper()
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		model = reflect.SliceOf(model)
	}
	planned, general := reflect.New(model), reflect.New(model)
	if !codec.UnmarshalPlanned(text, planned.Interface()) {
		if !planned.Elem().IsZero() {
			t.Errorf("%v: %q was given up, and left %+v", model, text, planned.Elem())
		}
		return false
	}
	if err := codec.UnmarshalGeneral(text, general.Interface()); err != nil {
		t.Errorf("%v: %q was decoded as %+v, and is an error: %v", model, text, planned.Elem(), err)
	} else if !reflect.DeepEqual(planned.Interface(), general.Interface()) {
		t.Errorf("%v: %q was decoded as\n%+v, not\n%+v", model, text, planned.Elem(), general.Elem())
	}
	return true
}

// madeDocuments calls yield with what the newest and the oldest server may send of
// each model.
func madeDocuments(tb testing.TB, yield func(model reflect.Type, shape shape, text []byte)) {
	tb.Helper()
	facts := recordedFacts()
	for _, version := range []string{facts.Versions[0], facts.Versions[len(facts.Versions)-1]} {
		release := facts.At(version)
		for name, model := range sdk.Objects {
			if release.Object(name) == nil || name == "Pagination" {
				continue
			}
			for _, shape := range shapes {
				text, err := json.Marshal(answers(release, shape).Object(name))
				if err != nil {
					tb.Fatal(err)
				}
				yield(model, shape, text)
			}
		}
	}
}

// recordedObjects calls yield with the objects of testdata/recordings.
func recordedObjects(tb testing.TB, yield func(model reflect.Type, text []byte)) {
	tb.Helper()
	files, err := filepath.Glob("testdata/recordings/*.json")
	if err != nil {
		tb.Fatal(err)
	}
	models := map[string]reflect.Type{}
	client := &authentik.Client{}
	for _, m := range methods() {
		models[pathParameter.ReplaceAllString(m.asks.Method+" "+m.asks.Path, "{}")] = sdk.ModelOf(m.Of(client).Type())
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var recordings map[string]json.RawMessage
		if err := json.Unmarshal(content, &recordings); err != nil {
			tb.Fatal(err)
		}
		for operation, text := range recordings {
			model := models[pathParameter.ReplaceAllString(operation, "{}")]
			if model == nil {
				continue
			}
			var page struct{ Results json.RawMessage }
			if json.Unmarshal(text, &page) == nil && page.Results != nil {
				text = page.Results
			}
			yield(model, text)
		}
	}
}

// TestPlannedIsTaken decodes what servers send, none of which is unusual.
func TestPlannedIsTaken(t *testing.T) {
	t.Parallel()
	n := 0
	recordedObjects(t, func(model reflect.Type, text []byte) {
		n++
		if !comparePlanned(t, model, text) {
			t.Errorf("%v was left to the library: %s", model, text)
		}
	})
	madeDocuments(t, func(model reflect.Type, shape shape, text []byte) {
		n++
		if !comparePlanned(t, model, text) && shape != unknownMembers {
			t.Errorf("%v was left to the library: %s", model, text)
		}
	})
	if n < 2000 {
		t.Errorf("only %d documents", n)
	}
}

// TestListIsPlanned lists recorded users. The planned way gives lists of ids room for
// four at once, which the library does not.
func TestListIsPlanned(t *testing.T) {
	t.Parallel()
	lists := 0
	recordedObjects(t, func(model reflect.Type, users []byte) {
		if model != reflect.TypeFor[authentik.User]() || users[0] != '[' {
			return
		}
		page, err := answering(t, http.StatusOK, nil, `{"pagination":{"next":0},"results":`+string(users)+`}`).CoreUsers.List(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range page.Results {
			if len(user.Roles) == 1 {
				lists++
				if cap(user.Roles) != 4 {
					t.Errorf("the page was left to the library: %d", cap(user.Roles))
				}
			}
		}
	})
	if lists == 0 {
		t.Error("no user has one role")
	}
}

func FuzzPlanned(f *testing.F) {
	add := func(model reflect.Type, text []byte) {
		if i := slices.Index(models, model); i >= 0 {
			f.Add(i, text)
		}
	}
	recordedObjects(f, add)
	madeDocuments(f, func(model reflect.Type, shape shape, text []byte) {
		if shape == allMembers || shape == unknownMembers {
			add(model, text)
		}
	})
	for i, text := range jsonShapes {
		f.Add(i, []byte(text))
	}
	for i, text := range []string{
		`{"pk":1,"PK":2}`, `{"pk":1,"pk":2}`, `{"name":null,"name":"x"}`, "{\"n\u017fame\":\"\u212a\"}", `{"name":"\ud800","\u006eame":1}`,
		"{ \"name\" :\t\"x\" ,\r\n\"new\": [ 1 ] }", `{"name":01}`, `{"name":"a` + "\x7f\x1f" + `"}`, `{"attributes":{},"name":"a\/b"}`,
		`{"last_login":"2026-02-03T4:05:06,7Z","last_updated":"2026-02-03T04:05:06+24:00"}`, `{"pk":-0,"count":1e400,"total":9223372036854775808}`,
		`{"uuid":"{765ed48b-9283-4461-987d-de42dba24533}","pk":"765ed48b92834461987dde42dba24533"}`, `{"groups":[null],"groups_obj":[null,{}],"flow_set":[{"a":1,"a":2}]}`,
	} {
		for j := range models {
			if (i+j)%10 == 0 {
				f.Add(j, []byte(text))
			}
		}
	}
	free := `{"a":{"b":["\u00e9",true,false,null,[],{},0,-0,1,1.5,1e2,1e400,12345678901234567,-123456789012345]},"\u0061b":"\\"}`
	for _, member := range []string{"attributes", "context", "footer_links", "messages"} {
		for j, model := range models {
			if !codec.HasField(model, member) {
				continue
			}
			for _, value := range []string{free, "[" + free + "]", `{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":2}}`, `{"a":01}`, `{"":"\ud800"}`, `{"a":nul}`} {
				f.Add(j, []byte(`{"`+member+`":`+value+`}`))
			}
		}
	}
	f.Fuzz(func(t *testing.T, i int, text []byte) {
		comparePlanned(t, models[uint(i)%uint(len(models))], text)
	})
}
