//! Progress for people: one line per step, alive on a terminal, plain in a log.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// In a log, a long step says something this often.
const QUIET: Duration = Duration::from_secs(15);
/// Width of the step's name, so that what was found stands in one column.
const NAME_WIDTH: usize = 13;

/// One step of a command; shown as unfinished until [`Step::done`].
#[derive(Debug)]
pub struct Step {
    name: &'static str,
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
}

impl Step {
    /// Begins a step and says what it is about to do.
    pub fn begin(name: &'static str, doing: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.set_prefix(format!("{name:NAME_WIDTH$}"));
            bar.set_message(doing.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { name, bar, began: Instant::now(), told: Instant::now() }
    }

    /// Says how far it is.
    pub fn tell(&mut self, doing: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(doing.to_owned());
        } else if self.told.elapsed() > QUIET {
            self.told = Instant::now();
            say(&format!("… {:NAME_WIDTH$} {doing}", self.name));
        }
    }

    /// Ends the step with what is now there.
    pub fn done(self, found: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let tenths = self.began.elapsed().as_millis() / 100;
        say(&format!("✓ {:NAME_WIDTH$} {found} ({}.{} s)", self.name, tenths / 10, tenths % 10));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take()
            && !bar.is_finished()
        {
            bar.finish_and_clear();
            say(&format!("✗ {}", self.name));
        }
    }
}

/// A line to the person. A closed pipe is no reason to stop half-way.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Asks a yes-or-no question on a terminal; an empty answer is yes.
pub fn agree(question: &str) -> bool {
    let _ = write!(std::io::stderr(), "{question} [Y/n] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    // End of input is not consent.
    std::io::stdin().read_line(&mut answer).is_ok_and(|bytes| bytes > 0)
        && matches!(answer.trim(), "" | "y" | "Y" | "yes")
}
