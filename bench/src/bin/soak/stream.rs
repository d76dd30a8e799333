//! One end of one stream: does what its plan says, and checks what comes.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use fastrand::Rng;
use muxado_tokio::{ReadError, RecvStream, Retry, SendStream, Stream, WriteError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::content::{BLOCK, Way};
use crate::pair::Pair;
use crate::plan::{End, Part, Plan, Quits, Reads, Writes};
use crate::totals::Totals;

/// No stream takes nearly as long.
const HANGS: Duration = Duration::from_secs(180);

/// The opener's end: its first eight bytes are the seed.
pub(crate) async fn open_end(pair: Arc<Pair>, mut stream: Stream, seed: u64) {
    let plan = Plan::of(seed);
    let (there, back) = Way::both(seed);
    stream.set_priority(plan.opener.priority);
    let started = stream.write_all(&seed.to_le_bytes()).await;
    pair.judge(&plan, seed, "the seed", started.as_ref().err());
    if started.is_ok() {
        let sender = Sender { pair: pair.clone(), seed, way: there, rng: Rng::with_seed(!seed) };
        let receiver =
            Receiver { pair: pair.clone(), seed, way: back, rng: Rng::with_seed(seed.rotate_left(9)) };
        run(stream, &plan, sender, receiver, &plan.opener, &plan.answerer).await;
    }
    pair.forget(seed);
}

/// The other end, which learns from the first bytes which stream it is.
pub(crate) async fn answer_end(pair: Arc<Pair>, mut stream: Stream) {
    let mut seed = [0; 8];
    match read_seed(&mut stream, &mut seed).await {
        Ok(8) => {}
        Ok(0) if pair.expects_bare_end() => return,
        Ok(read) => return pair.fail(0, &format!("a clean end after {read} bytes of the seed")),
        Err(_) => return,
    }
    let seed = u64::from_le_bytes(seed);
    pair.saw(seed);
    let plan = Plan::of(seed);
    let (there, back) = Way::both(seed);
    stream.set_priority(plan.answerer.priority);
    let sender = Sender { pair: pair.clone(), seed, way: back, rng: Rng::with_seed(!seed.rotate_left(3)) };
    let receiver = Receiver { pair, seed, way: there, rng: Rng::with_seed(seed.rotate_left(17)) };
    run(stream, &plan, sender, receiver, &plan.answerer, &plan.opener).await;
}

/// How many bytes of it came before the end.
async fn read_seed(stream: &mut Stream, seed: &mut [u8; 8]) -> io::Result<usize> {
    let mut at = 0;
    while at < seed.len() {
        match stream.read(&mut seed[at..]).await? {
            0 => break,
            read => at += read,
        }
    }
    Ok(at)
}

/// Both directions at once.
async fn run(stream: Stream, plan: &Plan, sender: Sender, receiver: Receiver, mine: &Part, theirs: &Part) {
    let pair = sender.pair.clone();
    let seed = sender.seed;
    let _counted = Totals::count(&pair.world.totals.live_streams, &pair.world.totals.streams);
    let (send, recv) = stream.into_split();
    let sending = sender.run(send, mine.clone());
    let receiving = receiver.run(recv, mine.clone(), theirs.clone());
    let both = async {
        if mine.two_tasks {
            let sending = tokio::spawn(sending);
            let received = receiving.await;
            (sending.await.unwrap_or_else(|panic| Err(io::Error::other(panic))), received)
        } else {
            tokio::join!(sending, receiving)
        }
    };
    match timeout(HANGS, both).await {
        Err(_) => pair.fail(seed, "it hangs"),
        Ok((sent, received)) => {
            pair.judge(plan, seed, "writing", sent.as_ref().err());
            pair.judge(plan, seed, "reading", received.as_ref().err());
            let cut_off = sent.is_err() || received.is_err();
            pair.world.totals.cut_off.fetch_add(cut_off.into(), Relaxed);
        }
    }
}

struct Sender {
    pair: Arc<Pair>,
    seed: u64,
    way: Way,
    rng: Rng,
}

impl Sender {
    async fn run(mut self, mut send: SendStream, part: Part) -> io::Result<()> {
        let mut sent = 0;
        while sent < part.cut_at {
            let piece = self.piece(part.cut_at - sent);
            let piece = self.pair.world.content.at(self.way, sent, piece);
            sent += match part.writes {
                Writes::Slices => send.write(&piece).await?,
                Writes::Vectored => send.write_vectored(&thirds(&piece)).await?,
                Writes::Chunks => {
                    let len = piece.len();
                    // A chunk of its own is freed when it was sent; a slice of the content never is.
                    let own = self.rng.bool();
                    send.write_chunk(if own { piece.to_vec().into() } else { piece }).await?;
                    len
                }
                Writes::Cancelled => {
                    let moment = Duration::from_micros(self.rng.u64(0..3000));
                    timeout(moment, send.write(&piece)).await.unwrap_or(Ok(0))?
                }
            } as u64;
        }
        match part.end {
            End::Finish => send.shutdown().await,
            End::Drop => Ok(()),
            End::Reset(code) => send.reset(code).map_err(io::Error::from),
            End::GiveUp => {
                let rest = self.piece(part.len - sent);
                let rest = self.pair.world.content.at(self.way, sent, rest);
                let _ = timeout(Duration::from_micros(self.rng.u64(0..3000)), send.write_chunk(rest)).await;
                Ok(())
            }
        }
    }

    /// How much to write at once, of so much that is left.
    fn piece(&mut self, left: u64) -> usize {
        let most = if self.rng.bool() { 3_000 } else { BLOCK };
        let most = usize::try_from(left).unwrap_or(BLOCK).min(most);
        if most == 0 { 0 } else { self.rng.usize(1..=most) }
    }
}

fn thirds(piece: &[u8]) -> [IoSlice<'_>; 3] {
    let (first, rest) = piece.split_at(piece.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    [IoSlice::new(first), IoSlice::new(second), IoSlice::new(third)]
}

struct Receiver {
    pair: Arc<Pair>,
    seed: u64,
    way: Way,
    rng: Rng,
}

impl Receiver {
    async fn run(mut self, mut recv: RecvStream, mine: Part, theirs: Part) -> io::Result<()> {
        if let Quits::Unread(pause) = mine.quits {
            sleep(pause).await;
            return Ok(());
        }
        // A slow reader pauses some hundreds of times at the most.
        let least = if mine.reads == Reads::Slow { theirs.len as usize / 300 } else { 0 };
        let mut buffer = vec![0; self.rng.usize(1..=100_000).max(least)];
        let mut received = 0;
        loop {
            match mine.quits {
                Quits::DropAfter(enough) if received >= enough => return Ok(()),
                Quits::StopAfter(enough, code) if received >= enough => {
                    return recv.stop(code).map_err(io::Error::from);
                }
                _ => {}
            }
            let read = self.read(&mut recv, mine.reads, &mut buffer, received).await?;
            let Some(read) = read else { break };
            received += read as u64;
            self.pair.world.totals.bytes.fetch_add(read as u64, Relaxed);
        }
        if theirs.end != End::Finish || received != theirs.len {
            let what = format!("a clean end after {received} bytes of {}, {:?}", theirs.len, theirs.end);
            self.pair.fail(self.seed, &what);
        }
        self.pair.world.totals.clean.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Reads once and checks. How much came, or none at the end.
    async fn read(
        &mut self,
        recv: &mut RecvStream,
        how: Reads,
        buffer: &mut [u8],
        offset: u64,
    ) -> io::Result<Option<usize>> {
        let moment = Duration::from_micros(self.rng.u64(0..3000));
        let read = match how {
            Reads::Chunks => {
                let Some(chunk) = recv.read_chunk(buffer.len()).await? else { return Ok(None) };
                self.check(offset, &chunk);
                return Ok(Some(chunk.len()));
            }
            Reads::Slow => {
                sleep(moment).await;
                recv.read(buffer).await?
            }
            Reads::Cancelled => match timeout(moment, recv.read(buffer)).await {
                Err(_) => return Ok(Some(0)),
                Ok(read) => read?,
            },
            Reads::Buffers => recv.read(buffer).await?,
        };
        self.check(offset, &buffer[..read]);
        Ok((read > 0).then_some(read))
    }

    fn check(&self, offset: u64, piece: &[u8]) {
        if !self.pair.world.content.matches(self.way, offset, piece) {
            self.pair.fail(self.seed, &format!("wrong bytes among {} from {offset} on", piece.len()));
        }
    }
}

/// Whether the other side promised that it never saw the stream.
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    let error = error.get_ref();
    let read = error.and_then(|error| error.downcast_ref::<ReadError>()).map(ReadError::retry);
    let write = error.and_then(|error| error.downcast_ref::<WriteError>()).map(WriteError::retry);
    read.or(write) == Some(Retry::NotProcessed)
}
