//! An account: who is subscribed, what can be put on them, and what was sent to them.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Answer, Outcome, answers::Failed};

/// How an account behaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "switches")]
pub struct AccountSettings {
    /// Whether mobiles of areas from 31 on are stored without their ninth digit, as WhatsApp knows them.
    pub drops_ninth_digit: bool,
    /// Whether creating somebody answers them; `{}` otherwise.
    pub shows_created: bool,
    /// Whether numbers with a plus are invalid when somebody is created.
    pub refuses_plus: bool,
    /// Whether the key is good for nothing any more.
    pub refuses_key: bool,
    /// Subscribers on one page.
    pub page_size: usize,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self { drops_ninth_digit: true, shows_created: false, refuses_plus: false, refuses_key: false, page_size: 100 }
    }
}

#[derive(Debug, Default)]
pub(super) struct Account {
    pub settings: AccountSettings,
    pub subscribers: BTreeMap<u64, Subscriber>,
    pub tags: BTreeMap<u64, String>,
    pub fields: BTreeMap<u64, String>,
    pub flows: BTreeMap<u64, String>,
    /// Messages and flows, the oldest first.
    pub received: Vec<Value>,
    last_id: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Subscriber {
    id: u64,
    /// As it is stored: with a plus, maybe without the ninth digit. Empty for somebody of another network.
    pub phone: String,
    first_name: String,
    last_name: String,
    created_at: Timestamp,
    tags: BTreeSet<u64>,
    variables: BTreeMap<u64, Value>,
    /// What was last asked of the conversation.
    status: Value,
}

impl Account {
    /// Ids are of this account alone: another has the same ones.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        900_000_000 + self.last_id
    }

    /// Somebody new, however they came.
    pub(super) fn add(&mut self, phone: &str, first_name: &str, last_name: &str) -> u64 {
        let id = self.next_id();
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let phone = if digits.is_empty() { String::new() } else { format!("+{}", self.stored(&digits)) };
        let subscriber = Subscriber {
            id,
            phone,
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            created_at: Timestamp::now(),
            tags: BTreeSet::new(),
            variables: BTreeMap::new(),
            status: Value::Null,
        };
        self.subscribers.insert(id, subscriber);
        id
    }

    pub(super) fn put_tag(&mut self, subscriber: u64, name: &str) {
        let known = self.tags.iter().find(|(_, known)| *known == name).map(|(id, _)| *id);
        let id = known.unwrap_or_else(|| {
            let id = self.next_id();
            self.tags.insert(id, name.to_owned());
            id
        });
        if let Some(subscriber) = self.subscribers.get_mut(&subscriber) {
            subscriber.tags.insert(id);
        }
    }

    fn stored(&self, digits: &str) -> String {
        let is_mobile = digits.len() == 13 && digits.starts_with("55") && digits.as_bytes()[4] == b'9';
        if self.settings.drops_ninth_digit && is_mobile && digits[2..4] >= *"31" {
            return format!("{}{}", &digits[..4], &digits[5..]);
        }
        digits.to_owned()
    }

    /// As the API shows somebody.
    pub(super) fn shown(&self, subscriber: &Subscriber) -> Value {
        let Subscriber { id, phone, first_name, last_name, created_at, tags, variables, .. } = subscriber;
        let tags: Vec<Value> = tags.iter().map(|tag| json!({"id": tag, "name": self.tags.get(tag)})).collect();
        let named = |(id, name): (&u64, &String)| (name.clone(), variables.get(id).cloned().unwrap_or_default());
        let variables: Map<String, Value> = self.fields.iter().map(named).collect();
        json!({
            "id": id,
            "full_name": format!("{first_name} {last_name}").trim(),
            "first_name": first_name,
            "last_name": last_name,
            "phone": phone,
            "ddd": phone.get(3..5),
            "created_at": created_at,
            "live_chat": format!("live-chat/all/{phone}"),
            "referrer": null,
            "referral_count": 0,
            "campaigns": [],
            "tags": tags,
            "variables": variables,
            "sequences": [],
        })
    }

    /// With what only the control shows.
    pub(super) fn described(&self, subscriber: &Subscriber) -> Value {
        let mut shown = self.shown(subscriber);
        shown["status"] = subscriber.status.clone();
        shown
    }

    /// `POST subscriber/`
    pub(super) fn create(&mut self, body: &Value) -> Outcome {
        let text = |field: &str| body[field].as_str().filter(|text| !text.is_empty());
        let (Some(phone), Some(first_name), Some(last_name)) = (text("phone"), text("first_name"), text("last_name")) else {
            return Err(Failed::invalid());
        };
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let is_phone = phone.trim_start_matches('+') == digits && (10..=15).contains(&digits.len());
        if !is_phone || body["has_opt_in_whatsapp"] != true || (self.settings.refuses_plus && phone.starts_with('+')) {
            return Err(Failed::invalid());
        }
        let stored = format!("+{}", self.stored(&digits));
        if self.subscribers.values().any(|known| known.phone == stored) {
            return Err(Failed::exists());
        }
        let (first_name, last_name) = (first_name.to_owned(), last_name.to_owned());
        let id = self.add(&digits, &first_name, &last_name);
        if !self.settings.shows_created {
            return Ok(Answer::ok(json!({})));
        }
        let mut shown = self.shown(&self.subscribers[&id]);
        shown["created"] = json!(true);
        Ok(Answer::ok(shown))
    }

