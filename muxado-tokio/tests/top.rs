//! The example that shows a live session: what its demo shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../examples/top/main.rs"]
#[allow(dead_code, reason = "`main` and what only it uses")]
mod top;

use top::demo::Demo;
use top::screen::Screen;

#[tokio::test]
async fn the_demo_shows_every_kind_of_stream() {
    let demo = Demo::start().await.unwrap();
    demo.settled().await;
    let mut screen = Screen::new(100);
    let ends = [("client", &demo.client), ("server", &demo.server)];
    let picture = screen.picture(&ends);
    for words in [
        "client session",
        "server session",
        "streams 11",
        "waits for the peer to read (no credit)",
        "reading: waits for data",
        "nobody reads, ",
        "not accepted yet",
        "driver ",
    ] {
        assert!(picture.contains(words), "{words} is not in\n{picture}");
    }
    let widest = |picture: &str| picture.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest(&picture) <= 100, "\n{picture}");
    assert!(!picture.contains("receiving"), "no room for it\n{picture}");
    let wide = Screen::new(150).picture(&ends);
    assert!(wide.contains("receiving") && widest(&wide) <= 150, "\n{wide}");
    let narrow = Screen::new(20).picture(&ends);
    assert!(narrow.contains("stream  waits") && widest(&narrow) <= 20, "\n{narrow}");
    assert!(!picture.contains("MiB/s"), "nothing to compare with yet, and yet\n{picture}");
    assert!(screen.picture(&ends).contains("client: sends "));
}
