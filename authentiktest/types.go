package authentiktest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// What a server says of its own parts: kinds of objects, applications and models of
// its code. Descriptions of kinds are empty.

// providerIcons are the icons of kinds of providers.
var providerIcons = map[string]string{
	"googleworkspaceprovider": "google.svg", "ldapprovider": "ldap.png", "microsoftentraprovider": "azuread.svg",
	"oauth2provider": "openidconnect.svg", "proxyprovider": "proxy.svg", "racprovider": "rac.svg", "radiusprovider": "radius.svg",
	"samlprovider": "saml.png", "scimprovider": "scim.png", "ssfprovider": "ssf.svg", "wsfederationprovider": "wsfed.svg",
}

// types are the kinds that a list of all kinds has, by name.
func types(s *Server, c *call, _ *object, _ map[string]any) reply {
	all := []any{}
	base := strings.TrimSuffix(c.path, "types/")
	add := func(name, component, model, icon string, enterprise bool) {
		shown := map[string]any{
			"name": name, "description": "", "component": component, "model_name": model, "icon_url": nil,
			"requires_enterprise": enterprise, "deprecated": model == "authenticatorendpointgdtcstage",
		}
		if icon != "" {
			shown["icon_url"] = "/static/authentik/sources/" + icon
		}
		all = append(all, s.show(shown, "TypeCreate"))
	}
	for _, part := range s.family(s.list(base))[1:] {
		if !s.has(part.kind.since, part.kind.until) || part.path == "policies/dummy/" || part.path == "stages/dummy/" { // which are there for debugging
			continue
		}
		shown := map[string]any{"component": "", "verbose_name": "", "meta_model_name": ""}
		s.fill(nil, part.kind.object, shown)
		s.constants(&object{list: part}, shown)
		name, component := canonical(shown["verbose_name"]), canonical(shown["component"])
		app, model, _ := strings.Cut(canonical(shown["meta_model_name"]), ".")
		serializer := s.serializer(part.kind.object)
		enterprise := serializer != nil && serializer.Enterprise || app == "authentik_providers_google_workspace" || app == "authentik_providers_microsoft_entra"
		icon := providerIcons[model]
		switch {
		case part.path == "policies/unique_password/":
			component = "ak-policy-password-uniqueness-form"
		case part.path == "sources/oauth/":
			for _, t := range oauthSourceTypes {
				if s.has(t.since, "") {
					add(strings.TrimSuffix(t.verbose, " Connect")+" OAuth Source", component, t.name+"oauthsource", t.name+".svg", false)
				}
			}
			continue
		case base == "sources/all/":
			icon = strings.TrimSuffix(model, "source")
			if icon == "plex" || icon == "telegram" {
				icon += ".svg"
			} else {
				icon += ".png"
			}
		case model == "samlprovider":
			imported := "samlproviderimportmodel"
			if !s.atLeast("2024.2") {
				imported = ""
			}
			add("SAML Provider from Metadata", "ak-provider-saml-import-form", imported, icon, false)
		}
		add(name, component, model, icon, enterprise)
	}
	slices.SortFunc(all, func(a, b any) int { return cmp.Compare(s.orderOfType(a), s.orderOfType(b)) })
	return reply{http.StatusOK, all}
}

// orderOfType is the name of a kind. In 2023.10 mappings came by what they were for, and
// the provider that is imported last.
func (s *Server) orderOfType(kind any) string {
	shown, _ := kind.(map[string]any)
	name := canonical(shown["name"])
	if s.atLeast("2024.2") {
		return name
	}
	switch name {
	case "SAML Provider from Metadata":
		return "~"
	case "Webhook Mapping":
		return "N"
	}
	return name
}

// appName is the name of an application of authentik's code, by the label of its models.
func (s *Server) appName(label string) string {
	for _, prefix := range []string{"", "enterprise."} {
		for _, app := range codeApps {
			name, ok := strings.CutPrefix(app.name, prefix)
			if ok && "authentik_"+strings.ReplaceAll(name, ".", "_") == label && s.has(app.since, app.until) {
				return "authentik " + app.label
			}
		}
	}
	return label
}

// codeApp is an application of authentik's code.
type codeApp struct{ name, label, since, until string }

