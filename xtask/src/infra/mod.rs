//! `cargo xtask infra`: the deployment template, written and checked.

mod check;
mod content;
mod deployment;
mod endpoint;
mod literal;
mod marked;
mod package_default;
mod parts;
mod print;
mod private_endpoints;
mod queries;
mod readme;
#[cfg(test)]
mod refusals;
pub mod released;
mod roles;
mod rules;
mod scenarios;
mod settings;
mod settings_table;
pub mod tables;
mod tables_page;
mod tags;
mod template;
mod transforms;
mod versions;

use std::fs;
use std::path::Path;

use clap::Args;
use serde_json::Value;

use crate::cargo::root;
use crate::files::read as read_text;
use crate::kql;
use parts::Parts;
use settings_table::Catalog;
use template::Ingredients;

/// What follows `infra`.
#[derive(Args)]
pub struct InfraArguments {
    /// Writes nothing; fails if a written file is not what would be written, does not hold together, if a scenario does not
    /// come out as expected, or if a KQL text in the template does not bind. Needs Node 20; evaluates the scenarios with
    /// Bicep too where that is on the PATH.
    #[arg(long)]
    check: bool,
    /// Prints what comes out of a scenario of infra/scenarios with infra/azuredeploy.json as it is, and does nothing else.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["check", "repository"])]
    scenario: Option<String>,
    /// The repository whose releases hold the package, `https://github.com/OWNER/REPO`: writes the README's button.
    /// It is remembered in infra/repository.txt. Button and package are those of the release of this version.
    #[arg(long, value_name = "URL", conflicts_with = "check")]
    repository: Option<String>,
}

/// Writes infra/azuredeploy.json and infra/content.json, the README's button and table of settings, and the reference in
/// docs/tables.md, or checks that they are not stale. What is written holds together both times; its KQL is bound, by a
/// language service that needs Node, when it is checked.
pub fn run(arguments: &InfraArguments) -> Result<(), String> {
    let root = root();
    if let Some(name) = &arguments.scenario {
        println!("{}", scenarios::print(&root.join("infra"), name)?);
        return Ok(());
    }
    let remembered = root.join("infra/repository.txt");
    if let Some(url) = &arguments.repository {
        let repository = readme::accept_repository(url)?;
        write(&remembered, &format!("{repository}\n"))?;
    }
    let ingredients = read(&root, &remembered)?;
    let built = template::build(&ingredients)?;
    let old_form = read_text(&root.join("infra/createUiDefinition.json"))?;
    let package = ingredients.repository.as_deref().map(released::package_uri);
    let form_text = package_default::in_form(&old_form, package.as_deref().unwrap_or_default())?;
    let form: Value =
        serde_json::from_str(&form_text).map_err(|error| format!("infra/createUiDefinition.json: {error}"))?;
    refuse_problems(check::template(&built, &ingredients.tables), "infra/azuredeploy.json")?;
    refuse_problems(check::form::problems(&form, &built), "infra/createUiDefinition.json")?;
    let content = content::of_whole(&built).ok_or("infra/azuredeploy.json deploys no content")?;
    refuse_problems(check::content::problems(content), "infra/content.json")?;

    let catalog = Catalog::read(&root.join("infra/settings.json"))?;
    let names = settings::names(&ingredients.parts.settings);
    refuse_problems(
        check::settings::problems(names, &catalog),
        "infra/template/settings.json",
    )?;
    let guide = read_text(&root.join("docs/deploy.md"))?;
    refuse_problems(check::guide::problems(&guide, &built), "docs/deploy.md")?;
    let mut workspace = queries::workspace(&built).map_err(|problem| format!("infra/azuredeploy.json: {problem}"))?;
    workspace.guide = kql::guide::queries("docs/deploy.md", &guide);
    let settle = if arguments.check { refuse_stale } else { write };
    for (path, text) in [
        ("infra/azuredeploy.json", print::pretty(&built)),
        ("infra/content.json", print::pretty(content)),
        ("infra/createUiDefinition.json", form_text),
        ("README.md", readme(&ingredients, &catalog)?),
        ("docs/tables.md", tables_reference(&root)?),
    ] {
        settle(&root.join(path), &text)?;
    }
    if arguments.check {
        println!("infra: {}", scenarios::check(&root.join("infra"))?);
        println!("infra: {}", kql::check(&workspace, &root.join("infra/golden"))?);
    }
    println!("infra: {}: well", size_of(&built, ingredients.tables.len()));
    Ok(())
}

fn size_of(template: &Value, tables: usize) -> String {
    let resources = template["resources"].as_array().map_or(0, Vec::len);
    let parameters = template["parameters"].as_object().map_or(0, serde_json::Map::len);
    format!("{resources} resources, {parameters} parameters, {tables} tables")
}

/// The repository that the file remembers; `None` where there is no such file.
pub fn remembered_repository(remembered: &Path) -> Result<Option<String>, String> {
    if !remembered.exists() {
        return Ok(None);
    }
    readme::accept_repository(&read_text(remembered)?).map(Some)
}

fn read(root: &Path, remembered: &Path) -> Result<Ingredients, String> {
    let repository = remembered_repository(remembered)?;
    Ok(Ingredients {
        parts: Parts::read(&root.join("infra/template"))?,
        tables: tables::read(&root.join("infra/tables"))?,
        content: content::read(&root.join("infra/content"))?,
        repository,
    })
}

/// README.md with its written parts: the button and the table of settings.
fn readme(ingredients: &Ingredients, catalog: &Catalog) -> Result<String, String> {
    let page = read_text(&root().join("README.md"))?;
    let button = readme::button(ingredients.repository.as_deref());
    let page = marked::with_part(&page, "deploy-button", &button)?;
    marked::with_part(&page, "settings", &catalog.table())
}

/// docs/tables.md with its written part.
fn tables_reference(root: &Path) -> Result<String, String> {
    let page = read_text(&root.join("docs/tables.md"))?;
    marked::with_part(&page, "tables", &tables_page::sections(&root.join("infra/tables"))?)
}

fn refuse_problems(problems: Vec<String>, what: &str) -> Result<(), String> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{what} does not hold together:\n  {}", problems.join("\n  ")))
}

fn refuse_stale(path: &Path, wanted: &str) -> Result<(), String> {
    if read_text(path)? == wanted {
        return Ok(());
    }
    Err(format!(
        "{} is stale: run `cargo xtask infra` and commit what it writes",
        path.display()
    ))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
