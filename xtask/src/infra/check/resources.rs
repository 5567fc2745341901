//! Resources of one template: versions, segments of names and ids, and whether what they wait for is there.

use serde_json::Value;

use super::expression::Expression;
use super::ids::{self, Id};
use super::order::target_of;
use super::scope;
use crate::infra::versions::{API_VERSIONS, api_version};

/// What is wrong with the resources of one template.
pub fn problems(path: &str, template: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let resources = template["resources"].as_array().map_or(&[][..], Vec::as_slice);
    let there: Vec<Id> = resources.iter().filter_map(ids::of_resource).collect();
    for (position, resource) in resources.iter().enumerate() {
        let path = format!("{path}.resources[{position}]");
        problems.extend(own_problems(&path, resource));
        for target in resource["dependsOn"].as_array().into_iter().flatten() {
            let text = target.as_str().unwrap_or_default();
            let is_there = target_of(text, template).is_some_and(|id| there.contains(&id));
            if !is_there {
                problems.push(format!("{path}.dependsOn: {text} is not in the template"));
            }
        }
    }
    for (position, id) in there.iter().enumerate() {
        if there.iter().take(position).any(|earlier| earlier == id) {
            problems.push(format!(
                "{path}: {} {} is there twice",
                id.resource_type,
                id.segments.join("/")
            ));
        }
    }
    scope::expressions(template, path, &mut |path, parsed| {
        if let Ok(parsed) = parsed {
            parsed.walk(&mut |part| problems.extend(call_problem(part).map(|problem| format!("{path}: {problem}"))));
        }
    });
    problems
}

fn own_problems(path: &str, resource: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(resource_type) = resource["type"].as_str() else {
        return vec![format!("{path}: the type is missing")];
    };
    match (api_version(resource_type), resource["apiVersion"].as_str()) {
        (Some(pinned), Some(version)) if pinned == version => {}
        (Some(pinned), _) => problems.push(format!("{path}: {resource_type} is pinned to {pinned}")),
        (None, _) => problems.push(format!("{path}: no version is pinned for {resource_type}")),
    }
    let wanted = ids::wanted_segments(resource_type);
    match ids::of_resource(resource) {
        Some(id) if id.segments.len() == wanted => {}
        _ => problems.push(format!("{path}: the name of a {resource_type} has {wanted} segments")),
    }
    problems
}

fn call_problem(part: &Expression) -> Option<String> {
    if let Some(id) = ids::of_call(part) {
        let (wanted, count) = (ids::wanted_segments(&id.resource_type), id.segments.len());
        return (wanted != count).then(|| format!("an id of {} has {wanted} segments, not {count}", id.resource_type));
    }
    let version = part.call_of("reference")?.get(1)?.text()?;
    let is_pinned = API_VERSIONS.iter().any(|(_, pinned)| *pinned == version);
    (!is_pinned).then(|| format!("reference() asks for {version}, which is pinned for no type"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn site() -> Value {
        json!({"type": "Microsoft.Web/sites", "apiVersion": "2024-04-01", "name": "[variables('n')]"})
    }

    fn problems_of(resources: Value) -> String {
        let template =
            json!({"variables": {"id": "[resourceId('Microsoft.Web/sites', variables('n'))]"}, "resources": resources});
        problems("t", &template).join("; ")
    }

    #[test]
    fn a_child_that_waits_for_its_parent_is_sound() {
        for parent in [
            "[resourceId('Microsoft.Web/sites', variables('n'))]",
            "[variables('id')]",
        ] {
            let child = json!({
                "type": "Microsoft.Web/sites/config",
                "apiVersion": "2024-04-01",
                "name": "[format('{0}/appsettings', variables('n'))]",
                "dependsOn": [parent],
            });
            assert_eq!(problems_of(json!([site(), child])), "");
        }
    }

    #[test]
    fn bad_resources_are_refused() {
        let changed = |key: &str, value: Value| {
            let mut resource = site();
            resource[key] = value;
            resource
        };
        for (bad, said) in [
            (changed("apiVersion", "2020-01-01".into()), "pinned to 2024-04-01"),
            (changed("type", "Microsoft.Web/site".into()), "no version is pinned"),
            (changed("name", "a/b".into()), "has 1 segments"),
            (changed("type", "Microsoft.Web/sites/config".into()), "has 2 segments"),
            (
                changed("dependsOn", json!(["[resourceId('Microsoft.Web/sites', 'other')]"])),
                "is not in the template",
            ),
            (
                changed("x", "[resourceId('Microsoft.Web/sites', 'a', 'b')]".into()),
                "has 1 segments, not 2",
            ),
            (
                changed("x", "[reference('id', '2019-01-01').y]".into()),
                "pinned for no type",
            ),
        ] {
            let problems = problems_of(json!([bad]));
            assert!(problems.contains(said), "{said}: {problems}");
        }
        assert!(problems_of(json!([site(), site()])).contains("twice"));
    }
}
