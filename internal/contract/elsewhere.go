package contract

// LeftOut are operations that the SDK leaves to other clients, as doc.go says,
// with what they are of.
var LeftOut = map[string]string{
	"GET flows/executor/{flow_slug}/":  "the flow executor",
	"POST flows/executor/{flow_slug}/": "the flow executor",
	"GET flows/inspector/{flow_slug}/": "the flow inspector",
	"GET schema/":                      "the schema",
}

// Moved are operations that newer servers have at another path, or by another
// method.
var Moved = map[string]string{
	"GET admin/workers/":                     "GET tasks/workers/",
	"GET core/users/{id}/recovery/":          "POST core/users/{id}/recovery/",
	"GET core/users/{id}/recovery_email/":    "POST core/users/{id}/recovery_email/",
	"GET enterprise/license/get_install_id/": "GET enterprise/license/install_id/",
	"GET providers/scim/{id}/sync_status/":   "GET providers/scim/{id}/sync/status/",
	"GET sources/ldap/{slug}/sync_status/":   "GET sources/ldap/{slug}/sync/status/",
	"GET tasks/workers":                      "GET tasks/workers/",
}

// LeftOutOptions are parameters of a query that turn the answer into a file by their
// mere presence, which no type of the SDK reads.
var LeftOutOptions = []string{"download"}

// Nulls are members for which running servers were seen to send null, though no schema
// says so, by object and member: the releases that sent it.
var Nulls = map[string]string{
	"DeviceUserBinding.connector_obj":       "2025.12 to 2026.5",
	"Invitation.flow_obj":                   "2023.10 to 2026.5",
	"NotificationRule.group_obj":            "2023.10",
	"OAuth2ProviderSetupURLs.issuer":        "2023.10 to 2026.5",
	"OAuth2ProviderSetupURLs.logout":        "2023.10 to 2026.5",
	"OAuth2ProviderSetupURLs.provider_info": "2023.10 to 2026.5",
	"TypeCreate.icon_url":                   "2025.10 to 2026.5",
}
