//! Evaluates a template as Resource Manager does, as far as that is possible without Azure.
//!
//! What only Azure knows (`reference`) stays an expression, with everything else in it evaluated: see [`late`]. Functions:
//! learn.microsoft.com/azure/azure-resource-manager/templates/template-functions.

mod call;
mod collections;
mod deployment;
mod error;
mod functions;
mod lambdas;
mod late;
mod locals;
mod numbers;
mod parameters;
mod plan;
mod scope;
mod texts;

pub use deployment::Deployment;
pub use error::EvaluationError;
pub use plan::plan;
pub use scope::{LOCATION, RESOURCE_GROUP, SUBSCRIPTION, TENANT};

#[cfg(test)]
mod tests;
