//! HTTP and gRPC over sessions, with the libraries that people use: an example and tests, in a package of their own so that
//! the examples of `muxado-tokio` need not wait for these libraries.

/// Runs the program of the project's first page as a test: of the packages with what it needs, one that is not published.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct FirstPage;
