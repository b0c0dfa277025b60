package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"testing"
)

// silent is a round tripper that handles requests, calls no hook, and says that it
// failed.
type silent struct {
	handled atomic.Int32
	err     error
}

func (s *silent) RoundTrip(req *http.Request) (*http.Response, error) {
	s.handled.Add(1)
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
	}
	return nil, s.err
}

// failOver sends what failed again by itself, to another server.
type failOver struct {
	http.RoundTripper
	to string
}

func (f *failOver) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := f.RoundTripper.RoundTrip(req)
	if err == nil {
		return resp, nil
	}
	u := *req.URL
	u.Host = f.to
	again := req.Clone(req.Context())
	again.URL, again.Body = &u, emptyBody{}
	return f.RoundTripper.RoundTrip(again)
}

// wrapped is a transport of a user around net/http's, whose hooks it keeps.
type wrapped struct{ http.RoundTripper }

// nowhere is an address where nothing listens. A port that was free a moment ago may be
// that of another test by now.
const nowhere = "127.0.0.1:1"

// cutting is a server that handles each request and cuts the connection.
func cutting(t *testing.T, start func(*httptest.Server)) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var handled atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		handled.Add(1)
		panic(http.ErrAbortHandler)
	}))
	start(s)
	t.Cleanup(s.Close)
	return s, &handled
}

// netTransport is net/http's, which trusts the server s if there is one.
func netTransport(t *testing.T, s *httptest.Server) *http.Transport {
	t.Helper()
	transport := &http.Transport{}
	if s != nil {
		transport = s.Client().Transport.(*http.Transport).Clone()
		transport.ForceAttemptHTTP2 = true
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// TestCertaintyIsEarned sends creates through transports that say of what they sent
// that nothing was sent. Only the hooks of net/http are believed: what may have been
// handled is not sent again, and known as such.
func TestCertaintyIsEarned(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"refused":          &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
		"unknown host":     &net.DNSError{Err: "no such host", Name: "host", IsNotFound: true},
		"no route":         &net.DNSError{Err: "server misbehaving", Name: "host", IsTemporary: true},
		"a certificate":    &tls.CertificateVerificationError{Err: errors.New("expired")},
		"a refused stream": errors.New("stream error: stream ID 1; REFUSED_STREAM; received from peer"),
		"a shutdown":       errors.New("http2: Transport received Server's graceful shutdown GOAWAY"),
		"a proxy":          errors.New(http.StatusText(http.StatusBadGateway)),
		"cut":              io.ErrUnexpectedEOF,
	} {
		for _, registers := range []bool{false, true} {
			for _, request := range []Request{{Method: http.MethodPost, Creates: true, Body: jsonBody()}, {Method: http.MethodPost, Creates: true}} {
				t.Run(fmt.Sprintf("%s, registered %v, with a body %v", name, registers, request.Body != nil), func(t *testing.T) {
					t.Parallel()
					transport := &silent{err: err}
					httpClient := &http.Client{Transport: transport}
					if registers {
						withProtocol := netTransport(t, nil)
						withProtocol.RegisterProtocol("http", transport)
						httpClient.Transport = withProtocol
					}
					request.URL = parse(t, "http://host/api/v3/core/users/")
					response, err := newClient(t, Config{Retries: 3, HTTPClient: httpClient}).Do(t.Context(), request)
					if err == nil || !response.Unknown || response.Attempts != 1 || transport.handled.Load() != 1 {
						t.Errorf("error %v, unknown %v after %d attempts, %d handled", err, response.Unknown, response.Attempts, transport.handled.Load())
					}
					if _, isProxy := errors.AsType[*proxyError](err); isProxy {
						t.Errorf("%v is taken for that of a proxy", err)
					}
				})
			}
		}
	}
}

// TestFailOver sends creates through a transport that sends what failed again by
// itself: what the first server handled is in doubt, whatever the second says.
func TestFailOver(t *testing.T) {
	t.Parallel()
	refuses := serveStreams(t, func(c *streamConn, stream uint32, _ []byte) { c.reset(stream, codeRefused) })
	for name, start := range map[string]func(*httptest.Server){
		"from HTTP/1": (*httptest.Server).StartTLS,
		"from HTTP/2": func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
	} {
		for second, to := range map[string]string{"nothing listens": nowhere, "refuses the stream": refuses.Listener.Addr().String()} {
			for _, request := range []Request{{Method: http.MethodPost, Creates: true, Body: jsonBody()}, {Method: http.MethodPost, Creates: true}} {
				t.Run(fmt.Sprintf("%s to where %s, with a body %v", name, second, request.Body != nil), func(t *testing.T) {
					t.Parallel()
					first, handled := cutting(t, start)
					over := &failOver{netTransport(t, first), to} // all servers of httptest have one certificate
					request.URL = parse(t, first.URL+"/api/v3/core/users/")
					client := newClient(t, Config{Retries: 3, HTTPClient: &http.Client{Transport: over}})
					response, err := client.Do(t.Context(), request)
					if err == nil || !response.Unknown || response.Attempts != 1 || handled.Load() != 1 {
						t.Errorf("error %v, unknown %v after %d attempts, %d handled", err, response.Unknown, response.Attempts, handled.Load())
					}
				})
			}
		}
	}
}

// TestNoConnectionIsCertain has nothing listen, as the hooks say through any transport
// that keeps them: a create is repeated, and known not to be done.
func TestNoConnectionIsCertain(t *testing.T) {
	t.Parallel()
	for name, transport := range map[string]http.RoundTripper{
		"net/http's":   netTransport(t, nil),
		"wrapped":      wrapped{netTransport(t, nil)},
		"a fail-over":  &failOver{netTransport(t, nil), nowhere},
		"its dialer's": &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not now") }},
	} {
		for scheme, request := range map[string]Request{
			"http":  {Method: http.MethodPost, Creates: true, Body: jsonBody()},
			"https": {Method: http.MethodPost, Creates: true},
		} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				t.Parallel()
				request.URL = parse(t, scheme+"://"+nowhere+"/api/v3/core/users/")
				response, err := newClient(t, Config{Retries: 3, HTTPClient: &http.Client{Transport: transport}}).Do(t.Context(), request)
				if err == nil || response.Unknown || response.Attempts != 4 || response.Refused {
					t.Errorf("error %v, unknown %v, refused %v after %d attempts", err, response.Unknown, response.Refused, response.Attempts)
				}
			})
		}
	}
}

