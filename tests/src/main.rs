//! The end-to-end and contract tests: real function binaries on the local cloud, spoken to over HTTP and WebSocket only. `ONLY` narrows them to
//! a domain: tests with it in their names, and what holds for all routes of its routes. `EVERY=3` runs every third of them.

mod cases;
mod clouds;

use std::{path::Path, pin::Pin, process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use tests::Stack;

use clouds::Clouds;

/// One test: an async function that panics when it fails.
pub type Case = fn(Arc<Stack>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tests mostly wait: this many run at once, on one cloud.
const TOGETHER: usize = 4;
/// Of those that want a cloud to themselves this many.
const CLOUDS: usize = 3;
/// So many tests of a run may fail beside others and pass by themselves: one that did not wait long enough on a busy machine. They are told by name.
const UNSTEADY: usize = 2;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if arguments.list {
        let listed = cases::all().into_iter().map(|(name, _)| Trial::test(name, || Ok(())));
        return libtest_mimic::run(&arguments, listed.collect()).exit_code();
    }
    let clouds = match Clouds::start() {
        Ok(clouds) => clouds,
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
    let threads = arguments.test_threads.replace(arguments.test_threads.unwrap_or(TOGETHER));
    let together: Vec<_> = cases::together().into_iter().filter(concerns).step_by(every).collect();
    let mut conclusion = on_each(&arguments, &clouds, together.clone());
    let failed = clouds.failed();
    let mut crashed = crashed(&clouds);
    arguments.test_threads = Some(1);
    if (1..=UNSTEADY).contains(&failed.len()) {
        println!("\nBy themselves, what failed beside others:");
        let again = on_each(&arguments, &clouds, together.into_iter().filter(|(name, _)| failed.contains(name)).collect());
        if !again.has_failed() {
            println!("Unsteady: {}", failed.join(", "));
            (conclusion.num_passed, conclusion.num_failed) = (conclusion.num_passed + again.num_passed, 0);
        }
    }
    merge(&mut conclusion, on_each(&arguments, &clouds, cases::undisturbed().into_iter().filter(concerns).collect()));
    arguments.test_threads = Some(threads.unwrap_or(CLOUDS));
    merge(&mut conclusion, alone(&arguments, &clouds, cases::alone().into_iter().filter(concerns).collect()));
    merge(&mut conclusion, on_each(&arguments, &clouds, cases::at_the_end().into_iter().filter(concerns).collect()));
    crashed.extend(self::crashed(&clouds));
    let never = clouds.never_exercised();
    let slowest = clouds.slowest();
    let directories = clouds.stop();
    if is_whole_run {
        println!("\nWhat took longest:\n{}", slowest.join("\n"));
        let coverage = Trial::test("every_operation_is_exercised", move || {
            if never.is_empty() {
                Ok(())
            } else {
                Err(Failed::from(format!("never answered with success: {}", never.join(", "))))
            }
        });
        let quiet = Trial::test("nothing_has_panicked_to_the_end", move || {
            let mut panicked = crashed;
            for directory in &directories {
                panicked.extend(self::panicked(directory)?);
            }
            if panicked.is_empty() { Ok(()) } else { Err(Failed::from(panicked.join("\n"))) }
        });
        merge(&mut conclusion, libtest_mimic::run(&arguments, vec![coverage, quiet]));
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

/// Lines of the database servers that tell of one of their processes dying by itself, and not of a test's hand (signal 9): everybody else's
/// connections end with it, and are made again, so that nothing else need tell. A server's log begins anew with each start.
fn crashed(clouds: &Clouds) -> Vec<String> {
    let of = |stack: Arc<Stack>| {
        let log = stack.database_log();
        let lines = log.lines().filter(|line| line.contains("was terminated by signal") && !line.contains("signal 9:"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    clouds.all().into_iter().flat_map(of).collect()
}

/// Each with a cloud to itself.
fn alone(arguments: &Arguments, clouds: &Arc<Clouds>, cases: Vec<(&'static str, Case)>) -> Conclusion {
    let trials = cases.into_iter().map(|(name, case)| {
        let clouds = Arc::clone(clouds);
        Trial::test(name, move || clouds.run_alone((name, case)).map_err(|error| Failed::from(format!("{error:#}"))))
    });
    libtest_mimic::run(arguments, trials.collect())
}

/// Each on all clouds there are.
fn on_each(arguments: &Arguments, clouds: &Arc<Clouds>, cases: Vec<(&'static str, Case)>) -> Conclusion {
    let trials = cases.into_iter().map(|(name, case)| {
        let clouds = Arc::clone(clouds);
        Trial::test(name, move || {
            clouds.all().iter().for_each(|stack| clouds.run_on(stack, (name, case)));
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
