//! The fields of an alert that are asked for, and those that a console does not know.
//!
//! The schema of unified alerts grows with the console, and GraphQL refuses the whole question for one field that it
//! does not know. Such a field is left out, unless alerts could not be told apart or put in order without it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::failure::errors_in;

/// Fields of an alert, each with the fields below it.
const FIELDS: [(&str, &[&str]); 18] = [
    ("id", &[]),
    ("name", &[]),
    ("description", &[]),
    ("detectedAt", &[]),
    ("createdAt", &[]),
    ("updatedAt", &[]),
    ("status", &[]),
    ("severity", &[]),
    ("analystVerdict", &[]),
    ("externalId", &[]),
    ("storylineId", &[]),
    ("attackSurfaces", &[]),
    ("confidenceLevel", &[]),
    ("classification", &[]),
    ("detectionSource", &["product", "vendor"]),
    ("assignee", &["fullName", "email"]),
    ("assets", &["id", "name", "agentUuid", "osType", "osVersion"]),
    ("dataSources", &[]),
];
/// Without these there is no alert, no order and no next page.
const NEEDED: [&str; 8] = [
    "id",
    "createdAt",
    "updatedAt",
    "alerts",
    "edges",
    "node",
    "hasNextPage",
    "endCursor",
];
/// Types of the fields that have fields, as far as their names tell: (word in the type, field).
const TYPES: [(&str, &str); 5] = [
    ("asset", "assets"),
    ("source", "detectionSource"),
    ("assignee", "assignee"),
    ("user", "assignee"),
    ("pageinfo", "pageInfo"),
];
/// What servers say of a field that they do not know, or know in another spec: GraphQL Java, graphql-js, Ruby, .NET
/// and Python.
const SAID_OF_FIELDS: [&str; 19] = [
    "fieldundefined",
    "cannot query field",
    "is undefined",
    "doesn't exist on",
    "does not exist on",
    "not exist on type",
    "unknown field",
    "no such field",
    "has no field",
    "not found on type",
    "not found in type",
    "subselectionrequired",
    "subselection",
    "selection of subfields",
    "must not have a selection",
    "no subfields",
    "is not defined",
    "not defined by type",
    "undefined field",
];

/// Fields that are not asked for, as `name` or `parent/name`.
pub type OmittedFields = BTreeSet<String>;

/// A field that the console refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// As in [`OmittedFields`].
    CanBeLeftOut(String),
    /// Nothing can be read without it.
    Needed(String),
}

impl Unknown {
    fn of(path: String) -> Self {
        match NEEDED.contains(&path.as_str()) || path.starts_with("pageInfo") {
            true => Self::Needed(path),
            false => Self::CanBeLeftOut(path),
        }
    }
}

/// The fields of an alert without those left out, as they stand in a query.
pub fn fields(left_out: &OmittedFields) -> String {
    let mut words = Vec::new();
    for (name, below) in FIELDS.iter().filter(|(name, _)| !left_out.contains(*name)) {
        let below: Vec<_> = below
            .iter()
            .filter(|below| !left_out.contains(&format!("{name}/{below}")))
            .copied()
            .collect();
        words.push((*name).to_owned());
        if !below.is_empty() {
            words.push(format!("{{ {} }}", below.join(" ")));
        }
    }
    words.join(" ")
}

/// The fields that the errors of an answer to `query` name as unknown.
pub fn unknown_fields(errors: Option<&str>, query: &str) -> Vec<Unknown> {
    let errors = errors_in(errors.unwrap_or_default());
    let found = errors.iter().filter_map(|error| unknown_in(error, query));
    let mut fields = Vec::new();
    for unknown in found {
        if !fields.contains(&unknown) {
            fields.push(unknown);
        }
    }
    fields
}

