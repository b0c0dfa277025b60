package authentik

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

func parseBaseURL(baseURL string) (*url.URL, error) {
	// If a password has a slash, what comes before it looks like a port.
	_, rest, _ := strings.Cut(baseURL, "://")
	authority := rest[:max(strings.IndexAny(rest+"/", "/?#"), 0)]
	hasPort := strings.LastIndexByte(authority, ':') > strings.LastIndexByte(authority, ']')
	if strings.Contains(authority, "@") || hasPort && strings.Contains(rest, "@") {
		return nil, errors.New("authentik: base URL: what stands before its @ may be userinfo; give the token by itself")
	}
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("authentik: base URL: %.100w", errors.Unwrap(err)) // the whole has the URL
	}
	switch port, portErr := strconv.Atoi(cmp.Or(u.Port(), "443")); {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("authentik: base URL: its scheme is %.100q; write https://host", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("authentik: base URL: it has no host; write https://host")
	case portErr != nil || port < 1 || port > 65535:
		return nil, fmt.Errorf("authentik: base URL: %.100s is not a port", u.Port())
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("authentik: base URL: it has a query")
	case strings.Contains(baseURL, "#"):
		return nil, errors.New("authentik: base URL: it has a fragment")
	case strings.Contains(strings.ToLower(u.RawPath), "%2f"):
		return nil, errors.New("authentik: base URL: its path has an escaped slash")
	}
	path := ""
	if strings.Trim(u.Path, "/") != "" {
		if path, err = cleanPath(u.Path); err != nil {
			return nil, fmt.Errorf("authentik: base URL: %w", err)
		}
	}
	path = "/" + path
	if _, below, has := strings.Cut(path, "/api/v3/"); has && below != "" {
		return nil, fmt.Errorf("authentik: base URL: its path goes on after /api/v3/ with %.100q; leave that off", below)
	}
	for _, page := range []string{"/if/admin/", "/if/user/", "/if/flow/"} {
		if strings.Contains(path, page) {
			return nil, fmt.Errorf("authentik: base URL: %s is a page of the web interface; leave that off", page)
		}
	}
	if !strings.HasSuffix(path, "/api/v3/") {
		path += "api/v3/"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

// cleanPath returns path without a leading slash and with a trailing one, without
// which authentik does not know it.
func cleanPath(path string) (string, error) {
	path = strings.TrimPrefix(path, "/")
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		// What follows may be a secret.
		return "", fmt.Errorf("the path %.100q is followed by a query or a fragment; parameters belong in opts", path[:i])
	}
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	segments := path[:len(path)-1]
	for segment := range strings.SplitSeq(segments, "/") {
		if err := checkSegment(segment); err != nil {
			return "", fmt.Errorf("the path %.100q %w", segments, err)
		}
	}
	return path, nil
}

// checkSegment returns an error if segment cannot be one of a path.
func checkSegment(segment string) error {
	switch {
	case segment == "":
		return errors.New("has an empty segment")
	case segment == "." || segment == "..":
		return fmt.Errorf("has the segment %q", segment)
	case strings.ContainsAny(segment, `?#%\`) || strings.ContainsFunc(segment, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("has a ?, #, %, backslash or a character that cannot be printed; the SDK escapes the rest")
	}
	return nil
}

// objectPath returns the path of what is below the object with the given id in
// the list at path: "" is the object itself, "set_password/" an action. The id
// is a uuid.UUID, an int, a string or two, as the server's URL has it. One that no
// object can have, such as uuid.Nil, 0 or "", is an error.
func objectPath(list string, id any, below string) (string, error) {
	var segment string
	switch id := id.(type) {
	case uuid.UUID:
		if id == uuid.Nil {
			return "", errors.New("the id is uuid.Nil")
		}
		segment = id.String()
	case int:
		if id <= 0 {
			return "", fmt.Errorf("the id is %d", id)
		}
		segment = strconv.Itoa(id)
	case string:
		if id == "" {
			return "", errors.New("the id is empty")
		}
		if strings.Contains(id, "/") {
			return "", fmt.Errorf("the id %.100q has a slash", id)
		}
		if err := checkSegment(id); err != nil {
			return "", fmt.Errorf("the id %.100q %w", id, err)
		}
		segment = id
	case [2]string: // one after the other
		path, err := objectPath(list, id[0], "")
		if err != nil {
			return "", err
		}
		return objectPath(path, id[1], below)
	default:
		return "", fmt.Errorf("the id is of type %T", id)
	}
	return list + segment + "/" + below, nil
}
