//! Functions made up in the numbers that are planned, to see that their templates stay within the limits of AWS.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{apis::Api, functions::Function};

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// Nobody says more about a function than this in its first line.
const HEADLINE: &str = "of a headline as long as the longest ones are, which say in one sentence what becomes of what the caller sends, and when it does not";

/// As many functions as `counts` says: `routes` and `aliases` by their first segments, `actions`, `workers` and `schedules`. Each has all
/// that one of its kind can have.
pub fn functions(counts: &Value) -> Result<Vec<Function>> {
    let mut functions = routes(counts)?;
    add_aliases(&mut functions, counts)?;
    for number in 0..count(counts, "actions")? {
        let key =
            ["$connect", "$disconnect", "$default"].get(number).map_or_else(|| format!("plan{number}"), |key| (*key).to_owned());
        functions.push(made(format!("plan_action_{number}"), json!({"trigger": "websocket", "route_key": key})));
    }
    let reads =
        json!(["LIMITS_TABLE", "UNKNOWN_OUTCOME_SECONDS", "WHATSAPP_GRAPH_URL", "WHATSAPP_GRAPH_VERSION", "PUBLIC_API_URL"]);
    for number in 0..count(counts, "workers")? {
        // The root watches this one.
        let queue = if number == 0 { "push".to_owned() } else { format!("plan_{number}") };
        let description = json!({"trigger": "queue", "queue": queue, "privilege": "files", "reads": reads});
        functions.push(made(format!("plan_worker_of_some_load_{number}"), description));
    }
    for number in 0..count(counts, "schedules")? {
        let description = json!({"trigger": "schedule", "expression": "rate(15 minutes)", "privilege": "files", "reads": reads});
        functions.push(made(format!("plan_schedule_of_some_hour_{number}"), description));
    }
    Ok(functions)
}

fn routes(counts: &Value) -> Result<Vec<Function>> {
    let mut functions = Vec::new();
    for (segment, count) in by_segment(counts, "routes")? {
        for number in 0..count {
            let path = format!("/{segment}/{{id}}/some-long-word/{{other_id}}/plan-{number}");
            let description = json!({
                "trigger": "http", "access": "staff", "privilege": "files", "method": METHODS[number % METHODS.len()], "path": path,
                "aliases": [], "reads": ["PUBLIC_API_URL", "WHATSAPP_GRAPH_URL", "WHATSAPP_GRAPH_VERSION"],
            });
            let name = format!("plan_{}_with_a_long_name_{number}", segment.replace(['-', '/', '.'], "_"));
            functions.push(made(name, description));
        }
    }
    Ok(functions)
}

/// Gives each alias to a route of the same area that has none.
fn add_aliases(functions: &mut [Function], counts: &Value) -> Result<()> {
    for (segment, count) in by_segment(counts, "aliases")? {
        for number in 0..count {
            let alias = format!("/{segment}/{{id}}/alias-{number}");
            let area = Api::of(&alias).area;
            let takes_it = |function: &&mut Function| {
                function.description["aliases"] == json!([]) && function.text("path").is_ok_and(|path| Api::of(path).area == area)
            };
            let function = functions.iter_mut().find(takes_it).with_context(|| format!("no route for the alias {alias}"))?;
            function.description["aliases"] = json!([format!("{} {alias}", function.text("method")?)]);
        }
    }
    Ok(())
}

fn made(name: String, description: Value) -> Function {
    let headline = format!("{name} {HEADLINE}.");
    Function { name, package: "planned".to_owned(), headline, details: None, description }
}

fn count(counts: &Value, kind: &str) -> Result<usize> {
    let count = counts[kind].as_u64().with_context(|| format!("no count of {kind}"))?;
    Ok(usize::try_from(count)?)
}

fn by_segment(counts: &Value, kind: &str) -> Result<BTreeMap<String, usize>> {
    let segments = counts[kind].as_object().with_context(|| format!("no counts of {kind}"))?;
    ensure!(!segments.is_empty(), "no counts of {kind}");
    segments.keys().map(|segment| Ok((segment.clone(), count(&counts[kind], segment)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_made_as_are_counted() {
        let counts = json!({
            "routes": {"leads": 3, "users": 2}, "aliases": {"followup": 2}, "actions": 4, "workers": 2, "schedules": 1,
        });
        let functions = functions(&counts).unwrap();
        assert_eq!(functions.len(), 3 + 2 + 4 + 2 + 1);
        let paths: Vec<&str> = functions
            .iter()
            .filter(|function| function.is("http"))
            .flat_map(|function| function.ways().unwrap())
            .map(|(_, path)| path)
            .collect();
        assert_eq!((paths.len(), paths.iter().filter(|path| path.starts_with("/followup/")).count()), (7, 2));
        assert!(
            super::functions(
                &json!({"routes": {"users": 1}, "aliases": {"followup": 1}, "actions": 0, "workers": 0, "schedules": 0})
            )
            .is_err()
        );
    }
}
