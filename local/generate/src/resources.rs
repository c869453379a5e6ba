//! Functions and queues as resources of a template.

use anyhow::{Result, bail};

use crate::{
    environment::{Place, variables},
    functions::Function,
    names::logical_id,
};

/// Characters Lambda takes in a description.
const LONGEST_DESCRIPTION: usize = 256;

/// Seconds a worker may take for one job, unless it says otherwise.
const WORKER_SECONDS: u64 = 30;

/// Seconds for the frames of one batch: whoever listens knows of them by itself soon after.
const PUSH_SECONDS: u64 = 3;

/// Seconds a scheduled function may take.
const SCHEDULE_SECONDS: u32 = 60;

const FOUR_DAYS: u32 = 345_600;

/// Longest that SQS keeps a message back, in seconds.
const LONGEST_DELAY: u32 = 900;

/// The function, with what calls it if that is a queue or the clock.
pub fn function(function: &Function, place: Place) -> Result<Vec<String>> {
    let description: String = function.headline.chars().take(LONGEST_DESCRIPTION).collect();
    let trigger = function.text("trigger")?;
    let mut lines = vec![
        format!("{}:", logical_id(&function.name)),
        "  Type: AWS::Serverless::Function".to_owned(),
        "  Metadata: {SkipBuild: true}".to_owned(),
        "  Properties:".to_owned(),
        format!("    CodeUri: {}/{}/", place.code(), function.name),
        format!("    Description: {}", quoted(&description)),
        format!("    Role: {}", place.value(role(function, trigger)?)?),
        "    Environment:".to_owned(),
        "      Variables:".to_owned(),
    ];
    for (variable, given) in variables(function)? {
        lines.push(format!("        {variable}: {}", place.value(given)?));
    }
    match trigger {
        "queue" => lines.extend(queue_event(function)?),
        "schedule" => lines.extend(schedule_event(function, place)?),
        _ => {}
    }
    Ok(lines)
}

fn role(function: &Function, trigger: &str) -> Result<&'static str> {
    Ok(match (trigger, function.text("privilege").unwrap_or("standard")) {
        ("http", "standard") => "HttpRoleArn",
        ("http", "uploads") => "HttpUploadsRoleArn",
        ("http", "files") => "HttpFilesRoleArn",
        ("websocket", "standard") => "SocketRoleArn",
        ("queue" | "schedule", "standard") => "WorkerRoleArn",
        ("queue" | "schedule", "files") => "WorkerFilesRoleArn",
        (_, privilege) => bail!("{} has no role for the trigger {trigger} and the privilege {privilege}", function.name),
    })
}

/// The logical id of the queue of a worker.
pub fn queue_id(worker: &Function) -> Result<String> {
    Ok(format!("{}Queue", logical_id(worker.text("queue")?)))
}

/// Whether a worker's queue holds messages that no job's row remembers: they are soon outdated, and nothing is left of one that fails.
fn takes_messages(worker: &Function) -> bool {
    worker.description["batch"].is_u64()
}

fn seconds(worker: &Function) -> u64 {
    if takes_messages(worker) { PUSH_SECONDS } else { worker.description["seconds"].as_u64().unwrap_or(WORKER_SECONDS) }
}

fn queue_event(worker: &Function) -> Result<Vec<String>> {
    Ok(vec![
        format!("    Timeout: {}", seconds(worker)),
        "    Events:".to_owned(),
        "      Queue:".to_owned(),
        "        Type: SQS".to_owned(),
        "        Properties:".to_owned(),
        format!("          Queue: !Ref {}Arn", queue_id(worker)?),
        format!("          BatchSize: {}", worker.description["batch"].as_u64().unwrap_or(1)),
        "          FunctionResponseTypes: [ReportBatchItemFailures]".to_owned(),
        format!("          ScalingConfig: {{MaximumConcurrency: {}}}", concurrency(worker.text("queue")?)),
    ])
}

/// Lanes of a queue worked on at the same time. Each holds a connection to Postgres while it works. One company gets half of them:
/// see `app.room_for_jobs`.
fn concurrency(queue: &str) -> u32 {
    match queue {
        "media" | "preparation" => 5,
        _ => 20,
    }
}

