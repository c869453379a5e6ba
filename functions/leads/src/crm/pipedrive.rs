//! Pipedrive's persons: nobody is there once by anything, so who may be there already is looked for before one is made.

use reqwest::Method;
use shared::prelude::*;

use super::{
    call::Stop,
    connection::{Connection, TheirPage, Theirs, Told},
    hubspot::{MOST, id_in, part},
    records::{Subject, same_contact},
    values::{self, Values},
};

/// Custom fields have keys of forty characters.
fn is_custom(name: &str) -> bool {
    name.len() == 40
}

fn primary(list: &Value) -> Option<&Value> {
    let list = list.as_array()?;
    list.iter().find(|entry| entry["primary"] == true).or_else(|| list.first())
}

/// A list of e-mails or phones with ours as the first: what else they have stays.
fn with_ours(list: &Value, ours: Option<String>, label: &str) -> Value {
    let first = primary(list).cloned();
    let mut rest: Vec<Value> =
        list.as_array().into_iter().flatten().filter(|entry| Some(*entry) != first.as_ref()).cloned().collect();
    if let Some(ours) = ours {
        rest.retain(|entry| entry["value"] != ours.as_str());
        let label = first.as_ref().and_then(|first| first["label"].as_str()).unwrap_or(label).to_owned();
        rest.insert(0, json!({"value": ours, "primary": true, "label": label}));
    } else if let Some(next) = rest.first_mut() {
        next["primary"] = json!(true);
    }
    json!(rest)
}

impl Connection {
    /// What is written of a person who is there as `current`, or not yet.
    fn person(&self, values: &Values, current: &Value) -> Value {
        let mut person = Map::new();
        let mut custom = Map::new();
        for (field, value) in values {
            let Some(theirs) = self.their_name(field) else { continue };
            match theirs {
                "emails" => drop(person.insert(theirs.into(), with_ours(&current["emails"], value.clone(), "work"))),
                "phones" => {
                    let phone = value.as_ref().map(|digits| format!("+{digits}"));
                    person.insert(theirs.into(), with_ours(&current["phones"], phone, "mobile"));
                }
                theirs if is_custom(theirs) => drop(custom.insert(theirs.to_owned(), json!(value))),
                theirs => drop(person.insert(theirs.to_owned(), json!(value.as_deref().unwrap_or_default()))),
            }
        }
        if !custom.is_empty() {
            person.insert("custom_fields".into(), Value::Object(custom));
        }
        Value::Object(person)
    }

    fn read_person(&self, row: &Value) -> Option<Theirs> {
        let mut said = Values::new();
        for (ours, theirs) in self.fields.iter().filter(|(ours, _)| values::is_two_way(ours)) {
            let place = match theirs.as_str() {
                "emails" | "phones" => {
                    row.get(theirs).map(|list| primary(list).map_or(Value::Null, |entry| entry["value"].clone()))
                }
                theirs if is_custom(theirs) => row["custom_fields"].get(theirs).cloned(),
                theirs => row.get(theirs).cloned(),
            };
            let Some(place) = place else { continue };
            let text = match place {
                Value::Null => None,
                Value::String(text) => Some(text),
                Value::Number(number) => Some(number.to_string()),
                _ => continue,
            };
            if let Some(value) = values::read(ours, text.as_deref()) {
                said.insert(ours.clone(), value);
            }
        }
        Some(Theirs {
            crm_id: id_in(row)?,
            values: said,
            changed_at: row["update_time"].as_str().and_then(|at| at.parse().ok()),
            is_deleted: row["is_deleted"] == true,
        })
    }

