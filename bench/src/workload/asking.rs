//! Askers on one side, and somebody on the other who answers each stream in a task of its own.

use std::io;
use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use crate::peer::{Accept, Peer};
use crate::task::{detach, spawn};

/// Answers every stream until all has been asked. Who answers is still at it then.
pub(super) async fn until_answered<P: Peer, F>(
    askers: Vec<impl Future<Output = io::Result<()>>>,
    server: P::Accept,
    answer: fn(P::Stream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let asked = async {
        for asker in askers {
            asker.await?;
        }
        Ok(())
    };
    let accepting = spawn::<P, _>(serve::<P, F>(server, answer));
    // Accepting ends only if it fails, and then the askers would wait for nobody.
    match select(pin!(asked), pin!(accepting)).await {
        Either::Left((outcome, _)) | Either::Right((outcome, _)) => outcome,
    }
}

/// Answers every stream, until accepting fails.
async fn serve<P: Peer, F>(mut server: P::Accept, answer: fn(P::Stream) -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        // A stream that fails here fails at its asker, who reports it.
        detach::<P>(answer(server.accept().await?).map(drop));
    }
}
