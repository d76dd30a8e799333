//! What the crate `muxado` 0.5.4 does otherwise than docs/behaviour.md demands of us, as the suite sees it. Most of it is
//! no fault: the rows are ours. docs/interop.md says how we live with it.

use crate::known::Role::{Both, Client};
use crate::known::When::{Always, Sometimes};
use crate::known::{Difference, of};

/// It ought to end the session, and goes on.
const GOES_ON: &[&str] = &["no GOAWAY within"];

/// Its reader is gone, and with it the session, unless a stream of its own keeps the transport open.
const GONE: &[&str] = &["no GOAWAY within", "the end without a GOAWAY"];

/// An answer never comes.
const SILENT: &[&str] = &["no echo and end of stream"];

pub(crate) const DIFFERENCES: &[Difference] = &[
    // How the transport ends.
    of(
        Both,
        Sometimes,
        "a lost transport is a clean end to it, and its echo finishes the stream if there is time",
        &["which was cut off"],
        &[
            ("S01", "the transport ends inside a header"),
            ("S02", "the transport ends between frames"),
            ("S03", "the transport ends inside the payload of DATA"),
            ("S04", "the transport ends inside the payload of DATA with FIN"),
            ("S05", "the transport ends inside RST, WNDINC or GOAWAY"),
        ],
    ),
    // Frames that nobody sends.
    of(
        Both,
        Always,
        "it answers a type that it does not know with GOAWAY; S18 has one among its frames",
        &["GOAWAY instead of echo and end"],
        &[
            ("S06", "every unknown type, without a body"),
            ("S07", "an unknown type whose body looks like frames"),
            ("S07", "an unknown type with a body"),
            ("S18", "many kinds of frames, written in pieces"),
        ],
    ),
    of(
        Both,
        Always,
        "it obeys SYN and FIN on frames of every type",
        &["no echo and end of stream", "with code [4]"],
        &[("S09", "SYN and FIN flags on RST, WNDINC and GOAWAY")],
    ),
    of(
        Both,
        Sometimes,
        "SYN on a live id makes it confuse the two streams, and its writer may panic over it",
        SILENT,
        &[("S09", "an RST with SYN and FIN flags on a live stream")],
    ),
    of(
        Both,
        Always,
        "it ignores the reserved bit",
        GOES_ON,
        &[
            ("S10", "SYN with the reserved bit of the id set"),
            ("S11", "any other frame with the reserved bit set"),
        ],
    ),
    of(
        Both,
        Always,
        "it takes the DATA of S11, with the reserved bit set, for DATA of the stream, and returns its credit",
        &["10 returned for 5 on stream"],
        &[("W05", "every frame that came")],
    ),
    of(
        Both,
        Always,
        "a frame on stream 0 stops its writer",
        GOES_ON,
        &[("S12", "DATA on stream 0"), ("S13", "RST or WNDINC on stream 0")],
    ),
    of(
        Both,
        Always,
        "its reader panics over a GOAWAY that belongs to a stream, or is too short",
        GONE,
        &[("S14", "GOAWAY on a stream"), ("S17", "GOAWAY whose length is under 8, its header alone")],
    ),
    of(
        Both,
        Always,
        "a wrong length costs no more than the stream, and only when the whole frame is there",
        GOES_ON,
        &[
            ("S15", "RST whose length is not 4, its header alone"),
            ("S16", "WNDINC whose length is not 4, its header alone"),
        ],
    ),
    // Opening.
    of(
        Both,
        Always,
        "it looks at a frame when the whole of it is there; these send the header alone",
        &["no RST of stream"],
        &[
            ("S21", "SYN with more payload than the window"),
            ("S45", "DATA that exceeds the window by one byte"),
            ("S46", "DATA of 16 MiB for a small window"),
        ],
    ),
    of(
        Both,
        Always,
        "it checks neither parity nor repetition of ids",
        GOES_ON,
        &[("S23", "SYN for a live id"), ("S27", "SYN with the wrong parity")],
    ),
    of(
        Client,
        Always,
        "it checks neither parity nor repetition of ids",
        GOES_ON,
        &[("S28", "SYN for a live id of the peer's")],
    ),
    of(
        Both,
        Sometimes,
        "an id that is used again at once may belong to a stream that it is about to forget, and its writer panics",
        &["no echo", "no answer"],
        &[("S26", "SYN for an id whose stream ended cleanly")],
    ),
    of(
        Both,
        Always,
        "at 512 streams its reader ends, and the session with it",
        &["the transport ended before"],
        &[("S30", "1100 streams at once")],
    ),
    of(
        Both,
        Always,
        "a reset does not wake its reader, so the stream keeps its place, of which there are 512",
        &["the transport ended before", "no echo of stream"],
        &[("S54", "600 streams, each echoed and then reset")],
    ),
    // Data.
    of(
        Both,
        Always,
        "it remembers none of its resets: each stray frame is answered",
        &["a second RST of stream"],
        &[
            ("S37", "DATA for an id whose SYN was lost"),
            ("S42", "DATA for a stream it reset, within the credit left"),
            ("S43", "the same, beyond that credit"),
            ("S44", "DATA with payload for a stream that both sides finished"),
            ("S47", "DATA with payload after FIN"),
        ],
    ),
    of(
        Both,
        Always,
        "it remembers none of its resets: each stray frame is answered",
        &["a second RST of stream", "on a stream that is over or never was"],
        &[("W10", "every frame that came")],
    ),
    of(
        Both,
        Always,
        "it remembers none of its resets: a SYN for such an id opens a stream",
        &["no RST of stream", "came back with more than the 0 bytes sent"],
        &[("S24", "SYN for an id that the peer has reset"), ("S38", "DATA that overtook its SYN")],
    ),
    of(
        Both,
        Always,
        "it answers frames for ids of its own that it never opened with RST",
        GOES_ON,
        &[("S41", "a frame for an id of the peer's that it never opened")],
    ),
    of(
        Both,
        Always,
        "it has no budget for useless frames",
        GOES_ON,
        &[
            ("S39", "DATA for an id never seen, another one each time"),
            ("S50", "empty DATA without FIN, 300 000 times"),
            ("S68", "WNDINC of 1, 300 000 times for nothing"),
            ("S85", "we read nothing while 14 000 frames ask for an RST each"),
        ],
    ),
    of(
        Both,
        Sometimes,
        "on a slow machine single bytes take it too long, in either direction",
        SILENT,
        &[
            ("S51", "a full window in frames of one byte"),
            ("S68", "WNDINC of 1, once for each byte of a window that came"),
        ],
    ),
    // Resets.
    of(
        Both,
        Sometimes,
        "an RST with code 0 leaves it writing, unless its reader finds out first",
        &["which is over"],
        &[("S55", "RST with code 0"), ("S56", "RST after FIN")],
    ),
    // Credit.
    of(Both, Always, "an increment of 0 is nothing to it", GOES_ON, &[("S63", "WNDINC whose 31 bits are 0")]),
    of(
        Both,
        Always,
        "it keeps no more credit than its own window",
        &["no credit of stream"],
        &[
            ("S64", "WNDINCs that add up beyond a counter, then an echo of 1 MiB without further credit"),
            ("S65", "1 MiB of credit for a new stream, beyond the initial window"),
        ],
    ),
    // The end of the session.
    of(
        Both,
        Always,
        "a GOAWAY is the end of everything, at once",
        &["the transport ended before"],
        &[
            ("S32", "SYN after our GOAWAY"),
            ("S72", "frames after a correct GOAWAY"),
            ("S74", "a second GOAWAY with a lower last stream id"),
            ("S75", "a second GOAWAY with a higher last stream id"),
            ("S76", "GOAWAY with 16 MiB of text"),
            ("S77", "last stream ids that are odd in some way"),
            ("S78", "GOAWAY with an error code while streams are live"),
            ("S79", "1 MiB on a stream below the last stream id, after GOAWAY"),
        ],
    ),
    of(
        Both,
        Always,
        "what these provoke it with, DATA on stream 0, does not end its session",
        GOES_ON,
        &[
            ("S80", "the peer must end the session"),
            ("S80", "the same, after two streams that it accepted and one that never was"),
            ("S80", "the same, before any stream"),
            ("S81", "the peer must end the session, with 60 KiB under way to it"),
            ("W17", "the same, for the half-close and the lingering"),
        ],
    ),
];
