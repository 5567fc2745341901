//! Deployments as people make them: each `infra/scenarios/<name>.bicepparam` is evaluated and compared with
//! `<name>.expected.json`, by this project's evaluator and, where it is on the PATH, by Bicep.

mod expected;
mod parameter_file;
mod snapshot;
#[cfg(test)]
mod template_cases;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::check::evaluate::{Deployment, EvaluationError, plan};
use crate::files;
use expected::{ExpectedOutcome, ScenarioOutcome, Unevaluated};
use parameter_file::ParameterFile;
use snapshot::Bicep;

/// Evaluates every scenario of `<infra>/scenarios`, also with Bicep where that is on the PATH, and says how many there are.
pub fn check(infra: &Path) -> Result<String, String> {
    check_with(infra, Bicep::on_path()?.as_ref())
}

fn check_with(infra: &Path, bicep: Option<&Bicep>) -> Result<String, String> {
    let scenarios = all(infra)?;
    let mut problems = Vec::new();
    for path in &scenarios {
        let found = problems_of(path, bicep)?;
        problems.extend(found.iter().map(|problem| format!("{}: {problem}", files::stem(path))));
    }
    if !problems.is_empty() {
        return Err(format!(
            "scenarios do not come out as their expected.json says (`cargo xtask infra --scenario NAME` prints what comes \
             out):\n  {}",
            problems.join("\n  ")
        ));
    }
    let engine = if bicep.is_some() {
        "and by Bicep"
    } else {
        "(no bicep on the PATH)"
    };
    Ok(format!("{} scenarios evaluated {engine}", scenarios.len()))
}

/// What comes out of one scenario, as JSON.
pub fn print(infra: &Path, name: &str) -> Result<String, String> {
    let path = infra.join("scenarios").join(format!("{name}.bicepparam"));
    let printed = match own_outcome(&path)? {
        ScenarioOutcome::Resources(resources) => json!({"resources": resources}),
        ScenarioOutcome::Refused(text) => json!({"refused": text}),
    };
    Ok(super::print::pretty(&printed))
}

fn all(infra: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = infra.join("scenarios");
    let scenarios = files::with_ending(&folder, "bicepparam")?;
    for path in files::with_ending(&folder, "json")? {
        let name = files::stem(&path).replace(".expected", "");
        if !scenarios.iter().any(|scenario| files::stem(scenario) == name) {
            return Err(format!("{} belongs to no scenario", path.display()));
        }
    }
    Ok(scenarios)
}

fn problems_of(path: &Path, bicep: Option<&Bicep>) -> Result<Vec<String>, String> {
    let expected: ExpectedOutcome = files::json(&path.with_extension("expected.json"))?;
    let own = own_outcome(path)?;
    let mut problems = expected.differences(&own, Unevaluated::Differs);
    if let Some(bicep) = bicep {
        let engine = in_copy(path, |copy| bicep.outcome(copy))?;
        let differences = expected.differences(&engine, Unevaluated::Passes);
        let differences = differences.into_iter().chain(between(&own, &engine));
        problems.extend(differences.map(|difference| format!("with Bicep: {difference}")));
    }
    Ok(problems)
}

fn own_outcome(path: &Path) -> Result<ScenarioOutcome, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = ParameterFile::parse(&files::read(path)?).map_err(|error| named(&error))?;
    let template: Value = files::json(&beside(path, &file.template))?;
    match plan(&Deployment::new(&template, &file.parameters.into())) {
        Ok(resources) => Ok(ScenarioOutcome::Resources(resources)),
        Err(EvaluationError::Refused(text)) => Ok(ScenarioOutcome::Refused(text)),
        Err(error) => Err(named(&error)),
    }
}

fn beside(path: &Path, relative: &str) -> PathBuf {
    path.parent().unwrap_or(path).join(relative)
}

/// Calls `evaluate` with a copy of the parameter file beside a copy of its template.
fn in_copy<T>(path: &Path, evaluate: impl FnOnce(&Path) -> Result<T, String>) -> Result<T, String> {
    let failed = |error: std::io::Error| format!("{} cannot be copied: {error}", path.display());
    let text = files::read(path)?;
    let file = ParameterFile::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let folder = tempfile::tempdir().map_err(failed)?;
    let scenarios = folder.path().join("scenarios");
    fs::create_dir(&scenarios).map_err(failed)?;
    let copy = scenarios.join(path.file_name().unwrap_or_default());
    fs::write(&copy, text).map_err(failed)?;
    fs::copy(beside(path, &file.template), beside(&copy, &file.template)).map_err(failed)?;
    evaluate(&copy)
}

/// How two evaluators differ, whatever is expected: what one refuses and the other not, and how many resources of a type
/// there are.
fn between(own: &ScenarioOutcome, engine: &ScenarioOutcome) -> Vec<String> {
    match (own, engine) {
        (ScenarioOutcome::Resources(own), ScenarioOutcome::Resources(engine)) => {
            let (own, engine) = (types(own), types(engine));
            let all = own.keys().chain(engine.keys()).collect::<BTreeSet<_>>();
            let count = |counts: &BTreeMap<String, usize>, name: &String| counts.get(name).copied().unwrap_or_default();
            all.into_iter()
                .filter(|name| count(&own, name) != count(&engine, name))
                .map(|name| format!("{name}: {} instead of {}", count(&engine, name), count(&own, name)))
                .collect()
        }
        (ScenarioOutcome::Refused(_), ScenarioOutcome::Refused(_)) => Vec::new(),
        (ScenarioOutcome::Refused(text), ScenarioOutcome::Resources(_)) => {
            vec![format!("it is not refused, and by us it is: {text}")]
        }
        (ScenarioOutcome::Resources(_), ScenarioOutcome::Refused(text)) => {
            vec![format!("it is refused, and by us it is not: {text}")]
        }
    }
}

