//! POST /leads/import, GET /leads/imports/{id}, POST /leads/imports/{id}/undo, GET /leads/export

use std::{fmt::Write as _, sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    eventually,
};

use super::{change, column, company, did, fresh, lead_with, pipeline, stage};
use crate::cases::{jobs::progress_when, upload};

async fn table(stack: &Stack, company: &Company, content: &[u8]) -> String {
    upload::table(stack, &company.supervisor, "leads.csv", "text/csv", content).await
}

/// Starts an import; answers its id.
pub async fn import(company: &Company, input: Value) -> String {
    text(&company.supervisor.api.post("/leads/import", input).await.expect(202)["id"]).to_owned()
}

/// An import once it has ended.
pub async fn imported(company: &Company, id: &str) -> Value {
    eventually("an import that has ended", || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let import = company.supervisor.api.get(&format!("/leads/imports/{id}")).await.expect(200);
        (text(&import["state"]) != "going").then_some(import)
    })
    .await
}

/// The whole of it: a file, and what came of it.
async fn come_in(stack: &Stack, company: &Company, content: &[u8], mut input: Value) -> Value {
    input["file_id"] = json!(table(stack, company, content).await);
    imported(company, &import(company, input).await).await
}

async fn undo(company: &Company, id: &str) -> Value {
    let job = company.supervisor.api.post(&format!("/leads/imports/{id}/undo"), json!({})).await.expect(202);
    progress_when(company, text(&job["id"]), "done").await;
    company.supervisor.api.get(&format!("/leads/imports/{id}")).await.expect(200)["undo"].clone()
}

fn counts(import: &Value) -> [i64; 4] {
    ["made", "updated", "skipped", "failed"].map(|count| import[count].as_i64().unwrap_or(-1))
}

fn errors(import: &Value) -> Vec<(i64, Option<&str>, &str)> {
    let errors = import["errors"].as_array().expect("errors").iter();
    errors.map(|error| (error["row"].as_i64().unwrap_or(-1), error["column"].as_str(), text(&error["code"]))).collect()
}

async fn found(company: &Company, name: &str) -> Value {
    let list = company.admin.api.get(&format!("/leads?search={name}")).await.expect(200);
    assert_eq!(list["totals"]["count"], 1, "{name}: {list}");
    list["data"][0].clone()
}

async fn count(stack: &Stack, company: &Company) -> i64 {
    let count = "select count(*) from leads where company_id = $1 and deleted_at is null";
    stack.database().await.query_one(count, &[&company.id]).await.expect("a count").get(0)
}

