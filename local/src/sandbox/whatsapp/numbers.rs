//! How each business number behaves, and what is known of the people who wrote to it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{WhatsApp, digits_of};
use crate::sandbox::kept::lock;

const WINDOW_SECONDS: i64 = 24 * 60 * 60;

/// Can be set for one number or, without one, for all that have no setting of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberSettings {
    /// Whether statuses come by themselves.
    pub statuses: bool,
    /// After how many milliseconds `sent`, `delivered` and `read` come.
    pub delays_ms: [u64; 3],
    /// Whether `read` comes: false for people with read receipts off.
    pub read_receipts: bool,
    /// Added to the clock that closes the 24-hour window.
    pub clock_shift_seconds: i64,
    pub media_url_seconds: i64,
    /// How often a notification is tried until it is answered with 200.
    pub webhook_attempts: u32,
    /// Before the second try; doubles each time.
    pub webhook_backoff_ms: u64,
    pub waba_id: String,
    /// The one token that may look the number up; empty for any.
    pub access_token: String,
    /// Made from the `phone_number_id` when empty.
    pub display_phone_number: String,
}

impl Default for NumberSettings {
    fn default() -> Self {
        Self {
            statuses: true,
            delays_ms: [50, 120, 400],
            read_receipts: true,
            clock_shift_seconds: 0,
            media_url_seconds: 300,
            webhook_attempts: 5,
            webhook_backoff_ms: 250,
            waba_id: "104200000000001".to_owned(),
            access_token: String::new(),
            display_phone_number: String::new(),
        }
    }
}

impl WhatsApp {
    pub(super) fn settings(&self, phone_number_id: &str) -> NumberSettings {
        let own = lock(&self.numbers).get(phone_number_id).cloned();
        let mut settings = own.unwrap_or_else(|| lock(&self.default_settings).clone());
        if settings.display_phone_number.is_empty() {
            settings.display_phone_number = format!("551140{}", digits_of(phone_number_id, 6));
        }
        settings
    }

    /// Changes the given settings and leaves the others.
    pub(super) fn change_settings(
        &self,
        phone_number_id: Option<&str>,
        changes: &Value,
    ) -> Result<NumberSettings, serde_json::Error> {
        let current = match phone_number_id {
            Some(id) => self.settings(id),
            None => lock(&self.default_settings).clone(),
        };
        let mut merged = serde_json::to_value(current)?;
        for (key, value) in changes.as_object().into_iter().flatten() {
            merged[key] = value.clone();
        }
        let settings: NumberSettings = serde_json::from_value(merged)?;
        match phone_number_id {
            Some(id) => drop(lock(&self.numbers).insert(id.to_owned(), settings.clone())),
            None => *lock(&self.default_settings) = settings.clone(),
        }
        Ok(settings)
    }

    pub(super) fn heard_from(&self, phone_number_id: &str, person: &str, at: i64) {
        let mut last = lock(&self.last_inbound);
        let latest = last.entry((phone_number_id.to_owned(), person.to_owned())).or_insert(at);
        *latest = at.max(*latest);
    }

    /// Whether more than 24 hours have passed since this person wrote; false when they never did.
    pub(super) fn window_closed(&self, phone_number_id: &str, person: &str, now: i64) -> bool {
        let shift = self.settings(phone_number_id).clock_shift_seconds;
        let key = (phone_number_id.to_owned(), person.to_owned());
        lock(&self.last_inbound).get(&key).is_some_and(|last| now + shift >= last + WINDOW_SECONDS)
    }

    /// The account that a dialled number reaches: an older Brazilian account may lack the ninth digit.
    pub(super) fn account_of(&self, phone_number_id: &str, dialled: &str) -> String {
        let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
        let last = lock(&self.last_inbound);
        let known = |wa_id: &str| last.contains_key(&(phone_number_id.to_owned(), wa_id.to_owned()));
        match other_brazilian_form(&digits) {
            Some(other) if !known(&digits) && known(&other) => other,
            _ => digits,
        }
    }
}

/// With the ninth digit when it lacks, without when it is there; `None` for all other numbers.
fn other_brazilian_form(digits: &str) -> Option<String> {
    let (area, subscriber) = digits.strip_prefix("55")?.split_at_checked(2)?;
    match (subscriber.len(), subscriber.as_bytes()[..].first()?) {
        (8, b'6'..=b'9') => Some(format!("55{area}9{subscriber}")),
        (9, b'9') => Some(format!("55{area}{}", &subscriber[1..])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{WhatsApp, other_brazilian_form};

    #[test]
    fn ninth_digit_comes_and_goes() {
        let other = |digits| other_brazilian_form(digits);
        assert_eq!(other("5531987654321").as_deref(), Some("553187654321"));
        assert_eq!(other("553187654321").as_deref(), Some("5531987654321"));
        assert_eq!(other("551132654321"), None);
        assert_eq!(other("14155550100"), None);
        assert_eq!(other("55"), None);
    }

    #[tokio::test]
    async fn window_closes_a_day_after_the_last_message() {
        let whatsapp = WhatsApp::new(None).unwrap();
        assert!(!whatsapp.window_closed("1", "5511", 1_000_000));
        whatsapp.heard_from("1", "5511", 1_000_000);
        assert!(!whatsapp.window_closed("1", "5511", 1_000_000 + 86_399));
        assert!(whatsapp.window_closed("1", "5511", 1_000_000 + 86_400));
        let shift = serde_json::json!({"clock_shift_seconds": 90_000});
        whatsapp.change_settings(Some("1"), &shift).unwrap();
        assert!(whatsapp.window_closed("1", "5511", 1_000_000));
    }
}
