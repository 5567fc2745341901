//! A column, compiled: where its value may stand, and how its name is written.

use super::aliases::Aliases;
use super::definition::{ColumnType, Parse, Take};

/// The column that every table has.
pub const TIME_GENERATED: &str = "TimeGenerated";

/// See the module.
#[derive(Debug)]
pub struct Column {
    /// The column's name.
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
    /// Which of several values is taken.
    pub take: Take,
    /// How its text is read.
    pub parse: Parse,
    /// What is added to an object before it becomes text; nothing unless it was asked for.
    pub aliases: Aliases,
}
