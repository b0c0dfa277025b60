package authentik_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
)

func TestWaitFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		read := func(context.Context) (int, error) {
			at = append(at, time.Since(start))
			return len(at), nil
		}
		got, err := authentik.WaitFor(t.Context(), read, func(n int) (bool, error) { return n == 9, nil })
		if got != 9 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
		ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
		want := []time.Duration{0, ms(250), ms(750), ms(1750), ms(3750), ms(7750), ms(15750), ms(25750), ms(35750)}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("read at (-want +got):\n%s", diff)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		at = nil
		got, err = authentik.WaitFor(ctx, read, func(int) (bool, error) { return false, nil })
		if got == 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the deadline: %d, %v", got, err)
		}

		broken := errors.New("broken")
		if _, err := authentik.WaitFor(t.Context(), func(context.Context) (int, error) { return 0, broken }, nil); !errors.Is(err, broken) {
			t.Errorf("read fails: %v", err)
		}
		if got, err := authentik.WaitFor(t.Context(), read, func(int) (bool, error) { return true, broken }); got == 0 || !errors.Is(err, broken) {
			t.Errorf("done fails: %d, %v", got, err)
		}
	})
}

func TestTaskDone(t *testing.T) {
	t.Parallel()
	quiet := []authentik.LogEvent{
		{LogLevel: authentik.LogLevelInfo, Event: "starting"},
		{LogLevel: authentik.LogLevelWarning, Event: "slow"},
	}
	loud := append(slices.Clone(quiet), authentik.LogEvent{LogLevel: authentik.LogLevelError, Event: "no such flow"})
	for _, status := range authentik.TaskAggregatedStatus("").Values() {
		failed := slices.Contains([]authentik.TaskAggregatedStatus{"error", "rejected"}, status)
		ended := failed || slices.Contains([]authentik.TaskAggregatedStatus{"done", "info", "warning"}, status)
		for _, tt := range []struct {
			task authentik.Task
			want string // the reason, if the task failed
		}{
			{authentik.Task{Messages: quiet}, "slow"}, // of 2025.8
			{authentik.Task{Logs: loud}, "slow; no such flow"},
			{authentik.Task{Logs: quiet, PreviousLogs: loud}, "slow"},
			{authentik.Task{}, "its log does not say why"},
		} {
			tt.task.ActorName, tt.task.AggregatedStatus = "apply", status
			want := ""
			if failed || ended && len(tt.task.Logs) == len(loud) {
				want = "authentik: task apply: " + string(status) + ": " + tt.want
			}
			got := ""
			done, err := tt.task.Done()
			if err != nil {
				got = err.Error()
			}
			if done != ended || got != want {
				t.Errorf("%s: %t, %q, not %t, %q", status, done, got, ended, want)
			}
		}
	}
}

func TestAddMembers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		stored, writes := []int{1}, 0
		overwritten := 0 // writes that somebody else replaces
		read := func(context.Context) ([]int, error) {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(stored), nil
		}
		write := func(_ context.Context, list []int) error {
			mu.Lock()
			defer mu.Unlock()
			writes++
			if overwritten--; overwritten < 0 {
				stored = list
			}
			return nil
		}
		if err := authentik.AddMembers(t.Context(), read, write, 1); err != nil || writes != 0 {
			t.Errorf("a member that is there: %d writes, %v", writes, err)
		}
		overwritten = 4
		if err := authentik.AddMembers(t.Context(), read, write, 2); err != nil || writes != 5 || !slices.Equal(stored, []int{1, 2}) {
			t.Errorf("after 4 writes of others: %v after %d writes, %v", stored, writes, err)
		}
		overwritten, writes = 5, 0
		if err := authentik.AddMembers(t.Context(), read, write, 3); !errors.Is(err, authentik.ErrConflict) || writes != 5 {
			t.Errorf("after 5 writes of others: %d writes, %v", writes, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		overwritten = 5
		if err := authentik.AddMembers(ctx, read, write, 3); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		broken := errors.New("broken")
		if err := authentik.AddMembers(t.Context(), read, func(context.Context, []int) error { return broken }, 3); !errors.Is(err, broken) {
			t.Errorf("write fails: %v", err)
		}

		overwritten, stored = 0, nil
		slow := func(ctx context.Context, list []int) error { // others write between the reading and the write
			<-time.After(time.Millisecond)
			return write(ctx, list)
		}
		var all sync.WaitGroup
		for member := range 3 {
			all.Go(func() {
				if err := authentik.AddMembers(t.Context(), read, slow, member, 10+member); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if slices.Sort(stored); !slices.Equal(stored, []int{0, 1, 2, 10, 11, 12}) {
			t.Errorf("three at once made %v", stored)
		}
	})
}