/// The same for errors beside data: only if every one of them is about a field that was asked for, and that may be
/// left out.
pub fn unknown_beside_data(errors: Option<&str>, query: &str) -> Vec<Unknown> {
    let errors = errors_in(errors.unwrap_or_default());
    let found = errors.iter().map(|error| {
        unknown_in(error, query).filter(|unknown| match unknown {
            Unknown::CanBeLeftOut(path) => is_word_of(query, path.rsplit('/').next().unwrap_or(path)),
            Unknown::Needed(_) => false,
        })
    });
    found.collect::<Option<_>>().unwrap_or_default()
}

/// A field of `query` that errors about its form name between quotes: it may be shown, because it is our own word.
pub fn named_field(errors: Option<&str>, query: &str) -> Option<String> {
    let errors = errors_in(errors.unwrap_or_default());
    let texts = errors.iter().filter(|error| is_about_form(error)).flat_map(texts_of);
    let mut words = texts.flat_map(|text| text.split(['\'', '"', '`']).skip(1).step_by(2));
    words
        .find(|word| is_field_name(word) && is_word_of(query, word))
        .map(str::to_owned)
}

fn unknown_in(error: &Value, query: &str) -> Option<Unknown> {
    let told = texts_of(error).filter(|text| {
        let lower = text.to_ascii_lowercase();
        SAID_OF_FIELDS.iter().any(|words| lower.contains(words))
    });
    let told: Vec<_> = told.collect();
    let in_words = told
        .iter()
        .find_map(|text| path_in(text).or_else(|| by_name(text, error, query)));
    let path = in_words.or_else(|| by_name(&format!("'{}'", named_beside(error)?), error, query))?;
    Some(Unknown::of(path))
}

/// The free texts of an error: `message` in GraphQL, the others in the console's own spec.
fn texts_of(error: &Value) -> impl Iterator<Item = &str> {
    let members = ["message", "detail", "title", "description"].map(|name| error[name].as_str());
    members.into_iter().chain([error.as_str()]).flatten()
}

/// Some servers say only that the query is not valid, and name the field beside it.
fn named_beside(error: &Value) -> Option<&str> {
    let members = ["/extensions/fieldName", "/extensions/field", "/fieldName", "/field"];
    let named = members.iter().find_map(|member| error.pointer(member)?.as_str());
    named.filter(|_| is_about_form(error))
}

fn is_about_form(error: &Value) -> bool {
    let classes = ["/extensions/classification", "/extensions/code"];
    let classes = classes.iter().filter_map(|class| error.pointer(class)?.as_str());
    let mut words = texts_of(error).chain(classes);
    words.any(|words| words.to_ascii_lowercase().contains("validation"))
}

fn is_field_name(word: &str) -> bool {
    paths().any(|path| path.rsplit('/').next() == Some(word)) || NEEDED.contains(&word) || word == "pageInfo"
}

fn is_word_of(query: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    query.split(|character| !is_part(character)).any(|part| part == word)
}

/// Parents of which every field is left out are left out themselves.
pub fn with_empty_parents(mut left_out: OmittedFields) -> OmittedFields {
    for (name, below) in FIELDS.iter().filter(|(_, below)| !below.is_empty()) {
        if below.iter().all(|below| left_out.contains(&format!("{name}/{below}"))) {
            left_out.insert((*name).to_owned());
        }
    }
    left_out
}

/// GraphQL Java says where: `FieldUndefined@[alerts/edges/node/dataSources]`, in older versions `@ 'alerts/...'`.
fn path_in(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("@[").or_else(|| message.split_once("@ '"))?;
    let (path, _) = rest.split_once([']', '\''])?;
    let below = path.rsplit_once("node/").map_or(path, |(_, below)| below);
    let below = below.strip_prefix("alerts/").unwrap_or(below);
    let below = below.strip_prefix("edges/").unwrap_or(below);
    is_asked_for(below).then(|| below.to_owned())
}

fn is_asked_for(path: &str) -> bool {
    paths().any(|known| known == path) || NEEDED.contains(&path) || path.starts_with("pageInfo")
}

fn paths() -> impl Iterator<Item = String> {
    FIELDS.iter().flat_map(|(name, below)| {
        let below = below.iter().map(move |below| format!("{name}/{below}"));
        std::iter::once((*name).to_owned()).chain(below)
    })
}

