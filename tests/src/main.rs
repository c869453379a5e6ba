//! The end-to-end and contract tests: real function binaries on the local cloud, spoken to over HTTP and WebSocket only. `ONLY` narrows them to
//! a domain: tests with it in their names, and what holds for all routes of its routes. `EVERY=3` runs every third of them.

mod cases;

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    process::ExitCode,
    sync::Arc,
};

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use tests::Stack;
use tokio::runtime::Runtime;

/// One test: an async function that panics when it fails.
pub type Case = fn(Arc<Stack>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new().expect("a runtime starts"));
    let binaries =
        std::env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned())).expect("the tests have a folder");
    if arguments.list {
        let listed = cases::all().into_iter().map(|(name, _)| Trial::test(name, || Ok(())));
        return libtest_mimic::run(&arguments, listed.collect()).exit_code();
    }
    let directory = PathBuf::from(".local/tests");
    let parameters = ["--parameter", "UnknownOutcomeSeconds=6", "--parameter", "DefaultCompany=Escola Padrão"];
    let options = [parameters.as_slice(), &["--max-processes", "120", "--no-throttle"]].concat();
    let stack = match runtime.block_on(Stack::start(&directory, &binaries, &options)) {
        Ok(stack) => Arc::new(stack),
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let only = tests::only();
    let concerns = |(name, _): &(&'static str, Case)| only.as_deref().is_none_or(|only| cases::concerns(name, only));
    let every = std::env::var("EVERY").ok().and_then(|every| every.parse().ok()).unwrap_or(1_usize).max(1);
    let is_whole_run =
        only.is_none() && every == 1 && arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.exact;
    let together = cases::together().into_iter().filter(concerns).step_by(every).collect();
    let mut conclusion = run(&arguments, &runtime, &stack, together);
    let mut crashed = crashed(&stack);
    // What stops services for everybody runs alone.
    arguments.test_threads = Some(1);
    merge(&mut conclusion, run(&arguments, &runtime, &stack, cases::alone().into_iter().filter(concerns).collect()));
    crashed.extend(self::crashed(&stack));
    if is_whole_run {
        let never = stack.openapi.never_exercised();
        let coverage = Trial::test("every_operation_is_exercised", move || {
            if never.is_empty() {
                Ok(())
            } else {
                Err(Failed::from(format!("never answered with success: {}", never.join(", "))))
            }
        });
        merge(&mut conclusion, libtest_mimic::run(&arguments, vec![coverage]));
    }
    if let Some(stack) = Arc::into_inner(stack) {
        runtime.block_on(stack.stop());
    }
    let quiet = Trial::test("nothing_has_panicked_to_the_end", move || {
        let mut panicked = panicked(&directory)?;
        panicked.extend(crashed);
        if panicked.is_empty() { Ok(()) } else { Err(Failed::from(panicked.join("\n"))) }
    });
    if is_whole_run {
        merge(&mut conclusion, libtest_mimic::run(&arguments, vec![quiet]));
    }
    conclusion.exit_code()
}

/// Lines of the local cloud and its functions that tell of a panic.
fn panicked(directory: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    let logs = std::fs::read_dir(directory.join("logs"))?.collect::<Result<Vec<_>, _>>()?;
    for path in logs.into_iter().map(|entry| entry.path()).chain([directory.join("local.log")]) {
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let name = path.display();
        found.extend(text.lines().filter(|line| line.contains("panicked")).map(|line| format!("{name}: {line}")));
    }
    Ok(found)
}

/// Lines of the database server that tell of one of its processes dying by itself, and not of a test's hand (signal 9): everybody else's
/// connections end with it, and are made again, so that nothing else need tell. Its log begins anew with each start.
fn crashed(stack: &Stack) -> Vec<String> {
    let log = stack.database_log();
    log.lines()
        .filter(|line| line.contains("was terminated by signal") && !line.contains("signal 9:"))
        .map(str::to_owned)
        .collect()
}

fn run(arguments: &Arguments, runtime: &Arc<Runtime>, stack: &Arc<Stack>, cases: Vec<(&'static str, Case)>) -> Conclusion {
    let trials = cases.into_iter().map(|(name, case)| {
        let (runtime, stack) = (Arc::clone(runtime), Arc::clone(stack));
        Trial::test(name, move || {
            runtime.block_on(case(stack));
            Ok(())
        })
    });
    libtest_mimic::run(arguments, trials.collect())
}

fn merge(into: &mut Conclusion, other: Conclusion) {
    into.num_passed += other.num_passed;
    into.num_failed += other.num_failed;
    into.num_filtered_out += other.num_filtered_out;
}
