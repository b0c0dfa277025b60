package authentiktest

import (
	"crypto/rsa"
	"encoding/json"
	"maps"
	"math/big"
	"strconv"
	"strings"
)

// What a fresh authentik has: names, slugs and managed keys are authentik's, the
// expressions are short ones of the same effect.

// freshFlow is a flow of the default blueprints, with its stages in their order.
type freshFlow struct {
	slug, name, title, designation, authentication string
	since                                          string
	stages                                         []freshStage
}

// freshStage is a stage of a flow. One that an earlier flow has is bound again.
type freshStage struct {
	kind    string // stages/password/
	name    string
	order   int
	members map[string]any
}

func numberOf(n int) json.Number { return json.Number(strconv.Itoa(n)) }

func freshFlows() []freshFlow {
	const required = "require_authenticated"
	consent := func(name string) []freshStage { return []freshStage{{"stages/consent/", name, 0, nil}} }
	setup := func(kind, friendly string) []freshStage {
		name := "default-authenticator-" + kind + "-setup" // as the flow's
		return []freshStage{{"stages/authenticator/" + kind + "/", name, 0, map[string]any{"friendly_name": friendly, "configure_flow": pkOf(name).String()}}}
	}
	return []freshFlow{
		{"default-authentication-flow", "Welcome to authentik!", "Welcome to authentik!", "authentication", "none", "", []freshStage{
			{"stages/identification/", "default-authentication-identification", 10, map[string]any{"user_fields": []any{"email", "username"}}},
			{"stages/password/", "default-authentication-password", 20, map[string]any{
				"backends":                      []any{"authentik.core.auth.InbuiltBackend", "authentik.sources.ldap.auth.LDAPBackend", "authentik.core.auth.TokenBackend"},
				"failed_attempts_before_cancel": numberOf(5), "configure_flow": pkOf("default-password-change").String(),
			}},
			{"stages/authenticator/validate/", "default-authentication-mfa-validation", 30, map[string]any{
				"not_configured_action": "skip", "device_classes": []any{"static", "totp", "webauthn", "duo", "sms"},
			}},
			{"stages/user_login/", "default-authentication-login", 100, nil},
		}},
		{"default-authenticator-static-setup", "default-authenticator-static-setup", "Setup Static OTP Tokens", "stage_configuration", required, "", setup("static", "Static tokens")},
		{"default-authenticator-totp-setup", "default-authenticator-totp-setup", "Setup Two-Factor authentication", "stage_configuration", required, "", setup("totp", "TOTP Device")},
		{"default-authenticator-webauthn-setup", "default-authenticator-webauthn-setup", "Set up WebAuthn device", "stage_configuration", required, "", setup("webauthn", "WebAuthn device")},
		{"default-invalidation-flow", "Logout", "Default Invalidation Flow", "invalidation", "none", "", []freshStage{
			{"stages/user_logout/", "default-invalidation-logout", 0, nil},
		}},
		{"default-password-change", "Change Password", "Change password", "stage_configuration", required, "", []freshStage{
			{"stages/prompt/stages/", "default-password-change-prompt", 0, nil},
			{"stages/user_write/", "default-password-change-write", 1, nil},
		}},
		{"default-provider-authorization-explicit-consent", "Authorize Application", "Redirecting to %(app)s", "authorization", required, "", consent("default-provider-authorization-consent")},
		{"default-provider-authorization-implicit-consent", "Authorize Application", "Redirecting to %(app)s", "authorization", required, "", nil},
		{"default-provider-invalidation-flow", "Logged out of application", "You've logged out of %(app)s.", "invalidation", "none", "2024.10", nil},
		{"default-source-authentication", "Welcome to authentik!", "Welcome to authentik!", "authentication", "require_unauthenticated", "", []freshStage{
			{"stages/user_login/", "default-source-authentication-login", 0, nil},
		}},
		{"default-source-enrollment", "Welcome to authentik! Please select a username.", "Welcome to authentik! Please select a username.", "enrollment", "none", "", []freshStage{
			{"stages/prompt/stages/", "default-source-enrollment-prompt", 0, nil},
			{"stages/user_write/", "default-source-enrollment-write", 1, nil},
			{"stages/user_login/", "default-source-enrollment-login", 2, nil},
		}},
		{"default-source-pre-authentication", "Pre-Authentication", "Pre-authentication", "stage_configuration", "none", "", nil},
		{"default-user-settings-flow", "User settings", "Update your info", "stage_configuration", required, "", []freshStage{
			{"stages/prompt/stages/", "default-user-settings", 20, nil},
			{"stages/user_write/", "default-user-settings-write", 100, nil},
		}},
	}
}

