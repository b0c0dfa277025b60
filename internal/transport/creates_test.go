package transport

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The outcomes of a create.
const (
	done    = "done"
	unknown = "unknown"
	failed  = "failed" // certainly not done
)

// creates counts how often each create was handled, by its number.
type creates struct {
	mu      sync.Mutex
	handled map[int]int
}

func (c *creates) handle(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handled[id]++
}

// ServeHTTP handles a create, whose number is the last of its path.
func (c *creates) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	id, err := strconv.Atoi(path.Base(r.URL.Path))
	if err != nil {
		panic(err)
	}
	c.handle(id)
}

// howMany is how many creates to send: AUTHENTIK_TEST_CREATES, or some hundreds.
func howMany(t *testing.T) int {
	t.Helper()
	text := os.Getenv("AUTHENTIK_TEST_CREATES")
	if text == "" {
		return 400
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("AUTHENTIK_TEST_CREATES is %q", text)
	}
	return n
}

// program is the path of a program that a variable names. Without it, the test is skipped.
func program(t *testing.T, variable string) string {
	t.Helper()
	name := os.Getenv(variable)
	if name == "" {
		t.Skip(variable + " is not set")
	}
	found, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sendCreates sends n creates, eight at a time, every second one without a body unless
// all need one, and returns how each ended.
func sendCreates(t *testing.T, config Config, server string, n int, bodies bool) []string {
	t.Helper()
	config.Retries = 3
	client := newClient(t, config)
	base := parse(t, server+"/")
	outcomes := make([]string, n)
	var next atomic.Int32
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				request := Request{Method: http.MethodPost, URL: base.JoinPath(strconv.Itoa(i)), Creates: true}
				if bodies || i%2 == 0 {
					text := fmt.Sprintf(`{"id":%d}`, i)
					request.Body = &Body{ContentType: "application/json", Size: int64(len(text)), Open: func() (io.Reader, error) { return strings.NewReader(text), nil }}
				}
				response, err := client.Do(t.Context(), request)
				switch {
				case response.Unknown:
					outcomes[i] = unknown
				case err != nil || response.Status != http.StatusOK:
					outcomes[i] = failed
				default:
					outcomes[i] = done
				}
				response.Release()
			}
		})
	}
	workers.Wait()
	return outcomes
}

// check compares how the creates ended with how often the server handled each.
func (c *creates) check(t *testing.T, outcomes []string) map[string]int {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	count := map[string]int{}
	for id, outcome := range outcomes {
		count[outcome]++
		switch handled := c.handled[id]; {
		case handled > 1:
			count["doubled"]++
		case handled == 0 && outcome == done:
			count["lost"]++
		case handled == 1 && outcome == failed:
			count["wrongly certain"]++
		case handled == 0 && outcome == unknown:
			count["unknown, and not done"]++
		}
	}
	t.Logf("%d creates: %v", len(outcomes), count)
	if len(c.handled) == 0 {
		t.Error("no create has arrived")
	}
	if wrong := count["doubled"] + count["lost"] + count["wrongly certain"]; wrong > 0 {
		t.Errorf("%d ended wrongly: %v", wrong, count)
	}
	return count
}

// faulty is a proxy of TCP that cuts connections where chance wants it.
func faulty(t *testing.T, to string) string {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		if rand.N(8) == 0 {
			return
		}
		server, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
		if err != nil {
			return
		}
		defer server.Close()
		if rand.N(2) == 0 {
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset, and not an end
		}
		go func() {
			defer server.Close()
			defer conn.Close()
			_, _ = io.CopyN(server, conn, rand.N(int64(8000)))
		}()
		_, _ = io.CopyN(conn, server, rand.N(int64(8000)))
	})
}

