package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// window is how long a client runs in a round. It is short, so that what else the
// machine does disturbs few windows, and these the clients alike.
const window = 20 * time.Millisecond

// result is a benchmark's outcome.
type result struct {
	calls         int // in a window
	bytes, allocs int64
	ns, ratio     []float64 // of each round
}

// compare runs the clients in turns and prints them against the first.
func compare(rounds int, order []string, run map[string]func() error) {
	results := map[string]*result{}
	for _, name := range order {
		r := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				check(run[name]())
			}
		})
		calls := window.Nanoseconds() / max(1, r.NsPerOp())
		results[name] = &result{calls: int(max(1, calls)), bytes: r.AllocedBytesPerOp(), allocs: r.AllocsPerOp()}
	}
	for range rounds {
		first := 0.0
		for _, name := range order {
			r := results[name]
			runtime.GC()
			start := time.Now()
			for range r.calls {
				check(run[name]())
			}
			ns := float64(time.Since(start).Nanoseconds()) / float64(r.calls)
			if name == order[0] {
				first = ns
			}
			r.ns, r.ratio = append(r.ns, ns), append(r.ratio, ns/first)
		}
	}
	fmt.Print("\n| client | µs | × | bytes | allocations |\n|---|--:|--:|--:|--:|\n")
	for _, name := range order {
		r := results[name]
		fmt.Printf("| %s | %.1f | %.2f | %d | %d |\n", name, median(r.ns)/1e3, median(r.ratio), r.bytes, r.allocs)
	}
}

// onePage measures one page of 100 stages through each whole client.
func onePage(rounds int) {
	fmt.Printf("\n## One page of 100 stages, %d bytes, from memory\n", len(fixture))
	hc := &http.Client{Transport: transport(func(*http.Request) []byte { return fixture })}
	run := map[string]func() error{}
	for name, fetch := range clients("http://authentik.test", hc) {
		run[name] = func() error {
			stages, _, err := fetch(context.Background(), 1)
			if err == nil && stages != perPage {
				err = fmt.Errorf("%s: %d stages", name, stages)
			}
			return err
		}
	}
	compare(rounds, []string{"net/http", "SDK", "ogen", "oapi-codegen"}, run)
}
