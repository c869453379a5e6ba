//! One subscriber is one client in every country, whichever of their writings WhatsApp uses, and is answered at the one it used.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

/// Six digits nobody else has.
fn fresh_end() -> String {
    fresh_number()[7..].to_owned()
}

async fn conversations(company: &Company) -> Vec<Value> {
    let list = company.admin.api.get("/conversations").await.expect(200);
    list["data"].as_array().cloned().unwrap_or_default()
}

/// Each of these writes; answers the one conversation.
async fn written_by(company: &Company, writings: &[String]) -> Value {
    for writing in writings {
        company.phone.receive_text(writing, writing).await;
    }
    let mut list = conversations(company).await;
    assert_eq!(list.len(), 1, "{list:?}");
    let thread = company.admin.thread(text(&list[0]["id"])).await;
    assert_eq!(thread.len(), writings.len());
    list.remove(0)
}

pub async fn argentine_with_and_without_the_nine_is_one_client(stack: Arc<Stack>) {
    for (area, begin) in [("11", "23"), ("223", "4"), ("2966", "")] {
        let subscriber = format!("{area}{begin}{}", fresh_end());
        let (with, without) = (format!("549{subscriber}"), format!("54{subscriber}"));
        let one = written_by(&company(&stack).await, &[with.clone(), without.clone()]).await;
        assert_eq!(one["client_phone"], without.as_str());
        let other = written_by(&company(&stack).await, &[without.clone(), with]).await;
        assert_eq!(other["client_phone"], without.as_str());
    }
}

pub async fn mexican_with_and_without_the_one_is_one_client(stack: Arc<Stack>) {
    let subscriber = format!("5512{}", fresh_end());
    let (with, without) = (format!("521{subscriber}"), format!("52{subscriber}"));
    let one = written_by(&company(&stack).await, &[with.clone(), without.clone()]).await;
    assert_eq!(one["client_phone"], without.as_str());
    written_by(&company(&stack).await, &[without, with]).await;
}

pub async fn both_writings_at_once_are_one_client(stack: Arc<Stack>) {
    for (code, more, begin) in [("54", "9", "1123"), ("52", "1", "5512"), ("55", "", "119887")] {
        let company = company(&stack).await;
        let end = fresh_end();
        // Brazil's further digit comes after the area.
        let begin_with = if code == "55" { "1199887" } else { begin };
        let end = if code == "55" { &end[2..] } else { &end };
        let (with, without) = if code == "55" {
            (format!("55{begin_with}{end}"), format!("55{}{end}", begin_with.replacen("119", "11", 1)))
        } else {
            (format!("{code}{more}{begin}{end}"), format!("{code}{begin}{end}"))
        };
        let writes = (0..5).flat_map(|_| [company.phone.receive_text(&with, "com"), company.phone.receive_text(&without, "sem")]);
        futures_util::future::join_all(writes).await;
        let list = conversations(&company).await;
        assert_eq!(list.len(), 1, "{with} and {without}: {list:?}");
        assert_eq!(company.admin.thread(text(&list[0]["id"])).await.len(), 10);
    }
}

pub async fn different_numbers_of_a_country_stay_apart(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (end, other) = (fresh_end(), fresh_end());
    let numbers = [
        // A landline and a mobile of the same area, two areas, a number too short for a prefix, other countries.
        format!("541143{end}"),
        format!("5491143{other}"),
        format!("549351{}{end}", 2),
        format!("549{}{end}", 11),
        format!("521{}{end}", 55),
        format!("528112{end}"),
        format!("591143{end}"),
        format!("573001{end}"),
    ];
    for number in &numbers {
        company.phone.receive_text(number, "Oi").await;
    }
    assert_eq!(conversations(&company).await.len(), numbers.len());
}

pub async fn answer_goes_to_the_writing_that_wrote_last(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let subscriber = format!("1123{}", fresh_end());
    let (with, without) = (format!("549{subscriber}"), format!("54{subscriber}"));
    company.phone.receive_text(&with, "Oi").await;
    let id = text(&conversations(&company).await[0]["id"]).to_owned();
    company.agents[0].take_over(&id).await;
    company.agents[0].say(&id, "Primeira").await;
    company.phone.sent_at_least(1).await;
    company.phone.receive_text(&without, "Mudei").await;
    company.agents[0].say(&id, "Segunda").await;
    company.phone.sent_at_least(2).await;
    // What the business's own phone calls them is not what they are answered by.
    let echo = json!({"phone_number_id": company.phone.number_id, "from": with, "text": "Do celular"});
    company.phone.post("/whatsapp/echo", echo).await;
    company.agents[0].say(&id, "Terceira").await;
    let sent = company.phone.sent_at_least(3).await;
    let to: Vec<&str> = sent.iter().map(|sent| text(&sent["body"]["to"])).collect();
    assert_eq!(to, [with.as_str(), &without, &without]);
}

pub async fn every_writing_finds_the_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let end = fresh_end();
    let (argentine, mexican, brazilian) = (format!("5491123{end}"), format!("5215512{end}"), format!("551187{end}"));
    for number in [&argentine, &mexican, &brazilian] {
        company.phone.receive_text(number, "Oi").await;
    }
    let searches = [
        (format!("541123{end}"), [format!("+54 9 11 23{end}"), argentine, format!("011 15 23{end}"), format!("9 11 23{end}")]),
        (format!("525512{end}"), [format!("+52 1 55 12{end}"), mexican, format!("1 55 12{end}"), format!("(55) 12{end}")]),
        (format!("5511987{end}"), [format!("+55 11 87{end}"), brazilian, format!("(11) 87{end}"), format!("(11) 9 87{end}")]),
    ];
    for (canonical, writings) in searches {
        for writing in writings {
            let query = url::form_urlencoded::byte_serialize(writing.as_bytes()).collect::<String>();
            let found = company.admin.api.get(&format!("/conversations?search={query}")).await.expect(200);
            let found = found["data"].as_array().cloned().unwrap_or_default();
            assert!(found.len() == 1 && found[0]["client_phone"] == canonical.as_str(), "{writing}: {found:?}");
        }
    }
}
