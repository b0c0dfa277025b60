package authentiktest

import (
	"cmp"
	"io"
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

// file is what was uploaded.
type file struct {
	usage string
	bytes []byte
}

// uploaded is the file in a form, and its name; nil if there is none.
func (c *call) uploaded() (name string, content []byte) {
	if c.MultipartForm == nil || len(c.MultipartForm.File["file"]) == 0 {
		return "", nil
	}
	header := c.MultipartForm.File["file"][0]
	f, err := header.Open()
	if err != nil {
		return "", nil
	}
	defer func() { _ = f.Close() }() // which was only read
	content, err = io.ReadAll(f)
	if err != nil {
		return "", nil
	}
	return header.Filename, content
}

// uploadFile keeps a file under a name.
func uploadFile(s *Server, c *call, _ *object, body map[string]any) reply {
	own, content := c.uploaded()
	name := cmp.Or(canonical(body["name"]), own)
	if !strings.Contains(path.Base(name), ".") { // it takes the extension of the file
		name += path.Ext(own)
	}
	if _, ok := s.files[name]; ok {
		return reply{http.StatusBadRequest, map[string]any{"name": []string{"A file with this name already exists."}}}
	}
	s.files[name] = file{cmp.Or(canonical(body["usage"]), "media"), content}
	return reply{http.StatusOK, nil}
}

func listFiles(s *Server, c *call, _ *object, _ map[string]any) reply {
	usage, search := cmp.Or(c.last("usage"), "media"), c.last("search")
	files := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		if s.files[name].usage == usage && strings.Contains(name, search) {
			files = append(files, s.show(map[string]any{
				"name": name, "url": "/files/" + usage + "/public/" + name, "mime_type": mime.TypeByExtension(path.Ext(name)), "themed_urls": nil,
			}, "FileList"))
		}
	}
	return reply{http.StatusOK, files}
}

func deleteFile(s *Server, c *call, _ *object, _ map[string]any) reply {
	delete(s.files, c.last("name"))
	return reply{http.StatusOK, nil}
}

// setPicture sets a member to a file that is sent along.
func setPicture(member, folder string) action {
	return func(s *Server, c *call, o *object, body map[string]any) reply {
		name, content := c.uploaded()
		switch {
		case body["clear"] == true:
			s.patch(o, member, nil)
		case content != nil:
			s.files[folder+"/"+name] = file{"media", content}
			s.patch(o, member, "/media/public/"+folder+"/"+name)
		default:
			return reply{http.StatusBadRequest, nil}
		}
		return reply{http.StatusOK, map[string]any{}}
	}
}

// setPictureURL sets a member to a URL.
func setPictureURL(member string) action {
	return func(s *Server, _ *call, o *object, body map[string]any) reply {
		if isEmpty(body["url"]) {
			return reply{http.StatusBadRequest, nil}
		}
		s.patch(o, member, body["url"])
		return reply{http.StatusOK, map[string]any{}}
	}
}
