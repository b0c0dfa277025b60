package authentik

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime/multipart"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/authentik-go/authentik/internal/transport"
)

// upload is a body of multipart/form-data, which streams a file.
type upload struct {
	fields   map[string]string // the other members
	member   string            // that is the file
	filename string
	content  io.Reader
}

// form is the upload that a request with a reader describes: its file is named by the
// field Filename, or by the reader's method Name, as an [*os.File] has it, or Stat, as
// an [fs.File] has, else by the member. A request without a file sends its other
// members alone.
func form(req any) any {
	v := reflect.Indirect(reflect.ValueOf(req))
	if !v.IsValid() {
		return req // nil
	}
	u := upload{fields: map[string]string{}}
	filename := ""
	for field, value := range v.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case value.IsZero():
			continue
		case name == "-":
			filename = value.String()
			continue
		}
		if content, ok := reflect.TypeAssert[io.Reader](value); ok {
			u.member, u.filename = name, name
			if pointer := value.Elem(); pointer.Kind() == reflect.Pointer && pointer.IsNil() {
				continue // of a variable that was never set
			}
			u.content = content
			u.filename = cmp.Or(fileName(content), name)
			continue
		}
		u.fields[name] = fmt.Sprint(reflect.Indirect(value))
	}
	u.filename = cmp.Or(filename, u.filename)
	return u
}

// fileName is the name of a file, "" if the reader has none. authentik takes the name
// and the extension of what it stores from it.
func fileName(content io.Reader) string {
	switch file := content.(type) {
	case interface{ Name() string }:
		return filepath.Base(file.Name())
	case fs.File:
		if info, err := file.Stat(); err == nil {
			return info.Name()
		}
	}
	return ""
}

// maxUpload is the largest body that authentik takes.
const maxUpload = 32 << 20

// body returns the body with its size: authentik reads no body of unknown size.
// Content that can seek is read again from where it stands for each attempt. Other
// content is read once, into memory if its length is not known.
func (u upload) body() (*transport.Body, error) {
	if u.member == "" {
		u.content = strings.NewReader("")
	}
	if u.content == nil {
		return nil, errors.New("the content is nil")
	}
	var frame bytes.Buffer
	form := multipart.NewWriter(&frame)
	for _, name := range slices.Sorted(maps.Keys(u.fields)) {
		if err := form.WriteField(name, u.fields[name]); err != nil {
			return nil, err
		}
	}
	if u.member != "" {
		if _, err := form.CreateFormFile(u.member, u.filename); err != nil {
			return nil, err
		}
	}
	head := frame.Len()
	if err := form.Close(); err != nil {
		return nil, err
	}
	before, after := frame.Bytes()[:head], frame.Bytes()[head:]

	content, size, err := newFileContent(u.content)
	if err != nil {
		return nil, fmt.Errorf("the content: %w", err)
	}
	return &transport.Body{
		ContentType: form.FormDataContentType(),
		Size:        int64(frame.Len()) + size,
		Once:        content.seeker == nil,
		Open: func() (io.Reader, error) {
			attempt, err := content.open()
			return io.MultiReader(bytes.NewReader(before), attempt, bytes.NewReader(after)), err
		},
		Close: content.close,
	}, nil
}

// fileContent is the content of a file, which one attempt at a time may read: the
// transport may still be reading for the attempt before, or after the last one,
// when the reader is the caller's again.
type fileContent struct {
	mu      sync.Mutex
	reader  io.Reader
	seeker  io.Seeker // nil: it can be read once only
	start   int64
	attempt *fileAttempt
}

// newFileContent returns the content that reader has from where it stands, and
// its size.
func newFileContent(reader io.Reader) (content *fileContent, size int64, err error) {
	if seeker, ok := reader.(io.Seeker); ok {
		start, err := seeker.Seek(0, io.SeekCurrent)
		if err == nil { // which a pipe answers with an error
			end, err := seeker.Seek(0, io.SeekEnd)
			if err == nil && end < start {
				return nil, 0, errors.New("it is past its end")
			}
			return &fileContent{reader: reader, seeker: seeker, start: start}, end - start, err
		}
	}
	if sized, ok := reader.(interface{ Len() int }); ok {
		return &fileContent{reader: reader}, int64(sized.Len()), nil
	}
	b, err := io.ReadAll(io.LimitReader(reader, maxUpload+1))
	if err != nil {
		return nil, 0, err
	}
	if len(b) > maxUpload {
		return nil, 0, errors.New("it is larger than 32 MiB, which no authentik takes")
	}
	return &fileContent{reader: bytes.NewReader(b)}, int64(len(b)), nil
}

// open returns the content for an attempt, and ends the one before.
func (c *fileContent) open() (io.Reader, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempt = &fileAttempt{c}
	if c.seeker == nil {
		return c.attempt, nil
	}
	_, err := c.seeker.Seek(c.start, io.SeekStart)
	return c.attempt, err
}

// close ends the last attempt. It waits for a Read that has begun.
func (c *fileContent) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempt = nil
}

type fileAttempt struct{ content *fileContent }

func (a *fileAttempt) Read(p []byte) (int, error) {
	a.content.mu.Lock()
	defer a.content.mu.Unlock()
	if a.content.attempt != a {
		return 0, io.ErrClosedPipe
	}
	return a.content.reader.Read(p)
}
