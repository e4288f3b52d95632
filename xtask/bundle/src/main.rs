//! Puts the web client's page together: `web-bundle --www FOLDER --out FOLDER NAME=FILE.wasm…`.
//!
//! A package of its own, because wasm-bindgen takes long to compile and only `cargo xtask web` needs it.

mod join;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;
use wasm_bindgen_cli_support::Bindgen;

/// Puts the web client's page together.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder of the page's own files.
    #[arg(long)]
    www: PathBuf,
    /// Folder that is made anew.
    #[arg(long)]
    out: PathBuf,
    /// Bytes that each wasm file may have at most after gzip.
    #[arg(long)]
    budget: usize,
    /// Builds of the library: the name of a folder below lib/wasm, and the compiled file.
    #[arg(required = true, value_name = "NAME=FILE", value_parser = build)]
    builds: Vec<(String, PathBuf)>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("web-bundle: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let out = &arguments.out;
    match fs::remove_dir_all(out) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(in_file(out, error)),
        _ => {}
    }
    copy(&arguments.www, out)?;
    let mut over = Vec::new();
    for (name, file) in &arguments.builds {
        let folder = out.join("lib/wasm").join(name);
        bind(file, &folder)?;
        let worker = folder.join("worker.js");
        fs::copy(out.join(WORKER), &worker).map_err(|error| in_file(&worker, error))?;
        join::join(out, &[&format!("lib/wasm/{name}/worker.js")])?;
        let wasm = folder.join(format!("{MODULE}_bg.wasm"));
        optimise(&wasm)?;
        let bytes = fs::read(&wasm).map_err(|error| in_file(&wasm, error))?;
        let packed = gzip(&bytes).map_err(|error| in_file(&wasm, error))?.len();
        println!("  {name}: {} bytes, {packed} after gzip, of {} at most", bytes.len(), arguments.budget);
        if packed > arguments.budget {
            over.push(name.as_str());
        }
    }
    remove(out, WORKER)?;
    for name in join::join(out, &PAGE)?.into_iter().flatten() {
        // The parts of the library are the npm package's too.
        if name.starts_with("app/") && !PAGE.contains(&name.as_str()) {
            remove(out, &name)?;
        }
    }
    pack(out)?;
    if over.is_empty() { Ok(()) } else { Err(format!("too large for the budget: {}", over.join(", "))) }
}

/// Makes the JavaScript and the types of a compiled library.
fn bind(file: &Path, folder: &Path) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    let outcome = bindgen
        .input_path(file)
        .out_name(MODULE)
        .typescript(true)
        .omit_default_module_path(false)
        // Only for readers of stack traces, and an eighth of what a browser downloads.
        .remove_name_section(true)
        .remove_producers_section(true)
        .web(true)
        .and_then(|bindgen| bindgen.generate(folder));
    outcome.map_err(|error| format!("{}: {error:#}", file.display()))
}

/// Lets `wasm-opt` make the file smaller, where there is one. The budget is met without it.
fn optimise(wasm: &Path) -> Result<(), String> {
    let smaller = wasm.with_extension("opt");
    let outcome = Command::new("wasm-opt").args(WASM_OPT).arg(wasm).arg("-o").arg(&smaller).status();
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("wasm-opt: {error}")),
        Ok(status) if status.success() => fs::rename(&smaller, wasm).map_err(|error| in_file(wasm, error)),
        Ok(status) => Err(format!("wasm-opt failed: {status}")),
    }
}

fn remove(out: &Path, name: &str) -> Result<(), String> {
    let file = out.join(name);
    fs::remove_file(&file).map_err(|error| in_file(&file, error))
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| in_file(to, error))?;
    for (path, is_folder) in entries(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if is_folder {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|error| in_file(&path, error))?;
        }
    }
    Ok(())
}

/// Puts a packed file beside each one that gains from it, so that servers need not pack at every request.
fn pack(folder: &Path) -> Result<(), String> {
    for (path, is_folder) in entries(folder)? {
        if is_folder {
            pack(&path)?;
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| in_file(&path, error))?;
        let packed = gzip(&bytes).map_err(|error| in_file(&path, error))?;
        if packed.len() < bytes.len() * 9 / 10 {
            let mut name = path.clone().into_os_string();
            name.push(".gz");
            File::create(&name)
                .and_then(|mut file| file.write_all(&packed))
                .map_err(|error| in_file(&path, error))?;
        }
    }
    Ok(())
}

/// Paths in a folder, and whether each is a folder.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, bool)>, String> {
    let entries = fs::read_dir(folder).map_err(|error| in_file(folder, error))?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map(|path| (path.clone(), path.is_dir())))
        .collect::<io::Result<_>>()
        .map_err(|error| in_file(folder, error))
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn in_file(path: &Path, error: io::Error) -> String {
    format!("{}: {error}", path.display())
}

fn build(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write NAME=FILE")?;
    Ok((name.into(), file.into()))
}

/// The scripts that the page loads, each with what it needs; see [`join::join`].
const PAGE: [&str; 4] = ["lib/worker-link.js", "lib/desktop.js", "app/early.js", "app/main.js"];
/// The worker's script; each build of the library has one that includes its JavaScript.
const WORKER: &str = "lib/wasm/worker.js";
/// Name of the JavaScript module.
const MODULE: &str = "web_client";

/// What the compiler may use for wasm32 is allowed here too.
const WASM_OPT: &[&str] = &[
    "-O3",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

#[cfg(test)]
mod tests {
    /// Version of a package in the workspace's lock file.
    fn locked(name: &str) -> String {
        let lock = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"{name}\"\nversion = \"");
        let (_, rest) = lock.split_once(&entry).expect(name);
        rest.split_once('"').expect(name).0.to_owned()
    }

    #[test]
    fn the_compiler_and_the_library_are_of_one_version() {
        assert_eq!(locked("wasm-bindgen-cli-support"), locked("wasm-bindgen"));
    }
}
