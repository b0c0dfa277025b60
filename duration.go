package authentik

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseDuration parses a span of time in authentik's form, such as
// "hours=1;minutes=-2": the token validity of an [OAuth2Provider], the session
// duration of a [UserLoginStage]. A text that authentik would refuse, and a span that
// a [time.Duration] cannot hold, are errors.
func ParseDuration(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("authentik: duration %w", err)
	}
	return d, nil
}

func parseDuration(s string) (time.Duration, error) {
	values := make([]float64, len(durationUnits)) // the last value of a repeated unit counts
	known := false
	for pair := range strings.SplitSeq(s, ";") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.Count(pair, "=") != 1 {
			return 0, fmt.Errorf("%.50q: %.50q is not key=value", s, pair)
		}
		i := slices.IndexFunc(durationUnits, func(u durationUnit) bool { return u.name == strings.ToLower(key) })
		if i < 0 {
			continue // authentik ignores a key that it does not know, and its value
		}
		value = strings.TrimSpace(value)
		if !pythonFloat.MatchString(value) {
			return 0, fmt.Errorf("%.50q: %.50q is not a number", s, value)
		}
		// The only error left is a number out of range, which becomes an infinity.
		values[i], _ = strconv.ParseFloat(value, 64)
		known = true
	}
	if !known {
		return 0, fmt.Errorf("%.50q: no unit that authentik knows", s)
	}
	var microseconds float64
	for i, u := range durationUnits {
		microseconds += values[i] * float64(u.unit/time.Microsecond)
	}
	const limit = math.MaxInt64 / int64(time.Microsecond)
	if math.IsNaN(microseconds) || math.Abs(microseconds) >= float64(limit) {
		return 0, fmt.Errorf("%.50q does not fit a time.Duration", s)
	}
	return time.Duration(math.RoundToEven(microseconds)) * time.Microsecond, nil
}

type durationUnit struct {
	name string
	unit time.Duration
}

var durationUnits = []durationUnit{
	{"microseconds", time.Microsecond},
	{"milliseconds", time.Millisecond},
	{"seconds", time.Second},
	{"minutes", time.Minute},
	{"hours", time.Hour},
	{"days", 24 * time.Hour},
	{"weeks", 7 * 24 * time.Hour},
}

// authentik reads the values with Python's float().
var pythonFloat = regexp.MustCompile(`^[+-]?([0-9](_?[0-9])*\.?([0-9](_?[0-9])*)?|\.[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?$`)
