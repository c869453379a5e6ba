//! What front ends written for other back ends call our fields: a copy of what they expect, held against every operation.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tests::{Answer, Stack, company::text, openapi::Operation};
use uuid::Uuid;

use super::sample::Fixture;

/// Our name, another one that requests may use, and what the same input declares besides.
const TAKEN: [(&str, &str, &[&str]); 52] = [
    ("is_active", "ativo", &["criteria"]),
    ("criteria", "criterios_ativacao", &["pause_weekends"]),
    ("kind", "tipo_acao", &["delay_minutes"]),
    ("window_start", "horario_envio_inicio", &[]),
    ("window_end", "horario_envio_fim", &[]),
    ("pause_weekends", "pausar_fim_semana", &[]),
    ("pause_holidays", "pausar_feriados", &[]),
    ("name", "full_name", &["email", "password"]),
    ("name", "full_name", &["avatar_file_id", "closer_type"]),
    ("avatar_file_id", "avatar_url", &["closer_type"]),
    ("refresh_token", "refreshToken", &[]),
    ("company_id", "companyId", &[]),
    ("company_id", "organization_id", &[]),
    ("client_id", "customer_id", &[]),
    ("client_id", "clientId", &[]),
    ("client_name", "customer_name", &[]),
    ("assignee_id", "assigned_user_id", &[]),
    ("assignee_id", "attendantId", &[]),
    ("assignee", "assignee_id", &[]),
    ("assignee", "assigned_user_id", &[]),
    ("assignee", "attendantId", &[]),
    ("department", "departmentId", &[]),
    ("department", "department_id", &[]),
    ("to_user_id", "attendantId", &[]),
    ("to_department_id", "departmentId", &[]),
    ("body", "content", &[]),
    ("kind", "message_type", &["conversation_id", "body"]),
    ("body", "message", &["phone", "quick_reply_id"]),
    ("kind", "message_type", &["phone", "quick_reply_id"]),
    ("phone", "to", &["quick_reply_id"]),
    ("expiration_time", "expirationTime", &[]),
    ("name", "nome_completo", &["potential_value", "origin"]),
    ("phone", "telefone", &["potential_value", "origin"]),
    ("company", "empresa", &["potential_value", "origin"]),
    ("origin", "origem", &["campaign"]),
    ("potential_value", "valor_potencial", &["origin"]),
    ("authority_level", "authority_nivel", &["need_level"]),
    ("budget_confirmed", "budget_confirmado", &["need_level"]),
    ("type", "tipo_interacao", &["result", "at"]),
    ("at", "data_interacao", &["type", "result"]),
    ("result", "resultado", &["type", "at"]),
    ("summary", "resumo", &["result", "next_step"]),
    ("details", "detalhes_completos", &["result", "next_step"]),
    ("temperature", "temperatura", &["score_min"]),
    ("from", "date_from", &["score_min"]),
    ("to", "date_to", &["score_min"]),
    ("value_min", "valor_min", &[]),
    ("year", "ano", &["revenue"]),
    ("month", "mes", &["year", "revenue"]),
    ("nps", "nota_nps", &["overall"]),
    ("overall", "nota_geral", &["nps"]),
    ("date", "data_feedback", &["overall", "nps"]),
];

/// Of a declared object: our name, what answers carry besides, what the object declares too, and the value.
type Told = (&'static str, &'static str, &'static [&'static str], fn(&Value) -> Value);

