//! What the pages of one template say about its other parts.

use serde_json::Value;

/// Connector pages that do not name the workbook as it is called.
pub fn problems(path: &str, template: &Value) -> Vec<String> {
    let of_type = |resource_type: &'static str| {
        let resources = template["resources"].as_array().into_iter().flatten();
        resources.filter(move |resource| resource["type"] == resource_type)
    };
    let mut problems = Vec::new();
    for workbook in of_type("Microsoft.Insights/workbooks") {
        let title = workbook["properties"]["displayName"].as_str().unwrap_or_default();
        for page in of_type("Microsoft.SecurityInsights/dataConnectorDefinitions") {
            if !page.to_string().contains(&format!("**{title}**")) {
                problems.push(format!(
                    "{path}: the page {} does not name the workbook \"{title}\"",
                    page["name"]
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_that_calls_the_workbook_otherwise_is_refused() {
        let template = |page: &str| {
            json!({"resources": [
                {"type": "Microsoft.Insights/workbooks", "properties": {"displayName": "Logs: health"}},
                {"type": "Microsoft.SecurityInsights/dataConnectorDefinitions", "name": "P", "properties": {"text": page}},
            ]})
        };
        assert_eq!(problems("t", &template("See **Logs: health**.")), Vec::<String>::new());
        assert_eq!(problems("t", &template("See **Logs health**.")).len(), 1);
    }
}
