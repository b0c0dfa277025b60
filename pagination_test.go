package authentik_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"
)

// numbered is a pk for the tests' objects.
func numbered(n int) uuid.UUID { return uuid.UUID{15: byte(n), 14: byte(n >> 8), 0: 1} }

// pageOf is the JSON of a page whose objects are numbered.
func pageOf(pagination authentik.Pagination, objects ...int) string {
	page := authentik.Page[map[string]any]{Pagination: pagination, Results: []map[string]any{}}
	for _, n := range objects {
		page.Results = append(page.Results, map[string]any{"pk": numbered(n), "name": strconv.Itoa(n)})
	}
	b, _ := json.Marshal(page)
	return string(b)
}

// script answers the n-th request for a page with the n-th body of that page, or
// the status that stands in its place, the last one from then on, and a page
// that has none with 404.
type script struct {
	mu    sync.Mutex
	pages map[int][]string
	asked []int
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	s.asked = append(s.asked, page)
	bodies := s.pages[page]
	if len(bodies) == 0 {
		return answer(http.StatusNotFound, nil, `{"detail":"Invalid page."}`)(r)
	}
	if len(bodies) > 1 {
		s.pages[page] = bodies[1:]
	}
	if status, err := strconv.Atoi(bodies[0]); err == nil {
		return answer(status, http.Header{"X-Authentik-Id": {"1"}}, `{"detail":"Invalid page."}`)(r)
	}
	return answer(http.StatusOK, nil, bodies[0])(r)
}

func (s *script) client(t *testing.T) *authentik.Client {
	t.Helper()
	client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: s}))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func names[T any](name func(T) string, items []T) []string {
	list := []string{}
	for _, item := range items {
		list = append(list, name(item))
	}
	return list
}

func stageName(s *stage) string { return s.Name }

// eachPrefetch runs a test for each resource, one page after another and ahead.
func eachPrefetch(t *testing.T, test func(t *testing.T, r resource, prefetch int)) {
	t.Helper()
	for _, r := range resources {
		for _, prefetch := range []int{0, 1, 3, 8} {
			t.Run(fmt.Sprintf("%s/%d", r.name, prefetch), func(t *testing.T) {
				t.Parallel()
				test(t, r, prefetch)
			})
		}
	}
}

func addStages(server *authentiktest.Server, r resource, n int) (names []string) {
	for i := range n {
		name := fmt.Sprintf("stage-%04d", i)
		r.add(server, name)
		names = append(names, name)
	}
	return names
}

func TestAllYieldsEveryStageInOrder(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		server, client := fakeClient(t)
		want := addStages(server, r, 257)
		for _, size := range []int{0, 7, 100, 300} {
			all := r.all(t.Context(), client, authentik.ListOptions{PageSize: size, Prefetch: prefetch})
			for range 2 { // ranging again starts again
				got, err := authentik.Collect(all)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, names(stageName, got)); diff != "" {
					t.Fatalf("page size %d (-want +got):\n%s", size, diff)
				}
			}
		}
	})
}

func TestPagesAskFor100AndForEachPageOnce(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		server, client := fakeClient(t)
		addStages(server, r, 257)
		sizes := []int{}
		for page, err := range r.pages(t.Context(), client, authentik.ListOptions{Prefetch: prefetch}) {
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(page.Results))
			if page.Pagination.Current != len(sizes) || page.Pagination.Count != 257 || page.Pagination.TotalPages != 3 {
				t.Errorf("pagination %+v", page.Pagination)
			}
		}
		if diff := cmp.Diff([]int{100, 100, 57}, sizes); diff != "" {
			t.Errorf("sizes (-want +got):\n%s", diff)
		}
		asked := []string{}
		for _, request := range server.Requests() {
			asked = append(asked, request.Path+"?"+request.Query.Encode())
		}
		slices.Sort(asked)
		want := []string{}
		for page := 1; page <= 3; page++ {
			want = append(want, fmt.Sprintf("/api/v3/%s?page=%d&page_size=100", r.path, page))
		}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

func TestWalkStartsAtPage(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		server, client := fakeClient(t)
		want := addStages(server, r, 25)
		got, err := authentik.Collect(r.all(t.Context(), client, authentik.ListOptions{Page: 3, PageSize: 10, Prefetch: prefetch}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[20:], names(stageName, got)); diff != "" {
			t.Errorf("stages (-want +got):\n%s", diff)
		}
		if err := lastError(r.all(t.Context(), client, authentik.ListOptions{Page: 4, PageSize: 10})); !errors.Is(err, authentik.ErrNotFound) {
			t.Errorf("beyond the last page: error %v, want ErrNotFound", err)
		}
	})
}

