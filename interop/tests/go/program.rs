//! One of the programs while it runs: what it prints, how it ends. It is killed when it is let go of.

use std::future::Future;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::book::programs;
use crate::module::Module;

/// Nothing here takes a second.
const HANGS_AFTER: Duration = Duration::from_secs(60);

pub(crate) struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
    /// Where it was built.
    _module: Module,
}

/// Starts a program, the book's or one of interop/go.
pub(crate) fn start(name: &str, args: &[&str]) -> Running {
    let module = Module::against_peer(&programs());
    let mut command = Command::new(module.build(name));
    let mut child = command.args(args).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    Running { child, output, _module: module }
}

/// Turns a hang into a failure.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(HANGS_AFTER, future).await.expect("hangs")
}

impl Running {
    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        in_time(self.output.read_line(&mut line)).await.unwrap();
        line.trim_end().to_owned()
    }

    /// What it prints from now on. It must end well.
    pub(crate) async fn rest(mut self) -> String {
        let mut rest = String::new();
        in_time(self.output.read_to_string(&mut rest)).await.unwrap();
        assert!(in_time(self.child.wait()).await.unwrap().success(), "{rest}");
        rest
    }
}
