//! POST /clients/import, GET /clients/imports, GET /clients/imports/{id}, POST /clients/imports/{id}/undo

use std::{fmt::Write as _, sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually, sandbox::fresh_number};
use uuid::Uuid;

use crate::cases::{jobs::progress_when, upload};

/// Sent and leased: what comes after it in the company's lane waits, and no sweep sends it again.
const JOB_AHEAD: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, leased_until)
    values (gen_random_uuid(), $1, 'x', 'export', 'clients:' || $1::uuid, '{}', now(), now() + interval '1 day')";

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

async fn table(stack: &Stack, company: &Company, content: &[u8]) -> String {
    upload::table(stack, &company.supervisor, "clientes.csv", "text/csv", content).await
}

/// Starts an import; answers its id.
pub async fn import(company: &Company, input: Value) -> String {
    text(&company.supervisor.api.post("/clients/import", input).await.expect(202)["id"]).to_owned()
}

/// An import once it has ended.
pub async fn imported(company: &Company, id: String) -> Value {
    eventually("an import that has ended", || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let import = company.supervisor.api.get(&format!("/clients/imports/{id}")).await.expect(200);
        (text(&import["state"]) != "going").then_some(import)
    })
    .await
}

/// The whole of it: a file, and what came of it.
async fn come_in(stack: &Stack, company: &Company, content: &[u8], mut input: Value) -> Value {
    input["file_id"] = json!(table(stack, company, content).await);
    imported(company, import(company, input).await).await
}

async fn undo(company: &Company, id: &str) -> Value {
    let job = company.supervisor.api.post(&format!("/clients/imports/{id}/undo"), json!({})).await.expect(202);
    progress_when(company, text(&job["id"]), "done").await;
    company.supervisor.api.get(&format!("/clients/imports/{id}")).await.expect(200)
}

fn counts(import: &Value) -> [i64; 4] {
    ["made", "updated", "skipped", "failed"].map(|count| import[count].as_i64().unwrap_or(-1))
}

fn errors(import: &Value) -> Vec<(i64, Option<&str>, &str)> {
    let errors = import["errors"].as_array().expect("errors").iter();
    errors.map(|error| (error["row"].as_i64().unwrap_or(-1), error["column"].as_str(), text(&error["code"]))).collect()
}

async fn clients(company: &Company) -> Vec<Value> {
    company.supervisor.api.get("/clients?order=asc&limit=100").await.expect(200)["data"].as_array().expect("rows").clone()
}

async fn count(stack: &Stack, company: &Company) -> i64 {
    let count = "select count(*) from clients where company_id = $1 and merged_into_id is null";
    stack.database().await.query_one(count, &[&company.id]).await.expect("a count").get(0)
}

