package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// listener keeps the body of the last answer.
type listener struct {
	http.RoundTripper

	mu   sync.Mutex
	body []byte
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.body = body
	return response, err
}

// TestLiveAnswers reads what a running server has without naming an object, each page
// of each list too. What is decoded and encoded again is what came: null is null, and
// nothing is lost.
func TestLiveAnswers(t *testing.T) {
	t.Parallel()
	liveClient(t)
	heard := &listener{RoundTripper: httpClient(t).Transport}
	client, err := authentik.NewClient(os.Getenv("AUTHENTIK_TEST_URL"), os.Getenv("AUTHENTIK_TEST_TOKEN"), authentik.WithHTTPClient(&http.Client{Transport: heard}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.ServerVersion(t.Context()); err != nil { // so that the last answer is the one that is asked for
		t.Fatal(err)
	}
	answers, objects := 0, 0
	for _, m := range methods() {
		if m.asks.Method != http.MethodGet || strings.Contains(m.asks.Path, "{") || m.Name == "All" || m.Name == "List" && sdk.ModelOf(m.Of(client).Type()) != nil && isPaged(m, client) {
			continue // Pages reads it
		}
		f := m.Of(client)
		check := func(result reflect.Value) {
			answers++
			var sent, got any
			b, err := json.Marshal(result.Interface())
			if err := errors.Join(err, json.Unmarshal(heard.body, &sent), json.Unmarshal(b, &got)); err != nil {
				return // what is no JSON
			}
			if page, isPage := sent.(document); isPage && page["pagination"] != nil {
				objects += len(page["results"].([]any))
			}
			for _, difference := range unequal(newest(sent, result.Type()), got, m.asks.Path) {
				t.Error(difference)
			}
		}
		out := f.Call(sdk.Arguments(t.Context(), f.Type()))
		if out[0].Kind() != reflect.Func {
			if err, _ := reflect.TypeAssert[error](out[len(out)-1]); !isAnswered(err) {
				t.Errorf("%v: %v", m, err)
			} else if err == nil && len(out) > 1 {
				check(out[0])
			}
			continue
		}
		for page, e := range out[0].Seq2() {
			if err, _ := reflect.TypeAssert[error](e); err == nil {
				check(page)
			} else if !isAnswered(err) {
				t.Errorf("%v: %v", m, err)
			}
		}
	}
	t.Logf("%d answers, %d objects in pages", answers, objects)
	if answers < 150 {
		t.Errorf("only %d answers", answers)
	}
}

// isPaged reports whether the method's list has pages.
func isPaged(m method, client *authentik.Client) bool {
	return strings.Contains(m.Of(client).Type().Out(0).String(), "Page[")
}

// isAnswered reports whether err is the server's own answer, such as that a query is
// needed, or there is none.
func isAnswered(err error) bool {
	_, isAPIError := errors.AsType[*authentik.APIError](err)
	return err == nil || isAPIError || errors.Is(err, authentik.ErrNoEndpoint)
}

// unequal are the members of want and got that differ, null and zero too. A member that
// the server did not send may be zero.
func unequal(want, got any, path string) []string {
	switch want := want.(type) {
	case document:
		object, isObject := got.(document)
		if !isObject {
			break
		}
		var different []string
		for name, value := range want {
			different = append(different, unequal(value, object[name], path+"."+name)...)
		}
		return different
	case []any:
		list, isList := got.([]any)
		if !isList || len(list) != len(want) {
			break
		}
		var different []string
		for i := range want {
			different = append(different, unequal(want[i], list[i], path+"[]")...)
		}
		return different
	}
	if reflect.DeepEqual(want, got) {
		return nil
	}
	return []string{path + " was " + shortJSON(want) + " and is " + shortJSON(got)}
}

func shortJSON(v any) string {
	b, _ := json.Marshal(v) // it was JSON
	return string(b[:min(len(b), 100)])
}