/// The field by its name; where several have it, the place in the query tells which one, or the type.
fn by_name(message: &str, error: &Value, query: &str) -> Option<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = message.split(|character| !is_part(character));
    let name = words.filter(|word| !word.is_empty()).find(|word| {
        let is_quoted = ["'", "\"", "`"]
            .iter()
            .any(|quote| message.contains(&format!("{quote}{word}{quote}")));
        let may_be_plain = !message.contains(['\'', '"', '`']);
        (is_quoted || may_be_plain) && is_field_name(word)
    })?;
    let mut candidates: Vec<String> = paths().filter(|path| path.rsplit('/').next() == Some(name)).collect();
    if candidates.len() > 1 {
        let told = by_location(error, query, name).or_else(|| by_type(message, name));
        // The alert's own field stands first.
        return Some(told.unwrap_or_else(|| candidates.remove(0)));
    }
    Some(candidates.pop().unwrap_or_else(|| name.to_owned()))
}

/// The query stands on one line, so the column is the place in it.
fn by_location(error: &Value, query: &str, name: &str) -> Option<String> {
    let column = error.pointer("/locations/0/column")?.as_u64()?;
    let at = usize::try_from(column).ok()?.checked_sub(1)?;
    let is_there = query.get(at..)?.strip_prefix(name)?.starts_with([' ', '}', '{']);
    let before = query.get(..at).filter(|_| is_there)?;
    let opened = before.rfind('{')?;
    if before.rfind('}').is_some_and(|closed| closed > opened) {
        return Some(name.to_owned());
    }
    let parent = before[..opened].split_whitespace().last()?;
    match parent {
        "node" => Some(name.to_owned()),
        parent => Some(format!("{parent}/{name}")).filter(|path| is_asked_for(path)),
    }
}

