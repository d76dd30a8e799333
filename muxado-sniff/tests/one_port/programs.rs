//! Programs that everybody has, where they are installed.

use std::process::{Output, Stdio};

use tokio::process::Command;

use super::*;

/// Runs a program, or gives none where there is no such program.
async fn run(program: &str, args: &[&str]) -> Option<Output> {
    match Command::new(program).args(args).stdin(Stdio::null()).output().await {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: no {program} here");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

#[tokio::test]
async fn curl() {
    let address = one_port(Limits::new()).await;
    let (plain, secure) = (format!("http://{address}/"), format!("https://{address}/"));
    let Some(about) = run("curl", &["--version"]).await else { return };
    // That of Windows does without.
    let knows_http2 = String::from_utf8_lossy(&about.stdout).contains("HTTP2");
    for (args, answer) in [
        (&["-sS", &plain][..], "hello over HTTP/1.1, in the clear\n"),
        (&["-sS", "--http2-prior-knowledge", &plain], "hello over HTTP/2.0, in the clear\n"),
        (&["-sS", "--insecure", &secure], "hello over HTTP/1.1, over TLS\n"),
    ] {
        if !knows_http2 && args.contains(&"--http2-prior-knowledge") {
            println!("skipped: the curl here knows no HTTP/2");
            continue;
        }
        let output = run("curl", args).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), answer, "{output:?}");
    }
}

#[tokio::test]
async fn openssl() {
    let address = one_port(Limits::new()).await.to_string();
    let Some(output) = run("openssl", &["s_client", "-connect", &address]).await else { return };
    assert!(String::from_utf8_lossy(&output.stdout).contains("BEGIN CERTIFICATE"), "{output:?}");
}

#[tokio::test]
async fn openssh() {
    let port = one_port(Limits::new()).await.port().to_string();
    let args = ["-v", "-p", &port, "-o", "BatchMode=yes", "-F", "none", "127.0.0.1"];
    let Some(output) = run("ssh", &args).await else { return };
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody_is_here"), "{output:?}");
}
