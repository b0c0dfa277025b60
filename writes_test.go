package authentik_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"
)

type thingRequest struct {
	Name string                        `json:"name,omitzero"`
	Flow authentik.Nullable[uuid.UUID] `json:"flow,omitzero"`
	Tags []string                      `json:"tags,omitzero"`
}

func TestWrites(t *testing.T) {
	t.Parallel()
	const object = `{"pk":7,"name":"x"}`
	req := &thingRequest{Name: "x", Flow: authentik.Null[uuid.UUID](), Tags: []string{}}
	const body = `{"name":"x","flow":null,"tags":[]}`
	type options struct {
		Usage string `url:"usage"`
	}
	for name, tt := range map[string]struct {
		write func(context.Context, *authentik.Client) (*written, error)
		want  sentWrite
	}{
		"Post": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return authentik.Post[written](ctx, c, "core/things/", req)
		}, sentWrite{"POST", "core/things/", "application/json", body}},
		"Post without a body": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return authentik.Post[written](ctx, c, "/core/things/7/recovery", nil)
		}, sentWrite{"POST", "core/things/7/recovery/", "", ""}},
		"Put": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return authentik.Put[written](ctx, c, "core/things/7/", *req)
		}, sentWrite{"PUT", "core/things/7/", "application/json", body}},
		"Patch": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return authentik.Patch[written](ctx, c, "core/things/7/", map[string]any{"name": "<x>"})
		}, sentWrite{"PATCH", "core/things/7/", "application/json", `{"name":"\u003cx\u003e"}`}},
		"raw": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return authentik.Patch[written](ctx, c, "core/things/7/", json.RawMessage(`{}`))
		}, sentWrite{"PATCH", "core/things/7/", "application/json", `{}`}},
		"create": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return authentik.CreateObject[written](ctx, c, "core/things/", req)
		}, sentWrite{"POST", "core/things/", "application/json", body}},
		"update": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return authentik.UpdateObject[written](ctx, c, "core/things/", 7, req)
		}, sentWrite{"PATCH", "core/things/7/", "application/json", body}},
		"remove": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return &written{7, "x"}, authentik.RemoveObject(ctx, c, "core/things/", pk)
		}, sentWrite{"DELETE", "core/things/" + pkText + "/", "", ""}},
		"action": {func(ctx context.Context, c *authentik.Client) (*written, error) {
			return &written{7, "x"}, authentik.Action(ctx, c, "core/things/", "a b", "test/", &options{"a&b"}, req)
		}, sentWrite{"POST", "core/things/a%20b/test/?usage=a%26b", "application/json", body}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, sent := recorder(t, http.StatusOK, object)
			got, err := tt.write(t.Context(), client)
			if err != nil || *got != (written{7, "x"}) {
				t.Errorf("got %v, error %v", got, err)
			}
			tt.want.URL = apiPath + tt.want.URL
			if diff := cmp.Diff([]sentWrite{tt.want}, *sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWritesWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " \n", "{}", "null", `{"detail":"done"}`, "[]"} {
		client, _ := recorder(t, http.StatusOK, body)
		if _, err := authentik.Post[struct{}](t.Context(), client, "x/", nil); err != nil && body != "null" {
			t.Errorf("%q where nothing is expected: %v", body, err)
		}
		if err := authentik.Delete(t.Context(), client, "x/"); err != nil && body != "null" {
			t.Errorf("Delete that is answered %q: %v", body, err)
		}
	}
	for _, body := range []string{"", "<html>", "{", "[]", `{"name":"x"}`} {
		client, sent := recorder(t, http.StatusOK, body)
		_, err := authentik.Post[written](t.Context(), client, "x/", nil)
		if _, ok := errors.AsType[*authentik.DecodeError](err); !ok || !errors.Is(err, authentik.ErrOutcomeUnknown) || len(*sent) != 1 {
			t.Errorf("%q where an object is expected: error %v after %d attempts", body, err, len(*sent))
		}
	}
	for _, body := range []string{"<html>", "{"} {
		client, _ := recorder(t, http.StatusOK, body)
		if err := authentik.Delete(t.Context(), client, "x/"); !errors.Is(err, authentik.ErrOutcomeUnknown) {
			t.Errorf("Delete that is answered %q: %v", body, err)
		}
	}
}

