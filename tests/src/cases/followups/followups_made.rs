//! Sequences made, changed, refused; who is taken in.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, eventually};
use uuid::Uuid;

use super::{always, ended, enroll, execution, executions, lead, log, logs, make};

pub async fn a_sequence_is_made_changed_and_goes(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let api = &company.supervisor.api;
    let mut socket = company.agents[0].socket().await;
    let steps =
        json!([{"kind": "call_task"}, {"kind": "email", "delay_minutes": 60, "subject": "Oi", "body": "Oi, {{client.name}}"}]);
    let made = api.post("/followups/sequences", json!({"name": "Boas-vindas", "steps": steps})).await.expect(201);
    assert_eq!((&made["is_active"], text(&made["window_start"]), text(&made["window_end"])), (&json!(false), "09:00", "18:00"));
    assert_eq!((&made["pause_weekends"], &made["pause_holidays"], &made["version"]), (&json!(true), &json!(true), &json!(1)));
    let told = socket.of_type("followup_sequence.created").await;
    assert_eq!(told["data"]["sequence"]["id"], made["id"]);
    let path = format!("/followups/sequences/{}", text(&made["id"]));
    assert_eq!(company.agents[0].api.get(&path).await.expect(200), made);
    let changed = api.call(Method::PUT, &path, Some(json!({"max_per_day": 2}))).await.expect(200);
    assert_eq!((&changed["max_per_day"], &changed["version"], &changed["steps"]), (&json!(2), &json!(2), &made["steps"]));
    let taken = api.post("/followups/sequences", json!({"name": "BOAS-VINDAS", "steps": steps})).await;
    assert_eq!(taken.problem(409), "name_taken");
    let listed = api.get("/followups/sequences?is_active=false").await.expect(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    api.call(Method::DELETE, &path, None).await.expect(204);
    assert_eq!(api.get(&path).await.problem(404), "not_found");
    api.post("/followups/sequences", json!({"name": "Boas-vindas", "steps": steps})).await.expect(201);
}

pub async fn bad_sequences_are_refused_and_change_nothing(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let api = &company.supervisor.api;
    let task = json!([{"kind": "task"}]);
    for (sequence, field, code) in [
        (json!({"name": "a"}), "steps", "required"),
        (json!({"steps": task}), "name", "required"),
        (json!({"name": "a", "steps": task, "window_start": "18:00", "window_end": "18:00"}), "window_end", "inverted"),
        (json!({"name": "a", "steps": task, "window_start": "19:00", "window_end": "08:00"}), "window_end", "inverted"),
        (json!({"name": "a", "steps": task, "weekdays": ["saturday", "sunday"]}), "weekdays", "never_open"),
        (json!({"name": "a", "steps": [{"kind": "email", "subject": "Oi"}]}), "steps[0].body", "required"),
        (json!({"name": "a", "steps": [{"kind": "whatsapp", "body": "{{nome}}"}]}), "steps[0].body", "unknown_variable"),
    ] {
        let told = api.post("/followups/sequences", sequence.clone()).await.expect(422);
        let error = &told["errors"][0];
        assert_eq!((text(&error["field"]), text(&error["code"])), (field, code), "{sequence}: {told}");
    }
    for sequence in [
        json!({"name": "a", "steps": []}),
        json!({"name": "a", "steps": [{"kind": "pombo"}]}),
        json!({"name": "a", "steps": task, "window_start": "9h"}),
        json!({"name": "a", "steps": task, "criteria": {"score_min": 101}}),
        json!({"name": "a", "steps": [{"kind": "task", "delay_minutes": -1}]}),
        json!({"name": "a", "steps": task, "channel_account_id": Uuid::new_v4()}),
    ] {
        api.post("/followups/sequences", sequence).await.expect(422);
    }
    assert_eq!(api.get("/followups/sequences").await.expect(200)["data"], json!([]));
    let made = make(&company.supervisor, json!({"name": "a", "steps": task})).await;
    let path = format!("/followups/sequences/{}", text(&made["id"]));
    api.call(Method::PUT, &path, Some(json!({"window_end": "08:59"}))).await.expect(422);
    assert_eq!(api.get(&path).await.expect(200), made);
    let enrolled = api.post(&format!("{path}/enroll"), json!({})).await;
    assert_eq!(enrolled.problem(409), "sequence_paused");
    for missing in [Uuid::new_v4().to_string(), "x".to_owned()] {
        let path = format!("/followups/sequences/{missing}");
        api.get(&path).await.expect(404);
        api.post(&format!("{path}/enroll"), json!({})).await.expect(404);
        api.post(&format!("{path}/preview"), json!({})).await.expect(404);
        api.get(&format!("/followups/executions/{missing}/logs")).await.expect(404);
        api.post(&format!("/followups/executions/{missing}/cancel"), json!({})).await.expect(404);
    }
}

pub async fn other_front_ends_words_are_understood(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let api = &company.supervisor.api;
    let sequence = json!({
        "name": "Retomada", "ativo": true, "criterios_ativacao": {"tags": ["nunca"]}, "steps": [{"tipo_acao": "ligacao"}, {"tipo_acao": "tarefa"}],
        "horario_envio_inicio": "00:00", "horario_envio_fim": "23:59", "pausar_fim_semana": false, "pausar_feriados": false,
    });
    let made = api.post("/api/v1/followup/sequences", sequence).await.expect(201);
    for (ours, theirs) in [
        ("is_active", "ativo"),
        ("criteria", "criterios_ativacao"),
        ("window_start", "horario_envio_inicio"),
        ("window_end", "horario_envio_fim"),
        ("pause_weekends", "pausar_fim_semana"),
        ("pause_holidays", "pausar_feriados"),
    ] {
        assert!(!made[ours].is_null() && made[ours] == made[theirs], "{ours}: {made}");
    }
    assert_eq!((text(&made["steps"][0]["kind"]), text(&made["steps"][1]["kind"])), ("call_task", "task"), "{made}");
    assert_eq!(made["steps"][0]["tipo_acao"], made["steps"][0]["kind"], "{made}");
    let lead = lead(&company.supervisor, json!({})).await;
    enroll(&company.supervisor, &made, &[&lead]).await;
    ended(&company.supervisor, &made, &lead, "completed").await;
    let page = api.get("/api/v1/followups/executions").await.expect(200);
    let execution = &page["data"][0];
    assert_eq!(execution["step_atual"], json!(2), "{execution}");
    assert_eq!((&execution["proxima_execucao"], &execution["data_resposta"]), (&Value::Null, &Value::Null));
    assert_eq!(execution["steps_executados"][1]["step"], 1, "{execution}");
    assert_eq!(execution["steps_executados"][1]["success"], true);
}

pub async fn agents_change_no_sequence_and_see_their_own_leads(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "own", ..Wanted::default() }).await;
    let (own, colleague) = (&company.agents[0], &company.agents[1]);
    let sequence = make(&company.supervisor, always(json!([{"kind": "task", "delay_minutes": 600}]))).await;
    let path = format!("/followups/sequences/{}", text(&sequence["id"]));
    for (method, path) in [
        (Method::POST, "/followups/sequences".to_owned()),
        (Method::PUT, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/activate")),
        (Method::POST, format!("{path}/pause")),
    ] {
        let body = json!({"name": "x", "steps": [{"kind": "task"}]});
        let body = if path.ends_with("ate") || path.ends_with("pause") { json!({}) } else { body };
        own.api.call(method, &path, Some(body)).await.expect(403);
    }
    let theirs = lead(&company.supervisor, json!({"closer_id": colleague.id})).await;
    let ones = lead(&company.supervisor, json!({"closer_id": own.id})).await;
    assert_eq!(enroll(own, &sequence, &[&theirs, &ones]).await, 1, "whom one does not see is not taken in");
    assert_eq!(enroll(colleague, &sequence, &[&theirs]).await, 1);
    let seen = executions(own, "").await;
    assert_eq!((seen.len(), &seen[0]["lead_id"]), (1, &ones["id"]));
    let hidden = execution(&company.supervisor, &sequence, &theirs).await;
    own.api.get(&format!("/followups/executions/{}/logs", text(&hidden["id"]))).await.expect(404);
    own.api.post(&format!("/followups/executions/{}/cancel", text(&hidden["id"])), json!({})).await.expect(404);
    let response = json!({"lead_id": theirs["id"], "channel": "call", "message": "Sim"});
    own.api.post("/followups/responses", response).await.expect(404);
    assert_eq!(execution(&company.supervisor, &sequence, &theirs).await["status"], "active");
}

