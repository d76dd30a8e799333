//! Both ends as people run them: two processes, all tests, by amount and never by the clock.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use muxado_testkit::certs::Authority;
use serde_json::Value;

const LOCAL: &str = "127.0.0.1:0";

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muxado-perf"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A server, ended with the test.
struct Server {
    process: Child,
    log: BufReader<ChildStderr>,
    address: String,
}

impl Server {
    fn start(options: &[&str]) -> Server {
        let mut process = program(&["server", "--listen", LOCAL]).args(options).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on ").and_then(|rest| rest.split(',').next());
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        Server { process, log, address }
    }

    /// Runs a client to its end.
    fn client(&self, options: &[&str]) -> Output {
        program(&["client", &self.address]).args(options).output().unwrap()
    }

    /// The next line of the log that has `word`.
    fn logged(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "the log ended without `{word}`");
            if line.contains(word) {
                return line;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// A client still running, and what it says on standard error.
struct Client {
    process: Child,
    progress: BufReader<ChildStderr>,
}

impl Client {
    /// One that would run for a long time, and has shown a second in which everything moved.
    fn under_way(server: &Server) -> Client {
        let args =
            ["client", &server.address, "--json", "--test", "loaded", "--warm-up", "0", "--seconds", "500"];
        let mut process = program(&args).spawn().unwrap();
        let mut progress = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        while !["up ", "down ", "exchanges"].iter().all(|moved| line.contains(moved)) {
            line.clear();
            assert!(progress.read_line(&mut line).unwrap() > 0, "it ended");
        }
        Client { process, progress }
    }

    /// Its report and the rest of what it says, when it has failed.
    fn failed(mut self) -> (Value, String) {
        let mut said = String::new();
        self.progress.read_to_string(&mut said).unwrap();
        let output = self.process.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        (json(&output), said)
    }
}

#[cfg(unix)]
fn interrupt(process: &Child) {
    let status = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// The results of a run by amount are complete, and have the amounts.
fn is_whole(report: &Value, tests: &[(&str, &str)]) {
    let results = report["results"].as_array().unwrap();
    let named: Vec<_> = results
        .iter()
        .map(|result| (result["test"].as_str().unwrap(), result["over"].as_str().unwrap()))
        .collect();
    assert_eq!(named, tests);
    assert_eq!(report["error"], Value::Null);
    for result in results {
        assert_eq!(result["complete"], true, "{result}");
        let bulk_by_amount = ["upload", "download", "both"].contains(&result["test"].as_str().unwrap());
        for direction in ["upload", "download"] {
            match &result[direction]["total"] {
                Value::Null => {}
                total if bulk_by_amount => assert_eq!(total.as_u64(), Some(3_000_001), "{result}"),
                _ => {}
            }
        }
        if result["exchanges"] != Value::Null {
            assert_eq!(result["exchanges"]["total"], 150, "{result}");
            let times = &result["latency_us"];
            let times: Vec<_> = ["p50", "p90", "p99", "p99.9", "max"]
                .iter()
                .map(|time| times[time].as_f64().unwrap())
                .collect();
            assert!(times.is_sorted() && times[0] > 0.0, "{result}");
        }
        if cfg!(unix) {
            assert!(result["cpu_seconds"].as_f64().unwrap() > 0.0, "{result}");
        }
    }
}

const SMALL: &[&str] = &["--json", "--bytes", "3000001", "--count", "150"];

#[test]
fn every_test_is_done_over_muxado_and_over_raw_tcp() {
    let server = Server::start(&["--raw", LOCAL]);
    let output = server.client(&[SMALL, &["--raw", "--streams", "3", "--in-flight", "7"]].concat());
    let report = json(&output);
    assert!(output.status.success(), "{output:?}");
    let tests = [
        ("upload", "muxado"),
        ("upload", "tcp"),
        ("download", "muxado"),
        ("download", "tcp"),
        ("both", "muxado"),
        ("both", "tcp"),
        ("streams", "muxado"),
        ("latency", "muxado"),
        ("latency", "tcp"),
        ("loaded", "muxado"),
        ("loaded", "tcp"),
    ];
    is_whole(&report, &tests);
    assert_eq!(report["results"][0]["streams"], 3);
    assert_eq!(report["server_settings"], report["client_settings"]);
}

#[test]
fn it_goes_over_tls_too() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, foreign) = (Authority::new(), Authority::new());
    let identity = ours.issue();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (cert, key) = (write("cert.pem", &identity.cert_pem), write("key.pem", &identity.key_pem));
    let (ca, other) = (write("ca.pem", &ours.pem()), write("other.pem", &foreign.pem()));
    let server = Server::start(&["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()]);
    let trust = ["--test", "both,streams", "--ca", ca.to_str().unwrap()];
    let report = json(&server.client(&[SMALL, &trust].concat()));
    is_whole(&report, &[("both", "muxado"), ("streams", "muxado")]);
    assert_eq!(report["tls"], true);

    let output = server.client(&[SMALL, &["--ca", other.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(1));
    let error = json(&output)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("cannot connect") && error.contains("certificate"), "{error}");
    // Without TLS to a server with it.
    let output = server.client(SMALL);
    assert_eq!(output.status.code(), Some(1));
    let error = json(&output)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("is over TLS and the other is not"), "{error}");
    // And the other way round.
    let output = Server::start(&[]).client(&[SMALL, &trust].concat());
    assert_eq!(output.status.code(), Some(1));
    let error = json(&output)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("not TLS"), "{error}");
}

#[test]
fn people_get_a_table() {
    let server = Server::start(&[]);
    let output = server.client(&["--bytes", "64K", "--count", "9"]);
    let table = String::from_utf8(output.stdout).unwrap();
    for row in ["throughput", "upload", "both down", "time in us", "streams x64", "loaded"] {
        assert!(table.lines().any(|line| line.starts_with(row)), "{row}\n{table}");
    }
}

#[test]
fn settings_are_used_and_the_window_must_be_the_same() {
    let server = Server::start(&["--window", "64K"]);
    let output =
        server.client(&[SMALL, &["--test", "download", "--window", "64K", "--extra-credit", "0"]].concat());
    let report = json(&output);
    is_whole(&report, &[("download", "muxado")]);
    assert_eq!(report["client_settings"]["extra_credit"], 0);
    assert_eq!(report["server_settings"]["window"], 65_536);

    let output = server.client(SMALL);
    assert_eq!(output.status.code(), Some(1));
    let error = json(&output)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("the client has a window of 262144 bytes, the server one of 65536"), "{error}");
}

#[test]
fn the_servers_limits_are_told_before_anything_is_done() {
    let server = Server::start(&["--max-streams", "10", "--max-seconds", "3"]);
    for (options, why) in [
        (&["--test", "streams", "--in-flight", "11"][..], "need 11 streams at once, the server allows 10"),
        (&["--test", "loaded", "--streams", "5"], "need 11 streams at once, the server allows 10"),
        (&["--test", "upload", "--seconds", "3"], "take 4 s, the server allows a session 3 s"),
        (&["--test", "upload", "--raw", "--bytes", "1"], "without --raw"),
    ] {
        let output = server.client(options);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(why) && output.stdout.is_empty(), "{options:?}: {error}");
    }
}

