//! A stream: bytes in and out, with one copy each.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::pool;
use crate::state::Shared;

/// Less than this is copied into memory of just its size, in bytes.
const SMALL: usize = 4096;

/// One stream of a connection.
#[derive(Debug)]
pub struct Stream {
    shared: Arc<Shared>,
    id: u32,
}

impl Stream {
    pub(crate) fn new(shared: Arc<Shared>, id: u32) -> Stream {
        Stream { shared, id }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = poll_fn(|cx| self.shared.with(|state| state.poll_room(cx))).await?;
            let (now, later) = bytes.split_at(room.min(pool::WRITE.size).min(bytes.len()));
            let piece = copy(now);
            self.shared.with(|state| state.push(self.id, piece));
            bytes = later;
        }
        Ok(())
    }

    /// Reads what there is, at most as much as there is room for; 0 at the end.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let max = room.len();
        let piece = poll_fn(|cx| self.shared.with(|state| state.poll_read(self.id, max, cx))).await?;
        room[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }

    /// Ends this direction.
    pub fn finish(&mut self) {
        self.shared.with(|state| state.finish(self.id));
    }
}

fn copy(bytes: &[u8]) -> Bytes {
    if bytes.len() < SMALL {
        return Bytes::copy_from_slice(bytes);
    }
    let mut buffer = pool::WRITE.take();
    buffer.room()[..bytes.len()].copy_from_slice(bytes);
    buffer.share(bytes.len())
}
