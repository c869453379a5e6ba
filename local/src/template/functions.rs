//! Functions with their events, and the queues that feed them.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_json::Value as Json;

use super::{
    EventSource, FunctionDefinition, QueueDefinition, ScheduleDefinition, Template,
    properties::Properties,
    resolve::{Resolver, text_of},
};

/// Reads a function with its events.
pub(super) fn function(properties: &Properties, template: &mut Template) -> Result<()> {
    let id = properties.id;
    let code = properties.text("CodeUri")?.with_context(|| format!("{} is missing", properties.place("CodeUri")))?;
    let binary = code.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let mut environment = BTreeMap::new();
    if let Some(Json::Object(variables)) = properties.get("Environment.Variables")? {
        for (name, value) in variables {
            let place = || properties.place(&format!("Environment.Variables.{name}"));
            environment.insert(name.clone(), text_of(&value).with_context(|| format!("{}: not text", place()))?);
        }
    }
    template.functions.push(FunctionDefinition {
        logical_id: id.to_owned(),
        binary,
        environment,
        timeout: Duration::from_secs(properties.whole("Timeout")?.unwrap_or(3)),
        memory: properties.whole("MemorySize")?.and_then(|size| u32::try_from(size).ok()).unwrap_or(128),
    });
    let events = properties.raw("Events")?.and_then(Json::as_object).cloned().unwrap_or_default();
    for (name, event) in events {
        let place = format!("{id}, event {name}");
        let kind = event.get("Type").and_then(Json::as_str).unwrap_or_default().to_owned();
        let values = event.get("Properties").cloned().unwrap_or_default();
        let event = Properties { id: &place, values, resolver: properties.resolver };
        match kind.as_str() {
            "SQS" => template.event_sources.extend(event_source(id, &event)?),
            "ScheduleV2" => template.schedules.extend(schedule(id, &event)?),
            other => bail!("resource {place}, property Type: the local cloud does not know the event {other:?}"),
        }
    }
    Ok(())
}

/// Its queue is still the queue's name: another template may declare it.
fn event_source(function: &str, event: &Properties) -> Result<Option<EventSource>> {
    if event.text("Enabled")?.is_some_and(|enabled| enabled == "false") {
        return Ok(None);
    }
    if event.raw("FilterCriteria")?.is_some() {
        bail!("{}: not supported by the local cloud", event.place("FilterCriteria"));
    }
    let arn = event.text("Queue")?.with_context(|| format!("{} is missing", event.place("Queue")))?;
    let whole = |path, default| {
        Ok::<_, anyhow::Error>(event.whole(path)?.map_or(default, |value| usize::try_from(value).unwrap_or(default)))
    };
    Ok(Some(EventSource {
        function: function.to_owned(),
        queue: arn.rsplit(':').next().unwrap_or_default().to_owned(),
        batch_size: whole("BatchSize", 10)?,
        maximum_concurrency: whole("ScalingConfig.MaximumConcurrency", 5)?,
        report_batch_item_failures: event.texts("FunctionResponseTypes")?.iter().any(|kind| kind == "ReportBatchItemFailures"),
    }))
}

fn schedule(function: &str, event: &Properties) -> Result<Option<ScheduleDefinition>> {
    if event.text("State")?.is_some_and(|state| state == "DISABLED") {
        return Ok(None);
    }
    let expression = event.text("ScheduleExpression")?;
    Ok(Some(ScheduleDefinition {
        function: function.to_owned(),
        expression: expression.with_context(|| format!("{} is missing", event.place("ScheduleExpression")))?,
        time_zone: event.text("ScheduleExpressionTimezone")?.unwrap_or_else(|| "UTC".to_owned()),
        input: event.text("Input")?.with_context(|| format!("{} is missing", event.place("Input")))?,
    }))
}

/// Reads a queue.
pub(super) fn queue(properties: &Properties) -> Result<QueueDefinition> {
    let seconds = |path, default| Ok::<_, anyhow::Error>(Duration::from_secs(properties.whole(path)?.unwrap_or(default)));
    let dead_letter = match properties.text("RedrivePolicy.deadLetterTargetArn")? {
        Some(arn) => {
            let place = || properties.place("RedrivePolicy.deadLetterTargetArn");
            let target = queue_of_arn(properties.resolver, &arn).with_context(|| format!("{}: no such queue {arn}", place()))?;
            let received = properties.whole("RedrivePolicy.maxReceiveCount")?.unwrap_or(10);
            Some((target, u32::try_from(received).unwrap_or(u32::MAX)))
        }
        None => None,
    };
    Ok(QueueDefinition {
        logical_id: properties.id.to_owned(),
        name: properties.resolver.resources[properties.id].name.clone(),
        visibility_timeout: seconds("VisibilityTimeout", 30)?,
        retention: seconds("MessageRetentionPeriod", 345_600)?,
        dead_letter,
    })
}

/// Puts the logical ids of the queues in place of their names.
pub(super) fn find_queues(template: &mut Template) -> Result<()> {
    for source in &mut template.event_sources {
        let queue = template.queues.iter().find(|queue| queue.name == source.queue);
        let queue = queue.with_context(|| format!("resource {}, event: no such queue {}", source.function, source.queue))?;
        source.queue.clone_from(&queue.logical_id);
    }
    Ok(())
}

fn queue_of_arn(resolver: &Resolver, arn: &str) -> Option<String> {
    let name = arn.rsplit(':').next()?;
    let queues = resolver.resources.iter().filter(|(_, facts)| facts.kind == "AWS::SQS::Queue");
    queues.into_iter().find(|(_, facts)| facts.name == name).map(|(id, _)| id.clone())
}
