package authentiktest_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// TestCloseCutsRequests closes the server while it waits for the rest of a body.
func TestCloseCutsRequests(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprint(conn, "POST /api/v3/core/users/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n') // comes when the server reads the body
	if err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatal(line, err)
	}
	server.Close()
}

func TestRequestsKeepHeaders(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v3/core/users/", nil)
	request.Header.Set("X-Test", "before")
	server.ServeHTTP(httptest.NewRecorder(), request)
	request.Header.Set("X-Test", "after")
	if got := server.Requests()[0].Header.Get("X-Test"); got != "before" {
		t.Errorf("the header is %q after the request was changed", got)
	}
}

// TestQueriesSeeChanges asks the same before and after each kind of change.
func TestQueriesSeeChanges(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	check := func(path, want string) {
		t.Helper()
		if got := found(t, server, path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	staff := server.CoreGroups.Add(authentik.Group{Name: "staff"})
	anna := server.CoreUsers.Add(authentik.User{Username: "anna", Name: "anna"})
	bob := server.CoreUsers.Add(authentik.User{Username: "bob", Name: "bob"})
	provider := server.ProvidersOAuth2.Add(authentik.OAuth2Provider{Name: "web"})
	inStaff := "core/users/?groups_by_name=staff"
	check(inStaff, "")
	server.CoreGroups.Update(staff.PK, func(group *authentik.Group) { group.Users = []int{anna.PK} })
	check(inStaff, "anna")
	server.CoreUsers.Update(bob.PK, func(user *authentik.User) { user.Groups = []uuid.UUID{staff.PK} })
	check(inStaff, "anna bob")
	check("core/users/?search=caro", "")
	server.CoreUsers.Update(bob.PK, func(user *authentik.User) { user.Name = "caro" })
	check("core/users/?search=caro", "caro")
	check("core/users/?name=bob", "")
	server.CoreUsers.Remove(anna.PK)
	check("core/users/?name=caro", "caro")
	other := server.ProvidersOAuth2.Add(authentik.OAuth2Provider{Name: "other"})
	server.CoreApplications.Add(authentik.Application{Name: "b", Slug: "b", Provider: &provider.PK})
	unused := func() string { return get(t, server, "/api/v3/providers/all/?application__isnull=true").body }
	if body := unused(); !strings.Contains(body, `"name":"other"`) || strings.Contains(body, `"name":"web"`) {
		t.Errorf("without an application: %s", body)
	}
	server.CoreApplications.Add(authentik.Application{Name: "a", Slug: "a", Provider: &other.PK})
	if body := unused(); strings.Contains(body, `"name":"other"`) {
		t.Errorf("the list does not see the new application: %s", body)
	}
}

// TestOwnOrderIsStable has objects that the list's own order does not tell apart,
// in two lists that a third shows.
func TestOwnOrderIsStable(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	var want []string
	for i := range 40 {
		add := server.CoreApplications
		if i >= 20 {
			add = server.CoreApplicationsRequestable
		}
		want = append(want, add.Add(authentik.Application{Name: "same", Slug: fmt.Sprintf("s%02d", i)}).Slug)
	}
	got := get(t, server, "/api/v3/core/applications/?page_size=40").body
	at := -1
	for _, slug := range want {
		next := strings.Index(got, `"slug":"`+slug+`"`)
		if next <= at {
			t.Fatalf("%s is not after the one before: %s", slug, got)
		}
		at = next
	}
}
