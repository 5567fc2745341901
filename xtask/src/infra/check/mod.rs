//! What can be known about a template without Azure.

#[cfg(test)]
pub mod evaluate;
pub mod expression;
pub mod form;
mod functions;
mod ids;
mod resources;
mod scope;
mod secrets;
pub mod settings;
mod tables;

use serde_json::Value;

use super::tables::Table;

/// The largest template that Resource Manager takes, in bytes.
const LARGEST: usize = 4_000_000;

/// Everything that is wrong with a template, the deployments inside it included.
pub fn template(template: &Value, known: &[Table]) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, scope) in scope::all(template) {
        problems.extend(scope::problems(&path, scope));
        problems.extend(resources::problems(&path, scope));
        problems.extend(tables::problems(&path, scope, known));
    }
    problems.extend(secrets::problems(template));
    let size = template.to_string().len();
    if size > LARGEST {
        problems.push(format!(
            "the template has {size} bytes, Resource Manager takes {LARGEST}"
        ));
    }
    problems
}
