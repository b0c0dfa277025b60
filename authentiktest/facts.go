package authentiktest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/uuid"
)

// What running servers say of a member goes before what the schema says. The facts
// are those of internal/contract: the closest release that was asked.

var factsOf sync.Map // *contract.Server by release

// facts are what a server of the release says.
func (s *Server) facts() *contract.Server {
	if known, ok := factsOf.Load(s.release); ok {
		return known.(*contract.Server) //nolint:forcetypeassert // it holds nothing else
	}
	servers, err := contract.ReadServers()
	if err != nil {
		panic(fmt.Sprintf("authentiktest: %v", err)) // the tests of internal/contract read them
	}
	known, _ := factsOf.LoadOrStore(s.release, servers.At(s.release))
	return known.(*contract.Server) //nolint:forcetypeassert // it holds nothing else
}

// serializer is what checks a type of objects, nil if no server was asked.
func (s *Server) serializer(typ string) *contract.ServerSerializer {
	facts := s.facts()
	for i := range kinds {
		l := facts.Lists[kinds[i].path]
		if kinds[i].object != typ || l == nil {
			continue
		}
		for _, name := range []string{"create", "partial_update", "retrieve", "list"} {
			if a := l.Actions[name]; a != nil && facts.Serializers[a.Request] != nil {
				return facts.Serializers[a.Request]
			}
		}
	}
	for _, name := range []string{typ, strings.TrimSuffix(typ, "Request")} {
		if serializer := facts.Serializers[name+"Serializer"]; serializer != nil {
			return serializer
		}
	}
	return facts.Serializers[typ]
}

// informed gives the members of a type what the servers say of them.
func (s *Server) informed(typ string, members []*member) []*member {
	serializer := s.serializer(typ)
	if serializer == nil {
		return members
	}
	informed := make([]*member, len(members))
	for i, m := range members {
		fact := serializer.Fields[m.name]
		if fact == nil {
			informed[i] = m
			continue
		}
		one := *m
		informed[i] = &one
		one.skips = fact.ReadOnly && !fact.Null && strings.Contains(fact.Source, ".")
		if fact.ReadOnly || m.is(readOnly) {
			continue
		}
		one.fact = fact
		one.set(required, fact.Required)
		one.set(nullable, fact.Null)
		one.set(blank, fact.Blank)
		one.set(unique, fact.Unique != "")
		if one.list == "" && fact.Related != "" {
			one.list = s.listOf(fact.Related)
		}
	}
	return informed
}

func (m *member) set(f flags, on bool) {
	m.flags &^= f
	if on {
		m.flags |= f
	}
}

// listOf is the list of the objects of a model, "" if there is none.
func (s *Server) listOf(model string) string {
	if model == "authentik_policies.policybindingmodel" {
		return targets
	}
	facts, path := s.facts(), ""
	for i := range kinds {
		l := facts.Lists[kinds[i].path]
		if l == nil || l.Model != model || kinds[i].key == "" || !s.has(kinds[i].since, kinds[i].until) {
			continue
		}
		if path == "" || l.Actions["create"] != nil && facts.Lists[path].Actions["create"] == nil {
			path = kinds[i].path
		}
	}
	return path
}

// initial is what a member is at first that a create leaves out, and whether the
// servers say so.
func (m *member) initial() (value any, known bool) {
	if m.fact == nil {
		return nil, false
	}
	for _, text := range []string{m.fact.Initial, m.fact.Default} {
		if text != "" && !strings.HasPrefix(text, `"callable:`) && (text != "null" || !m.fact.Many) {
			return fromJSON(text), true
		}
	}
	if generate := generated[strings.Trim(m.fact.Initial, `"`)]; generate != nil {
		return generate(), true
	}
	return nil, m.fact.Initial == "" && m.fact.Nullable && !m.fact.Many
}

// generated are the values that a server makes up, by the function that makes them.
var generated = map[string]func() any{
	"callable:generate_id":            func() any { return randomText(40) },
	"callable:generate_client_secret": func() any { return randomText(128) },
	"callable:get_cookie_secret":      func() any { return randomText(50) },
	"callable:uuid4":                  func() any { return uuid.NewString() },
	"callable:now":                    func() any { return timeText(time.Now()) },
	"callable:default_token_duration": func() any { return timeText(time.Now().Add(tokenDuration)) },
	"callable:default_event_duration": func() any { return timeText(time.Now().AddDate(1, 0, 0)) },
	"callable:default_device_classes": func() any { return []any{"static", "totp", "webauthn", "duo", "sms", "email"} },
}

// randomText is a secret.
func randomText(length int) string {
	text := ""
	for len(text) < length {
		text += rand.Text()
	}
	return text[:length]
}

