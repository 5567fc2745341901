//! The list endpoints: parameters in, a page in the vendor's envelope out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::catalogue::{Page, Selection};
use super::contract::{ACTIVITY_TYPE, AGENT_FLAGS, Column, Contract, Stream};
use super::cursor::{Cursor, old_form};
use super::filters::{Comparison, Filter};
use super::state::{Issued, State};
use super::times::{between, time};
use super::{Fault, Options};
use crate::query::{only_value, pairs};
use crate::service::{Incoming, Reply};

/// The page size without a `limit` (swagger).
const DEFAULT_LIMIT: usize = 10;

/// `skip` may be so much at most; beyond it there is the cursor (swagger).
const LARGEST_SKIP: usize = 1000;

/// Parameters that say how a page is cut; a cursor may come back with others.
const CUTTING: [&str; 5] = ["cursor", "limit", "skip", "skipCount", "countOnly"];

type Query = Vec<(String, String)>;

impl State {
    /// The page, or the refusal.
    pub(super) fn list(&mut self, stream: Stream, incoming: &Incoming, fault: Option<&Fault>) -> Result<Reply, Reply> {
        let query = pairs(&incoming.query);
        let selection = self
            .selection(stream, &query)
            .map_err(|problem| self.refused(stream, &problem))?;
        let count_only = flag(&query, "countOnly").unwrap_or_default() == Some(true);
        let skip_count = flag(&query, "skipCount").unwrap_or_default() == Some(true);
        let repeated = match (fault, &selection.after) {
            (Some(Fault::RepeatLastOfPreviousPage), Some(place)) => {
                self.catalogue(stream).at(place).map(|stored| stored.json.clone())
            }
            _ => None,
        };
        let page = self.catalogue(stream).page(&selection);
        let versions: Vec<usize> = page.objects.iter().map(|stored| stored.version).collect();
        let mut data: Vec<Arc<str>> = page.objects.iter().map(|stored| stored.json.clone()).collect();
        data.splice(0..0, repeated);
        let total = if skip_count { 0 } else { page.total };
        let next = next_cursor(&selection, &page);
        if count_only {
            data.clear();
        } else if shows_its_data(fault) {
            self.mark_shown(&versions);
        }
        let next = next.filter(|_| !count_only);
        let next = next.map(|cursor| self.issue(stream, &query, &cursor, fault));
        Ok(Reply::json(200, envelope(&data, next, total, fault)))
    }

    fn selection(&mut self, stream: Stream, query: &Query) -> Result<Selection, String> {
        let contract = stream.contract();
        for (name, _) in query {
            if only_value(query, name).is_none() {
                return Err(format!("{name} is given more than once"));
            }
            if !is_known(stream, name) {
                return Err(format!("{name} is no parameter here"));
            }
        }
        let filters = filters(stream, query, &self.options)?;
        let limit = number(query, "limit", DEFAULT_LIMIT, 1, contract.largest_limit)?;
        let skip = number(query, "skip", 0, 0, LARGEST_SKIP)?;
        flag(query, "skipCount")?;
        flag(query, "countOnly")?;
        let name = only_value(query, "sortBy").unwrap_or("id");
        let asked = contract.sort(name).ok_or_else(|| format!("sortBy cannot be {name}"))?;
        let asked_descending = match only_value(query, "sortOrder") {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => return Err(format!("sortOrder cannot be {other}")),
        };
        let Some(text) = only_value(query, "cursor") else {
            return Ok(Selection {
                filters,
                sort: asked,
                descending: asked_descending,
                after: None,
                skip,
                limit,
            });
        };
        let cursor = self.known_cursor(stream, query, text)?;
        let sort = contract
            .sort(&cursor.sort_by)
            .ok_or_else(|| "the cursor names an unknown column".to_owned())?;
        Ok(Selection {
            filters,
            sort,
            descending: cursor.descending,
            after: Some(cursor.after),
            skip,
            limit,
        })
    }

    /// Reads a cursor, and compares what comes with it to what came with the page that gave it.
    fn known_cursor(&mut self, stream: Stream, query: &Query, text: &str) -> Result<Cursor, String> {
        let issued = self.issued.get(&(stream, text.to_owned())).cloned();
        let Some(issued) = issued else {
            let cursor = Cursor::decode(text).ok_or_else(|| "the cursor cannot be read".to_owned())?;
            self.violation(stream, "no answer has given this cursor");
            return Ok(cursor);
        };
        if issued.parameters != lasting(query) {
            self.violation(stream, "the filters or the sort changed between a page and its cursor");
        }
        Ok(issued.cursor)
    }

    /// The text of a next cursor, remembered with the parameters that must come back with it.
    fn issue(&mut self, stream: Stream, query: &Query, cursor: &Cursor, fault: Option<&Fault>) -> String {
        let plain = match fault {
            Some(Fault::OldCursorForm) => old_form(58_000_000 + self.issued.len() as u64),
            _ => cursor.encoded(),
        };
        let shown = match fault {
            Some(Fault::UrlEncodedCursor) => cursor.url_encoded(),
            _ => plain.clone(),
        };
        let decoded = percent_encoding::percent_decode_str(&shown)
            .decode_utf8_lossy()
            .into_owned();
        let issued = Issued {
            parameters: lasting(query),
            cursor: cursor.clone(),
        };
        self.issued.insert((stream, decoded), issued);
        shown
    }
}

fn next_cursor(selection: &Selection, page: &Page<'_>) -> Option<Cursor> {
    Some(Cursor {
        sort_by: selection.sort.name.to_owned(),
        descending: selection.descending,
        after: page.next_after.clone()?,
    })
}

/// Whether the client can read the data of the answer.
pub(super) fn shows_its_data(fault: Option<&Fault>) -> bool {
    !matches!(fault, Some(Fault::TruncatedJson | Fault::NullData))
}

/// The objects stand in the envelope byte for byte as they were published.
fn envelope(data: &[Arc<str>], next: Option<String>, total: usize, fault: Option<&Fault>) -> String {
    let data = match fault {
        Some(Fault::NullData) => "null".to_owned(),
        _ => format!("[{}]", data.join(",")),
    };
    let errors = match fault {
        Some(Fault::ErrorsBesideData) => ",\"errors\":[{}]",
        _ => "",
    };
    let pagination = json!({"nextCursor": next.map_or(Value::Null, Value::from), "totalItems": total});
    format!("{{\"data\":{data},\"pagination\":{pagination}{errors}}}")
}

/// Parameters that must not change from page to page.
fn lasting(query: &Query) -> BTreeMap<String, String> {
    query
        .iter()
        .filter(|(name, _)| !CUTTING.contains(&name.as_str()))
        .cloned()
        .collect()
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
            let bound = |comparison, bound| Filter::Time {
                column,
                comparison,
                bound,
            };
            match Comparison::of_word(word) {
                Some(comparison) => {
                    let given = time(value).ok_or_else(|| format!("{name} is no time of the form ...T...Z"))?;
                    filters.push(bound(comparison, given));
                }
                None => {
                    let (from, to) = between(value).ok_or_else(|| format!("{name} is no <from>-<to>"))?;
                    filters.extend([bound(Comparison::Gte, from), bound(Comparison::Lte, to)]);
                }
            }
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

fn number(query: &Query, name: &str, default: usize, least: usize, largest: usize) -> Result<usize, String> {
    let Some(given) = only_value(query, name) else {
        return Ok(default);
    };
    match given.parse() {
        Ok(number) if (least..=largest).contains(&number) => Ok(number),
        _ => Err(format!("{name} must be from {least} to {largest}")),
    }
}
