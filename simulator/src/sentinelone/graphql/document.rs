//! As much of the GraphQL language as a query of alerts needs: one query, variables, arguments, aliases. No
//! fragments, no directives, no mutations.

use std::collections::BTreeMap;

use graphql_parser::query::{self as syntax, Definition, OperationDefinition, Selection, SelectionSet, Type};
use serde_json::Value;

/// A parsed query.
#[derive(Debug, Default, PartialEq)]
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

/// The value of an argument.
#[derive(Debug, PartialEq)]
pub(super) enum Argument {
    Variable(String),
    Literal(Value),
}

impl Field {
    /// The key under which the field is answered.
    pub(super) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Document, String> {
        let document = syntax::parse_query::<String>(text).map_err(|error| error.to_string())?;
        let Ok([definition]) = <[_; 1]>::try_from(document.definitions) else {
            return Err("one query is expected".to_owned());
        };
        match definition {
            Definition::Operation(OperationDefinition::SelectionSet(selection)) => Ok(Document {
                selection: fields(selection)?,
                ..Document::default()
            }),
            Definition::Operation(OperationDefinition::Query(query)) if query.directives.is_empty() => Ok(Document {
                variables: declarations(query.variable_definitions)?,
                selection: fields(query.selection_set)?,
            }),
            _ => Err("only a plain query is understood here".to_owned()),
        }
    }
}

type Declaration<'a> = syntax::VariableDefinition<'a, String>;

fn declarations(declared: Vec<Declaration<'_>>) -> Result<BTreeMap<String, String>, String> {
    let of_one = |variable: Declaration<'_>| match variable.default_value {
        None => Ok((variable.name, named_type(variable.var_type))),
        Some(_) => Err("defaults of variables are not understood here".to_owned()),
    };
    declared.into_iter().map(of_one).collect()
}

fn named_type(of: Type<'_, String>) -> String {
    match of {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named_type(*inner),
    }
}

fn fields(selection: SelectionSet<'_, String>) -> Result<Vec<Field>, String> {
    let field = |selected| match selected {
        Selection::Field(field) if field.directives.is_empty() => Ok(Field {
            alias: field.alias,
            name: field.name,
            arguments: arguments(field.arguments)?,
            selection: fields(field.selection_set)?,
        }),
        _ => Err("fragments and directives are not understood here".to_owned()),
    };
    selection.items.into_iter().map(field).collect()
}

fn arguments(given: Vec<(String, syntax::Value<'_, String>)>) -> Result<Vec<(String, Argument)>, String> {
    let argument = |(name, value)| match value {
        syntax::Value::Variable(variable) => Ok((name, Argument::Variable(variable))),
        value => Ok((name, Argument::Literal(literal(value)?))),
    };
    given.into_iter().map(argument).collect()
}

/// The word of an enum becomes text.
fn literal(value: syntax::Value<'_, String>) -> Result<Value, String> {
    Ok(match value {
        syntax::Value::Variable(_) => return Err("a variable inside a value is not understood here".to_owned()),
        syntax::Value::Int(number) => number.as_i64().into(),
        syntax::Value::Float(number) => number.into(),
        syntax::Value::String(text) | syntax::Value::Enum(text) => text.into(),
        syntax::Value::Boolean(truth) => truth.into(),
        syntax::Value::Null => Value::Null,
        syntax::Value::List(elements) => elements.into_iter().map(literal).collect::<Result<_, _>>()?,
        syntax::Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| Ok((name, literal(value)?)));
            Value::Object(members.collect::<Result<_, String>>()?)
        }
    })
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
            "{ a @skip(if: true) }",
            "query ($a: Int = 1) { a }",
            "{ a(b) }",
            "{ a(b: [$c]) }",
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }
}
