//! What an expression becomes at its longest: parameters as long as they may be, and every result of `uniqueString`
//! and `guid` at its full length.

use std::collections::BTreeMap;

use serde_json::Value;

use super::expression::{self, Expression};

/// Stands for a part of which the template does not say how long it may be.
pub const UNLIMITED: char = '*';

/// A template, and what the template around it hands in.
pub struct Scope<'t> {
    template: &'t Value,
    outer: Option<(&'t Scope<'t>, &'t Value)>,
    /// What parameters that are true or false are taken to be.
    assumed: BTreeMap<&'t str, bool>,
}

impl<'t> Scope<'t> {
    /// Of a template that is deployed by itself.
    pub fn of_whole(template: &'t Value) -> Self {
        Self {
            template,
            outer: None,
            assumed: BTreeMap::new(),
        }
    }

    /// The same where a parameter is true, or false: of `if` over it there is then one branch.
    pub fn assuming(mut self, parameter: &'t str, value: bool) -> Self {
        self.assumed.insert(parameter, value);
        self
    }

    /// Of the template inside a deployment.
    pub fn inside(&'t self, deployment: &'t Value) -> Self {
        let properties = &deployment["properties"];
        Self {
            template: &properties["template"],
            outer: Some((self, &properties["parameters"])),
            assumed: BTreeMap::new(),
        }
    }

    /// The template.
    pub fn template(&self) -> &'t Value {
        self.template
    }

    /// A text of the template at its longest. Equal texts and different ones stay so.
    pub fn longest(&self, text: &str) -> String {
        let Some(inside) = expression::inside(text) else {
            return text.to_owned();
        };
        match expression::parse(inside) {
            Ok(expression) => self.evaluate(&expression),
            // Said where the syntax is checked.
            Err(_) => unlimited(text),
        }
    }

    fn evaluate(&self, expression: &Expression) -> String {
        match expression {
            Expression::Text(text) => text.clone(),
            Expression::Number(number) => number.to_string(),
            Expression::Call { name, arguments } => self.call(name, arguments),
            Expression::Property { of, name } => match suffix(of, name) {
                Some(suffix) => suffix.to_owned(),
                None => unlimited(&format!("{}.{name}", self.evaluate(of))),
            },
            Expression::Index { of, at } => unlimited(&format!("{}[{}]", self.evaluate(of), self.evaluate(at))),
        }
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> String {
        if let ("if", [condition, yes, no]) = (name, arguments) {
            return match self.decided(condition) {
                Some(is_so) => self.evaluate(if is_so { yes } else { no }),
                None => longer(&self.evaluate(yes), &self.evaluate(no)).to_owned(),
            };
        }
        let values: Vec<String> = arguments.iter().map(|argument| self.evaluate(argument)).collect();
        match (name, values.as_slice()) {
            ("parameters", [name]) => self.parameter(name),
            ("variables", [name]) => match self.template["variables"][name].as_str() {
                Some(text) => self.longest(text),
                None => unlimited(name),
            },
            ("format", [pattern, values @ ..]) => {
                let numbered = values.iter().enumerate();
                numbered.fold(pattern.clone(), |text, (place, value)| {
                    text.replace(&format!("{{{place}}}"), value)
                })
            }
            ("concat", values) => values.concat(),
            ("replace", [text, old, new]) => text.replace(old, new),
            ("toLower", [text]) => text.to_lowercase(),
            // What fails names nothing.
            ("null", []) | ("fail", _) => String::new(),
            ("uniqueString", values) => unique_string(&values.join(",")),
            ("guid", values) => guid(&values.join(",")),
            (_, values) => unlimited(&format!("{name}({})", values.join(","))),
        }
    }

    /// What a condition is, if it hangs on an assumption alone.
    fn decided(&self, condition: &Expression) -> Option<bool> {
        if let Some([negated]) = condition.call_of("not") {
            return self.decided(negated).map(|is_so| !is_so);
        }
        let name = condition.call_of("parameters")?.first()?.text()?;
        match self.outer {
            Some((outer, given)) => {
                let given = expression::inside(given[name]["value"].as_str()?)?;
                outer.decided(&expression::parse(given).ok()?)
            }
            None => self.assumed.get(name).copied(),
        }
    }

    fn parameter(&self, name: &str) -> String {
        if let Some((outer, given)) = self.outer {
            return match given[name]["value"].as_str() {
                Some(text) => outer.longest(text),
                None => unlimited(name),
            };
        }
        let declared = &self.template["parameters"][name];
        let allowed = declared["allowedValues"].as_array().into_iter().flatten();
        if let Some(longest) = allowed.filter_map(Value::as_str).reduce(longer) {
            return longest.to_owned();
        }
        match declared["maxLength"]
            .as_u64()
            .and_then(|most| usize::try_from(most).ok())
        {
            // A capital letter, as people may give one.
            Some(most) if most > 0 => format!("X{}", "x".repeat(most - 1)),
            _ => unlimited(name),
        }
    }
}

