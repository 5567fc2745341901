//! The functions that expressions may call, with how many arguments each takes.
//!
//! Template functions: learn.microsoft.com/azure/azure-resource-manager/templates/template-functions; of the portal form:
//! learn.microsoft.com/azure/azure-resource-manager/managed-applications/create-uidefinition-functions. Only those that
//! are used here or are likely to be.

use super::expression::Expression;

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arity {
    least: usize,
    /// None where there is no limit.
    most: Option<usize>,
}

impl Arity {
    const fn exactly(count: usize) -> Self {
        Self {
            least: count,
            most: Some(count),
        }
    }

    const fn between(least: usize, most: usize) -> Self {
        Self {
            least,
            most: Some(most),
        }
    }

    const fn at_least(least: usize) -> Self {
        Self { least, most: None }
    }

    /// Whether a call may have that many.
    pub fn allows(self, count: usize) -> bool {
        count >= self.least && self.most.is_none_or(|most| count <= most)
    }
}

/// What expressions may call in one kind of file.
#[derive(Debug)]
pub struct Language {
    files: &'static str,
    functions: &'static [(&'static str, Arity)],
}

impl Language {
    /// What is wrong with a call: the name, or the number of arguments.
    pub fn call_problem(&self, part: &Expression) -> Option<String> {
        let Expression::Call { name, arguments } = part else {
            return None;
        };
        let Some(arity) = self.arity(name) else {
            return Some(format!("{name}() is no function of {}", self.files));
        };
        let count = arguments.len();
        (!arity.allows(count)).then(|| format!("{name}() does not take {count} arguments"))
    }

    /// Which number of arguments a function takes, if there is one of that name. Names do not depend on case.
    fn arity(&self, name: &str) -> Option<Arity> {
        let found = self
            .functions
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, arity)| *arity)
    }
}

/// In a deployment template.
pub const TEMPLATE: Language = Language {
    files: "templates",
    functions: IN_TEMPLATES,
};

/// In the portal form.
pub const FORM: Language = Language {
    files: "forms",
    functions: IN_FORMS,
};

const IN_TEMPLATES: &[(&str, Arity)] = &[
    ("add", Arity::exactly(2)),
    ("and", Arity::at_least(2)),
    ("array", Arity::exactly(1)),
    ("base64", Arity::exactly(1)),
    ("bool", Arity::exactly(1)),
    ("coalesce", Arity::at_least(1)),
    ("concat", Arity::at_least(1)),
    ("contains", Arity::exactly(2)),
    ("copyIndex", Arity::between(0, 2)),
    ("createArray", Arity::at_least(0)),
    ("createObject", Arity::at_least(0)),
    ("deployment", Arity::exactly(0)),
    ("div", Arity::exactly(2)),
    ("empty", Arity::exactly(1)),
    ("endsWith", Arity::exactly(2)),
    ("environment", Arity::exactly(0)),
    ("equals", Arity::exactly(2)),
    ("extensionResourceId", Arity::at_least(3)),
    ("fail", Arity::exactly(1)),
    ("false", Arity::exactly(0)),
    ("filter", Arity::exactly(2)),
    ("first", Arity::exactly(1)),
    ("flatten", Arity::exactly(1)),
    ("format", Arity::at_least(1)),
    ("greater", Arity::exactly(2)),
    ("greaterOrEquals", Arity::exactly(2)),
    ("guid", Arity::at_least(1)),
    ("if", Arity::exactly(3)),
    ("indexOf", Arity::exactly(2)),
    ("int", Arity::exactly(1)),
    ("intersection", Arity::at_least(2)),
    ("items", Arity::exactly(1)),
    ("join", Arity::exactly(2)),
    ("json", Arity::exactly(1)),
    ("lambda", Arity::at_least(2)),
    ("lambdaVariables", Arity::exactly(1)),
    ("last", Arity::exactly(1)),
    ("lastIndexOf", Arity::exactly(2)),
    ("length", Arity::exactly(1)),
    ("less", Arity::exactly(2)),
    ("lessOrEquals", Arity::exactly(2)),
    ("map", Arity::exactly(2)),
    ("mapValues", Arity::exactly(2)),
    ("max", Arity::at_least(1)),
    ("min", Arity::at_least(1)),
    ("mod", Arity::exactly(2)),
    ("mul", Arity::exactly(2)),
    ("not", Arity::exactly(1)),
    ("null", Arity::exactly(0)),
    ("objectKeys", Arity::exactly(1)),
    ("or", Arity::at_least(2)),
    ("padLeft", Arity::between(2, 3)),
    ("parameters", Arity::exactly(1)),
    ("range", Arity::exactly(2)),
    ("reduce", Arity::exactly(3)),
    ("reference", Arity::between(1, 3)),
    ("replace", Arity::exactly(3)),
    ("resourceGroup", Arity::exactly(0)),
    ("resourceId", Arity::at_least(2)),
    ("shallowMerge", Arity::exactly(1)),
    ("skip", Arity::exactly(2)),
    ("sort", Arity::exactly(2)),
    ("split", Arity::exactly(2)),
    ("startsWith", Arity::exactly(2)),
    ("string", Arity::exactly(1)),
    ("sub", Arity::exactly(2)),
    ("subscription", Arity::exactly(0)),
    ("subscriptionResourceId", Arity::at_least(2)),
    ("substring", Arity::between(2, 3)),
    ("take", Arity::exactly(2)),
    ("tenant", Arity::exactly(0)),
    ("tenantResourceId", Arity::at_least(2)),
    ("toLower", Arity::exactly(1)),
    ("toObject", Arity::between(2, 3)),
    ("toUpper", Arity::exactly(1)),
    ("trim", Arity::exactly(1)),
    ("true", Arity::exactly(0)),
    ("tryGet", Arity::at_least(2)),
    ("union", Arity::at_least(2)),
    ("uniqueString", Arity::at_least(1)),
    ("uri", Arity::exactly(2)),
    ("uriComponent", Arity::exactly(1)),
    ("variables", Arity::exactly(1)),
];

const IN_FORMS: &[(&str, Arity)] = &[
    ("and", Arity::at_least(2)),
    ("basics", Arity::exactly(1)),
    ("bool", Arity::exactly(1)),
    ("coalesce", Arity::at_least(1)),
    ("concat", Arity::at_least(1)),
    ("contains", Arity::exactly(2)),
    ("empty", Arity::exactly(1)),
    ("equals", Arity::exactly(2)),
    ("first", Arity::exactly(1)),
    ("if", Arity::exactly(3)),
    ("int", Arity::exactly(1)),
    ("length", Arity::exactly(1)),
    ("location", Arity::exactly(0)),
    ("not", Arity::exactly(1)),
    ("or", Arity::at_least(2)),
    ("parse", Arity::exactly(1)),
    ("resourceGroup", Arity::exactly(0)),
    ("steps", Arity::exactly(1)),
    ("string", Arity::exactly(1)),
    ("subscription", Arity::exactly(0)),
    ("toLower", Arity::exactly(1)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_arguments_is_bounded_on_both_sides() {
        let reference = TEMPLATE.arity("Reference").unwrap();
        assert_eq!(
            [0, 1, 3, 4].map(|count| reference.allows(count)),
            [false, true, true, false]
        );
        assert!(TEMPLATE.arity("concat").unwrap().allows(100));
        assert_eq!(TEMPLATE.arity("steps"), None);
    }
}
