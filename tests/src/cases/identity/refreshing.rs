//! POST /auth/refresh

use std::sync::Arc;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{Answer, Company, Lock, Stack, Wanted, company::text, forge};
use uuid::Uuid;

use crate::cases::{canary, contract::sample::log_in};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

pub async fn refresh(stack: &Stack, token: &str) -> Answer {
    stack.api().post("/auth/refresh", json!({"refresh_token": token})).await
}

/// The successor of a token that is usable.
async fn successor(stack: &Stack, token: &str) -> String {
    text(&refresh(stack, token).await.expect(200)["refresh_token"]).to_owned()
}

/// A token that is refused, like any other.
async fn is_refused(stack: &Stack, token: &str) {
    assert_eq!(refresh(stack, token).await.problem(401), "refresh_token_invalid");
}

fn session_of(access_token: &str) -> Uuid {
    text(&forge::claims_of(access_token)["sid"]).parse().expect("a session")
}

fn session(company: &Company) -> Uuid {
    session_of(company.admin.api.token.as_deref().expect("somebody signed in"))
}

/// Lets the grace of older tokens pass for all tokens of this session.
pub async fn let_grace_pass(stack: &Stack, session: Uuid) {
    let later = "
        update refresh_tokens
           set rotated_at = rotated_at - interval '11 seconds', usable_until = usable_until - interval '11 seconds'
         where session_id = $1";
    stack.database().await.execute(later, &[&session]).await.expect("time passes");
}

/// How many tokens this session has.
async fn tokens(stack: &Stack, session: Uuid) -> i64 {
    let count = "select count(*) from refresh_tokens where session_id = $1";
    stack.database().await.query_one(count, &[&session]).await.expect("a count").get(0)
}

pub async fn refreshing_gives_another_token_of_the_session(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let first = company.admin.refresh_token.clone();
    let pair = refresh(&stack, &first).await.expect(200);
    assert_ne!(text(&pair["refresh_token"]), first);
    assert!(text(&pair["refresh_token"]).len() >= 43, "256 bits");
    stack.api().with_token(text(&pair["access_token"])).get("/auth/me").await.expect(200);
    let alias = json!({"refresh_token": pair["refresh_token"]});
    let next = stack.api().post("/auth/refresh-token", alias).await.expect(200);
    assert_eq!(session_of(text(&next["access_token"])), session_of(text(&pair["access_token"])));
}

/// The row of the vectors, step by step.
pub async fn an_older_token_is_usable_until_its_successor_is_used(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let elsewhere = log_in(&stack, &company.admin, &company.password).await;
    let t1 = company.admin.refresh_token.clone();
    let t2 = successor(&stack, &t1).await;
    // However long it takes, while nobody has used the successor.
    let_grace_pass(&stack, session(&company)).await;
    let t3 = successor(&stack, &t1).await;
    assert_eq!(t2, t3);
    let pair = refresh(&stack, &t3).await.expect(200);
    assert_eq!(successor(&stack, &t2).await, text(&pair["refresh_token"]));
    // Whoever has it still on its way.
    assert_eq!(successor(&stack, &t1).await, t2);
    let socket = company.admin.socket().await;
    let_grace_pass(&stack, session(&company)).await;
    is_refused(&stack, &t1).await;

    socket.closed().await;
    for access_token in [company.admin.api.token.as_deref().unwrap_or_default(), text(&pair["access_token"])] {
        let owner = stack.api().with_token(access_token);
        assert_eq!(owner.get("/auth/me").await.problem(401), "session_revoked");
    }
    for token in [t1.as_str(), &t2, text(&pair["refresh_token"])] {
        is_refused(&stack, token).await;
    }
    // The person's other devices go on, and hear of it.
    let other = stack.api().with_token(text(&elsewhere["access_token"]));
    other.get("/auth/me").await.expect(200);
    successor(&stack, text(&elsewhere["refresh_token"])).await;
    let audited = "select after from audit_log where company_id = $1 and action = 'refresh_session'";
    let row = stack.database().await.query_one(audited, &[&company.id]).await.expect("an audit row");
    assert_eq!(row.get::<_, Value>(0)["revoked"], "refresh_token_reused");
    let events = "select count(*) from events where company_id = $1 and type = 'session.revoked'";
    let row = stack.database().await.query_one(events, &[&company.id]).await.expect("the database answers");
    assert_eq!(row.get::<_, i64>(0), 1);
}

pub async fn twenty_at_once_are_answered_alike(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let first = company.admin.refresh_token.clone();
    let answers = join_all((0..20).map(|_| refresh(&stack, &first))).await;
    let pairs: Vec<Value> = answers.into_iter().map(|answer| answer.expect(200)).collect();
    let second = text(&pairs[0]["refresh_token"]);
    for pair in &pairs {
        assert_eq!(text(&pair["refresh_token"]), second);
        stack.api().with_token(text(&pair["access_token"])).get("/auth/me").await.expect(200);
    }
    assert_eq!(tokens(&stack, session(&company)).await, 2);
    // Only their hashes are kept, and nothing there gives a successor away.
    canary::assert_nowhere(&stack, &[&first, second], &[]).await;
    let third = successor(&stack, second).await;
    assert_eq!(tokens(&stack, session(&company)).await, 3);
    assert_ne!(third, second);
}

