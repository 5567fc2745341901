//! What no column of a row took of its event, in the event's own shape.

use std::borrow::Cow;
use std::collections::HashMap;

use super::paths::{Documented, PathTree};
use super::secret_names::{WITHHELD, holds_a_secret, may_be_a_secret, names_a_secret};
use crate::json::{Cursor, Kind, compact_into, key_text, kind, members};

/// Of the unknown keys of one event no more are named than this.
const UNKNOWN_KEYS: usize = 100;
/// An object with more members than this is searched for repeated keys through a map.
const MANY_MEMBERS: usize = 64;

/// What is left of an event beside the columns that were delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Compact JSON with the nesting of the event. Elements of a list keep their positions, with `null` where nothing
    /// is left. Empty if nothing is left at all.
    pub json: Vec<u8>,
    /// Keys that the table's definition does not know, as dotted paths; `[]` stands for the elements of a list.
    pub unknown_keys: Vec<String>,
}

/// What is left of `event` (a JSON object) where the values of the slots in `taken` stand in columns.
pub fn leftovers(event: &str, paths: &PathTree, taken: &[bool]) -> Leftovers {
    let mut walk = Walk {
        taken,
        keys_above: Vec::new(),
        left: Leftovers::default(),
    };
    walk.object(event, paths);
    if walk.left.json == b"{}" {
        walk.left.json.clear();
    }
    walk.left
}

struct Walk<'a> {
    taken: &'a [bool],
    /// The keys above the present place.
    keys_above: Vec<Cow<'a, str>>,
    left: Leftovers,
}

// Recursion goes no deeper than the longest path of the table: what no path leads into is copied without one.
impl<'a> Walk<'a> {
    /// True where something was written; an object without members is written as it is.
    fn object(&mut self, object: &'a str, node: &PathTree) -> bool {
        let start = self.left.json.len();
        let members: Vec<_> = members(object).collect();
        let last = last_of_many(&members);
        self.left.json.push(b'{');
        for (index, &(key, value)) in members.iter().enumerate() {
            // Of a repeated key the last counts, as for the columns.
            let is_repeated = match &last {
                Some(last) => last.get(key) != Some(&index),
                None => members[index + 1..].iter().any(|(later, _)| *later == key),
            };
            if is_repeated {
                continue;
            }
            let before = self.left.json.len();
            if before > start + 1 {
                self.left.json.push(b',');
            }
            self.left.json.push(b'"');
            self.left.json.extend_from_slice(key.as_bytes());
            self.left.json.extend_from_slice(b"\":");
            if !self.member(key_text(key), value, node) {
                self.left.json.truncate(before);
            }
        }
        let is_left = members.is_empty() || self.left.json.len() > start + 1;
        self.close(start, b'}', is_left)
    }

    fn member(&mut self, key: Cow<'a, str>, value: &'a str, node: &PathTree) -> bool {
        let Some(child) = node.child(&key) else {
            if node.documented() != Some(Documented::Wholly) && !holds_a_secret(&key, value) {
                self.name_unknown(&key);
            }
            self.copy(&key, value);
            return true;
        };
        self.keys_above.push(key);
        let is_left = self.place(value, child);
        self.keys_above.pop();
        is_left
    }

    /// A value that a path leads to or through.
    fn place(&mut self, value: &'a str, node: &PathTree) -> bool {
        if node.slot().is_some_and(|slot| self.taken[slot]) || node.documented() == Some(Documented::Ignored) {
            return false;
        }
        // What is below a known value is looked at once, to name what is new there.
        let is_looked_into = node.leads_on() || node.documented() == Some(Documented::Known);
        match kind(value) {
            Kind::Object if is_looked_into => self.object(value, node),
            Kind::Array if node.leads_on() => self.array(value, node),
            _ => {
                let key = self.keys_above.last().cloned().unwrap_or_default();
                self.copy(&key, value);
                true
            }
        }
    }

    fn array(&mut self, array: &'a str, node: &PathTree) -> bool {
        let start = self.left.json.len();
        let mut cursor = Cursor::new(array);
        cursor.enter(b'[');
        self.left.json.push(b'[');
        let (mut count, mut is_left) = (0_usize, false);
        while cursor.next_element() {
            let Some(element) = cursor.value() else { break };
            if count > 0 {
                self.left.json.push(b',');
            }
            is_left |= self.element(count, element, node);
            count += 1;
        }
        self.close(start, b']', is_left || count == 0)
    }