// check holds a value that has been read to what the servers say of the member.
func (s *Server) check(f *contract.ServerField, value any) any {
	if f == nil {
		return nil
	}
	if _, ok := value.(map[string]any); !ok && value != nil && slices.Contains(f.Validators, "is_dict") {
		return []string{"Value must be a dictionary, and not have any duplicate keys."}
	}
	var words []string
	switch value := value.(type) {
	case json.Number:
		number, ok := parseNumber(value.String())
		if limit, _ := parseNumber(f.Max); ok && f.Max != "" && number.Cmp(limit) > 0 {
			words = append(words, fmt.Sprintf("Ensure this value is less than or equal to %s.", f.Max))
		}
		if limit, _ := parseNumber(f.Min); ok && f.Min != "" && number.Cmp(limit) < 0 {
			words = append(words, fmt.Sprintf("Ensure this value is greater than or equal to %s.", f.Min))
		}
	case string:
		if value == "" {
			return nil
		}
		if f.MaxLength > 0 && utf8.RuneCountInString(value) > f.MaxLength {
			words = append(words, fmt.Sprintf("Ensure this field has no more than %d characters.", f.MaxLength))
		}
		if f.MinLength > 0 && utf8.RuneCountInString(value) < f.MinLength {
			words = append(words, fmt.Sprintf("Ensure this field has at least %d characters.", f.MinLength))
		}
		if f.Pattern != "" && !pattern(f.Pattern).MatchString(value) {
			words = append(words, f.Invalid)
		}
		for _, name := range f.Validators {
			if validate := validators[name]; validate != nil {
				refusal := validate(value)
				if refusal == "" && strings.Contains(name, "URL") && !s.atLeast("2024.2") && shortPort.MatchString(value) {
					refusal = "Enter a valid URL."
				}
				if refusal != "" {
					words = append(words, refusal)
				}
			}
		}
	}
	if len(words) == 0 {
		return nil
	}
	return words
}

var patterns sync.Map // *regexp.Regexp by Python's pattern

func pattern(python string) *regexp.Regexp {
	if known, ok := patterns.Load(python); ok {
		return known.(*regexp.Regexp) //nolint:forcetypeassert // it holds nothing else
	}
	text := strings.ReplaceAll(strings.ReplaceAll(python, `\Z`, `\z`), `[\w.@+-]`, `[\pL\pN_.@+-]`)
	compiled := regexp.MustCompile(text)
	patterns.Store(python, compiled)
	return compiled
}

var (
	durationText = regexp.MustCompile(`^(microseconds|milliseconds|seconds|minutes|hours|days|weeks)=-?\d+(\.\d+)?$`)
	fileText     = regexp.MustCompile(`^([a-zA-Z0-9._/-]|%\(theme\)s)+$`)
	placeholder  = regexp.MustCompile(`%\([a-z_]+\)s`)
	shortPort    = regexp.MustCompile(`:\d(/|$)`)
	hostText     = regexp.MustCompile(`^[^\s/?#@]+$`)
)

// duration reads one of authentik's: hours=3;minutes=1.
func duration(text string) (time.Duration, bool) {
	units := map[string]time.Duration{
		"microseconds": time.Microsecond, "milliseconds": time.Millisecond, "seconds": time.Second, "minutes": time.Minute,
		"hours": time.Hour, "days": 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
	}
	var total time.Duration
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		unit, value, _ := strings.Cut(part, "=")
		number, err := strconv.ParseFloat(value, 64)
		if !durationText.MatchString(part) || err != nil {
			return 0, false
		}
		total += time.Duration(number * float64(units[unit]))
	}
	return total, true
}

// validators are authentik's own and Django's, by their names: what they have
// against a text, "" if nothing.
var validators = map[string]func(text string) string{
	"timedelta_string_validator": func(text string) string {
		if _, ok := duration(text); !ok {
			return text + " is not in the correct format of 'hours=3;minutes=1'."
		}
		return ""
	},
	"validate_file_name": func(text string) string {
		if strings.HasPrefix(text, "fa://") || isURL(text, "http", "https") || fileText.MatchString(text) {
			return ""
		}
		return "File name can only contain letters (a-z, A-Z), numbers (0-9), dots (.), hyphens (-), underscores (_), forward slashes (/), and the placeholder %(theme)s for theme-specific files"
	},
	"validate_ipv46_address": func(text string) string {
		if _, err := netip.ParseAddr(text); err != nil {
			return "Enter a valid IPv4 or IPv6 address."
		}
		return ""
	},
	"URLValidator":           wantURL("http", "https", "ftp", "ftps"),
	"DomainlessURLValidator": wantURL("http", "https", "ftp", "ftps"),
	"DomainlessFormattedURLValidator": func(text string) string {
		return wantURL("http", "https", "ftp", "ftps", "blank")(placeholder.ReplaceAllString(text, "x"))
	},
	"MultiURLValidator": func(text string) string {
		for part := range strings.SplitSeq(text, ",") {
			if refusal := wantURL("ldap", "ldaps")(part); refusal != "" {
				return refusal
			}
		}
		return ""
	},
	"EmailValidator": func(text string) string {
		if _, err := mail.ParseAddress(text); err != nil || !strings.Contains(text, "@") {
			return "Enter a valid email address."
		}
		return ""
	},
	"no_space": func(text string) string {
		if strings.Contains(text, " ") {
			return "Value must not contain spaces."
		}
		return ""
	},
}

func wantURL(schemes ...string) func(text string) string {
	return func(text string) string {
		if !isURL(text, schemes...) {
			return "Enter a valid URL."
		}
		return ""
	}
}

func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	return err == nil && slices.Contains(schemes, u.Scheme) && hostText.MatchString(u.Host)
}
