package conformance_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
	"go.uber.org/goleak"
)

// soakServer has a list of three objects in pages of two, and fails a third of
// its answers.
type soakServer struct {
	mu       sync.Mutex
	random   *rand.Rand
	requests int
	failures map[string]int
	conns    map[net.Conn]bool // that are open
	most     int               // connections open at a time
	noConns  *sync.Cond
}

func newSoakServer(seed uint64) *soakServer {
	s := &soakServer{random: rand.New(rand.NewPCG(seed, 0)), failures: map[string]int{}, conns: map[net.Conn]bool{}}
	s.noConns = sync.NewCond(&s.mu)
	return s
}

var soakPages = map[string]string{
	"1": pageOf(authentik.Pagination{Next: 2, Count: 3, Current: 1, TotalPages: 2, StartIndex: 1, EndIndex: 2}, 1, 2),
	"2": pageOf(authentik.Pagination{Previous: 1, Count: 3, Current: 2, TotalPages: 2, StartIndex: 3, EndIndex: 3}, 3),
}

// soakFailures are the ways to fail. Those that come more often are tried again
// by the client.
var soakFailures = []string{
	"503", "503", "503", "502", "502", "502", "429", "429", "429", "504", "504", "504",
	"closed", "closed", "closed", "reset", "reset", "reset", "cut", "cut", "cut", "chunk", "chunk", "chunk", "delay", "delay", "delay",
	"500", "404", "403", "408", "html", "empty", "starting",
}

func (s *soakServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := soakPages[r.URL.Query().Get("page")]
	failure := ""
	s.mu.Lock()
	s.requests++
	if s.random.IntN(3) == 0 {
		failure = soakFailures[s.random.IntN(len(soakFailures))]
		s.failures[failure]++
	}
	part := s.random.IntN(len(body))
	delay := time.Duration(s.random.IntN(5)) * time.Millisecond
	s.mu.Unlock()

	w.Header().Set("Content-Type", "application/json")
	switch failure {
	case "delay":
		<-time.After(delay)
	case "502":
		w.Header().Set("Content-Type", "text/html")
		body = html
	case "503", "starting":
		w.Header().Set("Retry-After", "5")
		body = `{"error":"authentik starting"}`
	case "429", "404", "403":
		body = `{"detail":"No."}`
	case "html":
		w.Header().Set("Content-Type", "text/html")
		body = html
	case "500", "504", "408", "empty":
		body = ""
	case "closed", "reset", "cut", "chunk":
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		switch failure {
		case "reset":
			_ = conn.(*net.TCPConn).SetLinger(0)
		case "cut":
			fmt.Fprintf(conn, okHeader+"Content-Length: %d\r\n\r\n%s", len(body), body[:part])
		case "chunk":
			fmt.Fprintf(conn, okHeader+"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body), body)
		}
		s.state(conn, http.StateClosed)
		return
	}
	if status, err := strconv.Atoi(failure); err == nil {
		w.WriteHeader(status)
	}
	_, _ = io.WriteString(w, body)
}

func (s *soakServer) state(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[conn] = true
		s.most = max(s.most, len(s.conns))
	case http.StateClosed:
		delete(s.conns, conn)
		if len(s.conns) == 0 {
			s.noConns.Broadcast()
		}
	default:
	}
}

// wait returns when no connection is open.
func (s *soakServer) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.conns) > 0 {
		s.noConns.Wait()
	}
}

// TestSoak has 50 goroutines walk AUTHENTIK_TEST_WALKS times with one client, 500
// times where that is not set. It is alone in a process, since it counts
// goroutines and memory. AUTHENTIK_TEST_SEED is the seed of the server's
// failures, 1 where it is not set.
func TestSoak(t *testing.T) {
	t.Parallel()
	seed, err := strconv.ParseUint(os.Getenv("AUTHENTIK_TEST_SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	if os.Getenv("AUTHENTIK_TEST_SOAK") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSoak$", "-test.v", "-test.timeout=5m")
		cmd.Env = append(os.Environ(), "AUTHENTIK_TEST_SOAK=1")
		output, err := cmd.CombinedOutput()
		if t.Logf("%s", output); err != nil {
			t.Error(err)
		}
		return
	}
	const goroutines = 50
	walks := 500
	if s := os.Getenv("AUTHENTIK_TEST_WALKS"); s != "" {
		if walks, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("AUTHENTIK_TEST_SEED=%d", seed)

	s := newSoakServer(seed)
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = discardLog
	server.Config.ConnState = s.state
	server.Start()
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: goroutines}
	client, err := authentik.NewClient(server.URL, apiToken, authentik.WithRetries(1, 0, time.Millisecond),
		authentik.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	before := goleak.IgnoreCurrent()
	var heap []uint64
	for _, n := range []int{walks / 4, walks - walks/4} { // the first part warms up
		for outcome, n := range soak(t, client, goroutines, n) {
			outcomes[outcome] += n
		}
		transport.CloseIdleConnections()
		s.wait()
		if err := goleak.Find(before); err != nil {
			t.Error(err)
		}
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		heap = append(heap, stats.HeapAlloc)
	}
	if heap[1] > heap[0]+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", heap[0], heap[1])
	}
	if s.most > goroutines*3 { // each asks for a page and two ahead at most
		t.Errorf("%d connections at a time", s.most)
	}
	all := 0
	for _, n := range outcomes {
		all += n
	}
	failed := 0
	for _, n := range s.failures {
		failed += n
	}
	if all != walks || outcomes["complete"] < walks/10 || len(outcomes) < 4 || failed < s.requests/4 {
		t.Errorf("the walks do not show all ends, or the server did not fail enough")
	}
	t.Logf("%d walks: %v; %d requests, of which failed %d: %v; %d connections at most; heap %v", all, outcomes, s.requests, failed, s.failures, s.most, heap)
}

// soak walks n times and counts how the walks ended.
func soak(t *testing.T, client *authentik.Client, goroutines, n int) map[string]int {
	t.Helper()
	// A guard against a walk that never ends.
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	walks := make(chan int)
	var mu sync.Mutex
	outcomes := map[string]int{}
	var running sync.WaitGroup
	for range goroutines {
		running.Go(func() {
			for walk := range walks {
				outcome := soakWalk(ctx, t, client, walk%3)
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
			}
		})
	}
	for walk := range n {
		walks <- walk
	}
	close(walks)
	running.Wait()
	return outcomes
}

// soakWalk returns the type of the error that ended the walk, or "complete".
func soakWalk(ctx context.Context, t *testing.T, client *authentik.Client, prefetch int) string {
	t.Helper()
	got, err := walk(ctx, client, authentik.ListOptions{PageSize: 2, Prefetch: prefetch})
	checkCame(t, got, []uuid.UUID{numbered(1), numbered(2), numbered(3)}, err)
	if err == nil {
		return "complete"
	}
	if ctx.Err() != nil || kindOf(err) == "" {
		t.Errorf("a walk ended with %T %v", err, err)
	}
	if strings.Contains(err.Error(), apiToken) {
		t.Errorf("the error %q shows the token", err)
	}
	checkErrorText(t, err)
	return kindOf(err)
}
