//! Input that is not what a route asks for: the exact 4xx, and nothing changed.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text, sandbox::fresh_number};

use super::sample::Fixture;
use crate::cases::snapshot;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, ..Wanted::default() }).await
}

/// Field and code of every problem, in order of fields.
fn fields(answer: Answer) -> Vec<(String, String)> {
    let body = answer.expect(422);
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let mut fields: Vec<_> =
        errors.iter().map(|error| (text(&error["field"]).to_owned(), text(&error["code"]).to_owned())).collect();
    fields.sort();
    fields
}

fn is_field(answer: Answer, field: &str, code: &str) {
    assert_eq!(fields(answer), [(field.to_owned(), code.to_owned())]);
}

/// Posts these bytes as a new department and sees that none came of it.
async fn post_bytes(stack: &Stack, content_type: &str, bytes: &[u8]) -> Answer {
    let company = company(stack).await;
    let before = snapshot::of_company(stack, company.id).await;
    let answer = company.admin.api.send(Method::POST, "/departments", Some((content_type, bytes.to_vec()))).await;
    assert_eq!(snapshot::of_company(stack, company.id).await, before);
    answer
}

pub async fn broken_json_is_malformed(stack: Arc<Stack>) {
    for body in
        ["", "{", "{\"name\": \"Vendas\"", "name=Vendas", "{\"name\": \"\\ud800\"}", "{\"name\": NaN}", "{\"name\":\"a\"} x"]
    {
        assert_eq!(post_bytes(&stack, "application/json", body.as_bytes()).await.problem(400), "malformed", "{body}");
    }
}

pub async fn deep_json_is_malformed(stack: Arc<Stack>) {
    let body = format!("{{\"name\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(post_bytes(&stack, "application/json", body.as_bytes()).await.problem(400), "malformed");
}

pub async fn invalid_utf8_is_refused(stack: Arc<Stack>) {
    // The gateway gives functions text, with U+FFFD for what is none.
    let answer = post_bytes(&stack, "application/json", b"{\"name\": \"Vend\xff\xfeas\"}").await;
    is_field(answer, "name", "control_characters");
    assert_eq!(post_bytes(&stack, "application/json", b"\xff\xfe").await.problem(400), "malformed");
    let company = company(&stack).await;
    assert_eq!(company.admin.api.get("/users?search=%ff").await.problem(422), "invalid");
}

pub async fn another_content_type_is_refused(stack: Arc<Stack>) {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonx",
        "application/json; charset=utf-16",
        "application/json; charset=latin1",
        "application/json; profile=x",
        "application/json, application/json",
    ] {
        let answer = post_bytes(&stack, content_type, b"{\"name\": \"Vendas\"}").await;
        assert_eq!(answer.problem(415), "unsupported_media_type", "{content_type}");
    }
    let company = company(&stack).await;
    for (content_type, body) in [
        ("Application/JSON; charset=utf-8", b"{\"name\": \"Vendas\"}"),
        ("application/json;charset=\"UTF-8\"", b"{\"name\": \"Compra\"}"),
    ] {
        company.admin.api.send(Method::POST, "/departments", Some((content_type, body.to_vec()))).await.expect(201);
    }
}

pub async fn a_body_over_one_megabyte_is_refused(stack: Arc<Stack>) {
    for length in [1_000_001, 3_000_000] {
        let body = format!("{{\"name\": \"{}\"}}", "a".repeat(length));
        assert_eq!(post_bytes(&stack, "application/json", body.as_bytes()).await.problem(413), "payload_too_large");
    }
    let enormous = post_bytes(&stack, "application/json", &vec![b' '; 11 * 1024 * 1024]).await;
    assert_eq!(enormous.status, 413);
    // Just within: judged by its fields.
    let body = format!("{{\"name\": \"{}\"}}", "a".repeat(999_900));
    is_field(post_bytes(&stack, "application/json", body.as_bytes()).await, "name", "too_long");
}

