// Package migration_test has what docs/migrating.md shows of this SDK, so that it
// is compiled and tested.
package migration_test

import (
	"context"
	"errors"
	"fmt"
	"go/format"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func newClient(baseURL, token string) (*authentik.Client, error) {
	return authentik.NewClient(baseURL, token)
}

func activeUsers(ctx context.Context, client *authentik.Client) ([]*authentik.User, error) {
	return authentik.Collect(client.CoreUsers.All(ctx, &authentik.CoreUsersListOptions{IsActive: new(true)}))
}

func describe(ctx context.Context, client *authentik.Client, slug string) (string, error) {
	flow, err := client.FlowsInstances.Retrieve(ctx, slug)
	switch {
	case errors.Is(err, authentik.ErrNotFound):
		return "there is no such flow", nil
	case errors.Is(err, authentik.ErrForbidden):
		return "the token may not see it", nil
	case err != nil:
		return "", err
	}
	return flow.Title, nil
}

func messages(err error) map[string][]string {
	if invalid, ok := errors.AsType[*authentik.ValidationError](err); ok {
		return invalid.Fields
	}
	return nil
}

func groupNamed(ctx context.Context, client *authentik.Client, name string) (*authentik.Group, error) {
	return authentik.One(client.CoreGroups.All(ctx, &authentik.CoreGroupsListOptions{Name: name}))
}

func createApplication(ctx context.Context, client *authentik.Client, name string, flow uuid.UUID, callback string) (*authentik.Application, error) {
	provider, err := client.ProvidersOAuth2.Create(ctx, &authentik.OAuth2ProviderRequest{
		Name: name, AuthorizationFlow: flow, InvalidationFlow: flow,
		RedirectURIs: []authentik.RedirectURIRequest{{MatchingMode: authentik.MatchingModeStrict, URL: callback}},
	})
	if err != nil {
		return nil, err
	}
	return client.CoreApplications.Create(ctx, &authentik.ApplicationRequest{Name: name, Slug: name, Provider: authentik.Value(provider.PK)})
}

func withoutProvider(ctx context.Context, client *authentik.Client, slug string) (*authentik.Application, error) {
	return client.CoreApplications.Update(ctx, slug, &authentik.ApplicationRequest{
		MetaDescription: new("retired"), Provider: authentik.Null[int](),
	})
}

func setPassword(ctx context.Context, client *authentik.Client, user int, password string) error {
	return client.CoreUsers.SetPassword(ctx, user, &authentik.UserPasswordSetRequest{Password: password})
}

func deleteUser(ctx context.Context, client *authentik.Client, user int) error {
	err := client.CoreUsers.Delete(ctx, user)
	if errors.Is(err, authentik.ErrNotFound) {
		return nil
	}
	return err
}

func newPatientClient(baseURL, token string) (*authentik.Client, error) {
	return authentik.NewClient(baseURL, token, authentik.WithRetries(5, time.Second, 30*time.Second))
}

//nolint:paralleltest // it stands on the page as it is
func TestActiveUsers(t *testing.T) {
	server := authentiktest.NewServer()
	defer server.Close()
	server.CoreUsers.Add(authentik.User{Username: "ada", IsActive: true})
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	users, err := activeUsers(t.Context(), client)
	if err != nil || len(users) != 1 {
		t.Errorf("got %v, %v", users, err)
	}
}

func fakeServer(t *testing.T) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	client, err := newClient(server.URL+"/api/v3/", server.Token)
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestAllActiveUsers(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	for i := range 150 {
		server.CoreUsers.Add(authentik.User{Username: fmt.Sprintf("user-%d", i), IsActive: true})
	}
	server.CoreUsers.Add(authentik.User{Username: "gone"})
	if users, err := activeUsers(t.Context(), client); len(users) != 150 || err != nil {
		t.Errorf("%d users, %v", len(users), err)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.FlowsInstances.Add(authentik.Flow{Slug: "login", Title: "Welcome!"})
	refused, err := newClient(server.URL, "wrong-token")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		client     *authentik.Client
		slug, want string
	}{
		{client, "login", "Welcome!"},
		{client, "logout", "there is no such flow"},
		{refused, "login", "the token may not see it"},
	} {
		if got, err := describe(t.Context(), test.client, test.slug); got != test.want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, test.want)
		}
	}
	server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
	if got, err := describe(t.Context(), client, "login"); !errors.Is(err, authentik.ErrServer) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestGroupNamed(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.CoreGroups.Add(authentik.Group{Name: "operators"})
	if group, err := groupNamed(t.Context(), client, "operators"); err != nil || group.Name != "operators" {
		t.Errorf("got %v, %v", group, err)
	}
	if group, err := groupNamed(t.Context(), client, "oper"); !errors.Is(err, authentik.ErrNotFound) {
		t.Errorf("got %v, %v", group, err)
	}
	server.Fail(1, authentiktest.Failure{Status: http.StatusForbidden})
	if _, err := groupNamed(t.Context(), client, "operators"); !errors.Is(err, authentik.ErrForbidden) {
		t.Errorf("got %v", err)
	}
}

