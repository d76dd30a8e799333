//! The capture that lies beside the dissector, and what docs/wireshark.md shows of it: are both what they would be if they
//! were made today. With MUXADO_BLESS=1 the capture is written anew.

use std::fs;
use std::path::Path;

use muxado_testkit::wire::{data, fin, go_away, rst, syn, wndinc};
use muxado_tokio::core::Side::{Client, Server};

use crate::capture::{Connection, Turn};
use crate::tshark::Tshark;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// A session with typed streams, beats, a stream that is reset, and a mistake of the server's: it writes after its FIN.
fn session() -> Vec<Turn> {
    let client = |frames: &[Vec<u8>]| Turn { from: Client, bytes: frames.concat() };
    let server = |frames: &[Vec<u8>]| Turn { from: Server, bytes: frames.concat() };
    vec![
        client(&[syn(3, &[0xFF; 4]), data(3, &[0x5C, 0x4C, 0x21, 0xD8])]),
        server(&[data(3, &[0x5C, 0x4C, 0x21, 0xD8])]),
        client(&[syn(5, b"\0\0\0\x2Awho is there?"), fin(5)]),
        server(&[data(5, &[b'a'; 3000]), fin(5), syn(2, b"\0\0\0\x2Bnews")]),
        client(&[wndinc(5, 3000), rst(2, 6)]),
        server(&[data(5, b"one more thing")]),
        client(&[rst(5, 4), go_away(2, 0, b"bye")]),
    ]
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn the_sample_and_its_page_are_up_to_date() {
    let tshark = Tshark::plain(&[Connection::new(40_000, &session(), 1460)]);
    let sample = Path::new(FOLDER).join("wireshark/sample.pcap");
    if std::env::var_os("MUXADO_BLESS").is_some() {
        fs::copy(tshark.file(), &sample).unwrap();
    }
    assert!(fs::read(&sample).unwrap() == fs::read(tshark.file()).unwrap(), "MUXADO_BLESS=1 writes it anew");
    let page = fs::read_to_string(Path::new(FOLDER).join("wireshark.md")).unwrap();
    let tshark = tshark.set("muxado.typed", "TRUE").arg("-2");
    let mut shown = 0;
    for block in page.split("```").skip(1).step_by(2) {
        let Some((command, expected)) =
            block.strip_prefix("console\n$ tshark ").and_then(|it| it.split_once("\n\n"))
        else {
            continue;
        };
        // What comes before is the capture, the dissector and the port.
        let (_, args) = command.split_once(" -2 ").unwrap();
        let args = args.replace("\\\n", "");
        let args: Vec<String> = args.split_whitespace().map(|arg| arg.replace('\'', "")).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        assert_eq!(tshark.run(&args).trim_end(), expected.trim_end(), "{command}");
        shown += 1;
    }
    assert_eq!(shown, 3, "commands of the page");
}
