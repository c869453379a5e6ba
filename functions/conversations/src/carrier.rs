//! Who carries a channel's messages: WhatsApp's Cloud API, an Evolution API server, or BotConversa.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use integrations::{ChannelKind, EvolutionSettings};
use shared::{
    botconversa,
    evolution::{self, Server},
    prelude::*,
    provider::{Call, Failure},
    settings::EncryptionKey,
    whatsapp::{self, Account},
};

pub use crate::botconversa_delivery::{Line, Recipient};
use crate::{Delivery, FileToSend, compose, evolution_delivery};

/// Larger files are refused before they are read: WhatsApp's own limit for documents, and what a server takes as text in one call.
const LARGEST_FILE: i64 = 100_000_000;
const LARGEST_ENCODED: i64 = 16_000_000;

/// A channel as it is called on.
pub enum Carrier {
    Cloud(Account),
    Evolution(Instance),
    BotConversa(Line),
}

/// An instance, with what its server knows us by.
pub struct Instance {
    pub base_url: String,
    pub name: String,
    pub api_key: String,
}

impl Instance {
    /// Gives a message of the business other words on the client's phone, or takes it back without any.
    pub async fn change(
        &self,
        context: &Context,
        provider_id: &str,
        (address, is_user_id): (&str, bool),
        words: Option<&str>,
    ) -> (Result<(), Failure>, Option<Call>) {
        let address = evolution_delivery::sent_to(address, is_user_id);
        let (outcome, call) = match words {
            Some(words) => evolution::edit(context, self.server(), &self.name, (&address, provider_id), words).await,
            None => evolution::revoke(context, self.server(), &self.name, (&address, provider_id)).await,
        };
        (outcome, Some(call))
    }

    #[must_use]
    pub fn server(&self) -> Server<'_> {
        Server { base_url: &self.base_url, api_key: &self.api_key }
    }
}

/// A channel's row with what opens it.
#[derive(Debug, FromRow)]
pub struct Sealed {
    pub channel_account_id: Uuid,
    pub channel_kind: ChannelKind,
    pub external_key: String,
    pub settings: Value,
    pub sealed: Option<Vec<u8>>,
}

/// Its columns, of `channel_accounts` and `channel_credentials`.
#[macro_export]
macro_rules! carrier_columns {
    () => {
        "channel_accounts.id as channel_account_id, channel_accounts.kind as channel_kind, channel_accounts.external_key,
           channel_accounts.settings, channel_credentials.sealed"
    };
}

impl Sealed {
    /// `None` when it has no credentials that open.
    #[must_use]
    pub fn open(&self, keys: &[EncryptionKey]) -> Option<Carrier> {
        let (id, sealed) = (self.channel_account_id, self.sealed.as_deref()?);
        match self.channel_kind {
            ChannelKind::WhatsappCloud => {
                let credentials = whatsapp::Credentials::open(keys, id, sealed)?;
                Some(Carrier::Cloud(Account { phone_number_id: self.external_key.clone(), credentials }))
            }
            ChannelKind::Evolution => {
                let EvolutionSettings { base_url, instance, .. } = serde_json::from_value(self.settings.clone()).ok()?;
                let evolution::Credentials { api_key, .. } = evolution::Credentials::open(keys, id, sealed)?;
                Some(Carrier::Evolution(Instance { base_url, name: instance, api_key }))
            }
            ChannelKind::Botconversa => {
                let botconversa::Credentials { api_key, .. } = botconversa::Credentials::open(keys, id, sealed)?;
                Some(Carrier::BotConversa(Line { channel_account_id: id, api_key, recipient: None }))
            }
            ChannelKind::Widget => None,
        }
    }
}

/// A file of ours to be sent.
pub struct StoredFile<'a> {
    pub key: &'a str,
    pub name: &'a str,
    pub mime_type: &'a str,
    /// Bytes.
    pub size: i64,
}

impl Carrier {
    /// With whom the next message is for, where the carrier has to know more than an address.
    #[must_use]
    pub fn to(self, recipient: Recipient) -> Self {
        match self {
            Self::BotConversa(line) => Self::BotConversa(Line { recipient: Some(recipient), ..line }),
            other => other,
        }
    }

