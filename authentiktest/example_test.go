package authentiktest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/uuid"
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

// syncGroups has authentik hold the wanted groups of a program, and no others of
// those that it made before.
func syncGroups(ctx context.Context, client *authentik.Client, wanted map[string]bool) error {
	var stale []uuid.UUID
	for group, err := range client.CoreGroups.All(ctx, nil) {
		switch superuser, ok := wanted[group.Name]; {
		case err != nil:
			return err
		case !ok && group.Attributes["made-by"] == "sync":
			stale = append(stale, group.PK)
		case ok && group.IsSuperuser != superuser:
			if _, err := client.CoreGroups.Update(ctx, group.PK, &authentik.GroupRequest{IsSuperuser: &superuser}); err != nil {
				return err
			}
		}
		if group != nil {
			delete(wanted, group.Name)
		}
	}
	for name, superuser := range wanted {
		request := &authentik.GroupRequest{Name: name, IsSuperuser: &superuser, Attributes: map[string]any{"made-by": "sync"}}
		if _, err := client.CoreGroups.Create(ctx, request); err != nil {
			return err
		}
	}
	for _, pk := range stale {
		if err := client.CoreGroups.Delete(ctx, pk); err != nil {
			return err
		}
	}
	return nil
}

// A job that creates, updates and deletes.
func Example_sync() {
	server := authentiktest.NewServer()
	defer server.Close()
	server.CoreGroups.Add(authentik.Group{Name: "admins"})
	server.CoreGroups.Add(authentik.Group{Name: "gone", Attributes: map[string]any{"made-by": "sync"}})
	server.CoreGroups.Add(authentik.Group{Name: "by hand"})

	client, err := server.Client()
	if err != nil {
		log.Fatal(err)
	}
	if err := syncGroups(context.Background(), client, map[string]bool{"admins": true, "staff": false}); err != nil {
		log.Fatal(err)
	}
	for _, group := range server.CoreGroups.All() {
		fmt.Println(group.Name, group.IsSuperuser)
	}
	for _, request := range server.Requests() {
		if request.Method != http.MethodGet {
			fmt.Println(request.Method)
		}
	}
	// Output:
	// admins true
	// by hand false
	// staff false
	// PATCH
	// POST
	// DELETE
}

// A 503 in the middle: the first page comes, the second does at the second try.
func ExampleServer_FailOn() {
	server := authentiktest.NewServer()
	defer server.Close()
	for i := range 3 {
		server.CoreUsers.Add(authentik.User{Username: fmt.Sprintf("user-%d", i)})
	}
	client, err := server.Client(authentik.WithRetries(1, 0, 0))
	if err != nil {
		log.Fatal(err)
	}
	opts := &authentik.CoreUsersListOptions{ListOptions: authentik.ListOptions{PageSize: 2}}
	for user, err := range client.CoreUsers.All(context.Background(), opts) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.Username)
		if user.Username == "user-0" {
			server.FailOn("GET core/users/", 1, authentiktest.Failure{Status: http.StatusServiceUnavailable})
		}
	}
	fmt.Println(len(server.Requests()), "requests")
	// Output:
	// user-0
	// user-1
	// user-2
	// 3 requests
}

// A name that two objects have.
func Example_ambiguousName() {
	server := authentiktest.NewServer()
	defer server.Close()
	server.CoreApplications.Add(authentik.Application{Name: "Wiki", Slug: "wiki"})
	server.CoreApplications.Add(authentik.Application{Name: "Wiki", Slug: "wiki-old"})

	client, err := server.Client()
	if err != nil {
		log.Fatal(err)
	}
	_, err = authentik.One(client.CoreApplications.All(context.Background(), &authentik.CoreApplicationsListOptions{Name: "Wiki"}))
	fmt.Println(errors.Is(err, authentik.ErrAmbiguous))
	// Output: true
}

// A release that does not have a member yet.
func ExampleServer_SetRelease() {
	server := authentiktest.NewServer()
	defer server.Close()
	server.CoreUsers.Add(authentik.User{Username: "anna"})
	server.SetRelease("2024.12")

	client, err := server.Client()
	if err != nil {
		log.Fatal(err)
	}
	page, err := client.CoreUsers.List(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Results[0].Username, page.Results[0].DateJoined.IsZero())
	// Output: anna true
}
