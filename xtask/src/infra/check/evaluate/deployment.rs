//! A template with its parameters, and the value of every expression in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::expression::{self, Expression};
use super::call::Call;
use super::error::{Evaluated, EvaluationError, invalid};
use super::lambdas::{Evaluator, LambdaCall};
use super::locals::Locals;
use super::scope::DeploymentScope;
use super::{functions, late, parameters, scope};

/// A template with the parameters that it is deployed with.
pub struct Deployment<'t> {
    pub template: &'t Value,
    given: BTreeMap<String, Value>,
    pub scope: DeploymentScope,
    /// The columns of tables that are in the workspace already; any other is as the template makes it. None: `reference`
    /// to a table is known to Azure alone, as any other.
    existing_tables: Option<Value>,
}

impl<'t> Deployment<'t> {
    /// Parameters that are not given have their defaults.
    pub fn new(template: &'t Value, given: &Value) -> Self {
        let given = given.as_object().into_iter().flatten();
        Self {
            template,
            given: given.map(|(name, value)| (name.clone(), value.clone())).collect(),
            scope: DeploymentScope::default(),
            existing_tables: None,
        }
    }

    /// The same into a workspace with these tables, each with the names of its columns.
    #[cfg(test)]
    pub fn over_tables(self, existing_tables: Value) -> Self {
        Self {
            existing_tables: Some(existing_tables),
            ..self
        }
    }

    /// The same in another cloud.
    #[cfg(test)]
    pub fn in_cloud(self, cloud: &'static str) -> Self {
        Self {
            scope: DeploymentScope { cloud, ..self.scope },
            ..self
        }
    }

    /// A value of the template with every expression in it evaluated.
    pub fn value(&self, value: &Value) -> Evaluated {
        self.value_with(value, &Locals::default())
    }

    /// Whether the resource is deployed. A condition that only Azure can decide counts as met.
    pub fn is_deployed(&self, resource: &Value) -> Evaluated<bool> {
        self.is_deployed_with(resource, &Locals::default())
    }

    /// The deployment inside a resource, with what this one hands in.
    #[cfg(test)]
    pub fn inner(&self, resource: &'t Value) -> Evaluated<Deployment<'t>> {
        self.inner_with(resource, &Locals::default())
    }

    /// The resources of that type that are deployed; those of a loop once.
    #[cfg(test)]
    pub fn resources(&self, resource_type: &str) -> Evaluated<Vec<&'t Value>> {
        let mut found = Vec::new();
        for resource in self.template["resources"].as_array().into_iter().flatten() {
            if resource["type"] == resource_type && self.is_deployed(resource)? {
                found.push(resource);
            }
        }
        Ok(found)
    }

    pub fn value_with(&self, value: &Value, locals: &Locals) -> Evaluated {
        match value {
            Value::String(text) => match expression::inside(text) {
                Some(inside) => match expression::parse(inside) {
                    Ok(parsed) => self.evaluate(&parsed, locals),
                    Err(error) => invalid(format!("{text}: {error}")),
                },
                None => Ok(match text.strip_prefix("[[") {
                    Some(rest) => format!("[{rest}").into(),
                    None => value.clone(),
                }),
            },
            Value::Array(elements) => elements
                .iter()
                .map(|element| self.value_with(element, locals))
                .collect(),
            Value::Object(members) => self.object(members, locals),
            scalar => Ok(scalar.clone()),
        }
    }

    fn object(&self, members: &Map<String, Value>, locals: &Locals) -> Evaluated {
        let mut evaluated = Map::new();
        for (key, member) in members {
            if let ("copy", Value::Array(copies)) = (key.as_str(), member) {
                for copy in copies {
                    let name = copy["name"].as_str().unwrap_or_default().to_owned();
                    evaluated.insert(name, self.copied(copy, locals)?);
                }
                continue;
            }
            let key = match self.value_with(&key.as_str().into(), locals)? {
                Value::String(key) => key,
                other => return invalid(format!("{key} gives {other}, which is no name")),
            };
            evaluated.insert(key, self.value_with(member, locals)?);
        }
        Ok(evaluated.into())
    }

    pub fn is_deployed_with(&self, resource: &Value, locals: &Locals) -> Evaluated<bool> {
        if resource["condition"].is_null() {
            return Ok(true);
        }
        match self.value_with(&resource["condition"], locals)? {
            Value::Bool(condition) => Ok(condition),
            condition if late::text(&condition).is_some() => Ok(true),
            other => invalid(format!("the condition {} gives {other}", resource["condition"])),
        }
    }

