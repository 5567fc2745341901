//! Functions of arrays and objects, and those that take a text as well.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::{Evaluated, invalid};
use super::texts;

/// None: the function is not one of these.
pub fn call(call: &Call<'_>) -> Option<Evaluated> {
    Some(match call.lower {
        "array" => call.argument(0).map(|value| match value {
            Value::Array(_) => value.clone(),
            other => json!([other]),
        }),
        "createarray" => Ok(call.arguments.to_vec().into()),
        "createobject" => create_object(call),
        "concat" => concat(call),
        "contains" => contains(call),
        "empty" => length(call).map(|length| (length == 0).into()),
        "length" => length(call).map(Value::from),
        "first" => call.argument(0).map(|of| end(of, false)),
        "last" => call.argument(0).map(|of| end(of, true)),
        "flatten" => call.array(0).map(|arrays| {
            let elements = arrays
                .iter()
                .flat_map(|array| array.as_array().cloned().unwrap_or_default());
            elements.collect()
        }),
        "indexof" => position(call, false),
        "lastindexof" => position(call, true),
        "intersection" => intersection(call),
        "items" => call.object(0).map(|members| {
            let items = members.iter().map(|(key, value)| json!({"key": key, "value": value}));
            items.collect()
        }),
        "objectkeys" => call
            .object(0)
            .map(|members| members.keys().cloned().map(Value::from).collect()),
        "range" => range(call),
        "skip" => part(call, |elements, count| elements.into_iter().skip(count).collect()),
        "take" => part(call, |elements, count| elements.into_iter().take(count).collect()),
        "shallowmerge" => shallow_merge(call),
        "tryget" => try_get(call),
        "union" => union(call),
        _ => return None,
    })
}

fn create_object(call: &Call<'_>) -> Evaluated {
    let mut made = Map::new();
    for (position, pair) in call.arguments.chunks(2).enumerate() {
        let [Value::String(name), value] = pair else {
            return Err(call.wrong("a name and a value", position * 2));
        };
        made.insert(name.clone(), value.clone());
    }
    Ok(made.into())
}

fn concat(call: &Call<'_>) -> Evaluated {
    if !call.argument(0)?.is_array() {
        return texts::concatenated(call);
    }
    let arrays: Evaluated<Vec<_>> = (0..call.arguments.len()).map(|position| call.array(position)).collect();
    Ok(arrays?.into_iter().flatten().cloned().collect())
}

/// Of a text, a part of it, with regard to case; of an object, a key, without.
fn contains(call: &Call<'_>) -> Evaluated {
    Ok(match call.argument(0)? {
        Value::Array(elements) => elements.contains(call.argument(1)?),
        Value::Object(members) => {
            let wanted = call.text(1)?;
            members.keys().any(|key| key.eq_ignore_ascii_case(wanted))
        }
        Value::Null => false,
        _ => call.text(0)?.contains(call.text(1)?),
    }
    .into())
}

fn length(call: &Call<'_>) -> Evaluated<usize> {
    Ok(match call.argument(0)? {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        Value::Null => 0,
        _ => call.text(0)?.chars().count(),
    })
}

fn end(of: &Value, last: bool) -> Value {
    match of {
        Value::Array(elements) if last => elements.last().cloned().unwrap_or_default(),
        Value::Array(elements) => elements.first().cloned().unwrap_or_default(),
        text => {
            let mut characters = text.as_str().unwrap_or_default().chars();
            let character = if last {
                characters.next_back()
            } else {
                characters.next()
            };
            character.map(String::from).unwrap_or_default().into()
        }
    }
}

