//! What the machine remembers only if somebody wants to look inside: the last frames, and since when streams wait.
//!
//! The machine has no clock. "Since when" is the time that the owner told last when the wait was first seen; the owner
//! says after what steps to look. A stream is also looked at after each frame of its own, once its effect is complete.

use std::time::Duration;

use muxado_frame::{Item, Kind, StreamId};

use super::frames::{FrameDirection, FrameLog, FrameRecord, LastFrames};
use super::inspection::Waiting;
use super::mux::Mux;
use super::stream::StreamKey;
use crate::config::Config;
use crate::error::SessionEnd;

/// Stamps that are kept while there are no streams.
const KEPT: usize = 64;

/// Frames that wait to be told: more than a step of the driver makes.
const MOST_UNTOLD: usize = 65_536;

/// What is remembered.
#[derive(Debug)]
pub(super) struct Watch {
    last_frames: LastFrames,
    /// Frames that the owner has not been told of; none unless it wants to be.
    untold: Option<Vec<FrameRecord>>,
    /// By slot, since when streams wait; none unless that is wanted.
    stamps: Option<Vec<Stamp>>,
    /// The stream of the last frame: its effect may not be complete yet.
    last: Option<StreamId>,
}

/// Since when one stream waits for what it waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamp {
    serial: u32,
    pub(super) reading: Option<Noted>,
    pub(super) writing: Option<Noted>,
}

/// A wait, and when it was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    what: Waiting,
    since: Duration,
}

impl Noted {
    /// How long the wait has lasted, if it is for `what`.
    pub(super) fn so_far(self, what: Waiting, now: Duration) -> Option<Duration> {
        (self.what == what).then(|| now.saturating_sub(self.since))
    }
}

/// Keeps the time of a wait that goes on, and notes that of a new one.
fn note(noted: &mut Option<Noted>, what: Option<Waiting>, now: Duration) {
    if noted.map(|noted| noted.what) != what {
        *noted = what.map(|what| Noted { what, since: now });
    }
}

impl Watch {
    /// What the settings ask for, which in most sessions is nothing.
    pub(super) fn of(config: &Config) -> Option<Box<Watch>> {
        let wanted = config.inspection() || config.record_frames() > 0;
        wanted.then(|| Watch::new(config.record_frames(), config.inspection()))
    }

    fn new(frames: usize, inspection: bool) -> Box<Watch> {
        let stamps = inspection.then(Vec::new);
        Box::new(Watch { last_frames: LastFrames::new(frames), untold: None, stamps, last: None })
    }

    pub(super) fn stamp(&self, key: StreamKey) -> Option<Stamp> {
        let stamp = self.stamps.as_ref()?.get(usize::try_from(key.slot).ok()?)?;
        (stamp.serial == key.serial).then_some(*stamp)
    }

    fn stamp_mut(&mut self, key: StreamKey) -> Option<&mut Stamp> {
        let stamps = self.stamps.as_mut()?;
        let slot = usize::try_from(key.slot).ok()?;
        if slot >= stamps.len() {
            stamps.resize(slot.saturating_add(1), Stamp::default());
        }
        let stamp = stamps.get_mut(slot)?;
        if stamp.serial != key.serial {
            *stamp = Stamp { serial: key.serial, ..Stamp::default() };
        }
        Some(stamp)
    }

    fn frame(&mut self, mut frame: FrameRecord, now: Duration) {
        frame.at = self.stamps.is_some().then_some(now);
        self.last_frames.push(frame);
        if let Some(untold) = self.untold.as_mut().filter(|untold| untold.len() < MOST_UNTOLD) {
            untold.push(frame);
        }
    }
}

impl Mux {
    /// The last frames, the oldest first: as many as [`Config::record_frames`] says.
    #[must_use]
    pub fn frames(&self) -> FrameLog {
        self.watch.as_deref().map_or_else(FrameLog::default, |watch| watch.last_frames.log())
    }

    /// A frame begins to come.
    #[cold]
    pub(super) fn watch_received(&mut self, item: &Item) {
        if let Some(frame) = FrameRecord::of(FrameDirection::Received, item) {
            self.watch_frame(frame);
        }
    }

