package conformance_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/internal/transport"
	"github.com/google/uuid"
)

// fault is a way in which a server fails, and what has to come of it.
type fault struct {
	name string
	only string // the calls that it is for: "list", "retrieve", "walk"; "" is all

	// What the tries of a request get, in turn. Behind the last one the answer
	// is right, or where it is always so, the last one again.
	script []behaviour
	always bool

	base      string // the base URL, http://example.com if it is ""
	http2     bool   // over TLS
	untrusted bool   // the client does not know the server's CA
	swapped   bool   // what listens on port 80 speaks TLS, and on 443 not
	tls       *tls.Config

	// In a synctest bubble the client has the default waits, and else none.
	bubble bool
	waits  []span // from each try to the next, in a bubble

	want  outcome
	tries int
	most  int64 // bytes that the client may read, 1 MiB if it is 0
}

// behaviour is the answer to a try. nil refuses the connection.
type behaviour func(f *faultServer, w http.ResponseWriter, r *http.Request)

type span struct{ least, most time.Duration }

// outcome is how a call ends.
type outcome struct {
	text string
	is   func(error) bool
}

var recovered = outcome{"recovered", func(err error) bool { return err == nil }}

func apiErrorOf(status int, sentinel error) outcome {
	return outcome{fmt.Sprintf("APIError %d", status), func(err error) bool {
		apiError, ok := errors.AsType[*authentik.APIError](err)
		return ok && apiError.StatusCode == status && (sentinel == nil || errors.Is(err, sentinel))
	}}
}

// decodeErrorOf is a DecodeError whose text says what is wrong.
func decodeErrorOf(words string) outcome {
	return outcome{"DecodeError: " + words, func(err error) bool {
		_, ok := errors.AsType[*authentik.DecodeError](err)
		return ok && strings.Contains(err.Error(), words)
	}}
}

// requestErrorOf is a url.Error with the cause in it.
func requestErrorOf(cause error) outcome {
	return outcome{"url.Error: " + cause.Error(), func(err error) bool {
		_, ok := errors.AsType[*url.Error](err)
		return ok && errors.Is(err, cause)
	}}
}

// requestErrorWith is a url.Error with a cause of the type in it.
func requestErrorWith[E error]() outcome {
	return outcome{fmt.Sprintf("url.Error: %T", *new(E)), func(err error) bool {
		_, isURLError := errors.AsType[*url.Error](err)
		_, isE := errors.AsType[E](err)
		return isURLError && isE
	}}
}

var redirectRefused = outcome{"url.Error: redirect refused", func(err error) bool {
	urlError, ok := errors.AsType[*url.Error](err)
	return ok && strings.HasPrefix(urlError.Err.Error(), "redirect refused: ")
}}

var requestError = outcome{"url.Error", func(err error) bool {
	_, ok := errors.AsType[*url.Error](err)
	return ok
}}

// faultServer answers as the fault tells it, except for the first page of a walk,
// which is always right.
type faultServer struct {
	fault
	t         *testing.T
	authentik *authentiktest.Server
	read      atomic.Int64 // bytes that the client read
	logged    syncBuffer

	mu    sync.Mutex
	tries map[string][]time.Time // by the number of the page, "" if none is asked for
}

func (f *faultServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page := r.URL.Query().Get("page")
	authorization := r.Header.Get("Authorization")
	if r.Host != faultHost || authorization != "Bearer "+f.authentik.Token || r.TLS == nil && strings.HasPrefix(f.base, "https:") {
		f.t.Errorf("a request for %s came over TLS: %t, with the Authorization %q", r.Host, r.TLS != nil, authorization)
	}
	f.mu.Lock()
	try := len(f.tries[page])
	f.mu.Unlock()
	var moved bool
	if r.URL.Path, moved = strings.CutPrefix(r.URL.Path, "/moved"); moved {
		f.authentik.ServeHTTP(w, r)
		return
	}
	if behave, ok := f.at(page, try); ok {
		behave(f, w, r)
		return
	}
	f.authentik.ServeHTTP(w, r)
}

// at is how the try for the page fails.
func (f *faultServer) at(page string, try int) (behave behaviour, fails bool) {
	switch {
	case page == "1":
		return nil, false
	case f.always:
		return f.script[min(try, len(f.script))-1], true
	case try <= len(f.script):
		return f.script[try-1], true
	}
	return nil, false
}

// right is the right answer.
func (f *faultServer) right(r *http.Request) []byte {
	recorder := httptest.NewRecorder()
	f.authentik.ServeHTTP(recorder, r)
	return recorder.Body.Bytes()
}

const (
	faultHost = "example.com" // which the certificate of httptest is for
	nowhere   = "127.0.0.1:1" // nothing listens there
)

