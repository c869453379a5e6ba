//! Words in messages: found in any form, in order, within what the caller sees, and jumped to.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person, company::text, sandbox::fresh_number};

async fn company(stack: &Stack) -> Company {
    let departments = vec![("Vendas", vec![1]), ("Secretaria", vec![2])];
    stack.company(Wanted { students: 0, departments, ..Wanted::default() }).await
}

async fn search(person: &Person, query: &str) -> Vec<Value> {
    let found = person.api.get(&format!("/messages/search?{query}")).await.expect(200);
    found["data"].as_array().cloned().unwrap_or_default()
}

fn bodies(found: &[Value]) -> Vec<&str> {
    found.iter().map(|message| text(&message["body"])).collect()
}

pub async fn words_are_found_without_accents_by_their_stems_and_shown(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    for words in ["Perdi a matrícula do João", "matriculas abertas?", "Outra coisa", "A MATRÍCULA, de novo: matrícula!"] {
        company.phone.receive_text(&client, words).await;
    }
    let found = search(&company.admin, "search=MATRICULA").await;
    assert_eq!(bodies(&found), ["A MATRÍCULA, de novo: matrícula!", "matriculas abertas?", "Perdi a matrícula do João"]);
    let places = json!([{"start": 2, "length": 9}, {"start": 22, "length": 9}]);
    assert_eq!((&found[0]["highlights"], text(&found[0]["client_name"])), (&places, "Maria Teste"));
    assert_eq!(bodies(&search(&company.admin, "search=joao%20matriculas").await), ["Perdi a matrícula do João"]);
    assert_eq!(bodies(&search(&company.admin, "search=MATRICULA&order=asc&limit=1").await), ["Perdi a matrícula do João"]);
    for nothing in ["boleto", "de", "%25", "%22%27%3B--", "%F0%9F%98%80", "matricula%20inexistente"] {
        assert_eq!(search(&company.admin, &format!("search={nothing}")).await, [] as [Value; 0], "{nothing}");
    }
    for refused in ["", "search=", "search=a&sender_type=x", "search=a&from=ontem"] {
        company.admin.api.get(&format!("/messages/search?{refused}")).await.expect(422);
    }
    // And jumped to.
    let (id, middle) = (text(&found[1]["conversation_id"]), text(&found[1]["id"]));
    let around = company.admin.api.get(&format!("/messages?conversation_id={id}&around={middle}&limit=3")).await.expect(200);
    assert!(around["data"].as_array().is_some_and(|rows| rows.iter().any(|row| row["id"] == middle)), "{around}");
}

pub async fn filters_are_decided_before_the_page_is_cut(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (first, second) = (fresh_number(), fresh_number());
    company.phone.receive_text(&first, "Quero o boleto").await;
    for number in 0..6 {
        company.phone.receive_text(&second, &format!("boleto {number}")).await;
    }
    let admin = &company.admin;
    let conversation = admin.conversation_of(&first).await;
    let (id, client) = (text(&conversation["id"]), text(&conversation["client_id"]));
    admin.take_over(id).await;
    let mine = admin.say(id, "Segue o boleto").await;
    for (filter, expected) in [
        (format!("conversation_id={id}"), vec!["Segue o boleto", "Quero o boleto"]),
        (format!("client_id={client}&sender_type=client"), vec!["Quero o boleto"]),
        (format!("sender_id={}", admin.id), vec!["Segue o boleto"]),
        (format!("kind=image&channel_account_id={}", company.channel_account_id), vec![]),
        (format!("from={}", text(&mine["sent_at"])), vec!["Segue o boleto"]),
        (format!("to={}&order=asc&limit=2", text(&mine["sent_at"])), vec!["Quero o boleto", "boleto 0"]),
        (format!("conversation_id={}", company.id), vec![]),
    ] {
        assert_eq!(bodies(&search(admin, &format!("search=boletos&{filter}")).await), expected, "{filter}");
    }
}

pub async fn nobody_finds_what_they_do_not_see(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (own, others, held) = (fresh_number(), fresh_number(), fresh_number());
    for client in [&own, &others, &held] {
        company.phone.receive_text(client, "Meu certificado").await;
    }
    let [sales, office] = [0, 1].map(|index: usize| company.departments[index].1);
    for (client, department) in [(&own, sales), (&others, office), (&held, sales)] {
        let id = company.admin.conversation_id_of(client).await;
        company.supervisor.transfer(&id, json!({"to_department_id": department})).await;
    }
    let id = company.admin.conversation_id_of(&held).await;
    company.supervisor.transfer(&id, json!({"to_user_id": company.agents[1].id})).await;
    assert_eq!(search(&company.supervisor, "search=certificado").await.len(), 3);
    for person in &company.agents {
        let seen = person.api.get("/conversations?search=certificado").await.expect(200);
        let mut seen: Vec<&str> = seen["data"].as_array().into_iter().flatten().map(|row| text(&row["id"])).collect();
        let found = search(person, "search=certificados").await;
        let mut found: Vec<&str> = found.iter().map(|row| text(&row["conversation_id"])).collect();
        seen.sort_unstable();
        found.sort_unstable();
        assert!(!found.is_empty() && found.len() < 3, "{found:?}");
        assert_eq!(found, seen);
    }
    // What is hidden or taken back is found by nobody, nor is a line of ours.
    let message = company.admin.thread(&id).await.remove(0);
    company.admin.api.call(reqwest::Method::DELETE, &format!("/messages/{}", text(&message["id"])), None).await.expect(200);
    assert_eq!(search(&company.supervisor, "search=certificado").await.len(), 2);
    assert!(search(&company.supervisor, "search=transferida").await.is_empty());
}

/// Pages of what a tenth, a thousandth and three of many messages say, against reading everything.
pub async fn every_density_is_found_whole(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company.phone.receive_text(&fresh_number(), "Oi").await;
    let database = stack.database().await;
    let past = "
        insert into messages (id, company_id, conversation_id, channel_account_id, sender_type, kind, sent_at, body)
        select md5($1::uuid::text || number)::uuid, $1, id, channel_account_id, 'client', 'text',
               date_trunc('second', now()) - number / 3 * interval '1 minute',
               'linha' || case when number % 10 = 0 then ' décima' else '' end || case when number % 1000 = 7 then ' milésima' else '' end
               || case when number in (1, 2500, 5999) then ' abacaxi' else '' end
          from conversations, generate_series(0, 5999) number
         where company_id = $1";
    database.execute(past, &[&company.id]).await.expect("the past is written");
    let all = "
        select id from messages where company_id = $1 and body like '%' || $2 || '%' order by sent_at desc, id desc";
    for (word, asked) in [("décima", "decimas"), ("milésima", "milesima"), ("abacaxi", "abacaxis")] {
        let rows = database.query(all, &[&company.id, &word]).await.expect("the database answers");
        let mut expected: Vec<String> = rows.iter().map(|row| row.get::<_, uuid::Uuid>(0).to_string()).collect();
        for order in ["desc", "asc"] {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/messages/search?search={asked}&order={order}&limit=100&cursor={cursor}");
                let page = company.admin.api.get(&path).await.expect(200);
                found.extend(page["data"].as_array().into_iter().flatten().map(|row| text(&row["id"]).to_owned()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                next.clone_into(&mut cursor);
            }
            assert_eq!(found, expected, "{word} {order}");
            expected.reverse();
        }
    }
}
