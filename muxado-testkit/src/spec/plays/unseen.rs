//! Rows that cannot be seen from outside, or not by an echo, and why.

use super::Play;

const INSIDE: &str = "only the peer's own application can tell";
const TIME: &str = "takes longer than a run may";

pub(super) fn plays() -> Vec<Play> {
    [
        (
            "S29",
            "SYN while the accept backlog is full",
            "an echo accepts at once; a refusal with 9 counts in S30",
        ),
        ("S31", "SYN while the peer drains", "nothing from outside makes it drain"),
        ("S35", "the peer's ids are used up", "needs a thousand million streams of the peer's"),
        ("S52", "DATA of 1 MiB after extra credit", "only a peer that gives extra credit can be sent it"),
        ("S71", "another window than 256 KiB", "a matter of configuration"),
        ("S82", "the peer's writer is dead", INSIDE),
        ("S88", "a blocked writer, and the application walks away", "an echo does not walk away"),
        ("S89", "frames repeated or lost by a write deadline", "the frames are those of S39 and S10 to S17"),
        ("S90", "a type prefix in pieces, or never", "not part of the protocol's core"),
        ("S91", "heartbeat streams", "not part of the protocol's core"),
        ("S93", "reader and writer in different tasks", INSIDE),
        ("S94", "a transport that returns nonsense", INSIDE),
        ("W13", "the bytes of a stream type are never split", "not part of the protocol's core"),
        ("W15", "a stream dropped before it was used", INSIDE),
        ("W18", "a header and its payload go out in one call", "TCP does not show calls"),
        ("S84", "30 s without a byte taken", TIME),
    ]
    .map(|(row, what, why)| Play::unseen(row, what, why))
    .into()
}
