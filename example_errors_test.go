package authentik_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
)

func ExampleAPIError() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ctx := context.Background()

	_, err := client.FlowsInstances.Retrieve(ctx, "my-flow")
	switch {
	case errors.Is(err, authentik.ErrNotFound):
		fmt.Println("there is no such flow, or the token's user may not see it")
	case errors.Is(err, authentik.ErrForbidden):
		fmt.Println("the token was refused, or lacks a permission")
	case err != nil:
		log.Fatal(err)
	}
	if apiError, ok := errors.AsType[*authentik.APIError](err); ok {
		fmt.Println(apiError.StatusCode, apiError.Detail)
	}
	// Output:
	// there is no such flow, or the token's user may not see it
	// 404 No Flow matches the given query.
}

func ExampleValidationError() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ctx := context.Background()

	_, err := client.CoreUsers.Create(ctx, &authentik.UserRequest{Username: "ada"})
	if invalid, ok := errors.AsType[*authentik.ValidationError](err); ok {
		for field, messages := range invalid.Fields {
			fmt.Println(field, messages)
		}
	}
	// Output: name [This field is required.]
}

func ExampleForbiddenError() {
	server, _ := exampleServer() // a fake authentik
	defer server.Close()

	client, err := authentik.NewClient(server.URL, "an-expired-token")
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.CoreUsers.List(context.Background(), nil)
	if forbidden, ok := errors.AsType[*authentik.ForbiddenError](err); ok {
		fmt.Println("a new token is needed:", forbidden.InvalidToken())
	}
	// Output: a new token is needed: true
}

func ExampleErrOutcomeUnknown() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.FailOn("POST core/groups/", 1, authentiktest.Failure{Status: http.StatusBadGateway})
	ctx := context.Background()

	_, err := client.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: "operators"})
	if errors.Is(err, authentik.ErrOutcomeUnknown) { // look before you try again
		_, err = authentik.One(client.CoreGroups.All(ctx, &authentik.CoreGroupsListOptions{Name: "operators"}))
		if errors.Is(err, authentik.ErrNotFound) {
			fmt.Println("it was not made")
		}
	}
	// Output: it was not made
}

func ExampleClient_WaitReady() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()

	if err := client.WaitReady(ctx); err != nil {
		log.Fatal(err) // says what was last seen
	}
	fmt.Println("ready")
	// Output: ready
}