func TestWrongWritesSendNothing(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var nilRequest *thingRequest
	type options struct{ Usage string }
	for name, tt := range map[string]struct {
		write func(c *authentik.Client) error
		want  string
	}{
		"nil pointer": {func(c *authentik.Client) error {
			_, err := authentik.Post[written](ctx, c, "x/", nilRequest)
			return err
		}, "POST /sso/api/v3/x/: the request is nil"},
		"nil map": {func(c *authentik.Client) error {
			_, err := authentik.Post[written](ctx, c, "x/", map[string]any(nil))
			return err
		}, "the request is nil"},
		"nil raw": {func(c *authentik.Client) error {
			_, err := authentik.Put[written](ctx, c, "x/", json.RawMessage(nil))
			return err
		}, "the request is nil"},
		"nil in Put":   {func(c *authentik.Client) error { _, err := authentik.Put[written](ctx, c, "x/", nil); return err }, "the request is nil"},
		"nil in Patch": {func(c *authentik.Client) error { _, err := authentik.Patch[written](ctx, c, "x/", nil); return err }, "the request is nil"},
		"nil in create": {func(c *authentik.Client) error {
			_, err := authentik.CreateObject[written](ctx, c, "x/", nil)
			return err
		}, "the request is nil"},
		"nil id": {func(c *authentik.Client) error {
			_, err := authentik.UpdateObject[written](ctx, c, "x/", uuid.Nil, &thingRequest{})
			return err
		}, "the id is uuid.Nil"},
		"zero id":           {func(c *authentik.Client) error { return authentik.RemoveObject(ctx, c, "x/", 0) }, "the id is 0"},
		"empty slug":        {func(c *authentik.Client) error { return authentik.RemoveObject(ctx, c, "x/", "") }, "the id is empty"},
		"empty path":        {func(c *authentik.Client) error { return authentik.Delete(ctx, c, "") }, "empty segment"},
		"query in the path": {func(c *authentik.Client) error { return authentik.Delete(ctx, c, "x/?a=%zz") }, "query"},
		"nil context":       {func(c *authentik.Client) error { return authentik.Delete(nil, c, "x/") }, "context is nil"}, //nolint:staticcheck // it is told
		"wrong options":     {func(c *authentik.Client) error { return authentik.Action(ctx, c, "x/", 1, "y/", options{"z"}, nil) }, "the field Usage"},
		"not a number": {func(c *authentik.Client) error {
			_, err := authentik.Post[written](ctx, c, "x/", map[string]any{"hunter2": math.NaN()})
			return err
		}, "cannot be encoded"},
		"nil file in a request": {func(c *authentik.Client) error {
			return c.AdminFile.Create(ctx, &authentik.FileUploadRequest{File: (*os.File)(nil)})
		}, "the content is nil"},
		"nil content": {func(c *authentik.Client) error { return authentik.Upload(ctx, c, "x/", nil, "a", nil) }, "the content is nil"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, sent := recorder(t, http.StatusOK, `{"pk":7}`)
			err := tt.write(client)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
			if len(*sent) > 0 {
				t.Errorf("sent %v", *sent)
			}
		})
	}
}

// TestErrorsOfArgumentsNameThePath has arguments that are wrong.
func TestErrorsOfArgumentsNameThePath(t *testing.T) {
	t.Parallel()
	client, _ := recorder(t, 200, "{}")
	_, err := client.CoreApplications.Update(t.Context(), "a/b", &authentik.ApplicationRequest{})
	if want := "authentik: PATCH " + apiPath + `core/applications/: the id "a/b" has a slash`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	wrong := &authentik.CoreUsersListOptions{ListOptions: authentik.ListOptions{Page: -1}}
	_, list := client.CoreUsers.List(t.Context(), wrong)
	_, get := authentik.Get[authentik.User](t.Context(), client, "core/users/", wrong)
	for _, err := range []error{list, get, lastError(client.CoreUsers.All(t.Context(), wrong))} {
		if err == nil || !strings.HasPrefix(err.Error(), "authentik: GET "+apiPath+"core/users/: ") {
			t.Errorf("error %v", err)
		}
	}
}

