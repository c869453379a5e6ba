//! Amounts of money: two decimals, written as text, added up without losing any.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// What an amount looks like.
const AMOUNT: &str = "^[0-9]{1,12}([.][0-9]{1,2})?$";

/// An amount from nothing to `999999999999.99`, in the company's currency. Statements write it `$1::text::numeric` and read it `amount::text`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(u64);

impl Money {
    /// An amount in hundredths.
    #[must_use]
    pub const fn cents(cents: u64) -> Self {
        Self(cents)
    }

    /// In hundredths.
    #[must_use]
    pub const fn as_cents(self) -> u64 {
        self.0
    }
}

impl JsonSchema for Money {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": AMOUNT})
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl FromStr for Money {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, hundredths) = text.split_once('.').unwrap_or((text, "0"));
        let is_figure = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_figure(whole, 12) || !is_figure(hundredths, 2) {
            return Err(format!("invalid value: string {text:?}, expected an amount such as 1500.00"));
        }
        let figure = |part: &str| part.parse::<u64>().map_err(|error| error.to_string());
        let tenfold = if hundredths.len() == 1 { 10 } else { 1 };
        Ok(Self(figure(whole)? * 100 + figure(hundredths)? * tenfold))
    }
}

crate::read_from_text!(Money);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Also from a figure, as some front ends have it.
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(de::Error::custom("invalid type: expected a string")),
        };
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_is_text_with_two_decimals() {
        for (given, told) in [
            (json!("1500"), "1500.00"),
            (json!("0.5"), "0.50"),
            (json!("0.05"), "0.05"),
            (json!(4500), "4500.00"),
            (json!(19.9), "19.90"),
            (json!("999999999999.99"), "999999999999.99"),
        ] {
            let money: Money = serde_json::from_value(given).unwrap();
            assert_eq!(serde_json::to_value(money).unwrap(), told);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for given in [json!("-1"), json!(-1), json!("1.234"), json!("1,50"), json!(""), json!("1."), json!("1000000000000"), json!(null), json!(1e30)] {
            assert!(serde_json::from_value::<Money>(given.clone()).is_err(), "{given}");
        }
    }
}