var codeApps = []codeApp{
	{name: "admin", label: "Admin"},
	{"admin.files", "Files", "2025.12", ""},
	{name: "api", label: "API"},
	{name: "blueprints", label: "Blueprints"},
	{"brands", "Brands", "2024.2", ""},
	{"commands", "Commands", "2025.10", ""},
	{name: "core", label: "Core"},
	{name: "crypto", label: "Crypto"},
	{"endpoints", "Endpoints", "2025.12", ""},
	{"endpoints.connectors.agent", "Endpoints.Connectors.Agent", "2025.12", ""},
	{name: "enterprise", label: "Enterprise"},
	{"enterprise.audit", "Enterprise.Audit", "2024.2", ""},
	{"enterprise.endpoints.connectors.agent", "Enterprise.Endpoints.Connectors.Agent", "2025.12", ""},
	{"enterprise.endpoints.connectors.fleet", "Enterprise.Endpoints.Connectors.Fleet", "2026.2", ""},
	{"enterprise.endpoints.connectors.google_chrome", "Enterprise.Endpoints.Connectors.Google Chrome", "2026.5", ""},
	{"enterprise.lifecycle", "Enterprise.Lifecycle", "2026.2", ""},
	{"enterprise.policies.unique_password", "Enterprise.Policies.Unique Password", "2025.4", ""},
	{"enterprise.providers.google_workspace", "Enterprise.Providers.Google Workspace", "2024.6", ""},
	{"enterprise.providers.microsoft_entra", "Enterprise.Providers.Microsoft Entra", "2024.6", ""},
	{"enterprise.providers.rac", "Enterprise.Providers.RAC", "2024.2", "2024.12"},
	{"enterprise.providers.radius", "Enterprise.Providers.Radius", "2025.10", ""},
	{"enterprise.providers.scim", "Enterprise.Providers.SCIM", "2025.10", ""},
	{"enterprise.providers.ssf", "Enterprise.Providers.SSF", "2025.2", ""},
	{"enterprise.providers.ws_federation", "Enterprise.Providers.WS-Federation", "2026.2", ""},
	{"enterprise.reports", "Enterprise.Reports", "2025.12", ""},
	{"enterprise.search", "Enterprise.Search", "2025.8", "2026.2"},
	{"enterprise.stages.authenticator_endpoint_gdtc", "Enterprise.Stages.Authenticator.Endpoint GDTC", "2024.10", ""},
	{"enterprise.stages.mtls", "Enterprise.Stages.MTLS", "2025.6", ""},
	{"enterprise.stages.source", "Enterprise.Stages.Source", "2024.4", ""},
	{name: "events", label: "Events"},
	{name: "flows", label: "Flows"},
	{name: "outposts", label: "Outpost"},
	{name: "policies", label: "Policies"},
	{name: "policies.dummy", label: "Policies.Dummy"},
	{name: "policies.event_matcher", label: "Policies.Event Matcher"},
	{name: "policies.expiry", label: "Policies.Expiry"},
	{name: "policies.expression", label: "Policies.Expression"},
	{"policies.geoip", "Policies.GeoIP", "2024.8", ""},
	{name: "policies.password", label: "Policies.Password"},
	{name: "policies.reputation", label: "Policies.Reputation"},
	{name: "providers.ldap", label: "Providers.LDAP"},
	{name: "providers.oauth2", label: "Providers.OAuth2"},
	{name: "providers.proxy", label: "Providers.Proxy"},
	{"providers.rac", "Providers.RAC", "2025.2", ""},
	{name: "providers.radius", label: "Providers.Radius"},
	{name: "providers.saml", label: "Providers.SAML"},
	{name: "providers.scim", label: "Providers.SCIM"},
	{name: "rbac", label: "RBAC"},
	{name: "recovery", label: "Recovery"},
	{"sources.kerberos", "Sources.Kerberos", "2024.10", ""},
	{name: "sources.ldap", label: "Sources.LDAP"},
	{name: "sources.oauth", label: "Sources.OAuth"},
	{name: "sources.plex", label: "Sources.Plex"},
	{name: "sources.saml", label: "Sources.SAML"},
	{"sources.scim", "Sources.SCIM", "2024.4", ""},
	{"sources.telegram", "Sources.Telegram", "2025.10", ""},
	{name: "stages.authenticator", label: "Stages.Authenticator"},
	{name: "stages.authenticator_duo", label: "Stages.Authenticator.Duo"},
	{"stages.authenticator_email", "Stages.Authenticator.Email", "2025.2", ""},
	{name: "stages.authenticator_sms", label: "Stages.Authenticator.SMS"},
	{name: "stages.authenticator_static", label: "Stages.Authenticator.Static"},
	{name: "stages.authenticator_totp", label: "Stages.Authenticator.TOTP"},
	{name: "stages.authenticator_validate", label: "Stages.Authenticator.Validate"},
	{name: "stages.authenticator_webauthn", label: "Stages.Authenticator.WebAuthn"},
	{name: "stages.captcha", label: "Stages.Captcha"},
	{name: "stages.consent", label: "Stages.Consent"},
	{name: "stages.deny", label: "Stages.Deny"},
	{name: "stages.dummy", label: "Stages.Dummy"},
	{name: "stages.email", label: "Stages.Email"},
	{name: "stages.identification", label: "Stages.Identification"},
	{"stages.invitation", "Stages.User Invitation", "", "2024.4"},
	{"stages.invitation", "Stages.Invitation", "2024.6", ""},
	{name: "stages.password", label: "Stages.Password"},
	{name: "stages.prompt", label: "Stages.Prompt"},
	{"stages.redirect", "Stages.Redirect", "2024.12", ""},
	{name: "stages.user_delete", label: "Stages.User Delete"},
	{name: "stages.user_login", label: "Stages.User Login"},
	{name: "stages.user_logout", label: "Stages.User Logout"},
	{name: "stages.user_write", label: "Stages.User Write"},
	{"tasks", "Tasks", "2025.8", ""},
	{"tasks.schedules", "Tasks Schedules", "2025.8", ""},
	{name: "tenants", label: "Tenants"},
}

