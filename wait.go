package authentik

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The waits of [WaitFor] begin with the first, and double up to the last.
const (
	minPoll = 250 * time.Millisecond
	maxPoll = 10 * time.Second
)

// WaitFor waits for work that the server does in the background, such as a
// blueprint to be applied, a sync or an export: it reads, asks done, and returns what
// was read when done reports true. The waits between two readings grow from a
// quarter of a second to ten seconds.
//
// An error of read or of done, which is the reason why the work failed, ends it at
// once, and is returned with what was read. So does the end of the context, with an
// error that wraps the context's. A context without a deadline waits as long as
// nothing ends the work, such as on a server whose worker does not run.
//
//	export, err := authentik.WaitFor(ctx,
//		func(ctx context.Context) (*authentik.DataExport, error) { return client.ReportsExports.Retrieve(ctx, id) },
//		func(e *authentik.DataExport) (bool, error) { return e.Completed, nil })
func WaitFor[T any](ctx context.Context, read func(context.Context) (T, error), done func(T) (bool, error)) (T, error) {
	for wait := minPoll; ; wait = min(2*wait, maxPoll) {
		v, err := read(ctx)
		if err != nil {
			return v, err
		}
		if ok, err := done(v); ok || err != nil {
			return v, err
		}
		if err := sleep(ctx, wait); err != nil {
			return v, fmt.Errorf("authentik: it is not done yet: %w", err)
		}
	}
}

// Done reports whether the task has ended, for [WaitFor]. If it failed, the error has
// its [Task.Reason]: since 2025.10 the status of a task that failed is that of one
// which went well, and only its log says so.
func (t Task) Done() (bool, error) {
	switch t.AggregatedStatus {
	case TaskAggregatedStatusDone, TaskAggregatedStatusInfo, TaskAggregatedStatusWarning:
		if !slices.ContainsFunc(t.log(), func(event LogEvent) bool { return slices.Contains(failures, event.LogLevel) }) {
			return true, nil
		}
	case TaskAggregatedStatusError, TaskAggregatedStatusRejected:
	default:
		return false, nil
	}
	reason := cmp.Or(t.Reason(), "its log does not say why")
	return true, errors.New(errorText("task", t.ActorName, string(t.AggregatedStatus)+": "+reason, 1, ""))
}

// Reason returns the warnings and errors in the task's log, not those of earlier tries;
// "" if there are none. A blueprint that failed leaves warnings alone.
func (t Task) Reason() string {
	var said []string
	for _, event := range t.log() {
		if !slices.Contains([]LogLevel{LogLevelDebug, LogLevelInfo, LogLevelNotset}, event.LogLevel) {
			said = append(said, event.Event)
		}
	}
	return strings.Join(said, "; ")
}

var failures = []LogLevel{LogLevelError, LogLevelException, LogLevelCritical}

// log is the task's log, also that of a server before 2025.10.
func (t Task) log() []LogEvent {
	if t.Logs == nil {
		return t.Messages
	}
	return t.Logs
}