fn by_type(message: &str, name: &str) -> Option<String> {
    let lower = message.to_ascii_lowercase();
    let (_, rest) = lower.split_once("type")?;
    let parent = TYPES
        .iter()
        .find(|(word, _)| rest.contains(word))
        .map(|(_, parent)| parent)?;
    Some(format!("{parent}/{name}")).filter(|path| is_asked_for(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "query { alerts { edges { node { id name assets { id name } dataSources } } } }";

    fn unknown(error: &str) -> Vec<Unknown> {
        unknown_fields(Some(error), QUERY)
    }

    fn left(path: &str) -> Vec<Unknown> {
        vec![Unknown::CanBeLeftOut(path.to_owned())]
    }

    #[test]
    fn an_unknown_field_is_found_in_the_words_of_every_server() {
        for message in [
            "Validation error (FieldUndefined@[alerts/edges/node/dataSources]) : Field 'dataSources' in type 'Alert' is undefined",
            "Validation error of type FieldUndefined: Field 'dataSources' in type 'Alert' is undefined @ 'alerts/edges/node/dataSources'",
            "Cannot query field \"dataSources\" on type \"Alert\".",
            "Cannot query field \"dataSources\" on type \"Alert\". Did you mean \"detectionSource\"?",
            "Field 'dataSources' doesn't exist on type 'Alert'",
            "The field `dataSources` does not exist on the type `Alert`.",
            "Alert has no field dataSources",
            "Field \"dataSources\" of type \"[Source!]\" must have a selection of subfields.",
            "Validation error (SubselectionRequired@[alerts/edges/node/dataSources]) : Subselection required for type 'Source'",
        ] {
            let error = serde_json::json!([{"message": message}]).to_string();
            assert_eq!(unknown(&error), left("dataSources"), "{message}");
        }
    }

    #[test]
    fn an_unknown_field_is_found_in_whatever_member_names_it() {
        let words = "Cannot query field \"dataSources\" on type \"Alert\".";
        for error in [
            serde_json::json!({"code": 4000010, "title": "Bad Request", "detail": words}),
            serde_json::json!({"title": words}),
            serde_json::json!({"description": words}),
            serde_json::json!({"message": "Field \"dataSources\" must not have a selection since type \"JSON\" has no subfields."}),
            serde_json::json!({"message": "Undefined field dataSources"}),
            serde_json::json!({"message": "Validation failed", "extensions": {"fieldName": "dataSources"}}),
            serde_json::json!({"message": "no", "extensions": {"classification": "ValidationError", "field": "dataSources"}}),
        ] {
            let errors = serde_json::json!([error]).to_string();
            assert_eq!(unknown(&errors), left("dataSources"), "{error}");
            assert_eq!(
                unknown_beside_data(Some(&errors), QUERY),
                left("dataSources"),
                "{error}"
            );
            assert_eq!(unknown_beside_data(Some(&errors), "query { alerts }"), [], "{error}");
        }
        let other = r#"[{"message":"Cannot query field 'dataSources'"},{"message":"late"}]"#;
        assert_eq!(unknown_beside_data(Some(other), QUERY), []);
    }

    #[test]
    fn only_our_own_words_are_shown_of_errors_about_the_form() {
        for (error, shown) in [
            (
                r#"[{"message":"Validation error: odd \"secret\" about 'dataSources'"}]"#,
                Some("dataSources"),
            ),
            (r#"[{"message":"Validation error: odd \"secret\""}]"#, None),
            (r#"[{"message":"late: 'dataSources'"}]"#, None),
        ] {
            assert_eq!(named_field(Some(error), QUERY).as_deref(), shown, "{error}");
        }
    }

    #[test]
    fn a_field_below_another_one_is_told_by_path_place_or_type() {
        let place = QUERY.rfind("name").unwrap() + 1;
        for error in [
            serde_json::json!({"message": "Validation error (FieldUndefined@[alerts/edges/node/assets/name]) : Field 'name'"}),
            serde_json::json!({"message": "Cannot query field \"name\" on type \"X\".", "locations": [{"line": 1, "column": place}]}),
            serde_json::json!({"message": "Cannot query field \"name\" on type \"AlertAsset\"."}),
        ] {
            assert_eq!(
                unknown(&serde_json::json!([error]).to_string()),
                left("assets/name"),
                "{error}"
            );
        }
        let own = serde_json::json!([{"message": "Cannot query field \"name\" on type \"Alert\"."}]).to_string();
        assert_eq!(unknown(&own), left("name"));
    }

    #[test]
    fn what_cannot_be_left_out_is_told_apart_and_other_errors_are_none() {
        for name in ["id", "updatedAt", "createdAt", "endCursor", "pageInfo"] {
            let error = format!(r#"[{{"message":"Cannot query field '{name}' on type 'Alert'"}}]"#);
            assert_eq!(unknown(&error), [Unknown::Needed(name.to_owned())]);
        }
        for error in [
            r#"[{"message":"Exception while fetching data (/alerts/edges) : upstream timed out"}]"#,
            r#"[{"message":"Cannot query field \"other\" on type \"Alert\"."}]"#,
            r#"[{"message":"Unknown type \"SortInput\"."}]"#,
            "[{}]",
            "null",
        ] {
            assert_eq!(unknown(error), [], "{error}");
        }
        assert_eq!(unknown_fields(None, QUERY), []);
    }

    #[test]
    fn several_unknown_fields_are_left_out_and_a_parent_without_fields_goes_too() {
        let errors = r#"[{"message":"Cannot query field 'fullName' on type 'User'"},
            {"message":"Cannot query field 'email' on type 'User'"},{"message":"Cannot query field 'status' on type 'Alert'"}]"#;
        let paths = unknown(errors).into_iter().map(|unknown| match unknown {
            Unknown::CanBeLeftOut(path) => path,
            Unknown::Needed(path) => panic!("{path}"),
        });
        let left_out = with_empty_parents(paths.collect());
        let fields = fields(&left_out);
        for gone in ["fullName", "email", "assignee", "status", "{ }"] {
            assert!(!fields.contains(gone), "{gone}: {fields}");
        }
        assert!(fields.contains("detectionSource { product vendor }"), "{fields}");
    }
}