// client returns a client for the server, which the given function connects.
func (f *faultServer) client(dial func(ctx context.Context, port string) (net.Conn, error), roots *x509.CertPool) *authentik.Client {
	transport := &http.Transport{
		DisableKeepAlives: slices.ContainsFunc(f.script, func(b behaviour) bool { return b == nil }),
		ForceAttemptHTTP2: f.http2,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			if ctx.Value(refuseKey{}) != nil && f.bubble {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
			if ctx.Value(refuseKey{}) != nil {
				return new(net.Dialer).DialContext(ctx, "tcp", nowhere)
			}
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			if f.swapped {
				port = map[string]string{"80": "443", "443": "80"}[port]
			}
			conn, err := dial(ctx, port)
			return &countedConn{conn, &f.read}, err
		},
	}
	f.t.Cleanup(transport.CloseIdleConnections)
	tried := roundTripper(func(r *http.Request) (*http.Response, error) {
		page := r.URL.Query().Get("page")
		f.mu.Lock()
		f.tries[page] = append(f.tries[page], time.Now())
		try := len(f.tries[page])
		f.mu.Unlock()
		if behave, fails := f.at(page, try); fails && behave == nil {
			r = r.WithContext(context.WithValue(r.Context(), refuseKey{}, true))
		}
		return transport.RoundTrip(r)
	})
	opts := []authentik.Option{
		authentik.WithHTTPClient(&http.Client{Transport: tried}),
		authentik.WithHeader("X-Access", secret+"-header"),
		authentik.WithLogger(slog.New(slog.NewJSONHandler(&f.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	}
	if !f.bubble {
		opts = append(opts, authentik.WithRetries(3, 0, 0))
	}
	base := f.base
	if base == "" {
		base = "http://" + faultHost
	}
	client, err := authentik.NewClient(base, f.authentik.Token, opts...)
	if err != nil {
		f.t.Fatal(err)
	}
	return client
}

type refuseKey struct{}

type countedConn struct {
	net.Conn
	read *atomic.Int64
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// overTCP serves on the loopback interface, with TLS on port 443.
func (f *faultServer) overTCP() *authentik.Client {
	listen := map[string]*httptest.Server{"80": httptest.NewUnstartedServer(f), "443": httptest.NewUnstartedServer(f)}
	roots := x509.NewCertPool()
	for port, server := range listen {
		server.Config.ErrorLog = discardLog
		if port == "80" {
			server.Start()
		} else {
			server.EnableHTTP2 = f.http2
			server.TLS = f.tls
			server.StartTLS()
		}
		f.t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
	}
	if !f.untrusted {
		roots.AddCert(listen["443"].Certificate())
	}
	return f.client(func(ctx context.Context, port string) (net.Conn, error) {
		server := listen[port]
		if server == nil {
			return nil, fmt.Errorf("a connection to port %s", port)
		}
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}, roots)
}

// overPipes serves in memory: a bubble's clock stands still while a goroutine
// waits for the network.
func (f *faultServer) overPipes() *authentik.Client {
	connect := servePipes(f.t, f)
	return f.client(func(ctx context.Context, _ string) (net.Conn, error) { return connect(ctx) }, nil)
}

func servePipes(t *testing.T, handler http.Handler) (connect func(context.Context) (net.Conn, error)) {
	t.Helper()
	listener := &pipeListener{make(chan net.Conn), make(chan struct{})}
	var running sync.WaitGroup
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Add(1)
			defer running.Done()
			handler.ServeHTTP(w, r)
		}),
		ErrorLog: discardLog,
	}
	running.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		running.Wait() // a bubble's clock stops when the test has ended
	})
	return listener.connect
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) connect(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { close(l.closed); return nil }

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// call is an operation on the six stages of the server, in pages of two, whose
// names, like the search for them, have a secret. It returns the stages that came, and those that should have come.
type call struct {
	name, kind string
	do         func(context.Context, *authentik.Client, []uuid.UUID) (got, want []uuid.UUID, err error)
}

var calls = []call{
	{"List", "list", func(ctx context.Context, c *authentik.Client, pks []uuid.UUID) (got, want []uuid.UUID, err error) {
		page, err := c.StagesPassword.List(ctx, &authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{PageSize: 2, Search: secret}})
		if err == nil {
			for _, stage := range page.Results {
				got = append(got, stage.PK)
			}
		}
		return got, pks[:2], err
	}},
	{"Retrieve", "retrieve", func(ctx context.Context, c *authentik.Client, pks []uuid.UUID) (got, want []uuid.UUID, err error) {
		stage, err := c.StagesPassword.Retrieve(ctx, pks[0])
		if err == nil {
			got = append(got, stage.PK)
		}
		return got, pks[:1], err
	}},
	{"All", "walk", allAhead(0)},
	{"All, 8 ahead", "walk", allAhead(8)},
}

func allAhead(prefetch int) func(context.Context, *authentik.Client, []uuid.UUID) (got, want []uuid.UUID, err error) {
	return func(ctx context.Context, c *authentik.Client, pks []uuid.UUID) (got, want []uuid.UUID, err error) {
		got, err = walk(ctx, c, authentik.ListOptions{PageSize: 2, Search: secret, Prefetch: prefetch})
		return got, pks, err
	}
}

// walk returns what All yields, and the error behind it.
func walk(ctx context.Context, c *authentik.Client, options authentik.ListOptions) (got []uuid.UUID, last error) {
	for stage, err := range c.StagesPassword.All(ctx, &authentik.StagesPasswordListOptions{ListOptions: options}) {
		if last = err; err == nil {
			got = append(got, stage.PK)
		}
	}
	return got, last
}

