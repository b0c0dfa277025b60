package authentik_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/authentik-go/authentik/internal/testkit"
)

// dialog is a server that has one object, and keeps what it is told.
type dialog struct {
	version string
	status  int // of the answer to a reading of the object
	object  string
	reads   int
	written []string
}

func (d *dialog) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r}
	body := d.object
	switch {
	case r.Method != http.MethodGet:
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		d.written = append(d.written, string(b))
	case strings.HasSuffix(r.URL.Path, "/admin/version/"):
		body = fmt.Sprintf(`{"version_current":%q}`, d.version)
	default:
		d.reads++
		answer.StatusCode = d.status
		if d.status != http.StatusOK {
			body = `{"detail":"no"}`
		}
	}
	answer.Body = io.NopCloser(strings.NewReader(body))
	return answer, nil
}

// tell calls the method for PATCH or POST at path with a request that has the named
// members, all if names is nil.
func tell(t *testing.T, d *dialog, operation string, names []string) error {
	t.Helper()
	client, err := authentik.NewClient(testkit.BaseURL, testkit.Token, authentik.WithRetries(0, 0, 0), authentik.WithHTTPClient(&http.Client{Transport: d}))
	if err != nil {
		t.Fatal(err)
	}
	var seen string
	for _, m := range sdk.Methods() {
		f := m.Of(client)
		if m.HTTP != strings.Fields(operation)[0] || !strings.HasSuffix(operation, " "+m.Path) {
			continue
		}
		seen = m.Path
		args := sdk.Arguments(t.Context(), f.Type())
		request := args[len(args)-1].Elem()
		for _, field := range reflect.VisibleFields(request.Type()) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if names != nil && !slices.Contains(names, name) {
				request.FieldByIndex(field.Index).SetZero()
			}
		}
		_, err = sdk.Call(f, args)
	}
	if seen == "" {
		t.Fatalf("no method does %s", operation)
	}
	return err
}

// withIDs is the operation with ids in the place of its parameters, as [sdk.Methods]
// have it.
func withIDs(operation string) (found string) {
	for _, m := range sdk.Methods() {
		list, object, _ := strings.Cut(operation, "{")
		if rest, ok := strings.CutPrefix(m.HTTP+" "+m.Path, list); ok && strings.Count(rest, "/") == strings.Count(object, "/") && m.Name == "Update" {
			return m.HTTP + " " + m.Path
		}
	}
	return operation
}

// TestUpdateReadsCompanions has each update of a kind whose PATCH needs more than what
// changes.
func TestUpdateReadsCompanions(t *testing.T) {
	t.Parallel()
	rows := authentik.CompanionRows()
	if len(rows) < 20 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		operation := withIDs(row.Update)
		t.Run(strings.Fields(row.Update)[1]+strings.Join(row.Needs, ","), func(t *testing.T) {
			t.Parallel()
			object := map[string]any{"type": map[string]any{"oidc_jwks_url": "https://example.com/jwks"}}
			for _, other := range rows {
				if other.Update == row.Update {
					for _, name := range other.Needs {
						object[name] = "as " + name + " is"
					}
				}
			}
			b, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			changed := []string{"name"} // or nothing, if the request has no name
			if len(row.With) > 0 {
				changed = row.With[:1]
			}

			d := &dialog{version: row.Version, status: http.StatusOK, object: string(b)}
			if err := tell(t, d, operation, changed); errors.Is(err, authentik.ErrForbidden) || d.reads != 1 || len(d.written) != 1 {
				t.Fatalf("%d readings, written %q: %v", d.reads, d.written, err)
			}
			var written map[string]any
			if err := json.Unmarshal([]byte(d.written[0]), &written); err != nil {
				t.Fatalf("%s: %v", d.written[0], err)
			}
			for _, name := range row.Needs {
				if written[name] != object[name] {
					t.Errorf("%s was sent as %v", name, written[name])
				}
			}

			d = &dialog{version: row.Version, status: http.StatusOK, object: string(b)}
			if _ = tell(t, d, operation, nil); d.reads != 0 || len(d.written) != 1 {
				t.Errorf("a request that has all: %d readings, written %q", d.reads, d.written)
			}

			d = &dialog{version: row.Version, status: http.StatusForbidden}
			err = tell(t, d, operation, changed)
			if len(d.written) > 0 || !errors.Is(err, authentik.ErrForbidden) || errors.Is(err, authentik.ErrOutcomeUnknown) {
				t.Errorf("written %q, which could not be read: %v", d.written, err)
			}
			for _, text := range append([]string{"authentik: PATCH /sso/api/v3/", "nothing was written", "GET /sso/api/v3/"}, row.Needs...) {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("the error does not say %q: %v", text, err)
				}
			}

			d = &dialog{version: row.Version, status: http.StatusOK, object: "{}"}
			if err := tell(t, d, operation, changed); row.Everywhere && row.Where == "" && (len(d.written) > 0 || !strings.Contains(err.Error(), "nothing was written")) {
				t.Errorf("written %q, of which the server answers nothing: %v", d.written, err)
			}

			if row.Lacks == "" {
				return
			}
			d = &dialog{version: row.Lacks, status: http.StatusOK, object: string(b)}
			_ = tell(t, d, operation, changed)
			if len(d.written) != 1 || strings.Contains(d.written[0], `"`+row.Needs[0]+`"`) {
				t.Errorf("%s, which does not need it, was sent %q", row.Lacks, d.written)
			}
		})
	}
}

