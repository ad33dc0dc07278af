//! `cargo xtask bench`: measures every row, compares with the recorded baseline and with the real controller.

use bench::engine::{Engine, Mode, native};
use bench::{Case, Counting};
use std::process::ExitCode;
use std::time::{Duration, Instant};

mod baseline;
mod instructions;
mod table;
mod wasm;

use baseline::{Baseline, Row};
use wasm::Modules;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HELP: &str = "\
cargo xtask bench [OPTIONS]

  --output table|json  a table beside the recorded baseline and the real controller (the default), or JSON lines
  --large              also Jobs of 1,000,000 Pods
  --case NAME          this case only
  --engine NAME        `native` or `wasm` only; `wasm` needs node
  --check              no times: only count instructions, and fail where they are more than recorded
  --record             record times and instructions as the new baseline";

/// Sizes of Jobs, in Pods.
const SIZES: [usize; 4] = [10, 1_000, 10_000, 100_000];
/// Reported with `--large`: setting it up takes a while.
const LARGE: usize = 1_000_000;
/// What is timed of the policy module beside decisions.
const BOUNDARY: [(Case, usize, &str); 4] = [
    (Case::Steady, 1_000, "load"),
    (Case::Steady, 1_000, "event"),
    (Case::Steady, 10_000, "event"),
    (Case::Indexed, 10_000, "event"),
];
/// How long a row is measured.
const ROW_TIME: Duration = Duration::from_millis(150);
/// Shorter samples would measure the clock.
const SAMPLE_NANOS: u128 = 20_000;

#[derive(Default)]
struct Options {
    json: bool,
    large: bool,
    check: bool,
    record: bool,
    case: Option<String>,
    engine: Option<String>,
}

impl Options {
    fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Options::default();
        let mut args = args;
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--output" => match args.next().as_deref() {
                    Some("json") => options.json = true,
                    Some("table") => {}
                    _ => return Err("`--output` is `table` or `json`".into()),
                },
                "--case" => options.case = Some(args.next().ok_or("`--case` needs a name")?),
                "--engine" => options.engine = Some(engine(args.next().as_deref())?),
                "--large" => options.large = true,
                "--check" => options.check = true,
                "--record" => options.record = true,
                other => return Err(format!("unknown argument `{other}`\n\n{HELP}")),
            }
        }
        Ok(options)
    }

    fn runs(&self, engine: &str) -> bool {
        self.engine.as_ref().is_none_or(|only| only == engine)
    }

    fn cases(&self) -> Result<Vec<Case>, String> {
        let wanted = |case: &Case| self.case.as_ref().is_none_or(|name| case.name() == name);
        let cases: Vec<Case> = Case::ALL.into_iter().filter(wanted).collect();
        let names = || Case::ALL.map(Case::name).join(", ");
        if cases.is_empty() {
            Err(format!("there is no such case, expected one of {}", names()))
        } else {
            Ok(cases)
        }
    }
}

fn engine(name: Option<&str>) -> Result<String, String> {
    match name {
        Some(name @ ("native" | "wasm")) => Ok(name.into()),
        _ => Err("`--engine` is `native` or `wasm`".into()),
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    let result = match args.peek().map(String::as_str) {
        Some("--help" | "-h") => {
            println!("{HELP}");
            Ok(())
        }
        Some(instructions::REPEAT) => instructions::repeat(args.skip(1)),
        _ => Options::parse(args).and_then(|options| run(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let mut baseline = Baseline::read()?;
    let mut rows = Vec::new();
    if !options.check {
        rows = measure_all(options)?;
        if !options.json {
            table::print(&rows, &baseline);
        }
    }
    if options.json && !options.record {
        return Ok(());
    }
    let counts = instructions::count_all()?;
    if options.record {
        baseline.record(rows, counts);
        return baseline.write();
    }
    instructions::compare(&counts, &baseline)
}

fn measure_all(options: &Options) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut add = |row: Row| {
        if options.json {
            println!("{}", serde_json::to_string(&row).map_err(|error| error.to_string())?);
        }
        rows.push(row);
        Ok::<(), String>(())
    };
    let sizes = || SIZES.into_iter().chain(options.large.then_some(LARGE));
    let cases = options.cases()?;
    let all =
        || cases.iter().flat_map(|case| sizes().flat_map(|pods| Mode::ALL.map(|mode| (*case, pods, mode))));
    if options.runs("native") {
        all().try_for_each(|(case, pods, mode)| add(measure(case, pods, mode)))?;
    }
    if options.runs("wasm") {
        let modules = Modules::build()?;
        all().try_for_each(|(case, pods, mode)| add(modules.decide(case, pods, mode)?))?;
        for (case, pods, what) in BOUNDARY.into_iter().filter(|(case, ..)| cases.contains(case)) {
            add(modules.boundary(case, pods, what)?)?;
        }
    }
    Ok(rows)
}

/// The least and the median time of a decision.
fn measure(case: Case, pods: usize, mode: Mode) -> Row {
    let mut state = native(case, pods, mode);
    let started = Instant::now();
    state.decide();
    let per_sample = (SAMPLE_NANOS / started.elapsed().as_nanos().max(1)).clamp(1, 100) as u32;
    let mut samples = Vec::new();
    let started = Instant::now();
    while samples.len() < 5 || (started.elapsed() < ROW_TIME && samples.len() < 2_000) {
        samples.push(sample(&mut *state, per_sample));
    }
    samples.sort_unstable();
    Row {
        bench: "decide".into(),
        case: case.name().into(),
        pods,
        mode: mode.name().into(),
        engine: "native".into(),
        min_ns: samples[0],
        median_ns: samples[samples.len() / 2],
        bytes_per_pod: state.bytes() / pods,
    }
}

fn sample(state: &mut dyn Engine, decisions: u32) -> u64 {
    let started = Instant::now();
    for _ in 0..decisions {
        state.decide();
    }
    u64::try_from((started.elapsed() / decisions).as_nanos()).unwrap_or(u64::MAX)
}
