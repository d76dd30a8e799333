//! One machine whose application behaves in one of a few simple ways, and whose transport takes everything or nothing.
//! It counts what the machine does, and allocates next to nothing itself, so that memory and work can be measured.

use bytes::Bytes;
use muxado_core::proto::{Batch, Mux, Read, StreamKey};
use muxado_core::{Config, Side};
use muxado_frame::ErrorCode;

/// What the application does with its streams each time it gets its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of it")]
pub enum App {
    /// It accepts nothing.
    Absent,
    /// It accepts, and keeps what it has without reading.
    Holds,
    /// It accepts and reads all there is; when a stream ends it finishes its own direction and lets go.
    Reads,
    /// It accepts, says three bytes and FIN at once, then does as [`App::Reads`].
    Answers,
    /// It accepts and lets go at once.
    Drops,
    /// It accepts, resets and lets go at once.
    Resets,
}

/// Every behaviour there is.
pub const APPS: [App; 6] = [App::Absent, App::Holds, App::Reads, App::Answers, App::Drops, App::Resets];

/// A machine with such an application.
#[derive(Debug)]
pub struct Host {
    /// The machine.
    pub mux: Mux,
    /// Bytes it has put out.
    pub emitted: u64,
    /// Events it has raised.
    pub events: u64,
    /// The transport takes what the machine puts out; else it takes nothing.
    pub listened_to: bool,
    app: App,
    batch: Batch,
    held: Vec<StreamKey>,
}

impl Host {
    /// A machine that has opened `opens` streams, whose SYNs have gone out.
    #[must_use]
    pub fn new(side: Side, config: &Config, app: App, opens: usize) -> Host {
        let mut host = Host {
            mux: Mux::new(side, config),
            emitted: 0,
            events: 0,
            listened_to: true,
            app,
            batch: Batch::contiguous(),
            held: Vec::new(),
        };
        for _ in 0..opens {
            if let Ok(key) = host.mux.open() {
                let _ = host.mux.flush(key);
                host.held.push(key);
            }
        }
        host.turn();
        host
    }

    /// Hands over `bytes` as one read of the transport, copied, and lets the application have its turn.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.mux.handle_slice(rest);
            rest = rest.get(taken..).unwrap_or(&[]);
            self.turn();
        }
    }

    /// The same, as one buffer of which the machine may keep slices.
    pub fn feed_shared(&mut self, mut bytes: Bytes) {
        while !bytes.is_empty() {
            let taken = self.mux.handle_bytes(&bytes);
            let _ = bytes.split_to(taken);
            self.turn();
        }
    }

    /// The application acts, and the transport takes what there is if it takes anything.
    pub fn turn(&mut self) {
        self.count_events();
        if self.app != App::Absent {
            while let Ok(Some(key)) = self.mux.accept() {
                self.held.push(key);
                if self.app == App::Answers {
                    let _ = self.mux.write(key, b"yes");
                    let _ = self.mux.finish(key);
                }
            }
        }
        let mut held = std::mem::take(&mut self.held);
        held.retain(|key| self.keeps(*key));
        self.held = held;
        self.count_events();
        self.pump();
    }

    /// From now on the application behaves as `app`.
    pub fn set_app(&mut self, app: App) {
        self.app = app;
    }

    /// Streams the application holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// The application lets go of everything.
    pub fn drop_all(&mut self) {
        for key in std::mem::take(&mut self.held) {
            self.let_go(key);
        }
        self.pump();
    }

    fn keeps(&mut self, key: StreamKey) -> bool {
        match self.app {
            App::Absent | App::Holds => return true,
            App::Reads | App::Answers => loop {
                match self.mux.read(key, usize::MAX) {
                    Ok(Read::Chunk(_)) => {}
                    Ok(Read::End) => {
                        let _ = self.mux.finish(key);
                        break;
                    }
                    Ok(_) => return true,
                    Err(_) => break,
                }
            },
            App::Drops => {}
            App::Resets => _ = self.mux.reset(key, ErrorCode::STREAM_RESET),
        }
        self.let_go(key);
        false
    }

    fn let_go(&mut self, key: StreamKey) {
        self.mux.release_send(key);
        self.mux.release_recv(key);
    }

    fn count_events(&mut self) {
        while self.mux.poll_event().is_some() {
            self.events += 1;
        }
        drop(self.mux.take_discarded());
    }

    fn pump(&mut self) {
        while self.listened_to && self.mux.wants_transmit() {
            self.mux.poll_transmit(&mut self.batch, 256 * 1024);
            let len = self.batch.len();
            self.emitted += len as u64;
            self.batch.advance(len);
            self.mux.handle_written(len);
        }
        self.batch.shrink();
    }
}
