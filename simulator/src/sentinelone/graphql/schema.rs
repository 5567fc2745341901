//! The fields that can be selected, and the cut of a value to what was.

use serde_json::Value;

use super::document::Field;

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldKind {
    /// A value without a selection.
    Scalar,
    /// An object, or a list of them, with a selection.
    Object(Fields),
}

/// The fields of a type.
pub(super) type Fields = &'static [(&'static str, FieldKind)];

use FieldKind::{Object, Scalar};

/// The answer of `alerts`.
pub(super) const CONNECTION: Fields = &[
    ("edges", Object(&[("cursor", Scalar), ("node", Object(ALERT))])),
    (
        "pageInfo",
        Object(&[
            ("hasNextPage", Scalar),
            ("hasPreviousPage", Scalar),
            ("startCursor", Scalar),
            ("endCursor", Scalar),
        ]),
    ),
    ("totalCount", Scalar),
];

const ALERT: Fields = &[
    ("id", Scalar),
    ("name", Scalar),
    ("description", Scalar),
    ("detectedAt", Scalar),
    ("createdAt", Scalar),
    ("updatedAt", Scalar),
    ("status", Scalar),
    ("severity", Scalar),
    ("analystVerdict", Scalar),
    ("externalId", Scalar),
    ("storylineId", Scalar),
    ("attackSurfaces", Scalar),
    ("confidenceLevel", Scalar),
    ("classification", Scalar),
    ("detectionSource", Object(&[("product", Scalar), ("vendor", Scalar)])),
    ("assignee", Object(&[("fullName", Scalar), ("email", Scalar)])),
    (
        "assets",
        Object(&[
            ("id", Scalar),
            ("name", Scalar),
            ("agentUuid", Scalar),
            ("osType", Scalar),
            ("osVersion", Scalar),
        ]),
    ),
    ("dataSources", Scalar),
];

/// One column of `alertColumnMetadata`.
pub(super) const METADATA: Fields = &[
    ("fieldId", Scalar),
    ("filterTypes", Scalar),
    ("sortable", Scalar),
    ("groupable", Scalar),
    ("enableNegation", Scalar),
    ("enumValues", Scalar),
];

/// Refuses a selection of what there is not.
pub(super) fn validate(selection: &[Field], fields: Fields, of: &str) -> Result<(), String> {
    if selection.is_empty() {
        return Err(format!("{of} needs a selection"));
    }
    for field in selection {
        let name = &field.name;
        if !field.arguments.is_empty() {
            return Err(format!("{name} of {of} takes no arguments"));
        }
        match fields.iter().find(|(known, _)| known == name) {
            None => return Err(format!("{of} has no field {name}")),
            Some((_, Scalar)) if field.selection.is_empty() => {}
            Some((_, Scalar)) => return Err(format!("{name} of {of} takes no selection")),
            Some((_, Object(inner))) => validate(&field.selection, inner, name)?,
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
