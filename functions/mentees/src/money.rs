//! Money: cents in columns, text with two decimals in JSON.

use std::{error::Error, fmt};

use bytes::BytesMut;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// As much as a column takes: a cent less than a trillion.
pub const MOST: i64 = 99_999_999_999_999;

/// An amount in cents, of whichever currency the company counts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub i64);

impl Money {
    /// `1234.5`, `-3`, `0.07`: at most two decimals.
    fn read(text: &str) -> Option<Self> {
        let (is_less, plain) = text.strip_prefix('-').map_or((false, text), |plain| (true, plain));
        let (whole, part) = plain.split_once('.').unwrap_or((plain, "0"));
        let is_written =
            |digits: &str, most: usize| (1..=most).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_written(whole, 12) || !is_written(part, 2) {
            return None;
        }
        let cents = whole.parse::<i64>().ok()? * 100 + format!("{part:0<2}").parse::<i64>().ok()?;
        Some(Self(if is_less { -cents } else { cents }))
    }

    /// A number is rounded to cents, half away from zero.
    fn of_number(number: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "compared with what a column takes")]
        let cents = (number * 100.0).round() as i64;
        (-MOST..=MOST).contains(&cents).then_some(Self(cents))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(formatter, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Front ends send numbers, too.
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match Value::deserialize(deserializer)? {
            Value::String(text) => Self::read(&text),
            Value::Number(number) => number.as_f64().and_then(Self::of_number),
            _ => None,
        };
        read.ok_or_else(|| de::Error::custom("invalid value, expected an amount as 1234.50"))
    }
}

fn schema(sign: &str, least: f64) -> Schema {
    #[expect(clippy::cast_precision_loss, reason = "exact below 2⁵³")]
    let most = MOST as f64 / 100.0;
    json_schema!({
        "description": "An amount with two decimals. Numbers are taken, too, and rounded to two decimals.",
        "anyOf": [
            {"type": "string", "pattern": format!(r"^{sign}[0-9]{{1,12}}(\.[0-9]{{1,2}})?$"), "title": "text"},
            {"type": "number", "minimum": least, "maximum": most, "title": "number"},
        ],
    })
}

/// An amount that may be below zero, as requests give it.
pub fn any_amount(_: &mut SchemaGenerator) -> Schema {
    schema("-?", -999_999_999_999.99)
}

/// An amount that is not below zero, as requests give it.
pub fn amount(_: &mut SchemaGenerator) -> Schema {
    schema("", 0.0)
}

/// The same where it need not be given.
pub fn any_optional_amount(generator: &mut SchemaGenerator) -> Schema {
    or_null(any_amount(generator))
}

/// The same where it need not be given.
pub fn optional_amount(generator: &mut SchemaGenerator) -> Schema {
    or_null(amount(generator))
}

fn or_null(mut schema: Schema) -> Schema {
    if let Some(kinds) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        kinds.push(json!({"type": "null", "title": "none"}));
    }
    schema
}

/// As answers have it.
impl JsonSchema for Money {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$"})
    }
}

/// Rule for amounts that are not below zero.
///
/// # Errors
/// `too_small`.
pub fn not_negative(amount: &Money, (): &()) -> garde::Result {
    if amount.0 < 0 { Err(shared::rule("too_small", "Deve ser no mínimo 0.", "Must be at least 0.")) } else { Ok(()) }
}

impl<'row> FromSql<'row> for Money {
    fn from_sql(kind: &Type, raw: &'row [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        i64::from_sql(kind, raw).map(Self)
    }

    fn accepts(kind: &Type) -> bool {
        <i64 as FromSql>::accepts(kind)
    }
}

impl ToSql for Money {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <i64 as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: Value) -> Option<i64> {
        serde_json::from_value::<Money>(value).ok().map(|money| money.0)
    }

    #[test]
    fn amounts_are_texts_and_numbers() {
        for (value, cents) in [
            (json!("12000.00"), Some(1_200_000)),
            (json!("12000"), Some(1_200_000)),
            (json!("0.5"), Some(50)),
            (json!("-3.07"), Some(-307)),
            (json!(12000), Some(1_200_000)),
            (json!(19.99), Some(1999)),
            (json!(-0.005), Some(-1)),
            (json!(1e300), None),
            (json!("1.234"), None),
            (json!("1,50"), None),
            (json!("R$ 5"), None),
            (json!(""), None),
            (json!("."), None),
            (json!("1."), None),
            (json!("--1"), None),
            (json!("9999999999999"), None),
            (json!(true), None),
            (json!(null), None),
        ] {
            assert_eq!(read(value.clone()), cents, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(cents in -MOST..=MOST) {
            prop_assert_eq!(read(json!(Money(cents).to_string())), Some(cents));
        }
    }
}
