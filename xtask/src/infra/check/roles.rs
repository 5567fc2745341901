//! Whether role assignments can be made again, and are there in time.

use serde_json::Value;

use super::expression;
use super::ids::{self, Id};
use super::order::target_of;
use super::scope;

const ROLE_TYPE: &str = "Microsoft.Authorization/roleAssignments";
const SITE_TYPE: &str = "Microsoft.Web/sites";

/// What is wrong with the role assignments of a template and of the deployments inside it.
pub fn problems(template: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, scope) in scope::all(template) {
        for role in roles(scope) {
            problems.extend(
                own_problems(role)
                    .into_iter()
                    .map(|problem| format!("{path}: {problem}")),
            );
        }
    }
    problems.extend(order_problem(template));
    problems
}

fn roles(template: &Value) -> impl Iterator<Item = &Value> {
    let resources = template["resources"].as_array().into_iter().flatten();
    resources.filter(|resource| resource["type"] == ROLE_TYPE)
}

fn own_problems(role: &Value) -> Vec<String> {
    let name = role["name"].as_str().unwrap_or_default();
    let mut names_principal = false;
    if let Some(Ok(parsed)) = expression::inside(name).map(expression::parse) {
        parsed.walk(&mut |part| {
            let parameter = part
                .call_of("parameters")
                .and_then(|arguments| arguments.first()?.text());
            names_principal |= parameter == Some("principalId");
        });
    }
    let mut problems = Vec::new();
    if !names_principal {
        problems.push(format!(
            "{name} is not named with its principal: Azure refuses it once the identity was made anew"
        ));
    }
    if role["properties"]["delegatedManagedIdentityResourceId"].is_null() {
        problems.push(format!("{name} cannot be made from another tenant"));
    }
    problems
}

/// A site reads its package, its state and its secrets as soon as it starts.
fn order_problem(template: &Value) -> Option<String> {
    let resources = template["resources"].as_array()?;
    let site = resources.iter().find(|resource| resource["type"] == SITE_TYPE)?;
    let waits_for = site["dependsOn"].as_array().into_iter().flatten();
    let waits_for: Vec<Id> = waits_for
        .filter_map(|text| target_of(text.as_str()?, template))
        .collect();
    let mut with_roles = resources
        .iter()
        .filter(|resource| roles(&resource["properties"]["template"]).count() > 0);
    let is_in_time = with_roles.any(|resource| ids::of_resource(resource).is_some_and(|id| waits_for.contains(&id)));
    (!is_in_time)
        .then(|| "the site waits for no roles: a user-assigned identity can have them before it starts".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(role: Value, site_waits_for: &[&str]) -> Value {
        json!({"resources": [
            {"type": "Microsoft.Resources/deployments", "name": "roles", "properties": {"template": {"resources": [role]}}},
            {"type": SITE_TYPE, "name": "site", "dependsOn": site_waits_for},
        ]})
    }

    fn role(name: &str) -> Value {
        json!({"type": ROLE_TYPE, "name": name, "properties": {"delegatedManagedIdentityResourceId": "[parameters('d')]"}})
    }

    const ROLES: &str = "[resourceId('Microsoft.Resources/deployments', 'roles')]";

    #[test]
    fn a_role_that_names_its_principal_and_comes_before_the_site_is_sound() {
        let sound = role("[guid('scope', parameters('principalId'), 'role')]");
        assert_eq!(problems(&template(sound, &[ROLES])), Vec::<String>::new());
    }

    #[test]
    fn a_role_that_cannot_be_made_again_or_comes_late_is_refused() {
        let by_identity = role("[guid('scope', variables('identityId'), 'role')]");
        let mut in_one_tenant = role("[guid('scope', parameters('principalId'), 'role')]");
        in_one_tenant["properties"] = json!({});
        for (role, waits_for, said) in [
            (by_identity, &[ROLES][..], "is not named with its principal"),
            (in_one_tenant, &[ROLES], "cannot be made from another tenant"),
            (
                role("[guid('scope', parameters('principalId'), 'role')]"),
                &[],
                "the site waits for no roles",
            ),
        ] {
            let problems = problems(&template(role, waits_for));
            assert!(
                problems.len() == 1 && problems[0].contains(said),
                "{said}: {problems:?}"
            );
        }
    }
}
