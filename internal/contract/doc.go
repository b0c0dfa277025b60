// Package contract holds what the releases of authentik have, the facts in
// facts.txt, and compares the SDK's types with them.
package contract
