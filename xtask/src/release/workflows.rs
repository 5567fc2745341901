//! What the workflows under .github must hold: who may sign and publish, and that nothing is fetched by a name that can
//! be moved to other code.

use crate::cargo::root;
use crate::files::{read, with_ending};

/// The official actions that the publishing job may use.
const PUBLISHING_ACTIONS: [&str; 3] = [
    "actions/attest-build-provenance",
    "actions/attest-sbom",
    "actions/download-artifact",
];

fn workflow(name: &str) -> String {
    read(&root().join(".github/workflows").join(name)).unwrap()
}

/// The lines of a job of a workflow, without comments.
fn job(workflow: &str, name: &str) -> Vec<String> {
    let mut jobs = workflow.lines().skip_while(|line| *line != "jobs:").skip(1);
    let heading = format!("  {name}:");
    jobs.find(|line| *line == heading)
        .unwrap_or_else(|| panic!("there is no job {name}"));
    let is_inside = |line: &&str| line.is_empty() || line.starts_with("    ");
    jobs.take_while(is_inside)
        .map(|line| line.split(" # ").next().unwrap_or_default().to_owned())
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect()
}

/// The values of a key in these lines, of list items as well.
fn values<'l>(lines: &'l [String], key: &str) -> Vec<&'l str> {
    let start = format!("{key}: ");
    let value = |line: &'l String| line.trim_start().trim_start_matches("- ").strip_prefix(&start);
    lines.iter().filter_map(value).collect()
}

/// The permissions of a job, as they are written.
fn permissions(job: &[String]) -> Vec<&str> {
    let after = job.iter().skip_while(|line| *line != "    permissions:").skip(1);
    let inside = after.take_while(|line| line.starts_with("      "));
    inside.map(|line| line.trim()).collect()
}

/// Whether an action is pinned: `owner/name@<40 hex digits> # v1.2.3`.
fn is_pinned(uses: &str) -> bool {
    let Some((action, rest)) = uses.split_once('@') else {
        return false;
    };
    let Some((commit, version)) = rest.split_once(" # v") else {
        return false;
    };
    let is_commit = commit.len() == 40 && commit.bytes().all(|digit| b"0123456789abcdef".contains(&digit));
    let numbers: Vec<_> = version.split('.').map(str::parse::<u32>).collect();
    !action.is_empty() && is_commit && numbers.len() == 3 && numbers.iter().all(Result::is_ok)
}

#[test]
fn every_action_is_pinned_to_a_commit() {
    let mut pinned = 0;
    for file in with_ending(&root().join(".github/workflows"), "yml").unwrap() {
        let text = read(&file).unwrap();
        let lines = text.lines().map(|line| line.trim_start().trim_start_matches("- "));
        for uses in lines.filter_map(|line| line.strip_prefix("uses: ")) {
            let is_of_this_commit = uses.starts_with("./");
            assert!(is_of_this_commit || is_pinned(uses), "{}: {uses}", file.display());
            pinned += usize::from(!is_of_this_commit);
        }
    }
    assert!(pinned > 5);
    for bad in [
        "actions/checkout@v4",
        "actions/checkout@11bd719",
        "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683",
        "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4",
        "actions/checkout",
    ] {
        assert!(!is_pinned(bad), "{bad}");
    }
}

#[test]
fn only_the_publishing_job_may_write_or_sign() {
    let release = workflow("release.yml");
    let head = release.split("\njobs:").next().unwrap();
    assert!(head.contains("permissions:\n  contents: read\n"), "{head}");
    for name in ["test", "build"] {
        assert_eq!(permissions(&job(&release, name)), ["contents: read"], "{name}");
    }
    assert_eq!(
        permissions(&job(&release, "publish")),
        ["contents: write", "id-token: write", "attestations: write"]
    );
    for word in ["write-all", "id-token: write", "contents: write"] {
        assert!(!workflow("ci.yml").contains(word), "{word}");
    }
    assert_eq!(release.matches("id-token: write").count(), 1);
}

