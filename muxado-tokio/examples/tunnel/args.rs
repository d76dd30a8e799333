//! What the command line says.

use std::ffi::OsString;
use std::path::PathBuf;

use pico_args::Arguments;

pub(crate) const USAGE: &str = "\
usage: tunnel server --public ADDR --control ADDR    accept users and tunnel clients
       tunnel client --server ADDR --local ADDR      connect a local service to a tunnel server
       tunnel demo [--files DIR] [--connections N]   download files through a tunnel, all in this process
       tunnel files --listen ADDR [--files DIR]      serve files over HTTP, to have something to tunnel

ADDR is HOST:PORT, such as 0.0.0.0:8080 or tunnel.example:7000. Ctrl-c ends each of them.
The demo makes files of its own unless it is given some, and uses 64 connections unless told otherwise.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Server { public: String, control: String },
    Client { server: String, local: String },
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
        },
        Some("client") => Command::Client {
            server: args.value_from_fn("--server", address)?,
            local: args.value_from_fn("--local", address)?,
        },
        Some("files") => Command::Files {
            listen: args.value_from_fn("--listen", address)?,
            folder: folder(args)?.unwrap_or_else(|| PathBuf::from(".")),
        },
        Some("demo") => Command::Demo {
            folder: folder(args)?,
            connections: args.opt_value_from_fn("--connections", at_least_one)?.unwrap_or(64),
        },
        Some(other) => return Err(format!("there is no command `{other}`").into()),
        None => return Err("a command is missing".into()),
    })
}

fn folder(args: &mut Arguments) -> Result<Option<PathBuf>, pico_args::Error> {
    args.opt_value_from_os_str("--files", |text| Ok::<_, String>(PathBuf::from(text)))
}

/// Whether the host exists is found out by connecting to it.
fn address(text: &str) -> Result<String, &'static str> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("it is not HOST:PORT"),
    }
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(0) | Err(_) => Err("it is not a number from 1"),
        Ok(number) => Ok(number),
    }
}
