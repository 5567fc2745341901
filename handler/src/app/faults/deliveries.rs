//! What was delivered, by which process, and which of it may be delivered again with good reason.

use std::collections::{BTreeMap, BTreeSet};

use super::marks::marks_in;

#[derive(Debug, Default)]
pub struct Deliveries {
    pub accepted: Vec<Accepted>,
    /// Processes that may be losing their lease: every batch from now on may be the one in flight when it is lost.
    losing_leases: BTreeSet<u32>,
    /// How often something befell each process that can make it deliver a batch again.
    pub incidents: BTreeMap<u32, usize>,
    /// The batch that a process is sending to a table: its number, and the marks of its first call. What is split off
    /// it is the same batch.
    sending: BTreeMap<(u32, String), (usize, BTreeSet<String>)>,
    batches: usize,
    /// Marks in spool entries of which nobody knows whether they were written.
    pub doubtful: BTreeSet<String>,
}

#[derive(Debug)]
pub struct Accepted {
    pub process: u32,
    pub table: String,
    /// Calls that a batch was split into have the number of the batch in common.
    pub batch: usize,
    pub marks: Vec<String>,
    /// Its rows may come again: the process could not know, or could not remember, that they were taken.
    pub may_repeat: bool,
}

impl Deliveries {
    /// The last batch of a process to every table may come again.
    pub fn allow_repeat_of_last(&mut self, process: u32) {
        *self.incidents.entry(process).or_default() += 1;
        let mut last: BTreeMap<String, usize> = BTreeMap::new();
        for accepted in self.accepted.iter_mut().rev().filter(|call| call.process == process) {
            let batch = *last.entry(accepted.table.clone()).or_insert(accepted.batch);
            accepted.may_repeat |= accepted.batch == batch;
        }
    }

    /// The batch that was in flight to the spool when the state failed.
    pub fn doubt(&mut self, entry: &str) {
        self.doubtful.extend(marks_in(entry));
    }

    /// And so may the one that is in flight when the lease is found lost, whichever it is.
    pub fn allow_repeat_of_next(&mut self, process: u32) {
        *self.incidents.entry(process).or_default() += 1;
        self.losing_leases.insert(process);
    }

    /// The run is over: who lost a lease has noticed.
    pub fn end_run(&mut self) {
        self.losing_leases.clear();
    }

    /// A call comes in.
    pub fn begin_call(&mut self, process: u32, table: &str, marks: &[String]) {
        let marks: BTreeSet<String> = marks.iter().cloned().collect();
        let sending = self.sending.entry((process, table.to_owned())).or_default();
        if !marks.is_subset(&sending.1) {
            self.batches += 1;
            *sending = (self.batches, marks);
        }
    }

    /// A call is taken; gives the number of its batch. `is_killed`: its process was, while the call was on its way.
    pub fn accept(&mut self, process: u32, is_killed: bool, table: &str, marks: Vec<String>) -> usize {
        let batch = self.sending[&(process, table.to_owned())].0;
        let may_lose_lease = self.losing_leases.contains(&process);
        self.accepted.push(Accepted {
            batch,
            process,
            table: table.to_owned(),
            marks,
            may_repeat: may_lose_lease || is_killed,
        });
        batch
    }

    /// The process does not learn that the batch was taken.
    pub fn lose_answer(&mut self, process: u32, batch: usize) {
        *self.incidents.entry(process).or_default() += 1;
        for accepted in self.accepted.iter_mut().filter(|call| call.batch == batch) {
            accepted.may_repeat = true;
        }
    }
}
