package authentiktest

import (
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
)

// fresh starts a server of the release as it is at first, and returns a client of it.
func fresh(t *testing.T, release string) (*Server, *authentik.Client) {
	t.Helper()
	server := NewServer()
	t.Cleanup(server.Close)
	server.SetRelease(release)
	server.Bootstrap()
	client, err := server.Client(authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

// TestBootstrap looks in each release for what programs look for.
func TestBootstrap(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		release := contract.ReleaseOf(version)
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			server, client := fresh(t, release)
			flow, err := client.FlowsInstances.Retrieve(t.Context(), "default-authentication-flow")
			if err != nil || len(flow.Stages) != 4 {
				t.Errorf("flow %+v, %v", flow, err)
			}
			me, err := client.CoreUsers.Me(t.Context())
			if err != nil || me.User.Username != "akadmin" || !me.User.IsSuperuser || len(me.User.Groups) != 1 {
				t.Errorf("me %+v, %v", me, err)
			}
			if admin, err := authentik.One(client.CoreUsers.All(t.Context(), &authentik.CoreUsersListOptions{IsSuperuser: new(true)})); err != nil || admin.Username != "akadmin" {
				t.Errorf("superusers: %+v, %v", admin, err)
			}
			outposts := server.OutpostsInstances.All()
			if len(outposts) != 1 || outposts[0].Name != "authentik Embedded Outpost" {
				t.Errorf("outposts %+v", outposts)
			}
			if _, err := authentik.One(client.SourcesAll.All(t.Context(), nil), func(s *authentik.Source) bool { return s.Slug == "authentik-built-in" }); err != nil {
				t.Error(err)
			}
			certificates := server.CryptoCertificateKeyPairs.All()
			if len(certificates) != 1 || certificates[0].CertSubject == nil {
				t.Errorf("certificates %+v", certificates)
			}
		})
	}
}

// TestBootstrapMappings counts the mappings, which came in several releases.
func TestBootstrapMappings(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]int{"2023.10": 22, "2024.2": 26, "2024.6": 31, "2024.8": 31, "2024.10": 35, "2026.5": 36} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			_, client := fresh(t, release)
			mappings, err := authentik.Collect(client.PropertyMappingsAll.All(t.Context(), nil))
			if err != nil || len(mappings) != want {
				t.Errorf("%d mappings, %v", len(mappings), err)
			}
			for _, mapping := range mappings {
				if mapping.Managed == nil || *mapping.Managed == "" || mapping.Component == "" {
					t.Errorf("mapping %+v", mapping)
				}
			}
		})
	}
}
