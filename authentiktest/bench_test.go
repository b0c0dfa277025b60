package authentiktest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
)

// BenchmarkStart starts a server with all that a fresh authentik has. In a program's
// first, the facts of the release are read as well.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		server := authentiktest.NewServer()
		server.Bootstrap()
		server.Close()
	}
}

// BenchmarkFiveThousandUsers adds 5,000 users and walks them.
func BenchmarkFiveThousandUsers(b *testing.B) {
	for b.Loop() {
		server := authentiktest.NewServer()
		for i := range 5_000 {
			server.CoreUsers.Add(authentik.User{Username: fmt.Sprintf("user%04d", i)})
		}
		client, err := server.Client()
		if err != nil {
			b.Fatal(err)
		}
		users, err := authentik.Collect(client.CoreUsers.All(b.Context(), nil))
		if err != nil || len(users) != 5_000 {
			b.Fatal(len(users), err)
		}
		server.Close()
	}
}

// BenchmarkPage asks for a page of 100,000 users, each time after a write, so that
// nothing is answered from memory.
func BenchmarkPage(b *testing.B) {
	server := authentiktest.NewServer()
	b.Cleanup(server.Close)
	for i := range 100_000 {
		server.CoreUsers.Add(authentik.User{Username: fmt.Sprintf("user%06d", i*7919%100_000), IsActive: i%2 == 0})
	}
	group := server.CoreGroups.Add(authentik.Group{Name: "staff"})
	for _, query := range []string{
		"", "page=2500", "is_active=true", "username=user050000", "path=users&type=internal", "search=user0500",
		"ordering=-date_joined", "ordering=email,pk", "groups_by_name=staff", "search=nobody",
	} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				server.CoreUsers.Update(1, func(user *authentik.User) { user.Groups = append(user.Groups[:0], group.PK) })
				request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/api/v3/core/users/?"+query, nil)
				request.Header.Set("Authorization", "Bearer "+server.Token)
				recorder := httptest.NewRecorder()
				server.ServeHTTP(recorder, request)
				if recorder.Code != http.StatusOK {
					b.Fatal(recorder.Body)
				}
			}
		})
	}
}
