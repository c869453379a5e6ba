//! Lists the functions of a domain, for the one program that is all of them while developing.

use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is")).join("src/bin");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("a folder of functions").map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    let mut modules = String::new();
    let mut table = String::new();
    for file in &files {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name");
        writeln!(modules, "#[path = {:?}]\nmod {name};", file).expect("room");
        writeln!(table, "    ({name:?}, {name}::main),").expect("room");
    }
    let text = format!("{modules}\nconst FUNCTIONS: &[(&str, fn())] = &[\n{table}];\n");
    let target = Path::new(&env::var("OUT_DIR").expect("cargo says where to write")).join("functions.rs");
    fs::write(target, text).expect("the list is written");
}
