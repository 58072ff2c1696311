//! Account names as people write them, and as the ledger keeps them.
//!
//! The ledger allows `a-z 0-9 : _ . -` and keeps `%` for escapes, so that a name is one
//! plain token in a URL, a log line and an index. Files carry `Cash in hand` or `Câmbio`:
//! every other byte of the UTF-8 text, and `%` itself, travels as `%` and two lower-case
//! hex digits. Encoding is total and one-to-one; what it makes longer than
//! [`MAX_BYTES`] is refused, never cut.

/// The longest name the ledger keeps, in bytes after encoding.
pub const MAX_BYTES: usize = 255;

/// Why a name cannot be carried over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left to name.
    #[error("the account name is empty")]
    Empty,
    /// The encoded form does not fit.
    #[error("the account name {0:?} is longer than {MAX_BYTES} bytes once encoded")]
    TooLong(String),
}

/// The ledger's form of a name that people wrote.
pub fn encode(name: &str) -> Result<String, NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b':' | b'_' | b'.' | b'-') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(hex_digit(byte >> 4));
            encoded.push(hex_digit(byte & 0x0f));
        }
    }
    if encoded.len() > MAX_BYTES {
        return Err(NameError::TooLong(name.to_owned()));
    }
    Ok(encoded)
}

/// The people's form of a ledger name.
///
/// A name that this encoding did not make (a stray `%`, bytes that are no UTF-8) is given
/// back as it stands: it is still the account's name.
pub fn decode(name: &str) -> String {
    decode_bytes(name.as_bytes())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        // Escapes of letters that need none decode, but would not come back as they were.
        .filter(|decoded| encode(decoded).as_deref() == Ok(name))
        .unwrap_or_else(|| name.to_owned())
}

fn decode_bytes(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let (pair, tail) = tail.split_at_checked(2)?;
            bytes.push(hex_value(pair[0])? << 4 | hex_value(pair[1])?);
            rest = tail;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    Some(bytes)
}

fn hex_digit(value: u8) -> char {
    char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 })
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        assert_eq!(encode("assets:bank_1.sub-2").as_deref(), Ok("assets:bank_1.sub-2"));
    }

    #[test]
    fn spaces_capitals_and_other_scripts_are_escaped() {
        assert_eq!(encode("Câmbio 5%").as_deref(), Ok("%43%c3%a2mbio%205%25"));
        assert_eq!(decode("%43%c3%a2mbio%205%25"), "Câmbio 5%");
    }

    #[test]
    fn names_of_another_origin_decode_to_themselves() {
        for name in ["50%", "a%zz", "%61", "%ff", "%C3%A2"] {
            assert_eq!(decode(name), name);
        }
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        assert_eq!(encode(""), Err(NameError::Empty));
        assert!(matches!(encode(&"É".repeat(43)), Err(NameError::TooLong(_))));
        assert_eq!(encode(&"a".repeat(255)).map(|name| name.len()), Ok(255));
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in "\\PC{1,40}") {
            if let Ok(encoded) = encode(&name) {
                prop_assert!(encoded.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b":_.%-".contains(&b)));
                prop_assert_eq!(decode(&encoded), name);
            }
        }

        #[test]
        fn different_names_stay_different(a in ".{1,12}", b in ".{1,12}") {
            prop_assert_eq!(encode(&a) == encode(&b), a == b);
        }
    }
}
