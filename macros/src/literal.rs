//! The values of literal tokens.

/// The value of a string literal, plain or raw; `None` for any other literal.
pub(crate) fn string(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|&b| b == b'#').count();
        let body = raw.get(hashes..raw.len().checked_sub(hashes)?)?;
        return Some(body.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    unescape(literal.strip_prefix('"')?.strip_suffix('"')?)
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next()? {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '0' => out.push('\0'),
            'x' => {
                let hex: String = rest.by_ref().take(2).collect();
                out.push(char::from(u8::from_str_radix(&hex, 16).ok()?));
            }
            'u' => {
                let hex: String =
                    rest.by_ref().skip(1).take_while(|&c| c != '}').filter(|&c| c != '_').collect();
                out.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
            }
            // A line that goes on: the newline and the indentation after it do not count.
            '\n' | '\r' => rest = rest.as_str().trim_start().chars(),
            quoted => out.push(quoted),
        }
    }
    Some(out)
}

/// The value of an integer literal of any base: `None` if it is no integer, an error if it does not fit.
pub(crate) fn integer(literal: &str) -> Option<Result<usize, std::num::ParseIntError>> {
    let digits: String = literal.chars().filter(|&c| c != '_').collect();
    let (radix, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits.as_str()),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (value, suffix) = digits.split_at(end);
    if value.is_empty() || !(suffix.is_empty() || suffix.starts_with(['u', 'i'])) {
        return None;
    }
    Some(usize::from_str_radix(value, radix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        assert_eq!(string(r#""plain""#).as_deref(), Some("plain"));
        assert_eq!(string(r#""a\n\"\x41\u{1F_600}""#).as_deref(), Some("a\n\"A\u{1F600}"));
        assert_eq!(string("\"one \\\n    two\"").as_deref(), Some("one two"));
        assert_eq!(string(r##"r#"raw "x" \n"#"##).as_deref(), Some(r#"raw "x" \n"#));
        assert_eq!(string("r\"\"").as_deref(), Some(""));
        assert_eq!(string("b\"x\""), None);
        assert_eq!(string("12"), None);
        assert_eq!(string("'c'"), None);
    }

    #[test]
    fn integers() {
        assert_eq!(integer("4").unwrap().unwrap(), 4);
        assert_eq!(integer("1_000usize").unwrap().unwrap(), 1000);
        assert_eq!(integer("0x1f").unwrap().unwrap(), 31);
        assert_eq!(integer("0b11").unwrap().unwrap(), 3);
        assert!(integer("99999999999999999999999").unwrap().is_err());
        assert!(integer("1.5").is_none());
        assert!(integer("\"4\"").is_none());
        assert!(integer("'4'").is_none());
    }
}
