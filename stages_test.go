package authentik_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"
)

// sentQuery is the query string that List sends for the options.
func sentQuery(t *testing.T, path string, opts any) string {
	t.Helper()
	client, mock := mockClient(t)
	var sent string
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		sent = r.URL.RawQuery
		return httpmock.NewStringResponse(http.StatusOK, emptyPage), nil
	})
	if _, err := authentik.List[stage](t.Context(), client, path, opts); err != nil {
		t.Fatal(err)
	}
	return sent
}

var listOptions = map[string]struct {
	options authentik.ListOptions
	query   string
}{
	"page":      {authentik.ListOptions{Page: 3}, "page=3"},
	"page_size": {authentik.ListOptions{PageSize: 50}, "page_size=50"},
	"ordering":  {authentik.ListOptions{Ordering: "-name,pk"}, "ordering=-name%2Cpk"},
	"search":    {authentik.ListOptions{Search: "größe & mehr"}, "search=gr%C3%B6%C3%9Fe+%26+mehr"},
	"prefetch":  {authentik.ListOptions{Prefetch: 4}, ""},
	"nothing":   {authentik.ListOptions{}, ""},
}

const pkText = "765ed48b-9283-4461-987d-de42dba24533"

// filters has, for each list, options with one filter each, and their query.
var filters = map[string]map[string]any{
	"stages/identification/": {
		"name=a%26b":                      authentik.StagesIdentificationListOptions{Name: "a&b"},
		"password_stage=" + pkText:        authentik.StagesIdentificationListOptions{PasswordStage: &pk},
		"captcha_stage=" + pkText:         authentik.StagesIdentificationListOptions{CaptchaStage: &pk},
		"webauthn_stage=" + pkText:        authentik.StagesIdentificationListOptions{WebauthnStage: &pk},
		"case_insensitive_matching=true":  authentik.StagesIdentificationListOptions{CaseInsensitiveMatching: new(true)},
		"case_insensitive_matching=false": authentik.StagesIdentificationListOptions{CaseInsensitiveMatching: new(false)},
		"show_matched_user=true":          authentik.StagesIdentificationListOptions{ShowMatchedUser: new(true)},
		"show_matched_user=false":         authentik.StagesIdentificationListOptions{ShowMatchedUser: new(false)},
		"enrollment_flow=" + pkText:       authentik.StagesIdentificationListOptions{EnrollmentFlow: &pk},
		"recovery_flow=" + pkText:         authentik.StagesIdentificationListOptions{RecoveryFlow: &pk},
		"passwordless_flow=" + pkText:     authentik.StagesIdentificationListOptions{PasswordlessFlow: &pk},
		"show_source_labels=true":         authentik.StagesIdentificationListOptions{ShowSourceLabels: new(true)},
		"show_source_labels=false":        authentik.StagesIdentificationListOptions{ShowSourceLabels: new(false)},
		"":                                authentik.StagesIdentificationListOptions{},
	},
	"stages/password/": {
		"name=x":                           authentik.StagesPasswordListOptions{Name: "x"},
		"configure_flow=" + pkText:         authentik.StagesPasswordListOptions{ConfigureFlow: &pk},
		"failed_attempts_before_cancel=0":  authentik.StagesPasswordListOptions{FailedAttemptsBeforeCancel: new(0)},
		"failed_attempts_before_cancel=-1": authentik.StagesPasswordListOptions{FailedAttemptsBeforeCancel: new(-1)},
		"allow_show_password=true":         authentik.StagesPasswordListOptions{AllowShowPassword: new(true)},
		"allow_show_password=false":        authentik.StagesPasswordListOptions{AllowShowPassword: new(false)},
		"":                                 authentik.StagesPasswordListOptions{},
	},
	"stages/source/": {
		"name=x":                      authentik.StagesSourceListOptions{Name: "x"},
		"source=" + pkText:            authentik.StagesSourceListOptions{Source: &pk},
		"resume_timeout=minutes%3D10": authentik.StagesSourceListOptions{ResumeTimeout: "minutes=10"},
		"stage_uuid=" + pkText:        authentik.StagesSourceListOptions{StageUUID: &pk},
		"":                            authentik.StagesSourceListOptions{},
	},
}

