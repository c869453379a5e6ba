//! The generated blocks of `template.yaml`, between lines `# <generated: name>` and `# </generated: name>`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use crate::{
    functions::Function,
    names::{Api, check_path, logical_id},
};

/// Characters Lambda takes in a description.
const LONGEST_DESCRIPTION: usize = 256;

/// Seconds a worker may take for one job; the queues' visibility time-out is six times as long.
const WORKER_SECONDS: u32 = 30;

/// Seconds for the frames of one batch: whoever listens knows of them by itself soon after.
const PUSH_SECONDS: u32 = 3;

/// Seconds a scheduled function may take.
const SCHEDULE_SECONDS: u32 = 60;

/// The template with its generated blocks filled anew.
pub fn fill(template: &str, functions: &[Function]) -> Result<String> {
    let mut blocks = vec![("functions", resources(functions)?), ("socket-routes", socket_routes(functions)?)];
    for api in Api::ALL {
        blocks.push((api.block(), paths(functions, api)?));
    }
    let mut filled = template.to_owned();
    for (name, lines) in blocks {
        filled = fill_block(&filled, name, &lines)?;
    }
    Ok(filled)
}

/// Replaces what is between the markers of `name`, indented as they are.
fn fill_block(template: &str, name: &str, lines: &[String]) -> Result<String> {
    let (opening, closing) = (format!("# <generated: {name}>"), format!("# </generated: {name}>"));
    let mut filled = Vec::new();
    let mut is_inside = false;
    let mut blocks = 0;
    for line in template.lines() {
        if line.trim() == closing {
            ensure!(is_inside, "template.yaml has `{closing}` without `{opening}`");
            is_inside = false;
        }
        if !is_inside {
            filled.push(line.to_owned());
        }
        if line.trim() == opening {
            let indent = &line[..line.len() - line.trim_start().len()];
            filled.extend(lines.iter().map(|line| format!("{indent}{line}")));
            is_inside = true;
            blocks += 1;
        }
    }
    ensure!(blocks == 1 && !is_inside, "template.yaml needs one line `{opening}` and one `{closing}` after it");
    Ok(filled.join("\n") + "\n")
}

fn resources(functions: &[Function]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for function in functions {
        let description: String = function.headline.chars().take(LONGEST_DESCRIPTION).collect();
        let trigger = function.text("trigger")?;
        lines.extend([
            format!("{}:", logical_id(&function.name)),
            "  Type: AWS::Serverless::Function".to_owned(),
            "  Metadata: {SkipBuild: true}".to_owned(),
            "  Properties:".to_owned(),
            format!("    CodeUri: target/lambda/{}/", function.name),
            format!("    Description: {}", quoted(&description)),
            format!("    Role: !GetAtt {}.Arn", role(function, trigger)?),
        ]);
        match trigger {
            "queue" => lines.extend(queue_event(function)?),
            "schedule" => lines.extend(schedule_event(function)?),
            _ => {}
        }
    }
    Ok(lines)
}

fn role(function: &Function, trigger: &str) -> Result<&'static str> {
    Ok(match (trigger, function.text("privilege").unwrap_or("standard")) {
        ("http", "standard") => "HttpRole",
        ("http", "uploads") => "HttpUploadsRole",
        ("http", "files") => "HttpFilesRole",
        ("websocket", "standard") => "SocketRole",
        ("queue" | "schedule", "standard") => "WorkerRole",
        ("queue" | "schedule", "files") => "WorkerFilesRole",
        (_, privilege) => bail!("{} has no role for the trigger {trigger} and the privilege {privilege}", function.name),
    })
}

fn queue_event(function: &Function) -> Result<Vec<String>> {
    let queue = function.text("queue")?;
    Ok(vec![
        format!("    Timeout: {}", if queue == "push" { PUSH_SECONDS } else { WORKER_SECONDS }),
        "    Events:".to_owned(),
        "      Queue:".to_owned(),
        "        Type: SQS".to_owned(),
        "        Properties:".to_owned(),
        format!("          Queue: !GetAtt {}Queue.Arn", logical_id(queue)),
        format!("          BatchSize: {}", function.description["batch"].as_u64().unwrap_or(1)),
        "          FunctionResponseTypes: [ReportBatchItemFailures]".to_owned(),
        format!("          ScalingConfig: {{MaximumConcurrency: {}}}", concurrency(queue)),
    ])
}

/// Lanes of a queue worked on at the same time. Each holds a connection to Postgres while it works.
fn concurrency(queue: &str) -> u32 {
    match queue {
        "media" => 5,
        _ => 20,
    }
}

