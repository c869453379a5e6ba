//! `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join`: the intrinsic functions our templates may use.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Map, Value as Json};

pub(super) const REGION: &str = "sa-east-1";
pub(super) const ACCOUNT: &str = "123456789012";
pub(super) const STACK: &str = "balcao-local";

/// What other resources may ask about a resource.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub kind: String,
    /// Name given in the template, or made from the logical id.
    pub name: String,
}

/// Everything a reference can point at.
#[derive(Default)]
pub(super) struct Resolver {
    /// Parameters of the template that have a value; `None` for those without.
    pub parameters: BTreeMap<String, Option<Json>>,
    pub resources: BTreeMap<String, Facts>,
    pub queue_endpoint: String,
}

impl Resolver {
    /// `value` with every intrinsic function replaced by what it stands for.
    pub fn resolve(&self, value: &Json) -> Result<Json> {
        match value {
            Json::Array(items) => {
                items.iter().enumerate().map(|(index, item)| self.resolve(item).with_context(|| index.to_string())).collect()
            }
            Json::Object(map) => {
                if let Some((name, argument)) = intrinsic(map) {
                    return self.call(name, argument);
                }
                let mut resolved = Map::new();
                for (key, inner) in map {
                    resolved.insert(key.clone(), self.resolve(inner).with_context(|| key.clone())?);
                }
                Ok(Json::Object(resolved))
            }
            plain => Ok(plain.clone()),
        }
    }

    fn call(&self, name: &str, argument: &Json) -> Result<Json> {
        match name {
            "Ref" => self.reference(argument.as_str().context("Ref takes one name")?),
            "Fn::GetAtt" => {
                let (resource, attribute) = match argument {
                    Json::Array(parts) => {
                        let parts: Vec<&str> = parts.iter().filter_map(Json::as_str).collect();
                        match parts.as_slice() {
                            [resource, attribute] => (*resource, *attribute),
                            _ => bail!("Fn::GetAtt takes a resource and an attribute"),
                        }
                    }
                    Json::String(text) => text.split_once('.').context("Fn::GetAtt takes Resource.Attribute")?,
                    _ => bail!("Fn::GetAtt takes a resource and an attribute"),
                };
                self.attribute(resource, attribute).map(Json::String)
            }
            "Fn::Sub" => match argument {
                Json::String(text) => self.substitute(text, &Map::new()),
                Json::Array(parts) => {
                    let (Some(Json::String(text)), Some(Json::Object(variables)), None) =
                        (parts.first(), parts.get(1), parts.get(2))
                    else {
                        bail!("the list form of Fn::Sub takes a text and a map");
                    };
                    let mut resolved = Map::new();
                    for (key, value) in variables {
                        resolved.insert(key.clone(), self.resolve(value)?);
                    }
                    self.substitute(text, &resolved)
                }
                _ => bail!("Fn::Sub takes a text, or a list of a text and a map"),
            },
            "Fn::Join" => {
                let joined = argument.as_array().filter(|parts| parts.len() == 2).context("Fn::Join takes a text and a list")?;
                let (separator, items) = (text_of(&joined[0]), self.resolve(&joined[1])?);
                let items: Option<Vec<String>> = items.as_array().and_then(|items| items.iter().map(text_of).collect());
                let (separator, items) = separator.zip(items).context("Fn::Join takes a text and a list of texts")?;
                Ok(items.join(&separator).into())
            }
            other => bail!("{other} is not supported by the local cloud: only Ref, Fn::GetAtt, Fn::Sub and Fn::Join are"),
        }
    }

    fn reference(&self, name: &str) -> Result<Json> {
        if let Some(value) = pseudo_parameter(name) {
            return Ok(value.into());
        }
        if let Some(value) = self.parameters.get(name) {
            return value.clone().ok_or_else(|| anyhow!("parameter {name} has no default and was given no value"));
        }
        let facts = self.resources.get(name).with_context(|| format!("Ref {name}: no such parameter or resource"))?;
        Ok(match facts.kind.as_str() {
            "AWS::SQS::Queue" => format!("{}/{ACCOUNT}/{}", self.queue_endpoint, facts.name),
            _ => facts.name.clone(),
        }
        .into())
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<String> {
        let facts =
            self.resources.get(resource).with_context(|| format!("Fn::GetAtt {resource}.{attribute}: no such resource"))?;
        let name = &facts.name;
        Ok(match (facts.kind.as_str(), attribute) {
            ("AWS::SQS::Queue", "QueueName") => name.clone(),
            ("AWS::SQS::Queue", "QueueUrl") => format!("{}/{ACCOUNT}/{name}", self.queue_endpoint),
            ("AWS::SQS::Queue", "Arn") => format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"),
            ("AWS::Serverless::Function", "Arn") => function_arn(resource),
            ("AWS::DynamoDB::Table", "Arn") => {
                format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
            }
            ("AWS::S3::Bucket", "Arn") => format!("arn:aws:s3:::{name}"),
            ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
            ("AWS::Logs::LogGroup", "Arn") => {
                format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*")
            }
            (kind, _) => bail!("Fn::GetAtt {resource}.{attribute}: the local cloud does not know this attribute of {kind}"),
        })
    }

    fn substitute(&self, text: &str, variables: &Map<String, Json>) -> Result<Json> {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let (name, after) = after.split_once('}').with_context(|| format!("Fn::Sub: a brace is not closed in {text:?}"))?;
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str("${");
                result.push_str(literal);
                result.push('}');
                continue;
            }
            let name = name.trim();
            let value = match (variables.get(name), name.split_once('.')) {
                (Some(value), _) => value.clone(),
                (None, Some((resource, attribute))) => self.attribute(resource, attribute)?.into(),
                (None, None) => self.reference(name)?,
            };
            result.push_str(&text_of(&value).with_context(|| format!("Fn::Sub: {name} is not text"))?);
        }
        result.push_str(rest);
        Ok(result.into())
    }
}

/// The ARN under which the template's other resources know a function.
pub(crate) fn function_arn(logical_id: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-{logical_id}")
}

/// The logical id in a function's ARN, which may be part of a longer text such as an integration's `uri`.
pub(super) fn function_of_arn(text: &str) -> Option<&str> {
    let start = format!(":function:{STACK}-");
    let rest = &text[text.find(&start)? + start.len()..];
    Some(rest.split(['/', ':']).next().unwrap_or(rest))
}

/// Scalars as `CloudFormation` writes them into text.
pub(super) fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether an object is an intrinsic function: one key, `Ref`, `Condition` or `Fn::…`.
pub(super) fn intrinsic(map: &Map<String, Json>) -> Option<(&str, &Json)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

fn pseudo_parameter(name: &str) -> Option<&'static str> {
    Some(match name {
        "AWS::Region" => REGION,
        "AWS::AccountId" => ACCOUNT,
        "AWS::Partition" => "aws",
        "AWS::StackName" => STACK,
        "AWS::URLSuffix" => "amazonaws.com",
        _ => return None,
    })
}
