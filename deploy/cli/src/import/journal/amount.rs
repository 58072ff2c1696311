//! Amounts as journals write them: `-10.00 USD`, `$-5`, `1.234,56 EUR`, `3 "CHF 2020"`.

use std::collections::BTreeMap;

use super::syntax::Quantity;
use crate::money::{Marks, Written};

/// What the journal has said about how amounts are written.
#[derive(Debug, Default)]
pub struct Styles {
    /// The decimal mark of `decimal-mark`, for every commodity.
    pub decimal_mark: Option<char>,
    /// The decimal mark that a commodity's directive shows.
    pub by_commodity: BTreeMap<String, char>,
    /// The commodity of amounts that name none (`D`).
    pub default_commodity: Option<String>,
}

/// Reads one amount; the error is a sentence without the place.
pub fn parse(text: &str, styles: &Styles) -> Result<Quantity, String> {
    let malformed = || format!("{text:?} is not an amount");
    let (sign, rest) = take_sign(text.trim());
    let (before, rest) = take_commodity(rest).ok_or_else(malformed)?;
    let (inner_sign, rest) = take_sign(rest.trim_start());
    let (number, rest) = take_number(rest);
    let (after, rest) = take_commodity(rest.trim_start()).ok_or_else(malformed)?;
    if number.is_empty() || !rest.trim().is_empty() || (before.is_some() && after.is_some()) {
        return Err(malformed());
    }
    let negative = match (sign, inner_sign) {
        (Some(_), Some(_)) => return Err(malformed()),
        (Some(sign), None) | (None, Some(sign)) => sign == '-',
        (None, None) => false,
    };
    let commodity = before
        .or(after)
        .or_else(|| styles.default_commodity.clone())
        .ok_or_else(|| format!("the amount {text:?} names no commodity"))?;
    let marks = marks(number, &commodity, styles)?;
    let mut written = Written::parse(number, marks).map_err(|error| error.to_string())?;
    if negative {
        written.mantissa = -written.mantissa;
    }
    Ok(Quantity { commodity, number: written })
}

/// The decimal mark that an amount shows beyond doubt; what a directive's sample is read for.
pub fn shown_mark(text: &str) -> Option<char> {
    text.rfind([',', '.']).and_then(|at| text[at..].chars().next())
}

/// Which mark is which in this number.
fn marks(number: &str, commodity: &str, styles: &Styles) -> Result<Marks, String> {
    let declared = styles.by_commodity.get(commodity).copied().or(styles.decimal_mark);
    if let Some(decimal) = declared {
        return Ok(Marks { decimal, group: Some(if decimal == '.' { ',' } else { '.' }) });
    }
    let points = number.matches('.').count();
    let commas = number.matches(',').count();
    match (points, commas) {
        (0 | 1, 0) => Ok(Marks::PLAIN),
        // Three digits after a lone comma are a thousand to some and a thousandth to others.
        (0, 1) if number.split(',').nth(1).is_some_and(|tail| tail.len() == 3) => {
            Err(format!("{number:?} can be read in two ways; add a `commodity` or `decimal-mark` directive"))
        }
        (0, 1) => Ok(Marks { decimal: ',', group: None }),
        (_, 0) => Ok(Marks { decimal: ',', group: Some('.') }),
        (0, _) => Ok(Marks { decimal: '.', group: Some(',') }),
        _ if shown_mark(number) == Some(',') => Ok(Marks { decimal: ',', group: Some('.') }),
        _ => Ok(Marks { decimal: '.', group: Some(',') }),
    }
}

fn take_sign(text: &str) -> (Option<char>, &str) {
    match text.chars().next() {
        Some(sign @ ('-' | '+')) => (Some(sign), text[1..].trim_start()),
        _ => (None, text),
    }
}

fn take_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    text.split_at(end)
}

/// A quoted or bare symbol; outer `None` is a quote that never closes.
fn take_commodity(text: &str) -> Option<(Option<String>, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (symbol, rest) = quoted.split_once('"')?;
        return Some((Some(symbol.to_owned()), rest));
    }
    let end = text.find(|c: char| c.is_ascii_digit() || c.is_whitespace() || "+-.,;@*=(){}[]\"".contains(c));
    let (symbol, rest) = text.split_at(end.unwrap_or(text.len()));
    Some(((!symbol.is_empty()).then(|| symbol.to_owned()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, i128, u32) {
        let quantity = parse(text, &Styles::default()).unwrap();
        (quantity.commodity, quantity.number.mantissa, quantity.number.decimals)
    }

    #[test]
    fn symbols_stand_on_either_side() {
        for text in ["-10.00 USD", "USD -10.00", "-USD 10.00", "-10.00USD", "USD-10.00", "- 10.00 USD"] {
            assert_eq!(read(text), ("USD".to_owned(), -1000, 2), "{text}");
        }
        assert_eq!(read("R$5,5"), ("R$".to_owned(), 55, 1));
        assert_eq!(read("3 \"ACME 2020\""), ("ACME 2020".to_owned(), 3, 0));
    }

    #[test]
    fn marks_are_told_apart() {
        assert_eq!(read("1,234,567.89 USD").1, 123_456_789);
        assert_eq!(read("1.234.567,89 EUR").1, 123_456_789);
        assert_eq!(read("1,234,567 USD").1, 1_234_567);
        assert_eq!(read("0,5 EUR").1, 5);
        assert!(parse("1,000 EUR", &Styles::default()).unwrap_err().contains("two ways"));
        let styles = Styles { decimal_mark: Some(','), ..Styles::default() };
        assert_eq!(parse("1.000 EUR", &styles).unwrap().number, Written { mantissa: 1000, decimals: 0 });
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "USD", "1e3 USD", "1 USD 2", "--1 USD", "-USD-1", "USD 1 EUR", "\"USD 1", "1.2.3,4,5 USD", "5"]
        {
            assert!(parse(text, &Styles::default()).is_err(), "{text}");
        }
    }
}
