//! What Meta tells of the account, a number or a template, where a person must act: told to the company's admins, once.

use shared::prelude::*;

use crate::{
    channel::{Channel, Done},
    item::AccountNotice,
    statements::ADD_ACCOUNT_NOTICE,
    templates,
};

/// WhatsApp restricts, refuses or changes something, and somebody must act. For admins only.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChannelFlagged {
    /// The number it is about; of what is about the whole account, its first one.
    pub channel_account_id: Uuid,
    pub channel_name: String,
    /// Such as `account_disabled`, `template_rejected`, `number_flagged`, `pin_changed`.
    pub code: String,
    /// In Portuguese, for people.
    pub text: String,
    /// The template, name or form it is about.
    pub subject: Option<String>,
    /// The reason as WhatsApp words it.
    pub detail: Option<String>,
    /// WhatsApp's time.
    pub at: Timestamp,
}
event!(ChannelFlagged = "channel.flagged");

#[derive(FromRow)]
struct Added {
    channel_name: String,
}

pub async fn note(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    notice: &AccountNotice,
) -> Result<Done, Error> {
    let AccountNotice { alert, template, content, at } = notice;
    if let Some(change) = template {
        templates::change(transaction, channel, change).await?;
    }
    let added: Option<Added> =
        transaction.first(ADD_ACCOUNT_NOTICE, &[&context.new_id(), &channel.id, &alert.code, &alert.text, content, at]).await?;
    let Some(Added { channel_name }) = added else { return Ok(Done::Duplicate) };
    let payload = ChannelFlagged {
        channel_account_id: channel.id,
        channel_name,
        code: alert.code.to_owned(),
        text: alert.text.to_owned(),
        subject: alert.subject.clone(),
        detail: alert.detail.clone(),
        at: *at,
    };
    transaction.emit(Event::new(Topic::Company(channel.company_id), Audience::admins(), &payload));
    Ok(Done::Told(alert.code))
}