// freshMapping is a property mapping that authentik manages.
type freshMapping struct{ kind, managed, name, member, value, expression, since string }

const (
	oauthMapping = "authentik default OAuth Mapping: "
	samlMapping  = "authentik default SAML Mapping: "
	scimMapping  = "authentik default SCIM Mapping: "
	claims       = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	ownClaims    = "http://schemas.goauthentik.io/2021/02/saml/"
)

var freshMappings = []freshMapping{
	{"scope", "oauth2/scope-openid", oauthMapping + "OpenID 'openid'", "scope_name", "openid", "return {}", ""},
	{"scope", "oauth2/scope-email", oauthMapping + "OpenID 'email'", "scope_name", "email", `return {"email": request.user.email}`, ""},
	{"scope", "oauth2/scope-profile", oauthMapping + "OpenID 'profile'", "scope_name", "profile", `return {"name": request.user.name}`, ""},
	{"scope", "oauth2/scope-offline_access", oauthMapping + "OpenID 'offline_access'", "scope_name", "offline_access", "return {}", "2024.2"},
	{"scope", "oauth2/scope-entitlements", oauthMapping + "Application Entitlements", "scope_name", "entitlements", "return {}", "2024.12"},
	{"scope", "oauth2/scope-authentik_api", oauthMapping + "authentik API access", "scope_name", "goauthentik.io/api", "return {}", ""},
	{"scope", "proxy/scope-proxy", oauthMapping + "Proxy outpost", "scope_name", "ak_proxy", `return {"ak_proxy": {}}`, ""},
	{"saml", "saml/upn", samlMapping + "UPN", "saml_name", claims + "upn", "return request.user.email", ""},
	{"saml", "saml/name", samlMapping + "Name", "saml_name", claims + "name", "return request.user.name", ""},
	{"saml", "saml/email", samlMapping + "Email", "saml_name", claims + "emailaddress", "return request.user.email", ""},
	{"saml", "saml/username", samlMapping + "Username", "saml_name", ownClaims + "username", "return request.user.username", ""},
	{"saml", "saml/uid", samlMapping + "User ID", "saml_name", ownClaims + "uid", "return request.user.pk", ""},
	{"saml", "saml/groups", samlMapping + "Groups", "saml_name", "http://schemas.xmlsoap.org/claims/Group", "return []", ""},
	{"saml", "saml/ms-windowsaccountname", samlMapping + "WindowsAccountname (Username)", "saml_name", "http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname", "return request.user.username", ""},
	{"scim", "scim/user", scimMapping + "User", "", "", `return {"userName": request.user.username}`, ""},
	{"scim", "scim/group", scimMapping + "Group", "", "", `return {"displayName": group.name}`, ""},
}

// Bootstrap adds what a fresh authentik has: akadmin in authentik Admins, the default
// flows with their stages and bindings, the scope, SAML and SCIM mappings, the default
// brand, the embedded outpost and a self-signed certificate. Each has the same pk in
// every server. What [Server.AddDefaultStages] added stays. Call it after
// [Server.SetRelease], once.
func (s *Server) Bootstrap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	admins := s.addFresh("core/groups/", "authentik Admins", map[string]any{"name": "authentik Admins", "is_superuser": true})
	s.addFresh("core/users/", "", map[string]any{
		"username": "akadmin", "name": "authentik Default Admin", "email": "root@example.com", "type": "internal", "groups": []any{admins.members["pk"]},
	})
	for _, f := range freshFlows() {
		if s.has(f.since, "") {
			s.addFlow(f)
		}
	}
	for _, m := range freshMappings {
		s.addMapping(m)
	}
	s.addFreshCertificate()
	brands := "core/brands/"
	if s.listAt(brands) == nil {
		brands = "core/tenants/"
	}
	brand := map[string]any{"domain": "authentik-default", "default": true}
	for member, slug := range map[string]string{
		"flow_authentication": "default-authentication-flow", "flow_invalidation": "default-invalidation-flow", "flow_user_settings": "default-user-settings-flow",
	} {
		brand[member] = pkOf(slug).String()
	}
	s.addFresh(brands, "", brand)
	s.addFresh("outposts/instances/", "embedded outpost", map[string]any{
		"name": embedded, "type": "proxy", "managed": "goauthentik.io/outposts/embedded",
		"config": map[string]any{"authentik_host": s.base + "/", "log_level": "info"},
	})
}

