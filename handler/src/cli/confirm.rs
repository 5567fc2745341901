//! Before a window is read anew: says how many rows may arrive twice, and asks.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use super::progress::Progress;
use super::{EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE};
use crate::functions::Work;
use crate::health::{Outcome, RunReport};
use crate::pipeline::{BackfillWatcher, PerhapsTwice, PullPlan, Window, WindowCount};

/// Nothing was sent when this gives an exit code.
pub async fn reading_anew(
    work: &Work,
    plans: &[&PullPlan],
    window: Window,
    is_confirmed: bool,
) -> Result<(), ExitCode> {
    let progress = Progress::without_bar();
    progress.says("the window is read once without sending anything, to see how many rows may arrive twice");
    let mut perhaps_twice = 0;
    let mut report = RunReport::default();
    for plan in plans {
        let WindowCount {
            report: of_stream,
            tables,
        } = work.poller.count_before_reading_anew(plan, window, &progress).await;
        for (table, count) in &tables {
            progress.says(&format!("{} -> {table}: {}", of_stream.stream, in_words(count)));
            perhaps_twice += count.perhaps_twice;
        }
        report.streams.push(of_stream);
    }
    if report.streams.iter().any(|stream| stream.outcome != Outcome::Done) {
        report.log();
        log::error!("nothing was sent, because the window could not be read to its end");
        let is_failed = report.failed();
        return Err(ExitCode::from(if is_failed { EXIT_FAILED } else { EXIT_INTERRUPTED }));
    }
    if perhaps_twice == 0 || is_confirmed {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        log::error!(
            "{perhaps_twice} rows may arrive twice, so nothing was sent; with --yes the window is read anew all the same"
        );
        return Err(ExitCode::from(EXIT_USAGE));
    }
    match ask(perhaps_twice).await {
        true => Ok(()),
        false => {
            log::info!("nothing was sent");
            Err(ExitCode::from(EXIT_FAILED))
        }
    }
}

fn in_words(count: &PerhapsTwice) -> String {
    let PerhapsTwice {
        events,
        known,
        perhaps_twice,
    } = count;
    format!(
        "the vendor shows {events} events; {known} are known as delivered and are not sent again, {perhaps_twice} were \
         read before and are too old to be known: so many rows may arrive twice"
    )
}

async fn ask(perhaps_twice: u64) -> bool {
    let answer = tokio::task::spawn_blocking(move || {
        let mut error_output = std::io::stderr();
        write!(
            error_output,
            "{perhaps_twice} rows may arrive twice. Read the window anew? [y/N] "
        )
        .ok()?;
        error_output.flush().ok()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok()?;
        Some(line)
    });
    let answer = answer.await.ok().flatten().unwrap_or_default();
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
