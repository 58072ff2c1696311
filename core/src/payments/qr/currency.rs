//! The numbers of currencies (ISO 4217). Assets are codes of the tenant's choosing; only some of them are currencies that have one.

/// What stands for an asset that is no currency with a number here: the number of none.
const NONE: &str = "999";

/// Currencies of South America, and those that people there hold besides.
const NUMBERS: [(&str, &str); 14] = [
    ("ARS", "032"),
    ("BOB", "068"),
    ("BRL", "986"),
    ("CHF", "756"),
    ("CLP", "152"),
    ("COP", "170"),
    ("EUR", "978"),
    ("GBP", "826"),
    ("GYD", "328"),
    ("PEN", "604"),
    ("PYG", "600"),
    ("SRD", "968"),
    ("USD", "840"),
    ("UYU", "858"),
];

/// The number of an asset.
pub fn number(asset: &str) -> &'static str {
    NUMBERS.iter().find(|(code, _)| *code == asset).map_or(NONE, |(_, number)| number)
}
