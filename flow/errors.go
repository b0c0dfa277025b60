package flow

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/session"
)

// The outcomes of a request that are no challenge to go on with, for [errors.Is].
// They come with a status of 200, and none of them is an [authentik.APIError].
var (
	ErrInvalidAnswer = errors.New("authentik: invalid answer")               // an [AnswerError]
	ErrDenied        = errors.New("authentik: access denied")                // a [DeniedError]
	ErrFlow          = errors.New("authentik: the flow failed")              // a [FlowError]
	ErrRestarted     = errors.New("authentik: the flow began again")         // a [RestartedError]
	ErrUnanswered    = errors.New("authentik: a stage is unanswered")        // a [StageError]
	ErrEnded         = errors.New("authentik: the run has ended")            // of a call after the end
	ErrNotLoggedIn   = errors.New("authentik: nobody is logged in")          // of a login that ended well
	errNoChallenge   = errors.New("it has no component, as a challenge has") // of a [authentik.DecodeError]
)

// AnswerError is an answer that the server refused: a wrong password, a field that
// is missing. The stage waits for another answer, though a wrong code or password
// counts, and the server may slow down or deny the next ones.
type AnswerError struct {
	Slug      string // of the flow
	Component string // of the challenge
	// Errors are the errors by the member of the answer, or of the prompt's field, and
	// under non_field_errors those of none. It is empty if the server says only by
	// asking again that it refused the answer, as consent does in 2023.10.
	Errors map[string][]authentik.ErrorDetail
}

// Error names the component, and the members with the server's words and codes, in
// one line of bounded length.
func (e *AnswerError) Error() string {
	var words []string
	for _, member := range slices.Sorted(maps.Keys(e.Errors)) {
		for _, detail := range e.Errors[member] {
			text := detail.String
			if detail.Code != "" {
				text += " (" + detail.Code + ")"
			}
			if member != nonFieldErrors {
				text = member + ": " + text
			}
			words = append(words, text)
		}
	}
	if len(words) == 0 {
		words = []string{"it asks again without saying why"}
	}
	return errorText(e.Slug, fmt.Sprintf("%s refused the answer: %s", e.Component, strings.Join(words, "; ")), "")
}

// Has reports whether the server gave an error with the code, for whatever member.
func (e *AnswerError) Has(code string) bool {
	for _, details := range e.Errors {
		if slices.ContainsFunc(details, func(d authentik.ErrorDetail) bool { return d.Code == code }) {
			return true
		}
	}
	return false
}

// Is reports whether target is [ErrInvalidAnswer].
func (e *AnswerError) Is(target error) bool { return target == ErrInvalidAnswer }

const nonFieldErrors = "non_field_errors"

// DeniedError ends a run: a stage or a policy denies it, it is not for this user,
// there were too many wrong answers, an invitation is not valid.
type DeniedError struct {
	Slug    string // of the flow
	Message string // the server's words, in its language; "Unknown error" if it has none
}

// Error says the message, in one line of bounded length.
func (e *DeniedError) Error() string {
	return errorText(e.Slug, "access denied: "+e.Message, "")
}

// Is reports whether target is [ErrDenied].
func (e *DeniedError) Is(target error) bool { return target == ErrDenied }

// FlowError is an exception in the server. The stage is the one before:
// [Run.Refresh] asks for its challenge, and [Run.Answer] may try again.
type FlowError struct { //nolint:revive // authentik's own name
	Slug      string // of the flow
	RequestID string // as in the server's log
	Message   string // the exception, for superusers; "" for others
	Traceback string // for superusers; "" for others
}

// Error says the message and the request id, in one line of bounded length.
func (e *FlowError) Error() string {
	text := "the server failed"
	if e.Message != "" {
		text += ": " + e.Message
	}
	return errorText(e.Slug, text, e.RequestID)
}

// Is reports whether target is [ErrFlow].
func (e *FlowError) Is(target error) bool { return target == ErrFlow }

// RestartedError says that the flow is at its beginning again, which the server
// itself says nowhere: the session was lost or has expired, the flow was cancelled,
// another flow was begun in the session, or a stage starts the flow again after a
// wrong answer. The run goes on with the challenge that came.
type RestartedError struct {
	Slug     string // of the flow
	Answered string // the component that was pending
	Came     string // the component that came
}

// Error names the components.
func (e *RestartedError) Error() string {
	return errorText(e.Slug, fmt.Sprintf("the flow began again: %s came after %s", e.Came, e.Answered), "")
}

// Is reports whether target is [ErrRestarted].
func (e *RestartedError) Is(target error) bool { return target == ErrRestarted }

// StageError is a stage that [Login] cannot answer: it needs a person, a browser or
// a device, or what the options do not have.
type StageError struct {
	Slug      string // of the flow
	Component string
	Reason    string
}

// Error names the component and the reason.
func (e *StageError) Error() string {
	return errorText(e.Slug, fmt.Sprintf("%s cannot be answered: %s", e.Component, e.Reason), "")
}

// Is reports whether target is [ErrUnanswered].
func (e *StageError) Is(target error) bool { return target == ErrUnanswered }

func errorText(slug, text, requestID string) string {
	return session.ErrorText("flow", slug, text, 1, requestID)
}

// outcomeUnknown is a request that was repeated, or whose answer was lost, so that
// nobody knows whether the flow ended and began again.
func outcomeUnknown(slug string) error {
	return fmt.Errorf("authentik: flow %s: a request was lost or repeated, and the flow is at its beginning: %w", slug, authentik.ErrOutcomeUnknown)
}

// noFlow explains a 404 without a body that says so.
func noFlow(slug string, err error) error {
	api, ok := errors.AsType[*authentik.APIError](err)
	if ok && (api.StatusCode == http.StatusNotFound || api.StatusCode == http.StatusMethodNotAllowed) {
		return fmt.Errorf("%w: there is no flow %.100q: %w", authentik.ErrNotFound, slug, err)
	}
	return err
}
