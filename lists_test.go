package authentik_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"
)

// TestOptionsOfOtherReleases sets a filter that only newer servers know, which older
// ones would answer with everything.
func TestOptionsOfOtherReleases(t *testing.T) {
	t.Parallel()
	idle := &authentik.CoreUsersListOptions{LastLoginLT: new(time.Now().AddDate(-1, 0, 0))}
	for name, test := range map[string]struct {
		version httpmock.Responder
		opts    *authentik.CoreUsersListOptions
		want    string // in the error; "": none
		is      error
		asked   int // for the version, by two walks
	}{
		"an older server":      {answer(200, nil, `{"version_current":"2025.12.9"}`), idle, "the option last_login__lt is of 2026.2 and later, and the server is 2025.12.9", errors.ErrUnsupported, 1},
		"one that knows it":    {answer(200, nil, `{"version_current":"2026.2.0-rc1"}`), idle, "", nil, 1},
		"an unknown version":   {answer(403, nil, `{"detail":"No."}`), idle, "", nil, 1},
		"no version":           {answer(500, nil, `{"detail":"No."}`), idle, "the option last_login__lt is not of every release", authentik.ErrServer, 2},
		"no such option":       {answer(500, nil, ""), &authentik.CoreUsersListOptions{IsActive: new(true)}, "", nil, 0},
		"one that only shapes": {answer(500, nil, ""), &authentik.CoreUsersListOptions{IncludeGroups: new(false)}, "", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, mock := mockClient(t, authentik.WithRetries(0, 0, 0))
			asked, lists := 0, 0
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/admin/version/") {
					asked++
					return test.version(r)
				}
				lists++
				return answer(200, nil, emptyPage)(r)
			})
			for range 2 {
				_, err := authentik.Collect(client.CoreUsers.All(t.Context(), test.opts))
				if (test.want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), test.want) || !errors.Is(err, test.is)) {
					t.Errorf("error %v", err)
				}
			}
			if want := 2; (lists == want) != (test.want == "") || asked != test.asked {
				t.Errorf("the list was asked for %d times, the version %d", lists, asked)
			}
		})
	}
}

// TestAttributesThatDjangoRefuses are errors without a request: servers answer with
// everybody.
func TestAttributesThatDjangoRefuses(t *testing.T) {
	t.Parallel()
	client, mock := mockClient(t)
	mock.RegisterNoResponder(answer(200, nil, emptyPage))
	for filter, want := range map[string]string{
		`{"a__isnull": true, "isnull": false}`:           "",
		`{"a__b": null, "exact": null, "a__isnulls": 1}`: "",
		`{"\ud83d\ude00": "\ud83d\ude00"}`:               "",
		`{"a__isnull": "true"}`:                          `"a__isnull" takes true or false`,
		`{"isnull": null}`:                               `"isnull" takes true or false`,
		`{"b": 1, "a__gt": null}`:                        `"a__gt" takes no null`,
		`{"has_key": null}`:                              `"has_key" takes no null`,
		`{"a": ["\ud83d"]}`:                              "no JSON object",
		`null`:                                           "no JSON object",
		`a=b`:                                            "no JSON object",
	} {
		for _, list := range []func() error{
			func() error {
				_, err := client.CoreUsers.List(t.Context(), &authentik.CoreUsersListOptions{Attributes: filter})
				return err
			},
			func() error {
				_, err := client.CoreGroups.List(t.Context(), &authentik.CoreGroupsListOptions{Attributes: filter})
				return err
			},
		} {
			if err := list(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v", filter, err)
			}
		}
	}
}

// TestOptionThatIsGone sets a filter that only older servers know.
func TestOptionThatIsGone(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	server.SetRelease("2026.5")
	_, err := client.ProvidersOAuth2.List(t.Context(), &authentik.ProvidersOAuth2ListOptions{RedirectURIs: "https://a"})
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "redirect_uris is of 2024.10 and earlier") {
		t.Errorf("error %v", err)
	}
}

// TestSearchOfAListWithoutOne is an error without a request: the server would ignore
// it, or fail.
func TestSearchOfAListWithoutOne(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	opts := authentik.ListOptions{Search: "x"}
	_, err := client.EventsNotifications.List(t.Context(), &authentik.EventsNotificationsListOptions{ListOptions: opts})
	_, otherErr := authentik.Collect(client.CoreApplicationEntitlements.All(t.Context(), &authentik.CoreApplicationEntitlementsListOptions{ListOptions: opts}))
	for _, err := range []error{err, otherErr} {
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "has no search") || len(server.Requests()) != 0 {
			t.Errorf("error %v after %d requests", err, len(server.Requests()))
		}
	}
}