// TestQueryOfAWrite is in the path of the generic functions.
func TestQueryOfAWrite(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	client, sent := recorder(t, 400, `{}`, authentik.WithLogger(debugLogger(&logged)))
	for method, write := range map[string]func(path string) error{
		"POST": func(path string) error { return second(authentik.Post[struct{}](t.Context(), client, path, nil)) },
		"PUT":  func(path string) error { return second(authentik.Put[struct{}](t.Context(), client, path, struct{}{})) },
		"PATCH": func(path string) error {
			return second(authentik.Patch[struct{}](t.Context(), client, path, struct{}{}))
		},
		"DELETE": func(path string) error { return authentik.Delete(t.Context(), client, path) },
	} {
		*sent = nil
		err := write("x/1?name=hunter2%20%26&force=true")
		if len(*sent) != 1 || (*sent)[0].Method != method || (*sent)[0].URL != apiPath+"x/1/?force=true&name=hunter2+%26" {
			t.Errorf("sent %v", *sent)
		}
		*sent = nil
		wrong := []error{write("x/?name=hunter2%zz"), write("x/?name=hunter2#hunter2"), write("x/#hunter2")}
		for _, err := range append(wrong, err) {
			if err == nil || strings.Contains(err.Error()+logged.String(), "hunter2") {
				t.Errorf("error %v, logged %s", err, logged.String())
			}
		}
		if len(*sent) > 0 {
			t.Errorf("sent %v", *sent)
		}
	}
}

// TestCreateByPut is repeated no more than a POST: it would make two applications.
func TestCreateByPut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		responder httpmock.Responder
		attempts  int
	}{
		"after a cut": {failing(io.EOF), 1},
		"after a 502": {answer(502, nil, ""), 1},
		"after 429":   {answer(429, nil, ""), 2},
	} {
		client, mock := mockClient(t, authentik.WithRetries(3, 0, 0))
		mock.RegisterNoResponder(tt.responder.Then(answer(200, nil, `{"applied":true}`)))
		_, err := client.CoreTransactionalApplications.Create(t.Context(), &authentik.TransactionApplicationRequest{})
		if unknown := tt.attempts == 1; errors.Is(err, authentik.ErrOutcomeUnknown) != unknown || mock.GetTotalCallCount() != tt.attempts {
			t.Errorf("%s: error %v after %d attempts", name, err, mock.GetTotalCallCount())
		}
	}
}

func TestWriteErrors(t *testing.T) {
	t.Parallel()
	req := &thingRequest{Name: "hunter2"}
	for _, tt := range []struct {
		status int
		body   string
		is     error
		text   string
	}{
		{400, `{"name":["This field must be unique."],"mappings":{"0":{"name":["Too long."]}}}`, authentik.ErrBadRequest, "mappings.0.name: Too long.; name: This field must be unique."},
		{403, `{"detail":"You do not have permission to perform this action."}`, authentik.ErrForbidden, "permission"},
		{404, `{"detail":"Not found."}`, authentik.ErrNotFound, "Not found."},
		{404, `<html>`, authentik.ErrNoEndpoint, "no such endpoint"},
		{405, `{"detail":"Method \"PATCH\" not allowed."}`, nil, "this release of the server has no such method here"},
		{409, `{"detail":"Taken."}`, authentik.ErrConflict, "409 Conflict: Taken."},
	} {
		client, sent := recorder(t, tt.status, tt.body)
		_, err := authentik.UpdateObject[written](t.Context(), client, "x/", 1, req)
		if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d: error %v", tt.status, err)
		}
		if errors.Is(err, authentik.ErrOutcomeUnknown) || len(*sent) != 1 {
			t.Errorf("%d: error %v after %d attempts", tt.status, err, len(*sent))
		}
	}
}

