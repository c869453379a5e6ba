//! What a subscriber does not know yet of their client. Pure.

use std::collections::BTreeMap;

use shared::{botconversa::Named, prelude::*, text::unaccented};

use crate::subscribers::is_among;

/// A client whom an account is told of, with what their subscriber knows of them.
#[derive(FromRow)]
pub struct ClientToTell {
    pub id: Uuid,
    pub name: String,
    pub tags: Vec<String>,
    pub custom_fields: Value,
    pub number: String,
    pub subscriber_id: Option<String>,
    pub known_tags: Vec<String>,
    pub known_fields: Value,
}

/// What an account has names for.
pub struct Catalogue {
    pub tags: Vec<Named>,
    pub fields: Vec<Named>,
}

/// What a subscriber does not know yet.
#[derive(Debug, PartialEq, Eq)]
pub struct News<'a> {
    /// Nobody has looked for them there.
    pub is_new: bool,
    pub added: Vec<&'a Named>,
    pub dropped: Vec<&'a Named>,
    /// By the fields' ids.
    pub fields: BTreeMap<&'a str, String>,
}

impl News<'_> {
    pub fn is_nothing(&self) -> bool {
        !self.is_new && self.added.is_empty() && self.dropped.is_empty() && self.fields.is_empty()
    }
}

impl Catalogue {
    /// Tags go by their names, custom fields by their keys. What was told of before is no news, on whichever side it was changed since.
    pub fn news<'a>(&'a self, client: &ClientToTell) -> News<'a> {
        let ClientToTell { tags, known_tags, custom_fields, known_fields, .. } = client;
        let has = |tag: &&Named| is_among(&tag.name, tags);
        let knows = |tag: &&Named| is_among(&tag.name, known_tags);
        let value = |field: &'a Named| {
            let text = text_of(custom_fields.get(key_of(&field.name))?)?;
            (known_fields[&field.id] != text.as_str()).then_some((field.id.as_str(), text))
        };
        News {
            is_new: client.subscriber_id.is_none(),
            added: self.tags.iter().filter(|tag| has(tag) && !knows(tag)).collect(),
            dropped: self.tags.iter().filter(|tag| !has(tag) && knows(tag)).collect(),
            fields: self.fields.iter().filter_map(value).collect(),
        }
    }
}

/// What a custom field there is called here.
fn key_of(name: &str) -> String {
    let plain = unaccented(name.trim());
    plain.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '_' }).collect()
}

/// A value as it is written there, dates with dots.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let date: Option<jiff::civil::Date> = text.parse().ok().filter(|_| text.len() == 10);
            Some(date.map_or_else(|| text.clone(), |date| date.strftime("%d.%m.%Y").to_string()))
        }
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_so) => Some(if *is_so { "sim" } else { "não" }.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, name: &str) -> Named {
        Named { id: id.into(), name: name.into() }
    }

    fn client(tags: &[&str], known: &[&str]) -> ClientToTell {
        ClientToTell {
            id: Uuid::nil(),
            name: "Maria".into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            custom_fields: json!({"cidade": "BH", "nascimento": "1990-05-01", "aluno": true}),
            number: "5511987654321".into(),
            subscriber_id: Some("9".into()),
            known_tags: known.iter().map(|tag| (*tag).to_owned()).collect(),
            known_fields: json!({"7": "BH"}),
        }
    }

    #[test]
    fn what_was_told_before_is_no_news() {
        let catalogue = Catalogue {
            tags: vec![named("1", "VIP"), named("2", "Aluno")],
            fields: vec![named("7", "Cidade"), named("8", "Nascimento")],
        };
        let news = catalogue.news(&client(&["vip", "Só daqui"], &["Aluno"]));
        assert_eq!((news.added, news.dropped), (vec![&catalogue.tags[0]], vec![&catalogue.tags[1]]));
        assert_eq!(news.fields, BTreeMap::from([("8", "01.05.1990".to_owned())]));
        // A tag that was taken away there stays known, and is not put there again.
        let quiet = catalogue.news(&client(&["VIP"], &["VIP"]));
        assert!(quiet.added.is_empty() && quiet.dropped.is_empty());
    }

    #[test]
    fn names_of_fields_are_keys_here() {
        assert_eq!(key_of("Cidade de Nascimento"), "cidade_de_nascimento");
        assert_eq!(key_of(" Região "), "regiao");
        assert_eq!(text_of(&json!(1.5)).as_deref(), Some("1.5"));
        assert_eq!(text_of(&json!(["x"])), None);
    }
}
