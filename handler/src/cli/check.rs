//! `handler check`

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::StreamExt;

use super::exit_code::{CommandEnd, code_of};
use super::prepare::usable_settings;
use crate::app::{Check, Finding, RuntimeProvider, Severity};
use crate::config::Environment;
use crate::state::Holder;
use crate::time::{Deadline, Shutdown};

/// All in all; resolving Key Vault references is a part of it.
const LONGEST: Duration = Duration::from_secs(30);

/// What follows `check`.
#[derive(Args, Debug)]
pub struct CheckArguments {}

/// A line for every part, on the standard output. Exit 0 if all is fine, 1 if something failed, 64 for bad settings.
pub async fn run(environment: Arc<Environment>, _: CheckArguments) -> CommandEnd {
    let deadline = Deadline::after(LONGEST);
    let provider = RuntimeProvider::new(environment, Holder::of_command("check"), Shutdown::default());
    let settings = usable_settings(&provider).await?;
    let mut tally = Tally::default();
    let runtime = match provider.runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            tally.tell(&Finding {
                severity: Severity::Failed,
                subject: error.part().to_owned(),
                text: format!("{error}. Nothing else can be tried before that"),
            });
            return tally.end();
        }
    };
    let check = Check {
        settings,
        runtime,
        provider,
    };
    let mut findings = std::pin::pin!(check.run(deadline));
    while let Some(findings) = findings.next().await {
        findings.iter().for_each(|finding| tally.tell(finding));
    }
    tally.end()
}

#[derive(Default)]
struct Tally {
    fine: usize,
    untried: usize,
    attention: usize,
    failed: usize,
}

impl Tally {
    fn tell(&mut self, finding: &Finding) {
        let (word, count) = match finding.severity {
            Severity::Fine => ("ok", &mut self.fine),
            Severity::Untried => ("note", &mut self.untried),
            Severity::Attention => ("note", &mut self.attention),
            Severity::Failed => ("FAILED", &mut self.failed),
        };
        *count += 1;
        say(&format!("{word:<6} {}: {}", finding.subject, finding.text));
    }

    fn end(&self) -> CommandEnd {
        say(&format!(
            "{} ok, {} not tried, {} to look at, {} failed",
            self.fine, self.untried, self.attention, self.failed
        ));
        Ok(code_of(self.failed == 0))
    }
}

/// Nobody may be listening any more; that is no reason to end otherwise.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