    /// `GET subscriber/get_by_phone/{phone}/`: of two writings of one number it knows the one it has stored.
    pub(super) fn find(&self, phone: &str) -> Outcome {
        let found = self.subscribers.values().find(|known| !known.phone.is_empty() && known.phone == phone);
        found.map(|known| Answer::ok(self.shown(known))).ok_or_else(Failed::not_found)
    }

    /// `GET subscribers/?page=`
    pub(super) fn list(&self, page: Option<&str>) -> Outcome {
        let page: usize = page.unwrap_or("1").parse().map_err(|_| Failed::not_found())?;
        let size = self.settings.page_size.max(1);
        let pages = self.subscribers.len().div_ceil(size).max(1);
        if !(1..=pages).contains(&page) {
            return Err(Failed::not_found());
        }
        let rows: Vec<Value> = self.subscribers.values().skip((page - 1) * size).take(size).map(|one| self.shown(one)).collect();
        let address = |page: usize| format!("https://backend.botconversa.com.br/api/v1/webhook/subscribers/?page={page}");
        Ok(Answer::ok(json!({
            "count": self.subscribers.len(),
            "next": (page < pages).then(|| address(page + 1)),
            "previous": (page > 1).then(|| address(page - 1)),
            "results": rows,
        })))
    }

    fn subscriber(&mut self, id: &str) -> Result<&mut Subscriber, Failed> {
        let id: u64 = id.parse().map_err(|_| Failed::not_found())?;
        self.subscribers.get_mut(&id).ok_or_else(Failed::not_found)
    }

    /// `POST subscriber/{id}/send_message/`: answered with nothing.
    pub(super) fn send_message(&mut self, id: &str, body: &Value) -> Outcome {
        let (kind, value) = (body["type"].as_str().unwrap_or_default(), body["value"].as_str().unwrap_or_default());
        let is_taken = match kind {
            "text" => !value.is_empty() && value.chars().count() <= 4096,
            "file" => value.starts_with("https://") || value.starts_with("http://127.0.0.1"),
            _ => false,
        };
        let id = self.subscriber(id)?.id;
        if !is_taken {
            return Err(Failed::invalid());
        }
        self.received.push(json!({"subscriber_id": id, "type": kind, "value": value, "at": Timestamp::now()}));
        Ok(Answer::raw(StatusCode::OK, "text/plain", Bytes::new()))
    }

    /// `POST subscriber/{id}/send_flow/`
    pub(super) fn send_flow(&mut self, id: &str, body: &Value) -> Outcome {
        let id = self.subscriber(id)?.id;
        let flow = body["flow"].as_u64().filter(|flow| self.flows.contains_key(flow)).ok_or_else(Failed::not_found)?;
        self.received.push(json!({"subscriber_id": id, "type": "flow", "value": flow, "at": Timestamp::now()}));
        Ok(Answer::ok(json!({})))
    }

    /// `POST` and `DELETE subscriber/{id}/tags/{tag_id}/`
    pub(super) fn tag(&mut self, id: &str, tag: &str, is_on: bool) -> Outcome {
        let tag = tag.parse().ok().filter(|tag| self.tags.contains_key(tag)).ok_or_else(Failed::not_found)?;
        let subscriber = self.subscriber(id)?;
        if is_on {
            subscriber.tags.insert(tag);
        } else {
            subscriber.tags.remove(&tag);
        }
        Ok(Answer::ok(json!({})))
    }

    /// `POST subscriber/{id}/custom_fields/{field_id}/`
    pub(super) fn set_field(&mut self, id: &str, field: &str, body: &Value) -> Outcome {
        let field = field.parse().ok().filter(|field| self.fields.contains_key(field)).ok_or_else(Failed::not_found)?;
        let value = body.get("value").filter(|value| value.is_string()).cloned().ok_or_else(Failed::invalid)?;
        self.subscriber(id)?.variables.insert(field, value);
        Ok(Answer::ok(json!({})))
    }

    /// `POST subscriber/{id}/change_conversation_status/`
    pub(super) fn set_status(&mut self, id: &str, body: &Value) -> Outcome {
        if !body["open_conversation"].is_boolean() {
            return Err(Failed::invalid());
        }
        self.subscriber(id)?.status = body.clone();
        Ok(Answer::ok(json!({})))
    }

    /// `DELETE subscriber/{id}/delete/`
    pub(super) fn delete(&mut self, id: &str) -> Outcome {
        let id = self.subscriber(id)?.id;
        self.subscribers.remove(&id);
        Ok(Answer::ok(json!({})))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_stored_as_whatsapp_knows_it_and_found_as_it_is_stored() {
        let mut account = Account::default();
        account.add("5531987654321", "Maria", "Teste");
        account.add("5511987654321", "João", "Teste");
        assert!(account.find("+553187654321").is_ok() && account.find("+5511987654321").is_ok());
        for unknown in ["+5531987654321", "553187654321", ""] {
            assert!(account.find(unknown).is_err(), "{unknown}");
        }
        let again = json!({"phone": "5531987654321", "first_name": "M", "last_name": "T", "has_opt_in_whatsapp": true});
        assert!(account.create(&again).is_err(), "they are there");
    }
}
