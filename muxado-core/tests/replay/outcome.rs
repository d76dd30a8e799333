//! What a recording says one side saw, and where ours saw something else.
//!
//! Where the recorded application tells nothing (a script, a heartbeat), what its peer put on the wire says what a
//! right receiver must see.

use std::collections::BTreeMap;

use muxado_core::{EndCause, Retry, SessionEnd};
use muxado_frame::{ErrorCode, Side};
use muxado_testkit::unhex;

use super::recording::{Frame, Party, ReadEnd, Recording, StreamOutcome, kind, sha256};
use super::report::{End, Fault, Held, Report};

/// One thing that our side reports otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) what: String,
    pub(crate) recorded: String,
    pub(crate) ours: String,
}

/// How reading ended in the recording.
#[derive(Clone, Copy, Debug, PartialEq)]
enum WantedEnd {
    Eof,
    Code(u32),
    /// It stopped reading: there may be more, and any end.
    Unknown,
    /// Nothing came while it waited: there is no more, and only the session ends it.
    NothingMore,
}

#[derive(Clone, Debug)]
struct WantedStream {
    len: usize,
    sha256: String,
    end: WantedEnd,
    write: Option<u32>,
    kind: Option<u32>,
}

/// What our side should report.
#[derive(Debug)]
pub(crate) struct Wanted {
    accepted: Vec<u32>,
    /// By id, or `id#2` for the second stream with that id.
    streams: BTreeMap<String, WantedStream>,
    /// The code of the session's end.
    local: Option<u32>,
    /// The peer's GOAWAY, if that was looked at.
    goodbye: Option<Option<(u32, Vec<u8>)>>,
}

impl Wanted {
    pub(crate) fn of(recording: &Recording, side: Side) -> Wanted {
        let own = recording.party(side);
        if own.is_silent() { Wanted::from_wire(recording, side) } else { Wanted::from_outcome(own) }
    }

    fn from_outcome(own: &Party) -> Wanted {
        let accepts = || own.calls.iter().filter(|call| call.is(&["accept"]));
        let kind_of = |id: &str| {
            let accepted = accepts().find(|call| call.stream.is_some_and(|stream| stream.to_string() == id));
            accepted.and_then(|call| call.stream_type)
        };
        let session = &own.outcome.session;
        let local = session.local_error.as_ref().and_then(|error| error.code);
        let remote = session.remote_error.as_ref().and_then(|error| error.code);
        let text = session.remote_debug_hex.as_deref().map(unhex).unwrap_or_default();
        let streams = own.outcome.streams.iter().map(|(id, stream)| (id.clone(), stream.wanted(kind_of(id))));
        Wanted {
            accepted: accepts().filter_map(|call| call.stream).collect(),
            streams: streams.collect(),
            local,
            goodbye: session.local_error.is_some().then(|| remote.map(|code| (code, text))),
        }
    }

    fn from_wire(recording: &Recording, side: Side) -> Wanted {
        let (own, peer) = (recording.party(side), recording.party(side.peer()));
        let announced = |frames: &[Frame]| -> Vec<u32> {
            frames.iter().filter(|frame| frame.syn).map(|frame| frame.id).collect()
        };
        let accepted = announced(&peer.frames);
        let goodbye = peer.frames.iter().find(|frame| frame.kind == kind::GOAWAY);
        let mut streams = BTreeMap::new();
        for id in announced(&own.frames).into_iter().chain(accepted.iter().copied()) {
            if own.frames.iter().any(|frame| frame.kind == kind::RST && frame.id == id) {
                // What it reads after its own reset is its own affair.
                continue;
            }
            let of_stream = || peer.frames.iter().filter(|frame| frame.id == id);
            let torn = peer.torn.iter().filter(|frame| frame.id == id);
            let data: Vec<u8> = of_stream()
                .chain(torn)
                .filter(|frame| frame.kind == kind::DATA)
                .flat_map(|frame| frame.body.iter().copied())
                .collect();
            let reset = of_stream().find(|frame| frame.kind == kind::RST).map(|frame| frame.number(0));
            let unprocessed = goodbye.is_some_and(|frame| !accepted.contains(&id) && id > frame.number(0));
            let end = match reset {
                _ if of_stream().any(|frame| frame.fin) => WantedEnd::Eof,
                Some(code) => WantedEnd::Code(code),
                None if unprocessed => WantedEnd::Code(ErrorCode::REMOTE_GONE_AWAY.get()),
                None => WantedEnd::Code(ErrorCode::SESSION_CLOSED.get()),
            };
            let wanted =
                WantedStream { len: data.len(), sha256: sha256(&data), end, write: None, kind: None };
            streams.insert(id.to_string(), wanted);
        }
        let goodbye = goodbye
            .map(|frame| (frame.number(4), frame.body.get(8..).map(<[u8]>::to_vec).unwrap_or_default()));
        Wanted { accepted, streams, local: None, goodbye: Some(goodbye) }
    }

    /// Where `report` tells something else.
    pub(crate) fn compare(&self, report: &Report) -> Vec<Finding> {
        let mut findings = Findings::default();
        findings.equal("accepted", &list(&self.accepted), &list(&report.accepted));
        for opened in &report.opens {
            findings.equal("open", &code(opened.recorded), &code(opened.ours));
        }
        for (name, wanted) in &self.streams {
            match find(report, name) {
                Some(held) => wanted.compare(name, held, &mut findings),
                None => findings.add(&format!("stream {name}"), "there", "none"),
            }
        }
        self.compare_end(report, &mut findings);
        findings.0
    }

