package conformance_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// TestAnswersToWrites answers each write as each release does that has it. What several
// releases answer alike is answered once, as the newest of them does.
func TestAnswersToWrites(t *testing.T) {
	t.Parallel()
	facts := recordedFacts()
	done, counts := map[string]bool{}, &driftCounts{}
	for i, version := range slices.Backward(facts.Versions) {
		d := &drift{t, facts.At(version), counts, done}
		for _, m := range methods() {
			if m.asks.Method == http.MethodGet || !m.asks.Spans.Has(i) {
				continue
			}
			for _, answer := range d.release.Operation(m.asks.Method, m.asks.Path).Answers {
				if !strings.Contains(answer.Media, "xml") {
					d.written(m, answer.Status, d.answerTo(answer.Type))
				}
			}
		}
	}
	t.Logf("%d answers", counts.read)
	if counts.read < 600 {
		t.Errorf("only %d answers", counts.read)
	}
}

// answerTo is an answer of the type, nil if there is none.
func (d *drift) answerTo(kind contract.Type) any {
	if kind.Kind == "" {
		return nil
	}
	return answers(d.release, allMembers).Value("value", kind)
}

// written gives a method the answer.
func (d *drift) written(m method, status int, object any) {
	body := ""
	switch {
	case object == nil:
	case status == http.StatusNoContent: // of flows/instances/import/, which answers 200
		status = http.StatusOK
		fallthrough
	default:
		body = asJSON(d.T, object)
	}
	if !d.isNew(m, status, body) {
		return
	}
	client, mock := mockClient(d.T, authentik.WithRetries(0, 0, 0))
	mock.RegisterNoResponder(answer(status, nil, body))
	f := m.Of(client)
	result, err := sdk.Call(f, sdk.Arguments(d.Context(), f.Type()))
	switch {
	case err != nil:
		d.Errorf("%v answered %d %s: %v", m, status, body, err)
	case object == nil:
		d.counts.read++
		if result.IsValid() && !result.IsNil() {
			d.Errorf("%v answered %d without a body: %v", m, status, result)
		}
	case !result.IsValid():
		d.counts.read++ // the method is content that it was done
	default:
		d.check(m.String(), object, reflect.Indirect(result), false)
	}
}
