//go:build !plan9

package transport

import "syscall"

// systemError is an error of the operating system.
type systemError = syscall.Errno
