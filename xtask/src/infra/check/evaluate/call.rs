//! A call with its arguments evaluated.

use serde_json::{Map, Value};

use super::error::{Evaluated, EvaluationError, invalid};
use super::late;

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
    pub name: &'c str,
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
