//! Finds the values that a table wants in one walk over an event.

use crate::json::{Cursor, key_text};

/// A key on the way to one or more wanted values.
#[derive(Debug, Default)]
pub struct PathTree {
    /// Sorted by length, then bytes: the order that [`PathTree::child`] searches in.
    children: Vec<(String, PathTree)>,
    /// The number of the wanted value that stands here.
    slot: Option<usize>,
}

impl PathTree {
    /// Adds a path (keys joined with dots, `[0]` for an element) and gives its slot: a known path keeps the slot it has.
    pub fn add(&mut self, path: &str, next_slot: usize) -> usize {
        let mut node = self;
        for key in path.replace('[', ".[").split('.') {
            let index = match node.search(key.as_bytes()) {
                Ok(index) => index,
                Err(index) => {
                    node.children.insert(index, (key.to_owned(), PathTree::default()));
                    index
                }
            };
            node = &mut node.children[index].1;
        }
        *node.slot.get_or_insert(next_slot)
    }

    /// Notes in `found[slot]` the text of every wanted value of `event`. The last of a repeated key wins.
    pub fn find<'a>(&self, event: &'a str, found: &mut [Option<&'a str>]) {
        self.walk_object(&mut Cursor::new(event), found);
    }

    // Recursion goes no deeper than the longest path of the table.
    fn walk_object<'a>(&self, cursor: &mut Cursor<'a>, found: &mut [Option<&'a str>]) {
        if !cursor.enter(b'{') {
            return;
        }
        while let Some(key) = cursor.next_key() {
            let Some(child) = self.child(key) else {
                cursor.value();
                continue;
            };
            child.take_value(cursor, found);
        }
    }

    fn walk_array<'a>(&self, cursor: &mut Cursor<'a>, found: &mut [Option<&'a str>]) {
        if !cursor.enter(b'[') {
            return;
        }
        let mut number = 0_usize;
        while cursor.next_element() {
            match self.search(format!("[{number}]").as_bytes()) {
                Ok(index) => self.children[index].1.take_value(cursor, found),
                Err(_) if cursor.value().is_none() => return,
                Err(_) => {}
            }
            number += 1;
        }
    }

    fn take_value<'a>(&self, cursor: &mut Cursor<'a>, found: &mut [Option<&'a str>]) {
        let first = cursor.peek();
        let start = cursor.position();
        match first {
            Some(b'{') if !self.children.is_empty() => self.walk_object(cursor, found),
            Some(b'[') if !self.children.is_empty() => self.walk_array(cursor, found),
            _ => {
                cursor.value();
            }
        }
        if let Some(slot) = self.slot {
            found[slot] = cursor.between(start, cursor.position());
        }
    }

    fn child(&self, key: &str) -> Option<&PathTree> {
        let index = self.search(key_text(key).as_bytes());
        index.ok().map(|index| &self.children[index].1)
    }

    fn search(&self, key: &[u8]) -> Result<usize, usize> {
        self.children
            .binary_search_by(|(known, _)| known.len().cmp(&key.len()).then_with(|| known.as_bytes().cmp(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_at_every_depth_and_the_rest_is_passed_over() {
        let mut tree = PathTree::default();
        let paths = [
            "id",
            "actors.user.id",
            "actors.user",
            "actors.client.name",
            "create._id",
        ];
        for (slot, path) in paths.iter().enumerate() {
            assert_eq!(tree.add(path, slot), slot);
        }
        assert_eq!(tree.add("id", 9), 0);

        let event = r#"{"x":{"id":0},"id":"a","actors":{"user":{"id":7,"y":[{"id":8}]},"client":[]},"cr\u0065ate":{"_id":"b"}}"#;
        let mut found = [None; 5];
        tree.find(event, &mut found);
        let expected = [
            Some("\"a\""),
            Some("7"),
            Some(r#"{"id":7,"y":[{"id":8}]}"#),
            None,
            Some("\"b\""),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn elements_of_arrays_are_found_by_their_number() {
        let mut tree = PathTree::default();
        for (slot, path) in ["actors[0].name", "actors", "actors[2]"].iter().enumerate() {
            tree.add(path, slot);
        }
        let mut found = [None; 3];
        tree.find(r#"{"actors":[ {"name":"a","x":[1]}, 7 , "c" ]}"#, &mut found);
        assert_eq!(
            found,
            [
                Some("\"a\""),
                Some(r#"[ {"name":"a","x":[1]}, 7 , "c" ]"#),
                Some("\"c\"")
            ]
        );
        let mut found = [None; 3];
        tree.find(r#"{"actors":{"name":"a"}}"#, &mut found);
        assert_eq!(found, [None, Some(r#"{"name":"a"}"#), None]);
    }
}