pub async fn a_table_becomes_leads_with_every_wrong_row_named(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let admin = &company.admin;
    let own = json!({"fields": [{"key": "turma", "label": "Turma", "kind": "choice", "options": ["Manhã", "Tarde"]}]});
    admin.api.with_header("if-match", "0").call(Method::PUT, "/lead-fields", Some(own)).await.expect(200);
    let client = admin.api.post("/clients", json!({"name": "Maria", "phones": ["11 98765-4321"]})).await.expect(201);
    let board = pipeline(admin).await;
    lead_with(admin, json!({"name": "Antes"})).await;
    let mut socket = admin.socket().await;
    let closer = text(&admin.api.get("/auth/me").await.expect(200)["email"]).to_uppercase();
    let content = format!(
        "Nome;WhatsApp;E-mail;Empresa;Etapa;Valor;Fechamento previsto;Responsável;Etiquetas;Turma;Obs;Motivo\n\
         Maria da Silva;(11) 98765-4321;Maria@Exemplo.com.br;Colégio Sol;;R$ 1.234,50;31/12/2026;{closer};vip, 2026;manhã;\"Ligar\ncedo\";\n\
         ;;ze@exemplo.com.br;;qualificado;;;;;;;\n\
         =1+1;;;;contacted;4500;;;;;;\n\
         Bia;;bia@exemplo.com.br;;Perdido;;;;;;;Preço\n\
         Caio;;;;Perdido;;;;;;;\n\
         Dani;190;nada;;Fechado;muito;ontem;ninguém;;Noite;;\n\
         ;;;;;10;;;;;;\n"
    );
    let import = come_in(&stack, &company, content.as_bytes(), json!({})).await;
    assert_eq!((text(&import["state"]), counts(&import)), ("done", [4, 0, 0, 3]), "{import}");
    assert_eq!(
        errors(&import),
        [
            (6, None, "missing_fields"),
            (7, Some("WhatsApp"), "invalid_phone"),
            (7, Some("E-mail"), "invalid_email"),
            (7, Some("Etapa"), "unknown_stage"),
            (7, Some("Valor"), "invalid_amount"),
            (7, Some("Fechamento previsto"), "invalid_date"),
            (7, Some("Responsável"), "unknown_person"),
            (7, Some("Turma"), "wrong_custom_value"),
            (8, None, "nothing_known"),
        ]
    );
    assert!(import["errors"].as_array().expect("errors").iter().all(|error| error["message"] != error["message_en"]));
    let maria = found(&company, "Maria").await;
    assert_eq!((&maria["potential_value"], &maria["expected_close"]), (&json!("1234.50"), &json!("2026-12-31")));
    assert_eq!((&maria["client_id"], &maria["closer"]["id"]), (&client["id"], &json!(admin.id)));
    assert_eq!((&maria["tags"], &maria["custom_fields"]), (&json!(["vip", "2026"]), &json!({"turma": "Manhã"})));
    let noted = admin.api.get(&format!("/leads/{}/interactions", text(&maria["id"]))).await.expect(200);
    assert_eq!((&noted["data"][0]["details"], &noted["data"][0]["source"]), (&json!("Ligar\ncedo"), &json!("import")));
    assert_eq!(noted["data"][0]["author_id"], json!(company.supervisor.id));
    let bia = found(&company, "Bia").await;
    assert_eq!((text(&bia["status"]), text(&bia["close_reason"])), ("lost", "Preço"));
    // They stand at the foot, in the order of the file, and are scored as any other.
    assert_eq!(column(admin, &board, &stage(&board, "new")).await, ["Antes", "Maria da Silva"]);
    let by_hand = json!({"name": "Nara", "phone": "11 98765-4399", "email": "nara@exemplo.com.br", "company": "Colégio Sol",
                         "potential_value": "1234.50", "expected_close": "2026-12-31", "closer_id": admin.id});
    let by_hand = lead_with(admin, by_hand).await;
    assert_eq!((&maria["score"], &maria["temperature"]), (&by_hand["score"], &by_hand["temperature"]));
    assert_eq!(maria["is_score_stale"], false);
    let told = socket.of_type("leads.imported").await;
    assert_eq!((&told["data"]["import_id"], &told["data"]["made"]), (&import["id"], &json!(4)));
    company.agents[0].api.get(&format!("/leads/imports/{}", text(&import["id"]))).await.expect(403);
}

pub async fn a_dry_run_of_leads_says_what_would_be_and_writes_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    lead_with(&company.admin, json!({"name": "Ana", "phone": "11 98765-4321"})).await;
    let content = "Lead,Fone,Cidade\nAna Maria,11 8765-4321,SP\nBia,11 98765-4322,SP\nBia,11 98765-4322,RJ\nZé,1,\n";
    let input = json!({"dry_run": true, "on_existing": "update"});
    let import = come_in(&stack, &company, content.as_bytes(), input).await;
    assert_eq!((counts(&import), &import["dry_run"]), ([1, 1, 0, 2], &json!(true)));
    assert_eq!(import["mapping"], json!({"Lead": "name", "Fone": "phone"}), "as it was guessed");
    assert_eq!(errors(&import), [(4, None, "repeated_row"), (5, Some("Fone"), "invalid_phone")]);
    let undo = format!("/leads/imports/{}/undo", text(&import["id"]));
    assert_eq!(text(&company.supervisor.api.post(&undo, json!({})).await.expect(409)["code"]), "nothing_to_undo");
    assert_eq!((count(&stack, &company).await, &found(&company, "Ana").await["version"]), (1, &json!(1)));
}

