//! The order of one template: whether `dependsOn` goes in circles, and whether what a resource refers to is there before.
//!
//! Resource Manager derives an order from `reference` only where the name stands in it; ids are used here, so every order
//! has to be said.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::{self, Expression};
use super::ids::{self, Id};
use super::scope;

/// What is wrong with the order of one template.
pub fn problems(path: &str, template: &Value) -> Vec<String> {
    let order = Order::of(template);
    let mut problems = Vec::new();
    for (position, resource) in order.resources.iter().enumerate() {
        let before = order.before(position);
        if before.contains(&position) {
            problems.push(format!("{path}.resources[{position}] waits for itself"));
        }
        for needed in order.referred(resource, template) {
            if needed != position && !before.contains(&needed) {
                problems.push(format!(
                    "{path}.resources[{position}] refers to resources[{needed}] and does not wait for it"
                ));
            }
        }
    }
    problems
}

/// The resource that an element of `dependsOn` names, directly or through a variable.
pub fn target_of(text: &str, template: &Value) -> Option<Id> {
    let parsed = expression::parse(expression::inside(text)?).ok()?;
    match parsed.call_of("variables") {
        Some([Expression::Text(name)]) => target_of(template["variables"][name.as_str()].as_str()?, template),
        _ => ids::of_call(&parsed),
    }
}

struct Order<'t> {
    resources: &'t [Value],
    /// None where a name cannot be taken apart.
    ids: Vec<Option<Id>>,
    waits_for: Vec<BTreeSet<usize>>,
}

impl<'t> Order<'t> {
    fn of(template: &'t Value) -> Self {
        let resources = template["resources"].as_array().map_or(&[][..], Vec::as_slice);
        let mut order = Self {
            resources,
            ids: resources.iter().map(ids::of_resource).collect(),
            waits_for: Vec::new(),
        };
        for resource in resources {
            let targets = resource["dependsOn"].as_array().into_iter().flatten();
            let targets = targets.filter_map(|text| target_of(text.as_str()?, template));
            let positions = targets.filter_map(|id| order.position(&id)).collect();
            order.waits_for.push(positions);
        }
        order
    }

    fn position(&self, id: &Id) -> Option<usize> {
        self.ids.iter().position(|known| known.as_ref() == Some(id))
    }

    /// Everything that is there before a resource; itself among it means a circle.
    fn before(&self, position: usize) -> BTreeSet<usize> {
        let mut before = BTreeSet::new();
        let mut open = vec![position];
        while let Some(next) = open.pop() {
            for &target in self.waits_for.get(next).into_iter().flatten() {
                if before.insert(target) {
                    open.push(target);
                }
            }
        }
        before
    }

    /// The resources of the template whose state a resource asks for, that it extends, or that it is a child of.
    fn referred(&self, resource: &Value, template: &Value) -> BTreeSet<usize> {
        let ancestors = ids::of_resource(resource).map_or_else(Vec::new, |id| id.ancestors());
        let mut referred: BTreeSet<usize> = ancestors.iter().filter_map(|id| self.position(id)).collect();
        scope::expressions(resource, "", &mut |path, parsed| {
            let Ok(parsed) = parsed else {
                return;
            };
            if path == ".scope" {
                self.named(&parsed, template, &mut referred);
            }
            parsed.walk(&mut |part| {
                if let Some(asked) = part.call_of("reference").and_then(<[Expression]>::first) {
                    self.named(asked, template, &mut referred);
                }
            });
        });
        referred
    }

    /// The resources whose ids an expression may give, through variables too.
    fn named(&self, expression: &Expression, template: &Value, found: &mut BTreeSet<usize>) {
        expression.walk(&mut |part| {
            found.extend(ids::of_call(part).and_then(|id| self.position(&id)));
            let Some([Expression::Text(name)]) = part.call_of("variables") else {
                return;
            };
            let value = template["variables"][name.as_str()]
                .as_str()
                .and_then(expression::inside);
            if let Some(Ok(parsed)) = value.map(expression::parse) {
                self.named(&parsed, template, found);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(name: &str) -> String {
        format!("[resourceId('A.B/c', '{name}')]")
    }

    fn resource(name: &str, waits_for: &[&str], more: &str) -> Value {
        let waits_for: Vec<String> = waits_for.iter().map(|name| id(name)).collect();
        json!({"type": "A.B/c", "name": name, "dependsOn": waits_for, "properties": {"x": more}})
    }

    fn problems_of(resources: &[Value]) -> Vec<String> {
        let variables = json!({
            "id": id("a"),
            "either": "[if(parameters('p'), variables('id'), parameters('other'))]",
        });
        problems("t", &json!({"variables": variables, "resources": resources}))
    }

    #[test]
    fn a_chain_is_an_order() {
        let chain = [
            resource("a", &[], ""),
            resource("b", &["a"], ""),
            resource("c", &["b", "a"], ""),
        ];
        assert_eq!(problems_of(&chain), Vec::<String>::new());
    }

    #[test]
    fn circles_are_refused() {
        assert_eq!(
            problems_of(&[resource("a", &["a"], "")]),
            ["t.resources[0] waits for itself"]
        );
        let circle = [
            resource("a", &["c"], ""),
            resource("b", &["a"], ""),
            resource("c", &["b"], ""),
        ];
        assert_eq!(problems_of(&circle).len(), 3);
    }

    #[test]
    fn what_is_referred_to_has_to_be_there_before() {
        for asked in [
            "[reference(resourceId('A.B/c', 'a')).x]",
            "[reference(variables('id'), '2020').x]",
            "[concat('x', reference(variables('either')).x)]",
        ] {
            let missing = [resource("a", &[], ""), resource("b", &[], asked)];
            let said = "t.resources[1] refers to resources[0] and does not wait for it";
            assert_eq!(problems_of(&missing), [said], "{asked}");
            let through = [
                resource("a", &[], ""),
                resource("m", &["a"], ""),
                resource("b", &["m"], asked),
            ];
            assert_eq!(problems_of(&through), Vec::<String>::new(), "{asked}");
        }
        let child = json!({"type": "A.B/c/d", "name": "a/child"});
        assert_eq!(problems_of(&[resource("a", &[], ""), child]).len(), 1);
        let mut extension = resource("b", &[], "");
        extension["scope"] = id("a").into();
        assert_eq!(problems_of(&[resource("a", &[], ""), extension]).len(), 1);
    }
}
