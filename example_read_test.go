package authentik_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

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

func ExampleCoreUsersService_All() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.CoreUsers.Add(authentik.User{Username: "ada", Email: "ada@example.com", IsActive: true})
	server.CoreUsers.Add(authentik.User{Username: "bob", Email: "bob@example.com"})
	ctx := context.Background()

	opts := &authentik.CoreUsersListOptions{IsActive: new(true)} // new(false) is a filter too, nil is none
	for user, err := range client.CoreUsers.All(ctx, opts) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.Username, user.Email)
	}
	// Output: ada ada@example.com
}

// A page of one object has the count of the whole list.
func ExampleCoreUsersService_List_count() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	for _, name := range []string{"ada", "bob", "cleo"} {
		server.CoreUsers.Add(authentik.User{Username: name})
	}
	ctx := context.Background()

	page, err := client.CoreUsers.List(ctx, &authentik.CoreUsersListOptions{ListOptions: authentik.ListOptions{PageSize: 1}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Pagination.Count, "users")
	// Output: 3 users
}

func ExampleCoreUsersService_Me() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()

	me, err := client.CoreUsers.Me(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.User.Username)
	// Output: akadmin
}

func ExampleCoreGroupsService_All() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ada := server.CoreUsers.Add(authentik.User{Username: "ada"})
	server.CoreGroups.Add(authentik.Group{Name: "operators", Users: []int{ada.PK}})

	for group, err := range client.CoreGroups.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		for _, member := range group.UsersObj {
			fmt.Println(group.Name, member.Username)
		}
	}
	// Output: operators ada
}

// Methods take the slug of an application, not its pk.
func ExampleCoreApplicationsService_Retrieve() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.CoreApplications.Add(authentik.Application{Name: "Wiki", Slug: "wiki"})

	application, err := client.CoreApplications.Retrieve(context.Background(), "wiki")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(application.Name, application.Provider == nil) // nil: it has none
	// Output: Wiki true
}

func ExampleProvidersOAuth2Service_All() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.ProvidersOAuth2.Add(authentik.OAuth2Provider{
		Name: "wiki", ClientID: "wiki-id", AccessTokenValidity: "hours=1",
		RedirectURIs: authentik.RedirectURIs{{MatchingMode: authentik.MatchingModeStrict, URL: "https://wiki.example.com/callback"}},
	})

	for provider, err := range client.ProvidersOAuth2.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		validity, err := authentik.ParseDuration(provider.AccessTokenValidity)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(provider.ClientID, provider.RedirectURIs[0].URL, validity)
	}
	// Output: wiki-id https://wiki.example.com/callback 1h0m0s
}

func ExampleProvidersProxyService_List() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.ProvidersProxy.Add(authentik.ProxyProvider{Name: "grafana", ExternalHost: "https://grafana.example.com"})

	page, err := client.ProvidersProxy.List(context.Background(), &authentik.ProvidersProxyListOptions{
		ListOptions: authentik.ListOptions{Search: "graf"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Pagination.Count, page.Results[0].ExternalHost)
	// Output: 1 https://grafana.example.com
}

// Flows are found by their slug.
func ExampleFlowsInstancesService_Retrieve() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.FlowsInstances.Add(authentik.Flow{Slug: "default-authentication-flow", Title: "Welcome!"})
	ctx := context.Background()

	flow, err := client.FlowsInstances.Retrieve(ctx, "default-authentication-flow")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(flow.Title)
	// Output: Welcome!
}

// Those that authentik itself made are found by the name under which it manages
// them: what they are called may change.
func ExamplePropertyMappingsProviderScopeService_All() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	for _, scope := range []string{"openid", "email", "profile"} {
		server.PropertyMappingsProviderScope.Add(authentik.ScopeMapping{
			Managed: new("goauthentik.io/providers/oauth2/scope-" + scope), ScopeName: scope,
		})
	}

	opts := &authentik.PropertyMappingsProviderScopeListOptions{
		Managed: []string{"goauthentik.io/providers/oauth2/scope-openid", "goauthentik.io/providers/oauth2/scope-email"},
	}
	mappings, err := authentik.Collect(client.PropertyMappingsProviderScope.All(context.Background(), opts))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(mappings), "mappings")
	// Output: 2 mappings
}

func ExampleOutpostsInstancesService_All() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	provider := server.ProvidersProxy.Add(authentik.ProxyProvider{Name: "grafana"})
	server.OutpostsInstances.Add(authentik.Outpost{Name: "edge", Type: authentik.OutpostTypeProxy, Providers: []int{provider.PK}})

	for outpost, err := range client.OutpostsInstances.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		for _, provider := range outpost.ProvidersObj {
			fmt.Println(outpost.Name, outpost.Type, provider.Name)
		}
	}
	// Output: edge proxy grafana
}

// The key of a token is not among its members: ViewKey asks for it.
func ExampleCoreTokensService_ViewKey() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.CoreTokens.Add(authentik.Token{Identifier: "backup", Intent: authentik.TokenIntentAPI})

	token, err := client.CoreTokens.ViewKey(context.Background(), "backup")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Key != "")
	// Output: true
}

func ExampleEventsEventsService_All() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	for _, address := range []string{"192.0.2.1", "192.0.2.7"} {
		server.EventsEvents.Add(authentik.Event{
			Action: authentik.EventActionLoginFailed, ClientIP: new(address), User: map[string]any{"username": "ada"},
		})
	}

	opts := &authentik.EventsEventsListOptions{
		ListOptions: authentik.ListOptions{Ordering: "-created"}, // the newest first
		Actions:     []authentik.EventAction{authentik.EventActionLoginFailed},
	}
	for event, err := range client.EventsEvents.All(context.Background(), opts) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.User["username"], *event.ClientIP)
	}
	// Unordered output:
	// ada 192.0.2.1
	// ada 192.0.2.7
}

func ExampleOne() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	server.CoreGroups.Add(authentik.Group{Name: "operators"})
	ctx := context.Background()

	group, err := authentik.One(client.CoreGroups.All(ctx, &authentik.CoreGroupsListOptions{Name: "operators"}))
	switch {
	case errors.Is(err, authentik.ErrNotFound):
		fmt.Println("there is no such group")
	case err != nil: // authentik.ErrAmbiguous, if there are several
		log.Fatal(err)
	default:
		fmt.Println(group.Name)
	}
	// Output: operators
}

// Look at what refers to an object before you delete it.
func ExampleFlowsInstancesService_UsedBy() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	flow := server.FlowsInstances.Add(authentik.Flow{Slug: "consent"})
	server.ProvidersOAuth2.Add(authentik.OAuth2Provider{Name: "wiki", AuthorizationFlow: flow.PK})

	used, err := client.FlowsInstances.UsedBy(context.Background(), flow.Slug)
	if err != nil {
		log.Fatal(err)
	}
	for _, by := range used {
		fmt.Println(by.ModelName, by.Name)
	}
	// Output: provider wiki
}

// Each enum lists its values, for a flag's help or a check before the request.
func ExampleUserType_Values() {
	known := authentik.UserType("").Values()
	fmt.Println(known)
	fmt.Println(slices.Contains(known, "robot"))
	// Output:
	// [internal external service_account internal_service_account]
	// false
}
