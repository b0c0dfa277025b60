package main

import (
	"context"
	"fmt"
	"net/http"
	"testing"
)

// result is a benchmark's outcome over several rounds.
type result struct {
	ns, bytes, allocs, ratio []float64
}

// compare runs the benchmarks in turns and prints them against the first.
func compare(rounds int, order []string, run map[string]func() error) {
	results := map[string]*result{}
	for range rounds {
		for _, name := range order {
			r := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					check(run[name]())
				}
			})
			if results[name] == nil {
				results[name] = &result{}
			}
			res := results[name]
			res.ns = append(res.ns, float64(r.NsPerOp()))
			res.bytes = append(res.bytes, float64(r.AllocedBytesPerOp()))
			res.allocs = append(res.allocs, float64(r.AllocsPerOp()))
			first := results[order[0]].ns
			res.ratio = append(res.ratio, float64(r.NsPerOp())/first[len(first)-1])
		}
	}
	fmt.Print("\n| client | µs | × | bytes | allocations |\n|---|--:|--:|--:|--:|\n")
	for _, name := range order {
		r := results[name]
		fmt.Printf("| %s | %.1f | %.2f | %.0f | %.0f |\n", name, median(r.ns)/1e3, median(r.ratio), median(r.bytes), median(r.allocs))
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