    pub fn inner_with(&self, resource: &'t Value, locals: &Locals) -> Evaluated<Deployment<'t>> {
        let properties = &resource["properties"];
        if properties["expressionEvaluationOptions"]["scope"] != "inner" {
            return invalid(format!("the deployment {} has no scope of its own", resource["name"]));
        }
        let mut given = BTreeMap::new();
        for (name, value) in properties["parameters"].as_object().into_iter().flatten() {
            given.insert(name.clone(), self.value_with(&value["value"], locals)?);
        }
        let place = |member: &str, here: &str| {
            if resource[member].is_null() {
                return Ok(here.to_owned());
            }
            let place = self.value_with(&resource[member], locals)?;
            Ok(late::plain(&place))
        };
        Ok(Deployment {
            template: &properties["template"],
            given,
            scope: DeploymentScope {
                subscription: place("subscriptionId", &self.scope.subscription)?,
                resource_group: place("resourceGroup", &self.scope.resource_group)?,
                ..self.scope
            },
            existing_tables: self.existing_tables.clone(),
        })
    }

    fn arguments(&self, arguments: &[Expression], locals: &Locals) -> Evaluated<Vec<Value>> {
        arguments
            .iter()
            .map(|argument| self.evaluate(argument, locals))
            .collect()
    }

    /// Only the branch that is taken is evaluated: the other one may be wrong for these parameters.
    fn either(&self, arguments: &[Expression], locals: &Locals) -> Evaluated {
        let [condition, then, otherwise] = arguments else {
            return invalid("if() takes 3 arguments");
        };
        match self.evaluate(condition, locals)? {
            Value::Bool(true) => self.evaluate(then, locals),
            Value::Bool(false) => self.evaluate(otherwise, locals),
            late if late::text(&late).is_some() => {
                let branch = |branch: &Expression| {
                    let value = self.evaluate(branch, locals);
                    value.unwrap_or_else(|_| late::of(branch.to_string()))
                };
                Ok(late::call("if", &[late, branch(then), branch(otherwise)]))
            }
            other => invalid(format!("{condition} gives {other}, which is no condition")),
        }
    }

    fn call(&self, call: &Call<'_>) -> Evaluated {
        match call.lower {
            "parameters" => self.parameter(call.text(0)?),
            "variables" => self.variable(call.text(0)?),
            "fail" => Err(EvaluationError::Refused(late::plain(call.argument(0)?))),
            "environment" => Ok(self.scope.environment()),
            "subscription" => Ok(self.scope.subscription_object()),
            "resourcegroup" => Ok(self.scope.resource_group_object()),
            "tenant" => Ok(self.scope.tenant_object()),
            "deployment" => Ok(json!({"name": "deployment"})),
            "reference" => self.reference(call),
            _ if call.has_late_argument() => Ok(call.late()),
            "resourceid" => self.scope.resource_id(call),
            "subscriptionresourceid" => self.scope.subscription_resource_id(call),
            "tenantresourceid" => scope::provider_path(call, 0),
            "extensionresourceid" => scope::extension_resource_id(call),
            _ => functions::evaluate(call),
        }
    }

    /// What Azure alone knows; of a table, its columns, where those are given.
    fn reference(&self, call: &Call<'_>) -> Evaluated {
        if let (Some(existing), Value::String(id)) = (&self.existing_tables, call.argument(0)?)
            && id.contains("Microsoft.OperationalInsights/workspaces/")
            && let Some((_, name)) = id.rsplit_once("/tables/")
        {
            return self.table(name, existing);
        }
        Ok(call.late())
    }

    fn table(&self, name: &str, existing: &Value) -> Evaluated {
        if let Some(names) = existing[name].as_array() {
            let columns: Value = names.iter().map(|name| json!({"name": name})).collect();
            return Ok(json!({"schema": {"columns": columns}}));
        }
        let mut resources = self.template["resources"].as_array().into_iter().flatten();
        match resources.find(|resource| resource["properties"]["schema"]["name"] == name) {
            Some(made) => Ok(made["properties"].clone()),
            None => invalid(format!("{name} is neither in the workspace nor in the template")),
        }
    }

    fn variable(&self, name: &str) -> Evaluated {
        let variables = &self.template["variables"];
        if let Some(value) = variables.get(name) {
            return self.value(value);
        }
        let mut copies = variables["copy"].as_array().into_iter().flatten();
        match copies.find(|copy| copy["name"] == name) {
            Some(copy) => self.copied(copy, &Locals::default()),
            None => invalid(format!("variables('{name}') is not declared")),
        }
    }

    /// The array that a loop of `copy` makes: `{name, count, input}`.
    fn copied(&self, copy: &Value, locals: &Locals) -> Evaluated {
        let name = copy["name"].as_str().unwrap_or_default();
        let count = self.count(copy, locals)?;
        let rounds = (0..count).map(|index| self.value_with(&copy["input"], &locals.in_round(name, index)));
        rounds.collect()
    }

    /// How often a loop runs.
    pub fn count(&self, copy: &Value, locals: &Locals) -> Evaluated<i64> {
        let count = self.value_with(&copy["count"], locals)?;
        match count.as_i64() {
            Some(count @ 0..=800) => Ok(count),
            _ => invalid(format!(
                "the count of copy {} is {}: it must be 0 to 800",
                copy["name"],
                late::plain(&count)
            )),
        }
    }

    fn parameter(&self, name: &str) -> Evaluated {
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
    pub fn validate_parameters(&self) -> Evaluated<()> {
        let parameters = &self.template["parameters"];
        if let Some(name) = self.given.keys().find(|name| parameters.get(name.as_str()).is_none()) {
            return Err(EvaluationError::Refused(format!("there is no parameter {name}")));
        }
        for (name, declared) in parameters.as_object().into_iter().flatten() {
            let value = self.parameter(name)?;
            if late::text(&value).is_some() {
                continue;
            }
            if let Some(problem) = parameters::problem(declared, &value) {
                return Err(EvaluationError::Refused(format!("the parameter {name} {problem}")));
            }
        }
        Ok(())
    }
}

impl Evaluator for Deployment<'_> {
    fn evaluate(&self, expression: &Expression, locals: &Locals) -> Evaluated {
        match expression {
            Expression::Text(text) => Ok(text.as_str().into()),
            Expression::Number(number) => Ok((*number).into()),
            Expression::Property { of, name } => member(&self.evaluate(of, locals)?, name),
            Expression::Index { of, at } => index(&self.evaluate(of, locals)?, &self.evaluate(at, locals)?),
            Expression::Call { name, arguments } => match name.to_lowercase().as_str() {
                "if" => self.either(arguments, locals),
                "map" | "mapvalues" | "filter" | "reduce" | "sort" | "toobject" => LambdaCall {
                    name,
                    evaluator: self,
                    locals,
                }
                .evaluate(arguments),
                "lambdavariables" => locals.lambda_variable(&text_of(arguments)?),
                "copyindex" => locals.copy_index(&self.arguments(arguments, locals)?),
                lower => {
                    let arguments = self.arguments(arguments, locals)?;
                    self.call(&Call::new(name, lower, &arguments))
                }
            },
        }
    }
}

fn text_of(arguments: &[Expression]) -> Evaluated<String> {
    match arguments {
        [Expression::Text(name)] => Ok(name.clone()),
        _ => invalid("lambdaVariables() takes the name of a variable"),
    }
}

/// Names of members do not depend on case.
fn member(of: &Value, name: &str) -> Evaluated {
    if let Some(text) = late::text(of) {
        return Ok(late::of(format!("{text}.{name}")));
    }
    let members = of.as_object().into_iter().flatten();
    let mut found = members.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    match found.next() {
        Some((_, value)) => Ok(value.clone()),
        None => invalid(format!("{} has no {name}", late::written(of))),
    }
}

fn index(of: &Value, at: &Value) -> Evaluated {
    if late::text(of).is_some() || late::text(at).is_some() {
        return Ok(late::of(format!("{}[{}]", late::written(of), late::written(at))));
    }
    if let Value::String(name) = at {
        return member(of, name);
    }
    let position = at.as_u64().and_then(|at| usize::try_from(at).ok());
    let found = of.as_array().zip(position).and_then(|(elements, at)| elements.get(at));
    match found {
        Some(element) => Ok(element.clone()),
        None => invalid(format!("{} has no element {at}", late::written(of))),
    }
}
