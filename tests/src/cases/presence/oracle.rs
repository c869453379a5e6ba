//! Random traces against a simulation that knows nothing but seconds: what connections did, and what each second was.
//!
//! A trace is played on the leases as the functions write them, each step in a transaction of its own. Time passes by moving all that was
//! written into the past, so a step's time is the clock's plus what has been moved.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person};
use tokio_postgres::Client;
use uuid::Uuid;

use super::let_pass;

const MICROSECONDS: i64 = 1_000_000;
/// How long a lease lasts, in microseconds.
const LEASE: i64 = 90 * MICROSECONDS;
/// Seconds within which who comes back was never away.
const BACK: i64 = 60;
/// Seconds of attention after an act.
const ATTENTION: i64 = 300;

const STEPS: usize = 160;

/// Marsaglia's xorshift: the same numbers for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % most.unsigned_abs()).unwrap_or_default()
    }

    fn one_of<T: Copy, const MANY: usize>(&mut self, these: [T; MANY]) -> T {
        let most = i64::try_from(MANY).unwrap_or(i64::MAX);
        these[usize::try_from(self.below(most)).unwrap_or_default()]
    }
}

/// What somebody shows: a state, and a break's reason.
type Shown = (&'static str, Option<&'static str>);

/// A connection: what it shows, and when it is known to stand. Times are those of the trace, in microseconds.
struct Connection {
    id: String,
    shows: &'static str,
    stands: Vec<(i64, i64)>,
    is_closed: bool,
}

impl Connection {
    fn until(&self) -> i64 {
        self.stands.last().map_or(0, |(_, to)| *to)
    }
}

/// What happened, as nobody but the test knows it.
#[derive(Default)]
struct Happened {
    connections: Vec<Connection>,
    /// Since when what is shown; the last at or before a second counts.
    shown: Vec<(i64, Shown)>,
    /// Seconds between the last connection's end and the next one's beginning.
    bridged: Vec<(i64, i64)>,
    /// Seconds at which something was done.
    acts: Vec<i64>,
    /// Seconds by hand: they go before all else.
    painted: Vec<(i64, i64, Shown)>,
}

impl Happened {
    fn stands(&self, second: i64) -> bool {
        let stands = |(from, to): &(i64, i64)| (second_of(*from)..second_of(*to)).contains(&second);
        self.connections.iter().any(|connection| connection.stands.iter().any(stands))
            || self.bridged.iter().any(|(from, to)| (*from..*to).contains(&second))
    }

    fn at(&self, second: i64) -> Option<Shown> {
        if let Some((.., shown)) = self.painted.iter().rev().find(|(from, to, _)| (*from..*to).contains(&second)) {
            return Some(*shown);
        }
        let shown = self.shown.iter().rev().find(|(since, _)| *since <= second).map(|(_, shown)| *shown);
        shown.filter(|_| self.stands(second))
    }

    /// What another connection shows.
    fn other(&self, at: i64, id: &str) -> Option<&'static str> {
        self.connections.iter().find(|other| other.id != id && other.until() >= at).map(|other| other.shows)
    }

    /// A break goes on with its reason.
    fn shows(&mut self, at: i64, state: &'static str, reason: Option<&'static str>) {
        let before = self.shown.last().map(|(_, shown)| *shown);
        let reason = (state == "break").then(|| reason.or(before.and_then(|(_, reason)| reason)).unwrap_or("other"));
        if before != Some((state, reason)) {
            self.shown.push((second_of(at), (state, reason)));
        }
    }
}

fn second_of(at: i64) -> i64 {
    at.div_euclid(MICROSECONDS)
}

struct Play {
    database: Client,
    company: Uuid,
    person: Uuid,
    session: Uuid,
    conversation: Uuid,
    /// What was moved into the past by now, in seconds.
    moved: i64,
    happened: Happened,
    /// The second at which the last connection was closed, while nobody is connected.
    closed_at: Option<i64>,
}

const NOW: &str = "select (extract(epoch from now()) * 1000000)::bigint";

/// As `$connect` opens a lease.
const CONNECT: &str = "
    with other as (
        select status from presence_leases where user_id = $3 and lease_until >= now() limit 1
    ), before as (
        select state
          from (select * from presence_intervals where user_id = $3 order by started_at desc, ended_at desc limit 1) last
         where end_cause = 'disconnect' and ended_at >= date_trunc('second', now()) - interval '60 seconds'
    )
    insert into presence_leases (connection_id, company_id, user_id, session_id, status, lease_until)
    select $1, $2, $3, $4, coalesce((select status from other), (select state from before), 'online'), now() + interval '90 seconds'
    returning status";

