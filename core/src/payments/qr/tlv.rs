//! Elements of a code: two digits of tag, two of length, and so many characters; some of them hold elements themselves.

use super::checksum;
use std::fmt::Write as _;

/// As long as the specification lets a code be.
const MOST_CHARS: usize = 512;
/// As many characters as two digits count.
const MOST_VALUE: usize = 99;
/// The first element, and the only version that there is.
const FORMAT: (u8, &str) = (0, "01");
/// The last one.
const CHECKSUM: u8 = 63;

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// 0 to 99.
    pub tag: u8,
    /// What it says.
    pub value: Value,
}

/// What an element says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Characters. Their number is what the length counts, and not their bytes.
    Text(String),
    /// Elements, in a tag that is set apart for them. Theirs are texts.
    Template(Vec<(u8, String)>),
}

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    /// Not elements as they are specified.
    #[error("the text is no payment code")]
    Malformed,
    /// Elements, and a checksum of others.
    #[error("the checksum of the payment code is wrong: it was read or copied wrongly")]
    Checksum,
}

/// What cannot be said in a code: too long a value, a tag out of range or twice, a template where none stands, control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this does not fit into a payment code")]
pub struct Unsayable;

impl Element {
    /// A text.
    pub fn text(tag: u8, value: impl Into<String>) -> Self {
        Self { tag, value: Value::Text(value.into()) }
    }

    /// A template.
    pub fn template(tag: u8, elements: Vec<(u8, String)>) -> Self {
        Self { tag, value: Value::Template(elements) }
    }
}

/// Whether a tag holds elements: merchant accounts, additional data, the other language, and what is left to everybody.
fn is_template(tag: u8) -> bool {
    matches!(tag, 26..=51 | 62 | 64 | 80..=99)
}

/// Writes what stands between format and checksum, and both.
pub fn encode(elements: &[Element]) -> Result<String, Unsayable> {
    let mut text = String::with_capacity(256);
    put(&mut text, FORMAT.0, FORMAT.1)?;
    let mut seen = vec![FORMAT.0, CHECKSUM];
    for Element { tag, value } in elements {
        take(&mut seen, *tag).ok_or(Unsayable)?;
        match value {
            Value::Text(value) if !is_template(*tag) => put(&mut text, *tag, value)?,
            Value::Template(elements) if is_template(*tag) => put(&mut text, *tag, &template(elements)?)?,
            Value::Text(_) | Value::Template(_) => return Err(Unsayable),
        }
    }
    // Writing to a string does not fail.
    let _ = write!(text, "{CHECKSUM:02}04");
    let checksum = checksum::of(text.as_bytes());
    let _ = write!(text, "{checksum:04X}");
    if text.chars().count() > MOST_CHARS { Err(Unsayable) } else { Ok(text) }
}

fn template(elements: &[(u8, String)]) -> Result<String, Unsayable> {
    let (mut text, mut seen) = (String::new(), Vec::new());
    for (tag, value) in elements {
        take(&mut seen, *tag).ok_or(Unsayable)?;
        put(&mut text, *tag, value)?;
    }
    Ok(text)
}

fn put(text: &mut String, tag: u8, value: &str) -> Result<(), Unsayable> {
    let length = value.chars().count();
    if tag > 99 || length > MOST_VALUE || value.chars().any(char::is_control) {
        return Err(Unsayable);
    }
    // Writing to a string does not fail.
    let _ = write!(text, "{tag:02}{length:02}{value}");
    Ok(())
}

/// Notes a tag; `None` when it was there.
fn take(seen: &mut Vec<u8>, tag: u8) -> Option<()> {
    if seen.contains(&tag) {
        return None;
    }
    seen.push(tag);
    Some(())
}

