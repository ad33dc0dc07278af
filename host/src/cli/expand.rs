//! `jobpolicy expand`.

use super::console::Console;
use super::{Failure, Outcome, Verdict};
use crate::diagnostic::Diagnostic;
use crate::expand::{self, Expansion, Syntax, values::Values};
use crate::manifest::Source;
use std::fs;
use std::path::{Path, PathBuf};

/// Make manifests of a template: one for each item, or as Jinja says
///
/// In a template `$ITEM` and `${ITEM}` stand for values of `--set` or `--values`; `$$ITEM` is a dollar sign. A file named
/// `*.jinja2` or `*.j2`, or one with `{{` or `{%` in it, is a Jinja template: it gets the list of `--values` as `params`,
/// or is rendered once for each entry if it does not use that name. What comes out is checked as the API server would.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy expand job-tmpl.yaml --set ITEM=apple,banana,cherry --out jobs
  jobpolicy expand job.yaml.jinja2 --values params.yaml | kubectl apply -f -
  jobpolicy expand job-tmpl.yaml --set ITEM=apple,banana | jobpolicy simulate -")]
pub(super) struct Args {
    /// The template; `-` is standard input
    #[arg(value_name = "TEMPLATE")]
    template: PathBuf,
    /// Values of a placeholder; those of several placeholders go together, in order
    #[arg(long, value_name = "NAME=VALUE,VALUE", conflicts_with = "values")]
    set: Vec<String>,
    /// A file with a list of mappings (an expansion each) or a mapping
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,
    /// Write a file for each expansion into this folder, instead of one stream
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// How placeholders are written; found out when left out
    #[arg(long, value_name = "SYNTAX", value_parser = ["dollar", "jinja"])]
    syntax: Option<String>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    let template = Source::read(&args.template)?;
    let values = match &args.values {
        Some(path) if path.as_os_str() == "-" && args.template.as_os_str() == "-" => {
            return Err(Diagnostic::error("standard input (`-`) is given twice").help("name it once").into());
        }
        Some(path) => Values::from_source(&Source::read(path)?)?,
        None => Values::from_sets(&args.set)?,
    };
    let syntax = match args.syntax.as_deref() {
        Some("dollar") => Syntax::Dollar,
        Some(_) => Syntax::Jinja,
        None => Syntax::of(&template),
    };
    let expansions = expand::expand(&template, syntax, &values).map_err(Failure::Problems)?;
    if expansions.is_empty() {
        return Err(Diagnostic::error("there are no values, so nothing comes out")
            .help("the list of parameters is empty")
            .into());
    }
    match &args.out {
        Some(folder) => write(folder, &expansions, console)?,
        None => console.text(&expand::stream(&expansions)),
    }
    Ok(Verdict::Yes)
}

/// A file for each expansion, named after its first object.
fn write(folder: &Path, expansions: &[Expansion], console: &mut Console) -> Result<(), Diagnostic> {
    let refused = |path: &Path, error: &std::io::Error| {
        Diagnostic::error(format!("cannot write `{}`: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    for expansion in expansions {
        let Some(first) = expansion.manifests.first() else { continue };
        // The name has been checked: it has no character with a meaning in paths.
        let path = folder.join(format!("{}.yaml", first.name()));
        fs::write(&path, &expansion.text).map_err(|error| refused(&path, &error))?;
        console.text(&format!("{}\n", path.display()));
    }
    Ok(())
}
