//! From the resolved document to the definitions: functions, tables, buckets, queues, schedules.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Map, Value as Json};

use super::{
    BucketDefinition, EventSource, FunctionDefinition, QueueDefinition, ScheduleDefinition,
    Settings, TableDefinition, Template, apis,
    resolve::{Facts, Resolver, intrinsic, text_of},
};

/// Types that exist only in AWS and change nothing about how functions run.
const IGNORED: [&str; 14] = [
    "AWS::IAM::",
    "AWS::Logs::",
    "AWS::CloudWatch::",
    "AWS::ApiGatewayV2::",
    "AWS::Lambda::Permission",
    "AWS::SNS::",
    "AWS::SQS::QueuePolicy",
    "AWS::S3::BucketPolicy",
    "AWS::CertificateManager::",
    "AWS::Route53::",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::KMS::",
    "AWS::Budgets::",
    // The local cloud has its own settings in place of these.
    "AWS::SSM::Parameter",
];

/// The property of each type that names the resource.
const NAME_PROPERTIES: [(&str, &str); 7] = [
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::SSM::Parameter", "Name"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Serverless::Function", "FunctionName"),
];

/// Reads the whole document.
pub(super) fn read(document: &Json, settings: &Settings) -> Result<Template> {
    let empty = Map::new();
    let resources = document.get("Resources").and_then(Json::as_object).context("the template has no Resources")?;
    let globals = document.get("Globals").and_then(Json::as_object).unwrap_or(&empty);
    let mut resolver = Resolver {
        parameters: parameters(document, settings)?,
        queue_endpoint: settings.queue_endpoint.trim_end_matches('/').to_owned(),
        ..Resolver::default()
    };
    resolver.resources = facts(resources, &resolver)?;

    let mut template = Template::default();
    for (id, resource) in resources {
        let kind = resolver.resources[id].kind.as_str();
        if IGNORED.iter().any(|prefix| kind.starts_with(prefix)) {
            continue;
        }
        if resource.get("Condition").is_some() {
            bail!("resource {id}, property Condition: conditions are not supported by the local cloud");
        }
        let global = kind.strip_prefix("AWS::Serverless::").and_then(|section| globals.get(section));
        let own = resource.get("Properties").cloned().unwrap_or_else(|| Json::Object(Map::new()));
        let properties = Properties { id, values: merge(global.cloned(), own), resolver: &resolver };
        match kind {
            "AWS::Serverless::Function" => function(&properties, &mut template)?,
            "AWS::Serverless::HttpApi" => template.http_apis.push(apis::http_api(&properties)?),
            "AWS::Serverless::WebSocketApi" => {
                if template.web_socket_api.replace(apis::web_socket_api(&properties)?).is_some() {
                    bail!("resource {id}: the local cloud serves only one AWS::Serverless::WebSocketApi");
                }
            }
            "AWS::DynamoDB::Table" => {
                let name = resolver.resources[id].name.clone();
                let properties = properties.all()?;
                template.tables.push(TableDefinition { logical_id: id.clone(), name, properties });
            }
            "AWS::S3::Bucket" => {
                let cors_rules = properties.get("CorsConfiguration.CorsRules")?;
                let cors_rules = cors_rules.and_then(|rules| rules.as_array().cloned()).unwrap_or_default();
                let name = resolver.resources[id].name.clone();
                template.buckets.push(BucketDefinition { logical_id: id.clone(), name, cors_rules });
            }
            "AWS::SQS::Queue" => template.queues.push(queue(&properties)?),
            other => bail!("resource {id}, property Type: the local cloud does not know {other}"),
        }
    }
    apis::share_out_root(&mut template.http_apis);
    check_references(&template)?;
    Ok(template)
}

/// The properties of one resource, not yet resolved.
pub(super) struct Properties<'a> {
    pub id: &'a str,
    pub values: Json,
    pub resolver: &'a Resolver,
}

