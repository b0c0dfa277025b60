package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"
)

// kindOf names the type of the error that the manual promises, "" if it has
// none of them.
func kindOf(err error) string {
	_, isAPI := errors.AsType[*authentik.APIError](err)
	_, isDecode := errors.AsType[*authentik.DecodeError](err)
	_, isURL := errors.AsType[*url.Error](err)
	switch {
	case isAPI:
		return "APIError"
	case isDecode:
		return "DecodeError"
	case isURL:
		return "url.Error"
	case errors.Is(err, authentik.ErrListChanged):
		return "ErrListChanged"
	}
	return ""
}

// jsonShapes are bodies that a server, a proxy or a fault makes.
var jsonShapes = []string{
	``, ` `, `null`, `true`, `1e400`, `"text"`, `[]`, `{}`, `{`, `[[[[`, "\ufeff{}", "\xff", `{}{}`,
	`{"detail":"Token invalid/expired"}`,
	`{"detail":"Not found.","code":"not_found"}`,
	`{"error":"authentik starting"}`,
	`{"non_field_errors":["Enterprise is required to create/update this object."],"detail":"Request denied.","code":"denied_license"}`,
	`{"configure_flow":["“abc” is not a valid UUID."],"failed_attempts_before_cancel":["Enter a number."]}`,
	`{"a":{"b":["x"],"c":{"d":"y"}},"items":[{},{"name":["z"]},"plain"],"n":[1,true,null]}`,
	`["Null characters are not allowed."]`, `[{}, {"name": ["Too long."]}]`,
	"{\"detail\":\"a\\nb\\u0000\\u202ec\\u2028d\\ud800\"}", "{\"name\":[\"\xff\xfe\"],\"\xff\":1}",
	`<!DOCTYPE html><html><body>bad gateway</body></html>`,
	`{"detail":"` + strings.Repeat("ä", 3000) + `"}`, `{"` + strings.Repeat("k", 3000) + `":["` + strings.Repeat("v", 3000) + `"]}`,
	emptyPage,
	`{"pagination":{"next":2,"count":3,"total_pages":2},"results":[{"pk":"765ed48b-9283-4461-987d-de42dba24533","name":"x"}]}`,
	`{"pagination":{"next":1},"results":[]}`, `{"pagination":{"next":-1,"count":-5,"total_pages":2147483648},"results":[]}`,
	`{"pagination":{"next":0},"results":null}`, `{"pagination":{"next":1.0e0},"results":[null]}`, `{"pagination":{},"results":[{}],"autocomplete":{}}`,
	`{"results":[{"pk":"765ed48b-9283-4461-987d-de42dba24533"},{"pk":"765ed48b-9283-4461-987d-de42dba24533"}],"pagination":{"next":0,"count":2}}`,
}

func FuzzErrorBody(f *testing.F) {
	for i, body := range jsonShapes {
		f.Add([]int{400, 403, 404, 429, 500, 503, 302, 999}[i%8], requestID, "application/json", []byte(body))
	}
	f.Add(200, "", "text/html\n\xff", []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, requestID, contentType string, body []byte) {
		if status < 200 || status > 999 {
			return
		}
		header := http.Header{"X-Authentik-Id": {requestID}, "Content-Type": {contentType}}
		var texts []string
		for range 2 {
			_, err := answering(t, status, header, string(body)).StagesPassword.Retrieve(t.Context(), pk)
			if err == nil {
				return
			}
			checkErrorText(t, err)
			texts = append(texts, err.Error())
			switch apiError, ok := errors.AsType[*authentik.APIError](err); {
			case status < 300 && kindOf(err) != "DecodeError", status >= 300 && !ok:
				t.Errorf("status %d: error %T", status, err)
			case ok && (apiError.StatusCode != status || !bytes.Equal(apiError.Body, body)):
				t.Errorf("status %d became %d, body %q became %q", status, apiError.StatusCode, body, apiError.Body)
			}
		}
		if texts[0] != texts[1] {
			t.Errorf("two texts: %q, %q", texts[0], texts[1])
		}
	})
}

