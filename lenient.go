package authentik

// This file has the types of members that releases of authentik send in
// different forms. Each reads all forms, and writes the newest.

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/google/uuid"
)

// DeviceID names a [Device] within its type: a number in text. Servers before
// 2024.10 send the number itself.
type DeviceID string

// UnmarshalJSON reads a text or a number.
func (id *DeviceID) UnmarshalJSON(b []byte) error { return unmarshalText((*string)(id), b, "") }

// UnmarshalJSON reads a text, or a number, which servers before 2024.2 send.
func (d *TOTPDigits) UnmarshalJSON(b []byte) error { return unmarshalText((*string)(d), b, "") }

// EmailTokenExpiry is how long the link in an email counts, as [ParseDuration]
// reads it. What servers before 2025.2 send, a number of minutes, becomes
// "minutes=30".
type EmailTokenExpiry string

// UnmarshalJSON reads a text or a number of minutes.
func (e *EmailTokenExpiry) UnmarshalJSON(b []byte) error {
	return unmarshalText((*string)(e), b, "minutes=")
}

// unmarshalText reads a text, or a number, which gets the prefix.
func unmarshalText(text *string, b []byte, prefix string) error {
	if first := firstOf(b); first == '-' || first >= '0' && first <= '9' {
		*text = prefix + string(b)
		return nil
	}
	return codec.Unmarshal(b, text)
}

