//! Backwards: from a row and its table's definition to the vendor's event.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::definition::{ColumnDefinition, ColumnType, Definition};
use super::layout::TableOptions;
use super::row::{RowContext, Table};
use super::secret_names::WITHHELD;
use crate::json::{Cursor, Kind, kind, members, unquote};

/// JSON as a tree: scalars digit for digit, members in any order.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    /// The text of a number, a boolean or a text: what a column of another type keeps of it.
    Scalar(String),
    Null,
    Array(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

impl Tree {
    fn read(value: &str) -> Self {
        match kind(value) {
            Kind::Null => Self::Null,
            Kind::Object => Self::Object(
                members(value)
                    .map(|(key, value)| (key.to_owned(), Self::read(value)))
                    .collect(),
            ),
            Kind::Array => {
                let mut cursor = Cursor::new(value);
                cursor.enter(b'[');
                let mut elements = Vec::new();
                while cursor.next_element() {
                    elements.push(Self::read(cursor.value().unwrap()));
                }
                Self::Array(elements)
            }
            _ => Self::Scalar(unquote(value.trim()).into_owned()),
        }
    }

    /// A string column holds objects and arrays as JSON text.
    fn of_cell(cell: &str) -> Self {
        let text = unquote(cell);
        let is_json_text = kind(cell) == Kind::String && matches!(kind(&text), Kind::Object | Kind::Array);
        match is_json_text && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() {
            true => Self::read(&text),
            false => Self::read(cell),
        }
    }

    fn at(&self, keys: &[String]) -> Option<&Self> {
        let Some((key, rest)) = keys.split_first() else {
            return Some(self);
        };
        match self {
            Self::Object(members) => members.get(key)?.at(rest),
            Self::Array(elements) => elements.get(key.parse::<usize>().ok()?)?.at(rest),
            _ => None,
        }
    }

    /// Leaves out what the other tree marks as a secret. Gives how many values that are.
    fn withhold_as(&mut self, other: &Self) -> u64 {
        match (self, other) {
            (Self::Object(members), Self::Object(others)) => {
                let pairs = members
                    .iter_mut()
                    .filter_map(|(key, value)| Some((value, others.get(key)?)));
                pairs.map(|(value, other)| value.withhold_as(other)).sum()
            }
            (Self::Array(elements), Self::Array(others)) => {
                let pairs = elements.iter_mut().zip(others);
                pairs.map(|(element, other)| element.withhold_as(other)).sum()
            }
            (value, Self::Scalar(mark)) if mark == unquote(WITHHELD).as_ref() => {
                *value = other.clone();
                1
            }
            _ => 0,
        }
    }

    /// Puts a value where nothing stands yet.
    fn put(&mut self, keys: &[String], value: Self) {
        let Some((key, rest)) = keys.split_first() else {
            if *self == Self::Null {
                *self = value;
            }
            return;
        };
        if let Ok(number) = key.parse::<usize>() {
            if *self == Self::Null {
                *self = Self::Array(Vec::new());
            }
            if let Self::Array(elements) = self {
                elements.resize(elements.len().max(number + 1), Self::Null);
                elements[number].put(rest, value);
            }
            return;
        }
        if *self == Self::Null {
            *self = Self::Object(BTreeMap::new());
        }
        if let Self::Object(members) = self {
            members.entry(key.clone()).or_insert(Self::Null).put(rest, value);
        }
    }
}

fn keys_of(path: &str) -> Vec<String> {
    let path = path.replace('[', ".").replace(']', "");
    path.split('.').map(str::to_owned).collect()
}

/// A value that a column holds stands at one of its paths; the row does not say at which.
fn rebuilt(row: &Tree, definition: &Definition, event: &Tree) -> Tree {
    let Tree::Object(cells) = row else {
        panic!("a row is an object")
    };
    let mut rebuilt = cells.get("AdditionalFields").cloned().unwrap_or(Tree::Null);
    let rest = rebuilt.clone();
    let held = definition.columns.iter().filter_map(|column| {
        let value = match cells.get(&column.name)? {
            Tree::Scalar(text) if column.column_type == ColumnType::String => {
                Tree::of_cell(&serde_json::Value::from(text.as_str()).to_string())
            }
            other => other.clone(),
        };
        let paths = column.from.iter().filter(|path| !path.starts_with('$'));
        let keys = paths
            .map(|path| keys_of(path))
            .find(|keys| event.at(keys) == Some(&value))?;
        Some((keys, value))
    });
    let mut held: Vec<_> = held.collect();
    // Whole objects before their parts.
    held.sort_by_key(|(keys, _)| keys.len());
    for (keys, value) in held {
        assert!(
            matches!(rest.at(&keys), None | Some(Tree::Null)),
            "{keys:?} stands in a column and in the rest: {rest:?}"
        );
        rebuilt.put(&keys, value);
    }
    match rebuilt {
        Tree::Null => Tree::Object(BTreeMap::new()),
        rebuilt => rebuilt,
    }
}

/// Every path that no column and no list of the definition may take away.
fn without_ignored(event: &mut Tree, definition: &Definition) {
    for path in &definition.ignored {
        remove(event, &keys_of(path));
    }
}

fn remove(tree: &mut Tree, keys: &[String]) {
    let Some((key, rest)) = keys.split_first() else { return };
    match tree {
        Tree::Object(members) if rest.is_empty() => {
            members.remove(key);
        }
        Tree::Object(members) => {
            if let Some(member) = members.get_mut(key) {
                remove(member, rest);
            }
        }
        Tree::Array(elements) if key.is_empty() => elements.iter_mut().for_each(|element| remove(element, rest)),
        _ => {}
    }
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("\"\"".to_owned()),
        (0_u64..u64::MAX).prop_map(|number| number.to_string()),
        (0_i32..99).prop_map(|number| format!("{number}.50")),
        "[a-z \\\\\"\u{e9}{\\[]{0,12}".prop_map(|text| serde_json::Value::from(text).to_string()),
        (10_u32..28).prop_map(|day| format!("\"2026-11-{day}T10:15:30.120Z\"")),
        (10_u32..28).prop_map(|day| format!("\"2026-11-{day} 10:15:30 UTC\"")),
        (1_u32..12).prop_map(|month| format!("\"2026-{month:02}-11T10:15:30+02:00\"")),
    ]
}