// TestNothingIsSentAfterTheEnd gives a request to no transport once its context has
// ended, though the transport would not look.
func TestNothingIsSentAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New(http.StatusText(http.StatusBadGateway)) // which no proxy said
	cancel(cause)
	transport := &silent{err: errors.New("sent")}
	client := newClient(t, Config{HTTPClient: &http.Client{Transport: transport}})
	response, err := client.Do(ctx, Request{Method: http.MethodPost, Creates: true, Body: jsonBody(), URL: parse(t, "http://host/")})
	if _, isProxy := errors.AsType[*proxyError](err); !errors.Is(err, cause) || !errors.Is(err, context.Canceled) || isProxy {
		t.Errorf("error %v", err)
	}
	if response.Unknown || transport.handled.Load() != 0 {
		t.Errorf("unknown %v, %d sent", response.Unknown, transport.handled.Load())
	}
}

// TestRedirectToHTTP2 redirects a create from HTTP/1 to a server that refuses streams
// before it answers: what the first server answered is no doubt.
func TestRedirectToHTTP2(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]Request{
		"with a body":    {Method: http.MethodPost, Body: jsonBody(), Creates: true},
		"without a body": {Method: http.MethodPost, Creates: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var refused atomic.Int32
			secure := serveStreams(t, func(c *streamConn, stream uint32, _ []byte) {
				if refused.Add(1) <= 2*maxResends {
					c.reset(stream, codeRefused)
					return
				}
				c.answer(stream)
			})
			plain := httptest.NewServer(http.RedirectHandler(secure.URL+"/api/v3/core/users/", http.StatusTemporaryRedirect))
			t.Cleanup(plain.Close)
			request.URL = parse(t, plain.URL+"/api/v3/core/users/")
			client := newClient(t, Config{Retries: 1, HTTPClient: &http.Client{Transport: netTransport(t, secure.Server)}})
			response, err := client.Do(t.Context(), request)
			if err != nil || response.Unknown || response.Status != http.StatusOK || response.Attempts != 2 {
				t.Errorf("%d, error %v, unknown %v after %d attempts", response.Status, err, response.Unknown, response.Attempts)
			}
		})
	}
}