pub async fn a_table_becomes_clients_with_every_wrong_row_named(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let fields = json!({"fields": [{"key": "nascimento", "label": "Nascimento", "kind": "date"}]});
    let api = company.admin.api.with_header("if-match", "0");
    api.call(Method::PUT, "/client-fields", Some(fields)).await.expect(200);
    let mut socket = company.agents[0].socket().await;
    let content = format!(
        "Nome;Celular;Fixo;E-mail;CPF;Etiquetas;Nascimento;Obs\n\
         Maria da Silva;(11) 98765-4321;;Maria@Exemplo.com.br;529.982.247-25;vip, 2026;28/11/1990;nada\n\
         \n\
         ;11 3456-7890;;;;;;\n\
         =1+1;;;formula@exemplo.com.br;;;;\n\
         {};;;;;;;\n\
         Zé;190;;nada;111.111.111-11;;ontem;\n\
         Ana;;;;;;;;sobra\n\
         ;;;;;vip;;\n\
         \"Bia\nSouza\";;;bia@exemplo.com.br\n",
        "a".repeat(1_000_000)
    );
    let mapping = json!({
        "Nome": "name", "Celular": "phone", "Fixo": "phone", "E-mail": "email", "CPF": "document", "Etiquetas": "tags",
        "Nascimento": "custom_fields.nascimento",
    });
    let import = come_in(&stack, &company, content.as_bytes(), json!({"mapping": mapping})).await;
    assert_eq!((text(&import["state"]), counts(&import)), ("done", [4, 0, 0, 4]));
    assert_eq!(
        errors(&import),
        [
            (6, Some("Nome"), "too_long"),
            (7, Some("Celular"), "invalid_phone"),
            (7, Some("E-mail"), "invalid_email"),
            (7, Some("CPF"), "invalid_document"),
            (7, Some("Nascimento"), "wrong_custom_value"),
            (8, None, "wrong_columns"),
            (9, None, "nothing_known"),
        ]
    );
    assert!(import["errors"].as_array().expect("errors").iter().all(|error| error["message"] != error["message_en"]));
    let clients = clients(&company).await;
    let names: Vec<&str> = clients.iter().map(|client| text(&client["name"])).collect();
    assert_eq!(names, ["Maria da Silva", "551134567890", "=1+1", "Bia Souza"]);
    let maria = &clients[0];
    assert_eq!((text(&maria["document"]), text(&maria["email"])), ("52998224725", "maria@exemplo.com.br"));
    assert_eq!((&maria["phones"], &maria["tags"]), (&json!(["5511987654321"]), &json!(["vip", "2026"])));
    assert_eq!((&maria["custom_fields"], text(&clients[1]["name_source"])), (&json!({"nascimento": "1990-11-28"}), "number"));
    let told = socket.of_type("clients.imported").await;
    assert_eq!((&told["data"]["import_id"], &told["data"]["made"]), (&import["id"], &json!(4)));
    company.agents[0].api.get(&format!("/clients/imports/{}", text(&import["id"]))).await.expect(403);
    company.agents[0].api.post("/clients/import", json!({"file_id": Uuid::now_v7()})).await.expect(403);
}

pub async fn a_dry_run_says_what_would_be_and_writes_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company.admin.api.post("/clients", json!({"name": "Ana", "phones": ["11 98765-4321"]})).await.expect(201);
    let content = "Cliente,Fone,Cidade\nAna Maria,11 8765-4321,SP\nBia,11 98765-4322,SP\nBia,11 98765-4322,RJ\nZé,1,\n";
    let input = json!({"dry_run": true, "on_existing": "update"});
    let import = come_in(&stack, &company, content.as_bytes(), input).await;
    assert_eq!((counts(&import), &import["dry_run"]), ([1, 1, 0, 2], &json!(true)));
    assert_eq!(import["mapping"], json!({"Cliente": "name", "Fone": "phone"}), "as it was guessed");
    assert_eq!(import["headers"], json!(["Cliente", "Fone", "Cidade"]));
    assert_eq!(errors(&import), [(4, None, "repeated_row"), (5, Some("Fone"), "invalid_phone")]);
    assert_eq!(import["undoable_until"], Value::Null);
    let undo = format!("/clients/imports/{}/undo", text(&import["id"]));
    assert_eq!(text(&company.supervisor.api.post(&undo, json!({})).await.expect(409)["code"]), "nothing_to_undo");
    let clients = clients(&company).await;
    assert_eq!((clients.len(), text(&clients[0]["name"]), &clients[0]["version"]), (1, "Ana", &json!(1)));
}

pub async fn any_writing_of_a_file_is_the_same_clients(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let of = |number: usize| {
        format!(
            "Nome;E-mail;Etiquetas\r\nJoão Conceição;joao.{number}@exemplo.com.br;às vezes\r\n\"Zé; filho\";ze.{number}@exemplo.com.br;\r\n"
        )
    };
    let wide = |text: &str, is_big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit: u16| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let files = [
        of(0).into_bytes(),
        [b"\xef\xbb\xbf", of(1).as_bytes()].concat(),
        of(2).chars().map(|sign| u8::try_from(sign as u32).expect("a sign of Windows")).collect(),
        of(3).replace(';', "\t").replace("Zé\t", "Zé;").into_bytes(),
        wide(&of(4), false),
        wide(&of(5), true),
    ];
    for (number, content) in files.into_iter().enumerate() {
        // Tables in UTF-16 are no text to who checks uploads.
        let announcement = json!({"name": "clientes.csv", "mime_type": "text/csv", "size": content.len()});
        let announced = company.supervisor.api.post("/storage/signed-upload-url", announcement).await.expect(201);
        assert!(upload::post_form(&stack, &announced["upload"], &content).await < 300);
        let file = text(&announced["file"]["id"]).to_owned();
        let completed = company.supervisor.api.post(&format!("/storage/{file}/complete"), json!({})).await;
        assert_eq!(completed.status, 200, "{number}: {}", completed.body);
        let import = imported(&company, import(&company, json!({"file_id": file})).await).await;
        assert_eq!((counts(&import), errors(&import)), ([2, 0, 0, 0], vec![]), "{number}");
        let clients = clients(&company).await;
        let names: Vec<&str> = clients[2 * number..].iter().map(|client| text(&client["name"])).collect();
        assert_eq!(
            (names, &clients[2 * number]["tags"]),
            (vec!["João Conceição", "Zé; filho"], &json!(["às vezes"])),
            "{number}"
        );
    }
}

