//! Frames that no session of ours would send: is each rule that they break named, and nothing else; and what is said of
//! frames, to the letter.

use muxado_testkit::wire::{
    DATA, FIN, GOAWAY, RST, SYN, WNDINC, data, fin, frame, go_away, header, rst, syn, syn_fin, wndinc,
};
use muxado_tokio::core::Side::{Client, Server};

use crate::capture::{Connection, Turn};
use crate::tshark::{Tshark, truths};

fn client(bytes: Vec<u8>) -> Turn {
    Turn { from: Client, bytes }
}

fn server(bytes: Vec<u8>) -> Turn {
    Turn { from: Server, bytes }
}

/// What is said, and which rules are broken by it.
type Case = (Vec<Turn>, &'static [&'static str]);

fn opened() -> Turn {
    client(syn(3, b"hello"))
}

fn table() -> Vec<Case> {
    [frames(), streams(), ends()].concat()
}

/// What a frame says by itself.
fn frames() -> Vec<Case> {
    vec![
        (vec![opened(), client(frame(RST, 0, 3, &[0; 3]))], &["malformed.length"]),
        (vec![opened(), client(frame(WNDINC, 0, 3, &[0; 5]))], &["malformed.length"]),
        (vec![opened(), client(frame(GOAWAY, 0, 0, &[0; 7]))], &["malformed.length"]),
        (vec![opened(), client(frame(DATA, 0, 0, b"x"))], &["malformed.stream"]),
        (vec![opened(), client(rst(0, 6))], &["malformed.stream"]),
        (vec![opened(), client(wndinc(0, 6))], &["malformed.stream"]),
        (vec![opened(), client(frame(GOAWAY, 0, 3, &[0; 8]))], &["malformed.stream"]),
        (vec![opened(), client(data(0x8000_0003, b"x"))], &["malformed.reserved_bit"]),
        (vec![opened(), client(rst(0x8000_0003, 6))], &["malformed.reserved_bit"]),
        (vec![opened(), client(wndinc(3, 0))], &["malformed.increment"]),
        (vec![opened(), client(wndinc(3, 0x8000_0000))], &["malformed.increment"]),
        (vec![opened(), client(wndinc(3, 0x8000_0001))], &[]),
        (vec![opened(), client(wndinc(3, 0x7FFF_FFFF))], &[]),
        (vec![opened(), client(frame(4, 0, 3, b"x"))], &["odd.unknown_type"]),
        (vec![opened(), client(frame(15, 15, u32::MAX, b"x"))], &["odd.unknown_type"]),
        (vec![opened(), client(frame(DATA, 8, 3, b"x"))], &["odd.flags"]),
        (vec![opened(), client(frame(WNDINC, SYN, 3, &[0, 0, 0, 1]))], &["odd.flags"]),
        (vec![opened(), client(frame(RST, FIN, 3, &[0, 0, 0, 6]))], &["odd.flags"]),
        (vec![opened(), client(frame(GOAWAY, FIN, 0, &[0; 8]))], &["odd.flags"]),
    ]
}

/// What it says of a stream.
fn streams() -> Vec<Case> {
    let beat = || client([syn(3, &[0xFF; 4]), data(3, &[1, 2, 3, 4])].concat());
    vec![
        (vec![client(syn(1, b"")), client(syn(9, b"")), client(syn(5, b""))], &[]),
        (vec![client(syn_fin(3, b"x")), server(data(3, b"x"))], &["odd.syn_fin"]),
        (vec![opened(), client(data(3, b""))], &["odd.empty"]),
        (vec![opened(), client(syn(4, b""))], &["broken.parity"]),
        (vec![opened(), server(syn(5, b""))], &["broken.parity"]),
        (vec![opened(), client(syn(3, b""))], &["broken.syn_live"]),
        (vec![opened(), client(fin(3)), client(syn(3, b""))], &["broken.syn_live"]),
        (vec![opened(), client(fin(3)), server(fin(3)), client(syn(3, b""))], &["odd.id_reused"]),
        (vec![opened(), server(rst(3, 6)), client(syn(3, b""))], &["odd.id_reused"]),
        (vec![opened(), client(data(5, b"x")), client(data(5, b"x"))], &["broken.never_opened"]),
        (vec![opened(), client(data(2, b"x"))], &["broken.never_opened"]),
        (vec![opened(), client(rst(2, 6))], &["broken.never_opened"]),
        (vec![opened(), server(wndinc(5, 6))], &["broken.never_opened"]),
        (vec![opened(), client(wndinc(5, 6)), client(rst(7, 6)), client(fin(9))], &["odd.stray"; 3]),
        (
            vec![opened(), client(data(5, b"x")), server(rst(5, 4)), client(syn(5, b""))],
            &["broken.never_opened"],
        ),
        (vec![opened(), client(fin(3)), client(fin(3)), client(data(3, b"x"))], &["broken.after_fin"]),
        (vec![opened(), client(fin(3)), server(data(3, b"x")), server(fin(3)), client(wndinc(3, 1))], &[]),
        (vec![opened(), client(rst(3, 6)), client(data(3, b"x"))], &["broken.after_reset"]),
        (vec![opened(), server(rst(3, 6)), client(data(3, b"x")), server(wndinc(3, 5))], &[]),
        // Windows.
        (vec![client(syn(3, &[0; 262_144])), server(wndinc(3, 2)), client(data(3, b"xy"))], &[]),
        (
            vec![client(syn(3, &[0; 262_144])), server(wndinc(3, 1)), client(data(3, b"xy"))],
            &["broken.window"],
        ),
        (vec![client(syn(3, &[0; 262_145]))], &["broken.window"]),
        (
            vec![opened(), server(data(3, &[0; 262_144])), client(data(3, b"x")), server(data(3, b"x"))],
            &["broken.window"],
        ),
        (vec![opened(), server(wndinc(3, u32::MAX >> 1)), client(data(3, &[0; 300_000]))], &[]),
        // Heartbeats.
        (vec![beat(), server(data(3, &[1, 2])), server(data(3, &[3, 4]))], &[]),
        (vec![beat(), server(data(3, &[1, 2, 3, 5]))], &["broken.wrong_echo"]),
        (vec![beat(), server(data(3, &[1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0]))], &["odd.unasked_echo"]),
        (
            vec![
                client(syn(3, &[0xFF])),
                client(data(3, &[0xFF, 0xFF, 0xFF, 1, 2])),
                client(data(3, &[3, 4])),
                server(data(3, &[9; 4])),
            ],
            &["broken.wrong_echo"],
        ),
    ]
}

