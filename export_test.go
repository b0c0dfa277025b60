package authentik

import "github.com/authentik-go/authentik/internal/transport"

// NewClientFrom is NewClientFromEnv with the environment as a function: a test
// that sets variables could not run beside others.
func NewClientFrom(getenv func(string) string, opts ...Option) (*Client, error) {
	return newClientFromEnv(getenv, opts)
}

const MaxBody = transport.MaxBody

// ObjectPath is objectPath: not every kind of id has a service yet.
func ObjectPath(list string, id any, below string) (string, error) {
	return objectPath(list, id, below)
}