pub async fn what_columns_are_is_remembered(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let of = |name: &str| format!("Coluna A;Coluna B\n{name};{name}@exemplo.com.br\n");
    let nothing = come_in(&stack, &company, of("Ana").as_bytes(), json!({})).await;
    assert_eq!((text(&nothing["state"]), text(&nothing["problem"]["code"])), ("failed", "no_name"));
    let mapping = json!({"Coluna A": "name", "Coluna B": "email"});
    let said = come_in(&stack, &company, of("Ana").as_bytes(), json!({"mapping": mapping})).await;
    assert_eq!(counts(&said), [1, 0, 0, 0]);
    let again = come_in(&stack, &company, of("Bia").as_bytes(), json!({})).await;
    assert_eq!((counts(&again), &again["mapping"]), ([1, 0, 0, 0], &mapping));
    assert_eq!(found(&company, "bia").await["email"], "bia@exemplo.com.br");
}

pub async fn leads_who_are_there_stay_change_or_come_once_more(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let admin = &company.admin;
    let ana = lead_with(admin, json!({"name": "Ana", "phone": "11 98765-4321", "tags": ["vip"], "crm_id": "A-1"})).await;
    for _ in 0..2 {
        lead_with(admin, json!({"name": "Gêmea", "email": "gemea@exemplo.com.br"})).await;
    }
    let content = "Nome;Telefone;E-mail;Etiquetas;ID do CRM;Etapa\n\
                   Ana Maria;1187654321;ana@exemplo.com.br;VIP2;;Proposta\n\
                   Gê;;gemea@exemplo.com.br;;;\n\
                   Outra;11 98765-4377;;;A-1;\n\
                   Nova;11 98765-4388;;;N-1;\n";
    let skipped = come_in(&stack, &company, content.as_bytes(), json!({})).await;
    assert_eq!(counts(&skipped), [1, 0, 3, 0], "{skipped}");
    assert_eq!(fresh(admin, &ana).await["name"], "Ana");
    let updated = come_in(&stack, &company, content.as_bytes(), json!({"on_existing": "update"})).await;
    assert_eq!((counts(&updated), errors(&updated)), ([0, 1, 1, 2], vec![(3, None, "two_leads"), (4, None, "repeated_row")]));
    let now = fresh(admin, &ana).await;
    assert_eq!(
        (text(&now["name"]), text(&now["email"]), &now["tags"]),
        ("Ana Maria", "ana@exemplo.com.br", &json!(["vip", "VIP2"]))
    );
    assert_eq!((text(&now["stage"]["key"]), text(&now["crm_id"])), ("new", "A-1"), "a stage is of new ones");
    let made = come_in(&stack, &company, content.as_bytes(), json!({"on_existing": "create"})).await;
    assert_eq!((counts(&made), errors(&made)), ([2, 0, 0, 2], vec![(4, None, "crm_id_taken"), (5, None, "crm_id_taken")]));
    // Undone, what it changed is as it was.
    let undone = undo(&company, text(&updated["id"])).await;
    assert_eq!((&undone["restored"], &undone["kept"]), (&json!(1), &json!(0)));
    let now = fresh(admin, &ana).await;
    assert_eq!((text(&now["name"]), &now["email"], &now["tags"]), ("Ana", &Value::Null, &json!(["vip"])));
}

pub async fn an_import_of_leads_that_is_undone_leaves_what_people_use(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let admin = &company.admin;
    let board = pipeline(admin).await;
    let mut content = String::from("Nome;E-mail;ID do CRM;Obs\n");
    for number in 0..7 {
        writeln!(content, "Lead{number};lead{number}@exemplo.com.br;C-{number};nota").expect("a line");
    }
    let import = come_in(&stack, &company, content.as_bytes(), json!({})).await;
    assert_eq!(counts(&import), [7, 0, 0, 0]);
    let mut leads = Vec::new();
    for number in 0..7 {
        leads.push(found(&company, &format!("Lead{number}")).await);
    }
    change(admin, &leads[0], json!({"company": "Escola"})).await.expect(200);
    did(admin, &leads[1], json!({"type": "call", "summary": "Falei", "result": "contacted"})).await;
    super::mov(
        admin,
        &leads[2],
        json!({"stage_id": stage(&board, "contacted"), "expected_stage_id": stage(&board, "new"), "version": leads[2]["version"]}),
    )
    .await
    .expect(200);
    admin.api.post("/tasks", json!({"title": "Ligar", "kind": "call", "lead_id": leads[3]["id"]})).await.expect(201);
    // Their scores and places are nobody's work.
    stack.control("POST", "/fire/RescoreStaleLeads", None).await;
    let undone = undo(&company, text(&import["id"])).await;
    assert_eq!((&undone["removed"], &undone["restored"], &undone["kept"]), (&json!(3), &json!(0), &json!(4)));
    assert_eq!(count(&stack, &company).await, 4);
    let again = company.supervisor.api.post(&format!("/leads/imports/{}/undo", text(&import["id"])), json!({})).await;
    assert_eq!(text(&again.expect(409)["code"]), "import_undone");
    // What they were called is free again.
    let back = come_in(&stack, &company, content.as_bytes(), json!({})).await;
    assert_eq!(counts(&back), [3, 0, 4, 0], "{back}");
}

