//! Functions that depend on their arguments alone.

use serde_json::Value;

use super::call::Call;
use super::error::{Evaluated, invalid};
use super::{collections, late, numbers, texts};

/// The value of a function that depends on its arguments alone.
pub fn evaluate(call: &Call<'_>) -> Evaluated {
    let value = texts::call(call)
        .or_else(|| collections::call(call))
        .or_else(|| numbers::call(call))
        .or_else(|| logic(call));
    value.unwrap_or_else(|| invalid(format!("{}() is not implemented here", call.name)))
}

fn logic(call: &Call<'_>) -> Option<Evaluated> {
    Some(match call.lower {
        "and" => flags(call).map(|flags| flags.into_iter().all(|flag| flag).into()),
        "or" => flags(call).map(|flags| flags.into_iter().any(|flag| flag).into()),
        "not" => call.flag(0).map(|flag| (!flag).into()),
        "true" => Ok(true.into()),
        "false" => Ok(false.into()),
        "null" => Ok(Value::Null),
        "equals" => call.argument(0).and_then(|one| Ok((one == call.argument(1)?).into())),
        "coalesce" => {
            let found = call.arguments.iter().find(|argument| !argument.is_null());
            Ok(found.cloned().unwrap_or_default())
        }
        "bool" => bool(call),
        _ => return None,
    })
}

fn bool(call: &Call<'_>) -> Evaluated {
    match call.argument(0)? {
        Value::Bool(flag) => Ok((*flag).into()),
        Value::Number(number) => Ok((number.as_i64() != Some(0)).into()),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true.into()),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false.into()),
        _ => Err(call.wrong("a text that is true or false", 0)),
    }
}

fn flags(call: &Call<'_>) -> Evaluated<Vec<bool>> {
    // `and` and `or` are decided by one argument, whatever one that is not known yet will be.
    let known = (0..call.arguments.len()).filter(|position| late::text(&call.arguments[*position]).is_none());
    known.map(|position| call.flag(position)).collect()
}
