//! HubSpot's contacts: each e-mail once, texts only, known properties only, and a search that is late.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Answer, Asked,
    account::{Account, Record},
    refusal,
};

const USUAL: [&str; 7] = ["email", "firstname", "lastname", "phone", "company", "jobtitle", "lifecyclestage"];

/// What no contact's e-mail may hold.
const REFUSED: &str = "+refused";

pub(super) fn answer(account: &mut Account, asked: &Asked<'_>) -> Answer {
    match (asked.method, asked.path.as_slice()) {
        ("POST", ["objects", "contacts", "batch", "upsert"]) => upsert(account, asked.body),
        ("POST", ["objects", "contacts", "search"]) => search(account, asked.body),
        ("GET", ["objects", "contacts"]) => list(account, asked),
        ("POST", ["objects", "contacts"]) => create(account, asked.body),
        ("PATCH", ["objects", "contacts", id]) => patch(account, id, asked.body),
        ("DELETE", ["objects", "contacts", id]) => {
            account.archive(id.parse().unwrap_or_default());
            Answer::json(StatusCode::NO_CONTENT, Value::Null)
        }
        _ => refusal(404, "Not found"),
    }
}

fn shown(record: &Record) -> Value {
    let mut properties = record.fields.clone();
    properties.insert("hs_object_id".into(), json!(record.id.to_string()));
    properties.insert("lastmodifieddate".into(), json!(record.changed_at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()));
    json!({"id": record.id.to_string(), "properties": properties, "archived": record.is_archived,
           "createdAt": record.made_at, "updatedAt": record.changed_at})
}

/// What is given, where all of it can be kept.
fn given(account: &Account, properties: &Value) -> Result<Map<String, Value>, Answer> {
    let given = properties.as_object().ok_or_else(|| refusal(400, "properties are missing"))?;
    for (name, value) in given {
        if !USUAL.contains(&name.as_str()) && !account.settings.properties.contains(name) {
            return Err(refusal(400, &format!("Property \"{name}\" does not exist")));
        }
        if !value.is_string() {
            return Err(refusal(400, &format!("Property \"{name}\" is no text")));
        }
    }
    Ok(given.clone())
}

fn with_email(account: &Account, email: &str) -> Option<u64> {
    let has_it = |record: &&Record| !record.is_archived && record.fields.get("email").and_then(Value::as_str) == Some(email);
    account.records.values().find(has_it).map(|record| record.id)
}

fn upsert(account: &mut Account, body: &Value) -> Answer {
    let inputs = body["inputs"].as_array().cloned().unwrap_or_default();
    if inputs.is_empty() || inputs.len() > 100 {
        return refusal(400, "1 to 100 inputs");
    }
    let mut all = Vec::new();
    for input in &inputs {
        let email = input["id"].as_str().unwrap_or_default().to_lowercase();
        if input["idProperty"] != "email" || email.is_empty() || all.iter().any(|(known, _)| *known == email) {
            return refusal(400, "Duplicate or missing ids in batch");
        }
        match given(account, &input["properties"]) {
            Ok(properties) => all.push((email, properties)),
            Err(refused) => return refused,
        }
    }
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for (email, mut properties) in all {
        if email.contains(REFUSED) {
            errors.push(json!({"status": "error", "category": "VALIDATION_ERROR", "message": "Property values were not valid", "context": {"ids": [email]}, "errors": []}));
            continue;
        }
        properties.insert("email".into(), json!(email));
        let known = with_email(account, &email);
        let id = known.unwrap_or_else(|| account.add(Map::new()));
        account.change(id, properties);
        let mut result = shown(&account.records[&id]);
        result["new"] = json!(known.is_none());
        results.push(result);
    }
    // No order is promised.
    results.reverse();
    let (status, mut answer) = (if errors.is_empty() { 200 } else { 207 }, json!({"status": "COMPLETE", "results": results}));
    if !errors.is_empty() {
        answer["numErrors"] = json!(errors.len());
        answer["errors"] = json!(errors);
    }
    Answer::json(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), answer)
}

fn create(account: &mut Account, body: &Value) -> Answer {
    let properties = match given(account, &body["properties"]) {
        Ok(properties) => properties,
        Err(refused) => return refused,
    };
    let email = properties.get("email").and_then(Value::as_str).filter(|email| !email.is_empty());
    if let Some(id) = email.and_then(|email| with_email(account, email)) {
        return refusal(409, &format!("Contact already exists. Existing ID: {id}"));
    }
    let id = account.add(properties);
    Answer::json(StatusCode::CREATED, shown(&account.records[&id]))
}

fn patch(account: &mut Account, id: &str, body: &Value) -> Answer {
    let id: u64 = id.parse().unwrap_or_default();
    if account.there(id).is_none() {
        return refusal(404, "resource not found");
    }
    let properties = match given(account, &body["properties"]) {
        Ok(properties) => properties,
        Err(refused) => return refused,
    };
    let email = properties.get("email").and_then(Value::as_str).filter(|email| !email.is_empty());
    if let Some(other) = email.and_then(|email| with_email(account, email)).filter(|other| *other != id) {
        return refusal(409, &format!("A contact with this e-mail exists already: {other}"));
    }
    account.change(id, properties);
    Answer::ok(shown(&account.records[&id]))
}

fn page(rows: &[&Record], after: &Value, size: usize) -> Value {
    let from: usize = after.as_str().and_then(|after| after.parse().ok()).unwrap_or_default();
    let results: Vec<Value> = rows.iter().skip(from).take(size).map(|record| shown(record)).collect();
    let mut answer = json!({"total": rows.len(), "results": results});
    if from + size < rows.len() {
        answer["paging"] = json!({"next": {"after": (from + size).to_string()}});
    }
    answer
}

fn search(account: &Account, body: &Value) -> Answer {
    let filter = &body["filterGroups"][0]["filters"][0];
    let (name, value) = (filter["propertyName"].as_str().unwrap_or_default(), filter["value"].as_str().unwrap_or_default());
    let fits = |record: &&Record| match filter["operator"].as_str() {
        Some("EQ") => record.fields.get(name).and_then(Value::as_str) == Some(value),
        Some("GTE") => record.changed_at.as_millisecond() >= value.parse().unwrap_or(i64::MAX),
        _ => false,
    };
    let rows: Vec<&Record> = account.indexed().into_iter().filter(fits).collect();
    let size = account.settings.page_size.min(usize::try_from(body["limit"].as_u64().unwrap_or(10)).unwrap_or(10));
    Answer::ok(page(&rows, &body["after"], size))
}

fn list(account: &Account, asked: &Asked<'_>) -> Answer {
    let of_archived = asked.query.get("archived").is_some_and(|archived| archived == "true");
    let rows: Vec<&Record> = account.records.values().filter(|record| record.is_archived == of_archived).collect();
    Answer::ok(page(&rows, &json!(asked.query.get("after")), account.settings.page_size))
}
