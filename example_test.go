package authentik_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
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

	client, err := authentik.NewClient(server.URL, server.Token)
	if err != nil {
		log.Fatal(err)
	}
	for stage, err := range client.StagesIdentification.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(stage.Name, stage.UserFields)
	}
	// Output: default-authentication-identification [email username]
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
	for stage, err := range client.StagesIdentification.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(stage.Name, stage.UserFields)
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

func ExampleStagesPasswordService_List() {
	server, client := exampleServer()
	defer server.Close()

	page, err := client.StagesPassword.List(context.Background(), &authentik.StagesPasswordListOptions{
		ListOptions:       authentik.ListOptions{PageSize: 10, Ordering: "-name"},
		AllowShowPassword: new(true), // new(false) is a filter too, nil is none
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, stage := range page.Results {
		fmt.Println(stage.Name, "is one of", page.Pagination.Count)
	}
	// Output: lenient is one of 1
}

func ExampleStagesIdentificationService_List() {
	server, client := exampleServer()
	defer server.Close()

	page, err := client.StagesIdentification.List(context.Background(), &authentik.StagesIdentificationListOptions{
		ListOptions:     authentik.ListOptions{Search: "default identification"},
		ShowMatchedUser: new(true),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Pagination.Count, "of", page.Results[0].FlowSet[0].Slug)
	// Output: 1 of default-authentication-flow
}

func ExampleStagesIdentificationService_All() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()

	for stage, err := range client.StagesIdentification.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		for _, flow := range stage.FlowSet {
			fmt.Println(stage.Name, "is in", flow.Slug)
		}
	}
	// Output: default-authentication-identification is in default-authentication-flow
}

func ExampleStagesIdentificationService_Retrieve() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	pk := server.StagesIdentification.Add(authentik.IdentificationStage{Name: "by-email", UserFields: []authentik.UserField{authentik.UserFieldEmail}}).PK

	stage, err := client.StagesIdentification.Retrieve(context.Background(), pk)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stage.Name, stage.UserFields, stage.PasswordStage == nil)
	// Output: by-email [email] true
}

func ExampleStagesPasswordService_All() {
	server, client := exampleServer()
	defer server.Close()

	for stage, err := range client.StagesPassword.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(stage.Name, len(stage.Backends))
	}
	// Output:
	// default-authentication-password 4
	// lenient 1
}

func ExampleStagesPasswordService_Pages() {
	server, client := exampleServer()
	defer server.Close()

	opts := &authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{PageSize: 1}}
	for page, err := range client.StagesPassword.Pages(context.Background(), opts) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("page %d of %d: %s\n", page.Pagination.Current, page.Pagination.TotalPages, page.Results[0].Name)
	}
	// Output:
	// page 1 of 2: default-authentication-password
	// page 2 of 2: lenient
}

func ExampleStagesSourceService_Retrieve() {
	server, client := exampleServer()
	defer server.Close()

	stage, err := client.StagesSource.Retrieve(context.Background(), uuid.MustParse("765ed48b-9283-4461-987d-de42dba24533"))
	if err != nil {
		log.Fatal(err)
	}
	timeout, err := stage.ResumeTimeoutDuration()
	fmt.Println(stage.Name, timeout, err)
	// Output: company-login 58m0s <nil>
}

func ExampleSourceStage_ResumeTimeoutDuration() {
	stage := authentik.SourceStage{ResumeTimeout: "hours=1;minutes=-2"}
	timeout, err := stage.ResumeTimeoutDuration()
	fmt.Println(timeout, err)
	// Output: 58m0s <nil>
}

func ExampleFlowSet_BackgroundImage() {
	old := authentik.FlowSet{Background: "/static/old.jpg"}      // of a server before 2025.12
	newer := authentik.FlowSet{BackgroundURL: "/static/new.jpg"} // and of one since
	fmt.Println(old.BackgroundImage(), newer.BackgroundImage())
	// Output: /static/old.jpg /static/new.jpg
}

func ExampleCollect() {
	server, client := exampleServer()
	defer server.Close()

	stages, err := authentik.Collect(client.StagesPassword.All(context.Background(), nil))
	fmt.Println(len(stages), err)
	// Output: 2 <nil>
}

