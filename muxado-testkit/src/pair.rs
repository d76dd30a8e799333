//! Two machines and a link between them that loses nothing and takes no time.

use muxado_core::Config;
use muxado_frame::Side;

use crate::Peer;

/// A client and a server. What each has sent so far is kept, to be judged.
///
/// ```
/// use muxado_core::Config;
/// use muxado_testkit::{Ending, Pair};
///
/// let mut pair = Pair::new(&Config::default());
/// let stream = pair.client.mux.open()?;
/// pair.client.mux.write(stream, b"hello")?;
/// pair.run();
/// let stream = pair.server.mux.accept()?.expect("a stream");
/// assert_eq!(pair.server.read_all(stream), (b"hello".to_vec(), Ending::Open));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pair {
    /// The side that opens odd ids.
    pub client: Peer,
    /// The side that opens even ids.
    pub server: Peer,
    /// All bytes the client has sent.
    pub client_wire: Vec<u8>,
    /// All bytes the server has sent.
    pub server_wire: Vec<u8>,
    chunk: usize,
}

impl Pair {
    /// Two machines with the same configuration.
    #[must_use]
    pub fn new(config: &Config) -> Pair {
        Pair::with(config, config)
    }

    /// Two machines with a configuration each.
    #[must_use]
    pub fn with(client: &Config, server: &Config) -> Pair {
        Pair {
            client: Peer::with(Side::Client, client),
            server: Peer::with(Side::Server, server),
            client_wire: Vec::new(),
            server_wire: Vec::new(),
            chunk: usize::MAX,
        }
    }

    /// The same pair on a link that moves at most `chunk` bytes at once, at least 1.
    #[must_use]
    pub fn in_chunks_of(mut self, chunk: usize) -> Pair {
        self.chunk = chunk.max(1);
        self
    }

    /// Moves bytes in turns until neither side has any more to send.
    pub fn run(&mut self) {
        while self.step() {}
    }

    /// Moves one chunk in each direction. False: there was nothing to move.
    pub fn step(&mut self) -> bool {
        let to_server = self.client.sent_up_to(self.chunk, self.chunk);
        self.server.feed(&to_server);
        let to_client = self.server.sent_up_to(self.chunk, self.chunk);
        self.client.feed(&to_client);
        self.client_wire.extend_from_slice(&to_server);
        self.server_wire.extend_from_slice(&to_client);
        !(to_server.is_empty() && to_client.is_empty())
    }

    /// Lets the time pass after which small credit is returned, then moves bytes until all is quiet.
    pub fn settle(&mut self) {
        self.run();
        self.client.mux.handle_credit_due();
        self.server.mux.handle_credit_due();
        self.run();
    }
}
