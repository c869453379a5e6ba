//! A CRM that takes contacts at `POST {url}/contacts` and answers what it calls each: it is told, and tells nothing.

use reqwest::Method;
use shared::prelude::*;

use super::{
    call::Stop,
    connection::{Connection, Told},
    values::{self, Values},
};

impl Connection {
    fn rest_contact(&self, values: &Values, crm_id: Option<&str>) -> Value {
        let said = |(field, value): (&String, &Option<String>)| {
            let theirs = self.their_name(field)?.to_owned();
            let value = match (field.as_str(), value) {
                (_, None) => Value::Null,
                ("score", Some(text)) => text.parse::<i64>().map_or(json!(text), |figure| json!(figure)),
                (_, Some(text)) => json!(values::in_portuguese(field, text)),
            };
            Some((theirs, value))
        };
        let mut contact: Map<String, Value> = values.iter().filter_map(said).collect();
        if let Some(crm_id) = crm_id {
            contact.insert("crm_id".into(), json!(crm_id));
        }
        Value::Object(contact)
    }

    /// Tells all of a lead: the first time without an id, whose answer says it. The same content has the same `Idempotency-Key`, for whoever looks
    /// at such.
    pub(super) async fn post_contact(
        &self,
        context: &Context,
        (lead_id, version): (Uuid, i32),
        values: &Values,
        crm_id: Option<&str>,
    ) -> Result<Told, Stop> {
        let body = self.rest_contact(values, crm_id);
        // Of who is not there yet it is the lead's alone, whatever has changed since it was first asked.
        let once = if crm_id.is_some() { format!("{lead_id}:{version}") } else { lead_id.to_string() };
        let answer = self.call_with(context, (Method::POST, "contacts"), Some(&body), Some(&once)).await?;
        if !answer.is_success() {
            return Ok(if crm_id.is_some() { self.told(&answer, "") } else { Told::Refused(answer.words(&self.api_key)) });
        }
        let said = ["crm_id", "id"].iter().find_map(|name| match &answer.body[*name] {
            Value::String(text) if !text.is_empty() && text.len() <= 120 => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        said.or_else(|| crm_id.map(str::to_owned))
            .map(Told::Kept)
            .ok_or_else(|| Stop::Unknown { reason: "the answer has no crm_id".into() })
    }
}