#[test]
fn a_client_that_stays_too_long_is_sent_away() {
    let mut server = Server::start(&["--max-seconds", "1"]);
    // By amount, so that nobody can know how long it takes.
    let options = ["--json", "--test", "upload", "--bytes", "99999999G"];
    let output = server.client(&options);
    let report = json(&output);
    let error = report["error"].as_str().unwrap();
    assert!(error.contains("a session may last 1 s here"), "{error}");
    assert!(report["results"][0]["upload"]["total"].as_u64().unwrap() > 0);
    server.logged("gone");
}

#[test]
fn one_client_too_many_is_turned_away() {
    let mut server = Server::start(&["--max-sessions", "1"]);
    let mut first = Client::under_way(&server);
    let output = server.client(SMALL);
    assert_eq!(output.status.code(), Some(1));
    let error = json(&output)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("too many clients, try again later"), "{error}");
    first.process.kill().unwrap();
    first.process.wait().unwrap();
    server.logged("gone");
}

#[test]
fn a_server_that_dies_leaves_the_client_with_what_it_measured() {
    let mut server = Server::start(&[]);
    let client = Client::under_way(&server);
    server.process.kill().unwrap();
    let (report, said) = client.failed();
    let result = &report["results"][0];
    assert_eq!(result["complete"], false);
    assert!(result["exchanges"]["total"].as_u64().unwrap() > 0, "{report}");
    assert!(result["upload"]["total"].as_u64().unwrap() > 0, "{report}");
    assert!(said.contains("error: lost the server"), "{said}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_client_which_reports_what_it_measured() {
    let mut server = Server::start(&[]);
    let client = Client::under_way(&server);
    interrupt(&client.process);
    let (report, _) = client.failed();
    assert_eq!(report["error"], "loaded: interrupted");
    assert_eq!(report["results"][0]["complete"], false);
    assert!(report["results"][0]["download"]["total"].as_u64().unwrap() > 0, "{report}");
    // The server sees a goodbye, not a broken connection.
    let line = server.logged("gone");
    assert!(line.contains("closed by the peer") && line.contains("done"), "{line}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_server_with_a_goodbye_to_its_clients() {
    let mut server = Server::start(&["--raw", LOCAL]);
    let client = Client::under_way(&server);
    interrupt(&server.process);
    server.logged("those that are here have 5 s");
    let (report, said) = client.failed();
    assert!(said.contains("lost the server: it ended the session: NoError (0)"), "{said}");
    assert_eq!(report["results"][0]["complete"], false);
    server.logged("gone");
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
}

#[test]
fn wrong_arguments_are_told_and_help_is_given() {
    let output = program(&["client", "--test", "uplaod"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no test `uplaod`"));
    let output = program(&["--help"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("muxado-perf server [options]"));
}

#[test]
fn nobody_there_is_an_error() {
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind(LOCAL).unwrap().local_addr().unwrap().to_string();
    let output = program(&["client", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&format!("cannot connect to {address}")), "{error}");
}
