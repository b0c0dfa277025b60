// Package contract holds what the releases of authentik have, and compares the SDK's
// types with it.
//
// facts.txt is what the official schemas say, of every version: [ReadFacts]. Command
// check writes it.
//
// servers.txt is what running servers said of themselves, of the releases that were
// asked: orders, filters, defaults, messages, permissions and cascades, which no
// schema shows. Command servers writes it. [ReadServers] reads it, and
// [Servers.At] gives the facts of one release with plain fields; what a rule is in
// several releases is found by asking for each of [Servers.Releases]:
//
//	servers, err := contract.ReadServers()
//	server := servers.At("2026.5")
//	users := server.Lists["core/users/"]
//	users.Order, users.Total, users.PK()        // the default order
//	users.Orderable[0].Fails(), .Joins          // names of ?ordering=
//	users.Filters["is_superuser"].Repeats()     // filters that repeat an object
//	users.Deletes["core/tokens/"]               // what a DELETE takes along
//	server.Actions["POST core/users/"].Model    // permissions
//	server.Serializers["UserSerializer"].Fields["username"].Unique
package contract
