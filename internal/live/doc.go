// Package live asks a running authentik whether the SDK keeps its promises there:
// an update changes what it names and nothing else, or says so; strict writes give
// no false alarm; a list is filtered, or the call is an error. It has tests alone,
// which run if AUTHENTIK_TEST_URL and AUTHENTIK_TEST_TOKEN name a server and its
// administrator. What they make has names with a prefix, and is deleted at the end.
package live
