//! The parameters of the list endpoints.

use super::catalogue::Selection;
use super::contract::{ACTIVITY_TYPE, AGENT_FLAGS, Column, Contract, FRACTION_DIGITS, Stream};
use super::filters::{Comparison, Filter};
use super::options::ConsoleOptions;
use super::state::LastingParameters;
use crate::query::{Query, only_value};
use crate::times::utc_time;

/// The page size without a `limit` (swagger).
const DEFAULT_LIMIT: usize = 10;

/// Parameters that say how a page is cut; a cursor may come back with others.
const CUTTING: [&str; 2] = ["cursor", "limit"];

/// What a query selects, from the beginning; the error is one sentence for the client.
pub(super) fn selection(stream: Stream, query: &Query, options: &ConsoleOptions) -> Result<Selection, String> {
    for (name, _) in query {
        if only_value(query, name).is_none() {
            return Err(format!("{name} is given more than once"));
        }
        if !is_known(stream, name) {
            return Err(format!("{name} is no parameter here"));
        }
    }
    let contract = stream.contract();
    let name = only_value(query, "sortBy").unwrap_or("id");
    Ok(Selection {
        filters: filters(stream, query, options)?,
        sort: contract.sort(name).ok_or_else(|| format!("sortBy cannot be {name}"))?,
        descending: is_descending(query)?,
        after: None,
        limit: limit(query, contract.largest_limit)?,
    })
}

/// Parameters that must not change from page to page.
pub(super) fn lasting(query: &Query) -> LastingParameters {
    query
        .iter()
        .filter(|(name, _)| !CUTTING.contains(&name.as_str()))
        .cloned()
        .collect()
}

fn is_descending(query: &Query) -> Result<bool, String> {
    match only_value(query, "sortOrder") {
        None | Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(other) => Err(format!("sortOrder cannot be {other}")),
    }
}

fn is_known(stream: Stream, name: &str) -> bool {
    let contract = stream.contract();
    CUTTING.contains(&name)
        || ["sortBy", "sortOrder"].contains(&name)
        || time_parameter(contract, name).is_some()
        || (stream == Stream::Activities && name == "includeHidden")
        || (stream == Stream::Agents && AGENT_FLAGS.iter().any(|column| column.name == name))
}

/// The time column of `createdAt__gte`, and how it is compared.
fn time_parameter(contract: &Contract, name: &str) -> Option<(usize, Comparison)> {
    let (column, word) = name.split_once("__")?;
    let place = contract.times.iter().position(|known| known.name == column)?;
    Some((place, Comparison::of_word(word)?))
}

fn filters(stream: Stream, query: &Query, options: &ConsoleOptions) -> Result<Vec<Filter>, String> {
    let contract = stream.contract();
    let mut filters = Vec::new();
    for (name, value) in query {
        if let Some((column, comparison)) = time_parameter(contract, name) {
            let bound =
                utc_time(value, FRACTION_DIGITS).ok_or_else(|| format!("{name} is no time of the form ...T...Z"))?;
            filters.push(Filter::Time {
                column,
                comparison,
                bound,
            });
        }
    }
    match stream {
        Stream::Activities if flag(query, "includeHidden")? != Some(true) => filters.push(Filter::NoneOf {
            pointer: ACTIVITY_TYPE,
            values: options.hidden_activity_types.iter().map(u32::to_string).collect(),
        }),
        Stream::Agents => {
            for column in AGENT_FLAGS {
                filters.extend(agent_flag(column, only_value(query, column.name))?);
            }
        }
        _ => {}
    }
    Ok(filters)
}

/// `True,False` lists both, nothing lists what is false.
fn agent_flag(column: Column, given: Option<&str>) -> Result<Option<Filter>, String> {
    let values: Vec<String> = given
        .unwrap_or("false")
        .split(',')
        .map(str::to_ascii_lowercase)
        .collect();
    if values.iter().any(|value| value != "true" && value != "false") {
        return Err(format!("{} takes True and False", column.name));
    }
    let mut both = ["true", "false"].into_iter();
    let unwanted = both.find(|value| values.iter().all(|listed| listed != value));
    Ok(unwanted.map(|value| Filter::NoneOf {
        pointer: column.pointer,
        values: vec![value.to_owned()],
    }))
}

fn flag(query: &Query, name: &str) -> Result<Option<bool>, String> {
    match only_value(query, name).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(format!("{name} is no truth value")),
    }
}

fn limit(query: &Query, largest: usize) -> Result<usize, String> {
    match only_value(query, "limit").map(str::parse) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit)) if (1..=largest).contains(&limit) => Ok(limit),
        Some(_) => Err(format!("limit must be from 1 to {largest}")),
    }
}
