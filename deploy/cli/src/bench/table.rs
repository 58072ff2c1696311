//! The one table. Figures are whole numbers divided at the end, so that none of them is a float.

use std::fmt::Write as _;

use super::ceiling::Ceiling;
use super::tally::Tally;
use crate::stack::gauge::{SERVICES, Usage};

/// Codes told by name; more are only counted.
const CODES_SHOWN: usize = 3;

/// What one group of a case came to.
#[derive(Debug, Clone)]
pub struct Line {
    /// The case, and which of its groups.
    pub name: String,
    /// How many clients.
    pub clients: usize,
    /// Items of a request.
    pub batch: u32,
    /// How many shards were written, to be held against as many bare writers.
    pub shards: usize,
    /// What was answered.
    pub tally: Tally,
    /// What the processes used for all groups of the case together, and for how many items.
    pub usage: Option<(Usage, u64)>,
}

/// The head of the table.
pub fn head(has_usage: bool, has_ceiling: bool) -> String {
    let mut text = format!(
        "{:<22} {:>7} {:>6} {:>9} {:>8} {:>8} {:>8} {:>8}",
        "case", "clients", "batch", "items/s", "p50 ms", "p95 ms", "p99 ms", "max ms"
    );
    if has_usage {
        // Writing into a string cannot fail.
        let _ = write!(text, " {:>7}", "client");
        for service in SERVICES {
            let _ = write!(text, " {service:>8}");
        }
        let _ = write!(text, " {:>7} {:>7} {:>6} {:>6}", "WAL B", "table B", "idle %", "lock %");
    }
    if has_ceiling {
        let _ = write!(text, " {:>7}", "ceiling");
    }
    text + "  refused and failed"
}

/// One line of it.
pub fn line(line: &Line, has_usage: bool, ceiling: Option<&Ceiling>) -> String {
    let Line { name, clients, batch, shards, tally, usage } = line;
    let mut text = format!("{name:<22} {clients:>7} {batch:>6} {:>9}", tally.rate());
    let latencies = tally.latencies();
    let shown = latencies.map_or([None; 4], |found| [found.p50, found.p95, found.p99, found.max].map(Some));
    for microseconds in shown {
        let _ = write!(text, " {:>8}", or_dash(microseconds.map(|value| thousandths(u64::from(value)))));
    }
    if has_usage {
        let usage = usage.as_ref().filter(|(_, items)| *items > 0);
        // Milliseconds per item are seconds per thousand items.
        let per_thousand = |ms: u64, items: &u64| thousandths(ms.saturating_mul(1_000) / items);
        let client = usage.map(|(used, items)| per_thousand(used.client_ms, items));
        let _ = write!(text, " {:>7}", or_dash(client));
        for index in 0..SERVICES.len() {
            let service = usage.map(|(used, items)| per_thousand(used.services_ms[index], items));
            let _ = write!(text, " {:>8}", or_dash(service));
        }
        for width in [|used: &Usage| used.wal_bytes, |used: &Usage| used.table_bytes] {
            let _ = write!(text, " {:>7}", or_dash(usage.map(|(used, items)| (width(used) / items).to_string())));
        }
        for spent in [|used: &Usage| used.writer_us.idle, |used: &Usage| used.writer_us.lock] {
            let share = usage.and_then(|(used, _)| (spent(used) * 100).checked_div(used.writer_us.all));
            let _ = write!(text, " {:>6}", or_dash(share.map(|share| share.to_string())));
        }
    }
    if let Some(ceiling) = ceiling {
        let _ = write!(text, " {:>7}", ratio(tally.rate(), ceiling.best(*shards)));
    }
    text + "  " + &codes(tally)
}

fn codes(tally: &Tally) -> String {
    let mut codes: Vec<_> = tally.codes.iter().collect();
    codes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let told = codes.iter().take(CODES_SHOWN).map(|(code, count)| format!("{code} {count}"));
    let rest: u64 = codes.iter().skip(CODES_SHOWN).map(|(_, count)| **count).sum();
    told.chain((rest > 0).then(|| format!("others {rest}"))).collect::<Vec<_>>().join(", ")
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

/// `12345` is `12.345`.
pub fn thousandths(value: u64) -> String {
    format!("{}.{:03}", value / 1_000, value % 1_000)
}

/// A quotient with two decimals.
pub fn ratio(part: u64, whole: u64) -> String {
    let hundredths = part.saturating_mul(100).checked_div(whole).unwrap_or_default();
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::gauge::WriterTimes;
    use std::time::Duration;

    #[test]
    fn head_and_lines_have_the_same_columns() {
        let mut tally = Tally::default();
        tally.answered(1_000, Duration::from_micros(12_345));
        tally.count("insufficient-funds");
        tally.close(Duration::from_secs(1));
        let writer_us = WriterTimes { idle: 30, lock: 10, all: 200 };
        let used = Usage {
            client_ms: 20,
            services_ms: [0, 100, 0, 50, 0],
            wal_bytes: 600_000,
            table_bytes: 500_000,
            writer_us,
        };
        let made =
            Line { name: "single 1".into(), clients: 1, batch: 1_000, shards: 1, tally, usage: Some((used, 1_000)) };
        let (head, line) = (head(true, false), line(&made, true, None));
        assert_eq!(head.find("  refused"), line.find("  insufficient-funds 1"), "{head}\n{line}");
        for shown in ["1000      1000   12.345", " 0.020 ", " 0.100 ", " 600 ", " 500     15      5"] {
            assert!(line.contains(shown), "{line}");
        }
        assert_eq!((ratio(3, 4), ratio(1, 0), thousandths(1_020)), ("0.75".into(), "0.00".into(), "1.020".into()));
    }
}