    fn compare_end(&self, report: &Report, findings: &mut Findings) {
        let ours = report.end.as_ref().map(local_code);
        if self.local.is_some() {
            findings.equal("end", &code(self.local), &code(ours));
        }
        let Some(recorded) = &self.goodbye else { return };
        let ours_closed = ours == Some(ErrorCode::SESSION_CLOSED.get());
        let known = report.goodbye.as_ref().map(|end| (end.code().get(), end.text().to_vec()));
        if ours_closed && (known.is_none() || recorded.is_none()) {
            // Both closed. Whether the other's GOAWAY is still looked at is a race.
            return;
        }
        findings.equal("goodbye", &goodbye(recorded.as_ref()), &goodbye(known.as_ref()));
    }
}

impl StreamOutcome {
    fn wanted(&self, kind: Option<u32>) -> WantedStream {
        let end = match &self.read_end {
            ReadEnd::Words(words) if words == "eof" => WantedEnd::Eof,
            ReadEnd::Words(words) if words.starts_with("nothing more") => WantedEnd::NothingMore,
            ReadEnd::Words(words) if words == "not observed" => WantedEnd::Unknown,
            ReadEnd::Words(words) => panic!("an end of reading that no recording had so far: {words}"),
            ReadEnd::Error(error) => error.code.map_or(WantedEnd::NothingMore, WantedEnd::Code),
        };
        let write = self.write_error.as_ref().and_then(|error| error.code);
        WantedStream { len: self.read_len, sha256: self.read_sha256.clone(), end, write, kind }
    }
}

impl WantedStream {
    fn compare(&self, name: &str, held: &Held, findings: &mut Findings) {
        let mut read = &held.read[..];
        if let Some(kind) = self.kind {
            let (prefix, payload) = read.split_at(read.len().min(4));
            findings.equal(&format!("stream {name} type"), &hex(&kind.to_be_bytes()), &hex(prefix));
            read = payload;
        }
        if self.end == WantedEnd::Unknown {
            read = &read[..read.len().min(self.len)];
        }
        findings.equal(
            &format!("stream {name} read"),
            &payload(self.len, &self.sha256),
            &payload(read.len(), &sha256(read)),
        );
        let by_session = |held| matches!(held, Some(End::Failed(Fault { lost: Some(_), .. })));
        let (as_recorded, recorded) = match self.end {
            WantedEnd::Eof => (held.end == Some(End::Eof), "eof".to_owned()),
            WantedEnd::Code(wanted) => {
                (matches!(held.end, Some(End::Failed(fault)) if fault.is(wanted)), code(Some(wanted)))
            }
            WantedEnd::NothingMore => (by_session(held.end), "nothing more".to_owned()),
            WantedEnd::Unknown => (true, String::new()),
        };
        if !as_recorded {
            findings.add(&format!("stream {name} end"), &recorded, &end(held.end));
        }
        let as_recorded = match (self.write, held.write) {
            (Some(wanted), Some(fault)) => fault.is(wanted),
            (None, None) => true,
            _ => false,
        };
        if !as_recorded {
            let ours = held.write.map_or_else(|| code(None), Fault::text);
            findings.add(&format!("stream {name} write"), &code(self.write), &ours);
        }
    }
}

impl Fault {
    /// Whether this is what the recorded implementations report with `code`: they have codes of their own for a
    /// stream that was lost with its session, and for one that the peer had not processed.
    fn is(self, code: u32) -> bool {
        match self.lost {
            None => self.code == code,
            Some(Retry::NotProcessed) => code == ErrorCode::REMOTE_GONE_AWAY.get(),
            Some(_) => code == ErrorCode::SESSION_CLOSED.get() || code == self.code,
        }
    }

    fn text(self) -> String {
        match self.lost {
            None => code(Some(self.code)),
            Some(Retry::NotProcessed) => "lost, not processed".to_owned(),
            Some(_) => "lost".to_owned(),
        }
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: &str, recorded: &str, ours: &str) {
        self.0.push(Finding { what: what.to_owned(), recorded: recorded.to_owned(), ours: ours.to_owned() });
    }

    fn equal(&mut self, what: &str, recorded: &str, ours: &str) {
        if recorded != ours {
            self.add(what, recorded, ours);
        }
    }
}

fn find<'a>(report: &'a Report, name: &str) -> Option<&'a Held> {
    let (id, instance) = name.split_once('#').unwrap_or((name, "1"));
    let (id, instance): (u32, usize) = (id.parse().unwrap(), instance.parse().unwrap());
    report.streams.iter().filter(|held| held.id == id).nth(instance - 1)
}

/// The code that the recorded implementations have for this end of a session.
fn local_code(end: &SessionEnd) -> u32 {
    match end.cause() {
        EndCause::Closed { .. } => ErrorCode::SESSION_CLOSED.get(),
        EndCause::GoAway { .. } => ErrorCode::PEER_EOF.get(),
        _ => end.code().get(),
    }
}

fn list(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

fn code(code: Option<u32>) -> String {
    code.map_or_else(|| "ok".to_owned(), |code| format!("code {code}"))
}

fn payload(len: usize, sha256: &str) -> String {
    format!("{len} bytes {}", &sha256[..8])
}

fn end(end: Option<End>) -> String {
    match end {
        None => "none".to_owned(),
        Some(End::Eof) => "eof".to_owned(),
        Some(End::Failed(fault)) => fault.text(),
    }
}

fn goodbye(goodbye: Option<&(u32, Vec<u8>)>) -> String {
    goodbye.map_or_else(|| "none".to_owned(), |(code, text)| format!("code {code} {}", text.escape_ascii()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