// TestEmptyBodies sends writes without a body: never in chunks over HTTP/1, which not
// every proxy takes, and with a length that is known there.
func TestEmptyBodies(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*httptest.Server){
		"HTTP/1":          (*httptest.Server).Start,
		"HTTP/1 over TLS": (*httptest.Server).StartTLS,
		"HTTP/2":          func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
		"HTTP/2 in clear": func(s *httptest.Server) {
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if len(body) > 0 || err != nil || r.TransferEncoding != nil || r.ProtoMajor == 1 && r.Header.Get("Content-Length") != "" && r.ContentLength != 0 {
					t.Errorf("%s %s of length %d in %v: %q, %v", r.Method, r.Proto, r.ContentLength, r.TransferEncoding, body, err)
				}
				if r.ProtoMajor == 1 && r.ContentLength != 0 {
					t.Errorf("%s of length %d", r.Method, r.ContentLength)
				}
			}))
			start(s)
			t.Cleanup(s.Close)
			transport := netTransport(t, s)
			transport.Protocols = s.Config.Protocols
			client := newClient(t, Config{HTTPClient: &http.Client{Transport: transport}})
			for range 2 { // the second knows the protocol
				for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodPatch} {
					response, err := client.Do(t.Context(), Request{Method: method, URL: parse(t, s.URL), Creates: method == http.MethodPost})
					if err != nil || response.Status != http.StatusOK || response.Unknown || response.Repeated {
						t.Errorf("%s: %d, %v", method, response.Status, err)
					}
				}
			}
		})
	}
}

// TestResetStreamsInClear has the transport speak HTTP/2 without TLS, where no
// connection says which protocol it is of.
func TestResetStreamsInClear(t *testing.T) {
	t.Parallel()
	s := &streams{end: func(c *streamConn, stream uint32, _ []byte) { c.reset(stream, codeProtocol) }}
	address := listen(t, func(conn net.Conn) { s.serve(&streamConn{Conn: conn}) })
	transport := netTransport(t, nil)
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetUnencryptedHTTP2(true)
	for _, request := range []Request{{Method: http.MethodPost, Creates: true, Body: jsonBody()}, {Method: http.MethodPost, Creates: true}} {
		before := s.handled.Load()
		request.URL = parse(t, "http://"+address+"/api/v3/core/users/")
		response, err := newClient(t, Config{Retries: 3, HTTPClient: &http.Client{Transport: transport}}).Do(t.Context(), request)
		if n := s.handled.Load() - before; err == nil || !response.Unknown || n != 1 {
			t.Errorf("error %v, unknown %v, %d handled", err, response.Unknown, n)
		}
	}
}

// TestUnusedConnection has the connection end between two requests, as net/http says in
// words alone: they are believed if nothing was written.
func TestUnusedConnection(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"http2: client conn not usable", "http2: client conn could not be established", "net/http: cannot rewind body after connection loss"} {
		for _, written := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, written %v", text, written), func(t *testing.T) {
				t.Parallel()
				var sent atomic.Int32
				transport := roundTripper(func(req *http.Request) (*http.Response, error) {
					trace := httptrace.ContextClientTrace(req.Context())
					trace.GetConn("host:443")
					trace.GotConn(httptrace.GotConnInfo{})
					if sent.Add(1) == 2 {
						return httptest.NewRecorder().Result(), nil
					}
					if written {
						trace.WroteHeaders()
					}
					return nil, errors.New(text)
				})
				client := newClient(t, Config{HTTPClient: &http.Client{Transport: transport}})
				response, err := client.Do(t.Context(), Request{Method: http.MethodPost, Creates: true, Body: jsonBody(), URL: parse(t, "https://host/")})
				if response.Unknown != written || (err != nil) != written {
					t.Errorf("error %v, unknown %v", err, response.Unknown)
				}
			})
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
