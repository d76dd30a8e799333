//! Rows again and again: what a peer can send for ever, at little cost to itself.

use muxado_core::Side;

use super::{App, Flood, WINDOW};
use crate::wire::{data, fin, frame, go_away, rst, syn, syn_fin, wndinc};

/// The id of the peer's in round `number`, if each takes a new one.
fn id(number: u32) -> u32 {
    3 + 2 * (number & 0x0FFF_FFFF)
}

impl Flood {
    fn new(name: &'static str, rounds: u32, round: fn(u32) -> Vec<u8>) -> Flood {
        Flood {
            name,
            side: Side::Server,
            opens: 0,
            app: App::Holds,
            listens: true,
            drains: false,
            first: syn(1, b""),
            round,
            rounds,
        }
    }

    fn after(mut self, first: impl Into<Vec<u8>>) -> Flood {
        self.first = first.into();
        self
    }

    fn app(mut self, app: App) -> Flood {
        self.app = app;
        self
    }

    fn deaf(mut self) -> Flood {
        self.listens = false;
        self
    }

    fn draining(mut self) -> Flood {
        self.drains = true;
        self
    }

    fn client(mut self, opens: usize) -> Flood {
        self.side = Side::Client;
        self.opens = opens;
        self.first = Vec::new();
        self
    }
}

/// All floods. Stream 1 is the peer's and alive, unless a flood begins otherwise.
#[must_use]
pub fn floods() -> Vec<Flood> {
    [streams(), churn(), payload(), strays(), control(), mixes()].concat()
}

/// SYNs that get nowhere.
fn streams() -> Vec<Flood> {
    let opened = |count: u32| (0..count).flat_map(|number| syn(id(number), b"")).collect::<Vec<u8>>();
    vec![
        Flood::new("s21_flood_of_syns_beyond_the_window", 40, |n| frame(1, 2, id(n), &[0; WINDOW + 1])),
        Flood::new("s24_flood_of_syns_for_a_remembered_id", 10_100, |_| syn(3, b"")).after(data(3, b"x")),
        Flood::new("s29_flood_of_syns_on_a_full_backlog", 6_000, |n| syn(id(n + 256), b""))
            .after(opened(256))
            .app(App::Absent),
        Flood::new("s30_flood_of_syns_at_the_limit", 6_000, |n| syn(id(n + 256), b"")).after(opened(256)),
        Flood::new("s30_flood_of_syns_that_nobody_reads_the_answers_of", 2000, |n| syn(id(n + 256), b""))
            .after(opened(256))
            .deaf(),
        Flood::new("s31_flood_of_syns_while_draining", 6_000, |n| syn(id(n), b"")).draining(),
        Flood::new("s31_flood_of_syn_and_rst_while_draining", 6_000, |n| {
            [syn(id(n), b"x"), rst(id(n), 6)].concat()
        })
        .draining(),
    ]
}

/// Streams that come and go.
fn churn() -> Vec<Flood> {
    let flood = |name, app, round| Flood::new(name, 6_000, round).app(app);
    vec![
        flood("s20_churn_answered", App::Answers, |n| syn_fin(id(n), b"")),
        flood("s20_churn_read", App::Reads, |n| syn_fin(id(n), b"")),
        flood("s20_churn_dropped", App::Drops, |n| syn_fin(id(n), b"")),
        flood("s20_churn_held", App::Holds, |n| syn_fin(id(n), b"")),
        flood("s20_churn_reset", App::Resets, |n| syn_fin(id(n), b"")),
        flood("s20_churn_not_accepted", App::Absent, |n| syn_fin(id(n), b"")),
        flood("s22_churn_with_data_held", App::Holds, |n| syn_fin(id(n), &[7; 100])),
        flood("s26_churn_of_one_id", App::Answers, |_| syn_fin(3, b"x")),
        flood("s25_churn_downwards", App::Answers, |n| syn_fin(0x7FFF_FFFF - 2 * n, b"x")),
        flood("s53_churn_of_unread_data", App::Drops, |n| syn(id(n), &[7; 100])),
        flood("s33_rapid_reset", App::Absent, |n| [syn(id(n), b""), rst(id(n), 6)].concat()),
        flood("s33_rapid_reset_with_data", App::Absent, |n| [syn(id(n), &[7; 3000]), rst(id(n), 6)].concat()),
        flood("s33_rapid_reset_answered", App::Answers, |n| [syn(id(n), b""), rst(id(n), 6)].concat()),
        flood("s54_reset_and_held", App::Holds, |n| [syn(id(n), b""), rst(id(n), 6)].concat()),
        flood("s58_we_reset_and_the_peer_too", App::Resets, |n| [syn(id(n), b""), rst(id(n), 6)].concat()),
    ]
}

