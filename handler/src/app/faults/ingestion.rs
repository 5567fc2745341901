//! The Logs Ingestion API: what it took, from whom, and which of its calls may be doubled with good reason.

use std::collections::{BTreeMap, BTreeSet};

use flate2::read::GzDecoder;
use reqwest::Request;
use serde_json::Value;

use super::plug::Plug;
use super::world::{Answer, World, reply};
use crate::http::{Reply, TransportError};

/// A row with this mark is never taken.
pub const POISON: &str = "!poison!";

#[derive(Debug, Default)]
pub struct Ingestion {
    pub accepted: Vec<Accepted>,
    /// Processes that may be losing their lease: every batch from now on may be the one in flight when it is lost.
    losing_leases: BTreeSet<u32>,
    /// What befell each process that can double a batch.
    pub mishaps: BTreeMap<u32, usize>,
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
    pub is_excused: bool,
}

impl Ingestion {
    /// The last batch of a process to every table may come again.
    pub fn excuse(&mut self, process: u32) {
        *self.mishaps.entry(process).or_default() += 1;
        let mut last: BTreeMap<String, usize> = BTreeMap::new();
        for accepted in self.accepted.iter_mut().rev().filter(|call| call.process == process) {
            let batch = *last.entry(accepted.table.clone()).or_insert(accepted.batch);
            accepted.is_excused |= accepted.batch == batch;
        }
    }

    /// The batch that was in flight to the spool when the state failed.
    pub fn doubt(&mut self, entry: &str) {
        self.doubtful.extend(marks_in(entry));
    }

    /// And so may the one that is in flight when the lease is found lost, whichever it is.
    pub fn excuse_next(&mut self, process: u32) {
        *self.mishaps.entry(process).or_default() += 1;
        self.losing_leases.insert(process);
    }

    /// The run is over: who lost a lease has noticed.
    pub fn end_run(&mut self) {
        self.losing_leases.clear();
    }

    /// A call comes in.
    fn note_call(&mut self, process: u32, table: &str, marks: BTreeSet<String>) {
        let sending = self.sending.entry((process, table.to_owned())).or_default();
        if !marks.is_subset(&sending.1) {
            self.batches += 1;
            *sending = (self.batches, marks);
        }
    }

    fn accept(&mut self, process: u32, is_dead: bool, table: &str, marks: Vec<String>) {
        let batch = self.sending[&(process, table.to_owned())].0;
        let may_lose_lease = self.losing_leases.contains(&process);
        self.accepted.push(Accepted {
            batch,
            process,
            table: table.to_owned(),
            marks,
            // A request that was on its way when its process was killed.
            is_excused: may_lose_lease || is_dead,
        });
    }

    fn last_batch(&self) -> usize {
        self.accepted.last().map_or(0, |call| call.batch)
    }

    fn lose_answer(&mut self, batch: usize) {
        let process = self
            .accepted
            .iter()
            .find(|call| call.batch == batch)
            .map_or(0, |call| call.process);
        *self.mishaps.entry(process).or_default() += 1;
        for accepted in self.accepted.iter_mut().filter(|call| call.batch == batch) {
            accepted.is_excused = true;
        }
    }
}

/// The marks in a text.
pub fn marks_in(text: &str) -> Vec<String> {
    let marks = text.split('#').filter(|part| is_mark(part));
    marks.map(|mark| format!("#{mark}#")).collect()
}

fn is_mark(text: &str) -> bool {
    let digits = text.strip_prefix(['o', 'a', 'p', 'e']);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// An answer that comes late, if anybody still waits for it.
struct Waited<'a> {
    world: &'a World,
    batch: usize,
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        self.world.ingestion().lose_answer(self.batch);
    }
}

/// The mark of a row, wherever it stands: `#p17#`.
pub fn mark_of(row: &str) -> String {
    let inner = row.split('#').nth(1);
    format!("#{}#", inner.unwrap_or_else(|| panic!("a row without a mark: {row}")))
}

pub async fn answer(world: &World, request: &Request, process: u32, plug: &Plug) -> Answer {
    let table = request
        .url()
        .path()
        .rsplit("/streams/Custom-")
        .next()
        .unwrap()
        .to_owned();
    let body = request.body().and_then(|body| body.as_bytes()).unwrap();
    let rows: Vec<Value> = serde_json::from_reader(GzDecoder::new(body)).unwrap();
    let marks = rows.iter().map(|row| mark_of(&row.to_string())).collect();
    world.ingestion().note_call(process, &table, marks);
    if world.refuses(&table) {
        world.count_fault();
        return Ok(reply(403, &[], br#"{"error":{"code":"OperationFailed"}}"#));
    }
    if world.chance.hits(world.weather().destination) {
        world.count_fault();
        world.tell(|| format!("process {process}: the next call to {table} meets a fault"));
        match world.chance.between(0, 10) {
            0 => return Ok(reply(401, &[], b"{}")),
            1 => return Ok(reply(429, &[("retry-after", "3")], b"")),
            2 => return Ok(reply(500, &[], b"")),
            3 => return Ok(reply(503, &[], b"")),
            4 if rows.len() > 1 => return Ok(reply(413, &[], b"{}")),
            5 => return Err(TransportError::Connect("refused".to_owned())),
            6 => return Err(TransportError::Interrupted("reset before the body was read".to_owned())),
            7 => return Ok(reply(403, &[], br#"{"error":{"code":"OperationFailed"}}"#)),
            8 => {
                let answer = judge(world, &rows, (process, plug), &table);
                if answer.status.is_success() {
                    let batch = world.ingestion().last_batch();
                    world.ingestion().lose_answer(batch);
                    return Err(TransportError::Interrupted("reset after it was taken".to_owned()));
                }
                return Ok(answer);
            }
            _ => {
                let answer = judge(world, &rows, (process, plug), &table);
                let waited_for = Waited {
                    world,
                    batch: world.ingestion().last_batch(),
                };
                tokio::time::sleep(world.chance.millis(2_000, 90_000)).await;
                std::mem::forget(waited_for);
                return Ok(answer);
            }
        }
    }
    Ok(judge(world, &rows, (process, plug), &table))
}

fn judge(world: &World, rows: &[Value], (process, plug): (u32, &Plug), table: &str) -> Reply {
    let texts: Vec<String> = rows.iter().map(Value::to_string).collect();
    if texts.iter().any(|row| row.contains(POISON)) {
        return reply(400, &[], br#"{"error":{"code":"InvalidPayload"}}"#);
    }
    let marks: Vec<String> = texts.iter().map(|row| mark_of(row)).collect();
    let number = world.ingestion().accepted.len();
    world.tell(|| format!("process {process}: call {number} to {table} is taken: {marks:?}"));
    world.ingestion().accept(process, plug.is_pulled(), table, marks);
    reply(204, &[], b"")
}
