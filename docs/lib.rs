//! Compiles and runs the programs of the book: `cargo test -p book`. A page that has programs has a module here, in the
//! order of SUMMARY.md.
//!
//! rustdoc makes one program of them all, as long as each can be compiled beside the others; otherwise it makes one of
//! each, which takes a minute more and says so by the time it takes.

#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("choosing.md")]
mod choosing {}

#[cfg(doctest)]
mod tutorial {
    #[doc = include_str!("tutorial/hello.md")]
    mod hello {}

    #[doc = include_str!("tutorial/streams.md")]
    mod streams {}

    #[doc = include_str!("tutorial/ends.md")]
    mod ends {}

    #[doc = include_str!("tutorial/reconnect.md")]
    mod reconnect {}

    #[doc = include_str!("tutorial/retry.md")]
    mod retry {}

    #[doc = include_str!("tutorial/drain.md")]
    mod drain {}

    #[doc = include_str!("tutorial/heartbeat.md")]
    mod heartbeat {}

    #[doc = include_str!("tutorial/tls.md")]
    mod tls {}

    #[doc = include_str!("tutorial/whole.md")]
    mod whole {}
}

#[cfg(doctest)]
#[doc = include_str!("relay.md")]
mod relay {}

#[cfg(doctest)]
#[doc = include_str!("http.md")]
mod http_over_a_session {}

#[cfg(doctest)]
#[doc = include_str!("one-port.md")]
mod one_port {}

#[cfg(doctest)]
#[doc = include_str!("flow-control.md")]
mod flow_control {}

#[cfg(doctest)]
#[doc = include_str!("tuning.md")]
mod tuning {}

#[cfg(doctest)]
#[doc = include_str!("peers.md")]
mod peers {}

#[cfg(doctest)]
#[doc = include_str!("inside.md")]
mod inside {}

#[cfg(doctest)]
mod from {
    #[doc = include_str!("from/muxado.md")]
    mod muxado {}

    #[doc = include_str!("from/yamux.md")]
    mod yamux {}

    #[doc = include_str!("from/smux.md")]
    mod smux {}

    #[doc = include_str!("from/h2.md")]
    mod h2 {}

    #[doc = include_str!("from/quinn.md")]
    mod quinn {}
}
