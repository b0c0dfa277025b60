// Package migration_test has what docs/migrating.md shows of this SDK, so that it
// is compiled and tested.
package migration_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"go/format"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
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

func search(ctx context.Context, client *authentik.Client, words string) ([]*authentik.PasswordStage, error) {
	opts := &authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{Search: words}}
	return authentik.Collect(client.StagesPassword.All(ctx, opts))
}

func describe(ctx context.Context, client *authentik.Client, pk uuid.UUID) (string, error) {
	stage, err := client.StagesPassword.Retrieve(ctx, pk)
	switch {
	case errors.Is(err, authentik.ErrNotFound):
		return "there is no such stage", nil
	case errors.Is(err, authentik.ErrForbidden):
		return "the token may not see it", nil
	case err != nil:
		return "", err
	}
	return stage.Name, nil
}

func messages(err error) map[string][]string {
	if invalid, ok := errors.AsType[*authentik.ValidationError](err); ok {
		return invalid.Fields
	}
	return nil
}

func byName(ctx context.Context, client *authentik.Client, name string) (*authentik.PasswordStage, error) {
	list, err := client.StagesPassword.List(ctx, &authentik.StagesPasswordListOptions{Name: name})
	if err != nil {
		return nil, err
	}
	if len(list.Results) == 0 {
		return nil, fmt.Errorf("there is no password stage %q", name)
	}
	return &list.Results[0], nil
}

type User struct {
	PK       int    `json:"pk"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

func activeUsers(ctx context.Context, client *authentik.Client) ([]*User, error) {
	return authentik.Collect(authentik.All[User](ctx, client, "core/users/", url.Values{"is_active": {"true"}}))
}

func newPatientClient(baseURL, token string) (*authentik.Client, error) {
	return authentik.NewClient(baseURL, token, authentik.WithRetries(5, time.Second, 30*time.Second))
}

func newClientBehindProxy(baseURL, token string, roots *x509.CertPool, accessID string) (*authentik.Client, error) {
	return authentik.NewClient(baseURL, token,
		authentik.WithTLSConfig(&tls.Config{RootCAs: roots}),
		authentik.WithHeader("CF-Access-Client-Id", accessID))
}

func newClientWithTokenFile(baseURL, path string) (*authentik.Client, error) {
	return authentik.NewClient(baseURL, "", authentik.WithTokenSource(func(context.Context) (string, error) {
		token, err := os.ReadFile(path)
		return strings.TrimSpace(string(token)), err
	}))
}

//nolint:paralleltest // it stands on the page as it is
func TestSearch(t *testing.T) {
	server := authentiktest.NewServer()
	defer server.Close()
	server.StagesPassword.Add(authentik.PasswordStage{Name: "lenient"})
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	stages, err := search(t.Context(), client, "lenient")
	if err != nil || len(stages) != 1 {
		t.Errorf("got %v, %v", stages, err)
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

func TestSearchAllPages(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	for i := range 150 {
		server.StagesPassword.Add(authentik.PasswordStage{Name: fmt.Sprintf("lenient-%d", i)})
	}
	server.StagesPassword.Add(authentik.PasswordStage{Name: "strict"})
	if stages, err := search(t.Context(), client, "lenient"); len(stages) != 150 || err != nil {
		t.Errorf("%d stages, %v", len(stages), err)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	stage := server.StagesPassword.Add(authentik.PasswordStage{Name: "strict"})
	refused, err := newClient(server.URL, "wrong-token")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		client *authentik.Client
		pk     uuid.UUID
		want   string
	}{
		{client, stage.PK, "strict"},
		{client, uuid.New(), "there is no such stage"},
		{refused, stage.PK, "the token may not see it"},
	} {
		if got, err := describe(t.Context(), test.client, test.pk); got != test.want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, test.want)
		}
	}
	server.Fail(1, authentiktest.Failure{Status: http.StatusInternalServerError})
	if got, err := describe(t.Context(), client, stage.PK); !errors.Is(err, authentik.ErrServer) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	_, client := fakeServer(t)
	_, err := authentik.List[authentik.PasswordStage](t.Context(), client, "stages/password/", url.Values{"configure_flow": {"my-flow"}})
	want := map[string][]string{"configure_flow": {"“my-flow” is not a valid UUID."}}
	if diff := cmp.Diff(want, messages(err)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if got := messages(authentik.ErrNotFound); got != nil {
		t.Errorf("of another error: %v", got)
	}
}

func TestByName(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.StagesPassword.Add(authentik.PasswordStage{Name: "strict"})
	if stage, err := byName(t.Context(), client, "strict"); err != nil || stage.Name != "strict" {
		t.Errorf("got %v, %v", stage, err)
	}
	if stage, err := byName(t.Context(), client, "stri"); err == nil {
		t.Errorf("got %v", stage)
	}
	server.Fail(1, authentiktest.Failure{Status: http.StatusForbidden})
	if _, err := byName(t.Context(), client, "strict"); !errors.Is(err, authentik.ErrForbidden) {
		t.Errorf("got %v", err)
	}
}

func TestActiveUsers(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	for pk, name := range []string{"ada", "bob"} {
		server.AddObjects("core/users/", map[string]any{"pk": pk + 1, "username": name, "email": name + "@example.com", "is_active": pk == 0})
	}
	users, err := activeUsers(t.Context(), client)
	if diff := cmp.Diff([]*User{{1, "ada", "ada@example.com"}}, users); diff != "" || err != nil {
		t.Errorf("users (-want +got):\n%s\nerror %v", diff, err)
	}
}

func TestClients(t *testing.T) {
	t.Parallel()
	fake, _ := fakeServer(t)
	server := httptest.NewTLSServer(fake)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(fake.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	behindProxy, err := newClientBehindProxy(server.URL, fake.Token, roots, "id")
	if err != nil {
		t.Fatal(err)
	}
	withTokenFile, err := newClientWithTokenFile(fake.URL, path)
	if err != nil {
		t.Fatal(err)
	}
	for name, client := range map[string]*authentik.Client{"behind a proxy": behindProxy, "with a token file": withTokenFile} {
		if _, err := client.StagesPassword.List(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		header := fake.Requests()[len(fake.Requests())-1].Header
		if header.Get("Authorization") != "Bearer "+fake.Token || (header.Get("Cf-Access-Client-Id") == "id") != (client == behindProxy) {
			t.Errorf("%s: sent %v", name, header)
		}
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
	if _, err := client.StagesPassword.List(t.Context(), nil); err != nil {
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