    /// A frame goes out, which `bytes` begin with.
    #[cold]
    pub(super) fn watch_sent(&mut self, bytes: &[u8]) {
        if let Some(frame) = FrameRecord::sent(bytes) {
            self.watch_frame(frame);
        }
    }

    fn watch_frame(&mut self, frame: FrameRecord) {
        self.look_at_last();
        let now = self.now;
        let Some(watch) = &mut self.watch else { return };
        watch.frame(frame, now);
        if watch.stamps.is_none() {
            return;
        }
        watch.last = StreamId::new(frame.id);
        let moves = frame.kind == Kind::Data && frame.length > 0;
        let key = watch.last.filter(|_| moves).and_then(|id| self.streams.find(id));
        let Some(stamp) = key.and_then(|key| self.watch.as_mut()?.stamp_mut(key)) else { return };
        // Whatever was waited for has moved: if it is waited for again, that is a new wait. Except for a reader who does
        // not come: more for him to read is not what he waits for.
        match frame.direction {
            FrameDirection::Sent => stamp.writing = None,
            FrameDirection::Received if stamp.reading.is_some_and(|noted| noted.what == Waiting::Data) => {
                stamp.reading = None;
            }
            FrameDirection::Received => {}
        }
    }

    /// Looks again at the stream of the last frame, now that a step of the owner's is over.
    pub(crate) fn look_at_last(&mut self) {
        let last = self.watch.as_deref().and_then(|watch| watch.last);
        if let Some(key) = last.and_then(|id| self.streams.find(id)) {
            self.look_at(key);
        }
    }

    /// Looks at a stream: what it waits for now, if that is new, it waits for since the time that was told last.
    pub(crate) fn look_at(&mut self, key: StreamKey) {
        let Some(watch) = self.watch.as_mut().filter(|watch| watch.stamps.is_some()) else { return };
        let Some(stream) = self.streams.get(key) else { return };
        let (reading, writing) = (stream.reading_waits(), stream.writing_waits());
        if let Some(stamp) = watch.stamp_mut(key) {
            note(&mut stamp.reading, reading, self.now);
            note(&mut stamp.writing, writing, self.now);
        }
    }

    /// As [`look_at`](Mux::look_at), after somebody has read: a reader who comes back later is waited for anew.
    pub(crate) fn look_after_read(&mut self, key: StreamKey) {
        if let Some(stamp) = self.watch.as_mut().and_then(|watch| watch.stamp_mut(key)) {
            stamp.reading = stamp.reading.filter(|noted| noted.what != Waiting::Reader);
        }
        self.look_at(key);
    }

    /// Looks at every stream, and lets go of what is kept for those that are gone.
    pub(crate) fn look_at_all(&mut self) {
        if self.streams.len() == 0 {
            if let Some(stamps) = self.watch.as_mut().and_then(|watch| watch.stamps.as_mut()) {
                stamps.truncate(KEPT);
                stamps.shrink_to(KEPT);
            }
        }
        for key in self.streams.keys() {
            self.look_at(key);
        }
    }

    /// From now on, or not any more, each frame is kept for [`take_frames`](Mux::take_frames), up to 65 536 of them: for an
    /// owner that wants to tell each.
    pub fn tell_frames(&mut self, wanted: bool) {
        if wanted {
            self.watch.get_or_insert_with(|| Watch::new(0, false));
        }
        if let Some(watch) = &mut self.watch {
            if wanted != watch.untold.is_some() {
                watch.untold = wanted.then(Vec::new);
            }
        }
    }

    /// The frames since this was last asked, the oldest first.
    #[must_use]
    pub fn take_frames(&mut self) -> Vec<FrameRecord> {
        let untold = self.watch.as_mut().and_then(|watch| watch.untold.as_mut());
        untold.map(std::mem::take).unwrap_or_default()
    }

    /// `end`, with the last frames if it is for a protocol error that they may explain.
    pub(super) fn with_frames(&self, end: SessionEnd) -> SessionEnd {
        match &self.watch {
            Some(watch) if end.is_protocol_error() => end.with_frames(watch.last_frames.log()),
            _ => end,
        }
    }
}