    pub(super) async fn changed_persons(
        &self,
        context: &Context,
        since: Option<Timestamp>,
        place: Option<&str>,
    ) -> Result<TheirPage, Stop> {
        // Whole seconds, as its documents have them.
        let since = since
            .map(|at| format!("&updated_since={}", part(&at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())))
            .unwrap_or_default();
        let cursor = place.map(|cursor| format!("&cursor={}", part(cursor))).unwrap_or_default();
        let path = format!("persons?limit={MOST}&sort_by=update_time&sort_direction=asc{since}{cursor}");
        let answer = self.call(context, (Method::GET, &path), None).await?;
        let rows = answer.body["data"].as_array().filter(|_| answer.is_success());
        let rows = rows.ok_or_else(|| Stop::Down { reason: answer.words(&self.api_key) })?;
        let next = answer.body["additional_data"]["next_cursor"].as_str().map(str::to_owned);
        Ok(TheirPage { records: rows.iter().filter_map(|row| self.read_person(row)).collect(), next })
    }

    /// Makes a person, unless one with this e-mail or phone is there. Another lead's is left alone: an e-mail is one person's, a phone may be a family's.
    pub(super) async fn make_person(&self, context: &Context, subject: Subject<'_>) -> Result<Told, Stop> {
        let values = subject.whole;
        for (field, term) in [("email", values.get("email")), ("phone", values.get("phone"))] {
            let Some(term) = term.cloned().flatten() else { continue };
            let term = if field == "phone" { format!("+{term}") } else { term };
            let path = format!("persons/search?term={}&fields={field}&exact_match=true&limit=1", part(&term));
            let answer = self.call(context, (Method::GET, &path), None).await?;
            if let Some(id) = answer.body["data"]["items"].get(0).and_then(|found| id_in(&found["item"])) {
                match (self.is_anothers(context, &id, subject.lead_id).await?, field) {
                    (false, _) => return self.change_person(context, &id, values).await,
                    (true, "email") => return Ok(same_contact(&id)),
                    (true, _) => {}
                }
            }
        }
        let answer = self.call(context, (Method::POST, "persons"), Some(&self.person(values, &Value::Null))).await?;
        if answer.is_success() {
            let id = id_in(&answer.body["data"]);
            return id.map(Told::Kept).ok_or_else(|| Stop::Unknown { reason: "the answer names no id".into() });
        }
        Ok(Told::Refused(answer.words(&self.api_key)))
    }

    /// Lists are written whole, so they are read first.
    pub(super) async fn change_person(&self, context: &Context, id: &str, values: &Values) -> Result<Told, Stop> {
        let path = format!("persons/{}", part(id));
        let mut current = Value::Null;
        if values.contains_key("email") || values.contains_key("phone") {
            let answer = self.call(context, (Method::GET, &path), None).await?;
            if !answer.is_success() || answer.body["data"]["is_deleted"] == true {
                return Ok(if answer.is_success() { Told::Gone } else { self.told(&answer, id) });
            }
            current = answer.body["data"].clone();
        }
        let answer = self.call(context, (Method::PATCH, &path), Some(&self.person(values, &current))).await?;
        Ok(self.told(&answer, id))
    }

    pub(super) async fn delete_person(&self, context: &Context, id: &str) -> Result<Told, Stop> {
        let answer = self.call(context, (Method::DELETE, &format!("persons/{}", part(id))), None).await?;
        Ok(self.told(&answer, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_else_a_person_has_stays() {
        let list = json!([{"value": "a@x.test", "primary": false, "label": "home"}, {"value": "b@x.test", "primary": true, "label": "work"}]);
        let changed = with_ours(&list, Some("c@x.test".into()), "work");
        assert_eq!(
            changed,
            json!([{"value": "c@x.test", "primary": true, "label": "work"}, {"value": "a@x.test", "primary": false, "label": "home"}])
        );
        assert_eq!(with_ours(&list, None, "work"), json!([{"value": "a@x.test", "primary": true, "label": "home"}]));
        assert_eq!(
            with_ours(&Value::Null, Some("c@x.test".into()), "work"),
            json!([{"value": "c@x.test", "primary": true, "label": "work"}])
        );
    }
}
