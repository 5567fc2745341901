//! The query `alerts(filters, sort, first, after)`.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};

use super::document::{Argument, Field};
use super::schema::{CONNECTION, project, validate};
use super::{Fault, Request, STREAM, shows_its_data};
use crate::sentinelone::catalogue::{Selection, Stored};
use crate::sentinelone::contract::Column;
use crate::sentinelone::cursor::{Cursor, Place};
use crate::sentinelone::filters::{Comparison, Filter};
use crate::sentinelone::state::{Issued, State};

/// Arguments and the types of their variables.
const ARGUMENTS: [(&str, &str); 4] = [
    ("filters", "FilterInput"),
    ("sort", "SortInput"),
    ("first", "Int"),
    ("after", "String"),
];

/// The page size without `first`. Not documented.
const DEFAULT_FIRST: usize = 10;

impl State {
    pub(super) fn alerts(&mut self, field: &Field, request: &Request, fault: Option<&Fault>) -> Result<Value, String> {
        validate(&field.selection, CONNECTION, "alerts")?;
        let arguments = arguments(field, request)?;
        let (sort, descending) = self.sort(&arguments["sort"])?;
        let filters = self.time_ranges(&arguments["filters"])?;
        let parameters: BTreeMap<String, String> = ["filters", "sort"]
            .into_iter()
            .map(|name| (name.to_owned(), arguments[name].to_string()))
            .collect();
        let after = self.after(&arguments["after"], &parameters)?;
        let selection = Selection {
            filters,
            sort,
            descending,
            after,
            skip: 0,
            limit: first(&arguments["first"])?,
        };
        let catalogue = self.catalogue(STREAM);
        let repeated = match (fault, &selection.after) {
            (Some(Fault::RepeatLastOfPreviousPage), Some(place)) => {
                catalogue.at(place).map(|stored| (stored.place(sort), value_of(stored)))
            }
            _ => None,
        };
        let page = catalogue.page(&selection);
        let versions: Vec<usize> = page.objects.iter().map(|stored| stored.version).collect();
        let own = page.objects.iter().map(|stored| (stored.place(sort), value_of(stored)));
        let nodes: Vec<(Place, Value)> = repeated.into_iter().chain(own).collect();
        let (total, has_next) = (page.total, page.next_after.is_some());
        if shows_its_data(fault) {
            self.mark_shown(&versions);
        }
        let edges: Vec<Value> = nodes
            .into_iter()
            .map(|(after, node)| {
                let cursor = Cursor {
                    sort_by: sort.name.to_owned(),
                    descending,
                    after,
                };
                json!({"cursor": self.give(cursor, &parameters), "node": node})
            })
            .collect();
        let end = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
        let connection = json!({
            "pageInfo": {
                "hasNextPage": has_next,
                "hasPreviousPage": selection.after.is_some(),
                "startCursor": end(edges.first()),
                "endCursor": end(edges.last()),
            },
            "totalCount": total,
            "edges": edges,
        });
        Ok(project(&connection, &field.selection))
    }

    fn give(&mut self, cursor: Cursor, parameters: &BTreeMap<String, String>) -> String {
        let text = cursor.encoded();
        let issued = Issued {
            parameters: parameters.clone(),
            cursor,
        };
        self.issued.insert((STREAM, text.clone()), issued);
        text
    }

    fn after(&mut self, given: &Value, parameters: &BTreeMap<String, String>) -> Result<Option<Place>, String> {
        let text = match given {
            Value::Null => return Ok(None),
            Value::String(text) => text,
            _ => return Err("after is no text".to_owned()),
        };
        let Some(issued) = self.issued.get(&(STREAM, text.clone())).cloned() else {
            return Err("after is no cursor of an answer".to_owned());
        };
        if &issued.parameters != parameters {
            self.violation(STREAM, "the filters or the sort changed between a page and its cursor");
        }
        Ok(Some(issued.cursor.after))
    }

    fn sort(&self, given: &Value) -> Result<(Column, bool), String> {
        let name = match given {
            Value::Null => "createdAt",
            given => given["by"].as_str().ok_or("sort names no field in by")?,
        };
        let column = STREAM.contract().sort(name).filter(|_| self.is_offered(name));
        let column = column.ok_or_else(|| format!("{name} does not exist or is not supported for a SORT call"))?;
        match given["order"].as_str() {
            Some("ASC") => Ok((column, false)),
            Some("DESC") => Ok((column, true)),
            None if given.get("order").is_none() => Ok((column, true)),
            _ => Err("the order of a sort is ASC or DESC".to_owned()),
        }
    }

    fn time_ranges(&self, given: &Value) -> Result<Vec<Filter>, String> {
        let inputs = match given {
            Value::Null => return Ok(Vec::new()),
            Value::Array(inputs) => inputs,
            _ => return Err("filters is no list".to_owned()),
        };
        let mut filters = Vec::new();
        for input in inputs {
            let keys = input.as_object().ok_or("a filter is no object")?;
            if let Some(key) = keys.keys().find(|key| *key != "fieldId" && *key != "dateTimeRange") {
                return Err(format!("a filter with {key} is not understood here"));
            }
            let name = input["fieldId"].as_str().ok_or("a filter names no fieldId")?;
            let times = STREAM.contract().times;
            let column = times.iter().position(|time| time.name == name && self.is_offered(name));
            let column =
                column.ok_or_else(|| format!("{name} does not exist or is not supported for a FILTER call"))?;
            let range = input["dateTimeRange"]
                .as_object()
                .ok_or("a filter has no dateTimeRange")?;
            for (key, value) in range {
                let comparison = match key.as_str() {
                    "start" => Comparison::Gte,
                    "end" => Comparison::Lte,
                    _ => return Err(format!("a dateTimeRange has no {key}")),
                };
                let bound = value.as_i64().and_then(DateTime::from_timestamp_millis);
                let bound = bound.ok_or_else(|| format!("{key} is no number of epoch milliseconds"))?;
                filters.push(Filter::Time {
                    column,
                    comparison,
                    bound,
                });
            }
        }
        Ok(filters)
    }
}

fn value_of(stored: &Stored) -> Value {
    serde_json::from_str(&stored.json).expect("what is published is JSON")
}

/// Every argument, null where it was not given.
fn arguments(field: &Field, request: &Request) -> Result<BTreeMap<&'static str, Value>, String> {
    let mut found: BTreeMap<&'static str, Value> = ARGUMENTS.iter().map(|(name, _)| (*name, Value::Null)).collect();
    for (given, argument) in &field.arguments {
        let known = ARGUMENTS.iter().find(|(name, _)| name == given);
        let (name, kind) = known.ok_or_else(|| format!("alerts has no argument {given}"))?;
        let value = match argument {
            Argument::Literal(value) => value.clone(),
            Argument::Variable(variable) => match request.document.variables.get(variable) {
                None => return Err(format!("the variable {variable} is not declared")),
                Some(declared) if declared != kind => {
                    return Err(format!("the variable {variable} is no {kind}"));
                }
                Some(_) => request.variables.get(variable).cloned().unwrap_or_default(),
            },
        };
        found.insert(name, value);
    }
    Ok(found)
}

fn first(given: &Value) -> Result<usize, String> {
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
