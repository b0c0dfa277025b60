package contract_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/internal/contract"
)

func servers(t *testing.T) *contract.Servers {
	t.Helper()
	servers, err := contract.ReadServers()
	if err != nil {
		t.Fatal(err)
	}
	return servers
}

func TestServersAreSmall(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("servers.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 850_000 {
		t.Errorf("%d bytes", len(text))
	}
}

// TestServersAreRecordedAgain writes what is recorded out of what was read of it.
func TestServersAreRecordedAgain(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("servers.txt")
	if err != nil {
		t.Fatal(err)
	}
	var trees [][]*contract.Line
	for _, release := range servers(t).Releases {
		trees = append(trees, servers(t).Lines(release))
	}
	if contract.ServersText(servers(t).Releases, trees) != string(text) {
		t.Error("servers.txt is not what is written of its releases")
	}
}

func TestServersOfEachRelease(t *testing.T) {
	t.Parallel()
	all := servers(t)
	if want := []string{"2023.10", "2025.10", "2025.12", "2026.2", "2026.5"}; !slices.Equal(all.Releases, want) {
		t.Fatalf("releases %q", all.Releases)
	}
	for release, closest := range map[string]string{"2023.8": "2023.10", "2024.10": "2023.10", "2024.12": "2025.10", "2025.8": "2025.10", "2025.10": "2025.10", "2026.8": "2026.5"} {
		if got := all.At(release).Release; got != closest {
			t.Errorf("%s: %s, want %s", release, got, closest)
		}
	}
	for _, release := range all.Releases {
		server := all.At(release)
		users := server.Lists["core/users/"]
		if users.Order[0] != "username" || !users.Total || users.PK() != "pk" || users.Model != "authentik_core.user" {
			t.Errorf("%s: users %+v", release, users)
		}
		if i := slices.IndexFunc(users.Orderable, func(o *contract.ServerOrder) bool { return o.Fails() }); i < 0 || users.Orderable[i].Name != "is_superuser" {
			t.Errorf("%s: no ordering of users fails", release)
		}
		if change := server.Actions["PATCH core/users/{id}/"]; change == nil || !slices.Equal(change.Object, []string{"authentik_core.change_user"}) {
			t.Errorf("%s: %+v", release, change)
		}
		application := server.Serializers["ApplicationSerializer"]
		if f := application.Fields["slug"]; f.Unique != "Application with this slug already exists." || f.Pattern == "" || !f.Required {
			t.Errorf("%s: slug %+v", release, f)
		}
		if f := application.Fields["policy_engine_mode"]; f.Initial != `"any"` {
			t.Errorf("%s: policy_engine_mode %+v", release, f)
		}
		if got := server.Messages["CharField"]["blank"]; got != "This field may not be blank." {
			t.Errorf("%s: blank %q", release, got)
		}
		if _, ok := server.Lists["core/applications/"].Deletes["policies/bindings/"]; !ok {
			t.Errorf("%s: an application leaves its bindings", release)
		}
	}
}

func TestServersRefuseOtherText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"release 2030.2\n  lost=1\n",
		"release 2030.2\n\nlist a/\n  is model=[1\n",
		"release 2030.2\n\nlist a/ @2031.2\n",
	} {
		if _, err := contract.ParseServers(text); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