    fn element(&mut self, number: usize, element: &'a str, node: &PathTree) -> bool {
        let Some(child) = node.element(number) else {
            self.copy("", element);
            return true;
        };
        self.keys_above.push(Cow::Borrowed("[]"));
        let is_left = self.place(element, child);
        self.keys_above.pop();
        if !is_left {
            self.left.json.extend_from_slice(b"null");
        }
        is_left
    }

    /// Ends what began at `start`, or takes it back.
    fn close(&mut self, start: usize, bracket: u8, is_left: bool) -> bool {
        match is_left {
            true => self.left.json.push(bracket),
            false => self.left.json.truncate(start),
        }
        is_left
    }

    fn copy(&mut self, key: &str, value: &str) {
        if holds_a_secret(key, value) {
            self.left.json.extend_from_slice(WITHHELD.as_bytes());
        } else {
            copy_without_secrets(value, &mut self.left.json);
        }
    }

    fn name_unknown(&mut self, key: &str) {
        let mut path = String::new();
        for key in self.keys_above.iter().map(AsRef::as_ref).chain([key]) {
            if !path.is_empty() && key != "[]" {
                path.push('.');
            }
            path.push_str(key);
        }
        let named = &mut self.left.unknown_keys;
        if named.len() < UNKNOWN_KEYS && !named.contains(&path) {
            named.push(path);
        }
    }
}

/// The place of the last member of each key, where comparing each with each would take long.
fn last_of_many<'a>(members: &[(&'a str, &'a str)]) -> Option<HashMap<&'a str, usize>> {
    let places = || members.iter().enumerate().map(|(index, (key, _))| (*key, index));
    (members.len() > MANY_MEMBERS).then(|| places().collect())
}

/// Compact JSON, with a mark in place of every value whose key says that it is a secret. It does not recurse, because
/// nothing is known of the value's depth.
fn copy_without_secrets(value: &str, out: &mut Vec<u8>) {
    let start = out.len();
    compact_into(value, out);
    if !matches!(kind(value), Kind::Object | Kind::Array) {
        return;
    }
    let compact = String::from_utf8_lossy(&out[start..]);
    let Some(redacted) = without_secrets(&compact) else {
        return;
    };
    out.truncate(start);
    out.extend_from_slice(redacted.as_bytes());
}

