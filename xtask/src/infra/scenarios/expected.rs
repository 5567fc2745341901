//! What a scenario has to come to, and how that is compared.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What a deployment comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum ScenarioOutcome {
    /// Each in the form of a snapshot's `predictedResources`.
    Resources(Vec<Value>),
    /// The text of the refusal.
    Refused(String),
}

/// `infra/scenarios/<name>.expected.json`: what must be the same in the outcome; whatever it does not name may be anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedOutcome {
    /// A part of the text of the refusal; nothing else is expected then.
    refused: Option<String>,
    /// Each must be met by one resource.
    #[serde(default)]
    resources: Vec<Value>,
    /// Each must be met by none.
    #[serde(default)]
    absent: Vec<Value>,
    /// How many resources of a type there are.
    #[serde(default)]
    count: BTreeMap<String, usize>,
}

/// What an evaluator does not evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unevaluated {
    /// An expression where something is expected is a difference.
    Differs,
    /// The expression may come to what is expected: Bicep's engine leaves an object that needs what only Azure knows as one
    /// expression.
    Passes,
}

/// A member of an object that has no other members than those that are named.
const ONLY: &str = "$only";

impl ExpectedOutcome {
    /// How the outcome differs from it.
    pub fn differences(&self, outcome: &ScenarioOutcome, unevaluated: Unevaluated) -> Vec<String> {
        match (&self.refused, outcome) {
            (Some(text), ScenarioOutcome::Refused(said)) if said.contains(text.as_str()) => Vec::new(),
            (Some(text), ScenarioOutcome::Refused(said)) => vec![format!("the refusal is not '{text}' but '{said}'")],
            (Some(text), ScenarioOutcome::Resources(_)) => vec![format!("it is not refused with '{text}'")],
            (None, ScenarioOutcome::Refused(said)) => vec![format!("it is refused: {said}")],
            (None, ScenarioOutcome::Resources(found)) => Comparison { unevaluated }.resources(self, found),
        }
    }
}

struct Comparison {
    unevaluated: Unevaluated,
}

impl Comparison {
    fn resources(&self, expected: &ExpectedOutcome, found: &[Value]) -> Vec<String> {
        let missing = expected.resources.iter().flat_map(|wanted| self.missing(wanted, found));
        let unwanted = expected.absent.iter().filter_map(|unwanted| {
            // An expression that may come to what must not be there is no evidence that it is.
            let strict = Self {
                unevaluated: Unevaluated::Differs,
            };
            let met = found
                .iter()
                .find(|resource| strict.value(unwanted, resource, "").is_empty())?;
            Some(format!("{} is there and must not be", title(met)))
        });
        let counted = expected.count.iter().filter_map(|(resource_type, wanted)| {
            let count = found
                .iter()
                .filter(|resource| resource["type"] == resource_type.as_str())
                .count();
            (count != *wanted).then(|| format!("{resource_type}: {count} instead of {wanted}"))
        });
        missing.chain(unwanted).chain(counted).collect()
    }

    /// How the resource that comes nearest differs.
    fn missing(&self, wanted: &Value, found: &[Value]) -> Vec<String> {
        let same = |resource: &&Value| {
            ["type", "name"]
                .iter()
                .all(|member| wanted[member].is_null() || self.value(&wanted[member], &resource[member], "").is_empty())
        };
        let differences = found
            .iter()
            .filter(same)
            .map(|resource| self.value(wanted, resource, ""));
        match differences.min_by_key(Vec::len) {
            None => vec![format!("{} is not there", title(wanted))],
            Some(differences) => differences
                .iter()
                .map(|difference| format!("{}: {difference}", title(wanted)))
                .collect(),
        }
    }

    fn value(&self, expected: &Value, found: &Value, path: &str) -> Vec<String> {
        let here = || {
            if path.is_empty() {
                "it"
            } else {
                path.trim_start_matches('.')
            }
        };
        let differs = || vec![format!("{} is {found} instead of {expected}", here())];
        match (expected, found) {
            (Value::String(pattern), Value::String(text)) if matches(pattern, text) => Vec::new(),
            (_, Value::String(text)) if self.unevaluated == Unevaluated::Passes && is_expression(text) => Vec::new(),
            (Value::Object(wanted), Value::Object(members)) => {
                let named = wanted.iter().filter(|(name, _)| *name != ONLY);
                let mut differences: Vec<String> = named
                    .flat_map(|(name, wanted)| {
                        let found = members.get(name).unwrap_or(&Value::Null);
                        self.value(wanted, found, &format!("{path}.{name}"))
                    })
                    .collect();
                if wanted.get(ONLY) == Some(&Value::Bool(true)) {
                    let others = members
                        .iter()
                        .filter(|(name, value)| !wanted.contains_key(*name) && !value.is_null());
                    differences.extend(others.map(|(name, _)| format!("{}.{name} must not be there", here())));
                }
                differences
            }
            (Value::Array(wanted), Value::Array(elements)) if wanted.len() == elements.len() => {
                let pairs = wanted.iter().zip(elements).enumerate();
                pairs
                    .flat_map(|(position, (wanted, found))| self.value(wanted, found, &format!("{path}[{position}]")))
                    .collect()
            }
            _ if expected == found => Vec::new(),
            _ => differs(),
        }
    }
}

fn title(resource: &Value) -> String {
    let part = |member: &str| resource[member].as_str().unwrap_or("(any)");
    format!("{} {}", part("type"), part("name"))
}

