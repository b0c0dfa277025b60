package authentik

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// form is the upload that a request with a reader describes: its file is named
// by the reader's method Name, as an [*os.File] has it, else by the member. A
// request without a file sends its other members alone.
func form(req any) any {
	v := reflect.Indirect(reflect.ValueOf(req))
	if !v.IsValid() {
		return req // nil
	}
	u := upload{fields: map[string]string{}}
	for field, value := range v.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if value.IsZero() {
			continue
		}
		if content, ok := reflect.TypeAssert[io.Reader](value); ok {
			u.member, u.filename = name, name
			if pointer := value.Elem(); pointer.Kind() == reflect.Pointer && pointer.IsNil() {
				continue // of a variable that was never set
			}
			u.content = content
			if named, ok := content.(interface{ Name() string }); ok {
				u.filename = filepath.Base(named.Name())
			}
			continue
		}
		u.fields[name] = fmt.Sprint(reflect.Indirect(value))
	}
	return u
}

// maxUpload is the largest body that authentik takes.
const maxUpload = 32 << 20

// body returns the body with its size: authentik reads no body of unknown size.
// Content that can seek is read anew from where it stands for each
// attempt; other content is read once, into memory where it does not tell its
// length.
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

	open, size, once, err := openContent(u.content)
	if err != nil {
		return nil, fmt.Errorf("the content: %w", err)
	}
	return &transport.Body{
		ContentType: form.FormDataContentType(),
		Size:        int64(frame.Len()) + size,
		Once:        once,
		Open: func() (io.Reader, error) {
			content, err := open()
			return io.MultiReader(bytes.NewReader(before), content, bytes.NewReader(after)), err
		},
	}, nil
}

// openContent returns what opens the content for an attempt, its size, and
// whether that works once only.
func openContent(content io.Reader) (open func() (io.Reader, error), size int64, once bool, err error) {
	if seeker, ok := content.(io.ReadSeeker); ok {
		start, err := seeker.Seek(0, io.SeekCurrent)
		if err == nil { // which a pipe answers with an error
			end, err := seeker.Seek(0, io.SeekEnd)
			file := &rereadFile{file: seeker, start: start}
			return file.open, end - start, false, err
		}
	}
	if sized, ok := content.(interface{ Len() int }); ok {
		size = int64(sized.Len())
	} else {
		b, err := io.ReadAll(io.LimitReader(content, maxUpload+1))
		if err != nil {
			return nil, 0, true, err
		}
		if len(b) > maxUpload {
			return nil, 0, true, errors.New("it is larger than 32 MiB, which no authentik takes")
		}
		content, size = bytes.NewReader(b), int64(len(b))
	}
	return func() (io.Reader, error) { return content, nil }, size, true, nil
}

// rereadFile is a file that is read anew for each attempt. By then, the transport
// may still be reading for the attempt before, which has to stop.
type rereadFile struct {
	mu      sync.Mutex
	file    io.ReadSeeker
	start   int64
	attempt *fileAttempt
}

type fileAttempt struct{ file *rereadFile }

func (f *rereadFile) open() (io.Reader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempt = &fileAttempt{f}
	_, err := f.file.Seek(f.start, io.SeekStart)
	return f.attempt, err
}

func (a *fileAttempt) Read(p []byte) (int, error) {
	a.file.mu.Lock()
	defer a.file.mu.Unlock()
	if a.file.attempt != a {
		return 0, io.ErrClosedPipe
	}
	return a.file.file.Read(p)
}