// checkCame checks that all stages came, or the first of them before an error.
func checkCame(t *testing.T, got, want []uuid.UUID, err error) {
	t.Helper()
	if err != nil {
		want = want[:min(len(got), len(want))]
	}
	if !slices.Equal(got, want) {
		t.Errorf("got the stages %v and the error %v, want %v", got, err, want)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	server := authentiktest.NewServer()
	server.Token = secret + "-token"
	var pks []uuid.UUID
	for i := range 6 {
		pks = append(pks, server.StagesPassword.Add(authentik.PasswordStage{Name: fmt.Sprintf("stage %d %s", i, secret)}).PK)
	}
	faults := faults()
	var mu sync.Mutex
	outcomes := map[string]map[string]string{} // by fault and call
	t.Cleanup(func() {
		server.Close()
		logOutcomes(t, faults, outcomes)
	})
	for _, fault := range faults {
		if outcomes[fault.name] != nil {
			t.Fatalf("there are two faults named %q", fault.name)
		}
		outcomes[fault.name] = map[string]string{}
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			if fault.http2 && strings.Contains(os.Getenv("GODEBUG"), "http2client=0") {
				t.Skip("HTTP/2 is turned off")
			}
			for _, call := range calls {
				if fault.only != "" && fault.only != call.kind {
					continue
				}
				test := func(t *testing.T) {
					f := &faultServer{fault: fault, t: t, authentik: server, tries: map[string][]time.Time{}}
					outcome := f.test(call, pks)
					mu.Lock()
					defer mu.Unlock()
					outcomes[fault.name][call.name] = outcome
				}
				t.Run(call.name, func(t *testing.T) {
					t.Parallel()
					if fault.bubble {
						synctest.Test(t, test)
					} else {
						test(t)
					}
				})
			}
		})
	}
}

