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
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// TestRecordings reads what running servers answered, with made-up data: see
// testdata/recordings.
func TestRecordings(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/recordings/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("%q, %v", files, err)
	}
	byOperation := map[string][]method{}
	for _, m := range methods() {
		operation := pathParameter.ReplaceAllString(m.asks.Method+" "+m.asks.Path, "{}")
		byOperation[operation] = append(byOperation[operation], m)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var recordings map[string]json.RawMessage
			if err := json.Unmarshal(content, &recordings); err != nil {
				t.Fatal(err)
			}
			release := strings.TrimSuffix(filepath.Base(file), ".json")
			facts := recordedFacts()
			i := slices.IndexFunc(facts.Versions, func(v string) bool { return strings.HasPrefix(v, release+".") })
			d := &drift{t, facts.At(facts.Versions[i]), &driftCounts{}, map[string]bool{}}
			for operation, body := range recordings {
				if contract.LeftOut[operation] != "" || contract.Moved[operation] != "" {
					continue
				}
				asking := byOperation[pathParameter.ReplaceAllString(operation, "{}")]
				if len(asking) == 0 {
					t.Errorf("no method asks for %s", operation)
				}
				for _, m := range asking {
					d.recording(m, body)
				}
			}
			if n := d.counts.read; n < 200 {
				t.Errorf("only %d recordings were read", n)
			}
		})
	}
}

// recording reads an answer by a method.
func (d *drift) recording(m method, body []byte) {
	client, mock := mockClient(d.T, authentik.WithRetries(0, 0, 0))
	mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) { return answerWith(body), nil })
	f := m.Of(client)
	if m.asks.Method != http.MethodGet && f.Type().NumOut() == 1 {
		return // the method is content that it was done
	}
	var want any
	if err := json.Unmarshal(body, &want); err != nil {
		d.Fatal(err)
	}
	result, err := sdk.Call(f, sdk.Arguments(d.Context(), f.Type()))
	if err != nil {
		d.Errorf("%v: %v", m, err)
		return
	}
	if !result.IsValid() {
		if list := want.(document)["results"].([]any); len(list) > 0 {
			d.Errorf("%v found none of %d objects", m, len(list))
		}
		return
	}
	got := reflect.Indirect(result)
	if page, isPage := want.(document); isPage && page["results"] != nil {
		list := page["results"].([]any)
		if want = any(list); m.Name == "All" {
			want = list[len(list)-1]
		} else {
			got = got.Field(1)
		}
	}
	d.check(m.String(), want, got, false)
}
