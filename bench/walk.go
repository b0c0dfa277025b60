package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"time"

	"github.com/authentik-go/authentik"
)

const walkPages = 100

// walks measures the walk over 10,000 stages with 10 ms of latency.
func walks(rounds int) {
	fmt.Printf("\n## A walk over %d stages in %d pages, 10 ms of latency, loopback\n", walkPages*perPage, walkPages)
	server := httptest.NewServer(newList(walkPages))
	defer server.Close()
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	client := newSDK(server.URL, hc)
	bare := bareFetch(server.URL, hc)

	names := []string{"floor: bodies drained", "hand-written loop", "SDK, Prefetch 0", "SDK, Prefetch 4", "SDK, Prefetch 8", "floor, 8 at a time"}
	run := map[string]func() int{
		"floor: bodies drained": func() int { return drain(server.URL, hc, 1) },
		"floor, 8 at a time":    func() int { return drain(server.URL, hc, 8) },
		"hand-written loop": func() int {
			seen := 0
			for page := 1; page != 0; {
				stages, next, err := bare(context.Background(), page)
				check(err)
				seen += stages
				page = next
			}
			return seen
		},
	}
	for _, prefetch := range []int{0, 4, 8} {
		run[fmt.Sprintf("SDK, Prefetch %d", prefetch)] = func() int {
			seen := 0
			for _, err := range client.StagesIdentification.All(context.Background(), &authentik.StagesIdentificationListOptions{
				ListOptions: authentik.ListOptions{Prefetch: prefetch},
			}) {
				check(err)
				seen++
			}
			return seen
		}
	}

	times, ratios, heaps := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for range rounds {
		for _, name := range names {
			walk := func() {
				if seen := run[name](); seen != walkPages*perPage {
					check(fmt.Errorf("%s: %d stages", name, seen))
				}
			}
			start := time.Now()
			walk()
			ms := float64(time.Since(start).Microseconds()) / 1e3
			runtime.GC()
			peak := peakHeap(walk) // by itself: reading the heap takes time
			times[name] = append(times[name], ms)
			floor := times[names[0]]
			ratios[name] = append(ratios[name], ms/floor[len(floor)-1])
			heaps[name] = append(heaps[name], peak)
		}
	}
	fmt.Print("\n| walk | ms | × | peak heap MB |\n|---|--:|--:|--:|\n")
	for _, name := range names {
		fmt.Printf("| %s | %.0f | %.2f | %.1f |\n", name, median(times[name]), median(ratios[name]), median(heaps[name]))
	}
}

// latencies measures walks over 20 pages of a server of 4 workers.
func latencies() {
	const pages, workers = 20, 4
	fmt.Printf("\n## A walk over %d pages of a server of %d workers, loopback: seconds\n\n", pages, workers)
	prefetches := []int{0, 2, 4, 8}
	fmt.Print("| a page takes |")
	for _, prefetch := range prefetches {
		fmt.Printf(" Prefetch %d |", prefetch)
	}
	fmt.Print("\n|---|--:|--:|--:|--:|\n")
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	for _, latency := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond} {
		l := newList(pages)
		l.latency, l.workers = latency, make(chan struct{}, workers)
		server := httptest.NewServer(l)
		client := newSDK(server.URL, hc)
		fmt.Printf("| %v |", latency)
		for _, prefetch := range prefetches {
			start := time.Now()
			for _, err := range client.StagesIdentification.Pages(context.Background(),
				&authentik.StagesIdentificationListOptions{ListOptions: authentik.ListOptions{Prefetch: prefetch}}) {
				check(err)
			}
			fmt.Printf(" %.2f |", time.Since(start).Seconds())
		}
		fmt.Println()
		server.Close()
	}
}

// drain reads the bodies of all pages, so many at a time, and decodes nothing.
func drain(baseURL string, hc *http.Client, atATime int) int {
	pages := make(chan int)
	var readers sync.WaitGroup
	for range atATime {
		readers.Go(func() {
			for page := range pages {
				resp, err := hc.Get(baseURL + "/?page=" + strconv.Itoa(page))
				check(err)
				_, err = io.Copy(io.Discard, resp.Body)
				check(err)
				check(resp.Body.Close())
			}
		})
	}
	for page := 1; page <= walkPages; page++ {
		pages <- page
	}
	close(pages)
	readers.Wait()
	return walkPages * perPage
}

// peakHeap runs f and returns by how many megabytes the heap grew at most.
func peakHeap(f func()) float64 {
	before := heap()
	done := make(chan struct{})
	peak := make(chan float64)
	go func() {
		most := before
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				most = max(most, heap())
			case <-done:
				peak <- most - before
				return
			}
		}
	}()
	f()
	close(done)
	return <-peak
}

func heap() float64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64()) / 1e6
}

// million walks 1,000,000 stages and prints what the heap holds on the way.
func million() {
	fmt.Print("\n## A walk over 1,000,000 stages, from memory: heap after a collection\n\n")
	pages := newList(10_000)
	hc := &http.Client{Transport: transport(func(r *http.Request) []byte {
		number, _ := strconv.Atoi(r.URL.Query().Get("page"))
		return pages.page(number)
	})}
	client := newSDK("http://authentik.test", hc)
	ctx := context.Background()
	walks := map[string]func(visit func(stages int)){
		"Pages": func(visit func(int)) {
			for page, err := range client.StagesIdentification.Pages(ctx, nil) {
				check(err)
				visit(len(page.Results))
			}
		},
		"All": func(visit func(int)) {
			for _, err := range client.StagesIdentification.All(ctx, nil) {
				check(err)
				visit(1)
			}
		},
	}
	fmt.Print("| walk | 1,000 | 250,000 | 500,000 | 1,000,000 | s |\n|---|--:|--:|--:|--:|--:|\n")
	for _, name := range []string{"Pages", "All"} {
		runtime.GC()
		before := heap()
		start, seen, row := time.Now(), 0, ""
		walks[name](func(stages int) {
			seen += stages
			switch seen {
			case 1_000, 250_000, 500_000, 1_000_000:
				runtime.GC()
				row += fmt.Sprintf(" %.1f MB |", heap()-before)
			}
		})
		fmt.Printf("| %s |%s %.0f |\n", name, row, time.Since(start).Seconds())
	}
}
