//! Two instances must not read the same stream of the same account.

use crate::settings::reader::Reader;

/// Notes a problem, naming both settings, for every two entries that `same` finds equal.
pub(super) fn refuse_twins<T>(
    reader: &mut Reader<'_>,
    what: &str,
    entries: &[(String, T)],
    same: impl Fn(&T, &T) -> bool,
) {
    for (position, (setting, account)) in entries.iter().enumerate() {
        let earlier = entries[..position].iter().find(|(_, earlier)| same(account, earlier));
        if let Some((earlier, _)) = earlier {
            reader.refuse(
                setting,
                format!("must not name the same {what} as {earlier}: every event would arrive twice"),
            );
        }
    }
}
