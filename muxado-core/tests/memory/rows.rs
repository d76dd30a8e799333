//! B32 and the whole table: no row, whatever our application does, and no recorded session makes us hold more than
//! docs/behaviour.md allows, looked at after every piece.

use muxado_core::{Config, Side};
use muxado_testkit::Host;
use muxado_testkit::catalog::{APPS, Row, rows};

use crate::bounds::Watch;
use crate::{alone, recording};

fn watch(row: &Row, chunk: usize) {
    let what = format!("{} with {:?} in pieces of {chunk}", row.name, row.app);
    let mut watch = Watch::new();
    let mut host = row.host(&Config::default());
    row.play(&mut host, chunk, |host, fed| watch.look(&what, fed, host));
    host.mux.handle_eof();
    host.turn();
    host.drop_all();
    host.turn();
    watch.look(&what, row.parts.iter().map(Vec::len).sum(), &host);
}

#[test]
fn f80_b32_no_row_holds_more_than_it_may() {
    let _turn = alone();
    for mut row in rows() {
        let len = row.bytes().len();
        // Long rows in single bytes would take a minute and show nothing new.
        let smallest = if len > 10_000 { 61 } else { 1 };
        for chunk in [smallest, 100, 1500, usize::MAX] {
            watch(&row, chunk);
        }
        for app in APPS {
            row.app = app;
            for chunk in [777, usize::MAX] {
                watch(&row, chunk);
            }
        }
    }
}

#[test]
fn b32_no_recorded_session_holds_more_than_it_may() {
    let _turn = alone();
    for recording in recording::all() {
        for side in [Side::Client, Side::Server] {
            let (own, peer) = (recording.party(side), recording.party(side.peer()));
            let opens = own.frames.iter().filter(|frame| frame.syn).count();
            for app in APPS {
                for chunk in [if peer.bytes.len() > 20_000 { 331 } else { 1 }, 4096, usize::MAX] {
                    let what = format!("{} as {side}, {app:?}, in pieces of {chunk}", recording.name);
                    let mut watch = Watch::new();
                    let mut host = Host::new(side, &Config::default(), app, opens);
                    let mut fed = 0;
                    for piece in peer.bytes.chunks(chunk) {
                        host.feed(piece);
                        fed += piece.len();
                        watch.look(&what, fed, &host);
                    }
                }
            }
        }
    }
}
