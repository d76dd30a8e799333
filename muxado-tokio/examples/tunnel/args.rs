//! What the command line says.

use std::ffi::OsString;
use std::path::PathBuf;

use pico_args::Arguments;

use super::secure::{Guard, Identity, Pass};

pub(crate) const USAGE: &str = "\
usage: tunnel server --public ADDR --control ADDR    accept users and tunnel clients
                     [--cert FILE --key FILE]        over TLS, with this certificate
                     [--client-ca FILE]              only clients with a certificate of this authority
                     [--secret FILE]                 only clients that know what is in the file
       tunnel client --server ADDR --local ADDR      connect a local service to a tunnel server
                     [--ca FILE [--name NAME]]       over TLS, to a server with a certificate of this authority
                     [--cert FILE --key FILE]        show this certificate
                     [--secret FILE]                 log in with what is in the file
       tunnel demo [--files DIR] [--connections N]   download files through a tunnel, all in this process
       tunnel files --listen ADDR --files DIR        serve files over HTTP, to have something to tunnel

ADDR is HOST:PORT, such as 0.0.0.0:8080 or tunnel.example:7000. Files are PEM. Ctrl-c ends each of them.
The demo makes files of its own unless it is given some, and uses 64 connections unless told otherwise.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Server { public: String, control: String, guard: Guard },
    Client { server: String, local: String, pass: Pass },
    Files { listen: String, folder: PathBuf },
    Demo { folder: Option<PathBuf>, connections: usize },
}

/// Reads the arguments that follow the program's name. The error is for people.
pub(crate) fn parse(args: Vec<OsString>) -> Result<Command, String> {
    let mut args = Arguments::from_vec(args);
    let command = read(&mut args).map_err(|error| error.to_string())?;
    match args.finish().first() {
        Some(left) if command != Command::Help => {
            Err(format!("`{}` is not expected here", left.to_string_lossy()))
        }
        _ => Ok(command),
    }
}

fn read(args: &mut Arguments) -> Result<Command, Box<dyn std::error::Error>> {
    if args.contains(["-h", "--help"]) {
        return Ok(Command::Help);
    }
    Ok(match args.subcommand()?.as_deref() {
        Some("server") => Command::Server {
            public: args.value_from_fn("--public", address)?,
            control: args.value_from_fn("--control", address)?,
            guard: guard(args)?,
        },
        Some("client") => Command::Client {
            server: args.value_from_fn("--server", address)?,
            local: args.value_from_fn("--local", address)?,
            pass: pass(args)?,
        },
        Some("files") => Command::Files {
            listen: args.value_from_fn("--listen", address)?,
            folder: file(args, "--files")?.ok_or("--files is missing")?,
        },
        Some("demo") => Command::Demo {
            folder: file(args, "--files")?,
            connections: args.opt_value_from_fn("--connections", at_least_one)?.unwrap_or(64),
        },
        Some(other) => return Err(format!("there is no command `{other}`").into()),
        None => return Err("a command is missing".into()),
    })
}

fn guard(args: &mut Arguments) -> Result<Guard, Box<dyn std::error::Error>> {
    let guard = Guard {
        identity: identity(args)?,
        client_ca: file(args, "--client-ca")?,
        secret: file(args, "--secret")?,
    };
    if guard.identity.is_none() && !guard.is_open() {
        return Err("--client-ca and --secret need --cert and --key: without TLS anybody could listen".into());
    }
    Ok(guard)
}

fn pass(args: &mut Arguments) -> Result<Pass, Box<dyn std::error::Error>> {
    let pass = Pass {
        ca: file(args, "--ca")?,
        name: args.opt_value_from_str("--name")?,
        identity: identity(args)?,
        secret: file(args, "--secret")?,
    };
    if pass.ca.is_none() && pass != Pass::default() {
        return Err("--name, --cert, --key and --secret need --ca: without TLS anybody could listen".into());
    }
    Ok(pass)
}

fn identity(args: &mut Arguments) -> Result<Option<Identity>, Box<dyn std::error::Error>> {
    match (file(args, "--cert")?, file(args, "--key")?) {
        (Some(cert), Some(key)) => Ok(Some(Identity { cert, key })),
        (None, None) => Ok(None),
        _ => Err("--cert and --key go together".into()),
    }
}

fn file(args: &mut Arguments, option: &'static str) -> Result<Option<PathBuf>, pico_args::Error> {
    args.opt_value_from_os_str(option, |text| Ok::<_, String>(PathBuf::from(text)))
}

/// Whether the host exists is found out by connecting to it.
fn address(text: &str) -> Result<String, &'static str> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("it is not HOST:PORT"),
    }
}

/// More than a million is a slip.
fn at_least_one(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(number @ 1..=1_000_000) => Ok(number),
        _ => Err("it is not a number from 1 to 1000000"),
    }
}