func ExampleListOptions_prefetch() {
	server, client := exampleServer()
	defer server.Close()

	opts := &authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{PageSize: 1, Prefetch: 4}}
	stages, err := authentik.Collect(client.StagesPassword.All(context.Background(), opts))
	fmt.Println(len(stages), err)
	// Output: 2 <nil>
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

func ExampleAPIError() {
	server, client := exampleServer()
	defer server.Close()

	pk := uuid.MustParse("00000000-0000-4000-8000-000000000000")
	_, err := client.StagesSource.Retrieve(context.Background(), pk)
	switch {
	case errors.Is(err, authentik.ErrNotFound):
		fmt.Println("there is no such stage, or the token's user may not see it")
	case errors.Is(err, authentik.ErrForbidden):
		fmt.Println("the token was refused, or lacks a permission")
	case err != nil:
		log.Fatal(err)
	}
	if apiError, ok := errors.AsType[*authentik.APIError](err); ok {
		fmt.Println(apiError.StatusCode, apiError.Detail)
	}
	// Output:
	// there is no such stage, or the token's user may not see it
	// 404 No SourceStage matches the given query.
}

func ExampleValidationError() {
	server, client := exampleServer()
	defer server.Close()

	_, err := authentik.List[authentik.PasswordStage](context.Background(), client, "stages/password/",
		url.Values{"configure_flow": {"my-flow"}})
	if invalid, ok := errors.AsType[*authentik.ValidationError](err); ok {
		for field, messages := range invalid.Fields {
			fmt.Println(field, messages)
		}
	}
	// Output: configure_flow [“my-flow” is not a valid UUID.]
}

func ExampleForbiddenError() {
	server, _ := exampleServer()
	defer server.Close()

	client, err := authentik.NewClient(server.URL, "an-expired-token")
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.StagesPassword.List(context.Background(), nil)
	if forbidden, ok := errors.AsType[*authentik.ForbiddenError](err); ok {
		fmt.Println("a new token is needed:", forbidden.InvalidToken())
	}
	// Output: a new token is needed: true
}

// User is what the program needs of authentik's users.
type User struct {
	PK       int    `json:"pk"`
	Username string `json:"username"`
	IsActive bool   `json:"is_active"`
}

// UserListOptions are the filters that the program needs.
type UserListOptions struct {
	authentik.ListOptions
	IsActive *bool `url:"is_active,omitempty"`
}

func ExampleList() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.AddObjects("core/groups/", map[string]any{"pk": uuid.NewString(), "name": "admins"})

	type group struct {
		PK   uuid.UUID `json:"pk"`
		Name string    `json:"name"`
	}
	page, err := authentik.List[group](context.Background(), client, "core/groups/", authentik.ListOptions{Search: "adm"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Pagination.Count, page.Results[0].Name)
	// Output: 1 admins
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
	// Output: level=DEBUG msg="authentik request" method=GET path=/api/v3/stages/password/ status=200 attempt=1
}

func ExampleAll() {
	server, client := exampleServer()
	defer server.Close()
	server.AddObjects("core/users/", User{1, "akadmin", true}, User{2, "ada", true}, User{3, "bob", false})

	opts := UserListOptions{IsActive: new(true)}
	for user, err := range authentik.All[User](context.Background(), client, "core/users/", opts) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.PK, user.Username)
	}
	// Output:
	// 1 akadmin
	// 2 ada
}

func ExampleGet() {
	server, client := exampleServer()
	defer server.Close()
	server.AddObjects("core/users/", User{1, "akadmin", true})

	user, err := authentik.Get[User](context.Background(), client, "core/users/1/", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Username)
	// Output: akadmin
}

// PasswordStages is what the code below needs of the client.
type PasswordStages interface {
	All(context.Context, *authentik.StagesPasswordListOptions) iter.Seq2[*authentik.PasswordStage, error]
}

// lenientStages is code to be tested.
func lenientStages(ctx context.Context, stages PasswordStages) (names []string, err error) {
	for stage, err := range stages.All(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if stage.AllowShowPassword {
			names = append(names, stage.Name)
		}
	}
	return names, nil
}

type fakeStages func(yield func(*authentik.PasswordStage, error) bool)

