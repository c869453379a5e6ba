//! One person is one client, on whichever channels and under whichever ids they write.

use std::sync::Arc;

use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

use super::adapters::{ADAPTERS, Adapter, Content, Line, Told, Who};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

/// A mobile number with its ninth digit, and without.
fn mobile() -> (String, String) {
    let tail = fresh_number()[7..].to_owned();
    (format!("5511987{tail}"), format!("551187{tail}"))
}

async fn say(stack: &Stack, line: &Line, who: Who, words: &str) {
    let at = jiff::Timestamp::now().as_second();
    line.tell(stack, &[Told::Said { who, id: line.fresh_id(), content: Content::Words(words.into()), at }]).await;
}

/// Clients of the company's conversations, and how many conversations there are.
async fn found(company: &Company) -> (usize, usize) {
    let page = company.admin.api.get("/conversations").await.expect(200);
    let rows = page["data"].as_array().cloned().unwrap_or_default();
    let mut clients: Vec<&str> = rows.iter().map(|row| text(&row["client_id"])).collect();
    clients.sort_unstable();
    clients.dedup();
    (clients.len(), rows.len())
}

/// Every pair of adapters, each in a company of its own.
fn pairs() -> Vec<(Adapter, Adapter)> {
    let others = |first: Adapter| ADAPTERS.into_iter().filter(move |second| *second != first).map(move |second| (first, second));
    ADAPTERS.into_iter().flat_map(others).collect()
}

pub async fn who_writes_on_several_channels_is_one_client(stack: Arc<Stack>) {
    for (first, second) in pairs() {
        let company = company(&stack).await;
        let lines = [Line::open(&stack, &company, first).await, Line::open(&stack, &company, second).await];
        let (long, short) = mobile();
        say(&stack, &lines[0], Who::of(&short), "sem o nove").await;
        say(&stack, &lines[1], Who::of(&long), "com o nove").await;
        say(&stack, &lines[0], Who::of(&long), "de novo").await;
        say(&stack, &lines[1], Who::of(&short), "outra vez").await;
        assert_eq!(found(&company).await, (1, 2), "{first:?} {second:?}");
        // Of each channel one open conversation with what was said there.
        for (line, words) in lines.iter().zip([["sem o nove", "de novo"], ["com o nove", "outra vez"]]) {
            let path = format!("/conversations?channel={}", line.channel_account_id);
            let page = company.admin.api.get(&path).await.expect(200);
            let thread = company.admin.thread(text(&page["data"][0]["id"])).await;
            let mut bodies: Vec<&str> = thread.iter().map(|message| text(&message["body"])).collect();
            bodies.sort_unstable();
            let mut words = words;
            words.sort_unstable();
            assert_eq!(bodies, words, "{first:?} {second:?}");
        }
    }
}

pub async fn a_hidden_id_is_joined_by_the_number(stack: Arc<Stack>) {
    for (first, second) in pairs() {
        let company = company(&stack).await;
        let lines = [Line::open(&stack, &company, first).await, Line::open(&stack, &company, second).await];
        let (long, short) = mobile();
        let hidden = [fresh_number(), fresh_number()].map(|number| format!("1{}", &number[2..]));
        for (line, hidden) in lines.iter().zip(&hidden) {
            say(&stack, line, Who { number: None, hidden: Some(hidden.clone()) }, "quem sou?").await;
        }
        say(&stack, &lines[0], Who::of(&long), "sou eu").await;
        assert_eq!(found(&company).await.0, 3, "{first:?} {second:?}");
        // Each provider says once whose its id is, in whichever writing.
        for ((line, hidden), number) in lines.iter().zip(&hidden).zip([&short, &long]) {
            let both = Who { number: Some(number.clone()), hidden: Some(hidden.clone()) };
            say(&stack, line, both, "eu mesma").await;
        }
        assert_eq!(found(&company).await.0, 1, "{first:?} {second:?}");
        let outcomes = company.outcomes(&stack).await;
        assert!(outcomes.iter().all(|outcome| outcome == "stored"), "{outcomes:?}");
        let count = "select count(*) from messages where company_id = $1 and sender_type = 'client'";
        let stored: i64 = stack.database().await.query_one(count, &[&company.id]).await.expect("a count").get(0);
        assert_eq!(stored, 5, "{first:?} {second:?}");
    }
}
