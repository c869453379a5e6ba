//! What a batch of items names, for the locks it needs before its first item.

use shared::{phone, prelude::*};

use crate::{
    item::{InboundMessage, Item, Sender},
    provider::Provider,
};

/// Parameters of `ENTER_WEBHOOK`, as `app.enter_kept_webhook` takes them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// For each identity the number of its person: what any item says of one person belongs together.
    pub persons: Vec<i32>,
    pub kinds: Vec<&'static str>,
    pub identities: Vec<String>,
    /// WhatsApp's ids of messages to be stored.
    pub message_ids: Vec<String>,
    /// WhatsApp's ids of messages that statuses and changes speak of.
    pub changed_ids: Vec<String>,
    /// Our ids of those.
    pub own_ids: Vec<Uuid>,
}

impl Named {
    pub fn in_items(provider: Provider, items: &[Item]) -> Self {
        let mut named = Self::default();
        for item in items {
            named.add(provider.user_id_kind(), item);
        }
        named
    }

    /// The identities, as `app.lock_keys` knows them.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.kinds.iter().zip(&self.identities).map(|(kind, identity)| format!("{kind}:{identity}")).collect()
    }

    fn add(&mut self, user_kind: &'static str, item: &Item) {
        match item {
            Item::Message(message) | Item::Echo(message) => self.add_message(user_kind, message, None),
            Item::Notice(notice) => self.add_message(user_kind, notice, new_number(notice)),
            Item::Status(status) => {
                self.changed_ids.push(status.id.clone());
                self.own_ids.extend(status.message_id);
            }
            Item::Change(change) => self.changed_ids.push(change.target.clone()),
            Item::NewUserId { previous, current } => {
                self.add_person(vec![(user_kind, previous.clone()), (user_kind, current.clone())]);
            }
            Item::Preference(preference) => self.add_sender(user_kind, &preference.sender, None),
            Item::Lead(lead) => self.add_sender(user_kind, &lead.sender, None),
            Item::Contact(contact) => self.add_person(vec![("phone", phone::canonical(&contact.number))]),
            Item::Past(past) => {
                self.add_sender(user_kind, &past.sender, None);
                self.message_ids.extend(past.messages.iter().map(|past| past.message.id.clone()));
                self.changed_ids.extend(past.changes.iter().map(|change| change.target.clone()));
            }
            Item::Account(_)
            | Item::Template(_)
            | Item::History(_)
            | Item::Group { .. }
            | Item::Ignored(_)
            | Item::Broken { .. } => {}
        }
    }

    fn add_message(&mut self, user_kind: &'static str, message: &InboundMessage, new_number: Option<&str>) {
        self.add_sender(user_kind, &message.sender, new_number);
        self.message_ids.push(message.id.clone());
    }

    fn add_sender(&mut self, user_kind: &'static str, sender: &Sender, new_number: Option<&str>) {
        let Sender { wa_id, user_id, .. } = sender;
        let numbers = wa_id.as_deref().into_iter().chain(new_number).map(|number| ("phone", phone::canonical(number)));
        self.add_person(numbers.chain(user_id.iter().map(|id| (user_kind, id.clone()))).collect());
    }

    /// Identities of one person; whoever else has one of them is the same.
    fn add_person(&mut self, identities: Vec<(&'static str, String)>) {
        let person = self.persons.iter().max().map_or(0, |last| last + 1);
        for (kind, identity) in identities {
            let known = self.kinds.iter().zip(&self.identities).position(|named| named == (&kind, &identity));
            if let Some(known) = known.map(|index| self.persons[index]) {
                self.persons.iter_mut().filter(|other| **other == known).for_each(|other| *other = person);
            } else {
                self.persons.push(person);
                self.kinds.push(kind);
                self.identities.push(identity);
            }
        }
    }
}

/// The number a client has moved to, if this is what a notice tells.
pub fn new_number(notice: &InboundMessage) -> Option<&str> {
    let system = &notice.payload["system"];
    system["wa_id"].as_str().filter(|number| system["type"] == "user_changed_number" && !number.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(wa_id: Option<&str>, user_id: Option<&str>) -> Item {
        let sender = Sender { wa_id: wa_id.map(str::to_owned), user_id: user_id.map(str::to_owned), name: None };
        Item::Message(InboundMessage {
            id: "wamid.1".into(),
            sender,
            at: Timestamp::UNIX_EPOCH,
            kind: "text",
            body: String::new(),
            payload: json!({}),
            media: None,
            reply_to: None,
        })
    }

    #[test]
    fn writings_of_one_number_are_one_identity() {
        let named =
            Named::in_items(Provider::Cloud, &[message(Some("551187654321"), None), message(Some("5511987654321"), None)]);
        assert_eq!((named.identities.len(), named.message_ids.len()), (1, 2));
    }

    #[test]
    fn who_shares_an_identity_is_one_person_through_any_number_of_items() {
        let change = Item::NewUserId { previous: "BR.1".into(), current: "BR.2".into() };
        let items = [message(Some("1"), Some("BR.1")), message(Some("2"), None), message(Some("3"), Some("BR.2")), change];
        let named = Named::in_items(Provider::Cloud, &items);
        let person = |identity: &str| named.persons[named.identities.iter().position(|named| named == identity).unwrap()];
        assert_eq!((named.identities.len(), person("1")), (5, person("BR.2")));
        assert_eq!(person("1"), person("3"));
        assert_ne!(person("1"), person("2"));
    }
}
