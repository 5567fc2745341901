//! What a health row says of a stream, held against its status.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// Rows have their times to the millisecond.
const SAME_TIME_SECONDS: f64 = 0.002;

/// Names each difference between the rows of the last run and the status right after it, and between the sum of all
/// rows and what the status counts.
pub fn disagreements(status: &Value, rows: &[Value]) -> Vec<String> {
    let newest = rows.iter().filter_map(|row| row["TimeGenerated"].as_str()).max();
    let mut faults = Vec::new();
    for stream in status["streams"].as_array().unwrap() {
        let name = stream["stream"].as_str().unwrap();
        let of_stream: Vec<&Value> = rows.iter().filter(|row| name_of(row) == name).collect();
        let last = of_stream.last().filter(|row| row["TimeGenerated"].as_str() == newest);
        let Some(last) = last else {
            faults.push(format!("{name} has no row of the last run"));
            continue;
        };
        let mut differ = |what: &str, row: String, status: String| {
            if row != status {
                faults.push(format!("{name}: {what} is {row} in the row and {status} in the status"));
            }
        };
        let problems = [&stream["last_run"]["warning"], &stream["last_error"]];
        let is_present = |problem: &&Value| stream["error_code"].is_string() && problem["code"] == stream["error_code"];
        let problem = problems.into_iter().find(is_present).unwrap_or(&Value::Null);
        let word = stream["status"].as_str().unwrap().replace('_', " ");
        differ("the state", text(&last["Status"]), word);
        differ("the error code", text(&last["ErrorCode"]), text(&stream["error_code"]));
        differ("the error", text(&last["ErrorMessage"]), text(&problem["message"]));
        differ("the remedy", text(&last["Remedy"]), text(&problem["remedy"]));
        differ(
            "what waits",
            text(&last["Spooled"]),
            waiting(status, stream).to_string(),
        );
        differ("the new fields", text(&last["NewFields"]), new_fields(status, stream));
        // What cannot be read counts nothing.
        let columns = [("RowsDelivered", "delivered"), ("DeadLettered", "dead_lettered")];
        for (column, count) in columns.iter().filter(|_| stream["state_error"].is_null()) {
            let sum: u64 = of_stream.iter().filter_map(|row| row[*column].as_u64()).sum();
            differ(column, sum.to_string(), counted(stream, count).to_string());
        }
        faults.extend(different_position(status, stream, last).map(|fault| format!("{name}: {fault}")));
    }
    faults
}

fn different_position(status: &Value, stream: &Value, row: &Value) -> Option<String> {
    let tables = stream["tables"].as_array().unwrap().iter();
    let shown = tables.clone().filter_map(|table| time(&table["watermark"])).min();
    let written = time(&row["Watermark"]);
    let (Some(shown), Some(written)) = (shown, written) else {
        let differ = shown.is_some() != written.is_some() || row["LagSeconds"].is_number() != shown.is_some();
        return differ.then(|| format!("the watermark is {written:?} in the row and {shown:?} in the status"));
    };
    let lag = tables
        .filter_map(|table| table["lag_seconds"].as_f64())
        .fold(0.0, f64::max);
    let moved = (time(&status["at"])? - time(&row["TimeGenerated"])?).as_seconds_f64();
    let written_lag = row["LagSeconds"].as_f64()?;
    let is_same_lag = (lag - written_lag - moved).abs() < SAME_TIME_SECONDS || (lag == 0.0 && written_lag == 0.0);
    let is_same_watermark = (shown - written).as_seconds_f64().abs() < SAME_TIME_SECONDS;
    (!is_same_lag || !is_same_watermark).then(|| {
        format!("the row is read up to {written}, {written_lag} s ago, the status up to {shown}, {lag} s ago, {moved} s later")
    })
}

/// What the status says that waits: events, or entries where those are more.
fn waiting(status: &Value, stream: &Value) -> u64 {
    let queues = status["spool"].as_array().unwrap().iter();
    let own = queues.filter(|queue| queue["stream"] == stream["stream"]);
    let entries: u64 = own.filter_map(|queue| queue["entries"].as_u64()).sum();
    entries.max(counted(stream, "spooled"))
}

/// As a row has them.
fn new_fields(status: &Value, stream: &Value) -> String {
    let tables: Vec<&Value> = stream["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| &table["table"])
        .collect();
    let fields = status["new_fields"].as_array().unwrap().iter();
    let own = fields.filter(|field| tables.contains(&&field["table"]));
    let named = own.map(|field| {
        format!(
            "{}: {}",
            field["table"].as_str().unwrap(),
            field["field"].as_str().unwrap()
        )
    });
    let named: Vec<Value> = named.map(Value::from).collect();
    text(&if named.is_empty() { Value::Null } else { named.into() })
}

fn counted(stream: &Value, count: &str) -> u64 {
    let tables = stream["tables"].as_array().unwrap().iter();
    tables.filter_map(|table| table["counts"][count].as_u64()).sum()
}

fn name_of(row: &Value) -> String {
    let parts = ["Source", "Instance", "Stream"].iter();
    let parts: Vec<&str> = parts.filter_map(|column| row[column].as_str()).collect();
    parts.join("/")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}
