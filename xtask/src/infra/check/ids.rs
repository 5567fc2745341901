//! Names and ids of resources, brought into one form so that they can be compared.

use serde_json::Value;

use super::expression::{self, Expression};

/// A resource: its type, and the segments of its name in their one way of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    /// `Microsoft.Web/sites/config`
    pub resource_type: String,
    /// One for each part of the type after the namespace, if the name can be taken apart.
    pub segments: Vec<String>,
}

impl Id {
    /// The resources that it is a child of, the nearest first.
    pub fn ancestors(&self) -> Vec<Self> {
        let mut ancestors = Vec::new();
        let mut resource_type = self.resource_type.as_str();
        let mut segments = self.segments.as_slice();
        while let (Some((parent, _)), Some((_, rest))) = (resource_type.rsplit_once('/'), segments.split_last()) {
            if rest.is_empty() {
                break;
            }
            ancestors.push(Self {
                resource_type: parent.to_owned(),
                segments: rest.to_vec(),
            });
            (resource_type, segments) = (parent, rest);
        }
        ancestors
    }

    /// The expression that gives it, for `dependsOn`.
    pub fn written(&self) -> String {
        format!("[resourceId('{}', {})]", self.resource_type, self.segments.join(", "))
    }
}

/// What a resource of the template is.
pub fn of_resource(resource: &Value) -> Option<Id> {
    Some(Id {
        resource_type: resource["type"].as_str()?.to_owned(),
        segments: name_segments(resource["name"].as_str()?)?,
    })
}

/// What a call of `resourceId` or `extensionResourceId` names. Subscription and group before the type do not count.
pub fn of_call(call: &Expression) -> Option<Id> {
    let arguments = match call.call_of("resourceId") {
        Some(arguments) => arguments,
        None => call.call_of("extensionResourceId")?,
    };
    let at = arguments.iter().position(is_type)?;
    Some(Id {
        resource_type: arguments.get(at)?.text()?.to_owned(),
        segments: arguments.iter().skip(at + 1).map(Expression::to_string).collect(),
    })
}

/// How many segments the name of a resource of that type has.
pub fn wanted_segments(resource_type: &str) -> usize {
    resource_type.matches('/').count()
}

fn is_type(argument: &Expression) -> bool {
    argument.text().is_some_and(|text| text.contains('/'))
}

/// The segments of a name; none where an expression other than `format` may hold any number of them.
fn name_segments(name: &str) -> Option<Vec<String>> {
    let Some(inside) = expression::inside(name) else {
        return Some(name.split('/').map(quoted).collect());
    };
    let parsed = expression::parse(inside).ok()?;
    match parsed.call_of("format") {
        Some([Expression::Text(form), given @ ..]) => {
            form.split('/').map(|segment| segment_of(segment, given)).collect()
        }
        _ => Some(vec![parsed.to_string()]),
    }
}

/// `{0}` is the argument itself, a text without places is a text, anything else a `format` of its own.
fn segment_of(segment: &str, given: &[Expression]) -> Option<String> {
    let only = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if let Some(place) = only.and_then(|digits| digits.parse::<usize>().ok()) {
        return given.get(place).map(Expression::to_string);
    }
    if !segment.contains('{') {
        return Some(quoted(segment));
    }
    let given: Vec<String> = given.iter().map(Expression::to_string).collect();
    Some(format!("format({}, {})", quoted(segment), given.join(", ")))
}

fn quoted(text: &str) -> String {
    Expression::Text(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn called(text: &str) -> Option<Id> {
        of_call(&expression::parse(text).unwrap())
    }

    #[test]
    fn a_resource_and_the_call_that_names_it_are_the_same() {
        for (name, call) in [
            ("[variables('n')]", "resourceId('A.B/c', variables('n'))"),
            (
                "[format('{0}-x', variables('n'))]",
                "resourceId(variables('s'), variables('g'), 'A.B/c', format('{0}-x', variables('n')))",
            ),
        ] {
            let resource = json!({"type": "A.B/c", "name": name});
            assert_eq!(of_resource(&resource), called(call), "{name}");
        }
        assert_eq!(
            called("resourceId('A.B/c', variables('n'))").unwrap().written(),
            "[resourceId('A.B/c', variables('n'))]"
        );
        let child = json!({"type": "A.B/c/d/e", "name": "[format('{0}/default/{1}', variables('n'), variables('m'))]"});
        assert_eq!(
            of_resource(&child),
            called("resourceId('A.B/c/d/e', variables('n'), 'default', variables('m'))")
        );
    }

    #[test]
    fn a_child_has_ancestors() {
        let id = called("resourceId('A.B/c/d/e', 'x', 'y', 'z')").unwrap();
        let ancestors = [
            called("resourceId('A.B/c/d', 'x', 'y')"),
            called("resourceId('A.B/c', 'x')"),
        ];
        assert_eq!(id.ancestors().into_iter().map(Some).collect::<Vec<_>>(), ancestors);
        assert!(called("resourceId('A.B/c', 'x')").unwrap().ancestors().is_empty());
    }

    #[test]
    fn an_extension_is_named_by_its_own_type() {
        let id = called("extensionResourceId(variables('id'), 'A.B/c', guid('x'))").unwrap();
        assert_eq!(
            (id.resource_type.as_str(), id.segments),
            ("A.B/c", vec!["guid('x')".to_owned()])
        );
    }
}
