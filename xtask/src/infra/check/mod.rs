//! What can be known about a template without Azure.

pub mod content;
pub mod evaluate;
pub mod expression;
pub mod form;
mod functions;
pub mod guide;
pub mod ids;
mod limits;
mod longest;
mod names;
mod order;
mod pages;
mod resources;
mod roles;
pub mod scope;
mod secrets;
pub mod settings;
pub mod tables;
mod tags;

use serde_json::Value;

use super::tables::Table;

/// Everything that is wrong with a template, the deployments inside it included.
pub fn template(template: &Value, known: &[Table]) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, scope) in scope::all(template) {
        problems.extend(scope::problems(&path, scope));
        problems.extend(limits::problems(&path, scope));
        problems.extend(resources::problems(&path, scope));
        problems.extend(order::problems(&path, scope));
        problems.extend(pages::problems(&path, scope));
        problems.extend(tables::problems(&path, scope, known));
    }
    problems.extend(names::problems(template));
    problems.extend(roles::problems(template));
    problems.extend(secrets::problems(template));
    problems.extend(tags::problems(template));
    problems.extend(limits::of_whole(template));
    problems
}
