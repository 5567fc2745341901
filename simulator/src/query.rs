//! Query strings and form bodies as lists of decoded pairs.

use url::form_urlencoded;

/// Names and values as given.
pub(crate) type Query = Vec<(String, String)>;

/// The pairs of `text` in their order, percent-decoded, `+` read as a blank.
pub(crate) fn pairs(text: &str) -> Query {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// The value of `name` where it is given exactly once.
pub(crate) fn only_value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = pairs.iter().filter(|(given, _)| given == name);
    let (_, value) = values.next()?;
    if values.next().is_some() {
        return None;
    }
    Some(value)
}

/// Names that are not among `known`, or are given more than once.
pub(crate) fn unexpected_names(pairs: &[(String, String)], known: &[&str]) -> Vec<String> {
    pairs
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !known.contains(&name.as_str()) || only_value(pairs, name).is_none())
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let found = pairs("a+b=1%2B1&&flag&x=y=z");

        let expected =
            [("a b", "1+1"), ("flag", ""), ("x", "y=z")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_name_given_twice_has_no_only_value_and_is_unexpected() {
        let given = pairs("a=1&a=2&b=3&c=4");

        assert_eq!(only_value(&given, "a"), None);
        assert_eq!(only_value(&given, "b"), Some("3"));
        assert_eq!(unexpected_names(&given, &["a", "b"]), ["a", "a", "c"]);
    }
}