// TestSearchThatOlderServersIgnore is an error there, before the list is read.
func TestSearchThatOlderServersIgnore(t *testing.T) {
	t.Parallel()
	for release, unsupported := range map[string]bool{"2024.6": true, "2024.8": false} {
		server, client := fakeClient(t)
		server.SetRelease(release)
		_, err := client.SourcesUserConnectionsAll.List(t.Context(), &authentik.SourcesUserConnectionsAllListOptions{ListOptions: authentik.ListOptions{Search: "x"}})
		if errors.Is(err, errors.ErrUnsupported) != unsupported || !unsupported && err != nil {
			t.Errorf("%s: error %v", release, err)
		}
	}
}

// TestOrderingThatFails is an error without a request.
func TestOrderingThatFails(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	opts := &authentik.CoreUsersListOptions{ListOptions: authentik.ListOptions{Ordering: "-is_superuser"}}
	_, err := authentik.Collect(client.CoreUsers.All(t.Context(), opts))
	if err == nil || !strings.Contains(err.Error(), "cannot be ordered by -is_superuser") || !strings.Contains(err.Error(), "username") || len(server.Requests()) != 0 {
		t.Errorf("error %v after %d requests", err, len(server.Requests()))
	}
}

// TestOrdersAreTotal looks at the orderings that walks send.
func TestOrdersAreTotal(t *testing.T) {
	t.Parallel()
	client, mock := mockClient(t)
	var sent []string
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL.Query().Get("ordering")+" "+r.URL.Query().Get("search"))
		return answer(200, nil, emptyPage)(r)
	})
	ctx := t.Context()
	_, _ = authentik.Collect(client.AuthenticatorsTOTP.All(ctx, nil))        // by name, which repeats
	_, _ = authentik.Collect(client.CoreAuthenticatedSessions.All(ctx, nil)) // by a name that cannot be sent
	_, _ = authentik.Collect(client.ProvidersAll.All(ctx, nil))              // by nothing
	_, _ = authentik.Collect(client.FlowsInstances.All(ctx, nil))            // by slug, which is unique
	_, _ = client.AuthenticatorsTOTP.List(ctx, nil)                          // as the server orders it
	_, _ = authentik.Collect(client.CoreApplications.All(ctx, nil))          // past the cache
	_, _ = authentik.Collect(client.CoreApplications.All(ctx, &authentik.CoreApplicationsListOptions{ListOptions: authentik.ListOptions{Search: "wiki"}}))
	want := []string{"name,pk ", "uuid ", "pk ", " ", " ", "name,pk  ", "name,pk wiki"}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("orderings and searches (-want +got):\n%s", diff)
	}
}

// TestJoinsAreNoChange has a filter by which the server joins outposts with their
// providers: one with two comes twice, at places that change from page to page.
func TestJoinsAreNoChange(t *testing.T) {
	t.Parallel()
	client, mock := mockClient(t)
	rows := [][]int{{1, 1}, {2, 2}}
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		number := 1
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &number)
		pagination := authentik.Pagination{Count: 4, Current: number, TotalPages: 2}
		if number == 1 {
			pagination.Next = 2
		}
		return httpmock.NewStringResponse(http.StatusOK, pageOf(pagination, rows[number-1]...)), nil
	})
	outposts, err := authentik.Collect(client.OutpostsInstances.All(t.Context(), &authentik.OutpostsInstancesListOptions{ProvidersIsNull: new(false)}))
	if err != nil || len(outposts) != 2 {
		t.Errorf("got %d outposts, %v", len(outposts), err)
	}
}

// TestWalkByPKMissesNothing deletes objects that the walk has passed, which shifts
// those after them: a walk ordered by the pk alone notices, and reads the list once.
func TestWalkByPKMissesNothing(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	const users = 500
	for i := range users {
		server.CoreUsers.Add(authentik.User{Username: fmt.Sprintf("user%03d", i)})
	}
	seen, deleted := map[int]bool{}, 0
	opts := &authentik.CoreUsersListOptions{ListOptions: authentik.ListOptions{Ordering: "pk", PageSize: 50}}
	for user, err := range client.CoreUsers.All(t.Context(), opts) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[user.PK] {
			t.Errorf("user %d came twice", user.PK)
		}
		seen[user.PK] = true
		if len(seen)%7 == 0 {
			server.CoreUsers.Remove(user.PK)
			deleted++
		}
	}
	if len(seen) != users || deleted < 50 {
		t.Errorf("saw %d users of %d, and deleted %d", len(seen), users, deleted)
	}
	if n := len(server.Requests()); n > users/50*2 {
		t.Errorf("%d requests", n)
	}
}
