//! How large a template may be.
//!
//! Source: learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits

use serde_json::Value;

use super::expression;
use super::scope::texts;

/// Bytes of the whole template.
const LARGEST: usize = 4_000_000;
/// Bytes of one resource, a template inside it included.
const LARGEST_RESOURCE: usize = 1_000_000;
/// Members of one template, those of templates inside it not counted.
const MOST: [(&str, usize); 4] = [
    ("parameters", 256),
    ("variables", 512),
    ("resources", 800),
    ("outputs", 64),
];
const LONGEST_EXPRESSION: usize = 24_576;

/// Whether the whole is too large.
pub fn of_whole(template: &Value) -> Option<String> {
    let size = template.to_string().len();
    (size > LARGEST).then(|| format!("the template has {size} bytes, Resource Manager takes {LARGEST}"))
}

/// What of one template is too much.
pub fn problems(path: &str, template: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for (part, most) in MOST {
        let part_of = &template[part];
        let members = part_of.as_object().map(serde_json::Map::len);
        let count = members.or(part_of.as_array().map(Vec::len)).unwrap_or_default();
        if count > most {
            problems.push(format!("{path}: {count} {part}, Resource Manager takes {most}"));
        }
    }
    for (position, resource) in template["resources"].as_array().into_iter().flatten().enumerate() {
        let size = resource.to_string().len();
        if size > LARGEST_RESOURCE {
            problems.push(format!(
                "{path}.resources[{position}] has {size} bytes, Resource Manager takes {LARGEST_RESOURCE}"
            ));
        }
    }
    texts(template, path, &mut |path, text| {
        let length = expression::inside(text).map_or(0, |_| text.chars().count());
        if length > LONGEST_EXPRESSION {
            problems.push(format!(
                "{path}: an expression of {length} characters, Resource Manager takes {LONGEST_EXPRESSION}"
            ));
        }
    });
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_too_much_is_refused() {
        assert_eq!(
            problems("t", &json!({"resources": [1], "outputs": {"a": 1}})),
            Vec::<String>::new()
        );
        let resources: Vec<usize> = (0..801).collect();
        let long = format!("['{}']", "x".repeat(LONGEST_EXPRESSION));
        let template = json!({"resources": resources, "variables": {"a": long}});
        assert_eq!(
            problems("t", &template),
            [
                "t: 801 resources, Resource Manager takes 800",
                "t.variables.a: an expression of 24580 characters, Resource Manager takes 24576"
            ]
        );
        assert_eq!(of_whole(&template), None);
        assert!(of_whole(&json!("x".repeat(LARGEST))).is_some());
        let heavy = json!({"resources": [{"x": "x".repeat(LARGEST_RESOURCE)}]});
        assert_eq!(problems("t", &heavy).len(), 1);
    }
}
