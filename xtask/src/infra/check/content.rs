//! The template of the content: one for a workspace, so that a second deployment writes the same, and without secrets.

use serde_json::Value;

use super::expression::{self, Expression};
use super::secrets::secure_parameters;

/// The only parameter that a name may hang on.
const WORKSPACE: &str = "workspaceName";
/// What differs from one deployment to the next.
const OF_A_DEPLOYMENT: [&str; 7] = [
    "deployment",
    "resourceGroup",
    "subscription",
    "uniqueString",
    "newGuid",
    "utcNow",
    "variables",
];

/// What is wrong with `infra/content.json`.
pub fn problems(template: &Value) -> Vec<String> {
    let secrets = secure_parameters(template);
    let mut problems: Vec<String> = secrets
        .into_iter()
        .map(|name| format!("the content asks for the secret {name}"))
        .collect();
    for resource in template["resources"].as_array().into_iter().flatten() {
        for key in ["name", "scope"] {
            let text = resource[key].as_str().unwrap_or_default();
            let parsed = expression::inside(text).and_then(|inside| expression::parse(inside).ok());
            if let Some(parsed) = parsed {
                parsed
                    .walk(&mut |part| problems.extend(own_part(part).map(|found| format!("{text} hangs on {found}"))));
            }
        }
    }
    problems
}

/// A part that two deployments into one workspace give two values.
fn own_part(part: &Expression) -> Option<String> {
    let own = OF_A_DEPLOYMENT.into_iter().find(|name| part.call_of(name).is_some());
    let parameter = part
        .call_of("parameters")
        .and_then(|arguments| arguments.first()?.text());
    let parameter = parameter.filter(|name| *name != WORKSPACE);
    own.map(|name| format!("{name}()"))
        .or_else(|| parameter.map(|name| format!("the parameter {name}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(name: &str, parameter_type: &str) -> String {
        let template = json!({
            "parameters": {"workspaceName": {"type": "string"}, "app": {"type": parameter_type}},
            "resources": [{"type": "A/b", "name": name}],
        });
        problems(&template).join("; ")
    }

    #[test]
    fn a_name_of_one_app_and_a_secret_are_told() {
        assert_eq!(told("[guid(parameters('workspaceName'), 'x')]", "string"), "");
        assert_eq!(told("Fixed", "string"), "");
        assert!(told("[guid(parameters('app'))]", "string").contains("hangs on the parameter app"));
        assert!(told("[format('{0}', variables('name'))]", "string").contains("hangs on variables()"));
        assert!(told("[guid(resourceGroup().id)]", "string").contains("hangs on resourceGroup()"));
        assert_eq!(told("Fixed", "secureString"), "the content asks for the secret app");
    }
}