pub async fn fields_are_refused_by_name(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let before = snapshot::of_company(&stack, company.id).await;
    let cases = [
        (json!({}), "name", "required"),
        (json!({"name": "  "}), "name", "required"),
        (json!({"name": null}), "name", "invalid_type"),
        (json!({"name": 7}), "name", "invalid_type"),
        (json!({"name": "a".repeat(81)}), "name", "too_long"),
        (json!({"name": "Vendas", "surprise": true}), "surprise", "unknown_field"),
        (json!({"name": "Vendas", "id": company.id}), "id", "unknown_field"),
        (json!({"name": "Vendas", "description": "a".repeat(501)}), "description", "too_long"),
        (json!({"name": "Vendas", "member_ids": ["x"]}), "member_ids[0]", "invalid_type"),
        (json!({"name": "Vendas", "member_ids": vec![company.admin.id; 201]}), "member_ids", "too_long"),
        (json!({"name": "Vendas", "member_ids": [company.students[0].id]}), "member_ids[0]", "not_active_staff"),
    ];
    for (body, field, code) in cases {
        is_field(company.admin.api.post("/departments", body).await, field, code);
    }
    assert_eq!(company.admin.api.post("/departments", json!([])).await.problem(422), "invalid");
    assert_eq!(snapshot::of_company(&stack, company.id).await, before);
    // As long as may be, counted in characters and not in bytes.
    company.admin.api.post("/departments", json!({"name": "ã".repeat(80), "description": "é".repeat(500)})).await.expect(201);
}

pub async fn control_characters_are_refused_everywhere(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    for name in ["a\u{0}b", "a\u{1b}[31m", "\u{7}", "a\u{85}"] {
        is_field(api.post("/departments", json!({"name": name})).await, "name", "control_characters");
    }
    is_field(api.post("/departments", json!({"name": "a", "\u{0}": 1})).await, "\u{0}", "control_characters");
    let login = json!({"email": "a@b.example", "password": "a\u{0}bcdefghij"});
    is_field(stack.api().post("/auth/login", login).await, "password", "control_characters");
    for path in ["/users?search=%00", "/conversations?search=a%00b", "/conversations?tag=%1b"] {
        let found = fields(api.get(path).await);
        assert_eq!(found.first().map(|(_, code)| code.as_str()), Some("control_characters"), "{path}");
    }
    assert_eq!(api.get("/conversations/%00").await.status, 404);
    api.post("/departments", json!({"name": "a", "description": "duas\nlinhas\tcom tabulação"})).await.expect(201);
}

pub async fn every_failing_field_is_named(stack: Arc<Stack>) {
    let body = json!({"name": "", "email": "nobody", "password": "short"});
    let found = fields(stack.api().post("/auth/register", body).await);
    let names: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(names, ["email", "name", "password"]);
}

pub async fn every_missing_unknown_and_mistyped_field_is_named(stack: Arc<Stack>) {
    let pairs = |pairs: &[(&str, &str)]| -> Vec<_> {
        pairs.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
    };
    let missing = ["email", "name", "password"].map(|field| (field, "required"));
    assert_eq!(fields(stack.api().post("/auth/register", json!({})).await), pairs(&missing));
    let company = company(&stack).await;
    let api = &company.admin.api;
    let body = json!({"name": 5, "member_ids": ["x", company.admin.id, 7], "zzz": 1});
    let named = [
        ("member_ids[0]", "invalid_type"),
        ("member_ids[2]", "invalid_type"),
        ("name", "invalid_type"),
        ("zzz", "unknown_field"),
    ];
    assert_eq!(fields(api.post("/departments", body).await), pairs(&named));
    let body = json!({"conversation_id": "x", "client_message_id": 5, "kind": "hologram", "voice": "yes",
                      "location": {"latitude": "north", "altitude": 3}});
    let named = [
        ("client_message_id", "invalid_type"),
        ("conversation_id", "invalid_type"),
        ("kind", "unknown_value"),
        ("location.altitude", "unknown_field"),
        ("location.latitude", "invalid_type"),
        ("location.longitude", "required"),
        ("voice", "invalid_type"),
    ];
    let english = api.with_header("accept-language", "en");
    let answer = english.post("/messages", body).await;
    let told = answer.body["errors"].as_array().into_iter().flatten().find(|error| error["field"] == "kind");
    assert!(told.is_some_and(|error| text(&error["message"]).contains("image")), "{}", answer.body);
    assert_eq!(fields(answer), pairs(&named));
}

pub async fn strings_are_trimmed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let made = company.admin.api.post("/departments", json!({"name": " \n Vendas\t ", "description": "   "})).await.expect(201);
    assert_eq!((&made["name"], &made["description"]), (&json!("Vendas"), &Value::Null));
}

pub async fn unknown_query_parameters_are_ignored(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for path in ["/users", "/conversations", "/departments", "/users/online", "/events", "/auth/me"] {
        company.admin.api.get(&format!("{path}?surprise=1&_=2&%5B%5D=x&company={}", uuid::Uuid::nil())).await.expect(200);
    }
}

