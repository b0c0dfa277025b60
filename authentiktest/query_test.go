package authentiktest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// list is a page as authentik sends it: whole numbers, and nothing else.
type list struct {
	Pagination struct {
		Next       int `json:"next"`
		Previous   int `json:"previous"`
		Count      int `json:"count"`
		Current    int `json:"current"`
		TotalPages int `json:"total_pages"`
		StartIndex int `json:"start_index"`
		EndIndex   int `json:"end_index"`
	} `json:"pagination"`
	Results      []map[string]any `json:"results"`
	Autocomplete map[string]any   `json:"autocomplete"`
}

func getList(t *testing.T, server *authentiktest.Server, path string) list {
	t.Helper()
	got := get(t, server, path)
	if got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	var l list
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&l); err != nil {
		t.Fatalf("%s: %v in %s", path, err, got.body)
	}
	if l.Results == nil || l.Autocomplete == nil || len(l.Autocomplete) != 0 {
		t.Errorf("%s: results or autocomplete is null or not empty: %s", path, got.body)
	}
	return l
}

func names(l list) []string {
	names := make([]string, len(l.Results))
	for i, result := range l.Results {
		names[i] = fmt.Sprint(result["name"])
	}
	return names
}

func addNames(server *authentiktest.Server, names ...string) {
	for _, name := range names {
		server.StagesPassword.Add(authentik.PasswordStage{Name: name})
	}
}

func numbered(count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("stage %03d", i+1)
	}
	return names
}

