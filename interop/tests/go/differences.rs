//! What the Go peer does otherwise than docs/behaviour.md demands of us, as the suite sees it. Most of it is no fault: the
//! rows are ours. docs/interop.md says how we live with it.

use crate::known::Role::{Both, Client, Server};
use crate::known::When::{Always, Sometimes};
use crate::known::{Difference, of};

/// It ought to end the session, and goes on.
const GOES_ON: &[&str] = &["no GOAWAY within"];

/// An answer never comes.
const SILENT: &[&str] = &["no echo and end of stream"];

pub(crate) const DIFFERENCES: &[Difference] = &[
    // How the transport ends.
    of(
        Both,
        Sometimes,
        "the FIN of a frame that was cut off counts, and its echo ends the stream if there is time",
        &["which was cut off"],
        &[("S04", "the transport ends inside the payload of DATA with FIN")],
    ),
    of(
        Both,
        Sometimes,
        "what other tasks of it send may go out behind its GOAWAY",
        &["behind GOAWAY"],
        &[("W12", "every frame that came")],
    ),
    // Frames that nobody sends.
    of(
        Both,
        Always,
        "an id with the reserved bit is another stream, and reading from that one ends the session",
        &["no GOAWAY within", "with code 2"],
        &[
            ("S10", "SYN with the reserved bit of the id set"),
            ("S11", "any other frame with the reserved bit set"),
        ],
    ),
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
    // Opening.
    of(
        Both,
        Always,
        "a FIN beside SYN ends the other direction as well: nothing is echoed",
        SILENT,
        &[("S22", "SYN and FIN in one frame with payload")],
    ),
    of(Both, Always, "SYN for a live id replaces the stream", GOES_ON, &[("S23", "SYN for a live id")]),
    of(
        Both,
        Sometimes,
        "128 streams wait to be accepted, those among them that were reset; one more is refused",
        &["with code [9]"],
        &[("S33", "SYN, then RST at once, 200 times")],
    ),
    of(
        Client,
        Sometimes,
        "a first write that fails uses SYN up: closing the stream sends FIN for an id that nobody knows",
        &["was to be opened next"],
        &[("W01", "every frame that came")],
    ),
    // Resets.
    of(
        Both,
        Sometimes,
        "what exceeds the window is delivered before the stream is reset",
        &["came back with more than the 0 bytes sent"],
        &[("S62", "the peer is made to reset 20 streams, one after the other")],
    ),
    of(
        Both,
        Sometimes,
        "after a reset its application still reads, which gives credit, and closes, which sends FIN",
        &["which is over"],
        &[
            ("S09", "an RST with SYN and FIN flags on a live stream"),
            ("S45", "DATA that exceeds the window by one byte"),
            ("S45", "the first DATA behind an empty SYN exceeds the window by one byte"),
            ("S54", "RST for a live stream, whose echo waits for credit"),
            ("S55", "RST with code 0"),
            ("S56", "RST after FIN"),
            ("S59", "RST with an unknown code"),
            ("S61", "the peer must reset a stream whose echo waits for credit"),
        ],
    ),
    of(
        Both,
        Always,
        "it remembers none of its resets: each stray frame is answered",
        &["a second RST of stream", "which is over"],
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
    // Budgets.
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
        "on a slow machine a thousand streams or many small frames take it too long",
        &["it reads too slowly", "no echo"],
        &[
            ("S30", "1100 streams at once"),
            ("S51", "a full window in frames of one byte"),
            ("S54", "600 streams, each echoed and then reset"),
            ("S68", "WNDINC of 1, once for each byte of a window that came"),
            ("S87", "40 streams never get credit, then they are reset"),
            ("S92", "32 streams each way with full windows and no credit, then credit for all"),
        ],
    ),
    // The end of the session.
    of(
        Both,
        Always,
        "it takes 8 bytes behind a GOAWAY for text: a frame is lost, or the session, or it waits for them",
        &[
            "no echo and end of stream",
            "GOAWAY instead of echo and end",
            "no credit of stream",
            "no end of the transport",
        ],
        &[
            ("S09", "SYN and FIN flags on RST, WNDINC and GOAWAY"),
            ("S32", "SYN after our GOAWAY"),
            ("S72", "frames after a correct GOAWAY"),
            ("S73", "GOAWAY whose length leaves out 8 bytes, which follow"),
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
        "it says PeerEof when the transport ends, after a GOAWAY of its peer's as well",
        &["GOAWAY with an error of its own"],
        &[("S73", "the transport ends inside a frame, after GOAWAY")],
    ),
    of(
        Both,
        Always,
        "the last stream id that it says is that of the SYN which came last",
        &["as last id"],
        &[("S80", "the same, after two streams that it accepted and one that never was")],
    ),
    of(
        Server,
        Always,
        "before any stream a server says 1 for the last stream id",
        &["1 as last id"],
        &[("S80", "the same, before any stream")],
    ),
    of(
        Both,
        Always,
        "it closes at once: what it has not read makes TCP reset the connection",
        &["no clean end"],
        &[
            ("S80", "the peer must end the session"),
            ("S81", "the peer must end the session, with 60 KiB under way to it"),
            ("W17", "the same, for the half-close and the lingering"),
        ],
    ),
];
