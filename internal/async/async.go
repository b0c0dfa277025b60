// Package async runs functions in goroutines of their own.
package async

import (
	"context"
	"errors"
)

var errGoexit = errors.New("runtime.Goexit ended the call")

// Call is a call that runs, or has ended.
type Call[T any] struct {
	done     chan struct{}
	value    T
	err      error
	panicked any
}

// Start calls f in a goroutine of its own.
func Start[T any](f func() (T, error)) *Call[T] {
	c := &Call[T]{done: make(chan struct{}), err: errGoexit}
	go func() {
		defer close(c.done)
		defer func() { c.panicked = recover() }()
		c.value, c.err = f()
	}()
	return c
}

// Wait waits until the call has ended, and returns what it returned, or until
// ctx ends, and returns its error. A panic of the call goes on in Wait,
// whose caller can recover it; nobody else could.
func (c *Call[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-c.done:
	default:
		select {
		case <-c.done:
		case <-ctx.Done():
			return *new(T), ctx.Err()
		}
	}
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.value, c.err
}