func TestListLeavesThePageSizeToTheServer(t *testing.T) {
	t.Parallel()
	for _, r := range resources {
		server, client := fakeClient(t)
		addStages(server, r, 25)
		page, err := r.list(t.Context(), client, authentik.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := authentik.Pagination{Next: 2, Count: 25, Current: 1, TotalPages: 2, StartIndex: 1, EndIndex: 20}
		if page.Pagination != want || len(page.Results) != 20 {
			t.Errorf("%s: %+v with %d results, want %+v", r.name, page.Pagination, len(page.Results), want)
		}
		if err := r.listNil(t.Context(), client); err != nil {
			t.Error(err)
		}
		for _, request := range server.Requests() {
			if len(request.Query) != 0 {
				t.Errorf("%s: sent %v", r.name, request.Query)
			}
		}
	}
}

func TestEmptyList(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		_, client := fakeClient(t)
		got, err := authentik.Collect(r.all(t.Context(), client, authentik.ListOptions{Prefetch: prefetch}))
		if err != nil || got == nil || len(got) != 0 {
			t.Errorf("got %v, %v; want an empty slice", got, err)
		}
		pages, err := authentik.Collect(r.pages(t.Context(), client, authentik.ListOptions{Prefetch: prefetch}))
		if err != nil || len(pages) != 1 {
			t.Errorf("got %d pages, %v; want one", len(pages), err)
		}
	})
}

func TestIteratorsAreLazy(t *testing.T) {
	t.Parallel()
	for _, r := range resources {
		server, client := fakeClient(t)
		r.all(t.Context(), client, authentik.ListOptions{Prefetch: 8})
		r.pages(t.Context(), client, authentik.ListOptions{Prefetch: 8})
		if n := len(server.Requests()); n != 0 {
			t.Errorf("%s: %d requests without a loop", r.name, n)
		}
	}
}

func TestLaterChangesOfOptionsHaveNoEffect(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	for i := range 3 {
		server.StagesPassword.Add(authentik.PasswordStage{Name: fmt.Sprint(i), AllowShowPassword: i == 1})
	}
	opts := &authentik.StagesPasswordListOptions{AllowShowPassword: new(true)}
	values := url.Values{"allow_show_password": {"true"}}
	seqs := []func() ([]*authentik.PasswordStage, error){}
	for _, seq := range []any{opts, values} {
		all := authentik.All[authentik.PasswordStage](t.Context(), client, "stages/password/", seq)
		seqs = append(seqs, func() ([]*authentik.PasswordStage, error) { return authentik.Collect(all) })
	}
	*opts.AllowShowPassword, opts.Name = false, "2"
	values["allow_show_password"][0] = "false"
	for i, collect := range seqs {
		got, err := collect()
		if err != nil || len(got) != 1 || got[0].Name != "1" {
			t.Errorf("options %d: got %v, %v; want the stage 1", i, got, err)
		}
	}
}

func TestLeavingTheLoopStopsAllRequests(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		server, client := fakeClient(t)
		addStages(server, r, 200)
		seen := 0
		for _, err := range r.all(t.Context(), client, authentik.ListOptions{PageSize: 5, Prefetch: prefetch}) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == 7 {
				break
			}
		}
		if n := len(server.Requests()); n > 2+2*prefetch {
			t.Errorf("%d requests for two pages, %d of them at a time", n, prefetch)
		}
	})
}

func TestEmptyAndShortPagesDoNotEndTheWalk(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		s := &script{pages: map[int][]string{
			1: {pageOf(authentik.Pagination{Next: 2, Count: 3, Current: 1, TotalPages: 4}, 1)},
			2: {pageOf(authentik.Pagination{Next: 3, Count: 3, Current: 2, TotalPages: 4})},
			3: {pageOf(authentik.Pagination{Next: 4, Count: 3, Current: 3, TotalPages: 4}, 2)},
			4: {pageOf(authentik.Pagination{Next: 0, Count: 3, Current: 4, TotalPages: 4}, 3)},
		}}
		got, err := authentik.Collect(r.all(t.Context(), s.client(t), authentik.ListOptions{Prefetch: prefetch}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"1", "2", "3"}, names(stageName, got)); diff != "" {
			t.Errorf("stages (-want +got):\n%s", diff)
		}
	})
}

func TestNextThatDoesNotAdvance(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		for name, pages := range map[string]map[int][]string{
			"the page itself": {1: {pageOf(authentik.Pagination{Next: 1, TotalPages: 9}, 1)}},
			"the page before": {
				1: {pageOf(authentik.Pagination{Next: 2, TotalPages: 9}, 1)},
				2: {pageOf(authentik.Pagination{Next: 1, TotalPages: 9}, 2)},
			},
			"page 1 always": {
				1: {pageOf(authentik.Pagination{Next: 2, Current: 1, TotalPages: 9}, 1)},
				2: {pageOf(authentik.Pagination{Next: 2, Current: 1, TotalPages: 9}, 1)},
			},
			"negative": {1: {pageOf(authentik.Pagination{Next: -1, TotalPages: 9}, 1)}},
		} {
			s := &script{pages: pages}
			err := lastError(r.all(t.Context(), s.client(t), authentik.ListOptions{Prefetch: prefetch}))
			if err == nil || !strings.Contains(err.Error(), "as the next one") && !strings.Contains(err.Error(), "it is page 1, not 2") {
				t.Errorf("%s: error %v", name, err)
			}
			if len(s.asked) > 2+2*prefetch {
				t.Errorf("%s: asked for the pages %v", name, s.asked)
			}
		}
	})
}

