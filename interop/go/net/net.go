// Package net stands in for the net of Go's library in a block of the book, which names an address that every reader can
// type. A test needs a free port: whatever the block says, a server listens on one and prints where, and a client dials
// what is given on the command line.
package net

import (
	"fmt"
	"net"
	"os"
)

func Listen(network, _ string) (net.Listener, error) {
	listener, err := net.Listen(network, "127.0.0.1:0")
	if err == nil {
		fmt.Println(listener.Addr())
	}
	return listener, err
}

func Dial(network, _ string) (net.Conn, error) {
	return net.Dial(network, os.Args[1])
}
