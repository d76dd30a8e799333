//! What the two ends say to each other: the types of streams, the first words of a session, and the few bytes that are no
//! payload. Its version is compared before anything else, so it can change with any release.

use std::io;

use muxado_typed::StreamType;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::settings::Settings;

/// Of this protocol.
pub(crate) const VERSION: u32 = 1;

/// The most that is written at once, in bytes.
pub(crate) const MAX_WRITE: u32 = 1 << 20;

/// The longest hello or answer, in bytes.
const MAX_WORDS: u64 = 4096;

/// What a stream is for. The numbers begin with "per", so that nobody takes them for a type of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first of a session: [`Hello`] there, [`Answer`] back, both as JSON and ended by FIN.
    Hello = 0x7065_7200,
    /// The pattern there; back [`Arrival`]s as it arrives, and FIN after the last of it.
    Upload = 0x7065_7201,
    /// [`Order`] there, the pattern back. The client's FIN ends it early.
    Download = 0x7065_7202,
    /// Whatever comes goes back.
    Echo = 0x7065_7203,
}

impl Kind {
    pub(crate) fn number(self) -> u32 {
        self as u32
    }

    pub(crate) fn of(number: u32) -> Option<Kind> {
        [Kind::Hello, Kind::Upload, Kind::Download, Kind::Echo]
            .into_iter()
            .find(|kind| kind.number() == number)
    }
}

impl From<Kind> for StreamType {
    fn from(kind: Kind) -> StreamType {
        StreamType::new(kind.number())
    }
}

/// What the client says first.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) version: u32,
    /// Both ends must have the same: muxado has no way to agree on it.
    pub(crate) window: u32,
}

/// What the server says to it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) version: u32,
    /// Why not; without terms then.
    pub(crate) refused: Option<String>,
    pub(crate) terms: Option<Terms>,
}

/// The part of a hello or answer that every version has.
#[derive(Debug, Deserialize)]
pub(crate) struct Version {
    pub(crate) version: u32,
}

/// What the server allows, and how it is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// A session lasts so long at the most.
    pub(crate) seconds: u64,
    /// So many streams at once.
    pub(crate) streams: usize,
    pub(crate) settings: Settings,
    /// Where raw TCP connections are taken, if they are.
    pub(crate) raw: Option<Raw>,
}

/// What a raw TCP connection needs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Raw {
    pub(crate) port: u16,
    pub(crate) token: Token,
}

/// Shows that a raw TCP connection belongs to a session: its first bytes, followed by the number of its [`Kind`].
pub(crate) type Token = [u8; 16];

/// How a download is to be sent: the first bytes that the client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// So many bytes, or until the client ends its direction.
    pub(crate) limit: u64,
    /// So many at once, from 1 to [`MAX_WRITE`].
    pub(crate) write: u32,
}

impl Order {
    pub(crate) async fn send(self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&self.limit.to_be_bytes());
        bytes[8..].copy_from_slice(&self.write.to_be_bytes());
        to.write_all(&bytes).await
    }

    pub(crate) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Order> {
        let order = Order { limit: from.read_u64().await?, write: from.read_u32().await? };
        if order.write == 0 || order.write > MAX_WRITE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a download in writes of that size"));
        }
        Ok(order)
    }
}

/// What became of an upload so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// So many bytes came, all of them right.
    Count(u64),
    /// There was something else than the pattern, not far behind this position.
    Wrong(u64),
}

impl Arrival {
    pub(crate) async fn send(self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let (tag, number) = match self {
            Arrival::Count(count) => (0, count),
            Arrival::Wrong(position) => (1, position),
        };
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&number.to_be_bytes());
        to.write_all(&bytes).await
    }

    /// The next one, or none at the end of the stream.
    pub(crate) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Arrival>> {
        let mut tag = [0];
        if from.read(&mut tag).await? == 0 {
            return Ok(None);
        }
        let number = from.read_u64().await?;
        match tag {
            [0] => Ok(Some(Arrival::Count(number))),
            [1] => Ok(Some(Arrival::Wrong(number))),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a report of unknown form")),
        }
    }
}

/// Sends words and ends the direction.
pub(crate) async fn say(to: &mut (impl AsyncWrite + Unpin), words: &impl Serialize) -> io::Result<()> {
    to.write_all(&serde_json::to_vec(words)?).await?;
    to.shutdown().await
}

/// Reads all that the other end says first.
pub(crate) async fn hear(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut words = Vec::new();
    from.take(MAX_WORDS).read_to_end(&mut words).await?;
    Ok(words)
}

/// What the words mean, or none.
pub(crate) fn understand<T: DeserializeOwned>(words: &[u8]) -> Option<T> {
    serde_json::from_slice(words).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn orders_and_arrivals_arrive_as_they_were_sent() {
        let (mut here, mut there) = tokio::io::duplex(64);
        let order = Order { limit: u64::MAX, write: 65_536 };
        order.send(&mut here).await.unwrap();
        assert_eq!(Order::receive(&mut there).await.unwrap(), order);
        for arrival in [Arrival::Count(0), Arrival::Count(u64::MAX), Arrival::Wrong(1 << 40)] {
            arrival.send(&mut here).await.unwrap();
            assert_eq!(Arrival::receive(&mut there).await.unwrap(), Some(arrival));
        }
        drop(here);
        assert_eq!(Arrival::receive(&mut there).await.unwrap(), None);
    }

    #[tokio::test]
    async fn orders_that_cannot_be_met_are_refused() {
        for write in [0, MAX_WRITE + 1] {
            let (mut here, mut there) = tokio::io::duplex(64);
            Order { limit: 1, write }.send(&mut here).await.unwrap();
            assert_eq!(Order::receive(&mut there).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[tokio::test]
    async fn no_more_is_heard_than_words_may_be_long() {
        let endless = tokio::io::repeat(b' ');
        tokio::pin!(endless);
        assert_eq!(hear(&mut endless).await.unwrap().len() as u64, MAX_WORDS);
    }
}