func apps(s *Server, _ *call, _ *object, _ map[string]any) reply {
	all := []any{}
	for _, app := range codeApps {
		if s.has(app.since, app.until) {
			all = append(all, map[string]any{"name": "authentik." + app.name, "label": "authentik " + app.label})
		}
	}
	return reply{http.StatusOK, all}
}

// formerModels are in no newer release's list of models than these.
var formerModels = map[string]string{
	"authentik_policies_reputation.reputation": "2023.10", "authentik_tenants.tenant": "2023.10",
	"authentik_providers_oauth2.authorizationcode": "2023.10", "authentik_providers_oauth2.accesstoken": "2023.10",
	"authentik_providers_oauth2.refreshtoken": "2023.10", "authentik_stages_consent.userconsent": "2025.8",
}

// models are those whose objects requests are about, in the order of authentik's code.
// 2023.10 had some of them in other places.
func models(s *Server, _ *call, _ *object, _ map[string]any) reply {
	all := []any{}
	for _, name := range enumOf("ModelEnum").values {
		if facts := s.facts().Models[name]; facts != nil && s.has("", formerModels[name]) {
			all = append(all, map[string]any{"name": name, "label": facts.Verbose})
		}
	}
	return reply{http.StatusOK, all}
}

// configurable are the stages that users set up, in authentik's order.
var configurable = []string{"authenticator/duo", "authenticator/email", "authenticator/sms", "authenticator/static", "authenticator/totp", "authenticator/webauthn", "password"}

// userSettings are the stages that a user can set up.
func userSettings(s *Server, _ *call, _ *object, _ map[string]any) reply {
	all := []any{}
	for _, kind := range configurable {
		l := s.listAt("stages/" + kind + "/")
		if l == nil {
			continue
		}
		objects := slices.SortedFunc(slices.Values(l.objects), func(a, b *object) int { return compare(a.members["name"], b.members["name"]) })
		for _, o := range objects {
			shown := s.shown(o, l, l.kind.object, nil)
			setting := map[string]any{
				"title": cmp.Or(canonical(shown["friendly_name"]), canonical(shown["verbose_name"])), "object_uid": o.key,
				"component": "ak-user-settings-" + strings.ReplaceAll(kind, "/", "-"),
			}
			if !isEmpty(o.members["configure_flow"]) {
				setting["configure_url"] = "/flows/-/configure/" + o.key + "/"
			}
			all = append(all, setting)
		}
	}
	return reply{http.StatusOK, all}
}

// actionsSince are the actions of events that came after the first release.
var actionsSince = map[string]string{
	"export_ready": "2025.12", "configuration_warning": "2026.2", "review_initiated": "2026.2", "review_overdue": "2026.2",
	"review_attested": "2026.2", "review_completed": "2026.2", "user_offboarded": "2026.8",
	"access_request_created": "2026.8", "access_request_approved": "2026.8", "access_request_denied": "2026.8", "access_request_revoked": "2026.8",
}

// eventActions are what an event can be of.
func eventActions(s *Server, _ *call, _ *object, _ map[string]any) reply {
	all := []any{}
	for _, value := range enumOf("EventActions").values {
		name := title(value)
		switch value {
		case "invitation_used":
			name = "Invite Used"
		case "custom_":
			name = "Custom Prefix"
		}
		if s.has(actionsSince[value], "") {
			all = append(all, s.typeOf(name, "", value))
		}
	}
	return reply{http.StatusOK, all}
}
