//! What expressions inside `copy` and inside lambda expressions may name.

use serde_json::Value;

use super::error::{Evaluated, invalid};

/// What an expression may name where it stands.
#[derive(Debug, Clone, Default)]
pub struct Locals {
    lambda_variables: Vec<(String, Value)>,
    /// The loops around it with the index of the round; that of the resource first.
    loops: Vec<(String, i64)>,
}

impl Locals {
    /// The same with one more variable of a lambda expression.
    pub fn with_variable(&self, name: &str, value: Value) -> Self {
        let mut inside = self.clone();
        inside.lambda_variables.push((name.to_owned(), value));
        inside
    }

    /// The same in one round of a loop.
    pub fn in_round(&self, name: &str, index: i64) -> Self {
        let mut inside = self.clone();
        inside.loops.push((name.to_owned(), index));
        inside
    }

    pub fn lambda_variable(&self, name: &str) -> Evaluated {
        match self.lambda_variables.iter().rev().find(|(known, _)| known == name) {
            Some((_, value)) => Ok(value.clone()),
            None => invalid(format!(
                "lambdaVariables('{name}') is in no lambda expression that has it"
            )),
        }
    }

    /// `copyIndex()`, `copyIndex(offset)`, `copyIndex('loop')` or `copyIndex('loop', offset)`.
    pub fn copy_index(&self, arguments: &[Value]) -> Evaluated {
        let (name, offset) = match arguments {
            [] => (None, 0),
            [Value::String(name)] => (Some(name.as_str()), 0),
            [offset] => (None, offset.as_i64().unwrap_or_default()),
            [name, offset, ..] => (name.as_str(), offset.as_i64().unwrap_or_default()),
        };
        let found = match name {
            None => self.loops.first(),
            Some(name) => self.loops.iter().find(|(known, _)| known == name),
        };
        match found {
            Some((_, index)) => Ok((index + offset).into()),
            None => invalid("copyIndex() is in no copy of that name"),
        }
    }
}
