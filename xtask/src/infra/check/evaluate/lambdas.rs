//! Functions that take a lambda expression.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::super::expression::Expression;
use super::error::{Evaluated, invalid};
use super::late;
use super::locals::Locals;

/// Evaluates an expression where it stands.
pub trait Evaluator {
    fn evaluate(&self, expression: &Expression, locals: &Locals) -> Evaluated;
}

/// A call of a function that takes a lambda expression, and where it stands.
pub struct LambdaCall<'c, E> {
    pub name: &'c str,
    pub evaluator: &'c E,
    pub locals: &'c Locals,
}

/// `lambda('a', 'b', body)`
struct Lambda<'e> {
    variables: Vec<&'e str>,
    body: &'e Expression,
}

impl<'e> Lambda<'e> {
    fn read(expression: &'e Expression) -> Evaluated<Self> {
        let parts = expression.call_of("lambda").and_then(<[Expression]>::split_last);
        let Some((body, variables)) = parts else {
            return invalid(format!("{expression} is no lambda expression"));
        };
        let variables: Option<Vec<&str>> = variables.iter().map(Expression::text).collect();
        match variables {
            Some(variables) => Ok(Self { variables, body }),
            None => invalid(format!("the variables of {expression} have no names")),
        }
    }
}

impl<E: Evaluator> LambdaCall<'_, E> {
    /// Each calls its lambda expression with an element, and where that has a second variable, with the index too.
    pub fn evaluate(&self, arguments: &[Expression]) -> Evaluated {
        let name = self.name;
        let [over, rest @ ..] = arguments else {
            return invalid(format!("{name}() has no arguments"));
        };
        let over = self.evaluator.evaluate(over, self.locals)?;
        if late::text(&over).is_some() {
            let rest = rest.iter().map(|argument| late::of(argument.to_string()));
            let all: Vec<Value> = std::iter::once(over).chain(rest).collect();
            return Ok(late::call(name, &all));
        }
        if name.eq_ignore_ascii_case("mapValues") {
            return self.mapped_members(&over, rest);
        }
        let Value::Array(elements) = over else {
            return invalid(format!("{name}() takes an array"));
        };
        match name.to_lowercase().as_str() {
            "map" => self.mapped(&elements, rest)?.into_iter().collect(),
            "filter" => self.filtered(elements, rest),
            "reduce" => self.reduced(&elements, rest),
            "sort" => self.sorted(elements, rest),
            _ => self.to_object(&elements, rest),
        }
    }

    fn apply(&self, lambda: &Expression, values: &[Value]) -> Evaluated {
        let lambda = Lambda::read(lambda)?;
        let named = lambda.variables.iter().zip(values);
        let inside = named.fold(self.locals.clone(), |inside, (name, value)| {
            inside.with_variable(name, value.clone())
        });
        self.evaluator.evaluate(lambda.body, &inside)
    }

    fn mapped(&self, elements: &[Value], rest: &[Expression]) -> Evaluated<Vec<Evaluated>> {
        let [lambda] = rest else {
            return invalid("map() and filter() take a lambda expression");
        };
        let elements = elements.iter().enumerate();
        Ok(elements
            .map(|(position, element)| self.apply(lambda, &[element.clone(), json!(position)]))
            .collect())
    }

    fn mapped_members(&self, of: &Value, rest: &[Expression]) -> Evaluated {
        let ([lambda], Value::Object(members)) = (rest, of) else {
            return invalid("mapValues() takes an object and a lambda expression");
        };
        let members = members
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.apply(lambda, std::slice::from_ref(value))?)));
        Ok(members.collect::<Evaluated<Map<_, _>>>()?.into())
    }

    fn filtered(&self, elements: Vec<Value>, rest: &[Expression]) -> Evaluated {
        let wanted = self.mapped(&elements, rest)?;
        let mut kept = Vec::new();
        for (element, wanted) in elements.into_iter().zip(wanted) {
            match wanted? {
                Value::Bool(true) => kept.push(element),
                Value::Bool(false) => {}
                other => return invalid(format!("filter() got {}", late::plain(&other))),
            }
        }
        Ok(kept.into())
    }

    fn reduced(&self, elements: &[Value], rest: &[Expression]) -> Evaluated {
        let [initial, lambda] = rest else {
            return invalid("reduce() takes an array, an initial value and a lambda expression");
        };
        let mut reduced = self.evaluator.evaluate(initial, self.locals)?;
        for (position, element) in elements.iter().enumerate() {
            reduced = self.apply(lambda, &[reduced, element.clone(), json!(position)])?;
        }
        Ok(reduced)
    }

    fn sorted(&self, mut elements: Vec<Value>, rest: &[Expression]) -> Evaluated {
        let [lambda] = rest else {
            return invalid("sort() takes an array and a lambda expression");
        };
        let mut failed = None;
        elements.sort_by(|first, second| {
            let comes_first = |first: &Value, second: &Value| self.apply(lambda, &[first.clone(), second.clone()]);
            match (comes_first(first, second), comes_first(second, first)) {
                (Ok(Value::Bool(true)), _) => Ordering::Less,
                (_, Ok(Value::Bool(true))) => Ordering::Greater,
                (Err(error), _) | (_, Err(error)) => {
                    failed = Some(error);
                    Ordering::Equal
                }
                _ => Ordering::Equal,
            }
        });
        failed.map_or(Ok(elements.into()), Err)
    }

    fn to_object(&self, elements: &[Value], rest: &[Expression]) -> Evaluated {
        let Some(key) = rest.first() else {
            return invalid("toObject() takes an array and a lambda expression");
        };
        let mut made = Map::new();
        for element in elements {
            let argument = [element.clone()];
            let Value::String(key) = self.apply(key, &argument)? else {
                return invalid("a key of toObject() is no text");
            };
            let value = match rest.get(1) {
                Some(value) => self.apply(value, &argument)?,
                None => element.clone(),
            };
            made.insert(key, value);
        }
        Ok(made.into())
    }
}
