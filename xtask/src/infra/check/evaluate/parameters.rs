//! Values of parameters, and what a template allows them to be.

use serde_json::Value;

use super::{Deployment, Evaluated, EvaluationError, invalid, late};

impl Deployment<'_> {
    pub(super) fn parameter(&self, name: &str) -> Evaluated {
        let declared = &self.template["parameters"][name];
        if declared.is_null() {
            return invalid(format!("parameters('{name}') is not declared"));
        }
        match (self.given.get(name), declared.get("defaultValue")) {
            (Some(given), _) => Ok(given.clone()),
            (None, Some(default)) => self.value(default),
            (None, None) => Err(EvaluationError::Refused(format!("the parameter {name} has no value"))),
        }
    }

    /// Refuses what Resource Manager refuses before it evaluates anything.
    pub(super) fn validate_parameters(&self) -> Evaluated<()> {
        let parameters = &self.template["parameters"];
        if let Some(name) = self.given.keys().find(|name| parameters.get(name.as_str()).is_none()) {
            return Err(EvaluationError::Refused(format!("there is no parameter {name}")));
        }
        for (name, declared) in parameters.as_object().into_iter().flatten() {
            let value = self.parameter(name)?;
            if late::text(&value).is_some() {
                continue;
            }
            if let Some(problem) = problem(declared, &value) {
                return Err(EvaluationError::Refused(format!("the parameter {name} {problem}")));
            }
        }
        Ok(())
    }
}

fn problem(declared: &Value, value: &Value) -> Option<String> {
    let wanted = declared["type"].as_str().unwrap_or_default().to_lowercase();
    let has_type = match wanted.as_str() {
        "string" | "securestring" => value.is_string(),
        "int" => value.is_i64(),
        "bool" => value.is_boolean(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    if !has_type {
        return Some(format!("is no {wanted}"));
    }
    if let Some(allowed) = declared["allowedValues"].as_array() {
        let all_allowed = match value {
            Value::Array(elements) => elements.iter().all(|element| allowed.contains(element)),
            scalar => allowed.contains(scalar),
        };
        if !all_allowed {
            return Some(format!("must be one of {}", declared["allowedValues"]));
        }
    }
    let size = match value {
        Value::String(text) => i64::try_from(text.chars().count()).ok(),
        Value::Array(elements) => i64::try_from(elements.len()).ok(),
        other => other.as_i64(),
    }?;
    let least = declared["minLength"].as_i64().or(declared["minValue"].as_i64());
    let most = declared["maxLength"].as_i64().or(declared["maxValue"].as_i64());
    let outside = least.is_some_and(|least| size < least) || most.is_some_and(|most| size > most);
    outside.then(|| format!("has the length or value {size}, which is outside its limits"))
}
