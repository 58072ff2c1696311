//! What pairs of times say: their medians, and how likely differences like those are where there is none, which is the
//! p-value of Wilcoxon's signed-rank test.

/// Microseconds about somebody known, and about nobody.
pub type Pair = (u64, u64);

/// What the pairs say.
pub struct Verdict {
    what: &'static str,
    pairs: usize,
    known: u64,
    unknown: u64,
    /// Millionths.
    p: u64,
}

impl Verdict {
    /// Of pairs about something.
    pub fn of(what: &'static str, pairs: &[Pair]) -> Self {
        Self {
            what,
            pairs: pairs.len(),
            known: median(pairs.iter().map(|pair| pair.0)),
            unknown: median(pairs.iter().map(|pair| pair.1)),
            p: p_value(pairs),
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, pairs, known, unknown, p } = self;
        writeln!(f, "{what}, {pairs} interleaved pairs: median {known} µs for somebody, {unknown} µs for nobody")?;
        write!(f, "p = {}.{:06}: ", p / 1_000_000, p % 1_000_000)?;
        f.write_str(if *p < 10_000 { "the times differ" } else { "no difference is seen" })
    }
}

fn median(times: impl Iterator<Item = u64>) -> u64 {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Wilcoxon's signed-rank test, two-sided, in millionths; ties share their rank. From fifty pairs on the sum of ranks is
/// close to normal.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "statistics of times, not money")]
fn p_value(pairs: &[Pair]) -> u64 {
    let mut differences: Vec<i64> =
        pairs.iter().map(|(a, b)| a.cast_signed() - b.cast_signed()).filter(|difference| *difference != 0).collect();
    differences.sort_unstable_by_key(|difference| difference.unsigned_abs());
    let n = differences.len() as f64;
    let (mut positive, mut below, mut ties) = (0.0, 0.0, 0.0);
    for equal in differences.chunk_by(|a, b| a.unsigned_abs() == b.unsigned_abs()) {
        let size = equal.len() as f64;
        let rank = below + f64::midpoint(size, 1.0);
        positive += rank * equal.iter().filter(|difference| **difference > 0).count() as f64;
        ties += size * (size * size - 1.0);
        below += size;
    }
    let (mean, variance) = (n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0);
    if variance <= 0.0 {
        return 1_000_000;
    }
    millionths(two_tails((positive - mean).abs() / variance.sqrt()))
}

/// How likely a normal deviation of at least so many sigmas is: Abramowitz and Stegun 7.1.26, within 1.5e-7.
#[expect(clippy::float_arithmetic, reason = "statistics of times, not money")]
fn two_tails(sigmas: f64) -> f64 {
    let x = sigmas / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    series.into_iter().fold(0.0, |sum, term| (sum + term) * t) * (-x * x).exp()
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number from 0 to 1"
)]
fn millionths(p: f64) -> u64 {
    (p.clamp(0.0, 1.0) * 1e6).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tails_are_those_of_the_table() {
        for (sigmas, p) in [(0.0, 1_000_000), (1.0, 317_311), (1.96, 49_996), (2.576, 9_995), (3.291, 998)] {
            assert!(millionths(two_tails(sigmas)).abs_diff(p) <= 1, "{sigmas}");
        }
    }

    #[test]
    fn what_is_slower_is_noticed_and_noise_is_not() {
        // A noise without a pattern in the pairs: squares in a prime field.
        let noise = |number: u64| number * number % 101;
        let same: Vec<Pair> = (0..1_000).map(|n| (500 + noise(n), 500 + noise(n + 500))).collect();
        let slower: Vec<Pair> = same.iter().map(|(known, unknown)| (known + 10, *unknown)).collect();
        assert!(p_value(&same) > 100_000, "{}", p_value(&same));
        assert!(p_value(&slower) < 1_000, "{}", p_value(&slower));
        assert_eq!(p_value(&vec![(7, 7); 100]), 1_000_000);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3, 1, 2].into_iter()), 2);
        assert_eq!(median(std::iter::empty()), 0);
    }
}