// test makes the call, checks how it ends, and says so.
func (f *faultServer) test(call call, pks []uuid.UUID) string {
	t := f.t
	t.Helper()
	client := f.overPipes
	if !f.bubble {
		client = f.overTCP
	}
	// A guard against a call that never ends. In a bubble ten minutes take no time.
	guard := time.Minute
	if f.bubble {
		guard = 10 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	got, want, err := call.do(ctx, client(), pks)

	f.mu.Lock()
	defer f.mu.Unlock()
	tries := f.tries[""]
	switch {
	case call.kind == "walk" && f.script == nil: // nothing gets through
		tries = f.tries["1"]
	case call.kind == "walk":
		tries = f.tries["2"]
	}
	if !f.want.is(err) {
		t.Errorf("error %T %v, want: %s", err, err, f.want.text)
	}
	if len(tries) != f.fault.tries {
		t.Errorf("%d tries, want %d", len(tries), f.fault.tries)
	}
	checkCame(t, got, want, err)
	if err != nil {
		checkErrorText(t, err)
	}
	checkShown(t, []string{f.logged.String()})
	if f.most == 0 { // %#v of a body of 32 MiB takes its time
		checkShown(t, shownBy(err))
	}
	if f.logged.String() == "" {
		t.Error("nothing is logged")
	}
	most := max(f.most, 1<<20)
	if strings.Contains(call.name, "ahead") {
		most *= 2 // of two pages at a time
	}
	if read := f.read.Load(); read > most {
		t.Errorf("read %d bytes, want %d at most", read, most)
	}
	if f.bubble && len(tries) == len(f.waits)+1 {
		for i, want := range f.waits {
			if wait := tries[i+1].Sub(tries[i]); wait < want.least || wait > want.most {
				t.Errorf("%v from try %d to the next, want %v to %v", wait, i+1, want.least, want.most)
			}
		}
	} else if f.bubble {
		t.Errorf("%d tries, but %d waits are given", len(tries), len(f.waits))
	}
	if f.bubble && err != nil {
		if last := time.Since(tries[len(tries)-1]); last > attemptLimit {
			t.Errorf("the last try took %v", last)
		}
	}
	if len(tries) > 1 {
		return fmt.Sprintf("%s (%d tries)", f.want.text, len(tries))
	}
	return f.want.text
}

const attemptLimit = 30 * time.Second // of the default client

// checkErrorText checks what holds for the text of every error.
func checkErrorText(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if !isLine(text) || len(text) > 1200 || !strings.HasPrefix(text, "authentik: ") {
		t.Errorf("%d bytes of text, want one line of UTF-8 of 1200 at most: %.300q", len(text), text)
	}
	if again := err.Error(); again != text {
		t.Errorf("another text the second time: %.300q, %.300q", text, again)
	}
}

func logOutcomes(t *testing.T, faults []fault, outcomes map[string]map[string]string) {
	t.Helper()
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	cases, wells := 0, 0
	for _, fault := range faults {
		calledFor := map[string][]string{} // by outcome
		for _, call := range calls {
			outcome, tested := outcomes[fault.name][call.name]
			if !tested {
				continue
			}
			cases++
			if strings.HasPrefix(outcome, recovered.text) {
				wells++
			}
			calledFor[outcome] = append(calledFor[outcome], call.name)
		}
		for _, outcome := range slices.Sorted(maps.Keys(calledFor)) {
			fmt.Fprintf(columns, "%s\t%s\t%s\n", fault.name, outcome, strings.Join(calledFor[outcome], "; "))
		}
	}
	_ = columns.Flush()
	t.Logf("%d faults, %d cases: %d recovered, %d ended in the error expected\n%s", len(faults), cases, wells, cases-wells, table.String())
}

// once, twice: the tries behind are answered well.
func once(b behaviour) []behaviour  { return []behaviour{b} }
func twice(b behaviour) []behaviour { return []behaviour{b, b} }

// status answers with the status, headers given as names and values in turn.
func status(code int, body string, header ...string) behaviour {
	return func(_ *faultServer, w http.ResponseWriter, _ *http.Request) {
		for pair := range slices.Chunk(header, 2) {
			w.Header().Set(pair[0], pair[1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// retryAfter answers 429 with what the header is at that time.
func retryAfter(header func() string) behaviour {
	return func(f *faultServer, w http.ResponseWriter, r *http.Request) {
		status(http.StatusTooManyRequests, `{"detail":"Request was throttled."}`, "Retry-After", header())(f, w, r)
	}
}

// redirect answers with a redirect to the same path at another base URL.
func redirect(base string) behaviour {
	return func(_ *faultServer, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", base+r.URL.RequestURI())
		w.WriteHeader(http.StatusFound)
	}
}

// raw takes the connection, sends the text and ends the connection: as TCP does
// it, or with a reset.
func raw(text string, reset bool) behaviour {
	return func(f *faultServer, w http.ResponseWriter, _ *http.Request) {
		conn := hijack(f.t, w)
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
		if tcp, ok := conn.(*net.TCPConn); ok && reset {
			_ = tcp.SetLinger(0)
		}
	}
}

func hijack(t *testing.T, w http.ResponseWriter) net.Conn {
	t.Helper()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Errorf("cannot take the connection: %v", err)
		panic(http.ErrAbortHandler)
	}
	return conn
}

// endless takes the connection, sends start, and then more until the client has
// enough.
func endless(start, more string) behaviour {
	return func(f *faultServer, w http.ResponseWriter, _ *http.Request) {
		conn := hijack(f.t, w)
		defer conn.Close()
		_, err := io.WriteString(conn, start)
		for err == nil {
			_, err = io.WriteString(conn, more)
		}
	}
}

// dripping sends a byte a second.
func dripping(text string) behaviour {
	return func(f *faultServer, w http.ResponseWriter, _ *http.Request) {
		conn := hijack(f.t, w)
		defer conn.Close()
		for i := range text {
			if _, err := conn.Write([]byte{text[i]}); err != nil {
				return
			}
			<-time.After(time.Second)
		}
	}
}

// silent sends the text and then nothing, until the client is gone.
func silent(text string) behaviour {
	return func(f *faultServer, w http.ResponseWriter, _ *http.Request) {
		conn := hijack(f.t, w)
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// changed answers with what the function makes of the right body.
func changed(change func(body []byte) []byte) behaviour {
	return func(f *faultServer, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(change(f.right(r)))
	}
}

// member answers with the right body, except for a member of the object, or of the
// pagination where that has it.
func member(name string, value any) behaviour {
	return changed(func(body []byte) []byte {
		var object map[string]any
		if err := json.Unmarshal(body, &object); err != nil {
			panic(err)
		}
		if pagination, _ := object["pagination"].(map[string]any); pagination[name] != nil {
			pagination[name] = value
		} else {
			object[name] = value
		}
		body, err := json.Marshal(object)
		if err != nil {
			panic(err)
		}
		return body
	})
}

// zipped answers with what the function makes of the right body compressed.
func zipped(change func(zipped []byte) []byte) behaviour {
	return func(f *faultServer, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			f.t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(change(compressed(f.right(r))))
	}
}

func compressed(b []byte) []byte {
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	_, _ = zip.Write(b)
	_ = zip.Close()
	return buf.Bytes()
}

func asIs(b []byte) []byte { return b }

// cut leaves a body unfinished after half of it. On HTTP/2 that is a reset of
// the stream.
func cut(_ *faultServer, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write(make([]byte, 50))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// deep is a value within so many lists.
func deep(n int) json.RawMessage {
	return json.RawMessage(strings.Repeat("[", n) + strings.Repeat("]", n))
}

const (
	html     = "<!DOCTYPE html><html><body>bad gateway</body></html>"
	okHeader = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
)

// faults are all of them. Where they need words, the comment says why the
// outcome is the one expected.
func faults() []fault {
	const s = time.Second
	backoff := []span{{375 * time.Millisecond, s / 2}, {750 * time.Millisecond, s}, {1500 * time.Millisecond, 2 * s}}
	slow := slices.Clone(backoff) // where each try takes all its time
	for i := range slow {
		slow[i].least += attemptLimit
		slow[i].most += attemptLimit
	}
	unclear := backoff[:1]
	fixed := func(value string) func() string { return func() string { return value } }
	inSeconds := func(seconds int) func() string {
		return func() string { return time.Now().Add(time.Duration(seconds) * s).UTC().Format(http.TimeFormat) }
	}
	bomb := string(compressed(make([]byte, 1<<20)))
	double := func(body []byte) []byte {
		text := strings.TrimSpace(string(body))
		return []byte(text[:len(text)-1] + "," + text[1:])
	}
	const everything = transport.MaxBody + 1<<16 // the body, and what the transport reads ahead

	return []fault{
		// Connections.
		{name: "refused", script: once(nil), always: true, want: requestErrorOf(syscall.ECONNREFUSED), tries: 4},
		{name: "refused twice", script: twice(nil), want: recovered, tries: 3},
		{name: "reset before the headers", script: once(raw("", true)), always: true, want: requestErrorOf(syscall.ECONNRESET), tries: 4},
		{name: "reset before the headers, once", script: once(raw("", true)), want: recovered, tries: 2},
		// net/http calls it a reset or an unexpected end.
		{name: "reset in the headers", script: once(raw(okHeader, true)), always: true, want: requestError, tries: 4},
		{name: "reset in the headers, once", script: once(raw("HTTP/1.1 200 OK\r\nContent-Ty", true)), want: recovered, tries: 2},
		{name: "reset in the body", script: once(raw(okHeader+"Content-Length: 100\r\n\r\n{\"pk", true)), always: true, want: requestErrorOf(syscall.ECONNRESET), tries: 4},
		{name: "reset in the body, twice", script: twice(raw(okHeader+"Content-Length: 100\r\n\r\n{\"pk", true)), want: recovered, tries: 3},
		{name: "closed before the headers", script: once(raw("", false)), always: true, want: requestErrorOf(io.EOF), tries: 4},
		{name: "closed in a header", script: once(raw("HTTP/1.1 200 OK\r\nContent-Ty", false)), always: true, want: requestError, tries: 4},
		{name: "closed in the headers", script: once(raw(okHeader, false)), always: true, want: requestErrorOf(io.ErrUnexpectedEOF), tries: 4},
		{name: "body cut off against its Content-Length", script: once(raw(okHeader+"Content-Length: 100\r\n\r\n{\"pk", false)), always: true, want: requestErrorOf(io.ErrUnexpectedEOF), tries: 4},
		{name: "body cut off against its Content-Length, once", script: once(cut), want: recovered, tries: 2},
		{name: "chunked body cut off", script: once(raw(okHeader+"Transfer-Encoding: chunked\r\n\r\n4\r\n{\"pk\r\n", false)), always: true, want: requestErrorOf(io.ErrUnexpectedEOF), tries: 4},
		{name: "chunked body cut off, once", script: once(raw(okHeader+"Transfer-Encoding: chunked\r\n\r\n4\r\n{\"pk\r\n", false)), want: recovered, tries: 2},
		// Nothing but the JSON shows that there is more, so nothing is tried again.
		{name: "body of no length cut off", script: once(raw(okHeader+"\r\n{\"pk", false)), always: true, want: decodeErrorOf("unexpected end"), tries: 1},
		{name: "body longer than its Content-Length", script: once(raw(okHeader+"Content-Length: 4\r\n\r\n{\"pk\":", false)), always: true, want: decodeErrorOf("unexpected end"), tries: 1},
		{name: "an error's body cut off", script: once(raw("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"det", false)), always: true, only: "retrieve", want: apiErrorOf(404, authentik.ErrNotFound), tries: 1},
		{name: "no HTTP", script: once(raw("220 mail.example.com ESMTP\r\n", false)), always: true, want: requestError, tries: 4},
		{name: "a status that is no number", script: once(raw("HTTP/1.1 OK\r\n\r\n", false)), always: true, want: requestError, tries: 4},
		{name: "two Content-Lengths", script: once(raw(okHeader+"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", false)), always: true, want: requestError, tries: 4},
		{name: "a chunk of no size", script: once(raw(okHeader+"Transfer-Encoding: chunked\r\n\r\nzz\r\n", false)), always: true, want: requestError, tries: 4},

		// Time.
		{name: "accepts and says nothing", script: once(silent("")), always: true, bubble: true, waits: slow, want: requestErrorOf(os.ErrDeadlineExceeded), tries: 4},
		{name: "accepts and says nothing, once", script: once(silent("")), bubble: true, waits: slow[:1], want: recovered, tries: 2},
		{name: "nothing behind half of the headers", script: once(silent("HTTP/1.1 200 OK\r\nContent-Ty")), always: true, bubble: true, waits: slow, want: requestErrorOf(os.ErrDeadlineExceeded), tries: 4},
		{name: "a chunked body never ended", script: once(silent(okHeader + "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"pk\r\n")), always: true, bubble: true, waits: slow, want: requestErrorOf(os.ErrDeadlineExceeded), tries: 4},
		{name: "a chunked body never ended, once", script: once(silent(okHeader + "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"pk\r\n")), bubble: true, waits: slow[:1], want: recovered, tries: 2},
		{name: "headers of one byte a second", script: once(dripping(okHeader + "\r\n{}")), always: true, bubble: true, waits: slow, want: requestErrorOf(os.ErrDeadlineExceeded), tries: 4},
		{name: "a body of one byte a second", script: once(func(f *faultServer, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			for _, b := range f.right(r) {
				_, _ = w.Write([]byte{b})
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
					return
				}
			}
		}), always: true, bubble: true, waits: slow, want: requestErrorOf(os.ErrDeadlineExceeded), tries: 4},
		// What came of an error's body is in the error.
		{name: "404, then nothing", script: once(silent("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"det")), always: true, only: "retrieve", bubble: true, want: apiErrorOf(404, authentik.ErrNotFound), tries: 1},
		{name: "503, then nothing", script: once(silent("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\n{\"err")), always: true, bubble: true, waits: slow, want: apiErrorOf(503, authentik.ErrServer), tries: 4},

		// TLS.
		{name: "a certificate for another name", base: "https://authentik.test", want: requestErrorWith[x509.HostnameError](), tries: 1},
		{name: "a certificate of an unknown CA", base: "https://example.com", untrusted: true, want: requestErrorWith[x509.UnknownAuthorityError](), tries: 1},
		{name: "a certificate refused, by its common type", base: "https://example.com", untrusted: true, want: requestErrorWith[*tls.CertificateVerificationError](), tries: 1},
		{name: "the server wants a certificate", base: "https://example.com", tls: &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, want: requestErrorWith[*net.OpError](), tries: 1},
		{name: "a TLS version too old", base: "https://example.com", tls: &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, want: requestErrorWith[*net.OpError](), tries: 1},
		{name: "https to a port without TLS", base: "https://example.com", swapped: true, want: requestErrorOf(http.ErrSchemeMismatch), tries: 1},
		{name: "http to a port with TLS", base: "http://example.com", swapped: true, want: apiErrorOf(400, authentik.ErrBadRequest), tries: 1},

		// 429. The waits are the server's, but never above the client's longest.
		{name: "429, Retry-After in seconds", script: once(retryAfter(fixed("2"))), always: true, bubble: true, waits: []span{{2 * s, 2 * s}, {2 * s, 2 * s}, {2 * s, 2 * s}}, want: apiErrorOf(429, authentik.ErrRateLimited), tries: 4},
		{name: "429, Retry-After in seconds, once", script: once(retryAfter(fixed("2"))), bubble: true, waits: []span{{2 * s, 2 * s}}, want: recovered, tries: 2},
		{name: "429, Retry-After as a date, once", script: once(retryAfter(inSeconds(3))), bubble: true, waits: []span{{2 * s, 3 * s}}, want: recovered, tries: 2},
		{name: "429, Retry-After in the past, once", script: once(retryAfter(inSeconds(-60))), bubble: true, waits: unclear, want: recovered, tries: 2},
		{name: "429, Retry-After of a day, once", script: once(retryAfter(fixed("86400"))), bubble: true, waits: []span{{10 * s, 10 * s}}, want: recovered, tries: 2},
		{name: "429, Retry-After in the year 9999, once", script: once(retryAfter(fixed("Fri, 31 Dec 9999 23:59:59 GMT"))), bubble: true, waits: []span{{10 * s, 10 * s}}, want: recovered, tries: 2},
		{name: "429, absurd Retry-After, once", script: once(retryAfter(fixed("99999999999999999999"))), bubble: true, waits: []span{{10 * s, 10 * s}}, want: recovered, tries: 2},
		{name: "429, negative Retry-After, once", script: once(retryAfter(fixed("-99999999999999999999"))), bubble: true, waits: unclear, want: recovered, tries: 2},
		{name: "429, malformed Retry-After, once", script: once(retryAfter(fixed("soon"))), bubble: true, waits: unclear, want: recovered, tries: 2},
		{name: "429, Retry-After with a fraction, once", script: once(retryAfter(fixed("1.5"))), bubble: true, waits: unclear, want: recovered, tries: 2},
		{name: "429, empty Retry-After, once", script: once(retryAfter(fixed(""))), bubble: true, waits: unclear, want: recovered, tries: 2},

		// Restarts, of authentik 2026.8: refused for a while, then 503, then well.
		{
			name: "authentik restarts", script: []behaviour{nil, nil, status(503, `{"error":"authentik starting"}`, "Content-Type", "application/json", "Retry-After", "5")},
			bubble: true, waits: []span{backoff[0], backoff[1], {5 * s, 5 * s}}, want: recovered, tries: 4,
		},
		{name: "200 with the starting message", script: once(status(200, `{"error":"authentik starting"}`, "Content-Type", "application/json")), always: true, want: decodeErrorOf("authentik is starting"), tries: 4},
		{name: "502 in JSON", script: once(status(502, `{"error":"failed to connect to authentik backend: authentik starting"}`, "Content-Type", "application/json")), always: true, want: apiErrorOf(502, authentik.ErrServer), tries: 4},
		{name: "502 in HTML", script: once(status(502, html, "Content-Type", "text/html")), always: true, want: apiErrorOf(502, authentik.ErrServer), tries: 4},
		{name: "502 in text", script: once(status(502, "bad gateway", "Content-Type", "text/plain")), always: true, want: apiErrorOf(502, authentik.ErrServer), tries: 4},
		{name: "502 twice", script: twice(status(502, html, "Content-Type", "text/html")), want: recovered, tries: 3},
		{name: "503 in JSON", script: once(status(503, `{"error":"authentik starting"}`, "Content-Type", "application/json")), always: true, want: apiErrorOf(503, authentik.ErrServer), tries: 4},
		{name: "503 in HTML", script: once(status(503, html, "Content-Type", "text/html")), always: true, want: apiErrorOf(503, authentik.ErrServer), tries: 4},
		{name: "503 in text", script: once(status(503, "authentik starting", "Content-Type", "text/plain")), always: true, want: apiErrorOf(503, authentik.ErrServer), tries: 4},
		{name: "503 twice", script: twice(status(503, "authentik starting")), want: recovered, tries: 3},
		{name: "504", script: once(status(504, "")), always: true, want: apiErrorOf(504, authentik.ErrServer), tries: 4},
		{name: "500 in HTML", script: once(status(500, html, "Content-Type", "text/html")), always: true, want: apiErrorOf(500, authentik.ErrServer), tries: 1},
		{name: "408 with an empty body", script: once(status(408, "")), always: true, want: apiErrorOf(408, nil), tries: 1},
		{name: "403 of a firewall", script: once(status(403, html, "Content-Type", "text/html")), always: true, want: apiErrorOf(403, authentik.ErrForbidden), tries: 1},

		// Redirects. That none of them arrives at another host, the server checks.
		{name: "a redirect on the host", script: once(redirect("/moved")), want: recovered, tries: 2},
		{name: "a redirect from http to https", script: once(redirect("https://example.com/moved")), want: recovered, tries: 2},
		{name: "a redirect loop", script: once(redirect("")), always: true, want: redirectRefused, tries: 10},
		{name: "a redirect to another host", script: once(redirect("http://example.net")), always: true, want: redirectRefused, tries: 1},
		{name: "a redirect to a subdomain", script: once(redirect("http://sub.example.com")), always: true, want: redirectRefused, tries: 1},
		{name: "a redirect to another port", script: once(redirect("http://example.com:81")), always: true, want: redirectRefused, tries: 1},
		{name: "a redirect from https to http", base: "https://example.com", script: once(redirect("http://example.com")), always: true, want: redirectRefused, tries: 1},
		{name: "a redirect from https to another port", base: "https://example.com", script: once(redirect("https://example.com:80")), always: true, want: redirectRefused, tries: 1},
		{name: "a redirect to no URL", script: once(redirect("http://[::1")), always: true, want: requestError, tries: 1},
		{name: "a redirect without a place", script: once(status(302, "")), always: true, want: apiErrorOf(302, nil), tries: 1},

		// Bodies.
		{name: "200 with an empty body", script: once(status(200, "")), always: true, want: decodeErrorOf("unexpected end"), tries: 1},
		{name: "204", script: once(status(204, "")), always: true, want: decodeErrorOf("unexpected end"), tries: 1},
		{name: "null", script: once(status(200, "null")), always: true, want: decodeErrorOf("it is null"), tries: 1},
		{name: "200 in HTML", script: once(status(200, html, "Content-Type", "text/html")), always: true, want: decodeErrorOf("text/html"), tries: 1},
		{name: "gzip", script: once(zipped(asIs)), always: true, want: recovered, tries: 1},
		{name: "gzip cut off in its header", script: once(zipped(func([]byte) []byte { return []byte("\x1f\x8b") })), always: true, want: requestErrorOf(io.ErrUnexpectedEOF), tries: 4},
		{name: "gzip of another header", script: once(zipped(func(b []byte) []byte { return append([]byte("no gzip"), b...) })), always: true, want: requestErrorOf(gzip.ErrHeader), tries: 1},
		{name: "gzip of another checksum", script: once(zipped(func(b []byte) []byte { b[len(b)-5]++; return b })), always: true, want: requestErrorOf(gzip.ErrChecksum), tries: 1},
		{name: "gzip of a broken stream", script: once(zipped(func(b []byte) []byte { b[10] = 0xff; return b })), always: true, want: requestErrorWith[flate.CorruptInputError](), tries: 1},
		{name: "gzip cut off", script: once(zipped(func(b []byte) []byte { return b[:len(b)/2] })), always: true, want: requestErrorOf(io.ErrUnexpectedEOF), tries: 4},
		{name: "gzip cut off, once", script: once(zipped(func(b []byte) []byte { return b[:len(b)/2] })), want: recovered, tries: 2},
		{name: "a gzip bomb", script: once(endless(okHeader+"Content-Encoding: gzip\r\n\r\n", bomb)), always: true, want: requestErrorOf(authentik.ErrResponseTooLarge), tries: 1, most: 1 << 17},
		{name: "an encoding that was not asked for", script: once(status(200, "\x1b\x00", "Content-Encoding", "br")), always: true, want: decodeErrorOf("its Content-Encoding is \"br\""), tries: 1},
		{name: "a body over the limit", script: once(endless(okHeader+"\r\n", strings.Repeat(" ", 1<<16))), always: true, only: "walk", want: requestErrorOf(authentik.ErrResponseTooLarge), tries: 1, most: everything},
		{name: "a body over the limit, and it says so", script: once(endless(okHeader+"Content-Length: 9000000000000000000\r\n\r\n", strings.Repeat("[", 1<<16))), always: true, only: "list", want: requestErrorOf(authentik.ErrResponseTooLarge), tries: 1, most: everything},
		{name: "an error's body over the limit", script: once(endless("HTTP/1.1 500 Oh\r\n\r\n", strings.Repeat("x", 1<<16))), always: true, only: "retrieve", want: apiErrorOf(500, authentik.ErrServer), tries: 1, most: everything},
		// net/http stops at 10 MiB, with an error that has no type of its own.
		{name: "endless headers", script: once(endless(okHeader, strings.Repeat("X-More: "+strings.Repeat("x", 8000)+"\r\n", 8))), always: true, want: requestError, tries: 4, most: 4 * (10<<20 + 1<<17)},
		{name: "one endless header", script: once(endless(okHeader+"X-More: ", strings.Repeat("x", 1<<16))), always: true, only: "list", want: requestError, tries: 4, most: 4 * (10<<20 + 1<<17)},
		{name: "endless informational answers", script: once(endless("", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: "+strings.Repeat("x", 8000)+"\r\n\r\n", 8))), always: true, only: "list", want: requestError, tries: 4, most: 4 * (10<<20 + 1<<17)},

		// HTTP/2.
		{name: "HTTP/2", base: "https://example.com", http2: true, script: once(func(f *faultServer, w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				f.t.Errorf("it came over %s", r.Proto)
			}
			f.authentik.ServeHTTP(w, r)
		}), always: true, want: recovered, tries: 1},
		{name: "HTTP/2 stream reset in the body", base: "https://example.com", http2: true, script: once(cut), always: true, want: requestError, tries: 4},
		{name: "HTTP/2 stream reset in the body, once", base: "https://example.com", http2: true, script: once(cut), want: recovered, tries: 2},
		{name: "HTTP/2 stream reset before the headers", base: "https://example.com", http2: true, script: once(func(*faultServer, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), always: true, want: requestError, tries: 4},
		{name: "HTTP/2 connection going away", base: "https://example.com", http2: true, script: once(status(503, "", "Connection", "close")), want: recovered, tries: 2},

		// Pages. List shows what it got, only a walk follows it.
		{name: "a page names itself as the next", only: "walk", script: once(member("next", 2)), always: true, want: decodeErrorOf("names 2 as the next"), tries: 1},
		{name: "a page names the one before as the next", only: "walk", script: once(member("next", 1)), always: true, want: decodeErrorOf("names 1 as the next"), tries: 1},
		{name: "a negative next", only: "walk", script: once(member("next", -1)), always: true, want: decodeErrorOf("names -1 as the next"), tries: 1},
		{name: "next that does not advance", only: "list", script: once(member("next", -1)), always: true, want: recovered, tries: 1},
		{name: "next is 2^31", only: "walk", script: once(member("next", int64(1<<31))), always: true, want: decodeErrorOf("too large"), tries: 1},
		{name: "total_pages is 2^31", only: "list", script: once(member("total_pages", int64(1<<31))), always: true, want: decodeErrorOf("too large"), tries: 1},
		{name: "total_pages is 2^31 in a walk", only: "walk", script: once(member("total_pages", int64(1<<31))), always: true, want: decodeErrorOf("too large"), tries: 1},
		// A walk goes by next alone, and asks no more ahead than it is told to.
		{name: "total_pages is 2^31-1", only: "walk", script: once(member("total_pages", 1<<31-1)), always: true, want: decodeErrorOf("page 3 of 2147483647 names no next one"), tries: 1},
		{name: "total_pages is negative", only: "walk", script: once(member("total_pages", -1)), always: true, want: decodeErrorOf("page 2 of -1 names 3 as the next one"), tries: 1},
		{name: "current is negative", only: "walk", script: once(member("current", -1)), always: true, want: decodeErrorOf("it is page -1, not 2"), tries: 1},
		{name: "start_index is negative", only: "list", script: once(member("start_index", -5)), always: true, want: recovered, tries: 1},
		// It differs from the count of page 1, which the list never comes back to.
		{name: "count is negative", only: "walk", script: once(member("count", -1)), always: true, want: outcome{"ErrListChanged", func(err error) bool { return errors.Is(err, authentik.ErrListChanged) }}, tries: 3},
		{name: "count is negative in List", only: "list", script: once(member("count", -1)), always: true, want: recovered, tries: 1},
		{name: "results is null", only: "list", script: once(member("results", nil)), always: true, want: decodeErrorOf("no results"), tries: 1},
		{name: "results is null in a walk", only: "walk", script: once(member("results", nil)), always: true, want: decodeErrorOf("no results"), tries: 1},
		{name: "pk is null", only: "retrieve", script: once(member("pk", nil)), always: true, want: decodeErrorOf("no pk"), tries: 1},
		{name: "an announced page is gone", only: "walk", script: once(func(f *faultServer, w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("page") == "2" {
				status(404, `{"detail":"Invalid page."}`)(f, w, r)
				return
			}
			f.authentik.ServeHTTP(w, r)
		}), want: recovered, tries: 2},

		// JSON.
		{name: "a member nested 5,000 deep", script: once(member("new", deep(5000))), always: true, want: recovered, tries: 1},
		{name: "a member nested 20,000 deep", script: once(changed(func([]byte) []byte { return []byte(`{"new":` + string(deep(20_000)) + `}`) })), always: true, want: decodeErrorOf("depth"), tries: 1},
		{name: "nothing but brackets", script: once(changed(func([]byte) []byte { return bytes.Repeat([]byte("["), 1<<19) })), always: true, want: decodeErrorOf("unexpected response"), tries: 1},
		{name: "an error nested 20,000 deep", script: once(status(400, string(deep(20_000)))), always: true, want: apiErrorOf(400, authentik.ErrBadRequest), tries: 1},
		{name: "invalid UTF-8", script: once(changed(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("stage "), []byte("stage \xff\xc0")) })), always: true, want: recovered, tries: 1},
		{name: "an error of invalid UTF-8", script: once(status(400, "{\"name\":[\"\xff\xc0\"],\"\xff\":\"\xff\"}")), always: true, want: apiErrorOf(400, authentik.ErrBadRequest), tries: 1},
		{name: "duplicate keys", script: once(changed(double)), always: true, want: recovered, tries: 1},
		{name: "a byte-order mark", script: once(changed(func(b []byte) []byte { return append([]byte("\ufeff"), b...) })), always: true, want: decodeErrorOf("invalid character"), tries: 1},
		{name: "a second value", script: once(changed(func(b []byte) []byte { return append(b, '{', '}') })), always: true, want: decodeErrorOf("after top-level value"), tries: 1},
	}
}
