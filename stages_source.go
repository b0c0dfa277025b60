package authentik

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// SourceStage sends a user through a source and back: authentik's
// stages/source/, an enterprise stage since 2024.4. Reading needs no licence.
// What a server is too old to send is left zero.
type SourceStage struct {
	PK                uuid.UUID `json:"pk"`
	Name              string    `json:"name"`
	Component         string    `json:"component"`
	VerboseName       string    `json:"verbose_name"`        // in the server's language
	VerboseNamePlural string    `json:"verbose_name_plural"` // in the server's language
	MetaModelName     string    `json:"meta_model_name"`
	FlowSet           []FlowSet `json:"flow_set"`

	Source                uuid.UUID              `json:"source"`
	ResumeTimeout         string                 `json:"resume_timeout"`           // as sent; see ResumeTimeoutDuration
	ResumeOnMatchFailures []ResumeOnMatchFailure `json:"resume_on_match_failures"` // since 2026.8

	// Extra holds the members that this SDK does not know; nil where there are none.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ResumeTimeoutDuration parses ResumeTimeout, the time that a user has to come
// back from the source, as authentik does: "hours=1;minutes=-2". It may be
// negative. What authentik itself would refuse, or a [time.Duration] cannot
// hold, is an error.
func (s SourceStage) ResumeTimeoutDuration() (time.Duration, error) {
	values := make([]float64, len(timeoutUnits)) // of a repeated unit the last value counts
	known := false
	for pair := range strings.SplitSeq(s.ResumeTimeout, ";") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.Count(pair, "=") != 1 {
			return 0, fmt.Errorf("authentik: resume_timeout %.50q: %.50q is not key=value", s.ResumeTimeout, pair)
		}
		i := slices.IndexFunc(timeoutUnits, func(u timeoutUnit) bool { return u.name == strings.ToLower(key) })
		if i < 0 {
			continue // authentik passes over a key that it does not know, and its value
		}
		value = strings.TrimSpace(value)
		if !pythonFloat.MatchString(value) {
			return 0, fmt.Errorf("authentik: resume_timeout %.50q: %.50q is not a number", s.ResumeTimeout, value)
		}
		// The only error left is a number out of range, which is an infinity then.
		values[i], _ = strconv.ParseFloat(value, 64)
		known = true
	}
	if !known {
		return 0, fmt.Errorf("authentik: resume_timeout %.50q: no unit that authentik knows", s.ResumeTimeout)
	}
	var microseconds float64
	for i, u := range timeoutUnits {
		microseconds += values[i] * float64(u.unit/time.Microsecond)
	}
	const limit = math.MaxInt64 / int64(time.Microsecond)
	if math.IsNaN(microseconds) || math.Abs(microseconds) >= float64(limit) {
		return 0, fmt.Errorf("authentik: resume_timeout %.50q does not fit a time.Duration", s.ResumeTimeout)
	}
	return time.Duration(math.RoundToEven(microseconds)) * time.Microsecond, nil
}

type timeoutUnit struct {
	name string
	unit time.Duration
}

var timeoutUnits = []timeoutUnit{
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

// ResumeOnMatchFailure is a failure to match the source's user to one of
// authentik after which the flow goes on all the same. A newer server may send
// values that are not among the constants.
type ResumeOnMatchFailure string

// The failures to match.
const (
	ResumeOnMatchFailureMissingProperty ResumeOnMatchFailure = "missing_property"
)

// StagesSourceListOptions filters stages/source/. Each filter is exact; nil and
// zero mean no filter. A server that does not know a filter ignores it.
type StagesSourceListOptions struct {
	ListOptions

	Name          string     `url:"name,omitempty"`
	Source        *uuid.UUID `url:"source,omitempty"`
	ResumeTimeout string     `url:"resume_timeout,omitempty"` // the string, not the time that it stands for
	StageUUID     *uuid.UUID `url:"stage_uuid,omitempty"`     // the stage's own pk
}

// StagesSourceService reads source stages. Reading needs the permission
// authentik_stages_source.view_sourcestage, and a server of 2024.4 or newer:
// older ones have no such stages and answer 404.
type StagesSourceService struct{ client *Client }

// List returns one page of the source stages, by name if no Ordering is
// given: GET /stages/source/. A nil opts is page 1 without filters. The errors
// are those of the function [List].
func (s *StagesSourceService) List(ctx context.Context, opts *StagesSourceListOptions) (*Page[SourceStage], error) {
	return list[*Page[SourceStage]](ctx, s.client, "stages/source/", opts)
}

// Pages walks the pages of GET /stages/source/, as the function
// [Pages] does.
func (s *StagesSourceService) Pages(ctx context.Context, opts *StagesSourceListOptions) iter.Seq2[*Page[SourceStage], error] {
	return pages[*Page[SourceStage]](ctx, s.client, "stages/source/", opts)
}

// All walks the source stages of GET /stages/source/, each once,
// as the function [All] does.
func (s *StagesSourceService) All(ctx context.Context, opts *StagesSourceListOptions) iter.Seq2[*SourceStage, error] {
	return all[*SourceStage](ctx, s.client, "stages/source/", opts)
}

// Retrieve returns the source stage with the given pk:
// GET /stages/source/{stage_uuid}/. A stage that does not exist, is of another
// kind or not visible to the token's user is an [APIError] that matches
// [ErrNotFound]; uuid.Nil is an error without a request. Other errors are those
// of the function [Get].
func (s *StagesSourceService) Retrieve(ctx context.Context, pk uuid.UUID) (*SourceStage, error) {
	return retrieve[*SourceStage](ctx, s.client, "stages/source/", pk)
}
