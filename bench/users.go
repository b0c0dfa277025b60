package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/bench/rivals/oapi"
	"github.com/authentik-go/authentik/bench/rivals/ogen"
	"github.com/google/uuid"
)

// bareUser, bareGroup, bareRole and bareUsers are the SDK's models without Extra.
type (
	bareUser struct {
		PK                 int            `json:"pk"`
		Username           string         `json:"username"`
		Name               string         `json:"name"`
		IsActive           bool           `json:"is_active"`
		LastLogin          *time.Time     `json:"last_login"`
		DateJoined         time.Time      `json:"date_joined"`
		IsSuperuser        bool           `json:"is_superuser"`
		Groups             []uuid.UUID    `json:"groups"`
		GroupsObj          []bareGroup    `json:"groups_obj"`
		Roles              []uuid.UUID    `json:"roles"`
		RolesObj           []bareRole     `json:"roles_obj"`
		Email              string         `json:"email"`
		Avatar             string         `json:"avatar"`
		Attributes         map[string]any `json:"attributes"`
		UID                string         `json:"uid"`
		Path               string         `json:"path"`
		Type               string         `json:"type"`
		UUID               uuid.UUID      `json:"uuid"`
		PasswordChangeDate time.Time      `json:"password_change_date"`
		LastUpdated        time.Time      `json:"last_updated"`
	}
	bareGroup struct {
		PK          uuid.UUID      `json:"pk"`
		NumPK       int            `json:"num_pk"`
		Name        string         `json:"name"`
		IsSuperuser bool           `json:"is_superuser"`
		Attributes  map[string]any `json:"attributes"`
	}
	bareRole struct {
		PK   uuid.UUID `json:"pk"`
		Name string    `json:"name"`
	}
	bareUsers struct {
		Pagination struct {
			Next int `json:"next"`
		} `json:"pagination"`
		Results []bareUser `json:"results"`
	}
)

// usersPage makes a page of 100 users with groups, roles and attributes, in the
// form in which authentik 2026.5 sends them.
func usersPage() []byte {
	id := func(kind string, n int) uuid.UUID { return uuid.NewSHA1(uuid.Nil, fmt.Append(nil, kind, n)) }
	at := func(n int) time.Time {
		return time.Date(2026, 2, 3, 4, 5, 6, 789_012_000, time.UTC).Add(time.Duration(n) * 1_234_567_891 * time.Microsecond)
	}
	var users []bareUser
	for n := range perPage {
		first := []string{"anna", "bert", "chen", "dörte", "emil"}[n%5]
		name := fmt.Sprintf("%s.%d", first, n)
		u := bareUser{
			PK: n + 1, Username: name, Name: strings.ToTitle(first[:1]) + first[1:] + " Example", IsActive: n%9 != 0, DateJoined: at(n),
			Groups: []uuid.UUID{}, GroupsObj: []bareGroup{}, Roles: []uuid.UUID{id("role", n)},
			RolesObj: []bareRole{{id("role", n), fmt.Sprintf("ak-managed-role--user-%d", n+1)}},
			Email:    name + "@example.com", Avatar: "data:image/svg+xml;base64," + strings.Repeat("PHN2ZyB4", 75), UID: strings.ReplaceAll(id("uid", n).String()+id("uid", -n).String(), "-", ""),
			Attributes: map[string]any{
				"department": "sales", "employee_number": 1000 + n, "settings": map[string]any{"locale": "de", "theme": map[string]any{"base": "automatic"}},
			},
			Path: "users/staff", Type: "internal", UUID: id("user", n), PasswordChangeDate: at(n), LastUpdated: at(-n),
		}
		if n%3 != 0 {
			u.LastLogin = new(at(2 * n))
		}
		for g := range n % 4 {
			u.Groups = append(u.Groups, id("group", g))
			u.GroupsObj = append(u.GroupsObj, bareGroup{id("group", g), 20_000 + g, fmt.Sprintf("team %d", g), g == 3, map[string]any{"notes": "team", "gid": g}})
		}
		users = append(users, u)
	}
	b, err := json.Marshal(map[string]any{
		"pagination": map[string]any{"next": 2, "previous": 0, "count": 1000, "current": 1, "total_pages": 10, "start_index": 1, "end_index": 100},
		"results":    users, "autocomplete": map[string]any{},
	})
	check(err)
	return b
}

// onePageOfUsers measures one page of 100 users through each whole client.
func onePageOfUsers(rounds int) {
	const baseURL = "http://authentik.test"
	page := usersPage()
	fmt.Printf("\n## One page of 100 users with groups and attributes, %d bytes, from memory\n", len(page))
	hc := &http.Client{Transport: transport(func(*http.Request) []byte { return page })}
	sdk := newSDK(baseURL, hc)
	ogenClient, err := ogen.NewClient(baseURL+"/api/v3", ogenToken{}, ogen.WithClient(hc))
	check(err)
	oapiClient, err := oapi.NewClientWithResponses(baseURL+"/api/v3", oapi.WithHTTPClient(hc))
	check(err)
	ctx := context.Background()
	fetch := map[string]func() (users int, err error){
		"SDK": func() (int, error) {
			p, err := sdk.CoreUsers.List(ctx, &authentik.CoreUsersListOptions{ListOptions: authentik.ListOptions{Page: 1, PageSize: 100}})
			if err != nil {
				return 0, err
			}
			return len(p.Results), nil
		},
		"net/http": func() (int, error) {
			b, err := bareGet(ctx, hc, baseURL+"/api/v3/core/users/?page_size=100&page=1")
			if err != nil {
				return 0, err
			}
			var p bareUsers
			err = json.Unmarshal(b, &p)
			return len(p.Results), err
		},
		"ogen": func() (int, error) {
			p, err := ogenClient.CoreUsersList(ctx, ogen.CoreUsersListParams{Page: ogen.NewOptInt(1), PageSize: ogen.NewOptInt(100)})
			if err != nil {
				return 0, err
			}
			return len(p.Results), nil
		},
		"oapi-codegen": func() (int, error) {
			p, err := oapiClient.CoreUsersListWithResponse(ctx, &oapi.CoreUsersListParams{Page: new(1), PageSize: new(100)})
			if err != nil || p.JSON200 == nil {
				return 0, err
			}
			return len(p.JSON200.Results), nil
		},
	}
	run := map[string]func() error{}
	for name, fetch := range fetch {
		run[name] = func() error {
			users, err := fetch()
			if err == nil && users != perPage {
				err = fmt.Errorf("%s: %d users", name, users)
			}
			return err
		}
	}
	compare(rounds, []string{"net/http", "SDK", "ogen", "oapi-codegen"}, run)
}
