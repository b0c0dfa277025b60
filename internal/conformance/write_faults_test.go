package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"sync"
	"syscall"
	"testing"

	"github.com/authentik-go/authentik"
)

// countingServer counts what it has handled, and breaks where it is told to.
type countingServer struct {
	mu      sync.Mutex
	handled map[string]int               // by the last segment of the path
	faults  func(inDial bool) writeFault // with the mutex held
	http    *httptest.Server
	asked   int
}

// writeFault is where an attempt to write breaks.
type writeFault struct {
	name    string
	dial    func() (net.Conn, error)                // instead of a connection
	wrap    func(net.Conn) net.Conn                 // the client's side of it
	answer  func(w http.ResponseWriter, did func()) // did handles the request; nil answers as authentik does
	unknown bool                                    // the client cannot know whether the request was handled
	final   bool                                    // no method is tried again
}

// raw has the connection for itself, writes text on it and ends it.
func rawAnswer(w http.ResponseWriter, text string, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, text)
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// brittleConn takes so many bytes of a request.
type brittleConn struct {
	net.Conn
	takes int
}

func (c *brittleConn) Write(b []byte) (int, error) {
	if len(b) > c.takes {
		n, _ := c.Conn.Write(b[:c.takes])
		c.takes = 0
		_ = c.Close()
		return n, &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}
	}
	c.takes -= len(b)
	return c.Conn.Write(b)
}

func takes(n int) func(net.Conn) net.Conn {
	return func(conn net.Conn) net.Conn { return &brittleConn{conn, n} }
}

func refuseWith(err error) func() (net.Conn, error) {
	return func() (net.Conn, error) { return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err} }
}

func handledThen(text string, reset bool) func(http.ResponseWriter, func()) {
	return func(w http.ResponseWriter, did func()) {
		did()
		rawAnswer(w, text, reset)
	}
}

