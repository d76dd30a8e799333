//! The picture: each session in a few lines, and of its streams those that are stuck or busy, the most interesting first.
//! It is as wide as the screen: where there is no room for all columns, those that one misses least are left out.

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

/// As wide as this are lines where nothing says how wide they may be.
const WIDTH: usize = 100;

/// As wide as this is what most streams wait for.
const WAITS: usize = 55;

/// A column of the table, but for the last, which says what a stream waits for.
struct Column {
    name: &'static str,
    width: usize,
    /// How many others are missed more than this one.
    rank: usize,
    show: fn(&StreamInspection) -> String,
}

const COLUMNS: [Column; 9] = [
    Column { name: "stream", width: 6, rank: 0, show: id },
    Column { name: "opener", width: 6, rank: 6, show: opener },
    Column { name: "sending", width: 9, rank: 7, show: |stream| stream.sending.to_string() },
    Column { name: "queued", width: 10, rank: 2, show: |stream| size(stream.queued as u64) },
    Column { name: "credit", width: 10, rank: 4, show: |stream| size(stream.send_credit as u64) },
    Column { name: "sent", width: 10, rank: 3, show: |stream| size(stream.sent) },
    Column { name: "receiving", width: 9, rank: 8, show: |stream| stream.receiving.to_string() },
    Column { name: "unread", width: 10, rank: 1, show: |stream| size(stream.unread as u64) },
    Column { name: "may come", width: 10, rank: 5, show: |stream| size(stream.peer_credit as u64) },
];

/// How wide the screen is, as the variable COLUMNS says.
pub(crate) fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(WIDTH)
}

/// Draws `sessions`, each with its name, once a second until all have ended.
pub(crate) async fn follow(sessions: &[(&str, &Session)]) -> io::Result<()> {
    let mut screen = Screen::new(width());
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
    width: usize,
    sent: HashMap<(usize, u32), u64>,
    taken: Option<Instant>,
}

impl Screen {
    /// One with lines of at most `width` characters.
    pub(crate) fn new(width: usize) -> Screen {
        Screen { width, sent: HashMap::new(), taken: None }
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
            let rate =
                elapsed.map(|elapsed| moved as f64 / elapsed.as_secs_f64().max(1e-3) / f64::from(1 << 20));
            let rate = rate.map_or(String::new(), |rate| format!(": sends {rate:.1} MiB/s"));
            let _ = writeln!(text, "{name}{rate}\n{inspection}");
            if !streams.is_empty() {
                self.row(&mut text, |column| column.name.to_owned(), "waits");
            }
            for (_, stream) in streams.iter().take(MOST) {
                self.row(&mut text, |column| (column.show)(stream), &waits(stream));
            }
            if hidden > 0 {
                let _ = writeln!(text, "{hidden:>6} more");
            }
            text.push('\n');
        }
        let cut = |line: &str| line.chars().take(self.width).chain(['\n']).collect::<String>();
        text.lines().map(cut).collect()
    }

    /// A line of the table: the columns that there is room for, and what comes behind them.
    fn row(&self, text: &mut String, cell: impl Fn(&Column) -> String, last: &str) {
        let room = self.width.saturating_sub(WAITS);
        for column in &COLUMNS {
            let before = COLUMNS.iter().filter(|other| other.rank <= column.rank);
            if column.rank == 0 || before.map(|other| other.width + 1).sum::<usize>() < room {
                let _ = write!(text, "{:>width$} ", cell(column), width = column.width);
            }
        }
        let _ = writeln!(text, " {last}");
    }
}

fn id(stream: &StreamInspection) -> String {
    stream.id.map_or_else(|| "new".to_owned(), |id| id.get().to_string())
}

fn opener(stream: &StreamInspection) -> String {
    (if stream.is_ours { "us" } else { "peer" }).to_owned()
}

/// A size, to a tenth of its unit.
fn size(bytes: u64) -> String {
    match bytes {
        0..0x400 => format!("{bytes} B"),
        0x400..0x10_0000 => format!("{:.1} KiB", bytes as f64 / f64::from(1 << 10)),
        0x10_0000..0x4000_0000 => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}

/// What it waits for, and what else there is to say of it.
fn waits(stream: &StreamInspection) -> String {
    let waits = [stream.writing, stream.reading].into_iter().flatten().map(|wait| wait.to_string());
    let background = stream.in_background.then(|| "in the background".to_owned());
    let all: Vec<_> = waits.chain(background).collect();
    if all.is_empty() { "-".to_owned() } else { all.join("; ") }
}

/// The longest waits first, then what moves most, then the rest.
fn interest(moved: u64, stream: &StreamInspection) -> (Duration, u64) {
    let wait = stream.longest_wait().filter(|wait| *wait >= STUCK);
    (wait.unwrap_or_default(), moved)
}