fn schedule_event(function: &Function, place: Place) -> Result<Vec<String>> {
    Ok(vec![
        format!("    Timeout: {SCHEDULE_SECONDS}"),
        "    Events:".to_owned(),
        "      Clock:".to_owned(),
        "        Type: ScheduleV2".to_owned(),
        "        Properties:".to_owned(),
        format!("          ScheduleExpression: {}", quoted(function.text("expression")?)),
        "          OmitName: true".to_owned(),
        format!("          RoleArn: {}", place.value("SchedulerRoleArn")?),
        "          Input: '{}'".to_owned(),
        "          FlexibleTimeWindow: {Mode: 'OFF'}".to_owned(),
        "          RetryPolicy: {MaximumRetryAttempts: 0}".to_owned(),
    ])
}

/// The queue of a worker and, for jobs, where their messages go whose worker could not even record a failure.
pub fn queue(worker: &Function) -> Result<Vec<String>> {
    let (id, name) = (queue_id(worker)?, worker.text("queue")?);
    let is_fifo = worker.description["fifo"] != false;
    let mut lines = if is_fifo { fifo_queue(&id, name) } else { standard_queue(&id, name) };
    let kept = match (takes_messages(worker), is_fifo) {
        (false, _) => FOUR_DAYS,
        (true, true) => 60,
        (true, false) => LONGEST_DELAY + 300,
    };
    // No message comes back while its function may still work on it, or Lambda holds it back.
    let hidden = match worker.description["hidden"].as_u64() {
        Some(hidden) => hidden,
        None if takes_messages(worker) => PUSH_SECONDS + 1,
        None => 6 * WORKER_SECONDS,
    };
    lines.extend([format!("    VisibilityTimeout: {hidden}"), format!("    MessageRetentionPeriod: {kept}")]);
    if !takes_messages(worker) {
        let dead = dead_letter_id(worker)?;
        lines.push(format!("    RedrivePolicy: {{deadLetterTargetArn: !GetAtt {dead}.Arn, maxReceiveCount: 20}}"));
        lines.extend(fifo_queue(&dead, &format!("{name}-dead")));
        lines.push("    MessageRetentionPeriod: 1209600".to_owned());
    }
    Ok(lines)
}

fn dead_letter_id(worker: &Function) -> Result<String> {
    Ok(format!("{}DeadLetterQueue", logical_id(worker.text("queue")?)))
}

fn fifo_queue(id: &str, name: &str) -> Vec<String> {
    vec![
        format!("{id}:"),
        "  Type: AWS::SQS::Queue".to_owned(),
        "  Properties:".to_owned(),
        format!("    QueueName: !Sub ${{AWS::StackName}}-{name}.fifo"),
        "    FifoQueue: true".to_owned(),
        "    ContentBasedDeduplication: false".to_owned(),
        "    DeduplicationScope: messageGroup".to_owned(),
        "    FifoThroughputLimit: perMessageGroupId".to_owned(),
        "    SqsManagedSseEnabled: true".to_owned(),
    ]
}

/// One that may keep each message back for a while.
fn standard_queue(id: &str, name: &str) -> Vec<String> {
    vec![
        format!("{id}:"),
        "  Type: AWS::SQS::Queue".to_owned(),
        "  Properties:".to_owned(),
        format!("    QueueName: !Sub ${{AWS::StackName}}-{name}"),
        "    SqsManagedSseEnabled: true".to_owned(),
    ]
}

/// The alarm on a worker's dead-letter queue, if it has one.
pub fn queue_alarm(worker: &Function) -> Result<Vec<String>> {
    if takes_messages(worker) {
        return Ok(Vec::new());
    }
    let (name, dead) = (worker.text("queue")?, dead_letter_id(worker)?);
    Ok(alarm(
        &format!("{}DeadLetterAlarm", logical_id(name)),
        &[
            format!("AlarmDescription: A job of the {name} queue could not even be recorded as failed."),
            "Namespace: AWS/SQS".to_owned(),
            "MetricName: ApproximateNumberOfMessagesVisible".to_owned(),
            format!("Dimensions: [{{Name: QueueName, Value: !GetAtt {dead}.QueueName}}]"),
            "Statistic: Maximum".to_owned(),
            "Threshold: 0".to_owned(),
        ],
    ))
}

