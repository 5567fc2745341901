//! Before a window is read anew: says how many rows may arrive twice, and asks.

use std::io;
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::exit_code::misused;
use super::progress::Progress;
use super::{EXIT_FAILED, EXIT_INTERRUPTED};
use crate::app::Runtime;
use crate::jobs::{BackfillWatcher, PerhapsTwice, PullPlan, WindowCount, count_before_reading_anew};
use crate::report::{LoggedTables, Outcome, RunReport, log_run};
use crate::sources::Window;
use crate::time::Shutdown;

/// Reads the window without sending anything: how many of its rows may arrive twice if it is read anew. Or the exit code,
/// if it cannot be read to its end.
pub async fn count_possible_duplicates(
    runtime: &Runtime,
    plans: &[&PullPlan],
    window: Window,
) -> Result<u64, ExitCode> {
    let progress = Progress::default();
    progress.says("the window is read once without sending anything, to see how many rows may arrive twice");
    let mut perhaps_twice = 0;
    let mut report = RunReport::default();
    let started = Instant::now();
    for plan in plans {
        let WindowCount {
            report: of_stream,
            tables,
        } = count_before_reading_anew(&runtime.context, plan, window, &progress).await;
        for (table, count) in &tables {
            progress.says(&format!("{} -> {table}: {}", of_stream.stream, in_words(count)));
            perhaps_twice += count.perhaps_twice;
        }
        report.streams.push(of_stream);
    }
    if report.streams.iter().any(|stream| stream.outcome != Outcome::Done) {
        report.took = started.elapsed();
        log_run(&report, LoggedTables::Moved);
        log::error!("nothing was sent, because the window could not be read to its end");
        let is_failed = report.failed();
        return Err(ExitCode::from(if is_failed { EXIT_FAILED } else { EXIT_INTERRUPTED }));
    }
    Ok(perhaps_twice)
}

/// Asks whether the window is to be read anew. Nothing was sent when this gives an exit code.
pub async fn ask_to_read_anew(perhaps_twice: u64, stop: &Shutdown) -> Result<(), ExitCode> {
    if !io::stdin().is_terminal() {
        return Err(misused(format!(
            "{perhaps_twice} rows may arrive twice, so nothing was sent; with --yes the window is read anew all the same"
        )));
    }
    let code = match ask(perhaps_twice, stop).await {
        Answer::Yes => return Ok(()),
        Answer::No => EXIT_FAILED,
        Answer::ToldToEnd => EXIT_INTERRUPTED,
    };
    log::info!("nothing was sent");
    Err(ExitCode::from(code))
}

/// What came of the question.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    ToldToEnd,
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

async fn ask(perhaps_twice: u64, stop: &Shutdown) -> Answer {
    let (sender, line) = oneshot::channel();
    // A thread of its own: nobody can end the reading, and the process does not wait for it.
    std::thread::spawn(move || sender.send(read_line(perhaps_twice).unwrap_or_default()));
    answered(async { line.await.unwrap_or_default() }, stop).await
}

async fn answered(line: impl Future<Output = String>, stop: &Shutdown) -> Answer {
    let line = tokio::select! {
        biased;
        () = stop.requested() => return Answer::ToldToEnd,
        line = line => line,
    };
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    }
}

fn read_line(perhaps_twice: u64) -> io::Result<String> {
    let mut error_output = io::stderr();
    write!(
        error_output,
        "{perhaps_twice} rows may arrive twice. Read the window anew? [y/N] "
    )?;
    error_output.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_yes_is_one_and_nobody_is_waited_for_once_the_process_is_to_end() {
        let stop = Shutdown::default();
        for (line, answer) in [
            ("y\n", Answer::Yes),
            (" YES ", Answer::Yes),
            ("", Answer::No),
            ("n\n", Answer::No),
        ] {
            assert_eq!(answered(async { line.to_owned() }, &stop).await, answer, "{line:?}");
        }
        let asking = stop.clone();
        tokio::spawn(async move { asking.trigger() });
        assert_eq!(answered(std::future::pending(), &stop).await, Answer::ToldToEnd);
    }
}
