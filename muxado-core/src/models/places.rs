//! Lines of tasks that wait for a place or a stream, and some that leave them.

use super::*;

/// Two places may come free before the first who was told has asked again.
#[test]
fn b24_openers_wait_for_two_places_and_one_gives_up() {
    explore(|| async {
        let config = Config::builder().max_outbound_streams(2).build().unwrap();
        let both = Both::start(&config);
        let echo = echo(&both.server);
        let openers: Vec<_> = (0..4_u8)
            .map(|number| {
                let session = both.client.clone();
                spawn(async move { ask(session.open().await.unwrap(), &[number]).await })
            })
            .collect();
        let session = both.client.clone();
        let fickle = spawn(async move {
            for _ in 0..2 {
                drop(give_up(session.open()).await);
                shuttle::future::yield_now().await;
            }
        });
        for opener in openers {
            opener.await.unwrap();
        }
        fickle.await.unwrap();
        assert_eq!(both.end([echo]).await, 4);
    });
}

#[test]
fn b24_acceptors_share_what_comes_and_one_gives_up() {
    explore(|| async {
        let both = Both::start(&Config::default());
        let acceptors = [echo(&both.server), echo(&both.server)];
        let session = both.server.clone();
        let fickle = spawn(async move {
            match give_up(session.accept()).await {
                Some(stream) => {
                    answer(stream.unwrap()).await;
                    1
                }
                None => 0,
            }
        });
        let askers: Vec<_> = (0..2_u8)
            .map(|number| {
                let session = both.client.clone();
                spawn(async move { ask(session.open().await.unwrap(), &[number]).await })
            })
            .collect();
        for asker in askers {
            asker.await.unwrap();
        }
        let accepted: usize = fickle.await.unwrap();
        assert_eq!(accepted + both.end(acceptors).await, 2);
    });
}

/// A place comes free on the wire and by a dropped handle, in either order.
#[test]
fn b06_an_acceptor_that_lets_go_late_gives_the_place_to_the_next() {
    explore(|| async {
        let config = Config::builder().max_inbound_streams(1).max_outbound_streams(1).build().unwrap();
        let both = Both::start(&config);
        let echo = echo(&both.server);
        for number in 0..2 {
            ask(both.client.open().await.unwrap(), &[number]).await;
        }
        assert_eq!(both.end([echo]).await, 2);
    });
}
