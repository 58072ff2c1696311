//! The CPF, Brazil's number of a person: nine digits and two that check them.

use std::str::FromStr;
use zeroize::Zeroizing;

/// A number whose check digits are right. It may still be nobody's.
#[derive(Clone, PartialEq, Eq)]
pub struct Cpf(Zeroizing<String>);

/// The text is no CPF; it is not repeated, because it may be nearly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a CPF has 11 digits, of which the last two check the others, such as 529.982.247-25")]
pub struct NoCpf;

impl Cpf {
    /// The eleven digits, without punctuation: one spelling per number, so that one digest stands for it.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl FromStr for Cpf {
    type Err = NoCpf;

    fn from_str(text: &str) -> Result<Self, NoCpf> {
        let plain = Zeroizing::new(unpunctuated(text).ok_or(NoCpf)?);
        let digits: Vec<u32> = plain.bytes().map(|byte| u32::from(byte - b'0')).collect();
        // 111.111.111-11 and its like pass the check, and are what people type to get on.
        let is_repeated = digits.iter().all(|digit| *digit == digits[0]);
        let is_checked = check_digit(&digits[..9]) == digits[9] && check_digit(&digits[..10]) == digits[10];
        if is_repeated || !is_checked { Err(NoCpf) } else { Ok(Self(plain)) }
    }
}

/// The digits of `ddd.ddd.ddd-dd` or of eleven digits; no other spelling is guessed at.
fn unpunctuated(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_punctuated = bytes.len() == 14 && bytes[3] == b'.' && bytes[7] == b'.' && bytes[11] == b'-';
    let is_mark = |index: usize| is_punctuated && matches!(index, 3 | 7 | 11);
    let digits: Zeroizing<Vec<u8>> =
        Zeroizing::new(bytes.iter().enumerate().filter(|(index, _)| !is_mark(*index)).map(|(_, byte)| *byte).collect());
    let is_number = digits.len() == 11 && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| digits.iter().map(|byte| char::from(*byte)).collect())
}

/// Each digit counts with its distance from the end, plus one; the sum's rest by eleven gives the digit.
fn check_digit(digits: &[u32]) -> u32 {
    let sum: u32 = digits.iter().rev().zip(2..).map(|(digit, weight)| digit * weight).sum();
    match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    }
}

impl std::fmt::Debug for Cpf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cpf([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_one_number() {
        let punctuated: Cpf = "529.982.247-25".parse().unwrap();
        assert_eq!(punctuated.digits(), "52998224725");
        assert_eq!("52998224725".parse(), Ok(punctuated));
        // Check digits that are zero because the rest is one, and because it is nought.
        for good in ["11144477735", "00000000191", "12345678909", "10000000280"] {
            assert_eq!(good.parse::<Cpf>().is_ok(), checks(good), "{good}");
        }
    }

    /// The rule as the tax office words it, for comparison.
    fn checks(text: &str) -> bool {
        let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(10)).collect();
        let digit = |upto: usize| {
            let sum: u32 = (0..upto).map(|at| digits[at] * u32::try_from(upto + 1 - at).unwrap()).sum();
            (sum * 10 % 11) % 10
        };
        digit(9) == digits[9] && digit(10) == digits[10]
    }

    #[test]
    fn the_rule_is_the_tax_offices_for_any_number() {
        for number in (0..100_000_000_u64).step_by(99_991) {
            let text = format!("{:011}", number * 997 % 100_000_000_000);
            let is_repeated = text.bytes().all(|byte| byte == text.as_bytes()[0]);
            assert_eq!(text.parse::<Cpf>().is_ok(), checks(&text) && !is_repeated, "{text}");
        }
    }

    #[test]
    fn what_is_no_cpf_is_refused_and_never_repeated() {
        for repeated in 0..10 {
            assert_eq!(repeated.to_string().repeat(11).parse::<Cpf>(), Err(NoCpf));
        }
        for bad in ["", "52998224724", "52998224735", "5299822472", "529982247255", "529982247-25", "529.982.247.25"] {
            assert_eq!(bad.parse::<Cpf>(), Err(NoCpf), "{bad}");
        }
        for bad in [" 52998224725", "529 982 247 25", "٥٢٩٩٨٢٢٤٧٢٥", "5299822472\u{0661}", "529.982.24a-25"]
        {
            assert_eq!(bad.parse::<Cpf>(), Err(NoCpf), "{bad}");
        }
        assert!(!NoCpf.to_string().contains("52998224724"));
        assert_eq!(format!("{:?}", "52998224725".parse::<Cpf>().unwrap()), "Cpf([REDACTED])");
    }
}