pub async fn more_than_500_leads_are_asked_about(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let add = "
        insert into leads (id, company_id, pipeline_id, stage_id, rank, name, tags)
        select gen_random_uuid(), stages.company_id, stages.pipeline_id, stages.id, 20000000 + number, 'Lead ' || number, '{muitos}'
          from stages cross join generate_series(1, 501) number
         where stages.company_id = $1 and stages.key = 'new'";
    let database = stack.database().await;
    assert_eq!(database.execute(add, &[&company.id]).await.expect("leads"), 501);
    let api = &company.supervisor.api;
    let mut sequence = always(json!([{"kind": "task", "delay_minutes": 600}]));
    sequence["criteria"] = json!({"tags": ["muitos"]});
    let refused = api.post("/followups/sequences", sequence.clone()).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["count"]), ("many_leads", &json!(501)));
    assert_eq!(api.get("/followups/sequences").await.expect(200)["data"], json!([]), "nothing was made");
    sequence["confirm"] = json!(true);
    let made = api.post("/followups/sequences", sequence).await.expect(201);
    let id: Uuid = text(&made["id"]).parse().expect("an id");
    let count = "select count(*), count(distinct lead_id) from followup_executions where sequence_id = $1";
    eventually("all taken in", || async {
        let row = database.query_one(count, &[&id]).await.expect("a count");
        ((row.get::<_, i64>(0), row.get::<_, i64>(1)) == (501, 501)).then_some(())
    })
    .await;
    let jobs = "select count(*) from jobs where company_id = $1 and kind = 'run_sequence_step'";
    assert_eq!(database.query_one(jobs, &[&company.id]).await.expect("a count").get::<_, i64>(0), 501);
    let stats = api.get(&format!("/followups/sequences/{id}/stats")).await.expect(200);
    assert_eq!((&stats["enrolled"], &stats["active"]), (&json!(501), &json!(501)));
}

