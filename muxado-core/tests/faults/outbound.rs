//! What we send, spoiled at every single byte and call: errors, silence, and a peer that stops reading (F22 to F25).

use std::io;
use std::time::Duration;

use muxado_core::rt::Runtime;
use muxado_core::{Config, EndCause, ErrorCode, Side};
use muxado_testkit::{Alone, Mood, wire};

use crate::app::{Running, Told, judge};

/// The peer's part of a session in which both sides open streams and all of them end.
fn answers() -> Vec<u8> {
    [
        wire::data(3, b"first answer"),
        wire::syn(2, b"question"),
        wire::fin(3),
        wire::data(5, &[1; 100]),
        wire::fin(2),
        wire::fin(5),
        wire::data(8, b"for nobody"),
    ]
    .concat()
}

/// Plays our part over a transport that `spoil` has changed, then closes if asked to.
fn play(spoil: impl FnOnce(&mut Mood), close: bool) -> Running {
    let prepare = |one: &Alone| one.to_peer.set(spoil);
    let writes = [b"first question".to_vec(), b"second".to_vec()];
    let running = Running::prepared(Side::Client, &Config::default(), &writes, prepare);
    running.one.from_peer.inject(&answers());
    running.world.settle();
    if close {
        drop(running.one.session.close(ErrorCode::NO_ERROR, "bye"));
        running.world.settle();
    }
    running
}

/// All that we send when nothing is spoiled, and how much of it before the goodbye.
fn whole() -> (Vec<u8>, usize) {
    let running = play(|_| {}, false);
    let mut sent = running.one.to_peer.take();
    let before = sent.len();
    drop(running.one.session.close(ErrorCode::NO_ERROR, "bye"));
    running.world.settle();
    sent.extend(running.one.to_peer.take());
    assert!(sent.ends_with(b"bye"), "{sent:?}");
    (sent, before)
}

fn checked(running: &Running, limit: Duration, context: &str) -> (muxado_core::SessionEnd, Vec<Told>) {
    let result = running.finish(limit);
    let (end, told) = result.unwrap_or_else(|what| panic!("{context}: {what}"));
    judge(&answers(), &told).unwrap_or_else(|what| panic!("{context}: {what}"));
    (end, told)
}

#[test]
fn f22_a_write_error_at_every_byte() {
    let (sent, before) = whole();
    for at in 0..sent.len() {
        for close in [false, true] {
            if !close && at >= before {
                continue;
            }
            let kind = io::ErrorKind::BrokenPipe;
            let running = play(|mood| (mood.budget, mood.over_budget) = (Some(at), Some(kind)), close);
            let context = format!("an error after {at} bytes, closed: {close}");
            let (end, _) = checked(&running, Duration::from_millis(500), &context);
            let failed = matches!(end.cause(), EndCause::Transport(error) if error.kind() == kind);
            assert!(failed || (close && matches!(end.cause(), EndCause::Closed { .. })), "{context}: {end}");
            assert_eq!(running.one.to_peer.take(), sent[..at], "{context}");
            if !close {
                assert!(failed, "{context}: {end}");
            }
        }
    }
}

#[test]
fn f25_silence_after_every_byte_we_send() {
    let (sent, before) = whole();
    for at in 0..sent.len() {
        for close in [false, true] {
            if !close && at >= before {
                continue;
            }
            let running = play(|mood| mood.budget = Some(at), close);
            let context = format!("no byte more after {at}, closed: {close}");
            let limit = if close { 5500 } else { 30_500 };
            let (end, _) = checked(&running, Duration::from_millis(limit), &context);
            let stalled = matches!(end.cause(), EndCause::WriteStalled);
            assert_eq!(stalled, !close, "{context}: {end}");
            assert!(!close || !end.cut().is_nothing(), "{context}: {end}: what was cut is told");
            assert_eq!(running.one.to_peer.take(), sent[..at], "{context}");
        }
    }
}

/// The transport takes one byte less than the time limit allows, over and over: slow, and no stall.
#[test]
fn f25_a_byte_now_and_then_is_progress() {
    let (sent, _) = whole();
    let running = play(|mood| mood.budget = Some(0), false);
    let world = running.world.clone();
    for _ in 0..20 {
        world.block_on(world.sleep(Duration::from_millis(29_900)));
        running.one.to_peer.set(|mood| mood.budget = Some(1));
        world.settle();
    }
    assert!(running.one.session.end().is_none());
    assert_eq!(running.one.to_peer.take(), sent[..20]);
}

#[test]
fn f23_a_flush_that_fails_is_a_transport_that_has_failed() {
    let running = play(|mood| mood.flush_error = Some(io::ErrorKind::BrokenPipe), false);
    let (end, told) = checked(&running, Duration::from_millis(250), "flush");
    assert!(matches!(end.cause(), EndCause::Transport(_)), "{end}");
    assert!(told.iter().any(|told| told.clean), "what the peer had said is still heard");
}

#[test]
fn f24_a_close_that_fails_or_hangs_changes_nothing() {
    let ways: [fn(&mut Mood); 2] =
        [|mood| mood.close_error = Some(io::ErrorKind::NotConnected), |mood| mood.close_hangs = true];
    let (sent, _) = whole();
    for spoil in ways {
        let running = play(spoil, true);
        let (end, _) = checked(&running, Duration::from_millis(250), "close");
        assert!(end.is_clean() && end.cut().is_nothing(), "{end}");
        assert_eq!(running.one.to_peer.take(), sent);
    }
}