pub async fn clients_who_are_there_stay_or_change(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let made = json!({
        "name": "Ana", "phones": ["11 98765-4321"], "email": "velha@exemplo.com.br", "tags": ["vip"], "metadata": {"a": 1},
    });
    let ana = company.admin.api.post("/clients", made).await.expect(201);
    let content =
        "Nome;Telefone;E-mail;Etiquetas\nAna Maria;1187654321/11 3456-7890;nova@exemplo.com.br;VIP, novo\nZé;11 98765-4399;;\n";
    let skipped = come_in(&stack, &company, content.as_bytes(), json!({})).await;
    assert_eq!(counts(&skipped), [1, 0, 1, 0]);
    let path = format!("/clients/{}", text(&ana["id"]));
    assert_eq!(company.admin.api.get(&path).await.expect(200)["name"], "Ana");
    let updated = come_in(&stack, &company, content.as_bytes(), json!({"on_existing": "update"})).await;
    assert_eq!(counts(&updated), [0, 1, 1, 0], "who is as the row says stays");
    let now = company.admin.api.get(&path).await.expect(200);
    assert_eq!((text(&now["name"]), text(&now["email"]), &now["version"]), ("Ana Maria", "nova@exemplo.com.br", &json!(2)));
    assert_eq!((&now["phones"], &now["tags"]), (&json!(["5511987654321", "551134567890"]), &json!(["vip", "novo"])));
    assert_eq!(now["metadata"], json!({"a": 1}));
    // The old address is free, the new one is hers.
    company.admin.api.post("/clients", json!({"name": "Bia", "email": "velha@exemplo.com.br"})).await.expect(201);
    company.admin.api.post("/clients", json!({"name": "Bia", "email": "nova@exemplo.com.br"})).await.expect(409);
    // Undone, she is as she was but for the address, which is somebody's by now.
    let undone = undo(&company, text(&updated["id"])).await;
    assert_eq!((&undone["undo"]["restored"], &undone["undo"]["kept"]), (&json!(0), &json!(1)));
    let now = company.admin.api.get(&path).await.expect(200);
    assert_eq!((text(&now["name"]), text(&now["email"])), ("Ana", "nova@exemplo.com.br"));
    assert_eq!((&now["phones"], &now["tags"]), (&json!(["5511987654321"]), &json!(["vip"])));
}

pub async fn what_is_of_two_clients_or_twice_in_the_file_is_named(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let ana = json!({"name": "Ana", "phones": ["11 98765-4321"], "email": "ana@exemplo.com.br", "document": "529.982.247-25"});
    company.admin.api.post("/clients", ana).await.expect(201);
    company.admin.api.post("/clients", json!({"name": "Bia", "phones": ["11 98765-4322"]})).await.expect(201);
    let content = "Nome;Telefone;E-mail;CPF\n\
                   Quem;11 98765-4322;ana@exemplo.com.br;\n\
                   Quem;11 98765-4322;;529.982.247-25\n\
                   Ana A;11 98765-4321;;\n\
                   Ana B;;ana@exemplo.com.br;\n\
                   Zé;11 98765-4333;;\n\
                   Zé Dois;11 8765-4333;;\n";
    let import = come_in(&stack, &company, content.as_bytes(), json!({"on_existing": "update"})).await;
    assert_eq!(
        errors(&import),
        [(2, None, "two_clients"), (3, None, "repeated_row"), (5, None, "repeated_row"), (7, None, "repeated_row")]
    );
    assert_eq!(counts(&import), [1, 1, 0, 4]);
    let clients = clients(&company).await;
    let names: Vec<&str> = clients.iter().map(|client| text(&client["name"])).collect();
    assert_eq!(names, ["Ana A", "Bia", "Zé"]);
}

