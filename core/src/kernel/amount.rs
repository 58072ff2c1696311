//! Money as whole minor units of its asset, and its one textual form.
//!
//! `rust_decimal` reads and prints, but only behind the grammar below: on its own it accepts
//! `1e3`, `1_000` and `-0` and rounds what is beyond 28 digits.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Neg;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// No balance and no amount ever leaves ± this many minor units.
pub const LIMIT: i128 = 1_000_000_000_000_000_000;

/// The finest scale of an asset.
pub const MAX_SCALE: u8 = 8;

/// A count of minor units: cents for a scale of 2. May be negative; never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Minor(i128);

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not the grammar: a plain decimal without sign (for amounts), exponent, separators or leading zeros.
    #[error("is not a plain decimal such as \"12.50\"")]
    Malformed,
    /// More decimals than the asset has.
    #[error("has more decimals than the asset's scale")]
    TooFine,
    /// Beyond 10^18 minor units.
    #[error("is above 10^18 minor units")]
    TooLarge,
    /// An amount must move something.
    #[error("must be greater than zero")]
    Zero,
}

impl Minor {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A count of minor units as it is.
    pub const fn new(units: i128) -> Self {
        Self(units)
    }

    /// The count of minor units.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// Reads an amount to move: no sign, at most the asset's decimals, greater than zero.
    pub fn parse_amount(text: &str, scale: u8) -> Result<Self, AmountError> {
        match Self::parse_unsigned(text, scale)? {
            Self(0) => Err(AmountError::Zero),
            amount => Ok(amount),
        }
    }

    /// Reads a balance or bound: zero allowed, a minus allowed, no `-0`.
    pub fn parse_balance(text: &str, scale: u8) -> Result<Self, AmountError> {
        match text.strip_prefix('-') {
            None => Self::parse_unsigned(text, scale),
            Some(digits) => match Self::parse_unsigned(digits, scale)? {
                Self(0) => Err(AmountError::Malformed),
                amount => Ok(-amount),
            },
        }
    }

    fn parse_unsigned(text: &str, scale: u8) -> Result<Self, AmountError> {
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let plain = digits(whole) && (whole == "0" || !whole.starts_with('0'));
        if !plain || !fraction.is_none_or(|f| digits(f) && f.len() <= usize::from(MAX_SCALE)) {
            return Err(AmountError::Malformed);
        }
        if fraction.is_some_and(|f| f.len() > usize::from(scale)) {
            return Err(AmountError::TooFine);
        }
        // Twenty digits before the point are far above the limit and far below Decimal's 28.
        if whole.len() > 20 {
            return Err(AmountError::TooLarge);
        }
        let mut decimal = Decimal::from_str_exact(text).map_err(|_| AmountError::TooLarge)?;
        decimal.rescale(u32::from(scale));
        let units = decimal.mantissa();
        if units > LIMIT { Err(AmountError::TooLarge) } else { Ok(Self(units)) }
    }

    /// Prints at the asset's scale: `1250` at scale 2 is `12.50`.
    pub fn to_text(self, scale: u8) -> String {
        Decimal::try_from_i128_with_scale(self.0, u32::from(scale))
            .map_or_else(|_| self.0.to_string(), |d| d.to_string())
    }

    /// The sum, as long as it stays within [`LIMIT`].
    #[must_use]
    pub fn within_limit(self, other: Self) -> Option<Self> {
        let sum = self.0.checked_add(other.0)?;
        (-LIMIT..=LIMIT).contains(&sum).then_some(Self(sum))
    }

    /// The sum without the limit: sums over legs may pass it on their way.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The difference without the limit.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }

    /// Whether nothing is moved.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The database's form. Everything stored passed [`Minor::within_limit`] before.
    pub fn to_bigint(self) -> i64 {
        i64::try_from(self.0)
            .unwrap_or_else(|_| unreachable!("{} is beyond the limit that every stored amount passed", self.0))
    }

    /// From the database's form.
    pub const fn from_bigint(units: i64) -> Self {
        Self(units as i128)
    }
}

impl Neg for Minor {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// In events: a string of minor units, since JSON numbers lose digits in many readers.
impl Serialize for Minor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Minor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Minor {
    /// A text, because a JSON number is a float to most who read it.
    fn schema() -> RefOr<Schema> {
        let text = Object::builder().schema_type(Type::String).pattern(Some("^(0|-?[1-9][0-9]{0,18})$"));
        text.description(Some("Minor units")).into()
    }
}

impl ToSchema for Minor {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_decimals_are_amounts() {
        for (text, scale, units) in
            [("12.50", 2, 1250), ("12.5", 2, 1250), ("7", 0, 7), ("0.00000001", 8, 1), ("10000000000000000", 2, LIMIT)]
        {
            assert_eq!(Minor::parse_amount(text, scale), Ok(Minor::new(units)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            ".5",
            "5.",
            "01",
            "1e3",
            "1_000",
            "-0",
            "-1",
            "+1",
            " 1",
            "1 ",
            "1,5",
            "0x1",
            "NaN",
            "١",
            "1.000000001",
            "1.2.3",
        ] {
            assert_eq!(Minor::parse_amount(text, 8), Err(AmountError::Malformed), "{text}");
        }
        assert_eq!(Minor::parse_amount("0.001", 2), Err(AmountError::TooFine));
        assert_eq!(Minor::parse_amount("0.00", 2), Err(AmountError::Zero));
        assert_eq!(Minor::parse_amount("10000000000000000.01", 2), Err(AmountError::TooLarge));
        assert_eq!(Minor::parse_amount(&"9".repeat(30), 2), Err(AmountError::TooLarge));
        assert_eq!(Minor::parse_balance("-0.00", 2), Err(AmountError::Malformed));
        assert_eq!(Minor::parse_balance("-3.10", 2), Ok(Minor::new(-310)));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(units in -LIMIT..=LIMIT, scale in 0..=MAX_SCALE) {
            prop_assert_eq!(Minor::parse_balance(&Minor::new(units).to_text(scale), scale), Ok(Minor::new(units)));
        }
    }
}