/// `None` where there is no secret in it.
fn without_secrets(compact: &str) -> Option<String> {
    let mut redacted = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(b'"', &compact.as_bytes()[at..]) {
        let key_start = at + found;
        let quoted = Cursor::new(&compact[key_start..]).value()?;
        at = key_start + quoted.len();
        // Only a key has a colon behind it.
        let Some(behind) = compact[at..].strip_prefix(':') else {
            continue;
        };
        let key = key_text(&quoted[1..quoted.len() - 1]);
        // By the name first: the value of every key would be passed over once for each level above it.
        if !names_a_secret(&key) {
            continue;
        }
        let held = Cursor::new(behind).value()?;
        if may_be_a_secret(held) {
            redacted.push_str(&compact[copied..=at]);
            redacted.push_str(WITHHELD);
            at += 1 + held.len();
            copied = at;
        }
    }
    redacted.push_str(&compact[copied..]);
    (copied > 0).then_some(redacted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns read `id`, `actors.user.id`, `resources[0].id` and `action`; the rest is documented, or news.
    fn left_of(event: &str) -> (String, Vec<String>) {
        let mut paths = PathTree::default();
        let columns = ["id", "actors.user.id", "resources[0].id", "action"];
        let mut slots = columns.map(|path| (path, false));
        for (slot, path) in columns.iter().enumerate() {
            paths.add(path, slot);
        }
        paths.document("_links", Documented::Ignored);
        paths.document("tags", Documented::Wholly);
        paths.document("resources[].name", Documented::Known);
        let mut found = vec![None; columns.len()];
        paths.find(event, &mut found);
        for (slot, value) in slots.iter_mut().zip(&found) {
            slot.1 = value.is_some_and(|value| kind(value) != Kind::Null);
        }
        let left = leftovers(event, &paths, &slots.map(|(_, is_taken)| is_taken));
        (String::from_utf8(left.json).unwrap(), left.unknown_keys)
    }

    /// Passing over the value of every key would take minutes here.
    #[test]
    fn an_event_that_is_deep_is_walked_once() {
        let depth = 150_000;
        let deep = format!(r#"{}{{"apiToken":"x"}}{}"#, r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let redacted = without_secrets(&deep).unwrap();
        assert!(!redacted.contains(r#""x""#) && redacted.len() > 6 * depth);
    }

    #[test]
    fn what_columns_took_is_left_out_and_the_rest_keeps_its_shape() {
        for (event, left) in [
            (r#"{"id":1,"action":{"type":"x"},"_links":{"self":"y"}}"#, ""),
            (
                r#"{"id":1,"tags":[ "a" , {"b":1.50} ]}"#,
                r#"{"tags":["a",{"b":1.50}]}"#,
            ),
            (
                r#"{"actors":{"user":{"id":"u","name":"n"}}}"#,
                r#"{"actors":{"user":{"name":"n"}}}"#,
            ),
            (r#"{"actors":{"user":{"id":"u"}}}"#, ""),
            // What a column could not take stays: null, and what is empty.
            (
                r#"{"id":null,"actors":{"user":{}},"resources":[]}"#,
                r#"{"id":null,"actors":{"user":{}},"resources":[]}"#,
            ),
            // Elements keep their positions.
            (
                r#"{"resources":[{"id":1},{"id":2},3]}"#,
                r#"{"resources":[null,{"id":2},3]}"#,
            ),
            (
                r#"{"resources":[{"id":1,"name":"a"}]}"#,
                r#"{"resources":[{"name":"a"}]}"#,
            ),
            (r#"{"resources":[{"id":1}]}"#, ""),
            // Another shape than the path expects.
            (
                r#"{"actors":["x"],"resources":{"id":7}}"#,
                r#"{"actors":["x"],"resources":{"id":7}}"#,
            ),
            // Of a repeated key the last counts.
            (r#"{"x":1,"id":1,"x":{"y":2}}"#, r#"{"x":{"y":2}}"#),
            ("{}", ""),
        ] {
            assert_eq!(left_of(event).0, left, "{event}");
        }
    }

    #[test]
    fn keys_that_the_definition_does_not_know_are_named_once_and_by_their_path() {
        let event = r#"{"new":{"deep":1},"tags":{"free":1},"actors":{"user":{"id":1,"n\u0061me":2},"client":3},
            "resources":[{"id":1,"kind":4},{"name":5}],"_links":{"next":6}}"#;
        let named = ["new", "actors.user.name", "actors.client", "resources[].kind"];
        assert_eq!(left_of(event).1, named);
        let (left, unknown) = left_of(r#"{"resources":[{"id":1},{"kind":4,"name":5},{"kind":6}]}"#);
        assert_eq!(left, r#"{"resources":[null,{"kind":4,"name":5},{"kind":6}]}"#);
        assert_eq!(unknown, ["resources[].kind"]);
        let many: Vec<String> = (0..200).map(|number| format!(r#""k{number}":1"#)).collect();
        let (left, unknown) = left_of(&format!("{{{}}}", many.join(",")));
        assert_eq!(unknown.len(), UNKNOWN_KEYS);
        assert_eq!(left.matches(":1").count(), 200);
    }

    #[test]
    fn secrets_are_withheld_at_every_depth_and_what_only_sounds_like_one_is_not() {
        for (event, left) in [
            (r#"{"apiToken":"t0p"}"#, r#"{"apiToken":"[withheld: a secret]"}"#),
            (
                r#"{"tags":{"a":[{"Client_Secret": "s3\"cret", "b":1}],"passphrase":77}}"#,
                r#"{"tags":{"a":[{"Client_Secret":"[withheld: a secret]","b":1}],"passphrase":"[withheld: a secret]"}}"#,
            ),
            (
                r#"{"password":true,"passwordExpiresAt":"x","tokenId":"t","secret":null,"passcode":""}"#,
                r#"{"password":true,"passwordExpiresAt":"x","tokenId":"t","secret":null,"passcode":""}"#,
            ),
        ] {
            assert_eq!(left_of(event).0, left, "{event}");
        }
    }

    #[test]
    fn absurd_depth_does_not_overflow_the_stack() {
        let deep = format!(r#"{{"tags":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(left_of(&deep).0, deep);
    }
}