func TestDeleteOfWhatIsGone(t *testing.T) {
	t.Parallel()
	gone := answer(404, nil, `{"detail":"Not found."}`)
	for name, tt := range map[string]struct {
		responder httpmock.Responder
		done      bool
	}{
		"at once":                  {gone, false},
		"after a cut":              {failing(io.EOF).Then(gone), true},
		"after a 502":              {answer(502, nil, "").Then(gone), true},
		"after 429":                {answer(429, nil, "").Then(gone), false},
		"after a cut and 429":      {failing(io.EOF).Then(answer(429, nil, "")).Then(gone), true},
		"after a 502, no route":    {answer(502, nil, "").Then(answer(404, nil, "404 page not found\n")), false},
		"after a 502, no page":     {answer(502, nil, "").Then(answer(404, nil, "")), false},
		"after a 502, a gateway's": {answer(502, nil, "").Then(answer(404, nil, `{"message":"no Route matched"}`)), false},
		"after a cut, refused 403": {failing(io.EOF).Then(answer(403, nil, `{"detail":"no"}`)), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, mock := mockClient(t, authentik.WithRetries(3, 0, 0))
			mock.RegisterNoResponder(tt.responder)
			err := authentik.Delete(t.Context(), client, "x/1/")
			unknown := strings.HasPrefix(name, "after a ") && !tt.done
			if (err == nil) != tt.done || errors.Is(err, authentik.ErrOutcomeUnknown) != unknown {
				t.Errorf("error %v", err)
			}
		})
	}
	// A PATCH may have changed the slug by which it names the object.
	client, mock := mockClient(t, authentik.WithRetries(3, 0, 0))
	mock.RegisterNoResponder(failing(io.EOF).Then(gone))
	_, err := authentik.Patch[struct{}](t.Context(), client, "x/1/", map[string]string{"slug": "y"})
	if !errors.Is(err, authentik.ErrNotFound) || !errors.Is(err, authentik.ErrOutcomeUnknown) {
		t.Errorf("error %v", err)
	}
}

// TestContextEndsAWrite ends it before and after the request is sent.
func TestContextEndsAWrite(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		trip    func(*http.Request) (*http.Response, error)
		unknown bool
	}{
		"without a connection": {func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).GetConn("host:443")
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, false},
		"with a connection": {func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).GetConn("host:443")
			if r.Context().Err() == nil {
				httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, true},
		"of a transport that does not tell": {func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, true},
		"in a wait after 429": {answer(429, http.Header{"Retry-After": {"10"}}, ""), false},
	} {
		for method, write := range writeMethods {
			t.Run(name+"/"+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: roundTripper(tt.trip)}))
					if err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(time.Second, cancel)
					err = write(ctx, client, "x/1/")
					if !errors.Is(err, context.Canceled) || errors.Is(err, authentik.ErrOutcomeUnknown) != tt.unknown {
						t.Errorf("error %v", err)
					}
					err = write(ctx, client, "x/1/") // it has ended before
					if !errors.Is(err, context.Canceled) && name != "in a wait after 429" || errors.Is(err, authentik.ErrOutcomeUnknown) {
						t.Errorf("error %v of a context that has ended", err)
					}
				})
			})
		}
	}
}

