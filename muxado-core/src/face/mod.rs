//! What the crates for particular runtimes are made of. Applications use those crates.

mod accept;
#[cfg(feature = "arrivals")]
mod arrivals;
mod layer;
mod session;
#[cfg(feature = "tcp")]
mod tcp;
#[cfg(feature = "tls")]
mod tls;

pub use accept::accept;
#[cfg(feature = "arrivals")]
pub use arrivals::{ArrivalLimits, ArrivalStats, Arrivals};
pub use layer::Face;
pub use session::Session;
#[cfg(feature = "tcp")]
pub use tcp::{bound_unsent, tune};
#[cfg(feature = "tls")]
pub use tls::{ALPN, AlpnMismatch, TlsOptions};
