//! A definition, compiled: its columns, and where in an event their values stand.

use std::collections::HashSet;

use super::column::Column;
use super::definition::{ColumnType, Definition};
use super::paths::{Documented, PathTree};

/// What a table may add to the vendor's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// Adds the members that its definition lists as aliases.
    pub parser_aliases: bool,
    /// Fills the column that holds what no other column took.
    pub additional_fields: bool,
}

/// What all instances of a source share of a table.
#[derive(Debug, Default)]
pub struct Layout {
    /// In the table's order.
    pub columns: Vec<Column>,
    /// The places of an event that are wanted or documented.
    pub paths: PathTree,
    /// How many values are wanted.
    pub slots: usize,
    /// Slots that the source fills, by name.
    pub constant_fields: Vec<(String, usize)>,
    /// True if the table has a column for what is left of an event, and it is not to be filled.
    pub leaves_out_the_rest: bool,
}

impl Layout {
    /// Without the column for what is left of an event, and without second names, where they are not asked for.
    pub fn new(definition: Definition, options: TableOptions) -> Self {
        let mut layout = Self::default();
        let times: HashSet<String> = definition
            .columns
            .iter()
            .filter(|column| column.column_type == ColumnType::Datetime)
            .flat_map(|column| column.from.iter().cloned())
            .collect();
        for mut column in definition.columns {
            if column.rest && !options.additional_fields {
                layout.leaves_out_the_rest = true;
                continue;
            }
            if !options.parser_aliases {
                column.aliases.clear();
            }
            let slots = column.from.iter().map(|path| layout.slot_of(path)).collect();
            layout.columns.push(Column::new(column, slots, &times));
        }
        for path in &definition.known {
            match path.strip_suffix(".*") {
                Some(above) => layout.paths.document(above, Documented::Wholly),
                None => layout.paths.document(path, Documented::Known),
            }
        }
        for path in &definition.ignored {
            layout.paths.document(path, Documented::Ignored);
        }
        layout
    }

    /// The slot of a path's value: a path of the event that is known already keeps its own.
    fn slot_of(&mut self, path: &str) -> usize {
        let slot = match path.starts_with('$') {
            true => self.slots,
            false => self.paths.add(path, self.slots),
        };
        if path.starts_with('$') {
            self.constant_fields.push((path.to_owned(), slot));
        }
        self.slots = self.slots.max(slot + 1);
        slot
    }
}