func TestListOptions(t *testing.T) {
	t.Parallel()
	for _, r := range resources {
		for name, tt := range listOptions {
			t.Run(r.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				client, mock := mockClient(t)
				var sent string
				mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
					sent = r.URL.RawQuery
					return httpmock.NewStringResponse(http.StatusOK, emptyPage), nil
				})
				if _, err := r.list(t.Context(), client, tt.options); err != nil {
					t.Fatal(err)
				}
				if sent != tt.query {
					t.Errorf("sent %q, want %q", sent, tt.query)
				}
			})
		}
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for path, queries := range filters {
		for want, opts := range queries {
			t.Run(path+want, func(t *testing.T) {
				t.Parallel()
				if got := sentQuery(t, path, opts); got != want {
					t.Errorf("sent %q, want %q", got, want)
				}
			})
		}
	}
}

// TestFiltersReachTheServer proves that every method of every service hands its
// options on.
func TestFiltersReachTheServer(t *testing.T) {
	t.Parallel()
	for _, r := range resources {
		client, mock := mockClient(t)
		var sent []string
		mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, strings.TrimPrefix(r.URL.Path, apiPath)+"?"+r.URL.Query().Get("search"))
			return httpmock.NewStringResponse(http.StatusOK, emptyPage), nil
		})
		options := authentik.ListOptions{Search: "x"}
		for _, err := range []error{
			second(r.list(t.Context(), client, options)),
			lastError(r.pages(t.Context(), client, options)),
			lastError(r.all(t.Context(), client, options)),
		} {
			if err != nil {
				t.Errorf("%s: %v", r.name, err)
			}
		}
		if diff := cmp.Diff(slices.Repeat([]string{r.path + "?x"}, 3), sent); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.name, diff)
		}
	}
}

