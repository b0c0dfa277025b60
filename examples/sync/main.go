// Command sync makes the groups of an authentik and their members what a CSV file
// says. From the root of the repository:
//
//	go run -C examples/sync . [-apply] [-delete] "$PWD/members.csv"
//
// The file has the columns group and username, and a line for each member; a line
// without a username is a group that may have no members:
//
//	group,username
//	staff,anna
//	staff,ben
//	guests,
//
// Without -apply it prints what it would do, and changes nothing. It creates the
// groups that are not there, adds the members that are missing, and removes those
// that the file does not name; groups that the file does not name stay as they are.
// With -delete it also deletes groups that an earlier run created and the file no
// longer names, known by their attribute created-by: but none that something refers
// to, such as the binding that keeps others out of an application. A second run
// changes nothing, and one that was interrupted is completed by the next.
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; where neither is set, it plans for a
// fake server and says so, with the users anna, ben and chris and the groups staff
// and "wiki editors". The token's user must be able to view users and groups, and
// to add, change and delete groups. It is a module of its own because of its
// progress bar, which it shows where stderr is a terminal. With go run -C, a
// relative path begins in examples/sync, where a members.csv for the fake lies.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

func main() { connect.Main(run) }

// The attribute of the groups that this program created.
const (
	markKey   = "created-by"
	markValue = "authentik-go/examples/sync"
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("sync", flag.ContinueOnError)
	apply := flags.Bool("apply", false, "do what is planned")
	prune := flags.Bool("delete", false, "delete groups that an earlier run created and the file no longer names")
	err := connect.Parse(flags, "Makes groups and their members what a CSV file with the columns group and username says: the group's name, and that of a user who is there. "+
		"With go run -C, name the file by its whole path. Without AUTHENTIK_URL a fake answers, with the users anna, ben and chris.", args, stderr, "file")
	if err != nil {
		return err
	}
	wanted, err := readFile(flags.Arg(0))
	if err != nil {
		return err
	}
	client, stop, err := connect.Client(stdout)
	if err != nil {
		return err
	}
	defer stop()

	changes, err := plan(ctx, client, wanted, *prune, stderr)
	if err != nil {
		return err
	}
	for _, change := range changes {
		fmt.Fprintln(stdout, change.text)
	}
	switch {
	case len(changes) == 0:
		fmt.Fprintln(stdout, "nothing to change")
		return nil
	case !*apply:
		fmt.Fprintf(stdout, "%d changes; -apply makes them\n", len(changes))
		return nil
	}
	bar := io.Discard
	if file, ok := stderr.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		bar = stderr
	}
	if err := do(ctx, changes, newBar(bar, len(changes))); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d changes made\n", len(changes))
	return nil
}

// members are usernames by group.
type members map[string]map[string]bool

