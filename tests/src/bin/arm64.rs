//! `make arm64`: one function of each kind as it is built for AWS, emulated, among all others as they are built for this machine.
//!
//! `arm64 <folder of the built functions> <emulator> [its arguments]`

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Stack, Wanted, company::text, eventually, sandbox::fresh_number};

const DIRECTORY: &str = ".local/arm64";

/// Binaries and names: a route, an action of sockets, a worker and a schedule, all of which use Postgres.
const EMULATED: [(&str, &str); 4] =
    [("login", "Login"), ("connect", "Connect"), ("run_bot_turn", "RunBotTurn"), ("dispatch_due_jobs", "DispatchDueJobs")];

/// What an ELF file says of its machine, bytes 18 and 19.
const AARCH64: [u8; 2] = [0xb7, 0];

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("arm64: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let built = arguments.next().context("the folder of the built functions is missing")?;
    let emulator: Vec<String> = arguments.collect();
    ensure!(!emulator.is_empty(), "the emulator is missing");
    let binaries = mixed(Path::new(&built), &emulator)?;
    let stack = Stack::start(&Path::new(DIRECTORY).join("cloud"), &binaries, &[]).await?;
    let outcome = tokio::spawn(async move {
        call_each(&stack).await;
        let ran = ran(&stack).await;
        stack.stop().await;
        ran
    });
    outcome.await.context("a function does not do what it should: see .local/arm64/cloud/logs")?
}

/// A folder in which the functions of this build are by their own names, the emulated ones as scripts that start the emulator.
fn mixed(built: &Path, emulator: &[String]) -> Result<PathBuf> {
    let folder = Path::new(DIRECTORY).join("binaries");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let own = std::env::current_exe()?.parent().context("this program has a folder")?.to_owned();
    symlink(own.join("local"), folder.join("local"))?;
    for domain in fs::read_dir("functions")?.filter_map(Result::ok) {
        for file in fs::read_dir(domain.path().join("src/bin")).into_iter().flatten().filter_map(Result::ok) {
            // Each is its domain's program, called by its own name.
            symlink(own.join(domain.file_name()), folder.join(file.path().file_stem().context("a name")?))?;
        }
    }
    for (name, _) in EMULATED {
        let binary = built.join(name).join("bootstrap").canonicalize().with_context(|| format!("{name} is not built"))?;
        ensure!(fs::read(&binary)?.get(18..20) == Some(&AARCH64), "{} is not for arm64", binary.display());
        let script = folder.join(name);
        fs::remove_file(&script)?;
        fs::write(&script, format!("#!/bin/sh\nexec {} {}\n", emulator.join(" "), binary.display()))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    }
    Ok(folder)
}

async fn call_each(stack: &Stack) {
    // Everybody in it signs in.
    let company = stack.company(Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await;
    company.admin.socket().await.close().await;
    company.phone.receive_text(&fresh_number(), "Oi").await;
    let greeting = company.phone.sent_at_least(1).await;
    let words = text(&greeting[0]["body"]["interactive"]["body"]["text"]);
    assert!(words.starts_with("Olá, Maria Teste!"), "the bot says {words}");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
}

/// Tells how long each took, or which did not work.
async fn ran(stack: &Stack) -> Result<()> {
    for (binary, function) in EMULATED {
        let calls = eventually(&format!("{function} ends"), || async move {
            let calls = stack.control("GET", &format!("/invocations?function={function}"), None).await;
            calls.as_array().filter(|calls| !calls.is_empty()).cloned()
        })
        .await;
        let failed: Vec<&Value> = calls.iter().filter(|call| !call["error"].is_null()).collect();
        ensure!(failed.is_empty(), "{function} failed: {failed:?}");
        let first = calls.iter().find(|call| call["cold"] == true).context("no first call")?;
        println!("{binary:<18} {} calls, the first took {} ms with its start", calls.len(), first["ms"]);
    }
    Ok(())
}
