//! What the machine tells its owner.

use super::stream::StreamKey;

/// Something to look at again for a caller that was told to wait. Each is reported once per wait.
///
/// ```
/// # use muxado_testkit::Pair;
/// # let mut pair = Pair::new(&muxado_core::Config::default());
/// # let stream = pair.client.mux.open()?;
/// # assert!(pair.server.mux.accept()?.is_none());
/// # pair.client.mux.write(stream, b"hello")?;
/// # pair.run();
/// # let mux = &mut pair.server.mux;
/// use muxado_core::proto::Event;
///
/// while let Some(event) = mux.poll_event() {
///     match event {
///         Event::Incoming => println!("accept: {:?}", mux.accept()?),
///         Event::Readable(stream) => println!("read: {:?}", mux.read(stream, 64 * 1024)),
///         Event::Writable(stream) => println!("there is room to write on {stream:?}"),
///         Event::Ended => println!("all that waits fails now: {:?}", mux.end()),
///         _ => {}
///     }
/// }
/// # assert_eq!(mux.stats().accepted, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A read that returned [`Read::Blocked`](super::Read::Blocked) may go on.
    Readable(StreamKey),
    /// A writer that got no room may go on.
    Writable(StreamKey),
    /// A stream about which [`stopped`](super::Mux::stopped) knew nothing has ended, or its handles are gone.
    Stopped(StreamKey),
    /// An accept that found nothing may go on.
    Incoming,
    /// An open that found no place may go on.
    PlaceFree,
    /// The session has ended: everything that waits may go on.
    Ended,
}
