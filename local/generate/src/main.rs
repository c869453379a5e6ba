//! Writes what follows from the functions' own descriptions: `openapi.json`, the templates of the nested stacks, the generated blocks of
//! `template.yaml`, and a first sample event for a route that has none.
//!
//! `generate [--check] [--binaries target/debug] [--root .]`; with `--check` it writes nothing and fails when something is stale.
//! `generate --planned counts.json --into folder` writes the templates of as many made-up functions, for the check of their limits.

mod apis;
mod environment;
mod examples;
mod functions;
mod names;
mod openapi;
mod operation;
mod planned;
mod resources;
mod sample;
mod schemas;
mod sockets;
mod stacks;
mod stale;
mod template;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};

use crate::{
    functions::{Function, Workspace},
    stacks::Stack,
};

#[derive(Default)]
struct Options {
    check: bool,
    binaries: Option<PathBuf>,
    root: Option<PathBuf>,
    planned: Option<PathBuf>,
    into: Option<PathBuf>,
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
    if let Some(planned) = options.planned {
        return write_planned(&workspace, &planned, &options.into.context("--planned needs --into FOLDER")?);
    }
    let functions = functions::describe_all(&workspace)?;
    let mut wanted = templates(&workspace, &functions)?;
    wanted.push(("openapi.json".to_owned(), openapi::document(&functions, &workspace)?));
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
            write(&path, &text)?;
            println!("wrote {name}");
        }
    }
    if !is_stale {
        println!("{} functions described; openapi.json and the templates say the same", functions.len());
    }
    Ok(if is_stale { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The templates with their paths. A stack that has no function has an empty text.
fn templates(workspace: &Workspace, functions: &[Function]) -> Result<Vec<(String, String)>> {
    let path = workspace.root.join("template.yaml");
    let root = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let stacks = stacks::all(functions, &template::section(&root, "Globals"))?;
    let root = template::fill(&root, functions, &stacks)?;
    let mut templates: Vec<_> = Stack::names().map(|name| (Stack::file(name), String::new())).collect();
    for stack in stacks {
        templates.retain(|(file, _)| *file != Stack::file(stack.name));
        templates.push((Stack::file(stack.name), stack.text));
    }
    templates.push(("template.yaml".to_owned(), root));
    Ok(templates)
}

fn write_planned(workspace: &Workspace, counts: &Path, folder: &Path) -> Result<ExitCode> {
    let text = fs::read_to_string(counts).with_context(|| format!("reading {}", counts.display()))?;
    let functions = planned::functions(&serde_json::from_str(&text)?)?;
    for (name, text) in templates(workspace, &functions)? {
        write(&folder.join(name), &text)?;
    }
    println!("wrote the templates of {} planned functions", functions.len());
    Ok(ExitCode::SUCCESS)
}

/// Writes the text to the file; no text is no file.
fn write(path: &Path, text: &str) -> Result<()> {
    if text.is_empty() {
        return if path.exists() {
            fs::remove_file(path).with_context(|| format!("removing {}", path.display()))
        } else {
            Ok(())
        };
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn options() -> Result<Options> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut path = || arguments.next().map(PathBuf::from).with_context(|| format!("{argument} needs a path"));
        match argument.as_str() {
            "--check" => options.check = true,
            "--binaries" => options.binaries = Some(path()?),
            "--root" => options.root = Some(path()?),
            "--planned" => options.planned = Some(path()?),
            "--into" => options.into = Some(path()?),
            _ => bail!("unknown argument {argument}; known: --check, --binaries, --root, --planned and --into, each with a path"),
        }
    }
    Ok(options)
}
