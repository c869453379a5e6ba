//! An instance as staff see it.

use integrations::ChannelStatus;
use shared::{evolution::InstanceState, prelude::*};

use crate::{
    seen::{InstanceProblem, Seen},
    words::told_in,
};

/// An instance. Its code is shown to admins, for as long as it can be scanned.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Instance {
    pub id: Uuid,
    pub name: String,
    pub status: ChannelStatus,
    pub state: InstanceState,
    /// Null while it works.
    pub problem: Option<InstanceProblem>,
    /// The server's own words on it. For admins.
    pub detail: Option<String>,
    /// Of its server. For admins.
    pub base_url: Option<String>,
    /// What its server calls it. For admins.
    pub instance_name: Option<String>,
    /// The end of its key, such as `••••1234`. For admins.
    pub api_key: Option<String>,
    /// The number that was linked last, E.164.
    pub display_number: Option<String>,
    /// The name that WhatsApp shows of it.
    pub profile_name: Option<String>,
    pub server_version: Option<String>,
    /// Whether its server knows where to send what happens.
    pub has_webhook: bool,
    /// When it was last known to be open.
    pub seen_at: Option<Timestamp>,
    /// As of when its state is known.
    pub checked_at: Timestamp,
    /// To be scanned with the phone, as a data URL. For admins.
    pub qr_code: Option<String>,
    /// To be typed on the phone. For admins.
    pub pairing_code: Option<String>,
    /// When the code was shown first; it is good for about a minute.
    pub code_shown_at: Option<Timestamp>,
    /// Other channels of the company that are connected with the same number: each message comes in by all of them.
    pub same_number_ids: Vec<Uuid>,
    /// Where its new conversations go.
    pub department_id: Option<Uuid>,
    /// The flow that answers first; null hands every conversation to people.
    pub bot_flow_key: Option<String>,
    pub created_at: Timestamp,
    pub version: i32,
}

/// Instances that were not removed, to be gone on with a condition or an order. Codes come with the rows that the caller may read.
#[macro_export]
macro_rules! instances {
    ($with:literal, $channels:literal, $rest:literal) => {
        concat!(
            $with,
            "select channel.id, channel.name, channel.status, channel.state, instance.problem,
                    case when app.has_role('admin') then instance.detail end as detail,
                    case when app.has_role('admin') then channel.settings ->> 'base_url' end as base_url,
                    case when app.has_role('admin') then channel.settings ->> 'instance' end as instance_name,
                    case when app.has_role('admin') then channel.settings ->> 'api_key' end as api_key,
                    '+' || channel.display_number as display_number, instance.profile_name, instance.server_version,
                    instance.webhook_at is not null as has_webhook, instance.seen_at,
                    instance.told_at as checked_at,
                    code.qr_code, code.pairing_code, code.shown_at as code_shown_at,
                    array(select other.id
                            from channel_accounts other
                           where other.display_number = channel.display_number and channel.state = 'open' and other.id <> channel.id
                             and other.status <> 'disabled' and coalesce(other.state, 'open') = 'open'
                           order by other.created_at, other.id) as same_number_ids,
                    channel.department_id, (select key from bot_flows where bot_flows.id = channel.bot_flow_id) as bot_flow_key,
                    channel.created_at, channel.version
               from ",
            $channels,
            " channel
               join evolution_instances instance on instance.channel_account_id = channel.id
               left join evolution_codes code on code.channel_account_id = channel.id and channel.state = 'connecting'
                                             and code.shown_at > now() - interval '1 minute'
              where channel.kind = 'evolution' and channel.removed_at is null ",
            $rest
        )
    };
}

pub const INSTANCES: &str = instances!("", "channel_accounts", "order by channel.created_at, channel.id");

pub const INSTANCE: &str = instances!("", "channel_accounts", "and channel.id = $1");

impl Instance {
    /// With what we say ourselves of a problem in the caller's language.
    #[must_use]
    pub fn told(mut self, context: &Context) -> Self {
        self.detail = self.detail.map(|detail| told_in(context.origin().language, detail));
        self
    }

    /// With what has just been seen of it, where its row can be read no more.
    #[must_use]
    pub fn as_seen(mut self, seen: &Seen, version: Option<i32>) -> Self {
        self.state = seen.state.unwrap_or(self.state);
        (self.problem, self.detail) = (seen.problem, seen.detail.clone());
        self.has_webhook |= seen.has_webhook;
        self.server_version = seen.server_version.clone().or(self.server_version);
        self.checked_at = seen.at;
        self.version = version.unwrap_or(self.version);
        self.with_code(seen)
    }

    /// With the code that the server has just shown, whatever webhooks of an earlier one have come meanwhile.
    #[must_use]
    pub fn with_code(mut self, seen: &Seen) -> Self {
        if let Some(code) = seen.code.as_ref().filter(|_| self.state == InstanceState::Connecting) {
            (self.qr_code, self.pairing_code) = (code.qr_code.clone(), code.pairing_code.clone());
            self.code_shown_at = Some(seen.at);
        }
        self
    }
}