// firstOf is the first byte of a value; 0 if there is no value, which is no JSON.
func firstOf(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// RedirectURIs are the URIs to which a client may have users sent back. Servers
// before 2024.8.5, and 2024.10 before 2024.10.3, send them as lines of one text, and
// take each line for a regular expression.
type RedirectURIs []RedirectURI

// UnmarshalJSON reads a list of URIs or lines.
func (u *RedirectURIs) UnmarshalJSON(b []byte) error {
	if firstOf(b) != '"' {
		return codec.Unmarshal(b, (*[]RedirectURI)(u))
	}
	var lines string
	if err := codec.Unmarshal(b, &lines); err != nil {
		return err
	}
	*u = RedirectURIs{}
	for line := range strings.FieldsSeq(lines) {
		*u = append(*u, RedirectURI{MatchingMode: MatchingModeStrict, URL: line})
	}
	return nil
}

// LogEvents are what a task logged. Servers before 2024.4 send texts, each of
// which becomes the Event of one.
type LogEvents []LogEvent

// UnmarshalJSON reads a list of events or texts.
func (l *LogEvents) UnmarshalJSON(b []byte) error {
	return unmarshalMixed((*[]LogEvent)(l), b, func(text string) LogEvent { return LogEvent{Event: text} })
}

// PromptChoices are what a prompt offers. Servers before 2025.10 send texts,
// each of which becomes the Label and the Value of one.
type PromptChoices []PromptChoice

// UnmarshalJSON reads a list of choices or texts.
func (c *PromptChoices) UnmarshalJSON(b []byte) error {
	return unmarshalMixed((*[]PromptChoice)(c), b, func(text string) PromptChoice { return PromptChoice{Label: text, Value: text} })
}

// unmarshalMixed reads a list in which a text may stand for an object.
func unmarshalMixed[T any](list *[]T, b []byte, fromText func(string) T) error {
	var values []json.RawMessage
	if err := codec.Unmarshal(b, &values); err != nil {
		return err
	}
	if values == nil {
		return nil // null
	}
	*list = make([]T, len(values))
	for i, value := range values {
		var text string
		if value[0] == '"' && codec.Unmarshal(value, &text) == nil {
			(*list)[i] = fromText(text)
		} else if err := codec.Unmarshal(value, &(*list)[i]); err != nil {
			return err
		}
	}
	return nil
}

// SourceReference names the source of a connection. Servers before 2024.12 send
// the source itself, newer ones its pk alone, and the source in SourceObj.
type SourceReference struct {
	PK     uuid.UUID
	Source *Source // nil if the server sent the pk alone
}

// UnmarshalJSON reads a pk or a source.
func (s *SourceReference) UnmarshalJSON(b []byte) error {
	if firstOf(b) != '{' {
		return codec.Unmarshal(b, &s.PK)
	}
	s.Source = new(Source)
	err := codec.Unmarshal(b, s.Source)
	s.PK = s.Source.PK
	return err
}

// MarshalJSON writes what was read.
func (s SourceReference) MarshalJSON() ([]byte, error) {
	if s.Source != nil {
		return codec.Marshal(s.Source)
	}
	return codec.Marshal(s.PK)
}

// oneOrMore is a list, instead of which older servers send a single object.
type oneOrMore[T any] []T

// UnmarshalJSON reads a list, or an object that has its identity.
func (l *oneOrMore[T]) UnmarshalJSON(b []byte) error {
	if !codec.HasMember(b, codec.IdentityOf(reflect.TypeFor[T]()).Member) {
		return codec.Unmarshal(b, (*[]T)(l))
	}
	*l = make([]T, 1)
	return codec.Unmarshal(b, &(*l)[0])
}

// eventVolumes are numbers of events. Servers before 2025.8 send points of a diagram,
// of which x_cord is the time and y_cord the number.
type eventVolumes []EventVolume

// UnmarshalJSON reads a list of numbers of events or points.
func (l *eventVolumes) UnmarshalJSON(b []byte) error {
	if err := codec.Unmarshal(b, (*[]EventVolume)(l)); err != nil {
		return err
	}
	for i := range *l {
		volume := &(*l)[i]
		x, y := volume.Extra["x_cord"], volume.Extra["y_cord"]
		if x == nil || y == nil {
			continue
		}
		var at UnixMilli
		if err := errors.Join(codec.Unmarshal(x, &at), codec.Unmarshal(y, &volume.Count)); err != nil {
			return err
		}
		volume.Time = ZonelessTime{at.Time().UTC()}
		delete(volume.Extra, "x_cord")
		delete(volume.Extra, "y_cord")
		if len(volume.Extra) == 0 {
			volume.Extra = nil
		}
	}
	return nil
}

// UnixMilli is a time in milliseconds since 1970. Servers send it with a fraction,
// which is zero.
type UnixMilli int64

// Time returns the time in the local zone.
func (m UnixMilli) Time() time.Time { return time.UnixMilli(int64(m)) }

// UnmarshalJSON reads a number with or without a fraction, which is cut off.
func (m *UnixMilli) UnmarshalJSON(b []byte) error {
	var number float64
	err := codec.Unmarshal(b, &number)
	*m = UnixMilli(number)
	return err
}

// UnixTime is a time in seconds since 1970, in the local zone. It is read from text as
// well, which the API's schema has for it.
type UnixTime struct{ time.Time }

// UnmarshalJSON reads a number, with or without a fraction, or a text.
func (t *UnixTime) UnmarshalJSON(b []byte) error {
	if firstOf(b) == '"' || firstOf(b) == 'n' {
		return codec.Unmarshal(b, &t.Time)
	}
	var seconds float64
	if err := codec.Unmarshal(b, &seconds); err != nil {
		return err
	}
	whole, fraction := math.Modf(seconds)
	t.Time = time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000)
	return nil
}

// MarshalJSON writes a number, null for the zero time.
func (t UnixTime) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return codec.Marshal(float64(t.UnixMicro()) / 1e6)
}

// ZonelessTime is a time that authentik sends without a zone. It is taken for
// UTC.
type ZonelessTime struct{ time.Time }

const zoneless = "2006-01-02T15:04:05.999999999"

// UnmarshalJSON reads a time with or without a zone.
func (t *ZonelessTime) UnmarshalJSON(b []byte) error {
	var text string
	if err := codec.Unmarshal(b, &text); err != nil || text == "" {
		return err
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		parsed, err = time.Parse(zoneless, text)
	}
	t.Time = parsed
	return err
}

// MarshalJSON writes a time of UTC without a zone.
func (t ZonelessTime) MarshalJSON() ([]byte, error) { return codec.Marshal(t.UTC().Format(zoneless)) }
