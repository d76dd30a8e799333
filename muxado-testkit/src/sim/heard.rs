//! What has arrived at one side, read off the bytes by a decoder of its own.

use std::collections::BTreeMap;

use muxado_frame::{Decoder, Item};

/// What came on one id, from one SYN to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Incoming {
    /// Bytes that headers announced.
    pub(super) announced: usize,
    pub(super) payload: Vec<u8>,
    /// FIN has come, and its last byte with it, behind so much payload.
    pub(super) fin_at: Option<usize>,
    /// All increments together.
    pub(super) credit: u64,
}

/// Something that arrived and that a model acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    Syn(u32),
    Rst(u32, u32),
    /// With the id of the last stream.
    GoAway(u32),
}

/// Everything that has arrived.
#[derive(Debug, Default)]
pub(super) struct Heard {
    decoder: Decoder,
    pub(super) streams: BTreeMap<u32, Vec<Incoming>>,
    /// Where payload goes: the id, and whether FIN follows it.
    current: Option<(u32, bool)>,
    /// The last id of a GOAWAY whose text is still coming.
    coming: Option<u32>,
    failed: bool,
    pub(super) bytes: u64,
    pub(super) frames: u64,
}

impl Heard {
    /// Reads `bytes`, and says what they bring, in order.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<News> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
        let mut news = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() && !self.failed {
            let Ok((taken, item)) = self.decoder.decode(rest) else {
                self.failed = true;
                break;
            };
            let piece = &rest[..taken];
            rest = &rest[taken..];
            if let Some(item) = item {
                self.item(item, piece, &mut news);
            }
        }
        news
    }

    fn item(&mut self, item: Item, piece: &[u8], news: &mut Vec<News>) {
        if let Item::Body { len, last } = item {
            return self.body(&piece[piece.len() - len..], last, news);
        }
        self.current = None;
        self.frames += 1;
        match item {
            Item::Data { id, length, flags } => {
                if flags.syn() {
                    self.streams.entry(id).or_default().push(Incoming::default());
                    news.push(News::Syn(id));
                }
                let incoming = self.last(id);
                incoming.announced += usize::try_from(length).unwrap_or(0);
                if length == 0 && flags.fin() {
                    incoming.fin_at.get_or_insert(incoming.payload.len());
                }
                self.current = (length > 0).then_some((id, flags.fin()));
            }
            Item::Rst { id, code, .. } => news.push(News::Rst(id, code.get())),
            Item::WndInc { id, increment, .. } => self.last(id).credit += u64::from(increment),
            Item::GoAway { last, debug_len, .. } if debug_len > 0 => self.coming = Some(last),
            Item::GoAway { last, .. } => news.push(News::GoAway(last)),
            Item::Unknown { .. } | Item::Body { .. } => {}
        }
    }

    fn body(&mut self, piece: &[u8], last: bool, news: &mut Vec<News>) {
        if let Some((id, fin)) = self.current {
            let incoming = self.last(id);
            incoming.payload.extend_from_slice(piece);
            if last && fin {
                incoming.fin_at.get_or_insert(incoming.payload.len());
            }
        }
        if last {
            news.extend(self.coming.take().map(News::GoAway));
        }
    }

    /// What came on `id` since its last SYN.
    pub(super) fn last(&mut self, id: u32) -> &mut Incoming {
        let all = self.streams.entry(id).or_default();
        if all.is_empty() {
            all.push(Incoming::default());
        }
        let last = all.len() - 1;
        &mut all[last]
    }

    pub(super) fn incoming(&self, id: u32, which: usize) -> Option<&Incoming> {
        self.streams.get(&id)?.get(which)
    }

    /// Bytes of payload that have come on `id`, ever.
    pub(super) fn total(&self, id: u32) -> u64 {
        let all = self.streams.get(&id).into_iter().flatten();
        all.map(|incoming| incoming.payload.len() as u64).sum()
    }

    /// How many times `id` has begun.
    pub(super) fn count(&self, id: u32) -> usize {
        self.streams.get(&id).map_or(0, Vec::len)
    }
}
