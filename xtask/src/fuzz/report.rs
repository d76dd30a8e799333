//! What a run of libFuzzer came to, read from what it printed.

/// The figures of one run.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Report {
    pub(super) executions: u64,
    pub(super) seconds: u64,
    /// Edges of the program that were taken.
    pub(super) coverage: u64,
    /// Inputs in the corpus.
    pub(super) corpus: u64,
    /// Inputs that the corpus did not have before.
    pub(super) new: u64,
    /// The file of the input that failed, and what the target said.
    pub(super) find: Option<(String, String)>,
}

impl Report {
    /// Reads the log of a run that may have ended early.
    pub(super) fn read(log: &str) -> Report {
        let mut report = Report::default();
        let mut said = String::new();
        let mut lines = log.lines();
        while let Some(line) = lines.next() {
            if let Some(status) = line.strip_prefix('#') {
                report.executions = number(status).max(report.executions);
                report.coverage = after(status, "cov: ").max(report.coverage);
                report.corpus = after(status, "corp: ").max(report.corpus);
                report.new += u64::from(status.contains("\tNEW "));
            } else if let Some(rest) = line.strip_prefix("Done ") {
                report.executions = number(rest);
                report.seconds = after(rest, " in ");
            } else if line.contains("panicked at ") && said.is_empty() {
                said = format!("{line}\n{}", lines.next().unwrap_or_default());
            } else if let Some((_, file)) = line.split_once("Test unit written to ") {
                report.find = Some((file.to_owned(), if said.is_empty() { why(log) } else { said.clone() }));
            }
        }
        report
    }

    /// One line of a table.
    pub(super) fn row(&self, target: &str) -> String {
        let per_second = self.executions.checked_div(self.seconds).unwrap_or(0);
        format!(
            "{target:<14} {:>12} {:>9} {per_second:>10} {:>9} {:>7} {:>5} {}",
            self.executions,
            self.seconds,
            self.coverage,
            self.corpus,
            self.new,
            if self.find.is_some() { "a find" } else { "no find" }
        )
    }
}

/// The heads of the columns of [`Report::row`].
pub(super) const HEAD: &str = "target           executions   seconds executions   coverage  corpus   new\n                                      per second     edges   inputs";

/// Without a panic: a time limit or a limit of memory.
fn why(log: &str) -> String {
    let line = log.lines().find(|line| line.contains("ERROR: libFuzzer"));
    line.unwrap_or("it does not say why").to_owned()
}

fn number(text: &str) -> u64 {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

fn after(text: &str, word: &str) -> u64 {
    text.split_once(word).map_or(0, |(_, rest)| number(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Seed: 1\n\
        #985\tINITED cov: 1699 ft: 6000 corp: 400/9Kb exec/s: 300 rss: 31Mb\n\
        #2048\tNEW    cov: 1700 ft: 6001 corp: 401/9Kb lim: 4 exec/s: 0 rss: 31Mb L: 4/4 MS: 1 CrossOver-\n\
        #9000\tREDUCE cov: 1700 ft: 6001 corp: 401/8Kb lim: 4 exec/s: 0 rss: 31Mb L: 4/4 MS: 1 EraseBytes-\n";

    #[test]
    fn a_run_without_a_find() {
        let report = Report::read(&format!("{LOG}Done 84992 runs in 61 second(s)\n"));
        let expected =
            Report { executions: 84_992, seconds: 61, coverage: 1700, corpus: 401, new: 1, find: None };
        assert_eq!(report, expected);
        assert!(report.row("decode").contains("1393") && report.row("decode").ends_with("no find"));
    }

    #[test]
    fn a_run_that_found_something() {
        let crash = "thread '<unnamed>' (7) panicked at a.rs:1:2:\nwhat it says\nartifact_prefix='c/'; \
                     Test unit written to c/crash-12\n";
        let report = Report::read(&format!("{LOG}{crash}"));
        assert_eq!(report.executions, 9000);
        let (file, said) = report.find.unwrap();
        assert_eq!(file, "c/crash-12");
        assert!(said.contains("a.rs:1:2") && said.ends_with("what it says"), "{said}");
        let slow = "==1== ERROR: libFuzzer: timeout after 5 seconds\nTest unit written to c/timeout-1\n";
        assert!(Report::read(slow).find.unwrap().1.contains("timeout after 5"));
    }
}