/// Reads what stands between format and checksum.
pub fn decode(text: &str) -> Result<Vec<Element>, NoCode> {
    let elements = elements(text).ok_or(NoCode::Malformed)?;
    // The elements end in four characters, each of one byte.
    let (said, checksum) = text.split_at(text.len() - 4);
    let is_right = format!("{:04X}", checksum::of(said.as_bytes())) == checksum;
    if is_right { Ok(elements) } else { Err(NoCode::Checksum) }
}

fn elements(text: &str) -> Option<Vec<Element>> {
    if text.chars().count() > MOST_CHARS || text.chars().any(char::is_control) {
        return None;
    }
    let mut flat = split(text)?;
    let (last, last_value) = flat.pop()?;
    let is_checksum = last == CHECKSUM && last_value.len() == 4 && last_value.bytes().all(|b| b.is_ascii_hexdigit());
    let is_ours = flat.first().is_some_and(|(tag, value)| (*tag, value.as_str()) == FORMAT);
    if !is_checksum || !is_ours || flat.iter().any(|(tag, _)| *tag == CHECKSUM) {
        return None;
    }
    let read = |(tag, value): (u8, String)| {
        let value = if is_template(tag) { Value::Template(split(&value)?) } else { Value::Text(value) };
        Some(Element { tag, value })
    };
    flat.into_iter().skip(1).map(read).collect()
}

/// Elements without a rest, each tag once.
fn split(text: &str) -> Option<Vec<(u8, String)>> {
    let (mut elements, mut seen, mut rest) = (Vec::new(), Vec::new(), text);
    while !rest.is_empty() {
        let tag = two_digits(&mut rest)?;
        let length = usize::from(two_digits(&mut rest)?);
        let end = rest.char_indices().map(|(at, _)| at).chain([rest.len()]).nth(length)?;
        let (value, after) = rest.split_at(end);
        take(&mut seen, tag)?;
        elements.push((tag, value.to_owned()));
        rest = after;
    }
    Some(elements)
}