func readFile(path string) (members, error) {
	if path == "" {
		return nil, errors.New("name the CSV file; see -h")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	wanted, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return wanted, nil
}

// read reads the CSV file.
func read(r io.Reader) (members, error) {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = 2
	header, err := lines.Read()
	if err == io.EOF {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // which Excel writes
	if !slices.Equal(header, []string{"group", "username"}) {
		return nil, fmt.Errorf("the first line is %q, not group,username", strings.Join(header, ","))
	}
	wanted := members{}
	for {
		line, err := lines.Read()
		if err == io.EOF {
			return wanted, nil
		}
		if err != nil {
			return nil, err
		}
		group, username := strings.TrimSpace(line[0]), strings.TrimSpace(line[1]) // as authentik does
		if group == "" {
			n, _ := lines.FieldPos(0)
			return nil, fmt.Errorf("line %d names no group", n)
		}
		if wanted[group] == nil {
			wanted[group] = map[string]bool{}
		}
		if username != "" {
			wanted[group][username] = true
		}
	}
}

// change is one step of the plan.
type change struct {
	text string
	do   func(context.Context) error
}

// plan compares the server with what is wanted. It only reads.
func plan(ctx context.Context, client *authentik.Client, wanted members, prune bool, stderr io.Writer) (changes []change, err error) {
	groups := map[string]*authentik.Group{}
	for group, err := range client.CoreGroups.All(ctx, nil) {
		if err != nil {
			return nil, err
		}
		groups[group.Name] = group
	}
	users, err := findUsers(ctx, client, wanted, groups)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		changes = append(changes, planGroup(client, name, groups[name], wanted[name], users)...)
	}
	if !prune {
		return changes, nil
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		group := groups[name]
		if wanted[name] != nil || group.Attributes[markKey] != markValue {
			continue
		}
		users, err := referrers(ctx, client, group.PK)
		if err != nil {
			return nil, err
		}
		if len(users) > 0 {
			fmt.Fprintf(stderr, "%q is not deleted, since it is in use: %s\n", name, strings.Join(users, ", "))
			continue
		}
		changes = append(changes, change{
			fmt.Sprintf("delete %q", name),
			func(ctx context.Context) error { return client.CoreGroups.Delete(ctx, group.PK) },
		})
	}
	return changes, nil
}

// findUsers returns the pks of the users that groups may get: the wanted ones who
// are not members yet. All that do not exist are in the error.
func findUsers(ctx context.Context, client *authentik.Client, wanted members, groups map[string]*authentik.Group) (map[string]int, error) {
	users := map[string]int{}
	missing := map[string]bool{}
	for name, usernames := range wanted {
		has := usernamesOf(groups[name])
		for username := range usernames {
			if _, found := users[username]; found || missing[username] || has[username] {
				continue
			}
			user, err := authentik.One(client.CoreUsers.All(ctx, &authentik.CoreUsersListOptions{
				Username: username, IncludeGroups: new(false), IncludeRoles: new(false),
			}))
			switch {
			case errors.Is(err, authentik.ErrNotFound):
				missing[username] = true
			case err != nil:
				return nil, err
			default:
				users[username] = user.PK
			}
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("nothing is changed, since there are no users %s", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return users, nil
}

// usernamesOf are the members of a group, which may be nil.
func usernamesOf(group *authentik.Group) map[string]bool {
	usernames := map[string]bool{}
	if group != nil {
		for _, user := range group.UsersObj {
			usernames[user.Username] = true
		}
	}
	return usernames
}

// planGroup makes one group what is wanted; it is nil if it is to be created.
func planGroup(client *authentik.Client, name string, group *authentik.Group, wanted map[string]bool, users map[string]int) (changes []change) {
	var pk uuid.UUID
	if group != nil {
		pk = group.PK
	} else {
		changes = append(changes, change{fmt.Sprintf("create %q", name), func(ctx context.Context) error {
			created, err := client.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: name, Attributes: map[string]any{markKey: markValue}})
			if err == nil {
				pk = created.PK
			}
			return err
		}})
	}
	has := usernamesOf(group)
	for _, username := range slices.Sorted(maps.Keys(wanted)) {
		if !has[username] {
			changes = append(changes, change{fmt.Sprintf("add %q to %q", username, name), func(ctx context.Context) error {
				return client.CoreGroups.AddUser(ctx, pk, &authentik.UserAccountRequest{PK: users[username]})
			}})
		}
	}
	if group == nil {
		return changes
	}
	for _, user := range group.UsersObj {
		if !wanted[user.Username] {
			changes = append(changes, change{fmt.Sprintf("remove %q from %q", user.Username, name), func(ctx context.Context) error {
				return client.CoreGroups.RemoveUser(ctx, pk, &authentik.UserAccountRequest{PK: user.PK})
			}})
		}
	}
	return changes
}

// referrers names what refers to the group, but for its members.
func referrers(ctx context.Context, client *authentik.Client, pk uuid.UUID) (names []string, err error) {
	uses, err := client.CoreGroups.UsedBy(ctx, pk)
	for _, use := range uses {
		if use.App != "authentik_core" || use.ModelName != "user" {
			names = append(names, fmt.Sprintf("%s %q", use.ModelName, use.Name))
		}
	}
	return names, err
}

// do makes the changes, until one fails.
func do(ctx context.Context, changes []change, bar *progressbar.ProgressBar) error {
	defer bar.Clear()
	for i, change := range changes {
		if err := change.do(ctx); err != nil {
			return fmt.Errorf("%d of %d changes are made, then this failed: %s; a second run goes on\n%w", i, len(changes), change.text, err)
		}
		bar.Add(1)
	}
	return nil
}

// newBar draws on w.
func newBar(w io.Writer, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("changes"), progressbar.OptionShowCount())
}
