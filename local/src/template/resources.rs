//! From the document to the definitions of its resources.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value as Json};

use super::{
    BucketDefinition, Settings, TableDefinition, Template, apis, functions,
    properties::{Properties, merge},
    resolve::{Facts, Resolver, text_of},
    yaml,
};

/// Types that exist only in AWS and change nothing about how functions run.
const IGNORED: [&str; 14] = [
    "AWS::IAM::",
    "AWS::Logs::",
    "AWS::CloudWatch::",
    "AWS::ApiGatewayV2::DomainName",
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

/// A template's content, and where the paths in it begin.
pub(super) struct Document {
    content: Json,
    folder: Option<PathBuf>,
}

impl Document {
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self { folder: file.parent().map(Path::to_owned), ..Self::parse(&text)? })
    }

    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { content: yaml::parse(text)?, folder: None })
    }
}

/// Reads the template with its nested stacks.
pub(super) fn read(document: Document, settings: &Settings) -> Result<Template> {
    let mut template = Template::default();
    read_stack(document, settings, &mut template)?;
    functions::find_queues(&mut template)?;
    check_references(&template)?;
    Ok(template)
}

fn read_stack(document: Document, settings: &Settings, template: &mut Template) -> Result<()> {
    let Document { content, folder } = document;
    let empty = Map::new();
    let resources = content.get("Resources").and_then(Json::as_object).context("the template has no Resources")?;
    let globals = content.get("Globals").and_then(Json::as_object).unwrap_or(&empty);
    let mut resolver = Resolver {
        parameters: parameters(&content, settings)?,
        queue_endpoint: settings.queue_endpoint.trim_end_matches('/').to_owned(),
        ..Resolver::default()
    };
    resolver.resources = facts(resources, &resolver)?;

    let mut apis = Vec::new();
    let mut mappings = Vec::new();
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
            "AWS::Serverless::Function" => functions::function(&properties, template)?,
            "AWS::Serverless::HttpApi" => apis.push(apis::http_api(&properties)?),
            "AWS::ApiGatewayV2::ApiMapping" => mappings.push(apis::mapping(&properties)?),
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
            "AWS::SQS::Queue" => template.queues.push(functions::queue(&properties)?),
            "AWS::CloudFormation::Stack" => nested_stack(&properties, folder.as_deref(), template)?,
            other => bail!("resource {id}, property Type: the local cloud does not know {other}"),
        }
    }
    apis::apply_mappings(&mut apis, mappings)?;
    template.http_apis.extend(apis);
    Ok(())
}

/// Reads the template of a nested stack, with the parameters it is given.
fn nested_stack(properties: &Properties, folder: Option<&Path>, template: &mut Template) -> Result<()> {
    let place = || properties.place("TemplateURL");
    let url = properties.text("TemplateURL")?.with_context(|| format!("{} is missing", place()))?;
    let file = folder.with_context(|| format!("{}: only a template in a file can have nested stacks", place()))?.join(url);
    let mut given = BTreeMap::new();
    for (name, value) in properties.get("Parameters")?.as_ref().and_then(Json::as_object).into_iter().flatten() {
        let value = text_of(value).with_context(|| format!("{}: not text", properties.place(&format!("Parameters.{name}"))))?;
        given.insert(name.clone(), value);
    }
    let settings = Settings { parameters: given, queue_endpoint: properties.resolver.queue_endpoint.clone() };
    Document::read(&file)
        .and_then(|document| read_stack(document, &settings, template))
        .with_context(|| format!("in {}", file.display()))
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
            other => {
                bail!("parameter {name}, property Type: the local cloud does not know {other}")
            }
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
        "AWS::SQS::Queue" if fifo().and_then(text_of).is_some_and(|fifo| fifo == "true") => {
            format!("{id}.fifo")
        }
        "AWS::Serverless::WebSocketApi" => apis::WEB_SOCKET_API_ID.to_owned(),
        _ => id.to_owned(),
    }
}

fn check_references(template: &Template) -> Result<()> {
    let known = |id: &str| template.functions.iter().any(|function| function.logical_id == id);
    for api in &template.http_apis {
        if let Some(route) = api.routes.iter().find(|route| !known(&route.function)) {
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
