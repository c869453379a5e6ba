//! What was seen of an instance, as its rows keep it, staff are told of it, and admins are when it goes down.

use conversations::outbox::log_calls;
use futures_util::future::try_join;
use integrations::{ChannelFlagged, ChannelStatus, ChannelUpdated, channel_updated};
use shared::{evolution::InstanceState, parameters, prelude::*};

use crate::{InstanceProblem, Seen};

/// Both rows stay as they are until the transaction ends. No row when the instance was removed.
const LOCKED: &str = "
    select channel.name, channel.status, channel.state, channel.display_number, instance.told_at <= $2 as is_news,
           instance.seen_at is not null as was_open, instance.down_told_at is not null as is_told
      from channel_accounts channel
      join evolution_instances instance on instance.channel_account_id = channel.id
     where channel.id = $1 and channel.removed_at is null
       for update";

#[derive(FromRow)]
struct Locked {
    name: String,
    status: ChannelStatus,
    state: InstanceState,
    display_number: Option<String>,
    is_news: bool,
    was_open: bool,
    is_told: bool,
}

const STANDS: &str = channel_updated!(
    "
    update channel_accounts
       set state = $2, status = $3, display_number = $4, version = version + 1
     where id = $1"
);

const KEEP: &str = "
    update evolution_instances
       set told_at = $2,
           made_at = case when $3 then coalesce(made_at, $2) else made_at end,
           webhook_at = case when $4 = (select external_key from channel_accounts where id = $1) then coalesce(webhook_at, $2)
                             else webhook_at end,
           server_version = coalesce($5, server_version),
           profile_name = coalesce($6, profile_name),
           seen_at = case when $7 then $2 else seen_at end,
           problem = $8,
           detail = $9,
           down_told_at = case when $10 then coalesce(down_told_at, $2) end
     where channel_account_id = $1";

const EXPECT_DOWN: &str =
    "update evolution_instances set down_told_at = coalesce(down_told_at, now()) where channel_account_id = $1";

const LEARN_INSTANCE_ID: &str = "select app.learn_instance_id($1, $2)";

const SHOW_CODE: &str = "
    insert into evolution_codes (channel_account_id, qr_code, pairing_code, shown_at) values ($1, $2, $3, $4)
    on conflict (channel_account_id) do update
       set qr_code = excluded.qr_code, pairing_code = excluded.pairing_code, shown_at = excluded.shown_at";

const HIDE_CODE: &str = "delete from evolution_codes where channel_account_id = $1";

/// There is a new code to link a phone with: `GET /whatsapp/instances` shows it. For admins only; whoever has a code has the channel, so the
/// event has none.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChannelCodeShown {
    pub channel_account_id: Uuid,
    pub channel_name: String,
    /// It is good for about a minute from then.
    pub shown_at: Timestamp,
}
event!(ChannelCodeShown = "channel.code_shown");

/// Whether admins are told that an instance is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Once, until it works again.
    Admins,
    /// Not by whoever looks at it anyway.
    Nobody,
    /// An admin has done it.
    TheyKnow,
}

/// Before an admin unlinks a phone: a check that sees so first tells nobody.
///
/// # Errors
/// Those of the database.
pub async fn expect_down(context: &Context, company_id: Uuid, channel_id: Uuid) -> Result<(), Error> {
    let transaction = context.begin_system(company_id).await?;
    transaction.execute(EXPECT_DOWN, &[&channel_id]).await?;
    transaction.commit_quietly().await
}

