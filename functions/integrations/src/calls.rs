//! The log of calls to others, and what they cost.

use shared::prelude::*;

/// One call to a provider.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct IntegrationCall {
    pub id: Uuid,
    /// Such as `whatsapp_cloud`.
    pub provider: String,
    /// Such as `send`, `upload`, `look_up_media`.
    pub operation: String,
    pub channel_account_id: Option<Uuid>,
    pub channel_name: Option<String>,
    /// HTTP status; null without an answer.
    pub status: Option<i32>,
    /// The provider's code; null where it succeeded.
    pub error_code: Option<String>,
    pub took_ms: i32,
    /// With six places; null where nobody has said what it costs, or it failed.
    pub cost: Option<String>,
    pub currency: Option<String>,
    pub at: Timestamp,
}

/// What one operation costs when it succeeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Such as `whatsapp_cloud`.
    #[garde(length(min = 1, max = 60), custom(is_word))]
    #[schemars(regex(pattern = WORD))]
    pub provider: String,
    /// Such as `send`.
    #[garde(length(min = 1, max = 60), custom(is_word))]
    #[schemars(regex(pattern = WORD))]
    pub operation: String,
    /// Up to six places, such as `0.0315`.
    #[garde(custom(is_price))]
    #[schemars(regex(pattern = PRICE))]
    pub price: String,
}

const WORD: &str = "^[a-z_]+$";
const PRICE: &str = r"^[0-9]{1,8}([.][0-9]{1,6})?$";

/// What a company pays for calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Prices {
    /// Three letters, such as `BRL`.
    pub currency: String,
    pub prices: Vec<Price>,
    /// 0 until something is saved.
    pub version: i32,
}

impl Versioned for Prices {
    fn version(&self) -> i32 {
        self.version
    }
}

/// What calls cost has changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PricesUpdated {
    pub version: i32,
}
event!(PricesUpdated = "prices.updated");

/// `Prices` as they are read.
#[derive(Debug, FromRow)]
pub struct PricesRow {
    currency: String,
    prices: Value,
    version: i32,
}

impl From<PricesRow> for Prices {
    fn from(PricesRow { currency, prices, version }: PricesRow) -> Self {
        Self { currency, prices: serde_json::from_value(prices).unwrap_or_default(), version }
    }
}

/// Prices of which two are of the same operation: the later ones' positions.
#[must_use]
pub fn repeated(prices: &[Price]) -> Vec<usize> {
    let is_repeated = |(position, price): &(usize, &Price)| {
        prices[..*position].iter().any(|earlier| (&earlier.provider, &earlier.operation) == (&price.provider, &price.operation))
    };
    prices.iter().enumerate().filter(is_repeated).map(|(position, _)| position).collect()
}

fn is_word(text: &str, (): &()) -> garde::Result {
    if text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return Ok(());
    }
    Err(shared::rule("pattern", "Use letras minúsculas e _.", "Use lower-case letters and _."))
}

fn is_price(text: &str, (): &()) -> garde::Result {
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    let are_digits =
        |digits: &str, most: usize| (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits(whole, 8) && are_digits(places, 6) {
        return Ok(());
    }
    Err(shared::rule(
        "pattern",
        "Use um valor como 0.0315, com até seis casas.",
        "Use an amount such as 0.0315, with up to six places.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_have_six_places_at_most() {
        for price in ["0", "0.0315", "12345678.123456"] {
            assert!(is_price(price, &()).is_ok(), "{price}");
        }
        for price in ["", ".", "1.", ".5", "-1", "1.1234567", "123456789", "1,5", "1e3", "NaN"] {
            assert!(is_price(price, &()).is_err(), "{price}");
        }
    }

    #[test]
    fn an_operation_has_one_price() {
        let price = |operation: &str| Price { provider: "x".into(), operation: operation.into(), price: "1".into() };
        assert_eq!(repeated(&[price("a"), price("b"), price("a"), price("a")]), [2, 3]);
    }
}
