//! S69: small credit goes along with what is sent after a while without any, and else by a timer.

use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt};
use muxado_core::rt::Runtime;
use muxado_core::{Config, Side, Stream};
use muxado_testkit::{Alone, World, alone, wire};

const DELAY: Duration = Duration::from_millis(50);

/// A server with a stream, on which nothing has been said but its beginning.
struct Server {
    world: World,
    one: Alone,
    stream: Stream,
}

impl Server {
    fn new() -> Server {
        let world = World::new();
        let one = alone(&world, Side::Server, &Config::default());
        one.from_peer.inject(&wire::syn(3, b""));
        let stream = world.block_on(one.session.accept()).unwrap();
        Server { world, one, stream }
    }

    /// One that has been silent for half as long as small credit waits.
    fn rested() -> Server {
        let server = Server::new();
        server.pass(DELAY / 2);
        server
    }

    fn pass(&self, time: Duration) {
        self.world.block_on(self.world.sleep(time));
        self.world.settle();
    }

    /// A message comes and is read, but the driver has no turn.
    fn ask(&mut self) {
        self.one.from_peer.inject(&wire::data(3, b"ask"));
        self.world.settle();
        let mut message = [0; 3];
        self.stream.read_exact(&mut message).now_or_never().expect("it came").unwrap();
    }

    /// The message is answered, and the driver has its turn.
    fn answer(&mut self) {
        self.stream.write_all(b"answer").now_or_never().expect("there is room").unwrap();
        self.world.settle();
    }

    fn sent(&self) -> Vec<u8> {
        self.one.to_peer.take()
    }
}

fn answer() -> Vec<u8> {
    wire::data(3, b"answer")
}

fn answer_with_credit() -> Vec<u8> {
    [wire::wndinc(3, 3), answer()].concat()
}

#[test]
fn s69_credit_of_a_message_now_and_then_goes_along_with_the_answer() {
    let mut server = Server::rested();
    for _ in 0..3 {
        let before = server.one.to_peer.write_calls();
        server.ask();
        server.answer();
        assert_eq!(server.sent(), answer_with_credit());
        assert_eq!(server.one.to_peer.write_calls() - before, 1);
        server.pass(DELAY / 2);
        assert_eq!(server.sent(), b"", "there is nothing left to say");
    }
}

#[test]
fn s69_an_answer_that_comes_later_takes_the_credit_along_too() {
    let mut server = Server::rested();
    server.ask();
    server.world.settle();
    server.pass(DELAY / 2);
    assert_eq!(server.sent(), b"");
    server.answer();
    assert_eq!(server.sent(), answer_with_credit());
    server.ask();
    server.answer();
    assert_eq!(server.sent(), answer(), "but not each of them");
    server.pass(DELAY / 2);
    assert_eq!(server.sent(), wire::wndinc(3, 3), "the timer ran for the first already");
}

#[test]
fn s69_of_many_messages_in_a_row_few_answers_take_credit_along() {
    let mut server = Server::rested();
    let mut sent = Vec::new();
    for _ in 0..10 {
        server.ask();
        server.answer();
        sent.push(server.sent());
    }
    assert_eq!(sent.remove(0), answer_with_credit());
    assert_eq!(sent, vec![answer(); 9]);
    server.pass(DELAY);
    assert_eq!(server.sent(), wire::wndinc(3, 9 * 3), "by the timer");
    server.pass(DELAY / 2 - Duration::from_millis(1));
    server.ask();
    server.answer();
    assert_eq!(server.sent(), answer(), "some has just gone");
    server.pass(DELAY);
    assert_eq!(server.sent(), wire::wndinc(3, 3));
    server.pass(DELAY / 2);
    server.ask();
    server.answer();
    assert_eq!(server.sent(), answer_with_credit(), "none has gone for a while");
}

#[test]
fn s69_a_first_request_and_its_answer_cost_no_wndinc() {
    let mut server = Server::new();
    server.pass(DELAY / 2 - Duration::from_millis(1));
    server.ask();
    server.answer();
    assert_eq!(server.sent(), answer());
    server.pass(DELAY);
    assert_eq!(server.sent(), wire::wndinc(3, 3));
}

#[test]
fn s69_credit_without_an_answer_goes_after_its_delay() {
    let mut server = Server::rested();
    for _ in 0..3 {
        server.ask();
        server.world.settle();
        server.pass(DELAY - Duration::from_millis(1));
        assert_eq!(server.sent(), b"");
        server.pass(Duration::from_millis(1));
        assert_eq!(server.sent(), wire::wndinc(3, 3));
    }
}
