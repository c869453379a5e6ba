//! Secrets of a function, from one SSM parameter read at start.

use std::time::Duration;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde::Deserialize;

use crate::{
    aws::Aws,
    closed_set,
    environment::variable,
    error::{Error, INTERNAL, UNAVAILABLE},
};

/// Secrets shorter than this many bytes are refused at start.
const SHORTEST_SECRET: usize = 32;

/// How long the parameter is waited for: both a start and the request after it have to end in time.
const PATIENCE: Duration = Duration::from_secs(4);

/// The value of the parameter named by `SETTINGS_PARAM`.
#[derive(Clone, Deserialize)]
pub struct Secrets {
    /// Login of the functions, through the pooler.
    pub database_url: String,
    /// Signing keys of access tokens; the first signs, all verify.
    pub token_keys: Vec<TokenKey>,
    /// Keys that seal stored credentials; the first seals, all open.
    pub encryption_keys: Vec<EncryptionKey>,
    /// Meta app secrets, current and previous.
    pub whatsapp_app_secrets: Vec<String>,
    pub whatsapp_verify_token: String,
    /// The stage's mail server, for companies without one of their own.
    #[serde(default)]
    pub mail: Option<MailServer>,
    /// By what push services of browsers know the stage; without it nobody is told while no page of theirs is open.
    #[serde(default)]
    pub web_push: Option<WebPush>,
}

/// The stage's key pair for web push (VAPID, RFC 8292). Browsers subscribe with its public half: whoever replaces it has all of them subscribe anew.
#[derive(Clone, Deserialize)]
pub struct WebPush {
    /// Of P-256, as PKCS #8 with its public half, in base64.
    pub key: String,
    /// Whom a push service tells when something is wrong with what it gets: `mailto:…` or `https://…`.
    pub contact: String,
}

impl WebPush {
    /// The key pair in PKCS #8.
    ///
    /// # Panics
    /// When it is not in base64, which `Secrets::parse` refuses.
    #[must_use]
    pub fn pkcs8(&self) -> Vec<u8> {
        STANDARD.decode(&self.key).expect("checked at start")
    }

    /// The public half, an uncompressed point in URL-safe base64: the `applicationServerKey` of browsers.
    ///
    /// # Panics
    /// When the key is none of P-256, which `Secrets::parse` refuses.
    #[must_use]
    pub fn public_key(&self) -> String {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.pkcs8(), &SystemRandom::new());
        URL_SAFE_NO_PAD.encode(pair.expect("checked at start").public_key().as_ref())
    }

    fn is_whole(&self) -> bool {
        let is_pair =
            |der: Vec<u8>| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new()).is_ok();
        STANDARD.decode(&self.key).is_ok_and(is_pair)
    }
}

/// Where and how mails are handed over.
#[derive(Clone, Deserialize)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub security: MailSecurity,
    /// Both, or the server wants no login.
    #[serde(flatten)]
    pub login: Option<MailLogin>,
    /// In PEM, who vouches for the server's certificate besides those whom everybody trusts.
    #[serde(default)]
    pub authority: Option<String>,
    /// The sender's address.
    pub from: String,
    /// The sender's name; without one, the company's.
    #[serde(default)]
    pub from_name: Option<String>,
    /// Whether people of a company typed it: it is called where it is public, and nowhere else.
    #[serde(skip)]
    pub is_typed: bool,
}

#[derive(Clone, Deserialize)]
pub struct MailLogin {
    pub username: String,
    pub password: String,
}

closed_set! {
    /// How a connection to a mail server is kept from listeners.
    pub MailSecurity {
        /// From the first byte, usually on port 465.
        Tls = "tls",
        /// Before anything that matters is said, usually on port 587.
        StartTls = "starttls",
        /// Not at all: a server on the same machine.
        None = "none",
    }
}

#[derive(Clone, Deserialize)]
pub struct TokenKey {
    pub id: String,
    pub secret: String,
}

#[derive(Clone, Deserialize)]
pub struct EncryptionKey {
    pub id: String,
    /// 32 bytes in base64.
    pub key: String,
}

impl Secrets {
    /// Fetches the parameter.
    ///
    /// # Errors
    /// 503 when it is not to be had now, 500 when it is not what it should be.
    pub(crate) async fn read(aws: &Aws) -> Result<Self, Error> {
        let name = variable("SETTINGS_PARAM");
        let value = match tokio::time::timeout(PATIENCE, aws.parameter(&name)).await {
            Ok(value) => value.map_err(|cause| UNAVAILABLE.caused_by(cause))?,
            Err(_) => return Err(UNAVAILABLE.caused_by(format!("reading the parameter {name}: no answer in time"))),
        };
        Self::parse(&value).map_err(|cause| INTERNAL.caused_by(cause))
    }

