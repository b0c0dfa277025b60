package conformance_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/uuid"
)

// restlessList changes between the requests for its pages: a few times, by
// creations alone or by deletions alone from one request to the next, or all the
// time, by both. Both together can leave count as it was, which one reading
// cannot see.
type restlessList struct {
	server *authentiktest.Server

	mu      sync.Mutex
	random  *rand.Rand
	changes int // that are still to come
	busy    int // it always changes, after one of so many requests; 0: it does not
	created int
	alive   []uuid.UUID
	whole   map[uuid.UUID]string // what has lived since the walk began
}

func newRestlessList(t *testing.T, seed uint64) *restlessList {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	l := &restlessList{
		server: server,
		random: rand.New(rand.NewPCG(seed, 0)),
		whole:  map[uuid.UUID]string{},
	}
	for range l.random.IntN(60) {
		stage := l.create()
		l.whole[stage.PK] = stage.Name
	}
	l.changes = l.random.IntN(12)
	return l
}

func (l *restlessList) create() authentik.PasswordStage {
	l.created++
	stage := l.server.StagesPassword.Add(authentik.PasswordStage{
		Name: fmt.Sprintf("%03d-%d", l.random.IntN(1000), l.created), // anywhere in the order
	})
	l.alive = append(l.alive, stage.PK)
	return stage
}

func (l *restlessList) remove() {
	if len(l.alive) == 0 {
		return
	}
	i := l.random.IntN(len(l.alive))
	l.server.StagesPassword.Remove(l.alive[i])
	delete(l.whole, l.alive[i])
	l.alive = slices.Delete(l.alive, i, i+1)
}

// RoundTrip answers a request and then, mostly, changes the list.
func (l *restlessList) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	recorder := httptest.NewRecorder()
	l.server.ServeHTTP(recorder, r)
	if l.busy > 0 && l.random.IntN(l.busy) == 0 {
		for range 1 + l.random.IntN(3) {
			l.remove()
			l.create()
		}
		if l.random.IntN(4) == 0 {
			l.create()
		}
	}
	if l.changes > 0 && l.random.IntN(3) > 0 {
		l.changes--
		change := l.remove
		if l.random.IntN(2) == 0 {
			change = func() { l.create() }
		}
		for range 1 + l.random.IntN(4) {
			change()
		}
	}
	return recorder.Result(), nil
}

// seeds is how many random lists are walked: AUTHENTIK_TEST_SEEDS, or 300.
func seeds() int {
	if seeds, err := strconv.Atoi(os.Getenv("AUTHENTIK_TEST_SEEDS")); err == nil {
		return seeds
	}
	return 300
}

// walk walks the list and returns the names of the stages that lived through it
// and were missed, and the error that ended it.
func (l *restlessList) walk(t *testing.T, options authentik.ListOptions) (missed []string, last error) {
	t.Helper()
	client, err := authentik.NewClient(baseURL[:len(baseURL)-len("/sso")], l.server.Token,
		authentik.WithHTTPClient(&http.Client{Transport: l}))
	if err != nil {
		t.Fatal(err)
	}
	times := map[uuid.UUID]int{}
	for stage, err := range client.StagesPassword.All(t.Context(), &authentik.StagesPasswordListOptions{ListOptions: options}) {
		if last = err; err == nil {
			times[stage.PK]++
		}
	}
	for pk, n := range times {
		if n > 1 {
			t.Errorf("%s was yielded %d times", pk, n)
		}
	}
	if last != nil && !errors.Is(last, authentik.ErrListChanged) {
		t.Errorf("error %v, want ErrListChanged", last)
	}
	for pk, name := range l.whole {
		if times[pk] == 0 {
			missed = append(missed, name)
		}
	}
	return missed, last
}

func TestAllIsCompleteOnARestlessList(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	complete, changed := 0, 0
	t.Cleanup(func() {
		t.Logf("%d seeds: %d walks complete, %d ended with ErrListChanged", seeds(), complete, changed)
		if complete < seeds()/3 || changed == 0 {
			t.Error("the seeds do not show both ends of a walk")
		}
	})
	for seed := range seeds() {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			l := newRestlessList(t, uint64(seed))
			options := authentik.ListOptions{PageSize: 1 + l.random.IntN(100), Prefetch: seed % 9}
			if seed%2 == 0 {
				options.PageSize = 1 + options.PageSize/10 // for many pages
			}
			missed, err := l.walk(t, options)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				changed++
				return
			}
			complete++
			if missed != nil {
				t.Errorf("%+v: %s lived through the walk and were missed", options, missed)
			}
		})
	}
}

// TestConfirmMissesNothing walks lists in which stages are created and deleted
// all the time, with Confirm and, to show that it is needed, without.
func TestConfirmMissesNothing(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	complete, changed, silent := 0, 0, 0
	t.Cleanup(func() {
		t.Logf("%d seeds: %d walks complete, %d ended with ErrListChanged; without Confirm %d missed something in silence", seeds(), complete, changed, silent)
		if complete < seeds()/10 || changed < seeds()/10 || silent == 0 {
			t.Error("the seeds do not show all ends of a walk")
		}
	})
	for seed := range seeds() {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			for _, confirm := range []bool{true, false} {
				l := newRestlessList(t, uint64(seed))
				l.changes, l.busy = 0, 1<<l.random.IntN(8)
				options := authentik.ListOptions{PageSize: 1 + l.random.IntN(12), Prefetch: seed % 5, Confirm: confirm}
				missed, err := l.walk(t, options)
				mu.Lock()
				switch {
				case err != nil && confirm:
					changed++
				case err == nil && confirm:
					complete++
					if missed != nil {
						t.Errorf("%+v: %s lived through the walk and were missed", options, missed)
					}
				case err == nil && missed != nil:
					silent++
				}
				mu.Unlock()
			}
		})
	}
}