fn two_digits(rest: &mut &str) -> Option<u8> {
    let digits = rest.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    *rest = rest.get(2..)?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::path::{Path, PathBuf};

    /// A published code, and what is known of it.
    #[derive(Deserialize)]
    struct Sample {
        payload: String,
        crc_valid: bool,
        tlv_ok: bool,
        pix: bool,
    }

    /// Third-party codes, read from the folder that `VINTEM_VECTORS` names; skipped when they are not there.
    #[test]
    fn the_published_codes_where_they_are_at_hand() {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
        let folder = std::env::var_os("VINTEM_VECTORS").map_or_else(beside, PathBuf::from);
        let Ok(text) = std::fs::read_to_string(folder.join("emv_qr_brcode_samples.json")) else {
            eprintln!("skipped: no vectors in {}", folder.display());
            return;
        };
        let samples: Vec<Sample> = serde_json::from_str(&text).unwrap();
        assert!(samples.len() >= 30);
        for Sample { payload, crc_valid, tlv_ok, pix } in samples {
            let read = decode(&payload);
            let expected = match (tlv_ok, crc_valid) {
                (false, _) => Some(NoCode::Malformed),
                (true, false) => Some(NoCode::Checksum),
                (true, true) => None,
            };
            assert_eq!(read.as_ref().err().copied(), expected, "{payload}");
            let Ok(elements) = read else { continue };
            let is_account = |element: &Element| match &element.value {
                Value::Template(inner) => {
                    (26..=51).contains(&element.tag) && inner.contains(&(0, "br.gov.bcb.pix".to_owned()))
                }
                Value::Text(_) => false,
            };
            assert_eq!(elements.iter().any(is_account), pix, "{payload}");
            assert_eq!(encode(&elements).unwrap(), payload);
        }
    }

    #[test]
    fn lengths_count_characters_and_not_bytes() {
        let language = Element::template(64, vec![(0, "ZH".to_owned()), (1, "最佳运输".to_owned())]);
        let text = encode(std::slice::from_ref(&language)).unwrap();
        assert!(text.starts_with("00020164140002ZH0104最佳运输6304"), "{text}");
        assert_eq!(decode(&text), Ok(vec![language]));
    }

    #[test]
    fn what_is_not_quite_a_code_is_none() {
        let text = encode(&[Element::text(1, "12"), Element::template(26, vec![(0, "x".to_owned())])]).unwrap();
        assert!(decode(&text).is_ok());
        assert_eq!(decode(&text.replace("0102", "0202").replace("12", "13")), Err(NoCode::Checksum));
        let lower = text.to_lowercase();
        assert!(lower == text || decode(&lower) == Err(NoCode::Checksum));
        for bad in [
            "",
            "00",
            "000201",
            "0002016304",
            "630400000002",
            "00020163041D3",
            "00020163041D3Z",
            "+0+2+1",
            "é0020163041D3D",
        ] {
            assert_eq!(decode(bad), Err(NoCode::Malformed), "{bad}");
        }
        let with = |said: &str| {
            let said = format!("{said}6304");
            format!("{said}{:04X}", checksum::of(said.as_bytes()))
        };
        assert!(decode(&with("000201")).is_ok());
        assert!(decode(&with("0002018000")).is_ok(), "an empty template holds nothing");
        for bad in [
            "000202",
            "010212000201",
            "00020101021201021",
            "0002010102120102",
            "000201010212010212",
            "0002012604000",
            "00020126060001a1",
        ] {
            assert_eq!(decode(&with(bad)), Err(NoCode::Malformed), "{bad}");
        }
        assert_eq!(decode(&with(&format!("000201{}", "8000".repeat(200)))), Err(NoCode::Malformed));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let long = "x".repeat(100);
        for bad in [
            vec![Element::text(59, long.clone())],
            vec![Element::text(59, "a\nb")],
            vec![Element::text(100, "a")],
            vec![Element::text(0, "01")],
            vec![Element::text(63, "0000")],
            vec![Element::text(59, "a"), Element::text(59, "b")],
            vec![Element::text(26, "a")],
            vec![Element::template(59, Vec::new())],
            vec![Element::template(26, vec![(0, "x".repeat(96))])],
            vec![Element::template(26, vec![(0, "x".to_owned()), (0, "y".to_owned())])],
            (2..26).map(|tag| Element::text(tag, "x".repeat(99))).collect(),
        ] {
            assert_eq!(encode(&bad), Err(Unsayable), "{bad:?}");
        }
    }

    fn any_elements() -> impl Strategy<Value = Vec<Element>> {
        let text = "\\PC{0,12}";
        let texts = btree_map(prop_oneof![1_u8..=25, 52_u8..=61, Just(65)], text, 0..6);
        let inner = btree_map(0_u8..=99, text, 0..4);
        let templates = btree_map(prop_oneof![26_u8..=51, Just(62), Just(64), 80_u8..=99], inner, 0..4);
        let elements = (texts, templates).prop_map(|(texts, templates)| {
            let texts = texts.into_iter().map(|(tag, value)| Element::text(tag, value));
            let templates =
                templates.into_iter().map(|(tag, inner)| Element::template(tag, inner.into_iter().collect()));
            texts.chain(templates).collect::<Vec<_>>()
        });
        elements.prop_shuffle()
    }

    proptest! {
        #[test]
        fn what_was_written_reads_as_it_was(elements in any_elements()) {
            let text = encode(&elements).unwrap();
            prop_assert_eq!(decode(&text), Ok(elements));
        }

        #[test]
        fn whatever_is_read_is_written_the_same_and_nothing_panics(text in "\\PC{0,80}", digits in vec(0_u8..=99, 0..20)) {
            let digits: Vec<String> = digits.iter().map(|two| format!("{two:02}")).collect();
            for text in [text.clone(), digits.concat(), format!("000201{text}6304FFFF")] {
                if let Ok(elements) = decode(&text) {
                    prop_assert_eq!(encode(&elements), Ok(text));
                }
            }
        }
    }
}
