package live

// concrete are lists of objects that count as one of an abstract model, the newest
// first.
var concrete = map[string][]string{
	"auth.permission": {"rbac/permissions/"},
	"authentik_stages_authenticator_webauthn.webauthndevicetype": {"stages/authenticator/webauthn_device_types/"},
	"authentik_core.propertymapping":                             {"propertymappings/provider/scope/", "propertymappings/scope/"},
	"authentik_core.provider":                                    {"providers/oauth2/"},
	"authentik_core.source":                                      {"sources/oauth/"},
	"authentik_endpoints.connector":                              {"endpoints/agents/connectors/"},
	"authentik_flows.stage":                                      {"stages/dummy/"},
	"authentik_outposts.outpostserviceconnection":                {"outposts/service_connections/docker/"},
	"authentik_policies.policy":                                  {"policies/dummy/"},
	"authentik_policies.policybindingmodel":                      {"core/applications/"},
}

// madeAt are lists that show what is made at another.
var madeAt = map[string]string{
	"sources/group_connections/all/": "sources/group_connections/oauth/",
	"sources/user_connections/all/":  "sources/user_connections/oauth/",
}

// samples are values that a server takes for a member, where no fact tells: by path
// and member, or by member alone.
var samples = map[string][]any{
	"asns":            {[]any{64500.0}, []any{64501.0, 64502.0}},
	"background":      {"https://a.example.com/live.png", "https://b.example.com/live.png"},
	"client_ip":       {"192.0.2.1", "192.0.2.2"},
	"client_networks": {"10.0.0.0/8", "192.168.0.0/16"},
	"cookie_domain":   {"a.example.com", "b.example.com"},
	"countries":       {[]any{"DE"}, []any{"FR", "AT"}},
	"email_template":  {"email/password_reset.html", "email/account_confirmation.html"},
	"expression":      {"return True", "return False"},
	"icon":            {"https://a.example.com/live.png", "https://b.example.com/live.png"},
	"flow_set":        {[]any{map[string]any{"name": "live", "slug": "live", "title": "live", "designation": "authorization"}}},
	"kubeconfig": {map[string]any{}, map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "live",
		"clusters": []any{map[string]any{"name": "live", "cluster": map[string]any{"server": "https://127.0.0.1:1"}}},
		"contexts": []any{map[string]any{"name": "live", "context": map[string]any{"cluster": "live", "user": "live"}}},
		"users":    []any{map[string]any{"name": "live", "user": map[string]any{"token": "live"}}},
	}},
	"promptstage_set":    {[]any{map[string]any{"name": "live"}}},
	"server_uri":         {"ldaps://127.0.0.1:10", "ldaps://127.0.0.1:11"},
	"path":               {"live/a", "live/b"},
	"template":           {"email/password_reset.html", "email/account_confirmation.html"},
	"user_path_template": {"live/%(slug)s/a", "live/%(slug)s/b"},
	"core/applications/ backchannel_providers":     {of{"providers/scim/", ""}},
	"lifecycle/rules/ content_type":                {"authentik_core.application", "authentik_core.group"},
	"lifecycle/rules/ object_id":                   {of{"core/applications/", ""}},
	"core/tokens/ intent":                          {"app_password", "api"},
	"crypto/certificatekeypairs/ certificate_data": {certificates[0].certificate, certificates[1].certificate},
	"crypto/certificatekeypairs/ key_data":         {certificates[0].key, certificates[1].key},
	"endpoints/device_bindings/ target":            {of{"endpoints/device_access_groups/", ""}},
	"flows/bindings/ order":                        {11.0, 12.0},
	"managed/blueprints/ content":                  {"version: 1\nentries: []\n", "version: 1\nmetadata:\n  name: live\nentries: []\n"},
	"managed/blueprints/ path":                     {"", "system/providers-scim.yaml"},
	"outposts/instances/ config": {
		map[string]any{"authentik_host": "https://a.example.com"}, map[string]any{"authentik_host": "https://b.example.com"},
	},
	"outposts/instances/ providers": {of{"providers/proxy/", ""}},
	"outposts/instances/ type":      {"proxy", "ldap"},
	"policies/event_matcher/ app":   {"authentik.core", "authentik.flows"},
	"policies/event_matcher/ model": {"authentik_core.user", "authentik_core.group"},
	"policies/event_matcher/ query": {`action = "login"`, `action = "logout"`},
	"providers/oauth2/ redirect_uris": {
		[]any{map[string]any{"matching_mode": "strict", "url": "https://a.example.com/callback"}},
		[]any{map[string]any{"matching_mode": "regex", "url": "https://b.example.com/.*"}},
	},
	"sources/oauth/ provider_type":       {"discord", "reddit"},
	"stages/authenticator/totp/ digits":  {"6", "8"},
	"stages/email/ token_expiry":         {"minutes=30", "minutes=45"}, // older releases take minutes alone
	"stages/identification/ user_fields": {[]any{"email"}, []any{"username", "upn"}},
	"stages/password/ backends":          {[]any{"authentik.core.auth.InbuiltBackend"}, []any{"authentik.core.auth.TokenBackend"}},
	"stages/redirect/ mode":              {"static", "flow"},
}