#[test]
fn the_publishing_job_runs_no_code_of_others() {
    let release = workflow("release.yml");
    let publish = job(&release, "publish");
    for uses in values(&publish, "uses") {
        let action = uses.split('@').next().unwrap();
        assert!(PUBLISHING_ACTIONS.contains(&action), "{uses}");
    }
    let commands = values(&publish, "run");
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        let program = command.split(' ').next().unwrap();
        assert!(["gh", "sha256sum"].contains(&program), "{command}");
    }
}

#[test]
fn nothing_is_published_before_the_tests_and_only_what_was_built() {
    let release = workflow("release.yml");
    assert_eq!(values(&job(&release, "test"), "uses"), ["./.github/workflows/ci.yml"]);
    assert!(workflow("ci.yml").contains("\n  workflow_call:\n"));
    let publish = job(&release, "publish");
    assert_eq!(values(&publish, "needs"), ["[test, build]"]);
    // By its id: another job of the run can put an artifact of the same name in its place, not one of the same id.
    assert_eq!(
        values(&publish, "artifact-ids"),
        ["${{ needs.build.outputs.artifact }}"]
    );
    let build = job(&release, "build");
    assert_eq!(values(&build, "artifact"), ["${{ steps.upload.outputs.artifact-id }}"]);
    assert!(values(&build, "run").contains(&r#"cargo xtask release "$GITHUB_REF_NAME""#));
    assert_eq!(values(&build, "fetch-depth"), ["0"]);
}

#[test]
fn what_is_released_comes_out_of_no_cache() {
    let release = workflow("release.yml");
    let build = job(&release, "build");
    let uses = values(&build, "uses");
    assert!(
        !uses.iter().any(|action| action.starts_with("actions/cache")),
        "{uses:?}"
    );
    assert_eq!(values(&build, "package-manager-cache"), ["false"]);
}

#[test]
fn every_released_file_is_attested() {
    let release = workflow("release.yml");
    let publish = job(&release, "publish");
    assert!(values(&publish, "subject-path").contains(&"dist/*"));
    let publishing = values(&publish, "run")
        .into_iter()
        .find(|run| run.starts_with("gh release"));
    assert!(publishing.unwrap().ends_with(" dist/*"), "{publishing:?}");
}

#[test]
fn a_release_is_built_by_one_version_of_rust() {
    let release = workflow("release.yml");
    let build = job(&release, "build");
    let toolchain = values(&build, "RUSTUP_TOOLCHAIN")[0].trim_matches('"');
    let numbers = |version: &str| -> Vec<u32> { version.split('.').map(|part| part.parse().unwrap()).collect() };
    assert_eq!(numbers(toolchain).len(), 3, "{toolchain}");
    assert!(
        numbers(toolchain) >= numbers(env!("CARGO_PKG_RUST_VERSION")),
        "{toolchain}"
    );
}

#[test]
fn tools_are_installed_in_one_version_with_their_own_lock_file() {
    let mut installed = 0;
    for text in [
        workflow("ci.yml"),
        workflow("release.yml"),
        read(&root().join(".ci/run")).unwrap(),
    ] {
        for line in text.lines().filter(|line| line.contains("cargo install ")) {
            installed += 1;
            let version = line.split(" --version ").nth(1).and_then(|rest| rest.split(' ').next());
            let is_exact = version.is_some_and(|version| version.split('.').count() == 3);
            assert!(is_exact && line.contains(" --locked"), "{line}");
        }
        for loose in ["npm install", "pip install", "npx ", "wget ", "| sh"] {
            assert!(!text.contains(loose), "{loose}");
        }
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].contains("curl ")) {
            let check = "sha256sum --check --strict <<< \"$SHA256 ";
            assert!(pair[1].trim().starts_with(check), "{}", pair[0]);
        }
    }
    assert_eq!(installed, 2);
}

#[test]
fn updates_are_proposed_for_everything_that_is_pinned() {
    let dependabot = read(&root().join(".github/dependabot.yml")).unwrap();
    for ecosystem in ["github-actions", "cargo", "npm", "pip"] {
        assert!(
            dependabot.contains(&format!("- package-ecosystem: {ecosystem}\n")),
            "{ecosystem}"
        );
    }
}
