//! GET /clients/export

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::Person};

use super::imported::{import, imported};
use crate::cases::upload;

/// The bytes of an export.
pub async fn export(stack: &Stack, person: &Person, query: &str) -> Vec<u8> {
    let answer = person.api.get(&format!("/clients/export{query}")).await;
    assert_eq!(answer.status, 302, "{}", answer.body);
    let file = stack.http.get(answer.header("location").expect("where it is")).send().await.expect("the bucket answers");
    assert_eq!(file.status(), 200);
    file.bytes().await.expect("bytes").to_vec()
}

pub async fn what_is_exported_is_what_the_list_shows_and_comes_in_again(stack: Arc<Stack>) {
    let wanted = || Wanted { students: 0, ..Wanted::default() };
    let (company, other) = (stack.company(wanted()).await, stack.company(wanted()).await);
    let fields = json!({"fields": [
        {"key": "turma", "label": "Turma", "kind": "text"}, {"key": "ativo", "label": "Ativo", "kind": "boolean"},
    ]});
    for company in [&company, &other] {
        let api = company.admin.api.with_header("if-match", "0");
        api.call(Method::PUT, "/client-fields", Some(fields.clone())).await.expect(200);
    }
    let clients = [
        json!({"name": "=SOMA(1;2)", "phones": ["11 98765-4321", "+54 9 11 2345-6789"], "tags": ["vip", "2026"]}),
        json!({"name": "Ana \"Bia\"; filha", "email": "ana@exemplo.com.br", "tags": ["a, b", "x|y;z", "\"aspas\""],
               "custom_fields": {"turma": "-1", "ativo": false}}),
        json!({"name": "João", "document": "529.982.247-25", "custom_fields": {"turma": "'=1", "ativo": true}}),
    ];
    for client in &clients {
        company.admin.api.post("/clients", client.clone()).await.expect(201);
    }
    let csv = String::from_utf8(export(&stack, &company.supervisor, "").await).expect("UTF-8");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "\u{feff}Nome;Telefones;E-mail;CPF/CNPJ;Etiquetas;Aceita marketing;Criado em;Turma;Ativo");
    assert!(lines[1].starts_with("João;;;52998224725;;;"), "the newest first: {csv}");
    assert!(lines[2].starts_with("\"Ana \"\"Bia\"\"; filha\";;ana@exemplo.com.br;"), "{csv}");
    assert!(lines[2].ends_with(";'-1;não"), "{csv}");
    assert!(lines[3].starts_with("\"'=SOMA(1;2)\";\"'+541123456789, +5511987654321\";;;\"vip, 2026\";"), "{csv}");
    let commas = String::from_utf8(export(&stack, &company.supervisor, "?separator=,&search=joao").await).expect("UTF-8");
    assert_eq!(commas.lines().count(), 2);
    assert!(commas.lines().nth(1).is_some_and(|line| line.starts_with("João,,,52998224725,")), "{commas}");
    assert_eq!(String::from_utf8(export(&stack, &company.supervisor, "?tag=vip").await).expect("UTF-8").lines().count(), 2);
    assert_eq!(company.supervisor.api.get("/clients/export?format=pdf").await.problem(422), "invalid");
    assert_eq!(company.supervisor.api.get("/clients/export?separator=|").await.problem(422), "invalid");

    // What went out comes in.
    let xlsx = export(&stack, &company.supervisor, "?format=xlsx").await;
    let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    for (name, mime_type, bytes) in [("clientes.csv", "text/csv", csv.into_bytes()), ("clientes.xlsx", sheet, xlsx)] {
        let file = upload::table(&stack, &other.admin, name, mime_type, &bytes).await;
        let done = imported(&other, import(&other, json!({"file_id": file})).await).await;
        assert_eq!((&done["failed"], &done["errors"]), (&json!(0), &json!([])), "{name}");
        assert_eq!(done["made"].as_i64().unwrap_or_default() + done["skipped"].as_i64().unwrap_or_default(), 3, "{done}");
    }
    let shown = |list: &Value| -> Vec<Value> {
        let rows = list["data"].as_array().expect("rows").iter();
        let mut rows: Vec<Value> = rows
            .map(|row| json!([row["name"], row["document"], row["email"], row["phones"], row["tags"], row["custom_fields"]]))
            .collect();
        rows.sort_by_key(ToString::to_string);
        rows
    };
    let (here, there) = (company.admin.api.get("/clients").await.expect(200), other.admin.api.get("/clients").await.expect(200));
    assert_eq!(shown(&here), shown(&there));
}

pub async fn an_export_is_for_supervisors_and_noted(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    company.agents[0].api.get("/clients/export").await.expect(403);
    company.students[0].api.get("/clients/export").await.expect(403);
    export(&stack, &company.supervisor, "").await;
    let noted = "select count(*) from access_log where company_id = $1 and action = 'export_clients' and user_id = $2";
    let row = stack.database().await.query_one(noted, &[&company.id, &company.supervisor.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1);
    let left = "select count(*) from object_removals where company_id = $1 and storage_key like '%/export-%'";
    let row = stack.database().await.query_one(left, &[&company.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1, "the file goes by itself");
}
