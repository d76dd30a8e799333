//! B35: credit beyond the window, on lines where the window is what limits a stream, and nowhere else.

use std::time::Duration;

use muxado_core::proto::{Read, StreamKey};
use muxado_core::{Config, ErrorCode};
use muxado_testkit::{Line, wire};

const MIB: usize = 1 << 20;
const WINDOW: usize = 256 * 1024;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A line of `round_trip` with a stream from the client to the server.
fn line_with_stream(round_trip: Duration, rate: u64, config: &Config) -> (Line, StreamKey, StreamKey) {
    let mut line = Line::new(round_trip / 2, rate, config);
    let (up, down) = add_stream(&mut line);
    (line, up, down)
}

fn add_stream(line: &mut Line) -> (StreamKey, StreamKey) {
    let up = line.client.open().unwrap();
    line.client.flush(up).unwrap();
    line.pass(line.now + ms(1000));
    (up, line.server.accept().unwrap().unwrap())
}

/// Bytes in a second.
fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64()
}

#[test]
fn b35_a_stream_fills_a_long_line_within_a_few_round_trips() {
    for round_trip in [50, 100, 200] {
        for line_rate in [10_000_000, 100_000_000, 200_000_000] {
            let (mut line, up, down) = line_with_stream(ms(round_trip), line_rate, &Config::default());
            let held = line_rate as usize * round_trip as usize / 1000;
            // What the line holds ten times over, which takes ten round trips at the rate of the line.
            let took = line.upload(up, down, 10 * held);
            let lost = took.as_secs_f64() / ms(round_trip).as_secs_f64() - 10.0;
            assert!(lost < 4.0, "{lost:.1} round trips lost at {round_trip} ms and {line_rate} B/s");
            // From then on at the rate of the line.
            let again = rate(10 * held, line.upload(up, down, 10 * held));
            // The last byte is half a round trip on its way.
            assert!(again > 0.93 * line_rate as f64, "{again} of {line_rate} B/s at {round_trip} ms");
        }
    }
}

/// As TCP begins where it paces itself: no burst and no silence says how fast the line will be.
#[test]
fn b35_credit_keeps_up_with_a_transport_that_doubles_its_rate_each_round_trip() {
    let round_trip = ms(200);
    // A window in a round trip, to begin with.
    let first = WINDOW as u64 * 5;
    let (mut line, up, down) = line_with_stream(round_trip, first, &Config::default());
    let (mut read, mut carried) = (0, 0.0);
    for doubled in 0..7 {
        line.rate = first << doubled;
        let begun = line.now;
        while line.now < begun + round_trip {
            while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
            line.pass(line.now + ms(1));
            while let Read::Chunk(chunk) = line.server.read(down, usize::MAX).unwrap() {
                read += chunk.len();
            }
        }
        carried += line.rate as f64 * (line.now - begun).as_secs_f64();
    }
    // Half of the last round trip is under way, a quarter of all; and as much is lost to the first ones.
    let share = read as f64 / carried;
    assert!(share > 0.47, "{share:.2} of what the line could carry came");
}

#[test]
fn b35_the_first_stream_from_another_machine_has_some_in_advance() {
    for (is_far, advance) in [(true, 3 * WINDOW), (false, 0)] {
        let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &Config::default());
        if is_far {
            line.server.handle_far();
        }
        assert_eq!(grants(&mut line, up, down).first() == Some(&advance), is_far);
        line.server.audit().unwrap();
    }
}

#[test]
fn b35_a_reader_that_is_behind_has_nothing_in_advance() {
    let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &Config::default());
    line.server.handle_far();
    while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
    line.pass(line.now + ms(1000));
    for _ in 0..8 {
        let _ = line.server.read(down, WINDOW / 16);
    }
    line.pass(line.now + ms(1));
    assert_eq!((line.server.unread(), line.server.stats().extra_credit), (WINDOW / 2, 0));
}

#[test]
fn b35_a_short_line_is_filled_with_little_to_spare() {
    for (round_trip, line_rate) in [(200, 1_000_000_000), (1000, 1_000_000_000), (1000, 2_000_000_000)] {
        let round_trip = Duration::from_micros(round_trip);
        let (mut line, up, down) = line_with_stream(round_trip, line_rate, &Config::default());
        line.upload(up, down, 50 * MIB);
        let again = rate(50 * MIB, line.upload(up, down, 50 * MIB));
        let held = line_rate as f64 * round_trip.as_secs_f64();
        let granted = WINDOW + line.server.stats().extra_credit;
        assert!(again > 0.97 * line_rate as f64, "{again} of {line_rate} B/s at {round_trip:?}");
        // What comes in a round is more than the line holds, and a window is beside it; no step is smaller than one.
        assert!(granted as f64 <= 1.25 * held + 2.5 * WINDOW as f64, "{granted} bytes at {round_trip:?}");
    }
}

