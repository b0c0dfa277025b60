package authentik_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"iter"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/uuid"
)

// The examples run against this fake server instead of a real authentik.
func exampleServer() (*authentiktest.Server, *authentik.Client) {
	server := authentiktest.NewServer()
	server.AddDefaultStages()
	server.StagesPassword.Add(authentik.PasswordStage{Name: "lenient", AllowShowPassword: true})
	server.StagesSource.Add(authentik.SourceStage{
		PK: uuid.MustParse("765ed48b-9283-4461-987d-de42dba24533"), Name: "company-login", ResumeTimeout: "hours=1;minutes=-2",
	})
	client, err := server.Client(authentik.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}))
	if err != nil {
		log.Fatal(err)
	}
	return server, client
}

func Example() {
	server, _ := exampleServer() // a fake authentik
	defer server.Close()
	server.CoreUsers.Add(authentik.User{Username: "ada", Email: "ada@example.com"})

	client, err := authentik.NewClient(server.URL, server.Token)
	if err != nil {
		log.Fatal(err)
	}
	for user, err := range client.CoreUsers.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.Username, user.Email)
	}
	// Output: ada ada@example.com
}

func ExampleNewClient() {
	client, err := authentik.NewClient("https://authentik.example.com", "token")
	if err != nil {
		log.Fatal(err)
	}
	_ = client // client.StagesPassword.List(ctx, nil), …

	_, err = authentik.NewClient("authentik.example.com", "token")
	fmt.Println(err)
	// Output: authentik: base URL: its scheme is ""; write https://host
}

func ExampleNewClient_options() {
	roots, err := x509.SystemCertPool()
	if err != nil {
		log.Fatal(err)
	}
	// roots.AppendCertsFromPEM(companyCA)
	_, err = authentik.NewClient("https://authentik.example.com/sso", "token",
		authentik.WithTLSConfig(&tls.Config{RootCAs: roots}),
		authentik.WithHeader("CF-Access-Client-Id", "id of the proxy's access token"),
		authentik.WithUserAgent("my-operator/1.2"),
		authentik.WithRetries(5, time.Second, 30*time.Second),
		authentik.WithLogger(slog.Default()))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleNewClientFromEnv() {
	client, err := authentik.NewClientFromEnv() // AUTHENTIK_URL and AUTHENTIK_TOKEN
	if err != nil {
		log.Fatal(err)
	}
	for user, err := range client.CoreUsers.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.Username, user.Email)
	}
}

func ExampleWithTokenSource() {
	readToken := func(context.Context) (string, error) {
		token, err := os.ReadFile("/run/secrets/authentik-token")
		return strings.TrimSpace(string(token)), err
	}
	_, err := authentik.NewClient("https://authentik.example.com", "", authentik.WithTokenSource(readToken))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleWithRetries() {
	client, err := authentik.NewClient("https://authentik.example.com", "token",
		authentik.WithRetries(20, time.Second, 10*time.Second), // 0 retries turns them off
	)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // for all attempts and waits
	defer cancel()
	_, _ = client, ctx
}

func ExampleWithLogger() {
	server := authentiktest.NewServer() // a fake authentik
	defer server.Close()

	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr { // what is another each time
			if attr.Key == slog.TimeKey || attr.Key == "duration" || attr.Key == "request_id" {
				return slog.Attr{}
			}
			return attr
		},
	}))
	client, err := authentik.NewClient(server.URL, server.Token, authentik.WithLogger(logger))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.StagesPassword.List(context.Background(), nil); err != nil {
		log.Fatal(err)
	}
	// Output: level=DEBUG msg="authentik request" method=GET path=/api/v3/stages/password/ operation="GET stages/password/" status=200 attempt=1
}

// Users is what the code below needs of the client.
type Users interface {
	All(context.Context, *authentik.CoreUsersListOptions) iter.Seq2[*authentik.User, error]
}

// superusers is code to be tested.
func superusers(ctx context.Context, users Users) (names []string, err error) {
	for user, err := range users.All(ctx, &authentik.CoreUsersListOptions{IsSuperuser: new(true)}) {
		if err != nil {
			return nil, err
		}
		names = append(names, user.Username)
	}
	return names, nil
}

type fakeUsers func(yield func(*authentik.User, error) bool)

func (f fakeUsers) All(context.Context, *authentik.CoreUsersListOptions) iter.Seq2[*authentik.User, error] {
	return iter.Seq2[*authentik.User, error](f)
}

// A service fits a small interface of your own, and so does a fake.
func Example_interface() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.CoreUsers.Add(authentik.User{Username: "akadmin", IsSuperuser: true})
	ctx := context.Background()

	names, err := superusers(ctx, client.CoreUsers)
	fmt.Println(names, err)
	names, err = superusers(ctx, fakeUsers(func(yield func(*authentik.User, error) bool) {
		yield(&authentik.User{Username: "ada"}, nil) // or (nil, &authentik.ForbiddenError{})
	}))
	fmt.Println(names, err)
	// Output:
	// [akadmin] <nil>
	// [ada] <nil>
}

// The fake server answers as authentik does, and fails when it is told to.
func Example_testing() {
	ctx := context.Background()

	server := authentiktest.NewServer()
	defer server.Close()
	server.CoreUsers.Add(authentik.User{Username: "akadmin", IsSuperuser: true})
	server.CoreUsers.Add(authentik.User{Username: "ada"})
	server.Fail(1, authentiktest.Failure{Status: http.StatusServiceUnavailable})

	client, err := server.Client(authentik.WithRetries(1, 0, 0)) // 0: do not wait
	if err != nil {
		log.Fatal(err)
	}
	names, err := superusers(ctx, client.CoreUsers)
	fmt.Println(names, err, len(server.Requests()))
	// Output: [akadmin] <nil> 2
}

// What the program wrote is read from the server.
func Example_testingWrites() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ctx := context.Background()

	if _, err := client.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: "operators"}); err != nil {
		log.Fatal(err)
	}
	for _, group := range server.CoreGroups.All() {
		fmt.Println(group.Name)
	}
	// Output: operators
}
