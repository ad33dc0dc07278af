//! `wasm-glue MODULE DIRECTORY NAME`: what JavaScript needs to use a module built with wasm-bindgen.

use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [module, directory, name] = args.as_slice() else {
        eprintln!("expected a module, a directory and a name");
        return ExitCode::from(2);
    };
    match write(module, directory, name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{module}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(module: &str, directory: &str, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut bindgen = Bindgen::new();
    // The types are written by hand, because bytes say nothing of what they hold.
    bindgen.input_path(module).out_name(name).web(true)?.typescript(false).remove_name_section(true);
    bindgen.remove_producers_section(true).generate(directory)?;
    Ok(())
}