// FuzzPage gives the same body for every page, whatever is asked for.
func FuzzPage(f *testing.F) {
	for _, shape := range jsonShapes {
		f.Add([]byte(shape))
	}
	f.Add([]byte(pageOf(authentik.Pagination{Next: 2, Count: 3, TotalPages: 1<<31 - 1}, 1, 2)))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := answering(t, http.StatusOK, nil, string(body)).StagesPassword.List(t.Context(), nil)
		if err == nil && page.Results == nil || err != nil && kindOf(err) != "DecodeError" {
			t.Fatalf("page %v, error %T %v", page, err, err)
		}
		if err != nil {
			checkErrorText(t, err)
		}
		for _, prefetch := range []int{0, 8} {
			var ends []string
			var counts []int
			for range 2 {
				client, mock := mockClient(t, authentik.WithRetries(0, 0, 0))
				mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
					if mock.GetTotalCallCount() > 100 { // it would go on for ever
						return answer(http.StatusInternalServerError, nil, "")(r)
					}
					return answer(http.StatusOK, nil, string(body))(r)
				})
				n, last := 0, error(nil)
				for stage, err := range client.StagesPassword.All(t.Context(),
					&authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{Prefetch: prefetch}}) {
					if last = err; err == nil {
						n++
					}
					if (stage == nil) != (err != nil) {
						t.Fatalf("yielded %v, %v", stage, err)
					}
				}
				if last != nil {
					checkErrorText(t, last)
					if kind := kindOf(last); kind != "DecodeError" && kind != "ErrListChanged" {
						t.Errorf("error %T %v", last, last)
					}
				}
				if asked := mock.GetTotalCallCount(); asked > 3*(2+prefetch) {
					t.Errorf("%d requests", asked)
				}
				ends, counts = append(ends, fmt.Sprint(last)), append(counts, n)
			}
			if ends[0] != ends[1] || counts[0] != counts[1] {
				t.Errorf("two ends: %d and %s, %d and %s", counts[0], ends[0], counts[1], ends[1])
			}
		}
	})
}

// models are all that have members.
var models = func() []reflect.Type {
	var models []reflect.Type
	for _, object := range slices.Sorted(maps.Keys(sdk.Objects)) {
		if object != "Pagination" {
			models = append(models, sdk.Objects[object])
		}
	}
	return models
}()

// rawJSON compares raw messages by what they mean.
var rawJSON = cmp.Comparer(func(a, b json.RawMessage) bool {
	var x, y any
	return decodeNumbers(a, &x) == nil && decodeNumbers(b, &y) == nil && reflect.DeepEqual(x, y)
})

// decodeNumbers keeps the numbers as they are written.
func decodeNumbers(b []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	return decoder.Decode(v)
}

// stageLike reports whether the texts of FuzzModel are of the model.
func stageLike(model reflect.Type) bool {
	return slices.Contains([]string{"FlowSet", "IdentificationStage", "PasswordStage", "SourceStage"}, model.Name())
}

