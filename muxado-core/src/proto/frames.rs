//! Frames as they are remembered: what their headers say, and never their payload. And the last few of them.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use muxado_frame::{ErrorCode, Flags, HEADER_LEN, Header, Item, Kind};

/// The most frames that are remembered, whatever is asked for.
const MOST: usize = 65_536;

/// Bytes of a GOAWAY body before its text (docs/protocol.md, "Frame").
const GO_AWAY_FIXED: u32 = 8;

/// Which way a frame went.
///
/// For an example see [`FrameRecord`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two directions")]
pub enum FrameDirection {
    /// From the peer to this side.
    Received,
    /// From this side to the peer.
    Sent,
}

impl fmt::Display for FrameDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            FrameDirection::Received => "received",
            FrameDirection::Sent => "sent",
        })
    }
}

/// One frame: its header, and the one number that RST, WNDINC and GOAWAY carry. `Display` is one line.
///
/// ```
/// use muxado_core::tap::{Ear, Overheard};
/// use muxado_core::{FrameDirection, Kind};
///
/// let mut ear = Ear::new(|overheard| {
///     let Overheard::Frame(frame) = overheard else { return };
///     assert_eq!((frame.direction, frame.kind, frame.id), (FrameDirection::Sent, Kind::Rst, 3));
///     assert_eq!((frame.value, frame.flag_names().to_string()), (Some(6), "-".to_owned())); // the code
///     println!("{frame}");
/// });
/// ear.sent(b"\x00\x00\x04\x00\x00\x00\x00\x03\x00\x00\x00\x06");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameRecord {
    /// Which way it went.
    pub direction: FrameDirection,
    /// Its type.
    pub kind: Kind,
    /// Its flags, as they were on the wire. Only those of DATA mean anything.
    pub flags: Flags,
    /// The length of its body, in bytes.
    pub length: u32,
    /// The stream, as the header says it; 0 for the session.
    pub id: u32,
    /// The code of a RST or a GOAWAY, the increment of a WNDINC.
    pub value: Option<u32>,
    /// When it passed, counted from the beginning of the session; none if nobody keeps the time.
    pub at: Option<Duration>,
}

impl FrameRecord {
    /// The frame that the decoder has found; none for a piece of a body.
    pub(crate) fn of(direction: FrameDirection, item: &Item) -> Option<FrameRecord> {
        let (kind, flags, length, id, value) = match *item {
            Item::Data { id, length, flags } => (Kind::Data, flags, length, id, None),
            Item::Rst { id, code, flags } => (Kind::Rst, flags, 4, id, Some(code.get())),
            Item::WndInc { id, increment, flags } => (Kind::WndInc, flags, 4, id, Some(increment)),
            Item::GoAway { code, debug_len, flags, .. } => {
                (Kind::GoAway, flags, debug_len.saturating_add(GO_AWAY_FIXED), 0, Some(code.get()))
            }
            Item::Unknown { header } => {
                (header.kind(), header.flags(), header.length(), header.stream_id(), None)
            }
            Item::Body { .. } => return None,
        };
        Some(FrameRecord { direction, kind, flags, length, id, value, at: None })
    }

    /// Its flags by name: `SYN|FIN`, those without a name as a number, `-` for none.
    #[must_use]
    pub fn flag_names(&self) -> impl fmt::Display + use<> {
        FlagNames(self.flags)
    }

    /// The frame of ours that `bytes` begin with: a header, and the rest of a short frame.
    pub(super) fn sent(bytes: &[u8]) -> Option<FrameRecord> {
        let (header, body) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let header = Header::decode(*header);
        let word = match header.kind() {
            Kind::Rst | Kind::WndInc => body.first_chunk::<4>(),
            Kind::GoAway => body.get(4..).and_then(|rest| rest.first_chunk::<4>()),
            Kind::Data | Kind::Unknown(_) => None,
        };
        Some(FrameRecord {
            direction: FrameDirection::Sent,
            kind: header.kind(),
            flags: header.flags(),
            length: header.length(),
            id: header.stream_id(),
            value: word.map(|word| u32::from_be_bytes(*word)),
            at: None,
        })
    }
}

impl fmt::Display for FrameRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "{:>4}.{:06} s  ", at.as_secs(), at.subsec_micros())?;
        }
        // One that prints itself cannot be padded.
        let kind = self.kind.to_string();
        write!(f, "{:<8}  {kind:<6}  id {:<6}  length {:<6}  flags ", self.direction, self.id, self.length)?;
        self.flag_names().fmt(f)?;
        match (self.kind, self.value) {
            (Kind::WndInc, Some(value)) => write!(f, "  increment {value}"),
            (_, Some(code)) => write!(f, "  {}", ErrorCode::new(code)),
            (_, None) => Ok(()),
        }
    }
}

struct FlagNames(Flags);

impl fmt::Display for FlagNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.bits() & !(Flags::SYN | Flags::FIN).bits();
        let named = [(self.0.syn(), "SYN"), (self.0.fin(), "FIN")];
        let mut between = "";
        for (_, name) in named.iter().filter(|(is_set, _)| *is_set) {
            write!(f, "{between}{name}")?;
            between = "|";
        }
        match (rest, between) {
            (0, "") => f.write_str("-"),
            (0, _) => Ok(()),
            (rest, between) => write!(f, "{between}{rest:#x}"),
        }
    }
}

