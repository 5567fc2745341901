//! Which of the events that are read were pushed too, where the two forms of an event share no key.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::loading::in_time;
use super::windowed_run::WindowedRun;
use crate::delivery::{Counterparts, TableWriter};
use crate::event::Identity;
use crate::jobs::drain::pushed_events::PushedCounterparts;
use crate::sources::{CounterpartRule, EventKey};
use crate::state::{Checkpoints, StoreError};

/// Pairs what is read with what was pushed.
pub struct Pairing {
    pub counterparts: Counterparts,
    rule: CounterpartRule,
    /// Read in this slice, and covered by no push.
    gaps: Vec<Identity>,
}

impl Pairing {
    /// With all that was pushed, waiting or delivered. While something waits of which nothing is known, nothing may be
    /// read: it would be taken for a gap. `None` for a stream without counterparts.
    pub async fn load(run: &WindowedRun<'_>, checkpoints: &Checkpoints) -> Result<Option<Self>, StoreError> {
        let Some((mut counterparts, rule)) = stored_counterparts(run, checkpoints).await? else {
            return Ok(None);
        };
        if let Some(pushed) = &run.plan.pushed {
            let spool = pushed.spool.guarded(run.context.store.clone());
            let what = format!("what was pushed to {} and waits in the spool", run.context.stream);
            let mut noted = PushedCounterparts {
                form: pushed.form.clone(),
                rule,
                records: counterparts,
            };
            in_time(run.context.deadline, &what, noted.note_waiting(&spool, pushed)).await?;
            counterparts = noted.records;
        }
        Ok(Some(Self {
            counterparts,
            rule,
            gaps: Vec::new(),
        }))
    }

    pub fn begin_slice(&mut self) {
        self.gaps.clear();
    }

    /// Which of some new events were pushed too. What is found is stored before anything of the page is sent or
    /// remembered: after a crash, a push that stood for one of them must not stand for another.
    pub async fn covered_by_pushes<'e>(
        &mut self,
        events: impl Iterator<Item = (&'e str, EventKey)>,
        now: DateTime<Utc>,
    ) -> Result<HashSet<Identity>, StoreError> {
        let mut covered = HashSet::new();
        for (event, EventKey { identity, time }) in events {
            let common = (self.rule.key_of)(event);
            if self.counterparts.is_covered(common, identity, time.unwrap_or(now)) {
                covered.insert(identity);
            } else {
                self.gaps.push(identity);
            }
        }
        self.counterparts.save().await?;
        Ok(covered)
    }

    /// What fills a gap makes a later push to the same table a duplicate, once it is there.
    pub fn note_accepted(&mut self, writer: &TableWriter<'_>) {
        for read in self.gaps.iter().filter(|read| writer.knows(read)) {
            self.counterparts.note_accepted(*read, &writer.table());
        }
    }
}

/// What is stored of a stream's counterparts, if it has any.
pub async fn stored_counterparts(
    run: &WindowedRun<'_>,
    checkpoints: &Checkpoints,
) -> Result<Option<(Counterparts, CounterpartRule)>, StoreError> {
    let Some(rule) = run.plan.counterparts else {
        return Ok(None);
    };
    let folder = checkpoints.identities_of("counterpart-records");
    let what = folder.to_string();
    let load = Counterparts::load(run.context.store.clone(), folder);
    let counterparts = in_time(run.context.deadline, &what, load).await?;
    Ok(Some((counterparts, rule)))
}
