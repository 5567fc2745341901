//! Reads Bicep parameter files, as far as the scenarios use them: `using` and `param`, whose values are texts, whole
//! numbers, `true`, `false`, `null`, arrays and objects. No expressions. Syntax:
//! learn.microsoft.com/azure/azure-resource-manager/bicep/parameter-files

use serde_json::{Map, Value};
use thiserror::Error;

/// What a parameter file says.
#[derive(Debug, PartialEq)]
pub struct ParameterFile {
    /// The template, relative to the file.
    pub template: String,
    pub parameters: Map<String, Value>,
}

/// Why a text is no such file.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{what} in line {line}")]
pub struct ParameterFileError {
    what: String,
    line: usize,
}

type Parsed<T> = Result<T, ParameterFileError>;

impl ParameterFile {
    /// Reads the text of a file.
    pub fn parse(text: &str) -> Parsed<Self> {
        let mut parser = ParameterParser { text, at: 0 };
        let mut template = None;
        let mut parameters = Map::new();
        loop {
            parser.skip_blanks();
            match parser.word() {
                "" if parser.at == text.len() => break,
                "using" => template = Some(parser.text_value()?),
                "param" => {
                    let name = parser.name()?;
                    parser.expect('=')?;
                    parameters.insert(name, parser.value()?);
                }
                other => return Err(parser.error(&format!("'{other}' is neither using nor param"))),
            }
        }
        match template {
            Some(template) => Ok(Self { template, parameters }),
            None => Err(parser.error("using is missing")),
        }
    }
}

struct ParameterParser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> ParameterParser<'t> {
    fn value(&mut self) -> Parsed<Value> {
        self.skip_blanks();
        match self.peek() {
            Some('\'') => Ok(self.quoted()?.into()),
            Some('[') => self.array(),
            Some('{') => self.object(),
            Some(first) if first.is_ascii_digit() || first == '-' => self.number(),
            _ => match self.word() {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                "null" => Ok(Value::Null),
                other => Err(self.error(&format!("'{other}' is no value"))),
            },
        }
    }

    /// Elements stand in lines of their own, or between commas.
    fn array(&mut self) -> Parsed<Value> {
        self.expect('[')?;
        let mut elements = Vec::new();
        while !self.takes(']') {
            elements.push(self.value()?);
            self.takes(',');
        }
        Ok(elements.into())
    }

    fn object(&mut self) -> Parsed<Value> {
        self.expect('{')?;
        let mut members = Map::new();
        while !self.takes('}') {
            let name = if self.peek() == Some('\'') {
                self.quoted()?
            } else {
                self.name()?
            };
            self.expect(':')?;
            members.insert(name, self.value()?);
            self.takes(',');
        }
        Ok(members.into())
    }

    fn number(&mut self) -> Parsed<Value> {
        let digits = self.while_(|next| next.is_ascii_digit() || next == '-');
        let number: Result<i64, _> = digits.parse();
        number
            .map(Value::from)
            .map_err(|_| self.error(&format!("{digits} is no number")))
    }

    fn text_value(&mut self) -> Parsed<String> {
        self.skip_blanks();
        self.quoted()
    }

    fn quoted(&mut self) -> Parsed<String> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with("'''")) {
            return Err(self.error("a text of several lines is not read here"));
        }
        self.expect('\'')?;
        let mut text = String::new();
        while let Some(next) = self.next() {
            match next {
                '\'' => return Ok(text),
                '\n' => break,
                '$' if self.peek() == Some('{') => return Err(self.error("an expression in a text is not read here")),
                '\\' => text.push(self.escaped()?),
                other => text.push(other),
            }
        }
        Err(self.error("a text does not end"))
    }

    fn escaped(&mut self) -> Parsed<char> {
        match self.next() {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some(same @ ('\\' | '\'' | '$')) => Ok(same),
            _ => Err(self.error("an unknown character follows \\")),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        self.skip_blanks();
        match self.word() {
            "" => Err(self.error("a name is missing")),
            name => Ok(name.to_owned()),
        }
    }

    fn word(&mut self) -> &'t str {
        self.while_(|next| next.is_ascii_alphanumeric() || next == '_')
    }

    fn expect(&mut self, wanted: char) -> Parsed<()> {
        if self.takes(wanted) {
            return Ok(());
        }
        Err(self.error(&format!("{wanted} is missing")))
    }

    /// Skips blanks, then the character and the blanks behind it, if it is there.
    fn takes(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.at += wanted.len_utf8();
            if wanted != '\'' {
                self.skip_blanks();
            }
        }
        is_there
    }

    /// Blanks, line ends and comments.
    fn skip_blanks(&mut self) {
        loop {
            self.while_(char::is_whitespace);
            let rest = self.text.get(self.at..).unwrap_or_default();
            let comment = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return;
            };
            self.at += comment;
        }
    }

    fn while_(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|next| !belongs(next)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn error(&self, what: &str) -> ParameterFileError {
        let before = self.text.get(..self.at).unwrap_or_default();
        ParameterFileError {
            what: what.to_owned(),
            line: before.matches('\n').count() + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let text = "// First.\nusing '../azuredeploy.json'\n\n/* two\nlines */\nparam text = 'it\\'s \\\\ \\${x}' // end\n\
                    param number = -3\nparam flag = true\nparam none = null\nparam empty = []\n\
                    param array = [\n  'a'\n  'b' // c\n]\nparam inline = ['a', 1]\n\
                    param object = {\n  key: 'v'\n  'a-b': {x: false}\n}\n";
        let read = ParameterFile::parse(text).unwrap();
        assert_eq!(read.template, "../azuredeploy.json");
        assert_eq!(
            Value::from(read.parameters),
            json!({
                "text": "it's \\ ${x}",
                "number": -3,
                "flag": true,
                "none": null,
                "empty": [],
                "array": ["a", "b"],
                "inline": ["a", 1],
                "object": {"key": "v", "a-b": {"x": false}},
            })
        );
    }

    #[test]
    fn what_is_not_read_is_refused_with_its_line() {
        for (text, said) in [
            ("param a = 'x'\n", "using is missing in line 2"),
            ("using 'x'\nvar a = 1", "'var' is neither using nor param in line 2"),
            (
                "using 'x'\nparam a = '${b}'",
                "an expression in a text is not read here in line 2",
            ),
            ("using 'x'\nparam a = toLower('b')", "'toLower' is no value in line 2"),
            (
                "using 'x'\nparam a = '''b'''",
                "a text of several lines is not read here in line 2",
            ),
            ("using 'x'\nparam a = 'b\n", "a text does not end in line 3"),
            ("using 'x'\nparam = 1", "a name is missing in line 2"),
            ("using 'x'\nparam a 1", "= is missing in line 2"),
        ] {
            assert_eq!(ParameterFile::parse(text).unwrap_err().to_string(), said, "{text}");
        }
    }
}
