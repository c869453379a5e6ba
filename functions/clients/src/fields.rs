//! What a company keeps of its clients beside what everybody does: fields of a kind, and what goes into them.

use jiff::civil::Date;
use shared::{VISIBLE, closed_set, error::FieldProblem, prelude::*, rule, visible};

/// Keys of fields.
pub const KEY: &str = "^[a-z][a-z0-9_]{0,39}$";

/// Characters of a text, at most.
const LONGEST: usize = 500;

closed_set! {
    /// What goes into a field: a text of at most 500 characters, a number, a date such as `2026-11-28`, `true` or `false`, or one of its options.
    pub FieldKind { Text = "text", Number = "number", Date = "date", Boolean = "boolean", Choice = "choice" }
}

/// A field that clients of this company have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientField {
    /// Its name in `custom_fields`.
    #[garde(length(chars, max = 40), custom(well_formed))]
    #[schemars(regex(pattern = KEY))]
    pub key: String,
    /// What people read.
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    pub label: String,
    /// The same for as long as there are clients.
    #[garde(skip)]
    pub kind: FieldKind,
    /// What may be chosen, of a `choice`.
    #[garde(length(max = 100), inner(length(chars, min = 1, max = 80), custom(visible)))]
    #[schemars(inner(regex(pattern = VISIBLE)))]
    #[serde(default)]
    pub options: Vec<String>,
}

/// The company's fields, in the order of forms.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClientFields {
    pub fields: Vec<ClientField>,
    /// 0 until something is saved.
    pub version: i32,
}

impl Versioned for ClientFields {
    fn version(&self) -> i32 {
        self.version
    }
}

/// As it is stored, with the kinds of all keys there ever were.
#[derive(Debug, Default, FromRow)]
pub struct FieldsRow {
    fields: Value,
    kinds: Value,
    version: i32,
}

pub const FIELDS: &str = "select fields, kinds, version from client_fields";

impl FieldsRow {
    /// As they are stored, and their version.
    #[must_use]
    pub fn fields(&self) -> (&Value, i32) {
        (&self.fields, self.version)
    }

    /// The kinds, with those of `fields`.
    #[must_use]
    pub fn kinds_with(&self, fields: &[ClientField]) -> Value {
        let mut kinds = self.kinds.as_object().cloned().unwrap_or_default();
        kinds.extend(fields.iter().map(|field| (field.key.clone(), json!(field.kind))));
        Value::Object(kinds)
    }

    /// Why these are not the fields from now on.
    #[must_use]
    pub fn problems(&self, fields: &[ClientField]) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        for (place, field) in fields.iter().enumerate() {
            let ClientField { key, kind, options, .. } = field;
            if fields[..place].iter().any(|other| other.key == *key) {
                let (portuguese, english) = ("Já há um campo com esta chave.", "There is a field with this key already.");
                problems.push(FieldProblem::new(format!("fields[{place}].key"), "repeated", portuguese, english));
            }
            if self.kinds.get(key).is_some_and(|known| *known != json!(kind)) {
                let (portuguese, english) =
                    ("O tipo de um campo não muda. Use outra chave.", "The kind of a field stays. Use another key.");
                problems.push(FieldProblem::new(format!("fields[{place}].kind"), "kind_stays", portuguese, english));
            }
            if (*kind == FieldKind::Choice) == options.is_empty() {
                let (portuguese, english) =
                    ("Diga as opções dos campos de escolha, e só deles.", "Give the options of choices, and of nothing else.");
                problems.push(FieldProblem::new(format!("fields[{place}].options"), "not_together", portuguese, english));
            }
        }
        problems
    }
}

impl From<&FieldsRow> for ClientFields {
    fn from(row: &FieldsRow) -> Self {
        Self { fields: serde_json::from_value(row.fields.clone()).unwrap_or_default(), version: row.version }
    }
}

/// The company's fields; none until some are saved.
///
/// # Errors
/// Those of the database.
pub async fn read(transaction: &Transaction) -> Result<ClientFields, Error> {
    let row: Option<FieldsRow> = transaction.first(FIELDS, &[]).await?;
    Ok(ClientFields::from(&row.unwrap_or_default()))
}

