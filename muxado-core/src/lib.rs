//! stub
#![forbid(unsafe_code)]
mod config;
mod error;
pub mod proto;
pub use config::{Config, ConfigBuilder, ConfigError, DEFAULT_WINDOW};
pub use error::*;