pub async fn a_file_that_cannot_be_read_says_why(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let refused = async |file: String, code: &str| {
        let answer = company.supervisor.api.post("/clients/import", json!({"file_id": file})).await.expect(422);
        assert_eq!(text(&answer["errors"][0]["code"]), code, "{answer}");
    };
    refused(Uuid::now_v7().to_string(), "unknown_file").await;
    refused(upload::announce_and_upload(&stack, &company.supervisor).await, "unknown_file").await;
    refused(upload::ready_file(&stack, &company.supervisor).await, "not_a_table").await;
    let file = table(&stack, &company, b"Nome\nAna\n").await;
    for (field, value) in [("mapping", json!({"Nome": "alma"})), ("on_existing", json!("join")), ("dry_run", json!("x"))] {
        company.supervisor.api.post("/clients/import", json!({"file_id": file, field: value})).await.expect(422);
    }
    let wide = vec!["c"; 101].join(";");
    let long = format!("Nome\n{}", "Ana\n".repeat(100_001));
    for (content, mapping, problem) in [
        (" \n \n", Value::Null, "empty"),
        (wide.as_str(), Value::Null, "too_many_columns"),
        (long.as_str(), Value::Null, "too_many_rows"),
        ("Cor;Tamanho\nazul;9\n", Value::Null, "no_name"),
        ("Nome;Nome\nAna;Bia\n", json!({"Nome": "name", "Nome 2": "name"}), "repeated_column"),
        ("Nome\nAna\n", json!({"Nome": "name", "Fone": "phone"}), "unknown_column"),
        ("Nome\nAna\n", json!({"Nome": "custom_fields.nada"}), "unknown_custom_field"),
    ] {
        let input = if mapping.is_null() { json!({}) } else { json!({"mapping": mapping}) };
        let import = come_in(&stack, &company, content.as_bytes(), input).await;
        assert_eq!((text(&import["state"]), text(&import["problem"]["code"])), ("failed", problem));
        assert_eq!(counts(&import), [0; 4]);
    }
    assert_eq!(count(&stack, &company).await, 0);
}

