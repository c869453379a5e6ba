//! The template's text as JSON in which every short tag has its long form.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value as Json, json};
use yaml_serde::Value as Yaml;

/// Parses YAML and turns `!Ref x` into `{"Ref": "x"}` and `!Name x` into `{"Fn::Name": x}`.
pub(super) fn parse(text: &str) -> Result<Json> {
    let mut document: Yaml = yaml_serde::from_str(text).context("the template is not YAML")?;
    document.apply_merge().context("a merge key (<<) of the template is wrong")?;
    convert(&document)
}

fn convert(value: &Yaml) -> Result<Json> {
    Ok(match value {
        Yaml::Null => Json::Null,
        Yaml::Bool(value) => Json::Bool(*value),
        Yaml::Number(number) => number_as_json(number),
        Yaml::String(text) => Json::String(text.clone()),
        Yaml::Sequence(items) => Json::Array(items.iter().map(convert).collect::<Result<_>>()?),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key_as_text(key)?, convert(value)?);
            }
            Json::Object(map)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let inner = convert(&tagged.value)?;
            match tag.trim_start_matches('!') {
                name @ ("Ref" | "Condition") => json!({ name: inner }),
                // The short form of GetAtt is one string, its long form a list.
                "GetAtt" => match inner.as_str().and_then(|text| text.split_once('.')) {
                    Some((resource, attribute)) => json!({"Fn::GetAtt": [resource, attribute]}),
                    None => json!({"Fn::GetAtt": inner}),
                },
                name => json!({ format!("Fn::{name}"): inner }),
            }
        }
    })
}

fn number_as_json(number: &yaml_serde::Number) -> Json {
    if let Some(value) = number.as_u64() {
        return value.into();
    }
    if let Some(value) = number.as_i64() {
        return value.into();
    }
    number.as_f64().map_or(Json::Null, Json::from)
}

fn key_as_text(key: &Yaml) -> Result<String> {
    Ok(match key {
        Yaml::String(text) => text.clone(),
        Yaml::Number(number) => number.to_string(),
        Yaml::Bool(value) => value.to_string(),
        other => bail!("a key of the template is not text: {other:?}"),
    })
}