func TestRedirectsOfWrites(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for method, write := range writeMethods {
			t.Run(fmt.Sprint(status, method), func(t *testing.T) {
				t.Parallel()
				var sent []string
				client, err := authentik.NewClient("http://host/sso", apiToken, authentik.WithHTTPClient(&http.Client{
					Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
						body := ""
						if r.Body != nil {
							b, _ := io.ReadAll(r.Body)
							body = string(b)
						}
						sent = append(sent, r.Method+" "+r.URL.Scheme+" "+r.Header.Get("Authorization")+body)
						if r.URL.Scheme == "http" {
							return answer(status, http.Header{"Location": {"https://host/sso/api/v3/x/1/"}}, "")(r)
						}
						return answer(200, nil, `{"pk":7}`)(r)
					}),
				}))
				if err != nil {
					t.Fatal(err)
				}
				err = write(t.Context(), client, "x/1/")
				body := ""
				if method != http.MethodDelete {
					b, _ := json.Marshal(writtenRequest)
					body = string(b)
				}
				want := []string{method + " http Bearer " + apiToken + body}
				if status >= 307 {
					want = append(want, method+" https Bearer "+apiToken+body)
				} else if err == nil || !strings.Contains(err.Error(), "use the base URL that leads to https://host/sso/api/v3/x/1/") ||
					errors.Is(err, authentik.ErrOutcomeUnknown) {
					t.Errorf("error %v", err)
				}
				if (err == nil) != (status >= 307) {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(want, sent); diff != "" {
					t.Errorf("sent (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestPostOnAConnectionThatIsGone sends a POST on a connection that the server
// has closed since the last answer.
func TestPostOnAConnectionThatIsGone(t *testing.T) {
	t.Parallel()
	posts := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts++
		}
		_, _ = io.WriteString(w, writtenBody)
	}))
	t.Cleanup(server.Close)
	client, err := authentik.NewClient(server.URL, apiToken, authentik.WithHTTPClient(httpClient(t)), authentik.WithRetries(2, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if _, err := authentik.Get[written](t.Context(), client, "x/1/", nil); err != nil {
			t.Fatal(err)
		}
		server.CloseClientConnections()
		before := posts
		_, err := authentik.Post[written](t.Context(), client, "x/", writtenRequest)
		if done := posts - before; done > 1 || err == nil && done != 1 || err != nil && !errors.Is(err, authentik.ErrOutcomeUnknown) {
			t.Fatalf("handled %d times, error %v", done, err)
		}
	}
}

type secretRequest struct {
	Name     string  `json:"name,omitzero"`
	Password *string `json:"password,omitzero" authentik:"writeonly"`
	Key      string  `json:"key,omitzero" authentik:"writeonly"`
	Readable string  `json:"readable,omitzero" authentik:"secret"`
}

func (r secretRequest) Format(f fmt.State, _ rune) { authentik.FormatHidden(f, r) }
func (r secretRequest) LogValue() slog.Value       { return authentik.Hidden(r) }

func TestIgnoredMembers(t *testing.T) {
	t.Parallel()
	type sent struct {
		Name string `json:"name,omitzero"`
		New  *int   `json:"new,omitzero"`
		Also *int   `json:"also,omitzero"`
	}
	create := func(ctx context.Context, c *authentik.Client, req any) (*written, error) {
		return authentik.CreateObject[written](ctx, c, "x/", req)
	}
	post := func(ctx context.Context, c *authentik.Client, req any) (*written, error) {
		return authentik.Post[written](ctx, c, "x/", req)
	}
	patch := func(ctx context.Context, c *authentik.Client, req any) (*written, error) {
		return authentik.Patch[written](ctx, c, "x/", req)
	}
	action := func(ctx context.Context, c *authentik.Client, req any) (*written, error) {
		return &written{PK: 7}, authentik.Action(ctx, c, "x/", 1, "y/", nil, req)
	}
	for name, tt := range map[string]struct {
		write func(context.Context, *authentik.Client, any) (*written, error)
		req   any
		want  []string
	}{
		"none":                {create, sent{Name: "x"}, nil},
		"two":                 {create, sent{Name: "x", New: new(1), Also: new(1)}, []string{"also", "new"}},
		"all of a create":     {create, sent{New: new(1)}, []string{"new"}},
		"all of a Patch":      {patch, &sent{New: new(1)}, []string{"new"}},
		"some of a Post":      {post, sent{Name: "x", New: new(1)}, []string{"new"}},
		"a Post of an action": {post, sent{New: new(1)}, nil},
		"an action":           {action, sent{Name: "x", New: new(1)}, nil},
		"a map":               {post, map[string]any{"name": "x", "password": "hunter2"}, nil},
		"a Patch of a map":    {patch, map[string]any{"password": "hunter2"}, nil},
		"a Patch of JSON":     {patch, json.RawMessage(`{"password":"hunter2"}`), nil},
		"secrets":             {create, &secretRequest{Name: "x", Password: new("hunter2"), Key: "hunter2"}, nil},
		"secrets, and one of two": {create, struct {
			secretRequest
			New int `json:"new"`
		}{secretRequest{Password: new("hunter2")}, 1}, []string{"new"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&logged, nil))
			client, _ := recorder(t, http.StatusOK, `{"pk":7,"name":"x"}`, authentik.WithLogger(logger))
			got, err := tt.write(t.Context(), client, tt.req)
			if err != nil || got.PK != 7 {
				t.Errorf("got %v, error %v", got, err)
			}
			line := fmt.Sprintf(`level=WARN msg="authentik ignored or changed members" method=%s path=/sso/api/v3/x/ members=`, map[bool]string{true: "PATCH", false: "POST"}[name == "all of a Patch"])
			if (logged.Len() > 0) != (tt.want != nil) || tt.want != nil && (!strings.Contains(logged.String(), line) || !strings.Contains(logged.String(), fmt.Sprint(tt.want))) {
				t.Errorf("logged %q", logged.String())
			}

			logged.Reset()
			client, _ = recorder(t, http.StatusOK, `{"pk":7,"name":"x"}`, authentik.WithLogger(logger), authentik.WithStrictWrites())
			got, err = tt.write(t.Context(), client, tt.req)
			if got == nil || got.PK != 7 || logged.Len() > 0 {
				t.Errorf("got %v, logged %q", got, logged.String())
			}
			ignored, ok := errors.AsType[*authentik.IgnoredError](err)
			if ok != (tt.want != nil) || err != nil && !ok {
				t.Fatalf("error %v", err)
			}
			if ok {
				var names []string
				for _, member := range ignored.Members {
					names = append(names, member.Name)
				}
				if diff := cmp.Diff(tt.want, names); diff != "" || !strings.HasSuffix(err.Error(), " (sent 1, got nothing) (request id 0a1b)") || ignored.RequestID != "0a1b" {
					t.Errorf("error %v (-want +got):\n%s", err, diff)
				}
			}
			if strings.Contains(logged.String()+fmt.Sprint(err), "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}

func TestSecretsOfARequest(t *testing.T) {
	t.Parallel()
	req := secretRequest{"x", new("hunter2"), "hunter2", "hunter2"}
	var logged bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&logged, nil)), slog.New(slog.NewJSONHandler(&logged, nil))} {
		logger.Info("request", "by value", req, "by pointer", &req)
	}
	texts := []string{logged.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		texts = append(texts, fmt.Sprintf(verb, req), fmt.Sprintf(verb, &req), fmt.Sprintf(verb, struct{ R *secretRequest }{&req}.R))
	}
	for _, text := range texts {
		if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) || !strings.Contains(text, "Key:(hidden)") || !strings.Contains(text, "Name:x") {
			t.Errorf("text %s", text)
		}
	}
	pointers := struct {
		ID, None *string
		Struct   *struct{ A int }
		Key      string `authentik:"secret"`
	}{ID: new("id"), Struct: &struct{ A int }{1}, Key: "hunter2"}
	if got, want := authentik.Hidden(pointers).String(), "{ID:id None:<nil> Struct:&{1} Key:(hidden)}"; got != want {
		t.Errorf("pointers are %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(secretRequest{Name: "x"}), "{Name:x Password:<nil> Key: Readable:}"; got != want {
		t.Errorf("without secrets it is %s, want %s", got, want)
	}
	// The server is sent them, and no error or log has them.
	for _, responder := range []httpmock.Responder{
		failing(io.EOF), answer(503, nil, ""), answer(400, nil, `{"key":["Wrong."]}`), answer(200, nil, "<html>"), answer(302, http.Header{"Location": {"/"}}, ""),
	} {
		logged.Reset()
		client, mock := mockClient(t, authentik.WithRetries(1, 0, 0),
			authentik.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		sent := false
		mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				b, _ := io.ReadAll(r.Body)
				sent = strings.Contains(string(b), "hunter2")
			}
			return responder(r)
		})
		_, err := authentik.UpdateObject[written](t.Context(), client, "x/", 1, &req)
		if text := fmt.Sprintf("%v %+v %#v", err, err, err) + logged.String(); !sent || err == nil || strings.Contains(text, "hunter2") {
			t.Errorf("text %s", text)
		}
	}
}

