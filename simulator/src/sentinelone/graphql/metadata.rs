//! The query `alertColumnMetadata`.

use serde_json::{Value, json};

use super::document::Field;
use super::schema::{METADATA, project, validate};
use crate::sentinelone::contract::Stream;
use crate::sentinelone::options::ConsoleOptions;

const STREAM: Stream = Stream::UnifiedAlerts;

/// Whether a filter and a sort may have this name on this console.
pub(super) fn is_offered(options: &ConsoleOptions, name: &str) -> bool {
    let contract = STREAM.contract();
    contract.sort(name).is_some() && !(options.without_updated_at && name == "updatedAt")
}

pub(super) fn columns(options: &ConsoleOptions, field: &Field) -> Result<Value, String> {
    if !field.arguments.is_empty() {
        return Err("alertColumnMetadata takes no arguments".to_owned());
    }
    validate(&field.selection, &METADATA, "alertColumnMetadata")?;
    let contract = STREAM.contract();
    let columns: Vec<Value> = contract
        .sorts
        .iter()
        .filter(|column| is_offered(options, column.name))
        .map(|column| {
            let is_time = contract.times.iter().any(|time| time.name == column.name);
            json!({
                "fieldId": column.name,
                "filterTypes": if is_time { json!(["DATE_RANGE"]) } else { json!(["STRING_IN", "STRING_EQUAL"]) },
                "sortable": true,
                "groupable": !is_time,
                "enableNegation": true,
                "enumValues": null,
            })
        })
        .collect();
    Ok(project(&Value::from(columns), &field.selection))
}
