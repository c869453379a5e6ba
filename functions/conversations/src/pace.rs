//! How fast a channel sends. Who waits holds no worker and no transaction: its job is due again when there is room.

use std::time::Duration;

use shared::prelude::*;

/// Until somebody else may be written to from this instance, and until the minute has room: of which what is not a person's own words leaves a
/// fifth free. Below zero there is.
const DUE: &str = "
    select extract(epoch from greatest(
               case when instance.paced_conversation_id is distinct from $2 then coalesce(instance.next_at, clock_timestamp())
                    else clock_timestamp() end,
               greatest(coalesce(instance.spent_until, clock_timestamp()), clock_timestamp())
                   + interval '1 minute' / coalesce((channel.settings ->> 'messages_per_minute')::integer, $4)
                   - interval '1 minute' * case when $3 then 1 else 0.8 end) - clock_timestamp())::double precision as wait
      from evolution_instances instance
      join channel_accounts channel on channel.id = instance.channel_account_id
     where instance.channel_account_id = $1
       for update of instance";

/// The pause to the next one is a little longer or shorter every time.
const TAKE: &str = "
    update evolution_instances instance
       set next_at = clock_timestamp()
                     + make_interval(secs => coalesce((channel.settings ->> 'pause_ms')::integer, $4) / 1000.0 * (1 + random() / 2)),
           spent_until = greatest(coalesce(instance.spent_until, clock_timestamp()), clock_timestamp())
                         + interval '1 minute' / coalesce((channel.settings ->> 'messages_per_minute')::integer, $3),
           paced_conversation_id = $2
      from channel_accounts channel
     where instance.channel_account_id = $1 and channel.id = instance.channel_account_id";

/// What an instance sends in a minute, and the pause between two clients, unless its settings say otherwise.
const MESSAGES_PER_MINUTE: i32 = 60;
const PAUSE_MS: i32 = 1_000;

const SHORTEST_WAIT: Duration = Duration::from_millis(300);

/// Takes a turn for a message of this conversation; `Some` is how long there is none.
///
/// # Errors
/// Those of the database.
pub async fn take_turn(
    transaction: &Transaction,
    channel_account_id: Uuid,
    conversation_id: Uuid,
    is_typed: bool,
) -> Result<Option<Duration>, Error> {
    let asked: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&channel_account_id, &conversation_id, &is_typed, &MESSAGES_PER_MINUTE];
    let rows = transaction.query(DUE, &asked).await?;
    let Some(wait) = rows.first().map(|row| row.get::<_, f64>("wait")) else { return Ok(None) };
    if wait > 0.0 {
        return Ok(Some(Duration::from_secs_f64(wait).max(SHORTEST_WAIT)));
    }
    transaction.execute(TAKE, &[&channel_account_id, &conversation_id, &MESSAGES_PER_MINUTE, &PAUSE_MS]).await?;
    Ok(None)
}
