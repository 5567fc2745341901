//! Finds the values that a table wants in one walk over an event.

use crate::json::{Cursor, key_text};

/// Why a place that no column reads is in the definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documented {
    /// The vendor documents it: what stands there is kept, and is no news.
    Known,
    /// The same with all that stands below it, because its keys are free.
    Wholly,
    /// It carries nothing.
    Ignored,
}

/// A key on the way to one or more wanted values.
#[derive(Debug, Default)]
pub struct PathTree {
    /// Sorted by length, then bytes: the order that [`PathTree::child`] searches in.
    children: Vec<(String, PathTree)>,
    /// The number of the wanted value that stands here.
    slot: Option<usize>,
    documented: Option<Documented>,
}

impl PathTree {
    /// Adds a path (keys joined with dots, `[0]` for an element) and gives its slot: a known path keeps the slot it has.
    pub fn add(&mut self, path: &str, next_slot: usize) -> usize {
        *self.place(path).slot.get_or_insert(next_slot)
    }

    /// Notes why a path that no column reads is known. `[]` stands for every element of a list, also for those that
    /// were added by their number before.
    pub fn document(&mut self, path: &str, documented: Documented) {
        let Some((list, below)) = path.split_once("[]") else {
            self.place(path).documented = Some(documented);
            return;
        };
        let list = self.place(list);
        list.place("[]");
        let below = below.trim_start_matches('.');
        for (_, element) in list.children.iter_mut().filter(|(key, _)| key.starts_with('[')) {
            if below.is_empty() {
                element.documented = Some(documented);
            } else {
                element.document(below, documented);
            }
        }
    }

    fn place(&mut self, path: &str) -> &mut Self {
        let mut node = self;
        for key in path.replace('[', ".[").split('.').filter(|key| !key.is_empty()) {
            let index = match node.search(key.as_bytes()) {
                Ok(index) => index,
                Err(index) => {
                    node.children.insert(index, (key.to_owned(), PathTree::default()));
                    index
                }
            };
            node = &mut node.children[index].1;
        }
        node
    }

    /// The number of the wanted value that stands here.
    pub fn slot(&self) -> Option<usize> {
        self.slot
    }

    /// Why it is known, where no column reads it.
    pub fn documented(&self) -> Option<Documented> {
        self.documented
    }

    /// True if paths lead to places below this one.
    pub fn leads_on(&self) -> bool {
        !self.children.is_empty()
    }

    /// The node of a member, by its key.
    pub fn child(&self, key: &str) -> Option<&PathTree> {
        let index = self.search(key.as_bytes());
        index.ok().map(|index| &self.children[index].1)
    }

    /// The node of an element of a list: of this one, or of every one.
    pub fn element(&self, number: usize) -> Option<&PathTree> {
        self.child(&format!("[{number}]")).or_else(|| self.child("[]"))
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
            let Some(child) = self.child(&key_text(key)) else {
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
