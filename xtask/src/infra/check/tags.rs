//! Whether every resource has the tags that were given: policies refuse what lacks them.

use serde_json::Value;

use super::scope;
use crate::infra::content;
use crate::infra::tags::{INSIDE, OF_APP, takes_tags};

/// Every resource of a template, or of a deployment inside it, that lacks its tags.
pub fn problems(template: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, scope) in scope::all(template) {
        let is_whole = std::ptr::eq(scope, template);
        let wanted = if is_whole { OF_APP } else { INSIDE };
        for resource in scope["resources"].as_array().into_iter().flatten() {
            let name = resource["name"].as_str().unwrap_or_default();
            if takes_tags(resource) && resource["tags"] != wanted {
                problems.push(format!("{path} > {name}: its tags are not {wanted}"));
            }
            let given = &resource["properties"]["parameters"]["tags"]["value"];
            let takes = &resource["properties"]["template"]["parameters"]["tags"];
            // What every app of a workspace shares has not the tag of one of them.
            let wanted = if content::is_deployment(&resource) {
                INSIDE
            } else {
                wanted
            };
            if !takes.is_null() && *given != wanted {
                problems.push(format!("{path} > {name}: the tags that it is given are not {wanted}"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::infra::tags;

    fn template() -> Value {
        let workbook = json!({"type": "Microsoft.Insights/workbooks", "name": "w"});
        let role = json!({"type": "Microsoft.Authorization/roleAssignments", "name": "r"});
        let inner = json!({"parameters": {}, "resources": [workbook, role]});
        json!({"resources": [
            {"type": "Microsoft.Web/sites", "name": "s", "properties": {}},
            {"type": "Microsoft.Resources/deployments", "name": "d", "properties": {"parameters": {}, "template": inner}},
        ]})
    }

    #[test]
    fn what_can_have_tags_has_them_wherever_it_stands() {
        let mut tagged = template();
        assert_eq!(problems(&tagged).len(), 3);
        tags::apply(&mut tagged, OF_APP);
        assert_eq!(problems(&tagged), Vec::<String>::new());
        let deployment = &tagged["resources"][1]["properties"];
        assert_eq!(deployment["template"]["resources"][0]["tags"], INSIDE);
        assert!(deployment["template"]["resources"][1]["tags"].is_null());

        tagged["resources"][1]["properties"]["parameters"] = json!({});
        assert!(problems(&tagged)[0].contains("that it is given"));
    }
}
