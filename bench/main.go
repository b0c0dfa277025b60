// Command bench measures the SDK against the clients that ogen and oapi-codegen
// generate, and against bare net/http with encoding/json, and prints tables.
//
//	go generate ./rivals
//	go run . [-build] [-walks=false] [-rounds n]
//
// The figures of one table come from one run, and are medians over rounds in
// which every client has its turn: read the ratios.
package main

import (
	"flag"
	"fmt"
	"log"
	"runtime"
	"slices"
	"testing"
)

func main() {
	log.SetFlags(0)
	testing.Init()
	withBuild := flag.Bool("build", false, "measure builds too, which takes minutes")
	withWalks := flag.Bool("walks", true, "measure walks too")
	rounds := flag.Int("rounds", 100, "rounds of what is measured from memory")
	flag.Parse()
	check(flag.Set("test.benchtime", "100ms"))

	fmt.Printf("# %s, %s/%s, %d CPUs, medians of %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *rounds)
	onePage(*rounds)
	onePageOfUsers(*rounds)
	calls(*rounds)
	if *withWalks {
		walks(3)
		latencies()
		million()
	}
	if *withBuild {
		builds()
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func median[T int64 | float64](values []T) T {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
