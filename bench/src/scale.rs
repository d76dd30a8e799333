//! `bench scale`: what one more of something costs when there are many already. Ours alone, each step in a process of
//! its own.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use bytes::Bytes;
use muxado_tokio::Session;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::measure::{Measurement, Stopwatch, grown_since, resident};
use crate::peer::{Accept, Open, Peer, Setting, Stream, ours::Ours};
use crate::plot;
use crate::report::median;
use crate::run;
use crate::workload::{bulk1, rtt};

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Open streams of one session: what a message costs on one more, and a stream in memory.
    Streams,
    /// Sessions in a process, each with one open stream: what a message costs on each in turn, and a session in memory.
    Sessions,
    /// Threads, each with a task that writes a stream of its own, all in one session.
    Writers,
}

const ALL: [Scale; 3] = [Scale::Streams, Scale::Sessions, Scale::Writers];

/// One run of a step tells little on a machine with neighbours.
const ROUNDS: usize = 5;

/// Messages that are sent to see what one costs: CPU time is counted in hundredths of a second.
const MESSAGES: u64 = 200_000;

impl Scale {
    fn as_str(self) -> &'static str {
        match self {
            Scale::Streams => "streams",
            Scale::Sessions => "sessions",
            Scale::Writers => "writers",
        }
    }

    fn steps(self) -> &'static [u64] {
        match self {
            Scale::Streams => &[1, 10, 100, 1000, 10_000, 100_000],
            Scale::Sessions => &[1, 10, 100, 1000, 10_000],
            Scale::Writers => &[1, 2, 4, 8],
        }
    }

    /// The figures of each step: their names in a measurement, and what the names of their pictures end with.
    fn figures(self) -> [(&'static str, &'static str); 2] {
        match self {
            Scale::Streams => [("us/message", ""), ("B/stream", "-memory")],
            Scale::Sessions => [("us/message", ""), ("B/session", "-memory")],
            Scale::Writers => [("GiB/s", ""), ("cpu-s/GiB", "-cpu")],
        }
    }
}

impl std::str::FromStr for Scale {
    type Err = String;

    fn from_str(name: &str) -> Result<Scale, String> {
        ALL.into_iter().find(|scale| scale.as_str() == name).ok_or_else(|| "nothing that scales".into())
    }
}

/// Measures every step in each of the rounds, and prints a table of medians for each thing; draws them into `plots`.
pub(crate) fn run(plots: Option<&PathBuf>) -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?;
    for scale in ALL {
        let (steps, figures) = (scale.steps(), scale.figures());
        let mut all = vec![[Vec::new(), Vec::new()]; steps.len()];
        for round in 1..=ROUNDS {
            for (step, all) in steps.iter().zip(&mut all) {
                eprintln!("{step} {}, round {round} of {ROUNDS}", scale.as_str());
                let measured = run::measured(Command::new(&program).args([
                    "child-scale",
                    scale.as_str(),
                    &step.to_string(),
                ]))?;
                for (all, (name, _)) in all.iter_mut().zip(figures) {
                    all.push(measured.figures.get(name).copied().unwrap_or(f64::NAN));
                }
            }
        }
        let medians: Vec<_> = all.into_iter().map(|figures| figures.map(median)).collect();
        println!("{}", table(scale, &medians));
        if let Some(folder) = plots {
            std::fs::create_dir_all(folder)?;
            for (place, (name, end)) in figures.into_iter().enumerate() {
                let title = format!("{name} against {}", scale.as_str());
                let curve = medians.iter().map(|medians| medians[place]).collect();
                let svg = plot::curves(&title, steps, &[("ours", curve)]);
                std::fs::write(folder.join(format!("scale-{}{end}.svg", scale.as_str())), svg)?;
            }
        }
    }
    Ok(())
}