func TestPages(t *testing.T) {
	t.Parallel()
	all := numbered(120)
	server := newServer(t)
	addNames(server, all...)
	for query, want := range map[string]struct{ current, total, start, end int }{
		"":                         {1, 6, 1, 20},
		"page=":                    {1, 6, 1, 20},
		"page=2":                   {2, 6, 21, 40},
		"page=6":                   {6, 6, 101, 120},
		"page=last":                {6, 6, 101, 120},
		"page=+3":                  {3, 6, 41, 60}, // the plus is a space
		"page=5&page=3":            {3, 6, 41, 60},
		"page_size=50":             {1, 3, 1, 50},
		"page_size=50&page=3":      {3, 3, 101, 120},
		"page_size=50&page=last":   {3, 3, 101, 120},
		"page_size=1&page=120":     {120, 120, 120, 120},
		"page_size=60&page=2":      {2, 2, 61, 120},
		"page_size=100":            {1, 2, 1, 100},
		"page_size=101":            {1, 2, 1, 100},
		"page_size=1000&page=2":    {2, 2, 101, 120},
		"page_size=":               {1, 6, 1, 20},
		"page_size=0":              {1, 6, 1, 20},
		"page_size=-1":             {1, 6, 1, 20},
		"page_size=abc":            {1, 6, 1, 20},
		"page_size=1.5":            {1, 6, 1, 20},
		"page_size=50&page_size=7": {1, 18, 1, 7},
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := getList(t, server, passwordPath+"?"+query)
			wantList := list{}
			p := &wantList.Pagination
			p.Previous, p.Count, p.Current, p.TotalPages = want.current-1, 120, want.current, want.total
			p.StartIndex, p.EndIndex = want.start, want.end
			if want.current < want.total {
				p.Next = want.current + 1
			}
			if diff := cmp.Diff(wantList.Pagination, got.Pagination); diff != "" {
				t.Errorf("pagination (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(all[want.start-1:want.end], names(got)); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEmptyList(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	want := `{"autocomplete":{},"pagination":{"count":0,"current":1,"end_index":0,"next":0,"previous":0,"start_index":0,"total_pages":1},"results":[]}`
	for _, query := range []string{"", "?page=1", "?page=last"} {
		get(t, server, sourcePath+query).check(t, http.StatusOK, want)
	}
}

func TestInvalidPage(t *testing.T) {
	t.Parallel()
	full, empty := newServer(t), newServer(t)
	addNames(full, numbered(21)...)
	for _, test := range []struct {
		server *authentiktest.Server
		page   string
	}{
		{full, "0"},
		{full, "-1"},
		{full, "3"},
		{full, "abc"},
		{full, "1.0"},
		{full, "+"},
		{full, "Last"},
		{full, "99999999999999999999"},
		{full, "2&page_size=100"},
		{empty, "2"},
	} {
		t.Run(test.page, func(t *testing.T) {
			t.Parallel()
			get(t, test.server, passwordPath+"?page="+test.page).check(t, http.StatusNotFound, `{"detail":"Invalid page."}`)
		})
	}
}

func TestPagesByClient(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	all := numbered(120)
	addNames(server, all...)
	client := newClient(t, server, 0)
	stages, err := authentik.Collect(client.StagesPassword.All(t.Context(), nil))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, stage := range stages {
		got = append(got, stage.Name)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if got := len(server.Requests()); got != 2 {
		t.Errorf("%d requests, want 2", got)
	}
	_, err = client.StagesPassword.List(t.Context(), &authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{Page: 7}})
	if !errors.Is(err, authentik.ErrNotFound) {
		t.Errorf("page 7: %v", err)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	flow, other := uuid.New(), uuid.New()
	server.StagesPassword.Add(authentik.PasswordStage{
		Name: "one", ConfigureFlow: &flow, FailedAttemptsBeforeCancel: 1, AllowShowPassword: true,
	})
	two := server.StagesPassword.Add(authentik.PasswordStage{Name: "two", ConfigureFlow: &other, FailedAttemptsBeforeCancel: -2})
	server.StagesIdentification.Add(authentik.IdentificationStage{Name: "one", PasswordStage: &two.PK, ShowMatchedUser: true})
	server.StagesIdentification.Add(authentik.IdentificationStage{Name: "two", RecoveryFlow: &flow})
	minutes := server.StagesSource.Add(authentik.SourceStage{Name: "minutes", Source: flow})
	server.StagesSource.Add(authentik.SourceStage{Name: "hours", ResumeTimeout: "hours=1"})
	pk := minutes.PK.String()

	for query, want := range map[string][]string{
		passwordPath + "?name=one":                                                     {"one"},
		passwordPath + "?name=ONE":                                                     {},
		passwordPath + "?name=on":                                                      {},
		passwordPath + "?name=+one+":                                                   {"one"},
		passwordPath + "?name=":                                                        {"one", "two"},
		passwordPath + "?name=one&name=two":                                            {"two"},
		passwordPath + "?unknown=one&backends=none":                                    {"one", "two"},
		passwordPath + "?configure_flow=" + flow.String():                              {"one"},
		passwordPath + "?configure_flow=" + strings.ToUpper(flow.String()):             {"one"},
		passwordPath + "?configure_flow=" + strings.ReplaceAll(flow.String(), "-", ""): {"one"},
		passwordPath + "?configure_flow=":                                              {"one", "two"},
		passwordPath + "?configure_flow=" + flow.String() + "&name=two":                {},
		passwordPath + "?configure_flow=" + other.String() + "&name=two":               {"two"},
		passwordPath + "?failed_attempts_before_cancel=1":                              {"one"},
		passwordPath + "?failed_attempts_before_cancel=1.5":                            {"one"},
		passwordPath + "?failed_attempts_before_cancel=-2":                             {"two"},
		passwordPath + "?failed_attempts_before_cancel=0":                              {},
		passwordPath + "?failed_attempts_before_cancel=99999999999999999999":           {},
		passwordPath + "?allow_show_password=true":                                     {"one"},
		passwordPath + "?allow_show_password=True":                                     {"one"},
		passwordPath + "?allow_show_password=TRUE":                                     {"one"},
		passwordPath + "?allow_show_password=1":                                        {"one"},
		passwordPath + "?allow_show_password=false":                                    {"two"},
		passwordPath + "?allow_show_password=FALSE":                                    {"two"},
		passwordPath + "?allow_show_password=0":                                        {"two"},
		passwordPath + "?allow_show_password=yes":                                      {"one", "two"},
		passwordPath + "?allow_show_password=null":                                     {"one", "two"},
		passwordPath + "?allow_show_password=2":                                        {"one", "two"},
		passwordPath + "?allow_show_password=2&name=two":                               {"two"},
		identificationPath + "?password_stage=" + two.PK.String():                      {"one"},
		identificationPath + "?recovery_flow=" + flow.String():                         {"two"},
		identificationPath + "?enrollment_flow=" + flow.String():                       {},
		identificationPath + "?show_matched_user=true":                                 {"one"},
		identificationPath + "?pretend_user_exists=true&enable_remember_me=true":       {"one", "two"},
		sourcePath + "?source=" + flow.String():                                        {"minutes"},
		sourcePath + "?resume_timeout=minutes=10":                                      {"minutes"},
		sourcePath + "?resume_timeout=hours%3D1":                                       {"hours"},
		sourcePath + "?resume_timeout=Hours%3D1":                                       {},
		sourcePath + "?resume_on_match_failures=missing_property":                      {"hours", "minutes"},
		sourcePath + "?stage_uuid=" + pk:                                               {"minutes"},
		sourcePath + "?stage_uuid=" + strings.ToUpper(pk):                              {"minutes"},
		sourcePath + "?stage_uuid=" + uuid.NewString():                                 {},
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(want, names(getList(t, server, query))); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const (
		notUUID = `["“abc” is not a valid UUID."]`
		unknown = `["Select a valid choice. That choice is not one of the available choices."]`
	)
	server := newServer(t)
	pk := server.StagesPassword.Add(authentik.PasswordStage{}).PK.String()
	for query, want := range map[string]string{
		passwordPath + "?configure_flow=" + pk:                                              `{"configure_flow":` + unknown + `}`,
		passwordPath + "?configure_flow=abc":                                                `{"configure_flow":` + notUUID + `}`,
		passwordPath + "?configure_flow=null":                                               `{"configure_flow":["“null” is not a valid UUID."]}`,
		passwordPath + "?configure_flow=" + uuid.NewString():                                `{"configure_flow":` + unknown + `}`,
		identificationPath + "?captcha_stage=" + uuid.NewString():                           `{"captcha_stage":` + unknown + `}`,
		sourcePath + "?source=abc":                                                          `{"source":` + notUUID + `}`,
		sourcePath + "?stage_uuid=abc":                                                      `{"stage_uuid":["Enter a valid UUID."]}`,
		passwordPath + "?failed_attempts_before_cancel=abc":                                 `{"failed_attempts_before_cancel":["Enter a number."]}`,
		passwordPath + "?failed_attempts_before_cancel=NaN":                                 `{"failed_attempts_before_cancel":["Enter a number."]}`,
		passwordPath + "?failed_attempts_before_cancel=1e60":                                `{"failed_attempts_before_cancel":["Ensure this value is less than or equal to 1e+50."]}`,
		passwordPath + "?failed_attempts_before_cancel=abc&configure_flow=abc&name=x":       `{"configure_flow":` + notUUID + `,"failed_attempts_before_cancel":["Enter a number."]}`,
		passwordPath + "?search=%00":                                                        `["Null characters are not allowed."]`,
		passwordPath + "?search=a%00b&configure_flow=abc":                                   `["Null characters are not allowed."]`,
		passwordPath + "?configure_flow=abc&page=99":                                        `{"configure_flow":` + notUUID + `}`,
		passwordPath + pk + "/?configure_flow=abc":                                          `{"configure_flow":` + notUUID + `}`,
		passwordPath + pk + "/?search=%00":                                                  `["Null characters are not allowed."]`,
		passwordPath + "no-uuid/?configure_flow=abc":                                        `{"configure_flow":` + notUUID + `}`,
		identificationPath + "?enrollment_flow=abc&recovery_flow=abc&passwordless_flow=abc": `{"enrollment_flow":` + notUUID + `,"passwordless_flow":` + notUUID + `,"recovery_flow":` + notUUID + `}`,
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			get(t, server, query).check(t, http.StatusBadRequest, want)
		})
	}
}

func TestRefusalsByClient(t *testing.T) {
	t.Parallel()
	client := newClient(t, newServer(t), 0)
	_, err := client.StagesSource.List(t.Context(), &authentik.StagesSourceListOptions{Source: new(uuid.New())})
	invalid, ok := errors.AsType[*authentik.ValidationError](err)
	if !ok || len(invalid.Fields["source"]) != 1 || len(invalid.Fields) != 1 {
		t.Errorf("an unknown source: %v", err)
	}
	_, err = client.StagesSource.List(t.Context(), &authentik.StagesSourceListOptions{ListOptions: authentik.ListOptions{Search: "\x00"}})
	invalid, ok = errors.AsType[*authentik.ValidationError](err)
	if !ok || !cmp.Equal(invalid.NonFieldErrors, []string{"Null characters are not allowed."}) {
		t.Errorf("NUL: %v", err)
	}
}

// TestEveryFilter asks for each filter that the newest release has, of a stage
// whose members are zero.
func TestEveryFilter(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.StagesIdentification.Add(authentik.IdentificationStage{Name: "zero"})
	server.StagesPassword.Add(authentik.PasswordStage{Name: "zero"})
	server.StagesSource.Add(authentik.SourceStage{Name: "zero"})
	newest := newestRelease(t)
	for _, path := range []string{"stages/identification/", "stages/password/", "stages/source/"} {
		for _, filter := range newest.Operation("GET", path).Parameters {
			name, kind := filter.Name, filter.Type
			if name == "page" || name == "page_size" || name == "search" || name == "ordering" {
				continue
			}
			t.Run(path+name, func(t *testing.T) {
				t.Parallel()
				query := "/api/v3/" + path + "?" + name + "="
				count := func(value string) int { return getList(t, server, query+value).Pagination.Count }
				if count("") != 1 {
					t.Fatal("add a stage of this kind to the server")
				}
				switch kind.Kind {
				case "uuid":
					if got := get(t, server, query+"abc"); got.status != http.StatusBadRequest || !strings.Contains(got.body, `"`+name+`"`) {
						t.Errorf("abc: %d %s", got.status, got.body)
					}
				case "boolean":
					if count("true") != 0 || count("false") != 1 {
						t.Error("true and false are no filters")
					}
				case "integer":
					if count("1") != 0 || count("0") != 1 {
						t.Error("1 and 0 are no filters")
					}
				case "string":
					if count("other") != 0 {
						t.Error("a text is no filter")
					}
				default:
					t.Errorf("a filter of the kind %s", kind)
				}
			})
		}
	}
}

func TestFiltersOnRetrieve(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	stage := server.StagesSource.Add(authentik.SourceStage{Name: "one"})
	for query, status := range map[string]int{
		"":                                http.StatusOK,
		"?name=one":                       http.StatusOK,
		"?name=other":                     http.StatusNotFound,
		"?search=on":                      http.StatusOK,
		"?search=other":                   http.StatusNotFound,
		"?stage_uuid=" + uuid.NewString(): http.StatusNotFound,
		"?page=99&unknown=1":              http.StatusOK,
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := get(t, server, sourcePath+stage.PK.String()+"/"+query)
			if status == http.StatusNotFound {
				got.check(t, status, `{"detail":"No SourceStage matches the given query."}`)
			} else if got.status != status {
				t.Errorf("status %d, want %d", got.status, status)
			}
		})
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	const (
		first  = "Default login"
		second = "default, recovery"
		third  = "O'Brien's login"
		fourth = `the "big" one`
	)
	addNames(server, first, second, third, fourth)
	for search, want := range map[string][]string{
		"":                     {first, third, second, fourth},
		" , ":                  {first, third, second, fourth},
		"LOGIN":                {first, third},
		"log":                  {first, third},
		"login default":        {first},
		"login,default":        {first},
		" login ,, default ":   {first},
		"login recovery":       {},
		`"default login"`:      {first},
		`'default login'`:      {first},
		`"login default"`:      {},
		`"default, recovery"`:  {second},
		`"default, recovery",`: {second},
		`"login" default`:      {first},
		`"t lo",fault`:         {}, // the quotes are characters where more follows
		"o'brien":              {third},
		"login o'brien":        {third},
		"o'brien's":            {third},
		`"o'brien's login"`:    {third},
		`"login default`:       {},
		`login "`:              {first, third},
		`'"big"'`:              {fourth},
		"password":             {}, // in every meta_model_name, but in no name
		"%":                    {},
		"inbuilt":              {},
	} {
		t.Run(search, func(t *testing.T) {
			t.Parallel()
			got := names(getList(t, server, passwordPath+"?search="+url.QueryEscape(search)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOrdering(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	flow := uuid.MustParse("00000000-0000-4000-8000-000000000001")
	other := uuid.MustParse("00000000-0000-4000-8000-000000000002")
	for _, stage := range []authentik.PasswordStage{
		{PK: flow, Name: "c", FailedAttemptsBeforeCancel: 9, Component: "1", VerboseName: "1", MetaModelName: "1"},
		{PK: other, Name: "a", FailedAttemptsBeforeCancel: 10, ConfigureFlow: &other, AllowShowPassword: true},
		{Name: "b", FailedAttemptsBeforeCancel: 10, ConfigureFlow: &flow},
	} {
		server.StagesPassword.Add(stage)
	}
	for ordering, want := range map[string]string{
		"":      "abc",
		"name":  "abc",
		"-name": "cba",

		"failed_attempts_before_cancel,name":   "cab",
		"-failed_attempts_before_cancel,name":  "abc",
		"failed_attempts_before_cancel,-name":  "cba",
		"-failed_attempts_before_cancel,-name": "bac",
		"-allow_show_password, -name":          "acb",
		"configure_flow":                       "bac", // null is the largest
		"-configure_flow":                      "cab",

		"unknown":         "abc",
		"-unknown":        "abc",
		"unknown,-name":   "cba",
		"-name,unknown":   "cba",
		",":               "abc",
		"stage_uuid":      "abc",
		"component":       "abc",
		"verbose_name":    "abc",
		"meta_model_name": "abc",
		"component,-name": "cba",
	} {
		t.Run(ordering, func(t *testing.T) {
			t.Parallel()
			got := names(getList(t, server, passwordPath+"?ordering="+url.QueryEscape(ordering)))
			if got := strings.Join(got, ""); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	for _, ordering := range []string{"flow_set", "-flow_set", "name,flow_set"} {
		t.Run(ordering, func(t *testing.T) {
			t.Parallel()
			get(t, server, passwordPath+"?ordering="+ordering).check(t, http.StatusInternalServerError, "")
		})
	}
}

// Without a last key, rows of equal keys come in any order, anew for each answer.
func TestOrderingOfEqualKeys(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for i := range 20 {
		server.StagesPassword.Add(authentik.PasswordStage{Name: fmt.Sprintf("%02d", i), AllowShowPassword: i < 10})
	}
	orders := map[string]int{}
	for range 5 {
		got := names(getList(t, server, passwordPath+"?ordering=allow_show_password"))
		orders[strings.Join(got, " ")]++
		if slices.Sort(got[:10]); got[0] != "10" || got[9] != "19" {
			t.Errorf("ordered by something else: %s", got)
		}
	}
	if len(orders) == 1 {
		t.Error("five answers have equal keys in one order")
	}
}

func TestOrderingByPK(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for i, name := range []string{"b", "c", "a"} {
		pk := uuid.UUID{15: byte(i + 1)}
		server.StagesSource.Add(authentik.SourceStage{PK: pk, Name: name})
	}
	for ordering, want := range map[string]string{"pk": "bca", "-pk": "acb"} {
		got := names(getList(t, server, sourcePath+"?ordering="+ordering))
		if got := strings.Join(got, ""); got != want {
			t.Errorf("%s: %s, want %s", ordering, got, want)
		}
	}
}
