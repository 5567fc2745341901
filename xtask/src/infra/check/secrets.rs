//! Where secure parameters go: into the vault, and nowhere else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::Expression;
use super::scope::expressions;

/// Every use of a secure parameter that is neither the value of a vault's secret nor the question whether it is empty.
pub fn problems(template: &Value) -> Vec<String> {
    let secure = secure_parameters(template);
    let mut problems = Vec::new();
    expressions(template, "template", &mut |path, parsed| {
        let seen = parsed.map(|parsed| shown(&parsed, &secure)).unwrap_or_default();
        if !is_value_of_secret(template, path) {
            problems.extend(
                seen.iter()
                    .map(|name| format!("{path}: the secret {name} would be readable")),
            );
        }
    });
    for name in secure.iter().filter(|name| has_default(template, name)) {
        problems.push(format!("parameters.{name}: a secret has a default"));
    }
    problems
}

/// The names of secure parameters.
pub fn secure_parameters(template: &Value) -> BTreeSet<&str> {
    let parameters = template["parameters"].as_object().into_iter().flatten();
    let secure = parameters.filter(|(_, parameter)| is_secure(parameter));
    secure.map(|(name, _)| name.as_str()).collect()
}

fn is_secure(parameter: &Value) -> bool {
    let kind = parameter["type"].as_str().unwrap_or_default();
    kind.eq_ignore_ascii_case("secureString") || kind.eq_ignore_ascii_case("secureObject")
}

fn has_default(template: &Value, name: &str) -> bool {
    let default = &template["parameters"][name]["defaultValue"];
    !default.is_null() && default != ""
}

/// Whether `template.resources[3].properties.value` is that of a secret.
fn is_value_of_secret(template: &Value, path: &str) -> bool {
    let position = path
        .strip_prefix("template.resources[")
        .and_then(|rest| rest.strip_suffix("].properties.value"))
        .and_then(|position| position.parse::<usize>().ok());
    position.is_some_and(|position| template["resources"][position]["type"] == "Microsoft.KeyVault/vaults/secrets")
}

/// Secure parameters of the expression outside of `empty()`.
fn shown<'s>(expression: &Expression, secure: &BTreeSet<&'s str>) -> Vec<&'s str> {
    if expression.call_of("empty").is_some() {
        return Vec::new();
    }
    let parameter = expression
        .call_of("parameters")
        .and_then(|arguments| arguments.first()?.text());
    if let Some(name) = parameter {
        return secure.get(name).copied().into_iter().collect();
    }
    match expression {
        Expression::Text(_) | Expression::Number(_) => Vec::new(),
        Expression::Call { arguments, .. } => arguments.iter().flat_map(|argument| shown(argument, secure)).collect(),
        Expression::Property { of, .. } => shown(of, secure),
        Expression::Index { of, at } => [of, at].iter().flat_map(|part| shown(part, secure)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(more: Value) -> Value {
        json!({
            "parameters": {"token": {"type": "securestring", "defaultValue": ""}},
            "resources": [
                {
                    "type": "Microsoft.KeyVault/vaults/secrets",
                    "condition": "[not(empty(parameters('token')))]",
                    "properties": {"value": "[parameters('token')]"},
                },
                more,
            ],
        })
    }

    #[test]
    fn a_secret_may_go_into_the_vault_and_be_asked_whether_it_is_there() {
        assert_eq!(problems(&template(json!({}))), Vec::<String>::new());
    }

    #[test]
    fn a_secret_anywhere_else_is_refused() {
        for leak in [
            "[parameters('token')]",
            "[concat('x', parameters('token'))]",
            "[if(empty(parameters('token')), '', parameters('token'))]",
        ] {
            let bad = template(json!({"type": "Microsoft.Web/sites/config", "properties": {"value": leak}}));
            assert_eq!(problems(&bad).len(), 1, "{leak}");
        }
    }

    #[test]
    fn a_secret_with_a_default_is_refused() {
        let mut bad = template(json!({}));
        bad["parameters"]["token"]["defaultValue"] = "hunter2".into();
        assert_eq!(problems(&bad), ["parameters.token: a secret has a default"]);
    }
}
