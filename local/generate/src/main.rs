//! Writes what follows from the functions' own descriptions: `openapi.json`, the generated blocks of `template.yaml`, and a first
//! sample event for a route that has none.
//!
//! `generate [--check] [--binaries target/debug] [--root .]`; with `--check` it writes nothing and fails when something is stale.

mod functions;
mod names;
mod openapi;
mod operation;
mod sample;
mod schemas;
mod sockets;
mod stale;
mod template;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};

use crate::functions::Workspace;

#[derive(Default)]
struct Options {
    check: bool,
    binaries: Option<PathBuf>,
    root: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("generate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let options = options()?;
    let workspace = Workspace::find(options.root, options.binaries)?;
    let functions = functions::describe_all(&workspace)?;
    let path = workspace.root.join("template.yaml");
    let template = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut wanted = vec![
        ("openapi.json".to_owned(), openapi::document(&functions, &workspace)?),
        ("template.yaml".to_owned(), template::fill(&template, &functions)?),
    ];
    for function in functions.iter().filter(|function| function.is("http")) {
        let name = format!("events/{}.json", function.name);
        if !workspace.root.join(&name).exists() {
            wanted.push((name, sample::of(function)?));
        }
    }
    let mut is_stale = false;
    for (name, text) in wanted {
        let path = workspace.root.join(&name);
        let current = fs::read_to_string(&path).unwrap_or_default();
        let Some(difference) = stale::first_difference(&current, &text) else { continue };
        if options.check {
            is_stale = true;
            eprintln!("generate: {name} is stale, run `make generate`. {difference}");
        } else {
            fs::write(&path, text).with_context(|| format!("writing {name}"))?;
            println!("wrote {name}");
        }
    }
    if !is_stale {
        println!("{} functions described; openapi.json and template.yaml say the same", functions.len());
    }
    Ok(if is_stale { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn options() -> Result<Options> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut folder = || arguments.next().map(PathBuf::from).with_context(|| format!("{argument} needs a folder"));
        match argument.as_str() {
            "--check" => options.check = true,
            "--binaries" => options.binaries = Some(folder()?),
            "--root" => options.root = Some(folder()?),
            _ => bail!("unknown argument {argument}; known: --check, --binaries FOLDER, --root FOLDER"),
        }
    }
    Ok(options)
}
