#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod calls;
mod router;
mod stream_type;
#[cfg(feature = "tokio")]
mod tokio_io;
mod typed;
mod typed_stream;
mod waiting;

pub use router::{Queue, Router};
pub use stream_type::StreamType;
pub use typed::{OpenTypedError, Typed};
pub use typed_stream::TypedStream;
