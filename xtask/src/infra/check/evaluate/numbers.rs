//! Functions of numbers, and comparisons.

use serde_json::Value;

use super::call::Call;
use super::error::{Evaluated, invalid};

/// None: the function is not one of these.
pub fn call(call: &Call<'_>) -> Option<Evaluated> {
    Some(match call.lower {
        "add" | "sub" | "mul" | "div" | "mod" => arithmetic(call),
        "min" => extreme(call, Iterator::min),
        "max" => extreme(call, Iterator::max),
        "int" => int(call),
        "greater" | "greaterorequals" | "less" | "lessorequals" => comparison(call),
        _ => return None,
    })
}

fn arithmetic(call: &Call<'_>) -> Evaluated {
    let (one, other) = (call.number(0)?, call.number(1)?);
    let result = match call.lower {
        "add" => one.checked_add(other),
        "sub" => one.checked_sub(other),
        "mul" => one.checked_mul(other),
        "div" => one.checked_div(other),
        _ => one.checked_rem(other),
    };
    match result {
        Some(result) => Ok(result.into()),
        None => invalid(format!("{}({one}, {other}) has no result", call.lower)),
    }
}

fn extreme(call: &Call<'_>, pick: fn(std::vec::IntoIter<i64>) -> Option<i64>) -> Evaluated {
    let numbers = match call.arguments {
        [Value::Array(numbers)] => numbers.as_slice(),
        numbers => numbers,
    };
    let numbers: Option<Vec<i64>> = numbers.iter().map(Value::as_i64).collect();
    match numbers.and_then(|numbers| pick(numbers.into_iter())) {
        Some(found) => Ok(found.into()),
        None => Err(call.wrong("whole numbers", 0)),
    }
}

fn int(call: &Call<'_>) -> Evaluated {
    let number = match call.argument(0)? {
        Value::String(text) => text.parse().ok(),
        number => number.as_i64(),
    };
    number
        .map(Value::from)
        .ok_or_else(|| call.wrong("a text that is a whole number", 0))
}

fn comparison(call: &Call<'_>) -> Evaluated {
    let ordering = match (call.argument(0)?, call.argument(1)?) {
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => call.number(0)?.cmp(&call.number(1)?),
    };
    Ok(match call.lower {
        "greater" => ordering.is_gt(),
        "greaterorequals" => ordering.is_ge(),
        "less" => ordering.is_lt(),
        _ => ordering.is_le(),
    }
    .into())
}
