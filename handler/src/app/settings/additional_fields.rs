//! Whether what no column takes of an event is delivered in a column of its own.

use crate::config::{DisabledPart, InstanceReader, Rejected, SettingProblems, values};

const KEY: &str = "ADDITIONAL_FIELDS";

/// Reads `<SOURCE>__ADDITIONAL_FIELDS`, that of the instance before that of the source, after what makes the instance
/// wanted. None where it is refused or could not be had, which disables the instance if it is configured.
pub fn read_additional_fields(reader: &mut InstanceReader<'_>, source_prefix: &str) -> Option<bool> {
    let of_source = format!("{source_prefix}{KEY}");
    if reader.instance().is_unnamed() || reader.is_any_set(&[KEY]) {
        return reader.whole().optional(KEY, values::boolean);
    }
    match reader.all().parse(&of_source, values::boolean) {
        Ok(Some(is_wanted)) => return Some(is_wanted),
        // The default.
        Ok(None) => return reader.whole().optional(KEY, values::boolean),
        Err(Rejected::Invalid(invalid)) => {
            let mut problems = SettingProblems::default();
            problems.add(&of_source, invalid.to_string());
            reader.reject_all(&problems);
        }
        Err(Rejected::Unresolved(unresolved)) if reader.is_wanted() => {
            reader.disable(DisabledPart::Whole, &unresolved);
        }
        Err(Rejected::Unresolved(_)) => {}
    }
    None
}
