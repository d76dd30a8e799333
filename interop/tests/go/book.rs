//! The Go in the pages of the book, found by looking at all of them, and what makes a program of each block.
//!
//! Some blocks are programs. Around any other stands what a comment before it says, which nobody sees who reads the page:
//! `<!-- go`, Go with `...` in the place of the block, `-->`. What is imported is seen from what is used.

use std::fs;
use std::path::Path;

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// What blocks may use, by the name that it has there. See interop/go/net/net.go for the first.
const PACKAGES: &[(&str, &str)] = &[
    ("net", "interop/net"),
    ("fmt", "fmt"),
    ("io", "io"),
    ("log", "log"),
    ("os", "os"),
    ("time", "time"),
    ("muxado", "golang.ngrok.com/muxado/v2"),
    ("smux", "github.com/xtaci/smux"),
];

/// A block, as a program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    /// By its page and the heading over it: `peers-a-go-server`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// All there are, in the order of their pages' names.
pub(crate) fn programs() -> Vec<Program> {
    let mut programs = Vec::new();
    look_in(Path::new(PAGES), "", &mut programs);
    programs
}

fn look_in(folder: &Path, prefix: &str, programs: &mut Vec<Program>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{prefix}{}", path.file_stem().unwrap().to_str().unwrap());
        if path.is_dir() {
            look_in(&path, &format!("{name}-"), programs);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            programs.extend(programs_of(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

fn programs_of(page: &str, text: &str) -> Vec<Program> {
    let (mut heading, mut around, mut programs) = (String::new(), None, Vec::new());
    let mut lines = text.lines();
    let until = |lines: &mut std::str::Lines<'_>, end: &str| -> String {
        lines.take_while(|line| line.trim() != end).flat_map(|line| [line, "\n"]).collect()
    };
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            heading = format!("{page}-{}", slug(line));
        } else if line == "<!-- go" {
            around = Some(until(&mut lines, "-->"));
        } else if let Some(tags) = line.trim_start().strip_prefix("```") {
            let block = until(&mut lines, "```");
            let around = around.take();
            if tags.split(',').next() == Some("go") {
                let text = whole(&block, around.as_deref()).unwrap_or_else(|why| panic!("{heading}: {why}"));
                programs.push(Program { name: heading.clone(), text });
            }
        }
    }
    programs
}

fn slug(heading: &str) -> String {
    let words = heading.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// The error says what is missing.
fn whole(block: &str, around: Option<&str>) -> Result<String, &'static str> {
    let Some(around) = around else {
        let is_program = block.starts_with("package ");
        let text = block.replacen("\t\"net\"\n", "\t\"interop/net\"\n", 1);
        return is_program.then_some(text).ok_or("no program, and no comment `<!-- go` before it");
    };
    let (before, after) = around.split_once("...\n").ok_or("no `...` in the comment before it")?;
    let body = format!("{before}{block}{after}");
    let used = PACKAGES.iter().filter(|(name, _)| uses(&body, name));
    let imports: String = used.map(|(_, path)| format!("import \"{path}\"\n")).collect();
    Ok(format!("package main\n\n{imports}\n{body}"))
}

/// Whether something of this package is named.
fn uses(text: &str, package: &str) -> bool {
    text.match_indices(&format!("{package}."))
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
}

#[test]
fn a_block_is_named_by_its_page_and_heading_and_filled_up_by_the_comment_before_it() {
    let page = "# A page\n\n```rust\nnet.none();\n```\n\n## Of `Go`\n\n<!-- go\nfunc main() {\n\t...\n}\n-->\n\n\
                ```go\nlog.Print(dialog.x)\n```\n\n## More\n```go\npackage main\n\nimport (\n\t\"net\"\n)\n```\n";
    let program = |name: &str, text: &str| Program { name: name.into(), text: text.into() };
    assert_eq!(
        programs_of("page", page),
        [
            program(
                "page-of-go",
                "package main\n\nimport \"log\"\n\nfunc main() {\n\tlog.Print(dialog.x)\n}\n"
            ),
            program("page-more", "package main\n\nimport (\n\t\"interop/net\"\n)\n"),
        ]
    );
}
