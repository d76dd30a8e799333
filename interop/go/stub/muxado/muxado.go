// Package muxado has the names of the peer's module that our programs use, and does nothing: with it they can be compiled
// where that module is not to be had.
package muxado

import (
	"io"
	"time"
)

type (
	Config          struct{}
	HeartbeatConfig struct{}
	StreamType      uint32
)

type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
}

type Session interface {
	OpenStream() (Stream, error)
	AcceptStream() (Stream, error)
	Close() error
}

type TypedStream interface {
	Stream
	StreamType() StreamType
}

type TypedStreamSession interface {
	Session
	AcceptTypedStream() (TypedStream, error)
}

type Heartbeat struct{ TypedStreamSession }

func (*Heartbeat) Start() {}

func Client(io.ReadWriteCloser, *Config) Session { return nil }

func Server(io.ReadWriteCloser, *Config) Session { return nil }

func NewTypedStreamSession(Session) TypedStreamSession { return nil }

func NewHeartbeat(TypedStreamSession, func(time.Duration, bool), *HeartbeatConfig) *Heartbeat {
	return nil
}
