// Command echo is the application that the conformance suite wants its peers to have. It listens on a free port and prints
// where. With an address it dials there instead, in many sessions at a time and again and again, until it is refused, and
// opens a stream in each.
package main

import (
	"io"
	"log"
	"net"
	"os"
	"sync"

	"golang.ngrok.com/muxado/v2"

	local "interop/net"
)

// As many sessions at a time as the suite plays.
const sessions = 32

// The most bytes read at once, and so in one frame: its frames are as long as what is written at once.
const chunk = 16 * 1024

func main() {
	if len(os.Args) == 1 {
		serve()
		return
	}
	var clients sync.WaitGroup
	for i := 0; i < sessions; i++ {
		clients.Add(1)
		go func() {
			defer clients.Done()
			dial()
		}()
	}
	clients.Wait()
}

func serve() {
	listener, err := local.Listen("tcp", "")
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go acceptAll(muxado.Server(conn, nil))
	}
}

func dial() {
	for {
		conn, err := net.Dial("tcp", os.Args[1])
		if err != nil {
			return
		}
		session := muxado.Client(conn, nil)
		if stream, err := session.OpenStream(); err == nil {
			go greet(stream)
		}
		acceptAll(session)
	}
}

func acceptAll(session muxado.Session) {
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			return
		}
		go echo(stream)
	}
}

func greet(stream muxado.Stream) {
	if _, err := stream.Write([]byte("hello")); err != nil {
		stream.Close()
		return
	}
	echo(stream)
}

// Until the peer finishes, and then finishes too. A stream that fails is given up.
func echo(stream muxado.Stream) {
	if _, err := io.CopyBuffer(stream, stream, make([]byte, chunk)); err != nil {
		stream.Close()
		return
	}
	stream.CloseWrite()
}
