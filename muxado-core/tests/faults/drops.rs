//! Everything dropped in every order (F42, F46): what the peer sees is what decision 2 and S53 say.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::{AsyncWrite, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Session, Side};
use muxado_testkit::{Watched, World, alone, pipe, poll, wire};

/// All orders of `0..n`.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(n - 1);
    (0..n)
        .flat_map(|at| {
            shorter.iter().map(move |order| {
                let mut order = order.clone();
                order.insert(at, n - 1);
                order
            })
        })
        .collect()
}

/// The five, dropped in every order, with a turn of the driver in between or not; and the peer's bytes in between.
#[test]
fn f42_f43_a_session_in_all_orders_of_dropping() {
    const SESSION: usize = 0;
    const CLONE: usize = 1;
    const STREAM: usize = 3;
    const DRIVER: usize = 4;
    for order in orders(5) {
        for turns in [false, true] {
            let world = World::new();
            let (near, far) = pipe(1 << 20);
            let (from_peer, to_peer) = (far.write.lane(), far.read.lane());
            let (session, driver) =
                Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
            let mut driver = Watched::new(driver);
            let mut stream = session.try_open().unwrap();
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut stream).poll_write(&mut cx, b"hello").is_ready());
            assert!(poll(&mut driver, Waker::noop()).is_pending());
            assert_eq!(to_peer.take(), wire::syn(3, b"hello"));
            assert!(Pin::new(&mut stream).poll_write(&mut cx, b"again").is_ready());
            let mut accept = session.accept();
            assert!(poll(&mut accept, Waker::noop()).is_pending());
            let clone = session.clone();
            let mut held: Vec<Option<Box<dyn Any>>> = vec![
                Some(Box::new(session)),
                Some(Box::new(clone)),
                Some(Box::new(accept)),
                Some(Box::new(stream)),
            ];
            let mut driver = Some(driver);
            for (number, what) in order.iter().enumerate() {
                match *what {
                    DRIVER => driver = None,
                    other => held[other] = None,
                }
                let id = u32::try_from(2 * number + 2).unwrap();
                from_peer.inject(&[wire::data(3, b"x"), wire::syn(id, b"")].concat());
                if let (true, Some(driver)) = (turns, &mut driver) {
                    let _ = poll(driver, Waker::noop());
                }
            }
            let place = |what| order.iter().position(|dropped| *dropped == what).unwrap();
            let sent = to_peer.take();
            let context = format!("{order:?}, turns: {turns}, sent: {sent:?}");
            assert!(to_peer.is_closed(), "{context}");
            // The driver sends what there is while it lives; nothing is ever a clean end.
            let has = |frame: &[u8]| sent.windows(frame.len()).any(|window| window == frame);
            assert!(!has(&wire::fin(3)), "{context}");
            let worked = turns && place(DRIVER) > 0;
            assert_eq!(has(&wire::data(3, b"again")), worked, "{context}");
            assert_eq!(has(&wire::rst(3, 6)), turns && place(DRIVER) > place(STREAM), "{context}");
            let handles_last = place(SESSION).max(place(CLONE)).max(place(STREAM));
            assert_eq!(has(&wire::go_away(0, 0, b"")), turns && place(DRIVER) > handles_last, "{context}");
        }
    }
}

/// What is the matter with a stream when its halves are dropped.
#[derive(Clone, Copy, Debug)]
struct Case {
    send_first: bool,
    unread: bool,
    unsent: bool,
    syn_sent: bool,
    fin_seen: bool,
}

/// Both halves of a stream of ours, dropped in both orders, in each of the states it can be in.
#[test]
fn f46_w11_halves_dropped_in_every_state_say_what_s53_says() {
    for bits in 0..32_u8 {
        let bit = |number: u8| bits >> number & 1 == 1;
        let case =
            Case { send_first: bit(0), unread: bit(1), unsent: bit(2), syn_sent: bit(3), fin_seen: bit(4) };
        if !case.syn_sent && (case.unread || case.fin_seen) {
            // The peer says nothing on a stream it does not know: the same as without.
            continue;
        }
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let mut stream = world.block_on(one.session.open()).unwrap();
        if case.syn_sent {
            world.block_on(stream.flush()).unwrap();
            world.settle();
            assert_eq!(one.to_peer.take(), wire::syn(3, b""), "{case:?}");
        }
        if case.unread {
            one.from_peer.inject(&wire::data(3, b"unread"));
        }
        if case.fin_seen {
            one.from_peer.inject(&wire::fin(3));
        }
        world.settle();
        if case.unsent {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut stream).poll_write(&mut cx, b"unsent").is_ready());
        }
        let (send, recv) = stream.into_split();
        if case.send_first {
            drop(send);
            drop(recv);
        } else {
            drop(recv);
            drop(send);
        }
        world.block_on(world.sleep(Duration::from_secs(1)));
        let sent = one.to_peer.take();
        let mut expected = Vec::new();
        match (case.syn_sent, case.unsent) {
            (false, true) => expected.extend(wire::syn(3, b"unsent")),
            (true, true) => expected.extend(wire::data(3, b"unsent")),
            _ => {}
        }
        if case.syn_sent || case.unsent {
            expected.extend(wire::rst(3, 6));
        }
        assert_eq!(sent, expected, "{case:?}");
        assert_eq!(one.session.stats().streams, 0, "{case:?}");
        assert_eq!(one.session.audit(), Ok(()), "{case:?}");
    }
}

