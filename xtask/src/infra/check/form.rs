//! The portal form against the template: its outputs are the template's parameters, one to one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::Expression;
use super::functions::FORM;
use super::scope::{syntax_problems, texts};
use super::secrets::secure_parameters;
use crate::vendors::SOURCES;

/// What is wrong with a `createUiDefinition.json`.
pub fn problems(form: &Value, template: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let outputs = names(&form["parameters"]["outputs"]);
    let parameters = names(&template["parameters"]);
    problems.extend(
        parameters
            .difference(&outputs)
            .map(|name| format!("the form gives no {name}")),
    );
    problems.extend(
        outputs
            .difference(&parameters)
            .map(|name| format!("the template takes no {name}")),
    );

    let elements = elements(form);
    let mut of_elements = |part: &Expression| element_problem(part, &elements);
    problems.extend(syntax_problems(form, "form", &FORM, &mut of_elements));
    problems.extend(secret_problems(form, template));
    problems.extend(table_problems(form));
    problems
}

fn names(object: &Value) -> BTreeSet<String> {
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, _)| name.clone()).collect()
}

/// Step (empty for the basics) and name of every element, those of sections included.
fn elements(form: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    collect("", &form["parameters"]["basics"], &mut found);
    for step in form["parameters"]["steps"].as_array().into_iter().flatten() {
        collect(step["name"].as_str().unwrap_or_default(), &step["elements"], &mut found);
    }
    found
}

fn collect(step: &str, elements: &Value, found: &mut BTreeSet<(String, String)>) {
    for element in elements.as_array().into_iter().flatten() {
        let name = element["name"].as_str().unwrap_or_default();
        found.insert((step.to_owned(), name.to_owned()));
        collect(step, &element["elements"], found);
    }
}

/// `steps('a').b` and `basics('b')` have to name an element.
fn element_problem(part: &Expression, elements: &BTreeSet<(String, String)>) -> Option<String> {
    let (step, name) = match part {
        Expression::Property { of, name } => (of.call_of("steps")?.first()?.text()?, name.as_str()),
        _ => ("", part.call_of("basics")?.first()?.text()?),
    };
    let is_there = elements.contains(&(step.to_owned(), name.to_owned()));
    (!is_there).then(|| format!("the step {step:?} has no {name}"))
}

/// A secret comes from a password box, and a password box gives a secret.
fn secret_problems(form: &Value, template: &Value) -> Vec<String> {
    let mut boxes = BTreeSet::new();
    texts(form, "", &mut |path, text| {
        if text == "Microsoft.Common.PasswordBox" {
            boxes.insert(path.trim_end_matches(".type").to_owned());
        }
    });
    let secrets = secure_parameters(template);
    if boxes.len() == secrets.len() {
        return Vec::new();
    }
    vec![format!(
        "{} secrets are taken, the form has {} password boxes",
        secrets.len(),
        boxes.len()
    )]
}

/// Every table that may be created has to be offered: it stands, in quotes, in a value to choose.
fn table_problems(form: &Value) -> Vec<String> {
    let mut offered = String::new();
    texts(form, "", &mut |path, text| {
        if path.ends_with(".value") {
            offered.push_str(text);
        }
    });
    let tables = SOURCES.iter().flat_map(|source| source.tables());
    let missing = tables.filter(|name| !offered.contains(&format!("\"{name}\"")));
    missing
        .map(|name| format!("the form does not offer to create {name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Value {
        let values: Vec<Value> = SOURCES
            .iter()
            .flat_map(|source| source.tables())
            .map(|name| json!({"value": format!("\"{name}\"")}))
            .collect();
        json!({"parameters": {
            "basics": [{"name": "workspace", "type": "X", "values": values}],
            "steps": [{"name": "s", "elements": [
                {"name": "part", "elements": [{"name": "token", "type": "Microsoft.Common.PasswordBox"}]},
            ]}],
            "outputs": {"a": "[basics('workspace').id]", "token": "[steps('s').part]"},
        }})
    }

    fn template() -> Value {
        json!({"parameters": {"a": {"type": "string"}, "token": {"type": "secureString"}}})
    }

    fn problems_of(change: impl FnOnce(&mut Value)) -> String {
        let mut form = form();
        change(&mut form);
        problems(&form, &template()).join("; ")
    }

    #[test]
    fn a_form_that_gives_every_parameter_is_sound() {
        assert_eq!(problems_of(|_| {}), "");
    }

    #[test]
    fn bad_forms_are_refused() {
        type Change = fn(&mut Value);
        let changes: [(Change, &str); 7] = [
            (|form| form["parameters"]["outputs"]["b"] = "x".into(), "takes no b"),
            (
                |form| form["parameters"]["outputs"] = json!({"a": "x"}),
                "gives no token",
            ),
            (
                |form| form["parameters"]["outputs"]["a"] = "[steps('s').lost]".into(),
                "has no lost",
            ),
            (
                |form| form["parameters"]["outputs"]["a"] = "[basics('lost').id]".into(),
                "has no lost",
            ),
            (
                |form| form["parameters"]["outputs"]["a"] = "[reference('x')]".into(),
                "no function of forms",
            ),
            (
                |form| form["parameters"]["steps"][0]["elements"][0]["elements"][0]["type"] = "TextBox".into(),
                "0 password boxes",
            ),
            (
                |form| form["parameters"]["basics"][0]["values"] = json!([]),
                "does not offer to create OneLogin_CL",
            ),
        ];
        for (change, said) in changes {
            let problems = problems_of(change);
            assert!(problems.contains(said), "{said}: {problems}");
        }
    }
}
