package authentiktest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/authentiktest"
)

func TestUpload(t *testing.T) {
	t.Parallel()
	form := func(parts ...string) string { return "--x\r\n" + strings.Join(parts, "\r\n--x\r\n") + "\r\n--x--\r\n" }
	file := "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\nsome bytes"
	name := "Content-Disposition: form-data; name=\"name\"\r\n\r\nlogo"
	for _, test := range []struct {
		mediaType, body string
		status          int
		want            string
	}{
		{"multipart/form-data; boundary=x", form(file, name), http.StatusOK, ""},
		{"multipart/form-data; boundary=x", form(name), http.StatusBadRequest, `{"file":["No file was submitted."]}`},
		{"multipart/form-data; boundary=x", "--x", http.StatusBadRequest, "Multipart form parse error"},
		{"application/json", `{"file":"a"}`, http.StatusUnsupportedMediaType, "Unsupported media type"},
	} {
		server := newServer(t)
		status, answer := upload(t, server, test.mediaType, test.body)
		if status != test.status || !strings.Contains(answer, test.want) {
			t.Errorf("%q: %d %s, want %d %s", test.body, status, answer, test.status, test.want)
		}
		if got := server.File("logo.png"); test.status == http.StatusOK && string(got) != "some bytes" {
			t.Errorf("the server keeps %q", got)
		}
		if got := server.Requests()[0].Body; string(got) != test.body {
			t.Errorf("the server remembers %q, want %q", got, test.body)
		}
	}
}

func upload(t *testing.T, server *authentiktest.Server, mediaType, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v3/admin/file/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+server.Token)
	request.Header.Set("Content-Type", mediaType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var read bytes.Buffer
	_, _ = read.ReadFrom(response.Body)
	return response.StatusCode, read.String()
}
