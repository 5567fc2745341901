//! A GraphQL request: a query and the values of its variables.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::document::{Argument, Document, Field};

/// A request body, read.
pub(super) struct Operation {
    pub(super) document: Document,
    variables: Map<String, Value>,
}

pub(super) enum Problem {
    /// 400: no GraphQL request at all.
    Body(&'static str),
    /// 200 with errors.
    Query(String),
}

impl Operation {
    pub(super) fn parse(body: &[u8]) -> Result<Operation, Problem> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Problem::Body("the body is no JSON"))?;
        let query = body["query"].as_str().ok_or(Problem::Body("the body has no query"))?;
        let document = Document::parse(query).map_err(Problem::Query)?;
        let variables = match body.get("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables.clone(),
            Some(_) => return Err(Problem::Body("the variables are no object")),
        };
        if let Some(name) = variables.keys().find(|name| !document.variables.contains_key(*name)) {
            return Err(Problem::Query(format!("the variable {name} is not declared")));
        }
        Ok(Operation { document, variables })
    }

    /// The values of the arguments that a field can have, null where one was not given. `known` are their names and
    /// the types of their variables.
    pub(super) fn arguments(
        &self,
        field: &Field,
        known: &[(&'static str, &str)],
    ) -> Result<BTreeMap<&'static str, Value>, String> {
        let mut values: BTreeMap<&'static str, Value> = known.iter().map(|(name, _)| (*name, Value::Null)).collect();
        for (given, argument) in &field.arguments {
            let found = known.iter().find(|(name, _)| name == given);
            let (name, kind) = found.ok_or_else(|| format!("{} has no argument {given}", field.name))?;
            values.insert(name, self.value(argument, kind)?);
        }
        Ok(values)
    }

    fn value(&self, argument: &Argument, kind: &str) -> Result<Value, String> {
        let variable = match argument {
            Argument::Literal(value) => return Ok(value.clone()),
            Argument::Variable(variable) => variable,
        };
        match self.document.variables.get(variable) {
            None => Err(format!("the variable {variable} is not declared")),
            Some(declared) if declared != kind => Err(format!("the variable {variable} is no {kind}")),
            Some(_) => Ok(self.variables.get(variable).cloned().unwrap_or_default()),
        }
    }
}