func TestErrorIsYieldedOnceAndEndsTheLoop(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		server, client := fakeClient(t, authentik.WithRetries(0, 0, 0))
		addStages(server, r, 30)
		server.Fail(1, authentiktest.Failure{}) // page 1 is answered
		server.Fail(100, authentiktest.Failure{Status: http.StatusInternalServerError})
		items, failures := 0, 0
		for item, err := range r.all(t.Context(), client, authentik.ListOptions{PageSize: 10, Prefetch: prefetch}) {
			if err == nil {
				items++
				continue
			}
			failures++
			if item != nil || !errors.Is(err, authentik.ErrServer) {
				t.Errorf("got %v, %v", item, err)
			}
		}
		if items != 10 || failures != 1 {
			t.Errorf("%d stages and %d errors, want 10 and 1", items, failures)
		}
		if n := len(server.Requests()); n > 2+2*prefetch {
			t.Errorf("%d requests", n)
		}
		for page, err := range r.pages(t.Context(), client, authentik.ListOptions{}) {
			if page != nil || err == nil {
				t.Errorf("got %v, %v", page, err)
			}
		}
	})
}

func TestContextEndsAWalk(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		server, client := fakeClient(t)
		addStages(server, r, 30)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		got, last := 0, error(nil)
		for _, err := range r.all(ctx, client, authentik.ListOptions{PageSize: 1, Prefetch: prefetch}) {
			if last = err; err != nil {
				break
			}
			if got++; got == 3 {
				cancel()
			}
		}
		if !errors.Is(last, context.Canceled) || got != 3 {
			t.Errorf("error %v after %d stages", last, got)
		}
	})
}

func TestPrefetchAsksForSoManyPages(t *testing.T) {
	t.Parallel()
	const pages = 100
	for prefetch, most := range map[int]int{0: 0, 1: 1, 4: 4, 32: 32, 200_000: 32} {
		t.Run(strconv.Itoa(prefetch), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				transport := roundTripper(func(r *http.Request) (*http.Response, error) {
					asked.Add(1)
					page, _ := strconv.Atoi(r.URL.Query().Get("page"))
					return answer(http.StatusOK, nil, pageOf(authentik.Pagination{Next: (page + 1) % (pages + 1), Count: pages, TotalPages: pages}, page))(r)
				})
				client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: transport}))
				if err != nil {
					t.Fatal(err)
				}
				read := 0
				for _, err := range resources[0].pages(t.Context(), client, authentik.ListOptions{Prefetch: prefetch}) {
					if err != nil {
						t.Fatal(err)
					}
					read++
					synctest.Wait() // until all that was asked for is there
					if got, want := int(asked.Load()), min(read+2*most, pages); got != want {
						t.Errorf("%d pages asked for at page %d, want %d", got, read, want)
					}
				}
				if read != pages {
					t.Errorf("%d pages", read)
				}
			})
		})
	}
}