/// It lost the answer, or never looks at it.
pub async fn a_front_end_that_keeps_its_first_token_lives_on(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let (first, session) = (company.admin.refresh_token.clone(), session(&company));
    let a_day_passes = "
        update refresh_tokens
           set created_at = created_at - interval '1 day', expires_at = expires_at - interval '1 day',
               rotated_at = rotated_at - interval '1 day', usable_until = usable_until - interval '1 day'
         where session_id = $1";
    let mut answered = Vec::new();
    for _ in 0..9 {
        answered.push(successor(&stack, &first).await);
        database.execute(a_day_passes, &[&session]).await.expect("a day passes");
    }
    answered.dedup();
    assert_eq!(answered.len(), 1);
    assert_eq!(tokens(&stack, session).await, 2);
    // The other one has slid with it.
    successor(&stack, &answered[0]).await;
}

pub async fn a_token_before_the_last_one_is_refused_at_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let t1 = company.admin.refresh_token.clone();
    let t2 = successor(&stack, &t1).await;
    let t3 = successor(&stack, &t2).await;
    assert_eq!(successor(&stack, &t1).await, t2);
    let t4 = successor(&stack, &t3).await;
    is_refused(&stack, &t1).await;
    for token in [&t2, &t3, &t4] {
        is_refused(&stack, token).await;
    }
    assert_eq!(company.admin.api.get("/auth/me").await.problem(401), "session_revoked");
}

/// One that was used before successors were derived has one that the database does not know.
pub async fn a_token_rotated_before_successors_were_derived_keeps_its_grace(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let rotate = "
        select outcome
          from refresh_tokens
          cross join lateral app.rotate_refresh_token(token_hash, sha256('next' || token_hash)) rotated
         where refresh_tokens.session_id = $1";
    let rotated = database.query_one(rotate, &[&session(&company)]).await.expect("it is rotated");
    assert_eq!(rotated.get::<_, &str>(0), "rotated");
    let first = company.admin.refresh_token.clone();
    successor(&stack, &first).await;
    let before = "delete from refresh_tokens where session_id = $1 and succeeds is not null";
    database.execute(before, &[&session(&company)]).await.expect("as before");
    let_grace_pass(&stack, session(&company)).await;
    is_refused(&stack, &first).await;
    assert_eq!(company.admin.api.get("/auth/me").await.problem(401), "session_revoked");
}

pub async fn tokens_and_sessions_have_their_ends(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let before = jiff::Timestamp::now().as_second();
    let pair = refresh(&stack, &company.admin.refresh_token).await.expect(200);
    let after = jiff::Timestamp::now().as_second();
    assert_eq!(pair["expires_in"], 900);
    let expires = forge::claims_of(text(&pair["access_token"]))["exp"].as_i64().expect("seconds");
    assert!((before + 900..=after + 900).contains(&expires), "{before} {expires} {after}");
    let lives = "
        select (select array_agg(distinct extract(epoch from expires_at - coalesce(rotated_at, created_at))::bigint)
                  from refresh_tokens where session_id = $1),
               (select extract(epoch from expires_at - created_at)::bigint from sessions where id = $1)";
    let row = database.query_one(lives, &[&session(&company)]).await.expect("ends");
    assert_eq!((row.get::<_, Vec<i64>>(0), row.get::<_, i64>(1)), (vec![604_800], 2_592_000));
    // No refresh goes beyond the session's own end.
    let nearly_over = "update sessions set expires_at = now() + interval '1 hour' where id = $1";
    database.execute(nearly_over, &[&session(&company)]).await.expect("29 days pass");
    successor(&stack, text(&pair["refresh_token"])).await;
    let beyond = "
        select count(*) from refresh_tokens join sessions on sessions.id = session_id
         where session_id = $1 and rotated_at is null and refresh_tokens.expires_at > sessions.expires_at";
    assert_eq!(database.query_one(beyond, &[&session(&company)]).await.expect("a count").get::<_, i64>(0), 0);
}

pub async fn unknown_and_expired_tokens_are_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    is_refused(&stack, "ZXhhbXBsZQ").await;
    let database = stack.database().await;
    let expire = "update refresh_tokens set expires_at = now() - interval '1 second' where session_id = $1";
    database.execute(expire, &[&session(&company)]).await.expect("expires");
    is_refused(&stack, &company.admin.refresh_token).await;
    // The session goes on: nobody took anything twice.
    company.admin.api.get("/auth/me").await.expect(200);
    // 30 days after its start a session is over, whatever was refreshed.
    let old = "update sessions set expires_at = now() - interval '1 second' where user_id = $1";
    database.execute(old, &[&company.supervisor.id]).await.expect("ages");
    is_refused(&stack, &company.supervisor.refresh_token).await;
    assert_eq!(company.supervisor.api.get("/auth/me").await.problem(401), "session_revoked");
}

/// Whichever is first, nothing of the login is left.
pub async fn a_token_refreshed_while_logging_out_is_worth_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let lock = Lock::hold(&stack, &format!("family:{}", session(&company))).await;
    let refreshing = {
        let (api, body) = (stack.api(), json!({"refresh_token": company.admin.refresh_token}));
        tokio::spawn(async move { api.post("/auth/refresh", body).await })
    };
    lock.until_waited_for(1).await;
    let leaving = {
        let api = company.admin.api.clone();
        tokio::spawn(async move { api.post("/auth/logout", Value::Null).await })
    };
    lock.until_waited_for(2).await;
    lock.release().await;
    let (refreshed, left) = join(refreshing, leaving).await;
    left.expect("an answer").expect(204);
    let pair = refreshed.expect("an answer").expect(200);
    let owner = stack.api().with_token(text(&pair["access_token"]));
    assert_eq!(owner.get("/auth/me").await.problem(401), "session_revoked");
    is_refused(&stack, text(&pair["refresh_token"])).await;
    is_refused(&stack, &company.admin.refresh_token).await;
}
