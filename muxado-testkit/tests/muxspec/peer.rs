//! Peers for the suite to play against: threads that listen, and an echo made of our own machine, whose frames a test
//! may falsify on their way out.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use muxado_core::proto::StreamKey;
use muxado_frame::{HEADER_LEN, Header, Side};
use muxado_testkit::spec::{Options, Report, Source, run};
use muxado_testkit::{Ending, Peer};

/// Plays `rows` as a client against a server that does `serve` with every connection.
pub(crate) fn play_with(
    options: Options,
    rows: &str,
    serve: impl Fn(TcpStream) + Clone + Send + 'static,
) -> Report {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Both kinds of threads end with their connections, or with the test program.
    thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(tcp));
        }
    });
    let only = rows.split(' ').filter(|row| !row.is_empty()).map(String::from).collect();
    run(&Source::dial(address).unwrap(), &Options { only, ..options })
}

/// As [`play_with`], and nothing is waited for longer than this.
pub(crate) fn play(
    limit: Duration,
    rows: &str,
    serve: impl Fn(TcpStream) + Clone + Send + 'static,
) -> Report {
    play_with(Options { limit, ..Options::new(Side::Client) }, rows, serve)
}

/// What a broken peer does with one frame that it should send.
pub(crate) type Fault = fn(Header, &[u8]) -> Vec<u8>;

/// A good echo whose frames go through `fault`.
pub(crate) fn echo(fault: Fault) -> impl Fn(TcpStream) + Clone {
    move |tcp| Echo { tcp, peer: Peer::new(Side::Server), pending: BTreeMap::new() }.serve(fault)
}

struct Echo {
    tcp: TcpStream,
    peer: Peer,
    /// What each stream has yet to echo, by the number of its turn.
    pending: BTreeMap<u32, (StreamKey, Vec<u8>)>,
}

impl Echo {
    fn serve(mut self, fault: Fault) {
        let mut buffer = vec![0; 64 * 1024];
        let mut streams = 0;
        loop {
            let Ok(len) = self.tcp.read(&mut buffer) else { return };
            if len == 0 {
                return;
            }
            self.peer.feed(&buffer[..len]);
            for key in self.peer.accept_all() {
                self.pending.insert(streams, (key, Vec::new()));
                streams += 1;
            }
            self.turn();
            if self.tcp.write_all(&falsified(&self.peer.sent(), fault)).is_err() {
                return;
            }
            if self.peer.mux.is_ended() {
                let _ = self.tcp.shutdown(Shutdown::Write);
            }
        }
    }

    fn turn(&mut self) {
        let peer = &mut self.peer;
        self.pending.retain(|_, (key, pending)| {
            let (bytes, ending) = peer.read_all(*key);
            pending.extend(bytes);
            let mut failed = matches!(ending, Ending::Failed(..));
            while !pending.is_empty() && !failed {
                match peer.mux.write(*key, pending) {
                    Ok(0) => break,
                    Ok(written) => drop(pending.drain(..written)),
                    Err(_) => failed = true,
                }
            }
            let over = ending == Ending::Fin && pending.is_empty();
            if over {
                let _ = peer.mux.finish(*key);
            }
            if over || failed {
                peer.drop_stream(*key);
            }
            !over && !failed
        });
        peer.mux.handle_credit_due();
        peer.events();
    }
}

fn falsified(mut bytes: &[u8], fault: Fault) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(header) = bytes.first_chunk::<HEADER_LEN>() {
        let header = Header::decode(*header);
        let (frame, rest) = bytes.split_at(HEADER_LEN + header.length() as usize);
        out.extend(fault(header, frame));
        bytes = rest;
    }
    out
}
