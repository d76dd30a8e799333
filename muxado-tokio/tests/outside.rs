//! Outside a runtime. Alone in its process, which has one hook for panics.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::panic::{catch_unwind, set_hook};
use std::sync::{Arc, Mutex};

use muxado_tokio::{Config, Session, Side};

#[test]
fn who_starts_a_session_outside_a_runtime_is_shown_where() {
    let places = Arc::new(Mutex::new(Vec::new()));
    let seen = places.clone();
    set_hook(Box::new(move |panic| {
        seen.lock().unwrap().push(panic.location().unwrap().file().to_owned());
    }));
    let end = || tokio::io::duplex(64).0;
    let starts: [fn(tokio::io::DuplexStream) -> Session; 5] = [
        |end| Session::client(end),
        |end| Session::server(end),
        |end| Session::client_with(end, &Config::default()),
        |end| Session::server_with(end, &Config::default()),
        |end| Session::from_halves(Side::Client, tokio::io::empty(), end, &Config::default()),
    ];
    for start in starts {
        assert!(catch_unwind(|| start(end())).is_err());
    }
    assert_eq!(*places.lock().unwrap(), [file!(); 5]);
}