/// As `ping` renews one.
const PING: &str = "
    with other as (
        select status from presence_leases where user_id = $2 and lease_until >= now() and connection_id <> $1 limit 1
    )
    update presence_leases
       set lease_until = now() + interval '90 seconds', status = coalesce((select status from other), status)
     where connection_id = $1
    returning status";

const SET: &str = "
    update presence_leases set status = $2
     where user_id = $1 and status <> $2 and exists (select from presence_leases where user_id = $1 and lease_until >= now())
    returning status";

const CLOSE: &str = "delete from presence_leases where connection_id = $1 returning status";

const ACT: &str = "
    insert into conversation_transfers (id, company_id, conversation_id, to_user_id, by_user_id, at)
    values (gen_random_uuid(), $1, $2, $3, $3, now())
    returning 'online' as status";

impl Play {
    /// One step: the time of the trace at which it was, and what the rows that it wrote show.
    async fn step(
        &self,
        sql: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
        reason: Option<&str>,
    ) -> (i64, Option<String>) {
        self.database.batch_execute("begin").await.expect("begins");
        let said = "select set_config('app.break_reason', $1, true)";
        self.database.execute(said, &[&reason.unwrap_or_default()]).await.expect("said");
        let rows = self.database.query(sql, parameters).await.expect("a step");
        let now: i64 = self.database.query_one(NOW, &[]).await.expect("a time").get(0);
        self.database.batch_execute("commit").await.expect("commits");
        (now + self.moved * MICROSECONDS, rows.first().map(|row| row.get(0)))
    }

    async fn connect(&mut self, number: usize) {
        let id = format!("oracle-{}-{number}", self.person);
        let (at, status) = self.step(CONNECT, &[&id, &self.company, &self.person, &self.session], None).await;
        // Whoever is back soon, or has another connection, shows what was shown.
        let other = self.happened.other(at, &id);
        let closed = self.closed_at.take().filter(|closed| second_of(at) - closed <= BACK);
        let before = closed.and_then(|_| self.happened.shown.last()).map(|(_, (state, _))| *state);
        let shows = other.or(before).unwrap_or("online");
        assert_eq!(status.as_deref(), Some(shows), "what a new connection shows");
        if let Some(closed) = closed {
            self.happened.bridged.push((closed, second_of(at)));
        }
        self.happened.shows(at, shows, None);
        self.happened.connections.push(Connection { id, shows, stands: vec![(at, at + LEASE)], is_closed: false });
    }

    async fn ping(&mut self, which: usize) {
        let id = self.happened.connections[which].id.clone();
        let (at, status) = self.step(PING, &[&id, &self.person], None).await;
        let shows = self.happened.other(at, &id).unwrap_or(self.happened.connections[which].shows);
        assert_eq!(status.as_deref(), Some(shows), "what a connection that is heard of shows");
        // Who is heard of again after the others were closed was not away either.
        if let Some(closed) = self.closed_at.take().filter(|closed| second_of(at) - closed <= BACK) {
            self.happened.bridged.push((closed, second_of(at)));
        }
        self.happened.shows(at, shows, None);
        let own = &mut self.happened.connections[which];
        own.shows = shows;
        match own.stands.last_mut().filter(|(_, to)| *to >= at) {
            Some((_, to)) => *to = at + LEASE,
            None => own.stands.push((at, at + LEASE)),
        }
    }

    async fn set(&mut self, status: &'static str, reason: Option<&'static str>) {
        if status == "break" && self.happened.shown.last().is_some_and(|(_, (state, _))| *state == "break") {
            return;
        }
        let (at, _) = self.step(SET, &[&self.person, &status], reason).await;
        if self.happened.other(at, "").is_none() {
            return;
        }
        self.happened.shows(at, status, reason);
        for connection in &mut self.happened.connections {
            connection.shows = status;
        }
    }