/// An alarm on what is above its threshold within five minutes.
pub fn alarm(id: &str, properties: &[String]) -> Vec<String> {
    let mut lines = vec![format!("{id}:"), "  Type: AWS::CloudWatch::Alarm".to_owned(), "  Properties:".to_owned()];
    lines.extend(properties.iter().map(|property| format!("    {property}")));
    lines.extend([
        "    Period: 300".to_owned(),
        "    EvaluationPeriods: 1".to_owned(),
        "    ComparisonOperator: GreaterThanThreshold".to_owned(),
        "    TreatMissingData: notBreaching".to_owned(),
        "    AlarmActions: [!Ref AlarmTopic]".to_owned(),
    ]);
    lines
}

/// A YAML scalar in double quotes, which escape as JSON does.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(name: &str, description: serde_json::Value) -> Function {
        Function { name: name.into(), package: "leads".into(), headline: "What \"it\" does.".into(), details: None, description }
    }

    #[test]
    fn every_trigger_has_its_resource() {
        let worker = described("run_bot", json!({"trigger": "queue", "queue": "bot", "privilege": "files"}));
        let lines = function(&worker, Place::Stack).unwrap().join("\n");
        for part in
            ["RunBot:", "!Ref BotQueueArn", "!Ref WorkerFilesRoleArn", "What \\\"it\\\" does.", "../../target/lambda/run_bot/"]
        {
            assert!(lines.contains(part), "{part} in {lines}");
        }
        let clock = json!({"trigger": "schedule", "expression": "rate(1 minute)", "privilege": "standard"});
        let lines = function(&described("dispatch_due_jobs", clock), Place::Stack).unwrap().join("\n");
        assert!(lines.contains("\"rate(1 minute)\"") && lines.contains("!Ref WorkerRoleArn"), "{lines}");
        let action = json!({"trigger": "websocket", "route_key": "ping", "uses": "database"});
        let lines = function(&described("ping", action), Place::Root).unwrap().join("\n");
        assert!(lines.contains("!GetAtt SocketRole.Arn") && lines.contains(" target/lambda/ping/"), "{lines}");
    }

    #[test]
    fn a_worker_that_says_so_has_less_time() {
        let own = json!({"trigger": "queue", "queue": "bot", "privilege": "standard", "seconds": 15, "hidden": 21});
        let worker = described("run_bot", own);
        assert!(function(&worker, Place::Stack).unwrap().contains(&"    Timeout: 15".to_owned()));
        assert!(queue(&worker).unwrap().contains(&"    VisibilityTimeout: 21".to_owned()));
    }

    #[test]
    fn only_jobs_have_a_dead_letter_queue() {
        let jobs = described("run_bot", json!({"trigger": "queue", "queue": "bot", "privilege": "files"}));
        let lines = queue(&jobs).unwrap().join("\n");
        assert!(lines.contains("BotDeadLetterQueue:") && lines.contains("VisibilityTimeout: 180"), "{lines}");
        assert!(queue_alarm(&jobs).unwrap().join("\n").contains("!GetAtt BotDeadLetterQueue.QueueName"));
        let messages =
            described("push_events", json!({"trigger": "queue", "queue": "push", "batch": 10, "privilege": "standard"}));
        let lines = queue(&messages).unwrap().join("\n");
        assert!(!lines.contains("Dead") && lines.contains("VisibilityTimeout: 4") && lines.contains("Period: 60"), "{lines}");
        assert!(queue_alarm(&messages).unwrap().is_empty());
        let timers = json!({"trigger": "queue", "queue": "timer", "batch": 10, "fifo": false, "privilege": "standard"});
        let lines = queue(&described("start_timed_jobs", timers)).unwrap().join("\n");
        assert!(!lines.contains("Fifo") && !lines.contains(".fifo") && lines.contains("Period: 1200"), "{lines}");
    }
}
