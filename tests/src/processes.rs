//! What runs on this machine.

use std::path::PathBuf;

/// The folders under `/proc` of the processes that are this function, of the programs beside the tests' own.
///
/// # Panics
/// Where there is no `/proc`.
pub fn processes_of(function: &str) -> Vec<PathBuf> {
    let name = std::env::current_exe().expect("a path").with_file_name(function);
    let processes = std::fs::read_dir("/proc").expect("processes").flatten().map(|process| process.path());
    let is_called = |process: &PathBuf| {
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).next() == Some(name.as_os_str().as_encoded_bytes())
    };
    processes.filter(is_called).collect()
}