const TOLD: [Told; 55] = [
    ("is_active", "ativo", &["criteria"], Value::clone),
    ("criteria", "criterios_ativacao", &["pause_weekends"], Value::clone),
    ("kind", "tipo_acao", &["delay_minutes"], Value::clone),
    ("window_start", "horario_envio_inicio", &[], Value::clone),
    ("window_end", "horario_envio_fim", &[], Value::clone),
    ("pause_weekends", "pausar_fim_semana", &[], Value::clone),
    ("pause_holidays", "pausar_feriados", &[], Value::clone),
    ("current_step", "step_atual", &[], Value::clone),
    ("next_run_at", "proxima_execucao", &[], Value::clone),
    ("executed_steps", "steps_executados", &[], Value::clone),
    ("responded_at", "data_resposta", &["executed_steps"], Value::clone),
    ("access_token", "accessToken", &["refresh_token"], Value::clone),
    ("refresh_token", "refreshToken", &[], Value::clone),
    ("name", "full_name", &["email", "role"], Value::clone),
    ("name", "full_name", &["position", "role"], Value::clone),
    ("is_online", "online", &[], Value::clone),
    ("client_id", "customer_id", &[], Value::clone),
    ("client_id", "clientId", &[], Value::clone),
    ("client_name", "customer_name", &[], Value::clone),
    ("assignee_id", "assigned_user_id", &[], Value::clone),
    ("assignee_id", "attendantId", &[], Value::clone),
    ("mode", "is_bot_active", &["channel_kind"], |mode| json!(mode == "bot")),
    ("status", "needs_human_attention", &["channel_kind"], |status| json!(status == "pending")),
    ("bot_node", "current_menu_level", &[], |node| if node.is_null() { json!("main") } else { node.clone() }),
    ("channel_kind", "channel", &[], |_| json!("whatsapp")),
    ("started_at", "startedAt", &["channel_kind"], Value::clone),
    ("ended_at", "endedAt", &["channel_kind"], Value::clone),
    ("first_human_at", "firstHumanAt", &[], Value::clone),
    ("body", "content", &["conversation_id"], Value::clone),
    ("kind", "message_type", &["conversation_id", "body"], Value::clone),
    ("file", "media_url", &["conversation_id"], |file| match file["id"].as_str() {
        Some(id) => json!(format!("/storage/download/{id}")),
        None => Value::Null,
    }),
    ("file", "mediaType", &["conversation_id"], |file| file["mime_type"].clone()),
    ("sender_id", "sender_user_id", &["conversation_id"], Value::clone),
    ("provider_id", "whatsapp_message_id", &["conversation_id"], Value::clone),
    ("sent_at", "timestamp", &["conversation_id"], Value::clone),
    ("is_read", "is_read", &["conversation_id"], Value::clone),
    ("name", "nome_completo", &["potential_value", "origin"], Value::clone),
    ("phone", "telefone", &["potential_value", "origin"], Value::clone),
    ("company", "empresa", &["potential_value", "origin"], Value::clone),
    ("origin", "origem", &["campaign"], Value::clone),
    ("potential_value", "valor_potencial", &["origin"], Value::clone),
    ("authority_level", "authority_nivel", &["need_level"], Value::clone),
    ("budget_confirmed", "budget_confirmado", &["need_level"], Value::clone),
    ("type", "tipo_interacao", &["result", "at"], Value::clone),
    ("at", "data_interacao", &["type", "result"], Value::clone),
    ("result", "resultado", &["type", "at"], Value::clone),
    ("summary", "resumo", &["result", "next_step"], Value::clone),
    ("details", "detalhes_completos", &["result", "next_step"], Value::clone),
    ("score", "lead_score", &["qualification"], Value::clone),
    ("temperature", "temperatura", &["score"], |ours| match text(ours) {
        "cold" => json!("frio"),
        "warm" => json!("morno"),
        _ => json!("quente"),
    }),
    ("year", "ano", &["revenue"], Value::clone),
    ("month", "mes", &["year", "revenue"], Value::clone),
    ("nps", "nota_nps", &["overall"], Value::clone),
    ("overall", "nota_geral", &["nps"], Value::clone),
    ("date", "data_feedback", &["overall", "nps"], Value::clone),
];

const COMPANY: [&str; 3] = ["companyId", "company_id", "organization_id"];

/// All operations but aliases.
fn operations(stack: &Stack) -> Vec<Operation> {
    stack.openapi.operations().into_iter().filter(|operation| operation.alias_of.is_none()).collect()
}

fn described<'stack>(stack: &'stack Stack, operation: &Operation) -> &'stack Value {
    &stack.openapi.document["paths"][&operation.path][operation.method.to_lowercase()]
}

/// The schema of its body; null without one.
fn body<'stack>(stack: &'stack Stack, operation: &Operation) -> &'stack Value {
    stack.openapi.resolve(&described(stack, operation)["requestBody"]["content"]["application/json"]["schema"])
}

/// Names of its query's parameters, with whether they are required.
fn parameters<'stack>(stack: &'stack Stack, operation: &Operation) -> Vec<(&'stack str, bool)> {
    let parameters = described(stack, operation)["parameters"].as_array().into_iter().flatten();
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    in_query.map(|parameter| (text(&parameter["name"]), parameter["required"] == true)).collect()
}

/// Field and code of every problem.
fn fields(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    errors.map(|error| (text(&error["field"]), text(&error["code"]))).collect()
}

