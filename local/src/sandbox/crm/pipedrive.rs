//! Pipedrive's persons: nobody is there once by anything, and a search that is late.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Answer, Asked,
    account::{Account, Record},
    refusal,
};

pub(super) fn answer(account: &mut Account, asked: &Asked<'_>) -> Answer {
    let id = |text: &str| text.parse::<u64>().unwrap_or_default();
    match (asked.method, asked.path.as_slice()) {
        ("GET", ["persons", "search"]) => search(account, asked),
        ("GET", ["persons"]) => list(account, asked),
        ("POST", ["persons"]) => create(account, asked.body),
        ("GET", ["persons", wanted]) => account.there(id(wanted)).map_or_else(not_found, |record| done(200, &shown(record))),
        ("PATCH", ["persons", wanted]) => {
            let fields = asked.body.as_object().cloned().unwrap_or_default();
            if account.there(id(wanted)).is_none() {
                return not_found();
            }
            if let Err(refused) = check(&fields) {
                return refused;
            }
            account.change(id(wanted), fields);
            done(200, &shown(&account.records[&id(wanted)]))
        }
        ("DELETE", ["persons", wanted]) => {
            if account.archive(id(wanted)) {
                done(200, &json!({"id": id(wanted)}))
            } else {
                not_found()
            }
        }
        _ => not_found(),
    }
}

fn not_found() -> Answer {
    refusal(404, "Person not found")
}

fn done(status: u16, data: &Value) -> Answer {
    Answer::json(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), json!({"success": true, "data": data}))
}

fn shown(record: &Record) -> Value {
    let mut person = record.fields.clone();
    for list in ["emails", "phones"] {
        person.entry(list).or_insert_with(|| json!([]));
    }
    let time = |at: Timestamp| json!(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    person.insert("id".into(), json!(record.id));
    person.insert("add_time".into(), time(record.made_at));
    person.insert("update_time".into(), time(record.changed_at));
    person.insert("is_deleted".into(), json!(record.is_archived));
    Value::Object(person)
}

fn check(fields: &Map<String, Value>) -> Result<(), Answer> {
    let are_entries = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(|entry| entry["value"].is_string()));
    for list in ["emails", "phones"] {
        if fields.get(list).is_some_and(|list| !are_entries(list)) {
            return Err(refusal(400, &format!("{list} is no list of values")));
        }
    }
    Ok(())
}

fn create(account: &mut Account, body: &Value) -> Answer {
    let fields = body.as_object().cloned().unwrap_or_default();
    if fields.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
        return refusal(400, "name is required");
    }
    if let Err(refused) = check(&fields) {
        return refused;
    }
    let id = account.add(fields);
    done(201, &shown(&account.records[&id]))
}

fn search(account: &Account, asked: &Asked<'_>) -> Answer {
    let of = |name: &str| asked.query.get(name).map(String::as_str).unwrap_or_default();
    let list = if of("fields") == "phone" { "phones" } else { "emails" };
    let has_it = |record: &&Record| {
        let entries = record.fields.get(list).and_then(Value::as_array);
        entries.is_some_and(|entries| entries.iter().any(|entry| entry["value"] == of("term")))
    };
    let found: Vec<&Record> = account.indexed().into_iter().filter(has_it).collect();
    let items: Vec<Value> =
        found.iter().map(|record| json!({"result_score": 1.2, "item": {"id": record.id, "type": "person"}})).collect();
    Answer::ok(json!({"success": true, "data": {"items": items}, "additional_data": {"next_cursor": null}}))
}

fn list(account: &Account, asked: &Asked<'_>) -> Answer {
    let since: Option<Timestamp> = asked.query.get("updated_since").and_then(|at| at.parse().ok());
    let mut rows: Vec<&Record> =
        account.records.values().filter(|record| since.is_none_or(|since| record.changed_at >= since)).collect();
    rows.sort_by_key(|record| (record.changed_at, record.id));
    let from: usize = asked.query.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or_default();
    let size = account.settings.page_size;
    let data: Vec<Value> = rows.iter().skip(from).take(size).map(|record| shown(record)).collect();
    let next = (from + size < rows.len()).then(|| (from + size).to_string());
    Answer::ok(json!({"success": true, "data": data, "additional_data": {"next_cursor": next}}))
}