// TestCreateNeeds has each create of a kind that the server needs more of than its
// schema says.
func TestCreateNeeds(t *testing.T) {
	t.Parallel()
	rows := authentik.CreationRows()
	if len(rows) < 8 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		t.Run(strings.Fields(row.Create)[1], func(t *testing.T) {
			t.Parallel()
			d := &dialog{status: http.StatusOK, object: "{}"}
			err := tell(t, d, row.Create, []string{"name"})
			if len(row.OneOf) > 0 {
				for _, name := range row.OneOf {
					if err == nil || len(d.written)+d.reads > 0 || !strings.Contains(err.Error(), name) {
						t.Errorf("without %s: written %q, %v", name, d.written, err)
					}
				}
				if _ = tell(t, d, row.Create, []string{row.OneOf[0]}); len(d.written) != 1 {
					t.Errorf("with %s: written %q", row.OneOf[0], d.written)
				}
				return
			}
			if len(d.written) != 1 {
				t.Fatalf("written %q: %v", d.written, err)
			}
			for name, value := range row.Fills {
				if !strings.Contains(d.written[0], fmt.Sprintf("%q:%s", name, value)) {
					t.Errorf("%s lacks %s", d.written[0], name)
				}
				d.written = nil
				if _ = tell(t, d, row.Create, []string{name}); strings.Count(d.written[0], `"`+name+`"`) != 1 {
					t.Errorf("%s is not once in %s", name, d.written[0])
				}
			}
		})
	}
}

// TestPatchReadsNothing has the generic function send what it is told.
func TestPatchReadsNothing(t *testing.T) {
	t.Parallel()
	d := &dialog{status: http.StatusOK, object: `{"pk":"` + testkit.PK.String() + `","identifier":"x"}`}
	client, err := authentik.NewClient(testkit.BaseURL, testkit.Token, authentik.WithHTTPClient(&http.Client{Transport: d}))
	if err == nil {
		_, err = authentik.Patch[authentik.Token](t.Context(), client, "core/tokens/x/", &authentik.TokenRequest{Description: new("x")})
	}
	if err != nil || d.reads != 0 || len(d.written) != 1 || d.written[0] != `{"description":"x"}` {
		t.Errorf("%d readings, written %q: %v", d.reads, d.written, err)
	}
}

// TestUpdateTellsExpiry has a server move the expiry of an API token.
func TestUpdateTellsExpiry(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		version string
		intent  authentik.TokenIntent
		strict  bool
		want    string // what is written
		told    bool
	}{
		{"2026.5.0", authentik.TokenIntentAPI, true, `{"description":"x","user":2,"intent":"api","expires":"2026-01-02T03:04:05Z"}`, true},
		{"2024.2.4", authentik.TokenIntentAPI, true, `{"description":"x","user":2,"intent":"api"}`, false},
		{"2026.5.0", authentik.TokenIntentAPI, false, `{"description":"x","user":2,"intent":"api"}`, false},
		{"2026.5.0", authentik.TokenIntentAppPassword, true, `{"description":"x","user":2,"intent":"app_password"}`, false},
	} {
		client, mock := testkit.MockClient(t)
		if test.strict {
			client, mock = testkit.MockClient(t, authentik.WithStrictWrites())
		}
		object := `{"pk":"` + testkit.PK.String() + `","identifier":"x","user":2,"description":"x","intent":"` + string(test.intent) + `","expires":"2026-01-02T03:0`
		var written string
		mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/admin/version/"):
				return testkit.Answer(200, nil, `{"version_current":"`+test.version+`"}`)(r)
			case r.Method == http.MethodGet:
				return testkit.Answer(200, nil, object+`4:05Z"}`)(r)
			}
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			written = string(b)
			return testkit.Answer(200, nil, object+`9:05Z"}`)(r)
		})
		_, err := client.CoreTokens.Update(t.Context(), "x", &authentik.TokenRequest{Description: new("x")})
		ignored, told := errors.AsType[*authentik.IgnoredError](err)
		if written != test.want || told != test.told || !told && err != nil || told && (len(ignored.Members) != 1 || ignored.Members[0].Name != "expires") {
			t.Errorf("%s, %s: written %s: %v", test.version, test.intent, written, err)
		}
	}
}

// TestUpdateKeepsToken changes a token of somebody else on the fake.
func TestUpdateKeepsToken(t *testing.T) {
	t.Parallel()
	server, client := testkit.FakeClient(t)
	server.CoreUsers.Add(authentik.User{PK: 1, Username: "akadmin", IsSuperuser: true})
	server.CoreUsers.Add(authentik.User{PK: 2, Username: "ada"})
	server.CoreTokens.Add(authentik.Token{Identifier: "adas", User: 2, Intent: authentik.TokenIntentAppPassword})
	token, err := client.CoreTokens.Update(context.Background(), "adas", &authentik.TokenRequest{Description: new("new")})
	if err != nil || token.User != 2 || token.Intent != authentik.TokenIntentAppPassword || token.Description != "new" {
		t.Errorf("%+v, %v", token, err)
	}
}
