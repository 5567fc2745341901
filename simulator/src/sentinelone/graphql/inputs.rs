//! The arguments of `alerts`, read.

use chrono::DateTime;
use serde_json::Value;

use super::metadata::is_offered;
use crate::sentinelone::contract::{Column, Stream};
use crate::sentinelone::filters::{Comparison, Filter};
use crate::sentinelone::options::ConsoleOptions;

const STREAM: Stream = Stream::UnifiedAlerts;

/// The page size without `first`. Not documented.
const DEFAULT_FIRST: usize = 10;

/// The column, and whether it is sorted downwards.
pub(super) fn sort(options: &ConsoleOptions, given: &Value) -> Result<(Column, bool), String> {
    let name = match given {
        Value::Null => "createdAt",
        given => given["by"].as_str().ok_or("sort names no field in by")?,
    };
    let column = STREAM.contract().sort(name).filter(|_| is_offered(options, name));
    let column = column.ok_or_else(|| format!("{name} does not exist or is not supported for a SORT call"))?;
    match given["order"].as_str() {
        Some("ASC") => Ok((column, false)),
        Some("DESC") => Ok((column, true)),
        None if given.get("order").is_none() => Ok((column, true)),
        _ => Err("the order of a sort is ASC or DESC".to_owned()),
    }
}

pub(super) fn filters(options: &ConsoleOptions, given: &Value) -> Result<Vec<Filter>, String> {
    let inputs = match given {
        Value::Null => return Ok(Vec::new()),
        Value::Array(inputs) => inputs,
        _ => return Err("filters is no list".to_owned()),
    };
    let mut filters = Vec::new();
    for input in inputs {
        filters.extend(time_range(options, input)?);
    }
    Ok(filters)
}

fn time_range(options: &ConsoleOptions, input: &Value) -> Result<Vec<Filter>, String> {
    let keys = input.as_object().ok_or("a filter is no object")?;
    if let Some(key) = keys.keys().find(|key| *key != "fieldId" && *key != "dateTimeRange") {
        return Err(format!("a filter with {key} is not understood here"));
    }
    let name = input["fieldId"].as_str().ok_or("a filter names no fieldId")?;
    let times = STREAM.contract().times;
    let column = times
        .iter()
        .position(|time| time.name == name && is_offered(options, name));
    let column = column.ok_or_else(|| format!("{name} does not exist or is not supported for a FILTER call"))?;
    let range = input["dateTimeRange"]
        .as_object()
        .ok_or("a filter has no dateTimeRange")?;
    let mut filters = Vec::new();
    for (key, value) in range {
        let comparison = match key.as_str() {
            "start" => Comparison::Gte,
            "end" => Comparison::Lte,
            _ => return Err(format!("a dateTimeRange has no {key}")),
        };
        let bound = value.as_i64().and_then(DateTime::from_timestamp_millis);
        filters.push(Filter::Time {
            column,
            comparison,
            bound: bound.ok_or_else(|| format!("{key} is no number of epoch milliseconds"))?,
        });
    }
    Ok(filters)
}

pub(super) fn first(given: &Value) -> Result<usize, String> {
    let largest = STREAM.contract().largest_limit;
    match given {
        Value::Null => Ok(DEFAULT_FIRST),
        given => given
            .as_u64()
            .map(|first| first as usize)
            .filter(|first| (1..=largest).contains(first))
            .ok_or_else(|| format!("first must be from 1 to {largest}")),
    }
}