// onlyReader hides what else a reader can do.
type onlyReader struct{ io.Reader }

type readerWithLen struct {
	io.Reader
	n int
}

func (r readerWithLen) Len() int { return r.n }

func TestUpload(t *testing.T) {
	t.Parallel()
	const content = "name: blueprint\n"
	seeker := func() io.Reader {
		r := strings.NewReader("skipped " + content)
		_, _ = r.Seek(int64(len("skipped ")), io.SeekStart)
		return r
	}
	once := func() io.Reader { return onlyReader{strings.NewReader(content)} }
	sized := func() io.Reader { return readerWithLen{strings.NewReader(content), len(content)} }
	for name, tt := range map[string]struct {
		content  func() io.Reader
		answer   httpmock.Responder
		attempts int
		done     bool
	}{
		"a seeker":               {seeker, answer(204, nil, ""), 1, true},
		"a seeker, 429":          {seeker, answer(429, nil, "").Then(answer(429, nil, "")).Then(answer(204, nil, "")), 3, true},
		"a seeker, 503":          {seeker, answer(503, nil, ""), 1, false},
		"a reader":               {once, answer(204, nil, ""), 1, true},
		"a reader, 429":          {once, answer(429, nil, ""), 1, false},
		"a reader of known size": {sized, answer(204, nil, ""), 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, mock := mockClient(t, authentik.WithRetries(2, 0, 0))
			attempts := 0
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				attempts++
				var body bytes.Buffer
				n, err := body.ReadFrom(r.Body)
				if err != nil || n != r.ContentLength {
					t.Errorf("a body of %d bytes with Content-Length %d, error %v", n, r.ContentLength, err)
				}
				_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
				if err != nil {
					t.Error(err)
				}
				form, err := multipart.NewReader(&body, params["boundary"]).ReadForm(1 << 20)
				if err != nil {
					t.Error(err)
					return nil, io.EOF
				}
				if diff := cmp.Diff(map[string][]string{"name": {"ä\"b"}, "usage": {"media"}}, form.Value); diff != "" {
					t.Errorf("fields (-want +got):\n%s", diff)
				}
				file := form.File["file"][0]
				opened, err := file.Open()
				if err != nil {
					t.Error(err)
				}
				got, _ := io.ReadAll(opened)
				if file.Filename != "b.yaml" || string(got) != content {
					t.Errorf("file %q holds %q", file.Filename, got)
				}
				return tt.answer(r)
			})
			err := authentik.Upload(t.Context(), client, "admin/file/", map[string]string{"usage": "media", "name": "ä\"b"}, "b.yaml", tt.content())
			if (err == nil) != tt.done || attempts != tt.attempts {
				t.Errorf("error %v after %d attempts", err, attempts)
			}
		})
	}
}

