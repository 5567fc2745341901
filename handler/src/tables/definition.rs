//! The form of the files in `infra/tables`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::Error;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The table's name in the workspace, `_CL` included.
    pub table: String,
    /// For people: what the rows are.
    #[serde(rename = "description")]
    pub _description: String,
    /// Where the table's plan takes no call whose rows span more time than this. Source: Logs Ingestion API, error
    /// `RecordsTimeRangeIsMoreThan30Minutes` of auxiliary tables.
    #[serde(default)]
    pub longest_span_minutes: Option<u32>,
    /// For the deployment template: the columns behind this one were added by this connector. A table that another
    /// connector made, or an older template, may lack them.
    #[serde(default, rename = "added_after")]
    pub _added_after: Option<String>,
    /// In the order of the table.
    pub columns: Vec<ColumnDefinition>,
    /// Paths that the vendor documents and no column reads. `[]` stands for every element of a list, and a last `.*` for
    /// all that lies below.
    #[serde(default)]
    pub known: Vec<String>,
    /// Paths that carry nothing, such as links to pages: they are left out of the column with `rest`.
    #[serde(default)]
    pub ignored: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnDefinition {
    pub name: String,
    /// Its type in Log Analytics.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Paths into the event, keys joined with dots, `[0]` for the first element of an array. A name that begins with
    /// `$` is given by the source. [`Take`] says which of them wins.
    #[serde(default)]
    pub from: Vec<String>,
    /// Which of several values is taken.
    #[serde(default)]
    pub take: Take,
    /// How its text is read.
    #[serde(default)]
    pub parse: Parse,
    /// The column exists and never gets a value: what would belong there must not leave the vendor.
    #[serde(default)]
    pub never: bool,
    /// The column holds what no other column took of the event. It is the last one, and of type dynamic.
    #[serde(default)]
    pub rest: bool,
    /// Members to add to an object: the new key, and the key whose value it repeats. Only where they are asked for.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
}

/// Which of the values that `from` finds is taken.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// The first that fits the column's type.
    #[default]
    First,
    /// Of those that read as times, the latest.
    Latest,
}

/// How the text of a time is read.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Parse {
    /// As it stands.
    #[default]
    Plain,
    /// The day and the month may be swapped: what lies nearer to the arrival is meant.
    DayMonthByNearness,
}

/// The types that the tables use.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Text; objects and arrays become compact JSON text.
    String,
    /// RFC 3339 in UTC.
    Datetime,
    /// A number, digit for digit as the vendor wrote it.
    Real,
    /// A whole number of 64 bits.
    Long,
    /// `true` or `false`.
    Boolean,
    /// Any JSON.
    Dynamic,
}

impl Definition {
    /// Reads a file, and refuses what would silently leave a column empty.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let definition: Self = serde_json::from_str(text)?;
        for column in &definition.columns {
            column.check()?;
        }
        if definition.columns.iter().rev().skip(1).any(|column| column.rest) {
            return Err(serde_json::Error::custom(
                "the column with \"rest\" must be the last one",
            ));
        }
        Ok(definition)
    }
}

impl ColumnDefinition {
    fn check(&self) -> Result<(), serde_json::Error> {
        let refuse = |what: &str| Err(serde_json::Error::custom(format!("column {}: {what}", self.name)));
        if (self.never || self.rest) != self.from.is_empty() {
            return refuse("give it paths in \"from\", or \"never\": true, or \"rest\": true");
        }
        if self.rest && self.column_type != ColumnType::Dynamic {
            return refuse("the rest of an event is dynamic");
        }
        if self.parse != Parse::Plain && self.column_type != ColumnType::Datetime {
            return refuse("only a datetime can be read by nearness");
        }
        if self.take == Take::Latest && self.column_type != ColumnType::Datetime {
            return refuse("only a datetime can be the latest");
        }
        if !self.aliases.is_empty() && self.column_type != ColumnType::String {
            return refuse("aliases are for JSON text, in a column of type string");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(column: &str) -> Option<String> {
        let text = format!(r#"{{"table":"A_CL","description":"d","columns":[{column}]}}"#);
        Definition::parse(&text).err().map(|error| error.to_string())
    }

    #[test]
    fn a_column_that_could_never_be_filled_as_it_says_is_refused() {
        for (column, word) in [
            (r#"{"name":"A","type":"string"}"#, "never"),
            (r#"{"name":"A","type":"string","from":[]}"#, "never"),
            (r#"{"name":"A","type":"string","from":["a"],"never":true}"#, "never"),
            (r#"{"name":"A","type":"string","from":["a"],"take":"latest"}"#, "latest"),
            (
                r#"{"name":"A","type":"dynamic","from":["a"],"aliases":{"b":"c"}}"#,
                "aliases",
            ),
            (r#"{"name":"A","type":"string","from":["a"],"takes":"first"}"#, "takes"),
        ] {
            let said = refusal(column).unwrap_or_default();
            assert!(said.contains(word), "{column}: {said}");
        }
    }

    #[test]
    fn a_column_that_must_stay_empty_needs_no_path() {
        assert_eq!(refusal(r#"{"name":"A","type":"string","never":true}"#), None);
    }
}