#[test]
fn b35_a_later_stream_need_not_measure_the_line_again() {
    for (round_trip, line_rate) in [(50, 200_000_000), (200, 100_000_000)] {
        let (mut line, up, down) = line_with_stream(ms(round_trip), line_rate, &Config::default());
        let held = line_rate as usize * round_trip as usize / 1000;
        let lost = |took: Duration| took.as_secs_f64() / ms(round_trip).as_secs_f64() - 3.0;
        let first = lost(line.upload(up, down, 3 * held));
        line.client.finish(up).unwrap();
        line.pass(line.now + ms(1000));
        let (up, down) = add_stream(&mut line);
        let second = lost(line.upload(up, down, 3 * held));
        // Half a round trip is the way of the last byte, and one is the answer to the first window.
        assert!(second < 1.6 && second < first - 0.9, "{first:.1} round trips lost, then {second:.1}");
        line.server.audit().unwrap();
    }
}

#[test]
fn b35_a_slow_reader_gets_no_more_for_a_fast_one_before_it() {
    let (mut line, up, down) = line_with_stream(ms(50), 100_000_000, &Config::default());
    line.upload(up, down, 50 * MIB);
    line.client.finish(up).unwrap();
    line.pass(line.now + ms(1000));
    let (up, down) = add_stream(&mut line);
    // 4 KiB in each millisecond, which is less than a window in a round trip.
    for _ in 0..10_000 {
        while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
        line.pass(line.now + ms(1));
        let _ = line.server.read(down, 4 * 1024);
        assert!(line.server.unread() <= 2 * WINDOW, "{} bytes wait for a slow reader", line.server.unread());
    }
}

#[test]
fn b35_all_streams_together_get_no_more_than_the_session_may_give() {
    let config = Config::builder().extra_credit(4 * MIB).build().unwrap();
    let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &config);
    let streams = [(up, down), add_stream(&mut line), add_stream(&mut line)];
    for (up, down) in streams {
        line.upload(up, down, 20 * MIB);
        assert!(line.server.stats().extra_credit <= 4 * MIB);
    }
    assert!(line.server.stats().extra_credit > 3 * MIB, "the first got the most, and something was left");
    for (up, down) in streams {
        line.client.finish(up).unwrap();
        line.pass(line.now + ms(1000));
        assert_eq!(line.server.read(down, 1), Ok(Read::End));
    }
    assert_eq!(line.server.stats().extra_credit, 0, "a stream that has ended needs none");
}

/// Three quarters of 4 MiB, then of the MiB that is left; of the last quarter no step larger than a window can be made.
#[test]
fn b35_a_stream_gets_at_most_three_quarters_of_what_is_left_at_a_time() {
    let config = Config::builder().extra_credit(4 * MIB).build().unwrap();
    let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &config);
    assert_eq!(grants(&mut line, up, down), [3 * MIB, 3 * MIB + MIB * 3 / 4]);
}

#[test]
fn b35_w05_a_step_of_one_window_is_not_made_and_one_of_a_little_more_is() {
    let window = 192 * 1024;
    for (budget, steps) in [(window / 3 * 4, vec![]), (window / 3 * 4 + 2, vec![window + 2])] {
        let config = Config::builder().window(window as u32).window_agreed_out_of_band();
        let config = config.extra_credit(budget).build().unwrap();
        let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &config);
        assert_eq!(grants(&mut line, up, down), steps, "{budget} bytes to give");
    }
}

/// How much the stream has beyond its window after each step, while it is used and read as fast as the line goes.
fn grants(line: &mut Line, up: StreamKey, down: StreamKey) -> Vec<usize> {
    let mut grants = Vec::new();
    for _ in 0..1000 {
        while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
        line.pass(line.now + ms(1));
        while let Ok(Read::Chunk(_)) = line.server.read(down, usize::MAX) {}
        let granted = line.server.stats().extra_credit;
        if granted != grants.last().copied().unwrap_or(0) {
            grants.push(granted);
        }
    }
    grants
}

