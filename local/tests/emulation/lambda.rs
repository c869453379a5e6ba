use std::time::Duration;

use local::{InvokeError, lambda::Invoked};
use serde_json::{Value, json};

use crate::support::{Stack, eventually, json, options, runs, state};

async fn invoke(stack: &Stack, function: &str, order: Value) -> Invoked {
    stack.cloud.runtime.invoke(function, order.to_string().into()).await
}

/// Process id of the function that answered.
fn pid(invoked: &Invoked) -> u64 {
    let answer: Value = serde_json::from_slice(invoked.result.as_ref().expect("an answer")).expect("JSON");
    let said: Value = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON");
    said["pid"].as_u64().expect("a pid")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_serves_calls_one_after_another() {
    let stack = Stack::start().await;
    let first = invoke(&stack, "Echo", json!({})).await;
    assert!(first.cold);
    for _ in 0..100 {
        let next = invoke(&stack, "Echo", json!({})).await;
        assert_eq!((pid(&next), next.cold), (pid(&first), false));
    }
    assert_eq!(stack.cloud.runtime.processes("Echo"), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_what_lambda_gives() {
    let stack = Stack::start().await;
    let said = json(&stack.get("/echo/x", &[]).await);
    let environment = said["environment"].as_object().expect("an object");
    let addresses = &stack.cloud.addresses;
    let expected = [
        ("AWS_LAMBDA_FUNCTION_NAME", "Echo"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_REGION", "sa-east-1"),
        ("AWS_ENDPOINT_URL_SQS", &addresses.sqs),
        ("STAGE", "dev"),
        ("TABLE", "Connections"),
        ("BUCKET", "media"),
        ("QUEUE_URL", &format!("{}/123456789012/Jobs.fifo", addresses.sqs)),
        ("API_URL", &format!("{}/api", addresses.api)),
    ];
    for (name, value) in expected {
        assert_eq!(environment[name], value, "{name}");
    }
    for inherited in ["PATH", "HOME", "CARGO_MANIFEST_DIR"] {
        assert!(!environment.contains_key(inherited), "{inherited}");
    }
    let remaining = said["remaining"].as_u64().expect("a number");
    assert!(remaining <= 5000 && remaining > 1000, "{remaining}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_fails_only_its_own_call() {
    let stack = Stack::start().await;
    let (slow, crashed) = tokio::join!(invoke(&stack, "Echo", json!({"do": "sleep", "ms": 500})), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        invoke(&stack, "Echo", json!({"do": "exit"})).await
    });
    let Err(InvokeError::Failed { error_type, message }) = crashed.result else { panic!("{crashed:?}") };
    assert_eq!(error_type, "Runtime.ExitError");
    assert!(message.contains("exit status: 3"), "{message}");
    assert!(crashed.took < Duration::from_secs(3), "noticed at once");
    let after = invoke(&stack, "Echo", json!({})).await;
    assert_eq!(pid(&after), pid(&slow));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_function_are_passed_on() {
    let stack = Stack::start().await;
    let failed = invoke(&stack, "Echo", json!({"do": "fail"})).await;
    let Err(InvokeError::Failed { message, .. }) = failed.result else { panic!("{failed:?}") };
    assert_eq!(message, "told to fail");
    let panicked = invoke(&stack, "Echo", json!({"do": "panic"})).await;
    assert!(matches!(panicked.result, Err(InvokeError::Failed { .. })));
    assert_eq!(stack.cloud.runtime.processes("Echo"), 1, "a caught panic does not end the process");
    let large = invoke(&stack, "Echo", json!({"do": "large"})).await;
    assert!(matches!(large.result, Err(InvokeError::Failed { error_type, .. }) if error_type == "Function.ResponseSizeTooLarge"));
    let broken = invoke(&stack, "Broken", json!({})).await;
    assert!(matches!(broken.result, Err(InvokeError::Failed { error_type, .. }) if error_type == "Runtime.ExitError"));
    let missing = invoke(&stack, "Missing", json!({})).await;
    let Err(InvokeError::Unknown(message)) = missing.result else { panic!("{missing:?}") };
    assert!(message.ends_with("never_built is not built: make programs"), "{message}");
    assert!(matches!(invoke(&stack, "Nobody", json!({})).await.result, Err(InvokeError::Unknown(_))));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_kills_the_process() {
    let stack = Stack::start().await;
    let first = invoke(&stack, "Short", json!({})).await;
    let late = invoke(&stack, "Short", json!({"do": "sleep", "ms": 20_000})).await;
    assert_eq!(late.result, Err(InvokeError::TimedOut));
    assert!(late.took < Duration::from_secs(4), "{:?}", late.took);
    let next = invoke(&stack, "Short", json!({})).await;
    assert!(next.cold);
    assert_ne!(pid(&next), pid(&first));
    eventually("the late process is gone", || !runs(pid(&first))).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn load_starts_more_processes_up_to_the_limit() {
    let mut options = options();
    options.limits.per_function = 3;
    let stack = Stack::with(options).await;
    let order = || json!({"do": "sleep", "ms": 300});
    let calls: Vec<_> = (0..6).map(|_| invoke(&stack, "Echo", order())).collect();
    let mut pids: Vec<u64> = futures_util::future::join_all(calls).await.iter().map(pid).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 3, "six calls wait for three processes");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_is_throttled() {
    let mut options = options();
    options.limits.per_function = 1;
    options.limits.queue_wait = Duration::from_millis(300);
    let stack = Stack::with(options).await;
    invoke(&stack, "Echo", json!({})).await;
    let (slow, throttled) = tokio::join!(invoke(&stack, "Echo", json!({"do": "sleep", "ms": 2000})), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        invoke(&stack, "Echo", json!({})).await
    });
    assert!(slow.result.is_ok());
    assert_eq!(throttled.result, Err(InvokeError::Throttled));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_process_makes_room_for_another_function() {
    let mut options = options();
    options.limits.total = 1;
    let stack = Stack::with(options).await;
    invoke(&stack, "Echo", json!({})).await;
    invoke(&stack, "Slow", json!({})).await;
    assert_eq!((stack.cloud.runtime.processes("Echo"), stack.cloud.runtime.processes("Slow")), (0, 1));
    // And a call that finds no idle process waits until there is one.
    let (busy, waiting) = tokio::join!(invoke(&stack, "Slow", json!({"do": "sleep", "ms": 300})), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        invoke(&stack, "Echo", json!({})).await
    });
    assert!(busy.result.is_ok() && waiting.result.is_ok());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unused_processes_are_ended() {
    let mut options = options();
    options.limits.idle = Duration::from_millis(200);
    let stack = Stack::with(options).await;
    let pid = pid(&invoke(&stack, "Echo", json!({})).await);
    assert!(runs(pid));
    eventually("the idle process is gone", || !runs(pid) && stack.cloud.runtime.processes("Echo") == 0).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_processes_thaw_for_the_next_event() {
    let mut options = options();
    options.limits.freeze = true;
    let stack = Stack::with(options).await;
    let first = pid(&invoke(&stack, "Echo", json!({})).await);
    for _ in 0..3 {
        eventually("the process is stopped", || state(first) == Some('T')).await;
        assert_eq!(pid(&invoke(&stack, "Echo", json!({})).await), first);
    }
    stack.stop().await;
    eventually("a stopped process ends with the cloud", || !runs(first)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_build_replaces_idle_processes() {
    let mut options = options();
    let binaries = options.directory.join("binaries");
    std::fs::create_dir_all(&binaries).expect("a directory");
    let build = || std::fs::copy(options.binaries.0.join("probe_function"), binaries.join("new")).expect("a copy");
    build();
    std::fs::rename(binaries.join("new"), binaries.join("probe_function")).expect("a binary");
    let original = std::mem::replace(&mut options.binaries.0, binaries.clone());
    let stack = Stack::with(options).await;
    let first = pid(&invoke(&stack, "Echo", json!({})).await);
    std::fs::copy(original.join("probe_function"), binaries.join("new")).expect("a copy");
    std::fs::rename(binaries.join("new"), binaries.join("probe_function")).expect("a binary");
    eventually("the old process is gone", || !runs(first)).await;
    assert_ne!(pid(&invoke(&stack, "Echo", json!({})).await), first);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_written_to_the_log_file() {
    let stack = Stack::start().await;
    invoke(&stack, "Echo", json!({"do": "print", "line": "a line of my own"})).await;
    let log = stack.directory.join("logs/Echo.log");
    eventually("both lines are in the log", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("started") && log.contains("a line of my own\n"))
    })
    .await;
    stack.stop().await;
}
