//! What a session locks and counts with: std's, or in the models shuttle's, which decides who goes on at each of them.

#[cfg(not(all(test, muxado_models)))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize};
#[cfg(not(all(test, muxado_models)))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(all(test, muxado_models))]
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicUsize};
#[cfg(all(test, muxado_models))]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