/// The end of a session, or of muxado.
fn ends() -> Vec<Case> {
    let after_goaway = |bytes: &[u8]| vec![opened(), client([&go_away(0, 0, b"")[..], bytes].concat())];
    vec![
        (after_goaway(&fin(0x7FFF_FFFD)), &[]),
        (after_goaway(&data(3, b"more")), &[]),
        (after_goaway(b"by the way"), &["odd.after_goaway"]),
        (after_goaway(&header(9, 0, 3, 9)), &["odd.after_goaway"]),
        // No muxado at all, or no more.
        (
            vec![client(b"GET / HTTP/1.1\r\n\r\n".to_vec()), server(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())],
            &["malformed.lost"; 2],
        ),
        (
            vec![opened(), client(header(RST, 0, 70_000, 3).to_vec()), client(fin(3)), server(data(3, b"x"))],
            &["malformed.lost"; 2],
        ),
    ]
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn every_broken_rule_is_named_and_no_other() {
    let table = table();
    let bytes = |turns: &[Turn]| turns.iter().map(|turn| turn.bytes.len()).sum::<usize>();
    // Short pieces for short sessions alone, since tshark takes its time; what is no muxado is named in each piece.
    let ways =
        [(60_000, usize::MAX, "-n"), (60_000, usize::MAX, "-2"), (1460, usize::MAX, "-2"), (20, 1000, "-n")];
    for (piece, most, passes) in ways {
        let cases = || (40_000..).zip(&table).filter(|(_, (turns, _))| bytes(turns) < most);
        let connections: Vec<_> =
            cases().map(|(port, (turns, _))| Connection::new(port, turns, piece)).collect();
        let broken = Tshark::plain(&connections).arg(passes).broken();
        for (port, (turns, rules)) in cases() {
            let broken: Vec<_> = broken.iter().filter(|(on, _)| *on == port).map(|(_, rule)| rule).collect();
            let short: Vec<_> =
                turns.iter().map(|turn| (turn.from, &turn.bytes[..turn.bytes.len().min(30)])).collect();
            assert_eq!(broken, *rules, "in pieces of {piece}: {short:?}");
        }
    }
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn what_the_info_column_says() {
    let turns = [
        client([syn(3, b"hello"), fin(3)].concat()),
        server([wndinc(3, 5), data(3, b"x"), fin(3)].concat()),
        client(syn(5, &[0, 0, 0, 42, b'a', b'b'])),
        server(rst(5, 6)),
        server(rst(5, 1234)),
        client(syn(7, &[0xFF, 0xFF])),
        client(data(7, &[0xFF, 0xFF, 1, 2])),
        client(data(7, &[3, 4])),
        server(data(7, &[1, 2, 3, 4])),
        client(syn(9, &[0, 0])),
        client(data(9, &[0, 42, b'a', b'b'])),
        client(frame(9, 0, 1, b"abc")),
        server([go_away(7, 0, b"bye \"\n"), fin(0x7FFF_FFFE)].concat()),
        client(frame(GOAWAY, 0, 0, &[0; 7])),
        client(go_away(0, 10, b"")),
        client(b"by the way".to_vec()),
    ];
    let tshark = Tshark::plain(&[Connection::new(40_000, &turns, 60_000)]).set("muxado.typed", "TRUE");
    let expected = [
        "C DATA[3] SYN type 1751477356 1 byte, DATA[3] FIN",
        "S WNDINC[3] +5, DATA[3] 1 byte, DATA[3] FIN",
        "C DATA[5] SYN type 42 2 bytes",
        "S RST[5] StreamCancelled",
        "S RST[5] error code 1234",
        "C DATA[7] SYN 2 bytes",
        "C DATA[7] heartbeat 2 bytes",
        "C DATA[7] beat 01020304",
        "S DATA[7] echo 01020304, 0.100 ms",
        "C DATA[9] SYN 2 bytes",
        "C DATA[9] type 42 2 bytes",
        "C type 9[1] 3 bytes",
        r#"S GOAWAY last 7 NoError "bye \x22\x0a", DATA[2147483646] FIN filler"#,
        "C GOAWAY !! GOAWAY must have a length of 8 or more",
        "C GOAWAY last 0 EnhanceYourCalm",
        "C stray bytes after GOAWAY",
    ];
    assert_eq!(tshark.infos(), expected);
}

/// Ethernet, IPv4 and TCP take 54 bytes of a packet.
#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn of_packets_that_were_captured_in_part_nothing_is_made_up() {
    let turns = [
        client(syn(3, b"hi")),
        server(data(3, &[b'x'; 3000])),
        server(data(3, b"hi")),
        client([rst(3, 6), rst(5, 6)].concat()),
    ];
    for captured in 55..80 {
        let connection = Connection::new(40_000, &turns, 1460).captured_up_to(captured);
        let infos = Tshark::plain(&[connection]).arg("-2").infos();
        let known: &[&str] = match captured {
            0..64 => &[],
            64..78 => &["C DATA[3] SYN 2 bytes"],
            _ => &["C DATA[3] SYN 2 bytes", "C RST[3] StreamCancelled, RST[5] StreamCancelled"],
        };
        let told: Vec<_> = infos.iter().filter(|info| !info.ends_with(" not captured whole")).collect();
        assert_eq!(told, known, "{captured} bytes of each packet");
    }
}

/// UTF-8 by custom, and not guaranteed to be.
#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn the_text_of_a_goaway_is_shown_in_its_own_letters() {
    let (short, long) = ("größer — naïve", "ä".repeat(80));
    let turns = [
        opened(),
        server(go_away(3, 0, short.as_bytes())),
        client(go_away(0, 0, format!("a{long}").as_bytes())),
        server(go_away(3, 0, b"\xFFx")),
    ];
    let tshark = Tshark::plain(&[Connection::new(40_000, &turns, 1460)]);
    let rows = tshark.fields("muxado.type == 3", &["muxado.text", "_ws.col.Info"]);
    assert_eq!(rows[0], [short.to_owned(), format!("GOAWAY last 3 NoError \"{short}\"")]);
    // Cut between two letters.
    assert_eq!(rows[1], [format!("a{long}"), format!("GOAWAY last 0 NoError \"a{}...\"", "ä".repeat(28))]);
    assert_eq!(rows[2][0], "\u{FFFD}x");
}