    /// Reads and checks the parameter's value.
    ///
    /// # Errors
    /// A text for the log that names the first problem, never a secret.
    pub fn parse(value: &str) -> Result<Self, String> {
        // The error's own text may quote what it found.
        let secrets: Self = serde_json::from_str(value).map_err(|error| {
            format!("the settings parameter is not valid at line {}, column {}", error.line(), error.column())
        })?;
        if secrets.token_keys.is_empty() || secrets.encryption_keys.is_empty() || secrets.whatsapp_app_secrets.is_empty() {
            return Err("the settings parameter lists no token key, encryption key or WhatsApp app secret".into());
        }
        let token_keys = secrets.token_keys.iter().map(|key| ("a token key", &key.secret));
        // Meta's are 32 characters.
        let app_secrets = secrets.whatsapp_app_secrets.iter().map(|secret| ("a WhatsApp app secret", secret));
        let verify_token = [("the WhatsApp verify token", &secrets.whatsapp_verify_token)];
        if let Some((name, _)) =
            token_keys.chain(app_secrets).chain(verify_token).find(|(_, value)| value.len() < SHORTEST_SECRET)
        {
            return Err(format!("{name} is shorter than {SHORTEST_SECRET} bytes"));
        }
        let is_whole = |key: &EncryptionKey| STANDARD.decode(&key.key).is_ok_and(|bytes| bytes.len() == 32);
        if !secrets.encryption_keys.iter().all(is_whole) {
            return Err("an encryption key is not 32 bytes in base64".into());
        }
        if let Some(web_push) = &secrets.web_push {
            if !web_push.is_whole() {
                return Err("the key of web push is no key pair of P-256 as PKCS #8 in base64".into());
            }
            if !["mailto:", "https://"]
                .iter()
                .any(|scheme| web_push.contact.len() > scheme.len() && web_push.contact.starts_with(scheme))
            {
                return Err("the contact of web push is neither mailto: nor https:".into());
            }
        }
        Ok(secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(token_secret: &str, key: &str, app_secret: &str) -> String {
        serde_json::json!({
            "database_url": "postgres://app@localhost/balcao",
            "token_keys": [{"id": "1", "secret": token_secret}],
            "encryption_keys": [{"id": "1", "key": key}],
            "whatsapp_app_secrets": ["0123456789abcdef0123456789abcdef", app_secret],
            "whatsapp_verify_token": "fedcba9876543210fedcba9876543210",
        })
        .to_string()
    }

    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    #[test]
    fn no_secret_is_in_the_text_for_the_log() {
        let misplaced =
            value(&"x".repeat(32), KEY, &"x".repeat(32)).replace("[{\"id\":\"1\",\"key\"", "\"very-secret\",\"rest\":[{\"key\"");
        let text = Secrets::parse(&misplaced).err().expect("it is refused");
        assert!(text.starts_with("the settings parameter is not valid at line 1") && !text.contains("very-secret"), "{text}");
    }

    #[test]
    fn a_key_of_web_push_is_a_pair_with_a_contact() {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let with = |key: &str, contact: &str| {
            let mut settings: serde_json::Value = serde_json::from_str(&value(&"x".repeat(32), KEY, &"x".repeat(32))).unwrap();
            settings["web_push"] = serde_json::json!({"key": key, "contact": contact});
            Secrets::parse(&settings.to_string())
        };
        let key = STANDARD.encode(&document);
        let web_push = with(&key, "mailto:a@b.test").ok().and_then(|secrets| secrets.web_push).expect("it is taken");
        assert_eq!((web_push.public_key().len(), &web_push.public_key()[..1]), (87, "B"));
        for (key, contact) in [(key.as_str(), "a@b.test"), (&key, "mailto:"), (KEY, "mailto:a@b.test"), ("?", "mailto:a@b.test")]
        {
            let text = with(key, contact).err().expect("it is refused");
            assert!(text.contains("web push") && !text.contains(key), "{text}");
        }
        assert!(Secrets::parse(&value(&"x".repeat(32), KEY, &"x".repeat(32))).is_ok_and(|secrets| secrets.web_push.is_none()));
    }

    #[test]
    fn short_secrets_are_refused() {
        let long = "x".repeat(32);
        assert!(Secrets::parse(&value("short", KEY, &long)).is_err());
        assert!(Secrets::parse(&value(&long, "AAAA", &long)).is_err());
        assert!(Secrets::parse(&value(&long, KEY, "")).is_err());
        assert!(Secrets::parse(&value(&long, KEY, &long)).is_ok());
    }
}
