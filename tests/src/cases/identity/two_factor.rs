//! The second factor: its set-up, logins with it, what a company asks of its members, and what asks for a fresh code.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Api, Company, Stack, Wanted,
    authenticator::{Authenticator, Secured, newcomer},
    company::{Person, text},
    forge,
    mailbox::{mails_to, next_mail_to},
};
use uuid::Uuid;

use super::refreshing::refresh;
use crate::cases::{canary, contract::sample::log_in};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 1, ..Wanted::default() }).await
}

async fn verify(stack: &Stack, challenge: &str, code: &str) -> Answer {
    stack.api().post("/auth/login/verify", json!({"challenge": challenge, "code": code})).await
}

/// As if the last code had been given long ago.
async fn let_steps_pass(stack: &Stack, person: &Person) {
    let earlier = "update second_factors set last_step = last_step - 100 where user_id = $1";
    stack.database().await.execute(earlier, &[&person.id]).await.expect("time passes");
}

/// The pause after five wrong codes is over, and nobody remembers them.
async fn let_pause_pass(stack: &Stack, person: &Person) {
    let later = "update second_factors set paused_until = null, failures = 0 where user_id = $1";
    stack.database().await.execute(later, &[&person.id]).await.expect("time passes");
}

async fn ask_for_it(stack: &Stack, company: &Company, roles: &[&str]) {
    let policy = "update companies set two_factor_policy = $2 where id = $1";
    stack.database().await.execute(policy, &[&company.id, &roles]).await.expect("the policy is set");
}

pub async fn an_app_is_set_up_with_its_first_code(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for person in [&company.admin, &company.students[0]] {
        let api = &person.api;
        assert_eq!(api.post("/auth/2fa/enable", json!({"code": "123456"})).await.problem(409), "two_factor_not_set_up");
        let first = api.post("/auth/2fa/setup", Value::Null).await.expect(200);
        // Begun again, it is another secret, and the earlier one is worth nothing.
        let set_up = api.post("/auth/2fa/setup", Value::Null).await.expect(200);
        assert!(first["secret"] != set_up["secret"] && text(&set_up["secret"]).len() == 32);
        assert!(text(&set_up["otpauth_uri"]).contains(text(&set_up["secret"])));
        assert!(text(&set_up["qr_svg"]).contains("<svg "), "{set_up}");
        let [earlier, app] = [&first, &set_up].map(|set_up| Authenticator::scan(text(&set_up["otpauth_uri"])));
        for wrong in [earlier.code(), app.wrong_code(), "abcd-efgh-ijkl-mnop".to_owned()] {
            assert_eq!(api.post("/auth/2fa/enable", json!({"code": wrong})).await.problem(403), "code_wrong");
        }
        // Nothing asks for it yet.
        assert_eq!(api.get("/auth/me").await.expect(200)["two_factor_enabled"], false);
        log_in(&stack, person, &company.password).await;
        let enabled = api.post("/auth/2fa/enable", json!({"code": app.code()})).await.expect(200);
        assert_eq!(enabled["recovery_codes"].as_array().map(Vec::len), Some(10));
        assert_eq!(api.get("/auth/me").await.expect(200)["two_factor_enabled"], true);
        assert_eq!(api.post("/auth/2fa/setup", Value::Null).await.problem(409), "two_factor_already_enabled");
        let again = api.post("/auth/2fa/enable", json!({"code": app.code_in(1)})).await;
        assert_eq!(again.problem(409), "two_factor_already_enabled");

        let secured = Secured { person: person.clone(), app, recovery_codes: Vec::new() };
        let challenge = secured.challenge(&stack, &company.password).await;
        let login = verify(&stack, &challenge, &secured.app.code_in(1)).await.expect(200);
        assert_eq!((&login["user"]["id"], &login["company"]["id"]), (&json!(person.id), &json!(company.id)));
        assert_eq!((&login["expires_in"], &login["accessToken"]), (&json!(900), &login["access_token"]));
        stack.api().with_token(text(&login["access_token"])).get("/auth/me").await.expect(200);
        refresh(&stack, text(&login["refresh_token"])).await.expect(200);
        // A challenge is for one login.
        let_steps_pass(&stack, person).await;
        assert_eq!(verify(&stack, &challenge, &secured.app.code()).await.problem(401), "challenge_invalid");
    }
}

