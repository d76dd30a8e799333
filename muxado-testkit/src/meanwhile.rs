//! What happens on another thread while a poll is under way, as a test that has no other thread needs it.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;

use crate::{Sleep, World};

type Deed = Box<dyn FnOnce() + Send>;

/// A [`World`] where something else is done between two steps of one poll: when the time is asked for.
#[derive(Clone)]
pub struct Meanwhile {
    world: World,
    deed: Arc<Mutex<Option<Deed>>>,
}

impl Meanwhile {
    /// The world as it is, until there is something to do.
    #[must_use]
    pub fn new(world: &World) -> Meanwhile {
        Meanwhile { world: world.clone(), deed: Arc::default() }
    }

    /// This is done once, when the time is asked for next.
    pub fn set(&self, deed: impl FnOnce() + Send + 'static) {
        *self.deed() = Some(Box::new(deed));
    }

    /// Whether it has yet to be done.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.deed().is_some()
    }

    fn deed(&self) -> MutexGuard<'_, Option<Deed>> {
        self.deed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for Meanwhile {
    type Sleep = Sleep;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(future);
    }

    fn now(&self) -> Instant {
        let deed = self.deed().take();
        if let Some(deed) = deed {
            deed();
        }
        self.world.now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.world.sleep(duration)
    }
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meanwhile").field("is_set", &self.is_set()).finish_non_exhaustive()
    }
}
