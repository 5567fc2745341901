//! Members added to an object under a second name, for readers that know them only by that one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::json::{Kind, kind, member, quote_into};

/// The second names of a column's members. Empty for nearly every column.
#[derive(Debug, Default)]
pub struct Aliases(Vec<Alias>);

#[derive(Debug)]
struct Alias {
    name: String,
    /// The key whose value is repeated.
    of: String,
    /// `,"name":`
    prefix: String,
}

impl Aliases {
    /// From new key -> key whose value it repeats.
    pub fn new(aliases: BTreeMap<String, String>) -> Self {
        let compiled = aliases.into_iter().map(|(name, of)| {
            let mut prefix = vec![b','];
            quote_into(&name, &mut prefix);
            prefix.push(b':');
            Alias {
                name,
                of,
                prefix: String::from_utf8_lossy(&prefix).into_owned(),
            }
        });
        Self(compiled.collect())
    }

    /// `value` with the members that are missing under their second name. What is no object stays as it is, and so
    /// does a member that is there already, whatever it says.
    pub fn add_to<'a>(&self, value: &'a str) -> Cow<'a, str> {
        if self.0.is_empty() || kind(value) != Kind::Object {
            return Cow::Borrowed(value);
        }
        let mut added = String::new();
        for alias in &self.0 {
            let repeated = member(value, &alias.of).filter(|repeated| kind(repeated) != Kind::Null);
            if let Some(repeated) = repeated
                && member(value, &alias.name).is_none()
            {
                added.push_str(&alias.prefix);
                added.push_str(repeated);
            }
        }
        let open = value.trim_ascii_end().strip_suffix('}');
        match open {
            // The member that is repeated stands before it, so a comma is right.
            Some(open) if !added.is_empty() => Cow::Owned(format!("{open}{added}}}")),
            _ => Cow::Borrowed(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_aliases(value: &str) -> String {
        let aliases = [("rulename", "ruleName"), ("userName", "username")];
        let aliases = aliases.map(|(name, of)| (name.to_owned(), of.to_owned()));
        Aliases::new(aliases.into()).add_to(value).into_owned()
    }

    #[test]
    fn missing_members_are_added_behind_the_others() {
        let value = r#"{ "username" : "a \" b", "ruleName":{"x":1} } "#;
        let expected = r#"{ "username" : "a \" b", "ruleName":{"x":1} ,"rulename":{"x":1},"userName":"a \" b"}"#;
        assert_eq!(with_aliases(value), expected);
    }

    #[test]
    fn what_is_there_or_has_no_source_or_is_no_object_stays() {
        for value in [
            r#"{"username":"a","userName":"b"}"#,
            r#"{"username":"a","userName":null}"#,
            r#"{"username":null}"#,
            r#"{"nested":{"username":"a"}}"#,
            "{}",
            "[]",
            r#""username""#,
        ] {
            assert_eq!(with_aliases(value), value);
        }
    }

    #[test]
    fn without_aliases_nothing_is_copied() {
        assert!(matches!(
            Aliases::default().add_to("{\"username\":1}"),
            Cow::Borrowed(_)
        ));
    }
}
