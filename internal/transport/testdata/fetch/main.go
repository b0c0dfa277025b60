// Command fetch sends creates by fetch of JavaScript, which calls no hook of net/http,
// and prints how each ended: fetch URL N.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/authentik-go/authentik/internal/transport"
)

func main() {
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	client, err := transport.New(transport.Config{
		Token:      func(context.Context) (string, error) { return "token", nil },
		AddHeaders: func(http.Header) {},
		Logger:     slog.New(slog.DiscardHandler),
		Retries:    3,
	})
	if err != nil {
		panic(err)
	}
	outcomes := make([]string, n)
	var next atomic.Int32
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				outcomes[i] = create(client, os.Args[1], i)
			}
		})
	}
	workers.Wait()
	fmt.Println(strings.Join(outcomes, " "))
}

func create(client *transport.Client, server string, id int) string {
	u, err := url.Parse(server + "/" + strconv.Itoa(id))
	if err != nil {
		panic(err)
	}
	request := transport.Request{Method: http.MethodPost, URL: u, Creates: true}
	if id%2 == 0 {
		request.Body = &transport.Body{ContentType: "application/json", Size: 2, Open: func() (io.Reader, error) { return strings.NewReader("{}"), nil }}
	}
	response, err := client.Do(context.Background(), request)
	defer response.Release()
	switch {
	case response.Unknown:
		return "unknown"
	case err != nil || response.Status != http.StatusOK:
		return "failed"
	}
	return "done"
}