#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn the_top_bits_of_an_increment_and_of_a_last_stream_are_no_part_of_them() {
    let turns = [opened(), server([wndinc(3, 0x8000_0005), go_away(0x8000_0003, 0, b"")].concat())];
    let tshark = Tshark::plain(&[Connection::new(40_000, &turns, 1460)]);
    let fields = ["muxado.increment", "muxado.last_stream", "_ws.col.Info"];
    let row = ["5", "3", "WNDINC[3] +5, GOAWAY last 3 NoError"];
    assert_eq!(tshark.fields("muxado.increment", &fields), [row]);
}

/// The page of the protocol has these bytes, and says what they are.
#[test]
#[ignore = "needs tshark: cargo xtask wireshark"]
fn every_field_of_the_examples_of_the_protocol() {
    let turns = [
        client([syn(3, b"hello"), fin(3)].concat()),
        server([wndinc(3, 5), rst(3, 6), go_away(3, 0, b"bye")].concat()),
    ];
    let tshark = Tshark::plain(&[Connection::new(40_000, &turns, 60_000)]);
    let names =
        ["length", "type", "stream", "data", "increment", "error", "last_stream", "text", "from", "credit"];
    let names = names.map(|name| format!("muxado.{name}"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = tshark.fields("muxado", &names);
    assert_eq!(
        rows[0],
        ["5,0", "1,1", "3,3", "68656c6c6f", "", "", "", "", "client,client", "262139,262139"]
    );
    assert_eq!(
        rows[1],
        ["4,4,11", "2,0,3", "3,3,0", "", "5", "6,0", "3", "bye", "server,server,server", "262144"]
    );
    let flags = |row: usize| {
        let rows = tshark.fields("muxado", &["muxado.flags.fin", "muxado.flags.syn"]);
        [0, 1].map(|column| truths(&rows[row][column]))
    };
    assert_eq!(flags(0), [[false, true], [true, false]]);
    assert_eq!(flags(1), [[false; 3]; 2]);
}
