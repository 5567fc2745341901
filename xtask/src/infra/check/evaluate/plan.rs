//! All resources that a deployment makes, those of deployments inside it included.

use serde_json::{Map, Value};

use super::deployment::Deployment;
use super::error::{Evaluated, invalid};
use super::late;
use super::locals::Locals;
use super::scope::path;

/// The type of deployments inside a template.
const DEPLOYMENT: &str = "Microsoft.Resources/deployments";
/// What a resource has for Resource Manager alone.
const DIRECTIVES: [&str; 4] = ["condition", "copy", "scope", "comments"];

/// What comes out, in the form of `predictedResources` in a snapshot of Bicep: each resource with its id, in the order
/// of the template. A deployment inside is not listed itdeployment.
pub fn plan(deployment: &Deployment<'_>) -> Evaluated<Vec<Value>> {
    let resources = planned(deployment)?;
    Ok(resources.iter().map(late::shown).collect())
}

fn planned(deployment: &Deployment<'_>) -> Evaluated<Vec<Value>> {
    deployment.validate_parameters()?;
    let mut planned = Vec::new();
    for resource in deployment.template["resources"].as_array().into_iter().flatten() {
        for locals in rounds(deployment, resource)? {
            planned.extend(planned_resource(deployment, resource, &locals)?);
        }
    }
    for (_, output) in deployment.template["outputs"].as_object().into_iter().flatten() {
        if deployment.is_deployed(output)? {
            deployment.value(&output["value"])?;
        }
    }
    Ok(planned)
}

/// One for each time that the resource is made.
fn rounds(deployment: &Deployment<'_>, resource: &Value) -> Evaluated<Vec<Locals>> {
    let copy = &resource["copy"];
    if copy.is_null() {
        return Ok(vec![Locals::default()]);
    }
    let name = copy["name"].as_str().unwrap_or_default();
    let rounds = 0..deployment.count(copy, &Locals::default())?;
    Ok(rounds.map(|index| Locals::default().in_round(name, index)).collect())
}

fn planned_resource<'t>(deployment: &Deployment<'t>, resource: &'t Value, locals: &Locals) -> Evaluated<Vec<Value>> {
    // A name must be right even where the condition is not met.
    let name = deployment.value_with(&resource["name"], locals)?;
    if !deployment.is_deployed_with(resource, locals)? {
        return Ok(Vec::new());
    }
    if resource["type"] == DEPLOYMENT {
        return planned(&deployment.inner_with(resource, locals)?);
    }
    let members = resource.as_object().into_iter().flatten();
    let members = members.filter(|(member, _)| !DIRECTIVES.contains(&member.as_str()));
    let body: Map<String, Value> = members.map(|(member, value)| (member.clone(), value.clone())).collect();
    let mut planned = deployment.value_with(&body.into(), locals)?;
    planned["id"] = id(deployment, resource, &name, locals)?;
    Ok(vec![planned])
}

fn id(deployment: &Deployment<'_>, resource: &Value, name: &Value, locals: &Locals) -> Evaluated {
    let Some(resource_type) = resource["type"].as_str() else {
        return invalid(format!("the type of {name} is no text"));
    };
    let scope = match &resource["scope"] {
        Value::Null => deployment.scope.path(),
        scope => late::plain(&deployment.value_with(scope, locals)?),
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
