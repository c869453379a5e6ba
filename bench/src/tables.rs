//! A hundred thousand clients and leads out of a file and into one, with what the functions need for it.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::{Company, Stack, Wanted, company::text, processes::processes_of};

use crate::report::{Figure, Report, Times};

/// As many as an export may hold.
const ROWS: u32 = 100_000;

/// The time that API Gateway waits for an answer, less than half of which an export should take.
const EXPORT_AIM: f64 = 15_000.0;

/// As long as an import may take before somebody asks what it does.
const PATIENCE: Duration = Duration::from_mins(15);

pub async fn run(stack: &Stack, report: &mut Report) -> Result<()> {
    let wanted = || Wanted { agents: 0, students: 0, ..Wanted::default() };
    let company = stack.company(wanted()).await;
    for kind in ["clients", "leads"] {
        report.add(import(stack, &company, kind, "csv", "text/csv", rows().as_bytes()).await?);
        report.add(export(stack, &company, kind, "csv").await?.0);
        let (figure, sheet) = export(stack, &company, kind, "xlsx").await?;
        report.add(figure);
        let spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        report.add(import(stack, &stack.company(wanted()).await, kind, "xlsx", spreadsheet, &sheet).await?);
    }
    Ok(())
}

/// Each with a mobile, every second with an e-mail, every tenth with a tag and a note.
fn rows() -> String {
    let mut rows = "Nome;Celular;E-mail;Etiquetas;Observações\n".to_owned();
    for number in 0..ROWS {
        let mail = if number % 2 == 0 { format!("cliente{number}@exemplo.com") } else { String::new() };
        let (tag, note) = if number % 10 == 0 { ("bolsista", "Prefere ser chamado à tarde.") } else { ("", "") };
        let _ = writeln!(rows, "Cliente Número {number};(11) 9{};{mail};{tag};{note}", 30_000_000 + number);
    }
    rows
}

async fn import(stack: &Stack, company: &Company, kind: &str, format: &str, mime_type: &str, content: &[u8]) -> Result<Figure> {
    let supervisor = &company.supervisor;
    let file = supervisor.upload(&format!("{kind}.{format}"), mime_type, content).await;
    let start = Instant::now();
    let job = supervisor.api.post(&format!("/{kind}/import"), json!({"file_id": file})).await.expect(202);
    let path = format!("/{kind}/imports/{}", text(&job["id"]));
    let import = loop {
        ensure!(start.elapsed() < PATIENCE, "an import takes too long");
        tokio::time::sleep(Duration::from_millis(200)).await;
        let import = supervisor.api.get(&path).await.expect(200);
        if import["state"] != "going" {
            break import;
        }
    };
    ensure!(import["made"] == ROWS, "of {ROWS} rows: {import}");
    Ok(figure(
        stack,
        format!("import of {ROWS} {kind}, {format}"),
        start.elapsed(),
        &format!("run_{}_import", kind.trim_end_matches('s')),
    ))
}

/// Also the file.
async fn export(stack: &Stack, company: &Company, kind: &str, format: &str) -> Result<(Figure, Vec<u8>)> {
    let start = Instant::now();
    let answer = company.supervisor.api.get(&format!("/{kind}/export?format={format}")).await;
    let took = start.elapsed();
    ensure!(answer.status == 302, "the export is answered with {} {}", answer.status, answer.body);
    let place = answer.header("location").context("a redirect says where to")?;
    let content = stack.http.get(place).send().await?.bytes().await?.to_vec();
    let figure = figure(stack, format!("export of {ROWS} {kind}, {format}"), took, &format!("export_{kind}")).aim(EXPORT_AIM);
    Ok((figure.with("file_megabytes", content.len() / 1_000_000), content))
}

fn figure(stack: &Stack, what: String, took: Duration, function: &str) -> Figure {
    let mut times = Times::default();
    times.add(took);
    Figure::new("tables", what, &times).with("most_megabytes", most_memory(stack, function))
}

/// The most that a process of the function has ever held, in megabytes.
fn most_memory(stack: &Stack, function: &str) -> u64 {
    let of = |process: std::path::PathBuf| {
        let status = std::fs::read_to_string(process.join("status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    processes_of(stack, function).into_iter().filter_map(of).max().unwrap_or_default() / 1_000
}
