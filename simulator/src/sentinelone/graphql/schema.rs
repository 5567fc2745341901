//! The fields that can be selected, and the cut of a value to what was.

use std::sync::LazyLock;

use serde_json::Value;

use super::document::{Document, Field};

/// The whole answer of `alerts`.
pub(super) static CONNECTION: LazyLock<Vec<Field>> = LazyLock::new(|| {
    whole(
        "{ edges { cursor node {
            id name description detectedAt createdAt updatedAt status severity analystVerdict externalId storylineId
            attackSurfaces confidenceLevel classification detectionSource { product vendor }
            assignee { fullName email } assets { id name agentUuid osType osVersion } dataSources
        } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }",
    )
});

/// The whole of a column of `alertColumnMetadata`.
pub(super) static METADATA: LazyLock<Vec<Field>> =
    LazyLock::new(|| whole("{ fieldId filterTypes sortable groupable enableNegation enumValues }"));

/// A type, written as the query that selects every field of it.
fn whole(query: &str) -> Vec<Field> {
    Document::parse(query).expect("the query can be read").selection
}

/// Refuses a selection of what there is not.
pub(super) fn validate(selection: &[Field], whole: &[Field], of: &str) -> Result<(), String> {
    if selection.is_empty() {
        return Err(format!("{of} needs a selection"));
    }
    for field in selection {
        let name = &field.name;
        if !field.arguments.is_empty() {
            return Err(format!("{name} of {of} takes no arguments"));
        }
        let known = whole.iter().find(|known| known.name == *name);
        let known = known.ok_or_else(|| format!("{of} has no field {name}"))?;
        if !known.selection.is_empty() {
            validate(&field.selection, &known.selection, name)?;
        } else if !field.selection.is_empty() {
            return Err(format!("{name} of {of} takes no selection"));
        }
    }
    Ok(())
}

/// The value with what was selected, and nothing else.
pub(super) fn project(value: &Value, selection: &[Field]) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(|element| project(element, selection)).collect(),
        Value::Object(object) if !selection.is_empty() => selection
            .iter()
            .map(|field| {
                let inner = object.get(&field.name).unwrap_or(&Value::Null);
                (field.key().to_owned(), project(inner, &field.selection))
            })
            .collect(),
        other => other.clone(),
    }
}
