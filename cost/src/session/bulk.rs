//! Bytes in one direction, as much as can be: through the byte traits with one copy at each end, or as chunks.

use bytes::Bytes;
use muxado_core::{Session, Stream};

use super::executor::Task;
use super::{connect, read, write_all};
use crate::measure::{FRAME, Fault, Outcome};

/// Bytes an application writes and reads at a time.
const PIECE: usize = 64 * 1024;

/// Frames in one piece.
const FRAMES: u64 = 4;

/// Streams of the measure that has many.
const STREAMS: u64 = 16;

pub(super) fn copied(amount: u64) -> Outcome {
    let pair = connect();
    let (client, server) = (pair.client.clone(), pair.server.clone());
    pair.run(vec![Box::pin(send(client, amount)), Box::pin(receive(server, 1))])
}

/// All streams have their writer and reader, and there are as many full frames as with one.
pub(super) fn many(amount: u64) -> Outcome {
    let pair = connect();
    let mut tasks: Vec<Task> = Vec::new();
    for _ in 0..STREAMS {
        tasks.push(Box::pin(send(pair.client.clone(), amount / STREAMS)));
        tasks.push(Box::pin(receive(pair.server.clone(), 1)));
    }
    pair.run(tasks)
}

async fn send(session: Session, frames: u64) -> Result<(), Fault> {
    let data = vec![7; PIECE];
    let mut stream = session.open().await?;
    for _ in 0..frames / FRAMES {
        write_all(&mut stream, &data).await?;
    }
    Ok(stream.finish()?)
}

async fn receive(session: Session, streams: u64) -> Result<(), Fault> {
    let mut room = vec![0; PIECE];
    for _ in 0..streams {
        let mut stream: Stream = session.accept().await?;
        while read(&mut stream, &mut room).await? > 0 {}
    }
    Ok(())
}

pub(super) fn chunks(amount: u64) -> Outcome {
    let pair = connect();
    let (client, server) = (pair.client.clone(), pair.server.clone());
    let send = async move {
        let data = Bytes::from(vec![7; PIECE]);
        let mut stream = client.open().await?;
        for _ in 0..amount / FRAMES {
            stream.write_chunk(data.clone()).await?;
        }
        Ok(stream.finish()?)
    };
    let receive = async move {
        let mut stream = server.accept().await?;
        let mut left = amount * FRAME as u64;
        while let Some(chunk) = stream.read_chunk(PIECE).await? {
            left -= chunk.len() as u64;
        }
        if left > 0 { Err("bytes are missing".into()) } else { Ok(()) }
    };
    pair.run(vec![Box::pin(send), Box::pin(receive)])
}