/// Keeps what was seen, in a transaction of the system's. Answers the channel where it changed; nothing that is older than what is known
/// changes it.
///
/// # Errors
/// Those of the database.
pub async fn record(
    context: &Context,
    company_id: Uuid,
    channel_id: Uuid,
    seen: &Seen,
    telling: Telling,
) -> Result<Option<ChannelUpdated>, Error> {
    let transaction = context.begin_system(company_id).await?;
    let locked: Option<Locked> = transaction.first(LOCKED, &[&channel_id, &seen.at]).await?;
    log_calls(context, &transaction, channel_id, seen.calls.clone());
    let Some(locked) = locked.filter(|locked| locked.is_news) else {
        transaction.commit_quietly().await?;
        return Ok(None);
    };
    let state = seen.state.unwrap_or(locked.state);
    let is_open = state == InstanceState::Open && seen.problem.is_none();
    let is_down = seen.is_made && (seen.problem.is_some() || (state == InstanceState::Close && locked.was_open));
    let is_told = !is_open && (locked.is_told || (is_down && telling != Telling::Nobody));
    let (profile_name, number) = seen.profile.clone().map(|profile| (profile.name, profile.number)).unwrap_or_default();
    let (at, problem) = (seen.at, seen.problem.map(InstanceProblem::as_str));
    let kept: [&(dyn tokio_postgres::types::ToSql + Sync); 10] = [
        &channel_id,
        &at,
        &seen.is_made,
        &seen.told_key,
        &seen.server_version,
        &profile_name,
        &is_open,
        &problem,
        &seen.detail,
        &is_told,
    ];
    let status = status_after(locked.status, seen);
    let number = number.or_else(|| locked.display_number.clone());
    let is_changed = (state, status) != (locked.state, locked.status) || number != locked.display_number;
    let standing = async {
        if !is_changed {
            return Ok(None);
        }
        transaction.first(STANDS, &[&channel_id, &state.as_str(), &status.as_str(), &number]).await
    };
    let (_, changed): (_, Option<ChannelUpdated>) = try_join(transaction.execute(KEEP, &kept), standing).await?;
    if let Some(changed) = &changed {
        transaction.tell_staff(changed);
    }
    if let Some(id) = &seen.instance_id {
        transaction.defer(LEARN_INSTANCE_ID, parameters![channel_id, id.clone()]);
    }
    match &seen.code {
        Some(code) => {
            transaction.defer(SHOW_CODE, parameters![channel_id, code.qr_code.clone(), code.pairing_code.clone(), seen.at]);
            let shown = ChannelCodeShown { channel_account_id: channel_id, channel_name: locked.name.clone(), shown_at: seen.at };
            transaction.emit(Event::new(Topic::Company(company_id), Audience::admins(), &shown));
        }
        None if state != InstanceState::Connecting => transaction.defer(HIDE_CODE, parameters![channel_id]),
        None => {}
    }
    if is_down && !locked.is_told && telling == Telling::Admins {
        tell_admins(context, &transaction, company_id, channel_id, locked.name, seen);
    }
    transaction.commit_quietly().await?;
    Ok(changed)
}

/// A channel whose key is refused is broken until it is taken again.
fn status_after(status: ChannelStatus, seen: &Seen) -> ChannelStatus {
    match (status, seen.problem) {
        (ChannelStatus::Active, Some(InstanceProblem::KeyRefused)) => ChannelStatus::Broken,
        (ChannelStatus::Broken, None) => ChannelStatus::Active,
        _ => status,
    }
}

fn tell_admins(context: &Context, transaction: &Transaction, company_id: Uuid, channel_id: Uuid, name: String, seen: &Seen) {
    let (code, text) = match seen.problem {
        Some(InstanceProblem::Unreachable) => ("server_unreachable", "O servidor da Evolution API não responde."),
        Some(InstanceProblem::KeyRefused) => ("key_refused", "O servidor da Evolution API recusa a chave desta instância."),
        Some(InstanceProblem::Missing) => ("instance_missing", "O servidor da Evolution API não tem mais esta instância."),
        _ => ("instance_closed", "O telefone desta instância foi desconectado."),
    };
    let flagged = ChannelFlagged {
        channel_account_id: channel_id,
        channel_name: name,
        code: code.to_owned(),
        text: text.to_owned(),
        subject: None,
        detail: seen.detail.clone(),
        at: seen.at,
    };
    flagged.tell(context, transaction, company_id);
}
