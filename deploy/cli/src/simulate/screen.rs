//! What somebody who watches sees: one block of counts, redrawn on a terminal, and now and then a line elsewhere.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::tally::{Event, Tally};

const REDRAW: Duration = Duration::from_millis(250);
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows counts until it is dropped with its future.
pub async fn watch(tally: &Tally, name: &str, whole: Duration) {
    let (began, is_terminal) = (Instant::now(), std::io::stderr().is_terminal());
    let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(whole.as_secs()), target);
    if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} s\n{msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(name.to_owned());
    let mut tick = tokio::time::interval(if is_terminal { REDRAW } else { BETWEEN_LINES });
    loop {
        tick.tick().await;
        let elapsed = began.elapsed();
        bar.set_position(elapsed.as_secs().min(whole.as_secs()));
        bar.set_message(table(tally));
        if !is_terminal {
            eprintln!("{name}: {} of {} s: {}", elapsed.as_secs(), whole.as_secs(), line(tally));
        }
    }
}

/// One line of everything that is counted.
pub fn line(tally: &Tally) -> String {
    Event::ALL.iter().map(|event| format!("{} {}", tally.of(*event), event.as_str())).collect::<Vec<_>>().join(", ")
}

/// The same as a table, with refusals by their codes.
pub fn table(tally: &Tally) -> String {
    let mut text = String::new();
    for event in Event::ALL {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<12} {:>8}", event.as_str(), tally.of(event));
    }
    for (refusal, times) in tally.refusals() {
        let _ = writeln!(text, "  {refusal:<32} {times:>8}");
    }
    text
}