/// The same where our direction was finished before: bytes unread cost a RST behind the FIN, nothing else does.
#[test]
fn f46_s53_halves_dropped_after_finishing() {
    for bits in 0..16_u8 {
        let bit = |number: u8| bits >> number & 1 == 1;
        let (send_first, unread, unsent, fin_seen) = (bit(0), bit(1), bit(2), bit(3));
        let world = World::new();
        let one = alone(&world, Side::Client, &Config::default());
        let mut stream = world.block_on(one.session.open()).unwrap();
        world.block_on(stream.write_all(b"ask")).unwrap();
        if !unsent {
            stream.finish().unwrap();
        }
        world.settle();
        let mut sent = one.to_peer.take();
        if unread {
            one.from_peer.inject(&wire::data(3, b"unread"));
        }
        if fin_seen {
            one.from_peer.inject(&wire::fin(3));
        }
        world.settle();
        if unsent {
            stream.finish().unwrap();
        }
        let (send, recv) = stream.into_split();
        if send_first {
            drop(send);
            drop(recv);
        } else {
            drop(recv);
            drop(send);
        }
        world.block_on(world.sleep(Duration::from_secs(1)));
        sent.extend(one.to_peer.take());
        let mut expected = [wire::syn(3, b"ask"), wire::fin(3)].concat();
        // Once both have finished there is nothing left to reset.
        if unread && !fin_seen {
            expected.extend(wire::rst(3, 6));
        }
        let case = format!("send first {send_first}, unread {unread}, unsent {unsent}, FIN seen {fin_seen}");
        assert_eq!(sent, expected, "{case}");
        assert_eq!(one.session.stats().streams, 0, "{case}");
        one.from_peer.inject(&wire::data(3, b"late"));
        world.settle();
        let late = if unread && !fin_seen { Vec::new() } else { wire::rst(3, 4) };
        assert_eq!(one.to_peer.take(), late, "{case}");
    }
}

#[test]
fn f44_queued_streams_are_refused_when_nobody_is_left_to_accept_them() {
    let world = World::new();
    let mut one = alone(&world, Side::Server, &Config::default());
    one.from_peer.inject(&[wire::syn(3, b"a"), wire::syn(5, b"b"), wire::fin(5)].concat());
    world.settle();
    let mut accept = one.session.accept();
    let first = poll(&mut accept, Waker::noop());
    assert!(first.is_ready());
    drop(accept);
    let other = alone(&world, Side::Client, &Config::default()).session;
    drop(std::mem::replace(&mut one.session, other));
    world.settle();
    assert_eq!(one.to_peer.take(), wire::rst(5, 5), "never seen by anybody, and safe to retry");
    drop(first);
    world.settle();
    assert_eq!(one.to_peer.take(), [wire::rst(3, 6), wire::go_away(3, 0, b"")].concat());
    assert!(one.to_peer.is_closed());
}

#[test]
fn f45_what_was_accepted_goes_out_after_the_last_handle_is_gone() {
    let world = World::new();
    let (near, far) = pipe(1 << 20);
    let to_peer = far.read.lane();
    let (session, driver) =
        Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world.clone());
    let mut stream = session.try_open().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut stream).poll_write(&mut cx, b"last").is_ready());
    stream.finish().unwrap();
    drop((stream, session));
    // Only now does the driver run at all.
    let lane = far.write.lane();
    world.spawn(async move {
        driver.await;
    });
    world.settle();
    lane.inject(&wire::fin(3));
    world.settle();
    assert_eq!(to_peer.take(), [wire::syn(3, b"last"), wire::fin(3), wire::go_away(0, 0, b"")].concat());
    assert!(to_peer.is_closed());
}
