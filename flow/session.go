package flow

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/authentik-go/authentik/internal/session"
)

const (
	csrfCookie = "authentik_csrf"
	csrfHeader = "X-authentik-CSRF"
)

// Session is what a browser would keep of one server: its cookies. They hold the
// running flow, the login, and what the server remembers of the device. A session
// belongs to the first server it is used with, and it is safe for concurrent use,
// though it can run one flow at a time: another one's beginning ends the first.
type Session struct {
	mu      sync.Mutex
	origin  string // https://host
	cookies []cookie
}

// cookie is one as it is saved.
type cookie struct {
	Name    string    `json:"name"`
	Value   string    `json:"value"`
	Path    string    `json:"path"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

// saved is a session as it is saved.
type saved struct {
	Origin  string   `json:"origin"`
	Cookies []cookie `json:"cookies"`
}

// NewSession returns a session without cookies.
func NewSession() *Session { return &Session{} }

// Save returns the session in a form for [LoadSession]. It is a secret: whoever has
// it is logged in.
func (s *Session) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return codec.Marshal(saved{s.origin, s.alive()})
}

// LoadSession returns the session that was saved, without the cookies that have
// expired since.
func LoadSession(b []byte) (*Session, error) {
	var from saved
	if err := codec.Unmarshal(b, &from); err != nil {
		return nil, errors.New("authentik: it is no saved session") // the cause may quote it
	}
	return &Session{origin: from.Origin, cookies: from.Cookies}, nil
}

// Client returns a client for the same server and with the same settings as client
// that acts as the user of the session, by its cookies and the header against CSRF
// that they need, and not by a token. Nothing but a call shows whether anybody is
// logged in; without a login, authentik answers most calls with an
// [authentik.ForbiddenError].
func (s *Session) Client(client *authentik.Client) (*authentik.Client, error) {
	if client == nil {
		return nil, errors.New("authentik: the client is nil")
	}
	origin := originOf(session.Base(client))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.origin == "" {
		s.origin = origin
	}
	if s.origin != origin {
		return nil, fmt.Errorf("authentik: the session is one of %s, and not of %s", s.origin, origin)
	}
	return session.As(client, s.authorize, s.answered).(*authentik.Client), nil
}

// Format hides the cookies.
func (s *Session) Format(f fmt.State, _ rune) { secret{}.Format(f, 'v') }

func originOf(u *url.URL) string { return strings.ToLower(u.Scheme + "://" + u.Host) }

// alive are the cookies that have not expired.
func (s *Session) alive() []cookie {
	return slices.DeleteFunc(slices.Clone(s.cookies), func(c cookie) bool {
		return !c.Expires.IsZero() && !c.Expires.After(time.Now())
	})
}

// hasLogin reports whether there is the cookie that comes with a login.
func (s *Session) hasLogin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.alive(), func(c cookie) bool { return c.Name == csrfCookie })
}

// authorize gives the request the cookies, and what proves that it is no forged one.
func (s *Session) authorize(req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if originOf(req.URL) != s.origin {
		return
	}
	cookies := s.alive()
	own := slices.DeleteFunc(req.Cookies(), func(sent *http.Cookie) bool { // of an option, or of the last attempt
		return slices.ContainsFunc(cookies, func(c cookie) bool { return c.Name == sent.Name })
	})
	req.Header.Del("Cookie")
	for _, c := range own {
		req.AddCookie(c)
	}
	for _, c := range cookies {
		if !strings.HasPrefix(req.URL.Path, c.Path) {
			continue
		}
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value}) //nolint:gosec // of a request, which has no attributes
		if c.Name != csrfCookie || req.Method == http.MethodGet {
			continue
		}
		req.Header.Set(csrfHeader, c.Value)
		if req.URL.Scheme == "https" { // Django asks for one with TLS, and for none without
			req.Header.Set("Referer", s.origin+"/")
		}
	}
}

// answered keeps the cookies of an answer, and takes them out of it: an error has
// its headers.
func (s *Session) answered(resp *http.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if resp.Request == nil || originOf(resp.Request.URL) != s.origin {
		return
	}
	for _, set := range resp.Cookies() {
		s.cookies = slices.DeleteFunc(s.cookies, func(c cookie) bool { return c.Name == set.Name })
		kept := cookie{Name: set.Name, Value: set.Value, Path: set.Path, Expires: set.Expires}
		if set.MaxAge > 0 {
			kept.Expires = time.Now().Add(time.Duration(min(set.MaxAge, maxAge)) * time.Second)
		}
		if set.MaxAge >= 0 && set.Value != "" {
			s.cookies = append(s.cookies, kept)
		}
	}
	s.cookies = s.alive()
	resp.Header.Del("Set-Cookie")
}

// maxAge is how long cookies are kept at most, in seconds: browsers keep none longer.
const maxAge = 400 * 24 * 60 * 60
