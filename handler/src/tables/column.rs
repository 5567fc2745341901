//! A column, compiled: where its value may stand, and how its name is written.

use std::collections::HashSet;

use super::aliases::Aliases;
use super::definition::{ColumnDefinition, ColumnType, Parse, Take};
use crate::event::WRAPPING_MEMBERS;

/// Members that name an event and say nothing of it.
const NAMES: [&str; 2] = ["id", "uuid"];

/// The column that every table has.
pub const TIME_GENERATED: &str = "TimeGenerated";

#[derive(Debug)]
pub struct Column {
    pub name: String,
    /// `"Name":`
    pub prefix: Vec<u8>,
    /// What the value must become.
    pub column_type: ColumnType,
    /// Slots of the table's paths, in the order in which they are tried. None for a column that stays empty.
    pub slots: Vec<usize>,
    /// True if no event has its value: the source gives it.
    pub is_given: bool,
    /// True if its value says more of an event than which one it is and when it was, and is nothing that is wrapped.
    pub is_content: bool,
    /// True for the column that holds what no other took.
    pub is_rest: bool,
    /// Which of several values is taken.
    pub take: Take,
    /// How its text is read.
    pub parse: Parse,
    /// What is added to an object before it becomes text; nothing unless it was asked for.
    pub aliases: Aliases,
}

impl Column {
    /// `slots` are those of the definition's paths, `times` the paths of all datetime columns of the table.
    pub fn new(definition: ColumnDefinition, slots: Vec<usize>, times: &HashSet<String>) -> Self {
        let mut paths = definition.from.iter();
        let is_content = paths.any(|path| {
            let names_only = NAMES.contains(&path.as_str()) || times.contains(path);
            !names_only && !path.starts_with('$') && !WRAPPING_MEMBERS.contains(&path.as_str())
        });
        Self {
            prefix: format!("\"{}\":", definition.name).into_bytes(),
            name: definition.name,
            column_type: definition.column_type,
            slots,
            is_given: !definition.rest && definition.from.iter().all(|path| path.starts_with('$')),
            is_content,
            is_rest: definition.rest,
            take: definition.take,
            parse: definition.parse,
            aliases: Aliases::new(definition.aliases),
        }
    }
}
