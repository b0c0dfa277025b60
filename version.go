package authentik

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Release is a version of authentik as the server says it: "2026.5.6", or
// "2026.5.0-rc1" of a pre-release. It is "" if it is not known.
type Release string

// AtLeast reports whether r is the given release or a newer one: "2026.5.0" is at
// least "2026.5", and "2025.10.4" at least "2025.10.2". A pre-release counts as its
// release. It is false if r is not known, or release is no version.
func (r Release) AtLeast(release string) bool {
	mine, ok := parseRelease(string(r))
	other, valid := parseRelease(release)
	return ok && valid && !mine.before(other)
}

// ServerVersion returns the version of the server: GET /admin/version/. The server
// is asked when that is first needed, and anew after an hour or a failure: a client
// lives longer than a release.
//
// Some methods need the version as well, and their documentation says so. They go
// on without it if the token's user may not read it, and the logger gets a warning,
// once.
func (c *Client) ServerVersion(ctx context.Context) (Release, error) {
	if !c.usable() {
		return "", errNoClient
	}
	if ctx == nil {
		return "", errNilContext
	}
	return c.version.read(ctx, c)
}

const versionLasts = time.Hour

// serverVersion is the version of the server, once it was asked for.
type serverVersion struct {
	turn   chan struct{} // who reads or changes what follows holds it
	known  Release
	until  time.Time
	warned bool
}

func newServerVersion() *serverVersion { return &serverVersion{turn: make(chan struct{}, 1)} }

// take waits until nobody else reads the version.
func (v *serverVersion) take(ctx context.Context) error {
	select {
	case v.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("authentik: waiting for the server's version: %w", ctx.Err())
	}
}

func (v *serverVersion) read(ctx context.Context, c *Client) (Release, error) {
	if err := v.take(ctx); err != nil {
		return "", err
	}
	defer func() { <-v.turn }()
	if time.Now().Before(v.until) {
		return v.known, nil
	}
	answer, err := c.read(ctx, "admin/version/", "admin/version/", nil, reflect.TypeFor[ServerVersion]())
	if err != nil {
		return "", err
	}
	v.known, v.until = Release(answer.Interface().(*ServerVersion).VersionCurrent), time.Now().Add(versionLasts)
	return v.known, nil
}

// serverRelease is ServerVersion for methods that can do without: the release is
// not known if the token's user may not read it.
func (c *Client) serverRelease(ctx context.Context) (Release, error) {
	release, err := c.ServerVersion(ctx)
	if !errors.Is(err, ErrForbidden) && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoEndpoint) {
		return release, err
	}
	if err := c.version.take(ctx); err != nil {
		return "", err
	}
	defer func() { <-c.version.turn }()
	if !c.version.warned {
		c.version.warned = true
		c.logger.LogAttrs(ctx, slog.LevelWarn, "authentik version unknown", slog.String("method", http.MethodGet),
			slog.String("path", c.base.Path+"admin/version/"), slog.String("error", err.Error()))
	}
	return "", nil
}

// release is a version in numbers.
type release struct{ year, month, patch int }

// parseRelease reads 2026.5.6, 2026.5 or 2026.5.0-rc1; ok is false for anything
// else.
func parseRelease(text string) (r release, ok bool) {
	text, _, _ = strings.Cut(text, "-")
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return r, false
	}
	for i, number := range []*int{&r.year, &r.month, &r.patch}[:len(parts)] {
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < 0 {
			return r, false
		}
		*number = n
	}
	return r, true
}

func (r release) before(other release) bool {
	switch {
	case r.year != other.year:
		return r.year < other.year
	case r.month != other.month:
		return r.month < other.month
	}
	return r.patch < other.patch
}

// minor is the release without its patch.
func (r release) minor() release { return release{year: r.year, month: r.month} }

// versions is a set of the recorded versions, see knownVersions: bit i is for the
// one at i.
type versions uint32

// versionsOf are the recorded versions that a server of the release may be like:
// those of its own release, or those of the nearest on both sides if none was
// recorded. They are all if the release is not known.
func versionsOf(server Release) versions {
	at, ok := parseRelease(string(server))
	if !ok {
		return 1<<len(knownVersions) - 1
	}
	var same, below, above versions
	var lower, upper release // of those in below and above
	for i, text := range knownVersions {
		known, _ := parseRelease(text)
		bit := versions(1) << i
		switch minor := known.minor(); {
		case minor == at.minor():
			same |= bit
		case minor.before(at) && minor != lower:
			lower, below = minor, bit
		case minor.before(at):
			below |= bit
		case above == 0 || minor == upper:
			upper, above = minor, above|bit
		}
	}
	if same != 0 {
		return same
	}
	return below | above
}

// lacks reports whether a server of the release lacks what the versions in has
// have: only if every version that it may be like does.
func (has versions) lacks(server Release) bool { return has&versionsOf(server) == 0 }
