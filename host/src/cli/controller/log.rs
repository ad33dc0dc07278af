//! The log of a process that runs for long.

use crate::diagnostic::Diagnostic;
use std::io::{self, IsTerminal};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Logs to standard error; `RUST_LOG` (`info,jobpolicy=debug`) beats `verbose`.
pub(super) fn start(verbose: u8, json: bool) -> Result<(), Diagnostic> {
    let wanted = match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => text,
        _ => match verbose {
            // The client's own log calls every call that fails an error; here it is known what a failure means.
            0 => "jobpolicy=info".into(),
            1 => "jobpolicy=debug,warn,kube_client=off".into(),
            _ => "trace".into(),
        },
    };
    let filter: Targets = wanted.parse().map_err(|error| {
        Diagnostic::error(format!("RUST_LOG: `{wanted}` is no list of levels: {error}"))
            .help("for example RUST_LOG=info,jobpolicy=debug")
    })?;
    let layer = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let layer = if json { layer.json().boxed() } else { layer.boxed() };
    let started = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    started.map_err(|error| Diagnostic::error(format!("the log cannot be started: {error}")))
}
