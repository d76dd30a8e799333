//! One connection to the peer under test: blocking writes, a thread that reads, and a limit of time on everything, so
//! that no peer can hold a play up for ever or fill our memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use muxado_frame::{Side, StreamId};

use super::Options;
use super::book::{Book, pattern};
use super::frames::Splitter;
use crate::wire;

/// Bytes in one read or write.
const PIECE: usize = 64 * 1024;

/// Reads that wait to be looked at: with this many the peer is no longer read from.
const PIECES: usize = 256;

/// Reads that are looked at before anything else is done.
const PIECES_AT_ONCE: usize = 8;

/// A whole play may take this many times the limit of a single wait.
const WAITS: u32 = 6;

/// Echoed bytes after which credit is given back.
const CREDIT_AFTER: u64 = 64 * 1024;

/// How the peer's direction of the transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Clean,
    Broken(io::ErrorKind),
}

enum Heard {
    Bytes(Vec<u8>),
    End(End),
}

/// A connection, and the record of what was said on it.
#[derive(Debug)]
pub(super) struct Conn {
    tcp: TcpStream,
    heard: Option<Receiver<Heard>>,
    splitter: Splitter,
    pub(super) book: Book,
    /// The side that we play.
    side: Side,
    /// For something to happen.
    pub(super) limit: Duration,
    /// For all of it.
    deadline: Instant,
    pub(super) peer_opens: bool,
    pub(super) end: Option<End>,
    /// Why nothing can be written any more.
    pub(super) unwritable: Option<String>,
    /// RSTs that a play has asked for.
    pub(super) expected: BTreeMap<u32, u32>,
    /// Streams whose echo gets no further credit.
    held: BTreeSet<u32>,
    /// Bytes that came on each stream and for which no credit was given yet.
    owed: BTreeMap<u32, u64>,
    next_probe: u32,
}

impl Conn {
    pub(super) fn new(tcp: TcpStream, options: &Options) -> io::Result<Conn> {
        tcp.set_nonblocking(false)?;
        tcp.set_nodelay(true)?;
        tcp.set_write_timeout(Some(options.limit))?;
        let deadline = Instant::now() + options.limit * WAITS;
        Ok(Conn {
            tcp,
            heard: None,
            splitter: Splitter::default(),
            book: Book::new(options.role.peer(), options.max_frame),
            side: options.role,
            limit: options.limit,
            deadline,
            peer_opens: options.peer_opens,
            end: None,
            unwritable: None,
            expected: BTreeMap::new(),
            held: BTreeSet::new(),
            owed: BTreeMap::new(),
            next_probe: 5000,
        })
    }

    /// Starts to read what the peer sends.
    pub(super) fn listen(&mut self) -> io::Result<()> {
        let tcp = self.tcp.try_clone()?;
        let (pass_on, heard) = sync_channel(PIECES);
        thread::spawn(move || hear(tcp, &pass_on));
        self.heard = Some(heard);
        Ok(())
    }

    /// The id of our stream number `n`, from 0.
    pub(super) fn id(&self, n: u32) -> u32 {
        StreamId::first(self.side).get() + 2 * n
    }

    /// The id of the peer's stream number `n`, from 0.
    pub(super) fn their(&self, n: u32) -> u32 {
        StreamId::first(self.side.peer()).get() + 2 * n
    }

    /// The highest id that we may open.
    pub(super) fn highest(&self) -> u32 {
        StreamId::MAX.get() - u32::from(self.side == Side::Server)
    }

    /// The id of a stream that no play uses itself.
    pub(super) fn fresh(&mut self) -> u32 {
        self.next_probe += 1;
        self.id(self.next_probe)
    }

