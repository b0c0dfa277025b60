//go:build goexperiment.jsonv2 && !go1.27

package codec

import "encoding/json/v2"

// errSkip leaves a value to the default. Go 1.26 has an error of its own for it.
// The file goes with skip.go when go.mod says "go 1.27".
var errSkip = json.SkipFunc
