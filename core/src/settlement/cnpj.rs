//! The CNPJ, Brazil's number of a company: twelve digits or letters and two digits that check them. Letters since July 2026.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number whose check digits are right. It may still be nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cnpj(String);

/// The text is no CNPJ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a CNPJ has 12 digits or capital letters and 2 digits that check them, such as 11.222.333/0001-81 or 12.ABC.345/01DE-35"
)]
pub struct NoCnpj;

impl Cnpj {
    /// The fourteen characters, without punctuation: one spelling per number, so that one stream stands for it.
    pub fn plain(&self) -> &str {
        &self.0
    }
}

/// `11.222.333/0001-81`
impl fmt::Display for Cnpj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |from: usize, to: usize| self.0.get(from..to).unwrap_or_default();
        write!(f, "{}.{}.{}/{}-{}", part(0, 2), part(2, 5), part(5, 8), part(8, 12), part(12, 14))
    }
}

impl FromStr for Cnpj {
    type Err = NoCnpj;

    fn from_str(text: &str) -> Result<Self, NoCnpj> {
        let plain = unpunctuated(text).ok_or(NoCnpj)?;
        let values: Vec<u32> = plain.bytes().map(|byte| u32::from(byte - b'0')).collect();
        let is_formed = plain.len() == 14
            && plain.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            && plain.bytes().skip(12).all(|byte| byte.is_ascii_digit());
        if !is_formed {
            return Err(NoCnpj);
        }
        // 00.000.000/0000-00 and its like pass the check, and are what people type to get on.
        let is_repeated = values.iter().all(|value| *value == values[0]);
        let is_checked = check_digit(&values[..12]) == values[12] && check_digit(&values[..13]) == values[13];
        if is_repeated || !is_checked { Err(NoCnpj) } else { Ok(Self(plain)) }
    }
}

/// The characters of `cc.ccc.ccc/cccc-dd` or of fourteen in a row; no other spelling is guessed at.
fn unpunctuated(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_punctuated =
        bytes.len() == 18 && bytes[2] == b'.' && bytes[6] == b'.' && bytes[10] == b'/' && bytes[15] == b'-';
    let is_mark = |index: usize| is_punctuated && matches!(index, 2 | 6 | 10 | 15);
    let plain: Vec<u8> =
        bytes.iter().enumerate().filter(|(index, _)| !is_mark(*index)).map(|(_, byte)| *byte).collect();
    let is_plain = plain.len() == 14 && plain.iter().all(|byte| (b'0'..=b'Z').contains(byte));
    is_plain.then(|| plain.into_iter().map(char::from).collect())
}

/// Each character counts as its distance from `0` in ASCII, weighted 2 to 9 from the right, over and over; the sum's rest by eleven gives
/// the digit. For digits that is the rule of old.
fn check_digit(values: &[u32]) -> u32 {
    let sum: u32 = values.iter().rev().zip((2..=9).cycle()).map(|(value, weight)| value * weight).sum();
    match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    }
}

impl Serialize for Cnpj {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Cnpj {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_one_number_and_letters_are_digits() {
        let punctuated: Cnpj = "11.222.333/0001-81".parse().unwrap();
        assert_eq!((punctuated.plain(), punctuated.to_string()), ("11222333000181", "11.222.333/0001-81".to_owned()));
        assert_eq!("11222333000181".parse(), Ok(punctuated));
        // The number that the tax office explains the new form by, and the bank whose number has a root of zeros.
        for good in ["12.ABC.345/01DE-35", "12ABC34501DE35", "00.000.000/0001-91"] {
            assert!(good.parse::<Cnpj>().is_ok(), "{good}");
        }
    }

    #[test]
    fn every_wrong_check_digit_is_refused() {
        for (root, right) in [("112223330001", "81"), ("12ABC34501DE", "35")] {
            let good = (0..100)
                .map(|digits| format!("{digits:02}"))
                .filter(|digits| format!("{root}{digits}").parse::<Cnpj>().is_ok());
            assert_eq!(good.collect::<Vec<_>>(), [right]);
        }
    }

    #[test]
    fn what_is_no_cnpj_is_refused() {
        for repeated in 0..10 {
            assert_eq!(repeated.to_string().repeat(14).parse::<Cnpj>(), Err(NoCnpj));
        }
        for bad in [
            "",
            "1122233300018",
            "112223330001811",
            "11.222.333/0001.81",
            "12abc34501de35",
            "12ABC34501DE3A",
            "11 222 333 0001 81",
            "112223330001\u{0668}1",
            "11222333000:81",
        ] {
            assert_eq!(bad.parse::<Cnpj>(), Err(NoCnpj), "{bad}");
        }
    }
}
