// The program of the page needs tokio.
#![cfg_attr(any(not(doctest), feature = "tokio"), doc = include_str!("../README.md"))]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
mod axum;
mod decide;
mod io;
mod limits;
mod listener;
mod matcher;
mod sniff;
mod sniffed;
mod sniffer;

#[cfg(feature = "tokio")]
pub use io::Tokio;
pub use io::{FuturesIo, Io};
pub use limits::Limits;
pub use listener::{Incoming, Listener};
pub use matcher::{
    ClientHello, Matcher, OneOf, Parsed, Tls, Verdict, any, client_hello, http1, http1_header,
    http1_header_prefix, http1_methods, http2, muxado, one_of, prefix, ssh, tls,
};
#[cfg(feature = "hpack")]
pub use matcher::{Http2Header, http2_header, http2_header_prefix};
pub use sniffed::Sniffed;
pub use sniffer::{SniffStats, Sniffer};