func TestApplication(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	flow := server.FlowsInstances.Add(authentik.Flow{Slug: "consent"})
	const callback = "https://wiki.example.com/callback"
	application, err := createApplication(t.Context(), client, "wiki", flow.PK, callback)
	if err != nil {
		t.Fatal(err)
	}
	providers := server.ProvidersOAuth2.All()
	if len(providers) != 1 || application.Provider == nil || *application.Provider != providers[0].PK ||
		providers[0].AuthorizationFlow != flow.PK || providers[0].RedirectURIs[0].URL != callback {
		t.Errorf("got %+v with %+v", application, providers)
	}
	_, err = createApplication(t.Context(), client, "wiki", flow.PK, callback)
	want := map[string][]string{"name": {"provider with this name already exists."}}
	if diff := cmp.Diff(want, messages(err)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if got := messages(authentik.ErrNotFound); got != nil {
		t.Errorf("of another error: %v", got)
	}
	application, err = withoutProvider(t.Context(), client, "wiki")
	if err != nil || application.Provider != nil || application.MetaDescription != "retired" || application.Name != "wiki" {
		t.Errorf("got %+v, %v", application, err)
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	ada := server.CoreUsers.Add(authentik.User{Username: "ada"})
	if err := setPassword(t.Context(), client, ada.PK, "correct horse"); err != nil {
		t.Error(err)
	}
	requests := server.Requests()
	if body := string(requests[len(requests)-1].Body); body != `{"password":"correct horse"}` {
		t.Errorf("sent %s", body)
	}
	for range 2 { // the second time, the user is gone
		if err := deleteUser(t.Context(), client, ada.PK); err != nil || len(server.CoreUsers.All()) != 0 {
			t.Errorf("%d users, %v", len(server.CoreUsers.All()), err)
		}
	}
	server.Fail(1, authentiktest.Failure{Status: http.StatusForbidden})
	if err := deleteUser(t.Context(), client, ada.PK); !errors.Is(err, authentik.ErrForbidden) {
		t.Errorf("got %v", err)
	}
}

func TestPatientClient(t *testing.T) {
	t.Parallel()
	server, _ := fakeServer(t)
	client, err := newPatientClient(server.URL, server.Token)
	if err != nil {
		t.Fatal(err)
	}
	server.Fail(1, authentiktest.Failure{Status: http.StatusServiceUnavailable})
	if _, err := client.CoreUsers.List(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// TestPage sees that what the page shows of this SDK is compiled here, that all
// its snippets are formatted, and that the numbers of their lines are right.
func TestPage(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	compiled, err := os.ReadFile("migration_test.go")
	if err != nil {
		t.Fatal(err)
	}
	snippets := regexp.MustCompile("(?s)\n(Before|After), (\\d+) lines?:\n\n```go\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(snippets) != 20 || strings.Count(page, "```go\n") != 20 {
		t.Fatalf("%d snippets, want ten times two", len(snippets))
	}
	var numbers []string
	var sums [2]int
	var sentence string
	for i, snippet := range snippets {
		side, number, code := snippet[1], snippet[2], snippet[3]
		if side != []string{"Before", "After"}[i%2] {
			t.Errorf("snippet %d is %s", i, side)
		}
		if formatted, err := format.Source([]byte(code)); err != nil || string(formatted) != code {
			t.Errorf("not formatted, %v:\n%s", err, code)
		}
		if side == "After" && !strings.Contains(string(compiled), "\n"+code+"\n") {
			t.Errorf("not compiled:\n%s", code)
		}
		lines := 0
		for line := range strings.Lines(code) {
			if strings.TrimSpace(line) != "" {
				lines++
			}
		}
		if number != strconv.Itoa(lines) {
			t.Errorf("%d lines are said to be %s:\n%s", lines, number, code)
		}
		numbers = append(numbers, number)
		sums[i%2] += lines
		switch i + 1 {
		case 4 * 2:
			sentence = fmt.Sprintf("The first four take %d lines instead of %d, ", sums[1], sums[0])
		case 10 * 2:
			sentence += fmt.Sprintf("all ten %d instead of %d.", sums[1], sums[0])
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if inReadme := fmt.Sprintf("%d lines before and %d after", sums[0], sums[1]); !strings.Contains(string(readme), inReadme) {
		t.Errorf("the README does not say: %s", inReadme)
	}
	if !strings.Contains(page, sentence) {
		t.Errorf("the page does not say: %s", sentence)
	}
	var table []string
	for _, row := range regexp.MustCompile(`(?m)^\| \d+\. .* \| (\d+) \| (\d+) \|$`).FindAllStringSubmatch(page, -1) {
		table = append(table, row[1:]...)
	}
	if diff := cmp.Diff(numbers, table); diff != "" {
		t.Errorf("numbers in the table (-snippets +table):\n%s", diff)
	}
}