pub async fn an_import_that_is_undone_leaves_what_people_use(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let old = json!({"name": "Velha", "email": "velha@exemplo.com.br", "tags": ["a"]});
    let old = company.admin.api.post("/clients", old).await.expect(201);
    let number = fresh_number();
    let content = format!(
        "Nome;Telefone;E-mail;Etiquetas\nEscreve;+{number};;b\nMuda;;muda@exemplo.com.br;b\nAnotada;;nota@exemplo.com.br;b\n\
         Some;;some@exemplo.com.br;b\nSome;;;b\nNova;11 3456-7890;velha@exemplo.com.br;b\n"
    );
    let import = come_in(&stack, &company, content.as_bytes(), json!({"on_existing": "update"})).await;
    assert_eq!(counts(&import), [5, 1, 0, 0]);
    company.phone.receive_text(&number, "Bom dia").await;
    company.admin.conversation_id_of(&number).await;
    let all = clients(&company).await;
    let named = |name: &str| all.iter().find(|client| client["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let change = company.admin.api.with_header("if-match", "1");
    let path = format!("/clients/{}", text(&named("Muda")["id"]));
    change.call(Method::PUT, &path, Some(json!({"name": "Mudou"}))).await.expect(200);
    let note = json!({"client_id": named("Anotada")["id"], "text": "Ligar"});
    company.admin.api.post("/notes", note).await.expect(201);
    let undone = undo(&company, text(&import["id"])).await;
    let told = ["removed", "restored", "kept"].map(|count| undone["undo"][count].as_i64().unwrap_or(-1));
    assert_eq!(told, [2, 1, 3]);
    assert!(undone["undo"]["undone_at"].is_string() && undone["undoable_until"].is_null(), "{undone}");
    let left = clients(&company).await;
    let names: Vec<&str> = left.iter().map(|client| text(&client["name"])).collect();
    assert_eq!(names, ["Velha", "Escreve", "Mudou", "Anotada"]);
    assert_eq!((&left[0]["phones"], &left[0]["tags"], &left[0]["email"]), (&json!([]), &json!(["a"]), &old["email"]));
    // What is gone may come in again.
    let again = come_in(&stack, &company, b"Nome;E-mail\nVolta;some@exemplo.com.br\nFixo;fixo@exemplo.com.br\n", json!({})).await;
    assert_eq!(counts(&again), [2, 0, 0, 0]);
}

/// By whoever imports; gone with the client, unless somebody has made it theirs.
/// Of two who became one, the second address was theirs before an import made it the one that is shown.
pub async fn an_address_that_was_there_before_stays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (phone, number) = (fresh_number(), Uuid::new_v4().simple());
    let (first, second) = (format!("um.{number}@example.com"), format!("dois.{number}@example.com"));
    let make = async |body: Value| text(&company.supervisor.api.post("/clients", body).await.expect(201)["id"]).to_owned();
    let stays = make(json!({"name": "Ana", "phones": [phone], "email": first})).await;
    let goes = make(json!({"name": "Ana", "email": second})).await;
    company.supervisor.api.post(&format!("/clients/{stays}/merge"), json!({"client_id": goes})).await.expect(201);
    let path = format!("/clients/{stays}");
    let addresses = async || {
        let client = company.supervisor.api.get(&path).await.expect(200);
        let identities = client["identities"].as_array().cloned().unwrap_or_default();
        let mut emails: Vec<String> = identities
            .iter()
            .filter(|identity| identity["kind"] == "email")
            .map(|identity| text(&identity["value"]).to_owned())
            .collect();
        emails.sort();
        (text(&client["email"]).to_owned(), emails)
    };
    let both = vec![second.clone(), first.clone()];
    assert_eq!(addresses().await, (first.clone(), both.clone()));
    let content = format!("Nome;Telefone;E-mail\nAna;{phone};{second}\n");
    let import = come_in(&stack, &company, content.as_bytes(), json!({"on_existing": "update"})).await;
    assert_eq!((counts(&import), addresses().await.0), ([0, 1, 0, 0], second), "{import}");
    undo(&company, text(&import["id"])).await;
    assert_eq!(addresses().await, (first, both));
}

pub async fn what_is_noted_comes_with_new_clients_and_goes_with_them(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company.admin.api.post("/clients", json!({"name": "Velha", "email": "velha@exemplo.com.br"})).await.expect(201);
    let longest = "é".repeat(4_000);
    let content = format!(
        "Nome;E-mail;Observações\nAna;ana@exemplo.com.br;\"Prefere manhã.\n- não ligar\"\nBia;bia@exemplo.com.br;{longest}\n\
         Caio;caio@exemplo.com.br;Muda\nDora;dora@exemplo.com.br;Some\nEva;eva@exemplo.com.br;\nVelha;velha@exemplo.com.br;De novo\n\
         Longa;longa@exemplo.com.br;{longest}a\n;;Sozinha\n"
    );
    let dry = come_in(&stack, &company, content.as_bytes(), json!({"dry_run": true, "on_existing": "update"})).await;
    assert_eq!((counts(&dry), notes(&company).await.len()), ([5, 0, 1, 2], 0));
    let import = come_in(&stack, &company, content.as_bytes(), json!({"on_existing": "update"})).await;
    assert_eq!((counts(&import), text(&import["mapping"]["Observações"])), ([5, 0, 1, 2], "notes"));
    assert_eq!(errors(&import), [(8, Some("Observações"), "too_long"), (9, None, "nothing_known")]);
    let all = clients(&company).await;
    let id_of = |name: &str| text(&all.iter().find(|client| client["name"] == name).expect("the client")["id"]).to_owned();
    let noted = notes(&company).await;
    let mut texts: Vec<&str> = noted.iter().map(|note| text(&note["text"])).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["Muda", "Prefere manhã.\n- não ligar", "Some", longest.as_str()]);
    assert!(noted.iter().all(|note| text(&note["author_id"]) == company.supervisor.id.to_string()), "{noted:?}");
    let of_ana = company.agents[0].api.get(&format!("/clients/{}/notes", id_of("Ana"))).await.expect(200);
    assert_eq!(of_ana["data"][0]["text"], "Prefere manhã.\n- não ligar");
    // Of one the note is changed, of another deleted, a third gets a further one.
    let note_of = |name: &str| noted.iter().find(|note| text(&note["client_id"]) == id_of(name)).expect("a note")["id"].clone();
    let change = company.supervisor.api.with_header("if-match", "1");
    let path = format!("/notes/{}", text(&note_of("Caio")));
    change.call(Method::PUT, &path, Some(json!({"text": "Mudou"}))).await.expect(200);
    company.admin.api.call(Method::DELETE, &format!("/notes/{}", text(&note_of("Dora"))), None).await.expect(204);
    let further = json!({"client_id": id_of("Bia"), "text": "Mais uma"});
    company.agents[0].api.post("/notes", further).await.expect(201);
    let undone = undo(&company, text(&import["id"])).await;
    assert_eq!((&undone["undo"]["removed"], &undone["undo"]["kept"]), (&json!(2), &json!(3)));
    let left = clients(&company).await;
    let names: Vec<&str> = left.iter().map(|client| text(&client["name"])).collect();
    assert_eq!(names, ["Velha", "Bia", "Caio", "Dora"]);
    let left = notes(&company).await;
    let mut texts: Vec<&str> = left.iter().map(|note| text(&note["text"])).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["Mais uma", "Mudou", longest.as_str()]);
}

