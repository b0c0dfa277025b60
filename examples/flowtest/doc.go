// Package flowtest shows how to test a flow: what a login with its policies asks for,
// what it refuses, and who is logged in at the end.
//
//	go test ./examples/flowtest
//
// A fake server answers, whose flow is made of a few objects. With
// AUTHENTIK_TEST_URL, and AUTHENTIK_TEST_TOKEN for an administrator, the same test
// asks a real server, and its own flow: the test creates a user, and deletes it.
package flowtest
