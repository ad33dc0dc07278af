//! Lists the files of the page for the feature `playground`.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PLAYGROUND").is_none() {
        return write(&[]);
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let page = root.parent().unwrap_or(&root).join("target/playground");
    println!("cargo::rerun-if-changed={}", page.display());
    let mut files = Vec::new();
    if page.join("index.html").is_file() {
        collect(&page, &page, &mut files);
    } else {
        println!(
            "cargo::warning=there is no page to put into the program: `cargo xtask playground` builds it"
        );
    }
    files.sort();
    write(&files);
}

/// Writes the list that the program includes.
fn write(files: &[(String, String)]) {
    let mut list = String::from("/// The files of the page.\nstatic FILES: &[File] = &[\n");
    for (path, file) in files {
        list.push_str(&format!("    File {{ path: {path:?}, bytes: include_bytes!({file:?}) }},\n"));
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("playground_files.rs");
    if let Err(error) = fs::write(&out, list) {
        println!("cargo::error={}: {error}", out.display());
    }
}

/// Every file below a directory, with its path there.
fn collect(page: &Path, directory: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(page, &path, files);
        } else if let Ok(below) = path.strip_prefix(page) {
            let parts: Vec<String> =
                below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            files.push((parts.join("/"), path.to_string_lossy().into_owned()));
        }
    }
}
