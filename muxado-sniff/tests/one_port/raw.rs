//! Clients that are written out, for what libraries do not do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn frame(kind: u8, flags: u8, stream: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![0, 0, u8::try_from(body.len()).unwrap(), kind, flags, 0, 0, 0, stream];
    frame.extend_from_slice(body);
    frame
}

async fn next(tcp: &mut TcpStream) -> (u8, u8, Vec<u8>) {
    let mut header = [0; 9];
    tcp.read_exact(&mut header).await.unwrap();
    let mut body = vec![0; usize::from(u16::from_be_bytes([header[1], header[2]]))];
    tcp.read_exact(&mut body).await.unwrap();
    (header[3], header[4], body)
}

/// As gRPC's client for Java: no request before the server's settings have come.
#[tokio::test]
async fn a_grpc_client_that_waits_for_settings() {
    let mut tcp = TcpStream::connect(one_port(Limits::new()).await).await.unwrap();
    tcp.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).await.unwrap();
    let (kind, flags, _) = next(&mut tcp).await;
    assert_eq!((kind, flags), (4, 0), "settings");
    tcp.write_all(&frame(4, 1, 0, &[])).await.unwrap();

    let literal =
        |index: &[u8], value: &str| [index, &[u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let head = [
        vec![0x83, 0x86],
        literal(&[0x44], "/grpc.health.v1.Health/Check"),
        literal(&[0x41], "localhost"),
        literal(&[0x5f], "application/grpc"),
        literal(&[0x40, 2, b't', b'e'], "trailers"),
    ];
    let message = b"\0\0\0\0\x0a\x0a\x08one_port";
    let request = [frame(1, 0x4, 1, &head.concat()), frame(0, 0x1, 1, message)].concat();
    tcp.write_all(&request).await.unwrap();
    loop {
        match next(&mut tcp).await {
            // Settings of the server itself; the acknowledgement of ours.
            (4, 0, _) => tcp.write_all(&frame(4, 1, 0, &[])).await.unwrap(),
            (0, _, body) => break assert_eq!(body, b"\0\0\0\0\x02\x08\x01", "serving"),
            (7, _, body) => panic!("the connection ends: {body:?}"),
            _ => {}
        }
    }
    // Neither side has lost count of settings: a ping comes back.
    tcp.write_all(&frame(6, 0, 0, b"12345678")).await.unwrap();
    loop {
        match next(&mut tcp).await {
            (6, 1, body) => break assert_eq!(body, b"12345678"),
            (7, _, body) => panic!("the connection ends: {body:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn ssh_clients_meet_a_banner() {
    let mut tcp = TcpStream::connect(one_port(Limits::new()).await).await.unwrap();
    tcp.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
    let mut banner = String::new();
    let _ = tcp.read_to_string(&mut banner).await;
    assert_eq!(banner, "SSH-2.0-nobody_is_here\r\n");
}
