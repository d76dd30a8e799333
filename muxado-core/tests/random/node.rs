//! One side: a session with its driver, and everything that its application holds.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use muxado_core::rt::Runtime;
use muxado_core::{
    Accept, Closed, Config, Leaving, Observer, Open, RecvStream, SendStream, Session, Side, Stopped,
};
use muxado_testkit::{Counter, End, Watched, World};

use super::dice::Dice;

pub(crate) struct Node {
    /// Handles of the one session.
    pub(crate) sessions: Vec<Session>,
    pub(crate) observer: Observer,
    pub(crate) driver: Arc<Mutex<Option<Task>>>,
    pub(crate) handles: Vec<Handle>,
    pub(crate) opens: Vec<Op<Open>>,
    pub(crate) accepts: Vec<Op<Accept>>,
    pub(crate) stops: Vec<Op<Stopped>>,
    pub(crate) ends: Vec<Op<Closed>>,
    pub(crate) leaves: Vec<Op<Leaving>>,
}

/// One end of a stream.
pub(crate) struct Handle {
    pub(crate) send: Option<SendStream>,
    pub(crate) recv: Option<RecvStream>,
    /// What it writes: a place in the list of what was said, which its first two bytes name.
    pub(crate) name: usize,
    pub(crate) read: Vec<u8>,
    pub(crate) ended: bool,
    pub(crate) failed: bool,
    pub(crate) reads: Wait,
    pub(crate) writes: Wait,
    pub(crate) watches: Wait,
    pub(crate) read_deadline: Option<Instant>,
    pub(crate) write_deadline: Option<Instant>,
}

/// A future that was polled some times.
pub(crate) struct Op<F> {
    pub(crate) future: F,
    pub(crate) wait: Wait,
}

impl<F> Op<F> {
    pub(crate) fn new(future: F) -> Op<F> {
        Op { future, wait: Wait(None) }
    }
}

/// Who was told to wait, if anybody.
#[derive(Default)]
pub(crate) struct Wait(pub(crate) Option<Arc<Counter>>);

impl Wait {
    /// He was not woken.
    pub(crate) fn sleeps(&self) -> bool {
        self.0.as_ref().is_some_and(|count| count.count() == 0)
    }

    /// He was woken, and has not come since.
    pub(crate) fn was_told(&self) -> bool {
        self.0.as_ref().is_some_and(|count| count.count() > 0)
    }
}

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A driver that can be taken away.
struct Killable(Arc<Mutex<Option<Task>>>);

impl Future for Killable {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(mut driver) = self.0.lock().unwrap().take() else { return Poll::Ready(()) };
        let polled = driver.as_mut().poll(cx);
        if polled.is_pending() {
            *self.0.lock().unwrap() = Some(driver);
        }
        polled
    }
}

/// Polls with one waker all the time, as most executors do; [`World`] and [`Watched`] have a new one each time.
struct Steady<D>(D, Waker, Arc<Relay>);

struct Relay(Mutex<Option<Waker>>);

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        let task = self.0.lock().unwrap().clone();
        task.into_iter().for_each(Waker::wake);
    }
}

impl<D: Future + Unpin> Future for Steady<D> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        *self.2.0.lock().unwrap() = Some(cx.waker().clone());
        let waker = self.1.clone();
        Pin::new(&mut self.0).poll(&mut Context::from_waker(&waker)).map(drop)
    }
}

impl Node {
    pub(crate) fn new(world: &World, side: Side, end: End, config: &Config, dice: &mut Dice) -> Node {
        let (session, driver) = Session::from_halves(side, end.read, end.write, config, world.clone());
        let driver = driver.vectored(dice.one_in(2)).half_closes(dice.one_in(2));
        let task: Task = if dice.one_in(2) {
            Box::pin(async { drop(Watched::new(driver).await) })
        } else {
            let relay = Arc::new(Relay(Mutex::new(None)));
            Box::pin(Steady(driver, Waker::from(relay.clone()), relay))
        };
        let driver = Arc::new(Mutex::new(Some(task)));
        world.spawn(Killable(driver.clone()));
        Node {
            observer: session.observer(),
            sessions: vec![session.clone(), session],
            driver,
            handles: Vec::new(),
            opens: Vec::new(),
            accepts: Vec::new(),
            stops: Vec::new(),
            ends: Vec::new(),
            leaves: Vec::new(),
        }
    }

    pub(crate) fn is_driven(&self) -> bool {
        self.driver.lock().unwrap().is_some()
    }

    pub(crate) fn kill(&self) {
        let driver = self.driver.lock().unwrap().take();
        drop(driver);
    }
}

/// Any settings that both sides may have.
pub(crate) fn config(dice: &mut Dice) -> Config {
    let millis = |millis: u64| Duration::from_millis(millis);
    Config::builder()
        .window(dice.pick(&[1, 16, 1000, 65_536, 256 * 1024, 256 * 1024]))
        .window_agreed_out_of_band()
        .max_frame(dice.pick(&[1, 100, 16 * 1024, 16 * 1024]))
        .send_queue(dice.pick(&[1, 300, 20_000, 256 * 1024]))
        .session_send_queue(dice.pick(&[1, 1000, 30_000, 512 * 1024]))
        .max_inbound_streams(dice.pick(&[1, 3, 256, 256]))
        .max_outbound_streams(dice.pick(&[1, 2, 3, 30, 256]))
        .extra_credit(dice.pick(&[0, 5000, 64 << 20]))
        .peer_drains(dice.one_in(3))
        .inspection(dice.one_in(4))
        .record_frames(dice.pick(&[0, 0, 10]))
        .credit_delay(millis(dice.pick(&[0, 50, 50, 1000])))
        .drain_timeout(millis(dice.pick(&[0, 100, 30_000])))
        .write_stall(dice.pick(&[None, None, Some(Duration::from_secs(3600))]))
        .build()
        .unwrap()
}