pub async fn page_sizes_have_bounds(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    let messages = format!("/messages?conversation_id={}&", uuid::Uuid::nil());
    for (path, most) in [("/users?", 100), ("/conversations?", 100), (messages.as_str(), 100), ("/events?", 500)] {
        is_field(api.get(&format!("{path}limit=0")).await, "limit", "too_small");
        is_field(api.get(&format!("{path}limit={}", most + 1)).await, "limit", "too_large");
        for limit in ["-1", "x", "1.5", "99999999999"] {
            let answer = api.get(&format!("{path}limit={limit}")).await;
            assert_eq!(answer.problem(422), "invalid", "{path}limit={limit}");
        }
        let most = api.get(&format!("{path}limit={most}")).await;
        assert!(most.status == 200 || most.status == 404, "{path}: {}", most.body);
    }
    is_field(api.get("/users?page=0").await, "page", "too_small");
}

pub async fn paths_that_name_nothing_are_not_found(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    for path in ["/conversations/1", "/conversations/../users", "/storage/download/x", "/conversations/'%20or%201=1"] {
        assert_eq!(api.get(path).await.status, if path.contains("..") { 200 } else { 404 }, "{path}");
    }
    for path in ["/nothing", "/users/", "/", "/api"] {
        assert_eq!(api.get(path).await.status, 404, "{path}");
    }
    assert_eq!(api.send(Method::DELETE, "/departments", None).await.status, 404);
}

const HOSTILE: [&str; 5] = [
    "'; drop table users; --",
    "\\'; select pg_sleep(5); --",
    "$1 %s {0} ${jndi:ldap://x} <script>alert(1)</script>",
    "x' or '1'='1",
    "%_\\%' union select password_hash from users --",
];

pub async fn sql_comes_back_as_text(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    for hostile in HOSTILE {
        let made = api.post("/departments", json!({"name": hostile, "description": hostile})).await.expect(201);
        assert_eq!((text(&made["name"]), text(&made["description"])), (hostile, hostile));
        let query: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
        let found = api.get(&format!("/users?search={query}")).await.expect(200);
        assert_eq!(found["pagination"]["total"], 0, "{hostile}");
        let found = api.get(&format!("/conversations?search={query}")).await.expect(200);
        assert_eq!(found["data"], json!([]), "{hostile}");
        let login = json!({"email": "a@b.example", "password": hostile});
        assert_eq!(stack.api().post("/auth/login", login).await.problem(401), "credentials_wrong");
    }
    let listed = api.get("/departments").await.expect(200);
    let names: Vec<&str> = listed["data"].as_array().into_iter().flatten().map(|row| text(&row["name"])).collect();
    assert!(HOSTILE.iter().all(|hostile| names.contains(hostile)), "{names:?}");
}

