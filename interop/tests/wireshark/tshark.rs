//! tshark with the dissector, and nothing of what its user has set: its options, and what it says of a capture.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use muxado_testkit::unhex;
use tempfile::TempDir;

use crate::capture::{self, Connection, SERVER_PORT};
use crate::frames::{Frame, Said};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/wireshark/muxado.lua");

/// What the Lua of Wireshark 4.4 and later has no more is taken away: so any tshark shows that the script does without.
const WITHOUT: &str = "bit32, math.pow, unpack = nil\n";

/// A capture, and how it is to be read.
pub(crate) struct Tshark {
    folder: TempDir,
    args: Vec<String>,
}

/// What a side said, by the port of the client and whether it is the client.
pub(crate) type Found = BTreeMap<(u16, bool), Said>;

impl Tshark {
    /// Reads these connections as muxado over plain TCP.
    pub(crate) fn plain(connections: &[Connection]) -> Tshark {
        Tshark::new(connections).arg(&format!("-dtcp.port=={SERVER_PORT},muxado"))
    }

    /// Reads them as whatever tshark makes of them.
    pub(crate) fn new(connections: &[Connection]) -> Tshark {
        let tshark = Tshark { folder: folder(), args: Vec::new() };
        capture::write(&tshark.file(), connections);
        tshark
    }

    pub(crate) fn arg(mut self, arg: &str) -> Tshark {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn set(self, preference: &str, value: &str) -> Tshark {
        self.arg(&format!("-o{preference}:{value}"))
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("session.pcap")
    }

    /// What it prints with these arguments more.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let script = self.folder.path().join("muxado.lua");
        fs::write(&script, WITHOUT.to_owned() + &fs::read_to_string(SCRIPT).unwrap()).unwrap();
        let mut command = Command::new("tshark");
        #[cfg(unix)]
        as_nobody_if_root(&mut command, self.folder.path());
        let output = command
            .arg(format!("-Xlua_script:{}", script.display()))
            .arg("-r")
            .arg(self.file())
            .args(&self.args)
            .args(args)
            // Neither the preferences nor the plugins of whoever runs the tests.
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.folder.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !errors.contains("Lua"), "{errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Of each packet that `filter` lets through, these fields; of several values in a packet, all, with commas.
    pub(crate) fn fields(&self, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
        let mut args = vec!["-Y", filter, "-Tfields"];
        args.extend(fields.iter().flat_map(|field| ["-e", field]));
        let table = self.run(&args);
        table.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// Of each packet with frames in it, in turn, who sent it (S or C) and what the Info column says: as a column, since
    /// later versions double the backslashes in it where it is asked for as a field.
    pub(crate) fn infos(&self) -> Vec<String> {
        let columns = r#"-ogui.column.format:"To port","%uD","Info","%i""#;
        let table = self.run(&["-Ymuxado", "-Ttabs", columns]);
        let side = |port: &str| if port == SERVER_PORT.to_string() { 'C' } else { 'S' };
        let rows = table.lines().map(|line| line.split_once('\t').unwrap());
        rows.map(|(port, info)| format!("{} {info}", side(port))).collect()
    }

    /// All frames.
    pub(crate) fn found(&self) -> Found {
        let names = ["type", "flags", "stream", "length", "data"].map(|field| format!("muxado.{field}"));
        let fields: Vec<&str> = ["tcp.srcport", "tcp.dstport", "_ws.lua.error"]
            .into_iter()
            .chain(names.iter().map(String::as_str))
            .collect();
        let mut found = Found::new();
        for row in self.fields("muxado", &fields) {
            let [from, to] = [&row[0], &row[1]].map(|port| port.parse::<u16>().unwrap());
            assert_eq!(row[2], "", "an error of the script itself");
            let is_client = to == SERVER_PORT;
            let said = found.entry((if is_client { from } else { to }, is_client)).or_default();
            let columns: Vec<Vec<u32>> = row[3..7].iter().map(|column| numbers(column)).collect();
            for (at, &kind) in columns[0].iter().enumerate() {
                let (flags, stream, length) = (columns[1][at], columns[2][at], columns[3][at]);
                said.frames.push(Frame { kind, flags, stream, length });
            }
            row[7].split(',').for_each(|data| said.payload.extend(unhex(data)));
        }
        found
    }

    /// The rules that are said to be broken, in turn, with the client's port of each.
    pub(crate) fn broken(&self) -> Vec<(u16, String)> {
        let rules = rules();
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        let fields = [&["tcp.srcport", "tcp.dstport"], &rules[..]].concat();
        let mut broken = Vec::new();
        for row in self.fields("muxado", &fields) {
            let port = if row[1] == SERVER_PORT.to_string() { &row[0] } else { &row[1] };
            for (rule, seen) in rules.iter().zip(&row[2..]) {
                let times = if seen.is_empty() { 0 } else { seen.split(',').count() };
                let rule = rule.trim_start_matches("muxado.").to_owned();
                broken.extend(std::iter::repeat_n((port.parse().unwrap(), rule), times));
            }
        }
        broken
    }
}

/// Of a field that is true or false, the values in a packet: as numbers before Wireshark 4.2, and as words since.
pub(crate) fn truths(column: &str) -> Vec<bool> {
    let truth = |text: &str| match text {
        "1" | "True" => true,
        "0" | "False" => false,
        other => panic!("neither true nor false: {other}"),
    };
    column.split(',').map(truth).collect()
}

fn numbers(column: &str) -> Vec<u32> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).unwrap(),
        None => text.parse().unwrap(),
    };
    column.split(',').filter(|text| !text.is_empty()).map(number).collect()
}

/// A folder for what tshark is to read, whoever runs it.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// Since 4.2 Wireshark loads no script of the user's if that is root. Who made the folder is who runs the tests.
#[cfg(unix)]
fn as_nobody_if_root(command: &mut Command, folder: &Path) {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;

    const NOBODY: u32 = 65_534;
    if fs::metadata(folder).unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
}

/// The filter names of all rules that the script knows, but for what is no more than news.
fn rules() -> Vec<String> {
    let script = fs::read_to_string(Path::new(SCRIPT)).unwrap();
    let names = script.split(" = rule(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let rules: Vec<String> =
        names.filter(|name| !name.starts_with("news.")).map(|name| format!("muxado.{name}")).collect();
    assert!(rules.len() > 10, "{rules:?}");
    rules
}