/// DATA that is of no use.
fn payload() -> Vec<Flood> {
    vec![
        Flood::new("s48_flood_of_fins", 10_100, |_| fin(1)).after(syn_fin(1, b"")),
        Flood::new("s49_flood_of_empty_data", 10_100, |_| data(1, b"")),
        Flood::new("s50_flood_of_empty_data_over_all_streams", 10_100, |n| data(3 + 2 * (n % 256), b""))
            .after((0..256).flat_map(|number| syn(id(number), b"")).collect::<Vec<u8>>()),
        Flood::new("s51_flood_of_bytes", 4096, |_| data(1, b"x").repeat(64)),
        Flood::new("s51_flood_of_bytes_read", 4096, |_| data(1, b"x").repeat(64)).app(App::Reads),
        Flood::new("s51_flood_of_bytes_over_all_streams", 8192, |n| data(3 + 2 * (n % 256), b"x").repeat(32))
            .after((0..256).flat_map(|number| syn(id(number), b"")).collect::<Vec<u8>>()),
        Flood::new("s51_flood_of_bytes_not_accepted", 8192, |n| data(3 + 2 * (n % 256), b"x").repeat(32))
            .after((0..256).flat_map(|number| syn(id(number), b"")).collect::<Vec<u8>>())
            .app(App::Absent),
        Flood::new("s51_flood_of_two_kibibytes", 2000, |n| data(3 + 2 * (n % 256), &[7; 2048]))
            .after((0..256).flat_map(|number| syn(id(number), b"")).collect::<Vec<u8>>()),
        Flood::new("s42_flood_of_data_for_a_stream_we_reset", 6_000, |_| data(1, b"x")).app(App::Resets),
        Flood::new("s43_flood_of_data_beyond_its_credit", 10_100, |_| data(1, b"x"))
            .after([syn(1, b""), data(1, &[7; 16 * 1024]).repeat(32)].concat())
            .app(App::Resets),
        Flood::new("s44_flood_of_data_for_finished_streams", 10_100, |n| {
            [syn_fin(id(n), b""), data(id(n), b"x")].concat()
        })
        .app(App::Answers),
        Flood::new("s45_flood_beyond_the_windows", 40, |n| {
            [syn(id(n), b""), data(id(n), &[0; WINDOW + 1])].concat()
        }),
        Flood::new("s47_flood_of_data_after_fin", 1100, |n| {
            [syn_fin(id(n), b"a"), data(id(n), b"b")].concat()
        }),
        Flood::new("s47_flood_of_data_after_fin_dropped", 1100, |n| {
            [syn_fin(id(n), b"a"), data(id(n), b"b")].concat()
        })
        .app(App::Reads),
    ]
}

/// Frames for streams that are not there.
fn strays() -> Vec<Flood> {
    vec![
        Flood::new("s39_flood_of_data_for_ids_never_seen", 10_100, |n| data(id(n), b"x")),
        Flood::new("s85_flood_of_replies_that_nobody_reads", 10_100, |n| data(id(n), b"x")).deaf(),
        Flood::new("s40_flood_of_fins_for_ids_never_seen", 6_000, |n| fin(id(n))),
        Flood::new("s57_flood_of_rsts_for_ids_never_seen", 10_100, |n| rst(id(n), 6)),
        Flood::new("s57_flood_of_rsts_for_a_stream_that_is_over", 6_000, |_| rst(3, 6))
            .after(syn_fin(3, b""))
            .app(App::Answers),
        Flood::new("s66_flood_of_wndincs_for_ids_never_seen", 10_100, |n| wndinc(id(n), 6)),
        Flood::new("s66_flood_of_wndincs_for_a_stream_that_is_over", 6_000, |_| wndinc(3, 1))
            .after(syn_fin(3, b""))
            .app(App::Answers),
        Flood::new("s60_flood_of_rsts_for_a_stream_we_reset", 6_000, |_| rst(1, 4)).app(App::Resets),
    ]
}

/// Frames without payload.
fn control() -> Vec<Flood> {
    vec![
        Flood::new("s06_flood_of_unknown_frames", 10_100, |n| frame(4, 0, n, b"")),
        Flood::new("s07_flood_of_unknown_bodies", 1000, |n| frame(15, 0, n, &[0xEE; 5000])),
        Flood::new("s08_flood_of_odd_flags", 10_100, |_| frame(1, 0xC, 1, b"")),
        Flood::new("s64_flood_of_the_largest_wndincs", 6_000, |_| wndinc(1, 0x7FFF_FFFF)),
        Flood::new("s68_flood_of_wndincs_of_one", 10_100, |_| wndinc(1, 1)),
        Flood::new("s68_flood_of_wndincs_over_all_streams", 26_600, |n| wndinc(3 + 2 * (n % 256), 1))
            .after((0..256).flat_map(|number| syn(id(number), b"")).collect::<Vec<u8>>()),
        Flood::new("s74_flood_of_goaways", 10_100, |n| go_away(0x7FFF_FFFF - 2 * n, 0, b"")).client(256),
        Flood::new("s76_flood_of_texts", 10_100, |n| go_away(0x7FFF_FFFF - 2 * n, 0, &[b'x'; 1200]))
            .client(256),
    ]
}

/// Several of them at once.
fn mixes() -> Vec<Flood> {
    vec![
        Flood::new("s89_mix_of_strays", 5000, |n| {
            [rst(id(n), 6), wndinc(id(n), 1), fin(id(n)), data(id(n), b"x"), syn(id(n), b"")].concat()
        }),
        Flood::new("s89_mix_of_frames_on_live_streams", 4_000, |n| {
            let id = 3 + 2 * (n % 256);
            [data(id, b"x"), wndinc(id, 1), data(id, b"yz")].concat()
        })
        .after((0..256).flat_map(|number| syn(id(number), b"")).collect::<Vec<u8>>())
        .app(App::Reads),
        Flood::new("s89_mix_of_short_streams", 6_000, |n| {
            [syn(id(n), b"question"), wndinc(id(n), 1), data(id(n), b"more"), fin(id(n))].concat()
        })
        .app(App::Answers),
    ]
}
