//! What of a template is KQL, or carries it: taken out of the template itself, so that what is checked is what is deployed.

use serde_json::Value;

use super::check::expression::{self, Expression};
use super::check::scope;
use super::check::tables::declared_streams;
use super::literal;
use super::tables::columns_of_template;
use super::transforms;
use crate::kql::{Content, Function, Schemas, Workspace};
use crate::vendors::connectors;

/// The tables that a template makes, what reads them, and what fills them.
pub fn workspace(template: &Value) -> Result<Workspace, String> {
    let mut schemas = Schemas::default();
    let mut content = Content::default();
    let mut log_alerts = Vec::new();
    for (_, scope) in scope::all(template) {
        for resource in scope["resources"].as_array().into_iter().flatten() {
            let properties = &resource["properties"];
            match resource["type"].as_str().unwrap_or_default() {
                "Microsoft.OperationalInsights/workspaces/tables" => {
                    add_table(&mut schemas, &properties["schema"], scope)?;
                }
                "Microsoft.OperationalInsights/workspaces/savedSearches" => {
                    let name = properties["functionAlias"].as_str().unwrap_or_default();
                    content.functions.push(Function::new(name, text(&properties["query"])));
                }
                "Microsoft.SecurityInsights/dataConnectorDefinitions" => {
                    let page = literal::read(&properties["connectorUiConfig"]);
                    content.connectors.push((name_of_page(resource), page));
                }
                "Microsoft.Insights/workbooks" => {
                    let text = text(&properties["serializedData"]);
                    content.workbook =
                        serde_json::from_str(text).map_err(|error| format!("the workbook is no JSON: {error}"))?;
                }
                "Microsoft.Insights/scheduledQueryRules" => log_alerts.push(literal::read(properties)),
                "Microsoft.SecurityInsights/alertRules" => content.alerts.push(alert(resource)),
                _ => {}
            }
        }
    }
    let transforms = transforms::of_template(template)?;
    let filled = |table: &&String| transforms.iter().any(|transform| transform.target == **table);
    if let Some(table) = schemas.tables.keys().find(|table| !filled(table)) {
        return Err(format!("no data flow fills {table}"));
    }
    Ok(Workspace {
        schemas,
        content,
        transforms,
        guide: Vec::new(),
        log_alerts,
    })
}

/// `scope` is the template with the table, and with its stream.
fn add_table(schemas: &mut Schemas, schema: &Value, scope: &Value) -> Result<(), String> {
    let name = schema["name"].as_str().unwrap_or_default();
    let columns = columns_of_template(&schema["columns"]).map_err(|error| format!("the table {name}: {error}"))?;
    let streams = declared_streams(scope);
    let stream = streams.iter().find(|stream| stream.table == name);
    let original = stream.and_then(|stream| Some(stream.original.as_array()?.len()));
    schemas.add(name, &columns, original.unwrap_or(columns.len()));
    Ok(())
}

fn text(value: &Value) -> &str {
    literal::read_text(value.as_str().unwrap_or_default())
}

/// By the source whose being switched on is its condition.
fn name_of_page(resource: &Value) -> String {
    let condition = resource["condition"].as_str().unwrap_or_default();
    let of_source = connectors().find(|(_, flag)| condition == format!("[parameters('{flag}')]"));
    of_source.map_or(condition, |(name, _)| name).to_owned()
}

/// Name, properties without the query, and query. The name is the last text of what makes the rule's id.
fn alert(resource: &Value) -> (String, Value, String) {
    let written = resource["name"].as_str().unwrap_or_default();
    let parsed = expression::inside(written).and_then(|inside| expression::parse(inside).ok());
    let name = match &parsed {
        Some(Expression::Call { arguments, .. }) => arguments.last().and_then(Expression::text),
        _ => None,
    };
    let mut properties = literal::read(&resource["properties"]);
    let query = properties.as_object_mut().and_then(|members| members.remove("query"));
    let query = query.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    (name.unwrap_or(written).to_owned(), properties, query)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cargo::root;
    use crate::infra::{read, template};
    use crate::kql::TableColumns;

    fn own() -> (Content, Value) {
        let ingredients = read(&root(), &root().join("infra/repository.txt")).unwrap();
        let template = template::build(&ingredients).unwrap();
        (ingredients.content, template)
    }

    #[test]
    fn the_template_holds_all_content_unchanged_and_it_has_its_shape() {
        let (content, template) = own();
        let workspace = workspace(&template).unwrap();
        assert_eq!(workspace.content, content);
        assert_eq!(workspace.shape(), Vec::<String>::new());
        assert_eq!(workspace.schemas.tables, Schemas::of_the_project().tables);
        assert_eq!(
            workspace.schemas.original().tables,
            Schemas::of_the_project().original().tables
        );
    }

    #[test]
    fn every_flow_has_its_transformation_and_onelogin_has_both() {
        let (_, template) = own();
        let workspace = workspace(&template).unwrap();
        let into = |columns| {
            let transforms = workspace.transforms.iter();
            transforms.filter(|found| found.into.columns == columns).count()
        };
        assert_eq!(into(TableColumns::All), workspace.schemas.tables.len() + 1);
        // Every table has columns that were added.
        assert_eq!(into(TableColumns::Original), workspace.schemas.tables.len() + 1);
        let transforms = workspace.transforms.iter();
        let into_guids: Vec<_> = transforms.filter(|found| found.into.has_guids).collect();
        assert_eq!(into_guids.len(), 2);
        assert_eq!(
            into_guids[0].text,
            "source | extend create__id_g = toguid(create__id_g), uuid_g = toguid(uuid_g)"
        );
    }

    #[test]
    fn a_table_that_nothing_fills_is_refused() {
        let table = json!({
            "type": "Microsoft.OperationalInsights/workspaces/tables",
            "properties": {"schema": {"name": "A_CL", "columns": []}},
        });
        let refused = workspace(&json!({"resources": [table]})).unwrap_err();
        assert_eq!(refused, "no data flow fills A_CL");
    }
}
