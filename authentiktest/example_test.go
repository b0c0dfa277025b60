package authentiktest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
)

func Example() {
	server := authentiktest.NewServer()
	defer server.Close()
	server.StagesPassword.Add(authentik.PasswordStage{Name: "lenient", AllowShowPassword: true})

	client, err := server.Client()
	if err != nil {
		log.Fatal(err)
	}
	page, err := client.StagesPassword.List(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Results[0].Name, page.Results[0].Component)
	// Output: lenient ak-stage-password-form
}

// A 503, as authentik answers while it starts, and what the program asked for.
func ExampleServer_Fail() {
	server := authentiktest.NewServer()
	defer server.Close()
	server.Fail(1, authentiktest.Failure{Status: http.StatusServiceUnavailable, Body: `{"error":"authentik starting"}`})

	client, err := server.Client(authentik.WithRetries(1, 0, 0))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.StagesPassword.List(context.Background(), &authentik.StagesPasswordListOptions{Name: "x"})
	fmt.Println(err)
	for _, request := range server.Requests() {
		fmt.Println(request.Method, request.Path, request.Query.Get("name"))
	}
	// Output:
	// <nil>
	// GET /api/v3/stages/password/ x
	// GET /api/v3/stages/password/ x
}

// What a program does if its token is refused.
func ExampleServer_Client() {
	server := authentiktest.NewServer()
	defer server.Close()
	client, err := authentik.NewClient(server.URL, "another-token")
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.StagesSource.List(context.Background(), nil)
	forbidden, ok := errors.AsType[*authentik.ForbiddenError](err)
	fmt.Println(ok, forbidden.InvalidToken())
	// Output: true true
}

func ExampleServer_AddObjects() {
	server := authentiktest.NewServer()
	defer server.Close()
	type user struct {
		PK       int    `json:"pk"`
		Username string `json:"username"`
	}
	server.AddObjects("core/users/", user{1, "akadmin"}, user{2, "jane"})

	client, err := server.Client()
	if err != nil {
		log.Fatal(err)
	}
	jane, err := authentik.Get[user](context.Background(), client, "core/users/2/", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(jane.Username)
	// Output: jane
}
