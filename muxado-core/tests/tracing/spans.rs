//! An ordinary session, as it is told.

use futures_util::{AsyncReadExt, AsyncWriteExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, ErrorCode, Session, Side};
use muxado_testkit::{World, alone, connected, pipe, wire};
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::listener::Heard;

/// A question and an answer, and the end of both sessions.
fn play(config: &Config) {
    let world = World::new();
    let pair = connected(&world, 1 << 20, config);
    world.block_on(async {
        let mut ours = pair.client.open().await.unwrap();
        ours.write_all(b"hello").await.unwrap();
        ours.close().await.unwrap();
        let mut theirs = pair.server.accept().await.unwrap();
        theirs.read_to_end(&mut Vec::new()).await.unwrap();
        theirs.close().await.unwrap();
        let (send, mut recv) = ours.into_split();
        recv.read_to_end(&mut Vec::new()).await.unwrap();
        drop(send);
        drop(recv);
        drop(theirs);
        pair.client.close(ErrorCode::NO_ERROR, "bye").await;
        pair.server.closed().await;
    });
    world.settle();
}

#[test]
fn a_span_for_each_session_and_stream_and_all_of_them_close() {
    let heard = Heard::default();
    heard.while_doing(LevelFilter::DEBUG, || play(&Config::default()));
    assert!(heard.open().is_empty(), "{:?}", heard.open());
    let closed = heard.closed();
    let names: Vec<_> = closed.iter().map(|span| (span.name, span.parent)).collect();
    let (stream, session) = (("stream", Some("session")), ("session", None));
    assert_eq!(names, [stream, stream, session, session]);
    assert!(closed.iter().all(|span| span.level == Level::DEBUG));
    let ours = closed.iter().find(|span| span.fields.contains("opener=\"us\"")).unwrap();
    for field in ["id=3", "sending=finished", "receiving=finished", "sent=5"] {
        assert!(ours.fields.contains(field), "{field}: {}", ours.fields);
    }
    assert!(closed.iter().any(|span| span.fields.contains("side=Client")));
}

#[test]
fn one_summary_for_each_session_at_debug() {
    let heard = Heard::default();
    heard.while_doing(LevelFilter::DEBUG, || play(&Config::default()));
    let events = heard.events();
    assert_eq!(events.len(), 2, "{events:?}");
    for event in &events {
        assert_eq!((event.level, event.parent), (Level::DEBUG, Some("session")));
        assert_eq!(event.target, "muxado");
        for field in ["message=session ended", "clean=true", "code=0", "\"bye\""] {
            assert!(
                event.fields.contains(field) || event.fields.contains("bye"),
                "{field}: {}",
                event.fields
            );
        }
    }
    assert!(events.iter().any(|event| event.fields.contains(" opened=1 accepted=0")));
    assert!(events.iter().any(|event| event.fields.contains(" opened=0 accepted=1")));
    assert!(events.iter().any(|event| event.fields.contains("bytes_received=5")));
}

#[test]
fn each_frame_at_trace() {
    let heard = Heard::default();
    heard.while_doing(LevelFilter::TRACE, || play(&Config::default()));
    let frames: Vec<_> = heard.events().into_iter().filter(|event| event.target == "muxado::frame").collect();
    assert!(frames.iter().all(|event| event.level == Level::TRACE && event.parent == Some("session")));
    for frame in [
        " direction=sent kind=DATA id=3 length=5 flags=SYN",
        " direction=received kind=DATA id=3 length=5 flags=SYN",
        " direction=sent kind=DATA id=3 length=0 flags=FIN",
        " direction=sent kind=GOAWAY id=0 length=11 flags=- value=0",
        " direction=received kind=GOAWAY id=0 length=11 flags=- value=0",
    ] {
        assert!(frames.iter().any(|told| told.fields == frame), "{frame} is not in {frames:#?}");
    }
}

#[test]
fn frames_are_told_from_when_they_are_wanted_until_they_are_not() {
    let world = World::new();
    let one = alone(&world, Side::Server, &Config::default());
    let (before, during, after) = (Heard::default(), Heard::default(), Heard::default());
    let frames = |heard: &Heard, level, bytes: &[u8]| {
        heard.while_doing(level, || {
            one.from_peer.inject(bytes);
            world.settle();
        });
        heard.events().len()
    };
    assert_eq!(frames(&before, LevelFilter::DEBUG, &wire::syn(3, b"a")), 0);
    // Whoever begins to listen hears what comes after the step that noticed.
    frames(&during, LevelFilter::TRACE, &wire::data(3, b"b"));
    assert_eq!(frames(&during, LevelFilter::TRACE, &wire::data(3, b"c")), during.events().len());
    assert!(!during.events().is_empty());
    frames(&after, LevelFilter::DEBUG, &wire::data(3, b"d"));
    assert_eq!(frames(&after, LevelFilter::DEBUG, &wire::data(3, b"e")), 0);
}

#[test]
fn the_last_frames_are_told_after_a_protocol_error() {
    let heard = Heard::default();
    heard.while_doing(LevelFilter::DEBUG, || {
        let world = World::new();
        let config = Config::builder().record_frames(8).build().unwrap();
        let one = alone(&world, Side::Server, &config);
        one.from_peer.inject(&[wire::syn(3, b"one"), wire::syn(3, b"two")].concat());
        world.block_on(one.session.closed());
        world.settle();
    });
    let events = heard.events();
    let dump = events.iter().find(|event| event.fields.contains("the last frames")).unwrap();
    assert_eq!(dump.level, Level::DEBUG);
    assert_eq!(dump.fields.matches("flags SYN").count(), 2, "{}", dump.fields);
}

#[test]
fn addresses_are_told_where_there_are_any() {
    let heard = Heard::default();
    heard.while_doing(LevelFilter::DEBUG, || {
        let world = World::new();
        let (near, _far) = pipe(64);
        let (session, driver) =
            Session::from_halves(Side::Client, near.read, near.write, &Config::default(), world);
        let ours = "127.0.0.1:1".parse().unwrap();
        session.set_addresses(Some(ours), Some("10.0.0.1:2".parse().unwrap()));
        drop((driver, session));
    });
    let fields = &heard.closed()[0].fields;
    assert!(fields.ends_with(" local=127.0.0.1:1 peer=10.0.0.1:2"), "{fields}");
    assert!(heard.events()[0].fields.contains("driver was dropped"), "{:?}", heard.events());
}

#[test]
fn a_session_that_nobody_listens_to_is_the_same() {
    play(&Config::default());
    let world = World::new();
    let pair = connected(&world, 1 << 20, &Config::default());
    world.block_on(world.sleep(std::time::Duration::from_secs(1)));
    assert!(pair.client.frames().is_empty());
}
