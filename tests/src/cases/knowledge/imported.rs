//! POST /knowledge/import

use std::{
    io::{Cursor, Write as _},
    sync::Arc,
};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, company::text};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{change, company, titles, write};
use crate::cases::{jobs::progress_when, upload};

pub async fn import(company: &Company, input: Value) -> Value {
    company.supervisor.api.post("/knowledge/import", input).await.expect(202)
}

/// What came of a file.
async fn come_in(stack: &Stack, company: &Company, (name, kind, content): (&str, &str, &[u8]), mut input: Value) -> Value {
    input["file_id"] = json!(upload::table(stack, &company.supervisor, name, kind, content).await);
    let job = import(company, input).await;
    progress_when(company, text(&job["id"]), "done").await["result"].clone()
}

fn counts(result: &Value) -> [i64; 4] {
    ["made", "updated", "skipped", "failed"].map(|count| result[count].as_i64().unwrap_or(-1))
}

async fn articles(company: &Company) -> Vec<Value> {
    company.supervisor.api.get("/knowledge?order=asc&limit=100").await.expect(200)["data"].as_array().expect("rows").clone()
}

pub async fn a_table_becomes_articles_with_every_wrong_row_named(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut socket = company.agents[0].socket().await;
    let content = format!(
        "Título;Resposta;Perguntas;Tags;Público\n\
         Vencimento;Dia 10.;Quando vence? | Que dia é;financeiro, boleto;bot\n\
         ;Sem título;;;\n\
         Sem resposta;;;;\n\
         {};x;;;\n\
         vencimento;De novo;;;\n\
         Público errado;x;;;todos\n\
         Certificado;\"Duas\nlinhas\";;;\n\
         Sobra;x;;;;;\n",
        "a".repeat(201)
    );
    let table = ("perguntas.csv", "text/csv", content.as_bytes());
    let dry = come_in(&stack, &company, table, json!({"dry_run": true})).await;
    assert_eq!(counts(&dry), [2, 0, 0, 6]);
    assert!(articles(&company).await.is_empty(), "nothing is written");
    let result = come_in(&stack, &company, table, json!({"tags": ["importado"]})).await;
    assert_eq!(counts(&result), [2, 0, 0, 6]);
    let errors: Vec<(i64, &str)> = result["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| (error["row"].as_i64().unwrap_or(-1), text(&error["code"])))
        .collect();
    let expected = [
        (3, "missing_title"),
        (4, "missing_answer"),
        (5, "too_long"),
        (6, "repeated"),
        (7, "unknown_audience"),
        (9, "wrong_columns"),
    ];
    assert_eq!(errors.iter().map(|(_, code)| *code).collect::<Vec<_>>(), expected.map(|(_, code)| code), "{errors:?}");
    let articles = articles(&company).await;
    let first = &articles[0];
    assert_eq!((&first["questions"], &first["tags"]), (&json!(["Quando vence?", "Que dia é"]), &json!(["financeiro", "boleto"])));
    assert_eq!(
        (&first["audience"], &first["status"], &first["source"]["kind"]),
        (&json!("bot"), &json!("active"), &json!("file"))
    );
    assert_eq!((&articles[1]["answer"], &articles[1]["tags"]), (&json!("Duas\nlinhas"), &json!(["importado"])));
    let told = socket.of_type("knowledge.imported").await;
    assert_eq!(told["data"]["made"], json!(2));
    assert_eq!(titles(&company.agents[0], "certificado", "").await, ["Certificado"]);
}

/// A workbook of one sheet, as programs write it: texts stand once beside it, what is empty is left out.
fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
        <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
        <Default Extension="xml" ContentType="application/xml"/>
        <Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
    const DOCUMENT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
        <Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const WORKBOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Perguntas" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    const PARTS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
        <Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
        <Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let mut texts: Vec<String> = Vec::new();
    let mut sheet: Vec<String> = Vec::new();
    for (row, cells) in rows.iter().enumerate() {
        let number = row + 1;
        let mut line = Vec::new();
        for (cell, column) in cells.iter().zip('A'..).filter(|(cell, _)| !cell.is_empty()) {
            line.push(format!("<c r=\"{column}{number}\" t=\"s\"><v>{}</v></c>", texts.len()));
            texts.push(format!("<si><t xml:space=\"preserve\">{cell}</t></si>"));
        }
        sheet.push(format!("<row r=\"{number}\">{}</row>", line.concat()));
    }
    let sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{}</sheetData></worksheet>", sheet.concat());
    let texts = format!("<sst xmlns=\"{MAIN}\">{}</sst>", texts.concat());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", DOCUMENT),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", PARTS),
        ("xl/worksheets/sheet1.xml", &sheet),
        ("xl/sharedStrings.xml", &texts),
    ] {
        archive.start_file(name, SimpleFileOptions::default()).expect("a name");
        archive.write_all(content.as_bytes()).expect("room");
    }
    archive.finish().expect("an archive").into_inner()
}

