// Package replay has tests that hold the fake of package authentiktest to what
// running servers answered, which is in testdata. There is nothing to import.
package replay
