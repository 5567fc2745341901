//! All resources that a deployment makes, those of deployments inside it included.

use serde_json::{Map, Value};

use super::loops::Locals;
use super::scope::path;
use super::{Deployment, Evaluated, invalid, late};

/// The type of deployments inside a template.
const DEPLOYMENT: &str = "Microsoft.Resources/deployments";
/// What a resource has for Resource Manager alone.
const DIRECTIVES: [&str; 4] = ["condition", "copy", "scope", "comments"];

impl<'t> Deployment<'t> {
    /// What comes out, in the form of `predictedResources` in a snapshot of Bicep: each resource with its id, in the order
    /// of the template. A deployment inside is not listed itself.
    pub fn plan(&self) -> Evaluated<Vec<Value>> {
        let resources = self.planned()?;
        Ok(resources.iter().map(late::shown).collect())
    }

    fn planned(&self) -> Evaluated<Vec<Value>> {
        self.validate_parameters()?;
        let mut planned = Vec::new();
        for resource in self.template["resources"].as_array().into_iter().flatten() {
            for locals in self.rounds(resource)? {
                planned.extend(self.planned_resource(resource, &locals)?);
            }
        }
        for (_, output) in self.template["outputs"].as_object().into_iter().flatten() {
            if self.is_deployed(output)? {
                self.value(&output["value"])?;
            }
        }
        Ok(planned)
    }

    /// One for each time that the resource is made.
    fn rounds(&self, resource: &Value) -> Evaluated<Vec<Locals>> {
        let copy = &resource["copy"];
        if copy.is_null() {
            return Ok(vec![Locals::default()]);
        }
        let name = copy["name"].as_str().unwrap_or_default();
        let rounds = 0..self.count(copy, &Locals::default())?;
        Ok(rounds.map(|index| Locals::default().in_round(name, index)).collect())
    }

    fn planned_resource(&self, resource: &'t Value, locals: &Locals) -> Evaluated<Vec<Value>> {
        // A name must be right even where the condition is not met.
        let name = self.value_with(&resource["name"], locals)?;
        if !self.is_deployed_with(resource, locals)? {
            return Ok(Vec::new());
        }
        if resource["type"] == DEPLOYMENT {
            return self.inner_with(resource, locals)?.planned();
        }
        let members = resource.as_object().into_iter().flatten();
        let members = members.filter(|(member, _)| !DIRECTIVES.contains(&member.as_str()));
        let body: Map<String, Value> = members.map(|(member, value)| (member.clone(), value.clone())).collect();
        let mut planned = self.value_with(&body.into(), locals)?;
        planned["id"] = self.id(resource, &name, locals)?;
        Ok(vec![planned])
    }

    fn id(&self, resource: &Value, name: &Value, locals: &Locals) -> Evaluated {
        let Some(resource_type) = resource["type"].as_str() else {
            return invalid(format!("the type of {name} is no text"));
        };
        let scope = match &resource["scope"] {
            Value::Null => self.scope.path(),
            scope => late::plain(&self.value_with(scope, locals)?),
        };
        if late::text(name).is_some() {
            return Ok(late::call(
                "extensionResourceId",
                &[scope.into(), resource_type.into(), name.clone()],
            ));
        }
        let names = late::plain(name);
        let names: Vec<&str> = names.split('/').collect();
        Ok(format!("{scope}{}", path(resource_type, &names)?).into())
    }
}
