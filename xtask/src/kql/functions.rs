//! Saved functions: what their text alone tells.

use super::binder::Function;
use super::schemas::Schemas;
use crate::vendors::{FUNCTION_NAMES_OF_MICROSOFT, FUNCTION_TABLES};

/// What is wrong with the set of functions.
pub fn problems(functions: &[Function], schemas: &Schemas) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, tables) in FUNCTION_TABLES {
        let Some(function) = functions.iter().find(|function| function.name == name) else {
            problems.push(format!("functions: {name} is missing"));
            continue;
        };
        let words: Vec<&str> = words(&function.body).collect();
        for table in tables {
            let columns = schemas
                .tables
                .get(*table)
                .into_iter()
                .flat_map(|columns| columns.keys());
            let forgotten = columns.filter(|column| !words.contains(&column.as_str()));
            problems.extend(forgotten.map(|column| format!("function {name} does not read {table}.{column}")));
        }
    }
    let taken = functions
        .iter()
        .filter(|function| FUNCTION_NAMES_OF_MICROSOFT.contains(&function.name.as_str()));
    problems
        .extend(taken.map(|function| format!("function {} has the name of a function of Microsoft's", function.name)));
    problems
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_a_function_forgets_is_told() {
        let schemas = Schemas::of_the_project();
        let columns: Vec<_> = schemas.tables["PingOneEnterprise_AuditEvents_CL"]
            .keys()
            .cloned()
            .collect();
        let body = columns.join(" ");
        let found = |body: &str| {
            let problems = problems(&[Function::new("PingOneEnterpriseAudit", body)], &schemas);
            problems
                .into_iter()
                .filter(|problem| problem.starts_with("function "))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&body), Vec::<String>::new());
        let problem = "function PingOneEnterpriseAudit does not read PingOneEnterprise_AuditEvents_CL.RecordedText";
        assert_eq!(found(&body.replace("RecordedText", "RecordedTexts")), [problem]);
    }

    #[test]
    fn a_missing_function_and_a_taken_name_are_told() {
        let problems = problems(&[Function::new("OneLogin", "")], &Schemas::default());
        assert!(problems.contains(&"functions: OneLoginEvents is missing".to_owned()));
        assert!(problems.iter().any(|problem| problem.contains("OneLogin has the name")));
    }
}