    /// Calls whoever carries it, outside any transaction: first for the file, where it goes by itself, then with the message.
    pub async fn send(
        &self,
        context: &Context,
        mut delivery: Delivery,
        file: Option<StoredFile<'_>>,
    ) -> (Result<String, Failure>, Vec<Call>) {
        let content = match &file {
            // Whoever fetches files by themselves is given their address.
            _ if matches!(self, Self::BotConversa(_)) => None,
            Some(file) => match self.content(context, file).await {
                Ok(content) => Some(content),
                Err(failure) => return (Err(failure), Vec::new()),
            },
            None => None,
        };
        match self {
            Self::Cloud(account) => {
                let mut calls = Vec::new();
                if let (Some(file), Some(content)) = (file, content) {
                    let (uploaded, call) = whatsapp::upload(context, account, content, file.mime_type, file.name).await;
                    calls.push(call);
                    match uploaded {
                        Ok(media_id) => delivery.file = Some(FileToSend { media_id, name: file.name.to_owned() }),
                        // An upload whose answer was lost sends nothing to anybody: it may be done again.
                        Err(Failure::Unknown { .. }) => return (Err(busy("upload_unanswered")), calls),
                        Err(failure) => return (Err(failure), calls),
                    }
                }
                let (sent, call) = whatsapp::send(context, account, &compose(&delivery)).await;
                calls.push(call);
                (sent, calls)
            }
            Self::Evolution(instance) => {
                let file = file.zip(content).map(|(file, content)| evolution_delivery::File {
                    name: file.name,
                    mime_type: file.mime_type,
                    base64: STANDARD.encode(content),
                });
                let Some((what, body)) = evolution_delivery::compose(&delivery, file.as_ref()) else {
                    let detail = "Este canal não envia mensagens deste tipo.".to_owned();
                    return (Err(Failure::Refused { code: "not_carried".into(), detail }), Vec::new());
                };
                let (sent, call) = evolution::send(context, instance.server(), &instance.name, what, body).await;
                (sent, vec![call])
            }
            Self::BotConversa(line) => match &file {
                Some(file) => match shared::files::presigned_for_provider(context, file.key, file.name, file.mime_type).await {
                    Ok(address) => line.send(context, &delivery, Some(&address)).await,
                    Err(error) => (Err(busy(error.problem().code)), Vec::new()),
                },
                None => line.send(context, &delivery, None).await,
            },
        }
    }

    async fn content(&self, context: &Context, file: &StoredFile<'_>) -> Result<Bytes, Failure> {
        let (most, words) = match self {
            Self::Cloud(_) => (LARGEST_FILE, "O arquivo passa de 100 MB."),
            _ => (LARGEST_ENCODED, "O arquivo passa de 16 MB, o máximo deste canal."),
        };
        if file.size > most {
            return Err(Failure::Refused { code: "too_large".into(), detail: words.into() });
        }
        match shared::files::get(context, file.key).await {
            Ok(Some(content)) => Ok(content),
            Ok(None) => Err(Failure::Refused { code: "file_missing".into(), detail: "O arquivo não existe mais.".into() }),
            Err(error) => Err(busy(error.problem().code)),
        }
    }

    /// Shows a client that their message was read.
    pub async fn mark_read(
        &self,
        context: &Context,
        provider_id: &str,
        address: Option<&str>,
    ) -> (Result<(), Failure>, Option<Call>) {
        match (self, address) {
            (Self::Cloud(account), _) => {
                let (result, call) = whatsapp::mark_read(context, account, provider_id).await;
                (result, Some(call))
            }
            (Self::Evolution(instance), Some(address)) => {
                let address = evolution_delivery::jid(address, false);
                let (result, call) =
                    evolution::mark_read(context, instance.server(), &instance.name, &address, provider_id).await;
                (result, Some(call))
            }
            // BotConversa has no ticks.
            (Self::Evolution(_), None) | (Self::BotConversa(_), _) => (Ok(()), None),
        }
    }
}

fn busy(code: &str) -> Failure {
    Failure::Busy { after: Duration::from_secs(5), code: code.to_owned() }
}
