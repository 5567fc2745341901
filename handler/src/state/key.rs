use std::fmt;

/// The name of an object in the store: segments joined with `/`, safe as a path and as a blob name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Joins segments. A character that is not a letter, a digit, `-`, `_` or `.` becomes `-`, and so does a segment
    /// that is only dots: no name that comes from outside can leave the store.
    pub fn new<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Self {
        let safe: Vec<String> = segments
            .into_iter()
            .map(|segment| safe_segment(segment.as_ref()))
            .collect();
        Self(safe.join("/"))
    }

    /// A key below this one.
    pub fn child(&self, segment: &str) -> Self {
        Self(format!("{}/{}", self.0, safe_segment(segment)))
    }

    /// Its segments with slashes between them: `checkpoints/<source>/<instance>/<stream>.json`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn last(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn safe_segment(segment: &str) -> String {
    let safe: String = segment
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || "-_.".contains(character) {
                character
            } else {
                '-'
            }
        })
        .collect();
    if safe.chars().all(|character| character == '.') {
        "-".repeat(safe.len().max(1))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_segment_can_leave_the_store() {
        let key = Key::new(["checkpoints", "..", "a/../b", "", "x y.json"]);
        assert_eq!(key.as_str(), "checkpoints/--/a-..-b/-/x-y.json");
        assert_eq!(key.child("../..").as_str(), "checkpoints/--/a-..-b/-/x-y.json/..-..");
    }
}
