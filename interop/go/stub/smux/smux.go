// Package smux has the names of that module that the book uses, and does nothing.
package smux

import "io"

type (
	Config  struct{}
	Session struct{}
	Stream  struct{ io.ReadWriteCloser }
)

func DefaultConfig() *Config { return nil }

func Client(io.ReadWriteCloser, *Config) (*Session, error) { return nil, nil }

func (*Session) OpenStream() (*Stream, error) { return nil, nil }

func (*Stream) CloseWrite() error { return nil }
