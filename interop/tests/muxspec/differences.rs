//! What the crate `muxado` 0.5.4 does otherwise than docs/behaviour.md demands of us, as the suite sees it. Most of it is
//! no fault: the rows are ours. docs/interop.md says how we live with it.

use Role::{Both, Client};
use When::{Always, Sometimes};

/// Which of its ends does so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Both,
    Client,
    Server,
}

/// Whether it shows each time. What depends on which of its tasks is quicker, or on the machine, does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    Always,
    Sometimes,
}

/// A reason, and the plays that differ for it: row and what is played.
pub(crate) struct Difference {
    pub(crate) why: &'static str,
    pub(crate) role: Role,
    pub(crate) when: When,
    pub(crate) plays: &'static [(&'static str, &'static str)],
}

const fn of(
    role: Role,
    when: When,
    why: &'static str,
    plays: &'static [(&'static str, &'static str)],
) -> Difference {
    Difference { why, role, when, plays }
}

pub(crate) const DIFFERENCES: &[Difference] = &[
    of(
        Both,
        Sometimes,
        "a lost transport is a clean end to it, and its echo finishes the stream if there is time",
        &[
            ("S01", "the transport ends inside a header"),
            ("S02", "the transport ends between frames"),
            ("S03", "the transport ends inside the payload of DATA"),
            ("S04", "the transport ends inside the payload of DATA with FIN"),
            ("S05", "the transport ends inside RST, WNDINC or GOAWAY"),
        ],
    ),
    of(
        Both,
        Always,
        "a type it does not know ends the session; S18 has one among its frames",
        &[
            ("S06", "every unknown type, without a body"),
            ("S07", "an unknown type whose body looks like frames"),
            ("S07", "an unknown type with a body"),
            ("S18", "many kinds of frames, written in pieces"),
        ],
    ),
    of(
        Both,
        Sometimes,
        "it obeys SYN and FIN on frames of every type",
        &[
            ("S09", "SYN and FIN flags on RST, WNDINC and GOAWAY"),
            ("S09", "an RST with SYN and FIN flags on a live stream"),
        ],
    ),
    of(
        Both,
        Always,
        "it ignores the reserved bit, and returns the credit of such frames twice",
        &[
            ("S10", "SYN with the reserved bit of the id set"),
            ("S11", "any other frame with the reserved bit set"),
            ("W05", "every frame that came"),
        ],
    ),
    of(
        Both,
        Always,
        "it does not look for frames that belong to no stream, or for a GOAWAY that belongs to one",
        &[("S12", "DATA on stream 0"), ("S13", "RST or WNDINC on stream 0"), ("S14", "GOAWAY on a stream")],
    ),
    of(
        Both,
        Always,
        "it does not judge these lengths on the header",
        &[
            ("S15", "RST whose length is not 4, its header alone"),
            ("S16", "WNDINC whose length is not 4, its header alone"),
            ("S17", "GOAWAY whose length is under 8, its header alone"),
        ],
    ),
    of(
        Both,
        Always,
        "it does not reset a stream for going beyond its window",
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
        &[
            ("S23", "SYN for a live id"),
            ("S24", "SYN for an id that the peer has reset"),
            ("S27", "SYN with the wrong parity"),
        ],
    ),
    of(
        Client,
        Always,
        "it checks neither parity nor repetition of ids",
        &[("S28", "SYN for a live id of the peer's")],
    ),
    of(
        Both,
        Sometimes,
        "at 512 streams its reader ends, and the session with it",
        &[("S30", "1100 streams at once"), ("S54", "600 streams, each echoed and then reset")],
    ),
    of(
        Both,
        Always,
        "a GOAWAY is the end of everything, at once",
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
        "it answers stray frames again and again, and remembers none of its answers",
        &[
            ("S37", "DATA for an id whose SYN was lost"),
            ("S38", "DATA that overtook its SYN"),
            ("S42", "DATA for a stream it reset, within the credit left"),
            ("S43", "the same, beyond that credit"),
            ("S44", "DATA with payload for a stream that both sides finished"),
            ("S47", "DATA with payload after FIN"),
            ("W10", "every frame that came"),
        ],
    ),
    of(
        Both,
        Always,
        "it answers frames for its own ids with RST, where we end the session",
        &[("S41", "a frame for an id of the peer's that it never opened")],
    ),
    of(
        Both,
        Always,
        "it has no budget for useless frames",
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
        "what it has queued goes out behind a reset",
        &[("S55", "RST with code 0"), ("S56", "RST after FIN")],
    ),
    of(Both, Always, "an increment of 0 is nothing to it", &[("S63", "WNDINC whose 31 bits are 0")]),
    of(
        Both,
        Sometimes,
        "a byte at a time takes it too long, in either direction",
        &[
            ("S51", "a full window in frames of one byte"),
            ("S68", "WNDINC of 1, once for each byte of a window that came"),
        ],
    ),
    of(
        Both,
        Sometimes,
        "extra credit is lost on it",
        &[
            ("S64", "WNDINCs that add up beyond a counter, then an echo of 1 MiB without further credit"),
            ("S65", "1 MiB of credit for a new stream, beyond the initial window"),
        ],
    ),
    of(
        Both,
        Always,
        "what makes us end the session does not make it",
        &[
            ("S80", "the peer must end the session"),
            ("S80", "the same, after two streams that it accepted and one that never was"),
            ("S80", "the same, before any stream"),
            ("S81", "the peer must end the session, with 60 KiB under way to it"),
            ("W17", "the same, for the half-close and the lingering"),
        ],
    ),
    of(
        Both,
        Sometimes,
        "its frames carry up to 64 KiB, which the rule allows to those that were told",
        &[("W07", "every frame that came")],
    ),
];