    async fn close(&mut self, which: usize) {
        let id = self.happened.connections[which].id.clone();
        let (at, _) = self.step(CLOSE, &[&id], None).await;
        let known_until = self.happened.connections.iter().map(Connection::until).max().unwrap_or_default();
        let own = &mut self.happened.connections[which];
        own.is_closed = true;
        if let Some((_, to)) = own.stands.last_mut() {
            *to = (*to).min(at);
        }
        let is_last = self.happened.other(at, &id).is_none();
        if is_last && second_of(known_until) >= second_of(at) && self.closed_at.is_none() {
            self.closed_at = Some(second_of(at));
        }
    }

    async fn act(&mut self) {
        let (at, _) = self.step(ACT, &[&self.company, &self.conversation, &self.person], None).await;
        self.happened.acts.push(second_of(at));
    }

    /// The second that it is in the trace.
    async fn now(&self) -> i64 {
        second_of(self.database.query_one(NOW, &[]).await.expect("a time").get(0)) + self.moved
    }

    async fn pass(&mut self, seconds: i64) {
        let_pass(&self.database, self.person, seconds).await;
        let acts = "update conversation_transfers set at = at - make_interval(secs => $2) where company_id = $1";
        #[expect(clippy::cast_precision_loss, reason = "some years at most")]
        self.database.execute(acts, &[&self.company, &(seconds as f64)]).await.expect("time passes");
        self.moved += seconds;
    }

    async fn play(&mut self, chance: &mut Chance) {
        for number in 0..STEPS {
            let open: Vec<usize> =
                (0..self.happened.connections.len()).filter(|which| !self.happened.connections[*which].is_closed).collect();
            let which = (!open.is_empty()).then(|| open[usize::try_from(chance.below(99)).unwrap_or_default() % open.len()]);
            match (chance.below(12), which) {
                (0..=1, _) if open.len() < 4 => self.connect(number).await,
                (2..=4, Some(which)) => self.ping(which).await,
                (5, Some(_)) => self.set(chance.one_of(["online", "busy", "away"]), None).await,
                (6, Some(_)) => self.set("break", chance.one_of([Some("lunch"), Some("rest"), None])).await,
                (7, Some(which)) => self.close(which).await,
                (8, _) => self.act().await,
                _ => {}
            }
            // Mostly as pings come, sometimes longer than a lease, now and then for hours.
            let seconds = match chance.below(10) {
                0..=5 => 1 + chance.below(50),
                6..=7 => 50 + chance.below(80),
                8 => 100 + chance.below(1500),
                _ => 3000 + chance.below(9000),
            };
            self.pass(seconds).await;
        }
    }
}

/// What a supervisor adds in a gap and changes afterwards.
async fn correct(play: &mut Play, company: &Company, from: i64, to: i64) {
    let at = |second: i64| Timestamp::from_second(second - play.moved).expect("a time").to_string();
    let Some(gap) = (from..to - 120).step_by(60).find(|second| (0..120).all(|more| play.happened.at(second + more).is_none()))
    else {
        return;
    };
    let body = json!({"user_id": play.person, "started_at": at(gap), "ended_at": at(gap + 120), "state": "online", "note": "Sem internet"});
    let added = company.supervisor.api.post("/productivity/intervals", body).await.expect(201);
    let path = format!("/productivity/intervals/{}", added["id"].as_str().expect("an id"));
    let body = json!({"state": "break", "reason": "rest", "ended_at": at(gap + 100), "note": "Era o descanso"});
    company.supervisor.api.call(reqwest::Method::PUT, &path, Some(body)).await.expect(200);
    play.happened.painted.push((gap, gap + 100, ("break", Some("rest"))));
}

/// Seconds of each kind, by day.
type Days = BTreeMap<String, BTreeMap<String, i64>>;

/// Second by second.
fn simulated(happened: &Happened, from: i64, to: i64, moved: i64, zone: &TimeZone) -> Days {
    let mut days = Days::new();
    let mut acts = happened.acts.clone();
    acts.sort_unstable();
    for second in from..to {
        let Some((state, reason)) = happened.at(second) else { continue };
        let at = Timestamp::from_second(second - moved).expect("a time");
        let day = days.entry(zone.to_datetime(at).date().to_string()).or_default();
        *day.entry(format!("{state}_seconds")).or_default() += 1;
        if let Some(reason) = reason {
            *day.entry(format!("break {reason}")).or_default() += 1;
        }
        let after = acts.partition_point(|act| *act <= second);
        if ["online", "busy"].contains(&state) && after > 0 && second - acts[after - 1] < ATTENTION {
            *day.entry("active_seconds".into()).or_default() += 1;
        }
        let clock = second - moved;
        day.entry("first_in".into()).or_insert(clock);
        day.insert("last_out".into(), clock + 1);
    }
    days
}