fn change_body(event: &mut Value, change: impl FnOnce(&mut Value)) {
    let mut body: Value = serde_json::from_str(text(&event["body"])).unwrap_or_else(|_| json!({}));
    change(&mut body);
    event["body"] = json!(body.to_string());
}

pub async fn bodies_take_second_names(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let mut tried = BTreeSet::new();
    for operation in operations(&stack) {
        let properties = &body(&stack, &operation)["properties"];
        let declares = |name: &str| !properties[name].is_null();
        let names = TAKEN
            .iter()
            .filter(|(ours, second, beside)| declares(ours) && !declares(second) && beside.iter().all(|beside| declares(beside)));
        for (ours, second, _) in names {
            let of = format!("{} {ours} {second}", operation.id);
            let mut is_in_sample = false;
            let renamed = fixture.send_changed(&operation.id, |event| {
                change_body(event, |body| {
                    let value = body.as_object_mut().and_then(|body| body.remove(*ours));
                    is_in_sample = value.is_some();
                    body[second] = value.unwrap_or_default();
                });
            });
            let renamed = renamed.await;
            assert_eq!(renamed.status, operation.success, "{of} in the sample: {is_in_sample}: {}", renamed.body);
            let two = fixture.send_changed(&operation.id, |event| {
                change_body(event, |body| (body[ours], body[second]) = (json!("one"), json!("another")));
            });
            let two = two.await;
            assert_eq!((two.status, fields(&two)), (422, vec![(*ours, "two_values")]), "{of}");
            tried.insert(*second);
        }
    }
    for second in ["full_name", "refreshToken", "companyId", "attendantId", "departmentId", "content", "message_type"] {
        assert!(tried.contains(second), "no input has {second}: {tried:?}");
    }
}

pub async fn queries_take_second_names(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let mut tried = 0;
    for operation in operations(&stack) {
        let parameters = parameters(&stack, &operation);
        let declares = |name: &str| parameters.iter().any(|(parameter, _)| *parameter == name);
        let names = TAKEN
            .iter()
            .filter(|(ours, second, beside)| declares(ours) && !declares(second) && beside.iter().all(|beside| declares(beside)));
        for (ours, second, _) in names {
            let id = match *ours {
                "kind" => "text".to_owned(),
                "origin" => "site".to_owned(),
                "temperature" => "hot".to_owned(),
                "from" | "to" => "2026-01-31".to_owned(),
                "value_min" => "10.00".to_owned(),
                _ => Uuid::nil().to_string(),
            };
            // What the list is not asked without.
            let required = if operation.id == "search_messages" { "search=a&" } else { "" };
            let with = |query: String| {
                let query = format!("{required}{query}");
                fixture.send_changed(&operation.id, move |event| event["rawQueryString"] = json!(query))
            };
            let renamed = with(format!("{second}={id}&{ours}={id}")).await;
            assert_eq!(renamed.status, operation.success, "{} {second}: {}", operation.id, renamed.body);
            let wrong = with(format!("{second}=x")).await;
            // Any text is an origin.
            if *ours != "origin" {
                assert_eq!((wrong.status, fields(&wrong)[0].0), (422, *ours), "{} {second}", operation.id);
            }
            let two = with(format!("{second}={id}&{ours}=x")).await;
            assert_eq!((two.status, fields(&two)), (422, vec![(*ours, "two_values")]), "{} {second}", operation.id);
            tried += 1;
        }
    }
    assert!(tried >= 5, "only {tried} parameters");
}