/// A suffix of host names, of the cloud where it is longest.
fn suffix(of: &Expression, name: &str) -> Option<&'static str> {
    match (of.to_string().as_str(), name) {
        ("environment().suffixes", "storage") => Some("core.usgovcloudapi.net"),
        ("environment().suffixes", "keyvaultDns") => Some(".vault.usgovcloudapi.net"),
        _ => None,
    }
}

fn longer<'a>(one: &'a str, other: &'a str) -> &'a str {
    if other.chars().count() > one.chars().count() {
        other
    } else {
        one
    }
}

fn unlimited(what: &str) -> String {
    format!("{UNLIMITED}{what}")
}

/// 13 characters, as Resource Manager makes them: 64 bits with the 32 signs of Base32, in lower case.
fn unique_string(of: &str) -> String {
    const SIGNS: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
        'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
    ];
    let digest = digest(of, 0);
    let places = (0..13).map(|place| usize::try_from(digest >> (5 * place) & 31).unwrap_or_default());
    places.filter_map(|place| SIGNS.get(place)).collect()
}

fn guid(of: &str) -> String {
    let (high, low) = (digest(of, 1), digest(of, 2));
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// FNV-1a: no secret depends on it.
fn digest(of: &str, seed: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    of.bytes().fold(start, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_as_long_as_the_parameters_allow() {
        let template = json!({
            "parameters": {
                "prefix": {"type": "string", "minLength": 2, "maxLength": 5, "defaultValue": "ab"},
                "kind": {"type": "string", "allowedValues": ["x", "long", "yy"]},
                "free": {"type": "string", "defaultValue": "short"},
            },
            "variables": {
                "unique": "[uniqueString(resourceGroup().id, parameters('prefix'))]",
                "name": "[format('{0}-{1}', toLower(parameters('prefix')), variables('unique'))]",
            },
        });
        let scope = Scope::of_whole(&template);
        for (text, length) in [
            ("plain", 5),
            ("[parameters('prefix')]", 5),
            ("[variables('name')]", 5 + 1 + 13),
            ("[concat('dcr-', variables('name'))]", 4 + 5 + 1 + 13),
            ("[if(empty(parameters('free')), 'no', parameters('kind'))]", 4),
            ("[guid(resourceGroup().id, 'role')]", 36),
            (
                "[format('privatelink.blob.{0}', environment().suffixes.storage)]",
                17 + 22,
            ),
            ("[if(empty(parameters('free')), 'name', fail(parameters('free')))]", 4),
        ] {
            let longest = scope.longest(text);
            assert_eq!(longest.len(), length, "{text}: {longest}");
            assert!(!longest.contains(UNLIMITED), "{text}: {longest}");
        }
        for text in [
            "[parameters('free')]",
            "[concat('a', split(parameters('kind'), '/')[1])]",
        ] {
            assert!(scope.longest(text).contains(UNLIMITED), "{text}");
        }
    }

    #[test]
    fn different_things_have_different_names() {
        let template = json!({});
        let scope = Scope::of_whole(&template);
        for function in ["guid", "uniqueString"] {
            let of = |what: &str| scope.longest(&format!("[{function}(resourceId('A/b', '{what}'), 'role')]"));
            assert_eq!(of("one"), of("one"));
            assert_ne!(of("one"), of("two"));
        }
    }

    #[test]
    fn an_assumption_decides_in_the_template_and_inside_it() {
        let inner = json!({"parameters": {"isOpen": {"type": "bool"}}});
        let deployment = json!({"properties": {
            "parameters": {"isOpen": {"value": "[not(parameters('closed'))]"}},
            "template": inner,
        }});
        let outer = json!({"parameters": {"closed": {"type": "bool"}}});
        for (closed, name) in [(true, "a-closed"), (false, "a")] {
            let scope = Scope::of_whole(&outer).assuming("closed", closed);
            assert_eq!(scope.longest("[if(parameters('closed'), 'a-closed', 'a')]"), name);
            let inside = scope.inside(&deployment);
            assert_eq!(inside.longest("[if(parameters('isOpen'), 'a', 'a-closed')]"), name);
        }
        let undecided = Scope::of_whole(&outer);
        assert_eq!(undecided.longest("[if(parameters('closed'), 'a', 'bc')]"), "bc");
    }

    #[test]
    fn a_template_inside_takes_what_is_handed_in() {
        let inner = json!({"parameters": {"name": {"type": "string"}}});
        let deployment = json!({"properties": {
            "parameters": {"name": {"value": "[format('dcr-{0}', parameters('prefix'))]"}},
            "template": inner,
        }});
        let outer = json!({"parameters": {"prefix": {"type": "string", "maxLength": 3}}});
        let outer = Scope::of_whole(&outer);
        assert_eq!(outer.inside(&deployment).longest("[parameters('name')]"), "dcr-Xxx");
    }
}
