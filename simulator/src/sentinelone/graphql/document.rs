//! As much of the GraphQL language as a query of alerts needs: one query, variables, arguments, aliases. No
//! fragments, no directives, no mutations.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A parsed query.
#[derive(Debug, PartialEq)]
pub(super) struct Document {
    /// The type of each declared variable, without brackets and exclamation marks.
    pub(super) variables: BTreeMap<String, String>,
    pub(super) selection: Vec<Field>,
}

/// A selected field.
#[derive(Debug, PartialEq)]
pub(super) struct Field {
    alias: Option<String>,
    pub(super) name: String,
    pub(super) arguments: Vec<(String, Argument)>,
    pub(super) selection: Vec<Field>,
}

impl Field {
    /// The key under which the field is answered.
    pub(super) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// The value of an argument.
#[derive(Debug, PartialEq)]
pub(super) enum Argument {
    Variable(String),
    Literal(Value),
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Document, String> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            place: 0,
        };
        let mut variables = BTreeMap::new();
        if parser.take("query") {
            if parser.peek() != Some("(") && parser.peek() != Some("{") {
                parser.name()?;
            }
            if parser.take("(") {
                variables = parser.declarations()?;
            }
        }
        let selection = parser.selection()?;
        match parser.peek() {
            None => Ok(Document { variables, selection }),
            Some(token) => Err(format!("{token} stands after the query")),
        }
    }
}

/// Names and numbers, text in its quotes, and single signs; commas are blanks.
fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(&letter) = letters.peek() {
        if letter.is_whitespace() || letter == ',' || letter == '\u{feff}' {
            letters.next();
        } else if letter == '#' {
            while letters.next().is_some_and(|letter| letter != '\n') {}
        } else if letter == '"' {
            let mut quoted = String::new();
            let mut escaped = false;
            for letter in letters.by_ref() {
                quoted.push(letter);
                if letter == '"' && !escaped && quoted.len() > 1 {
                    break;
                }
                escaped = letter == '\\' && !escaped;
            }
            tokens.push(quoted);
        } else if is_word(letter) {
            let mut word = String::new();
            while let Some(&next) = letters.peek().filter(|next| is_word(**next)) {
                word.push(next);
                letters.next();
            }
            tokens.push(word);
        } else if "{}()[]:$!=".contains(letter) {
            tokens.push(letter.to_string());
            letters.next();
        } else {
            return Err(format!("{letter} is not understood here"));
        }
    }
    Ok(tokens)
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'
}

struct Parser {
    tokens: Vec<String>,
    place: usize,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.place).map(String::as_str)
    }

    fn next(&mut self) -> Result<String, String> {
        let token = self.tokens.get(self.place).cloned();
        self.place += 1;
        token.ok_or_else(|| "the query ends too early".to_owned())
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        match self.next()? {
            found if found == token => Ok(()),
            found => Err(format!("{token} is expected where {found} stands")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let name = self.next()?;
        if name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
            Ok(name)
        } else {
            Err(format!("a name is expected where {name} stands"))
        }
    }

    /// `$name: [Type!]! = value`, up to the closing bracket.
    fn declarations(&mut self) -> Result<BTreeMap<String, String>, String> {
        let mut variables = BTreeMap::new();
        while !self.take(")") {
            self.expect("$")?;
            let name = self.name()?;
            self.expect(":")?;
            while self.take("[") {}
            let kind = self.name()?;
            while self.take("]") || self.take("!") {}
            if self.take("=") {
                return Err("defaults of variables are not understood here".to_owned());
            }
            variables.insert(name, kind);
        }
        Ok(variables)
    }

    fn selection(&mut self) -> Result<Vec<Field>, String> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.take("}") {
            let first = self.name()?;
            let (alias, name) = if self.take(":") {
                (Some(first), self.name()?)
            } else {
                (None, first)
            };
            let arguments = if self.take("(") { self.arguments()? } else { Vec::new() };
            let selection = if self.peek() == Some("{") {
                self.selection()?
            } else {
                Vec::new()
            };
            fields.push(Field {
                alias,
                name,
                arguments,
                selection,
            });
        }
        if fields.is_empty() {
            return Err("a selection is empty".to_owned());
        }
        Ok(fields)
    }

    fn arguments(&mut self) -> Result<Vec<(String, Argument)>, String> {
        let mut arguments = Vec::new();
        while !self.take(")") {
            let name = self.name()?;
            self.expect(":")?;
            let argument = if self.take("$") {
                Argument::Variable(self.name()?)
            } else {
                Argument::Literal(self.value()?)
            };
            arguments.push((name, argument));
        }
        Ok(arguments)
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.take("[") {
            let mut elements = Vec::new();
            while !self.take("]") {
                elements.push(self.value()?);
            }
            return Ok(Value::from(elements));
        }
        if self.take("{") {
            let mut object = Map::new();
            while !self.take("}") {
                let name = self.name()?;
                self.expect(":")?;
                object.insert(name, self.value()?);
            }
            return Ok(Value::Object(object));
        }
        let word = self.next()?;
        // Text, numbers, truth values and null are written as in JSON; anything else is the word of an enum.
        Ok(serde_json::from_str(&word).unwrap_or(Value::String(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_is_read_with_variables_arguments_and_aliases() {
        let text = r#"query Q($first: Int!, $filters: [FilterInput!]) { # all of them
            found: alerts(first: $first, sort: {by: "updatedAt", order: ASC}) { edges { node { id, name } } }
        }"#;

        let document = Document::parse(text).expect("a good query");

        assert_eq!(document.variables["filters"], "FilterInput");
        let field = &document.selection[0];
        assert_eq!((field.key(), field.name.as_str()), ("found", "alerts"));
        let sort = Argument::Literal(json!({"by": "updatedAt", "order": "ASC"}));
        assert_eq!(field.arguments[0].1, Argument::Variable("first".to_owned()));
        assert_eq!(field.arguments[1], ("sort".to_owned(), sort));
        assert_eq!(field.selection[0].selection[0].selection.len(), 2);
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for text in [
            "",
            "{",
            "{}",
            "{ a } }",
            "mutation { a }",
            "{ ...parts }",
            "query ($a: Int = 1) { a }",
            "{ a(b) }",
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }
}
