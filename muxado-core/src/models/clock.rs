//! A clock without a pointer: short limits pass a few turns after they were set, whatever else has happened by then,
//! and long ones never do. A task that would be saved by a limit of 30 seconds counts as stuck.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::rt::Runtime;

#[derive(Clone, Copy, Debug)]
pub(super) struct Clock;

/// A sleep that ends after so many turns, or never.
#[derive(Debug)]
pub(super) struct Sleep(Option<u32>);

impl Runtime for Clock {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(shuttle::future::spawn(future));
    }

    fn now(&self) -> Instant {
        static START: OnceLock<Instant> = OnceLock::new();
        *START.get_or_init(Instant::now)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep((duration < Duration::from_secs(1)).then_some(3))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            None => Poll::Pending,
            Some(0) => Poll::Ready(()),
            Some(turns) => {
                *turns -= 1;
                // Once from within, as a runtime does that has no time for it, and else from elsewhere, as a timer does.
                match *turns {
                    1 => cx.waker().wake_by_ref(),
                    _ => {
                        let waker = cx.waker().clone();
                        drop(shuttle::future::spawn(async move { waker.wake() }));
                    }
                }
                Poll::Pending
            }
        }
    }
}
