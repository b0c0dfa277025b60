package main

// modelEnum has authentik's own names of its models, as app.model.
const modelEnum = "ModelEnum"

// typeNames are Go names other than the schema's, by the schema's.
var typeNames = map[string]string{
	"BackendsEnum":                        "PasswordBackend",
	"DigitsEnum":                          "TOTPDigits",
	"AppEnum":                             "AppLabel",
	"ContentTypeEnum":                     "LifecycleContentType",
	"ProviderEnum":                        "SMSProvider",
	"TenantAdminGroupRequestRequest":      "TenantAdminGroupRequest",
	"TenantRecoveryKeyRequestRequest":     "TenantRecoveryKeyRequest",
	"UserAccountSerializerForRoleRequest": "RoleAccountRequest",
	"ResumeOnMatchFailuresEnum":           "ResumeOnMatchFailure",
	"UserFieldsEnum":                      "UserField",
	"Version":                             "ServerVersion",
}

// fieldNames are Go names other than the member's, by object or path and member.
var fieldNames = map[string]string{
	"IdentificationStage.webauthn_stage":    "WebauthnStage", // released so
	"stages/identification/.webauthn_stage": "WebauthnStage",
}

// constants are the ends of names of constants, by enum and value.
var constants = map[string]string{
	"UsedByActionEnum CASCADE":      "Cascade2023",
	"UsedByActionEnum CASCADE_MANY": "CascadeMany2023",
	"UsedByActionEnum SET_NULL":     "SetNull2023",
	"UsedByActionEnum SET_DEFAULT":  "SetDefault2023",
	"SAMLNameIDPolicyEnum urn:oasis:names:tc:SAML:2.0:nameid-format:X509SubjectName": "X509SubjectName20",
	"BackendsEnum authentik.core.auth.InbuiltBackend":                                "Inbuilt",
	"BackendsEnum authentik.core.auth.TokenBackend":                                  "Token",
	"BackendsEnum authentik.sources.ldap.auth.LDAPBackend":                           "LDAP",
	"BackendsEnum authentik.sources.kerberos.auth.KerberosBackend":                   "Kerberos",
}

// renamed are objects that became several others, by their old name.
var renamed = map[string]string{}

// lenientTypes are Go types written by hand for members whose type changed, by
// object and member.
var lenientTypes = map[string]string{
	"Device.pk":                            "DeviceID",
	"EmailStage.token_expiry":              "EmailTokenExpiry",
	"EventVolume.time":                     "ZonelessTime",
	"GroupKerberosSourceConnection.source": "SourceReference",
	"GroupOAuthSourceConnection.source":    "SourceReference",
	"GroupPlexSourceConnection.source":     "SourceReference",
	"GroupSAMLSourceConnection.source":     "SourceReference",
	"OAuth2Provider.redirect_uris":         "RedirectURIs",
	"ProxyProvider.redirect_uris":          "RedirectURIs",
	"StagePrompt.choices":                  "PromptChoices",
	"SystemTask.messages":                  "LogEvents",
	"UserKerberosSourceConnection.source":  "SourceReference",
	"UserOAuthSourceConnection.source":     "SourceReference",
	"UserPlexSourceConnection.source":      "SourceReference",
	"UserSAMLSourceConnection.source":      "SourceReference",
	"UserSourceConnection.source":          "SourceReference",
}

// hidden are members of answers that are not to be shown, by object and member:
// those that have the token.
var hidden = map[string]bool{"SystemInfo.http_headers": true}

// leftOut are operations that other clients are for.
var leftOut = map[string]string{
	"GET flows/executor/{flow_slug}/":               "the flow executor",
	"POST flows/executor/{flow_slug}/":              "the flow executor",
	"GET flows/inspector/{flow_slug}/":              "the flow inspector",
	"GET endpoints/agents/connectors/agent_config/": "takes an agent's own token",
	"POST endpoints/agents/connectors/auth_fed/":    "takes an agent's own token",
	"POST endpoints/agents/connectors/auth_ia/":     "takes an agent's own token",
	"POST endpoints/agents/connectors/check_in/":    "takes an agent's own token",
	"POST endpoints/agents/connectors/enroll/":      "takes an agent's own token",
	"POST endpoints/agents/psso/register/device/":   "takes an agent's own token",
	"POST endpoints/agents/psso/register/user/":     "takes an agent's own token",
	"GET schema/": "the schema",
}

// moved are operations that newer servers have at another path.
var moved = map[string]string{
	"GET admin/workers/":                     "GET tasks/workers/",
	"GET core/users/{id}/recovery/":          "POST core/users/{id}/recovery/",
	"GET core/users/{id}/recovery_email/":    "POST core/users/{id}/recovery_email/",
	"GET enterprise/license/get_install_id/": "GET enterprise/license/install_id/",
	"GET providers/scim/{id}/sync_status/":   "GET providers/scim/{id}/sync/status/",
	"GET sources/ldap/{slug}/sync_status/":   "GET sources/ldap/{slug}/sync/status/",
	"GET tasks/workers":                      "GET tasks/workers/",
}

// methodNames are Go names of methods, by method and path.
var methodNames = map[string]string{}

// identities are the members that tell objects apart, where that is not pk, uuid
// or id, by object.
var identities = map[string]string{
	"AgentConnector":                  "connector_uuid",
	"ApplicationEntitlement":          "pbm_uuid",
	"CoreTenant":                      "tenant_uuid",
	"RequestableTarget":               "pbm_uuid",
	"Brand":                           "brand_uuid",
	"Connector":                       "connector_uuid",
	"DeviceAccessGroup":               "pbm_uuid",
	"EndpointDevice":                  "device_uuid",
	"EnrollmentToken":                 "token_uuid",
	"FleetConnector":                  "connector_uuid",
	"GoogleChromeConnector":           "connector_uuid",
	"License":                         "license_uuid",
	"OAuth2DynamicClientRegistration": "pbm_uuid",
	"RoleAssignedObjectPermission":    "role_pk",
	"Task":                            "message_id",
	"Tenant":                          "tenant_uuid",
	"WebAuthnDeviceType":              "aaguid",
}

// successors are the services that took the place of lists that are gone.
var successors = map[string]string{}

// overrideKeys are the keys of all maps in this file.
func overrideKeys() map[string][]string {
	keys := map[string][]string{}
	add(keys, "nouns", nouns)
	add(keys, "objects", objects)
	add(keys, "enums", enums)
	add(keys, "members", members)
	add(keys, "durations", durations)
	add(keys, "filters", filters)
	add(keys, "operations", operations)
	add(keys, "permissions", permissions)
	add(keys, "typeNames", typeNames)
	add(keys, "fieldNames", fieldNames)
	add(keys, "constants", constants)
	add(keys, "renamed", renamed)
	add(keys, "lenientTypes", lenientTypes)
	add(keys, "hidden", hidden)
	add(keys, "leftOut", leftOut)
	add(keys, "moved", moved)
	add(keys, "methodNames", methodNames)
	add(keys, "identities", identities)
	add(keys, "successors", successors)
	return keys
}

func add[V any](keys map[string][]string, name string, entries map[string]V) {
	for key := range entries {
		keys[name] = append(keys[name], key)
	}
}