pub async fn one_lead_goes_through_a_sequence_once_at_a_time(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (supervisor, agent) = (&company.supervisor, &company.agents[0]);
    let sequence = make(supervisor, always(json!([{"kind": "task", "delay_minutes": 600}]))).await;
    let lead = lead(supervisor, json!({})).await;
    let named = [&lead];
    let attempts = (0..12).map(|number| enroll(if number % 2 == 0 { agent } else { supervisor }, &sequence, &named));
    assert_eq!(join_all(attempts).await.iter().sum::<i64>(), 1, "of many at once one takes them in");
    let first = execution(supervisor, &sequence, &lead).await;
    let cancelled = agent.api.post(&format!("/followups/executions/{}/cancel", text(&first["id"])), json!({})).await.expect(200);
    assert_eq!((text(&cancelled["status"]), text(&cancelled["reason"])), ("cancelled", "by_hand"));
    let again = agent.api.post(&format!("/followups/executions/{}/cancel", text(&first["id"])), json!({})).await.expect(409);
    assert_eq!((text(&again["code"]), &again["current"]["id"]), ("execution_finished", &first["id"]));
    assert_eq!(logs(agent, &first).await, [log(None, "enrolled", ""), log(None, "cancelled", "by_hand")]);
    assert_eq!(enroll(agent, &sequence, &[&lead]).await, 0, "they went through it");
    let path = format!("/followups/sequences/{}/enroll", text(&sequence["id"]));
    let again = json!({"lead_ids": [lead["id"]], "again": true});
    let attempts = (0..8).map(|_| agent.api.post(&path, again.clone()));
    let taken: i64 =
        join_all(attempts).await.into_iter().map(|answer| answer.expect(200)["enrolled"].as_i64().unwrap_or(9)).sum();
    assert_eq!(taken, 1);
    let found = executions(supervisor, &format!("lead_id={}", text(&lead["id"]))).await;
    let rotations: Vec<_> = found.iter().map(|row| (row["rotation"].as_i64(), text(&row["status"]))).collect();
    assert_eq!(rotations, [(Some(1), "active"), (Some(0), "cancelled")]);
}
