package authentiktest

import (
	"crypto/rsa"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
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
type freshMapping struct {
	kind    string // propertymappings/provider/scope/; before 2024.8 without provider/ or source/
	managed string // without goauthentik.io/
	name    string
	since   string
	members map[string]any
}

const (
	userClaims      = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	ownClaims       = "http://schemas.goauthentik.io/2021/02/saml/"
	microsoftClaims = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
)

// does are the members of a mapping with the expression.
func does(expression string) map[string]any { return map[string]any{"expression": expression} }

func freshProviderMappings() []freshMapping {
	const (
		oauth  = "authentik default OAuth Mapping: "
		saml   = "authentik default SAML Mapping: "
		scim   = "authentik default SCIM Mapping: "
		google = "authentik default Google Workspace Mapping: "
		entra  = "authentik default Microsoft Entra Mapping: "
		rac    = "authentik default RAC Mapping: "
	)
	scope := func(name, expression string) map[string]any {
		return map[string]any{"scope_name": name, "expression": expression}
	}
	attribute := func(name, expression string) map[string]any {
		return map[string]any{"saml_name": name, "expression": expression}
	}
	settings := func(settings map[string]any) map[string]any { return map[string]any{"static_settings": settings} }
	return []freshMapping{
		{"provider/scope/", "providers/oauth2/scope-openid", oauth + "OpenID 'openid'", "", scope("openid", "return {}")},
		{"provider/scope/", "providers/oauth2/scope-email", oauth + "OpenID 'email'", "", scope("email", `return {"email": request.user.email}`)},
		{"provider/scope/", "providers/oauth2/scope-profile", oauth + "OpenID 'profile'", "", scope("profile", `return {"name": request.user.name}`)},
		{"provider/scope/", "providers/oauth2/scope-offline_access", oauth + "OpenID 'offline_access'", "2024.2", scope("offline_access", "return {}")},
		{"provider/scope/", "providers/oauth2/scope-entitlements", oauth + "Application Entitlements", "2024.12", scope("entitlements", "return {}")},
		{"provider/scope/", "providers/oauth2/scope-authentik_api", oauth + "authentik API access", "2024.6", scope("goauthentik.io/api", "return {}")},
		{"provider/scope/", "providers/proxy/scope-proxy", oauth + "Proxy outpost", "", scope("ak_proxy", `return {"ak_proxy": {}}`)},
		{"provider/saml/", "providers/saml/upn", saml + "UPN", "", attribute(userClaims+"upn", "return request.user.email")},
		{"provider/saml/", "providers/saml/name", saml + "Name", "", attribute(userClaims+"name", "return request.user.name")},
		{"provider/saml/", "providers/saml/email", saml + "Email", "", attribute(userClaims+"emailaddress", "return request.user.email")},
		{"provider/saml/", "providers/saml/username", saml + "Username", "", attribute(ownClaims+"username", "return request.user.username")},
		{"provider/saml/", "providers/saml/uid", saml + "User ID", "", attribute(ownClaims+"uid", "return request.user.pk")},
		{"provider/saml/", "providers/saml/groups", saml + "Groups", "", attribute("http://schemas.xmlsoap.org/claims/Group", "return []")},
		{"provider/saml/", "providers/saml/ms-windowsaccountname", saml + "WindowsAccountname (Username)", "", attribute(microsoftClaims+"windowsaccountname", "return request.user.username")},
		{"provider/scim/", "providers/scim/user", scim + "User", "", does(`return {"userName": request.user.username}`)},
		{"provider/scim/", "providers/scim/group", scim + "Group", "", does(`return {"displayName": group.name}`)},
		{"provider/google_workspace/", "providers/google_workspace/user", google + "User", "2024.6", does(`return {"name": {"fullName": request.user.name}}`)},
		{"provider/google_workspace/", "providers/google_workspace/group", google + "Group", "2024.6", does(`return {"name": group.name}`)},
		{"provider/microsoft_entra/", "providers/microsoft_entra/user", entra + "User", "2024.6", does(`return {"display_name": request.user.name}`)},
		{"provider/microsoft_entra/", "providers/microsoft_entra/group", entra + "Group", "2024.6", does(`return {"display_name": group.name}`)},
		{"provider/rac/", "providers/rac/rdp-default", rac + "RDP Default settings", "2024.2", settings(map[string]any{
			"resize-method": "display-update", "enable-wallpaper": "true", "enable-font-smoothing": "true",
		})},
		{"provider/rac/", "providers/rac/rdp-high-fidelity", rac + "RDP High Fidelity", "2024.2", settings(map[string]any{
			"enable-theming": "true", "enable-full-window-drag": "true", "enable-desktop-composition": "true",
			"enable-menu-animations": "true", "enable-wallpaper": "true", "enable-font-smoothing": "true",
		})},
		{"provider/rac/", "providers/rac/ssh-default", rac + "SSH Default settings", "2024.2", settings(map[string]any{"terminal-type": "xterm-256color"})},
	}
}

func freshSourceMappings() []freshMapping {
	const (
		kerberos = "authentik default Kerberos User Mapping: "
		ldap     = "authentik default LDAP Mapping: "
		active   = "authentik default Active Directory Mapping: "
		openLDAP = "authentik default OpenLDAP Mapping: "
	)
	reads := func(field, of string) map[string]any { // object_field went in 2024.8
		value := "ldap.get(\"" + of + "\")"
		name, nested := strings.CutPrefix(field, "attributes.")
		expression := `return {"` + name + `": ` + value + `}`
		if nested {
			expression = `return {"attributes": {"` + name + `": ` + value + `}}`
		}
		return map[string]any{"object_field": field, "expression": expression}
	}
	return []freshMapping{
		{"source/kerberos/", "sources/kerberos/user/default/ignore-other-realms", kerberos + "Ignore other realms", "2024.10", does("return {}")},
		{"source/kerberos/", "sources/kerberos/user/default/ignore-system-principals", kerberos + "Ignore system principals", "2024.10", does("return {}")},
		{"source/kerberos/", "sources/kerberos/user/default/multipart-principals-as-service-accounts", kerberos + "Multipart principals as service accounts", "2024.10", does("return {}")},
		{"source/kerberos/", "sources/kerberos/user/realm-as-group", kerberos + "Add realm as group", "2024.10", does(`return {"groups": [source.realm]}`)},
		{"source/ldap/", "sources/ldap/default-dn-path", ldap + "DN to User Path", "", reads("path", "dn")},
		{"source/ldap/", "sources/ldap/default-name", ldap + "Name", "", reads("name", "name")},
		{"source/ldap/", "sources/ldap/default-mail", ldap + "mail", "", reads("email", "mail")},
		{"source/ldap/", "sources/ldap/ms-samaccountname", active + "sAMAccountName", "", reads("username", "sAMAccountName")},
		{"source/ldap/", "sources/ldap/ms-userprincipalname", active + "userPrincipalName", "", reads("attributes.upn", "userPrincipalName")},
		{"source/ldap/", "sources/ldap/ms-givenName", active + "givenName", "", reads("attributes.givenName", "givenName")},
		{"source/ldap/", "sources/ldap/ms-sn", active + "sn", "", reads("attributes.sn", "sn")},
		{"source/ldap/", "sources/ldap/openldap-uid", openLDAP + "uid", "", reads("username", "uid")},
		{"source/ldap/", "sources/ldap/openldap-cn", openLDAP + "cn", "", reads("name", "cn")},
	}
}

// freshDevices are authenticators that keep passkeys. A fresh authentik knows more:
// those of the FIDO Alliance.
var freshDevices = [][2]string{
	{"bada5566-a7aa-401f-bd96-45619a55120d", "1Password"},
	{"fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "Apple Passwords"},
	{"d548826e-79b4-db40-a3d8-11116f7e8349", "Bitwarden"},
	{"adce0002-35bc-c60a-648b-0b25f1f05503", "Chrome on Mac"},
	{"531126d6-e717-415c-9320-3d9aa6981239", "Dashlane"},
	{"ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "Google Password Manager"},
	{"fdb141b2-5d84-443e-8a35-4698c205a502", "KeePassXC"},
	{"08987058-cadc-4b81-b6e1-30de50dcbe96", "Windows Hello"},
}

// Bootstrap adds what a fresh authentik has: akadmin in authentik Admins, the default
// flows with their stages and bindings, the property mappings, the source of its own
// users, some types of WebAuthn devices, the default brand, the embedded outpost, a
// self-signed certificate, the permissions, and the schedules of what it does by
// itself. Each has the same pk in every server. What [Server.AddDefaultStages] added stays. Call it after
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
	for _, m := range slices.Concat(freshProviderMappings(), freshSourceMappings()) {
		s.addMapping(m)
	}
	s.addFresh("sources/all/", "authentik-built-in", map[string]any{
		"slug": "authentik-built-in", "name": "authentik Built-in", "managed": "goauthentik.io/sources/inbuilt", "component": "",
		"verbose_name": "source", "verbose_name_plural": "sources", "meta_model_name": "authentik_core.source",
	})
	if s.atLeast("2024.4") {
		for _, d := range freshDevices {
			s.addFresh("stages/authenticator/webauthn_device_types/", "", map[string]any{"aaguid": d[0], "description": d[1]})
		}
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
	s.schedule(s.addFresh("outposts/instances/", "embedded outpost", map[string]any{
		"name": embedded, "type": "proxy", "managed": "goauthentik.io/outposts/embedded",
		"config": map[string]any{"authentik_host": s.base + "/", "log_level": "info"},
	}))
	models := s.facts().Models
	for _, model := range slices.Sorted(maps.Keys(models)) {
		if strings.HasPrefix(model, "authentik_") && s.listAt("rbac/permissions/") != nil {
			for _, codename := range models[model].Permissions {
				s.addPermission(model, codename)
			}
		}
	}
	for _, work := range freshWork {
		if s.atLeast("2025.8") && s.has(work.since, "") {
			s.addSchedule(work.actor, work.actor, work.crontab, map[string]any{"identifier": "None", "rel_obj_id": nil})
		}
	}
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
	path := "propertymappings/" + m.kind
	if s.listAt(path) == nil {
		_, kind, _ := strings.Cut(m.kind, "/")
		path = "propertymappings/" + kind
	}
	if !s.has(m.since, "") || s.listAt(path) == nil {
		return
	}
	if s.atLeast("2024.8") {
		delete(m.members, "object_field")
	}
	m.members["name"], m.members["managed"] = m.name, "goauthentik.io/"+m.managed
	s.addFresh(path, m.managed, m.members)
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
