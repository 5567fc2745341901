//! The language of `[...]` in templates and forms: calls, texts, numbers, properties and indexes.

use std::fmt;

use thiserror::Error;

/// An expression, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `'text'`, quotes undone.
    Text(String),
    /// `42`
    Number(i64),
    /// `concat('a', 'b')`
    Call { name: String, arguments: Vec<Expression> },
    /// `of.name`
    Property { of: Box<Expression>, name: String },
    /// `of[at]`
    Index { of: Box<Expression>, at: Box<Expression> },
}

/// Why a text is no expression.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{what} at character {at}")]
pub struct SyntaxError {
    what: String,
    at: usize,
}

/// The inside of a value that is an expression: it begins with one `[` and ends with `]`.
pub fn inside(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('[')?;
    if inner.starts_with('[') {
        return None;
    }
    inner.strip_suffix(']')
}

/// Reads what stands between the brackets.
pub fn parse(text: &str) -> Result<Expression, SyntaxError> {
    let mut parser = Parser { text, at: 0 };
    let expression = parser.expression()?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(parser.error("something follows the expression"));
    }
    Ok(expression)
}

impl Expression {
    /// Calls `visit` for this expression and everything in it.
    pub fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Expression)) {
        visit(self);
        match self {
            Self::Text(_) | Self::Number(_) => {}
            Self::Call { arguments, .. } => arguments.iter().for_each(|argument| argument.walk(visit)),
            Self::Property { of, .. } => of.walk(visit),
            Self::Index { of, at } => {
                of.walk(visit);
                at.walk(visit);
            }
        }
    }

    /// The arguments, if this is a call of `wanted`.
    pub fn call_of(&self, wanted: &str) -> Option<&[Expression]> {
        match self {
            Self::Call { name, arguments } if name.eq_ignore_ascii_case(wanted) => Some(arguments),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// As the one way of writing it, without blanks that mean nothing.
impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "'{}'", text.replace('\'', "''")),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Call { name, arguments } => {
                write!(formatter, "{name}(")?;
                for (position, argument) in arguments.iter().enumerate() {
                    let comma = if position == 0 { "" } else { ", " };
                    write!(formatter, "{comma}{argument}")?;
                }
                write!(formatter, ")")
            }
            Self::Property { of, name } => write!(formatter, "{of}.{name}"),
            Self::Index { of, at } => write!(formatter, "{of}[{at}]"),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn expression(&mut self) -> Result<Expression, SyntaxError> {
        self.skip_blanks();
        let mut expression = match self.peek() {
            Some('\'') => Expression::Text(self.quoted()?),
            Some(first) if first.is_ascii_digit() || first == '-' => self.number()?,
            Some(first) if is_name(first) => self.call()?,
            _ => return Err(self.error("a call, a text or a number is missing")),
        };
        loop {
            self.skip_blanks();
            if self.take('.') {
                let name = self.name()?.to_owned();
                let of = Box::new(expression);
                expression = Expression::Property { of, name };
            } else if self.take('[') {
                let at = Box::new(self.expression()?);
                self.expect(']')?;
                let of = Box::new(expression);
                expression = Expression::Index { of, at };
            } else {
                return Ok(expression);
            }
        }
    }

    fn call(&mut self) -> Result<Expression, SyntaxError> {
        let name = self.name()?.to_owned();
        self.skip_blanks();
        if !self.take('(') {
            return Err(self.error(&format!("( is missing after {name}")));
        }
        let mut arguments = Vec::new();
        self.skip_blanks();
        if self.take(')') {
            return Ok(Expression::Call { name, arguments });
        }
        loop {
            arguments.push(self.expression()?);
            self.skip_blanks();
            if self.take(')') {
                return Ok(Expression::Call { name, arguments });
            }
            self.expect(',')?;
        }
    }

    fn quoted(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(next) = self.peek() {
            self.at += next.len_utf8();
            if next != '\'' {
                text.push(next);
            } else if self.take('\'') {
                text.push('\'');
            } else {
                return Ok(text);
            }
        }
        self.at = start;
        Err(self.error("a text does not end"))
    }

    fn number(&mut self) -> Result<Expression, SyntaxError> {
        let digits = self.taken_while(|next| next.is_ascii_digit() || next == '-');
        let number = digits.parse();
        number
            .map(Expression::Number)
            .map_err(|_| self.error(&format!("{digits} is no number")))
    }

    fn name(&mut self) -> Result<&'t str, SyntaxError> {
        let name = self.taken_while(|next| is_name(next) || next.is_ascii_digit());
        if name.is_empty() {
            return Err(self.error("a name is missing"));
        }
        Ok(name)
    }

    fn taken_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or("");
        let end = rest.find(|next| !belongs(next)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn skip_blanks(&mut self) {
        self.taken_while(char::is_whitespace);
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.at += wanted.len_utf8();
        }
        is_there
    }

    fn expect(&mut self, wanted: char) -> Result<(), SyntaxError> {
        self.skip_blanks();
        if self.take(wanted) {
            return Ok(());
        }
        Err(self.error(&format!("{wanted} is missing")))
    }

    fn error(&self, what: &str) -> SyntaxError {
        SyntaxError {
            what: what.to_owned(),
            at: self.at + 1,
        }
    }
}

fn is_name(next: char) -> bool {
    next.is_ascii_alphabetic() || next == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_one_way_reads_back_the_same() {
        for text in [
            "parameters('a')",
            "split(parameters('id'), '/')[8]",
            "reference(resourceId('A/b', 'c'), '2020-01-01').outputs.x.value",
            "if(true(), 'it''s', -1)",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn blanks_mean_nothing() {
        assert_eq!(parse(" concat( 'a' ,'b' ) "), parse("concat('a', 'b')"));
    }

    #[test]
    fn what_is_no_expression_is_refused_with_the_place() {
        for (text, said) in [
            ("concat('a'", ", is missing at character 11"),
            ("concat('a)", "a text does not end at character 8"),
            ("parameters", "( is missing after parameters at character 11"),
            ("a('b') c('d')", "something follows the expression at character 8"),
            ("a('b',)", "a call, a text or a number is missing at character 7"),
            ("a('b').", "a name is missing at character 8"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), said, "{text}");
        }
    }

    #[test]
    fn only_a_value_in_single_brackets_is_an_expression() {
        assert_eq!(inside("[a()]"), Some("a()"));
        assert_eq!(inside("[[a()]"), None);
        assert_eq!(inside("[link](x)"), None);
        assert_eq!(inside("a()"), None);
    }
}
