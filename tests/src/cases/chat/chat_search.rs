//! Finding what was said.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, Wanted, company::Person};

use super::{bodies, channel, path_of, said, say};
use crate::cases::upload::ready_file;

async fn found(person: &Person, query: &str) -> Vec<String> {
    let list = person.api.get(&format!("/chat/search?{query}")).await.expect(200);
    bodies(&list).into_iter().map(str::to_owned).collect()
}

pub async fn words_and_filters_find_what_the_caller_reads(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let sales = channel(one, "vendas", "public", &[two]).await;
    let secret = channel(one, "diretoria", "private", &[&company.supervisor]).await;
    said(one, &sales, "A promoção começa amanhã").await;
    let second = said(two, &sales, "Que promoção boa").await;
    said(one, &secret, "promoção de cargos").await;
    let file = ready_file(&stack, one).await;
    say(one, &sales, json!({"body": "promoção em anexo", "file_ids": [file]})).await;
    assert_eq!(found(two, "q=PROMOCAO").await, ["promoção em anexo", "Que promoção boa", "A promoção começa amanhã"]);
    assert_eq!(found(&company.supervisor, "q=promocao").await, ["promoção de cargos"]);
    assert_eq!(found(&company.admin, "q=promocao").await, [""; 0]);
    assert_eq!(found(two, "q=promocao%20has:file").await, ["promoção em anexo"]);
    assert_eq!(found(one, "q=promocao%20in:%23diretoria").await, ["promoção de cargos"]);
    assert_eq!(found(two, "q=promocao%20in:diretoria").await, [""; 0], "what is out of sight has no name");
    assert_eq!(found(two, &format!("q=promocao&from_id={}", two.id)).await, ["Que promoção boa"]);
    assert_eq!(found(two, "q=promocao%20before:2020-01-01").await, [""; 0]);
    assert_eq!(found(two, "q=promocao%20after:2020-01-01").await.len(), 3);
    assert_eq!(found(two, "q=xyz").await, [""; 0]);
    let page = two.api.get("/chat/search?q=promocao&limit=2").await.expect(200);
    let rest = found(two, &format!("q=promocao&limit=2&cursor={}", tests::company::text(&page["next_cursor"]))).await;
    assert_eq!((bodies(&page).len(), rest), (2, vec!["A promoção começa amanhã".to_owned()]));
    two.api.call(reqwest::Method::DELETE, &path_of(&second), None).await.expect(204);
    assert_eq!(found(two, "q=promocao").await.len(), 2);
    two.api.get("/chat/search?q=").await.expect(422);
}
