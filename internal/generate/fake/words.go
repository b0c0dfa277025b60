package fake

// What the facts cannot say of a running authentik stands here.

// identities are the members that are in the path, where the rule finds another.
var identities = map[string]string{
	"core/authenticated_sessions/":                "uuid",
	"core/object_attributes/":                     "pk",
	"stages/authenticator/webauthn_device_types/": "aaguid",
	"tasks/tasks/":                                "message_id",
	"rbac/permissions/assigned_by_roles/":         "role_pk",
	"events/system_tasks/":                        "uuid",
}

// views are two lists of the same objects.
var views = [][2]string{
	{"core/applications/", "core/applications/requestable/"},
	{"requests/grant-requests/", "requests/grant-requests/pending_review/"},
}

// modelNames are the names of models that are not those of their objects.
var modelNames = map[string]string{
	"authenticators/admin/endpoint/": "EndpointDevice",
	"authenticators/endpoint/":       "EndpointDevice",
	"endpoints/devices/":             "Device",
	"oauth2/access_tokens/":          "AccessToken",
	"oauth2/authorization_codes/":    "AuthorizationCode",
	"oauth2/refresh_tokens/":         "RefreshToken",
}

// orders are what lists are ordered by, where it is not the name.
var orders = map[string]string{
	"core/users/":                 "username",
	"core/applications/":          "name",
	"events/events/":              "-created",
	"events/notifications/":       "-created",
	"flows/instances/":            "slug,name",
	"flows/bindings/":             "order,pk",
	"policies/bindings/":          "order,pk",
	"policies/reputation/scores/": "-score",
	"stages/prompt/prompts/":      "field_key,order",
}

// searched are the members that a list is searched in, where nothing else is said.
var searched = []string{"name", "username", "slug", "identifier", "domain", "title", "label", "description", "email"}

// searches are those of single lists.
var searches = map[string]string{
	"core/applications/":             "name,slug,meta_launch_url,meta_description,meta_publisher,group",
	"core/users/":                    "username,name,email,uuid",
	"core/groups/":                   "name",
	"core/tokens/":                   "identifier,user.username,description",
	"core/brands/":                   "domain,branding_title",
	"flows/instances/":               "name,slug,designation,title",
	"flows/bindings/":                "stage.name",
	"policies/bindings/":             "policy.name",
	"events/events/":                 "action,app,user,context,client_ip",
	"rbac/permissions/":              "codename,name,app_label",
	"stages/identification/":         "name",
	"stages/password/":               "name",
	"stages/source/":                 "name",
	"sources/group_connections/all/": "group.name,source.slug,identifier",
	"sources/user_connections/all/":  "user.username,source.slug,identifier",
}

// uniques are the members that no two objects of a list, or of a list of all
// kinds, have the same.
var uniques = map[string]string{
	"authenticators/admin/duo/":         "",
	"core/applications/":                "slug",
	"core/brands/":                      "domain",
	"core/groups/":                      "name",
	"core/tokens/":                      "identifier",
	"core/users/":                       "username",
	"crypto/certificatekeypairs/":       "name",
	"endpoints/connectors/":             "name",
	"enterprise/license/":               "key",
	"events/rules/":                     "name",
	"flows/instances/":                  "slug",
	"managed/blueprints/":               "name",
	"outposts/instances/":               "name",
	"outposts/service_connections/all/": "name",
	"policies/all/":                     "name",
	"propertymappings/all/":             "name",
	"providers/all/":                    "name",
	"rbac/roles/":                       "name",
	"sources/all/":                      "slug,name",
	"stages/all/":                       "name",
	"stages/prompt/prompts/":            "name",
	"tenants/domains/":                  "domain",
	"tenants/tenants/":                  "schema_name",
}

// uniqueSets are members that together are unique.
var uniqueSets = map[string][]string{
	"flows/bindings/":    {"target,stage,order"},
	"policies/bindings/": {"policy,target,order"},
}

// numbered are the lists whose objects are referred to by a number.
var numbered = map[string]bool{
	"core/users/": true, "providers/all/": true, "providers/oauth2/": true, "providers/scim/": true,
	"providers/google_workspace/": true, "providers/microsoft_entra/": true, "providers/rac/": true, "rbac/permissions/": true,
}

// references are the lists of what members refer to, by the member's name, or by
// that of object and member where others of the name refer to something else.
var references = map[string]string{
	"app":                      "core/applications/",
	"application":              "core/applications/",
	"backchannel_providers":    "providers/all/",
	"captcha_stage":            "stages/captcha/",
	"children":                 "core/groups/",
	"configuration_stages":     "stages/all/",
	"connection_settings":      "",
	"connector":                "endpoints/connectors/",
	"destination_group":        "core/groups/",
	"default_application":      "core/applications/",
	"fields":                   "stages/prompt/prompts/",
	"group":                    "core/groups/",
	"groups":                   "core/groups/",
	"jwt_federation_providers": "providers/oauth2/",
	"jwt_federation_sources":   "sources/all/",
	"mapping":                  "propertymappings/all/",
	"not_configured_action":    "",
	"parents":                  "core/groups/",
	"Group.parent":             "core/groups/",
	"password_stage":           "stages/password/",
	"policy":                   "policies/all/",
	"property_mappings":        "propertymappings/all/",
	"property_mappings_group":  "propertymappings/all/",
	"provider":                 "providers/all/",
	"providers":                "providers/all/",
	"reviewer_groups":          "core/groups/",
	"roles":                    "rbac/roles/",
	"service_connection":       "outposts/service_connections/all/",
	"selected_stage":           "stages/all/",
	"source":                   "sources/all/",
	"sources":                  "sources/all/",
	"stage":                    "stages/all/",
	"FlowStageBinding.target":  "flows/instances/",
	"transports":               "events/transports/",
	"user":                     "core/users/",
	"users":                    "core/users/",
	"validation_policies":      "policies/all/",
	"webauthn_stage":           "stages/authenticator/validate/",
	"webhook_mapping_body":     "propertymappings/notification/",
	"webhook_mapping_headers":  "propertymappings/notification/",
	"filter_group":             "core/groups/",
	"group_filters":            "core/groups/",
	"create_users_group":       "core/groups/",
	"peer_group":               "core/groups/",
	"certificate":              "crypto/certificatekeypairs/",
	"web_certificate":          "crypto/certificatekeypairs/",
	"client_certificate":       "crypto/certificatekeypairs/",
	"peer_certificate":         "crypto/certificatekeypairs/",
	"client_certificates":      "crypto/certificatekeypairs/",
	"certificate_authorities":  "crypto/certificatekeypairs/",
	"signing_key":              "crypto/certificatekeypairs/",
	"encryption_key":           "crypto/certificatekeypairs/",
	"tls_verification":         "crypto/certificatekeypairs/",
	"tls_authentication":       "crypto/certificatekeypairs/",
}

