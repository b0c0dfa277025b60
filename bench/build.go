package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// builds measures what a program that lists stages costs to build with each client if
// the standard library is built already.
func builds() {
	fmt.Print("\n## Building a program that lists stages, the standard library being built\n")
	work, err := os.MkdirTemp("", "bench")
	check(err)
	defer os.RemoveAll(work)
	std := filepath.Join(work, "std")
	build(std, "nethttp", work)

	fmt.Print("\n| client | s | beyond net/http s | binary MB (stripped) |\n|---|--:|--:|--:|\n")
	var floor float64
	for _, name := range []string{"nethttp", "sdk", "oapi", "ogen"} {
		var warm []float64
		for round := range 3 {
			cache := filepath.Join(work, fmt.Sprint("warm-", name, round))
			check(os.CopyFS(cache, os.DirFS(std)))
			warm = append(warm, build(cache, name, work))
		}
		if name == "nethttp" {
			floor = median(warm)
		}
		info, err := os.Stat(filepath.Join(work, name))
		check(err)
		fmt.Printf("| %s | %.1f | %.1f | %.1f |\n", name, median(warm), median(warm)-floor, float64(info.Size())/1e6)
	}
}

// build returns the seconds that the build takes with the cache.
func build(cache, name, work string) float64 {
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(work, name), "./hello/"+name)
	cmd.Env = append(os.Environ(), "GOCACHE="+cache, "GOFLAGS=-buildvcs=false")
	cmd.Stderr = os.Stderr
	start := time.Now()
	check(cmd.Run())
	return time.Since(start).Seconds()
}