// needs are members without which a create is refused, though no schema says so.
var needs = map[string][]string{
	"crypto/certificatekeypairs/":              {"key_data"},
	"endpoints/device_bindings/":               {"policy"},
	"lifecycle/rules/":                         {"object_id"},
	"managed/blueprints/":                      {"content"},
	"outposts/service_connections/kubernetes/": {"local", "kubeconfig"},
	"policies/bindings/":                       {"policy"},
	"policies/event_matcher/":                  {"action", "app", "client_ip", "model", "query"},
	"policies/reputation/":                     {"check_ip"},
	"providers/proxy/":                         {"internal_host"},
	"sources/saml/":                            {"issuer"},
	"sources/user_connections/kerberos/":       {"user"},
	"sources/user_connections/ldap/":           {"user"},
	"sources/user_connections/oauth/":          {"user"},
	"sources/user_connections/plex/":           {"user"},
	"sources/user_connections/saml/":           {"user"},
	"sources/user_connections/telegram/":       {"user"},
	"sources/group_connections/kerberos/":      {"group"},
	"sources/group_connections/ldap/":          {"group"},
	"sources/group_connections/oauth/":         {"group"},
	"sources/group_connections/plex/":          {"group"},
	"sources/group_connections/saml/":          {"group"},
	"sources/group_connections/telegram/":      {"group"},
	"stages/identification/":                   {"user_fields"},
	"stages/redirect/":                         {"target_static"},
}

// untried are resources, members, lists and options that cannot be tried, and why.
var untried = map[string]string{
	"authenticators/admin/duo/":                         "a request names no user, whom the server needs",
	"authenticators/admin/email/":                       "a request names no user, whom the server needs",
	"authenticators/admin/endpoint/":                    "a request names no user, whom the server needs",
	"authenticators/admin/sms/":                         "a request names no user, whom the server needs",
	"authenticators/admin/static/":                      "a request names no user, whom the server needs",
	"authenticators/admin/totp/":                        "a request names no user, whom the server needs",
	"authenticators/admin/webauthn/":                    "a request names no user, whom the server needs",
	"authenticators/duo/":                               "a flow alone makes a device",
	"authenticators/email/":                             "a flow alone makes a device",
	"authenticators/sms/":                               "a flow alone makes a device",
	"authenticators/static/":                            "a flow alone makes a device",
	"authenticators/totp/":                              "a flow alone makes a device",
	"authenticators/webauthn/":                          "a flow alone makes a device",
	"core/tenants/ default":                             "one tenant alone can be it, and the suite changes none that it did not make",
	"core/brands/ default":                              "one brand alone can be it, and the suite changes none that it did not make",
	"providers/google_workspace_groups/":                "the provider needs a licence",
	"providers/google_workspace_users/":                 "the provider needs a licence",
	"providers/microsoft_entra_groups/":                 "the provider needs a licence",
	"providers/microsoft_entra_users/":                  "the provider needs a licence",
	"enterprise/license/":                               "authentik alone can make a licence",
	"endpoints/devices/":                                "an agent alone makes a device",
	"events/notifications/":                             "a worker alone makes a notification",
	"GET events/events/ search":                         "events tell of requests that failed, with what was searched for",
	"GET rbac/permissions/assigned_by_users/ model":     "superusers come as well",
	"GET rbac/permissions/assigned_by_roles/ object_pk": "roles with a permission on all objects come as well",
	"GET rbac/permissions/assigned_by_users/ object_pk": "users with a permission on all objects come as well",
	"GET rbac/roles/ inherited":                         "it says what the filters users and groups mean",
	"rac/connection_tokens/":                            "a browser alone makes a token",
	"rbac/permissions/roles/":                           "an assignment makes it, and no member of it can be changed",
	"rbac/permissions/users/":                           "an assignment makes it, and no member of it can be changed",
	"tasks/schedules/":                                  "the server alone makes a schedule",
	"tenants/domains/":                                  "the list is there with a licence for tenants alone",
	"tenants/tenants/":                                  "the list is there with a licence for tenants alone",
}

// refused are members whose change the server refuses, and why.
var refused = map[string]string{
	"core/tokens/ user":                   "the owner cannot be changed",
	"lifecycle/rules/ content_type":       "the object has to be of the type",
	"lifecycle/rules/ object_id":          "the object has to be of the type",
	"managed/blueprints/ path":            "a worker has to answer",
	"policies/reputation/ check_ip":       "one of the two has to be true",
	"policies/reputation/ check_username": "one of the two has to be true",
	"policies/bindings/ group":            "the binding has a policy, and can have one of the three",
	"policies/bindings/ user":             "the binding has a policy, and can have one of the three",
	"endpoints/device_bindings/ group":    "the binding has a policy, and can have one of the three",
	"endpoints/device_bindings/ user":     "the binding has a policy, and can have one of the three",
	"providers/radius/ certificate":       "it needs a licence",
	"providers/scim/ auth_mode":           "it needs a licence",
	"sources/oauth/ oidc_jwks_url":        "the server has to reach it",
	"sources/oauth/ oidc_well_known_url":  "the server has to reach it",
	"sources/scim_groups/ id":             "the server fails",
	"sources/scim_users/ id":              "the server fails",
	"flow_set":                            "the server fails",
	"promptstage_set":                     "the server fails",
}

// copies are members that a copy of an object cannot have like the object.
var copies = map[string]map[string]any{
	"core/applications/":          {"meta_launch_url": "", "provider": nil},
	"core/brands/":                {"default": false},
	"core/groups/":                {"roles": []any{}}, // of which 2025.10 gives each to one group
	"crypto/certificatekeypairs/": {"key_data": ""},
	"managed/blueprints/":         {"path": ""},
	"outposts/instances/":         {"type": "proxy"},
}

// always are options without which a list is refused.
var always = map[string]map[string]any{
	"rbac/permissions/assigned_by_roles/": {"model": "authentik_core.user"},
	"rbac/permissions/assigned_by_users/": {"model": "authentik_core.user"},
	"rbac/permissions/roles/":             {"uuid": "765ed48b-9283-4461-987d-de42dba24533"},
	"rbac/permissions/users/":             {"user_id": 2147480000.0},
}
