//! SSM: one parameter with the settings of the functions, made on first start.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::{ACCOUNT, REGION};

/// Name of the parameter which holds [`Settings`] as JSON.
pub const SETTINGS: &str = "/balcao/local/settings";

/// What the functions read once in their init phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Postgres as the functions log in; set at each start.
    pub database_url: String,
    /// Keys which sign access tokens: the current one, then earlier ones.
    pub token_keys: Vec<TokenKey>,
    /// Keys which encrypt the credentials of companies: the current one, then earlier ones.
    pub encryption_keys: Vec<EncryptionKey>,
    pub whatsapp_app_secrets: Vec<String>,
    pub whatsapp_verify_token: String,
    /// The sandbox's; set at each start.
    #[serde(default)]
    pub mail: Value,
    /// By what push services of browsers know this cloud; null for a cloud without web push. Settings of before there was any get one.
    #[serde(default = "WebPush::local")]
    pub web_push: Option<WebPush>,
}

/// A key pair for web push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebPush {
    /// Of P-256, as PKCS #8 in base64.
    pub key: String,
    /// Whom push services tell when something is wrong, `mailto:…` or `https://…`.
    pub contact: String,
}

impl WebPush {
    /// A key pair that nobody has had before.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn fresh(contact: &str) -> anyhow::Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
        Ok(Self { key: STANDARD.encode(document), contact: contact.to_owned() })
    }

    fn local() -> Option<Self> {
        Self::fresh("mailto:suporte@balcao.example").ok()
    }
}

/// A key of access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    pub id: String,
    pub secret: String,
}

/// A key of stored credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionKey {
    pub id: String,
    /// 32 bytes as base64.
    pub key: String,
}

/// The parameters, kept in `parameters.json`.
pub struct Parameters {
    path: Option<PathBuf>,
    settings: Mutex<Settings>,
    is_away: AtomicBool,
}

impl Parameters {
    /// Reads `<directory>/parameters.json`, or makes it with fresh secrets, readable only to its
    /// owner. Without a directory nothing is kept.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written.
    pub fn open(directory: Option<&Path>) -> anyhow::Result<Self> {
        let path = directory.map(|directory| directory.join("parameters.json"));
        let kept = match &path {
            Some(path) if path.exists() => {
                let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
                let settings = serde_json::from_str(&text)
                    .with_context(|| format!("{} is not understood; delete it to get fresh secrets", path.display()))?;
                Some(settings)
            }
            _ => None,
        };
        let fresh = kept.is_none();
        let settings = match kept {
            Some(settings) => settings,
            None => Settings::fresh()?,
        };
        let parameters = Self { path, settings: Mutex::new(settings), is_away: AtomicBool::new(false) };
        if fresh {
            parameters.save()?;
        }
        Ok(parameters)
    }

    /// Tells the functions which mail server takes their mails, `smtp://host:port`, and the certificate that it has signed itself.
    ///
    /// # Errors
    /// When the address is none, or the file cannot be written.
    pub fn set_mail_server(&self, url: &str, certificate: &str) -> anyhow::Result<()> {
        let url = url::Url::parse(url).context("the mail server's address")?;
        let mail = json!({
            "host": url.host_str(), "port": url.port(), "security": "starttls", "authority": certificate, "username": "balcao",
            "password": "local",
            "from": "nao-responda@balcao.example",
        });
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).mail = mail;
        self.save()
    }

    /// Tells the functions where Postgres listens.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_database_url(&self, database_url: &str) -> anyhow::Result<()> {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        database_url.clone_into(&mut settings.database_url);
        drop(settings);
        self.save()
    }

    /// Answers with errors, or with parameters again.
    pub fn set_running(&self, running: bool) {
        self.is_away.store(!running, Ordering::Relaxed);
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.is_away.load(Ordering::Relaxed)
    }

    /// A copy of the settings.
    pub fn settings(&self) -> Settings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The secret that signs webhooks of WhatsApp.
    pub fn whatsapp_app_secret(&self) -> String {
        self.settings().whatsapp_app_secrets.into_iter().next().unwrap_or_default()
    }

    /// The token that WhatsApp shows when it verifies a webhook.
    pub fn whatsapp_verify_token(&self) -> String {
        self.settings().whatsapp_verify_token
    }

    /// The answer of `GetParameter`, or `None` when there is no such parameter.
    pub fn get_parameter(&self, name: &str) -> Option<Value> {
        if name != SETTINGS {
            return None;
        }
        let value = serde_json::to_string(&self.settings()).ok()?;
        Some(json!({
            "Parameter": {
                "ARN": format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{SETTINGS}"),
                "DataType": "text",
                "LastModifiedDate": 0,
                "Name": SETTINGS,
                "Type": "SecureString",
                "Value": value,
                "Version": 1,
            }
        }))
    }

    fn save(&self) -> anyhow::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string_pretty(&self.settings())?;
        let draft = path.with_extension("json.new");
        let written = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&draft, path));
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Settings {
    fn fresh() -> anyhow::Result<Self> {
        Ok(Self {
            database_url: String::new(),
            token_keys: vec![TokenKey { id: "local-1".into(), secret: random_hex(32)? }],
            // As after a new key was put first, so that what an earlier one has sealed is met here too.
            encryption_keys: vec![
                EncryptionKey { id: "local-2".into(), key: STANDARD.encode(random::<32>()?) },
                EncryptionKey { id: "local-1".into(), key: STANDARD.encode(random::<32>()?) },
            ],
            whatsapp_app_secrets: vec![random_hex(16)?],
            whatsapp_verify_token: random_hex(16)?,
            mail: Value::Null,
            web_push: WebPush::local(),
        })
    }
}

fn random<const LENGTH: usize>() -> anyhow::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    Ok(bytes)
}

/// `length` random bytes as lower-case hexadecimal.
pub(crate) fn random_hex(length: usize) -> anyhow::Result<String> {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    Ok(hex::encode(bytes))
}