    /// Sends literal bytes. Payload in them is not expected back.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.book.sends(bytes);
        self.put(bytes);
    }

    /// One DATA frame with the next `len` bytes that must come back, for the play to send with [`put`](Conn::put).
    pub(super) fn payload(&mut self, flags: u8, id: u32, len: usize) -> Vec<u8> {
        let opens = flags & wire::SYN != 0;
        let at = if opens { 0 } else { self.book.stream(id).to_echo };
        let frame = wire::frame(wire::DATA, flags, id, &pattern(id, at, len));
        self.book.sends(&frame);
        self.book.expects(id, len);
        frame
    }

    /// Sends such a frame.
    pub(super) fn send_payload(&mut self, flags: u8, id: u32, len: usize) {
        let frame = self.payload(flags, id, len);
        self.put(&frame);
    }

    pub(super) fn open(&mut self, id: u32, len: usize) {
        self.send_payload(wire::SYN, id, len);
    }

    pub(super) fn data(&mut self, id: u32, len: usize) {
        self.send_payload(0, id, len);
    }

    pub(super) fn fin(&mut self, id: u32) {
        self.send(&wire::fin(id));
    }

    /// Our direction of the transport ends.
    pub(super) fn half_close(&mut self) {
        // If this fails the transport is gone, which reading will tell.
        let _ = self.tcp.shutdown(Shutdown::Write);
    }

    /// The echo of `id` gets no credit beyond the initial window.
    pub(super) fn hold(&mut self, id: u32) {
        self.held.insert(id);
    }

    /// The echo of `id` gets all the credit it was refused.
    pub(super) fn release(&mut self, id: u32) {
        self.held.remove(&id);
        if let Some(owed) = self.owed.remove(&id) {
            self.send(&wire::wndinc(id, u32::try_from(owed).unwrap_or(u32::MAX / 2).max(1)));
        }
    }

    /// Sends bytes that are in the book already.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            if self.unwritable.is_none() {
                self.unwritable = self.write(piece).err();
            }
            self.take_in();
        }
    }

    fn write(&mut self, mut piece: &[u8]) -> Result<(), String> {
        while !piece.is_empty() {
            if Instant::now() > self.deadline {
                return Err("it reads too slowly".into());
            }
            match self.tcp.write(piece) {
                Ok(written) => piece = piece.get(written..).unwrap_or(&[]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(format!("it read nothing for {:?}", self.limit));
                }
                Err(error) => return Err(format!("writing to it failed: {error}")),
            }
        }
        Ok(())
    }

    /// Looks at what has come, without waiting. A peer may send faster than we look, so there is an end to it.
    fn take_in(&mut self) {
        for _ in 0..PIECES_AT_ONCE {
            let Some(heard) = self.heard.as_ref().and_then(|heard| heard.try_recv().ok()) else { return };
            self.on_heard(heard);
        }
    }

    /// Waits until `done`, at most as long as the limit, while it handles what comes. Whether it is done.
    pub(super) fn wait(&mut self, done: impl Fn(&Conn) -> bool) -> bool {
        let until = self.deadline.min(Instant::now() + self.limit);
        loop {
            self.take_in();
            // Giving credit takes in as well, so it comes before the look.
            self.give_credit();
            if done(self) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if self.end.is_some() || left.is_zero() {
                return false;
            }
            match self.heard.as_ref().map(|heard| heard.recv_timeout(left)) {
                Some(Ok(heard)) => self.on_heard(heard),
                Some(Err(RecvTimeoutError::Timeout)) => {}
                Some(Err(RecvTimeoutError::Disconnected)) | None => return false,
            }
        }
    }

    fn on_heard(&mut self, heard: Heard) {
        match heard {
            Heard::End(end) => self.end = Some(end),
            Heard::Bytes(bytes) => {
                self.splitter.feed(&bytes);
                while let Some(frame) = self.splitter.next() {
                    self.book.came(&frame);
                    if frame.header.kind() == muxado_frame::Kind::Data && !frame.body.is_empty() {
                        *self.owed.entry(frame.id()).or_default() += frame.body.len() as u64;
                    }
                }
            }
        }
    }

    /// Gives back what is owed on streams that go on; never in the middle of a frame of ours. Sending takes in as well, and
    /// may make more due: a peer that has used up its credit says nothing more that would make us look again.
    fn give_credit(&mut self) {
        while let Some((id, owed)) = self.due() {
            self.owed.remove(&id);
            let stream = self.book.stream(id);
            if !stream.fin && stream.resets.is_empty() {
                self.send(&wire::wndinc(id, u32::try_from(owed).unwrap_or(u32::MAX / 2)));
            }
        }
    }

    fn due(&self) -> Option<(u32, u64)> {
        let mut owed = self.owed.iter().map(|(id, owed)| (*id, *owed));
        owed.find(|(id, owed)| *owed >= CREDIT_AFTER && !self.held.contains(id))
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        // Ends the thread that reads. Whatever the peer still sends is of no interest.
        let _ = self.tcp.shutdown(Shutdown::Both);
    }
}

/// Passes on what comes, until the end or until nobody wants it.
fn hear(mut tcp: TcpStream, pass_on: &SyncSender<Heard>) {
    let mut buffer = vec![0; PIECE];
    loop {
        let heard = match tcp.read(&mut buffer) {
            Ok(0) => Heard::End(End::Clean),
            Ok(len) => Heard::Bytes(buffer.get(..len).unwrap_or(&[]).to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Heard::End(End::Broken(error.kind())),
        };
        let is_end = matches!(heard, Heard::End(_));
        if pass_on.send(heard).is_err() || is_end {
            return;
        }
    }
}