impl Properties<'_> {
    /// The resolved value at a path such as `Domain.BasePath`.
    pub fn get(&self, path: &str) -> Result<Option<Json>> {
        self.raw(path)?.map(|value| self.resolver.resolve(value).with_context(|| self.place(path))).transpose()
    }

    /// The unresolved value at a path. No intrinsic function may stand above it.
    pub fn raw(&self, path: &str) -> Result<Option<&Json>> {
        let mut value = &self.values;
        for part in path.split('.') {
            if let Some((name, _)) = value.as_object().and_then(intrinsic) {
                return Err(anyhow!("{name} cannot stand for a whole section here")).context(self.place(path));
            }
            match value.get(part) {
                Some(inner) => value = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    pub fn text(&self, path: &str) -> Result<Option<String>> {
        self.get(path)?.map(|value| text_of(&value).with_context(|| format!("{}: not text", self.place(path)))).transpose()
    }

    pub fn number(&self, path: &str) -> Result<Option<f64>> {
        let Some(text) = self.text(path)? else { return Ok(None) };
        text.parse().map(Some).with_context(|| format!("{}: {text:?} is not a number", self.place(path)))
    }

    pub fn whole(&self, path: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(path)? else { return Ok(None) };
        text.parse().map(Some).with_context(|| format!("{}: {text:?} is not a whole number", self.place(path)))
    }

    pub fn flag(&self, path: &str) -> Result<bool> {
        Ok(self.text(path)?.is_some_and(|text| text == "true"))
    }

    pub fn texts(&self, path: &str) -> Result<Vec<String>> {
        Ok(match self.get(path)? {
            Some(Json::Array(items)) => items.iter().filter_map(text_of).collect(),
            Some(one) => text_of(&one).into_iter().collect(),
            None => Vec::new(),
        })
    }

    pub fn place(&self, path: &str) -> String {
        format!("resource {}, property {path}", self.id)
    }

    fn all(&self) -> Result<Json> {
        let values = self.values.as_object().into_iter().flatten();
        values
            .map(|(key, value)| Ok((key.clone(), self.resolver.resolve(value).with_context(|| self.place(key))?)))
            .collect()
    }
}

fn parameters(document: &Json, settings: &Settings) -> Result<BTreeMap<String, Option<Json>>> {
    let declared = document.get("Parameters").and_then(Json::as_object);
    let mut values = BTreeMap::new();
    for (name, parameter) in declared.into_iter().flatten() {
        let text = match settings.parameters.get(name) {
            Some(given) => Some(given.clone()),
            None => parameter.get("Default").and_then(text_of),
        };
        let kind = parameter.get("Type").and_then(Json::as_str).unwrap_or("String");
        let value = match kind {
            "String" | "Number" => text.map(Json::String),
            "CommaDelimitedList" => text.map(|text| text.split(',').map(|item| Json::from(item.trim())).collect()),
            other => bail!("parameter {name}, property Type: the local cloud does not know {other}"),
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// Names of all resources. A name may refer to parameters but not to other resources.
fn facts(resources: &Map<String, Json>, resolver: &Resolver) -> Result<BTreeMap<String, Facts>> {
    let mut facts = BTreeMap::new();
    for (id, resource) in resources {
        let kind = resource.get("Type").and_then(Json::as_str).with_context(|| format!("resource {id} has no Type"))?;
        let property = NAME_PROPERTIES.iter().find(|(of, _)| *of == kind).map(|(_, property)| *property);
        let given = property.and_then(|property| resource.get("Properties")?.get(property));
        let name = match given {
            Some(value) => {
                let place = || format!("resource {id}, property {}", property.unwrap_or_default());
                let value = resolver.resolve(value).with_context(place)?;
                text_of(&value).with_context(|| format!("{}: not text", place()))?
            }
            None => name_from_id(id, kind, resource),
        };
        facts.insert(id.clone(), Facts { kind: kind.to_owned(), name });
    }
    Ok(facts)
}

fn name_from_id(id: &str, kind: &str, resource: &Json) -> String {
    let fifo = || resource.get("Properties").and_then(|properties| properties.get("FifoQueue"));
    match kind {
        "AWS::S3::Bucket" => id.to_lowercase(),
        "AWS::SQS::Queue" if fifo().and_then(text_of).is_some_and(|fifo| fifo == "true") => format!("{id}.fifo"),
        "AWS::Serverless::WebSocketApi" => apis::WEB_SOCKET_API_ID.to_owned(),
        _ => id.to_owned(),
    }
}

/// SAM's rule: maps are merged, lists are joined, everything else is replaced.
fn merge(global: Option<Json>, own: Json) -> Json {
    match (global, own) {
        (Some(Json::Object(global)), Json::Object(own)) if intrinsic(&global).is_none() && intrinsic(&own).is_none() => {
            let mut merged = global;
            for (key, value) in own {
                let value = merge(merged.remove(&key), value);
                merged.insert(key, value);
            }
            Json::Object(merged)
        }
        (Some(Json::Array(mut global)), Json::Array(own)) => {
            global.extend(own);
            Json::Array(global)
        }
        (_, own) => own,
    }
}

fn function(properties: &Properties, template: &mut Template) -> Result<()> {
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

fn event_source(function: &str, event: &Properties) -> Result<Option<EventSource>> {
    if event.text("Enabled")?.is_some_and(|enabled| enabled == "false") {
        return Ok(None);
    }
    if event.raw("FilterCriteria")?.is_some() {
        bail!("{}: not supported by the local cloud", event.place("FilterCriteria"));
    }
    let arn = event.text("Queue")?.with_context(|| format!("{} is missing", event.place("Queue")))?;
    let whole = |path, default| Ok::<_, anyhow::Error>(event.whole(path)?.map_or(default, |value| usize::try_from(value).unwrap_or(default)));
    Ok(Some(EventSource {
        function: function.to_owned(),
        queue: queue_of_arn(event.resolver, &arn).with_context(|| format!("{}: no such queue {arn}", event.place("Queue")))?,
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

fn queue(properties: &Properties) -> Result<QueueDefinition> {
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

fn queue_of_arn(resolver: &Resolver, arn: &str) -> Option<String> {
    let name = arn.rsplit(':').next()?;
    let queues = resolver.resources.iter().filter(|(_, facts)| facts.kind == "AWS::SQS::Queue");
    queues.into_iter().find(|(_, facts)| facts.name == name).map(|(id, _)| id.clone())
}

fn check_references(template: &Template) -> Result<()> {
    let known = |id: &str| template.functions.iter().any(|function| function.logical_id == id);
    for api in &template.http_apis {
        for route in api.routes.iter().filter(|route| !known(&route.function)) {
            bail!("resource {}, route {} {}: no such function {}", api.logical_id, route.method, route.path, route.function);
        }
    }
    for (key, function) in template.web_socket_api.iter().flat_map(|api| &api.routes) {
        if !known(function) {
            bail!("WebSocket route {key}: no such function {function}");
        }
    }
    Ok(())
}