func FuzzModel(f *testing.F) {
	for i, shape := range jsonShapes {
		f.Add(i, []byte(shape))
	}
	for _, text := range []string{
		`{"pk":"765ed48b-9283-4461-987d-de42dba24533","name":"x","user_fields":["email","badge"],"sources":[],"password_stage":null,"flow_set":[{"pk":"765ed48b-9283-4461-987d-de42dba24533","slug":"a","layout":"x","new":[1]}],"new":{"a":[1.50,null]}}`,
		`{"pk":"765ed48b-9283-4461-987d-de42dba24533","backends":["authentik.core.auth.InbuiltBackend"],"failed_attempts_before_cancel":-1,"configure_flow":"765ed48b-9283-4461-987d-de42dba24533","allow_show_password":true}`,
		`{"source":"765ed48b-9283-4461-987d-de42dba24533","resume_timeout":"minutes=10","resume_on_match_failures":["moon"],"flow_set":[{},null],"flow_set":[{"x":1}]}`,
		`{"flow_set":[null]}`,
		`{"title":"<&>\u2028","background_url":"/static/x.jpg","compatibility_mode":false,"a \" \\ ü":1e3,"extra":{},"Extra":[]}`,
	} {
		for i, model := range models {
			if stageLike(model) || i%40 == 0 { // few enough to fuzz with all soon
				f.Add(i, []byte(text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, i int, text []byte) {
		model := models[uint(i)%uint(len(models))]
		decoded := reflect.New(model)
		if json.Unmarshal(text, decoded.Interface()) != nil {
			return
		}
		encoded, err := json.Marshal(decoded.Interface())
		if err != nil {
			t.Fatalf("%q cannot be encoded again: %v", text, err)
		}
		again := reflect.New(model)
		if err := json.Unmarshal(encoded, again.Interface()); err != nil {
			t.Fatalf("%q became %q: %v", text, encoded, err)
		}
		if diff := cmp.Diff(decoded.Interface(), again.Interface(), rawJSON); diff != "" {
			t.Errorf("%q became %q (-first +second):\n%s", text, encoded, diff)
		}
		if encodedAgain, err := json.Marshal(again.Interface()); err != nil || !bytes.Equal(encoded, encodedAgain) {
			t.Errorf("%q became %q, then %q, %v", text, encoded, encodedAgain, err)
		}
		var want, got any
		if decodeNumbers(text, &want) != nil || decodeNumbers(encoded, &got) != nil {
			t.Fatalf("%q became %q, one of which is no JSON", text, encoded)
		}
		if want == nil {
			return
		}
		if want, ok := canonical(want, model); ok {
			if different := differences(want, got, model.Name()); len(different) > 0 {
				t.Errorf("%q became %q: %v", text, encoded, different)
			}
		}
	})
}

// canonical returns what a model of the type has to make of the members: null is
// zero, and ids and numbers are written one way. ok is false for members that
// differ from a field's name in case alone, which encoding/json takes for it, and
// for values that are written in more than one way, such as times.
func canonical(v any, model reflect.Type) (members map[string]any, ok bool) {
	object, isObject := v.(map[string]any)
	if !isObject {
		return nil, v == nil
	}
	members = map[string]any{}
	fields := sdk.FieldsByTag(model, "json")
	for name, value := range object {
		field, known := fields[name]
		for other := range fields {
			if !known && strings.EqualFold(other, name) {
				return nil, false
			}
		}
		switch {
		case !known:
			members[name] = value
		case value != nil:
			if members[name], ok = canonicalValue(value, field.Type); !ok {
				return nil, false
			}
		}
	}
	return members, true
}

func canonicalValue(v any, t reflect.Type) (any, bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch list, isList := v.([]any); {
	case t == reflect.TypeFor[uuid.UUID]():
		text, _ := v.(string) // null is uuid.Nil
		id, _ := uuid.Parse(text)
		return id.String(), true
	case slices.Contains(models, t):
		members, ok := canonical(v, t)
		return members, ok
	case isList && t.Kind() == reflect.Slice:
		values := make([]any, len(list))
		for i := range list {
			var ok bool
			if values[i], ok = canonicalValue(list[i], t.Elem()); !ok {
				return nil, false
			}
		}
		return values, true
	case t.Kind() == reflect.Int && v != nil:
		n, err := strconv.Atoi(string(v.(json.Number)))
		return json.Number(strconv.Itoa(n)), err == nil
	case t.Kind() == reflect.String && v == nil:
		return "", true
	case t.Kind() == reflect.String:
		_, isText := v.(string)
		return v, isText // a number has another form
	}
	return v, v == nil || t.Kind() == reflect.Bool
}

var apiURL = regexp.MustCompile(`^https?://[^/?#@]+/([^/?#]+/)*api/v3/x/$`)

func FuzzBaseURL(f *testing.F) {
	for _, base := range []string{
		"", "https://host", "https://host/", "http://host:9000", "https://[::1]:9443/", "https://host/sso/api/v3/", "HTTPS://HOST/api/v3",
		"https://admin:hunter2@host", "authentik.company", "localhost:9443", "ftp://host", "https://:443", "https://host:0", "https://host:65536",
		"https://host/?next=/", "https://host/#/flows", "https://ho st", "https://host/a/../b", "https://host/a//b", "https://host/a%2Fb",
		"https://host/mit%20leerraum/", "https://host/%00", "https://host\r\nX: y", "https://[::1", "//host", "https:host", "https://host/%zz",
		"https://host:" + strings.Repeat("9", 3000), "https://host/" + strings.Repeat("a/../", 1000), strings.Repeat("h", 2000) + "://host",
		"https://[fe80::1%25eth0]/", "https://hôst/", "https://host/\xff", "https://host:+1",
	} {
		f.Add(base)
	}
	f.Fuzz(func(t *testing.T, base string) {
		var asked []string
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.String())
			return httpmock.NewStringResponse(http.StatusOK, `{}`), nil
		})
		for range 2 { // what is asked for is, without x/, a base URL for the same
			client, err := authentik.NewClient(base, apiToken, authentik.WithHTTPClient(&http.Client{Transport: transport}))
			if err != nil && len(asked) > 0 {
				t.Fatalf("%q is refused: %v", base, err)
			}
			if err != nil {
				checkErrorText(t, err)
				return
			}
			if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
				checkErrorText(t, err)
				return
			}
			base = strings.TrimSuffix(asked[0], "x/")
		}
		if !apiURL.MatchString(asked[0]) || asked[0] != asked[1] {
			t.Errorf("asked for %q", asked)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{
		"", "0", "5", "-5", "+5", "05", "1.5", "5s", "soon", "86400", "99999999999999999999", "-99999999999999999999", "9223372036854775807", "0x5",
		"Fri, 31 Dec 1999 23:59:59 GMT", "Sat, 01 Jan 2000 00:00:03 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Saturday, 01-Jan-00 00:00:03 GMT",
		"Sat Jan  1 00:00:03 2000", "Sat, 01 Jan 2000 00:00:03 +0100", "\xff", "5, 6", " 5 ", "20000000000000000000A",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		const least, most = 2 * time.Second, 7 * time.Second
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			times, _, err := attempts(t.Context(), t, answer(http.StatusServiceUnavailable, http.Header{"Retry-After": {value}}, ""),
				authentik.WithRetries(1, least, most))
			if !errors.Is(err, authentik.ErrServer) || len(times) != 2 {
				t.Fatalf("%d tries, error %v", len(times), err)
			}
			checkErrorText(t, err)
			wants := span{least * 3 / 4, least}
			if seconds, ok := new(big.Int).SetString(value, 10); ok && seconds.Sign() > 0 && value[0] != '+' {
				wait := most
				if seconds.Cmp(big.NewInt(7)) < 0 {
					wait = time.Duration(seconds.Int64()) * time.Second
				}
				wants = span{wait, wait}
			} else if at, err := http.ParseTime(value); err == nil && at.After(start) {
				wait := min(at.Sub(start), most)
				wants = span{wait, wait}
			}
			if wait := times[1] - times[0]; wait < wants.least || wait > wants.most {
				t.Errorf("waited %v, want %v to %v", wait, wants.least, wants.most)
			}
		})
	})
}

