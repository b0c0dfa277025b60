package authentik_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/testkit/sample"
)

// requestTypes are the requests of all Create and Update, by method and path.
func requestTypes(t *testing.T) map[string]reflect.Type {
	t.Helper()
	types := map[string]reflect.Type{}
	var request reflect.Type
	refuse := roundTripper(func(req *http.Request) (*http.Response, error) {
		op, _ := authentik.OperationFrom(req.Context())
		types[op.String()] = request
		return nil, errors.ErrUnsupported
	})
	client, err := authentik.NewClient("https://authentik.example.com", "token",
		authentik.WithHTTPClient(&http.Client{Transport: refuse}), authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for field, service := range reflect.ValueOf(client).Elem().Fields() {
		for _, name := range []string{"Create", "Update"} {
			if !field.IsExported() || !service.MethodByName(name).IsValid() {
				continue
			}
			method := service.MethodByName(name)
			args := []reflect.Value{reflect.ValueOf(context.Background())}
			for in := range method.Type().Ins() {
				switch {
				case in == reflect.TypeFor[context.Context]():
				case in.Kind() == reflect.Pointer:
					request = in.Elem()
					args = append(args, reflect.New(request))
				default:
					id := reflect.New(in).Elem()
					sample.Fill(id, 1)
					args = append(args, id)
				}
			}
			if len(args) == method.Type().NumIn() {
				method.Call(args)
			}
		}
	}
	return types
}

// TestTranscripts compares what was sent to running servers with what they answered,
// of each create and update in a folder of recorded exchanges: a folder for each
// release, and in its files an exchange a line, with ids as symbols.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("AUTHENTIK_TEST_TRANSCRIPTS")
	if folder == "" {
		t.Skip("AUTHENTIK_TEST_TRANSCRIPTS names no folder of recorded exchanges")
	}
	// What the servers did take otherwise: they are too old to know the member.
	known := []string{
		"2023.10 POST events/rules/: destination_group",
		"2025.10 POST sources/oauth/: icon",
	}
	types := requestTypes(t)
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	symbolInPath := regexp.MustCompile(`^[^/<]*<[^>]*>/`)
	placeholder := regexp.MustCompile(`<(time|secret|email|ip|base|version|uuid|int)>`)
	compared := 0
	for _, file := range files {
		b, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(b)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			var exchange struct {
				Method, Path, Kind, Label string
				Status                    int
				Body, Answer              any
			}
			if err := json.Unmarshal(lines.Bytes(), &exchange); err != nil {
				t.Fatal(err)
			}
			sent, _ := symbols(exchange.Body).(map[string]any)
			if exchange.Status/100 != 2 || sent == nil || exchange.Answer == nil || exchange.Kind == "/core/transactional/applications/" {
				continue // the last says whether it was done, and no more
			}
			list := strings.TrimPrefix(exchange.Kind, "/")
			method := exchange.Method
			below := strings.TrimPrefix(exchange.Path, exchange.Kind)
			if below == exchange.Path || below != "" && symbolInPath.ReplaceAllString(below, "") != "" {
				continue
			}
			if method == http.MethodPut && below != "" {
				method = http.MethodPatch
			}
			var request reflect.Type
			for op, candidate := range types {
				path, _, _ := strings.Cut(op, "{")
				if path == method+" "+list && strings.Contains(op, "{") == (below != "") {
					request = candidate
				}
			}
			if request == nil {
				t.Errorf("%s: no method sends %s %s", file, exchange.Method, exchange.Path)
				continue
			}
			for name := range sent {
				if _, ok := fieldNamed(request, name); !ok {
					delete(sent, name)
				}
			}
			compared++
			for _, member := range authentik.IgnoredIn(request, sent, exchange.Answer) {
				alarm := filepath.Base(filepath.Dir(file)) + " " + method + " " + list + ": " + member.Name
				if !placeholder.MatchString(member.Got) && !slices.Contains(known, alarm) {
					t.Errorf("%s: %s, %s: sent %.200s, got %.200s", file, alarm, exchange.Label, member.Sent, member.Got)
				}
			}
		}
		if err := errors.Join(lines.Err(), b.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if t.Logf("%d exchanges", compared); compared == 0 {
		t.Error("nothing was compared")
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
