package authentiktest

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// Values in a query or a path, as Python and Django read them.

// digits writes every decimal digit as 0 to 9.
func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !unicode.Is(unicode.Nd, r) {
			return r
		}
		zero := r
		for zero > r-9 && unicode.Is(unicode.Nd, zero-1) {
			zero--
		}
		return '0' + (r-zero)%10
	}, text)
}

var (
	integerText = regexp.MustCompile(`^[+-]?\d+(_\d+)*$`)
	numberText  = regexp.MustCompile(`^[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][+-]?\d+)?$`)
	leadingZero = regexp.MustCompile(`^(-?)0+(\d)`)
)

// parseInteger reads an integer as Python's int() does, of any size, without its
// plus, underscores and leading zeros.
func parseInteger(text string) (number string, ok bool) {
	text = digits(strings.TrimSpace(text))
	if !integerText.MatchString(text) {
		return "", false
	}
	text = strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+")
	return leadingZero.ReplaceAllString(text, "$1$2"), true
}

// parseUUID reads an id as Python's UUID() does.
func parseUUID(text string) (id string, ok bool) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "urn:", ""), "uuid:", "")
	text = strings.ReplaceAll(strings.Trim(text, "{}"), "-", "")
	parsed, err := uuid.Parse(text)
	if err != nil || len(text) != 32 {
		return "", false
	}
	return parsed.String(), true
}

// parseBoolean reads what Django's filters take for a boolean. What it does not
// know is no filter.
func parseBoolean(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// parseTime reads a time, or a day.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
