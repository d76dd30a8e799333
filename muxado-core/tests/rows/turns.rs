//! W18, B26: whose turn it is. Fairness in bytes, and how long a message waits behind bulk streams.

use std::collections::BTreeMap;

use muxado_core::proto::{Batch, Mux, Read, StreamKey};
use muxado_core::{Config, ErrorCode};
use muxado_frame::{Decoder, Item, Side};
use muxado_testkit::wire;

const FRAME: usize = 16 * 1024;

/// A client whose streams never run out of credit, and what it sends.
struct Sender {
    mux: Mux,
    decoder: Decoder,
}

impl Sender {
    fn new() -> Sender {
        let config = Config::builder().max_outbound_streams(1000).build().unwrap();
        Sender { mux: Mux::new(Side::Client, &config), decoder: Decoder::new() }
    }

    fn open(&mut self) -> StreamKey {
        self.mux.open().unwrap()
    }

    /// Queues as much as there is room for, up to `most` at once.
    fn fill(&mut self, key: StreamKey, most: usize) {
        while self.mux.write(key, &vec![0; most]).unwrap() > 0 {}
    }

    /// About `limit` bytes go out: the ids and lengths of the DATA in them.
    fn send(&mut self, limit: usize) -> Vec<(u32, usize)> {
        let mut batch = Batch::contiguous();
        self.mux.poll_transmit(&mut batch, limit);
        let bytes = batch.slices().collect::<Vec<_>>().concat();
        self.mux.handle_written(bytes.len());
        let mut sent = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (taken, item) = self.decoder.decode(rest).unwrap();
            rest = &rest[taken..];
            if let Some(Item::Data { id, length, .. }) = item {
                sent.push((id, length as usize));
            }
        }
        while self.mux.poll_event().is_some() {}
        let news: Vec<_> = sent.iter().map(|(id, length)| wire::wndinc(*id, *length as u32)).collect();
        let _ = self.mux.handle_slice(&news.concat());
        sent
    }
}

#[test]
fn b26_streams_that_have_enough_to_send_get_the_same_share_whatever_they_write_at_once() {
    let mut sender = Sender::new();
    // Some write 1000 bytes at a time, some 100 KB; all keep their queues full.
    let streams: Vec<_> = (0..10).map(|n| (sender.open(), if n % 2 == 0 { 5000 } else { 100_000 })).collect();
    let mut shares: BTreeMap<u32, usize> = BTreeMap::new();
    for _ in 0..200 {
        for (key, most) in &streams {
            sender.fill(*key, *most);
        }
        for (id, length) in sender.send(256 * 1024) {
            *shares.entry(id).or_default() += length;
        }
    }
    let (least, most) = (shares.values().min().unwrap(), shares.values().max().unwrap());
    assert_eq!(shares.len(), 10);
    assert!(most - least <= most / 20, "between {least} and {most} bytes");
}

#[test]
fn b26_a_message_now_and_then_does_not_wait_for_all_bulk_streams() {
    let mut sender = Sender::new();
    let bulk: Vec<_> = (0..64).map(|_| sender.open()).collect();
    let quiet = sender.open();
    let mut waits = Vec::new();
    for round in 0..100 {
        for key in &bulk {
            sender.fill(*key, 64 * 1024);
        }
        // Once in two rounds of all of them.
        if round % 8 == 7 {
            assert_eq!(sender.mux.write(quiet, b"message"), Ok(7));
            let sent = sender.send(256 * 1024);
            waits.push(sent.iter().position(|(_, length)| *length == 7));
        } else {
            sender.send(256 * 1024);
        }
    }
    assert!(waits.iter().all(|wait| wait.is_some_and(|frames| frames <= 1)), "{waits:?}");
}