impl ClientFields {
    /// What is wrong with values for these fields; null takes one away.
    #[must_use]
    pub fn problems(&self, values: &Map<String, Value>) -> Vec<FieldProblem> {
        let problem = |(key, value): (&String, &Value)| {
            let field = self.fields.iter().find(|field| field.key == *key);
            let (code, portuguese, english) = match field {
                None => ("unknown_custom_field", "Esta empresa não tem este campo.", "This company has no such field."),
                Some(field) if value.is_null() || field.takes(value) => return None,
                Some(_) => ("wrong_custom_value", "Este valor não é do tipo do campo.", "This is no value of the field's kind."),
            };
            Some(FieldProblem::new(format!("custom_fields.{key}"), code, portuguese, english))
        };
        values.iter().filter_map(problem).collect()
    }
}

impl ClientField {
    fn takes(&self, value: &Value) -> bool {
        match (self.kind, value) {
            (FieldKind::Text, Value::String(text)) => text.chars().count() <= LONGEST,
            (FieldKind::Number, Value::Number(_)) | (FieldKind::Boolean, Value::Bool(_)) => true,
            (FieldKind::Date, Value::String(text)) => text.len() == 10 && text.parse::<Date>().is_ok(),
            (FieldKind::Choice, Value::String(text)) => self.options.contains(text),
            _ => false,
        }
    }
}

/// Values from now on, of those there are and those that are given; null takes one away.
#[must_use]
pub fn changed(current: &Value, given: Map<String, Value>) -> Value {
    let mut values = current.as_object().cloned().unwrap_or_default();
    for (key, value) in given {
        if value.is_null() {
            values.remove(&key);
        } else {
            values.insert(key, value);
        }
    }
    Value::Object(values)
}

/// Whether this may be a field's key, but for its length.
#[must_use]
pub fn is_key(key: &str) -> bool {
    let is_inner = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_';
    matches!(key.as_bytes(), [first, rest @ ..] if first.is_ascii_lowercase() && rest.iter().all(|sign| is_inner(*sign)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn well_formed(key: &str, (): &()) -> garde::Result {
    if is_key(key) {
        return Ok(());
    }
    Err(rule("pattern", "Use letras minúsculas, algarismos e _.", "Use small letters, digits and _."))
}

/// The company has other fields of clients.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientFieldsUpdated<'fields> {
    pub fields: &'fields [ClientField],
    pub version: i32,
}

event!(ClientFieldsUpdated<'_> = "client_fields.updated");

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str, options: &[&str]) -> ClientField {
        serde_json::from_value(json!({"key": "campo", "label": "Campo", "kind": kind, "options": options})).unwrap()
    }

    #[test]
    fn a_field_takes_what_is_of_its_kind() {
        let long = "a".repeat(501);
        for (kind, taken, refused) in [
            ("text", vec![json!("abc"), json!("é".repeat(500))], vec![json!(1), json!(long), json!([])]),
            ("number", vec![json!(1), json!(-2.5)], vec![json!("1"), json!(true)]),
            (
                "date",
                vec![json!("2026-11-28"), json!("2024-02-29")],
                vec![json!("2026-02-30"), json!("28/11/2026"), json!("2026-11-28T10:00")],
            ),
            ("boolean", vec![json!(true)], vec![json!("true"), json!(0)]),
            ("choice", vec![json!("A")], vec![json!("B"), json!("a"), json!(["A"])]),
        ] {
            let field = field(kind, if kind == "choice" { &["A"] } else { &[] });
            for value in taken {
                assert!(field.takes(&value), "{kind} {value}");
            }
            for value in refused {
                assert!(!field.takes(&value), "{kind} {value}");
            }
        }
    }

    #[test]
    fn a_key_is_of_one_kind_for_good() {
        let row = FieldsRow { kinds: json!({"campo": "text"}), ..FieldsRow::default() };
        let codes = |fields: &[ClientField]| row.problems(fields).into_iter().map(|problem| problem.code).collect::<Vec<_>>();
        assert!(codes(&[field("text", &[])]).is_empty());
        assert_eq!(codes(&[field("number", &[])]), ["kind_stays"]);
        assert_eq!(codes(&[field("text", &[]), field("text", &["A"])]), ["repeated", "not_together"]);
        assert_eq!(
            row.kinds_with(&[ClientField { key: "outro".into(), ..field("date", &[]) }]),
            json!({"campo": "text", "outro": "date"})
        );
    }
}
