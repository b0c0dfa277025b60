package transport

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The frames of HTTP/2 that the server below knows, and the codes of its resets.
const (
	frameData    = 0
	frameHeaders = 1
	frameReset   = 3
	frameSetting = 4
	frameGoAway  = 7
	frameWindow  = 8

	flagEnd = 1 // of a stream, and of settings that it acknowledges them

	codeNone     = 0
	codeProtocol = 1
	codeRefused  = 7
)

// streams is a server of HTTP/2 that reads each request to its end, and then does
// what it is told instead of answering.
type streams struct {
	*httptest.Server
	handled atomic.Int32 // requests read
	end     func(c *streamConn, stream uint32, body []byte)
}

// streamConn is a connection to it.
type streamConn struct {
	net.Conn
	highest uint32 // stream that was answered
	ended   bool   // by a GOAWAY, which said so of the highest
}

func (c *streamConn) write(kind, flags byte, stream uint32, payload []byte) {
	header := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	_, _ = c.Write(append(binary.BigEndian.AppendUint32(header, stream), payload...))
}

func (c *streamConn) answer(stream uint32) {
	c.highest = max(c.highest, stream)
	c.write(frameHeaders, 4|flagEnd, stream, []byte{0x88}) // :status 200
}

func (c *streamConn) reset(stream, code uint32) { c.write(frameReset, 0, stream, number(code)) }

// shutDown ends the connection, and says that nothing above the highest stream was handled.
func (c *streamConn) shutDown() {
	c.ended = true
	c.write(frameGoAway, 0, 0, append(number(c.highest), number(codeNone)...))
}

func serveStreams(t *testing.T, end func(c *streamConn, stream uint32, body []byte)) *streams {
	t.Helper()
	s := &streams{end: end}
	s.Server = httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { s.serve(&streamConn{Conn: conn}) },
	}
	s.TLS = &tls.Config{NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *streams) serve(c *streamConn) {
	defer c.Close()
	if _, err := io.CopyN(io.Discard, c, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	c.write(frameSetting, 0, 0, nil)
	bodies := map[uint32][]byte{}
	var header [9]byte
	for {
		if _, err := io.ReadFull(c, header[:]); err != nil {
			return
		}
		payload := make([]byte, uint32(header[0])<<16|uint32(header[1])<<8|uint32(header[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			return
		}
		kind, flags, stream := header[3], header[4], binary.BigEndian.Uint32(header[5:])
		if kind == frameData && len(payload) > 0 {
			bodies[stream] = append(bodies[stream], payload...)
			c.write(frameWindow, 0, 0, number(uint32(len(payload))))
		}
		switch {
		case kind == frameSetting && flags&flagEnd == 0:
			c.write(frameSetting, flagEnd, 0, nil)
		case (kind == frameHeaders || kind == frameData) && flags&flagEnd != 0 && (!c.ended || stream <= c.highest):
			s.handled.Add(1)
			s.end(c, stream, bodies[stream])
			delete(bodies, stream)
		}
	}
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// post sends a request through a client of its own.
func post(t *testing.T, s *streams, request Request, retries int) (*Response, error) {
	t.Helper()
	client := newClient(t, Config{Retries: retries, TLSConfig: s.Client().Transport.(*http.Transport).TLSClientConfig})
	request.URL = parse(t, s.URL+"/api/v3/core/users/")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return client.Do(ctx, request)
}

func newClient(t *testing.T, config Config) *Client {
	t.Helper()
	config.Token = func(context.Context) (string, error) { return "token", nil }
	config.AddHeaders = func(http.Header) {}
	config.Logger = slog.New(slog.DiscardHandler)
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func jsonBody() *Body {
	return &Body{ContentType: "application/json", Size: 2, Open: func() (io.Reader, error) { return strings.NewReader("{}"), nil }}
}

// TestResetStreams has a server read whole requests and reset their streams: net/http
// of Go 1.26 would send them again and again.
func TestResetStreams(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request Request
		code    uint32
		retries int
		handled int32 // at most
		unknown bool
	}{
		"a create":                  {Request{Method: http.MethodPost, Body: jsonBody(), Creates: true}, codeProtocol, 3, 1, true},
		"a create without a body":   {Request{Method: http.MethodPost, Creates: true}, codeProtocol, 3, 1, true},
		"an update":                 {Request{Method: http.MethodPatch, Body: jsonBody()}, codeProtocol, 3, 4, true},
		"a delete":                  {Request{Method: http.MethodDelete}, codeProtocol, 3, 4, true},
		"a create that is refused":  {Request{Method: http.MethodPost, Body: jsonBody(), Creates: true}, codeRefused, 1, 2 * (maxResends + 1), false},
		"a refusal without retries": {Request{Method: http.MethodPost, Creates: true}, codeRefused, 0, maxResends + 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveStreams(t, func(c *streamConn, stream uint32, _ []byte) { c.reset(stream, test.code) })
			response, err := post(t, s, test.request, test.retries)
			if err == nil || response.Unknown != test.unknown {
				t.Errorf("error %v, unknown: %v", err, response.Unknown)
			}
			if n := s.handled.Load(); n < 1 || n > test.handled {
				t.Errorf("the server read %d requests, want at most %d", n, test.handled)
			}
		})
	}
}

// TestRefusedStreamIsSentAgain has a server refuse the first streams, which it did
// not handle, and shut down.
func TestRefusedStreamIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(c *streamConn, stream uint32){
		"refused":   func(c *streamConn, stream uint32) { c.reset(stream, codeRefused) },
		"shut down": func(c *streamConn, _ uint32) { c.shutDown() },
	} {
		for body, request := range map[string]Request{
			"with a body":    {Method: http.MethodPost, Body: jsonBody(), Creates: true},
			"without a body": {Method: http.MethodPost, Creates: true},
		} {
			t.Run(name+" "+body, func(t *testing.T) {
				t.Parallel()
				var streams atomic.Int32
				s := serveStreams(t, func(c *streamConn, stream uint32, _ []byte) {
					if streams.Add(1) < 3 {
						refuse(c, stream)
						return
					}
					c.answer(stream)
				})
				response, err := post(t, s, request, 0)
				if err != nil || response.Status != http.StatusOK || s.handled.Load() != 3 {
					t.Errorf("got %d, %v after %d requests", response.Status, err, s.handled.Load())
				}
			})
		}
	}
}
