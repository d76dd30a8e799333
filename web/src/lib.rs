//! HTTP and gRPC over sessions, with the libraries that people use: an example and tests, in a package of their own so that
//! the examples of `muxado-tokio` need not wait for these libraries.