pub async fn codes_are_taken_a_step_early_or_late_and_never_again(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secured = Secured::make(&company.admin).await;
    let step_up = async |code: String| company.admin.api.post("/auth/2fa/step-up", json!({"code": code})).await;
    let_steps_pass(&stack, &company.admin).await;
    assert_eq!(step_up(secured.app.code_in(-3)).await.problem(403), "code_wrong");
    assert_eq!(step_up(secured.app.code_in(3)).await.problem(403), "code_wrong");
    let late = secured.app.code_in(-1);
    let spaced = format!(" {} {}", &late[..3], &late[3..]);
    assert_eq!(step_up(spaced).await.expect(200)["expires_in"], 600);
    assert_eq!(step_up(late).await.problem(403), "code_wrong");
    step_up(secured.app.code_in(1)).await.expect(200);
    // An older one, although nobody has given it.
    assert_eq!(step_up(secured.app.code()).await.problem(403), "code_wrong");
}

pub async fn of_twenty_who_come_with_one_code_one_is_let_in(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secured = Secured::make(&company.admin).await;
    let challenges = join_all((0..20).map(|_| secured.challenge(&stack, &company.password))).await;
    let code = secured.app.code_in(1);
    let answers = join_all(challenges.iter().map(|challenge| verify(&stack, challenge, &code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let refusals = ["code_wrong", "too_many_codes"];
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| refusals.contains(&text(&answer.body["code"]))));
    let_pause_pass(&stack, &company.admin).await;
    // Neither do many codes make more than one login of a challenge.
    let challenge = secured.challenge(&stack, &company.password).await;
    let answers = join_all(secured.recovery_codes.iter().map(|code| verify(&stack, &challenge, code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.body["code"] == "challenge_invalid"));
    let left = "select count(*) from recovery_codes where user_id = $1 and used_at is null";
    let row = stack.database().await.query_one(left, &[&company.admin.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 9, "codes that opened nothing are kept");
}

pub async fn a_recovery_code_opens_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secured = Secured::make(&company.admin).await;
    let challenges = join_all((0..10).map(|_| secured.challenge(&stack, &company.password))).await;
    let typed = secured.recovery_codes[0].to_uppercase().replace('-', " ");
    let answers = join_all(challenges.iter().map(|challenge| verify(&stack, challenge, &typed))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let_pause_pass(&stack, &company.admin).await;
    let renew = async |code: &str| company.admin.api.post("/auth/2fa/recovery-codes", json!({"code": code})).await;
    assert_eq!(renew(&secured.recovery_codes[0]).await.problem(403), "code_wrong");
    let renewed = renew(&secured.recovery_codes[1]).await.expect(200);
    assert_eq!(renewed["recovery_codes"].as_array().map(Vec::len), Some(10));
    // The earlier ones are gone, another person's open nothing.
    let other = Secured::make(&company.supervisor).await;
    for code in [&secured.recovery_codes[2], &other.recovery_codes[0]] {
        assert_eq!(renew(code).await.problem(403), "code_wrong");
    }
    renew(text(&renewed["recovery_codes"][0])).await.expect(200);
}

pub async fn five_wrong_codes_are_followed_by_a_pause(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secured = Secured::make(&company.admin).await;
    let wrong = secured.app.wrong_code();
    // Whatever challenge they come with, and wherever from.
    let challenges = join_all((0..12).map(|_| secured.challenge(&stack, &company.password))).await;
    let answers = join_all(challenges.iter().map(|challenge| verify(&stack, challenge, &wrong))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5, "so many codes were looked at");
    for answer in answers.into_iter().filter(|answer| answer.status != 401) {
        let seconds: u32 = answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("seconds");
        assert!((1..=900).contains(&seconds), "{seconds}");
        assert_eq!(answer.problem(429), "too_many_codes");
    }
    for code in [secured.app.code_in(1), secured.recovery_codes[0].clone()] {
        assert_eq!(verify(&stack, &challenges[0], &code).await.problem(429), "too_many_codes");
    }
    let step_up = company.admin.api.post("/auth/2fa/step-up", json!({"code": secured.app.code_in(1)})).await;
    assert_eq!(step_up.problem(429), "too_many_codes");
    let database = stack.database().await;
    let later = "update second_factors set paused_until = now() where user_id = $1 returning failures";
    assert_eq!(database.query_one(later, &[&company.admin.id]).await.expect("time passes").get::<_, i32>(0), 5);
    // The next pause is longer, and a right code ends the counting.
    for _ in 0..5 {
        assert_eq!(verify(&stack, &challenges[0], &wrong).await.problem(401), "code_wrong");
    }
    let pause = "select paused_until > now() + interval '25 minutes' from second_factors where user_id = $1";
    assert!(database.query_one(pause, &[&company.admin.id]).await.expect("a pause").get::<_, bool>(0));
    database.execute(later, &[&company.admin.id]).await.expect("time passes");
    verify(&stack, &challenges[0], &secured.app.code_in(1)).await.expect(200);
    let counted = "select failures from second_factors where user_id = $1";
    assert_eq!(database.query_one(counted, &[&company.admin.id]).await.expect("a count").get::<_, i32>(0), 0);
    let audited =
        "select count(*) from audit_log where company_id = $1 and action = 'verify_login' and after ->> 'code' = 'wrong'";
    assert_eq!(database.query_one(audited, &[&company.id]).await.expect("a count").get::<_, i64>(0), 10);
}

pub async fn a_challenge_is_its_logins_and_short_lived(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let mut secured = Secured::make(&company.admin).await;
    let challenge = secured.challenge(&stack, &company.password).await;
    let code = secured.recovery_codes.pop().expect("a code");
    let mut altered = challenge.clone();
    altered.replace_range(..1, if altered.starts_with('A') { "B" } else { "A" });
    for nobodys in [altered.as_str(), "x", &company.admin.refresh_token] {
        assert_eq!(verify(&stack, nobodys, &code).await.problem(401), "challenge_invalid");
    }
    // Of another person's, whose code it is not.
    let stranger = Secured::make(&other.admin).await;
    let theirs = stranger.challenge(&stack, &other.password).await;
    assert_eq!(verify(&stack, &theirs, &code).await.problem(401), "code_wrong");
    let elsewhere = stack.api().with_header("x-company-id", &other.id.to_string());
    let body = json!({"challenge": challenge, "code": code});
    assert_eq!(elsewhere.post("/auth/login/verify", body).await.problem(403), "wrong_company");
    let database = stack.database().await;
    let late = "update login_challenges set expires_at = now() where user_id = $1";
    let left = "update memberships set status = $2 where user_id = $1";
    // A company keeps an admin.
    let another = "update memberships set role = 'admin' where user_id = $1";
    database.execute(another, &[&company.supervisor.id]).await.expect("another admin");
    database.execute(left, &[&company.admin.id, &"inactive"]).await.expect("leaves");
    assert_eq!(verify(&stack, &challenge, &code).await.problem(401), "challenge_invalid");
    database.execute(left, &[&company.admin.id, &"active"]).await.expect("comes back");
    database.execute(late, &[&company.admin.id]).await.expect("time passes");
    assert_eq!(verify(&stack, &challenge, &code).await.problem(401), "challenge_invalid");
    // None of them has used the code up.
    let challenge = secured.challenge(&stack, &company.password).await;
    verify(&stack, &challenge, &code).await.expect(200);
}

pub async fn who_must_have_one_reaches_nothing_but_its_set_up(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (admin, agent) = (&company.admin, &company.agents[0]);
    let socket = agent.socket().await;
    ask_for_it(&stack, &company, &["admin", "agent"]).await;
    let is_shut = async |api: &Api| {
        for path in ["/users", "/conversations", "/departments", "/events", "/auth/sessions"] {
            assert_eq!(api.get(path).await.problem(403), "two_factor_required", "{path}");
        }
        assert_eq!(api.post("/realtime/tickets", json!({})).await.problem(403), "two_factor_required");
        let me = api.get("/auth/me").await.expect(200);
        assert_eq!((&me["two_factor_required"], &me["two_factor_enabled"]), (&json!(true), &json!(false)));
        api.get("/auth/companies").await.expect(200);
    };
    // At once, in the sessions that were there and in new ones.
    is_shut(&agent.api).await;
    drop(socket);
    let login = log_in(&stack, admin, &company.password).await;
    is_shut(&stack.api().with_token(text(&login["access_token"]))).await;
    let refreshed = refresh(&stack, text(&login["refresh_token"])).await.expect(200);
    is_shut(&stack.api().with_token(text(&refreshed["access_token"]))).await;
    for person in [&company.supervisor, &company.students[0]] {
        let me = person.api.get("/auth/me").await.expect(200);
        assert_eq!(me["two_factor_required"], false);
        person.api.get("/auth/sessions").await.expect(200);
    }
    let secured = Secured::make(agent).await;
    agent.api.get("/users").await.expect(200);
    // What was begun and not finished is none.
    admin.api.post("/auth/2fa/setup", Value::Null).await.expect(200);
    is_shut(&admin.api).await;
    admin.api.post("/auth/logout", Value::Null).await.expect(204);
    let disable = json!({"code": secured.recovery_codes[0]});
    assert_eq!(agent.api.post("/auth/2fa/disable", disable.clone()).await.problem(409), "two_factor_still_required");
    ask_for_it(&stack, &company, &[]).await;
    agent.api.post("/auth/2fa/disable", disable).await.expect(204);
    // Policies know roles only.
    let unknown = "update companies set two_factor_policy = array['owner'] where id = $1";
    stack.database().await.execute(unknown, &[&company.id]).await.expect_err("no role");
}

pub async fn a_company_asks_for_itself_only(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    let join = "insert into memberships (company_id, user_id, role) values ($1, $2, 'agent')";
    stack.database().await.execute(join, &[&second.id, &home.admin.id]).await.expect("joins");
    ask_for_it(&stack, &second, &["agent"]).await;
    home.admin.api.get("/users").await.expect(200);
    let select = format!("/auth/companies/{}/select", second.id);
    let selected = home.admin.api.post(&select, Value::Null).await.expect(200);
    let there = stack.api().with_token(text(&selected["access_token"]));
    assert_eq!(there.get("/users").await.problem(403), "two_factor_required");
    // The way back is open, and so is the one in.
    there.post(&format!("/auth/companies/{}/select", home.id), Value::Null).await.expect(200);
    let secured = Secured::make(&Person { api: there.clone(), ..home.admin.clone() }).await;
    there.get("/users").await.expect(200);
    let disable = json!({"code": secured.recovery_codes[0]});
    assert_eq!(home.admin.api.post("/auth/2fa/disable", disable).await.problem(409), "two_factor_still_required");
}

fn channel(name: &str) -> Value {
    let number = format!("36{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
    json!({"kind": "whatsapp_cloud", "name": name, "phone_number_id": number, "waba_id": "1042", "access_token": "EAAG-abcdefgh-1234"})
}

pub async fn secrets_ask_for_a_fresh_code_of_who_has_one(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let save = async |api: &Api| api.post("/integrations/config", channel("Vendas")).await;
    // Who has none is let through: the company's policy decides who must have one.
    save(&company.admin.api).await.expect(200);
    let elsewhere = log_in(&stack, &company.admin, &company.password).await;
    let elsewhere = stack.api().with_token(text(&elsewhere["access_token"]));
    let mut secured = Secured::make(&company.admin).await;
    // Enabling was one.
    save(&company.admin.api).await.expect(200);
    assert_eq!(save(&elsewhere).await.problem(403), "step_up_required");
    let by_code = secured.log_in(&stack, &company.password).await;
    save(&by_code).await.expect(200);
    let later = "update sessions set stepped_up_at = stepped_up_at - interval '10 minutes' where user_id = $1";
    stack.database().await.execute(later, &[&company.admin.id]).await.expect("time passes");
    for api in [&company.admin.api, &by_code, &elsewhere] {
        assert_eq!(save(api).await.problem(403), "step_up_required");
        api.get("/users").await.expect(200);
    }
    assert_eq!(elsewhere.post("/auth/2fa/step-up", json!({"code": secured.app.wrong_code()})).await.problem(403), "code_wrong");
    assert_eq!(save(&elsewhere).await.problem(403), "step_up_required");
    elsewhere.post("/auth/2fa/step-up", json!({"code": secured.app.code_in(1)})).await.expect(200);
    save(&elsewhere).await.expect(200);
    let company_path = format!("/companies/{}", company.id);
    for (method, path, body) in [
        (Method::POST, "/setup/config", json!({"company": {"coin_name": "estrelas"}})),
        (Method::PATCH, company_path.as_str(), json!({"two_factor_policy": ["admin"]})),
    ] {
        let refused = company.admin.api.call(method.clone(), path, Some(body.clone())).await;
        assert_eq!(refused.problem(403), "step_up_required", "{path}");
        elsewhere.call(method, path, Some(body)).await.expect(200);
    }
    // Whoever makes an admin gives a role, whichever way it is given.
    let admin_by = |role: &str| {
        let email = || format!("{}@exemplo.example", uuid::Uuid::new_v4().simple());
        [
            ("/users".to_owned(), json!({"name": "Outra", "email": email(), "role": role, "password": "uma senha bem longa"})),
            ("/users".to_owned(), json!({"name": "Outra", "email": email(), "role": role})),
            ("/team/invite".to_owned(), json!({"email": email(), "role": role})),
            (format!("/companies/{}/members", company.id), json!({"email": email(), "role": role})),
        ]
    };
    for (path, body) in admin_by("admin") {
        assert_eq!(company.admin.api.post(&path, body.clone()).await.problem(403), "step_up_required", "{path}");
        elsewhere.post(&path, body).await.expect(201);
    }
    for (path, body) in admin_by("agent") {
        company.admin.api.post(&path, body).await.expect(201);
    }
    let approval = format!("/admin/approve-user/{}", uuid::Uuid::now_v7());
    assert_eq!(company.admin.api.post(&approval, json!({"role": "admin"})).await.problem(403), "step_up_required");
    company.admin.api.post(&approval, json!({})).await.expect(404);
    // This session alone.
    assert_eq!(save(&company.admin.api).await.problem(403), "step_up_required");
    let claims = forge::claims_of(company.admin.api.token.as_deref().unwrap_or_default());
    assert!(claims.get("stepped_up").is_none(), "tokens say nothing of it");
    assert_eq!(
        company.supervisor.api.post("/auth/2fa/step-up", json!({"code": "123456"})).await.problem(409),
        "two_factor_not_enabled"
    );
}

pub async fn without_a_second_factor_logins_are_as_before(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let person = newcomer(&stack, &company, "agent").await;
    let code = json!({"code": "123456"});
    for path in ["/auth/2fa/disable", "/auth/2fa/recovery-codes", "/auth/2fa/step-up"] {
        assert_eq!(person.api.post(path, code.clone()).await.problem(409), "two_factor_not_enabled", "{path}");
    }
    let secured = Secured::make(&person).await;
    assert_eq!(person.api.post("/auth/2fa/disable", json!({"code": secured.app.wrong_code()})).await.problem(403), "code_wrong");
    secured.challenge(&stack, &company.password).await;
    person.api.post("/auth/2fa/disable", json!({"code": secured.app.code_in(1)})).await.expect(204);
    log_in(&stack, &person, &company.password).await;
    let left = "select (select count(*) from second_factors where user_id = $1) + (select count(*) from recovery_codes where user_id = $1)";
    let row = stack.database().await.query_one(left, &[&person.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
}

pub async fn nothing_of_a_second_factor_is_kept_in_the_clear(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let set_up = company.admin.api.post("/auth/2fa/setup", Value::Null).await.expect(200);
    let app = Authenticator::scan(text(&set_up["otpauth_uri"]));
    let enabled = company.admin.api.post("/auth/2fa/enable", json!({"code": app.code()})).await.expect(200);
    let codes: Vec<&str> = enabled["recovery_codes"].as_array().expect("codes").iter().map(text).collect();
    let secured = Secured { person: company.admin.clone(), app, recovery_codes: Vec::new() };
    let challenge = secured.challenge(&stack, &company.password).await;
    let login = verify(&stack, &challenge, codes[0]).await.expect(200);
    let plain = codes[0].replace('-', "").to_uppercase();
    let secrets = [text(&set_up["secret"]), codes[0], codes[1], &plain, &challenge, text(&login["refresh_token"])];
    canary::assert_nowhere(&stack, &secrets, &[]).await;
}

pub async fn its_owner_is_told_what_becomes_of_it(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut person = newcomer(&stack, &company, "agent").await;
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0";
    person.api = person.api.with_header("user-agent", firefox);
    let mut known = mails_to(&stack, &person.email).await.len();
    let mut told = async |subject: &str| {
        let mail = next_mail_to(&stack, &person.email, known).await;
        known += 1;
        assert_eq!(text(&mail["subject"]), subject, "{mail}");
        assert!(text(&mail["text"]).contains("Firefox, Linux"), "{mail}");
        assert!(!text(&mail["text"]).contains("token="), "{mail}");
        text(&mail["text"]).to_owned()
    };
    let secured = Secured::make(&person).await;
    let mail = told("Verificação em duas etapas ativada").await;
    assert!(mail.contains("Se não foi você") && mail.contains("Novata"), "{mail}");
    // A wrong code changes nothing.
    for path in ["/auth/2fa/recovery-codes", "/auth/2fa/disable"] {
        let wrong = json!({"code": secured.app.wrong_code()});
        assert_eq!(person.api.post(path, wrong).await.problem(403), "code_wrong");
    }
    let code = json!({"code": secured.recovery_codes[0]});
    let renewed = person.api.post("/auth/2fa/recovery-codes", code).await.expect(200);
    let mail = told("Novos códigos de recuperação").await;
    let codes = renewed["recovery_codes"].as_array().expect("codes");
    assert!(codes.iter().all(|code| !mail.contains(text(code))), "{mail}");
    person.api.call(Method::PUT, "/users/me", Some(json!({"locale": "en"}))).await.expect(200);
    person.api.post("/auth/2fa/disable", json!({"code": codes[0]})).await.expect(204);
    let mail = told("Two-factor authentication is off").await;
    assert!(mail.contains("If this was not you"), "{mail}");
    assert_eq!(mails_to(&stack, &person.email).await.len(), known);
}