#[test]
fn b35_a_stream_that_was_reset_keeps_no_credit_from_others_however_long_it_is_held() {
    for by_peer in [true, false] {
        let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &Config::default());
        line.upload(up, down, 20 * MIB);
        // Some of it is full, and stays so until it is read.
        while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
        line.pass(line.now + ms(1000));
        let unread = line.server.unread();
        let granted = line.server.stats().extra_credit;
        assert!(unread > 0 && granted > unread, "{granted} bytes, of which {unread} are used");
        match by_peer {
            true => line.client.reset(up, ErrorCode::STREAM_CANCELLED).unwrap(),
            false => line.server.reset(down, ErrorCode::STREAM_CANCELLED).unwrap(),
        }
        line.pass(line.now + ms(1000));
        assert!(line.server.stats().extra_credit <= unread);
        while let Ok(Read::Chunk(_)) = line.server.read(down, usize::MAX) {}
        assert_eq!(line.server.stats().extra_credit, 0);
        line.server.audit().unwrap();
    }
}

/// What is still to come of a frame is credit in use, until it has come.
#[test]
fn b35_a_stream_that_was_reset_amid_a_frame_keeps_no_credit_from_others() {
    let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &Config::default());
    line.upload(up, down, 20 * MIB);
    line.pass(line.now + ms(1000));
    let frame = wire::data(3, &vec![0; MIB]);
    let (first, rest) = frame.split_at(MIB / 2);
    assert_eq!(line.server.handle_slice(first), first.len());
    line.server.reset(down, ErrorCode::STREAM_CANCELLED).unwrap();
    assert_eq!(line.server.stats().extra_credit, rest.len() - WINDOW);
    assert_eq!(line.server.handle_slice(rest), rest.len());
    assert_eq!((line.server.stats().extra_credit, line.server.audit()), (0, Ok(())));
}

#[test]
fn b35_no_credit_is_given_where_the_reader_is_what_limits_the_stream() {
    let (mut line, up, down) = line_with_stream(ms(50), 100_000_000, &Config::default());
    // 4 KiB in each half millisecond, which is 8 MB in a second: a twelfth of the line, and more than a window in a round trip.
    for _ in 0..10_000 {
        while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
        line.pass(line.now + Duration::from_micros(500));
        let _ = line.server.read(down, 4 * 1024);
        assert!(line.server.unread() <= 4 * MIB, "{} bytes wait for a slow reader", line.server.unread());
    }
    assert_eq!(line.server.stats().extra_credit, 0);
}

#[test]
fn b35_no_session_gives_more_than_its_peer_may_keep_unread() {
    let config = Config::builder()
        .max_inbound_streams(2)
        .max_outbound_streams(2)
        .max_session_recv(5 * WINDOW)
        .build()
        .unwrap();
    let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &config);
    line.upload(up, down, 20 * MIB);
    assert_eq!(line.server.stats().extra_credit, 0, "one window is less than the smallest step");
    let config = Config::builder().extra_credit(0).build().unwrap();
    let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &config);
    line.upload(up, down, 20 * MIB);
    assert!(!line.server.wants_time() && line.server.stats().extra_credit == 0);
}

#[test]
fn b35_a_stream_that_comes_back_from_silence_has_to_earn_its_credit_again() {
    let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &Config::default());
    line.upload(up, down, 100 * MIB);
    let granted = line.server.stats().extra_credit;
    assert!(granted > 10 * MIB, "{granted}");
    line.pass(line.now + Duration::from_secs(11));
    // A reader that does not mind: the line goes on while credit shrinks to what is needed.
    let took = line.upload(up, down, granted + 20 * MIB);
    assert!(rate(granted + 20 * MIB, took) > 50_000_000.0, "{took:?}");
    line.pass(line.now + Duration::from_secs(11));
    // One that uses little.
    for _ in 0..2 * granted / MIB {
        line.upload(up, down, MIB / 2);
        line.pass(line.now + Duration::from_secs(1));
    }
    let left = line.server.stats().extra_credit;
    assert!(left < MIB, "half a MiB at a time needs no more, and {left} are left of {granted}");
}

#[test]
fn b35_extra_credit_is_taken_back_from_a_reader_that_stops_keeping_up() {
    let (mut line, up, down) = line_with_stream(ms(100), 100_000_000, &Config::default());
    line.upload(up, down, 100 * MIB);
    let granted = line.server.stats().extra_credit;
    // Nobody reads: the peer may send what it was granted, and no more.
    for _ in 0..1000 {
        while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
        line.pass(line.now + ms(10));
    }
    assert!(line.server.unread() <= granted + WINDOW);
    assert!(line.server.unread() >= granted, "it has sent it");
    // Then slowly, 50 MB in ten seconds: what is read is not returned until a window is left.
    for _ in 0..10_000 {
        while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
        line.pass(line.now + ms(1));
        let _ = line.server.read(down, 5 * 1024);
    }
    assert!(line.server.stats().extra_credit == 0 && line.server.unread() <= WINDOW);
    line.server.audit().unwrap();
}