fn is_expression(text: &str) -> bool {
    text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']')
}

/// Whether a text is as the pattern says: `{any}` stands for anything but nothing, `{unique}` for what `uniqueString` gives, `{guid}` for
/// a GUID.
fn matches(pattern: &str, text: &str) -> bool {
    let places = ["{any}", "{unique}", "{guid}"];
    let first = places
        .iter()
        .filter_map(|place| Some((pattern.find(place)?, *place)))
        .min();
    let Some((start, place)) = first else {
        return pattern == text;
    };
    let (before, after) = (&pattern[..start], &pattern[start + place.len()..]);
    let Some(rest) = text.strip_prefix(before) else {
        return false;
    };
    let ends = rest.char_indices().map(|(end, _)| end).chain([rest.len()]);
    let fits = |value: &str| match place {
        "{unique}" => value.len() == 13 && value.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')),
        "{guid}" => value.len() == 36 && value.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()),
        _ => !value.is_empty(),
    };
    ends.into_iter()
        .any(|end| fits(&rest[..end]) && matches(after, &rest[end..]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(expected: Value, resources: Value, unevaluated: Unevaluated) -> String {
        let expected: ExpectedOutcome = serde_json::from_value(expected).unwrap();
        let outcome = ScenarioOutcome::Resources(resources.as_array().unwrap().clone());
        expected.differences(&outcome, unevaluated).join("; ")
    }

    fn found() -> Value {
        json!([
            {"type": "A/b", "name": "x-abcdefghijk27", "properties": {"p": 1, "list": [{"a": 1, "b": 2}], "none": null}},
            {"type": "A/c", "name": "[guid('p')]", "properties": "[createObject('p', reference('/id'))]"},
        ])
    }

    #[test]
    fn what_is_not_named_may_be_anything() {
        for expected in [
            json!({}),
            json!({"resources": [{"type": "A/b", "name": "x-{unique}"}]}),
            json!({"resources": [{"type": "A/b", "properties": {"p": 1, "list": [{"b": 2}], "q": null, "none": null}}]}),
            json!({"resources": [{"type": "A/b", "properties": {"$only": true, "p": 1, "list": [{}]}}]}),
            json!({"resources": [{"name": "[guid({any})]"}], "absent": [{"type": "A/d"}], "count": {"A/b": 1, "A/d": 0}}),
        ] {
            assert_eq!(
                differences(expected.clone(), found(), Unevaluated::Differs),
                "",
                "{expected}"
            );
        }
    }

    #[test]
    fn every_difference_is_told() {
        for (expected, said) in [
            (
                json!({"resources": [{"type": "A/b", "name": "y"}]}),
                "A/b y is not there",
            ),
            (
                json!({"resources": [{"type": "A/b", "properties": {"p": 2}}]}),
                "A/b (any): properties.p is 1 instead of 2",
            ),
            (
                json!({"resources": [{"type": "A/b", "properties": {"p": null}}]}),
                "properties.p is 1 instead of null",
            ),
            (
                json!({"resources": [{"type": "A/b", "properties": {"list": []}}]}),
                "properties.list is",
            ),
            (
                json!({"resources": [{"type": "A/b", "properties": {"$only": true, "list": [{}]}}]}),
                "properties.p must not be there",
            ),
            (
                json!({"resources": [{"type": "A/c", "properties": {"p": 1}}]}),
                "properties is \"[createObject",
            ),
            (
                json!({"absent": [{"type": "A/b"}]}),
                "A/b x-abcdefghijk27 is there and must not be",
            ),
            (json!({"count": {"A/b": 2}}), "A/b: 1 instead of 2"),
            (json!({"refused": "no"}), "it is not refused with 'no'"),
        ] {
            let differences = differences(expected.clone(), found(), Unevaluated::Differs);
            assert!(differences.contains(said), "{expected}: {differences}");
        }
    }

    #[test]
    fn an_expression_that_stayed_one_may_pass_but_is_no_evidence() {
        let expected = json!({"resources": [{"type": "A/c", "properties": {"p": 1}}], "absent": [{"type": "A/c", "properties": {"p": 1}}]});
        assert_eq!(differences(expected, found(), Unevaluated::Passes), "");
    }

    #[test]
    fn a_refusal_is_compared_by_a_part_of_its_text() {
        let expected: ExpectedOutcome = serde_json::from_value(json!({"refused": "client id"})).unwrap();
        let of = |text: &str| expected.differences(&ScenarioOutcome::Refused(text.to_owned()), Unevaluated::Differs);
        assert!(of("PingOne: the client id is missing").is_empty());
        assert_eq!(of("other"), ["the refusal is not 'client id' but 'other'"]);
        let none: ExpectedOutcome = serde_json::from_value(json!({})).unwrap();
        assert_eq!(
            none.differences(&ScenarioOutcome::Refused("why".to_owned()), Unevaluated::Passes),
            ["it is refused: why"]
        );
    }

    #[test]
    fn patterns() {
        for (pattern, text, wanted) in [
            ("a{any}c", "abc", true),
            ("a{any}c", "abd", false),
            ("{unique}", "abcdefghijk27", true),
            ("{unique}", "abcdefghijk1", false),
            ("{guid}", "00000000-0000-0000-0000-000000000001", true),
            ("{any}.{any}", "a.b.c", true),
            ("a{any}", "a", false),
            ("{other}", "{other}", true),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
