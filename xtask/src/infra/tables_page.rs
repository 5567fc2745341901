//! The reference of tables in `docs/tables.md`: where every column is read from, and what has no column.

use std::path::Path;

use serde::Deserialize;

use crate::files;

/// What is read here of a file of `infra/tables`.
#[derive(Deserialize)]
struct TableFile {
    table: String,
    description: String,
    #[serde(default)]
    ignored: Vec<String>,
    #[serde(default)]
    known: Vec<String>,
    added_after: String,
    columns: Vec<ColumnOfFile>,
}

#[derive(Deserialize)]
struct ColumnOfFile {
    name: String,
    #[serde(rename = "type")]
    column_type: String,
    #[serde(default)]
    from: Vec<String>,
    #[serde(default)]
    take: String,
    #[serde(default)]
    never: bool,
    #[serde(default)]
    rest: bool,
}

/// A section for every table of the folder, in the order of their files.
pub fn sections(folder: &Path) -> Result<String, String> {
    let paths = files::with_ending(folder, "json")?;
    let tables = paths.iter().map(|path| files::json::<TableFile>(path));
    let sections: Vec<String> = tables
        .map(|table| Ok(table?.section()))
        .collect::<Result<_, String>>()?;
    Ok(sections.join("\n\n"))
}

impl TableFile {
    fn section(&self) -> String {
        let mut lines = vec![
            format!("### {}\n", self.table),
            format!("{}\n", self.description),
            "| column | type | from |".to_owned(),
            "|---|---|---|".to_owned(),
        ];
        lines.extend(self.columns.iter().map(ColumnOfFile::line));
        if self.columns.last().is_some_and(|last| last.name != self.added_after) {
            let last = &self.added_after;
            lines.push(format!("\nAdded by this connector: the columns after `{last}`."));
        }
        if !self.known.is_empty() {
            lines.push(format!("\nOnly in `AdditionalFields`: {}.", quoted(&self.known)));
        }
        if !self.ignored.is_empty() {
            lines.push(format!("\nLeft out: {}.", quoted(&self.ignored)));
        }
        lines.join("\n")
    }
}

impl ColumnOfFile {
    fn line(&self) -> String {
        format!("| `{}` | {} | {} |", self.name, self.column_type, self.origin())
    }

    fn origin(&self) -> String {
        if self.never {
            return "stays empty: it is a secret".to_owned();
        }
        if self.rest {
            return "everything that no other column took".to_owned();
        }
        let paths = quoted(&self.from);
        match (self.take.as_str(), self.from.len()) {
            ("latest", _) => format!("the latest of {paths}"),
            (_, 0 | 1) => paths,
            _ => format!("the first of {paths}"),
        }
    }
}

fn quoted(paths: &[String]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_says_where_every_column_is_read_from_and_what_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = r#"{"table": "A_CL", "description": "Rows.", "ignored": ["_links"], "known": ["b", "c[].d"],
            "added_after": "Token", "columns": [
            {"name": "TimeGenerated", "type": "datetime", "from": ["x", "y"], "take": "latest"},
            {"name": "B", "type": "string", "from": ["x", "z"]},
            {"name": "Token", "type": "string", "never": true},
            {"name": "Instance", "type": "string", "from": ["$instance"]},
            {"name": "More", "type": "dynamic", "rest": true}]}"#;
        std::fs::write(folder.path().join("A_CL.json"), file).unwrap();
        let expected = "### A_CL\n\nRows.\n\n| column | type | from |\n|---|---|---|\n\
            | `TimeGenerated` | datetime | the latest of `x`, `y` |\n\
            | `B` | string | the first of `x`, `z` |\n\
            | `Token` | string | stays empty: it is a secret |\n\
            | `Instance` | string | `$instance` |\n\
            | `More` | dynamic | everything that no other column took |\n\n\
            Added by this connector: the columns after `Token`.\n\n\
            Only in `AdditionalFields`: `b`, `c[].d`.\n\nLeft out: `_links`.";
        assert_eq!(sections(folder.path()).unwrap(), expected);
    }
}
