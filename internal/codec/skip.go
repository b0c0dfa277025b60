//go:build !goexperiment.jsonv2 || go1.27

package codec

import "errors"

// errSkip leaves a value to the default.
var errSkip = errors.ErrUnsupported
