//go:build goexperiment.jsonv2 && !go1.27

package codec

import "encoding/json/v2"

// errSkip leaves a value to the default. Go 1.26 has an error of its own for it.
// Delete the file, and skip.go, when 1.26 is no longer supported.
var errSkip = json.SkipFunc