async fn notes(company: &Company) -> Vec<Value> {
    company.supervisor.api.get("/notes?limit=100").await.expect(200)["data"].as_array().expect("rows").clone()
}

/// Two paths cross: `/clients/imports/{id}` and `/clients/{id}/history`.
pub async fn imports_are_listed_and_each_is_where_its_path_says(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (one, other) = (b"Nome\nAna\n".as_slice(), b"Cor\nazul\n".as_slice());
    let made = come_in(&stack, &company, one, json!({})).await;
    let failed = come_in(&stack, &company, other, json!({"dry_run": true})).await;
    let ids = async |query: &str| {
        let page = company.supervisor.api.get(&format!("/clients/imports{query}")).await.expect(200);
        let rows = page["data"].as_array().expect("rows").iter();
        rows.map(|row| text(&row["id"]).to_owned()).collect::<Vec<_>>()
    };
    let [made_id, failed_id] = [&made, &failed].map(|import| text(&import["id"]).to_owned());
    assert_eq!(ids("").await, [failed_id.clone(), made_id.clone()]);
    assert_eq!((ids("?dry_run=true").await, ids("?dry_run=false").await), (vec![failed_id.clone()], vec![made_id.clone()]));
    // A row of the list is the import without what its rows say.
    let page = company.supervisor.api.get("/clients/imports").await.expect(200);
    for (row, import) in [(0, &failed), (1, &made)] {
        let mut import = import.clone();
        import.as_object_mut().expect("fields").retain(|key, _| !["headers", "mapping", "errors"].contains(&key.as_str()));
        assert_eq!(page["data"][row], import);
    }
    company.agents[0].api.get("/clients/imports").await.expect(403);
    let client = text(&clients(&company).await[0]["id"]).to_owned();
    for prefix in ["", "/api", "/api/v1"] {
        let api = &company.supervisor.api;
        for path in ["clients/imports", "client-imports"] {
            assert_eq!(api.get(&format!("{prefix}/{path}/{made_id}")).await.expect(200)["id"], made["id"]);
        }
        assert!(api.get(&format!("{prefix}/clients/{client}/history")).await.expect(200)["data"].is_array());
        assert_eq!(api.get(&format!("{prefix}/clients/{client}")).await.expect(200)["name"], "Ana");
        assert!(api.get(&format!("{prefix}/clients/imports/history")).await.status < 500);
    }
    // The other way round there is nothing.
    company.supervisor.api.get(&format!("/clients/imports/{client}")).await.expect(404);
    company.supervisor.api.get(&format!("/clients/{made_id}/history")).await.expect(404);
    let undone = company.supervisor.api.post(&format!("/client-imports/{made_id}/undo"), json!({})).await.expect(202);
    progress_when(&company, text(&undone["id"]), "done").await;
    let stranger = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    assert_eq!(stranger.supervisor.api.get("/clients/imports").await.expect(200)["data"], json!([]));
}

