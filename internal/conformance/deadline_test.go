package conformance_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// slowWalk is a walk of three pages that takes its time in everything: the token,
// the connection, a first answer of 503, both halves of the headers, the body,
// and what the loop does with a page. It knows what it is at.
type slowWalk struct {
	prefetch int

	mu     sync.Mutex
	moment string // of the last request
	inLoop string // the moment of the loop, "" if it waits for a page
	tries  map[string]int
	conns  atomic.Int32 // that are open
}

const aMoment = 50 * time.Millisecond

func (s *slowWalk) at(moment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moment = moment
}

func (s *slowWalk) isAt() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(s.inLoop, s.moment)
}

func (s *slowWalk) doInLoop(moment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inLoop = moment
}

// pause takes a while, unless the context ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slowWalk) token(ctx context.Context) (string, error) {
	s.at("in the token source")
	return apiToken, pause(ctx, aMoment)
}

func (s *slowWalk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page := r.URL.Query().Get("page")
	s.mu.Lock()
	s.tries[page]++
	first := s.tries[page] == 1
	s.mu.Unlock()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	number, _ := strconv.Atoi(page)
	body := pageOf(authentik.Pagination{Next: (number + 1) % 4, Count: 3, Current: number, TotalPages: 3}, number)
	parts := []string{
		"before the headers", "HTTP/1.1 200 OK\r\nContent-Type: ",
		"in the headers", fmt.Sprintf("application/json\r\nContent-Length: %d\r\n\r\n", len(body)),
		"in the body", body[:10], "in the body", body[10:],
	}
	if first {
		parts = []string{"before the headers", "HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n"}
	}
	for part := range slices.Chunk(parts, 2) {
		s.at(part[0])
		<-time.After(aMoment)
		if first {
			s.at("in a wait between tries")
		}
		if _, err := io.WriteString(conn, part[1]); err != nil {
			return
		}
	}
}

// run walks with the context that the function makes, and returns what came,
// how it ended and after which time.
func (s *slowWalk) run(t *testing.T, begin func(context.Context) (context.Context, context.CancelFunc)) (got []uuid.UUID, elapsed time.Duration, last error) {
	t.Helper()
	s.moment, s.tries = "before", map[string]int{}
	connect := servePipes(t, s)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if err := pause(ctx, aMoment); err != nil {
				return nil, err
			}
			conn, err := connect(ctx)
			if err != nil {
				return nil, err
			}
			s.conns.Add(1)
			return &closedConn{Conn: conn, closed: sync.OnceFunc(func() { s.conns.Add(-1) })}, nil
		},
	}
	client, err := authentik.NewClient("http://"+faultHost, "", authentik.WithTokenSource(s.token),
		authentik.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			s.at("in the connection")
			return transport.RoundTrip(r)
		})}))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	ctx, cancel := begin(t.Context())
	defer cancel()
	ended := 0
	for page, err := range client.StagesPassword.Pages(ctx, &authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{Prefetch: s.prefetch}}) {
		if err != nil {
			ended++
			last = err
			continue
		}
		got = append(got, page.Results[0].PK)
		if len(got) == 1 && s.prefetch > 0 {
			s.doInLoop("in prefetch")
		} else {
			s.doInLoop("between pages")
		}
		_ = pause(ctx, 3*aMoment)
		s.doInLoop("")
	}
	elapsed = time.Since(start)
	if ended > 1 {
		t.Errorf("%d errors", ended)
	}
	transport.CloseIdleConnections()
	synctest.Wait()
	if n := s.conns.Load(); n != 0 {
		t.Errorf("%d connections are open after the loop", n)
	}
	return got, elapsed, last
}

type closedConn struct {
	net.Conn
	closed func()
}

func (c *closedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// eachMoment runs a test for moments all through a slow walk. Each is a bubble,
// which does not end before its goroutines.
func eachMoment(t *testing.T, test func(t *testing.T, s *slowWalk, at time.Duration)) {
	t.Helper()
	for _, prefetch := range []int{0, 8} {
		t.Run(fmt.Sprintf("prefetch %d", prefetch), func(t *testing.T) {
			t.Parallel()
			for at := time.Duration(0); at < 4*time.Second; at += aMoment / 2 {
				synctest.Test(t, func(t *testing.T) { test(t, &slowWalk{prefetch: prefetch}, at) })
			}
		})
	}
}

// moments counts them, to show that all were tested.
type moments struct {
	mu sync.Mutex
	n  map[string]int
}

func (m *moments) add(moment string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n[moment]++
}

func (m *moments) check(t *testing.T, all ...string) {
	t.Helper()
	t.Logf("tested %v", m.n)
	if got := slices.Sorted(maps.Keys(m.n)); !slices.Equal(got, slices.Sorted(slices.Values(all))) {
		t.Errorf("tested at %q, want %q", got, all)
	}
}

func TestCancelAtAnyMoment(t *testing.T) {
	t.Parallel()
	tested := moments{n: map[string]int{}}
	t.Cleanup(func() {
		tested.check(t, "before", "in the token source", "in the connection", "before the headers", "in the headers", "in the body",
			"in a wait between tries", "between pages", "in prefetch", "after the walk")
	})
	eachMoment(t, func(t *testing.T, s *slowWalk, at time.Duration) {
		cause := errors.New("shutdown") // must not hide that it is a cancellation
		if at%aMoment == 0 {
			cause = nil
		}
		var moment string
		got, elapsed, err := s.run(t, func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			stop := func() {
				moment = s.isAt()
				cancel(cause)
			}
			if at == 0 {
				stop()
			} else {
				time.AfterFunc(at, stop)
			}
			return ctx, func() { cancel(nil) }
		})
		if err == nil && len(got) == 3 && elapsed <= at {
			tested.add("after the walk")
			return
		}
		tested.add(moment)
		if !errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v, %s: error %v, want context.Canceled", at, moment, err)
			return
		}
		if elapsed != at {
			t.Errorf("%v, %s: it took %v more", at, moment, elapsed-at)
		}
		checkErrorText(t, err)
	})
}

func TestDeadlineAtAnyMoment(t *testing.T) {
	t.Parallel()
	tested := moments{n: map[string]int{}}
	t.Cleanup(func() { tested.check(t, "the deadline", "the last answer", "the walk") })
	eachMoment(t, func(t *testing.T, s *slowWalk, at time.Duration) {
		got, elapsed, err := s.run(t, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, at)
		})
		apiError, isAPIError := errors.AsType[*authentik.APIError](err)
		switch {
		case err == nil:
			tested.add("the walk")
			if len(got) != 3 || elapsed > at {
				t.Errorf("%v: %d pages in %v", at, len(got), elapsed)
			}
			return
		case isAPIError:
			// The next wait, of half a second at most, does not end before the deadline.
			tested.add("the last answer")
			if apiError.StatusCode != http.StatusServiceUnavailable || at-elapsed > 500*time.Millisecond || elapsed > at {
				t.Errorf("%v: error %v after %v", at, err, elapsed)
			}
		default:
			tested.add("the deadline")
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.Canceled) {
				t.Errorf("%v: error %v, want context.DeadlineExceeded", at, err)
			}
			if elapsed != at {
				t.Errorf("%v: it took %v more", at, elapsed-at)
			}
		}
		if strings.Contains(err.Error(), apiToken) {
			t.Errorf("%v: error %q shows the token", at, err)
		}
		checkErrorText(t, err)
	})
}
