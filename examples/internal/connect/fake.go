package connect

import (
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/uuid"
)

// pkOf makes pks that are the same at each run.
func pkOf(name string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(name)) }

// fill gives the fake server what a small company has, beside what authentik's
// default blueprints make and the examples need.
func fill(server *authentiktest.Server) {
	server.AddDefaultStages()
	server.StagesSource.Add(authentik.SourceStage{
		PK:      pkOf("company-login"),
		Name:    "company-login",
		FlowSet: []authentik.FlowSet{{Slug: "company-login-flow"}},
	})
	fillUsers(server)
	fillOAuth2(server)
}

func fillUsers(server *authentiktest.Server) {
	group := func(name string) uuid.UUID {
		return server.CoreGroups.Add(authentik.Group{PK: pkOf(name), Name: name}).PK
	}
	staff, wiki := group("staff"), group("wiki editors")
	at := func(month time.Month, day int) *time.Time {
		return new(time.Date(2025, month, day, 9, 30, 0, 0, time.UTC))
	}
	user := func(pk int, username, name string, lastLogin *time.Time, groups ...uuid.UUID) {
		server.CoreUsers.Add(authentik.User{
			PK: pk, Username: username, Name: name, Email: username + "@example.com", Type: authentik.UserTypeInternal,
			IsActive: true, LastLogin: lastLogin, Groups: groups,
		})
	}
	user(1, "anna", "Anna Arendt", at(time.March, 3), staff, wiki)
	user(2, "ben", "Ben Berg", at(time.January, 12), staff)
	user(3, "chris", "Chris Cole", nil)
	server.CoreUsers.Add(authentik.User{
		PK: 4, Username: "backup", Name: "backup", Type: authentik.UserTypeServiceAccount, IsActive: true,
	})
	server.CoreTokens.Add(authentik.Token{PK: pkOf("backup-api"), Identifier: "backup-api", Intent: authentik.TokenIntentAPI, User: 4})
}

func fillOAuth2(server *authentiktest.Server) {
	for slug, designation := range map[string]authentik.FlowDesignation{
		"default-provider-authorization-implicit-consent": authentik.FlowDesignationAuthorization,
		"default-provider-invalidation-flow":              authentik.FlowDesignationInvalidation,
	} {
		server.FlowsInstances.Add(authentik.Flow{PK: pkOf(slug), Slug: slug, Name: slug, Designation: designation})
	}
	for _, scope := range []string{"openid", "email", "profile"} {
		server.PropertyMappingsProviderScope.Add(authentik.ScopeMapping{
			PK: pkOf(scope), Name: "authentik default OAuth Mapping: OpenID '" + scope + "'", ScopeName: scope,
			Managed: new("goauthentik.io/providers/oauth2/scope-" + scope), Expression: "return {}",
		})
	}
	server.CryptoCertificateKeyPairs.Add(authentik.CertificateKeyPair{
		PK: pkOf("certificate"), Name: "authentik Self-signed Certificate", PrivateKeyAvailable: true,
	})
}
