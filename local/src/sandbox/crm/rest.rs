//! A CRM that takes contacts and says what it calls each.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Asked, account::Account, refusal};

pub(super) fn answer(account: &mut Account, asked: &Asked<'_>) -> Answer {
    let (Some(fields), "POST", ["contacts"]) = (asked.body.as_object(), asked.method, asked.path.as_slice()) else {
        return refusal(404, "Not found");
    };
    if fields.get("nome_completo").and_then(Value::as_str).is_none_or(str::is_empty) {
        return refusal(422, "nome_completo is required");
    }
    let once = asked.once.filter(|_| account.settings.knows_keys);
    let known = once.and_then(|once| account.keys.get(once).copied());
    let named = fields.get("crm_id").and_then(Value::as_str).map(|id| id.parse::<u64>().unwrap_or_default());
    if named.is_some_and(|id| account.there(id).is_none()) {
        return refusal(404, "There is no such contact");
    }
    let (id, status) = match known.or(named) {
        Some(id) => {
            account.change(id, fields.clone());
            (id, StatusCode::OK)
        }
        None => (account.add(fields.clone()), StatusCode::CREATED),
    };
    if let Some(once) = once {
        account.keys.insert(once.to_owned(), id);
    }
    Answer::json(status, json!({"crm_id": id.to_string()}))
}
