package conformance_test

import (
	"iter"
	"testing"

	"github.com/authentik-go/authentik/internal/testkit"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// root is the folder of the SDK.
const root = "../.."

// What is shared with the tests of the root.
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
	answerWith     = testkit.AnswerWith
	fakeClient     = testkit.FakeClient
	httpClient     = testkit.HTTPClient
	discardLog     = testkit.DiscardLog
	isLine         = testkit.IsLine
	attempts       = testkit.Attempts
	numbered       = testkit.Numbered
	pageOf         = testkit.PageOf
	recorder       = testkit.Recorder
	writeMethods   = testkit.WriteMethods
	writtenRequest = testkit.WrittenRequest
	debugLogger    = testkit.DebugLogger
)

func lastError[T any](seq iter.Seq2[T, error]) error { return testkit.LastError(seq) }
