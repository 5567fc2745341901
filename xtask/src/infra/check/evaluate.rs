//! Works out expressions as Resource Manager would, so that tests see what a deployment gets.
//!
//! What only Azure knows (`reference`, ids) becomes a text that says where it comes from.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::expression::{self, Expression};

const TABLE_TYPE: &str = "Microsoft.OperationalInsights/workspaces/tables";

/// A template with the parameters that it is deployed with.
pub struct Deployment<'t> {
    template: &'t Value,
    given: BTreeMap<String, Value>,
    cloud: &'static str,
    /// The columns of tables that are in the workspace already. Any other is as the template makes it.
    existing_tables: Value,
    /// Of the lambda expressions around what is worked out.
    lambda_variables: RefCell<Vec<(String, Value)>>,
}

impl<'t> Deployment<'t> {
    /// Parameters that are not given have their defaults.
    pub fn new(template: &'t Value, given: &Value) -> Self {
        let given = given.as_object().into_iter().flatten();
        Self {
            template,
            given: given.map(|(name, value)| (name.clone(), value.clone())).collect(),
            cloud: "AzureCloud",
            existing_tables: json!({}),
            lambda_variables: RefCell::default(),
        }
    }

    /// The same into a workspace with these tables, each with the names of its columns.
    pub fn over_tables(self, existing_tables: Value) -> Self {
        Self {
            existing_tables,
            ..self
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
            existing_tables: self.existing_tables.clone(),
            lambda_variables: RefCell::default(),
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
            Expression::Call { name, arguments } if name == "map" => self.map(arguments),
            Expression::Call { name, arguments } => {
                let arguments: Vec<Value> = arguments.iter().map(|argument| self.evaluate(argument)).collect();
                self.call(name, &arguments)
            }
        }
    }

    fn map(&self, arguments: &[Expression]) -> Value {
        let [elements, lambda] = arguments else {
            panic!("map takes an array and a lambda expression");
        };
        let [variable, body] = lambda.call_of("lambda").unwrap() else {
            panic!("{lambda} has not one variable");
        };
        let mapped = |element: &Value| {
            let variable = variable.text().unwrap().to_owned();
            self.lambda_variables.borrow_mut().push((variable, element.clone()));
            let mapped = self.evaluate(body);
            self.lambda_variables.borrow_mut().pop();
            mapped
        };
        self.evaluate(elements).as_array().unwrap().iter().map(mapped).collect()
    }

    fn lambda_variable(&self, name: &str) -> Value {
        let variables = self.lambda_variables.borrow();
        let found = variables.iter().rev().find(|(known, _)| known == name);
        found
            .unwrap_or_else(|| panic!("{name} is not in a lambda expression"))
            .1
            .clone()
    }

    /// What `reference` gives of a table, if the id is that of one.
    fn table(&self, id: &str) -> Option<Value> {
        let name = id.strip_suffix(')')?.rsplit_once(',')?.1;
        if !id.contains(TABLE_TYPE) {
            return None;
        }
        if let Some(names) = self.existing_tables[name].as_array() {
            let columns: Value = names.iter().map(|name| json!({"name": name})).collect();
            return Some(json!({"schema": {"columns": columns}}));
        }
        let mut resources = self.template["resources"].as_array().unwrap().iter();
        let made = resources.find(|resource| resource["properties"]["schema"]["name"] == name);
        Some(made.unwrap()["properties"].clone())
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
            "intersection" => {
                let others = arguments[1].as_array().unwrap();
                let common = arguments[0]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|element| others.contains(element));
                common.cloned().collect()
            }
            "objectKeys" => arguments[0]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .map(Value::from)
                .collect(),
            "lambdaVariables" => self.lambda_variable(text(0)),
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
            "reference" if self.table(text(0)).is_some() => self.table(text(0)).unwrap(),
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
