//! The run: rounds of many pairs with a rest after each, samples all the while, and the count of what is left.

use std::error::Error;
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::args::{Length, Options};
use crate::content::Content;
use crate::pair::{self, Veteran, World};
use crate::sample::{self, Sample};
use crate::totals::Totals;
use crate::{plot, verdict};

/// Pairs at a time.
const PAIRS: usize = 12;

/// How long new pairs are started in one round of a timed run.
const ROUND: Duration = Duration::from_secs(12);

/// Pairs that live as long as the run: one for each choice of two runtimes.
const VETERANS: u64 = 4;

const CSV: &str = "target/soak/soak.csv";

type Samples = Arc<Mutex<Vec<Sample>>>;

pub(crate) fn all(options: &Options) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let many = Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    let (single, stop_single) = single_thread()?;
    let world = Arc::new(World {
        content: Content::new(),
        totals: Totals::default(),
        flavours: [many.handle().clone(), single],
    });
    let files_before = sample::files();
    // Made at once, so that it is not their number that shows in the curve.
    let samples: Samples = Arc::new(Mutex::new(Vec::with_capacity(expected_samples(options.length))));
    let sampler = start_sampler(&world, &samples, start);
    many.block_on(rounds(options, &world, &samples, start));
    let left = many.block_on(what_is_left(&world, files_before));
    drop(sampler);
    drop(stop_single);
    drop(many);
    let samples = std::mem::take(&mut *samples.lock().unwrap_or_else(PoisonError::into_inner));
    finish(options, &world, &samples, left, start)
}

/// A runtime with one thread, and what stops it when it is dropped.
fn single_thread() -> std::io::Result<(Handle, oneshot::Sender<()>)> {
    let runtime: Runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let (stop, stopped) = oneshot::channel::<()>();
    thread::spawn(move || drop(runtime.block_on(stopped)));
    Ok((handle, stop))
}

/// Samples once a second until what it gives is dropped.
fn start_sampler(world: &Arc<World>, samples: &Samples, start: Instant) -> mpsc::Sender<()> {
    let (stop, stopped) = mpsc::channel();
    let (world, samples) = (world.clone(), samples.clone());
    thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
            push(&samples, Sample::take(&world, start, false));
        }
    });
    stop
}

/// One each second and one for each rest, which may take as long again.
fn expected_samples(length: Length) -> usize {
    match length {
        Length::Time(time) => {
            usize::try_from(time.as_secs()).unwrap_or(0).saturating_mul(2).saturating_add(100)
        }
        Length::Sessions(_) => 0,
    }
}

fn push(samples: &Samples, sample: Sample) {
    samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
}

async fn rounds(options: &Options, world: &Arc<World>, samples: &Samples, start: Instant) {
    let mut rng = Rng::with_seed(options.seed);
    let mut veterans = Vec::new();
    for number in 0..VETERANS {
        match Veteran::start(world, number, rng.fork()).await {
            Ok(veteran) => veterans.push(veteran),
            Err(error) => return world.totals.fail(format!("connecting: {error}")),
        }
    }
    let mut number = VETERANS;
    let mut enough = false;
    while !enough && world.totals.failures() == 0 {
        let round_end = Instant::now() + ROUND;
        let mut pairs = JoinSet::new();
        loop {
            enough = match options.length {
                Length::Time(time) => start.elapsed() >= time,
                Length::Sessions(count) => number - VETERANS >= count,
            };
            if enough || (matches!(options.length, Length::Time(_)) && Instant::now() >= round_end) {
                break;
            }
            if pairs.len() == PAIRS {
                reap(world, pairs.join_next().await);
                continue;
            }
            pairs.spawn(pair::run(world.clone(), number, rng.fork()));
            number += 1;
        }
        while !pairs.is_empty() {
            reap(world, pairs.join_next().await);
        }
        for veteran in &veterans {
            veteran.rest().await;
        }
        let rest = Sample::take(world, start, true);
        push(samples, rest);
        println!("{}", progress(&rest));
        veterans.iter().for_each(Veteran::go_on);
    }
    let mut ends: JoinSet<()> = veterans.into_iter().map(Veteran::end).collect();
    while ends.join_next().await.is_some() {}
}

fn reap(world: &World, done: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(panic)) = done {
        world.totals.fail(format!("a pair panicked: {panic}"));
    }
}

fn progress(at_rest: &Sample) -> String {
    format!(
        "{:>6.0} s: {} ends of streams, {:.2} GiB; at rest: heap {} KiB, RSS {} KiB, {} files, {} tasks",
        at_rest.at.as_secs_f64(),
        at_rest.ended,
        at_rest.bytes as f64 / f64::from(1 << 30),
        at_rest.heap / 1024,
        at_rest.rss / 1024,
        at_rest.files,
        at_rest.tasks,
    )
}

/// Tasks and files that are still there a while after everything has ended.
async fn what_is_left(world: &World, files_before: Option<u64>) -> Vec<String> {
    let mut left = Vec::new();
    for _ in 0..1000 {
        let (tasks, files) = (sample::tasks(world), sample::files());
        left.clear();
        if tasks > 0 {
            left.push(format!("{tasks} tasks are left"));
        }
        if files > files_before {
            left.push(format!("files are left: {files:?}, before {files_before:?}"));
        }
        if left.is_empty() {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    left
}

fn finish(
    options: &Options,
    world: &World,
    samples: &[Sample],
    mut wrong: Vec<String>,
    start: Instant,
) -> Result<(), Box<dyn Error>> {
    let summary = format!("{} in {:.0} s", world.totals.summary(), start.elapsed().as_secs_f64());
    println!("{summary}");
    if matches!(options.length, Length::Time(_)) {
        std::fs::create_dir_all(Path::new(CSV).with_file_name(""))?;
        std::fs::write(CSV, sample::csv(samples))?;
        match verdict::judge(samples) {
            Ok(flat) => println!("{flat}"),
            Err(grows) => wrong.push(grows),
        }
    }
    if let Some(file) = &options.plot {
        std::fs::write(file, plot::svg(samples, &options.command, &summary))?;
        println!("the curve is in {}", file.display());
    }
    if world.totals.failures() > 0 {
        wrong.push(format!("{} things were wrong", world.totals.failures()));
    }
    if wrong.is_empty() {
        println!("nothing is left, nothing was wrong");
        return Ok(());
    }
    Err(wrong.join("; ").into())
}
