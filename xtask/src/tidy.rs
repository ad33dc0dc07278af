//! The repository's own rules, checked over the files that git tracks.

use crate::steps::{output, root};
use crate::{ci, fuzz};
use std::fs;
use std::process::Command;

mod functions;
mod links;

/// Lines that a source file may have.
const MAX_FILE_LINES: usize = 500;
/// Lines that a function may have.
const MAX_FUNCTION_LINES: usize = 70;

/// A table of rules reads best in one piece.
const LONG_TABLES: &[&str] = &["policy-core/src/explain/rules.rs"];

/// Words that mean unfinished work, written apart so that this file does not hold them.
const LEFTOVERS: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("XX", "X"),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/tm", "p/")];

/// A text file that git tracks.
pub(crate) struct TextFile {
    /// Relative to the root.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Checks every rule and lists all that is wrong.
pub(crate) fn run() -> Result<(), String> {
    let files = tracked_files()?;
    let mut problems = Vec::new();
    for file in &files {
        problems.extend(leftovers(file));
        if is_code(&file.path) {
            problems.extend(sizes(file));
        }
        if file.path.ends_with(".md") {
            problems.extend(links::broken(file));
        }
    }
    problems.extend(undocumented(&files)?);
    if problems.is_empty() {
        println!("{} files are tidy", files.len());
        return Ok(());
    }
    Err(format!("{} problems\n  {}", problems.len(), problems.join("\n  ")))
}

fn tracked_files() -> Result<Vec<TextFile>, String> {
    let mut list = Command::new("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).current_dir(root());
    let mut files = Vec::new();
    for path in output(list)?.split('\0').filter(|path| !path.is_empty()) {
        let bytes = match fs::read(root().join(path)) {
            Ok(bytes) => bytes,
            // Deleted, and not committed yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("{path}: {error}")),
        };
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(TextFile { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

fn is_code(path: &str) -> bool {
    [".rs", ".ts", ".svelte"].iter().any(|ending| path.ends_with(ending))
}

fn leftovers(file: &TextFile) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for word in LEFTOVERS.iter().filter(|word| is_code(&file.path) && line.contains(**word)) {
            problems.push(format!("{}:{}: unfinished: `{word}`", file.path, number + 1));
        }
        for path in MACHINE_PATHS.iter().filter(|path| line.contains(**path)) {
            problems.push(format!("{}:{}: a path of one machine: `{path}`", file.path, number + 1));
        }
    }
    problems
}

fn sizes(file: &TextFile) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = file.text.lines().count();
    if lines > MAX_FILE_LINES && !LONG_TABLES.contains(&file.path.as_str()) {
        problems.push(format!("{}: {lines} lines, at most {MAX_FILE_LINES} are allowed", file.path));
    }
    for function in functions::all(&file.text).into_iter().filter(|f| f.lines > MAX_FUNCTION_LINES) {
        let functions::Function { name, line, lines } = function;
        let path = &file.path;
        problems.push(format!(
            "{path}:{line}: `{name}` has {lines} lines, at most {MAX_FUNCTION_LINES} are allowed"
        ));
    }
    problems
}

/// Checks that tests/README.md does not speak of.
fn undocumented(files: &[TextFile]) -> Result<Vec<String>, String> {
    const README: &str = "tests/README.md";
    let readme = files.iter().find(|file| file.path == README).ok_or(format!("{README} is missing"))?;
    let suites = files.iter().map(|file| file.path.clone()).filter(|path| is_test_suite(path));
    let fuzz_targets = fuzz::targets()?.into_iter();
    let checks = suites.chain(fuzz_targets).chain(ci::STEPS.iter().map(|step| (*step).to_owned()));
    let missing = checks.filter(|check| !readme.text.contains(&format!("`{check}`")));
    Ok(missing.map(|check| format!("{README} does not say what `{check}` proves")).collect())
}

/// A file that cargo builds into a test program of its own: `host/tests/cli.rs`, `tests/conformance/tests/job.rs`.
fn is_test_suite(path: &str) -> bool {
    let beside_the_code = path.contains("/src/");
    path.ends_with(".rs") && path.rsplit('/').nth(1) == Some("tests") && !beside_the_code
}