func FuzzResumeTimeout(f *testing.F) {
	for _, text := range []string{
		"", "minutes=10", "hours=-1;minutes=-2;seconds=-3", "days=1.5", "weeks=1e3", "seconds=1_0", "Seconds=1;seconds=2", "minutes=10;", "10", "minutes",
		"minutes = 10", "minutes= 10 ", "microseconds=0.5", "milliseconds=.5", "hours=1e400", "hours=nan", "hours=inf", "days=106751", "days=106752",
		"fortnights=1", "fortnights=x;days=1", "days=1=2", "days==", "\xff=1", "days=\xff", "days=" + strings.Repeat("9", 3000), strings.Repeat("x", 3000),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stage := authentik.SourceStage{ResumeTimeout: text}
		got, err := stage.ResumeTimeoutDuration()
		again, errAgain := stage.ResumeTimeoutDuration()
		if got != again || (err == nil) != (errAgain == nil) {
			t.Errorf("%v and %v, %v and %v", got, again, err, errAgain)
		}
		if err != nil {
			checkErrorText(t, err)
			if got != 0 {
				t.Errorf("%v beside the error %v", got, err)
			}
			return
		}
		if got%time.Microsecond != 0 {
			t.Errorf("%v is no whole number of microseconds", got)
		}
		// Its own value in microseconds is the same time again.
		exact := fmt.Sprintf("microseconds=%d", got.Microseconds())
		if same, err := (authentik.SourceStage{ResumeTimeout: exact}).ResumeTimeoutDuration(); got.Abs() < 1<<52*time.Microsecond && (err != nil || same != got) {
			t.Errorf("%s is %v, %v; want %v", exact, same, err, got)
		}
	})
}