pub async fn what_is_wrong_with_an_import_of_leads_is_named(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let file = table(&stack, &company, b"Nome\nAna\n").await;
    let theirs = text(&pipeline(&other.admin).await["id"]).to_owned();
    let api = &company.supervisor.api;
    let lost = stage(&pipeline(&company.admin).await, "lost");
    for (input, code) in [
        (json!({"file_id": file, "pipeline_id": theirs}), "unknown_stage"),
        (json!({"file_id": file, "stage_id": lost}), "unknown_stage"),
        (json!({"file_id": file, "closer_id": other.admin.id}), "invalid"),
        (json!({"file_id": file, "mapping": {"Nome": "cpf"}}), "invalid"),
        (json!({"file_id": file, "on_existing": "replace"}), "invalid"),
        (json!({"file_id": uuid::Uuid::now_v7()}), "invalid"),
    ] {
        assert_eq!(api.post("/leads/import", input.clone()).await.problem(422), code, "{input}");
    }
    assert_eq!(other.supervisor.api.post("/leads/import", json!({"file_id": file})).await.problem(422), "invalid");
    company.agents[0].api.post("/leads/import", json!({"file_id": file})).await.expect(403);
    for (content, mapping, code) in [
        ("Nome;Nome\nAna;Bia\n".to_owned(), json!({"Nome": "name", "Nome 2": "name"}), "repeated_column"),
        ("Nome\nAna\n".to_owned(), json!({"Nome": "name", "Sobrenome": "company"}), "unknown_column"),
        ("Nome\nAna\n".to_owned(), json!({"Nome": "custom_fields.turma"}), "unknown_custom_field"),
        (format!("{}\n", "a;".repeat(10_000)), Value::Null, "too_many_columns"),
    ] {
        let import = come_in(&stack, &company, content.as_bytes(), json!({"mapping": mapping})).await;
        assert_eq!((text(&import["state"]), text(&import["problem"]["code"])), ("failed", code));
    }
    assert_eq!(count(&stack, &company).await, 0);
}

pub async fn whoever_gets_many_leads_at_once_is_told_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (admin, one, other) = (&company.admin, &company.agents[0], &company.agents[1]);
    let told = async |person: &Person| -> Vec<String> {
        let list = person.api.get("/notifications?limit=50").await.expect(200);
        let rows = list["data"].as_array().into_iter().flatten().filter(|row| row["type"] == "lead_assigned");
        rows.map(|row| text(&row["title"]).to_owned()).collect()
    };
    let content: String = (0..450).fold("Nome\n".to_owned(), |all, number| format!("{all}Lead {number:03}\n"));
    let import = come_in(&stack, &company, content.as_bytes(), json!({"closer_id": one.id})).await;
    assert_eq!(counts(&import), [450, 0, 0, 0], "{import}");
    assert_eq!(told(one).await, ["450 leads são com você"]);
    // Some of them, all of them, and a task with them.
    let list = admin.api.get("/leads?limit=3").await.expect(200);
    let ids: Vec<&Value> = list["data"].as_array().into_iter().flatten().map(|lead| &lead["id"]).collect();
    admin.api.post("/leads/bulk", json!({"lead_ids": ids, "closer_id": other.id})).await.expect(200);
    assert_eq!(told(other).await, ["3 leads são com você"]);
    let task = json!({"title": "Ligar", "kind": "call", "lead_id": ids[0], "owner_id": one.id});
    let task = admin.api.post("/tasks", task).await.expect(201);
    let mut socket = other.socket().await;
    let transfer = json!({"from_id": one.id, "to_id": other.id});
    one.api.post("/leads/transfer", transfer.clone()).await.expect(403);
    admin.api.post(&format!("/admin/deactivate-user/{}", one.id), json!({})).await.expect(200);
    let done = company.supervisor.api.post("/leads/transfer", transfer.clone()).await.expect(200);
    assert_eq!(done, json!({"leads": 447, "tasks": 1, "left": 0}));
    assert_eq!(socket.of_type("leads.transferred").await["data"]["leads"], 447);
    let mut titles = told(other).await;
    titles.sort();
    assert_eq!(titles, ["3 leads são com você", "447 leads são com você"]);
    let tasks = other.api.get("/tasks").await.expect(200);
    assert_eq!(tasks["data"][0]["id"], task["id"]);
    assert_eq!(other.api.get("/leads?closer=me").await.expect(200)["totals"]["count"], 450);
    let again = company.supervisor.api.post("/leads/transfer", transfer).await.expect(200);
    assert_eq!(again, json!({"leads": 0, "tasks": 0, "left": 0}));
    for to in [one.id, uuid::Uuid::now_v7()] {
        let to = json!({"from_id": other.id, "to_id": to});
        assert_eq!(company.supervisor.api.post("/leads/transfer", to).await.problem(422), "invalid");
    }
    assert_eq!(other.api.get("/leads?closer=me").await.expect(200)["totals"]["count"], 450, "nothing has moved");
}

