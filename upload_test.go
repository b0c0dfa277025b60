package authentik_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

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

// TestNameOfAnUpload has files that are not in the file system: authentik takes the
// extension of what it stores from the name.
func TestNameOfAnUpload(t *testing.T) {
	t.Parallel()
	file, err := fstest.MapFS{"icons/logo.svg": {Data: []byte("<svg/>")}}.Open("icons/logo.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		content        io.Reader
		filename, want string
	}{
		{file, "", "logo.svg"},
		{file, "other.svg", "other.svg"},
		{strings.NewReader("x"), "", "file"},
		{strings.NewReader("x"), "logo.svg", "logo.svg"},
	} {
		client, sent := recorder(t, http.StatusNoContent, "")
		if err := client.FlowsInstances.SetBackground(t.Context(), "login", &authentik.FlowUploadRequest{File: test.content, Filename: test.filename}); err != nil {
			t.Fatal(err)
		}
		if body := (*sent)[0].Body; !strings.Contains(body, `filename="`+test.want+`"`) || strings.Count(body, "form-data") != 1 {
			t.Errorf("sent %s, want %s", body, test.want)
		}
	}
}

// TestReaderBehindItsEnd has nothing to send.
func TestReaderBehindItsEnd(t *testing.T) {
	t.Parallel()
	content := strings.NewReader("content")
	if _, err := content.Seek(100, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	client, sent := recorder(t, http.StatusNoContent, "")
	err := client.FlowsInstances.SetBackground(t.Context(), "login", &authentik.FlowUploadRequest{File: content})
	if err == nil || !strings.Contains(err.Error(), "past its end") || len(*sent) != 0 {
		t.Errorf("error %v after %d requests", err, len(*sent))
	}
}

// TestTextThatIsNotUTF8 is sent by no request: the server would store another text.
func TestTextThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	client, sent := recorder(t, http.StatusNoContent, "")
	err := client.CoreUsers.SetPassword(t.Context(), 7, &authentik.UserPasswordSetRequest{Password: "p\xffssword"})
	if err == nil || !strings.HasSuffix(err.Error(), "not UTF-8") || len(*sent) != 0 {
		t.Errorf("error %v after %d requests", err, len(*sent))
	}
}

// TestRedirectWithAnotherContext has a CheckRedirect that loses what the SDK keeps
// there.
func TestRedirectWithAnotherContext(t *testing.T) {
	t.Parallel()
	hc := &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		*r = *r.WithContext(t.Context())
		return nil
	}}
	_, mock := mockClient(t)
	hc.Transport = mock
	client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(hc))
	if err != nil {
		t.Fatal(err)
	}
	mock.RegisterNoResponder(answer(http.StatusFound, http.Header{"Location": {"/elsewhere/"}}, ""))
	if _, err := client.CoreUsers.Retrieve(t.Context(), 7); err == nil || !strings.Contains(err.Error(), "another context") {
		t.Errorf("error %v", err)
	}
}
