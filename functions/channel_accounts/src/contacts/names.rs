//! What people are called, as webhooks and servers tell it. Pure.

use clients::NameSource;
use shared::{phone, prelude::*};
use whatsapp::{item::Item, provider::Provider};

/// A name that somebody is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Of the identity.
    pub kind: &'static str,
    pub value: String,
    pub name: String,
    /// Their own profile, or the business's address book.
    pub source: NameSource,
    pub at: Timestamp,
}

impl Named {
    fn rank(&self) -> (bool, Timestamp) {
        (self.source == NameSource::AddressBook, self.at)
    }
}

/// Whether it says who somebody is: figures and signs alone do not.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.chars().any(char::is_alphabetic)
}

/// What items tell of people's names.
#[must_use]
pub fn told(provider: Provider, items: &[Item]) -> Vec<Named> {
    let mut all = Vec::new();
    for item in items {
        match item {
            Item::Contact(contact) => all.push(Named {
                kind: "phone",
                value: phone::canonical(&contact.number),
                name: contact.name.clone(),
                source: NameSource::AddressBook,
                at: contact.at,
            }),
            Item::Message(message) => {
                let Some(name) = &message.sender.name else { continue };
                let number = message.sender.wa_id.as_deref().map(|number| ("phone", phone::canonical(number)));
                let user_id = message.sender.user_id.clone().map(|id| (provider.user_id_kind(), id));
                all.extend(number.into_iter().chain(user_id).map(|(kind, value)| Named {
                    kind,
                    value,
                    name: name.clone(),
                    source: NameSource::Profile,
                    at: message.at,
                }));
            }
            _ => {}
        }
    }
    all.retain(|named| is_name(&named.name));
    all
}

/// One name for each identity: the business's own before the profile's, and of several the latest.
#[must_use]
pub fn best(all: Vec<Named>) -> Vec<Named> {
    let mut best: Vec<Named> = Vec::new();
    for named in all {
        match best.iter_mut().find(|known| (known.kind, &known.value) == (named.kind, &named.value)) {
            Some(known) if known.rank() < named.rank() => *known = named,
            Some(_) => {}
            None => best.push(named),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use whatsapp::adapters;

    fn named(value: &str, name: &str, source: NameSource, second: i64) -> Named {
        let at = Timestamp::from_second(second).unwrap();
        Named { kind: "phone", value: value.into(), name: name.into(), source, at }
    }

    #[test]
    fn figures_and_signs_are_no_name() {
        for (name, expected) in
            [("Maria", true), ("李", true), ("M.", true), ("+55 11 98765-4321", false), (".", false), ("🙂", false)]
        {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }

    #[test]
    fn the_address_book_goes_before_profiles_and_later_words_before_earlier_ones() {
        let (profile, book) = (NameSource::Profile, NameSource::AddressBook);
        let all = vec![
            named("1", "Mari", profile, 5),
            named("1", "Maria da Loja", book, 2),
            named("1", "Maria", profile, 9),
            named("2", "Ana", profile, 1),
            named("2", "Ana Clara", profile, 3),
        ];
        let names: Vec<String> = best(all).into_iter().map(|named| named.name).collect();
        assert_eq!(names, ["Maria da Loja", "Ana Clara"]);
    }

    #[test]
    fn webhooks_tell_names_of_numbers_and_ids() {
        let body = json!({"entry": [{"id": "1", "changes": [{"field": "messages", "value": {
            "metadata": {"phone_number_id": "2"},
            "contacts": [{"profile": {"name": "Maria"}, "wa_id": "551187654321", "user_id": "BR.1"}],
            "messages": [{"from": "551187654321", "from_user_id": "BR.1", "id": "wamid.1", "timestamp": "1764600000",
                "type": "text", "text": {"body": "Oi"}}]}}]}]});
        let notifications = adapters::read(Provider::Cloud, body.to_string().as_bytes(), Timestamp::UNIX_EPOCH).unwrap();
        let told = told(Provider::Cloud, &notifications[0].items);
        let shown: Vec<(&str, &str)> = told.iter().map(|named| (named.kind, named.value.as_str())).collect();
        assert_eq!(shown, [("phone", "5511987654321"), ("bsuid", "BR.1")]);
    }
}
