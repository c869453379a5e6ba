//! What Meta tells of the account, a number or a template, where a person must act: told to the company's admins, once.

use integrations::ChannelFlagged;
use shared::prelude::*;

use crate::{
    channel::{Channel, Done},
    item::AccountNotice,
    statements::ADD_ACCOUNT_NOTICE,
    templates,
};

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
