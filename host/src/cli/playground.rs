//! `jobpolicy playground`.

use super::console::Console;
use super::{Failure, Outcome};
use crate::diagnostic::Diagnostic;

/// Serve the page in which Jobs can be watched, broken and explained, on this machine only
///
/// The page is within this program and needs no network. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  jobpolicy playground --open
  jobpolicy playground --port 0")]
pub(super) struct Args {
    /// The port; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8047)]
    port: u16,
    /// Open the page in a browser
    #[arg(long)]
    open: bool,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Outcome {
    page(args, console)
}

#[cfg(not(feature = "playground"))]
fn page(_: &Args, _: &mut Console) -> Outcome {
    Err(Failure::from(missing()))
}

fn missing() -> Diagnostic {
    Diagnostic::error("this program was built without the page").help(
        "in the source tree, `cargo xtask playground` builds the page, and then `cargo install --path host --features \
         playground` a program with it",
    )
}

#[cfg(feature = "playground")]
fn page(args: &Args, console: &mut Console) -> Outcome {
    use crate::playground;
    use std::net::{Ipv4Addr, SocketAddr};

    let files = playground::files();
    if files.is_empty() {
        return Err(Failure::from(missing()));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Diagnostic::error(format!("cannot start: {error}")))?;
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = runtime.block_on(tokio::net::TcpListener::bind(wanted));
    let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = bound.map_err(|error| {
        Diagnostic::error(format!("cannot listen on `{wanted}`: {error}"))
            .help("`--port 0` takes a port that is free")
    })?;
    console.text(&format!("http://{address}/\n"));
    console.finish()?;
    if args.open {
        open(&format!("http://{address}/"))?;
    }
    runtime.block_on(async {
        tokio::select! {
            () = playground::serve(listener, files) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    });
    Ok(super::Verdict::Yes)
}

/// Opens an address with what the system has for it.
#[cfg(feature = "playground")]
fn open(address: &str) -> Result<(), Diagnostic> {
    let opener = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let started = std::process::Command::new(opener).arg(address).spawn();
    started.map(drop).map_err(|error| {
        Diagnostic::error(format!("cannot open a browser with `{opener}`: {error}"))
            .help(format!("leave `--open` out, and open {address} by hand"))
    })
}
