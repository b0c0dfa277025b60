package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/authentik-go/authentik/internal/testkit"
	"github.com/jarcoal/httpmock"
)

// TestPermissionsOfALimitedUser holds the permissions of a ForbiddenError to what
// running servers answered: who was refused lacks one of them, and who was not has all.
func TestPermissionsOfALimitedUser(t *testing.T) {
	t.Parallel()
	onAll := []string{"authentik_core.view_group", "authentik_core.add_group", "authentik_flows.view_flow"}
	onOne := []string{"authentik_core.view_user", "authentik_core.change_user", "authentik_core.view_application"}
	text, err := os.ReadFile("testdata/limited.txt")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for line := range strings.Lines(string(text)) {
		var release, method, path string
		var status int
		if _, err := fmt.Sscan(line, &release, &method, &path, &status); err != nil {
			continue // a comment
		}
		needed := permissionsOf(t, release, method, path)
		if status != http.StatusForbidden {
			for _, permission := range needed {
				if !slices.Contains(onAll, permission) && !slices.Contains(onOne, permission) {
					t.Errorf("%s: it needs %s, which the user lacks", line, permission)
				}
			}
			continue
		}
		refused++
		if !slices.ContainsFunc(needed, func(permission string) bool { return !slices.Contains(onAll, permission) }) {
			t.Errorf("%s: it needs %q, which the user has", line, needed)
		}
	}
	if refused < 40 {
		t.Errorf("only %d were refused", refused)
	}
}

// permissionsOf are those that the error of an operation has, once the server's release
// is known.
func permissionsOf(t *testing.T, release, verb, path string) []string {
	t.Helper()
	client, mock := testkit.MockClient(t)
	mock.RegisterResponder(http.MethodGet, "=~/admin/version/$", httpmock.NewJsonResponderOrPanic(http.StatusOK, map[string]any{"version_current": release + ".1"}))
	if _, err := client.ServerVersion(t.Context()); err != nil {
		t.Fatal(err)
	}
	mock.Reset()
	mock.RegisterNoResponder(httpmock.NewStringResponder(http.StatusForbidden, `{"detail":"You do not have permission to perform this action."}`))
	i := slices.IndexFunc(methods(), func(m method) bool { return m.HTTP == verb && m.asks.Path == path })
	if i < 0 {
		t.Fatalf("no method asks for %s %s", verb, path)
	}
	f := methods()[i].Of(client)
	_, err := sdk.Call(f, sdk.Arguments(context.Background(), f.Type()))
	forbidden, ok := errors.AsType[*authentik.ForbiddenError](err)
	if !ok {
		t.Fatalf("%s %s: %v", verb, path, err)
	}
	if text := err.Error(); len(forbidden.Permissions) > 0 && !strings.Contains(text, "it needs "+strings.Join(forbidden.Permissions, ", ")) {
		t.Errorf("the text lacks the permissions: %s", text)
	}
	return forbidden.Permissions
}

// TestPermissionsThatAreNotKnown asks for no release, by a path, and behind a firewall.
func TestPermissionsThatAreNotKnown(t *testing.T) {
	t.Parallel()
	const refused = `{"detail":"You do not have permission to perform this action."}`
	viewKey := []string{"authentik_crypto.view_certificatekeypair_key", "authentik_crypto.view_certificatekeypair"}
	for _, test := range []struct {
		name, body string
		call       func(c *authentik.Client) error
		want       []string
	}{
		{"no release: those of all", refused, func(c *authentik.Client) error {
			_, err := c.CryptoCertificateKeyPairs.ViewPrivateKey(t.Context(), testkit.Numbered(1))
			return err
		}, viewKey},
		{"only superusers may", refused, func(c *authentik.Client) error {
			_, err := c.AdminVersionHistory.List(t.Context(), nil)
			return err
		}, nil},
		{"a path", refused, func(c *authentik.Client) error {
			_, err := authentik.Get[struct{}](t.Context(), c, "core/users/1/", nil)
			return err
		}, nil},
		{"a refused token", `{"detail":"Token invalid/expired"}`, func(c *authentik.Client) error {
			_, err := c.CoreUsers.Retrieve(t.Context(), 1)
			return err
		}, nil},
		{"a firewall", "<html>Forbidden</html>", func(c *authentik.Client) error {
			_, err := c.CoreUsers.Retrieve(t.Context(), 1)
			return err
		}, nil},
	} {
		client, mock := testkit.MockClient(t)
		mock.RegisterNoResponder(httpmock.NewStringResponder(http.StatusForbidden, test.body))
		err := test.call(client)
		forbidden, ok := errors.AsType[*authentik.ForbiddenError](err)
		if !ok || !slices.Equal(slices.Sorted(slices.Values(forbidden.Permissions)), slices.Sorted(slices.Values(test.want))) {
			t.Errorf("%s: %v", test.name, err)
		}
		if strings.Contains(err.Error(), "it needs") != (test.want != nil) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