fn invented() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|elements| format!("[{}]", elements.join(","))),
            proptest::collection::btree_map("[a-z_]{1,6}", inner, 0..3).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

/// Values at some of the table's own paths, and at invented ones beside them.
fn event(definition: &Definition) -> impl Strategy<Value = String> + use<> {
    let own = definition
        .columns
        .iter()
        .flat_map(|column: &ColumnDefinition| column.from.clone());
    let own: Vec<_> = own.filter(|path| !path.starts_with('$')).collect();
    let path = proptest::sample::select(own);
    let beside = (path.clone(), "[a-z]{2,5}").prop_map(|(path, key)| match path.rsplit_once('.') {
        Some((above, _)) => format!("{above}.{key}"),
        None => key,
    });
    let place = prop_oneof![4 => path, 1 => beside];
    proptest::collection::vec((place, invented()), 0..14).prop_map(|values| {
        let mut event = Tree::Object(BTreeMap::new());
        for (path, value) in values {
            event.put(&keys_of(&path), Tree::Scalar(format!("\u{1}{value}")));
        }
        written(&event)
    })
}

/// As JSON, where marked scalars are JSON already.
fn written(tree: &Tree) -> String {
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Scalar(text) => text.trim_start_matches('\u{1}').to_owned(),
        Tree::Array(elements) => format!("[{}]", elements.iter().map(written).collect::<Vec<_>>().join(",")),
        Tree::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("\"{key}\" : {}", written(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

/// Every table of a vendor.
pub fn definitions() -> Vec<(Definition, Table)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/tables");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut texts: Vec<_> = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    texts.sort();
    let options = TableOptions {
        parser_aliases: false,
        additional_fields: true,
    };
    let both = texts.iter().map(|text| {
        let definition = Definition::parse(text).unwrap();
        (definition, Table::compile(text, options).unwrap())
    });
    both.filter(|(definition, _)| definition.columns.iter().any(|column| column.rest))
        .collect()
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long the test takes is the caller's choice, not a setting"
)]
fn cases() -> u32 {
    let cases = std::env::var("CONNECTOR_REBUILT_EVENTS").ok();
    cases.map_or(200, |text| text.parse().unwrap())
}

/// Values that a row marks as not whole.
pub struct Marked {
    pub withheld: u64,
    pub cut: u64,
}

/// Fails with the difference where the event is not what its row tells.
pub fn check_rebuilt(definition: &Definition, table: &Table, event: &str) -> Result<Marked, String> {
    let context = RowContext {
        arrival: "2026-11-20T12:00:00Z".parse().unwrap(),
        constant_fields: &[],
    };
    let mut out = Vec::new();
    let cut = table.project(event, context, &mut out).notes.cut;
    let text = str::from_utf8(&out).unwrap();
    let mut expected = Tree::read(event);
    let found = rebuilt(&Tree::read(text), definition, &expected);
    without_ignored(&mut expected, definition);
    let withheld = expected.withhold_as(&found);
    match found == expected || cut > 0 {
        true => Ok(Marked { withheld, cut }),
        false => Err(format!(
            "{event}\nmade the row\n{text}\nand that is rebuilt as\n{}",
            written(&found)
        )),
    }
}

#[test]
fn the_event_can_be_rebuilt_from_any_row_and_the_tables_definition() {
    let definitions = definitions();
    assert_eq!(definitions.len(), 12, "every table of a vendor has the column");
    for (definition, table) in definitions {
        let config = Config {
            cases: cases(),
            failure_persistence: None,
            ..Config::default()
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let result = runner.run(&event(&definition), |text| {
            let marked = check_rebuilt(&definition, &table, &text).map_err(TestCaseError::fail)?;
            // An invented key may sound like a secret.
            prop_assert_eq!(marked.cut, 0);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{}: {error}", table.name()));
    }
}