/// Frames in the order in which they passed, the oldest first. `Display` is one line for each.
///
/// ```
/// # use muxado_testkit::{World, connected};
/// # let world = World::new();
/// # let config = muxado_core::Config::builder().record_frames(100).build()?;
/// # let pair = connected(&world, 4096, &config);
/// # let (session, server) = (pair.client, pair.server);
/// # world.block_on(async move {
/// # let mut stream = session.open().await.unwrap();
/// # stream.finish().unwrap();
/// # drop(server.accept().await.unwrap());
/// # stream.read_chunk(1).await.unwrap_err();
/// use muxado_core::{FrameDirection, Kind};
///
/// let frames = session.frames(); // of a session that records them
/// for frame in frames.as_slice() {
///     if (frame.direction, frame.kind) == (FrameDirection::Received, Kind::Rst) {
///         println!("the peer reset stream {}", frame.id);
///     }
/// }
/// # assert_eq!(frames.as_slice().len() as u64, frames.passed());
/// # assert!(frames.as_slice().iter().any(|frame| frame.kind == Kind::Rst));
/// # });
/// # Ok::<(), muxado_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameLog {
    frames: Vec<FrameRecord>,
    passed: u64,
}

impl FrameLog {
    /// The frames.
    #[must_use]
    pub fn as_slice(&self) -> &[FrameRecord] {
        &self.frames
    }

    /// How many had passed in all when this was taken: those before the first are not remembered.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Whether there are none: nothing has passed, or nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

impl fmt::Display for FrameLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, frame) in self.frames.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            frame.fmt(f)?;
        }
        Ok(())
    }
}

/// The last frames of a session: so many and no more (B36).
#[derive(Debug)]
pub(super) struct LastFrames {
    frames: VecDeque<FrameRecord>,
    keep: usize,
    passed: u64,
}

impl LastFrames {
    pub(super) fn new(keep: usize) -> LastFrames {
        LastFrames { frames: VecDeque::new(), keep: keep.min(MOST), passed: 0 }
    }

    pub(super) fn push(&mut self, frame: FrameRecord) {
        self.passed = self.passed.saturating_add(1);
        if self.keep == 0 {
            return;
        }
        if self.frames.len() >= self.keep {
            self.frames.pop_front();
        }
        self.frames.push_back(frame);
    }

    pub(super) fn log(&self) -> FrameLog {
        FrameLog { frames: self.frames.iter().copied().collect(), passed: self.passed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(id: u32) -> FrameRecord {
        FrameRecord::of(FrameDirection::Sent, &Item::Data { id, length: 0, flags: Flags::NONE }).unwrap()
    }

    #[test]
    fn b36_so_many_are_remembered_and_no_more() {
        for keep in [0, 1, 3, 10] {
            let mut last = LastFrames::new(keep);
            (0..7).for_each(|id| last.push(data(id)));
            let log = last.log();
            let ids: Vec<u32> = log.as_slice().iter().map(|frame| frame.id).collect();
            assert_eq!(ids, (7 - 7.min(keep) as u32..7).collect::<Vec<_>>());
            assert_eq!(log.passed(), 7);
        }
        assert_eq!(LastFrames::new(usize::MAX).keep, MOST);
    }

    #[test]
    fn a_frame_is_one_line() {
        let show = |bytes: &[u8]| FrameRecord::sent(bytes).unwrap().to_string();
        for (bytes, line) in [
            (&b"\0\0\x05\x12\0\0\0\x03"[..], "sent      DATA    id 3       length 5       flags SYN"),
            (b"\0\0\x05\x13\0\0\0\x03", "sent      DATA    id 3       length 5       flags SYN|FIN"),
            (b"\0\0\0\x10\0\0\0\x04", "sent      DATA    id 4       length 0       flags -"),
            (b"\0\0\0\x1D\0\0\0\x04", "sent      DATA    id 4       length 0       flags FIN|0xc"),
            (b"\0\0\x02\x9C\0\0\0\x04", "sent      kind 9  id 4       length 2       flags 0xc"),
            (
                b"\0\0\x04\x00\0\0\0\x03\0\0\0\x06",
                "sent      RST     id 3       length 4       flags -  StreamCancelled (6)",
            ),
            (
                b"\0\0\x04\x20\0\0\0\x03\0\0\x01\x00",
                "sent      WNDINC  id 3       length 4       flags -  increment 256",
            ),
            (
                b"\0\0\x0B\x30\0\0\0\0\0\0\0\x02\0\0\0\x01bye",
                "sent      GOAWAY  id 0       length 11      flags -  ProtocolError (1)",
            ),
        ] {
            assert_eq!(show(bytes), line);
        }
        let at = Some(Duration::from_micros(1_000_042));
        assert!(FrameRecord { at, ..data(3) }.to_string().starts_with("   1.000042 s  sent "));
    }

    #[test]
    fn what_comes_is_remembered_as_what_goes() {
        for bytes in [
            &b"\0\0\x05\x12\0\0\0\x03"[..],
            b"\0\0\x04\x00\0\0\0\x03\0\0\0\x06",
            b"\0\0\x04\x20\0\0\0\x03\0\0\x01\x00",
            b"\0\0\x0B\x30\0\0\0\0\0\0\0\x02\0\0\0\x01",
            b"\0\0\x02\x9C\0\0\0\x04",
            // Flags where none has a meaning.
            b"\0\0\x04\x01\0\0\0\x03\0\0\0\x06",
            b"\0\0\x04\x22\0\0\0\x03\0\0\x01\x00",
            b"\0\0\x0B\x3F\0\0\0\0\0\0\0\x02\0\0\0\x01",
        ] {
            let (_, item) = muxado_frame::Decoder::new().decode(bytes).unwrap();
            let came = FrameRecord::of(FrameDirection::Sent, &item.unwrap());
            assert_eq!(came, FrameRecord::sent(bytes));
        }
        assert_eq!(FrameRecord::of(FrameDirection::Sent, &Item::Body { len: 1, last: true }), None);
        assert_eq!(FrameRecord::sent(&[0; 7]), None);
    }
}
