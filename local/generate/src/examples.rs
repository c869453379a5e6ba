//! Examples of an operation: what its sample event asks, and what was answered to it (`events/answers/<function>.json`, recorded and
//! held against the real answer by the tests).

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::functions::Function;

#[derive(Default)]
pub struct Examples {
    pub body: Option<Value>,
    /// Of path and query, as text.
    pub parameters: BTreeMap<String, String>,
    pub answer: Option<Value>,
}

impl Examples {
    pub fn of(function: &Function, root: &Path) -> Result<Self> {
        let sample = root.join("events").join(format!("{}.json", function.name));
        // A new route has none yet; it is written in the same run.
        let Ok(text) = fs::read_to_string(&sample) else { return Ok(Self::default()) };
        let event: Value = serde_json::from_str(&filled(&text, &function.name)?).with_context(|| sample.display().to_string())?;
        let is_json = event["headers"]["content-type"].as_str().is_none_or(|kind| kind == "application/json");
        let body = event["body"]
            .as_str()
            .filter(|_| is_json)
            .map(serde_json::from_str)
            .transpose()
            .context("the sample's body is JSON")?;
        let mut parameters = BTreeMap::new();
        for (name, value) in event["pathParameters"].as_object().into_iter().flatten() {
            parameters.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        for pair in event["rawQueryString"].as_str().unwrap_or_default().split('&') {
            if let Some((name, value)) = pair.split_once('=') {
                parameters.insert(name.to_owned(), value.replace("%20", " "));
            }
        }
        let answer = root.join("events/answers").join(format!("{}.json", function.name));
        let answer = match fs::read_to_string(&answer) {
            Ok(text) => Some(serde_json::from_str(&text).with_context(|| answer.display().to_string())?),
            Err(_) => None,
        };
        Ok(Self { body, parameters, answer })
    }
}

const TOKEN: &str = "q7Zr2m0bX5vJ8tYw1nKd4sLhP6cGfA3eUiRoTyWxMzk";

/// The sample with something plausible in every placeholder.
fn filled(text: &str, function: &str) -> Result<String> {
    let mut filled = text.to_owned();
    while let Some(start) = filled.find("{{") {
        let length = filled[start..].find("}}").context("a placeholder ends")?;
        let name = filled[start + 2..start + length].to_owned();
        let value = match name.as_str() {
            "email" | "newcomer_email" => "ana@escola.example".to_owned(),
            "password" => "girassol amarelo 27".to_owned(),
            "code" => "492039".to_owned(),
            "recovery_code" => "k3vh-x2da-7q5m-bt4e".to_owned(),
            "challenge" | "ticket" | "token" => TOKEN.to_owned(),
            token if token.ends_with("_token") && token != "verify_token" => TOKEN.to_owned(),
            "verify_token" => "a-word-of-ours".to_owned(),
            "phone_number_id" => "210500000000002".to_owned(),
            "signature" => "0".repeat(64),
            "timestamp" => "1795348800".to_owned(),
            "free_date" => "2027-07-09".to_owned(),
            "served_phone" => "5511987654321".to_owned(),
            "soon" => "2026-11-23T12:00:00Z".to_owned(),
            "begun" => "2026-11-22T10:00:00Z".to_owned(),
            "done" => "2026-11-22T11:00:00Z".to_owned(),
            "instance_secret" => "b2xhLW11bmRvLXRva2VuLWRlLTMyLWJ5dGVzLWFxdWk.c2VncmVkbw".to_owned(),
            "flow_secret" => format!("{TOKEN}.c2VncmVkbw"),
            "evolution_url" => "https://evolution.escola.example".to_owned(),
            "unique" => "27".to_owned(),
            "flow_key" => "menu".to_owned(),
            "phone" => "+5511987654321".to_owned(),
            id if id.ends_with("_id") => example_id(id),
            other => bail!("events/{function}.json has {{{{{other}}}}}, which has no example: add an arm for it"),
        };
        filled = filled.replace(&format!("{{{{{name}}}}}"), &value);
    }
    Ok(filled)
}

/// The same one for a name, everywhere.
fn example_id(name: &str) -> String {
    let digest = name.bytes().fold(0_u64, |digest, byte| digest.wrapping_mul(31).wrapping_add(byte.into()));
    format!("019a9b70-3c00-7000-8000-{:012x}", digest & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_have_examples() {
        let text = filled(r#"{"a": "{{lead_id}}", "b": "x{{unique}}", "c": "{{lead_id}}"}"#, "x").unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((value["a"].as_str().map(str::len), &value["b"]), (Some(36), &Value::from("x27")));
        assert_eq!(value["a"], value["c"]);
        assert!(filled("{{nonsense}}", "x").is_err());
    }
}
