//! Browsers that people let tell them: what one gives of itself, and what is kept of it.

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use shared::{
    error::{FieldProblem, refuse},
    outside::look_at_url,
    prelude::*,
    settings::WebPush,
    visible,
};

use crate::is_point;

/// The stage has no key pair for web push.
pub const WEB_PUSH_OFF: Problem = Problem::new(
    409,
    "web_push_off",
    "As notificações no navegador não estão disponíveis neste ambiente.",
    "Notifications by the browser are not available here.",
);

/// As browsers write them, or with the padding that some add.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// The last moment that times here know, in milliseconds.
const LAST: i64 = 253_402_207_200_000;

/// What `PushSubscription.toJSON()` gives, in its names or in ours.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrowserSubscription {
    /// The browser's address at its push service, over https. Never shown again.
    #[garde(length(chars, min = 1, max = 2000))]
    pub endpoint: String,
    /// When the subscription ends, in milliseconds since 1970; null for most.
    #[garde(range(min = 0, max = LAST))]
    pub expiration_time: Option<i64>,
    #[garde(dive)]
    pub keys: BrowserKeys,
    /// What the person calls this device, or the front end.
    #[garde(length(chars, min = 1, max = 100), inner(custom(visible)))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    pub device: Option<String>,
}

/// What is sent is sealed with these for the browser alone.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrowserKeys {
    /// The browser's public key: the 65 bytes of a point of P-256, in URL-safe base64.
    #[garde(length(chars, min = 87, max = 88))]
    pub p256dh: String,
    /// 16 random bytes, in URL-safe base64.
    #[garde(length(chars, min = 22, max = 24))]
    pub auth: String,
}

impl BrowserSubscription {
    /// The bytes of both keys.
    ///
    /// # Errors
    /// 422 where the address is not to be called, or a key is none.
    pub fn read(&self) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let address = look_at_url(&self.endpoint).err().map(|refusal| refusal.in_field("endpoint"));
        let p256dh = BASE64.decode(&self.keys.p256dh).ok().filter(|bytes| is_point(bytes));
        let auth = BASE64.decode(&self.keys.auth).ok().filter(|bytes| bytes.len() == 16);
        let invalid = |name: &str| FieldProblem::new(format!("keys.{name}"), "invalid_key", "Chave inválida.", "Invalid key.");
        let problems = [address, p256dh.is_none().then(|| invalid("p256dh")), auth.is_none().then(|| invalid("auth"))];
        refuse(problems.into_iter().flatten())?;
        Ok((p256dh.unwrap_or_default(), auth.unwrap_or_default()))
    }

    /// When it ends, if it does.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expiration_time.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
    }
}

/// The stage's key pair.
///
/// # Errors
/// 409 `web_push_off` without one.
pub fn key_pair(context: &Context) -> Result<&WebPush, Error> {
    context.secrets().web_push.as_ref().ok_or_else(|| WEB_PUSH_OFF.into())
}

/// A browser that is told what happens. Where it is told is shown to nobody.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
pub struct WebPushSubscription {
    pub id: Uuid,
    pub device: Option<String>,
    pub created_at: Timestamp,
    /// When the browser last gave it.
    pub refreshed_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser(endpoint: &str, p256dh: &str, auth: &str) -> BrowserSubscription {
        let keys = BrowserKeys { p256dh: p256dh.to_owned(), auth: auth.to_owned() };
        BrowserSubscription { endpoint: endpoint.to_owned(), expiration_time: Some(1_800_000_000_000), keys, device: None }
    }

    const ENDPOINT: &str = "https://push.exemplo.com.br/a1b2";
    const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn a_browser_gives_its_keys_with_padding_or_without() {
        for (p256dh, auth) in [(P256DH.to_owned(), AUTH.to_owned()), (format!("{P256DH}="), format!("{AUTH}=="))] {
            let (p256dh, auth) = browser(ENDPOINT, &p256dh, &auth).read().unwrap();
            assert_eq!((p256dh.len(), p256dh[0], auth.len()), (65, 4, 16));
        }
        assert_eq!(browser(ENDPOINT, P256DH, AUTH).expires_at(), "2027-01-15T08:00:00Z".parse().ok());
        assert!(Timestamp::from_millisecond(LAST).is_ok());
    }

    #[test]
    fn what_is_wrong_is_said_of_every_field() {
        let beside = P256DH.replace("iw4", "iw8");
        for (endpoint, p256dh, auth) in [
            ("http://push.exemplo.com.br/a1b2", P256DH, AUTH),
            ("https://10.0.0.1/a1b2", P256DH, AUTH),
            ("push.exemplo.com.br", P256DH, AUTH),
            (ENDPOINT, &beside, AUTH),
            (ENDPOINT, AUTH, AUTH),
            (ENDPOINT, "?", AUTH),
            (ENDPOINT, P256DH, "BTBZMqHH6r4Tts7J_aSI"),
            (ENDPOINT, P256DH, "BTBZMqHH6r4+ts7J/aSIgg"),
        ] {
            assert!(browser(endpoint, p256dh, auth).read().is_err(), "{endpoint} {p256dh} {auth}");
        }
    }
}
