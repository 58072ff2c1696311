//! Amounts between text and minor units, exactly.
//!
//! A file writes `1.234,50`, the HTTP API writes `"1234.50"`, and everything in between
//! counts minor units in an `i128` with checked arithmetic. Nothing here rounds: a number
//! with more decimals than its asset carries is refused.

/// The most decimals the ledger carries for any asset.
pub const MAX_SCALE: u32 = 8;
/// Amounts and balances stay within this many minor units, so that they fit the ledger's storage.
pub const LIMIT: i128 = 1_000_000_000_000_000_000;

/// How a file separates decimals and groups of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// The character before the decimals.
    pub decimal: char,
    /// The character between groups of digits, where the file uses one.
    pub group: Option<char>,
}

impl Marks {
    /// What the HTTP API writes: a point, and no groups.
    pub const PLAIN: Self = Self { decimal: '.', group: None };
}

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Something else than digits, one sign, one decimal mark and the agreed group mark.
    #[error("{0:?} is not an amount")]
    Malformed(String),
    /// More decimals than the asset carries.
    #[error("{text:?} has more decimals than the {scale} that its asset carries")]
    TooPrecise {
        /// The text of the file.
        text: String,
        /// The asset's scale.
        scale: u32,
    },
    /// Beyond what the ledger stores.
    #[error("{0:?} is beyond ±10^18 minor units")]
    TooLarge(String),
}

/// A decimal number exactly as written: `mantissa / 10^decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// All digits, without the mark.
    pub mantissa: i128,
    /// How many of them are decimals.
    pub decimals: u32,
}

impl Written {
    /// Reads an optional sign, digits, and decimals. Exponents, spaces and empty parts are refused.
    pub fn parse(text: &str, marks: Marks) -> Result<Self, AmountError> {
        let malformed = || AmountError::Malformed(text.to_owned());
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = match digits.split_once(marks.decimal) {
            Some((whole, fraction)) => (whole, fraction),
            None => (digits, ""),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(malformed());
        }
        let grouped = whole.chars().filter(|c| Some(*c) != marks.group);
        let mut mantissa: i128 = 0;
        let mut digits_read = 0_usize;
        for c in grouped.chain(fraction.chars()) {
            let digit = c.to_digit(10).ok_or_else(malformed)?;
            digits_read += 1;
            mantissa = mantissa
                .checked_mul(10)
                .and_then(|m| m.checked_add(i128::from(digit)))
                .ok_or_else(|| AmountError::TooLarge(text.to_owned()))?;
        }
        if digits_read == 0 {
            return Err(malformed());
        }
        let decimals = u32::try_from(fraction.len()).map_err(|_| malformed())?;
        Ok(Self { mantissa: if negative { -mantissa } else { mantissa }, decimals })
    }

    /// The number in minor units of an asset of this scale; trailing zeros beyond it are no loss.
    pub fn minor(self, scale: u32) -> Option<i128> {
        let mut mantissa = self.mantissa;
        let mut decimals = self.decimals;
        while decimals > scale && mantissa % 10 == 0 {
            mantissa /= 10;
            decimals -= 1;
        }
        let factor = 10_i128.checked_pow(scale.checked_sub(decimals)?)?;
        mantissa.checked_mul(factor)
    }

    /// The decimals that are not trailing zeros.
    pub fn significant_decimals(self) -> u32 {
        let mut mantissa = self.mantissa;
        let mut decimals = self.decimals;
        while decimals > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            decimals -= 1;
        }
        decimals
    }
}

/// Reads a text as minor units of an asset of `scale`, within the ledger's limit.
pub fn parse_minor(text: &str, marks: Marks, scale: u32) -> Result<i128, AmountError> {
    let written = Written::parse(text, marks)?;
    let minor = written.minor(scale).ok_or_else(|| {
        if written.significant_decimals() > scale {
            AmountError::TooPrecise { text: text.to_owned(), scale }
        } else {
            AmountError::TooLarge(text.to_owned())
        }
    })?;
    if minor.abs() > LIMIT { Err(AmountError::TooLarge(text.to_owned())) } else { Ok(minor) }
}

/// Minor units as the HTTP API and journals write them.
pub fn show(minor: i128, scale: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = minor.unsigned_abs().to_string();
    let scale = scale as usize;
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GERMAN: Marks = Marks { decimal: ',', group: Some('.') };

    #[test]
    fn reads_what_files_write() {
        for (text, marks, minor) in [
            ("12.5", Marks::PLAIN, 1_250),
            ("-0.07", Marks::PLAIN, -7),
            ("+3", Marks::PLAIN, 300),
            (".5", Marks::PLAIN, 50),
            ("8.", Marks::PLAIN, 800),
            ("1.234.567,89", GERMAN, 123_456_789),
            ("1.000000", Marks::PLAIN, 100),
        ] {
            assert_eq!(parse_minor(text, marks, 2), Ok(minor), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["", "-", ".", "1e3", "1_000", "1 000", "--1", "1.2.3", "0x10", "٣"] {
            assert!(matches!(parse_minor(text, Marks::PLAIN, 2), Err(AmountError::Malformed(_))), "{text}");
        }
        assert!(matches!(parse_minor("0.001", Marks::PLAIN, 2), Err(AmountError::TooPrecise { .. })));
        assert!(matches!(parse_minor("10000000000000000.01", Marks::PLAIN, 2), Err(AmountError::TooLarge(_))));
        assert!(matches!(parse_minor(&"9".repeat(60), Marks::PLAIN, 2), Err(AmountError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn shown_amounts_read_back(minor in -LIMIT..=LIMIT, scale in 0_u32..=MAX_SCALE) {
            prop_assert_eq!(parse_minor(&show(minor, scale), Marks::PLAIN, scale), Ok(minor));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}", scale in 0_u32..=MAX_SCALE) {
            let _ = parse_minor(&text, Marks::PLAIN, scale);
        }
    }
}
