//! Amounts of money: two decimals, written as text, added up without losing any. One type for what is never below zero, one for what may be.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// Digits before the point of an amount that is given, as many as a column takes.
const MOST_DIGITS: usize = 12;

/// Those of a sum of many, which columns do not keep.
const MOST_DIGITS_OF_SUM: usize = 16;

/// What an amount looks like, given or told.
fn schema(sign: &str, generator: &SchemaGenerator) -> Schema {
    let digits = if generator.contract().is_deserialize() {
        format!("{{1,{MOST_DIGITS}}}([.][0-9]{{1,2}})?")
    } else {
        "+[.][0-9]{2}".to_owned()
    };
    json_schema!({"type": "string", "pattern": format!("^{sign}[0-9]{digits}$")})
}

/// An amount from nothing to `999999999999.99`, or a sum of such, in the company's currency. Statements write it `$1::text::numeric` and read it `amount::text`.
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

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schema("", generator)
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
        let is_figure =
            |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_figure(whole, MOST_DIGITS_OF_SUM) || !is_figure(hundredths, 2) {
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

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

/// From text, also from a figure, as some front ends have it.
fn read<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(deserializer: D) -> Result<T, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return Err(de::Error::custom("invalid type: expected a string")),
    };
    let whole = text.split('.').next().unwrap_or_default().trim_start_matches('-');
    if whole.len() > MOST_DIGITS {
        return Err(de::Error::custom("invalid value: more than 12 digits before the point"));
    }
    text.parse().map_err(de::Error::custom)
}

/// An amount that may be below zero, as a profit is; `Money` in everything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignedMoney(i64);

impl SignedMoney {
    /// An amount in hundredths.
    #[must_use]
    pub const fn cents(cents: i64) -> Self {
        Self(cents)
    }
}

impl JsonSchema for SignedMoney {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SignedMoney".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schema("-?", generator)
    }
}

impl fmt::Display for SignedMoney {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(formatter, "{sign}{}", Money(self.0.unsigned_abs()))
    }
}

impl FromStr for SignedMoney {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sign, amount) = text.strip_prefix('-').map_or((1, text), |amount| (-1, amount));
        let amount: Money = amount.parse()?;
        i64::try_from(amount.0).map(|cents| Self(sign * cents)).map_err(|error| error.to_string())
    }
}

crate::read_from_text!(SignedMoney);

impl Serialize for SignedMoney {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SignedMoney {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
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
        for given in [
            json!("-1"),
            json!(-1),
            json!("1.234"),
            json!("1,50"),
            json!(""),
            json!("1."),
            json!("1000000000000"),
            json!(null),
            json!(1e30),
        ] {
            assert!(serde_json::from_value::<Money>(given.clone()).is_err(), "{given}");
        }
    }

    #[test]
    fn a_sum_may_be_more_than_one_may_give() {
        assert_eq!("1999999999999.98".parse::<Money>().unwrap().to_string(), "1999999999999.98");
        assert!(serde_json::from_value::<Money>(json!("1999999999999.98")).is_err());
    }

    #[test]
    fn an_amount_below_zero_has_a_sign() {
        for (given, told) in [(json!("-3.07"), "-3.07"), (json!(-0.5), "-0.50"), (json!("-0"), "0.00"), (json!(1200), "1200.00")]
        {
            let money: SignedMoney = serde_json::from_value(given).unwrap();
            assert_eq!(serde_json::to_value(money).unwrap(), told);
        }
        for given in [json!("--1"), json!("+1"), json!("-"), json!("- 1"), json!("1-"), json!("-1000000000000"), json!(true)] {
            assert!(serde_json::from_value::<SignedMoney>(given.clone()).is_err(), "{given}");
        }
    }
}
