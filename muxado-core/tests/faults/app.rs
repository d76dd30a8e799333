//! A session of ours with an application that uses all of it, and a judge of what that application was told.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::AsyncWriteExt;
use muxado_core::rt::Runtime;
use muxado_core::{Config, SessionEnd, Side, Stream};
use muxado_testkit::{Alone, Watched, World, alone};

use crate::recording::{Frame, Recording, frames, kind};

/// What the application got from one stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// None if the peer never heard of it.
    pub(crate) id: Option<u32>,
    pub(crate) read: Vec<u8>,
    /// It ended cleanly, and not with an error.
    pub(crate) clean: bool,
}

/// A session with an application: it opens streams, writes, finishes and reads them to their end, accepts all there are
/// and answers them.
pub(crate) struct Running {
    pub(crate) world: World,
    pub(crate) one: Alone,
    told: Arc<Mutex<Vec<Told>>>,
    end: Arc<Mutex<Option<SessionEnd>>>,
}

/// Spawns a task that is held to the contract of polling.
pub(crate) fn spawn(world: &World, task: impl Future<Output = ()> + Send + 'static) {
    world.spawn(Watched::new(Box::pin(task)));
}

/// What the application on `side` of a recording wrote, for each stream it opened.
pub(crate) fn written(recording: &Recording, side: Side) -> Vec<Vec<u8>> {
    let mine = |id: u32| (id % 2 == 1) == (side == Side::Client);
    let mut opened: Vec<(u32, Vec<u8>)> = Vec::new();
    for frame in recording.party(side).frames.iter().filter(|frame| frame.kind == kind::DATA) {
        match opened.iter_mut().find(|(id, _)| *id == frame.id) {
            Some((_, payload)) => payload.extend_from_slice(&frame.body),
            None if mine(frame.id) && frame.id > 1 => opened.push((frame.id, frame.body.to_vec())),
            None => {}
        }
    }
    opened.sort_by_key(|(id, _)| *id);
    opened.into_iter().map(|(_, payload)| payload).collect()
}

impl Running {
    /// Starts it. What it says first has gone out when this returns.
    pub(crate) fn start(side: Side, config: &Config, writes: &[Vec<u8>]) -> Running {
        Running::prepared(side, config, writes, |_| {})
    }

    /// The same, over a transport that is changed before anything happens.
    pub(crate) fn prepared(
        side: Side,
        config: &Config,
        writes: &[Vec<u8>],
        prepare: impl FnOnce(&Alone),
    ) -> Running {
        let world = World::new();
        let one = alone(&world, side, config);
        prepare(&one);
        let running = Running { world, one, told: Arc::default(), end: Arc::default() };
        for payload in writes {
            let (session, told, payload) =
                (running.one.session.clone(), running.told.clone(), payload.clone());
            spawn(&running.world, async move {
                let Ok(mut stream) = session.open().await else { return };
                let _ = stream.write_all(&payload).await;
                let _ = stream.close().await;
                read_out(&mut stream, &told).await;
            });
        }
        let (session, told, world) =
            (running.one.session.clone(), running.told.clone(), running.world.clone());
        spawn(&running.world, async move {
            while let Ok(mut stream) = session.accept().await {
                let told = told.clone();
                spawn(&world, async move {
                    read_out(&mut stream, &told).await;
                    let _ = stream.write_all(b"the answer").await;
                    let _ = stream.close().await;
                });
            }
        });
        let (session, end) = (running.one.session.clone(), running.end.clone());
        spawn(&running.world, async move {
            let why = session.closed().await;
            *end.lock().unwrap() = Some(why);
        });
        running.world.settle();
        running
    }

    /// Waits for the end, which must come by itself within `limit`, and for everybody. Says why, and who was told what.
    pub(crate) fn finish(&self, limit: Duration) -> Result<(SessionEnd, Vec<Told>), String> {
        self.world.block_on(self.one.session.closed());
        self.world.settle();
        let elapsed = self.world.elapsed();
        ensure(elapsed <= limit, || format!("it took {elapsed:?}"))?;
        ensure(self.world.tasks() == 0, || format!("{} tasks wait for ever", self.world.tasks()))?;
        ensure(self.world.polls() < 3000, || format!("{} polls", self.world.polls()))?;
        self.one.session.audit()?;
        let end = self.end.lock().unwrap().clone().ok_or("closed() was not told")?;
        Ok((end, self.told.lock().unwrap().clone()))
    }
}

pub(crate) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

async fn read_out(stream: &mut Stream, told: &Mutex<Vec<Told>>) {
    let mut read = Vec::new();
    let clean = loop {
        match stream.read_chunk(usize::MAX).await {
            Ok(Some(chunk)) => read.extend_from_slice(&chunk),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    told.lock().unwrap().push(Told { id: stream.id().map(muxado_core::StreamId::get), read, clean });
}

/// Whether somebody was told what the peer's bytes do not say: other bytes than came, or an end without its FIN.
pub(crate) fn judge(wire: &[u8], told: &[Told]) -> Result<(), String> {
    let wire = Bytes::copy_from_slice(wire);
    let (whole, torn) = frames(&wire);
    for Told { id, read, clean } in told {
        let of_stream = |frame: &&Frame| frame.kind == kind::DATA && Some(frame.id) == *id;
        let all: Vec<&Frame> = whole.iter().chain(&torn).filter(of_stream).collect();
        ensure(!clean || whole.iter().filter(of_stream).any(|frame| frame.fin), || {
            format!("stream {id:?} ends without its FIN")
        })?;
        // The same id may come again: each of its frames may be the first of a stream.
        let mut sent = Vec::new();
        let starts: Vec<usize> = all
            .iter()
            .map(|frame| {
                sent.extend_from_slice(&frame.body);
                sent.len() - frame.body.len()
            })
            .collect();
        let said = starts.into_iter().any(|start| sent[start..].starts_with(read));
        ensure(said || read.is_empty(), || format!("stream {id:?} reads {read:?}, which was not sent"))?;
    }
    Ok(())
}
