//! The query `alerts(filters, sort, first, after)`.

use serde_json::{Value, json};

use super::document::Field;
use super::inputs;
use super::operation::Operation;
use super::schema::{CONNECTION, project, validate};
use crate::sentinelone::catalogue::Selection;
use crate::sentinelone::contract::Stream;
use crate::sentinelone::cursor::{Cursor, Place};
use crate::sentinelone::list::shows_its_data;
use crate::sentinelone::options::ConsoleFault;
use crate::sentinelone::state::{Console, LastingParameters};
use crate::sentinelone::stored::Stored;
use crate::service::Fault;

const STREAM: Stream = Stream::UnifiedAlerts;

/// Arguments and the types of their variables.
const ARGUMENTS: [(&str, &str); 4] = [
    ("filters", "FilterInput"),
    ("sort", "SortInput"),
    ("first", "Int"),
    ("after", "String"),
];

pub(super) fn connection(
    console: &mut Console,
    field: &Field,
    operation: &Operation,
    fault: Option<&Fault<ConsoleFault>>,
) -> Result<Value, String> {
    validate(&field.selection, &CONNECTION, "alerts")?;
    let arguments = operation.arguments(field, &ARGUMENTS)?;
    let parameters: LastingParameters = ["filters", "sort"]
        .into_iter()
        .map(|name| (name.to_owned(), arguments[name].to_string()))
        .collect();
    let (sort, descending) = inputs::sort(&console.options, &arguments["sort"])?;
    let selection = Selection {
        filters: inputs::filters(&console.options, &arguments["filters"])?,
        sort,
        descending,
        after: place_after(console, &arguments["after"], &parameters)?,
        limit: console.page_limit(inputs::first(&arguments["first"])?),
    };
    let page = nodes(console, &selection, fault);
    let edges = page.nodes.into_iter().map(|(after, node)| {
        let cursor = Cursor {
            sort_by: sort.name.to_owned(),
            descending,
            after,
        };
        json!({"cursor": issue(console, cursor, &parameters), "node": node})
    });
    let edges: Vec<Value> = edges.collect();
    let end = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    let connection = json!({
        "pageInfo": {
            "hasNextPage": page.has_next,
            "hasPreviousPage": selection.after.is_some(),
            "startCursor": end(edges.first()),
            "endCursor": end(edges.last()),
        },
        "totalCount": page.total,
        "edges": edges,
    });
    Ok(project(&connection, &field.selection))
}

struct Nodes {
    nodes: Vec<(Place, Value)>,
    total: usize,
    has_next: bool,
}

fn nodes(console: &mut Console, selection: &Selection, fault: Option<&Fault<ConsoleFault>>) -> Nodes {
    let catalogue = console.catalogue(STREAM);
    let node = |stored: &Stored| (stored.place(selection.sort), value_of(stored));
    let repeated = match (fault, &selection.after) {
        (Some(Fault::RepeatLastOfPreviousPage), Some(place)) => catalogue.at(place).map(node),
        _ => None,
    };
    let page = catalogue.page(selection);
    let versions: Vec<usize> = page.objects.iter().map(|stored| stored.version).collect();
    let own = page.objects.iter().map(|stored| node(stored));
    let nodes = Nodes {
        nodes: repeated.into_iter().chain(own).collect(),
        total: page.total,
        has_next: page.next_after.is_some(),
    };
    if shows_its_data(fault) {
        console.mark_shown(&versions);
    }
    nodes
}

fn issue(console: &mut Console, cursor: Cursor, parameters: &LastingParameters) -> String {
    let text = cursor.encoded();
    console.issue(STREAM, text.clone(), cursor, parameters.clone());
    text
}

fn place_after(console: &mut Console, given: &Value, parameters: &LastingParameters) -> Result<Option<Place>, String> {
    let text = match given {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        _ => return Err("after is no text".to_owned()),
    };
    let cursor = console.follow(STREAM, text, parameters);
    let cursor = cursor.ok_or_else(|| "after is no cursor of an answer".to_owned())?;
    Ok(Some(cursor.after))
}

fn value_of(stored: &Stored) -> Value {
    serde_json::from_str(&stored.json).expect("what is published is JSON")
}
