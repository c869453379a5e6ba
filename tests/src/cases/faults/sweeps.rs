//! What has outlived its use goes, all of it in one run; what has not stays.

use std::sync::Arc;

use tests::{Stack, Wanted, desk::PDF};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

/// More than two batches.
const EVENTS: i32 = 2500;

const OLD_ROWS: [&str; 10] = [
    "insert into events (company_id, topic, type, data, at)
     select $1::uuid, 'company:old', 'note.old', '{}', now() - interval '8 days' from generate_series(1, 2500)",
    "insert into idempotency_keys (company_id, user_id, route, key, request_hash, created_at)
     select company_id, user_id, 'sweep', 'old', '', now() - interval '25 hours' from memberships where company_id = $1 and role = 'admin'",
    "insert into jobs (id, company_id, kind, queue, lane, payload, finished_at)
     values (gen_random_uuid(), $1, 'old', 'bot', 'sweep', '{}', now() - interval '8 days')",
    "insert into sessions (id, family_id, company_id, user_id, expires_at, user_agent)
     select gen_random_uuid(), gen_random_uuid(), company_id, user_id, now() - interval '31 days', 'sweep' from memberships where company_id = $1 and role = 'admin'",
    "insert into refresh_tokens (token_hash, company_id, session_id, expires_at)
     select sha256(id::text::bytea), company_id, id, now() - interval '2 days' from sessions where company_id = $1 limit 1",
    "insert into inbound_webhooks (id, company_id, channel_account_id, source, body, outcome, received_at)
     select gen_random_uuid(), company_id, id, 'sweep', '', '[]', now() - interval '31 days' from channel_accounts where company_id = $1",
    "insert into files (id, company_id, uploaded_by, name, mime_type, size, storage_key, created_at)
     select gen_random_uuid(), company_id, user_id, 'old.pdf', 'application/pdf', 1, 'company/' || company_id || '/old', now() - interval '25 hours'
       from memberships where company_id = $1 and role = 'admin'",
    "insert into login_challenges (token_hash, company_id, user_id, expires_at)
     select sha256(user_id::text::bytea), company_id, user_id, now() from memberships where company_id = $1 and role = 'admin'",
    "insert into password_resets (id, company_id, user_id, expires_at)
     select gen_random_uuid(), company_id, user_id, now() - interval '8 days' from memberships where company_id = $1 and role = 'admin'",
    "insert into known_devices (user_id, device, network, last_seen_at)
     select user_id, 'sweep', '', now() - interval '366 days' from memberships where company_id = $1 and role = 'admin'",
];

const LEFT: &str = "
    select (select count(*) from events where company_id = $1 and type = 'note.old') as events,
           (select count(*) from idempotency_keys where company_id = $1 and route = 'sweep') as keys,
           (select count(*) from jobs where company_id = $1 and kind = 'old') as jobs,
           (select count(*) from sessions where company_id = $1 and user_agent = 'sweep') as sessions,
           (select count(*) from refresh_tokens where company_id = $1 and expires_at < now()) as tokens,
           (select count(*) from inbound_webhooks where company_id = $1 and source = 'sweep') as webhooks,
           (select count(*) from files where company_id = $1 and name = 'old.pdf') as files,
           (select count(*) from login_challenges where company_id = $1) as challenges,
           (select count(*) from password_resets where company_id = $1) as resets,
           (select count(*) from known_devices join memberships using (user_id)
             where memberships.company_id = $1 and device = 'sweep') as devices";

/// How many of each there are.
async fn counted(stack: &Stack, company: Uuid) -> Vec<i64> {
    let row = stack.database().await.query_one(LEFT, &[&company]).await.expect("counts");
    (0..row.len()).map(|index| row.get(index)).collect()
}