func statusOnly(status int) func(http.ResponseWriter, func()) {
	return func(w http.ResponseWriter, _ func()) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"authentik starting"}`)
	}
}

func handledThenStatus(status int) func(http.ResponseWriter, func()) {
	return func(w http.ResponseWriter, did func()) {
		did()
		statusOnly(status)(w, did)
	}
}

var writeFaults = []writeFault{
	{name: "refused", dial: refuseWith(os.NewSyscallError("connect", syscall.ECONNREFUSED))},
	{name: "no route", dial: refuseWith(os.NewSyscallError("connect", syscall.EHOSTUNREACH))},
	{name: "a name server that fails", dial: refuseWith(&net.DNSError{Err: "server misbehaving", IsTemporary: true})},
	{name: "an unknown name", dial: refuseWith(&net.DNSError{Err: "no such host", IsNotFound: true}), final: true},
	{name: "429", answer: statusOnly(429)},
	{name: "closed before the request", wrap: takes(0), unknown: true},
	{name: "closed in the headers of the request", wrap: takes(40), unknown: true},
	{name: "closed in the body of the request", wrap: takes(300), unknown: true},
	{name: "closed after the request", answer: func(w http.ResponseWriter, _ func()) { rawAnswer(w, "", false) }, unknown: true},
	{name: "reset after the request", answer: func(w http.ResponseWriter, _ func()) { rawAnswer(w, "", true) }, unknown: true},
	{name: "closed before the answer", answer: handledThen("", false), unknown: true},
	{name: "reset before the answer", answer: handledThen("", true), unknown: true},
	{name: "closed in the status", answer: handledThen("HTTP/1.1 20", false), unknown: true},
	{name: "closed in the headers", answer: handledThen("HTTP/1.1 201 Created\r\nContent-Ty", false), unknown: true},
	{name: "closed before the body", answer: handledThen("HTTP/1.1 201 Created\r\nContent-Length: 19\r\n\r\n", false), unknown: true},
	{name: "closed in the body", answer: handledThen("HTTP/1.1 201 Created\r\nContent-Length: 19\r\n\r\n{\"pk\"", false), unknown: true},
	{name: "reset in the body", answer: handledThen("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"pk\"", true), unknown: true},
	{name: "no HTTP", answer: handledThen("hello", false), unknown: true},
	{name: "502", answer: statusOnly(502), unknown: true},
	{name: "503", answer: statusOnly(503), unknown: true},
	{name: "504", answer: statusOnly(504), unknown: true},
	{name: "502 after it was done", answer: handledThenStatus(502), unknown: true},
	{name: "503 after it was done", answer: handledThenStatus(503), unknown: true},
	{name: "500 of a worker", answer: handledThenStatus(500), unknown: true},
	{name: "408", answer: handledThenStatus(408), unknown: true, final: true},
	{name: "500 of authentik", answer: func(w http.ResponseWriter, did func()) {
		w.Header().Set("X-Authentik-Id", "0123")
		handledThenStatus(500)(w, did)
	}, unknown: true, final: true},
	{name: "501", answer: statusOnly(501), final: true},
}

func newCountingServer(t *testing.T, faults func(inDial bool) writeFault) (*countingServer, *authentik.Client) {
	t.Helper()
	s := &countingServer{handled: map[string]int{}, faults: faults}
	s.http = httptest.NewUnstartedServer(s)
	s.http.Config.ErrorLog = discardLog
	s.http.Start()
	transport := &http.Transport{
		MaxIdleConnsPerHost: 16,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			s.mu.Lock()
			fault := s.faults(true)
			s.mu.Unlock()
			if fault.dial != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.asked++
				return fault.dial()
			}
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil && fault.wrap != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.asked++
				conn = fault.wrap(conn)
			}
			return conn, err
		},
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.http.CloseClientConnections()
		s.http.Close()
	})
	client, err := authentik.NewClient(s.http.URL, apiToken,
		authentik.WithHTTPClient(&http.Client{Transport: transport}), authentik.WithRetries(2, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return s, client
}

func (s *countingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // as authentik does with half a request
	}
	s.mu.Lock()
	s.asked++
	fault := s.faults(false)
	s.mu.Unlock()
	did := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handled[path.Base(r.URL.Path)]++
	}
	if fault.answer != nil {
		fault.answer(w, did)
		return
	}
	did()
	w.Header().Set("X-Authentik-Id", "0123")
	if r.Method == http.MethodDelete {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, _ = io.WriteString(w, writtenBody)
}

func TestWriteFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range writeFaults {
		for method, write := range writeMethods {
			if method == http.MethodDelete && fault.name == "closed in the body of the request" {
				continue // it has none
			}
			t.Run(fault.name+"/"+method, func(t *testing.T) {
				t.Parallel()
				server, client := newCountingServer(t, func(bool) writeFault { return fault })
				err := write(t.Context(), client, "core/things/x/")
				if err == nil {
					t.Fatal("no error")
				}
				if got := errors.Is(err, authentik.ErrOutcomeUnknown); got != fault.unknown {
					t.Errorf("the outcome is unknown: %t; error %v", got, err)
				}
				want := 3
				if fault.final || method == http.MethodPost && fault.unknown {
					want = 1
				}
				server.mu.Lock()
				defer server.mu.Unlock()
				if server.asked != want {
					t.Errorf("%d attempts, want %d; error %v", server.asked, want, err)
				}
				if method == http.MethodPost && server.handled["x"] > 1 {
					t.Errorf("a POST was handled %d times", server.handled["x"])
				}
			})
			t.Run(fault.name+", once/"+method, func(t *testing.T) {
				t.Parallel()
				first := true
				_, client := newCountingServer(t, func(inDial bool) writeFault {
					if inDial == (fault.answer == nil) && first {
						first = false
						return fault
					}
					return writeFault{}
				})
				err := write(t.Context(), client, "core/things/x/")
				if again := !fault.final && (method != http.MethodPost || !fault.unknown); (err == nil) != again {
					t.Errorf("error %v", err)
				}
			})
		}
	}
}

// TestNothingIsWrittenTwiceOrLost creates 10,000 objects through a network and a
// server that break wherever they can.
func TestNothingIsWrittenTwiceOrLost(t *testing.T) {
	t.Parallel()
	const creates, workers = 10_000, 8
	random := rand.New(rand.NewPCG(1, 2)) // guarded by the server's mutex
	came := map[string]int{}
	server, client := newCountingServer(t, func(bool) writeFault {
		if random.IntN(4) > 0 {
			return writeFault{}
		}
		fault := writeFaults[random.IntN(len(writeFaults))]
		came[fault.name]++
		return fault
	})
	ends := make([]error, creates)
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			for i := worker; i < creates; i += workers {
				_, ends[i] = authentik.Post[written](t.Context(), client, fmt.Sprintf("core/things/%d/", i), writtenRequest)
			}
		})
	}
	running.Wait()

	server.mu.Lock()
	defer server.mu.Unlock()
	well, unknown, failed := 0, 0, 0
	for i, err := range ends {
		handled := server.handled[fmt.Sprint(i)]
		switch {
		case handled > 1:
			t.Errorf("object %d was created %d times", i, handled)
		case err == nil:
			well++
			if handled != 1 {
				t.Errorf("object %d is lost without an error", i)
			}
		case errors.Is(err, authentik.ErrOutcomeUnknown):
			unknown++
		default:
			failed++
			if handled != 0 {
				t.Errorf("object %d was created, in spite of the error %v", i, err)
			}
		}
	}
	t.Logf("%d created, %d of unknown outcome, %d failed", well, unknown, failed)
	if well < creates/2 || unknown < creates/20 || failed < 10 {
		t.Errorf("%d created, %d of unknown outcome, %d failed", well, unknown, failed)
	}
	for _, fault := range writeFaults {
		if came[fault.name] == 0 {
			t.Errorf("it never came to %q", fault.name)
		}
	}
}