// endlessContent is content that never ends, and counts what is read of it.
type endlessContent struct{ read int }

func (e *endlessContent) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestUploadOfTooMuch(t *testing.T) {
	t.Parallel()
	client, sent := recorder(t, 204, "")
	content := &endlessContent{}
	err := authentik.Upload(t.Context(), client, "admin/file/", nil, "x", content)
	if err == nil || !strings.Contains(err.Error(), "32 MiB") || len(*sent) > 0 || content.read > 70<<20 {
		t.Errorf("error %v after %d bytes", err, content.read)
	}
	failure := errors.New("the disk is gone")
	err = authentik.Upload(t.Context(), client, "admin/file/", nil, "x", onlyReader{&brokenBody{strings.NewReader("x"), failure}})
	if !errors.Is(err, failure) || len(*sent) > 0 {
		t.Errorf("error %v", err)
	}
}

// TestUploadStreams sees that the server has the beginning before the end is read.
func TestUploadStreams(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 1<<20))
		close(began)
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	client, err := authentik.NewClient(server.URL, apiToken, authentik.WithHTTPClient(httpClient(t)))
	if err != nil {
		t.Fatal(err)
	}
	const size = 24 << 20
	content := readerWithLen{io.MultiReader(
		io.LimitReader(&endlessContent{}, size/2),
		readerFunc(func([]byte) (int, error) { <-began; return 0, io.EOF }),
		io.LimitReader(&endlessContent{}, size/2),
	), size}
	if err := authentik.Upload(t.Context(), client, "admin/file/", nil, "x", content); err != nil {
		t.Fatal(err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestMarkAllSeenClosesItsConnection has a server answer 204 with a body, as authentik
// does. If the connection stayed, net/http would print that to the program's stderr.
func TestMarkAllSeenClosesItsConnection(t *testing.T) {
	t.Parallel()
	closed := make(chan map[string]bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		closed <- map[string]bool{r.URL.Path: r.Close}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n{}")
		if r.Close {
			_, _ = io.Copy(io.Discard, conn) // until the client closes
		}
	}))
	t.Cleanup(server.Close)
	transport := server.Client().Transport.(*http.Transport)
	client, err := authentik.NewClient(server.URL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	const path = "events/notifications/mark_all_seen/"
	for range 3 {
		if err := client.EventsNotifications.MarkAllSeen(t.Context()); err != nil {
			t.Error(err)
		}
		if got := <-closed; !got["/api/v3/"+path] {
			t.Errorf("the connection is kept: %v", got)
		}
		if _, err := authentik.Post[struct{}](t.Context(), client, "/"+path, nil); err != nil {
			t.Error(err)
		}
		if got := <-closed; !got["/api/v3/"+path] {
			t.Errorf("the connection is kept: %v", got)
		}
	}
}