pub async fn a_workbook_becomes_articles_as_a_table_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let content = workbook(&[
        &["Pergunta", "Resposta", "Variações", "Etiquetas", "Público"],
        &["Vencimento", "Dia 10.", "Quando vence? | Que dia é", "financeiro", "bot"],
        &["", "Sem título"],
        &[],
        &["Certificado", "Duas\nlinhas"],
        &["vencimento", "De novo"],
    ]);
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let result = come_in(&stack, &company, ("perguntas.xlsx", kind, &content), json!({})).await;
    assert_eq!(counts(&result), [2, 0, 0, 2], "{result}");
    let errors: Vec<(&Value, &str)> =
        result["errors"].as_array().expect("errors").iter().map(|error| (&error["row"], text(&error["code"]))).collect();
    assert_eq!(errors, [(&json!(3), "missing_title"), (&json!(6), "repeated")]);
    let articles = articles(&company).await;
    let first = &articles[0];
    assert_eq!((text(&first["title"]), text(&first["answer"]), text(&first["audience"])), ("Vencimento", "Dia 10.", "bot"));
    assert_eq!((&first["questions"], &first["tags"]), (&json!(["Quando vence?", "Que dia é"]), &json!(["financeiro"])));
    assert_eq!((&articles[1]["answer"], &articles[1]["source"]["name"]), (&json!("Duas\nlinhas"), &json!("perguntas.xlsx")));
    assert_eq!(titles(&company.agents[0], "certificado", "").await, ["Certificado"]);
}

pub async fn a_markdown_text_becomes_articles_by_its_headings(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let content = "# Perguntas\n\n## Vencimento\nDia **10**.\n\n- boleto\n- Pix\n\n## Vazio\n\n## Estorno\nEm 10 dias.\n";
    let result =
        come_in(&stack, &company, ("perguntas.txt", "text/plain", content.as_bytes()), json!({"audience": "agents"})).await;
    assert_eq!(counts(&result), [2, 0, 0, 0], "{result}");
    let articles = articles(&company).await;
    assert_eq!((&articles[0]["title"], &articles[0]["answer"]), (&json!("Vencimento"), &json!("Dia **10**.\n\n- boleto\n- Pix")));
    assert_eq!((&articles[1]["audience"], &articles[1]["source"]["name"]), (&json!("agents"), &json!("perguntas.txt")));
}

/// A PDF that shows these lines.
fn pdf(lines: &[&str]) -> Vec<u8> {
    let shown = lines.iter().map(|line| format!("({line}) Tj 0 -14 Td\n")).collect::<Vec<_>>().concat();
    let content = format!("BT /F1 12 Tf 72 720 Td\n{shown}ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(pdf.len());
        pdf.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", number + 1).as_bytes());
    }
    let table = pdf.len();
    let rows = places.iter().map(|place| format!("{place:010} 00000 n \n")).collect::<Vec<_>>().concat();
    let end = format!("xref\n0 6\n0000000000 65535 f \n{rows}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n");
    pdf.extend_from_slice(end.as_bytes());
    pdf
}

pub async fn a_pdf_becomes_drafts_by_its_questions(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let content = pdf(&["Regulamento da escola", "Quando vence a mensalidade?", "Todo dia 10.", "Tem Pix?", "Sim, no portal."]);
    let result = come_in(&stack, &company, ("regulamento.pdf", "application/pdf", &content), json!({})).await;
    let articles = articles(&company).await;
    assert_eq!(counts(&result), [3, 0, 0, 0], "{result} {articles:?}");
    assert_eq!((&articles[1]["title"], &articles[1]["answer"]), (&json!("Quando vence a mensalidade?"), &json!("Todo dia 10.")));
    assert!(articles.iter().all(|article| article["status"] == "draft"), "somebody reads them first");
}

