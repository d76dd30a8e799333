//! Transports and drivers that break in ways of their own: a call that panics, a drop that panics, a task that is killed.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_util::future::select;
use futures_util::{AsyncRead, AsyncWrite, FutureExt};
use muxado_core::rt::Runtime;
use muxado_testkit::{Watched, World};

/// Which call of a transport panics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Read,
    Write,
    Flush,
    Close,
    Drop,
}

/// A transport of which one call panics, once so many of them went well.
pub(crate) struct Trap<T> {
    inner: T,
    call: Call,
    left: Arc<Mutex<Option<usize>>>,
}

/// Sets off a [`Trap`].
#[derive(Clone, Default)]
pub(crate) struct Trigger(Arc<Mutex<Option<usize>>>);

impl Trigger {
    /// The trap's call panics once `good` more of them have gone well.
    pub(crate) fn arm(&self, good: usize) {
        *self.0.lock().unwrap() = Some(good);
    }
}

impl<T> Trap<T> {
    pub(crate) fn new(inner: T, call: Call, trigger: &Trigger) -> Trap<T> {
        Trap { inner, call, left: trigger.0.clone() }
    }

    fn step(&self, call: Call) {
        if call != self.call {
            return;
        }
        let fires = {
            let mut left = self.left.lock().unwrap();
            let fires = *left == Some(0);
            *left = if fires { None } else { left.map(|left| left - 1) };
            fires
        };
        assert!(!fires, "the transport panics");
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Trap<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.step(Call::Read);
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Trap<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.step(Call::Write);
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.step(Call::Flush);
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.step(Call::Close);
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

impl<T> Drop for Trap<T> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.step(Call::Drop);
        }
    }
}

/// Kills a task from outside.
#[derive(Clone, Default)]
pub(crate) struct Axe(Arc<Mutex<(bool, Option<Waker>)>>);

impl Axe {
    pub(crate) fn fall(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            state.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        state.1 = Some(cx.waker().clone());
        if state.0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Runs a driver in a task that ends with it, with its panic, or with the axe; the driver is dropped then.
pub(crate) fn run(world: &World, driver: impl Future + Unpin + Send + 'static, axe: &Axe) {
    let axe = axe.clone();
    world.spawn(async move {
        let driver = AssertUnwindSafe(Watched::new(driver)).catch_unwind();
        let falls = poll_fn(|cx| axe.poll(cx));
        let (driver, falls) = (Box::pin(driver), Box::pin(falls));
        select(driver, falls).await;
    });
}
