//! Where the values of a webhook stand in its body, which a company says for itself. Pure.

use std::collections::BTreeMap;

use shared::{error::FieldProblem, prelude::*, rule, visible};

use crate::phone;

/// Names on the way to a value, with dots between; a place in a list is its number.
const PLACE: &str = r"^[^.\s]([^.]*[^.\s])?([.][^.\s]([^.]*[^.\s])?){0,9}$";

/// Keys of clients' fields.
const FIELD_KEY: &str = "^[a-z][a-z0-9_]{0,39}$";

/// Characters of a value that is believed.
const LONGEST: usize = 4096;

/// Where the values of a webhook stand in its body, such as `contact.phone`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Mapping {
    /// The person's number, as the flow has it from WhatsApp.
    #[garde(custom(is_place))]
    #[schemars(regex(pattern = PLACE), length(max = 200))]
    pub phone: String,
    #[garde(inner(custom(is_place)))]
    #[schemars(regex(pattern = PLACE), length(max = 200))]
    pub name: Option<String>,
    /// What they wrote. A webhook without it makes a client and no conversation.
    #[garde(inner(custom(is_place)))]
    #[schemars(regex(pattern = PLACE), length(max = 200))]
    pub message: Option<String>,
    /// BotConversa's own id of them.
    #[garde(inner(custom(is_place)))]
    #[schemars(regex(pattern = PLACE), length(max = 200))]
    pub subscriber_id: Option<String>,
    /// In one word, what it is about: for those who read raw webhooks.
    #[garde(inner(custom(is_place)))]
    #[schemars(regex(pattern = PLACE), length(max = 200))]
    pub event: Option<String>,
    /// What is never the same for two webhooks: with it the same body is the same webhook for ever, without it for a minute.
    #[garde(inner(custom(is_place)))]
    #[schemars(regex(pattern = PLACE), length(max = 200))]
    pub id: Option<String>,
    /// Of clients' fields by their keys, where their values stand.
    #[garde(length(max = 50), custom(are_places))]
    #[serde(default)]
    #[schemars(schema_with = "places")]
    pub fields: BTreeMap<String, String>,
    /// An object with values of clients' fields by their keys.
    #[garde(inner(custom(is_place)))]
    #[schemars(regex(pattern = PLACE), length(max = 200))]
    pub fields_in: Option<String>,
}

fn places(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 50,
        "propertyNames": {"pattern": FIELD_KEY},
        "additionalProperties": {"type": "string", "maxLength": 200, "pattern": PLACE},
    })
}

impl Default for Mapping {
    /// That of the recipe in `docs/channels.md`.
    fn default() -> Self {
        let at = |place: &str| Some(place.to_owned());
        Self {
            phone: "phone".into(),
            name: at("name"),
            message: at("message"),
            subscriber_id: at("subscriber_id"),
            event: at("event"),
            id: at("message_id"),
            fields: BTreeMap::new(),
            fields_in: at("fields"),
        }
    }
}

/// What a body says by a mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Digits, as an identity has them.
    pub number: Option<String>,
    pub name: Option<String>,
    pub message: Option<String>,
    pub subscriber_id: Option<String>,
    pub event: Option<String>,
    pub id: Option<String>,
    pub fields: BTreeMap<String, String>,
}

impl Mapping {
    /// What stands in a body. Empty texts and variables that nobody filled in say nothing.
    #[must_use]
    pub fn read(&self, body: &Value) -> Told {
        let at = |place: &Option<String>| place.as_deref().and_then(|place| text_at(body, place));
        let inside = self.fields_in.as_deref().and_then(|place| value_at(body, place)).and_then(Value::as_object);
        let inside = inside.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), text_of(value)?)));
        let named = self.fields.iter().filter_map(|(key, place)| Some((key.clone(), text_at(body, place)?)));
        Told {
            number: text_at(body, &self.phone).and_then(|text| number(&text)),
            name: at(&self.name),
            message: at(&self.message),
            subscriber_id: at(&self.subscriber_id).filter(|id| id.len() <= 64),
            event: at(&self.event),
            // Half of one that nobody filled in is the same for all.
            id: at(&self.id).filter(|id| !id.contains("{{")),
            fields: inside.chain(named).collect(),
        }
    }

    /// Why a body does not show that this mapping is right.
    #[must_use]
    pub fn problems(&self, sample: &Value) -> Vec<FieldProblem> {
        let told = self.read(sample);
        let places = [
            ("name", &self.name, told.name.is_some()),
            ("message", &self.message, told.message.is_some()),
            ("subscriber_id", &self.subscriber_id, told.subscriber_id.is_some()),
            ("event", &self.event, told.event.is_some()),
            ("id", &self.id, told.id.is_some()),
        ];
        let is_absent = |place: &str| value_at(sample, place).is_none();
        let missing = places.into_iter().filter(|(_, place, is_read)| !is_read && place.as_deref().is_some_and(is_absent));
        let missing = missing.map(|(field, ..)| field.to_owned());
        let unread = self.fields.iter().filter(|(_, place)| is_absent(place)).map(|(key, _)| format!("fields.{key}"));
        let missing = missing.chain(unread).map(|field| {
            let (portuguese, english) = ("O exemplo não tem nada neste lugar.", "The sample has nothing in this place.");
            FieldProblem::new(format!("mapping.{field}"), "yields_nothing", portuguese, english)
        });
        let no_phone = told.number.is_none().then(|| {
            let (portuguese, english) =
                ("O exemplo não tem um telefone neste lugar.", "The sample has no phone number in this place.");
            FieldProblem::new("mapping.phone", "yields_no_phone", portuguese, english)
        });
        no_phone.into_iter().chain(missing).collect()
    }
}

