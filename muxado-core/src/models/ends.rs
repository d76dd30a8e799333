//! Every way to the end of a session, against everybody who waits for something.

use super::*;
use crate::{EndCause, ErrorCode};

/// Tasks that wait for everything one can wait for. Each resolves once the session has ended, and not before.
async fn waiting(both: &Both) -> Vec<JoinHandle<()>> {
    let (mut send, mut recv) = both.client.open().await.unwrap().into_split();
    let [open, accept, closed] = [both.client.clone(), both.client.clone(), both.client.clone()];
    vec![
        spawn(async move { assert!(open.open().await.is_err()) }),
        spawn(async move { assert!(accept.accept().await.is_err()) }),
        spawn(async move { drop(closed.closed().await) }),
        spawn(async move { assert!(recv.read_chunk(1).await.is_err()) }),
        // More than there is room for, and nobody reads.
        spawn(async move { assert!(send.write_all(&[7; 64]).await.is_err()) }),
    ]
}

/// One place, which is taken.
fn full() -> Config {
    narrow().max_outbound_streams(1).build().unwrap()
}

/// Lets one side close while the client's tasks wait for everything.
async fn closed_by(side: fn(&Both) -> &Session) {
    let both = Both::start(&full());
    let waiting = waiting(&both).await;
    let session = side(&both).clone();
    let closer = spawn(async move { session.close(ErrorCode::new(77), "enough").await });
    for task in waiting {
        task.await.unwrap();
    }
    assert_eq!(closer.await.unwrap().code(), ErrorCode::new(77));
    for session in [&both.client, &both.server] {
        let end = session.closed().await;
        assert_eq!(end.code(), ErrorCode::new(77), "{end}");
    }
    both.look_back().await;
}

#[test]
fn everybody_who_waits_learns_of_a_close() {
    explore(|| closed_by(|both| &both.client));
}

#[test]
fn everybody_who_waits_learns_of_the_peers_close() {
    explore(|| closed_by(|both| &both.server));
}

#[test]
fn everybody_who_waits_learns_that_the_driver_is_gone() {
    explore(|| async {
        let both = Both::start(&full());
        let waiting = waiting(&both).await;
        both.client_driver.abort();
        for task in waiting {
            task.await.unwrap();
        }
        assert!(matches!(both.client.closed().await.cause(), EndCause::DriverDropped));
        both.server.closed().await;
        both.look_back().await;
    });
}

/// Either the stream is opened and its fate told, or it is not.
#[test]
fn a_close_meets_an_open() {
    explore(|| async {
        let both = Both::start(&Config::default());
        let echo = echo(&both.server);
        let session = both.client.clone();
        let opener = spawn(async move {
            let Ok(mut stream) = session.open().await else { return };
            if stream.write_all(b"x").await.is_ok() && stream.close().await.is_ok() {
                // It came back whole, or the end of the session is told.
                let mut all = Vec::new();
                assert!(stream.read_to_end(&mut all).await.is_err() || all == b"x");
            }
        });
        let session = both.client.clone();
        let closer = spawn(async move { session.close(ErrorCode::NO_ERROR, "").await });
        opener.await.unwrap();
        closer.await.unwrap();
        assert!(both.end([echo]).await <= 1);
    });
}

/// The count of handles comes to nothing once, whoever is last, and what streams still have to say is said.
#[test]
fn the_last_handle_goes_while_a_stream_writes() {
    explore(|| async {
        let Both { client, server, client_driver, server_driver } = Both::start(&narrow().build().unwrap());
        let mut stream = client.open().await.unwrap();
        let droppers = [client.clone(), client].map(|handle| spawn(async move { drop(handle) }));
        let writer = spawn(async move {
            stream.write_all(b"more than one window of it").await.unwrap();
            stream.close().await.unwrap();
        });
        let mut stream = server.accept().await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"more than one window of it");
        drop(stream);
        writer.await.unwrap();
        for dropper in droppers {
            dropper.await.unwrap();
        }
        let end = client_driver.await.unwrap();
        assert!(matches!(end.cause(), EndCause::Closed { .. }) && end.cut().is_nothing(), "{end}");
        server.closed().await;
        server.audit().unwrap();
        server_driver.await.unwrap();
    });
}
