//! Both directions of a session at once, half of the bytes each, on a stream for each.

use std::io;

use super::bulk1::{check_count, read, write};
use super::pattern::Pattern;
use crate::measure::{Measurement, Stopwatch};
use crate::peer::{Accept, Open, Peer, Stream};
use crate::task::spawn;

pub(crate) async fn run<P: Peer>(
    mut client: P::Open,
    mut server: P::Accept,
    bytes: u64,
) -> io::Result<Measurement> {
    let (pattern, half) = (Pattern::new(), bytes / 2);
    // Either stream says one byte first, which tells the server of it.
    let (mut forth, mut back) = (client.open().await?, client.open().await?);
    let hello = pattern.at(0, 1);
    forth.write(&hello).await?;
    let mut forth_far = server.accept().await?;
    back.write(&hello).await?;
    let mut back_far = server.accept().await?;
    let mut room = [0; 1];
    for stream in [&mut forth_far, &mut back_far] {
        stream.read(&mut room).await?;
    }
    let stopwatch = Stopwatch::start();
    let (there, here) = (pattern.clone(), pattern.clone());
    let writers = [(forth, pattern.clone()), (back_far, pattern)]
        .map(|(stream, pattern)| spawn::<P, _>(write(stream, half, pattern)));
    let reading = spawn::<P, _>(async move { check_count(half, read(back, here).await?) });
    check_count(half, read(forth_far, there).await?)?;
    reading.await?;
    for writer in writers {
        writer.await?;
    }
    Ok(stopwatch.stop(bytes))
}