/// A server of one page; answers its address.
async fn server(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(&answer).await;
            let _ = socket.shutdown().await;
        }
    });
    format!("http://{address}/perguntas")
}

fn page(kind: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

pub async fn a_page_becomes_drafts_and_nobody_calls_what_is_inside(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let html = "<title>Ajuda</title><nav><a>In&iacute;cio</a></nav><h2>Quando vence?</h2><p>Dia&nbsp;10.</p><script>x()</script><h2>Pix</h2>Sim.";
    let url = server(page("text/html; charset=utf-8", html)).await;
    let job = import(&company, json!({"url": url})).await;
    let result = progress_when(&company, text(&job["id"]), "done").await["result"].clone();
    assert_eq!(counts(&result), [2, 0, 0, 0], "{result}");
    let articles = articles(&company).await;
    assert_eq!((&articles[0]["title"], &articles[0]["answer"]), (&json!("Quando vence?"), &json!("Dia 10.")));
    assert_eq!((&articles[0]["status"], &articles[0]["source"]["url"]), (&json!("draft"), &json!(url)));
    assert_eq!(articles[0]["source"]["name"], "Ajuda");
    let leads = server(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            .to_owned(),
    );
    let huge = server(page("text/html", &"<p>a</p>".repeat(400_000)));
    let picture = server(page("image/png", "x"));
    let gone = server("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned());
    for (url, code) in [
        (leads.await, "not_public"),
        (huge.await, "too_large"),
        (picture.await, "not_a_page"),
        (gone.await, "unreachable"),
        (server(page("text/html", "<script>x</script>")).await, "empty"),
        ("http://127.0.0.1:9/nada".to_owned(), "unreachable"),
    ] {
        let job = import(&company, json!({"url": url})).await;
        let result = progress_when(&company, text(&job["id"]), "done").await["result"].clone();
        assert_eq!((text(&result["problem"]["code"]), counts(&result)), (code, [0; 4]), "{url}");
    }
    for (url, code) in [
        ("http://10.0.0.1/", "not_public"),
        ("https://169.254.169.254/latest/meta-data", "not_public"),
        ("ftp://exemplo.com", "invalid_address"),
        ("https://ana:senha@exemplo.com/", "invalid_address"),
        ("nada", "invalid_address"),
    ] {
        let refused = company.supervisor.api.post("/knowledge/import", json!({"url": url})).await.expect(422);
        assert_eq!((&refused["errors"][0]["field"], text(&refused["errors"][0]["code"])), (&json!("url"), code), "{url}");
    }
}

/// Pages say in their headers or of themselves how they are written; who says nothing writes as Windows does, where it is no UTF-8.
pub async fn a_page_is_read_in_its_own_writing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let head = |kind: &str, more: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    let latin = |number: usize| -> Vec<u8> {
        format!("<h1>Ação {number}?</h1><p>Até já – não</p>").chars().map(|sign| u8::try_from(sign).unwrap_or(0x96)).collect()
    };
    let named = [b"<meta charset=windows-1252>".as_slice(), &latin(2)].concat();
    let utf = "<h1>Ação 4?</h1><p>Até já – não</p>".as_bytes();
    for (number, answer) in [
        head("text/html; charset=iso-8859-1", "", &latin(1)),
        head("text/html", "", &named),
        head("text/html", "", &latin(3)),
        head("text/html", "", utf),
    ]
    .into_iter()
    .enumerate()
    {
        let job = import(&company, json!({"url": server(answer).await})).await;
        let result = progress_when(&company, text(&job["id"]), "done").await["result"].clone();
        assert_eq!(counts(&result), [1, 0, 0, 0], "{result}");
        let article = articles(&company).await.pop().expect("an article");
        let expected = (format!("Ação {}?", number + 1), "Até já – não");
        assert_eq!((text(&article["title"]), text(&article["answer"])), (expected.0.as_str(), expected.1));
    }
    // What is packed is no page that anybody reads.
    let packed = head("text/html", "content-encoding: gzip\r\n", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    let job = import(&company, json!({"url": server(packed).await})).await;
    let result = progress_when(&company, text(&job["id"]), "done").await["result"].clone();
    assert_eq!((counts(&result), result["problem"]["code"].is_string()), ([0; 4], true), "{result}");
    assert_eq!(articles(&company).await.len(), 4);
}

pub async fn files_that_are_none_fail_clearly(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let broken =
        [b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n".as_slice(), &b"<< [ ( \xff ".repeat(500), b"%%EOF\n"]
            .concat();
    let no_columns = "Nome;Telefone\nAna;1\n".as_bytes();
    let only_title = "Título\nAna\n".as_bytes();
    for (name, kind, content, code) in [
        ("a.pdf", "application/pdf", &broken[..], "unreadable"),
        ("b.pdf", "application/pdf", tests::desk::PDF, "unreadable"),
        ("a.csv", "text/csv", no_columns, "no_columns"),
        ("b.csv", "text/csv", only_title, "no_columns"),
    ] {
        let result = come_in(&stack, &company, (name, kind, content), json!({})).await;
        let said = text(&result["problem"]["code"]);
        assert!(said == code || kind == "application/pdf" && said == "empty", "{name}: {result}");
        assert_ne!(result["problem"]["message"], result["problem"]["message_en"]);
    }
    let post = |input: Value| company.supervisor.api.post("/knowledge/import", input);
    let errors = |answer: Value| (text(&answer["errors"][0]["field"]).to_owned(), text(&answer["errors"][0]["code"]).to_owned());
    let unknown = errors(post(json!({"file_id": Uuid::now_v7()})).await.expect(422));
    assert_eq!(unknown, ("file_id".to_owned(), "unknown_file".to_owned()));
    post(json!({})).await.expect(422);
    post(json!({"file_id": Uuid::now_v7(), "url": "https://exemplo.com/"})).await.expect(422);
    let picture = upload::table(&stack, &company.supervisor, "a.png", "image/png", tests::desk::PNG).await;
    assert_eq!(errors(post(json!({"file_id": picture})).await.expect(422)).1, "not_readable");
    company.agents[0].api.post("/knowledge/import", json!({"url": "https://exemplo.com/"})).await.expect(403);
    assert!(articles(&company).await.is_empty());
}

pub async fn what_is_there_is_left_or_changed_as_it_was_asked(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let made =
        write(&company, json!({"title": "Vencimento", "answer": "Dia 5.", "tags": ["antigo"], "questions": ["Quando?"]})).await;
    let content = "titulo,resposta\nVENCIMENTO,Dia 10.\nNovo,Texto\n";
    let table = ("a.csv", "text/csv", content.as_bytes());
    assert_eq!(counts(&come_in(&stack, &company, table, json!({})).await), [1, 0, 1, 0]);
    assert_eq!(counts(&come_in(&stack, &company, table, json!({"on_existing": "update"})).await), [0, 1, 1, 0]);
    assert_eq!(counts(&come_in(&stack, &company, table, json!({"on_existing": "update"})).await), [0, 0, 2, 0]);
    let now = company.supervisor.api.get(&format!("/knowledge/{}", text(&made["id"]))).await.expect(200);
    assert_eq!((&now["answer"], &now["tags"], &now["version"]), (&json!("Dia 10."), &json!(["antigo"]), &json!(2)));
    assert_eq!(articles(&company).await.len(), 2);
    change(&company.supervisor, &made["id"], None, json!({"revision": 1})).await.expect(200);
}

async fn undo(company: &Company, id: &Value) -> Value {
    let path = format!("/knowledge/imports/{}/undo", text(id));
    let job = company.supervisor.api.post(&path, json!({})).await.expect(202);
    progress_when(company, text(&job["id"]), "done").await
}

/// Of this company's file, once it has come in.
async fn imported(stack: &Stack, company: &Company, content: &str, mut input: Value) -> Value {
    input["file_id"] = json!(upload::table(stack, &company.supervisor, "a.csv", "text/csv", content.as_bytes()).await);
    let id = import(company, input).await["id"].clone();
    progress_when(company, text(&id), "done").await;
    id
}

pub async fn an_import_that_is_undone_leaves_what_people_have_changed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let old = write(&company, json!({"title": "Velho", "answer": "Antes.", "tags": ["a"]})).await;
    let touched = write(&company, json!({"title": "Tocado", "answer": "Antes."})).await;
    let content = "titulo,resposta\nVelho,Depois.\nTocado,Depois.\nNovo,Texto\nMudado,Texto\nSumido,Texto\n";
    let id = imported(&stack, &company, content, json!({"on_existing": "update"})).await;
    let all = articles(&company).await;
    let named = |title: &str| &all.iter().find(|article| article["title"] == title).expect("an article")["id"];
    for article in [&touched["id"], named("Mudado")] {
        change(&company.supervisor, article, None, json!({"tags": ["nosso"]})).await.expect(200);
    }
    let gone = format!("/knowledge/manage/{}", text(named("Sumido")));
    company.supervisor.api.call(Method::DELETE, &gone, None).await.expect(204);
    let mut socket = company.agents[0].socket().await;
    let undone = undo(&company, &id).await;
    assert_eq!(undone["result"], json!({"removed": 1, "restored": 1, "kept": 3}));
    assert_eq!((&undone["done"], &undone["failed"], &undone["total"]), (&json!(5), &json!(3), &json!(5)));
    let told = socket.of_type("knowledge.imported").await;
    assert_eq!((&told["data"]["job_id"], &told["data"]["removed"], &told["data"]["restored"]), (&id, &json!(1), &json!(1)));
    let left = articles(&company).await;
    let told: Vec<(&str, &str)> = left.iter().map(|article| (text(&article["title"]), text(&article["answer"]))).collect();
    assert_eq!(told, [("Velho", "Antes."), ("Tocado", "Depois."), ("Mudado", "Texto")]);
    assert_eq!((&left[0]["id"], &left[0]["version"], &left[0]["restored_from"]), (&old["id"], &json!(3), &json!(1)));
    assert_eq!(titles(&company.supervisor, "novo", "").await, [""; 0]);
    // What is gone may come in again.
    imported(&stack, &company, "titulo,resposta\nNovo,Outro texto\n", json!({})).await;
    assert_eq!(titles(&company.supervisor, "novo", "").await, ["Novo"]);
}

pub async fn an_import_is_undone_once_and_not_while_it_goes(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let dry = imported(&stack, &company, "titulo,resposta\nNovo,Texto\n", json!({"dry_run": true})).await;
    let api = &company.supervisor.api;
    let path = |id: &Value| format!("/knowledge/imports/{}/undo", text(id));
    assert_eq!(text(&api.post(&path(&dry), json!({})).await.expect(409)["code"]), "nothing_to_undo");
    let database = stack.database().await;
    // It waits behind one that is leased.
    let ahead = "
        insert into jobs (id, company_id, kind, queue, lane, payload, leased_until)
        values (gen_random_uuid(), $1, 'x', 'knowledge', 'knowledge:' || $1::uuid, '{}', now() + interval '1 day')";
    database.execute(ahead, &[&company.id]).await.expect("a job ahead of it");
    let file = upload::table(&stack, &company.supervisor, "b.csv", "text/csv", b"titulo,resposta\nOutro,Texto\n").await;
    let id = import(&company, json!({"file_id": file})).await["id"].clone();
    let refused = api.post(&path(&id), json!({})).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("import_going", &id));
    database.execute("delete from jobs where company_id = $1 and kind = 'x'", &[&company.id]).await.expect("out of the way");
    stack.control("POST", "/queues/KnowledgeQueue/give-back", None).await;
    progress_when(&company, text(&id), "done").await;
    company.agents[0].api.post(&path(&id), json!({})).await.expect(403);
    let undo = path(&id);
    let asked = join_all((0..4).map(|_| api.post(&undo, json!({})))).await;
    let (begun, late): (Vec<_>, Vec<_>) = asked.into_iter().partition(|answer| answer.status == 202);
    assert!(!begun.is_empty() && late.into_iter().all(|answer| answer.problem(409) == "import_undone"));
    progress_when(&company, text(&begun[0].body["id"]), "done").await;
    assert_eq!(text(&api.post(&path(&id), json!({})).await.expect(409)["code"]), "import_undone");
    assert!(articles(&company).await.is_empty());
    let optimized = api.post("/knowledge/optimize", json!({})).await.expect(202);
    api.post(&path(&optimized["id"]), json!({})).await.expect(404);
}