fn value_at<'a>(body: &'a Value, place: &str) -> Option<&'a Value> {
    place.split('.').try_fold(body, |value, name| match value {
        Value::Object(fields) => fields.get(name),
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

fn text_at(body: &Value, place: &str) -> Option<String> {
    text_of(value_at(body, place)?)
}

/// A text that says something, or a number, which may come as either.
fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(is_so) => is_so.to_string(),
        _ => return None,
    };
    let is_unresolved = text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1;
    (!text.is_empty() && !is_unresolved).then(|| text.chars().take(LONGEST).collect())
}

/// A number as it may come: with a plus and without, with its ninth digit and without.
fn number(text: &str) -> Option<String> {
    let read = phone::read(text).or_else(|| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_foreign = (12..=15).contains(&digits.len()) && digits == text && !digits.starts_with('0');
        is_foreign.then(|| shared::phone::canonical(&digits))
    })?;
    phone::is_one(&read).then_some(read)
}

/// The rule of places, for `#[garde(custom(…))]`.
fn is_place(place: &str, (): &()) -> garde::Result {
    let is_name = |name: &str| !name.is_empty() && name.trim() == name;
    let mut names = place.split('.');
    if place.len() <= 200 && place.split('.').count() <= 10 && names.all(is_name) {
        return visible(&place, &());
    }
    Err(rule(
        "pattern",
        "Use nomes com pontos entre eles, como contact.phone.",
        "Use names with dots between, such as contact.phone.",
    ))
}

fn are_places(places: &BTreeMap<String, String>, (): &()) -> garde::Result {
    let is_key = |key: &str| {
        let is_inner = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_';
        let bytes = key.as_bytes();
        (1..=40).contains(&bytes.len()) && bytes[0].is_ascii_lowercase() && bytes.iter().all(|sign| is_inner(*sign))
    };
    if !places.keys().all(|key| is_key(key)) {
        return Err(rule("pattern", "Use chaves de campos de clientes.", "Use keys of clients' fields."));
    }
    places.values().try_for_each(|place| is_place(place, &()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Value {
        json!({"event": "lead", "phone": "+553187654321", "name": "Maria", "subscriber_id": 900_000_001, "message": "Olá",
               "message_id": "a1", "fields": {"cidade": "BH", "idade": 30, "vazio": "", "aberto": "{{x}}"}})
    }

    #[test]
    fn the_recipe_is_read_as_it_comes() {
        let told = Mapping::default().read(&recipe());
        assert_eq!(told.number.as_deref(), Some("5531987654321"), "with its ninth digit");
        assert_eq!((told.subscriber_id.as_deref(), told.message.as_deref()), (Some("900000001"), Some("Olá")));
        let fields: Vec<(&str, &str)> = told.fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(fields, [("cidade", "BH"), ("idade", "30")], "what says nothing is not there");
        assert!(Mapping::default().problems(&recipe()).is_empty());
    }

    #[test]
    fn what_nobody_filled_in_says_nothing() {
        let mut body = recipe();
        for unresolved in [json!("{{telefone}}"), json!(""), json!("  "), Value::Null, json!({}), json!("4004")] {
            body["phone"] = unresolved.clone();
            assert_eq!(Mapping::default().read(&body).number, None, "{unresolved}");
        }
        body["message"] = json!("Oi {{nome}} e {{outro}}");
        assert_eq!(Mapping::default().read(&body).message.as_deref(), Some("Oi {{nome}} e {{outro}}"));
    }

    #[test]
    fn places_lead_through_objects_and_lists() {
        let mapping = Mapping { phone: "contacts.0.wa id".into(), ..Mapping::default() };
        let body = json!({"contacts": [{"wa id": "5511987654321"}]});
        assert_eq!(mapping.read(&body).number.as_deref(), Some("5511987654321"));
        for place in ["", ".", "a..b", "a.", " a", "a.b.c.d.e.f.g.h.i.j.k"] {
            assert!(is_place(place, &()).is_err(), "{place}");
        }
    }

    #[test]
    fn a_mapping_that_yields_nothing_is_named() {
        let fields = BTreeMap::from([("cidade".to_owned(), "endereco.cidade".to_owned())]);
        let mapping = Mapping { phone: "tel".into(), name: Some("nome".into()), fields, ..Mapping::default() };
        let named: Vec<String> = mapping.problems(&recipe()).into_iter().map(|problem| problem.field).collect();
        assert_eq!(named, ["mapping.phone", "mapping.name", "mapping.fields.cidade"]);
    }
}
