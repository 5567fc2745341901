//! Is every event there, once, in a row that fits its table?

use std::collections::BTreeMap;

use serde_json::Value;
use simulator::tables::{TableSchema, violations};

use super::vendors::{Expected, REGISTRATION_TOKEN_MARK};

/// So many names stand in an error.
const NAMES_SHOWN: usize = 3;

/// Compares every row of every table with what must have come. The error says what is wrong first.
pub fn each_once(expected: &[Expected], tables: &BTreeMap<String, Vec<Value>>) -> Result<(), String> {
    if let Some(table) = tables
        .keys()
        .find(|name| expected.iter().all(|expected| expected.table != *name))
    {
        return Err(format!("{table} has rows that belong nowhere"));
    }
    let schemas = TableSchema::load_all();
    for expected in expected {
        let rows = tables.get(expected.table).map_or(&[][..], Vec::as_slice);
        let schema = schemas
            .get(expected.table)
            .ok_or_else(|| format!("{} is no table of ours", expected.table))?;
        for row in rows {
            fits(schema, row)?;
        }
        let arrived = names(expected, rows)?;
        compare(expected, &arrived)?;
    }
    Ok(())
}

fn fits(schema: &TableSchema, row: &Value) -> Result<(), String> {
    if let Some(violation) = violations(schema, row).first() {
        return Err(format!("{}: {violation} in {row}", schema.name));
    }
    if row.to_string().contains(REGISTRATION_TOKEN_MARK) {
        return Err(format!("{}: a group's registration token stands in a row", schema.name));
    }
    Ok(())
}

/// How often each event arrived.
fn names(expected: &Expected, rows: &[Value]) -> Result<BTreeMap<String, usize>, String> {
    let mut names = BTreeMap::new();
    for row in rows {
        let name =
            (expected.name_of)(row).ok_or_else(|| format!("{}: no event has this row: {row}", expected.table))?;
        *names.entry(name).or_default() += 1;
    }
    Ok(names)
}

fn compare(expected: &Expected, arrived: &BTreeMap<String, usize>) -> Result<(), String> {
    let known: BTreeMap<&String, ()> = expected.names.iter().map(|name| (name, ())).collect();
    let missing: Vec<&String> = known
        .keys()
        .copied()
        .filter(|name| !arrived.contains_key(*name))
        .collect();
    let strange: Vec<&String> = arrived.keys().filter(|name| !known.contains_key(name)).collect();
    let doubled = arrived.iter().filter(|(_, times)| **times > 1);
    let doubled: Vec<&String> = doubled.map(|(name, _)| name).collect();
    for (names, what) in [
        (missing, "did not arrive"),
        (doubled, "arrived more than once"),
        (strange, "arrived, but never happened"),
    ] {
        if !names.is_empty() {
            let some: Vec<&str> = names.iter().take(NAMES_SHOWN).map(|name| name.as_str()).collect();
            return Err(format!(
                "{}: of {} events, {} {what}: {} ...",
                expected.table,
                known.len(),
                names.len(),
                some.join(", ")
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &str = "PingOne_AuditActivities_CL";

    fn outcome(rows: &[Value]) -> Result<(), String> {
        let expected = [Expected {
            table: TABLE,
            name_of: |row| Some(row.get("Id")?.as_str()?.to_owned()),
            names: vec!["a".to_owned(), "b".to_owned()],
        }];
        each_once(&expected, &BTreeMap::from([(TABLE.to_owned(), rows.to_vec())]))
    }

    fn row(id: &str) -> Value {
        json!({"TimeGenerated": "2026-11-20T10:00:00Z", "Id": id})
    }

    #[test]
    fn every_event_once_is_well() {
        assert_eq!(outcome(&[row("b"), row("a")]), Ok(()));
    }

    #[test]
    fn what_is_missing_doubled_strange_or_unfit_is_named() {
        for (rows, said) in [
            (vec![row("a")], "1 did not arrive: b"),
            (vec![row("a"), row("b"), row("a")], "1 arrived more than once: a"),
            (vec![row("a"), row("b"), row("c")], "never happened: c"),
            (vec![row("a"), json!({"Id": "b"})], "TimeGenerated"),
            (vec![row("a"), row(REGISTRATION_TOKEN_MARK)], "registration token"),
            (vec![json!({"TimeGenerated": "2026-11-20T10:00:00Z"})], "no event"),
        ] {
            let problem = outcome(&rows).unwrap_err();
            assert!(problem.contains(said), "{said}: {problem}");
        }
    }

    #[test]
    fn a_table_that_nobody_expects_is_named() {
        let tables = BTreeMap::from([("Other_CL".to_owned(), Vec::new())]);
        assert!(each_once(&[], &tables).unwrap_err().contains("Other_CL"));
    }
}