func (f fakeStages) All(context.Context, *authentik.StagesPasswordListOptions) iter.Seq2[*authentik.PasswordStage, error] {
	return iter.Seq2[*authentik.PasswordStage, error](f)
}

// A service fits a small interface of one's own, and so does a fake.
func Example_interface() {
	server, client := exampleServer()
	defer server.Close()

	names, err := lenientStages(context.Background(), client.StagesPassword)
	fmt.Println(names, err)
	names, err = lenientStages(context.Background(), fakeStages(func(yield func(*authentik.PasswordStage, error) bool) {
		yield(&authentik.PasswordStage{Name: "fake", AllowShowPassword: true}, nil) // or (nil, authentik.ErrForbidden)
	}))
	fmt.Println(names, err)
	// Output:
	// [lenient] <nil>
	// [fake] <nil>
}

// The fake server answers as authentik does, and fails when it is told to.
func Example_testing() {
	server := authentiktest.NewServer()
	defer server.Close()
	server.StagesPassword.Add(authentik.PasswordStage{Name: "lenient", AllowShowPassword: true})
	server.Fail(1, authentiktest.Failure{Status: http.StatusServiceUnavailable, Body: "authentik starting"})

	client, err := server.Client(authentik.WithRetries(1, 0, 0))
	if err != nil {
		log.Fatal(err)
	}
	names, err := lenientStages(context.Background(), client.StagesPassword)
	fmt.Println(names, err, len(server.Requests()))
	// Output: [lenient] <nil> 2
}

func ExamplePost() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(r.Method, r.URL.Path, string(body))
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"pk":"765ed48b-9283-4461-987d-de42dba24533","name":"operators","is_superuser":false}`)
	}))
	defer server.Close()
	client, err := authentik.NewClient(server.URL, "token")
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()

	type Group struct {
		PK   uuid.UUID `json:"pk"`
		Name string    `json:"name"`
	}
	type GroupRequest struct {
		Name        string                        `json:"name,omitzero"`
		IsSuperuser *bool                         `json:"is_superuser,omitzero"`
		Parent      authentik.Nullable[uuid.UUID] `json:"parent,omitzero"`
	}
	group, err := authentik.Post[Group](context.Background(), client, "core/groups/",
		GroupRequest{Name: "operators", IsSuperuser: new(false)})
	switch {
	case errors.Is(err, authentik.ErrOutcomeUnknown):
		fmt.Println("the group may be there; look for it:", err)
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Printf("%q %s\n", group.Name, group.PK)
	}
	// Output:
	// POST /api/v3/core/groups/ {"name":"operators","is_superuser":false}
	// "operators" 765ed48b-9283-4461-987d-de42dba24533
}

func ExampleNullable() {
	stage := authentik.PasswordStage{} // its ConfigureFlow is nil
	for _, flow := range []authentik.Nullable[uuid.UUID]{
		{}, // left out
		authentik.Null[uuid.UUID](),
		authentik.Value(uuid.MustParse("765ed48b-9283-4461-987d-de42dba24533")),
		authentik.ValueOrNull(stage.ConfigureFlow),
	} {
		b, err := json.Marshal(authentik.PasswordStageRequest{ConfigureFlow: flow})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(b))
	}
	// Output:
	// {}
	// {"configure_flow":null}
	// {"configure_flow":"765ed48b-9283-4461-987d-de42dba24533"}
	// {"configure_flow":null}
}

func ExampleOne() {
	server, client := exampleServer()
	defer server.Close()

	stage, err := authentik.One(client.StagesPassword.All(context.Background(),
		&authentik.StagesPasswordListOptions{Name: "lenient"}))
	switch {
	case errors.Is(err, authentik.ErrNotFound):
		fmt.Println("there is no such stage")
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Printf("%q %t\n", stage.Name, stage.AllowShowPassword)
	}
	// Output: "lenient" true
}

// A page of one object has the count of the whole list.
func ExampleList_count() {
	server, client := exampleServer()
	defer server.Close()

	page, err := authentik.List[struct{}](context.Background(), client, "stages/password/", authentik.ListOptions{PageSize: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Pagination.Count)
	// Output: 2
}
