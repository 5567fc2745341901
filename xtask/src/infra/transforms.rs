//! The transformations that data flows of the template may get: every text that their expressions may give.

use serde_json::Value;

use super::check::expression::{self, Expression};
use super::check::tables::{DeclaredStream, declared_streams};
use super::rules::LONGEST_TRANSFORM;
use super::tables::columns_of_template;
use crate::kql::{Columns, TableColumns, TableVariant, Transform};
use crate::vendors::HAS_GUIDS;

/// A template, and where its parameters come from.
struct TransformScope<'t> {
    template: &'t Value,
    /// The template around it, and what that hands in.
    outer: Option<(&'t TransformScope<'t>, &'t Value)>,
}

/// A text that an expression gives while some conditions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Possible {
    text: String,
    conditions: Vec<String>,
}

impl Possible {
    fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            conditions: Vec::new(),
        }
    }
}

/// Those of every data flow, wherever it stands.
pub fn of_template(template: &Value) -> Result<Vec<Transform>, String> {
    let scope = TransformScope { template, outer: None };
    let mut found = Vec::new();
    collect(&scope, &mut found)?;
    Ok(found)
}

fn collect(scope: &TransformScope<'_>, found: &mut Vec<Transform>) -> Result<(), String> {
    let streams = declared_streams(scope.template);
    let mut flows = Vec::new();
    data_flows(scope.template, &mut flows);
    for flow in flows {
        let target = flow["outputStream"].as_str().unwrap_or_default();
        let target = target.strip_prefix("Custom-").unwrap_or(target).to_owned();
        let name = flow["streams"][0]
            .as_str()
            .and_then(|name| name.strip_prefix("Custom-"));
        let stream = streams.iter().find(|stream| Some(stream.table) == name);
        let stream = stream.ok_or_else(|| format!("the flow into {target} has no declared stream"))?;
        let sources = sources(stream).map_err(|error| format!("the stream into {target}: {error}"))?;
        let written = flow["transformKql"]
            .as_str()
            .ok_or_else(|| format!("the flow into {target} has no transformation"))?;
        for possible in scope.texts(written)? {
            if possible.text.chars().count() > LONGEST_TRANSFORM {
                return Err(format!(
                    "the transformation of {target} is longer than {LONGEST_TRANSFORM} characters"
                ));
            }
            let into_guids = possible.conditions.iter().any(|condition| condition == HAS_GUIDS);
            found.extend(sources.iter().map(|(columns, source)| Transform {
                text: possible.text.clone(),
                source: source.clone(),
                target: target.clone(),
                into: TableVariant {
                    columns: *columns,
                    has_guids: into_guids,
                },
            }));
        }
    }
    for resource in scope.template["resources"].as_array().into_iter().flatten() {
        let properties = &resource["properties"];
        if !properties["template"].is_null() {
            let inner = TransformScope {
                template: &properties["template"],
                outer: Some((scope, &properties["parameters"])),
            };
            collect(&inner, found)?;
        }
    }
    Ok(())
}

/// What a stream declares: over a table with all columns, and over one without those that were added.
fn sources(stream: &DeclaredStream<'_>) -> Result<Vec<(TableColumns, Columns)>, &'static str> {
    let original: Columns = columns_of_template(stream.original)?.into_iter().collect();
    let added: Value = stream
        .added
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, column)| column.clone())
        .collect();
    let mut all = original.clone();
    all.extend(columns_of_template(&added)?);
    let mut sources = vec![(TableColumns::All, all)];
    if !stream.added.is_null() {
        sources.push((TableColumns::Original, original));
    }
    Ok(sources)
}

fn data_flows<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) if members.contains_key("outputStream") => found.push(value),
        Value::Object(members) => {
            let members = members.iter().filter(|(key, _)| *key != "template");
            members.for_each(|(_, member)| data_flows(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| data_flows(element, found)),
        _ => {}
    }
}