pub async fn an_import_is_undone_once_and_not_while_it_goes(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let file = table(&stack, &company, b"Nome;E-mail\nAna;ana@exemplo.com.br\n").await;
    let database = stack.database().await;
    // It waits behind one that is leased.
    database.execute(JOB_AHEAD, &[&company.id]).await.expect("a job ahead of it");
    let started = join_all((0..5).map(|_| company.supervisor.api.post("/clients/import", json!({"file_id": file})))).await;
    let ids: Vec<String> = started.into_iter().map(|answer| text(&answer.expect(202)["id"]).to_owned()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one of a file goes on at a time: {ids:?}");
    let path = format!("/clients/imports/{}/undo", ids[0]);
    assert_eq!(text(&company.supervisor.api.post(&path, json!({})).await.expect(409)["code"]), "import_going");
    database.execute("delete from jobs where company_id = $1 and kind = 'x'", &[&company.id]).await.expect("out of the way");
    stack.control("POST", "/queues/ExportQueue/give-back", None).await;
    assert_eq!(counts(&imported(&company, ids[0].clone()).await), [1, 0, 0, 0]);
    let undone = join_all((0..5).map(|_| company.supervisor.api.post(&path, json!({})))).await;
    let (won, lost): (Vec<_>, Vec<_>) = undone.into_iter().partition(|answer| answer.status == 202);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|answer| answer.problem(409) == "import_undone"));
    let old = come_in(&stack, &company, b"Nome;E-mail\nBia;bia@exemplo.com.br\n", json!({})).await;
    let aged = "update client_imports set finished_at = now() - interval '30 days 1 minute' where company_id = $1";
    database.execute(aged, &[&company.id]).await.expect("it is old");
    let path = format!("/clients/imports/{}/undo", text(&old["id"]));
    assert_eq!(text(&company.supervisor.api.post(&path, json!({})).await.expect(409)["code"]), "import_too_old");
}

/// One that failed for good before its first row, was undone, and whose job is done again.
pub async fn an_import_that_was_undone_goes_no_further(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let file = table(&stack, &company, b"Nome;E-mail\nAna;ana@exemplo.com.br\n").await;
    let database = stack.database().await;
    database.execute(JOB_AHEAD, &[&company.id]).await.expect("a job ahead of it");
    let id = import(&company, json!({"file_id": file})).await;
    for fail in [
        "update jobs set failed = true, attempts = 10, finished_at = clock_timestamp() where company_id = $1 and kind = 'import_clients'",
        "update job_progress set state = 'failed', finished_at = now() where company_id = $1",
        "update client_imports set state = 'failed', finished_at = now() where company_id = $1",
        "delete from jobs where company_id = $1 and kind = 'x'",
    ] {
        assert_eq!(database.execute(fail, &[&company.id]).await.expect("it has failed"), 1, "{fail}");
    }
    company.supervisor.api.post(&format!("/clients/imports/{id}/undo"), json!({})).await.expect(202);
    eventually("the import undone", || async {
        let import = company.supervisor.api.get(&format!("/clients/imports/{id}")).await.expect(200);
        import["undo"]["undone_at"].is_string().then_some(())
    })
    .await;
    company.admin.api.post(&format!("/jobs/{id}/retry"), json!({})).await.expect(200);
    eventually("the job ended", || async {
        let job = company.supervisor.api.get(&format!("/jobs/{id}")).await.expect(200);
        (job["state"] == "cancelled").then_some(())
    })
    .await;
    let made = "select count(*) from clients where company_id = $1";
    assert_eq!(database.query_one(made, &[&company.id]).await.expect("a count").get::<_, i64>(0), 0);
}

