//! Rust source reduced to its code: comments, string and character literals become spaces, and so do items
//! under a top-level `#[cfg(test)]`. Offsets and lines stay what they were, so findings can name them.

use std::ops::Range;

#[derive(Debug)]
pub(crate) struct Code {
    text: String,
    test_lines: usize,
}

impl Code {
    pub(crate) fn of(source: &str) -> Code {
        let mut bytes = source.as_bytes().to_vec();
        blank_literals_and_comments(&mut bytes);
        let tests = test_items(&bytes);
        let test_lines = tests.iter().map(|item| newlines(&bytes[item.clone()]) + 1).sum();
        for item in tests {
            blank(&mut bytes[item]);
        }
        Code { text: String::from_utf8_lossy(&bytes).into_owned(), test_lines }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Lines of the file without its test items.
    pub(crate) fn lines(&self) -> usize {
        self.text.lines().count().saturating_sub(self.test_lines)
    }

    /// The line, from 1, on which the byte at `offset` stands.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        newlines(&self.text.as_bytes()[..offset]) + 1
    }

    /// Identifiers, keywords and numbers with their offsets.
    pub(crate) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        let starts = self.text.char_indices().scan(false, |inside, (at, c)| {
            let starts_here = !*inside && is_word(c);
            *inside = is_word(c);
            Some((at, starts_here))
        });
        starts.filter(|(_, starts_here)| *starts_here).map(|(at, _)| (at, word_at(&self.text[at..])))
    }

    /// What stands from the first `{` after `from` to the brace that closes it. None where a `;` comes first
    /// (a declaration without a body) or an enclosing bracket ends.
    pub(crate) fn block_after(&self, from: usize) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let end = item_end(bytes, from);
        let open = from + bytes[from..end].iter().position(|&byte| byte == b'{')?;
        (bytes[end - 1] == b'}').then_some(open..end)
    }
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The word that `text` begins with; empty where it begins with something else.
pub(crate) fn word_at(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or("")
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

fn blank_literals_and_comments(bytes: &mut [u8]) {
    let mut at = 0;
    while at < bytes.len() {
        match literal_or_comment_end(bytes, at) {
            Some(end) => {
                let end = end.min(bytes.len());
                blank(&mut bytes[at..end]);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// Where the literal or comment ends that begins at `at`, if one begins there.
fn literal_or_comment_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    match rest[0] {
        b'/' if rest.starts_with(b"//") => {
            Some(at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()))
        }
        b'/' if rest.starts_with(b"/*") => Some(at + block_comment_len(rest)),
        b'"' => Some(at + string_len(rest)),
        b'r' => raw_string_len(bytes, at).map(|len| at + len),
        b'\'' => char_len(rest).map(|len| at + len),
        _ => None,
    }
}

/// Block comments nest.
fn block_comment_len(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string_len(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"…"`, `r#"…"#`, also after `b` or `c`; not the raw identifier `r#type`, nor a word that ends in r.
fn raw_string_len(bytes: &[u8], at: usize) -> Option<usize> {
    let word_bytes = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let before = bytes[..at].iter().rev().take_while(word_bytes).count();
    if !matches!(&bytes[at - before..at], b"" | b"b" | b"c") {
        return None;
    }
    let hashes = bytes[at + 1..].iter().take_while(|&&byte| byte == b'#').count();
    let text = at + 1 + hashes;
    if bytes.get(text) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let len = bytes[text + 1..].windows(close.len()).position(|window| window == close);
    Some(len.map_or(bytes.len(), |len| text + 1 + len + close.len()) - at)
}

/// A character literal; None for a lifetime.
fn char_len(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return rest.iter().skip(3).position(|&byte| byte == b'\'').map(|len| len + 4);
    }
    let first = *rest.get(1)?;
    let width = match first {
        0..=0x7F => 1,
        0x80..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    };
    (first != b'\'' && rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

/// The items that follow a `#[cfg(test)]` outside of all braces, attributes included.
fn test_items(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut items, mut depth, mut at) = (Vec::new(), 0_usize, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'#' if depth == 0 && is_cfg_test(&bytes[at..]) => {
                let end = item_end(bytes, attributes_end(bytes, at));
                items.push(at..end);
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    items
}

fn is_cfg_test(rest: &[u8]) -> bool {
    rest.starts_with(b"#[cfg(test)]") || rest.starts_with(b"#[cfg(all(test,")
}

/// The end of the attributes that begin at `at`, the white space after them included.
fn attributes_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && (bytes[at] == b'#' || bytes[at].is_ascii_whitespace()) {
        at = if bytes[at] == b'#' { attribute_end(bytes, at) } else { at + 1 };
    }
    at
}

/// The end of the one attribute that begins at `at`.
fn attribute_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in bytes[at..].iter().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' if depth <= 1 => return at + offset + 1,
            b']' => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}

/// The end of the item or statement that begins at `from`: past its `;` or its closing brace, or where the
/// bracket that surrounds it closes.
fn item_end(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in bytes[from..].iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return from + offset,
            b')' | b']' => depth -= 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return from + offset + 1;
                }
            }
            b';' if depth == 0 => return from + offset + 1,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        Code::of(source).text().to_owned()
    }

    #[test]
    fn comments_and_literals_become_spaces_of_the_same_length() {
        let cases = [
            ("a // b {", "a       "),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("a\"b{", x)"#, "f(       , x)"),
            (r###"f(r#"a"b{"#, b"c")"###, "f(         , b   )"),
            (r"m('{', b'}', '\'', '\u{7B}', 'é')", "m(   , b   ,     ,         ,     )"),
            ("/// doc {\nfn f() {}", "         \nfn f() {}"),
        ];
        for (source, expected) in cases {
            assert_eq!(code(source), expected, "{source}");
        }
    }

    #[test]
    fn lifetimes_and_raw_identifiers_are_code() {
        for source in ["fn f<'a, 'b>(x: &'a str)", "r#type = bar(r)", "'outer: loop {}"] {
            assert_eq!(code(source), source);
        }
    }

    #[test]
    fn unterminated_literals_end_with_the_file() {
        for source in ["\"abc", "r#\"abc\"", "/* abc", "'\\", "'\\n", "x\"\\"] {
            assert_eq!(code(source).len(), source.len(), "{source}");
        }
    }

    #[test]
    fn test_items_are_left_out_wherever_they_stand() {
        let source = "#[cfg(test)]\nmod tests;\nuse a::B;\n#[cfg(test)]\n#[path = \"t.rs\"]\nmod t {\n    async fn f() {}\n}\nfn g() {}\n";
        let code = Code::of(source);
        let words: Vec<&str> = code.words().map(|(_, word)| word).collect();
        assert_eq!(words, ["use", "a", "B", "fn", "g"]);
        assert_eq!(code.lines(), 2);
    }

    #[test]
    fn other_cfg_items_are_code() {
        let code = Code::of("#[cfg(not(test))]\nfn f() {}\n#[cfg(feature = \"x\")]\nfn g() {}\n");
        assert_eq!(code.lines(), 4);
        assert!(code.text().contains("fn f()") && code.text().contains("fn g()"));
    }

    #[test]
    fn a_block_ends_at_its_own_brace() {
        let code = Code::of("fn f() -> [u8; 2] { if x { '}' } else { \"}\" } } fn g();");
        let block = code.block_after(2).unwrap();
        assert!(code.text()[block.clone()].starts_with("{ if") && code.text()[block].ends_with("} }"));
        let g = code.text().find("g()").unwrap();
        assert_eq!(code.block_after(g), None);
    }

    #[test]
    fn lines_are_counted_from_one() {
        let code = Code::of("a\nb /*\n*/ c\n");
        let lines: Vec<(usize, &str)> = code.words().map(|(at, word)| (code.line_of(at), word)).collect();
        assert_eq!(lines, [(1, "a"), (2, "b"), (3, "c")]);
    }
}
