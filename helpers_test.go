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
	numbered       = testkit.Numbered
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
	{
		name: "identification",
		path: "stages/identification/",
		list: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) (*authentik.Page[stage], error) {
			page, err := c.StagesIdentification.List(ctx, &authentik.StagesIdentificationListOptions{ListOptions: o})
			return toPage(page, fromIdentification), err
		},
		listNil: func(ctx context.Context, c *authentik.Client) error {
			_, err := c.StagesIdentification.List(ctx, nil)
			return err
		},
		pages: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) iter.Seq2[*authentik.Page[stage], error] {
			return convert(c.StagesIdentification.Pages(ctx, &authentik.StagesIdentificationListOptions{ListOptions: o}),
				func(p *authentik.Page[authentik.IdentificationStage]) *authentik.Page[stage] {
					return toPage(p, fromIdentification)
				})
		},
		all: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) iter.Seq2[*stage, error] {
			return convert(c.StagesIdentification.All(ctx, &authentik.StagesIdentificationListOptions{ListOptions: o}), fromIdentification)
		},
		retrieve: func(ctx context.Context, c *authentik.Client, pk uuid.UUID) (*stage, error) {
			s, err := c.StagesIdentification.Retrieve(ctx, pk)
			return fromIdentification(s), err
		},
		add: func(s *authentiktest.Server, name string) uuid.UUID {
			return s.StagesIdentification.Add(authentik.IdentificationStage{Name: name}).PK
		},
		remove: func(s *authentiktest.Server, pk uuid.UUID) bool { return s.StagesIdentification.Remove(pk) },
	},
	{
		name: "password",
		path: "stages/password/",
		list: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) (*authentik.Page[stage], error) {
			page, err := c.StagesPassword.List(ctx, &authentik.StagesPasswordListOptions{ListOptions: o})
			return toPage(page, fromPassword), err
		},
		listNil: func(ctx context.Context, c *authentik.Client) error {
			_, err := c.StagesPassword.List(ctx, nil)
			return err
		},
		pages: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) iter.Seq2[*authentik.Page[stage], error] {
			return convert(c.StagesPassword.Pages(ctx, &authentik.StagesPasswordListOptions{ListOptions: o}),
				func(p *authentik.Page[authentik.PasswordStage]) *authentik.Page[stage] {
					return toPage(p, fromPassword)
				})
		},
		all: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) iter.Seq2[*stage, error] {
			return convert(c.StagesPassword.All(ctx, &authentik.StagesPasswordListOptions{ListOptions: o}), fromPassword)
		},
		retrieve: func(ctx context.Context, c *authentik.Client, pk uuid.UUID) (*stage, error) {
			s, err := c.StagesPassword.Retrieve(ctx, pk)
			return fromPassword(s), err
		},
		add: func(s *authentiktest.Server, name string) uuid.UUID {
			return s.StagesPassword.Add(authentik.PasswordStage{Name: name}).PK
		},
		remove: func(s *authentiktest.Server, pk uuid.UUID) bool { return s.StagesPassword.Remove(pk) },
	},
	{
		name: "source",
		path: "stages/source/",
		list: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) (*authentik.Page[stage], error) {
			page, err := c.StagesSource.List(ctx, &authentik.StagesSourceListOptions{ListOptions: o})
			return toPage(page, fromSource), err
		},
		listNil: func(ctx context.Context, c *authentik.Client) error {
			_, err := c.StagesSource.List(ctx, nil)
			return err
		},
		pages: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) iter.Seq2[*authentik.Page[stage], error] {
			return convert(c.StagesSource.Pages(ctx, &authentik.StagesSourceListOptions{ListOptions: o}),
				func(p *authentik.Page[authentik.SourceStage]) *authentik.Page[stage] { return toPage(p, fromSource) })
		},
		all: func(ctx context.Context, c *authentik.Client, o authentik.ListOptions) iter.Seq2[*stage, error] {
			return convert(c.StagesSource.All(ctx, &authentik.StagesSourceListOptions{ListOptions: o}), fromSource)
		},
		retrieve: func(ctx context.Context, c *authentik.Client, pk uuid.UUID) (*stage, error) {
			s, err := c.StagesSource.Retrieve(ctx, pk)
			return fromSource(s), err
		},
		add: func(s *authentiktest.Server, name string) uuid.UUID {
			return s.StagesSource.Add(authentik.SourceStage{Name: name}).PK
		},
		remove: func(s *authentiktest.Server, pk uuid.UUID) bool { return s.StagesSource.Remove(pk) },
	},
}

func fromIdentification(s *authentik.IdentificationStage) *stage {
	if s == nil {
		return nil
	}
	return &stage{s.PK, s.Name}
}

func fromPassword(s *authentik.PasswordStage) *stage {
	if s == nil {
		return nil
	}
	return &stage{s.PK, s.Name}
}

func fromSource(s *authentik.SourceStage) *stage {
	if s == nil {
		return nil
	}
	return &stage{s.PK, s.Name}
}

func toPage[T any](page *authentik.Page[T], from func(*T) *stage) *authentik.Page[stage] {
	if page == nil {
		return nil
	}
	converted := &authentik.Page[stage]{Pagination: page.Pagination, Results: []stage{}}
	for i := range page.Results {
		converted.Results = append(converted.Results, *from(&page.Results[i]))
	}
	return converted
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