/// Two files of the same people, people who make the same leads and people who move cards of the same column.
pub async fn imports_staff_and_movers_meet_in_one_column(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let admin = &company.admin;
    let board = pipeline(admin).await;
    let (new, contacted) = (stage(&board, "new"), stage(&board, "contacted"));
    let mut content = String::from("Nome;E-mail;ID do CRM\n");
    for number in 0..600 {
        writeln!(content, "Lead {number};lead.{number}@exemplo.com.br;C-{number}").expect("a line");
    }
    let (one, other) = join(table(&stack, &company, content.as_bytes()), table(&stack, &company, content.as_bytes())).await;
    let cards: Vec<Value> = join_all((0..8).map(|number| lead_with(admin, json!({"name": format!("Carta {number}")})))).await;
    let imports = join_all([one, other].map(|file| import(&company, json!({"file_id": file, "on_existing": "update"}))));
    let people: Vec<&Person> = company.agents.iter().chain([admin, &company.supervisor]).collect();
    let moves = join_all(cards.iter().enumerate().map(|(number, card)| {
        let (person, new, contacted) = (people[number % people.len()], &new, &contacted);
        async move {
            for turn in 0..10 {
                let (from, to) = if turn % 2 == 0 { (new, contacted) } else { (contacted, new) };
                let now = fresh(person, card).await;
                let to = json!({"stage_id": to, "expected_stage_id": from, "version": now["version"]});
                super::mov(person, card, to).await.expect(200);
            }
        }
    }));
    let made = join_all((0..40).map(|number| {
        let person = people[number % people.len()];
        let lead = json!({"name": "À mão", "email": format!("lead.{}@exemplo.com.br", number * 15), "crm_id": format!("C-{}", number * 15)});
        async move { person.api.post("/leads", lead).await }
    }));
    let (imports, (_, made)) = join(imports, join(moves, made)).await;
    assert!(made.iter().all(|answer| matches!(answer.status, 201 | 409)), "{made:?}");
    for id in imports {
        let import = imported(&company, &id).await;
        let [made, updated, skipped, failed] = counts(&import);
        assert_eq!((text(&import["state"]), made + updated + skipped, failed), ("done", 600, 0), "{import}");
    }
    assert_eq!(count(&stack, &company).await, 608, "each once");
    let twice = "select count(*) from (select from leads where company_id = $1 and deleted_at is null group by crm_id having crm_id is not null and count(*) > 1) x";
    assert_eq!(stack.database().await.query_one(twice, &[&company.id]).await.expect("a count").get::<_, i64>(0), 0);
}

