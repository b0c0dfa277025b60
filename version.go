package authentik

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Release is the version of a server, as [Client.ServerVersion] returns it. The
// zero Release is that of a server whose version is not known.
type Release struct{ version string }

// String returns the version as the server says it: "2026.8.3". It is "" if the
// version is not known.
func (r Release) String() string { return r.version }

// AtLeast reports whether the server is of the release or a newer one, which is
// written "2026.2", or "2026.2.1" for one patch of it. A pre-release counts as its
// release. It is false if the version of the server is not known, or version has
// another form.
func (r Release) AtLeast(version string) bool {
	have, known := parseVersion(r.version)
	want, ok := parseVersion(version)
	return known && ok && slices.Compare(have[:], want[:]) >= 0
}

func (r Release) isKnown() bool {
	_, known := parseVersion(r.version)
	return known
}

// parseVersion returns the numbers of a version: year, month and patch, which may
// be left out. What follows them, as in 2026.8.0-rc1, does not count.
func parseVersion(version string) (numbers [3]int, ok bool) {
	end := strings.IndexFunc(version, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end >= 0 {
		version = version[:end]
	}
	parts := strings.Split(version, ".")
	if len(parts) < 2 || len(parts) > len(numbers) {
		return numbers, false
	}
	for i, part := range parts {
		number, err := strconv.Atoi(part)
		if err != nil {
			return numbers, false
		}
		numbers[i] = number
	}
	return numbers, true
}

// releases is a set of recordedVersions, with a bit for each.
type releases uint64

// releasesLike are the recorded versions that a server of r may be like: those of
// its own release, or those of the nearest releases on both sides if none was
// recorded. A server that is newer than all is like the newest.
func (r Release) releasesLike() (same releases) {
	at, known := parseVersion(r.version)
	if !known {
		return 1<<len(recordedVersions) - 1
	}
	var below, above releases
	var lower, upper [3]int // the releases of those in below and above
	for i, version := range recordedVersions {
		numbers, _ := parseVersion(version)
		bit := releases(1) << i
		minor := [3]int{numbers[0], numbers[1]}
		switch slices.Compare(minor[:2], at[:2]) {
		case 0:
			same |= bit
		case -1:
			if minor != lower {
				lower, below = minor, 0
			}
			below |= bit
		case 1:
			if above == 0 || minor == upper {
				upper, above = minor, above|bit
			}
		}
	}
	if same == 0 {
		return below | above
	}
	return same
}

// lacks reports whether the server certainly lacks what the releases have: each
// recorded version that it may be like does.
func (r Release) lacks(has releases) bool { return has != 0 && has&r.releasesLike() == 0 }

// ServerVersion returns the version of the server. It asks once for each client,
// and again after an error or an hour: GET /admin/version/.
//
// A version that is not written in numbers counts as not known. If the token may not read it, or the server has no such endpoint, the Release is
// the zero one, and the logger warns once. Other errors are those of [Get].
func (c *Client) ServerVersion(ctx context.Context) (Release, error) {
	switch {
	case !c.usable():
		return Release{}, errNoClient
	case ctx == nil:
		return Release{}, errNilContext
	}
	return c.release.get(ctx, func() (Release, error) {
		version, err := c.AdminVersion.Retrieve(ctx)
		switch {
		case errors.Is(err, ErrForbidden), errors.Is(err, ErrNotFound), errors.Is(err, ErrNoEndpoint):
			c.release.warn.Do(func() {
				c.logger.LogAttrs(ctx, slog.LevelWarn, "authentik's version cannot be read", slog.Any("error", err))
			})
			return Release{}, nil
		case err != nil:
			return Release{}, err
		}
		return Release{version.VersionCurrent}, nil
	})
}

// releaseAge is how long a version that was read is kept: a server may be upgraded.
const releaseAge = time.Hour

// releaseCache keeps the version of the server.
type releaseCache struct {
	turn chan struct{} // has room for the one who reads it
	warn sync.Once

	release Release
	read    time.Time // zero: never
}

// known returns what is kept, without a wait.
func (k *releaseCache) known() Release {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
		return k.release
	default: // it is being read
		return Release{}
	}
}

func newReleaseCache() *releaseCache { return &releaseCache{turn: make(chan struct{}, 1)} }

// get returns what is kept, or what read returns. One call reads, and others wait
// for it or for the end of their context.
func (k *releaseCache) get(ctx context.Context, read func() (Release, error)) (Release, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return Release{}, fmt.Errorf("authentik: %w", context.Cause(ctx))
	}
	if k.isFresh() {
		return k.release, nil
	}
	release, err := read()
	if err == nil {
		k.release, k.read = release, time.Now()
	}
	return release, err
}

// isFresh reports whether a version was read that still counts.
func (k *releaseCache) isFresh() bool { return !k.read.IsZero() && time.Since(k.read) < releaseAge }

// kept returns what is kept, and the zero Release if that is nothing or is being read.
func (k *releaseCache) kept() Release {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
		if k.isFresh() {
			return k.release
		}
	default:
	}
	return Release{}
}