#[test]
fn b35_a_peer_that_throws_extra_credit_away_is_served_as_without_it() {
    let transfer = |clamps: bool| {
        let config = Config::builder().extra_credit(if clamps { 64 * MIB } else { 0 }).build().unwrap();
        let (mut line, up, down) = line_with_stream(ms(20), 100_000_000, &config);
        line.clamps = clamps;
        let mut took = line.upload(up, down, 100 * MIB);
        // Again after a silence, when ours tries to take back what the peer never had.
        for _ in 0..3 {
            line.pass(line.now + Duration::from_secs(11));
            took += line.upload(up, down, 100 * MIB);
        }
        took
    };
    let (without, with) = (transfer(false), transfer(true));
    // The time in which small credit is returned, once for each silence.
    assert!(with < without + 3 * ms(50) + without / 100, "{with:?}, and {without:?} without");
}

/// A few streams bring less than a window now and then: it never limits them. They leave the credit to one that has
/// much to bring, also once the path is known.
#[test]
fn b35_streams_that_pause_earn_little_and_leave_the_credit_to_others() {
    for pause in [300, 1000, 5000] {
        for bytes in [200_000, 300_000] {
            let (mut line, up, down) = line_with_stream(ms(50), 100_000_000, &Config::default());
            let mut streams = vec![(up, down)];
            streams.extend((0..3).map(|_| add_stream(&mut line)));
            let bring = |line: &mut Line| {
                for _ in 0..6 {
                    for (up, down) in &streams {
                        line.upload(*up, *down, bytes);
                    }
                    line.pass(line.now + ms(pause));
                }
                line.server.stats().extra_credit
            };
            assert_eq!(bring(&mut line), 0, "{bytes} bytes, {pause} ms");
            let (up, down) = add_stream(&mut line);
            let took = line.upload(up, down, 64 * MIB);
            assert!(took < ms(1000), "{bytes} bytes, {pause} ms: {took:?}");
            // A window each, and a byte, at the most.
            let most = line.server.stats().extra_credit + 4 * (WINDOW + 1);
            assert!(bring(&mut line) <= most, "{bytes} bytes, {pause} ms, on a known path");
        }
    }
}

/// Half a window is owed to it then as to everybody, whether the rest is read or not.
#[test]
fn s69_b35_a_peer_that_throws_extra_credit_away_need_not_wait_until_all_is_read() {
    let (mut line, up, down) = line_with_stream(ms(20), 100_000_000, &Config::default());
    line.clamps = true;
    line.upload(up, down, 100 * MIB);
    line.pass(line.now + Duration::from_secs(11));
    while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
    while line.server.unread() < WINDOW {
        line.step();
    }
    let mut read = 0;
    while read < WINDOW / 2 {
        let Ok(Read::Chunk(chunk)) = line.server.read(down, WINDOW / 2 - read) else { panic!() };
        read += chunk.len();
    }
    assert!(line.server.has_lazy_credit());
    line.step();
    line.pass(line.now + ms(1000));
    assert_eq!(line.client.consumed(up), (100 * MIB + WINDOW / 2) as u64);
    assert_eq!(line.server.audit(), Ok(()));
}

/// What it waits for is less than a window of credit, and is kept back while extra credit is taken back.
#[test]
fn b35_a_peer_that_throws_extra_credit_away_learns_that_a_stream_is_over() {
    let (mut line, up, down) = line_with_stream(ms(20), 100_000_000, &Config::default());
    line.clamps = true;
    line.upload(up, down, 100 * MIB);
    assert!(line.server.stats().extra_credit > WINDOW);
    line.pass(line.now + Duration::from_secs(11));
    while line.client.write(up, &[0; 16 * 1024]).unwrap() > 0 {}
    let mut read = 0;
    while read < WINDOW {
        line.step();
        while let Read::Chunk(chunk) = line.server.read(down, usize::MAX).unwrap() {
            read += chunk.len();
        }
    }
    // All of the window is read, and none of it returned. What follows is no extra credit.
    line.clamps = false;
    line.server.finish(down).unwrap();
    line.server.release_send(down);
    line.server.release_recv(down);
    line.pass(line.now + ms(1000));
    let error = line.client.write(up, b"more").and_then(|_| {
        line.pass(line.now + ms(1000));
        line.client.write(up, b"more")
    });
    assert_eq!(error.unwrap_err().code(), Some(ErrorCode::STREAM_CLOSED));
    assert_eq!((line.server.stats().streams, line.server.audit()), (0, Ok(())));
}
