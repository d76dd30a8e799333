//! The world of a thread, for sessions that make their runtime by themselves: it must be the one that runs.

use std::future::Future;
use std::time::{Duration, Instant};

use muxado_core::face::Session;
use muxado_core::rt::Runtime;

use crate::pipe::pipe;
use crate::world::{Sleep, World};

thread_local! {
    /// Never dropped: what is left in it may ask for the time when it goes.
    static WORLD: &'static World = Box::leak(Box::default());
}

/// The one [`World`] of the thread that uses it, as a runtime that any two of its values share.
///
/// ```
/// use muxado_testkit::Here;
///
/// let (client, server) = Here.connected();
/// Here.block_on(async move {
///     drop(client);
///     assert!(server.closed().await.is_clean());
/// });
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it stands for the world, and has nothing to grow")]
pub struct Here;

impl Here {
    /// Runs `future`, and everything spawned until it is done. See [`World::block_on`].
    ///
    /// # Panics
    /// As that does.
    pub fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        WORLD.with(|world| world.block_on(future))
    }

    /// A client and a server session of a face, with the default settings, and a pipe of 4 KiB each way between them.
    #[must_use]
    pub fn connected(self) -> (Session<Here>, Session<Here>) {
        let (near, far) = pipe(4096);
        (Session::client(near), Session::server(far))
    }
}

impl Runtime for Here {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        WORLD.with(|world| world.spawn(future));
    }

    fn now(&self) -> Instant {
        WORLD.with(|world| world.now())
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        WORLD.with(|world| world.sleep(duration))
    }
}