func TestOwnOptions(t *testing.T) {
	t.Parallel()
	type embedded struct {
		Owner *uuid.UUID `url:"owner,omitempty"`
	}
	type userOptions struct {
		authentik.ListOptions
		*embedded
		Path    string      `url:"path,omitempty"`
		Groups  []uuid.UUID `url:"groups_by_pk,omitempty"`
		Flow    uuid.UUID   `url:"flow,omitempty"`
		Always  uuid.UUID   `url:"always"`
		Missing *uuid.UUID  `url:"missing"`
		Skipped uuid.UUID   `url:"-"`
		hidden  uuid.UUID
	}
	other := uuid.MustParse("00000000-0000-4000-8000-000000000001")
	options := userOptions{
		ListOptions: authentik.ListOptions{Page: 2}, embedded: &embedded{&pk}, Path: "users",
		Groups: []uuid.UUID{pk, other}, Always: other, Skipped: pk, hidden: pk,
	}
	pointer := &options
	want := "always=" + other.String() + "&groups_by_pk=" + pkText + "&groups_by_pk=" + other.String() +
		"&missing=&owner=" + pkText + "&page=2&path=users"
	for name, tt := range map[string]struct {
		opts any
		want string
	}{
		"struct":             {options, want},
		"pointer":            {pointer, want},
		"pointer to pointer": {&pointer, want},
		"zero":               {userOptions{embedded: &embedded{}}, "always=" + uuid.Nil.String() + "&missing="},
		"nil pointer":        {(*userOptions)(nil), ""},
		"nil in a pointer":   {new((*userOptions)(nil)), ""},
		"nil":                {nil, ""},
		"values":             {url.Values{"b": {"2", "3"}, "a": {"1"}}, "a=1&b=2&b=3"},
		"nil values":         {url.Values(nil), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := url.ParseQuery(sentQuery(t, "core/users/", tt.opts))
			if err != nil {
				t.Fatal(err)
			}
			want, err := url.ParseQuery(tt.want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

// encoded is a type that encodes itself.
type encoded struct{ ID uuid.UUID }

func (e encoded) EncodeValues(key string, v *url.Values) error {
	v.Set(key, "own-"+e.ID.String()[:8])
	return nil
}

func TestUUIDsInUnusualOptions(t *testing.T) {
	t.Parallel()
	type (
		flowID uuid.UUID
		nested struct {
			Flow uuid.UUID `url:"flow"`
		}
		named struct {
			Flow *uuid.UUID `url:"flow"`
		}
	)
	pointer := &pk
	for name, tt := range map[string]struct {
		opts any
		want string // "" for an error
	}{
		"type of one's own": {struct {
			Flow flowID `url:"flow"`
		}{flowID(pk)}, "flow=" + pkText},
		"pointer to pointer": {struct {
			Flow **uuid.UUID `url:"flow"`
		}{&pointer}, "flow=" + pkText},
		"nested": {struct {
			F nested `url:"f"`
		}{nested{pk}}, "f[flow]=" + pkText},
		"embedded with a name": {struct {
			named `url:"f"`
		}{named{&pk}}, "f[flow]=" + pkText},
		"comma": {struct {
			Flow uuid.UUID `url:"flow,comma"`
		}{pk}, "flow=" + pkText},
		"encodes itself": {struct {
			ID encoded `url:"id"`
		}{encoded{pk}}, "id=own-765ed48b"},
		"other arrays": {struct {
			N [2]int `url:"n"`
		}{[2]int{1, 2}}, "n=1&n=2"},
		"time": {struct {
			At time.Time `url:"at"`
		}{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, "at=2026-01-02T03:04:05Z"},
		"brackets": {struct {
			Flow uuid.UUID `url:"flow,brackets"`
		}{pk}, ""},
		"numbered": {struct {
			Flow uuid.UUID `url:"flow,numbered"`
		}{pk}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.want == "" {
				_, err := authentik.Get[struct{}](t.Context(), answering(t, 200, nil, `{}`), "x/", tt.opts)
				if err == nil || !strings.Contains(err.Error(), "UUID") {
					t.Errorf("error %v, want one that says why", err)
				}
				return
			}
			got, err := url.QueryUnescape(sentQuery(t, "x/", tt.opts))
			if err != nil || got != tt.want {
				t.Errorf("sent %q, want %q", got, tt.want)
			}
		})
	}
}

// TestWrongOptions knows what would leave a list unfiltered without a word.
func TestWrongOptions(t *testing.T) {
	t.Parallel()
	type named struct {
		Name string `url:"name"`
	}
	for name, tt := range map[string]struct {
		opts any
		want string
	}{
		"no tag": {struct{ Name string }{"x"}, "the field Name has no url tag"},
		"another tag": {struct {
			Name string `json:"name"`
		}{"x"}, "the field Name has no url tag"},
		"no name in the tag": {struct {
			Name string `url:",omitempty"`
		}{"x"}, "the field Name has no url tag"},
		"no tag, in a nested struct": {struct {
			Null uuid.NullUUID `url:"null"`
		}{}, "the field UUID has no url tag"},
		"no tag, of a type that encodes itself": {struct{ ID encoded }{}, "the field ID has no url tag"},
		"nil list": {struct {
			*authentik.ListOptions
			Name string `url:"name"`
		}{nil, "x"}, "the embedded ListOptions is nil"},
		"two of a name": {struct {
			A string `url:"name"`
			B string `url:"name"`
		}{"a", "b"}, "two fields are named name"},
		"two of a name, one embedded": {struct {
			named
			Name string `url:"name"`
		}{named{"a"}, "b"}, "two fields are named name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := authentik.List[struct{}](t.Context(), answering(t, 200, nil, emptyPage), "x/", tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestRetrieve(t *testing.T) {
	t.Parallel()
	for _, r := range resources {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeClient(t)
			added := r.add(server, "wanted")
			got, err := r.retrieve(t.Context(), client, added)
			if err != nil || *got != (stage{added, "wanted"}) {
				t.Errorf("got %v, %v", got, err)
			}
			if last := server.Requests()[0]; last.Path != "/api/v3/"+r.path+added.String()+"/" || len(last.Query) != 0 {
				t.Errorf("asked for %s?%s", last.Path, last.Query.Encode())
			}
			got, err = r.retrieve(t.Context(), client, uuid.New())
			if got != nil || !errors.Is(err, authentik.ErrNotFound) || !strings.Contains(err.Error(), "matches the given query") {
				t.Errorf("unknown pk: got %v, %v", got, err)
			}
		})
	}
}

func TestOldServerHasNoSourceStages(t *testing.T) {
	t.Parallel()
	client := answering(t, http.StatusNotFound, http.Header{"Content-Type": {"text/html"}}, "<html>")
	if err := lastError(client.StagesSource.All(t.Context(), nil)); !errors.Is(err, authentik.ErrNoEndpoint) {
		t.Errorf("error %v, want ErrNoEndpoint", err)
	}
}

func TestBackgroundImage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		flow authentik.FlowSet
		want string
	}{
		{authentik.FlowSet{Background: "/old.jpg"}, "/old.jpg"},
		{authentik.FlowSet{BackgroundURL: "/new.jpg"}, "/new.jpg"},
		{authentik.FlowSet{Background: "/old.jpg", BackgroundURL: "/new.jpg"}, "/new.jpg"},
		{authentik.FlowSet{}, ""},
	} {
		if got := tt.flow.BackgroundImage(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.flow, got, tt.want)
		}
	}
}

func TestResumeTimeoutDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"minutes=10":                      10 * time.Minute,
		"hours=1;minutes=-2":              time.Hour - 2*time.Minute,
		"hours=-1;minutes=-2;seconds=-3":  -(time.Hour + 2*time.Minute + 3*time.Second),
		"weeks=1;days=1;HOURS=1":          8*day + time.Hour,
		"milliseconds=1.5;microseconds=2": 1502 * time.Microsecond,
		"seconds=0":                       0,
		"seconds= 1.5 ":                   1500 * time.Millisecond,
		"seconds=1e3":                     1000 * time.Second,
		"seconds=1E+1":                    10 * time.Second,
		"seconds=1_0":                     10 * time.Second,
		"seconds=.5":                      500 * time.Millisecond,
		"seconds=5.":                      5 * time.Second,
		"seconds=+5":                      5 * time.Second,
		"minutes=1;minutes=2":             2 * time.Minute,
		"years=1;minutes=2":               2 * time.Minute,
		"years=many;minutes=2":            2 * time.Minute,
		"hours=1.1":                       66 * time.Minute,
		"microseconds=0.5":                0, // rounded to even
		"microseconds=1.5":                2 * time.Microsecond,
		"days=106751":                     106751 * day,
		"microseconds=9223372036854774":   9223372036854774 * time.Microsecond,
		"weeks=1000000;weeks=1":           7 * day,
	} {
		got, err := authentik.SourceStage{ResumeTimeout: text}.ResumeTimeoutDuration()
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", ";", "minutes=10;", ";minutes=10", "10", "minutes", "minutes=", "minutes=ten", "minutes=1=2", "years=1=2;minutes=1", "minutes=1,hours=2",
		"minutes =10", " minutes=10", "years=1", "minutes=0x10", "minutes=inf", "minutes=nan", "minutes=1__0", "minutes=_1", "minutes=1e", "minutes=.",
		"minutes=1e400", "minutes=-1e400", "days=106752", "weeks=1e300;days=-1e301",
		"microseconds=9223372036854776", "microseconds=-9223372036854776",
	} {
		if got, err := (authentik.SourceStage{ResumeTimeout: text}).ResumeTimeoutDuration(); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}