pub async fn everything_past_its_age_is_swept_in_one_run(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let database = stack.database().await;
    for sql in OLD_ROWS {
        database.execute(sql, &[&company.id]).await.expect("old rows");
    }
    assert_eq!(counted(&stack, company.id).await, [i64::from(EVENTS), 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    let alive = "select (select count(*) from events where company_id = $1 and at > now() - interval '1 day'),
                        (select count(*) from sessions where company_id = $1 and revoked_at is null and expires_at > now())";
    let before = database.query_one(alive, &[&company.id]).await.expect("counts");
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert_eq!(counted(&stack, company.id).await, [0; 10]);
    let after = database.query_one(alive, &[&company.id]).await.expect("counts");
    assert_eq!((before.get::<_, i64>(0), before.get::<_, i64>(1)), (after.get::<_, i64>(0), after.get::<_, i64>(1)));
    assert!(before.get::<_, i64>(0) > 0 && before.get::<_, i64>(1) > 0);
    company.admin.api.get("/auth/me").await.expect(200);
}

/// Whatever is written into the list of what goes: the objects of files that can be read stay, and other companies' are not named.
pub async fn an_object_that_a_file_is_made_of_is_never_removed(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let id = company.admin.upload("a.pdf", "application/pdf", PDF).await;
    let database = stack.database().await;
    let file: Uuid = id.parse().expect("an id");
    let name = "insert into object_removals (storage_key, company_id, due_at)
                select storage_key, $2, now() - interval '1 hour' from files where id = $1";
    let refused = database.execute(name, &[&file, &other.id]).await.expect_err("another company's object");
    assert_eq!(refused.code(), Some(&SqlState::CHECK_VIOLATION));
    let take = "insert into files (id, company_id, name, mime_type, size, storage_key)
                select gen_random_uuid(), $2, name, mime_type, size, storage_key || 'x' from files where id = $1";
    let refused = database.execute(take, &[&file, &other.id]).await.expect_err("another company's object");
    assert_eq!(refused.code(), Some(&SqlState::CHECK_VIOLATION));
    database.execute(name, &[&file, &company.id]).await.expect("it is named");
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert_eq!(company.admin.download(&id).await.0, PDF);
}

/// Where the events of this type are.
const PLACES: &str =
    "select distinct tableoid::regclass::text from events where company_id = $1 and type = 'note.old' order by 1";

const OF_THIS_DAY: &str = "
    insert into events (company_id, topic, type, data, at)
    select $1, 'company:old', 'note.old', '{}', now() + make_interval(days => $2) from generate_series(1, 10)";

/// Days that were made go as a whole; what came for a day that nobody had made is in none until it is.
pub async fn events_go_by_days(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let database = stack.database().await;
    let places = || async {
        let rows = database.query(PLACES, &[&company.id]).await.expect("tables");
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    let day = |days: i32| {
        let name = "select 'days.events_' || to_char((now() at time zone 'utc')::date + $1::integer, 'YYYYMMDD')";
        let database = &database;
        async move { database.query_one(name, &[&days]).await.expect("a name").get::<_, String>(0) }
    };
    for days in [0, -9, 5] {
        database.execute(OF_THIS_DAY, &[&company.id, &days]).await.expect("events");
    }
    let today = day(0).await;
    assert_eq!(places().await, [today.clone(), "days.events_other".to_owned()]);
    database.batch_execute("set role app_lookup").await.expect("the owner of the days");
    let make = "select app.make_day('events', 'at', (now() at time zone 'utc')::date + $1::integer)";
    for days in [-9, 5] {
        database.execute(make, &[&days]).await.expect("a day");
        database.execute(make, &[&days]).await.expect("it is there");
    }
    database.batch_execute("reset role").await.expect("the owner");
    assert_eq!(places().await, [day(-9).await, today.clone(), day(5).await]);
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert_eq!(places().await, [today, day(5).await]);
    let gone = database.query_one("select to_regclass($1)::text", &[&day(-9).await]).await.expect("an answer");
    assert_eq!(gone.get::<_, Option<String>>(0), None);
    // Those to come are there, and nobody but their owner reaches them.
    for table in ["events", "inbound_webhooks"] {
        let ahead =
            "select to_regclass('days.' || $1 || '_' || to_char((now() at time zone 'utc')::date + 3, 'YYYYMMDD')) is not null";
        assert!(database.query_one(ahead, &[&table]).await.expect("an answer").get::<_, bool>(0), "{table}");
    }
    let roles = "select rolname::text from pg_roles
                  where rolname in ('app', 'app_staff', 'app_student', 'app_system') and has_schema_privilege(rolname, 'days', 'usage')";
    assert!(database.query(roles, &[]).await.expect("roles").is_empty());
}
