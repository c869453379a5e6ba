//! `front_end <command …>`: runs a command with the address and logins of a local cloud of its own, where a company is at work.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, Result};
use tests::{Stack, Wanted, sandbox::fresh_number};
use tokio::process::Command;

const DIRECTORY: &str = ".local/front-end";

/// Clients who wait when the command begins.
const WAITING: usize = 5;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the command succeeded.
async fn run() -> Result<bool> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().context("name a command: front_end <command …>")?;
    let binaries = std::env::current_exe()?.parent().context("the program is in a folder")?.to_owned();
    let limits = ["--parameter", "UserRequestsPerMinute=1000000", "--parameter", "AddressRequestsPerMinute=1000000"];
    let options = [limits.as_slice(), &["--max-processes", "60", "--no-throttle"]].concat();
    let stack = Stack::start(Path::new(DIRECTORY), &binaries, &options).await?;
    let company = stack.company(Wanted::default()).await;
    for _ in 0..WAITING {
        company.phone.receive_text(&fresh_number(), "Bom dia, tem alguém aí?").await;
    }
    let status = Command::new(&program)
        .args(arguments)
        .env("BALCAO_API", &stack.addresses.api)
        .env("BALCAO_EMAIL", &company.agents[0].email)
        .env("BALCAO_OTHER_EMAIL", &company.agents[1].email)
        .env("BALCAO_PASSWORD", &company.password)
        .env("BALCAO_TOKEN", company.admin.api.token.as_deref().unwrap_or_default())
        .status()
        .await
        .with_context(|| format!("{} does not start", program.display()));
    stack.stop().await;
    Ok(status?.success())
}
