//! GET /clients

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;
use tests::{Company, Stack, Wanted, company::text};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

async fn found(company: &Company, search: &str, more: &str) -> Vec<String> {
    let search: String = url::form_urlencoded::byte_serialize(search.as_bytes()).collect();
    let list = company.agents[0].api.get(&format!("/clients?search={search}{more}")).await.expect(200);
    list["data"].as_array().into_iter().flatten().map(|row| text(&row["name"]).to_owned()).collect()
}

async fn three(company: &Company) {
    for client in [
        json!({"name": "João d'Ávila", "phones": ["(11) 98765-4321"], "tags": ["vip"]}),
        json!({"name": "Maria Conceição", "document": "12.ABC.345/01DE-35", "email": "conceicao@exemplo.com.br"}),
        json!({"name": "Joana Prado", "document": "529.982.247-25", "phones": ["+351 912 345 678"], "tags": ["vip", "2026"]}),
    ] {
        company.admin.api.post("/clients", client).await.expect(201);
    }
}

pub async fn clients_are_found_by_anything_that_is_known_of_them(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    three(&company).await;
    three(&other).await;
    for (search, names) in [
        ("joao", vec!["João d'Ávila"]),
        ("DAVILA", vec!["João d'Ávila"]),
        ("conceicao", vec!["Maria Conceição"]),
        ("jo", vec!["Joana Prado", "João d'Ávila"]),
        ("prado", vec!["Joana Prado"]),
        ("(11) 8765-4321", vec!["João d'Ávila"]),
        ("+55 11 98765", vec!["João d'Ávila"]),
        ("4321", vec!["João d'Ávila"]),
        ("912 345", vec!["Joana Prado"]),
        ("529.982.247-25", vec!["Joana Prado"]),
        ("529982", vec!["Joana Prado"]),
        ("12.abc.345/01de-35", vec!["Maria Conceição"]),
        ("Conceicao@Exemplo.com.br", vec!["Maria Conceição"]),
        ("@exemplo", vec!["Maria Conceição"]),
    ] {
        assert_eq!(found(&company, search, "").await, names, "{search}");
    }
    assert_eq!(found(&company, "", "").await.len(), 3);
}

pub async fn what_finds_nobody_is_answered_with_nobody(stack: Arc<Stack>) {
    let company = company(&stack).await;
    three(&company).await;
    for search in ["xyzzy", "%", "_", "\\", "%%%", "'; drop table clients; --", "😀", "a@b", "00000000000000", "-", ".", "(11)"]
    {
        assert_eq!(found(&company, search, "").await, [""; 0], "{search}");
    }
    let long = company.admin.api.get(&format!("/clients?search={}", "a".repeat(201))).await.expect(422);
    assert_eq!(text(&long["errors"][0]["field"]), "search");
}

pub async fn a_tag_and_a_search_narrow_each_other(stack: Arc<Stack>) {
    let company = company(&stack).await;
    three(&company).await;
    assert_eq!(found(&company, "", "&tag=vip").await, ["Joana Prado", "João d'Ávila"]);
    assert_eq!(found(&company, "joana", "&tag=vip").await, ["Joana Prado"]);
    assert_eq!(found(&company, "maria", "&tag=vip").await, [""; 0]);
    assert_eq!(found(&company, "", "&tag=2026&order=asc").await, ["Joana Prado"]);
    assert_eq!(found(&company, "", "&tag=nenhuma").await, [""; 0]);
}

/// Clients with names, numbers and tags of their own.
const FILL: &str = "
    with made as (
        insert into clients (id, company_id, name, tags, created_at)
        select gen_random_uuid(), $1, case when number % 2 = 0 then 'Silva ' else 'Souza ' end || md5(number::text),
               case when number % 1000 = 0 then array['rara'] else '{}' end, now() - number * interval '1 second'
          from generate_series(1, $2::integer) number
        returning id, company_id
    )
    insert into client_identities (company_id, client_id, kind, value, address)
    select company_id, id, 'phone', number, number
      from (select company_id, id, (5521900000000 + row_number() over (order by id))::text as number from made) numbered";

pub async fn a_common_name_is_read_page_by_page_without_gap_or_repeat(stack: Arc<Stack>) {
    let company = company(&stack).await;
    stack.database().await.execute(FILL, &[&company.id, &250_i32]).await.expect("clients");
    for order in ["desc", "asc"] {
        let (mut read, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/clients?search=silva&limit=40&order={order}&cursor={cursor}");
            let page = company.admin.api.get(&path).await.expect(200);
            read.extend(page["data"].as_array().into_iter().flatten().map(|row| text(&row["created_at"]).to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        let each: BTreeSet<&String> = read.iter().collect();
        assert_eq!((read.len(), each.len()), (125, 125), "{order}");
        let is_in_order = read.windows(2).all(|pair| (pair[0] < pair[1]) == (order == "asc"));
        assert!(is_in_order, "{order}");
    }
}
