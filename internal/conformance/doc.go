// Package conformance tests the SDK as a whole: against the recorded facts of
// each release of authentik, against servers and networks that fail, and against
// its own documentation. The tests of a single function are beside its code.
package conformance