pub async fn thousands_of_leads_come_in_go_out_and_go_again(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut content = String::from("Nome;E-mail;Telefone;Etapa;Valor\n");
    for number in 0..5_000 {
        let stage = ["Novo", "Contatado", "Proposta"][number % 3];
        writeln!(content, "Lead {number};lead.{number}@exemplo.com.br;+55119{:08};{stage};{number},50", 20_000_000 + number)
            .expect("a line");
    }
    let import = come_in(&stack, &company, content.as_bytes(), json!({})).await;
    assert_eq!(counts(&import), [5_000, 0, 0, 0], "{}", import["errors"]);
    let totals = company.admin.api.get("/leads").await.expect(200)["totals"].clone();
    assert_eq!(totals, json!({"count": 5_000, "potential_value": "12500000.00"}));
    let csv = String::from_utf8(export(&stack, &company.supervisor, "").await).expect("UTF-8");
    assert_eq!(csv.lines().count(), 5_001);
    let undone = undo(&company, text(&import["id"])).await;
    assert_eq!(undone["removed"], 5_000);
    assert_eq!(count(&stack, &company).await, 0);
}

/// The bytes of an export.
async fn export(stack: &Stack, person: &Person, query: &str) -> Vec<u8> {
    let answer = person.api.get(&format!("/leads/export{query}")).await;
    assert_eq!(answer.status, 302, "{}", answer.body);
    let file = stack.http.get(answer.header("location").expect("where it is")).send().await.expect("the bucket answers");
    assert_eq!(file.status(), 200);
    file.bytes().await.expect("bytes").to_vec()
}

pub async fn leads_that_are_exported_come_in_again(stack: Arc<Stack>) {
    let wanted = || Wanted { students: 0, ..Wanted::default() };
    let (company, other) = (stack.company(wanted()).await, stack.company(wanted()).await);
    let board = pipeline(&company.admin).await;
    let leads = [
        json!({"name": "=SOMA(1;2)", "phone": "11 98765-4321", "tags": ["a, b", "2026"], "stage_id": stage(&board, "proposal")}),
        json!({"name": "Ana \"Bia\"; filha", "email": "ana@exemplo.com.br", "potential_value": "1234.50", "expected_close": "2026-12-31"}),
        json!({"name": "João", "company": "-1", "origin": "@instagram", "crm_id": "X-9"}),
    ];
    for lead in &leads {
        lead_with(&company.admin, lead.clone()).await;
    }
    let csv = String::from_utf8(export(&stack, &company.supervisor, "").await).expect("UTF-8");
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0].starts_with("\u{feff}Nome;Telefone;E-mail;Empresa;Cargo;Origem;Campanha;Closer;SDR;Etapa;Valor potencial;"),
        "{csv}"
    );
    assert!(lines[1].starts_with("João;;;'-1;;'@instagram;;;;Novo;"), "the newest first: {csv}");
    assert!(lines[3].starts_with("\"'=SOMA(1;2)\";'+5511987654321;"), "{csv}");
    let few = String::from_utf8(export(&stack, &company.supervisor, "?separator=,&value_min=1000").await).expect("UTF-8");
    assert_eq!(few.lines().count(), 2, "{few}");
    company.agents[0].api.get("/leads/export").await.expect(403);
    assert_eq!(company.supervisor.api.get("/leads/export?format=pdf").await.problem(422), "invalid");
    let xlsx = export(&stack, &company.supervisor, "?format=xlsx").await;
    let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    // The other CRM's name is one lead's.
    for (name, mime_type, bytes, wanted) in
        [("leads.csv", "text/csv", csv.into_bytes(), [3, 0, 0, 0]), ("leads.xlsx", sheet, xlsx, [2, 0, 0, 1])]
    {
        let file = upload::table(&stack, &other.supervisor, name, mime_type, &bytes).await;
        let done = imported(&other, &import(&other, json!({"file_id": file, "on_existing": "create"})).await).await;
        assert_eq!(counts(&done), wanted, "{name}: {done}");
    }
    let shown = |list: &Value| -> Vec<Value> {
        let rows = list["data"].as_array().expect("rows").iter();
        let kept = ["name", "phone", "email", "company", "origin", "tags", "potential_value", "expected_close", "crm_id"];
        let mut rows: Vec<Value> = rows.map(|row| json!([kept.map(|key| row[key].clone()), row["stage"]["key"]])).collect();
        rows.sort_by_key(ToString::to_string);
        rows.dedup();
        rows
    };
    let (here, there) = (company.admin.api.get("/leads").await.expect(200), other.admin.api.get("/leads").await.expect(200));
    assert_eq!(shown(&here), shown(&there));
}
