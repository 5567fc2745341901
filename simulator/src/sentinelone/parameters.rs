//! The parameters of the list endpoints.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};

use super::catalogue::Selection;
use super::contract::{ACTIVITY_TYPE, AGENT_FLAGS, Column, Contract, Stream};
use super::filters::{Comparison, Filter};
use super::options::Options;
use super::state::LastingParameters;
use super::times::{between, time};
use crate::query::{Query, only_value};

/// The page size without a `limit` (swagger).
const DEFAULT_LIMIT: usize = 10;

/// `skip` may be so much at most; beyond it there is the cursor (swagger).
const LARGEST_SKIP: usize = 1000;

/// Parameters that say how a page is cut; a cursor may come back with others.
const CUTTING: [&str; 5] = ["cursor", "limit", "skip", "skipCount", "countOnly"];

/// A request, read.
pub(super) struct Parameters {
    /// From the beginning.
    pub(super) selection: Selection,
    pub(super) skip_count: bool,
    pub(super) count_only: bool,
}

impl Parameters {
    /// Reads the query; the error is one sentence for the client.
    pub(super) fn parse(stream: Stream, query: &Query, options: &Options) -> Result<Parameters, String> {
        let contract = stream.contract();
        for (name, _) in query {
            if only_value(query, name).is_none() {
                return Err(format!("{name} is given more than once"));
            }
            if !is_known(stream, name) {
                return Err(format!("{name} is no parameter here"));
            }
        }
        let name = only_value(query, "sortBy").unwrap_or("id");
        let selection = Selection {
            filters: filters(stream, query, options)?,
            sort: contract.sort(name).ok_or_else(|| format!("sortBy cannot be {name}"))?,
            descending: is_descending(query)?,
            after: None,
            skip: number(query, "skip", 0..=LARGEST_SKIP)?.unwrap_or_default(),
            limit: number(query, "limit", 1..=contract.largest_limit)?.unwrap_or(DEFAULT_LIMIT),
        };
        Ok(Parameters {
            selection,
            skip_count: flag(query, "skipCount")?.unwrap_or_default(),
            count_only: flag(query, "countOnly")?.unwrap_or_default(),
        })
    }
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
        || contract.lists.iter().any(|column| column.name == name)
        || time_parameter(contract, name).is_some()
        || (stream == Stream::Activities && name == "includeHidden")
        || (stream == Stream::Agents && AGENT_FLAGS.iter().any(|column| column.name == name))
}

/// The time column of `createdAt__gte` and the word behind it.
fn time_parameter<'a>(contract: &Contract, name: &'a str) -> Option<(usize, &'a str)> {
    let (column, word) = name.split_once("__")?;
    let place = contract.times.iter().position(|known| known.name == column)?;
    let is_known = Comparison::of_word(word).is_some() || (word == "between" && contract.times[place].between);
    is_known.then_some((place, word))
}

fn filters(stream: Stream, query: &Query, options: &Options) -> Result<Vec<Filter>, String> {
    let contract = stream.contract();
    let mut filters = Vec::new();
    for (name, value) in query {
        if let Some((column, word)) = time_parameter(contract, name) {
            let bounds = time_bounds(word, value).ok_or_else(|| format!("{name} is no time, or <from>-<to>"))?;
            filters.extend(bounds.into_iter().map(|(comparison, bound)| Filter::Time {
                column,
                comparison,
                bound,
            }));
        } else if let Some(column) = contract.lists.iter().find(|column| column.name == name) {
            filters.push(Filter::OneOf {
                pointer: column.pointer,
                values: value.split(',').map(str::to_owned).collect(),
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

/// A time of the form ...T...Z, or both ends of a `between`.
fn time_bounds(word: &str, value: &str) -> Option<Vec<(Comparison, DateTime<Utc>)>> {
    if let Some(comparison) = Comparison::of_word(word) {
        return Some(vec![(comparison, time(value)?)]);
    }
    let (from, to) = between(value)?;
    Some(vec![(Comparison::Gte, from), (Comparison::Lte, to)])
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

fn number(query: &Query, name: &str, range: RangeInclusive<usize>) -> Result<Option<usize>, String> {
    match only_value(query, name).map(str::parse) {
        None => Ok(None),
        Some(Ok(number)) if range.contains(&number) => Ok(Some(number)),
        Some(_) => Err(format!("{name} must be from {} to {}", range.start(), range.end())),
    }
}