fn table(scale: Scale, medians: &[[Option<f64>; 2]]) -> String {
    let [(one, _), (other, _)] = scale.figures();
    let mut table = format!("| {} | {one} | {other} |\n|---|---|---|\n", scale.as_str());
    for (step, [one, other]) in scale.steps().iter().zip(medians) {
        let [one, other] = [one, other].map(|figure| figure.unwrap_or(f64::NAN));
        let _ = writeln!(table, "| {step} | {one:.2} | {other:.2} |");
    }
    table
}

/// One step, in this process.
pub(crate) fn measure(scale: Scale, step: u64) -> Result<Measurement, Box<dyn Error>> {
    let workers = if scale == Scale::Writers { step as usize } else { 2 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    let measured = runtime.block_on(async {
        tokio::spawn(async move {
            match scale {
                Scale::Streams => streams(step).await,
                Scale::Sessions => sessions(step).await,
                Scale::Writers => writers(step).await,
            }
        })
        .await
    });
    runtime.shutdown_background();
    Ok(measured??)
}

fn setting(streams: u64) -> Setting {
    Setting { streams: streams as usize + 8, delay: std::time::Duration::ZERO, is_tls: false, is_far: false }
}

async fn streams(count: u64) -> io::Result<Measurement> {
    let (mut client, mut server) = Ours::pair(setting(count)).await?;
    let mut room = [0; 16];
    let mut open = Vec::with_capacity(count as usize);
    let before = resident();
    for _ in 0..count {
        let mut near = client.open().await?;
        near.write(&Bytes::from_static(b"x")).await?;
        let mut far = server.accept().await?;
        far.read(&mut room).await?;
        open.push((near, far));
    }
    let grown = grown_since(before);
    let measured = rtt::run::<Ours>(client, server, MESSAGES).await?;
    let micros = measured.cpu_seconds.map_or(f64::NAN, |cpu| cpu * 1e6 / MESSAGES as f64);
    drop(open);
    Ok(measured.with("us/message", micros).with("B/stream", grown / count as f64))
}

async fn sessions(count: u64) -> io::Result<Measurement> {
    let before = resident();
    let mut all = Vec::with_capacity(count as usize);
    for _ in 0..count {
        // In memory: so many connections are more than a process may have files.
        let (near, far) = tokio::io::duplex(4096);
        let (client, server) = (Session::client(near), Session::server(far));
        let mut stream = client.open().await?;
        stream.write_all(b"x").await?;
        let accepted = server.accept().await?;
        all.push((client, server, stream, accepted));
    }
    let grown = grown_since(before);
    let mut room = [0; 1];
    let stopwatch = Stopwatch::start();
    let rounds = (MESSAGES / count).max(1);
    for _ in 0..rounds {
        for (_, _, near, far) in &mut all {
            far.read_exact(&mut room).await?;
            near.write_all(b"x").await?;
        }
    }
    let messages = rounds * count;
    let measured = stopwatch.stop(messages);
    let micros = measured.cpu_seconds.map_or(f64::NAN, |cpu| cpu * 1e6 / messages as f64);
    Ok(measured.with("us/message", micros).with("B/session", grown / count as f64 / 2.0))
}

async fn writers(count: u64) -> io::Result<Measurement> {
    const BYTES: u64 = 1 << 30;
    let (client, mut server) = Ours::pair(setting(count)).await?;
    let stopwatch = Stopwatch::start();
    let pattern = crate::workload::pattern::Pattern::new();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (mut client, pattern) = (client.clone(), pattern.clone());
        tasks
            .spawn(async move { bulk1::write(client.open().await?, BYTES / count, pattern).await.map(drop) });
    }
    for _ in 0..count {
        let stream = server.accept().await?;
        let pattern = pattern.clone();
        tasks.spawn(async move { bulk1::read(stream, pattern).await.map(drop) });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let measured = stopwatch.stop(BYTES);
    let gib = BYTES as f64 / f64::from(1 << 30);
    let (rate, cpu) = (gib / measured.seconds, measured.cpu_seconds.map_or(f64::NAN, |cpu| cpu / gib));
    Ok(measured.with("GiB/s", rate).with("cpu-s/GiB", cpu))
}