/// How many resources of each type there are.
fn types(resources: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for resource in resources {
        let name = resource["type"].as_str().unwrap_or_default().to_owned();
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::root;

    /// A folder with a template of one storage account and one scenario.
    fn infra(parameters: &str, expected: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let template = json!({
            "parameters": {"name": {"type": "string", "defaultValue": ""}},
            "resources": [{
                "type": "A.B/c",
                "name": "[if(empty(parameters('name')), fail('give a name'), parameters('name'))]",
            }],
        });
        fs::write(folder.path().join("azuredeploy.json"), template.to_string()).unwrap();
        let scenarios = folder.path().join("scenarios");
        fs::create_dir(&scenarios).unwrap();
        let parameters = format!("using '../azuredeploy.json'\n{parameters}\n");
        fs::write(scenarios.join("one.bicepparam"), parameters).unwrap();
        fs::write(scenarios.join("one.expected.json"), expected).unwrap();
        folder
    }

    #[test]
    fn every_scenario_of_the_project_comes_out_as_expected() {
        let said = check_with(&root().join("infra"), None).unwrap();
        assert!(said.contains("scenarios evaluated"), "{said}");
    }

    #[test]
    fn a_scenario_that_comes_out_otherwise_is_told_with_its_name() {
        for (parameters, expected, said) in [
            (
                "param name = 'x'",
                r#"{"resources": [{"type": "A.B/c", "name": "x"}]}"#,
                "",
            ),
            ("", r#"{"refused": "give a name"}"#, ""),
            (
                "param name = 'x'",
                r#"{"resources": [{"name": "y"}]}"#,
                "one: (any) y is not there",
            ),
            ("", "{}", "one: it is refused: give a name"),
            (
                "param name = 'x'",
                r#"{"refused": "give a name"}"#,
                "one: it is not refused",
            ),
            (
                "param other = 'x'",
                "{}",
                "one: it is refused: there is no parameter other",
            ),
            ("param name = x", "{}", "'x' is no value in line 2"),
            ("", r#"{"unknown": 1}"#, "unknown field"),
        ] {
            let outcome = check_with(infra(parameters, expected).path(), None)
                .err()
                .unwrap_or_default();
            assert!(
                outcome.contains(said) && outcome.is_empty() == said.is_empty(),
                "{parameters}: {outcome}"
            );
        }
    }

    #[test]
    fn bicep_has_to_come_to_the_same() {
        let folder = infra("param name = 'x'", r#"{"resources": [{"type": "A.B/c", "name": "x"}]}"#);
        let with = |resources: &str| {
            // The copy of the scenario stands beside a copy of its template.
            let script = format!(
                "cd \"$(dirname \"$2\")\" && [ -f ../azuredeploy.json ] && echo '{{\"predictedResources\": [{resources}]}}' > one.snapshot.json"
            );
            let bicep = snapshot::tests::bicep(folder.path(), &script);
            check_with(folder.path(), Some(&bicep)).err().unwrap_or_default()
        };
        assert_eq!(with(r#"{"type": "A.B/c", "name": "x"}"#), "");
        assert_eq!(with(r#"{"type": "A.B/c", "name": "[format()]"}"#), "");
        let otherwise = with(r#"{"type": "A.B/c", "name": "y"}, {"type": "A.B/d"}"#);
        assert!(
            otherwise.contains("one: with Bicep: A.B/c x is not there"),
            "{otherwise}"
        );
        assert!(
            otherwise.contains("one: with Bicep: A.B/d: 1 instead of 0"),
            "{otherwise}"
        );
        assert!(!folder.path().join("scenarios/one.snapshot.json").exists());
    }

    #[test]
    fn what_comes_out_can_be_printed() {
        let folder = infra("param name = 'x'", "{}");
        assert!(print(folder.path(), "one").unwrap().contains("\"name\": \"x\""));
        assert!(
            print(infra("", "{}").path(), "one")
                .unwrap()
                .contains("\"refused\": \"give a name\"")
        );
    }

    #[test]
    fn an_expectation_without_a_scenario_is_refused() {
        let folder = infra("param name = 'x'", "{}");
        fs::write(folder.path().join("scenarios/two.expected.json"), "{}").unwrap();
        assert!(
            check_with(folder.path(), None)
                .unwrap_err()
                .contains("belongs to no scenario")
        );
    }

    #[test]
    fn evaluators_that_differ_are_told() {
        let resources =
            |types: &[&str]| ScenarioOutcome::Resources(types.iter().map(|name| json!({"type": name})).collect());
        let refused = || ScenarioOutcome::Refused("no".to_owned());
        assert!(between(&resources(&["a", "b"]), &resources(&["b", "a"])).is_empty());
        assert!(between(&refused(), &ScenarioOutcome::Refused("other".to_owned())).is_empty());
        assert_eq!(
            between(&resources(&["a"]), &resources(&["a", "a"])),
            ["a: 2 instead of 1"]
        );
        assert_eq!(
            between(&resources(&[]), &refused()),
            ["it is refused, and by us it is not: no"]
        );
        assert_eq!(
            between(&refused(), &resources(&[])),
            ["it is not refused, and by us it is: no"]
        );
    }
}
