//go:build !go1.27 || !goexperiment.jsonv2

package authentik_test

import (
	"testing"

	"github.com/authentik-go/authentik"
)

// TestExtraIsACopy calls UnmarshalJSON itself, with the white space that
// encoding/json would not pass on.
func TestExtraIsACopy(t *testing.T) {
	t.Parallel()
	document := []byte("\n{\"new\":1}\n")
	var flow authentik.FlowSet
	if err := flow.UnmarshalJSON(document); err != nil {
		t.Fatal(err)
	}
	clear(document)
	if got := string(flow.Extra["new"]); got != "1" || len(flow.Extra) != 1 {
		t.Errorf("Extra has %q", flow.Extra)
	}
}
