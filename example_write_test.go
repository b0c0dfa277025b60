package authentik_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/uuid"
)

// A new application with its provider: the flows and the mappings are looked up
// by what does not change.
func ExampleProvidersOAuth2Service_Create() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.FlowsInstances.Add(authentik.Flow{Slug: "default-provider-authorization-implicit-consent"})
	server.FlowsInstances.Add(authentik.Flow{Slug: "default-provider-invalidation-flow"})
	ctx := context.Background()

	authorization, err := client.FlowsInstances.Retrieve(ctx, "default-provider-authorization-implicit-consent")
	if err != nil {
		log.Fatal(err)
	}
	invalidation, err := client.FlowsInstances.Retrieve(ctx, "default-provider-invalidation-flow")
	if err != nil {
		log.Fatal(err)
	}
	provider, err := client.ProvidersOAuth2.Create(ctx, &authentik.OAuth2ProviderRequest{
		Name:              "wiki",
		AuthorizationFlow: authorization.PK,
		InvalidationFlow:  invalidation.PK,
		RedirectURIs: []authentik.RedirectURIRequest{
			{MatchingMode: authentik.MatchingModeStrict, URL: "https://wiki.example.com/callback"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	application, err := client.CoreApplications.Create(ctx, &authentik.ApplicationRequest{
		Name: "Wiki", Slug: "wiki", Provider: authentik.Value(provider.PK),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(application.Slug, application.ProviderObj.Name)
	// Output: wiki wiki
}

// What the request leaves out stays as it is.
func ExampleCoreApplicationsService_Update() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	provider := server.ProvidersProxy.Add(authentik.ProxyProvider{Name: "wiki"})
	server.CoreApplications.Add(authentik.Application{Name: "Wiki", Slug: "wiki", Group: "Tools", Provider: &provider.PK})
	ctx := context.Background()

	application, err := client.CoreApplications.Update(ctx, "wiki", &authentik.ApplicationRequest{
		MetaDescription: new("What we know"),
		Group:           new(""),               // nil would leave it as it is
		Provider:        authentik.Null[int](), // and so would Nullable's zero
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %q %q, no provider: %t\n", application.Name, application.MetaDescription, application.Group, application.Provider == nil)
	// Output: Wiki: "What we know" "", no provider: true
}

func ExampleCoreApplicationsService_Delete() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.CoreApplications.Add(authentik.Application{Name: "Wiki", Slug: "wiki"})
	ctx := context.Background()

	if err := client.CoreApplications.Delete(ctx, "wiki"); err != nil && !errors.Is(err, authentik.ErrNotFound) {
		log.Fatal(err)
	}
	fmt.Println(len(server.CoreApplications.All()), "applications")
	// Output: 0 applications
}

// The application and its provider are made together, or not at all.
func ExampleCoreTransactionalApplicationsService_Create() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	flow := server.FlowsInstances.Add(authentik.Flow{Slug: "default-provider-authorization-implicit-consent"})

	response, err := client.CoreTransactionalApplications.Create(context.Background(), &authentik.TransactionApplicationRequest{
		App:           &authentik.ApplicationRequest{Name: "Grafana", Slug: "grafana"},
		ProviderModel: "authentik_providers_proxy.proxyprovider",
		Provider: &authentik.ProxyProviderRequest{
			Name: "grafana", AuthorizationFlow: flow.PK, InvalidationFlow: flow.PK,
			Mode: new(authentik.ProxyModeForwardSingle), ExternalHost: "https://grafana.example.com",
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Applied)
	// Output: true
}

func ExampleCoreUsersService_Create() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ctx := context.Background()

	user, err := client.CoreUsers.Create(ctx, &authentik.UserRequest{
		Username: "ada", Name: new("Ada Lovelace"), Email: new("ada@example.com"),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.CoreUsers.SetPassword(ctx, user.PK, &authentik.UserPasswordSetRequest{Password: "correct horse"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Username, user.IsActive) // the server's default
	// Output: ada true
}

func ExampleCoreGroupsService_AddUser() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ada := server.CoreUsers.Add(authentik.User{Username: "ada"})
	operators := server.CoreGroups.Add(authentik.Group{Name: "operators"})
	ctx := context.Background()

	if err := client.CoreGroups.AddUser(ctx, operators.PK, &authentik.UserAccountRequest{PK: ada.PK}); err != nil {
		log.Fatal(err)
	}
	group, err := client.CoreGroups.Retrieve(ctx, operators.PK)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.UsersObj[0].Username)
	// Output: ada
}

func ExampleCoreTokensService_Create() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ctx := context.Background()

	token, err := client.CoreTokens.Create(ctx, &authentik.TokenRequest{
		Identifier: "backup",
		Intent:     new(authentik.TokenIntentAPI),
		Expiring:   new(false), // else the server gives it a new key every day
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Identifier, token.Expiring)
	// Output: backup false
}

// A file is streamed. Its name is that of the [os.File], or what Name says.
func ExampleAdminFileService_Create() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, file, err := r.FormFile("file")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Method, r.URL.Path, r.FormValue("name"), file.Size, "bytes")
	}))
	defer server.Close()
	client, err := authentik.NewClient(server.URL, "token")
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()

	logo := strings.NewReader("<svg/>") // or what os.Open returns
	err = client.AdminFile.Create(context.Background(), &authentik.FileUploadRequest{File: logo, Name: new("logo.svg")})
	if err != nil {
		log.Fatal(err)
	}
	// Output: POST /api/v3/admin/file/ logo.svg 6 bytes
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

// A server of 2024.12 does not know the member meta_hide.
func ExampleWithStrictWrites() {
	server := authentiktest.NewServer() // a fake authentik
	defer server.Close()
	server.SetRelease("2024.12")
	client, err := server.Client(authentik.WithStrictWrites())
	if err != nil {
		log.Fatal(err)
	}

	application, err := client.CoreApplications.Create(context.Background(), &authentik.ApplicationRequest{
		Name: "Wiki", Slug: "wiki", MetaHide: new(true),
	})
	if ignored, ok := errors.AsType[*authentik.IgnoredError](err); ok {
		for _, member := range ignored.Members {
			fmt.Println(application.Slug, "was made without", member.Name)
		}
	}
	// Output: wiki was made without meta_hide
}
