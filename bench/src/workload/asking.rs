//! Askers on one side, and somebody on the other who answers each stream in a task of its own.

use std::io;

use tokio::task::{JoinHandle, JoinSet};

use crate::peer::{Accept, Stream};

/// Answers every stream, until accepting fails.
pub(super) async fn serve<S: Stream, F>(
    mut server: impl Accept<Stream = S>,
    answer: impl Fn(S) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        // A stream that fails here fails at its asker, who reports it.
        tokio::spawn(answer(server.accept().await?));
    }
}

/// Waits until all has been asked. Who answers is given back, still at it.
pub(super) async fn until_asked(
    mut accepting: JoinHandle<io::Result<()>>,
    mut askers: JoinSet<io::Result<()>>,
) -> io::Result<JoinHandle<io::Result<()>>> {
    loop {
        tokio::select! {
            // It ends only if it fails, and then the askers would wait for nobody.
            ended = &mut accepting => ended??,
            asked = askers.join_next() => match asked {
                Some(result) => result??,
                None => return Ok(accepting),
            },
        }
    }
}