// addFresh adds an object whose pk is made of key, unless it is "". One that is there
// stays.
func (s *Server) addFresh(path, key string, members map[string]any) *object {
	if key != "" {
		members["pk"] = pkOf(key).String()
		if o := s.list(path).byKey[pkOf(key).String()]; o != nil {
			return o
		}
	}
	return s.add(s.list(path), members)
}

func (s *Server) addFlow(f freshFlow) {
	flow := s.addFresh("flows/instances/", f.slug, map[string]any{
		"slug": f.slug, "name": f.name, "title": f.title, "designation": f.designation, "authentication": f.authentication,
		"policybindingmodel_ptr_id": pkOf("policies of " + f.slug).String(),
	})
	for _, stage := range f.stages {
		members := map[string]any{"name": stage.name}
		maps.Copy(members, stage.members)
		o := s.addFresh(stage.kind, stage.name, members)
		s.addFresh("flows/bindings/", f.slug+" "+stage.name, map[string]any{
			"target": flow.members["pk"], "stage": o.members["pk"], "order": numberOf(stage.order), "evaluate_on_plan": false, "re_evaluate_policies": true,
		})
	}
}

func (s *Server) addMapping(m freshMapping) {
	path := "propertymappings/provider/" + m.kind + "/"
	if !s.atLeast("2024.8") {
		path = "propertymappings/" + m.kind + "/"
	}
	if !s.has(m.since, "") || s.listAt(path) == nil {
		return
	}
	members := map[string]any{"name": m.name, "managed": "goauthentik.io/providers/" + m.managed, "expression": m.expression}
	if m.member != "" {
		members[m.member] = m.value
	}
	key := m.managed
	if scope, ok := strings.CutPrefix(m.managed, "oauth2/scope-"); ok {
		key = "scope " + scope
	} else if scope, ok := strings.CutPrefix(m.managed, "proxy/scope-"); ok {
		key = "scope " + scope
	}
	s.addFresh(path, key, members)
}

// addFreshCertificate adds a certificate with a key that is the same in every server,
// as making one takes longer than all the rest: it protects nothing.
func (s *Server) addFreshCertificate() {
	members, err := selfSigned("authentik Self-signed Certificate", 365, freshKey())
	if err != nil {
		panic("authentiktest: " + err.Error()) // made of constants
	}
	s.updated(s.addFresh("crypto/certificatekeypairs/", "self-signed", members))
}

// freshPrimes make the key of a fresh server.
var freshPrimes = [2]string{
	"dcee73c5e04a9e3731e4a571dd5ec05ae8f093dc89bd0807fef4ab3213a69981" +
		"46c04a392bc8fd549180ad86e14c2c90db85d6449b04a23cc2b53c8dec79c0b9",
	"d7fe4c1171c860b3cfde23764a6361086a6d0e33d2c3de376ad54f7bfaf06cad" +
		"22c4ac69274754887b74b95e43f9a600f18d9a19e9987be81f48f88119e75829",
}

func freshKey() *rsa.PrivateKey {
	one := big.NewInt(1)
	p, _ := new(big.Int).SetString(freshPrimes[0], 16) // it is a number
	q, _ := new(big.Int).SetString(freshPrimes[1], 16)
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, Primes: []*big.Int{p, q}}
	key.D = new(big.Int).ModInverse(big.NewInt(int64(key.E)), new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)))
	key.Precompute()
	return key
}
