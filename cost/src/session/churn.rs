//! Requests and answers: on a stream each, one by one or many at a time, and back and forth on one stream.

use muxado_core::Session;

use super::executor::Task;
use super::{connect, read, write_all};
use crate::measure::{Fault, Outcome};

/// Bytes of a message.
const MESSAGE: [u8; 100] = [7; 100];

/// Requests at a time.
const AT_A_TIME: u64 = 16;

pub(super) fn one_by_one(amount: u64) -> Outcome {
    let pair = connect();
    let tasks: Vec<Task> =
        vec![Box::pin(ask(pair.client.clone(), amount)), Box::pin(answer(pair.server.clone(), amount))];
    pair.run(tasks)
}

pub(super) fn many(amount: u64) -> Outcome {
    let pair = connect();
    let each = amount / AT_A_TIME;
    let ask = |_| -> Task { Box::pin(ask(pair.client.clone(), each)) };
    let mut tasks: Vec<Task> = (0..AT_A_TIME).map(ask).collect();
    tasks.push(Box::pin(answer(pair.server.clone(), each * AT_A_TIME)));
    pair.run(tasks)
}

async fn ask(session: Session, times: u64) -> Result<(), Fault> {
    let mut room = [0; 128];
    for _ in 0..times {
        let mut stream = session.open().await?;
        write_all(&mut stream, &MESSAGE).await?;
        stream.finish()?;
        while read(&mut stream, &mut room).await? > 0 {}
    }
    Ok(())
}

async fn answer(session: Session, times: u64) -> Result<(), Fault> {
    let mut room = [0; 128];
    for _ in 0..times {
        let mut stream = session.accept().await?;
        while read(&mut stream, &mut room).await? > 0 {}
        write_all(&mut stream, &MESSAGE).await?;
        stream.finish()?;
    }
    Ok(())
}

pub(super) fn ping_pong(amount: u64) -> Outcome {
    let pair = connect();
    let (client, server) = (pair.client.clone(), pair.server.clone());
    let ping = async move {
        let mut stream = client.open().await?;
        let mut room = [0; 128];
        for _ in 0..amount {
            write_all(&mut stream, &MESSAGE).await?;
            read(&mut stream, &mut room).await?;
        }
        Ok(stream.finish()?)
    };
    let pong = async move {
        let mut stream = server.accept().await?;
        let mut room = [0; 128];
        while read(&mut stream, &mut room).await? > 0 {
            write_all(&mut stream, &MESSAGE).await?;
        }
        Ok(())
    };
    pair.run(vec![Box::pin(ping), Box::pin(pong)])
}
