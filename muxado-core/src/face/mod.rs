//! What the crates for particular runtimes are made of. Applications use those crates.

mod accept;
mod layer;
mod session;
#[cfg(feature = "tcp")]
mod tcp;

pub use accept::accept;
pub use layer::Face;
pub use session::Session;
#[cfg(feature = "tcp")]
pub use tcp::tune;
