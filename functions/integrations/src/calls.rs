//! The log of calls to others, and what they cost.

use jiff::civil::Date;
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

/// What one message costs that arrives on or after a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessagePrice {
    /// As WhatsApp calls it: `marketing`, `utility`, `authentication`, `service` …
    #[garde(length(min = 1, max = 60), custom(is_word))]
    #[schemars(regex(pattern = WORD))]
    pub category: String,
    /// Of the recipient's number, such as `BR`; null for any that has no price of its own. Numbers that countries share are of the one most of
    /// them are of: Canadian ones count as `US`, as WhatsApp's prices have them.
    #[garde(inner(custom(is_country)))]
    #[schemars(regex(pattern = COUNTRY))]
    pub country: Option<String>,
    /// Up to six places, such as `0.0625`.
    #[garde(custom(is_price))]
    #[schemars(regex(pattern = PRICE))]
    pub price: String,
    /// Three letters, such as `USD`.
    #[garde(custom(is_currency))]
    #[schemars(regex(pattern = CURRENCY))]
    pub currency: String,
    /// The first day, where the company is. Until the next price of its category and country.
    #[garde(skip)]
    pub valid_from: Date,
}

pub const CURRENCY: &str = "^[A-Z]{3}$";
const COUNTRY: &str = "^[A-Z]{2}$";
const WORD: &str = "^[a-z_]+$";
const PRICE: &str = r"^[0-9]{1,8}([.][0-9]{1,6})?$";

/// What a company pays for calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Prices {
    /// Three letters, such as `BRL`.
    pub currency: String,
    pub prices: Vec<Price>,
    /// Of messages that their provider takes money for.
    pub message_prices: Vec<MessagePrice>,
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
    message_prices: Value,
    version: i32,
}

impl From<PricesRow> for Prices {
    fn from(PricesRow { currency, prices, message_prices, version }: PricesRow) -> Self {
        let prices = serde_json::from_value(prices).unwrap_or_default();
        Self { currency, prices, message_prices: serde_json::from_value(message_prices).unwrap_or_default(), version }
    }
}

/// Prices of which two are of the same operation: the later ones' positions.
#[must_use]
pub fn repeated(prices: &[Price]) -> Vec<usize> {
    repeats(prices, |price| (&price.provider, &price.operation))
}

/// Likewise of one category and country from the same day.
#[must_use]
pub fn repeated_messages(prices: &[MessagePrice]) -> Vec<usize> {
    repeats(prices, |price| (&price.category, &price.country, price.valid_from))
}

fn repeats<'prices, P, K: PartialEq>(prices: &'prices [P], key: impl Fn(&'prices P) -> K) -> Vec<usize> {
    let is_repeated = |position: &usize| prices[..*position].iter().any(|earlier| key(earlier) == key(&prices[*position]));
    (0..prices.len()).filter(is_repeated).collect()
}

fn is_word(text: &str, (): &()) -> garde::Result {
    if text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return Ok(());
    }
    Err(shared::rule("pattern", "Use letras minúsculas e _.", "Use lower-case letters and _."))
}

/// The rule of a currency's three letters, for `#[garde(custom(…))]`.
pub fn is_currency(text: &str, (): &()) -> garde::Result {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(shared::rule("pattern", "Use as três letras da moeda, como BRL.", "Use the currency's three letters, such as BRL."))
}

fn is_country(text: &str, (): &()) -> garde::Result {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(shared::rule("pattern", "Use as duas letras do país, como BR.", "Use the country's two letters, such as BR."))
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
        let of = |country: Option<&str>, day| MessagePrice {
            category: "marketing".into(),
            country: country.map(str::to_owned),
            price: "1".into(),
            currency: "USD".into(),
            valid_from: jiff::civil::date(2026, 1, day),
        };
        assert_eq!(repeated_messages(&[of(None, 1), of(Some("BR"), 1), of(None, 2), of(None, 1)]), [3]);
    }
}
