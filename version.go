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

// lacks reports whether the server certainly does not have the operation. Which
// releases have it is known of the recorded versions alone, so the closest on both
// sides of the server's have to lack it. A server that is newer than all counts as
// the newest, one that is older as the oldest.
func (r Release) lacks(op *Operation) bool {
	have, known := parseVersion(r.version)
	if !known || op.releases == 0 {
		return false
	}
	after, exact := slices.BinarySearchFunc(recordedVersions[:], have, func(version string, have [3]int) int {
		numbers, _ := parseVersion(version)
		return slices.Compare(numbers[:], have[:])
	})
	before := max(after-1, 0)
	after = min(after, len(recordedVersions)-1)
	if exact {
		before = after
	}
	return op.releases&(1<<before|1<<after) == 0
}

// ServerVersion returns the version of the server. It asks once for each client,
// and again after an error or an hour: GET /admin/version/.
//
// If the token may not read it, or the server has no such endpoint, the Release is
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
		if _, ok := parseVersion(version.VersionCurrent); !ok {
			return Release{}, fmt.Errorf("authentik: the server's version is %.100q", version.VersionCurrent)
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
	if !k.read.IsZero() && time.Since(k.read) < releaseAge {
		return k.release, nil
	}
	release, err := read()
	if err == nil {
		k.release, k.read = release, time.Now()
	}
	return release, err
}
