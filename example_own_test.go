package authentik_test

import (
	"context"
	"fmt"
	"log"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

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
	// 2 ada
	// 1 akadmin
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

// Group is what the program needs of authentik's groups.
type Group struct {
	PK   uuid.UUID `json:"pk"`
	Name string    `json:"name"`
}

// GroupRequest is what the program sends for one. What has its zero is left out.
type GroupRequest struct {
	Name        string `json:"name,omitzero"`
	IsSuperuser *bool  `json:"is_superuser,omitzero"`
}

func ExamplePost() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	ctx := context.Background()

	group, err := authentik.Post[Group](ctx, client, "core/groups/", GroupRequest{Name: "operators", IsSuperuser: new(false)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.Name)

	// An action that answers nothing.
	ada := server.CoreUsers.Add(authentik.User{Username: "ada"})
	_, err = authentik.Post[struct{}](ctx, client, "core/groups/"+group.PK.String()+"/add_user/", map[string]int{"pk": ada.PK})
	fmt.Println(err)
	// Output:
	// operators
	// <nil>
}

func ExamplePatch() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	operators := server.CoreGroups.Add(authentik.Group{Name: "operators"})

	group, err := authentik.Patch[Group](context.Background(), client, "core/groups/"+operators.PK.String()+"/", GroupRequest{Name: "admins"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.Name)
	// Output: admins
}

// Put replaces the whole object: what the request leaves out gets its default.
func ExamplePut() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	operators := server.CoreGroups.Add(authentik.Group{Name: "operators", IsSuperuser: true})

	group, err := authentik.Put[Group](context.Background(), client, "core/groups/"+operators.PK.String()+"/", GroupRequest{Name: "admins"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.Name)
	// Output: admins
}

func ExampleDelete() {
	server, client := exampleServer() // a fake authentik
	defer server.Close()
	operators := server.CoreGroups.Add(authentik.Group{Name: "operators"})

	err := authentik.Delete(context.Background(), client, "core/groups/"+operators.PK.String()+"/")
	fmt.Println(err, len(server.CoreGroups.All()))
	// Output: <nil> 0
}
