package authentik_test

import (
	"context"
	"io"
	"iter"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/internal/testkit"
	"github.com/google/uuid"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What is shared with the tests of the SDK as a whole.
const (
	baseURL     = testkit.BaseURL
	apiPath     = testkit.APIPath
	apiToken    = testkit.Token
	pkText      = testkit.PKText
	emptyPage   = testkit.EmptyPage
	writtenBody = testkit.WrittenBody
	requestID   = testkit.RequestID
)

type (
	roundTripper = testkit.RoundTripper
	sentWrite    = testkit.SentWrite
	written      = testkit.Written
)

var (
	pk             = testkit.PK
	mockClient     = testkit.MockClient
	answering      = testkit.Answering
	answer         = testkit.Answer
	fakeClient     = testkit.FakeClient
	httpClient     = testkit.HTTPClient
	discardLog     = testkit.DiscardLog
	isLine         = testkit.IsLine
	failing        = testkit.Failing
	attempts       = testkit.Attempts
	pageOf         = testkit.PageOf
	recorder       = testkit.Recorder
	writeMethods   = testkit.WriteMethods
	writtenRequest = testkit.WrittenRequest
	debugLogger    = testkit.DebugLogger
)

func lastError[T any](seq iter.Seq2[T, error]) error { return testkit.LastError(seq) }

// stage is what the three kinds of stages have in common for the tests.
type stage struct {
	PK   uuid.UUID
	Name string
}

// resource is a service as the tests see it, so that one test serves all three.
type resource struct {
	name, path string
	list       func(context.Context, *authentik.Client, authentik.ListOptions) (*authentik.Page[stage], error)
	listNil    func(context.Context, *authentik.Client) error
	pages      func(context.Context, *authentik.Client, authentik.ListOptions) iter.Seq2[*authentik.Page[stage], error]
	all        func(context.Context, *authentik.Client, authentik.ListOptions) iter.Seq2[*stage, error]
	retrieve   func(context.Context, *authentik.Client, uuid.UUID) (*stage, error)
	add        func(*authentiktest.Server, string) uuid.UUID
	remove     func(*authentiktest.Server, uuid.UUID) bool
}

var resources = []resource{
	resourceOf("identification",
		func(c *authentik.Client) lister[authentik.IdentificationStage, authentik.StagesIdentificationListOptions] {
			return c.StagesIdentification
		},
		func(o authentik.ListOptions) *authentik.StagesIdentificationListOptions {
			return &authentik.StagesIdentificationListOptions{ListOptions: o}
		},
		func(s *authentik.IdentificationStage) *stage { return &stage{s.PK, s.Name} },
		func(s *authentiktest.Server, name string) uuid.UUID {
			return s.StagesIdentification.Add(authentik.IdentificationStage{Name: name}).PK
		},
		func(s *authentiktest.Server, pk uuid.UUID) bool { return s.StagesIdentification.Remove(pk) },
	),
	resourceOf("password",
		func(c *authentik.Client) lister[authentik.PasswordStage, authentik.StagesPasswordListOptions] {
			return c.StagesPassword
		},
		func(o authentik.ListOptions) *authentik.StagesPasswordListOptions {
			return &authentik.StagesPasswordListOptions{ListOptions: o}
		},
		func(s *authentik.PasswordStage) *stage { return &stage{s.PK, s.Name} },
		func(s *authentiktest.Server, name string) uuid.UUID {
			return s.StagesPassword.Add(authentik.PasswordStage{Name: name}).PK
		},
		func(s *authentiktest.Server, pk uuid.UUID) bool { return s.StagesPassword.Remove(pk) },
	),
	resourceOf("source",
		func(c *authentik.Client) lister[authentik.SourceStage, authentik.StagesSourceListOptions] {
			return c.StagesSource
		},
		func(o authentik.ListOptions) *authentik.StagesSourceListOptions {
			return &authentik.StagesSourceListOptions{ListOptions: o}
		},
		func(s *authentik.SourceStage) *stage { return &stage{s.PK, s.Name} },
		func(s *authentiktest.Server, name string) uuid.UUID {
			return s.StagesSource.Add(authentik.SourceStage{Name: name}).PK
		},
		func(s *authentiktest.Server, pk uuid.UUID) bool { return s.StagesSource.Remove(pk) },
	),
}

// lister is a service of stages T with the options O.
type lister[T, O any] interface {
	List(context.Context, *O) (*authentik.Page[T], error)
	Pages(context.Context, *O) iter.Seq2[*authentik.Page[T], error]
	All(context.Context, *O) iter.Seq2[*T, error]
	Retrieve(context.Context, uuid.UUID) (*T, error)
}

func resourceOf[T, O any](
	name string,
	service func(*authentik.Client) lister[T, O],
	options func(authentik.ListOptions) *O,
	from func(*T) *stage,
	add func(*authentiktest.Server, string) uuid.UUID,
	remove func(*authentiktest.Server, uuid.UUID) bool,
) resource {
	toStage := func(s *T) *stage {
		if s == nil {
			return nil
		}
		return from(s)
	}
	toPage := func(page *authentik.Page[T]) *authentik.Page[stage] {
		if page == nil {
			return nil
		}
		converted := &authentik.Page[stage]{Pagination: page.Pagination, Results: []stage{}}
		for i := range page.Results {
			converted.Results = append(converted.Results, *from(&page.Results[i]))
		}
		return converted
	}
	return resource{
		name: name,
		path: "stages/" + name + "/",
		list: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) (*authentik.Page[stage], error) {
			page, err := service(c).List(ctx, options(o))
			return toPage(page), err
		},
		listNil: func(ctx context.Context, c *authentik.Client) error {
			_, err := service(c).List(ctx, nil)
			return err
		},
		pages: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) iter.Seq2[*authentik.Page[stage], error] {
			return convert(service(c).Pages(ctx, options(o)), toPage)
		},
		all: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) iter.Seq2[*stage, error] {
			return convert(service(c).All(ctx, options(o)), toStage)
		},
		retrieve: func(ctx context.Context, c *authentik.Client, pk uuid.UUID) (*stage, error) {
			s, err := service(c).Retrieve(ctx, pk)
			return toStage(s), err
		},
		add:    add,
		remove: remove,
	}
}

func convert[A, B any](seq iter.Seq2[A, error], f func(A) B) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		for a, err := range seq {
			if !yield(f(a), err) {
				return
			}
		}
	}
}

// brokenBody gives content, then fails.
type brokenBody struct {
	content io.Reader
	err     error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	if n, err := b.content.Read(p); err == nil {
		return n, nil
	}
	return 0, b.err
}

func (*brokenBody) Close() error { return nil }