/// Walks an answer along its schema; adds the second names of declared objects, which must be there as wanted.
fn check_told(stack: &Stack, schema: &Value, value: &Value, of: &str, found: &mut BTreeSet<&'static str>) {
    let schema = stack.openapi.resolve(schema);
    let branches = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let schema = branches.iter().find(|branch| branch["type"] != "null").map_or(schema, |branch| stack.openapi.resolve(branch));
    for item in value.as_array().into_iter().flatten() {
        check_told(stack, &schema["items"], item, of, found);
    }
    let declares = |name: &str| !schema["properties"][name].is_null();
    let Some(given) = value.as_object() else { return };
    for (ours, second, beside, value_of) in &TOLD {
        if declares(ours) && beside.iter().all(|beside| declares(beside)) {
            // What is left out is left out under both names.
            assert_eq!(given.get(*second).cloned(), given.get(*ours).map(value_of), "{of}: {second} of {value}");
            found.insert(second);
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = given.get(name) {
            check_told(stack, schema, value, of, found);
        }
    }
}

pub async fn answers_under_api_v1_carry_second_names(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let mut found = BTreeSet::new();
    // A message, a file and somebody online are there to be listed.
    let _socket = fixture.company.admin.socket().await;
    fixture.send("send_message").await;
    for operation in operations(&stack).iter().filter(|operation| !operation.path.starts_with("/webhooks")) {
        let versioned = fixture.send_changed(&operation.id, |event| {
            event["rawPath"] = json!(format!("/api/v1{}", text(&event["rawPath"])));
        });
        let answer = versioned.await;
        assert_eq!(answer.status, operation.success, "{}: {}", operation.id, answer.body);
        let responses = &described(&stack, operation)["responses"][operation.success.to_string()];
        let schema = &responses["content"]["application/json"]["schema"];
        check_told(&stack, schema, &answer.body, &operation.id, &mut found);
    }
    let missing: Vec<_> = TOLD.iter().filter(|(_, second, ..)| !found.contains(second)).map(|(ours, ..)| ours).collect();
    assert!(missing.is_empty(), "no answer has these: {missing:?}");
}

pub async fn answers_under_other_paths_carry_ours_only(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    fixture.send("send_message").await;
    for prefix in ["", "/api"] {
        let listed = fixture.company.admin.api.get(&format!("{prefix}/conversations")).await.expect(200);
        let row = listed["data"][0].as_object().expect("a row");
        assert!(row.contains_key("client_id") && !row.contains_key("customer_id") && !row.contains_key("channel"), "{row:?}");
    }
}

pub async fn tokens_are_told_in_both_spellings_under_every_path(stack: Arc<Stack>) {
    let company = stack.company(tests::Wanted { agents: 1, ..tests::Wanted::default() }).await;
    for prefix in ["", "/api", "/api/v1"] {
        let login = json!({"email": company.admin.email, "password": company.password});
        let signed_in = stack.api().post(&format!("{prefix}/auth/login"), login).await.expect(200);
        assert_eq!(signed_in["user"]["full_name"], signed_in["user"]["name"]);
        assert_eq!(signed_in["user"].get("avatar_url"), Some(&Value::Null));
        let refresh = json!({"refreshToken": signed_in["refreshToken"]});
        let refreshed = stack.api().post(&format!("{prefix}/auth/refresh"), refresh).await.expect(200);
        let api = stack.api().with_token(text(&signed_in["accessToken"]));
        let select = format!("{prefix}/auth/companies/{}/select", company.id);
        let selected = api.post(&select, json!({"companyId": company.id})).await.expect(200);
        for pair in [signed_in, refreshed, selected] {
            assert!(!text(&pair["accessToken"]).is_empty(), "{prefix} {pair}");
            assert_eq!((&pair["accessToken"], &pair["refreshToken"]), (&pair["access_token"], &pair["refresh_token"]));
            assert_eq!(pair["expires_in"], 900);
        }
    }
}

/// A stored answer has our names only; it is replayed with second ones where they are wanted.
pub async fn a_replayed_answer_carries_second_names_too(stack: Arc<Stack>) {
    let company = stack.company(tests::Wanted { agents: 1, ..tests::Wanted::default() }).await;
    let (_, id) = company.served().await;
    let api = company.agents[0].api.with_header("idempotency-key", "twice");
    let message = json!({"conversation_id": id, "content": "Oi"});
    let first = api.post("/messages", message.clone()).await.expect(201);
    let again = api.post("/api/v1/messages", message).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = again.expect(201);
    assert_eq!((&again["id"], &again["content"], first.get("content")), (&first["id"], &json!("Oi"), None));
}

pub async fn every_problem_says_its_detail_as_error(stack: Arc<Stack>) {
    for operation in operations(&stack) {
        let path: Vec<_> = operation.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let answer = stack.api().call(operation.method.parse().expect("a method"), &path.join("/"), None).await;
        if answer.status >= 400 {
            assert_eq!(answer.body["error"], answer.body["detail"], "{}", operation.id);
            assert!(!text(&answer.body["error"]).is_empty(), "{}", operation.id);
        }
    }
}

pub async fn a_company_that_is_named_is_the_sessions(stack: Arc<Stack>) {
    let mut fixture = Fixture::make(Arc::clone(&stack)).await;
    let other = Uuid::new_v4().to_string();
    for (number, operation) in operations(&stack).iter().filter(|operation| !operation.asks_for_no_token()).enumerate() {
        // One person may not make so many instances in a minute.
        if number % 50 == 49 || operation.path.starts_with("/whatsapp/instances") {
            fixture = Fixture::make(Arc::clone(&stack)).await;
        }
        let own = fixture.company.id.to_string();
        let name = COMPANY[number % COMPANY.len()];
        let of = format!("{} {name}", operation.id);
        let chooses = ["select_company", "choose_primary_company"].contains(&operation.id.as_str());
        for (company, is_own) in [(&own, true), (&other, false), (&String::new(), true)] {
            let answer = fixture.send_changed(&operation.id, |event| {
                event["rawQueryString"] = json!(format!("{}&{name}={company}", text(&event["rawQueryString"])));
            });
            let answer = answer.await;
            // Where it is chosen, it is not named in the query.
            if is_own || chooses {
                assert_eq!(answer.status, operation.success, "{of} {company}: {}", answer.body);
            } else {
                assert_eq!(answer.problem(403), "wrong_company", "{of}");
            }
        }
        for (company, is_own) in [(&own, true), (&other, false)] {
            let answer = fixture.send_changed(&operation.id, |event| event["headers"]["x-company-id"] = json!(company)).await;
            if is_own || chooses {
                assert_eq!(answer.status, operation.success, "{of} {company}: {}", answer.body);
            } else {
                assert_eq!(answer.problem(403), "wrong_company", "{of}");
            }
        }
        // The bytes of a file name nothing; a form that does is tried where uploads are.
        if operation.method == "GET" || chooses || operation.id == "upload_file" {
            continue;
        }
        // Also where no body is asked for.
        for (company, is_own) in [(json!(own), true), (json!(null), true), (json!(other), false), (json!("acme"), false)] {
            let with_company = |event: &mut Value| change_body(event, |body| body[name] = company);
            let answer = fixture.send_changed(&operation.id, with_company).await;
            if is_own {
                assert_eq!(answer.status, operation.success, "{of}: {}", answer.body);
            } else {
                assert_eq!(answer.problem(403), "wrong_company", "{of}");
            }
        }
    }
}

/// Where nobody is signed in yet, the one who turns out to ask says which company it is for.
pub async fn a_company_that_is_named_before_signing_in_is_the_one_entered(stack: Arc<Stack>) {
    let company = stack.company(tests::Wanted { agents: 0, students: 0, ..tests::Wanted::default() }).await;
    let (own, other) = (company.id.to_string(), Uuid::new_v4().to_string());
    let token = company.admin.refresh_token.clone();
    let login = json!({"email": company.admin.email, "password": company.password});
    let refresh = json!({"refresh_token": token});
    for name in COMPANY {
        for (path, body) in [("/auth/refresh", &refresh), ("/auth/login", &login)] {
            let named = format!("{path}?{name}=");
            assert_eq!(stack.api().post(&(named.clone() + &other), body.clone()).await.problem(403), "wrong_company", "{named}");
            stack.api().post(&(named + &own), body.clone()).await.expect(200);
        }
        let with_company = async |company: &str| {
            let mut body = refresh.clone();
            body[name] = json!(company);
            stack.api().post("/auth/refresh", body).await
        };
        assert_eq!(with_company(&other).await.problem(403), "wrong_company", "{name}");
        with_company(&own).await.expect(200);
    }
    let in_header = stack.api().with_header("x-company-id", &other);
    assert_eq!(in_header.post("/auth/refresh", refresh.clone()).await.problem(403), "wrong_company");
    assert_eq!(in_header.post("/auth/login", login.clone()).await.problem(403), "wrong_company");
    // It chooses one in its body: what one is no member of cannot be entered.
    let mut chosen = login.clone();
    chosen["company_id"] = json!(other);
    assert_eq!(stack.api().post("/auth/login", chosen).await.problem(403), "no_active_company");
    // Nothing was used up by what was refused.
    stack.api().post("/auth/refresh", refresh).await.expect(200);
}

pub async fn commands_without_body_and_type_have_no_fields(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let mut without_body = BTreeSet::new();
    for operation in operations(&stack).iter().filter(|operation| !operation.access.starts_with("signed_by")) {
        if operation.method == "GET" {
            continue;
        }
        let answer = fixture.send_changed(&operation.id, |event| event["body"] = Value::Null).await;
        if described(&stack, operation)["requestBody"]["required"] == true {
            let codes: Vec<_> = fields(&answer).into_iter().map(|(_, code)| code).collect();
            let are_missing = codes.iter().all(|code| ["required", "one_target"].contains(code));
            assert!(answer.status == 422 && are_missing, "{}: {}", operation.id, answer.body);
        } else {
            assert_eq!(answer.status, operation.success, "{}: {}", operation.id, answer.body);
            without_body.insert(operation.id.clone());
        }
        if !body(&stack, operation).is_null() {
            let wrong_type = fixture.send_typed(&operation.id, Some("text/plain")).await;
            assert_eq!(wrong_type.problem(415), "unsupported_media_type", "{}", operation.id);
            let untyped = fixture.send_typed(&operation.id, None).await;
            assert_eq!(untyped.problem(415), "unsupported_media_type", "{}", operation.id);
        }
    }
    for command in ["take_over_conversation", "close_conversation", "mark_conversation_read", "logout", "complete_upload"] {
        assert!(without_body.contains(command), "{command} is not among {without_body:?}");
    }
}

pub async fn parameters_without_a_value_are_not_given(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let mut tried = 0;
    for operation in operations(&stack) {
        for (name, is_required) in parameters(&stack, &operation) {
            for empty in ["", "%20"] {
                let answer = fixture.send_changed(&operation.id, |event| {
                    let query = url::form_urlencoded::parse(text(&event["rawQueryString"]).as_bytes());
                    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
                    pairs.extend_pairs(query.filter(|(known, _)| known != name));
                    event["rawQueryString"] = json!(format!("{}&{name}={empty}", pairs.finish()));
                });
                let answer = answer.await;
                if is_required {
                    assert_eq!((answer.status, fields(&answer)), (422, vec![(name, "required")]), "{}", operation.id);
                } else {
                    assert_eq!(answer.status, operation.success, "{} {name}: {}", operation.id, answer.body);
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "only {tried} parameters");
}

pub async fn every_failing_parameter_is_named(stack: Arc<Stack>) {
    let company = stack.company(tests::Wanted { agents: 0, ..tests::Wanted::default() }).await;
    let answer = company.admin.api.get("/messages?cursor=a&around=b&limit=c").await;
    let mut found = fields(&answer);
    found.sort_unstable();
    let expected =
        [("around", "invalid_type"), ("conversation_id", "required"), ("cursor", "invalid_cursor"), ("limit", "invalid_type")];
    assert_eq!(found, expected);
    let answer = company.admin.api.get("/users?role=boss&online=x&page=0").await;
    let mut found: Vec<_> = fields(&answer).into_iter().map(|(field, _)| field).collect();
    found.sort_unstable();
    assert_eq!(found, ["online", "page", "role"]);
}

/// Fields that are names of people, companies, departments, channels or files.
fn is_name(field: &str) -> bool {
    field == "name" || field.ends_with("_name")
}

pub async fn hidden_characters_in_names_are_refused(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let mut tried = BTreeSet::new();
    for operation in operations(&stack) {
        let body = body(&stack, &operation);
        let variants = body["oneOf"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        let properties = variants.iter().flat_map(|body| body["properties"].as_object().into_iter().flatten());
        for (field, _) in properties.filter(|(field, _)| is_name(field)) {
            for hidden in ['\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{ad}'] {
                let answer = fixture.send_changed(&operation.id, |event| {
                    change_body(event, |body| body[field] = json!(format!("Ana{hidden}Lima")));
                });
                let answer = answer.await;
                let wanted = (field.as_str(), "hidden_characters");
                assert!(answer.status == 422 && fields(&answer).contains(&wanted), "{} {field}: {}", operation.id, answer.body);
            }
            tried.insert(format!("{} {field}", operation.id));
        }
    }
    let known = ["create_department name", "create_upload_url name", "register company_name", "register name"];
    for name in known.into_iter().chain(["save_integration name"]) {
        assert!(tried.contains(name), "{name} is not among {tried:?}");
    }
}

pub async fn hidden_characters_in_messages_stay(stack: Arc<Stack>) {
    let company = stack.company(tests::Wanted { agents: 1, ..tests::Wanted::default() }).await;
    let (_, id) = company.served().await;
    for words in ["👩\u{200d}💻", "a\u{200b}b", "\u{202b}שלום\u{202c}"] {
        assert_eq!(company.agents[0].say(&id, words).await["body"], words);
    }
}
