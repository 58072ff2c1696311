//! How far a long command has come: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vintem_core::verify;

/// Lines in a log every so often are enough to see that something moves.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Counts towards a total and shows it, with the rate and the time left.
pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    started: Instant,
    next_line: Option<Instant>,
}

impl Progress {
    /// Begins to count `total` of `what` (a plural).
    pub fn start(what: &'static str, total: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) =
            ProgressStyle::with_template("{msg:>10} [{wide_bar}] {human_pos}/{human_len}  {per_sec}  {eta} left")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        let started = Instant::now();
        Self { bar, what, started, next_line: (!terminal).then(|| started + BETWEEN_LINES) }
    }

    /// `count` more are done.
    pub fn add(&mut self, count: u64) {
        self.bar.inc(count);
        let now = Instant::now();
        if self.next_line.is_some_and(|next| now >= next) {
            self.next_line = Some(now + BETWEEN_LINES);
            let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
            let rate = per_second(done, self.started.elapsed());
            let left = (total.saturating_sub(done)).checked_div(rate).unwrap_or_default();
            eprintln!("{}: {done} of {total}, {rate} per second, {left} s left", self.what);
        }
    }

    /// Whether all of them are done.
    fn is_complete(&self) -> bool {
        self.bar.length().is_some_and(|total| self.bar.position() >= total)
    }

    /// Clears the bar and gives the time it took.
    pub fn finish(self) -> Duration {
        self.bar.finish_and_clear();
        self.started.elapsed()
    }
}

/// One bar per pass, one after the other.
#[derive(Default)]
pub struct Shown(Option<Progress>);

impl verify::Progress for Shown {
    fn begin(&mut self, what: &'static str, total: u64) {
        self.finish();
        self.0 = (total > 0).then(|| Progress::start(what, total));
    }

    fn add(&mut self, count: u64) {
        if let Some(progress) = &mut self.0 {
            progress.add(count);
            if progress.is_complete() {
                self.finish();
            }
        }
    }
}

impl Shown {
    /// Clears the last bar.
    pub fn finish(&mut self) {
        if let Some(progress) = self.0.take() {
            progress.finish();
        }
    }
}

/// How many a second, in whole numbers.
pub fn per_second(count: u64, elapsed: Duration) -> u64 {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1000) / milliseconds
}
