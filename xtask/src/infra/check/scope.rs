//! Expressions of one template: their syntax, what they call, which parameters and variables they name.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::{self, Expression, SyntaxError};
use super::functions::{Language, TEMPLATE};

/// The template and all those of deployments inside it, each with where it stands.
pub fn all(template: &Value) -> Vec<(String, &Value)> {
    let mut found = vec![("template".to_owned(), template)];
    for resource in template["resources"].as_array().into_iter().flatten() {
        let inner = &resource["properties"]["template"];
        if !inner.is_null() {
            let name = resource["name"].as_str().unwrap_or_default();
            found.extend(
                all(inner)
                    .into_iter()
                    .map(|(path, scope)| (format!("{name} > {path}"), scope)),
            );
        }
    }
    found
}

/// Every text of the template, with where it stands; not those of templates inside it.
pub fn texts<'v>(value: &'v Value, path: &str, visit: &mut dyn FnMut(&str, &'v str)) {
    match value {
        Value::String(text) => visit(path, text),
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                texts(element, &format!("{path}[{position}]"), visit);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let is_inner = key == "template" && path.ends_with(".properties");
                if !is_inner {
                    texts(member, &format!("{path}.{key}"), visit);
                }
            }
        }
        _ => {}
    }
}

/// Every text that is an expression, with where it stands.
pub fn expressions(value: &Value, path: &str, visit: &mut dyn FnMut(&str, Result<Expression, SyntaxError>)) {
    texts(value, path, &mut |path, text| {
        if let Some(inside) = expression::inside(text) {
            visit(path, expression::parse(inside));
        }
    });
}

/// What is wrong with the syntax of expressions and with what they call; `note` sees each of their parts.
pub fn syntax_problems(
    value: &Value,
    path: &str,
    language: &Language,
    note: &mut dyn FnMut(&Expression) -> Option<String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    expressions(value, path, &mut |path, parsed| match parsed {
        Err(error) => problems.push(format!("{path}: {error}")),
        Ok(parsed) => parsed.walk(&mut |part| {
            let found = language.call_problem(part).into_iter().chain(note(part));
            problems.extend(found.map(|problem| format!("{path}: {problem}")));
        }),
    });
    problems
}

/// What is wrong with the expressions of one template.
pub fn problems(path: &str, template: &Value) -> Vec<String> {
    let mut used = Used::default();
    let mut problems = syntax_problems(template, path, &TEMPLATE, &mut |part| {
        used.note(part);
        None
    });
    problems.extend(used.problems(path, template));
    problems
}

#[derive(Default)]
struct Used {
    parameters: BTreeSet<String>,
    variables: BTreeSet<String>,
}

impl Used {
    fn note(&mut self, part: &Expression) {
        for (function, names) in [("parameters", &mut self.parameters), ("variables", &mut self.variables)] {
            let name = part.call_of(function).and_then(|arguments| arguments.first()?.text());
            names.extend(name.map(str::to_owned));
        }
    }

    fn problems(&self, path: &str, template: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        for (kind, names) in [("parameters", &self.parameters), ("variables", &self.variables)] {
            let declared = declared(&template[kind]);
            for name in names.difference(&declared) {
                problems.push(format!("{path}: {kind}('{name}') is not declared"));
            }
            for name in declared.difference(names) {
                problems.push(format!("{path}: {kind}.{name} is not used"));
            }
        }
        problems
    }
}

/// The names of parameters or variables, those of variables that a `copy` makes included.
fn declared(members: &Value) -> BTreeSet<String> {
    let names = members.as_object().into_iter().flatten();
    let names = names.filter(|(name, _)| *name != "copy").map(|(name, _)| name.clone());
    let copied = members["copy"].as_array().into_iter().flatten();
    let copied = copied.filter_map(|copy| copy["name"].as_str().map(str::to_owned));
    names.chain(copied).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems_of(template: &Value) -> String {
        problems("t", template).join("; ")
    }

    #[test]
    fn a_sound_template_has_no_problems() {
        let template = json!({
            "parameters": {"p": {"type": "string"}},
            "variables": {"v": "[toLower(parameters('p'))]"},
            "outputs": {"o": {"value": "[variables('v')]"}},
        });
        assert_eq!(problems_of(&template), "");
    }

    #[test]
    fn bad_expressions_are_refused_with_their_place() {
        for (bad, said) in [
            ("[concat('a']", "t.a[0]: , is missing"),
            ("[concatenate('a')]", "concatenate() is no function"),
            ("[toLower('a', 'b')]", "toLower() does not take 2"),
            ("[parameters('q')]", "parameters('q') is not declared"),
            ("[variables('w')]", "variables('w') is not declared"),
        ] {
            let problems = problems_of(&json!({"a": [bad]}));
            assert!(
                problems.contains(said) && problems.is_empty() == said.is_empty(),
                "{bad}: {problems}"
            );
        }
    }

    #[test]
    fn what_is_declared_and_never_used_is_refused() {
        let template = json!({"parameters": {"p": {"type": "string"}}, "variables": {"v": 1}});
        assert_eq!(
            problems_of(&template),
            "t: parameters.p is not used; t: variables.v is not used"
        );
    }

    #[test]
    fn a_template_inside_has_its_own_parameters() {
        let inner = json!({"outputs": {"o": {"value": "[parameters('p')]"}}});
        let outer = json!({
            "parameters": {"p": {"type": "string"}},
            "resources": [{"name": "[parameters('p')]", "properties": {"template": inner}}],
        });
        let found: Vec<String> = all(&outer)
            .iter()
            .flat_map(|(path, scope)| problems(path, scope))
            .collect();
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("> template: parameters('p') is not declared"),
            "{found:?}"
        );
    }
}