fn many(rows: usize) -> String {
    let mut content = String::from("Nome;E-mail\n");
    for number in 0..rows {
        writeln!(content, "Cliente {number};cliente.{number}@exemplo.com.br").expect("a line");
    }
    content
}

pub async fn an_import_that_is_cancelled_stops_and_may_be_undone(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let file = table(&stack, &company, many(20_000).as_bytes()).await;
    let id = import(&company, json!({"file_id": file})).await;
    eventually("a first page", || async {
        let done = "select from job_progress where company_id = $1 and done > 0";
        stack.database().await.query_opt(done, &[&company.id]).await.expect("an answer")
    })
    .await;
    company.supervisor.api.post(&format!("/jobs/{id}/cancel"), json!({})).await.expect(200);
    let import = imported(&company, id.clone()).await;
    let made = counts(&import)[0];
    assert_eq!((text(&import["state"]), count(&stack, &company).await), ("cancelled", made));
    assert!(made > 0 && made < 20_000, "{made}");
    let undone = undo(&company, &id).await;
    assert_eq!((&undone["undo"]["removed"], count(&stack, &company).await), (&json!(made), 0));
}

pub async fn imports_webhooks_and_staff_who_meet_one_number_make_one_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let numbers: Vec<String> = (0..30).map(|_| fresh_number()).collect();
    let file = |name: &str| {
        let mut content = String::from("Nome;Telefone\n");
        for number in &numbers {
            writeln!(content, "{name};+{number}").expect("a line");
        }
        content
    };
    let (one, other) = join(table(&stack, &company, file("A").as_bytes()), table(&stack, &company, file("B").as_bytes())).await;
    let imports = join_all([one, other].map(|file| import(&company, json!({"file_id": file, "on_existing": "update"}))));
    let writes = join_all(numbers.iter().map(|number| company.phone.receive_text(number, "Oi")));
    let made = join_all(
        numbers.iter().map(|number| company.admin.api.post("/clients", json!({"name": "C", "phones": [format!("+{number}")]}))),
    );
    let (imports, (_, made)) = join(imports, join(writes, made)).await;
    assert!(made.iter().all(|answer| matches!(answer.status, 201 | 409)), "{made:?}");
    for id in imports {
        let import = imported(&company, id).await;
        let [made, updated, skipped, failed] = counts(&import);
        assert_eq!((made + updated + skipped, failed), (30, 0), "{import}");
    }
    for number in &numbers {
        company.admin.conversation_id_of(number).await;
    }
    assert_eq!(count(&stack, &company).await, 30);
}

/// All of them are looked at; what is written is the same for a few thousand, and takes the time of its indexes.
pub async fn a_hundred_thousand_rows_are_read_and_thousands_come_in_and_go_again(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let ended = async |id: &str| {
        let done = "select from job_progress where id = $1::text::uuid and state = 'done'";
        for _ in 0..1_200 {
            if stack.database().await.query_opt(done, &[&id]).await.expect("an answer").is_some() {
                return company.supervisor.api.get(&format!("/jobs/{id}")).await.expect(200);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it takes too long");
    };
    let file = table(&stack, &company, many(100_000).as_bytes()).await;
    let id = import(&company, json!({"file_id": file, "dry_run": true})).await;
    let read = ended(&id).await;
    assert_eq!((&read["done"], &read["total"], &read["failed"]), (&json!(100_000), &json!(100_000), &json!(0)));
    assert_eq!((&read["result"]["made"], count(&stack, &company).await), (&json!(100_000), 0));
    let file = table(&stack, &company, many(5_000).as_bytes()).await;
    let id = import(&company, json!({"file_id": file})).await;
    ended(&id).await;
    let import = company.supervisor.api.get(&format!("/clients/imports/{id}")).await.expect(200);
    assert_eq!((counts(&import), count(&stack, &company).await), ([5_000, 0, 0, 0], 5_000));
    let undo = company.supervisor.api.post(&format!("/clients/imports/{id}/undo"), json!({})).await.expect(202);
    assert_eq!(ended(text(&undo["id"])).await["result"], json!({"removed": 5_000, "restored": 0, "kept": 0}));
    assert_eq!(count(&stack, &company).await, 0);
}
