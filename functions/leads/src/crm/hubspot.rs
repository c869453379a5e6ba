//! HubSpot's contacts: found by their e-mail, of which it has each once; what it has indexed comes late.

use reqwest::Method;
use shared::prelude::*;

use super::{
    call::{Answer, Stop},
    connection::{Connection, TheirPage, Theirs, Told},
    records::{Subject, same_contact},
    values::{self, Values},
};

/// Records of a page, and of a batch.
pub const MOST: usize = 100;

/// A search goes no further than ten thousand.
const FARTHEST: u64 = 9_800;

/// What a lead and its values are in a batch.
pub struct Entry<'a> {
    pub lead_id: Uuid,
    pub email: &'a str,
    pub values: &'a Values,
}

impl Connection {
    fn properties(&self, values: &Values) -> Value {
        let mut properties = Map::new();
        for (field, value) in values {
            let Some(theirs) = self.their_name(field) else { continue };
            let text = value.as_deref().unwrap_or_default();
            match (field.as_str(), theirs) {
                ("name", "firstname") => {
                    let (first, last) = values::names_of(text);
                    properties.insert("firstname".into(), json!(first));
                    properties.insert("lastname".into(), json!(last));
                }
                ("phone", _) if !text.is_empty() => drop(properties.insert(theirs.to_owned(), json!(format!("+{text}")))),
                _ => drop(properties.insert(theirs.to_owned(), json!(text))),
            }
        }
        Value::Object(properties)
    }

    fn asked_properties(&self) -> Vec<&str> {
        let own = self.fields.iter().map(|(_, theirs)| theirs.as_str());
        own.chain(["lastname", "lastmodifieddate"]).collect()
    }

    fn contact(&self, row: &Value) -> Option<Theirs> {
        let properties = &row["properties"];
        let text = |name: &str| properties[name].as_str();
        let mut said = Values::new();
        for (ours, theirs) in &self.fields {
            if !values::is_two_way(ours) || properties.get(theirs).is_none() {
                continue;
            }
            let both = format!("{} {}", text("firstname").unwrap_or_default(), text("lastname").unwrap_or_default());
            let value = if ours == "name" && theirs == "firstname" { Some(both.as_str()) } else { text(theirs) };
            if let Some(value) = values::read(ours, value) {
                said.insert(ours.clone(), value);
            }
        }
        let changed_at = text("lastmodifieddate").or_else(|| row["updatedAt"].as_str());
        Some(Theirs {
            crm_id: id_in(row)?,
            values: said,
            changed_at: changed_at.and_then(|at| at.parse().ok()),
            is_deleted: row["archived"] == true,
        })
    }

