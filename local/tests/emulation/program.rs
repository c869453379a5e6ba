use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use local::cloud::Addresses;

use crate::support::{LONG, eventually, json, options, runs, send, state};

/// The real program, for what can only be seen from outside.
fn up(directory: &Path, extra: &[&str]) -> Child {
    let options = options();
    Command::new(env!("CARGO_BIN_EXE_local"))
        .args(["up", "--ephemeral", "--memory", "--until-eof", "--no-schedules", "--no-postgres", "--directory"])
        .arg(directory)
        .arg("--template")
        .arg(&options.template)
        .arg("--binaries")
        .arg(&options.binaries.0)
        .args(extra)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

async fn ready(directory: &Path) -> Addresses {
    eventually("run.json is there", || Addresses::of_running(directory).is_ok()).await;
    Addresses::of_running(directory).expect("run.json")
}

async fn function_pid(addresses: &Addresses) -> u64 {
    let request = http::Request::get(format!("{}/echo/x", addresses.api)).body(http_body_util::Full::default());
    json(&send(request.expect("a request")).await)["pid"].as_u64().expect("a pid")
}

fn wait(mut child: Child) -> std::process::ExitStatus {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        assert!(Instant::now() < deadline, "the program does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_die_with_the_program_and_the_next_run_is_not_disturbed() {
    let directory = options().directory;
    for freeze in [&[][..], &["--freeze"][..]] {
        let mut child = up(&directory, freeze);
        let addresses = ready(&directory).await;
        let pid = function_pid(&addresses).await;
        if !freeze.is_empty() {
            eventually("the process is stopped", || state(pid) == Some('T')).await;
        }
        child.kill().expect("SIGKILL");
        let _ = child.wait();
        eventually("the function is gone", || !runs(pid)).await;
        assert!(directory.join("run.json").exists(), "nobody could remove it");
        std::fs::remove_file(directory.join("run.json")).expect("so that `ready` waits for the new one");
        std::fs::write(directory.join("run.json"), "{").expect("damaged as well");
    }

    let mut first = up(&directory, &[]);
    let addresses = ready(&directory).await;
    let second = up(&directory, &[]).wait_with_output().expect("it ends");
    assert!(!second.status.success());
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(message.contains("another local cloud runs in") && message.contains(&addresses.api), "{message}");

    let fired = Command::new(env!("CARGO_BIN_EXE_local"))
        .args(["fire", "Nightly", "--directory"])
        .arg(&directory)
        .output()
        .expect("it ends");
    assert!(fired.status.success() && String::from_utf8_lossy(&fired.stdout).contains("nightly"));

    let pid = function_pid(&addresses).await;
    drop(first.stdin.take());
    assert!(wait(first).success(), "the end of standard input stops it");
    assert!(!runs(pid));
    assert!(!directory.join("run.json").exists());
    let _ = std::fs::remove_dir_all(directory);
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let options = options();
    let output = Command::new(env!("CARGO_BIN_EXE_local"))
        .args(["up", "--port", &port.to_string(), "--directory"])
        .arg(&options.directory)
        .output()
        .expect("it ends");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains(&format!("port {port} (for the API) is taken")) && message.contains("--ephemeral"), "{message}");
    let _ = std::fs::remove_dir_all(options.directory);
}
