//! Jobs over the people who write by a channel: those without a name get the best one that is known, and profiles are asked for.

pub mod names;
pub mod run;

use integrations::ChannelKind;
use shared::{
    closed_set,
    error::NOT_FOUND,
    prelude::*,
    progress::{self, JobProgress},
};

/// The kinds of these jobs.
pub const FIX_NAMES: &str = "fix_contact_names";
pub const SYNC_PROFILES: &str = "sync_contact_profiles";

/// What a job is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ContactsJob {
    pub channel_account_id: Uuid,
}

/// Which channels.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhichChannel {
    /// All of the company's without it.
    #[garde(skip)]
    pub channel_account_id: Option<Uuid>,
}

closed_set! {
    /// Why a channel has no such job.
    pub NoJobReason {
        /// What connects it gives no profiles: names come with messages alone.
        NoProfiles = "no_profiles",
        /// It was switched off.
        Disabled = "disabled",
    }
}

/// What is done for one channel.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChannelJob {
    pub channel_account_id: Uuid,
    pub channel_name: String,
    pub channel_kind: ChannelKind,
    /// The job, one at a time for a channel: while one goes on it is that one. Null where there is none.
    pub job: Option<JobProgress>,
    /// Why there is none.
    pub reason: Option<NoJobReason>,
}

/// What is done for each channel.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChannelJobs {
    pub data: Vec<ChannelJob>,
}

const CHANNELS: &str = "
    select id, name, kind, status = 'disabled' as is_disabled
      from channel_accounts
     where kind in ('whatsapp_cloud', 'evolution') and removed_at is null and ($1::uuid is null or id = $1)
     order by created_at, id";

#[derive(FromRow)]
struct Channel {
    id: Uuid,
    name: String,
    kind: ChannelKind,
    is_disabled: bool,
}

/// Starts a job of this kind for one channel or for each.
///
/// # Errors
/// 404 where the channel is not there, and as the database fails.
pub async fn start(
    context: &Context,
    caller: &Identity,
    kind: &'static str,
    which: WhichChannel,
) -> Result<Accepted<ChannelJobs>, Error> {
    let transaction = context.begin(caller).await?;
    let channels: Vec<Channel> = transaction.all(CHANNELS, &[&which.channel_account_id]).await?;
    if channels.is_empty() && which.channel_account_id.is_some() {
        return Err(NOT_FOUND.into());
    }
    let mut data = Vec::new();
    for channel in channels {
        let reason = match channel.kind {
            _ if channel.is_disabled => Some(NoJobReason::Disabled),
            ChannelKind::WhatsappCloud if kind == SYNC_PROFILES => Some(NoJobReason::NoProfiles),
            _ => None,
        };
        let job = match reason {
            None => Some(start_one(context, &transaction, kind, channel.id).await?),
            Some(_) => None,
        };
        data.push(ChannelJob {
            channel_account_id: channel.id,
            channel_name: channel.name,
            channel_kind: channel.kind,
            job,
            reason,
        });
    }
    let jobs = ChannelJobs { data };
    transaction.audit(which.channel_account_id.unwrap_or(caller.company_id), &Value::Null, &jobs);
    transaction.commit(Accepted(jobs)).await
}

/// Jobs of one channel are done one after the other, whichever of them comes first.
async fn start_one(context: &Context, transaction: &Transaction, kind: &'static str, id: Uuid) -> Result<JobProgress, Error> {
    let payload = json!(ContactsJob { channel_account_id: id });
    let job = Job::new(context, Queue::Contacts, kind, format!("contacts:{id}"), payload);
    progress::start(transaction, job, &id.to_string(), None).await
}