#[test]
fn b26_messages_without_end_keep_a_bulk_stream_no_longer_than_twice_its_share() {
    let mut sender = Sender::new();
    let bulk = sender.open();
    let quiet: Vec<_> = (0..500).map(|_| sender.open()).collect();
    let mut messages = quiet.iter().cycle();
    let (mut waiting, mut since_bulk, mut bulk_frames) = (0, 0, 0);
    for _ in 0..10_000 {
        sender.fill(bulk, 64 * 1024);
        while waiting < 3 {
            assert_eq!(sender.mux.write(*messages.next().unwrap(), b"message"), Ok(7));
            waiting += 1;
        }
        // One frame.
        let sent = sender.send(1);
        let is_bulk = sent[0].1 > 7;
        waiting -= usize::from(!is_bulk);
        since_bulk = if is_bulk { 0 } else { since_bulk + 1 };
        bulk_frames += usize::from(is_bulk);
        assert!(since_bulk <= 2 * 3, "{since_bulk} turns of three others");
    }
    assert!(bulk_frames < 10_000 / 4, "{bulk_frames}: the messages go first");
}

#[test]
fn b26_a_higher_priority_goes_first_at_any_time() {
    let mut sender = Sender::new();
    let streams = [sender.open(), sender.open(), sender.open()];
    for (key, priority) in streams.into_iter().zip([0, 1, -1]) {
        sender.mux.set_priority(key, priority);
        sender.fill(key, FRAME);
    }
    let lengths: Vec<_> = sender.send(FRAME).into_iter().chain(sender.send(usize::MAX)).collect();
    let mut ids: Vec<u32> = lengths.iter().map(|(id, _)| *id).collect();
    ids.dedup();
    let order = [1, 0, 2].map(|place| sender.mux.stream_id(streams[place]).unwrap().get());
    assert_eq!(ids, order, "each sends all it has before the next");
}

#[test]
fn b26_credit_and_resets_go_before_the_data_of_any_stream() {
    let mut sender = Sender::new();
    let [first, reset, urgent] = [(); 3].map(|()| sender.open());
    for key in [first, reset, urgent] {
        assert_eq!(sender.mux.write(key, b"x"), Ok(1));
    }
    sender.send(usize::MAX);
    let half_a_window = wire::data(3, &[7; FRAME]).repeat(8);
    assert_eq!(sender.mux.handle_slice(&half_a_window), half_a_window.len());
    sender.mux.set_priority(urgent, 127);
    [first, urgent].iter().for_each(|key| sender.fill(*key, FRAME));
    // What they do is done after there was something to send.
    while let Ok(Read::Chunk(_)) = sender.mux.read(first, usize::MAX) {}
    sender.mux.reset(reset, ErrorCode::STREAM_CANCELLED).unwrap();
    let mut batch = Batch::contiguous();
    sender.mux.poll_transmit(&mut batch, usize::MAX);
    let sent = batch.slices().collect::<Vec<_>>().concat();
    let control = [wire::wndinc(3, 128 * 1024), wire::rst(5, 6)].concat();
    assert_eq!(sent[..control.len()], control);
    assert_eq!(sent[control.len()..][..8], wire::header(1, 0, FRAME as u32, 7));
}

/// The turns of a higher priority are no turns of theirs: whoever is new among the others comes before those that send all
/// the time, as if there were no higher one.
#[test]
fn b26_much_of_a_higher_priority_keeps_no_new_stream_from_its_turn_among_the_others() {
    for ahead in [0, 1, 2, 4] {
        let mut sender = Sender::new();
        let high = sender.open();
        sender.mux.set_priority(high, 1);
        let bulk: Vec<_> = (0..4).map(|_| sender.open()).collect();
        let round = |sender: &mut Sender| {
            for (key, frames) in bulk.iter().map(|key| (*key, 1)).chain([(high, ahead)]) {
                sender.mux.write(key, &vec![0; frames * FRAME]).unwrap();
            }
            // All of the higher priority, and one frame.
            sender.send(ahead * (FRAME + 8) + 1)
        };
        (0..40).for_each(|_| assert_eq!(round(&mut sender).len(), ahead + 1));
        let fresh = sender.open();
        sender.mux.flush(fresh).unwrap();
        let rounds = (0..40).position(|_| round(&mut sender).iter().any(|(_, length)| *length == 0));
        assert_eq!(rounds, Some(0), "{ahead} turns of a higher priority before each");
    }
}