#[cfg(test)]
mod tests {
    use muxado_frame::Side;

    use super::*;
    use crate::proto::{Batch, Read};

    #[test]
    fn nothing_is_remembered_unless_it_is_asked_for() {
        assert!(Watch::of(&Config::default()).is_none());
        let config = |builder: crate::ConfigBuilder| Watch::of(&builder.build().unwrap()).unwrap();
        assert!(config(Config::builder().record_frames(1)).stamps.is_none());
        assert!(config(Config::builder().inspection(true)).stamps.is_some());
    }

    #[test]
    fn b36_what_is_remembered_is_as_large_as_the_settings_say() {
        assert_eq!((size_of::<Stamp>(), size_of::<FrameRecord>()), (56, 40));
    }

    #[test]
    fn b36_the_stamps_of_streams_that_are_gone_are_given_back() {
        let config = Config::builder().inspection(true).max_outbound_streams(1000).build().unwrap();
        let mut mux = Mux::new(Side::Client, &config);
        let keys: Vec<_> = (0..1000).map(|_| mux.open().unwrap()).collect();
        mux.look_at_all();
        let stamps = |mux: &Mux| mux.watch.as_ref().unwrap().stamps.as_ref().unwrap().capacity();
        assert!(stamps(&mux) >= 1000);
        for key in keys {
            mux.release_send(key);
            mux.release_recv(key);
        }
        mux.look_at_all();
        assert!(stamps(&mux) <= KEPT);
    }

    #[test]
    fn a_wait_keeps_its_beginning_and_another_has_its_own() {
        let mut noted = None;
        let at = Duration::from_secs;
        note(&mut noted, Some(Waiting::Credit), at(1));
        note(&mut noted, Some(Waiting::Credit), at(2));
        assert_eq!(noted, Some(Noted { what: Waiting::Credit, since: at(1) }));
        note(&mut noted, Some(Waiting::Turn), at(3));
        assert_eq!(noted, Some(Noted { what: Waiting::Turn, since: at(3) }));
        note(&mut noted, None, at(4));
        assert_eq!(noted, None);
    }

    /// A client whose only stream the peer knows of, one second old.
    fn client() -> (Mux, StreamKey, Batch) {
        let config = Config::builder().inspection(true).build().unwrap();
        let mut mux = Mux::new(Side::Client, &config);
        let mut batch = Batch::contiguous();
        let key = mux.open().unwrap();
        mux.flush(key).unwrap();
        mux.poll_transmit(&mut batch, usize::MAX);
        mux.handle_time(Duration::from_secs(1));
        (mux, key, batch)
    }

    /// How long the stream has waited at five seconds, for reading or writing.
    fn at_five(mux: &mut Mux, key: StreamKey) -> Option<Duration> {
        mux.handle_time(Duration::from_secs(5));
        mux.inspect_stream(key).unwrap().longest_wait()
    }

    #[test]
    fn a_reader_that_is_faster_than_the_driver_waits_anew() {
        let (mut mux, key, _) = client();
        mux.read(key, 1).unwrap();
        mux.look_after_read(key);
        assert_eq!(at_five(&mut mux, key), Some(Duration::from_secs(4)));
        let _ = mux.handle_slice(b"\0\0\x01\x10\0\0\0\x03x");
        while let Read::Chunk(_) = mux.read(key, 1).unwrap() {}
        mux.look_after_read(key);
        assert_eq!(at_five(&mut mux, key), Some(Duration::ZERO));
    }

    #[test]
    fn a_stream_that_has_had_a_turn_waits_anew_for_the_next() {
        let (mut mux, key, mut batch) = client();
        mux.write(key, &[0; 100_000]).unwrap();
        mux.look_at(key);
        assert_eq!(at_five(&mut mux, key), Some(Duration::from_secs(4)));
        batch.advance(usize::MAX);
        mux.poll_transmit(&mut batch, 1);
        mux.look_at_last();
        assert_eq!(at_five(&mut mux, key), Some(Duration::ZERO));
    }
}
