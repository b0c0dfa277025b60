// Command users prints the users of an authentik with their groups and their last
// login, as a table, JSON or CSV.
//
//	go run ./examples/users [-group name] [-type kind] [-inactive] [-idle days] [-search words] [-json | -csv]
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; where neither is set, it lists the
// users of a fake server and says so, on stderr with -json and -csv. The token's
// user must be able to view users and groups.
//
// -idle 90 finds who has not logged in for 90 days, or never. The server filters
// by last login since 2026.2 alone, and an older one ignores a filter that it does
// not know; so this one is applied here, to what the server sends.
//
// Groups are those that the user is a member of directly. In CSV they are separated by
// semicolons, and a user who never logged in has an empty last_login.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
)

func main() { connect.Main(run) }

// user is what is printed of a user, and the JSON output.
type user struct {
	PK        int                `json:"pk"`
	Username  string             `json:"username"`
	Name      string             `json:"name"`
	Email     string             `json:"email"`
	Type      authentik.UserType `json:"type"`
	Active    bool               `json:"is_active"`
	LastLogin *time.Time         `json:"last_login"` // nil: never
	Groups    []string           `json:"groups"`     // by name, sorted
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("users", flag.ContinueOnError)
	group := flags.String("group", "", "list only direct members of the group with this `name`")
	kind := flags.String("type", "", "list only users of this `kind`: internal, external or service_account")
	inactive := flags.Bool("inactive", false, "list only users who are not active")
	idle := flags.Int("idle", 0, "list only users who have not logged in for so many `days`, or never")
	search := flags.String("search", "", "list only users whose username, name or email holds these `words`")
	asJSON := flags.Bool("json", false, "print JSON")
	asCSV := flags.Bool("csv", false, "print CSV")
	switch err := connect.Parse(flags, "Prints the users with their groups and their last login.", args, stderr); {
	case err != nil:
		return err
	case *asJSON && *asCSV:
		return errors.New("choose one of -json and -csv")
	case *idle < 0:
		return errors.New("-idle is a number of days")
	}
	client, stop, err := connect.Client(connect.Notes(*asJSON || *asCSV, stdout, stderr))
	if err != nil {
		return err
	}
	defer stop()

	opts := &authentik.CoreUsersListOptions{
		ListOptions:  authentik.ListOptions{Search: *search},
		IncludeRoles: new(false), // which are not printed; the server is quicker without
	}
	if *group != "" {
		opts.GroupsByName = []string{*group}
	}
	if *kind != "" {
		opts.Type = []authentik.UserType{authentik.UserType(*kind)}
	}
	if *inactive {
		opts.IsActive = new(false)
	}
	var before time.Time // zero: no matter when
	if *idle > 0 {
		before = time.Now().AddDate(0, 0, -*idle)
	}
	users, err := list(ctx, client, opts, before)
	if err != nil {
		return err
	}
	switch {
	case *asJSON:
		return connect.PrintJSON(stdout, users)
	case *asCSV:
		return writeCSV(stdout, users)
	default:
		return printTable(stdout, users)
	}
}

// list returns the users that match; with a time, those who have not logged in
// since.
func list(ctx context.Context, client *authentik.Client, opts *authentik.CoreUsersListOptions, before time.Time) ([]user, error) {
	users := []user{} // not nil, which is null in JSON
	for u, err := range client.CoreUsers.All(ctx, opts) {
		if err != nil {
			return nil, err
		}
		if !before.IsZero() && u.LastLogin != nil && !u.LastLogin.Before(before) {
			continue
		}
		groups := make([]string, len(u.GroupsObj))
		for i, group := range u.GroupsObj {
			groups[i] = group.Name
		}
		slices.Sort(groups)
		users = append(users, user{u.PK, u.Username, u.Name, u.Email, u.Type, u.IsActive, u.LastLogin, groups})
	}
	return users, nil
}

// printTable quotes what people write, which may hold newlines and worse.
func printTable(w io.Writer, users []user) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USERNAME\tNAME\tTYPE\tACTIVE\tLAST LOGIN\tGROUPS")
	for _, u := range users {
		lastLogin := "never"
		if u.LastLogin != nil {
			lastLogin = u.LastLogin.UTC().Format("2006-01-02 15:04")
		}
		groups := make([]string, len(u.Groups))
		for i, name := range u.Groups {
			groups[i] = connect.Quoted(name)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%t\t%s\t%s\n", connect.Quoted(u.Username), connect.Quoted(u.Name), u.Type, u.Active, lastLogin, strings.Join(groups, ", "))
	}
	return table.Flush()
}

func writeCSV(w io.Writer, users []user) error {
	lines := csv.NewWriter(w)
	lines.Write([]string{"pk", "username", "name", "email", "type", "is_active", "last_login", "groups"}) // Error tells if it failed
	for _, u := range users {
		lastLogin := ""
		if u.LastLogin != nil {
			lastLogin = u.LastLogin.UTC().Format(time.RFC3339)
		}
		lines.Write([]string{
			strconv.Itoa(u.PK), u.Username, u.Name, u.Email, string(u.Type), strconv.FormatBool(u.Active), lastLogin, strings.Join(u.Groups, ";"),
		})
	}
	lines.Flush()
	return lines.Error()
}
