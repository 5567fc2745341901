//! The figures that show how well a crate reads, as text.

use std::cmp::Reverse;

use crate::circles::circles;
use crate::imports::{Edge, edges};
use crate::modules::Crate;
use crate::shapes::{Function, ambiguous_types, functions, spread_types};

/// A function may be this long.
const FUNCTION_LINES: usize = 50;
/// A function may have this many parameters, `self` aside.
const PARAMETERS: usize = 4;
/// A file may hold this much production code.
const FILE_LINES: usize = 400;

/// A line for every figure, followed by a line for every place that it counts.
pub fn report(of: &Crate) -> String {
    let edges = edges(of);
    let production: usize = of.files.iter().map(|file| file.production_lines().count()).sum();
    let code: usize = of.files.iter().map(|file| file.code_lines()).sum();
    let sections = [
        section("import circles", circles(&edges).iter().map(|circle| steps(circle))),
        section(
            "type names that are defined more than once",
            with_places(ambiguous_types(of)),
        ),
        section("types with methods in several files", with_places(spread_types(of))),
        section("files over 400 production lines", long_files(of)),
    ];
    format!(
        "{}\n  {production} production lines, {code} of them code, in {} files with {} imports of each other\n{}{}",
        of.name,
        of.files.len(),
        edges.len(),
        function_sections(of),
        sections.concat()
    )
}

fn function_sections(of: &Crate) -> String {
    let mut functions = functions(of);
    functions.sort_by_key(|function| Reverse((function.lines, function.parameters)));
    let named = |holds: fn(&Function) -> bool| {
        let found = functions.iter().filter(move |function| holds(function));
        found.map(|function| {
            let Function { file, line, name, .. } = function;
            let (lines, parameters) = (function.lines, function.parameters);
            format!("{file}:{line} {name}: {lines} lines, {parameters} parameters")
        })
    };
    [
        section(
            "functions over 50 lines",
            named(|function| function.lines > FUNCTION_LINES),
        ),
        section(
            "functions with more than 4 parameters",
            named(|function| function.parameters > PARAMETERS),
        ),
        section(
            "functions with a tuple parameter",
            named(|function| function.has_tuple_parameter),
        ),
    ]
    .concat()
}

fn section(title: &str, places: impl Iterator<Item = String>) -> String {
    let places: Vec<String> = places.map(|place| format!("    {place}\n")).collect();
    format!("  {} {title}\n{}", places.len(), places.concat())
}

fn steps(circle: &[Edge]) -> String {
    let steps = circle
        .iter()
        .map(|edge| format!("{}:{} -> {}", edge.from, edge.evidence, edge.to));
    steps.collect::<Vec<_>>().join(", ")
}

fn with_places(names: impl IntoIterator<Item = (String, Vec<String>)>) -> impl Iterator<Item = String> {
    let names = names.into_iter();
    names.map(|(name, places)| format!("{name}: {}", places.join(", ")))
}

fn long_files(of: &Crate) -> impl Iterator<Item = String> {
    let lines = of
        .files
        .iter()
        .map(|file| (file.production_lines().count(), &file.path));
    let mut long: Vec<_> = lines.filter(|(lines, _)| *lines > FILE_LINES).collect();
    long.sort_by_key(|(lines, _)| Reverse(*lines));
    long.into_iter().map(|(lines, path)| format!("{path}: {lines}"))
}
