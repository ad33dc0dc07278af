//! Every run of the scenarios that come along, as JSON, for others to be compared with: the document, the variant, and the
//! report as `jobpolicy scenario run --output json` prints it.

use jobpolicy::scenario::{BUNDLED, find};
use policy_sim::scenario::{BASE, Options, Run, RunReport};
use serde_json::{Value, json};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut runs = Vec::new();
    for (name, _) in BUNDLED {
        let Ok(loaded) = find(name) else {
            eprintln!("`{name}` has problems: `jobpolicy scenario run {name}` shows them");
            return ExitCode::FAILURE;
        };
        let variants = loaded.document.variants().map(|variant| variant.name.as_str());
        for variant in std::iter::once(BASE).chain(variants) {
            match report(&loaded, variant) {
                Ok(report) => {
                    runs.push(json!({ "document": loaded.value(), "variant": variant, "report": report }));
                }
                Err(error) => {
                    eprintln!("{name} {variant}: {error}");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    println!("{}", Value::Array(runs));
    ExitCode::SUCCESS
}

fn report(loaded: &jobpolicy::scenario::Loaded, variant: &str) -> Result<String, Box<dyn std::error::Error>> {
    let scenario = loaded.document.scenario(variant).map_err(|problem| problem.to_string())?;
    let mut run = Run::new(scenario, Options { trace: true, ..Options::default() });
    run.finish();
    let mut bytes = Vec::new();
    RunReport { run: &run, variant }.write_json(&mut bytes)?;
    Ok(String::from_utf8(bytes)?)
}
