//! The core alone, with a runtime made of threads: a session with a child process, over its standard input and output.
//!
//! Run it with `cargo run -p muxado-core --example child`. It starts itself once more as the child, asks it a few things
//! at once, each on a stream of its own, and says how the session ended.

use std::error::Error;
use std::future::Future;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use blocking::Unblock;
use futures_lite::future::block_on;
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use futures_timer::Delay;
use muxado_core::rt::Runtime;
use muxado_core::{Config, ErrorCode, Session, Side, Stream};

/// A thread for each task. All that a session needs of a runtime is here.
#[derive(Clone, Copy)]
struct Threads;

impl Runtime for Threads {
    type Sleep = Delay;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(|| block_on(future));
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> Delay {
        Delay::new(duration)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("--child") => child(),
        _ => parent(),
    }
}

/// Starts the child and asks it.
fn parent() -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("--child").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (output, input) =
        child.stdout.take().zip(child.stdin.take()).ok_or("the child's pipes are missing")?;
    let (read, write) = (Unblock::new(output), Unblock::new(input));
    let (session, driver) = Session::from_halves(Side::Client, read, write, &Config::default(), Threads);
    Threads.spawn(async { drop(driver.await) });

    let questions = ["how are you", "what is your name", "goodbye"];
    let asking = questions.map(|question| {
        let session = session.clone();
        thread::spawn(move || block_on(ask(&session, question)))
    });
    for (question, answer) in questions.iter().zip(asking) {
        println!("{question}? {}", answer.join().map_err(|_| "a question panicked")??);
    }
    let end = block_on(session.close(ErrorCode::NO_ERROR, "thank you"));
    println!("{end}; the child ended: {}", child.wait()?);
    Ok(())
}

async fn ask(session: &Session, question: &str) -> io::Result<String> {
    let mut stream = session.open().await?;
    stream.write_all(question.as_bytes()).await?;
    stream.close().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Answers everything in capitals until the parent ends the session. Nothing else may write to the standard output.
fn child() -> Result<(), Box<dyn Error>> {
    let (read, write) = (Unblock::new(io::stdin()), Unblock::new(io::stdout()));
    let (session, driver) = Session::from_halves(Side::Server, read, write, &Config::default(), Threads);
    let serving = thread::spawn(move || {
        block_on(async {
            while let Ok(stream) = session.accept().await {
                Threads.spawn(async { drop(shout(stream).await) });
            }
        });
    });
    // The driver is a future like any other: here the main thread runs it.
    let end = block_on(driver);
    eprintln!("child: {end}");
    serving.join().map_err(|_| "serving panicked".into())
}

async fn shout(mut stream: Stream) -> io::Result<()> {
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    stream.write_all(text.to_uppercase().as_bytes()).await?;
    stream.close().await
}
