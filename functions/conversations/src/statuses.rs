//! How far an outgoing message has come, as SQL: one rule for statuses that come early, late, twice and out of order.

/// A status never goes backward. A failure is overcome by a proof of arrival only.
#[macro_export]
macro_rules! status_rank {
    ($status:literal) => {
        concat!("array_position(array['queued', 'sending', 'sent', 'failed', 'delivered', 'read'], ", $status, ")")
    };
}

/// Whether a status moves a row of `messages` forward. `outcome_unknown` is only our guess: any word of WhatsApp's overcomes it.
#[macro_export]
macro_rules! moves_forward {
    ($status:literal) => {
        concat!(
            $crate::status_rank!($status),
            " > ",
            $crate::status_rank!(
                "case when messages.status = 'failed' and messages.error_code = 'outcome_unknown' then 'sending' else messages.status end"
            )
        )
    };
}

/// A CTE `told`, one row: how far a message that WhatsApp has just named has come, by the statuses that came before its name.
#[macro_export]
macro_rules! told_early {
    ($channel_account_id:literal, $provider_id:literal) => {
        concat!(
            "early as (
        delete from early_statuses
         where channel_account_id = ",
            $channel_account_id,
            " and provider_id = ",
            $provider_id,
            "
        returning status, error_code, error_detail
    ), told as (
        select (array_agg(status order by ",
            $crate::status_rank!("status"),
            " desc))[1] as status, max(error_code) as error_code, max(error_detail) as error_detail
          from (select * from early union all select 'sent', null, null) known
    )"
        )
    };
}

/// What follows a CTE named `changed` of message rows: how far each has come, and its place as it is now.
#[macro_export]
macro_rules! changed_status {
    ($($with:expr),*) => {
        concat!(
            $($with,)*
            " select changed.conversation_id, changed.client_message_id, changed.status, changed.error_code, changed.error_detail,
                     changed.status = 'failed' and changed.sender_type = 'bot' as is_unheard,
                     conversations.department_id, conversations.assignee_id, conversations.client_id, conversations.participant_ids
                from changed
                join conversations on conversations.company_id = changed.company_id and conversations.id = changed.conversation_id"
        )
    };
}
