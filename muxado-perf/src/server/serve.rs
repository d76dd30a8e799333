//! What the server does on a stream, or on a raw TCP connection: take, give, or return what comes. Memory is one buffer for
//! each, whatever the client does.

use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::channel::Channel;
use crate::pattern::Pattern;
use crate::protocol::{Arrival, Kind, Order};

/// What is read at once, in bytes.
const READ: usize = 64 * 1024;

/// What is returned at once, in bytes. Streams for one message are many, and come and go.
const ECHO: usize = 4096;

/// How often the client of an upload is told how far it has come.
const REPORT_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn serve(kind: Kind, channel: Channel) -> io::Result<()> {
    match kind {
        // Only the first stream of a session is for that.
        Kind::Hello => Err(io::Error::new(io::ErrorKind::InvalidData, "hello is said once")),
        Kind::Upload => upload(channel).await,
        Kind::Download => download(channel).await,
        Kind::Echo => echo(channel).await,
    }
}

async fn upload(channel: Channel) -> io::Result<()> {
    let Channel { mut send, mut recv } = channel;
    let (pattern, mut room) = (Pattern::get(), vec![0; READ]);
    let (mut position, mut reported) = (0_u64, Instant::now());
    loop {
        let count = recv.read(&mut room).await?;
        if count == 0 {
            Arrival::Count(position).send(&mut send).await?;
            return send.shutdown().await;
        }
        if !pattern.matches(position, &room[..count]) {
            Arrival::Wrong(position).send(&mut send).await?;
            send.shutdown().await?;
            // Until the client has heard of it: a reset might come before the report.
            while recv.read(&mut room).await.is_ok_and(|count| count > 0) {}
            let what = format!("wrong bytes in an upload, behind {position}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        position += count as u64;
        if reported.elapsed() >= REPORT_EVERY {
            Arrival::Count(position).send(&mut send).await?;
            reported = Instant::now();
        }
    }
}

async fn download(channel: Channel) -> io::Result<()> {
    let Channel { mut send, mut recv } = channel;
    let order = Order::receive(&mut recv).await?;
    let (pattern, mut position) = (Pattern::get(), 0_u64);
    let mut more = [0];
    let mut stopped = pin!(async {
        match recv.read(&mut more).await? {
            0 => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "more than an order for a download")),
        }
    });
    while position < order.limit {
        let len = u64::from(order.write).min(order.limit - position) as usize;
        tokio::select! {
            biased;
            ended = &mut stopped => {
                ended?;
                return send.shutdown().await;
            }
            written = send.write(pattern.at(position, len)) => position += written? as u64,
        }
    }
    send.shutdown().await?;
    stopped.await
}

async fn echo(channel: Channel) -> io::Result<()> {
    let Channel { mut send, mut recv } = channel;
    let mut room = [0; ECHO];
    loop {
        match recv.read(&mut room).await? {
            0 => return send.shutdown().await,
            count => send.write_all(&room[..count]).await?,
        }
    }
}
