//! What each matcher says, of every beginning of every sample.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use muxado_sniff::{
    Matcher, Parsed, Verdict, any, client_hello, http1, http1_header, http1_header_prefix, http1_methods,
    http2, muxado, one_of, prefix, ssh, tls,
};
use muxado_testkit::certs::Authority;
use proptest::prelude::{any as some, prop, proptest};
use rustls::{ClientConfig, ClientConnection};

/// The verdict on all of `sample`. Before that it may be open, and once it is not it must not change.
fn verdict(matcher: &dyn Matcher, sample: &[u8]) -> Verdict {
    let mut decided = None;
    for len in 0..=sample.len() {
        let verdict = matcher.look(&sample[..len]);
        match (decided, verdict) {
            (None, Verdict::Match | Verdict::NoMatch) => decided = Some(verdict),
            (None, _) => {}
            (Some(before), now) => {
                assert_eq!(before, now, "at {len} of {}", sample.escape_ascii());
            }
        }
    }
    matcher.look(sample)
}

/// How many bytes it took to decide.
fn decided_after(matcher: &dyn Matcher, sample: &[u8]) -> usize {
    (0..=sample.len())
        .find(|len| matches!(matcher.look(&sample[..*len]), Verdict::Match | Verdict::NoMatch))
        .unwrap()
}

#[track_caller]
fn check(matcher: &dyn Matcher, yes: &[&[u8]], no: &[&[u8]], open: &[&[u8]]) {
    for (samples, expected) in [(yes, Verdict::Match), (no, Verdict::NoMatch), (open, Verdict::NeedMore)] {
        for sample in samples {
            assert_eq!(verdict(matcher, sample), expected, "{}", sample.escape_ascii());
        }
    }
}

#[test]
fn the_simple_ones() {
    check(&any(), &[b"", b"x"], &[], &[]);
    check(&prefix(*b"abc"), &[b"abc", b"abcd"], &[b"abx", b"x"], &[b"", b"ab"]);
    check(&ssh(), &[b"SSH-2.0-OpenSSH_9.2\r\n"], &[b"SSX", b"GET / "], &[b"SSH"]);
    let either = one_of(vec![Box::new(prefix(*b"abc")), Box::new(prefix(*b"abd"))]);
    check(&either, &[b"abc", b"abd"], &[b"abx"], &[b"", b"ab"]);
    check(
        &|seen: &[u8]| if seen.len() > 2 { Verdict::Match } else { Verdict::NeedMore },
        &[b"123"],
        &[],
        &[b"1"],
    );
}

/// Says hello to a client that waits for it, which the client does not react to.
struct Banner;

impl Matcher for Banner {
    fn look(&self, seen: &[u8]) -> Verdict {
        match seen {
            [] => Verdict::Answer(b"220 hello\r\n"),
            _ => verdict(&prefix(*b"EHLO "), seen),
        }
    }
}

#[test]
fn one_of_several_that_answer_waits_for_no_reaction_where_there_is_none() {
    let alone = one_of(vec![Box::new(Banner)]);
    assert_eq!((alone.look(b""), alone.look(b"EHLO me")), (Banner.look(b""), Verdict::Match));
    assert_eq!(alone.reaction(b"EHLO me"), Some(0..0));
}

