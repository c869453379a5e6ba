//! Intervals of presence as answers show them. What keeps them is `app.follow_presence`.

use shared::{closed_set, error::NOT_FOUND, prelude::*};

pub const OVERLAPPING: Problem = Problem::new(
    409,
    "overlapping",
    "Já há um intervalo desta pessoa neste horário.",
    "There is an interval of this person at this time already.",
)
.showing::<Interval>();

pub const GOES_ON: Problem =
    Problem::new(409, "goes_on", "Este intervalo ainda não terminou.", "This interval has not ended yet.").showing::<Interval>();

pub const NOT_CONNECTED: Problem = Problem::new(409, "not_connected", "Não há nenhuma conexão aberta.", "No connection is open.");

pub const ON_BREAK: Problem =
    Problem::new(409, "on_break", "Já há uma pausa em andamento.", "A break is going on already.").showing::<Interval>();

pub const NOT_ON_BREAK: Problem = Problem::new(409, "not_on_break", "Não há pausa em andamento.", "No break is going on.");

closed_set! {
    /// What somebody who is there shows.
    pub IntervalState { Online = "online", Away = "away", Busy = "busy", Break = "break" }
}

closed_set! {
    /// What began an interval: a connection, a ping after a lapse, a choice, a break, or whoever added it.
    pub IntervalCause { Connect = "connect", Ping = "ping", Set = "set", Break = "break", Corrected = "corrected" }
}

closed_set! {
    /// What ended it: another state, the last connection's end or its silence (90 seconds after the last ping), the end of the session, or whoever
    /// corrected it.
    pub IntervalEnd { Set = "set", Disconnect = "disconnect", Revoked = "revoked", Lapsed = "lapsed", Corrected = "corrected" }
}

/// From a time until just before another, in whole seconds.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "PresenceInterval")]
pub struct Interval {
    pub id: Uuid,
    pub user_id: Uuid,
    pub started_at: Timestamp,
    /// Null while it goes on.
    pub ended_at: Option<Timestamp>,
    pub state: IntervalState,
    /// Of a break.
    pub reason: Option<String>,
    /// How long the break is meant to be; null without a limit.
    pub limit_minutes: Option<i32>,
    /// How far the break went, or goes, past its limit.
    pub over_seconds: i64,
    pub cause: IntervalCause,
    pub end_cause: Option<IntervalEnd>,
    pub version: i32,
}

impl Versioned for Interval {
    fn version(&self) -> i32 {
        self.version
    }
}

/// The columns of `Interval`, from a relation named `spell`; goes with `interval_joins`.
#[macro_export]
macro_rules! interval_columns {
    () => {
        "spell.id, spell.user_id, spell.started_at, case when not goes_on then spell.ended_at end as ended_at, spell.state, spell.reason,
           limit_minutes, coalesce(greatest(extract(epoch from least(spell.ended_at, date_trunc('second', now())) - spell.started_at)::bigint
                                            - limit_minutes * 60, 0), 0) as over_seconds,
           spell.cause, case when goes_on then null else coalesce(spell.end_cause, 'lapsed') end as end_cause, spell.version"
    };
}

#[macro_export]
macro_rules! interval_joins {
    () => {
        " cross join lateral (select spell.end_cause is null and spell.ended_at >= date_trunc('second', now()) as goes_on) whether
      left join lateral (
           select (item ->> 'limit_minutes')::integer as limit_minutes
             from companies, jsonb_array_elements(companies.breaks) item
            where companies.id = app.company_id() and item ->> 'reason' = spell.reason) meant on true "
    };
}

/// What the caller shows now; no row when they are not there.
pub const CURRENT: &str = concat!(
    "select ",
    interval_columns!(),
    " from (select * from presence_intervals where user_id = app.user_id() order by started_at desc, ended_at desc limit 1) spell",
    interval_joins!(),
    "where goes_on"
);

/// An interval, held until the transaction ends.
pub const LOCKED: &str = concat!(
    "select ",
    interval_columns!(),
    " from presence_intervals spell",
    interval_joins!(),
    "where spell.id = $1 for no key update of spell"
);

/// The connections of the person whose interval it is open and close one after the other.
pub const LOCK_PERSON_OF: &str = "
    select pg_advisory_xact_lock(hashtextextended('presence:' || company_id || user_id, 0))::text from presence_intervals where id = $1";

/// As `LOCK_PERSON_OF`, for the person `$1`.
pub const LOCK_PERSON: &str = "
    select pg_advisory_xact_lock(hashtextextended('presence:' || app.company_id() || $1::uuid, 0))::text";

/// The interval of the person `$1` other than `$2` that has something in common with the time from `$3` to `$4`. None overlaps another, so the
/// last that begins before the end decides.
pub const IN_THE_WAY: &str = concat!(
    "select ",
    interval_columns!(),
    " from (select * from presence_intervals
             where user_id = $1 and id is distinct from $2 and started_at < $4 and started_at < ended_at
             order by started_at desc limit 1) spell",
    interval_joins!(),
    "where spell.ended_at > $3"
);

/// An interval was added or changed by hand: whoever shows figures or the time line of its owner reads them again. Told to its owner, and to who
/// leads on `dashboard:<company>`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PresenceCorrected {
    pub interval_id: Uuid,
    pub user_id: Uuid,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}
event!(PresenceCorrected = "presence.corrected");

/// Tells its owner, and who leads and looks at the dashboard. It says neither a state nor a reason, since some agents see all.
pub fn tell_corrected(transaction: &Transaction, company_id: Uuid, interval: &Interval) {
    let Interval { id, user_id, started_at, ended_at, .. } = *interval;
    let corrected = PresenceCorrected { interval_id: id, user_id, started_at, ended_at };
    transaction.tell_person(user_id, &corrected);
    let leaders = Audience::from(Some(vec![format!("user:{user_id}")]));
    transaction.emit(Event::new(Topic::Dashboard(company_id), leaders, &corrected));
}

const IS_MEMBER: &str =
    "select users.name from memberships join users on users.id = user_id where user_id = $1 and role <> 'student'";

#[derive(FromRow)]
struct Named {
    name: String,
}

/// The name of somebody of the company's staff, whether or not they are in still.
///
/// # Errors
/// 404 when there is no such person.
pub async fn name_of_staff(transaction: &Transaction, user_id: Uuid) -> Result<String, Error> {
    let found: Option<Named> = transaction.first(IS_MEMBER, &[&user_id]).await?;
    Ok(found.ok_or(NOT_FOUND)?.name)
}