impl TransformScope<'_> {
    /// Every text that a value may be.
    fn texts(&self, value: &str) -> Result<Vec<Possible>, String> {
        let Some(inside) = expression::inside(value) else {
            return Ok(vec![Possible::of(value)]);
        };
        let parsed = expression::parse(inside).map_err(|error| format!("{value}: {error}"))?;
        self.possible(&parsed)
    }

    fn possible(&self, expression: &Expression) -> Result<Vec<Possible>, String> {
        if let Some(text) = expression.text() {
            return Ok(vec![Possible::of(text)]);
        }
        if let Some([Expression::Text(name)]) = expression.call_of("parameters") {
            return self.parameter(name);
        }
        if let Some([condition, then, otherwise]) = expression.call_of("if") {
            let mut then = self.possible(then)?;
            then.iter_mut()
                .for_each(|possible| possible.conditions.push(condition.to_string()));
            then.extend(self.possible(otherwise)?);
            return Ok(then);
        }
        if let Some(parts) = expression.call_of("concat") {
            let mut joined = vec![Possible::default()];
            for part in parts {
                joined = products(&joined, &self.possible(part)?);
            }
            return Ok(joined);
        }
        Err(format!(
            "a transformation may not be {expression}: it cannot be worked out"
        ))
    }

    fn parameter(&self, name: &str) -> Result<Vec<Possible>, String> {
        let given = self
            .outer
            .and_then(|(outer, given)| Some((outer, given[name]["value"].as_str()?)));
        if let Some((outer, value)) = given {
            return outer.texts(value);
        }
        let default = self.template["parameters"][name]["defaultValue"].as_str();
        self.texts(default.ok_or_else(|| format!("the transformation {name} is not given and has no default"))?)
    }
}

fn products(firsts: &[Possible], seconds: &[Possible]) -> Vec<Possible> {
    let joined = |first: &Possible, second: &Possible| Possible {
        text: format!("{}{}", first.text, second.text),
        conditions: [first.conditions.as_slice(), &second.conditions].concat(),
    };
    let pairs = firsts
        .iter()
        .flat_map(|first| seconds.iter().map(move |second| joined(first, second)));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(flow_text: &str, given: Value) -> Value {
        let inner = json!({
            "parameters": {"p": {"type": "string"}},
            "variables": {
                "A_CLColumns": [{"name": "x", "type": "dateTime"}],
                "flow": [{"streams": ["Custom-A_CL"], "outputStream": "Custom-A_CL", "transformKql": flow_text}],
            },
        });
        json!({
            "parameters": {"t": {"type": "string", "defaultValue": "source | where x"}},
            "resources": [{"properties": {"parameters": {"p": {"value": given}}, "template": inner}}],
        })
    }

    fn texts(template: &Value) -> Result<Vec<(String, bool)>, String> {
        let found = of_template(template)?;
        Ok(found
            .into_iter()
            .map(|found| (found.text, found.into.has_guids))
            .collect())
    }

    #[test]
    fn a_parameter_is_followed_to_the_default_of_the_outermost_template() {
        let found = of_template(&template("[parameters('p')]", "[parameters('t')]".into())).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].text.as_str(), found[0].target.as_str()),
            ("source | where x", "A_CL")
        );
        assert_eq!(found[0].source["x"], "datetime");
    }

    #[test]
    fn a_table_may_lack_the_columns_that_were_added() {
        let mut template = template("source", Value::Null);
        let variables = &mut template["resources"][0]["properties"]["template"]["variables"];
        variables["A_CLAddedColumns"] = json!({"y": {"name": "y", "type": "real"}});
        let found = of_template(&template).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|found| {
                (
                    found.into.columns,
                    found.source.keys().map(String::as_str).collect::<String>(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (TableColumns::All, "xy".to_owned()),
                (TableColumns::Original, "x".to_owned())
            ]
        );
    }

    #[test]
    fn both_sides_of_a_condition_are_there() {
        let given = format!("[if({HAS_GUIDS}, concat(parameters('t'), ' | extend y'), parameters('t'))]");
        let found = texts(&template("[parameters('p')]", given.into())).unwrap();
        assert_eq!(
            found,
            [
                ("source | where x | extend y".to_owned(), true),
                ("source | where x".to_owned(), false)
            ]
        );
    }

    #[test]
    fn what_cannot_be_worked_out_is_refused() {
        for (text, given, said) in [
            (
                "[toLower(parameters('p'))]",
                json!("source"),
                "toLower(parameters('p'))",
            ),
            ("[parameters('p')]", Value::Null, "has no default"),
        ] {
            let refused = texts(&template(text, given)).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        let long = "x".repeat(LONGEST_TRANSFORM + 1);
        assert!(
            texts(&template(&long, Value::Null))
                .unwrap_err()
                .contains("longer than")
        );
        let mut without = template("source", Value::Null);
        without["resources"][0]["properties"]["template"]["variables"] =
            json!({"flow": without["resources"][0]["properties"]["template"]["variables"]["flow"]});
        assert!(texts(&without).unwrap_err().contains("no declared stream"));
    }
}
