//! Askers on one side, and somebody on the other who answers each stream in a task of its own.

use std::convert::Infallible;
use std::io;
use std::pin::pin;

use futures_util::FutureExt;
use futures_util::future::{Either, select};

use crate::peer::{Accept, Peer};
use crate::task::{detach, spawn};

/// Answers every stream until all has been asked, and gives what comes of each asker. Who answers is still at it then.
pub(super) async fn until_answered<P: Peer, F, T>(
    askers: Vec<impl Future<Output = io::Result<T>>>,
    server: P::Accept,
    answer: fn(P::Stream) -> F,
) -> io::Result<Vec<T>>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let asked = async {
        let mut outcomes = Vec::new();
        for asker in askers {
            outcomes.push(asker.await?);
        }
        Ok(outcomes)
    };
    let accepting = spawn::<P, _>(serve::<P, F>(server, answer));
    // Accepting ends only if it fails, and then the askers would wait for nobody.
    match select(pin!(asked), pin!(accepting)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right((failed, _)) => failed.map(|never| match never {}),
    }
}

/// Answers every stream, until accepting fails.
async fn serve<P: Peer, F>(mut server: P::Accept, answer: fn(P::Stream) -> F) -> io::Result<Infallible>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        // A stream that fails here fails at its asker, who reports it.
        detach::<P>(answer(server.accept().await?).map(drop));
    }
}
