//! Which tests name which ids: a test names an id if its function's name has it as a word.

/// An id and the test that names it.
#[derive(Debug, PartialEq)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) test: String,
}

/// The ids in the names of the functions that stand right below `#[test]` or `#[tokio::test(...)]`.
pub(super) fn named(source: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let (true, Some(name)) = (is_test, name) {
            let test = name.split('(').next().unwrap_or(name);
            let ids = test.split('_').map(str::to_uppercase).filter(|word| is_id(word));
            found.extend(ids.map(|id| Named { id, test: test.to_owned() }));
        }
        // Inside `proptest!` a doc comment may stand between the attribute and the function.
        is_test &= line.starts_with("//");
    }
    found
}

pub(super) fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|letter| "SWBVF".contains(letter))
        && word.len() == 3
        && letters.all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_names_ids_as_words_of_its_name() {
        let source = "#[test]\nfn s10_s11_both() {}\nfn s12_a_helper() {}\n    #[tokio::test(flavor = \"x\")]\n    \
                      async fn b03_there() {}\n#[test]\n/// Why.\nfn w02_too() {}\n#[test]\nfn is10_no_id() {}\n";
        let found: Vec<_> = named(source).into_iter().map(|named| (named.id, named.test)).collect();
        let found: Vec<_> = found.iter().map(|(id, test)| (id.as_str(), test.as_str())).collect();
        assert_eq!(
            found,
            [("S10", "s10_s11_both"), ("S11", "s10_s11_both"), ("B03", "b03_there"), ("W02", "w02_too")]
        );
    }
}
