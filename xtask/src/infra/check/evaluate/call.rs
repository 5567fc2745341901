//! A call with its arguments evaluated.

use serde_json::{Map, Value};

use super::{Evaluated, EvaluationError, collections, invalid, late, numbers, texts};

/// Functions that need to look into arrays and objects: they wait for everything in there.
const LOOK_INSIDE: [&str; 8] = [
    "contains",
    "equals",
    "guid",
    "indexof",
    "intersection",
    "join",
    "string",
    "uniquestring",
];
/// Functions that take what they get as it is.
const TAKE_ANYTHING: [&str; 3] = ["array", "createarray", "createobject"];

/// A call of a function.
pub struct Call<'c> {
    name: &'c str,
    /// Names of functions do not depend on case.
    pub lower: &'c str,
    pub arguments: &'c [Value],
}

impl<'c> Call<'c> {
    pub fn new(name: &'c str, lower: &'c str, arguments: &'c [Value]) -> Self {
        Self { name, lower, arguments }
    }

    /// The call itself, for later.
    pub fn late(&self) -> Value {
        late::call(self.name, self.arguments)
    }

    /// Whether the call has to wait for an argument that only Azure knows.
    pub fn has_late_argument(&self) -> bool {
        if TAKE_ANYTHING.contains(&self.lower) {
            return false;
        }
        if self.lower == "and" || self.lower == "or" {
            let decided = Value::Bool(self.lower == "or");
            return !self.arguments.contains(&decided) && self.arguments.iter().any(late::is_in);
        }
        if LOOK_INSIDE.contains(&self.lower) {
            return self.arguments.iter().any(late::is_in);
        }
        self.arguments.iter().any(|argument| late::text(argument).is_some())
    }

    /// The value of a function that depends on its arguments alone.
    pub fn evaluate(&self) -> Evaluated {
        let value = texts::call(self)
            .or_else(|| collections::call(self))
            .or_else(|| numbers::call(self))
            .or_else(|| self.logic());
        value.unwrap_or_else(|| invalid(format!("{}() is not implemented here", self.name)))
    }

    fn logic(&self) -> Option<Evaluated> {
        Some(match self.lower {
            "and" => self.flags().map(|flags| flags.into_iter().all(|flag| flag).into()),
            "or" => self.flags().map(|flags| flags.into_iter().any(|flag| flag).into()),
            "not" => self.flag(0).map(|flag| (!flag).into()),
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            "null" => Ok(Value::Null),
            "equals" => self.argument(0).and_then(|one| Ok((one == self.argument(1)?).into())),
            "coalesce" => {
                let found = self.arguments.iter().find(|argument| !argument.is_null());
                Ok(found.cloned().unwrap_or_default())
            }
            "bool" => self.bool(),
            _ => return None,
        })
    }

    fn bool(&self) -> Evaluated {
        match self.argument(0)? {
            Value::Bool(flag) => Ok((*flag).into()),
            Value::Number(number) => Ok((number.as_i64() != Some(0)).into()),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true.into()),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false.into()),
            _ => Err(self.wrong("a text that is true or false", 0)),
        }
    }

    fn flags(&self) -> Evaluated<Vec<bool>> {
        // `and` and `or` are decided by one argument, whatever one that is not known yet will be.
        let known = (0..self.arguments.len()).filter(|position| late::text(&self.arguments[*position]).is_none());
        known.map(|position| self.flag(position)).collect()
    }

    pub fn argument(&self, position: usize) -> Evaluated<&'c Value> {
        match self.arguments.get(position) {
            Some(argument) => Ok(argument),
            None => invalid(format!("{}() has no argument {}", self.name, position + 1)),
        }
    }

    pub fn text(&self, position: usize) -> Evaluated<&'c str> {
        let text = self.argument(position)?.as_str();
        text.ok_or_else(|| self.wrong("a text", position))
    }

    pub fn flag(&self, position: usize) -> Evaluated<bool> {
        let flag = self.argument(position)?.as_bool();
        flag.ok_or_else(|| self.wrong("true or false", position))
    }

    pub fn number(&self, position: usize) -> Evaluated<i64> {
        let number = self.argument(position)?.as_i64();
        number.ok_or_else(|| self.wrong("a whole number", position))
    }

    /// A number that counts something.
    pub fn count(&self, position: usize) -> Evaluated<usize> {
        Ok(usize::try_from(self.number(position)?).unwrap_or_default())
    }

    pub fn array(&self, position: usize) -> Evaluated<&'c Vec<Value>> {
        let array = self.argument(position)?.as_array();
        array.ok_or_else(|| self.wrong("an array", position))
    }

    pub fn object(&self, position: usize) -> Evaluated<&'c Map<String, Value>> {
        let object = self.argument(position)?.as_object();
        object.ok_or_else(|| self.wrong("an object", position))
    }

    pub fn wrong(&self, wanted: &str, position: usize) -> EvaluationError {
        let given = self.arguments.get(position).map(late::written).unwrap_or_default();
        EvaluationError::Invalid(format!("{}() wants {wanted} and got {given}", self.name))
    }
}
