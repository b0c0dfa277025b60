package flow

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/authentik-go/authentik"
)

// FuzzChallenge reads any JSON as a challenge, and shows and compares it.
func FuzzChallenge(f *testing.F) {
	for _, s := range readScenarios(f) {
		for _, e := range s.exchanges {
			if e.component() != "" {
				f.Add([]byte(e.Body))
			}
		}
	}
	f.Add([]byte(`{"component":"ak-stage-new","response_errors":null}`))
	f.Add([]byte(`{"component":"ak-stage-prompt","fields":[null]}`))
	f.Add([]byte(`{"component":"ak-stage-identification","sources":[{"challenge":{"component":"x"}},null],"captcha_stage":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := decodeChallenge(body)
		if err != nil {
			return
		}
		if c.Base().Component == "" || imprint(c) == "" {
			t.Errorf("%s has no component", body)
		}
		_ = fmt.Sprintf("%v %+v", c, c.Base())
		if _, err := encode(RawAnswer{}, c.Base().Component); err != nil {
			t.Error(err)
		}
	})
}

// script is a transport that answers with its lines, and then with the same for ever:
// a line that begins with an r is a redirect, one with an x no answer, and the rest
// are bodies.
type script struct {
	lines [][]byte
	asked int
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	s.asked++
	line := []byte("r")
	if len(s.lines) > 0 {
		line, s.lines = s.lines[0], s.lines[1:]
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: req, Body: http.NoBody, ProtoMajor: 1, ProtoMinor: 1}
	switch {
	case bytes.HasPrefix(line, []byte("r")):
		resp.StatusCode = http.StatusFound
		resp.Header.Set("Location", req.URL.RequestURI())
	case bytes.HasPrefix(line, []byte("x")):
		return nil, io.ErrUnexpectedEOF
	default:
		resp.Header.Add("Set-Cookie", fmt.Sprintf("%s=%d; Path=/", csrfCookie, s.asked))
		resp.Body = io.NopCloser(bytes.NewReader(line))
	}
	return resp, nil
}

// FuzzRun gives a run any answers of a server, and the server any answers of a run.
func FuzzRun(f *testing.F) {
	for _, s := range readScenarios(f) {
		var lines [][]byte
		for _, e := range s.exchanges {
			switch {
			case e.Status == http.StatusFound:
				lines = append(lines, []byte("r"))
			case e.component() != "":
				lines = append(lines, e.Body)
			}
		}
		f.Add(bytes.Join(lines, []byte("\n")), []byte{255, 0, 5, 20, 22, 3})
	}
	f.Add([]byte("{\"component\":\"a\"}\nx\nx\n{\"component\":\"a\"}"), []byte{255, 100, 100, 255})
	all := append(slices.Clone(answers), RawAnswer{"a": 1}, RawAnswer(nil), PromptAnswer(nil), nil)
	f.Fuzz(func(t *testing.T, replies, choices []byte) {
		server := &script{lines: bytes.Split(replies, []byte("\n"))}
		client, err := authentik.NewClient("http://authentik.example.com", "token", authentik.WithHTTPClient(&http.Client{Transport: server}), authentik.WithRetries(1, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Start(t.Context(), client, "login", nil)
		calls := 1
		if err == nil {
			for _, choice := range choices[:min(len(choices), 50)] {
				calls++
				if choice >= 100 && choice < 150 {
					_ = r.Refresh(t.Context())
				} else {
					_ = r.Answer(t.Context(), all[int(choice)%len(all)])
				}
				if r.Challenge() == nil {
					t.Fatal("there is no challenge")
				}
				_, _, _ = r.Done(), r.To(), fmt.Sprint(r)
			}
		}
		if most := calls * 2 * (maxRedirects + 1); server.asked > most { // each twice, and users/me
			t.Errorf("%d calls made %d requests", calls, server.asked)
		}
	})
}