// A token source that ignores its context holds up neither the end of a loop nor
// a call.
func TestTokenSourceThatIgnoresItsContext(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var asked atomic.Int32
	hangs := make(chan struct{}, 2)
	client, mock := mockClient(t, authentik.WithTokenSource(func(context.Context) (string, error) {
		if asked.Add(1) > 1 {
			hangs <- struct{}{}
			<-release
		}
		return apiToken, nil
	}))
	mock.RegisterNoResponder(answer(http.StatusOK, nil, pageOf(authentik.Pagination{Next: 2, Count: 2, TotalPages: 2}, 1)))
	defer close(release) // after all that would wait for it
	for _, err := range resources[0].pages(context.Background(), client, authentik.ListOptions{Prefetch: 4}) {
		if err != nil {
			t.Fatal(err)
		}
		<-hangs
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-hangs
		cancel()
	}()
	if _, err := resources[0].retrieve(ctx, client, pk); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// sentOrderings are the orderings of the requests, one of each page.
func sentOrderings(server *authentiktest.Server) (sent []string) {
	for _, request := range server.Requests() {
		sent = append(sent, request.Query.Get("ordering"))
	}
	return slices.Compact(sent)
}

func TestWalksOrderByTheIdentityLast(t *testing.T) {
	t.Parallel()
	type own struct {
		ID uuid.UUID `json:"pk"`
	}
	type nameOnly struct{ Name string }
	for ordering, want := range map[string]string{
		"":                     "",
		" , ":                  " , ",
		"name":                 "name,pk",
		"-allow_show_password": "-allow_show_password,pk",
		"pk":                   "pk",
		"-pk":                  "-pk",
		"name, -pk ":           "name, -pk ",
		"pk,name":              "pk,name",
		"pk_other":             "pk_other,pk",
	} {
		t.Run(ordering, func(t *testing.T) {
			t.Parallel()
			options := authentik.ListOptions{Ordering: ordering, PageSize: 2}
			for name, walk := range map[string]func(*authentik.Client) error{
				"All":   func(c *authentik.Client) error { return lastError(resources[1].all(t.Context(), c, options)) },
				"Pages": func(c *authentik.Client) error { return lastError(resources[1].pages(t.Context(), c, options)) },
				"a struct": func(c *authentik.Client) error {
					return lastError(authentik.All[own](t.Context(), c, resources[1].path, options))
				},
				"values": func(c *authentik.Client) error {
					return lastError(authentik.All[own](t.Context(), c, resources[1].path, url.Values{"ordering": {"name", ordering}}))
				},
			} {
				server, client := fakeClient(t)
				addStages(server, resources[1], 5)
				if err := walk(client); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				wanted := want
				if name == "values" && ordering == want { // sent as it was, with what a server does not see
					wanted = "name"
				}
				if got := sentOrderings(server); !slices.Equal(got, []string{wanted}) {
					t.Errorf("%s: sent the orderings %q, want %q", name, got, wanted)
				}
			}
			server, client := fakeClient(t)
			if _, err := resources[1].list(t.Context(), client, options); err != nil {
				t.Fatal(err)
			}
			if err := lastError(authentik.All[nameOnly](t.Context(), client, resources[1].path, options)); err != nil {
				t.Fatal(err)
			}
			if got := sentOrderings(server); !slices.Equal(got, []string{ordering}) {
				t.Errorf("List and a struct without pk: sent the orderings %q", got)
			}
		})
	}
}

// A brand has no pk, and is ordered by what it has in its place.
func TestWalksOrderByAnotherIdentity(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	for i := range 30 {
		server.CoreBrands.Add(authentik.Brand{Domain: strconv.Itoa(i)})
	}
	opts := &authentik.CoreBrandsListOptions{ListOptions: authentik.ListOptions{Ordering: "default", PageSize: 10}}
	brands, err := authentik.Collect(client.CoreBrands.All(t.Context(), opts))
	if err != nil || len(brands) != 30 {
		t.Errorf("%d brands, error %v", len(brands), err)
	}
	if got := sentOrderings(server); !slices.Equal(got, []string{"default,brand_uuid"}) {
		t.Errorf("sent the orderings %q", got)
	}
}

// The server orders stages that are equal in the field anew for each page.
func TestWalksAreCompleteWhateverTheOrdering(t *testing.T) {
	t.Parallel()
	for _, ordering := range []string{"allow_show_password", "-configure_flow", "failed_attempts_before_cancel,allow_show_password"} {
		t.Run(ordering, func(t *testing.T) {
			t.Parallel()
			server, client := fakeClient(t)
			want := addStages(server, resources[1], 251)
			options := authentik.ListOptions{Ordering: ordering, PageSize: 50}
			all, err := authentik.Collect(resources[1].all(t.Context(), client, options))
			if err != nil || len(server.Requests()) != 6 {
				t.Errorf("error %v after %d requests, want 6", err, len(server.Requests()))
			}
			byPages := []string{}
			for page, err := range resources[1].pages(t.Context(), client, options) {
				if err != nil {
					t.Fatal(err)
				}
				for _, stage := range page.Results {
					byPages = append(byPages, stage.Name)
				}
			}
			for name, got := range map[string][]string{"All": names(stageName, all), "Pages": byPages} {
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// TestPrefetchRunsAhead holds the second page back until the fourth is asked
// for, which only a prefetch does.
func TestPrefetchRunsAhead(t *testing.T) {
	t.Parallel()
	fourth := make(chan struct{})
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		switch page {
		case 2:
			<-fourth
		case 4:
			close(fourth)
		}
		return answer(http.StatusOK, nil, pageOf(authentik.Pagination{Next: (page + 1) % 6, Count: 5, Current: page, TotalPages: 5}, page))(r)
	})
	client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: mock}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := authentik.Collect(client.StagesSource.All(t.Context(),
		&authentik.StagesSourceListOptions{ListOptions: authentik.ListOptions{Prefetch: 3}}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5"}, names(func(s *authentik.SourceStage) string { return s.Name }, got)); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
}

// TestAllTellsAProxys404 has a proxy that loses the route in the middle of a walk.
func TestAllTellsAProxys404(t *testing.T) {
	t.Parallel()
	first := answer(200, nil, `{"pagination":{"next":2,"count":2,"total_pages":2},"results":[{"pk":"765ed48b-9283-4461-987d-de42dba24533"}]}`)
	client, mock := mockClient(t)
	mock.RegisterNoResponder(first.Then(answer(404, nil, "404 page not found\n")))
	err := lastError(client.StagesPassword.All(t.Context(), nil))
	if !errors.Is(err, authentik.ErrNoEndpoint) || errors.Is(err, authentik.ErrListChanged) || mock.GetTotalCallCount() != 2 {
		t.Errorf("error %v after %d requests", err, mock.GetTotalCallCount())
	}

	client, mock = mockClient(t)
	gone := answer(404, http.Header{"X-Authentik-Id": {"0a1b"}}, `{"detail":"Invalid page."}`)
	mock.RegisterNoResponder(first.Then(gone).Then(first).Then(gone).Then(first).Then(gone))
	err = lastError(client.StagesPassword.All(t.Context(), nil))
	apiError, ok := errors.AsType[*authentik.APIError](err)
	if !errors.Is(err, authentik.ErrListChanged) || !ok || apiError.RequestID != "0a1b" {
		t.Errorf("error %v", err)
	}
}

// TestTokenSourceEndsAWalk has a source that fails as a page does that is gone.
func TestTokenSourceEndsAWalk(t *testing.T) {
	t.Parallel()
	gone := &authentik.APIError{StatusCode: 404, Detail: "Not found."}
	for _, failure := range []error{authentik.ErrNotFound, gone} {
		calls := 0
		client, mock := mockClient(t, authentik.WithTokenSource(func(context.Context) (string, error) {
			if calls++; calls > 1 {
				return "", failure
			}
			return apiToken, nil
		}))
		mock.RegisterNoResponder(answer(200, nil, pageOf(authentik.Pagination{Next: 2, Count: 2}, 1)))
		err := lastError(client.StagesPassword.All(t.Context(), nil))
		if !errors.Is(err, failure) || errors.Is(err, authentik.ErrListChanged) || calls != 2 {
			t.Errorf("error %v after %d calls", err, calls)
		}
	}
}

func TestAllReadsAChangedListAgain(t *testing.T) {
	t.Parallel()
	page := func(next, count int, objects ...int) string {
		return pageOf(authentik.Pagination{Next: next, Count: count}, objects...)
	}
	for _, tt := range []struct {
		name  string
		pages map[int][]string
		want  []string
		err   error
		asked []int
	}{
		{
			name:  "one deleted: the next page skips one, count tells",
			pages: map[int][]string{1: {page(2, 4, 1, 2), page(2, 3, 2, 3)}, 2: {page(0, 3, 4)}},
			want:  []string{"1", "2", "4", "3"}, asked: []int{1, 2, 1, 2},
		},
		{
			name:  "one created: the next page repeats one",
			pages: map[int][]string{1: {page(2, 4, 1, 2), page(2, 4, 5, 1)}, 2: {page(0, 4, 2, 3)}},
			want:  []string{"1", "2", "3", "5"}, asked: []int{1, 2, 1, 2},
		},
		{
			name:  "the announced page is gone",
			pages: map[int][]string{1: {page(2, 3, 1, 2), page(0, 2, 1, 3)}, 2: {"404"}},
			want:  []string{"1", "2", "3"}, asked: []int{1, 2, 1},
		},
		{
			name: "it never settles",
			pages: map[int][]string{
				1: {page(2, 4, 1, 2), page(2, 5, 1, 2), page(2, 6, 1, 2), page(2, 7, 1, 2)},
				2: {page(0, 3, 3), page(0, 4, 3, 4), page(0, 5, 3, 4, 5)},
			},
			want: []string{"1", "2", "3", "4", "5"}, err: authentik.ErrListChanged, asked: []int{1, 2, 1, 2, 1, 2},
		},
		{
			name:  "it settles in the third reading",
			pages: map[int][]string{1: {page(2, 4, 1, 2)}, 2: {page(0, 3, 3), page(0, 3, 3), page(0, 4, 3, 4)}},
			want:  []string{"1", "2", "3", "4"}, asked: []int{1, 2, 1, 2, 1, 2},
		},
		{
			name:  "an object comes twice in each reading",
			pages: map[int][]string{1: {page(0, 2, 1, 1)}},
			want:  []string{"1"}, err: authentik.ErrListChanged, asked: []int{1, 1, 1},
		},
		{
			name:  "an error after a change ends it",
			pages: map[int][]string{1: {page(2, 3, 1)}, 2: {page(3, 2, 2)}, 3: {"501"}},
			want:  []string{"1", "2"}, err: authentik.ErrServer, asked: []int{1, 2, 3},
		},
		{
			name:  "count grows, and nothing comes twice",
			pages: map[int][]string{1: {page(2, 3, 1, 2), page(2, 4, 5, 1)}, 2: {page(0, 4, 3), page(0, 4, 2, 3)}},
			want:  []string{"1", "2", "3", "5"}, asked: []int{1, 2, 1, 2},
		},
		{
			name:  "a list without a change is read once",
			pages: map[int][]string{1: {page(2, 3, 1, 2)}, 2: {page(0, 3, 3)}},
			want:  []string{"1", "2", "3"}, asked: []int{1, 2},
		},
	} {
		for _, r := range resources {
			t.Run(tt.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				s := &script{pages: map[int][]string{}}
				for number, bodies := range tt.pages {
					s.pages[number] = slices.Clone(bodies)
				}
				var got []string
				var last error
				failures := 0
				for item, err := range r.all(t.Context(), s.client(t), authentik.ListOptions{}) {
					if last = err; err != nil {
						failures++
						continue
					}
					got = append(got, item.Name)
				}
				if !errors.Is(last, tt.err) || failures > 1 {
					t.Errorf("%d errors, the last %v, want %v", failures, last, tt.err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("stages (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.asked, s.asked); diff != "" {
					t.Errorf("pages asked for (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestAllConfirms(t *testing.T) {
	t.Parallel()
	page := func(next, count int, objects ...int) string {
		return pageOf(authentik.Pagination{Next: next, Count: count}, objects...)
	}
	const inFive = "no consistent reading of the list: the last of 5: "
	for _, tt := range []struct {
		name     string
		pages    map[int][]string
		want     []string
		err      string
		readings int
	}{
		{
			name:  "a quiet list is read twice",
			pages: map[int][]string{1: {page(2, 3, 1, 2)}, 2: {page(0, 3, 3)}},
			want:  []string{"1", "2", "3"}, readings: 2,
		},
		{
			name:  "an empty one too",
			pages: map[int][]string{1: {page(0, 0)}},
			want:  []string{}, readings: 2,
		},
		{
			name:  "a deletion and a creation that one reading cannot see",
			pages: map[int][]string{1: {page(2, 4, 1, 2), page(2, 4, 2, 3)}, 2: {page(0, 4, 4, 5)}},
			want:  []string{"1", "2", "4", "5", "3"}, readings: 3,
		},
		{
			name:  "the second reading sees less",
			pages: map[int][]string{1: {page(2, 4, 1, 2)}, 2: {page(0, 4, 3, 4), page(0, 4, 3)}},
			want:  []string{"1", "2", "3", "4"}, readings: 3,
		},
		{
			name:  "the same objects in a reading that is not consistent do not count",
			pages: map[int][]string{1: {page(2, 4, 1, 2), page(2, 4, 1, 2), page(2, 3, 1, 2)}, 2: {page(0, 4, 3), page(0, 3, 3)}},
			want:  []string{"1", "2", "3"}, readings: 4,
		},
		{
			name:  "no two in a row are the same",
			pages: map[int][]string{1: {page(0, 1, 1), page(0, 1, 2), page(0, 1, 1), page(0, 1, 2), page(0, 1, 1)}},
			want:  []string{"1", "2"}, err: inFive + "it saw other objects than the one before", readings: 5,
		},
		{
			name:  "an object comes twice in each",
			pages: map[int][]string{1: {page(0, 2, 1, 1)}},
			want:  []string{"1"}, err: inFive + "an object came twice", readings: 5,
		},
		{
			name:  "only the last is consistent",
			pages: map[int][]string{1: {page(0, 2, 1, 1), page(0, 2, 1, 1), page(0, 2, 1, 1), page(0, 2, 1, 1), page(0, 1, 1)}},
			want:  []string{"1"}, err: inFive + "the one before it was not consistent", readings: 5,
		},
	} {
		for _, r := range resources {
			t.Run(tt.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				s := &script{pages: map[int][]string{}}
				for number, bodies := range tt.pages {
					s.pages[number] = slices.Clone(bodies)
				}
				got, readings := []string{}, 0
				var last error
				for item, err := range r.all(t.Context(), s.client(t), authentik.ListOptions{Confirm: true}) {
					if last = err; err == nil {
						got = append(got, item.Name)
					}
				}
				for _, number := range s.asked {
					if number == 1 {
						readings++
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" || readings != tt.readings {
					t.Errorf("%d readings, want %d; stages (-want +got):\n%s", readings, tt.readings, diff)
				}
				if (tt.err == "") != (last == nil) || last != nil && (!errors.Is(last, authentik.ErrListChanged) || !strings.HasSuffix(last.Error(), tt.err)) {
					t.Errorf("error %v, want %s", last, tt.err)
				}
			})
		}
	}
}

func TestConfirmNeedsAnIdentity(t *testing.T) {
	t.Parallel()
	type nameOnly struct{ Name string }
	type raw struct{ PK json.RawMessage } // cannot be compared
	s := &script{pages: map[int][]string{1: {`{"pagination":{"count":1},"results":[{"pk":1}]}`}}}
	options := authentik.ListOptions{Confirm: true}
	err := lastError(authentik.All[nameOnly](t.Context(), s.client(t), "x/", options))
	if err == nil || !strings.Contains(err.Error(), "Confirm needs") || len(s.asked) != 0 {
		t.Errorf("error %v after %d requests", err, len(s.asked))
	}
	err = lastError(authentik.All[raw](t.Context(), s.client(t), "x/", options))
	if !errors.Is(err, authentik.ErrListChanged) || !strings.HasSuffix(err.Error(), ": it cannot be confirmed, and its objects have no identity to read it again by") {
		t.Errorf("a pk that cannot be compared: error %v", err)
	}
}

func TestConfirmIsOfAllAlone(t *testing.T) {
	t.Parallel()
	for _, r := range resources {
		server, client := fakeClient(t)
		options := authentik.ListOptions{Confirm: true}
		if _, err := r.list(t.Context(), client, options); err != nil {
			t.Error(err)
		}
		if err := lastError(r.pages(t.Context(), client, options)); err != nil {
			t.Error(err)
		}
		if n := len(server.Requests()); n != 2 {
			t.Errorf("%s: %d requests", r.name, n)
		}
	}
}

func TestAllMissesNothingWhileTheListChanges(t *testing.T) {
	t.Parallel()
	eachPrefetch(t, func(t *testing.T, r resource, prefetch int) {
		server, client := fakeClient(t)
		var pks []uuid.UUID
		for i := range 40 {
			pks = append(pks, r.add(server, fmt.Sprintf("stage-%04d", i)))
		}
		seen := map[string]int{}
		for item, err := range r.all(t.Context(), client, authentik.ListOptions{PageSize: 10, Prefetch: prefetch}) {
			if err != nil {
				t.Fatal(err)
			}
			seen[item.Name]++
			if len(seen) == 5 { // in page 1, so that those behind shift
				for _, gone := range pks[:3] {
					r.remove(server, gone)
				}
			}
		}
		for i := range 40 {
			name := fmt.Sprintf("stage-%04d", i)
			if seen[name] != 1 {
				t.Errorf("%s was yielded %d times", name, seen[name])
			}
		}
	})
}

func TestReReadingFindsItsFirstPageGone(t *testing.T) {
	t.Parallel()
	page := func(next, count int, objects ...int) string {
		return pageOf(authentik.Pagination{Next: next, Count: count}, objects...)
	}
	s := &script{pages: map[int][]string{3: {page(4, 7, 5, 6), "404", page(0, 6, 5, 6)}, 4: {"404"}}}
	got, err := authentik.Collect(resources[0].all(t.Context(), s.client(t), authentik.ListOptions{Page: 3}))
	if err != nil || !slices.Equal(names(stageName, got), []string{"5", "6"}) {
		t.Errorf("got %v, %v", names(stageName, got), err)
	}
}

func TestPagesFromZero(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	addStages(server, resources[0], 120)
	got, err := authentik.Collect(authentik.All[stage](t.Context(), client, resources[0].path,
		url.Values{"page": {"0"}, "page_size": {"0"}}))
	if err != nil || len(got) != 120 || len(server.Requests()) != 2 {
		t.Errorf("%d stages in %d requests, error %v", len(got), len(server.Requests()), err)
	}
}

// TestNothingRunsAfterTheLoop leaves a loop while pages are being asked for,
// which end with their context alone.
func TestNothingRunsAfterTheLoop(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"break", "panic", "error"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			var inFlight atomic.Int32
			started := make(chan struct{}, 8)
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				switch page := r.URL.Query().Get("page"); {
				case page == "1":
					return answer(http.StatusOK, nil, pageOf(authentik.Pagination{Next: 2, Count: 9, TotalPages: 9}, 1))(r)
				case page == "2" && way == "error":
					return answer(http.StatusNotFound, nil, "")(r)
				}
				inFlight.Add(1)
				defer inFlight.Add(-1)
				started <- struct{}{}
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: transport}))
			if err != nil {
				t.Fatal(err)
			}
			func() {
				defer func() {
					if got := recover(); (got != nil) != (way == "panic") {
						t.Errorf("panic %v", got)
					}
				}()
				for _, err := range resources[0].pages(context.Background(), client, authentik.ListOptions{Prefetch: 4}) {
					if err != nil {
						break
					}
					<-started
					switch way {
					case "break":
						return
					case "panic":
						panic("in the loop")
					}
				}
			}()
			if n := inFlight.Load(); n != 0 {
				t.Errorf("%d requests in flight", n)
			}
		})
	}
}

func TestHugePrefetch(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	addStages(server, resources[0], 5)
	for range resources[0].pages(t.Context(), client, authentik.ListOptions{PageSize: 1, Prefetch: math.MaxInt}) {
	}
	if n := len(server.Requests()); n != 5 {
		t.Errorf("%d requests for 5 pages", n)
	}
}

func TestObjectsWithUnusualPKs(t *testing.T) {
	t.Parallel()
	page := func(next, count int, pks string) string {
		return fmt.Sprintf(`{"pagination":{"next":%d,"count":%d},"results":[%s]}`, next, count, pks)
	}
	changed := func(last string) *script {
		return &script{pages: map[int][]string{
			1: {page(2, 3, `{"pk":1},{"pk":2}`), page(2, 2, `{"pk":1},{"pk":3}`)},
			2: {page(0, 2, last), page(0, 2, "")},
		}}
	}
	type pointer struct{ PK *int }
	got, err := authentik.Collect(authentik.All[pointer](t.Context(), changed("").client(t), "x/", nil))
	if err != nil || len(got) != 3 || *got[2].PK != 3 {
		t.Errorf("pointers: %d objects, error %v", len(got), err)
	}
	type base struct {
		ID int `json:"pk"`
	}
	type promoted struct{ *base }
	type exported struct {
		PK   int    `json:"pk"`
		Name string `json:"name"`
	}
	zero := `{"pagination":{"next":0},"results":[{"pk":0,"name":"zero"},{"pk":1}]}`
	zeros, err := authentik.Collect(authentik.All[exported](t.Context(), answering(t, 200, nil, zero), "/x", nil))
	if err != nil || len(zeros) != 2 || zeros[0].Name != "zero" {
		t.Errorf("a pk of 0: %v, error %v", zeros, err)
	}
	if one, err := authentik.Get[exported](t.Context(), answering(t, 200, nil, `{"pk":0,"name":"zero"}`), "x/", nil); err != nil || one.Name != "zero" {
		t.Errorf("Get of a pk of 0: %v, error %v", one, err)
	}
	type raw struct{ PK json.RawMessage }
	_, err = authentik.Collect(authentik.All[raw](t.Context(), changed("").client(t), "/x", nil))
	const text = "authentik: GET " + apiPath + "x/: no consistent reading of the list: its pages differ in count, and its objects have no identity to read it again by"
	if !errors.Is(err, authentik.ErrListChanged) || err.Error() != text {
		t.Errorf("pks that cannot be compared: error %v, want %s", err, text)
	}
	if one, err := authentik.Get[raw](t.Context(), answering(t, 200, nil, `{"pk":"a"}`), "x/", nil); err != nil || string(one.PK) != `"a"` {
		t.Errorf("Get of such a pk: %v, %v", one, err)
	}
	_, err = authentik.Get[pointer](t.Context(), answering(t, 200, nil, `{}`), "x/", nil)
	if _, ok := errors.AsType[*authentik.DecodeError](err); !ok {
		t.Errorf("Get without pk: error %v, want a DecodeError", err)
	}
	_, err = authentik.Get[promoted](t.Context(), answering(t, 200, nil, `{}`), "x/", nil)
	if _, ok := errors.AsType[*authentik.DecodeError](err); !ok {
		t.Errorf("Get without the embedded struct of pk: error %v, want a DecodeError", err)
	}
}

func TestCollectReturnsTheErrorAlone(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t, authentik.WithRetries(0, 0, 0))
	addStages(server, resources[0], 30)
	server.Fail(1, authentiktest.Failure{})
	server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
	got, err := authentik.Collect(resources[0].all(t.Context(), client, authentik.ListOptions{PageSize: 10}))
	if got != nil || !errors.Is(err, authentik.ErrServer) {
		t.Errorf("got %d stages beside the error %v", len(got), err)
	}
}

func TestAllOfObjectsWithoutPK(t *testing.T) {
	t.Parallel()
	type nameOnly struct{ Name string }
	pages := func() *script {
		return &script{pages: map[int][]string{
			1: {pageOf(authentik.Pagination{Next: 2, Count: 3}, 1, 2)},
			2: {pageOf(authentik.Pagination{Next: 0, Count: 2}, 3)},
		}}
	}
	for name, collect := range map[string]func(*authentik.Client) (int, error){
		"struct": func(c *authentik.Client) (n int, last error) {
			for _, err := range authentik.All[nameOnly](t.Context(), c, "x/", nil) {
				if last = err; err == nil {
					n++
				}
			}
			return n, last
		},
		"map": func(c *authentik.Client) (n int, last error) {
			for _, err := range authentik.All[map[string]any](t.Context(), c, "x/", nil) {
				if last = err; err == nil {
					n++
				}
			}
			return n, last
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := pages()
			n, err := collect(s.client(t))
			if n != 3 || !errors.Is(err, authentik.ErrListChanged) {
				t.Errorf("%d objects and error %v, want all 3 and ErrListChanged", n, err)
			}
			if diff := cmp.Diff([]int{1, 2}, s.asked); diff != "" {
				t.Errorf("pages asked for (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPaginationNumbers(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"%d", "%d.0", "%d.0e0", "%de0", "%d00e-2"} {
		text := fmt.Sprintf(strings.ReplaceAll(`{"next":@,"previous":@,"count":@,"current":@,"total_pages":@,"start_index":@,"end_index":@,"new":{}}`, "@", form),
			1, 2, 3, 4, 5, 6, 7)
		var got authentik.Pagination
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if want := (authentik.Pagination{1, 2, 3, 4, 5, 6, 7}); got != want {
			t.Errorf("%s: got %+v", text, got)
		}
	}
	var got authentik.Pagination
	if err := json.Unmarshal([]byte(`{"next":null}`), &got); err != nil || got != (authentik.Pagination{}) {
		t.Errorf("null and missing: %+v, %v", got, err)
	}
}

func TestOneClientForManyGoroutines(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	want := addStages(server, resources[0], 50)
	all := resources[0].all(t.Context(), client, authentik.ListOptions{PageSize: 10, Prefetch: 2})
	var running sync.WaitGroup
	for range 20 {
		running.Go(func() {
			got, err := authentik.Collect(all)
			if err != nil || !slices.Equal(want, names(stageName, got)) {
				t.Errorf("got %d stages, error %v", len(got), err)
			}
		})
	}
	running.Wait()
}

// A token source that ends its goroutine, as t.Fatal does, ends the walk.
func TestGoexitAhead(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	client, mock := mockClient(t, authentik.WithTokenSource(func(context.Context) (string, error) {
		if asked.Add(1) > 1 {
			runtime.Goexit()
		}
		return apiToken, nil
	}))
	mock.RegisterNoResponder(answer(http.StatusOK, nil, `{"pagination":{"next":2,"total_pages":3},"results":[]}`))
	_, err := authentik.Collect(authentik.Pages[stage](t.Context(), client, "x/", authentik.ListOptions{Prefetch: 2}))
	if err == nil || !strings.Contains(err.Error(), "runtime.Goexit") {
		t.Errorf("error %v", err)
	}
}