    /// What has changed since then, the oldest change first. Pages go on by the time of change: what changes meanwhile pushes nobody off a page.
    pub(super) async fn changed_contacts(
        &self,
        context: &Context,
        since: Option<Timestamp>,
        place: Option<&str>,
    ) -> Result<TheirPage, Stop> {
        let begin = since.map_or(0, Timestamp::as_millisecond);
        let (from, after) = place
            .and_then(|place| place.split_once(':'))
            .map_or((begin, 0_u64), |(from, after)| (from.parse().unwrap_or(begin), after.parse().unwrap_or_default()));
        let body = json!({
            "filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": from.to_string()}]}],
            "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
            "properties": self.asked_properties(),
            "limit": MOST,
            "after": after.to_string(),
        });
        let answer = self.call(context, (Method::POST, "objects/contacts/search"), Some(&body)).await?;
        let records = self.contacts_of(&answer)?;
        let next = answer.body["paging"]["next"]["after"].as_str().map(|after| {
            let last = records.iter().filter_map(|record| record.changed_at).map(Timestamp::as_millisecond).max().unwrap_or(from);
            let after: u64 = after.parse().unwrap_or_default();
            if last > from || after > FARTHEST { format!("{}:0", last.max(from)) } else { format!("{from}:{after}") }
        });
        Ok(TheirPage { records, next })
    }

    /// What was deleted there.
    pub(super) async fn deleted_contacts(&self, context: &Context, place: Option<&str>) -> Result<TheirPage, Stop> {
        let after = place.map(|place| format!("&after={}", part(place))).unwrap_or_default();
        let path = format!("objects/contacts?archived=true&limit={MOST}{after}");
        let answer = self.call(context, (Method::GET, &path), None).await?;
        let records = self.contacts_of(&answer)?;
        let records = records.into_iter().map(|record| Theirs { is_deleted: true, ..record }).collect();
        Ok(TheirPage { records, next: answer.body["paging"]["next"]["after"].as_str().map(str::to_owned) })
    }

    fn contacts_of(&self, answer: &Answer) -> Result<Vec<Theirs>, Stop> {
        let rows = answer.body["results"].as_array().filter(|_| answer.is_success());
        let rows = rows.ok_or_else(|| Stop::Down { reason: answer.words(&self.api_key) })?;
        Ok(rows.iter().filter_map(|row| self.contact(row)).collect())
    }

    /// Makes contacts or changes those that have the e-mail: done twice is done once. What is told of none is not known.
    pub(super) async fn upsert(&self, context: &Context, entries: &[Entry<'_>]) -> Result<Vec<(Uuid, Told)>, Stop> {
        let input = |entry: &Entry| json!({"idProperty": "email", "id": entry.email, "objectWriteTraceId": entry.lead_id.to_string(), "properties": self.properties(entry.values)});
        let body = json!({"inputs": entries.iter().map(input).collect::<Vec<_>>()});
        let answer = self.call(context, (Method::POST, "objects/contacts/batch/upsert"), Some(&body)).await?;
        if !answer.is_success() {
            let refused = |entry: &Entry| (entry.lead_id, Told::Refused(answer.words(&self.api_key)));
            return Ok(entries.iter().map(refused).collect());
        }
        let results = answer.body["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        let errors = answer.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let outcome = |entry: &Entry| {
            let is_it =
                |row: &&Value| row["properties"]["email"].as_str().is_some_and(|email| email.eq_ignore_ascii_case(entry.email));
            if let Some(id) = results.iter().find(is_it).and_then(id_in) {
                return Some((entry.lead_id, Told::Kept(id)));
            }
            let names = |error: &&Value| error["context"]["ids"].as_array().is_some_and(|ids| ids.contains(&json!(entry.email)));
            let error = errors.iter().find(names)?;
            let words = error["message"].as_str().unwrap_or("refused").chars().take(300).collect();
            Some((entry.lead_id, Told::Refused(words)))
        };
        Ok(entries.iter().filter_map(outcome).collect())
    }

    /// Makes a contact of who has no e-mail. Where one was asked for before and nobody knows what came of it, it is looked for.
    pub(super) async fn make_contact(&self, context: &Context, subject: Subject<'_>, was_asked: bool) -> Result<Told, Stop> {
        let values = subject.whole;
        if was_asked
            && let Some(id) = self.contact_by_phone(context, values).await?
            && !self.is_anothers(context, &id, subject.lead_id).await?
        {
            return self.change_contact(context, &id, values).await;
        }
        let body = json!({"properties": self.properties(values), "associations": []});
        let answer = self.call(context, (Method::POST, "objects/contacts"), Some(&body)).await?;
        if answer.is_success() {
            return id_in(&answer.body).map(Told::Kept).ok_or_else(|| Stop::Unknown { reason: "the answer names no id".into() });
        }
        let existing = (answer.status == 409).then(|| existing_id(answer.body["message"].as_str()?)).flatten();
        match existing {
            Some(id) if self.is_anothers(context, &id, subject.lead_id).await? => Ok(same_contact(&id)),
            Some(id) => self.change_contact(context, &id, values).await,
            None => Ok(Told::Refused(answer.words(&self.api_key))),
        }
    }

    async fn contact_by_phone(&self, context: &Context, values: &Values) -> Result<Option<String>, Stop> {
        let (Some(Some(phone)), Some(name)) = (values.get("phone"), self.their_name("phone")) else { return Ok(None) };
        let body = json!({
            "filterGroups": [{"filters": [{"propertyName": name, "operator": "EQ", "value": format!("+{phone}")}]}],
            "properties": [name], "limit": 1, "after": "0",
        });
        let answer = self.call(context, (Method::POST, "objects/contacts/search"), Some(&body)).await?;
        Ok(answer.body["results"].get(0).and_then(id_in))
    }

    pub(super) async fn change_contact(&self, context: &Context, id: &str, values: &Values) -> Result<Told, Stop> {
        let path = format!("objects/contacts/{}", part(id));
        let body = json!({"properties": self.properties(values)});
        let answer = self.call(context, (Method::PATCH, &path), Some(&body)).await?;
        Ok(self.told(&answer, id))
    }

    pub(super) async fn archive_contact(&self, context: &Context, id: &str) -> Result<Told, Stop> {
        let answer = self.call(context, (Method::DELETE, &format!("objects/contacts/{}", part(id))), None).await?;
        Ok(self.told(&answer, id))
    }

    /// What an answer about a record says.
    pub(super) fn told(&self, answer: &Answer, id: &str) -> Told {
        match answer.status {
            200..300 => Told::Kept(id.to_owned()),
            404 | 410 => Told::Gone,
            _ => Told::Refused(answer.words(&self.api_key)),
        }
    }

    /// What a field of ours is called there.
    #[must_use]
    pub fn their_name(&self, ours: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == ours).map(|(_, theirs)| theirs.as_str())
    }
}

/// An id that is a text or a figure.
pub(super) fn id_in(row: &Value) -> Option<String> {
    match &row["id"] {
        Value::String(text) if !text.is_empty() && text.len() <= 120 => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `Contact already exists. Existing ID: 101`
fn existing_id(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Existing ID:")?;
    let id: String = rest.trim().chars().take_while(char::is_ascii_digit).collect();
    Some(id).filter(|id| !id.is_empty())
}

/// One part of a path, whatever is in it.
pub(super) fn part(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use integrations::crm_kinds::CrmKind;

    use super::*;

    fn connection() -> Connection {
        let fields = values::fields(CrmKind::HubSpot, &std::collections::BTreeMap::new());
        Connection { company_id: Uuid::nil(), kind: CrmKind::HubSpot, base_url: None, api_key: "k".into(), fields }
    }

    #[test]
    fn a_contact_is_read_as_it_is_written() {
        let ours = Values::from([
            ("name".to_owned(), Some("Maria da Silva".to_owned())),
            ("email".to_owned(), None),
            ("phone".to_owned(), Some("5511987654321".to_owned())),
        ]);
        let properties = connection().properties(&ours);
        assert_eq!(properties, json!({"firstname": "Maria", "lastname": "da Silva", "email": "", "phone": "+5511987654321"}));
        let read = connection().contact(&json!({"id": "101", "properties": properties})).unwrap();
        assert_eq!((read.crm_id.as_str(), read.values), ("101", ours));
    }

    #[test]
    fn the_id_of_who_is_there_stands_in_the_message() {
        assert_eq!(existing_id("Contact already exists. Existing ID: 101").as_deref(), Some("101"));
        assert_eq!(existing_id("Contact already exists."), None);
        assert_eq!(part("a/b c"), "a%2Fb%20c");
    }
}
