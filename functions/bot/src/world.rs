//! What a flow may know of a conversation, and the words that stand in its texts.

use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{flow::Test, input::look};

/// A conversation as a flow sees it.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub conversation_id: Uuid,
    pub company_name: String,
    pub client_name: String,
    /// The client's phone with its country's code, digits.
    pub client_phone: Option<String>,
    pub client_email: Option<String>,
    /// The conversation's and the client's.
    pub tags: Vec<String>,
    /// The client has written before this conversation.
    pub is_known: bool,
    pub channel_kind: String,
    pub now: Timestamp,
    /// The day that it is where the company is.
    pub today: Date,
    /// It is within the hours.
    pub is_open: bool,
    /// When they begin next; `None` where they never do.
    pub opens_at: Option<Timestamp>,
    /// Those that conversations may go to, in their order.
    pub departments: Vec<(Uuid, String)>,
}

impl World {
    /// A text with what stands for something else replaced by it, once: what clients have written is never looked into. Names that stand for
    /// nothing are left out.
    #[must_use]
    pub fn fill_in(&self, text: &str, fields: &Map<String, Value>) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once("}}") else {
                filled.push_str("{{");
                rest = after;
                continue;
            };
            filled.push_str(&self.value(name.trim(), fields));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn value(&self, name: &str, fields: &Map<String, Value>) -> String {
        match name {
            "client_name" => self.client_name.clone(),
            "first_name" => self.client_name.split_whitespace().next().unwrap_or_default().to_owned(),
            "company_name" => self.company_name.clone(),
            "client_phone" => self.client_phone.clone().unwrap_or_default(),
            "client_email" => self.client_email.clone().unwrap_or_default(),
            name => fields.get(name).map(written).unwrap_or_default(),
        }
    }

    /// Whether a test holds.
    #[must_use]
    pub fn passes(&self, test: &Test, fields: &Map<String, Value>) -> bool {
        match test {
            Test::Open { is } => self.is_open == *is,
            Test::Known { is } => self.is_known == *is,
            Test::Tag { name } => self.tags.iter().any(|tag| look(tag) == look(name)),
            Test::Channel { kind } => self.channel_kind == *kind,
            Test::Field { name, equals, contains } => {
                let value = self.value(name, fields);
                !value.is_empty()
                    && equals.as_ref().is_none_or(|wanted| look(&value) == look(wanted))
                    && contains.as_ref().is_none_or(|part| look(&value).contains(&look(part)))
            }
            Test::All { of } => of.iter().all(|test| self.passes(test, fields)),
            Test::Any { of } => of.iter().any(|test| self.passes(test, fields)),
            Test::Not { of } => !self.passes(of, fields),
        }
    }
}

/// A field's value as a text has it.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn world() -> World {
        World {
            client_name: "Maria da Silva".into(),
            company_name: "Escola".into(),
            tags: vec!["VIP".into()],
            is_open: true,
            ..World::default()
        }
    }

    fn fields(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn texts_are_filled_in_once() {
        let fields = fields(&json!({"curso": "{{company_name}}", "idade": 30}));
        let filled = |text: &str| world().fill_in(text, &fields);
        assert_eq!(
            filled("Olá, {{ client_name }}! {{first_name}} da {{company_name}}."),
            "Olá, Maria da Silva! Maria da Escola."
        );
        assert_eq!(filled("{{curso}}, {{idade}} anos{{nada}}."), "{{company_name}}, 30 anos.");
        assert_eq!(filled("a {{ b"), "a {{ b");
        assert_eq!(filled("}} {{}}"), "}} ");
    }

    #[test]
    fn tests_hold_as_they_say() {
        let fields = fields(&json!({"curso": "Inglês Avançado"}));
        let holds = |test: Value| world().passes(&serde_json::from_value(test).unwrap(), &fields);
        for test in [
            json!({"test": "open", "is": true}),
            json!({"test": "known", "is": false}),
            json!({"test": "tag", "name": "vip"}),
            json!({"test": "field", "name": "curso"}),
            json!({"test": "field", "name": "curso", "equals": "ingles avancado"}),
            json!({"test": "field", "name": "curso", "contains": "INGLÊS"}),
            json!({"test": "not", "of": {"test": "field", "name": "cidade"}}),
            json!({"test": "all", "of": [{"test": "open", "is": true}, {"test": "any", "of": [{"test": "tag", "name": "VIP"}]}]}),
        ] {
            assert!(holds(test.clone()), "{test}");
            assert!(!holds(json!({"test": "not", "of": test.clone()})), "{test}");
        }
        assert!(!holds(json!({"test": "any", "of": []})) && holds(json!({"test": "all", "of": []})));
    }

    proptest! {
        #[test]
        fn what_a_client_wrote_is_never_looked_into(words in ".{0,40}") {
            let fields = fields(&json!({"a": words}));
            prop_assert_eq!(world().fill_in("<{{a}}>", &fields), format!("<{words}>"));
        }
    }
}
