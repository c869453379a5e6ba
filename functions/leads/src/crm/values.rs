//! Fields of a lead as texts, in the one writing in which both sides are compared. Pure.

use std::collections::BTreeMap;

use integrations::crm_kinds::{CrmKind, ONE_WAY, OWN_FIELD, TWO_WAY};
use shared::{money::Money, phone, prelude::*, text::told};

/// By our names; `None` is empty.
pub type Values = BTreeMap<String, Option<String>>;

/// What a kind of CRM usually calls our fields.
fn usual(kind: CrmKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        CrmKind::HubSpot => {
            &[("name", "firstname"), ("email", "email"), ("phone", "phone"), ("company", "company"), ("job_title", "jobtitle")]
        }
        CrmKind::Pipedrive => &[("name", "name"), ("email", "emails"), ("phone", "phones"), ("job_title", "job_title")],
        CrmKind::GenericRest => &[
            ("name", "nome_completo"),
            ("email", "email"),
            ("phone", "telefone"),
            ("company", "empresa"),
            ("job_title", "cargo"),
            ("origin", "origem"),
            ("campaign", "campanha"),
            ("temperature", "temperatura"),
            ("score", "lead_score"),
            ("potential_value", "valor_potencial"),
            ("status", "status"),
        ],
    }
}

/// Our fields and what they are called there: the usual names, but for what the company says.
#[must_use]
pub fn fields(kind: CrmKind, said: &BTreeMap<String, Option<String>>) -> Vec<(String, String)> {
    let usual = usual(kind).iter().map(|(ours, theirs)| ((*ours).to_owned(), Some((*theirs).to_owned())));
    let mut all: BTreeMap<String, Option<String>> = usual.collect();
    all.extend(said.clone());
    all.into_iter().filter_map(|(ours, theirs)| Some((ours, theirs?))).collect()
}

/// Whether both sides may say it.
#[must_use]
pub fn is_two_way(field: &str) -> bool {
    TWO_WAY.contains(&field)
}

fn cut(text: &str, most: usize) -> Option<String> {
    let told = told(text);
    let words: Vec<&str> = told.split_whitespace().collect();
    let cut: String = words.join(" ").chars().filter(|character| !shared::text::is_hidden(*character)).take(most).collect();
    Some(cut.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The one writing of a value; `None` where it is none that a lead can have, which says nothing.
#[must_use]
pub fn read(field: &str, text: Option<&str>) -> Option<Option<String>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        // A lead has a name.
        return (field != "name").then_some(None);
    };
    match field {
        "name" => cut(text, 120).map(Some),
        "company" => Some(cut(text, 120)),
        "job_title" | "origin" | "campaign" => Some(cut(text, 80)),
        "email" => mail(text).map(Some),
        "phone" => {
            let digits = phone::canonical(text);
            (5..=15).contains(&digits.len()).then_some(Some(digits))
        }
        "potential_value" => amount(text).map(Some),
        _ => Some(Some(text.to_owned())),
    }
}

fn mail(text: &str) -> Option<String> {
    let email: Email = serde_json::from_value(json!(text)).ok()?;
    email.validate().ok()?;
    Some(email.to_string())
}

/// An amount however many places it is written with, as far as ours go.
fn amount(text: &str) -> Option<String> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let places: String = places.chars().chain("00".chars()).take(2).collect();
    let money: Money = serde_json::from_value(json!(format!("{whole}.{places}"))).ok()?;
    Some(money.to_string())
}

/// What is compared of a lead, as its row is read: a JSON object of our names.
#[must_use]
pub fn of_lead(row: &Value, fields: &[(String, String)]) -> Values {
    let own = |field: &str| match field.strip_prefix(OWN_FIELD) {
        Some(key) => row["custom_fields"][key].clone(),
        None => row[field].clone(),
    };
    let text = |value: Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    let read = |field: &str| {
        let said = text(own(field));
        if is_two_way(field) { read(field, said.as_deref()).flatten() } else { said.filter(|text| !text.is_empty()) }
    };
    fields.iter().map(|(field, _)| (field.clone(), read(field))).collect()
}

/// First and last name.
#[must_use]
pub fn names_of(name: &str) -> (&str, &str) {
    name.trim().split_once(char::is_whitespace).map_or((name.trim(), ""), |(first, last)| (first, last.trim()))
}

/// Our word of it in the front ends' Portuguese, where a CRM is told in that.
#[must_use]
pub fn in_portuguese(field: &str, value: &str) -> String {
    let word = match (field, value) {
        ("temperature", "cold") => "frio",
        ("temperature", "warm") => "morno",
        ("temperature", "hot") => "quente",
        _ => value,
    };
    word.to_owned()
}

/// Whether it is a field of ours that a CRM may be told.
#[must_use]
pub fn is_known(field: &str) -> bool {
    is_two_way(field) || ONE_WAY.contains(&field) || field.starts_with(OWN_FIELD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_writing_and_what_none_can_be_says_nothing() {
        let of = |field: &str, text: &str| read(field, Some(text));
        assert_eq!(of("name", "  Maria   da Silva "), Some(Some("Maria da Silva".into())));
        assert_eq!(of("name", " "), None, "a lead has a name");
        assert_eq!(of("email", " Maria@Exemplo.TEST.br "), Some(Some("maria@exemplo.test.br".into())));
        assert_eq!(of("email", "not one"), None);
        assert_eq!(of("email", ""), Some(None));
        assert_eq!(of("phone", "+55 (31) 8765-4321"), Some(Some("5531987654321".into())), "with its ninth digit");
        assert_eq!(of("phone", "12"), None);
        for (text, value) in [("1500", "1500.00"), ("1500.5", "1500.50"), ("1500.50", "1500.50")] {
            assert_eq!(of("potential_value", text), Some(Some(value.into())), "{text}");
        }
        assert_eq!(of("potential_value", "many"), None);
    }

    #[test]
    fn the_company_names_fields_over_the_usual_names() {
        let said = BTreeMap::from([("job_title".to_owned(), None), ("custom_fields.curso".to_owned(), Some("curso".to_owned()))]);
        let fields = fields(CrmKind::HubSpot, &said);
        let names: Vec<&str> = fields.iter().map(|(ours, _)| ours.as_str()).collect();
        assert_eq!(names, ["company", "custom_fields.curso", "email", "name", "phone"]);
        let lead =
            json!({"name": "Maria", "email": null, "phone": "5511987654321", "company": "X", "custom_fields": {"curso": 3}});
        let values = of_lead(&lead, &fields);
        assert_eq!(values["custom_fields.curso"].as_deref(), Some("3"));
        assert_eq!((values["email"].clone(), values["phone"].as_deref()), (None, Some("5511987654321")));
    }

    #[test]
    fn names_are_parted_and_joined_alike() {
        for name in ["Maria", "Maria da Silva", "Ana Clara"] {
            let (first, last) = names_of(name);
            assert_eq!(read("name", Some(&format!("{first} {last}"))), Some(Some(name.to_owned())));
        }
    }
}