/// Every field of text of every body and query, one by one: whatever is answered, it is not a failure of ours, and nothing is run.
pub async fn sql_in_any_field_is_only_text(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let document = &stack.openapi.document;
    let mut tried = 0;
    for operation in stack.openapi.operations().into_iter().filter(|operation| operation.alias_of.is_none()) {
        let described = &document["paths"][&operation.path][operation.method.to_lowercase()];
        let body = stack.openapi.resolve(&described["requestBody"]["content"]["application/json"]["schema"]);
        let variants = body["oneOf"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        let fields = variants.iter().flat_map(|body| body["properties"].as_object().into_iter().flatten());
        for (field, _) in fields.filter(|(_, schema)| is_text(schema)) {
            let answer = fixture
                .send_changed(&operation.id, |event| {
                    let mut body: Value = serde_json::from_str(text(&event["body"])).unwrap_or_else(|_| json!({}));
                    body[field] = json!(HOSTILE[tried % HOSTILE.len()]);
                    event["body"] = json!(body.to_string());
                })
                .await;
            assert!(answer.status < 500, "{} {field}: {} {}", operation.id, answer.status, answer.body);
            tried += 1;
        }
        let parameters = described["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["in"] == "query" && is_text(&parameter["schema"])) {
            let hostile = HOSTILE[tried % HOSTILE.len()];
            let query =
                url::form_urlencoded::Serializer::new(String::new()).append_pair(text(&parameter["name"]), hostile).finish();
            let answer = fixture.send_changed(&operation.id, |event| event["rawQueryString"] = json!(query)).await;
            assert!(answer.status < 500, "{} {query}: {} {}", operation.id, answer.status, answer.body);
            tried += 1;
        }
    }
    assert!(tried > 40, "only {tried} fields");
    fixture.company.admin.api.get("/auth/me").await.expect(200);
}

fn is_text(schema: &Value) -> bool {
    let kinds = [&schema["type"], &schema["type"][0]];
    kinds.iter().any(|kind| **kind == "string") || schema.get("$ref").is_some() || schema.get("anyOf").is_some()
}

/// What customers write goes through the webhook and the bot, and agents search for it.
pub async fn sql_of_customers_is_only_text(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for hostile in HOSTILE {
        let client = fresh_number();
        company.phone.receive(&client, json!({"text": hostile, "name": hostile})).await;
        let conversation = company.admin.conversation_of(&client).await;
        assert_eq!(text(&conversation["client_name"]), hostile);
        let thread = company.admin.thread(text(&conversation["id"])).await;
        assert!(thread.iter().any(|message| message["body"] == hostile), "{thread:?}");
        let id = text(&conversation["id"]);
        company.admin.api.post(&format!("/conversations/{id}/takeover"), json!({"greeting": hostile})).await.expect(200);
        let sent = json!({"conversation_id": id, "client_message_id": hostile, "kind": "text", "body": hostile});
        assert_eq!(text(&company.admin.api.post("/messages", sent).await.expect(201)["body"]), hostile);
        company.admin.api.post(&format!("/conversations/{id}/close"), json!({"reason": hostile})).await.expect(200);
        let mut socket = company.admin.socket().await;
        for action in ["subscribe", "unsubscribe", "typing"] {
            socket.send(json!({"action": action, "topic": hostile, "state": true})).await;
            socket.of_type("error").await;
        }
        socket.send(json!({"action": "resume", "after": hostile})).await;
        socket.frame("an answer", |frame| frame["type"] == "resync" || frame["type"] == "error").await;
    }
}

/// Wherever a body has fields, a list of their values in order is refused by that place's name, in every route.
pub async fn lists_are_not_taken_for_fields(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let document = &stack.openapi.document;
    let mut tried = 0;
    for operation in stack.openapi.operations().into_iter().filter(|operation| operation.alias_of.is_none()) {
        let described = &document["paths"][&operation.path][operation.method.to_lowercase()];
        let schema = &described["requestBody"]["content"]["application/json"]["schema"];
        let mut sample = Value::Null;
        let mut wrong = Vec::new();
        if !schema.is_object() || stack.openapi.resolve(schema)["properties"].is_null() {
            continue;
        }
        fixture
            .send_changed(&operation.id, |event| {
                sample = serde_json::from_str(text(&event["body"])).unwrap_or_else(|_| json!({}));
                event["body"] = json!("[]");
            })
            .await
            .expect(422);
        lists_for_fields(&stack, schema, &sample, String::new(), &mut wrong);
        for (place, pointer) in wrong {
            let answer = fixture
                .send_changed(&operation.id, |event| {
                    let mut body: Value = serde_json::from_str(text(&event["body"])).unwrap_or_else(|_| json!({}));
                    let fields = body.pointer_mut(&pointer).expect("a place");
                    *fields = fields.as_object().into_iter().flatten().map(|(_, value)| value.clone()).collect();
                    event["body"] = json!(body.to_string());
                })
                .await;
            let named = fields(answer);
            assert!(named.contains(&(place.clone(), "invalid_type".to_owned())), "{} {place}: {named:?}", operation.id);
            tried += 1;
        }
    }
    assert!(tried > 60, "only {tried} places");
}

/// The places in a sample that have fields of their own: by name, and where they are.
fn lists_for_fields(stack: &Stack, schema: &Value, value: &Value, pointer: String, found: &mut Vec<(String, String)>) {
    let schema = stack.openapi.resolve(schema);
    let present = schema["anyOf"].as_array().into_iter().flatten().find(|branch| branch["type"] != "null");
    let schema = present.map_or(schema, |branch| stack.openapi.resolve(branch));
    let Some(properties) = schema["properties"].as_object() else { return };
    let Some(fields) = value.as_object() else { return };
    let name = pointer.split('/').skip(1).fold(String::new(), |name, part| match part.parse::<usize>() {
        Ok(index) => format!("{name}[{index}]"),
        Err(_) if name.is_empty() => part.to_owned(),
        Err(_) => format!("{name}.{part}"),
    });
    found.push((name, pointer.clone()));
    for (field, below) in fields.iter().filter_map(|(field, value)| Some((field, (properties.get(field)?, value)))) {
        let (schema, value) = below;
        lists_for_fields(stack, schema, value, format!("{pointer}/{field}"), found);
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            lists_for_fields(stack, &stack.openapi.resolve(schema)["items"], item, format!("{pointer}/{field}/{index}"), found);
        }
    }
}
