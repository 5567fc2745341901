//! What the checks of JSON files share.

use serde_json::Value;

/// What an object lacks, and what it has that nobody would read.
pub fn keys(place: &str, value: &Value, required: &[&str], optional: &[&str]) -> Vec<String> {
    let Some(object) = value.as_object() else {
        return vec![format!("{place} is no object")];
    };
    let missing = required.iter().filter(|key| !object.contains_key(**key));
    let mut problems: Vec<String> = missing.map(|key| format!("{place} has no \"{key}\"")).collect();
    let known = |key: &str| required.contains(&key) || optional.contains(&key);
    let unknown = object.keys().filter(|key| !known(key));
    problems.extend(unknown.map(|key| format!("{place} has the unknown key \"{key}\"")));
    problems
}

/// Whether the text of a key is one of these.
pub fn one_of(place: &str, value: &Value, key: &str, allowed: &[&str]) -> Option<String> {
    let text = value[key].as_str().unwrap_or_default();
    let wrong = !allowed.contains(&text);
    wrong.then(|| format!("{place}: \"{key}\" is \"{text}\", not one of {}", allowed.join(", ")))
}

/// The text of a key, empty where there is none.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The elements of a key's array, none where there is no array.
pub fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// The names in a text of KQL, those in comments left out.
pub fn words(query: &str) -> impl Iterator<Item = &str> {
    let code = query.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'))
}

/// Fails unless one of the problems says this.
#[cfg(test)]
pub fn assert_told(problems: &[String], expected: &str) {
    let is_told = problems.iter().any(|problem| problem.contains(expected));
    assert!(is_told, "{expected}: {problems:?}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_and_unknown_keys_are_told() {
        let problems = keys("page", &json!({"id": 1, "titel": 2}), &["id", "title"], &["logo"]);
        assert_eq!(
            problems,
            ["page has no \"title\"", "page has the unknown key \"titel\""]
        );
        assert_eq!(keys("page", &json!([]), &[], &[]), ["page is no object"]);
    }

    #[test]
    fn a_word_outside_of_the_list_is_told() {
        assert!(one_of("rule", &json!({"severity": "Severe"}), "severity", &["High", "Low"]).is_some());
        assert!(one_of("rule", &json!({"severity": "Low"}), "severity", &["High", "Low"]).is_none());
    }
}
