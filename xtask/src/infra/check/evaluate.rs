//! Works out expressions as Resource Manager would, so that tests see what a deployment gets.
//!
//! What only Azure knows (`reference`, ids) becomes a text that says where it comes from.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::expression::{self, Expression};

/// A template with the parameters that it is deployed with.
pub struct Deployment<'t> {
    template: &'t Value,
    given: BTreeMap<String, Value>,
    cloud: &'static str,
}

impl<'t> Deployment<'t> {
    /// Parameters that are not given have their defaults.
    pub fn new(template: &'t Value, given: &Value) -> Self {
        let given = given.as_object().into_iter().flatten();
        Self {
            template,
            given: given.map(|(name, value)| (name.clone(), value.clone())).collect(),
            cloud: "AzureCloud",
        }
    }

    /// The same in another cloud.
    pub fn in_cloud(self, cloud: &'static str) -> Self {
        Self { cloud, ..self }
    }

    /// A value of the template with everything in it worked out.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match expression::inside(text) {
                Some(inside) => self.evaluate(&expression::parse(inside).unwrap()),
                None => value.clone(),
            },
            Value::Array(elements) => elements.iter().map(|element| self.value(element)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, member)| (key.clone(), self.value(member)))
                .collect(),
            scalar => scalar.clone(),
        }
    }

    /// Whether the resource is deployed.
    pub fn is_deployed(&self, resource: &Value) -> bool {
        resource["condition"].is_null() || self.value(&resource["condition"]) == true
    }

    /// The deployment inside a resource, with what this one hands in.
    pub fn inner(&self, resource: &'t Value) -> Deployment<'t> {
        let properties = &resource["properties"];
        let given = properties["parameters"].as_object().unwrap().iter();
        Deployment {
            template: &properties["template"],
            given: given
                .map(|(name, value)| (name.clone(), self.value(&value["value"])))
                .collect(),
            cloud: self.cloud,
        }
    }

    /// The resources of that type that are deployed.
    pub fn resources(&self, resource_type: &str) -> Vec<&'t Value> {
        let resources = self.template["resources"].as_array().unwrap().iter();
        resources
            .filter(|resource| resource["type"] == resource_type && self.is_deployed(resource))
            .collect()
    }

    fn evaluate(&self, expression: &Expression) -> Value {
        match expression {
            Expression::Text(text) => text.as_str().into(),
            Expression::Number(number) => (*number).into(),
            Expression::Property { of, name } => property(&self.evaluate(of), name),
            Expression::Index { of, at } => match (self.evaluate(of), self.evaluate(at)) {
                (Value::Array(elements), Value::Number(at)) => {
                    elements[usize::try_from(at.as_u64().unwrap()).unwrap()].clone()
                }
                (of, at) => property(&of, at.as_str().unwrap()),
            },
            Expression::Call { name, arguments } if name == "if" => {
                let chosen = if self.evaluate(&arguments[0]).as_bool().unwrap() {
                    1
                } else {
                    2
                };
                self.evaluate(&arguments[chosen])
            }
            Expression::Call { name, arguments } => {
                let arguments: Vec<Value> = arguments.iter().map(|argument| self.evaluate(argument)).collect();
                self.call(name, &arguments)
            }
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Value {
        let text = |position: usize| arguments[position].as_str().unwrap();
        let flag = |value: &Value| value.as_bool().unwrap();
        match name {
            "parameters" => self.parameter(text(0)),
            "variables" => self.value(&self.template["variables"][text(0)]),
            "and" => arguments.iter().all(flag).into(),
            "or" => arguments.iter().any(flag).into(),
            "not" => (!flag(&arguments[0])).into(),
            "true" => true.into(),
            "null" => Value::Null,
            "equals" => (arguments[0] == arguments[1]).into(),
            "empty" => (length(&arguments[0]) == 0).into(),
            "contains" => arguments[0].as_array().unwrap().contains(&arguments[1]).into(),
            "createArray" => arguments.to_vec().into(),
            "createObject" => {
                let pairs = arguments
                    .chunks(2)
                    .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone()));
                Value::Object(pairs.collect())
            }
            "union" | "concat" => joined(arguments),
            "toLower" => text(0).to_lowercase().into(),
            "split" => text(0).split(text(1)).map(Value::from).collect(),
            "join" => {
                let parts = arguments[0]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|part| part.as_str().unwrap());
                parts.collect::<Vec<_>>().join(text(1)).into()
            }
            "format" => {
                let mut written = text(0).to_owned();
                for (place, value) in arguments.iter().skip(1).enumerate() {
                    written = written.replace(&format!("{{{place}}}"), value.as_str().unwrap());
                }
                written.into()
            }
            "environment" => json!({
                "name": self.cloud,
                "suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"},
            }),
            "resourceGroup" => json!({"id": "/group", "location": "here"}),
            "subscription" => json!({"tenantId": "tenant"}),
            "uniqueString" => "unique".into(),
            "reference" | "resourceId" | "extensionResourceId" | "subscriptionResourceId" | "guid" => {
                let parts: Vec<&str> = arguments.iter().map(|part| part.as_str().unwrap()).collect();
                format!("{name}({})", parts.join(",")).into()
            }
            other => panic!("{other} is not worked out here"),
        }
    }

    fn parameter(&self, name: &str) -> Value {
        let given = self.given.get(name).cloned();
        given.unwrap_or_else(|| self.value(&self.template["parameters"][name]["defaultValue"]))
    }
}

fn property(of: &Value, name: &str) -> Value {
    match of {
        Value::String(source) => format!("{source}.{name}").into(),
        object => object
            .get(name)
            .unwrap_or_else(|| panic!("{object} has no {name}"))
            .clone(),
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        Value::Null => 0,
        text => text.as_str().unwrap().len(),
    }
}

fn joined(parts: &[Value]) -> Value {
    match &parts[0] {
        Value::Object(_) => {
            let members = parts.iter().flat_map(|part| part.as_object().unwrap().clone());
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(_) => parts.iter().flat_map(|part| part.as_array().unwrap().clone()).collect(),
        _ => parts
            .iter()
            .map(|part| part.as_str().unwrap())
            .collect::<String>()
            .into(),
    }
}
