//! The picture: each session in a few lines, and of its streams those that are stuck or busy, the most interesting first.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use muxado_tokio::inspection::StreamInspection;
use muxado_tokio::{Session, StreamId};

/// Streams of a session that are shown.
const MOST: usize = 16;

/// Whoever waits for longer goes before whoever moves.
const STUCK: Duration = Duration::from_secs(1);

/// Clears the terminal and goes to its first place.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Draws `sessions`, each with its name, once a second until all have ended.
pub(crate) async fn follow(sessions: &[(&str, &Session)]) -> io::Result<()> {
    let mut screen = Screen::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    while sessions.iter().any(|(_, session)| session.end().is_none()) {
        tick.tick().await;
        let picture = screen.picture(sessions);
        let mut out = io::stdout().lock();
        write!(out, "{CLEAR}{picture}")?;
        out.flush()?;
    }
    Ok(())
}

/// What is remembered from one picture to the next: how much each stream had sent, and when.
pub(crate) struct Screen {
    sent: HashMap<(usize, u32), u64>,
    taken: Option<Instant>,
}

impl Screen {
    pub(crate) fn new() -> Screen {
        Screen { sent: HashMap::new(), taken: None }
    }

    /// All sessions as they are now; from the second picture on, how fast they send.
    pub(crate) fn picture(&mut self, sessions: &[(&str, &Session)]) -> String {
        let elapsed = self.taken.replace(Instant::now()).map(|taken| taken.elapsed());
        let before = std::mem::take(&mut self.sent);
        let mut text = String::new();
        for (number, (name, session)) in sessions.iter().enumerate() {
            let mut inspection = session.inspect();
            let mut streams: Vec<(u64, StreamInspection)> = Vec::new();
            for stream in inspection.streams.drain(..) {
                let place = (number, stream.id.map_or(0, StreamId::get));
                let moved = stream.sent - before.get(&place).copied().unwrap_or(0).min(stream.sent);
                self.sent.insert(place, stream.sent);
                streams.push((moved, stream));
            }
            streams.sort_by_key(|(moved, stream)| Reverse(interest(*moved, stream)));
            let hidden = streams.len().saturating_sub(MOST);
            let moved: u64 = streams.iter().map(|(moved, _)| moved).sum();
            inspection.streams = streams.into_iter().take(MOST).map(|(_, stream)| stream).collect();
            let rate =
                elapsed.map(|elapsed| moved as f64 / elapsed.as_secs_f64().max(1e-3) / f64::from(1 << 20));
            let rate = rate.map_or(String::new(), |rate| format!(": sends {rate:.1} MiB/s"));
            let _ = writeln!(text, "{name}{rate}\n{inspection}");
            if hidden > 0 {
                let _ = writeln!(text, "{hidden:>10} more");
            }
            text.push('\n');
        }
        text
    }
}

/// The longest waits first, then what moves most, then the rest.
fn interest(moved: u64, stream: &StreamInspection) -> (Duration, u64) {
    let wait = stream.longest_wait().filter(|wait| *wait >= STUCK);
    (wait.unwrap_or_default(), moved)
}
