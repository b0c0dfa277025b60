package transport

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
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
	end     func(write func(kind, flags byte, stream uint32, payload []byte), stream uint32)
}

func serveStreams(t *testing.T, end func(write func(kind, flags byte, stream uint32, payload []byte), stream uint32)) *streams {
	t.Helper()
	s := &streams{end: end}
	s.Server = httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { s.serve(conn) },
	}
	s.TLS = &tls.Config{NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *streams) serve(conn net.Conn) {
	defer conn.Close()
	if _, err := io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	write := func(kind, flags byte, stream uint32, payload []byte) {
		header := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
		_, _ = conn.Write(append(binary.BigEndian.AppendUint32(header, stream), payload...))
	}
	write(frameSetting, 0, 0, nil)
	var header [9]byte
	for {
		if _, err := io.ReadFull(conn, header[:]); err != nil {
			return
		}
		length := int64(header[0])<<16 | int64(header[1])<<8 | int64(header[2])
		if _, err := io.CopyN(io.Discard, conn, length); err != nil {
			return
		}
		kind, flags, stream := header[3], header[4], binary.BigEndian.Uint32(header[5:])
		switch {
		case kind == frameSetting && flags&flagEnd == 0:
			write(frameSetting, flagEnd, 0, nil)
		case (kind == frameHeaders || kind == frameData) && flags&flagEnd != 0:
			s.handled.Add(1)
			s.end(write, stream)
		}
	}
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// post sends a request through a client of its own.
func post(t *testing.T, s *streams, request Request, retries int) (*Response, error) {
	t.Helper()
	client, err := New(Config{
		Token:      func(context.Context) (string, error) { return "token", nil },
		AddHeaders: func(http.Header) {},
		Logger:     slog.New(slog.DiscardHandler),
		Retries:    retries,
		TLSConfig:  s.Client().Transport.(*http.Transport).TLSClientConfig,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	if request.URL, err = url.Parse(s.URL + "/api/v3/core/users/"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return client.Do(ctx, request)
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
			s := serveStreams(t, func(write func(kind, flags byte, stream uint32, payload []byte), stream uint32) {
				write(frameReset, 0, stream, number(test.code))
			})
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
	answer := func(write func(kind, flags byte, stream uint32, payload []byte), stream uint32) {
		write(frameHeaders, 4|flagEnd, stream, []byte{0x88}) // :status 200
	}
	for name, refuse := range map[string]func(write func(kind, flags byte, stream uint32, payload []byte), stream uint32){
		"refused": func(write func(kind, flags byte, stream uint32, payload []byte), stream uint32) {
			write(frameReset, 0, stream, number(codeRefused))
		},
		"shut down": func(write func(kind, flags byte, stream uint32, payload []byte), _ uint32) {
			write(frameGoAway, 0, 0, append(number(0), number(codeNone)...)) // stream 0 is the last it handled
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var streams int
			s := serveStreams(t, func(write func(kind, flags byte, stream uint32, payload []byte), stream uint32) {
				if streams++; streams < 3 {
					refuse(write, stream)
					return
				}
				answer(write, stream)
			})
			response, err := post(t, s, Request{Method: http.MethodPost, Body: jsonBody(), Creates: true}, 0)
			if err != nil || response.Status != http.StatusOK || s.handled.Load() != 3 {
				t.Errorf("got %d, %v after %d requests", response.Status, err, s.handled.Load())
			}
		})
	}
}

// alternative is a protocol that net/http's transport has registered: it calls no
// hook.
type alternative struct{ handled atomic.Int32 }

func (a *alternative) RoundTrip(req *http.Request) (*http.Response, error) {
	a.handled.Add(1)
	_, _ = io.Copy(io.Discard, req.Body)
	return nil, errors.New("the connection broke")
}

// failOver sends a request again by itself, to where nothing listens.
type failOver struct {
	base    *http.Transport
	handled atomic.Int32
}

func (f *failOver) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := f.base.RoundTrip(req)
	if err == nil {
		return resp, nil
	}
	f.handled.Add(1)
	again := req.Clone(req.Context())
	again.URL.Host = "127.0.0.1:1"
	again.Body = http.NoBody
	return f.base.RoundTrip(again)
}

// TestCertaintyIsEarned sends creates through transports that tell little: what may
// have been handled is not sent again, and known as such.
func TestCertaintyIsEarned(t *testing.T) {
	t.Parallel()
	cut := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(cut.Close)
	registered := &alternative{}
	withProtocol := &http.Transport{}
	withProtocol.RegisterProtocol("http", registered)
	over := &failOver{base: &http.Transport{}}
	t.Cleanup(over.base.CloseIdleConnections)
	for name, test := range map[string]struct {
		transport http.RoundTripper
		handled   *atomic.Int32
		unknown   bool
	}{
		"a registered protocol": {withProtocol, &registered.handled, true},
		"a fail-over":           {over, &over.handled, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := New(Config{
				Token:      func(context.Context) (string, error) { return "token", nil },
				AddHeaders: func(http.Header) {},
				Logger:     slog.New(slog.DiscardHandler),
				Retries:    3,
				HTTPClient: &http.Client{Transport: test.transport},
			})
			if err != nil {
				t.Fatal(err)
			}
			u, _ := url.Parse(cut.URL + "/api/v3/core/users/")
			response, err := client.Do(t.Context(), Request{Method: http.MethodPost, URL: u, Body: jsonBody(), Creates: true})
			if err == nil || response.Unknown != test.unknown || response.Attempts != 1 || test.handled.Load() != 1 {
				t.Errorf("error %v, unknown %v after %d attempts, %d handled", err, response.Unknown, response.Attempts, test.handled.Load())
			}
		})
	}
}
