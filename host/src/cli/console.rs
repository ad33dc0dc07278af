//! Where commands write: results to standard output, messages about the run to standard error.

use crate::diagnostic::Diagnostic;
use crate::render::yaml;
use clap::{ColorChoice, ValueEnum};
use serde_json::Value;
use std::env;
use std::io::{self, IsTerminal, Write};

/// The forms of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
    /// For people and programs
    Yaml,
}

/// The argument of commands that print results.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct OutputArgs {
    /// The form of the result
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

/// Standard output and standard error. Results are collected and written at the end, whole or not at all.
#[derive(Debug)]
pub struct Console {
    results: String,
    color_out: bool,
    color_err: bool,
}

impl Console {
    /// A console that colours as asked; `auto` looks at each stream and at `NO_COLOR`.
    pub fn new(color: ColorChoice) -> Self {
        let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let wanted = |terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !no_color && !dumb,
        };
        let (color_out, color_err) = (wanted(io::stdout().is_terminal()), wanted(io::stderr().is_terminal()));
        Console { results: String::new(), color_out, color_err }
    }

    /// Adds a result: a table (or other text) for people, a value for programs.
    pub fn result(
        &mut self,
        format: Format,
        value: impl FnOnce() -> Value,
        table: impl FnOnce(bool) -> String,
    ) {
        let text = match format {
            Format::Table => table(self.color_out),
            Format::Json => format!("{:#}\n", value()),
            Format::Yaml => yaml::to_string(&value()),
        };
        self.results.push_str(&text);
    }

    /// Adds text to the results.
    pub fn text(&mut self, text: &str) {
        self.results.push_str(text);
    }

    /// Writes a result that may be large right away, after those added before.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn stream(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        self.finish()?;
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        write(&mut out)?;
        out.flush()
    }

    /// Whether results are coloured.
    pub fn color(&self) -> bool {
        self.color_out
    }

    /// Writes the results.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(std::mem::take(&mut self.results).as_bytes())?;
        out.flush()
    }

    /// Tells the user what went wrong.
    pub fn report(&self, problems: &[Diagnostic]) {
        let mut err = io::stderr().lock();
        let messages: Vec<String> = problems.iter().map(|problem| problem.render(self.color_err)).collect();
        // A message that cannot be written has nowhere else to go.
        let _ = writeln!(err, "{}", messages.join("\n\n"));
    }
}

/// Columns of the terminal; of `COLUMNS` or 100 where there is none.
pub fn columns() -> usize {
    let given = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    given.or_else(seen).unwrap_or(100).clamp(40, 400)
}