// referenceSuffixes are the ends of names that tell what is referred to.
var referenceSuffixes = [][2]string{
	{"_flow", "flows/instances/"},
	{"flow_authentication", "flows/instances/"},
	{"flow_device_code", "flows/instances/"},
	{"flow_invalidation", "flows/instances/"},
	{"flow_lockdown", "flows/instances/"},
	{"flow_recovery", "flows/instances/"},
	{"flow_unenrollment", "flows/instances/"},
	{"flow_user_settings", "flows/instances/"},
	{"_kp", "crypto/certificatekeypairs/"},
	{"_mapping", "propertymappings/all/"},
}

// partials are the lists of objects that others show whole or in part.
var partials = map[string]string{
	"Group":              "core/groups/",
	"UserGroup":          "core/groups/",
	"GroupMember":        "core/users/",
	"GroupChild":         "core/groups/",
	"RelatedGroup":       "core/groups/",
	"User":               "core/users/",
	"Role":               "rbac/roles/",
	"Provider":           "providers/all/",
	"OAuth2Provider":     "providers/oauth2/",
	"RACProvider":        "providers/rac/",
	"Endpoint":           "rac/endpoints/",
	"Stage":              "stages/all/",
	"Policy":             "policies/all/",
	"Source":             "sources/all/",
	"Outpost":            "outposts/instances/",
	"Prompt":             "stages/prompt/prompts/",
	"Flow":               "flows/instances/",
	"FlowSet":            "flows/instances/",
	"ServiceConnection":  "outposts/service_connections/all/",
	"Application":        "core/applications/",
	"Connector":          "endpoints/connectors/",
	"DeviceAccessGroup":  "endpoints/device_access_groups/",
	"Device":             "",
	"WebAuthnDeviceType": "stages/authenticator/webauthn_device_types/",
}

// aliases are members that a filter names otherwise.
var aliases = map[string]string{"members": "users"}

// filters are what parameters look at, by name, or by path and name.
var filters = map[string]struct{ member, lookup string }{
	"superuser_full_list":                                 {"", "ignored"},
	"only_with_launch_url":                                {"", "ignored"},
	"for_user":                                            {"", "ignored"},
	"pbm_uuid":                                            {"policybindingmodel_ptr_id", "exact"},
	"core/applications/ include_users":                    {"", "ignored"},
	"core/groups/ members_by_username":                    {"users.username", "oneOf"},
	"events/events/ actions":                              {"action", "oneOf"},
	"events/events/ username":                             {"user.username", "exact"},
	"events/events/ brand_name":                           {"brand.name", "exact"},
	"events/events/ client_ip":                            {"client_ip", "exact"},
	"events/events/ context_model_app":                    {"context.model.app", "exact"},
	"events/events/ context_model_name":                   {"context.model.model_name", "exact"},
	"events/events/ context_model_pk":                     {"context.model.pk", "exact"},
	"events/events/ context_device":                       {"context.device.pk", "exact"},
	"events/events/ context_authorized_app":               {"context.authorized_application.pk", "exact"},
	"flows/instances/ flow_uuid":                          {"pk", "exact"},
	"flows/bindings/ fsb_uuid":                            {"pk", "exact"},
	"sources/all/ pbm_uuid":                               {"policybindingmodel_ptr_id", "exact"},
	"policies/reputation/scores/ identifier_in":           {"identifier", "oneOf"},
	"crypto/certificatekeypairs/ has_key":                 {"private_key_available", "exact"},
	"rbac/permissions/assigned_by_users/ model":           {"", "ignored"},
	"rbac/permissions/assigned_by_users/ object_pk":       {"", "ignored"},
	"rbac/permissions/assigned_by_roles/ model":           {"", "ignored"},
	"rbac/permissions/assigned_by_roles/ object_pk":       {"", "ignored"},
	"core/users/ path_startswith":                         {"path", "startsWith"},
	"core/application_entitlements/requestable/ for_user": {"", "ignored"},
}

// defaults are what a create leaves members at, as JSON, where the facts do not
// say it: by object and member.
var defaults = map[string]string{
	"PasswordStage.backends":     `["authentik.core.auth.InbuiltBackend"]`,
	"SourceStage.resume_timeout": `"minutes=10"`,
}

// verboseNames, components and metaModels are what objects say of their kind,
// where it does not follow from the names of path and object.
var (
	verboseNames = map[string]string{}
	components   = map[string]string{}
	metaModels   = map[string]string{}
)