/// The same from the panel.
fn shown(panel: &Value, person: Uuid) -> Days {
    let mut days = Days::new();
    for row in panel["data"].as_array().into_iter().flatten().filter(|row| row["user_id"] == person.to_string()) {
        let mut day: BTreeMap<String, i64> = BTreeMap::new();
        for name in ["online_seconds", "away_seconds", "busy_seconds", "break_seconds", "active_seconds"] {
            day.insert(name.into(), row[name].as_i64().expect(name));
        }
        for pause in row["breaks"].as_array().into_iter().flatten() {
            day.insert(
                format!("break {}", pause["reason"].as_str().expect("a reason")),
                pause["seconds"].as_i64().expect("seconds"),
            );
        }
        for name in ["first_in", "last_out"] {
            if let Some(at) = row[name].as_str() {
                day.insert(name.into(), at.parse::<Timestamp>().expect("a time").as_second());
            }
        }
        day.retain(|_, seconds| *seconds != 0);
        if !day.is_empty() {
            days.insert(row["from"].as_str().expect("a day").to_owned(), day);
        }
    }
    days
}

/// The last time that the clocks of a zone were changed, until now.
fn last_change(zone: &TimeZone) -> i64 {
    zone.preceding(Timestamp::now()).next().expect("clocks were changed once").timestamp().as_second()
}

async fn trace(stack: &Stack, zone_name: &str, seed: u64) {
    let company = stack.company(Wanted::default()).await;
    let person: Person = company.agents[0].clone();
    let database = stack.database().await;
    database.execute("update companies set time_zone = $2 where id = $1", &[&company.id, &zone_name]).await.expect("a zone");
    let (_, conversation) = company.served().await;
    let remove = "delete from conversation_transfers where company_id = $1";
    database.execute(remove, &[&company.id]).await.expect("nothing has happened yet");
    let session = "select id from sessions where user_id = $1 limit 1";
    let session = database.query_one(session, &[&person.id]).await.expect("a session").get(0);
    let mut play = Play {
        database,
        company: company.id,
        person: person.id,
        session,
        conversation: conversation.parse().expect("an id"),
        moved: 0,
        happened: Happened::default(),
        closed_at: None,
    };
    let begun = play.now().await;
    play.play(&mut Chance(seed)).await;
    // Whatever stands has lapsed by then.
    play.pass(200).await;
    let ended = play.now().await;
    correct(&mut play, &company, begun, ended).await;
    // The middle of it to the last change of clocks, where that is not too long ago to be asked for.
    let zone = TimeZone::get(zone_name).expect("a zone");
    let middle = begun + (ended - begun) / 2;
    let further = (middle - play.moved - last_change(&zone)).max(0);
    play.pass(further).await;
    let day = |second: i64| zone.to_datetime(Timestamp::from_second(second - play.moved).expect("a time")).date();
    let path = format!("/productivity/team?by=day&from={}&to={}", day(begun), day(ended));
    let panel = company.supervisor.api.get(&path).await.expect(200);
    let (expected, found) = (simulated(&play.happened, begun, ended, play.moved, &zone), shown(&panel, person.id));
    assert!(expected.len() > 1, "{zone_name} {seed}: more than a day");
    assert_eq!(found, expected, "{zone_name}, seed {seed}");
    // However days are put together, the sums are the same.
    let total = company.supervisor.api.get(&path.replace("by=day", "by=total")).await.expect(200);
    let total = shown(&total, person.id);
    for name in ["online_seconds", "busy_seconds", "away_seconds", "break_seconds", "active_seconds"] {
        let sum: i64 = expected.values().filter_map(|day| day.get(name)).sum();
        let altogether: i64 = total.values().filter_map(|day| day.get(name)).sum();
        assert_eq!(altogether, sum, "{zone_name}, seed {seed}: {name}");
    }
}

pub async fn any_trace_is_what_happened_to_the_second(stack: Arc<Stack>) {
    let seed = Timestamp::now().as_microsecond().unsigned_abs() | 1;
    let traces = ["America/Sao_Paulo", "America/New_York", "Europe/Lisbon"]
        .into_iter()
        .zip(0..)
        .map(|(zone, more)| trace(&stack, zone, seed + 2 * more));
    futures_util::future::join_all(traces).await;
}