/// Of an element, or of a part of a text without regard to case; -1 where it is not there.
fn position(call: &Call<'_>, last: bool) -> Evaluated {
    let position = match call.argument(0)? {
        Value::Array(elements) => {
            let wanted = call.argument(1)?;
            let mut positions = elements.iter().enumerate().filter(|(_, element)| *element == wanted);
            let found = if last { positions.next_back() } else { positions.next() };
            found.map(|(position, _)| position)
        }
        _ => {
            let (text, wanted) = (call.text(0)?.to_lowercase(), call.text(1)?.to_lowercase());
            let byte = if last { text.rfind(&wanted) } else { text.find(&wanted) };
            byte.and_then(|byte| text.get(..byte))
                .map(|before| before.chars().count())
        }
    };
    Ok(position.map_or(json!(-1), |position| json!(position)))
}

/// Elements that all arrays have, or members that all objects have with the same value.
fn intersection(call: &Call<'_>) -> Evaluated {
    let others = call.arguments.get(1..).unwrap_or_default();
    match call.argument(0)? {
        Value::Object(members) => {
            let common = members
                .iter()
                .filter(|(name, value)| others.iter().all(|other| other.get(name.as_str()) == Some(value)));
            Ok(common
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect::<Map<_, _>>()
                .into())
        }
        _ => {
            let in_all = |element: &&Value| {
                let mut arrays = others.iter().map(|other| other.as_array());
                arrays.all(|array| array.is_some_and(|array| array.contains(element)))
            };
            Ok(call.array(0)?.iter().filter(in_all).cloned().collect())
        }
    }
}

fn range(call: &Call<'_>) -> Evaluated {
    let (start, count) = (call.number(0)?, call.number(1)?);
    if !(0..=10_000).contains(&count) {
        return invalid(format!("range({start}, {count}): the count must be 0 to 10000"));
    }
    Ok((start..start + count).map(Value::from).collect())
}

fn part(call: &Call<'_>, pick: fn(Vec<Value>, usize) -> Vec<Value>) -> Evaluated {
    let count = call.count(1)?;
    if let Value::Array(elements) = call.argument(0)? {
        return Ok(pick(elements.clone(), count).into());
    }
    let characters = call.text(0)?.chars().map(|character| character.to_string().into());
    let kept = pick(characters.collect(), count);
    Ok(kept.iter().filter_map(Value::as_str).collect::<String>().into())
}

fn shallow_merge(call: &Call<'_>) -> Evaluated {
    let objects = call.array(0)?.iter().filter_map(Value::as_object);
    let members = objects.flatten().map(|(name, value)| (name.clone(), value.clone()));
    Ok(members.collect::<Map<_, _>>().into())
}

/// Through members and elements one after the other; null where one is not there.
fn try_get(call: &Call<'_>) -> Evaluated {
    let mut found = call.argument(0)?;
    for step in call.arguments.iter().skip(1) {
        let next = match (found, step) {
            (Value::Object(members), Value::String(name)) => members.get(name),
            (Value::Array(elements), Value::Number(at)) => {
                let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
                at.and_then(|at| elements.get(at))
            }
            _ => None,
        };
        let Some(next) = next else {
            return Ok(Value::Null);
        };
        found = next;
    }
    Ok(found.clone())
}

/// Every element once; of objects, the later member wins, and members that are objects are joined in the same way.
fn union(call: &Call<'_>) -> Evaluated {
    if call.argument(0)?.is_array() {
        let mut joined: Vec<Value> = Vec::new();
        for position in 0..call.arguments.len() {
            let new = call.array(position)?.iter();
            let new: Vec<Value> = new.filter(|element| !joined.contains(element)).cloned().collect();
            joined.extend(new);
        }
        return Ok(joined.into());
    }
    let mut joined = Value::Object(call.object(0)?.clone());
    for position in 1..call.arguments.len() {
        joined = merged(joined, call.object(position)?.clone().into());
    }
    Ok(joined)
}

fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut members), Value::Object(others)) => {
            for (name, value) in others {
                let old = members.remove(&name).unwrap_or_default();
                members.insert(name, merged(old, value));
            }
            members.into()
        }
        (_, other) => other,
    }
}
