package transport

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// listen runs a server of a protocol of its own.
func listen(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// tunnel connects conn with the server at address.
func tunnel(t *testing.T, conn io.ReadWriter, address string) {
	t.Helper()
	server, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return
	}
	go func() {
		defer server.Close()
		_, _ = io.Copy(server, conn)
	}()
	_, _ = io.Copy(conn, server)
}

// connecting is a proxy that answers CONNECT so, as often as fails says, and then
// connects.
func connecting(t *testing.T, status, to string, fails int32) (*url.URL, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	address := listen(t, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		req, err := http.ReadRequest(r)
		if err != nil || req.Method != http.MethodConnect {
			t.Errorf("the proxy got %v, %v", req, err)
			return
		}
		if asked.Add(1) <= fails {
			fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status)
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		tunnel(t, struct {
			io.Reader
			io.Writer
		}{r, conn}, to)
	})
	return &url.URL{Scheme: "http", Host: address}, &asked
}

// socks is a proxy of SOCKS that chooses the method, answers a password with status,
// and a request with reply, as often as fails says, and then connects.
func socks(t *testing.T, method, status, reply byte, to string, fails int32) (*url.URL, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	address := listen(t, func(conn net.Conn) {
		failing := asked.Add(1) <= fails
		r := bufio.NewReader(conn)
		read := func(n int) []byte {
			b := make([]byte, n)
			_, _ = io.ReadFull(r, b)
			return b
		}
		read(int(read(2)[1]))
		_, _ = conn.Write([]byte{5, method})
		if method == 2 {
			read(int(read(2)[1]))
			read(int(read(1)[0]))
			_, _ = conn.Write([]byte{1, status})
		}
		read(4 + net.IPv4len + 2)
		if failing {
			_, _ = conn.Write([]byte{5, reply, 0, 1})
			return
		}
		_, _ = conn.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 0})
		tunnel(t, struct {
			io.Reader
			io.Writer
		}{r, conn}, to)
	})
	return &url.URL{Scheme: "socks5", Host: address, User: url.UserPassword("name", "password")}, &asked
}

// TestProxies has a proxy not connect. What may pass is tried again, a create as well,
// since nothing was sent; what stays is final.
func TestProxies(t *testing.T) {
	t.Parallel()
	var handled atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { handled.Add(1) }))
	t.Cleanup(server.Close)
	at := server.Listener.Addr().String()
	const always = 1 << 30
	through := func(t *testing.T, proxy *url.URL) *Client {
		t.Helper()
		transport := netTransport(t, server)
		transport.Proxy = http.ProxyURL(proxy)
		return newClient(t, Config{Retries: 3, HTTPClient: &http.Client{Transport: transport}})
	}
	connect := func(status string) func(t *testing.T, fails int32) (*url.URL, *atomic.Int32) {
		return func(t *testing.T, fails int32) (*url.URL, *atomic.Int32) {
			t.Helper()
			return connecting(t, status, at, fails)
		}
	}
	reply := func(method, status, reply byte) func(t *testing.T, fails int32) (*url.URL, *atomic.Int32) {
		return func(t *testing.T, fails int32) (*url.URL, *atomic.Int32) {
			t.Helper()
			return socks(t, method, status, reply, at, fails)
		}
	}
	for _, tt := range []struct {
		name  string
		proxy func(t *testing.T, fails int32) (*url.URL, *atomic.Int32)
		final bool
		text  string // "": the name
	}{
		{"500 Internal Server Error", connect("500 Internal Server Error"), false, ""},
		{"502 Bad Gateway", connect("502 Bad Gateway"), false, ""},
		{"503 Service Unavailable", connect("503 Service Unavailable"), false, ""},
		{"504 Gateway Timeout", connect("504 Gateway Timeout"), false, ""},
		{"408 Request Timeout", connect("408 Request Timeout"), false, ""},
		{"429 Too Many Requests", connect("429 Too Many Requests"), false, ""},
		{"503 without words", connect("503 "), false, "its answer has no words"},
		{"503 without a space", connect("503"), false, "unknown status code"},
		{"302 Found", connect("302 Found"), true, ""},
		{"400 Bad Request", connect("400 Bad Request"), true, ""},
		{"403 Forbidden", connect("403 Forbidden"), true, ""},
		{"407 Proxy Authentication Required", connect("407 Proxy Authentication Required"), true, ""},
		{"general SOCKS server failure", reply(0, 0, 1), false, ""},
		{"connection not allowed by ruleset", reply(0, 0, 2), true, ""},
		{"network unreachable", reply(0, 0, 3), false, ""},
		{"host unreachable", reply(0, 0, 4), false, ""},
		{"connection refused", reply(2, 0, 5), false, ""},
		{"TTL expired", reply(0, 0, 6), false, ""},
		{"command not supported", reply(0, 0, 7), true, ""},
		{"address type not supported", reply(0, 0, 8), true, ""},
		{"unknown code: 9", reply(0, 0, 9), false, ""},
		{"no acceptable authentication methods", reply(0xff, 0, 0), true, ""},
		{"username/password authentication failed", reply(2, 1, 0), true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			proxy, asked := tt.proxy(t, always)
			response, err := through(t, proxy).Do(t.Context(), Request{Method: http.MethodPost, URL: parse(t, server.URL), Body: jsonBody(), Creates: true})
			attempts := 4
			if tt.final {
				attempts = 1
			}
			if err == nil || response.Unknown || response.Refused != tt.final || response.Attempts != attempts || int(asked.Load()) != attempts {
				t.Errorf("error %v, unknown %v, refused %v after %d attempts", err, response.Unknown, response.Refused, response.Attempts)
			}
			for _, want := range []string{"the proxy did not connect: ", cmp.Or(tt.text, tt.name)} {
				if err != nil && (strings.Count(err.Error(), want) != 1 || strings.Contains(err.Error(), "password@")) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
		if tt.final {
			continue
		}
		t.Run(tt.name+", then it connects", func(t *testing.T) {
			t.Parallel()
			proxy, _ := tt.proxy(t, 2)
			response, err := through(t, proxy).Do(t.Context(), Request{Method: http.MethodPost, URL: parse(t, server.URL), Creates: true})
			if err != nil || response.Unknown || response.Repeated || response.Attempts != 3 {
				t.Errorf("error %v, unknown %v, repeated %v after %d attempts", err, response.Unknown, response.Repeated, response.Attempts)
			}
		})
	}
	t.Run("no SOCKS", func(t *testing.T) {
		t.Parallel()
		address := listen(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 100))
			fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
		})
		client := through(t, &url.URL{Scheme: "socks5", Host: address})
		response, err := client.Do(t.Context(), Request{Method: http.MethodPost, URL: parse(t, server.URL), Creates: true})
		if err == nil || response.Unknown || !response.Refused || response.Attempts != 1 {
			t.Errorf("error %v, unknown %v after %d attempts", err, response.Unknown, response.Attempts)
		}
	})
	t.Run("its connection breaks", func(t *testing.T) {
		t.Parallel()
		address := listen(t, func(conn net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(conn)) })
		client := through(t, &url.URL{Scheme: "http", Host: address})
		response, err := client.Do(t.Context(), Request{Method: http.MethodPost, URL: parse(t, server.URL), Creates: true})
		if err == nil || response.Unknown || response.Refused || response.Attempts != 4 {
			t.Errorf("error %v, unknown %v after %d attempts", err, response.Unknown, response.Attempts)
		}
	})
	t.Cleanup(func() {
		if n := handled.Load(); n != 14 {
			t.Errorf("%d requests handled, want one of each proxy that connects", n)
		}
	})
}
