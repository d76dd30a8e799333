//! The Go module of the tests, in a folder of its own: interop/go and the book's programs. What it is built against, and what
//! the go command is told.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::book::Program;

const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go");

/// Names a folder with the peer's module, for those who cannot fetch it.
const CHECKOUT: &str = "MUXADO_GO";

pub(crate) struct Module {
    folder: TempDir,
    /// Whether the go command may fetch what it lacks.
    fetches: bool,
}

/// Whether there is a go command.
pub(crate) fn have_go() -> bool {
    Command::new("go").arg("version").output().is_ok_and(|output| output.status.success())
}

impl Module {
    /// To be compiled against our stub of the peer's module.
    pub(crate) fn against_stub(programs: &[Program]) -> Module {
        Module::new(programs, Some(Path::new("./stub/muxado")))
    }

    /// To be run with the peer's module: the version in interop/go/go.mod, or the folder that the environment names.
    pub(crate) fn against_peer(programs: &[Program]) -> Module {
        Module::new(programs, env::var_os(CHECKOUT).map(PathBuf::from).as_deref())
    }

    fn new(programs: &[Program], instead: Option<&Path>) -> Module {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        copy(Path::new(OURS), folder.path());
        for program in programs {
            let place = folder.path().join(&program.name);
            fs::create_dir(&place).unwrap();
            fs::write(place.join("main.go"), &program.text).unwrap();
        }
        let module = Module { folder, fetches: instead.is_none() };
        if let Some(instead) = instead {
            let instead = format!("-replace=golang.ngrok.com/muxado/v2={}", instead.display());
            module.go(&["mod", "edit", &instead]).unwrap();
        }
        module
    }

    /// Runs the go command. An error is what it says.
    pub(crate) fn go(&self, args: &[&str]) -> Result<(), String> {
        let mut go = Command::new("go");
        go.args(args).current_dir(self.folder.path());
        // The same on every machine: no workspace around ours, no C, nothing left outside of the target folder.
        go.env("GOWORK", "off").env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=mod");
        go.env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"));
        if !self.fetches {
            go.env("GOPROXY", "off");
        }
        let output = go.output().map_err(|error| format!("go: {error}"))?;
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said()) }
    }

    /// Builds a program, and says where it is.
    pub(crate) fn build(&self, name: &str) -> PathBuf {
        self.go(&["build", "-o", "bin/", &format!("./{name}")]).unwrap_or_else(|errors| panic!("{errors}"));
        self.folder.path().join("bin").join(name).with_extension(env::consts::EXE_EXTENSION)
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
