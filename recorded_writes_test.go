package authentik_test

import (
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/testkit"
)

// requestTypes are the requests of all Create and Update, by the method and the path of
// the list.
func requestTypes(t *testing.T) map[string]reflect.Type {
	t.Helper()
	var path string
	refuse := roundTripper(func(req *http.Request) (*http.Response, error) {
		op, _ := authentik.OperationFrom(req.Context())
		path = op.Path
		return nil, errors.ErrUnsupported
	})
	client, err := authentik.NewClient("https://authentik.example.com", "token",
		authentik.WithHTTPClient(&http.Client{Transport: refuse}), authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]reflect.Type{}
	for field, service := range reflect.ValueOf(client).Elem().Fields() {
		if !field.IsExported() || !service.MethodByName("List").IsValid() {
			continue
		}
		list := service.MethodByName("List")
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for len(args) < list.Type().NumIn() {
			args = append(args, reflect.Zero(list.Type().In(len(args))))
		}
		list.Call(args)
		for name, method := range map[string]string{"Create": http.MethodPost, "Update": http.MethodPatch} {
			if write := service.MethodByName(name); write.IsValid() {
				types[method+" "+path] = write.Type().In(write.Type().NumIn() - 1).Elem()
			}
		}
	}
	return types
}

// TestRecordedWrites compares what was sent to running servers with what they answered,
// of each create and update that the fake is held to as well.
func TestRecordedWrites(t *testing.T) {
	t.Parallel()
	// What the servers did take otherwise: they are too old to know the member.
	known := map[string]bool{ // and whether it was noticed
		"2023.10 POST events/rules/: destination_group": false,
		"2025.10 POST sources/oauth/: icon":             false,
	}
	types := requestTypes(t)
	placeholder := regexp.MustCompile(`<(time|secret|email|ip|base|version|uuid|int)>`)
	for _, release := range []string{"2023.10", "2025.10", "2025.12", "2026.5"} {
		compared := 0
		for e := range testkit.Lines[transcript](t, "internal/replay/testdata/exchanges-"+release+".jsonl.gz") {
			sent, operation := e.write()
			if sent == nil {
				continue
			}
			request := types[operation]
			if request == nil {
				t.Errorf("%s: no method sends %s %s", release, e.Method, e.Path)
				continue
			}
			for name := range sent {
				if _, ok := fieldNamed(request, name); !ok {
					delete(sent, name)
				}
			}
			compared++
			for _, member := range authentik.IgnoredIn(request, sent, e.Answer) {
				alarm := release + " " + operation + ": " + member.Name
				if _, ok := known[alarm]; ok {
					known[alarm] = true
				} else if !placeholder.MatchString(member.Got) {
					t.Errorf("%s, %s: sent %.200s, got %.200s", alarm, e.Label, member.Sent, member.Got)
				}
			}
		}
		if t.Logf("%s: %d writes", release, compared); compared < 400 {
			t.Errorf("only %d writes of %s were compared", compared, release)
		}
	}
	for alarm, noticed := range known {
		if !noticed {
			t.Errorf("%s: the server did not take it, and nobody noticed", alarm)
		}
	}
}

func fieldNamed(t reflect.Type, member string) (reflect.StructField, bool) {
	return t.FieldByNameFunc(func(name string) bool {
		field, _ := t.FieldByName(name)
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		return tag == member
	})
}

// symbols returns the body of a recorded request with the ids named as answers have
// them.
func symbols(body any) any {
	switch body := body.(type) {
	case []any:
		for i := range body {
			body[i] = symbols(body[i])
		}
	case map[string]any:
		if symbol, ok := body["$"].(string); ok && len(body) == 1 {
			return "<" + symbol + ">"
		}
		for name := range body {
			body[name] = symbols(body[name])
		}
	}
	return body
}

// transcript is a recorded exchange.
type transcript struct {
	Method, Path, Kind, Label string
	Status                    int
	Body, Answer              any
}

var symbolInPath = regexp.MustCompile(`^[^/<]*<[^>]*>/`)

// write returns what was sent to create or update an object, nil for all else, and the
// method and list. What replaces an object is taken for an update.
func (e transcript) write() (sent map[string]any, operation string) {
	below, within := strings.CutPrefix(e.Path, e.Kind)
	if e.Status/100 != 2 || e.Answer == nil || !within || below != "" && symbolInPath.ReplaceAllString(below, "") != "" ||
		e.Kind == "/core/transactional/applications/" { // which says whether it was done, and no more
		return nil, ""
	}
	method := e.Method
	if method == http.MethodPut && below != "" {
		method = http.MethodPatch
	}
	sent, _ = symbols(e.Body).(map[string]any)
	return sent, method + " " + strings.TrimPrefix(e.Kind, "/")
}