fn schedule_event(function: &Function) -> Result<Vec<String>> {
    Ok(vec![
        format!("    Timeout: {SCHEDULE_SECONDS}"),
        "    Events:".to_owned(),
        "      Clock:".to_owned(),
        "        Type: ScheduleV2".to_owned(),
        "        Properties:".to_owned(),
        format!("          ScheduleExpression: {}", quoted(function.text("expression")?)),
        "          OmitName: true".to_owned(),
        "          RoleArn: !GetAtt SchedulerRole.Arn".to_owned(),
        "          Input: '{}'".to_owned(),
        "          FlexibleTimeWindow: {Mode: 'OFF'}".to_owned(),
        "          RetryPolicy: {MaximumRetryAttempts: 0}".to_owned(),
    ])
}

fn paths(functions: &[Function], api: Api) -> Result<Vec<String>> {
    let mut paths: BTreeMap<&str, BTreeMap<String, &Function>> = BTreeMap::new();
    for function in functions.iter().filter(|function| function.is("http")) {
        for (method, path) in function.ways()? {
            check_path(path).with_context(|| format!("the declaration of {}", function.name))?;
            if Api::of(path) == api {
                let path = path.strip_prefix(api.base_path()).unwrap_or(path);
                paths.entry(path).or_default().insert(method.to_ascii_lowercase(), function);
            }
        }
    }
    if paths.is_empty() {
        return Ok(vec!["paths: {}".to_owned()]);
    }
    let mut lines = vec!["paths:".to_owned()];
    for (path, methods) in paths {
        lines.push(format!("  {path}:"));
        for (method, function) in methods {
            let id = logical_id(&function.name);
            lines.extend([
                format!("    {method}:"),
                "      responses: {}".to_owned(),
                "      x-amazon-apigateway-integration:".to_owned(),
                "        type: aws_proxy".to_owned(),
                "        httpMethod: POST".to_owned(),
                "        payloadFormatVersion: '2.0'".to_owned(),
                "        credentials: !GetAtt GatewayInvokeRole.Arn".to_owned(),
                format!(
                    "        uri: !Sub arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{id}.Arn}}/invocations"
                ),
            ]);
        }
    }
    Ok(lines)
}

fn socket_routes(functions: &[Function]) -> Result<Vec<String>> {
    let mut routes = BTreeMap::new();
    for function in functions.iter().filter(|function| function.is("websocket")) {
        routes.insert(function.text("route_key")?, logical_id(&function.name));
    }
    if routes.is_empty() {
        return Ok(vec!["Routes: {}".to_owned()]);
    }
    let route = |(key, id): (&str, String)| format!("  {key}: {{FunctionArn: !GetAtt {id}.Arn}}");
    Ok(["Routes:".to_owned()].into_iter().chain(routes.into_iter().map(route)).collect())
}

/// A YAML scalar in double quotes, which escape as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn function(name: &str, description: serde_json::Value) -> Function {
        Function { name: name.into(), package: "leads".into(), headline: "What \"it\" does.".into(), details: None, description }
    }

    const EMPTY: &str = "a:\n  # <generated: x>\n  old\n  # </generated: x>\nb\n";

    #[test]
    fn a_block_is_replaced_at_its_indentation() {
        let filled = fill_block(EMPTY, "x", &["one:".into(), "  two".into()]).unwrap();
        assert_eq!(filled, "a:\n  # <generated: x>\n  one:\n    two\n  # </generated: x>\nb\n");
        assert_eq!(fill_block(&filled, "x", &["one:".into(), "  two".into()]).unwrap(), filled);
        assert!(fill_block(EMPTY, "y", &[]).is_err());
    }

    #[test]
    fn every_trigger_has_its_resource() {
        let worker = function("run_bot", json!({"trigger": "queue", "queue": "bot", "privilege": "files"}));
        let clock = function(
            "dispatch_due_jobs",
            json!({"trigger": "schedule", "expression": "rate(1 minute)", "privilege": "standard"}),
        );
        let lines = resources(&[worker, clock]).unwrap().join("\n");
        for part in
            ["RunBot:", "!GetAtt BotQueue.Arn", "WorkerFilesRole", "\"rate(1 minute)\"", "What \\\"it\\\" does.", "WorkerRole"]
        {
            assert!(lines.contains(part), "{part} in {lines}");
        }
    }

    #[test]
    fn paths_lose_the_prefix_of_their_api() {
        let hook = function(
            "receive_message",
            json!({"trigger": "http", "method": "POST", "path": "/webhooks/whatsapp", "aliases": ["POST /whatsapp", "PUT /webhooks/whatsapp"]}),
        );
        let functions = [hook];
        assert!(paths(&functions, Api::Hooks).unwrap().contains(&"  /whatsapp:".to_owned()));
        assert!(paths(&functions, Api::App).unwrap().contains(&"  /whatsapp:".to_owned()));
        assert_eq!(paths(&functions, Api::Widget).unwrap(), ["paths: {}"]);
        assert_eq!(socket_routes(&functions).unwrap(), ["Routes: {}"]);
    }
}
