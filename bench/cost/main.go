//go:build linux

// Command cost measures what a program that uses one service costs to build with
// the standard library built already, and prints a table: CPU time, which other
// programs disturb less than the time that passes, and the memory of the largest
// process. It needs Linux.
//
//	go run ./cost
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 5, "rounds of each measurement, of which the median counts")
	flag.Parse()
	fmt.Printf("\n## Building the program that uses one service: go run ./cost\n\n%s, %s/%s, %d CPUs, medians of %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *rounds)
	cost(*rounds)
}

func cost(rounds int) {
	work, err := os.MkdirTemp("", "bench")
	check(err)
	defer os.RemoveAll(work)
	const sdk, program = "github.com/authentik-go/authentik", "./hello/sdk"
	standard := strings.Fields(list(program, "{{if .Standard}}{{.ImportPath}}{{end}}"))
	std := filepath.Join(work, "std")
	run(std, append([]string{"build"}, standard...)...)

	fmt.Print("\n| build of | CPU s | peak MB |\n|---|--:|--:|\n")
	report := func(what string, packages ...string) string {
		var cpu, peak []float64
		cache := ""
		for round := range rounds {
			cache = filepath.Join(work, fmt.Sprint("cache-", round))
			check(os.RemoveAll(cache))
			check(os.CopyFS(cache, os.DirFS(std)))
			used := run(cache, append([]string{"build"}, packages...)...)
			cpu, peak = append(cpu, used.cpu), append(peak, used.peak)
		}
		fmt.Printf("| %s | %.1f | %.0f |\n", what, median(cpu), median(peak))
		return cache
	}
	others := strings.Fields(list(sdk, "{{if not .Standard}}{{.ImportPath}}{{end}}"))
	others = others[:len(others)-1] // the last is the SDK
	report("what the SDK imports", others...)
	cache := report("that and the SDK", sdk)

	source, err := os.ReadFile(filepath.Join(program, "main.go"))
	check(err)
	main, err := filepath.Abs(filepath.Join(program, "main.go"))
	check(err)
	binary := filepath.Join(work, "program")
	var cpu, peak []float64
	for round := range rounds + 1 {
		edited := filepath.Join(work, "edited.go")
		overlay := filepath.Join(work, "overlay.json")
		check(os.WriteFile(edited, fmt.Appendf(source, "\nvar _ = %d\n", round), 0o600))
		replace, err := json.Marshal(map[string]any{"Replace": map[string]string{main: edited}})
		check(err)
		check(os.WriteFile(overlay, replace, 0o600))
		used := run(cache, "build", "-overlay="+overlay, "-ldflags=-s -w", "-o", binary, program)
		if round > 0 { // the first one links what the linker has not read yet
			cpu, peak = append(cpu, used.cpu), append(peak, used.peak)
		}
	}
	fmt.Printf("| the program, after an edit | %.1f | %.0f |\n", median(cpu), median(peak))

	info, err := os.Stat(binary)
	check(err)
	run(cache, "build", "-ldflags=-s -w", "-o", binary, "./hello/nethttp")
	bare, err := os.Stat(binary)
	check(err)
	fmt.Printf("\nThe program has %.1f MB, stripped, and one with bare net/http %.1f MB.\n", float64(info.Size())/1e6, float64(bare.Size())/1e6)
}

// usage is what a process and those that it started used.
type usage struct{ cpu, peak float64 } // seconds, MB of the largest

func run(cache string, args ...string) usage {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOCACHE="+cache, "GOFLAGS=-buildvcs=false")
	cmd.Stderr = os.Stderr
	check(cmd.Run())
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return usage{(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), float64(used.Maxrss) / 1e3} // kB, on Linux
}

// list returns what go list says of the package and all that it imports.
func list(pkg, format string) string {
	cmd := exec.Command("go", "list", "-deps", "-f", format, pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	check(err)
	return string(out)
}

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
