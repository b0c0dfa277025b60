package fake

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/go-cmp/cmp"
)

// facts have a list of each sort: of a uuid, a number and a slug, a kind and the
// list of all kinds, what changed, what refers, what is hidden, and actions.
const facts = `version 2030.2.1
version 2030.4.0

GET core/groups/ core_groups_list
  query include_users boolean
  query is_superuser string @2030.2.1
  query is_superuser boolean @2030.4.0
  query members_by_username []string explode
  query name__icontains string
  query ordering string
  query page integer
  query strange string
  200 page Group

POST core/groups/ core_groups_create
  body GroupRequest!
  201 Group

GET core/groups/{group_uuid}/ core_groups_retrieve
  path group_uuid uuid!
  200 Group

POST core/groups/{group_uuid}/add_user/ core_groups_add_user_create
  path group_uuid uuid!
  body UserAccountRequest!
  204

POST core/groups/{group_uuid}/set_icon/ core_groups_set_icon_create
  path group_uuid uuid!
  body multipart/form-data IconRequest
  200

GET core/users/ core_users_list
  200 page User

GET core/users/{id}/ core_users_retrieve
  path id integer!
  200 User

GET rbac/roles/ rbac_roles_list
  query managed []string explode
  query managed__isnull boolean
  query users integer @2030.4.0
  200 page Role

GET rbac/roles/{uuid}/ rbac_roles_retrieve
  path uuid uuid!
  200 Role

GET sources/all/ sources_all_list
  200 page Source

GET sources/all/{slug}/ sources_all_retrieve
  path slug string!
  200 Source

GET sources/plex/ sources_plex_list
  query pbm_uuid uuid
  200 page PlexSource

GET sources/plex/{slug}/ sources_plex_retrieve
  path slug string!
  200 PlexSource

object Group
  pk uuid! readonly
  name string!
  is_superuser boolean
  parents []uuid @2030.4.0
  users []integer
  users_obj []User? readonly

object GroupRequest
  name string! min=1
  is_superuser boolean default=true
  parents []uuid @2030.4.0
  users []integer

object IconRequest
  file binary

object PlexSource
  pk uuid! readonly
  name string!
  slug string!
  component string! readonly
  meta_model_name string! readonly

object Role
  pk uuid! readonly
  name string!

object Source
  pk uuid! readonly
  name string!
  slug string!
  component string! readonly
  meta_model_name string! readonly

object User
  pk integer! readonly
  username string!
  roles []uuid
  type UserTypeEnum

object UserAccountRequest
  pk integer!

enum ModelEnum
  authentik_sources_plex.plexsource

enum UserTypeEnum
  internal
  external
`

var renew = flag.Bool("renew", false, "write the file that TestTable wants")

func parse(t *testing.T, text string) *contract.Facts {
	t.Helper()
	facts, err := contract.ParseFacts(text)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// identities are those of the facts' lists.
var identities = map[string]string{"Group": "pk", "User": "pk", "Role": "pk", "Source": "pk", "PlexSource": "pk"}

func TestTable(t *testing.T) {
	t.Parallel()
	table := newTable(parse(t, facts), identities)
	content := table.data()
	if len(table.errs) > 0 {
		t.Fatal(table.errs)
	}
	got, err := content.source()
	if err != nil {
		t.Fatal(err)
	}
	if *renew {
		if err := os.WriteFile("testdata/table.go.txt", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/table.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}

// TestWords finds words that the facts do not bear out.
func TestWords(t *testing.T) {
	t.Parallel()
	_, err := Table(parse(t, facts), identities)
	if err == nil || !strings.Contains(err.Error(), `no list has the filter "events/events/ actions"`) {
		t.Errorf("filters that no list has: %v", err)
	}
	if strings.Contains(err.Error(), "rbac/roles/ users") {
		t.Errorf("a filter that a list has: %v", err)
	}
	_, err = Table(parse(t, strings.ReplaceAll(facts, "  roles []uuid\n", "")), identities)
	if err == nil || !strings.Contains(err.Error(), `filter "users" of rbac/roles/ looks at "<core/users/ roles", which is not there`) {
		t.Errorf("a member that is not there: %v", err)
	}
}
