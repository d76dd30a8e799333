//! How an inspection reads: a few lines about the session, then a table with a line for each stream.

use std::fmt;
use std::time::Duration;

use muxado_frame::Side;

use super::{Inspection, StreamInspection, Wait, Waiting};

/// A time, in seconds to a tenth.
pub(super) struct Seconds(pub(super) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.as_millis() / 100;
        write!(f, "{}.{} s", tenths / 10, tenths % 10)
    }
}

/// A size, to a tenth of its unit.
struct Size(u64);

impl Size {
    fn of(bytes: usize) -> Size {
        Size(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (divisor, unit) = match self.0 {
            0..0x400 => return f.pad(&format!("{} B", self.0)),
            0x400..0x10_0000 => (0x400, "KiB"),
            0x10_0000..0x4000_0000 => (0x10_0000, "MiB"),
            _ => (0x4000_0000, "GiB"),
        };
        let tenths = u128::from(self.0).saturating_mul(10).checked_div(divisor).unwrap_or(0);
        f.pad(&format!("{}.{} {unit}", tenths / 10, tenths % 10))
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Client => "client",
            Side::Server => "server",
        };
        write!(f, "{side} session")?;
        if let Some(age) = self.age {
            write!(f, ", {} old", Seconds(age))?;
        }
        write!(f, ": {}", self.life)?;
        if let Some(end) = &self.end {
            write!(f, ": {end}")?;
        }
        let stats = &self.stats;
        write!(
            f,
            "\n  streams {}, not accepted {}, waiting to open {}\n  queued {}, unread {}, sent {}, received {}",
            stats.streams,
            stats.backlog,
            self.openers,
            Size::of(self.queued),
            Size::of(stats.unread_bytes),
            Size(stats.bytes_sent),
            Size(stats.bytes_received),
        )?;
        if let Some(driver) = &self.driver {
            write!(f, "\n  driver {driver}")?;
        }
        let mut before = "\n  limits reached: ";
        for limit in &self.limits {
            write!(f, "{before}{limit}")?;
            before = ", ";
        }
        if !self.streams.is_empty() {
            write!(
                f,
                "\n{:>10} {:<6} {:<9} {:>10} {:>10} {:>10} {:<9} {:>10} {:>10}  waits",
                "stream", "opener", "sending", "queued", "credit", "sent", "receiving", "unread", "may come"
            )?;
        }
        for stream in &self.streams {
            write!(f, "\n{stream}")?;
        }
        Ok(())
    }
}

impl fmt::Display for StreamInspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id.map_or_else(|| "new".to_owned(), |id| id.get().to_string());
        write!(
            f,
            "{id:>10} {:<6} {:<9} {:>10} {:>10} {:>10} {:<9} {:>10} {:>10}  ",
            if self.is_ours { "us" } else { "peer" },
            self.sending,
            Size::of(self.queued),
            Size::of(self.send_credit),
            Size(self.sent),
            self.receiving,
            Size::of(self.unread),
            Size::of(self.peer_credit),
        )?;
        match (&self.reading, &self.writing) {
            (None, None) => f.write_str("-")?,
            (Some(wait), None) | (None, Some(wait)) => self.show(wait, f)?,
            (Some(reading), Some(writing)) => {
                self.show(writing, f)?;
                f.write_str("; ")?;
                self.show(reading, f)?;
            }
        }
        f.write_str(if self.in_background { "; in the background" } else { "" })
    }
}

impl StreamInspection {
    fn show(&self, wait: &Wait, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match wait {
            Wait { what: Waiting::Reader, so_far: Some(so_far) } => {
                write!(f, "nobody reads: {} unread for {}", Size::of(self.unread), Seconds(*so_far))
            }
            Wait { what: Waiting::Reader, so_far: None } => {
                write!(f, "nobody reads: {} unread", Size::of(self.unread))
            }
            wait => write!(f, "{wait}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_one_decimal() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (65536, "64.0 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (1024 * 1024, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
        for (millis, text) in [(0, "0.0 s"), (99, "0.0 s"), (3249, "3.2 s"), (12_000, "12.0 s")] {
            assert_eq!(Seconds(Duration::from_millis(millis)).to_string(), text);
        }
    }
}
