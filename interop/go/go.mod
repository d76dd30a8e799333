// The Go programs of the tests, which are most of them blocks of the book: see docs/testing.md, "Interop".
module interop

// The lowest that the peer allows.
go 1.21

require (
	github.com/xtaci/smux v1.5.57
	golang.ngrok.com/muxado/v2 v2.0.2-0.20260303030545-b295f96a009f
)

// Another protocol: what the book has for it is compiled, and never run.
replace github.com/xtaci/smux => ./stub/smux
