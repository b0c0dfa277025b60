package authentik_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
)

// TestContentIsTheCallersAfterTheCall answers before the body is read, and reads
// it later, as the transport does.
func TestContentIsTheCallersAfterTheCall(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]interface {
		io.Reader
		Len() int
	}{
		"read anew":  strings.NewReader("content"),
		"read once":  bytes.NewBufferString("content"),
		"known size": readerWithLen{strings.NewReader("content"), 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, mock := mockClient(t)
			var late io.Reader
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				late = r.Body
				return answer(http.StatusBadRequest, nil, `{"file":["no"]}`)(r)
			})
			err := authentik.Upload(t.Context(), client, "admin/file/", nil, "x", content)
			if !errors.Is(err, authentik.ErrBadRequest) {
				t.Fatalf("error %v", err)
			}
			if b, err := io.ReadAll(late); !errors.Is(err, io.ErrClosedPipe) || bytes.Contains(b, []byte("content")) {
				t.Errorf("the transport has read %q after the call, error %v", b, err)
			}
			if b, err := io.ReadAll(content); string(b) != "content" || err != nil {
				t.Errorf("the caller has read %q, error %v", b, err)
			}
		})
	}
}

// TestEarlyAnswerToAnUpload is for the race detector.
func TestEarlyAnswerToAnUpload(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}))
	t.Cleanup(server.Close)
	client, err := authentik.NewClient(server.URL, apiToken, authentik.WithHTTPClient(httpClient(t)))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		for _, content := range []io.Reader{bytes.NewReader(make([]byte, 8<<20)), bytes.NewBuffer(make([]byte, 8<<20))} {
			if err := authentik.Upload(t.Context(), client, "admin/file/", nil, "x", content); err == nil {
				t.Error("no error")
			}
			_, _ = content.Read(make([]byte, 10))
		}
	}
}