// TestCreatesOverFaultyTCP sends creates through connections that break anywhere.
func TestCreatesOverFaultyTCP(t *testing.T) {
	t.Parallel()
	c := &creates{handled: map[int]int{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	address := faulty(t, server.Listener.Addr().String())
	config := Config{HTTPClient: &http.Client{Transport: netTransport(t, nil)}}
	c.check(t, sendCreates(t, config, "http://"+address, howMany(t), false))
}

// TestCreatesThatFailOver sends creates through a transport that sends each of them
// to where nothing listens once the first server failed.
func TestCreatesThatFailOver(t *testing.T) {
	t.Parallel()
	c := &creates{handled: map[int]int{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	address := faulty(t, server.Listener.Addr().String())
	config := Config{HTTPClient: &http.Client{Transport: &failOver{netTransport(t, nil), nowhere}}}
	c.check(t, sendCreates(t, config, "http://"+address, howMany(t), false))
}

// registered is a protocol that handles each second request, calls no hook, and says
// what it wants.
type registered struct{ *creates }

func (r registered) RoundTrip(req *http.Request) (*http.Response, error) {
	if rand.N(2) == 0 {
		r.ServeHTTP(nil, &http.Request{URL: req.URL, Body: http.NoBody})
	}
	errs := []error{
		&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
		&net.DNSError{Err: "no such host", Name: "host", IsNotFound: true},
		errors.New("stream error: stream ID 1; REFUSED_STREAM; received from peer"),
		io.ErrUnexpectedEOF,
	}
	return nil, errs[rand.N(len(errs))]
}

// TestCreatesByARegisteredProtocol sends creates by a protocol of a user.
func TestCreatesByARegisteredProtocol(t *testing.T) {
	t.Parallel()
	c := &creates{handled: map[int]int{}}
	transport := netTransport(t, nil)
	transport.RegisterProtocol("http", registered{c})
	count := c.check(t, sendCreates(t, Config{HTTPClient: &http.Client{Transport: transport}}, "http://host", howMany(t), false))
	if count[unknown] != howMany(t) {
		t.Errorf("%d are unknown; all should be", count[unknown])
	}
}

// TestCreatesOverResetStreams sends creates to a server of HTTP/2 that handles some,
// refuses some, resets some either way, and shuts connections down.
func TestCreatesOverResetStreams(t *testing.T) {
	t.Parallel()
	c := &creates{handled: map[int]int{}}
	s := serveStreams(t, func(conn *streamConn, stream uint32, body []byte) {
		var create struct {
			ID int `json:"id"`
		}
		if err := json.Unmarshal(body, &create); err != nil {
			t.Errorf("a body is %q", body)
		}
		switch chance := rand.N(1000); {
		case chance < 100:
			conn.reset(stream, codeRefused)
		case chance < 150:
			conn.reset(stream, codeProtocol)
		case chance < 155 && stream > conn.highest:
			conn.shutDown()
		case chance < 210:
			c.handle(create.ID)
			conn.highest = max(conn.highest, stream)
			conn.reset(stream, codeProtocol)
		case chance < 212:
			c.handle(create.ID)
			_ = conn.Close()
		default:
			c.handle(create.ID)
			conn.answer(stream)
		}
	})
	config := Config{TLSConfig: s.Client().Transport.(*http.Transport).TLSClientConfig}
	c.check(t, sendCreates(t, config, s.URL, howMany(t), true))
}

const nginxConfig = `
daemon off;
worker_processes 2;
pid nginx.pid;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	server {
		listen %s ssl http2;
		ssl_certificate certificate.pem;
		ssl_certificate_key key.pem;
		location / {
			proxy_pass http://%s;
			proxy_set_header X-Protocol $server_protocol;
		}
	}
}
`

// TestCreatesOverReloads sends creates through nginx, which speaks HTTP/2 and is
// reloaded all the time: each is done, once.
func TestCreatesOverReloads(t *testing.T) {
	t.Parallel()
	nginx := program(t, "AUTHENTIK_TEST_NGINX")
	c := &creates{handled: map[int]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if protocol := r.Header.Get("X-Protocol"); protocol != "HTTP/2.0" {
			t.Errorf("nginx was asked by %s", protocol)
		}
		c.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	secure := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(secure.Close)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // for nginx
	command := startNginx(t, nginx, secure, fmt.Sprintf(nginxConfig, address, server.Listener.Addr()), address)

	stop, stopped := make(chan struct{}), make(chan struct{})
	reloads := 0
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				_ = command.Process.Signal(syscall.SIGHUP)
				reloads++
			}
		}
	}()
	n := howMany(t)
	config := Config{TLSConfig: secure.Client().Transport.(*http.Transport).TLSClientConfig}
	outcomes := sendCreates(t, config, "https://"+address, n, false)
	close(stop)
	<-stopped
	if count := c.check(t, outcomes); count[done] != n || reloads == 0 {
		t.Errorf("over %d reloads, %d of %d creates are done", reloads, count[done], n)
	}
	t.Logf("%d reloads", reloads)
}

// startNginx runs nginx with the certificate of a server, until the test ends, and
// returns once it listens at the address.
func startNginx(t *testing.T, nginx string, secure *httptest.Server, config, address string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	certificate := secure.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write("certificate.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
	write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	write("nginx.conf", []byte(config))
	command := exec.CommandContext(t.Context(), nginx, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) } // a kill would leave its workers
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	t.Cleanup(func() {
		<-ended // as the context of the test has
		if t.Failed() {
			t.Log(output.String())
		}
	})
	for {
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
			_ = conn.Close()
			return command
		}
		select {
		case <-ended:
			t.Fatal("nginx ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestCreatesByFetch sends creates from WebAssembly, where net/http sends by fetch of
// JavaScript, to a server that cuts some connections before or after it handled them.
func TestCreatesByFetch(t *testing.T) {
	t.Parallel()
	node := program(t, "AUTHENTIK_TEST_NODE")
	c := &creates{handled: map[int]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chance := rand.N(100)
		if chance > 0 {
			c.ServeHTTP(w, r)
		}
		if chance < 3 {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	binary := filepath.Join(t.TempDir(), "fetch.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./testdata/fetch")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	n := howMany(t)
	run := exec.CommandContext(t.Context(), node, filepath.Join(strings.TrimSpace(string(root)), "lib/wasm/wasm_exec_node.js"), binary, server.URL, strconv.Itoa(n))
	run.Args[0] = "browser" // net/http has no fetch if this is node
	output, err := run.CombinedOutput()
	if outcomes := strings.Fields(string(output)); err != nil || len(outcomes) != n {
		t.Fatalf("%v: %.2000s", err, output)
	} else if count := c.check(t, outcomes); count[done] == 0 || count[unknown] == 0 || count[failed] > 0 {
		t.Errorf("what ended so: %v", count)
	}
}