#[test]
fn http1_by_its_first_line() {
    check(
        &http1(),
        &[
            b"GET / HTTP/1.1",
            b"GET / HTTP/1.1\r\n",
            b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /a?b=c HTTP/1.0\r\nA: b\r\n",
            b"GET / HTTP/1.1\r\nnot a header\r\n\r\n",
        ],
        &[
            b"GET / HTTP/2.0\r\n",
            b"GET /\r\n\r\n",
            b"SSH-2.0-x\r\n",
            b"\x16\x03\x01\x02\x00\x01",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
        &[b"", b"GET", b"GET / HTT"],
    );
}

#[test]
fn http1_by_its_method() {
    check(&http1_methods(&[]), &[b"GET /", b"PATCH "], &[b"BREW ", b"GETS", b"PRI * "], &[b"", b"G", b"GET"]);
    check(&http1_methods(&["BREW"]), &[b"BREW /pot"], &[b"GET /"], &[b"BRE"]);
}

#[test]
fn http1_by_a_header_field() {
    let websocket = http1_header("Upgrade", "websocket");
    check(
        &websocket,
        &[
            b"GET / HTTP/1.1\r\nHost: x\r\nupgrade: websocket\r\n\r\n",
            b"GET / HTTP/1.1\r\nUPGRADE: websocket\r\n\r\nbody",
        ],
        &[
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
            b"GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n",
            b"\x00",
        ],
        &[b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n", b"GET / HTTP/1.1\r\nHost: "],
    );
    let json = http1_header_prefix("content-type", "application/json");
    check(
        &json,
        &[b"POST / HTTP/1.1\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"],
        &[b"POST / HTTP/1.1\r\nContent-Type: text/json\r\n\r\n"],
        &[],
    );
}

#[test]
fn http2_by_its_preface() {
    check(
        &http2(),
        &[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04"],
        &[b"PRI * HTTP/2.0\r\n\r\nSX", b"GET "],
        &[b"PRI * HTTP"],
    );
}

#[test]
fn muxado_by_its_first_frame() {
    check(
        &muxado(),
        &[
            &[0, 0, 5, 0x12, 0, 0, 0, 3, b'h', b'e', b'l', b'l', b'o'],
            &[0, 0, 0, 0x13, 0, 0, 0, 1],
            &[0, 0, 11, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'b', b'y', b'e'],
        ],
        &[
            b"GET / HTTP/1.1",
            b"GET / HTTP/1.1\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            &[0, 0, 4, 0x20, 0, 0, 0, 3, 0, 0, 0, 1],
            &[0, 0, 0, 0x10, 0, 0, 0, 3],
            &[0, 0, 0, 0x12, 0, 0, 0, 2],
            &[0, 0, 0, 0x12, 0, 0, 0, 0],
            &[0, 0, 0, 0x12, 0x80, 0, 0, 1],
            &[0, 0, 0, 0x16, 0, 0, 0, 3],
            &[0, 0, 7, 0x30, 0, 0, 0, 0],
            &[0, 0, 8, 0x30, 0, 0, 0, 3],
            b"0000 1111",
        ],
        &[&[], &[0, 0, 5], &[0, 0, 5, 0x12, 0, 0, 0]],
    );
    // Text is recognised for what it is after four bytes.
    assert_eq!(decided_after(&muxado(), b"HELO example.com"), 4);
    // So large a frame may be a client's first, but not on such a stream.
    check(&muxado(), &[&[0x16, 3, 1, 0x13, 0, 0, 0, 3]], &[], &[&[0x16, 3, 1, 0x13, 0]]);
}

/// What a rustls client sends first, in records of at most `fragment` bytes.
fn hello(name: &'static str, alpn: &[&str], fragment: Option<usize>) -> Vec<u8> {
    let mut config: ClientConfig = Authority::new().client();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config.max_fragment_size = fragment;
    let mut client = ClientConnection::new(Arc::new(config), name.try_into().unwrap()).unwrap();
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    bytes
}

#[test]
fn a_client_hello_of_any_length_is_tls_and_not_muxado() {
    for len in 1..=0x4000_u16 {
        for version in 0..=4 {
            let (record, message) = (len.to_be_bytes(), len.saturating_sub(4).to_be_bytes());
            let hello = [&[0x16, 3, version], &record[..], &[1, 0], &message].concat();
            assert_eq!(muxado().look(&hello), Verdict::NoMatch, "a record of {len} bytes");
        }
    }
}

#[test]
fn tls_by_its_hello_however_it_is_cut() {
    for fragment in [None, Some(32), Some(64), Some(200)] {
        let bytes = hello("www.Example.com", &["h2", "muxado/2"], fragment);
        let Parsed::Hello(hello) = client_hello(&bytes) else { panic!("{fragment:?}") };
        assert_eq!(hello.server_name.unwrap().to_ascii_lowercase(), "www.example.com");
        assert_eq!(hello.alpn, [b"h2".to_vec(), b"muxado/2".to_vec()]);
        for len in 0..bytes.len() {
            assert_eq!(client_hello(&bytes[..len]), Parsed::Partial, "{fragment:?} at {len}");
        }
        let web = || tls().server_name("www.example.com");
        check(&tls(), &[&bytes], &[], &[&bytes[..40]]);
        check(&web(), &[&bytes], &[], &[]);
        check(&web().alpn("muxado/2"), &[&bytes], &[], &[]);
        check(&tls().server_name("*.example.com"), &[&bytes], &[], &[]);
        check(&tls().server_name("example.com"), &[], &[&bytes], &[]);
        check(&tls().server_name("*.com"), &[], &[&bytes], &[]);
        check(&web().alpn("http/1.1"), &[], &[&bytes], &[]);
    }
    // An address is no server name, and is not sent.
    let bytes = hello("127.0.0.1", &[], None);
    assert_eq!(client_hello(&bytes), Parsed::Hello(Default::default()));
    check(&tls().server_name("127.0.0.1"), &[], &[&bytes], &[]);
    check(
        &tls(),
        &[],
        &[
            b"GET / HTTP/1.1",
            b"GET / HTTP/1.1\r\n",
            b"\x16\x02",
            b"\x17\x03\x03",
            b"\x16\x03\x01\x00\x00",
            b"\x16\x03\x01\x00\x04\x02",
        ],
        &[b"\x16", b"\x16\x03\x03"],
    );
}

#[cfg(feature = "hpack")]
mod header {
    use muxado_sniff::{http2_header, http2_header_prefix};

    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    fn frame(kind: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 0, body.len() as u8, kind, flags, 0, 0, 0, u8::from(kind == 1 || kind == 9)];
        frame.extend_from_slice(body);
        frame
    }

    /// POST, and the content type as a literal with an indexed name (RFC 7541, 6.2.1; content-type is 31).
    fn block(content_type: &str) -> Vec<u8> {
        let mut block = vec![0x83, 0x5f, content_type.len() as u8];
        block.extend_from_slice(content_type.as_bytes());
        block
    }

    fn begin(frames: &[Vec<u8>]) -> Vec<u8> {
        [PREFACE, &frames.concat()].concat()
    }

    #[test]
    fn grpc_by_its_content_type_however_the_header_is_framed() {
        let block = block("application/grpc");
        let settings = || frame(4, 0, &[0, 3, 0, 0, 0, 100]);
        let (first, second) = block.split_at(5);
        let padded = [&[3][..], &block, &[0; 3]].concat();
        let with_priority = [&[0, 0, 0, 0, 16][..], &block].concat();
        let samples = [
            begin(&[settings(), frame(1, 0x4, &block)]),
            begin(&[settings(), frame(8, 0, &[0, 0, 1, 0]), frame(1, 0x5, &block)]),
            begin(&[frame(1, 0, first), frame(9, 0x4, second)]),
            begin(&[settings(), frame(1, 0xc, &padded)]),
            begin(&[settings(), frame(1, 0x24, &with_priority)]),
        ];
        for sample in &samples {
            check(&http2_header("content-type", "application/grpc"), &[sample], &[], &[]);
            check(&http2_header_prefix("content-type", "application/grpc").answering(), &[sample], &[], &[]);
            check(&http2_header("content-type", "application/json"), &[], &[sample], &[]);
            check(&http2_header("te", "trailers"), &[], &[sample], &[]);
        }
        let open = begin(&[settings(), frame(1, 0, first)]);
        check(&http2_header("content-type", "application/grpc").answering(), &[], &[], &[&open]);
    }

    #[test]
    fn what_is_not_http2_is_nothing() {
        let grpc = http2_header("content-type", "application/grpc");
        let block = block("application/grpc");
        let samples = [
            b"GET / HTTP/1.1\r\n".to_vec(),
            begin(&[frame(9, 0x4, &block)]),
            begin(&[frame(1, 0, &block), frame(4, 0, &[])]),
            // More padding than there is; a header that is none; a table beyond what was agreed on.
            begin(&[frame(1, 0xc, &[200, 0x83])]),
            begin(&[frame(1, 0x4, &[0x80])]),
            begin(&[frame(1, 0x4, &[0x3f, 0xff, 0xff, 0x7f, 0x83])]),
        ];
        for sample in &samples {
            check(&grpc, &[], &[sample], &[]);
        }
    }

    #[test]
    fn a_client_that_waits_is_answered_and_one_that_does_not_is_not() {
        let grpc = http2_header("content-type", "application/grpc").answering();
        let waiting = begin(&[frame(4, 0, &[0, 3, 0, 0, 0, 100])]);
        assert_eq!(grpc.look(&waiting), Verdict::Answer(&[0, 0, 0, 4, 0, 0, 0, 0, 0]));
        assert_eq!(grpc.look(&waiting[..waiting.len() - 1]), Verdict::NeedMore);
        assert_eq!(grpc.look(PREFACE), Verdict::NeedMore);
        assert_eq!(grpc.reaction(&waiting), None);
        let mut acknowledged = waiting.clone();
        acknowledged.extend(frame(4, 1, &[]));
        assert_eq!(grpc.reaction(&acknowledged), Some(waiting.len()..waiting.len() + 9));
    }
}

fn all() -> Vec<Box<dyn Matcher>> {
    let mut all: Vec<Box<dyn Matcher>> = vec![
        Box::new(prefix(*b"ab")),
        Box::new(ssh()),
        Box::new(http1()),
        Box::new(http1_methods(&[])),
        Box::new(http1_header("a", "b")),
        Box::new(http2()),
        Box::new(tls().alpn("x")),
        Box::new(muxado()),
    ];
    #[cfg(feature = "hpack")]
    all.push(Box::new(muxado_sniff::http2_header("a", "b").answering()));
    all.push(Box::new(one_of(vec![Box::new(ssh()), Box::new(http1())])));
    all
}

proptest! {
    /// Random bytes behind the beginnings of every protocol: nothing panics, and what is decided stays decided.
    #[test]
    fn decisions_stand(
        beginning in prop::sample::select(vec![
            &b""[..], b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x00\x20\x01\x00\x00\x1c\x03\x03",
            b"SSH-", b"\0\0\0\x12", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x08\x01\x04\0\0\0\x01",
        ]),
        rest in prop::collection::vec(some::<u8>(), 0..80),
    ) {
        let sample = [beginning, &rest].concat();
        for matcher in all() {
            verdict(matcher.as_ref(), &sample);
        }
    }

    /// A hello with bytes changed is read or refused, and never a panic.
    #[test]
    fn broken_hellos(at in 0usize..400, to in some::<u8>(), cut in 0usize..400) {
        thread_local!(static HELLO: Vec<u8> = hello("example.com", &["h2"], None));
        HELLO.with(|hello| {
            let mut hello = hello.clone();
            let len = hello.len();
            hello[at % len] = to;
            hello.truncate(cut.max(1).min(len));
            let _ = client_hello(&hello);
        });
    }
}
