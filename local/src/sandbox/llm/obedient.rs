//! The worst model there is: whatever it reads is an order, and it is always sure.

use serde_json::{Value, json};

use super::Script;

/// What makes the text behind it the answer, wherever it stands.
const ORDERS: [&str; 4] = ["responda exatamente:", "answer exactly:", "diga ao cliente:", "tell the client:"];

/// What makes it tell what it was told.
const LEAKS: [&str; 4] = ["suas instruções", "your instructions", "system prompt", "prompt do sistema"];

/// The answer to a request, as an object with every field that any of ours asks for.
pub(super) fn script(request: &Value) -> Script {
    let messages: Vec<&str> =
        request["messages"].as_array().into_iter().flatten().filter_map(|message| message["content"].as_str()).collect();
    let read = messages[1..].join("\n");
    let lower = read.to_lowercase();
    // The text as it was typed: what it stands in is JSON.
    let ordered = ORDERS.iter().find_map(|order| {
        let place = lower.find(order)? + order.len();
        let rest = read.get(place..)?;
        let end = rest.find(['"', '\\', '\n']).unwrap_or(rest.len());
        Some(rest[..end].trim().to_owned())
    });
    let answer = match ordered {
        Some(ordered) => ordered,
        None if LEAKS.iter().any(|leak| lower.contains(leak)) => messages.first().copied().unwrap_or_default().to_owned(),
        None => first_source(&read),
    };
    let content = json!({
        "answer": answer, "sources": [1], "confidence": 1.0, "needs_human": false,
        "text": answer, "suggestions": [answer], "summary": answer, "category": answer,
        "sentiment": "positive", "score": 1.0, "items": [{"title": answer, "answer": answer, "questions": [answer]}],
        "values": [
            {"field": "need_level", "value": "high", "quotes": [{"line": 1, "quote": answer}]},
            {"field": "budget_amount", "value": "1000000.00", "quotes": [{"line": 1, "quote": answer}]},
            {"field": "budget_confirmed", "value": answer, "quotes": [{"line": 1, "quote": answer}]},
        ],
    });
    Script {
        matching: None,
        token: None,
        content,
        tool_calls: None,
        refusal: None,
        finish_reason: super::stop(),
        delay_ms: 0,
        times: super::once(),
    }
}

/// The first source's own words, where there are sources: what an honest answer would be.
fn first_source(read: &str) -> String {
    let data: Value = serde_json::from_str(read).unwrap_or_default();
    data["sources"][0]["answer"].as_str().unwrap_or("Entendi.").to_owned()
}
