//! Whether an answer's time tells who exists: each question asked about somebody known and about nobody, in pairs.
//!
//! Both must be the same answer, and must take the same time. Times are noisy, so what is printed is how likely
//! differences like those measured are where there is none: the p-value of Wilcoxon's signed-rank test.

use clap::Args;
use serde_json::Value;
use vintem_core::access::ClientSecret;
use vintem_core::event_store::fresh::new_id;

use super::BenchError;
use super::ground::TENANT;
use crate::client::{Connection, Knock, Knocked};
use crate::progress::Progress;
use crate::stack::{Stack, first};

/// Asked before anything is counted: connections are opened and caches filled.
const WARM_UP: u32 = 20;

/// How often to ask, and whom.
#[derive(Debug, Args)]
pub struct Oracle {
    /// Pairs of questions.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(50..=20_000))]
    pairs: u32,
}

/// Runs the command.
pub async fn command(args: Oracle) -> Result<(), BenchError> {
    let stack = Stack::load()?;
    let made = first::client_of(&stack, TENANT, first::SHARD, [format!("oracle {}", new_id().simple())]).await?;
    let connection = Connection {
        url: Some(stack.url()),
        ca: Some(stack.folder().authority()),
        client_id: Some(made.names.client_id.clone()),
        client_secret_file: None,
        identity: None,
    };
    let pairs = ask(&Knock::at(&connection)?, &made.names.client_id, args.pairs).await?;
    println!("{}", Verdict::of(&pairs));
    Ok(())
}

/// Microseconds about somebody known, and about nobody.
type Pair = (u64, u64);

/// A wrong secret of a client that exists and one of a client that does not, in alternating order.
async fn ask(door: &Knock, known: &str, pairs: u32) -> Result<Vec<Pair>, BenchError> {
    let mut progress = Progress::start("pairs", u64::from(pairs));
    let mut times = Vec::new();
    for number in 0..WARM_UP + pairs {
        let nobody = new_id().to_string();
        let (known, unknown) = if number % 2 == 0 {
            let known = refused(door, known).await?;
            (known, refused(door, &nobody).await?)
        } else {
            let unknown = refused(door, &nobody).await?;
            (refused(door, known).await?, unknown)
        };
        if known.1 != unknown.1 {
            return Err(BenchError::Usage("the two answers differ in more than their time".into()));
        }
        if number >= WARM_UP {
            times.push((known.0, unknown.0));
            progress.add(1);
        }
    }
    progress.finish();
    Ok(times)
}

/// How long a refusal took, and what it said but for its trace.
async fn refused(door: &Knock, client: &str) -> Result<(u64, Value), BenchError> {
    // A secret of the right form, so that it is compared and not only looked at.
    let Knocked { status, mut body, took } = door.with(client, ClientSecret::generate().reveal()).await?;
    if let Some(members) = body.as_object_mut() {
        members.remove("trace_id");
    }
    match status {
        401 => Ok((u64::try_from(took.as_micros()).unwrap_or(u64::MAX), body)),
        429 => Err(BenchError::Usage(
            "the API limits this address; exempt it, or the limit is what would be measured".into(),
        )),
        other => Err(BenchError::Usage(format!("a wrong secret was answered {other}"))),
    }
}

/// What the pairs say.
struct Verdict {
    pairs: usize,
    known: u64,
    unknown: u64,
    /// Millionths.
    p: u64,
}

impl Verdict {
    fn of(pairs: &[Pair]) -> Self {
        Self {
            pairs: pairs.len(),
            known: median(pairs.iter().map(|pair| pair.0)),
            unknown: median(pairs.iter().map(|pair| pair.1)),
            p: p_value(pairs),
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pairs, known, unknown, p } = self;
        writeln!(
            f,
            "a wrong secret, {pairs} interleaved pairs: median {known} µs for a client, {unknown} µs for nobody"
        )?;
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
