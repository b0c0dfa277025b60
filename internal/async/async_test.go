package async_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/internal/async"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWait(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	call := async.Start(func() (int, error) { return 7, failed })
	for range 2 {
		if n, err := call.Wait(t.Context()); n != 7 || !errors.Is(err, failed) {
			t.Errorf("got %d, %v", n, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // a result that is there goes before the end of the context
		if _, err := call.Wait(ended); !errors.Is(err, failed) {
			t.Fatalf("error %v", err)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	call := async.Start(func() (int, error) { <-release; return 7, nil })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := call.Wait(ended); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d, %v", n, err)
	}
	close(release)
	if n, err := call.Wait(t.Context()); n != 7 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestPanicGoesToWhoWaits(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := recover(); got != "oh" {
			t.Errorf("recovered %v", got)
		}
	}()
	_, err := async.Start(func() (int, error) { panic("oh") }).Wait(t.Context())
	t.Errorf("returned with %v", err)
}

func TestGoexit(t *testing.T) {
	t.Parallel()
	_, err := async.Start(func() (int, error) { runtime.Goexit(); return 0, nil }).Wait(t.Context())
	if err == nil || !strings.Contains(err.Error(), "runtime.Goexit") {
		t.Errorf("error %v", err)
	}
}
