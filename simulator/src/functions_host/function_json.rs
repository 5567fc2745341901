//! Names that the host takes from `function.json`.

use std::path::Path;

use serde_json::Value;

/// The folder of the timer function, and its path at the handler.
pub(super) const TIMER_FUNCTION: &str = "function-timer";

/// The folder of the http function, and its path at the handler in envelope mode.
pub(super) const HTTP_FUNCTION: &str = "function-http";

/// The names of the bindings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct BindingNames {
    pub(super) timer: String,
    pub(super) request: String,
    pub(super) response: String,
}

impl BindingNames {
    /// From the function folders under `app_root`; the usual names where a folder is missing.
    pub(super) fn read(app_root: &Path) -> Self {
        let timer = bindings(&app_root.join(TIMER_FUNCTION));
        let http = bindings(&app_root.join(HTTP_FUNCTION));
        BindingNames {
            timer: name_of(&timer, "timerTrigger", "timer"),
            request: name_of(&http, "httpTrigger", "req"),
            response: name_of(&http, "http", "res"),
        }
    }
}

fn bindings(folder: &Path) -> Vec<Value> {
    let Ok(text) = std::fs::read_to_string(folder.join("function.json")) else {
        return Vec::new();
    };
    let file: Value = serde_json::from_str(&text).expect("a function.json is JSON");
    let bindings = file["bindings"].as_array();
    bindings.expect("a function.json has bindings").clone()
}

fn name_of(bindings: &[Value], kind: &str, usual: &str) -> String {
    let is_kind = |binding: &&Value| {
        let given = binding["type"].as_str().unwrap_or_default();
        given.eq_ignore_ascii_case(kind)
    };
    let found = bindings.iter().find(is_kind);
    found
        .and_then(|binding| binding["name"].as_str())
        .unwrap_or(usual)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_the_type_of_its_binding() {
        let bindings = [
            serde_json::json!({"type": "httpTrigger", "name": "incoming", "direction": "in"}),
            serde_json::json!({"type": "http", "name": "res", "direction": "out"}),
        ];

        assert_eq!(name_of(&bindings, "httpTrigger", "req"), "incoming");
        assert_eq!(name_of(&bindings, "http", "x"), "res");
        assert_eq!(name_of(&bindings, "timerTrigger", "timer"), "timer");
    }
}
