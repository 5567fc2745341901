//! A position in JSON text that moves over whole values.

/// What a JSON value is, told by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{...}`
    Object,
    /// `[...]`
    Array,
    /// `"..."`
    String,
    /// digits
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

/// The kind of a JSON value; leading whitespace is passed over.
pub fn kind(value: &str) -> Kind {
    match value.trim_ascii_start().as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// The members of an object as (key between its quotes, still escaped; value). Empty for anything else.
pub fn members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut cursor = Cursor::new(object);
    let entered = cursor.enter(b'{');
    std::iter::from_fn(move || {
        if !entered {
            return None;
        }
        let key = cursor.next_key()?;
        Some((key, cursor.value()?))
    })
}

/// The elements of an array. None for anything else.
pub fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut cursor = Cursor::new(array);
    let entered = cursor.enter(b'[');
    std::iter::from_fn(move || (entered && cursor.next_element()).then(|| cursor.value()).flatten())
}

/// Walks JSON text that is known to be valid. On text that is not, it stops early; it never panics.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts before the first value of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not whitespace, without moving past it.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Moves past `open` (`{` or `[`) if that is what comes next.
    pub fn enter(&mut self, open: u8) -> bool {
        if self.peek() != Some(open) {
            return false;
        }
        self.at += 1;
        true
    }

    /// Inside an object: the next key (between its quotes, still escaped), leaving the cursor before the value.
    /// `None` moves past the closing brace.
    pub fn next_key(&mut self) -> Option<&'a str> {
        if self.peek()? == b',' {
            self.at += 1;
        }
        if self.peek()? != b'"' {
            self.at += 1;
            return None;
        }
        let quoted = self.value()?;
        if self.peek()? == b':' {
            self.at += 1;
        }
        quoted.get(1..quoted.len().checked_sub(1)?)
    }

    /// Inside an array: true when another element follows, leaving the cursor before it.
    /// False moves past the closing bracket.
    pub fn next_element(&mut self) -> bool {
        if self.peek() == Some(b',') {
            self.at += 1;
        }
        match self.peek() {
            None => false,
            Some(b']') => {
                self.at += 1;
                false
            }
            Some(_) => true,
        }
    }

    /// The next whole value, and the cursor behind it.
    pub fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => self.pass_string()?,
            b'{' | b'[' => self.pass_container()?,
            _ => self.pass_scalar(),
        }
        self.text.get(start..self.at)
    }

    /// The text between two positions that [`Cursor::position`] gave.
    pub fn between(&self, from: usize, to: usize) -> Option<&'a str> {
        self.text.get(from..to)
    }

    /// Where the cursor stands, in bytes.
    pub fn position(&self) -> usize {
        self.at
    }

    fn pass_string(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Some(());
            }
            at += 2;
        }
    }

    fn pass_container(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        loop {
            match *bytes.get(self.at)? {
                b'"' => {
                    self.pass_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn pass_scalar(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))
            .unwrap_or(rest.len());
        self.at += length.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_come_with_their_raw_keys_and_whole_values() {
        let text = r#" { "a" : [1, {"b":"}]"}] , "c\"d":"x\\", "e":null,"f":-1.5e3 } "#;
        let found: Vec<_> = members(text).collect();
        let expected = [
            ("a", r#"[1, {"b":"}]"}]"#),
            (r#"c\"d"#, r#""x\\""#),
            ("e", "null"),
            ("f", "-1.5e3"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn elements_come_whole_and_only_from_an_array() {
        let text = r#" [ {"a":[1,2]} ,[], "]" ,null,-1.5e3 ] [7]"#;
        let found: Vec<_> = elements(text).collect();
        assert_eq!(found, [r#"{"a":[1,2]}"#, "[]", r#""]""#, "null", "-1.5e3"]);
        // Nothing is read ahead.
        assert_eq!(elements("[1,2,{").take(2).collect::<Vec<_>>(), ["1", "2"]);
        for text in ["{}", "1", "\"a\"", "", "  ", "[]"] {
            assert_eq!(elements(text).count(), 0, "{text}");
        }
    }

    #[test]
    fn what_is_not_an_object_has_no_members() {
        for text in ["[]", "1", "\"a\"", "", "  ", "{}"] {
            assert_eq!(members(text).count(), 0, "{text}");
        }
    }

    #[test]
    fn elements_are_found_one_by_one() {
        let mut cursor = Cursor::new("[1,[2,3], {\"a\":4}]");
        assert!(cursor.enter(b'['));
        let mut found = Vec::new();
        while cursor.next_element() {
            found.extend(cursor.value());
        }
        assert_eq!(found, ["1", "[2,3]", "{\"a\":4}"]);
    }

    proptest! {
        #[test]
        fn text_of_any_kind_ends_without_a_panic(text in r#"[\{\}\[\]",:\\a0 é]{0,40}"#) {
            let mut cursor = Cursor::new(&text);
            let _ = cursor.value();
            prop_assert!(members(&text).count() <= text.len());
        }
    }
}
