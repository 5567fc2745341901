//! The Logs Ingestion API as one process reaches it, with its faults, and the account of what it took.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::value::RawValue;
use simulator::{Reply, Request};

use super::marks::mark_of;
use super::process_io::{Answer, ProcessIo, http_reply};
use super::world::HEALTH_TABLE;
use crate::http::{ConnectFailure, TransportError};

/// A call, read.
struct Call<'a> {
    io: &'a ProcessIo,
    request: &'a Request,
    table: &'a str,
    /// The marks of its rows; health rows have none.
    marks: Vec<String>,
    rows: usize,
}

pub async fn answer(io: &ProcessIo, request: &Request) -> Answer {
    let world = &io.world;
    let call = Call::read(io, request);
    if !call.marks.is_empty() {
        world.deliveries().begin_call(io.process, call.table, &call.marks);
    }
    if world.refuses(call.table) {
        world.count_fault();
        return Ok(denied());
    }
    if !world.rng.hits(world.fault_rates().destination) {
        return Ok(call.reply().0);
    }
    world.count_fault();
    let table = call.table;
    world.trace(|| format!("process {}: the next call to {table} meets a fault", io.process));
    let sent = |reply| Ok(http_reply(reply));
    match world.rng.between(0, 10) {
        0 => {
            world.identity.revoke_all();
            Ok(call.reply().0)
        }
        1 => sent(Reply::empty(429).with_header("retry-after", "3")),
        2 => sent(Reply::empty(500)),
        3 => sent(Reply::empty(503)),
        4 if call.rows > 1 => sent(Reply::empty(413)),
        5 => Err(TransportError::Connect(ConnectFailure::NoAnswer("refused".to_owned()))),
        6 => Err(TransportError::Interrupted("reset before the body was read".to_owned())),
        7 => Ok(denied()),
        8 => match call.reply() {
            (_, Some(batch)) => {
                world.deliveries().lose_answer(io.process, batch);
                Err(TransportError::Interrupted("reset after it was taken".to_owned()))
            }
            (reply, None) => Ok(reply),
        },
        _ => {
            let (reply, batch) = call.reply();
            let unanswered = batch.map(|batch| Unanswered { io, batch });
            tokio::time::sleep(world.rng.millis(2_000, 90_000)).await;
            std::mem::forget(unanswered);
            Ok(reply)
        }
    }
}

impl<'a> Call<'a> {
    fn read(io: &'a ProcessIo, request: &'a Request) -> Self {
        let (_, table) = request.path.rsplit_once("/streams/Custom-").unwrap();
        let mut body = Vec::new();
        GzDecoder::new(request.body.as_slice()).read_to_end(&mut body).unwrap();
        let rows: Vec<&RawValue> = serde_json::from_slice(&body).unwrap();
        let marks = match table {
            HEALTH_TABLE => Vec::new(),
            _ => rows.iter().map(|row| mark_of(row.get())).collect(),
        };
        Self {
            io,
            request,
            table,
            marks,
            rows: rows.len(),
        }
    }

    /// What the service answers, and the number of the batch if it took rows that are accounted for.
    fn reply(&self) -> (crate::http::Reply, Option<usize>) {
        let (world, process) = (&self.io.world, self.io.process);
        let reply = world.ingestion.reply(self.request, world.now());
        let is_taken = reply.status == 204 && !self.marks.is_empty();
        let batch = is_taken.then(|| {
            let is_killed = self.io.crash_points.is_killed();
            let mut deliveries = world.deliveries();
            let (number, table, marks) = (deliveries.accepted.len(), self.table, &self.marks);
            world.trace(|| format!("process {process}: call {number} to {table} is taken: {marks:?}"));
            deliveries.accept(process, is_killed, table, marks.clone())
        });
        (http_reply(reply), batch)
    }
}

/// The identity has no role on the rule, as the service says it.
fn denied() -> crate::http::Reply {
    http_reply(Reply {
        body: br#"{"error":{"code":"OperationFailed"}}"#.to_vec(),
        ..Reply::empty(403)
    })
}

/// An answer that comes late, if anybody still waits for it.
struct Unanswered<'a> {
    io: &'a ProcessIo,
    batch: usize,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.io.world.deliveries().lose_answer(self.io.process, self.batch);
    }
}
