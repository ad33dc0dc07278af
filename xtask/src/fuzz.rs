//! Fuzzing: seeds from the recorded cases, then each target for a while.

use crate::steps::{cargo, root, run as run_command};
use crate::tools;
use flate2::read::GzDecoder;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Where the fuzz targets are.
pub(crate) const DIRECTORY: &str = "tests/fuzz";

/// Inputs longer than this find little more and take longer.
const MAX_SEED_BYTES: usize = 16 << 10;

/// Which recorded cases seed which target.
const SEEDS: &[(&str, &[&str])] = &[
    ("decide", &["job-random", "job-trajectory", "sync"]),
    ("validate", &["validate", "validateupdate"]),
    ("schedule_line", &["schedule"]),
];

/// Recorded cases taken from each file.
const SEEDS_PER_FILE: usize = 300;

/// Arguments of `fuzz` and `verify`.
pub(crate) struct Args {
    seconds: u64,
    only: Option<String>,
}

impl Args {
    pub(crate) fn parse(args: &[String]) -> Result<Self, String> {
        let mut parsed = Args { seconds: 60, only: None };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--seconds" {
                let value = rest.next().and_then(|value| value.parse().ok());
                parsed.seconds = value.ok_or("`--seconds` needs a number")?;
            } else if arg.starts_with('-') {
                return Err(format!("unknown argument `{arg}`"));
            } else {
                parsed.only = Some(arg.clone());
            }
        }
        Ok(parsed)
    }
}

/// The names of all fuzz targets.
pub(crate) fn targets() -> Result<Vec<String>, String> {
    let directory = root().join(DIRECTORY).join("fuzz_targets");
    let entries = fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

/// Fuzzes every target, or the one asked for.
pub(crate) fn run(args: &Args) -> Result<(), String> {
    let names = targets()?;
    let chosen: Vec<&String> =
        names.iter().filter(|name| args.only.as_ref().is_none_or(|only| only == *name)).collect();
    if chosen.is_empty() {
        return Err(format!("there is no such fuzz target, expected one of {}", names.join(", ")));
    }
    tools::cargo_fuzz()?;
    seed().map_err(|error| format!("cannot write seeds: {error}"))?;
    for name in chosen {
        let time = format!("-max_total_time={}", args.seconds);
        let length = format!("-max_len={MAX_SEED_BYTES}");
        run_command(cargo(&[
            "+nightly",
            "fuzz",
            "run",
            "--fuzz-dir",
            DIRECTORY,
            name,
            "--",
            &time,
            &length,
            "-timeout=10",
        ]))
        .map_err(|error| format!("{error}\n`{name}` found an input; its file is named above"))?;
    }
    Ok(())
}

/// Writes recorded cases into the corpora, which are not kept in the repository.
fn seed() -> std::io::Result<()> {
    for (target, files) in SEEDS {
        let corpus = root().join(DIRECTORY).join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        for file in *files {
            seed_from(&root().join(format!("tests/conformance/vectors/{file}.jsonl.gz")), file, &corpus)?;
        }
    }
    Ok(())
}

fn seed_from(vectors: &Path, name: &str, corpus: &Path) -> std::io::Result<()> {
    let lines = BufReader::new(GzDecoder::new(File::open(vectors)?)).lines();
    let short = lines.filter(|line| line.as_ref().map_or(true, |line| line.len() <= MAX_SEED_BYTES));
    for (index, line) in short.take(SEEDS_PER_FILE).enumerate() {
        fs::write(corpus.join(format!("{name}-{index}")), line?)?;
    }
    Ok(())
}
